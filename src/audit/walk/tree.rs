//! Entries → an index by path, folder and name, with answers from git and ignore files.

use std::fs;
use std::hash::Hasher as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use hashbrown::HashTable;
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet, FxHasher};

use super::collect::Collected;
use super::{Entry, Kind, Unreadable};
use crate::audit::site::is_below;
use crate::fs::git;
use crate::text::casefold::CasefoldIndex;
use crate::text::path::{file_name, join, native, parent};

/// The index of all paths of a tree.
#[derive(Debug)]
pub struct Tree {
    root: PathBuf,
    entries: Vec<Entry>,
    index: HashTable<u32>,
    aliases: bool,
    /// Folders with files of other repositories: checkouts, and vendored copies.
    foreign: Vec<Box<[u8]>>,
    unreadable: Vec<Unreadable>,
    by_casefold: OnceLock<CasefoldIndex>,
    names: OnceLock<CasefoldIndex>,
    ignores: OnceLock<Vec<(Box<[u8]>, Gitignore)>>,
    sparse: OnceLock<bool>,
    tracked: OnceLock<Option<FxHashSet<Box<[u8]>>>>,
    /// Texts that are read in place of those on the disk.
    texts: FxHashMap<Box<[u8]>, Box<[u8]>>,
    /// Folders of whose contents nothing is known.
    unknown: Vec<Box<[u8]>>,
}

