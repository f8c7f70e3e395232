//! Tree → files. In: a root folder. Out: every path below it, so that no link needs to ask the file system. Ignore files are
//! respected; version control is never entered; symbolic links are not followed but known by where they lead.

use std::fs;
use std::hash::Hasher as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use hashbrown::HashTable;
use ignore::WalkBuilder;
use rayon::prelude::*;
use rustc_hash::FxHasher;

use crate::text::casefold::Index;
use crate::text::path::{file_name, join, native, parent};

/// What a path is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A folder.
    Folder,
    /// A file that is no document.
    File,
    /// A Markdown file.
    Document,
    /// A symbolic link to this path of the tree.
    Alias(Box<[u8]>),
    /// A symbolic link out of the tree. What is there is not looked at.
    Outside,
}

/// Something in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Relative to the root, `/` between the parts. Bytes, as file names are.
    pub path: Box<[u8]>,
    /// What it is.
    pub kind: Kind,
}

/// A place that could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unreadable {
    /// Relative to the root, or what the system said about it.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// Every path of a tree.
#[derive(Debug)]
pub struct Tree {
    root: PathBuf,
    entries: Vec<Entry>,
    index: HashTable<u32>,
    aliases: bool,
    unreadable: Vec<Unreadable>,
    folded: OnceLock<Index>,
    names: OnceLock<Index>,
}

/// Endings of Markdown files, as GitHub knows them, and MDX.
const MARKDOWN: &[&[u8]] = &[b"md", b"mdx", b"markdown", b"mdown", b"mkdn", b"mkd"];

/// Folders whose content is nobody's documentation.
const NEVER: &[&str] = &[".git", ".hg", ".svn", ".jj", "node_modules"];

impl Tree {
    /// Walks the tree below `root`, which is absolute and without symbolic links. `in_repository` says whether ignore
    /// files above the root count as well. What was `named`, relative to the root, is there even if ignore files say otherwise.
    #[must_use]
    pub fn walk(root: &Path, in_repository: bool, named: &[Vec<u8>]) -> Self {
        let mut found = Collected::default();
        found.collect(root, root, in_repository);
        let mut tree = Self::of(root, found);
        for path in named.iter().filter(|path| !path.is_empty()) {
            if tree.exact(path).is_some() {
                continue;
            }
            let mut found = Collected { entries: tree.entries, unreadable: tree.unreadable };
            // Ignore files below it count all the same.
            found.collect(root, &root.join(native(path)), false);
            tree = Self::of(root, found);
        }
        tree
    }

    fn of(root: &Path, found: Collected) -> Self {
        let Collected { mut entries, mut unreadable } = found;
        // Disks list folders in any order; reports must not.
        entries.par_sort_unstable_by(|one, other| one.path.cmp(&other.path));
        unreadable.sort();
        let mut index = HashTable::with_capacity(entries.len());
        for (at, entry) in (0_u32..).zip(&entries) {
            index.insert_unique(hash(&entry.path), at, |at| hash(&entries[*at as usize].path));
        }
        let aliases = entries.iter().any(|entry| matches!(entry.kind, Kind::Alias(_)));
        let (folded, names) = (OnceLock::new(), OnceLock::new());
        Self { root: root.to_owned(), entries, index, aliases, unreadable, folded, names }
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Everything, sorted by path. The root itself is there as the empty path.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What could not be looked at.
    #[must_use]
    pub fn unreadable(&self) -> &[Unreadable] {
        &self.unreadable
    }

    /// Where an entry is on the disk.
    #[must_use]
    pub fn on_disk(&self, path: &[u8]) -> PathBuf {
        self.root.join(native(path))
    }

    /// The entry with exactly this path; a symbolic link on the way is taken.
    #[must_use]
    pub fn find(&self, path: &[u8]) -> Option<u32> {
        let direct = self.exact(path);
        if !self.aliases {
            return direct;
        }
        self.through_aliases(path, direct)
    }

    fn exact(&self, path: &[u8]) -> Option<u32> {
        self.index.find(hash(path), |at| *self.entries[*at as usize].path == *path).copied()
    }

    fn through_aliases(&self, path: &[u8], direct: Option<u32>) -> Option<u32> {
        let mut path = path.to_vec();
        let mut found = direct;
        // Links are resolved when they are met, so that a chain or a circle of them cannot be: one step each suffices, and the bound
        // is for names that change meanwhile.
        for _ in 0..8 {
            let alias = ends(&path).find_map(|end| match &self.entries[self.exact(&path[..end])? as usize].kind {
                Kind::Alias(target) => Some((end, target)),
                _ => None,
            });
            let Some((end, target)) = alias else { return found };
            let rest = path[end..].strip_prefix(b"/").unwrap_or_default();
            path = join(target, rest);
            found = self.exact(&path);
        }
        found
    }

    /// Whether it exists on the disk though the walk did not see it: ignored files of a checkout are there because they are tracked.
    #[must_use]
    pub fn exists_unseen(&self, path: &[u8]) -> bool {
        fs::canonicalize(self.on_disk(path)).is_ok_and(|real| real.starts_with(&self.root))
    }

    /// Entries whose path is `path` but for the case of letters.
    pub fn find_folded<'a>(&'a self, path: &'a [u8]) -> impl Iterator<Item = u32> + 'a {
        let path_of = |at: u32| &*self.entries[at as usize].path;
        let folded = self.folded.get_or_init(|| Index::new(self.entries.iter().map(|entry| &*entry.path)));
        folded.find(path, path_of)
    }

    /// Entries with this file name but for the case of letters.
    pub fn find_name<'a>(&'a self, name: &'a [u8]) -> impl Iterator<Item = u32> + 'a {
        let name_of = |at: u32| file_name(&self.entries[at as usize].path);
        let names = self.names.get_or_init(|| Index::new(self.entries.iter().map(|entry| file_name(&entry.path))));
        names.find(name, name_of)
    }

    /// What is directly in a folder.
    pub fn children<'a>(&'a self, folder: &'a [u8]) -> impl Iterator<Item = (u32, &'a Entry)> {
        let start = self.entries.partition_point(|entry| *entry.path <= *folder);
        (u32::try_from(start).unwrap_or(u32::MAX)..)
            .zip(&self.entries[start..])
            .take_while(move |(_, entry)| entry.path.starts_with(folder))
            .filter(move |(_, entry)| parent(&entry.path) == folder && !entry.path.is_empty())
    }
}

