//! Entries → an index that answers what is at a path, below a folder, or of a name, and what git and ignore files say of it.

use std::fs;
use std::hash::Hasher as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use hashbrown::HashTable;
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use rayon::prelude::*;
use rustc_hash::{FxHashSet, FxHasher};

use super::collect::Collected;
use super::{Entry, Kind, Unreadable};
use crate::audit::site::is_below;
use crate::fs::git;
use crate::text::casefold::Index;
use crate::text::path::{file_name, join, native, parent};

/// Every path of a tree.
#[derive(Debug)]
pub struct Tree {
    root: PathBuf,
    entries: Vec<Entry>,
    index: HashTable<u32>,
    aliases: bool,
    /// Folders whose files are not this repository's: other checkouts, and what Go copies from elsewhere.
    foreign: Vec<Box<[u8]>>,
    unreadable: Vec<Unreadable>,
    by_casefold: OnceLock<Index>,
    names: OnceLock<Index>,
    ignores: OnceLock<Vec<(Box<[u8]>, Gitignore)>>,
    sparse: OnceLock<bool>,
    tracked: OnceLock<Option<FxHashSet<Box<[u8]>>>>,
}

impl Tree {
    /// Walks the tree below `root`, which is absolute and without symbolic links. `in_repository` says whether ignore
    /// files above the root count as well. What was `named`, relative to the root, is there even if ignore files say otherwise.
    #[must_use]
    pub fn walk(root: &Path, in_repository: bool, named: &[Vec<u8>]) -> Self {
        let mut found = Collected::default();
        found.collect(root, root, in_repository);
        let mut tree = Self::new(root, found);
        for path in named.iter().filter(|path| !path.is_empty()) {
            if tree.exact(path).is_some() {
                continue;
            }
            let mut found = Collected { entries: tree.entries, unreadable: tree.unreadable, checkouts: tree.foreign };
            // Ignore files below it count all the same.
            found.collect(root, &root.join(native(path)), false);
            tree = Self::new(root, found);
        }
        tree
    }

    fn new(root: &Path, found: Collected) -> Self {
        let Collected { mut entries, mut unreadable, checkouts: mut foreign } = found;
        // Disks list folders in any order; reports must not.
        entries.par_sort_unstable_by(|one, other| one.path.cmp(&other.path));
        unreadable.sort();
        let mut index = HashTable::with_capacity(entries.len());
        for (at, entry) in (0_u32..).zip(&entries) {
            index.insert_unique(hash(&entry.path), at, |at| hash(&entries[*at as usize].path));
        }
        let aliases = entries.iter().any(|entry| matches!(entry.kind, Kind::Alias(_)));
        let (by_casefold, names, ignores) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        let (sparse, tracked) = (OnceLock::new(), OnceLock::new());
        foreign.extend(entries.iter().filter_map(|entry| vendored(&entry.path)));
        Self {
            root: root.to_owned(),
            entries,
            index,
            aliases,
            foreign,
            unreadable,
            by_casefold,
            names,
            ignores,
            sparse,
            tracked,
        }
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

    /// Folders whose documents are another repository's, but for those that are named or hold what is.
    #[must_use]
    pub fn foreign(&self, named: &[Vec<u8>]) -> Vec<Box<[u8]>> {
        let is_named = |folder: &[u8]| named.iter().any(|path| !path.is_empty() && is_below(path, folder));
        self.foreign.iter().filter(|folder| !is_named(folder)).cloned().collect()
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

    /// Whether readers have it though the walk did not see it: an ignored file that git has all the same, or one that a sparse checkout
    /// leaves out. What lies on this disk only is nobody else's. Git is asked once, and only when something is missing.
    #[must_use]
    pub fn exists_unseen(&self, path: &[u8]) -> bool {
        let here = || fs::canonicalize(self.on_disk(path)).is_ok_and(|real| real.starts_with(&self.root));
        if !*self.sparse.get_or_init(|| git::is_sparse(&self.root)) && !here() {
            return false;
        }
        match self.tracked.get_or_init(|| git::tracked(&self.root)) {
            Some(tracked) => tracked.contains(path),
            None => here(),
        }
    }

    /// Whether the tree's `.gitignore` files hide a path, be it there or not: those of the folders around it, the nearest first.
    #[must_use]
    pub fn is_ignored(&self, path: &[u8]) -> bool {
        let ignores = self.ignores.get_or_init(|| {
            let files = self.entries.iter().filter(|entry| file_name(&entry.path) == b".gitignore");
            let mut ignores: Vec<_> = files
                .map(|entry| {
                    let folder = parent(&entry.path);
                    let mut builder = GitignoreBuilder::new(self.on_disk(folder));
                    // A line that makes no sense hides nothing.
                    let _ = builder.add(self.on_disk(&entry.path));
                    (folder.into(), builder.build().unwrap_or_else(|_| Gitignore::empty()))
                })
                .collect();
            ignores.sort_by_key(|(folder, _): &(Box<[u8]>, _)| std::cmp::Reverse(folder.len()));
            ignores
        });
        let around = ignores.iter().filter(|(folder, _)| is_below(path, folder) && **folder != *path);
        for (_, ignore) in around {
            match ignore.matched_path_or_any_parents(self.on_disk(path), false) {
                Match::None => {}
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
            }
        }
        false
    }

    /// Entries whose path is `path` but for the case of letters.
    pub fn find_folded<'a>(&'a self, path: &'a [u8]) -> impl Iterator<Item = u32> + 'a {
        let path_of = |at: u32| &*self.entries[at as usize].path;
        let by_casefold = self.by_casefold.get_or_init(|| Index::new(self.entries.iter().map(|entry| &*entry.path)));
        by_casefold.find(path, path_of)
    }

    /// Entries with this file name but for the case of letters.
    pub fn find_name<'a>(&'a self, name: &'a [u8]) -> impl Iterator<Item = u32> + 'a {
        let name_of = |at: u32| file_name(&self.entries[at as usize].path);
        let names = self.names.get_or_init(|| Index::new(self.entries.iter().map(|entry| file_name(&entry.path))));
        names.find(name, name_of)
    }

    /// Everything below a folder, however deep.
    pub fn below<'a>(&'a self, folder: &[u8]) -> impl Iterator<Item = (u32, &'a Entry)> + use<'a> {
        let inside = if folder.is_empty() { Vec::new() } else { [folder, b"/"].concat() };
        let start = self.entries.partition_point(|entry| *entry.path < *inside);
        (u32::try_from(start).unwrap_or(u32::MAX)..)
            .zip(&self.entries[start..])
            .take_while(move |(_, entry)| entry.path.starts_with(&inside))
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

/// The folder of copies of other people's trees that a file is the list of: Go's, Composer's, Jsonnet Bundler's.
fn vendored(list: &[u8]) -> Option<Box<[u8]>> {
    let folder = match file_name(list) {
        b"modules.txt" => parent(list).to_vec(),
        b"installed.json" => parent(list).strip_suffix(b"/composer")?.to_vec(),
        b"jsonnetfile.lock.json" => join(parent(list), b"vendor"),
        _ => return None,
    };
    (file_name(&folder) == b"vendor").then(|| folder.into())
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