impl Tree {
    /// Walks the tree below `root`, which is absolute and has no symbolic links. With `in_repository`, ignore files
    /// above the root count too. The `named` paths, relative to the root, are included even if they are ignored.
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
            // Ignore files below it still count.
            found.collect(root, &root.join(native(path)), false);
            tree = Self::new(root, found);
        }
        tree
    }

    pub(super) fn new(root: &Path, found: Collected) -> Self {
        let Collected { mut entries, mut unreadable, checkouts: mut foreign } = found;
        // Disks list folders in any order, but reports must be stable.
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
            texts: FxHashMap::default(),
            unknown: Vec::new(),
        }
    }

    /// With folders in which anything may be.
    pub(super) fn with_unknown(self, unknown: Vec<Box<[u8]>>) -> Self {
        Self { unknown, ..self }
    }

    pub(super) fn with_texts(self, texts: FxHashMap<Box<[u8]>, Box<[u8]>>) -> Self {
        Self { texts, ..self }
    }

    /// With what version control has, and the folders around it, in place of what git says.
    pub(super) fn with_tracked(self, tracked: FxHashSet<Box<[u8]>>) -> Self {
        Self { tracked: OnceLock::from(Some(tracked)), ..self }
    }

    pub(super) fn checkouts(&self) -> &[Box<[u8]>] {
        &self.foreign
    }

    /// Returns the root.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns all entries, sorted by path. The root is the empty path.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Returns the folders with documents of other repositories, except those that are named or contain a named path.
    #[must_use]
    pub fn foreign(&self, named: &[Vec<u8>]) -> Vec<Box<[u8]>> {
        let is_named = |folder: &[u8]| named.iter().any(|path| !path.is_empty() && is_below(path, folder));
        self.foreign.iter().filter(|folder| !is_named(folder)).cloned().collect()
    }

    /// Returns the paths that could not be read.
    #[must_use]
    pub fn unreadable(&self) -> &[Unreadable] {
        &self.unreadable
    }

    /// Returns the path of an entry on the disk.
    #[must_use]
    pub fn on_disk(&self, path: &[u8]) -> PathBuf {
        self.root.join(native(path))
    }

    /// The text that is read in place of the one on the disk, if there is one.
    #[must_use]
    pub fn text(&self, path: &[u8]) -> Option<&[u8]> {
        if self.texts.is_empty() { None } else { self.texts.get(path).map(|text| &**text) }
    }

    /// Returns the entry with exactly this path. It follows symbolic links on the way.
    #[must_use]
    pub fn find(&self, path: &[u8]) -> Option<u32> {
        let direct = self.exact(path);
        if !self.aliases {
            return direct;
        }
        self.through_aliases(path, direct)
    }

    /// The entry with exactly this path, whatever symbolic links are on the way.
    #[must_use]
    pub fn exact(&self, path: &[u8]) -> Option<u32> {
        self.index.find(hash(path), |at| *self.entries[*at as usize].path == *path).copied()
    }

    fn through_aliases(&self, path: &[u8], direct: Option<u32>) -> Option<u32> {
        let mut path = path.to_vec();
        let mut found = direct;
        // Targets of links are already resolved, so there are no chains or circles, and one step each is enough. The
        // bound covers names that change during the walk.
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

    /// Returns whether readers have a path that the walk did not see: an ignored file that git tracks, or one that a
    /// sparse checkout leaves out. A file that exists only on this disk does not count. Git runs once, and only when a
    /// path is missing.
    #[must_use]
    pub fn exists_unseen(&self, path: &[u8]) -> bool {
        // What it saw leads nowhere for another reason.
        if self.exact(path).is_some() {
            return false;
        }
        if self.unknown.iter().any(|folder| is_below(path, folder)) {
            return true;
        }
        let here = || fs::canonicalize(self.on_disk(path)).is_ok_and(|real| real.starts_with(&self.root));
        if !*self.sparse.get_or_init(|| git::is_sparse(&self.root)) && !here() {
            return false;
        }
        match self.tracked.get_or_init(|| git::tracked(&self.root)) {
            Some(tracked) => tracked.contains(path),
            None => here(),
        }
    }

    /// Returns whether the tree's `.gitignore` files hide a path, which need not exist. The nearest file decides.
    #[must_use]
    pub fn is_ignored(&self, path: &[u8]) -> bool {
        let ignores = self.ignores.get_or_init(|| {
            let files = self.entries.iter().filter(|entry| file_name(&entry.path) == b".gitignore");
            let mut ignores: Vec<_> = files
                .map(|entry| {
                    let folder = parent(&entry.path);
                    let mut builder = GitignoreBuilder::new(self.on_disk(folder));
                    // An invalid line hides nothing.
                    match self.text(&entry.path) {
                        Some(text) => String::from_utf8_lossy(text).lines().for_each(|line| {
                            let _ = builder.add_line(None, line);
                        }),
                        None => drop(builder.add(self.on_disk(&entry.path))),
                    }
                    (folder.into(), builder.build().unwrap_or_else(|_| Gitignore::empty()))
                })
                .collect();
            ignores.sort_by_key(|(folder, _): &(Box<[u8]>, _)| std::cmp::Reverse(folder.len()));
            ignores
        });
        // A path from the root of the disk is none of the tree's, and the matcher panics on it.
        let path = path.strip_prefix(b"/").unwrap_or(path);
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

    /// Returns the entries whose path equals `path` without regard to case.
    pub fn find_folded<'a>(&'a self, path: &'a [u8]) -> impl Iterator<Item = u32> + 'a {
        let path_of = |at: u32| &*self.entries[at as usize].path;
        let by_casefold =
            self.by_casefold.get_or_init(|| CasefoldIndex::new(self.entries.iter().map(|entry| &*entry.path)));
        by_casefold.find(path, path_of)
    }

    /// Returns the entries whose file name equals this one without regard to case.
    pub fn find_name<'a>(&'a self, name: &'a [u8]) -> impl Iterator<Item = u32> + 'a {
        let name_of = |at: u32| file_name(&self.entries[at as usize].path);
        let names =
            self.names.get_or_init(|| CasefoldIndex::new(self.entries.iter().map(|entry| file_name(&entry.path))));
        names.find(name, name_of)
    }

    /// Returns everything below a folder, at any depth.
    pub fn below<'a>(&'a self, folder: &[u8]) -> impl Iterator<Item = (u32, &'a Entry)> + use<'a> {
        let inside = if folder.is_empty() { Vec::new() } else { [folder, b"/"].concat() };
        let start = self.entries.partition_point(|entry| *entry.path < *inside);
        (u32::try_from(start).unwrap_or(u32::MAX)..)
            .zip(&self.entries[start..])
            .take_while(move |(_, entry)| entry.path.starts_with(&inside))
    }

    /// Returns the direct children of a folder.
    pub fn children<'a>(&'a self, folder: &'a [u8]) -> impl Iterator<Item = (u32, &'a Entry)> {
        let start = self.entries.partition_point(|entry| *entry.path <= *folder);
        (u32::try_from(start).unwrap_or(u32::MAX)..)
            .zip(&self.entries[start..])
            .take_while(move |(_, entry)| entry.path.starts_with(folder))
            .filter(move |(_, entry)| parent(&entry.path) == folder && !entry.path.is_empty())
    }
}

/// Returns the folder of vendored copies that a file lists: Go's, Composer's or Jsonnet Bundler's.
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

/// Returns the end of each prefix of a path, the shortest first.
fn ends(path: &[u8]) -> impl Iterator<Item = usize> {
    memchr::memchr_iter(b'/', path).chain([path.len()])
}