/// What a walk has found so far.
#[derive(Default)]
struct Collected {
    entries: Vec<Entry>,
    unreadable: Vec<Unreadable>,
}

impl Collected {
    /// Adds everything below `start`, with paths relative to `root`. On one thread: what the parallel walker spends on handing single
    /// entries around is more than a second core saves.
    fn collect(&mut self, root: &Path, start: &Path, parents: bool) {
        let walk = WalkBuilder::new(start)
            .hidden(false)
            .parents(parents)
            .require_git(false)
            // What one person's machine ignores must not change the result.
            .git_global(false)
            .git_exclude(false)
            .follow_links(false)
            .filter_entry(|entry| {
                let name = entry.file_name();
                entry.depth() == 0 || !NEVER.iter().any(|never| name == *never)
            })
            .build();
        for entry in walk {
            match entry {
                Ok(entry) => self.add(root, &entry),
                Err(error) => self.unreadable.push(refused(root, &error)),
            }
        }
    }

    fn add(&mut self, root: &Path, entry: &ignore::DirEntry) {
        if let Some(error) = entry.error() {
            self.unreadable.push(refused(root, error));
        }
        let Some(path) = below(root, entry.path()) else { return };
        let kind = match entry.file_type() {
            Some(kind) if kind.is_dir() => Kind::Folder,
            Some(kind) if kind.is_symlink() => match fs::canonicalize(entry.path()) {
                Ok(target) => below(root, &target).map_or(Kind::Outside, Kind::Alias),
                // It leads to nothing or in circles: as good as absent.
                Err(_) => return,
            },
            Some(kind) if kind.is_file() && is_markdown(&path) => Kind::Document,
            _ => Kind::File,
        };
        self.entries.push(Entry { path, kind });
    }
}

fn refused(root: &Path, error: &ignore::Error) -> Unreadable {
    match error {
        ignore::Error::WithPath { path, err } => {
            let path = path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned();
            Unreadable { path, reason: err.to_string() }
        }
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => refused(root, err),
        ignore::Error::Partial(errors) if !errors.is_empty() => refused(root, &errors[0]),
        other => Unreadable { path: String::new(), reason: other.to_string() },
    }
}

fn hash(path: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(path);
    hasher.finish()
}

/// Where the parts of a path end, the shortest first.
fn ends(path: &[u8]) -> impl Iterator<Item = usize> {
    memchr::memchr_iter(b'/', path).chain([path.len()])
}

/// Whether the name ends as a Markdown file's does.
#[must_use]
pub fn is_markdown(path: &[u8]) -> bool {
    let name = file_name(path);
    memchr::memrchr(b'.', name)
        .is_some_and(|dot| MARKDOWN.iter().any(|ending| name[dot + 1..].eq_ignore_ascii_case(ending)))
}

/// `path` relative to `root`, if it is there or below. Both come from the same walk or from `canonicalize`, so they are compared as they
/// are written: taking them apart took a tenth of the walk.
#[cfg(unix)]
fn below(root: &Path, path: &Path) -> Option<Box<[u8]>> {
    use std::os::unix::ffi::OsStrExt as _;
    let root = root.as_os_str().as_bytes();
    let rest = path.as_os_str().as_bytes().strip_prefix(root)?;
    if rest.is_empty() || root.ends_with(b"/") {
        return Some(rest.into());
    }
    rest.strip_prefix(b"/").map(Into::into)
}

#[cfg(not(unix))]
fn below(root: &Path, path: &Path) -> Option<Box<[u8]>> {
    path.strip_prefix(root).ok().map(|rest| portable(rest.as_os_str()))
}
