//! A tree and what differs from an older state of it → the older tree. Plain data comes in: nothing here asks git. What did not change
//! is read from the disk, so that an older state of a large tree costs what its differences cost.

use std::fs;

use rustc_hash::{FxHashMap, FxHashSet};

use super::collect::Collected;
use super::{Entry, Kind, Tree, is_markdown};
use crate::text::path::{normalise, parent};

/// The former kind of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Was {
    /// A file, with its text where an audit reads it.
    File(Option<Box<[u8]>>),
    /// A symbolic link that leads there.
    Link(Box<[u8]>),
    /// A checkout of another repository, of whose contents nothing is known.
    Checkout,
}

/// How an older state differs from the tree on the disk.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// Paths that were there, and are otherwise now or gone.
    pub was: FxHashMap<Box<[u8]>, Was>,
    /// Paths that are otherwise now, or new.
    pub changed: FxHashSet<Box<[u8]>>,
    /// Files that version control has now. Others are new.
    pub tracked: FxHashSet<Box<[u8]>>,
    /// Symbolic links that version control has now.
    pub links: Vec<Box<[u8]>>,
    /// Checkouts of other repositories that version control has now.
    pub checkouts: Vec<Box<[u8]>>,
    /// The new path of each file that was renamed, by its old one.
    pub renamed: FxHashMap<Box<[u8]>, Box<[u8]>>,
}

impl Past {
    /// Returns whether nothing differs but files that version control does not have.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        self.was.is_empty() && self.changed.is_empty()
    }

    /// Returns whether a path that is there now was there in the same form.
    #[must_use]
    pub fn has_kept(&self, path: &[u8]) -> bool {
        !self.changed.contains(path)
            && (self.tracked.contains(path) || folders(path).any(|folder| self.is_kept_checkout(folder)))
    }

    fn is_kept_checkout(&self, folder: &[u8]) -> bool {
        !self.changed.contains(folder) && self.checkouts.iter().any(|checkout| **checkout == *folder)
    }
}

/// The folders around a path, the innermost first, without the root.
fn folders(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    memchr::memrchr_iter(b'/', path).map(|end| &path[..end])
}

impl Tree {
    /// Returns the older tree.
    #[must_use]
    pub fn past(&self, past: Past) -> Self {
        let mut entries: Vec<Entry> = self
            .entries()
            .iter()
            .filter(|entry| entry.kind != Kind::Folder && past.has_kept(&entry.path))
            .cloned()
            .collect();
        // The tracked files, for links to what the walk does not see.
        let mut there: FxHashSet<Box<[u8]>> =
            past.tracked.iter().filter(|path| !past.changed.contains(*path)).cloned().collect();
        // A link that leads nowhere now may have led somewhere.
        for link in past.links.iter().filter(|link| past.has_kept(link) && self.exact(link).is_none()) {
            let target =
                fs::read_link(self.on_disk(link)).map(|target| crate::text::path::portable(target.as_os_str()));
            entries.extend(target.ok().map(|target| alias(link.clone(), &target)));
        }
        let mut texts = FxHashMap::default();
        let (mut checkouts, mut unknown) = (self.checkouts().to_vec(), Vec::new());
        let kept = past.checkouts.iter().filter(|path| !past.changed.contains(*path));
        let mut folders: FxHashSet<Box<[u8]>> = kept.cloned().collect();
        for (path, was) in past.was {
            there.insert(path.clone());
            // What the walk leaves out now, as ignore files or a sparse checkout tell it, it left out then.
            if past.changed.contains(&path) && self.exact(&path).is_none() {
                continue;
            }
            match was {
                Was::File(text) => {
                    let kind = if is_markdown(&path) { Kind::Document } else { Kind::File };
                    entries.push(Entry { path: path.clone(), kind });
                    texts.extend(text.map(|text| (path, text)));
                }
                Was::Link(target) => entries.push(alias(path, &target)),
                Was::Checkout => {
                    checkouts.push(path.clone());
                    unknown.push(path.clone());
                    folders.insert(path);
                }
            }
        }
        // Version control knows no folders but those around its files.
        let mut around: FxHashSet<Box<[u8]>> = FxHashSet::default();
        let of_files = entries.iter().map(|entry| &entry.path);
        of_files.chain(&folders).for_each(|path| add_folders(&mut around, path));
        folders.extend(around);
        folders.insert(Box::default());
        entries.extend(folders.into_iter().map(|path| Entry { path, kind: Kind::Folder }));
        let mut tracked = FxHashSet::default();
        there.iter().for_each(|path| add_folders(&mut tracked, path));
        tracked.extend(there);
        let found = Collected { entries, unreadable: self.unreadable().to_vec(), checkouts };
        Self::new(self.root(), found).with_texts(texts).with_tracked(tracked).with_unknown(unknown)
    }

    /// Returns the tree with other texts at some paths, which need not be there.
    #[must_use]
    pub fn with_documents<'a>(self, documents: impl Iterator<Item = (&'a [u8], Vec<u8>)>) -> Self {
        let texts: FxHashMap<Box<[u8]>, Box<[u8]>> =
            documents.map(|(path, text)| (path.into(), text.into_boxed_slice())).collect();
        if texts.is_empty() {
            return self;
        }
        let kind = |path: &[u8]| self.exact(path).map(|at| &self.entries()[at as usize].kind);
        if texts.keys().all(|path| matches!(kind(path), Some(Kind::Document))) {
            return self.with_texts(texts);
        }
        let mut entries: Vec<Entry> =
            self.entries().iter().filter(|entry| !texts.contains_key(&entry.path)).cloned().collect();
        entries.extend(texts.keys().map(|path| Entry { path: path.clone(), kind: Kind::Document }));
        let missing = texts.keys().flat_map(|path| folders(path)).filter(|folder| kind(folder).is_none());
        let missing: FxHashSet<&[u8]> = missing.filter(|folder| !texts.contains_key(*folder)).collect();
        entries.extend(missing.into_iter().map(|folder| Entry { path: folder.into(), kind: Kind::Folder }));
        let found = Collected { entries, unreadable: self.unreadable().to_vec(), checkouts: self.checkouts().to_vec() };
        Self::new(self.root(), found).with_texts(texts)
    }
}

/// Adds the folders around a path. When one is there, those around it are, too.
fn add_folders(to: &mut FxHashSet<Box<[u8]>>, path: &[u8]) {
    for folder in folders(path) {
        if !to.insert(folder.into()) {
            break;
        }
    }
}

/// A symbolic link at `path`, by what is written in it. [`Tree::find`] follows what it leads to.
fn alias(path: Box<[u8]>, target: &[u8]) -> Entry {
    let inside = if target.starts_with(b"/") { None } else { normalise(parent(&path), target) };
    let kind = inside.map_or(Kind::Outside, |target| Kind::Alias(target.into()));
    Entry { path, kind }
}
