//! The files that a build publishes: the one that each entry of the tree becomes, and the address that a destination becomes. A site that has an
//! [`Output`] is judged as a browser sees it: a link that the generator leaves as written counts from the address of its page.

use std::borrow::Cow;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Site, below};
use crate::audit::document::{Document, LinkKind};
use crate::audit::walk::{Kind, Tree};
use crate::text::path::{file_name, join, parent};

/// The way a generator publishes a site.
#[derive(Clone, Debug)]
pub struct Output {
    /// The folders whose entries are published.
    pub outlets: Vec<Outlet>,
    /// Returns what becomes of the destination of a link.
    pub href: fn(&LinkPath<'_>) -> Href,
    /// The settings that the two need.
    pub addressing: Addressing,
}

/// The settings of a generator that decide about addresses.
#[derive(Clone, Copy, Debug, Default)]
pub struct Addressing {
    /// `x.md` is `x/index.html`; otherwise it is `x.html`.
    pub directories: bool,
    /// The ending of an address may be left out, and is left out of links.
    pub clean: bool,
    /// The Markdown of pages is published, too.
    pub copies: bool,
    /// The path of a document in a link may be made its address.
    pub documents: bool,
    /// The generator puts the site's base in front of a link with `/` in front.
    pub adds_base: bool,
}

/// A folder whose entries are published.
#[derive(Clone, Debug)]
pub struct Outlet {
    /// The folder.
    pub folder: Vec<u8>,
    /// The prefix of what it is published as, without `/` at either end.
    pub prefix: Vec<u8>,
    /// It is known which of its files the links on a page count from: the first one.
    pub is_exact: bool,
    /// Adds the files below the prefix that an entry becomes; one with `/` in front is below the site's root.
    pub files: fn(&Part<'_>, &mut Vec<Vec<u8>>),
}

impl Outlet {
    /// A folder whose files are published as they are.
    pub(super) fn as_it_is(folder: Vec<u8>) -> Self {
        Self::exact(folder, |part, sink| sink.extend(part.file()))
    }

    /// A folder below which the file of each page is known.
    pub(super) const fn exact(folder: Vec<u8>, files: fn(&Part<'_>, &mut Vec<Vec<u8>>)) -> Self {
        Self { folder, prefix: Vec::new(), is_exact: true, files }
    }
}

/// An entry as an outlet sees it.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    /// Its path below the folder, with its ending.
    pub path: &'a [u8],
    /// `true` for a folder.
    pub is_folder: bool,
    /// The parsed document, if it is Markdown.
    pub document: Option<&'a Document>,
    /// The settings.
    pub addressing: Addressing,
    /// The document at another path below the folder.
    pub beside: &'a dyn Fn(&[u8]) -> Option<&'a Document>,
}

impl Part<'_> {
    /// Returns the path of a file; nothing for a folder.
    pub(super) fn file(&self) -> Option<Vec<u8>> {
        (!self.is_folder).then(|| self.path.to_vec())
    }

    /// Returns the path without its ending, and the ending without its dot.
    pub(super) fn split(&self) -> (&[u8], &[u8]) {
        let from = self.path.len() - file_name(self.path).len();
        match memchr::memrchr(b'.', self.path).filter(|dot| *dot > from) {
            Some(dot) => (&self.path[..dot], &self.path[dot + 1..]),
            None => (self.path, b""),
        }
    }
}

/// The path in the destination of a link, and the page that it is written on.
#[derive(Clone, Copy, Debug)]
pub struct LinkPath<'a> {
    /// The tree.
    pub tree: &'a Tree,
    /// The site of the page.
    pub site: &'a Site,
    /// The settings.
    pub addressing: Addressing,
    /// The path of the page from the root of the tree.
    pub own: &'a [u8],
    /// The path in the destination, decoded.
    pub path: &'a [u8],
    /// The way the link is written.
    pub kind: LinkKind,
}

/// The fate of a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Href {
    /// The generator finds an entry of the tree and writes its address.
    Entry(u32),
    /// An address: from the site's root with `/` in front, else from the page's own.
    Address(Vec<u8>),
    /// The output says nothing about it.
    Unknown,
}

/// The files of a published site.
#[derive(Debug, Default)]
pub struct Files {
    /// The path below the site's root: the entry that it is made of.
    entries: FxHashMap<Vec<u8>, u32>,
    /// The entry: the first file that is made of it.
    own: FxHashMap<u32, Vec<u8>>,
    folders: FxHashSet<Vec<u8>>,
}

impl Files {
    /// Returns the files that a site's output makes of a tree; nothing where the site has none.
    #[must_use]
    pub fn new<'a>(site: &Site, tree: &'a Tree, document: &dyn Fn(u32) -> Option<&'a Document>) -> Option<Self> {
        let output = site.output.as_ref()?;
        let mut files = Self::default();
        files.folders.insert(Vec::new());
        for outlet in &output.outlets {
            let mut add = |entry: u32, path: &[u8]| {
                let is_folder = tree.entries()[entry as usize].kind == Kind::Folder;
                let part = Part {
                    path,
                    is_folder,
                    document: document(entry),
                    addressing: output.addressing,
                    beside: &|path| document(tree.find(&join(&outlet.folder, path))?),
                };
                files.add(outlet, entry, &part);
            };
            if let Some(root) = tree.find(&outlet.folder) {
                add(root, b"");
            }
            for (number, entry) in tree.below(&outlet.folder) {
                let Some(path) = below(&entry.path, &outlet.folder) else { continue };
                let Kind::Alias(_) = entry.kind else {
                    add(number, path);
                    continue;
                };
                // A symbolic link is published as what it leads to.
                let Some(target) = tree.find(&entry.path) else { continue };
                add(target, path);
                let real = &tree.entries()[target as usize].path;
                // A link to a folder around it would never end.
                if below(&entry.path, real).is_some() {
                    continue;
                }
                for (number, inner) in tree.below(real) {
                    if let Some(rest) = below(&inner.path, real) {
                        add(number, &join(path, rest));
                    }
                }
            }
        }
        Some(files)
    }

    fn add(&mut self, outlet: &Outlet, entry: u32, part: &Part<'_>) {
        let mut made = Vec::new();
        (outlet.files)(part, &mut made);
        for file in made {
            let file = file.strip_prefix(b"/").map_or_else(|| join(&outlet.prefix, &file), <[u8]>::to_vec);
            let mut folder = parent(&file);
            while !folder.is_empty() && self.folders.insert(folder.to_vec()) {
                folder = parent(folder);
            }
            if !part.is_folder && outlet.is_exact {
                self.own.entry(entry).or_insert_with(|| file.clone());
            }
            // A document counts before what a folder or another file is by itself.
            if part.document.is_some() {
                self.entries.insert(file, entry);
            } else {
                self.entries.entry(file).or_insert(entry);
            }
        }
    }

    /// Returns the entry that a host of static files answers with for a path below the root, without `/` at either end. `is_folder` says
    /// that it was written with `/` at its end.
    #[must_use]
    pub fn find(&self, path: &[u8], is_folder: bool) -> Option<u32> {
        if self.folders.contains(path) {
            let index = self.entries.get(&join(path, b"index.html"));
            if index.is_some() {
                return index.copied();
            }
        }
        if is_folder || path.is_empty() {
            return None;
        }
        self.entries.get(path).or_else(|| self.entries.get(&[path, b".html"].concat())).copied()
    }

    /// Returns the file that an entry becomes.
    #[must_use]
    pub fn file_of(&self, entry: u32) -> Option<&[u8]> {
        self.own.get(&entry).map(Vec::as_slice)
    }

    /// Returns the address of an entry, from the root: without `index.html`.
    #[must_use]
    pub fn address(&self, entry: u32) -> Option<Cow<'_, [u8]>> {
        let file = self.file_of(entry)?;
        let address = file.strip_suffix(b"index.html").filter(|rest| rest.is_empty() || rest.ends_with(b"/"));
        Some(Cow::Owned([b"/", address.unwrap_or(file)].concat()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(paths: &[&str]) -> Files {
        let mut files = Files::default();
        for (entry, path) in (0..).zip(paths) {
            let outlet = Outlet::as_it_is(Vec::new());
            let part = Part {
                path: path.as_bytes(),
                is_folder: false,
                document: None,
                addressing: Addressing::default(),
                beside: &|_| None,
            };
            files.add(&outlet, entry, &part);
        }
        files
    }

    #[test]
    fn a_host_of_static_files() {
        let files = files(&["index.html", "a.html", "b/index.html", "c/x.png", "c.html"]);
        for (path, is_folder, entry) in [
            ("a.html", false, Some(1)),
            ("a", false, Some(1)),
            ("a", true, None),
            ("b", false, Some(2)),
            ("b", true, Some(2)),
            ("b/index", false, Some(2)),
            ("c", true, None),
            ("c", false, Some(4)),
            ("c/x.png", false, Some(3)),
            ("d", false, None),
        ] {
            assert_eq!(files.find(path.as_bytes(), is_folder), entry, "{path} {is_folder}");
        }
        assert_eq!(files.address(2).as_deref(), Some(b"/b/".as_slice()));
        assert_eq!(files.address(1).as_deref(), Some(b"/a.html".as_slice()));
    }
}
