//! Tree → files. In: a root folder. Out: every path below it, so that no link needs to ask the file system. Ignore files are
//! respected; version control is never entered; symbolic links are not followed but known by where they lead.

use std::ffi::OsStr;
use std::fs;
use std::hash::Hasher as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use hashbrown::HashTable;
use ignore::{WalkBuilder, WalkState};
use rustc_hash::{FxHashMap, FxHasher};

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
    folded: OnceLock<FxHashMap<Vec<u8>, Vec<u32>>>,
    names: OnceLock<FxHashMap<Vec<u8>, Vec<u32>>>,
}

/// Endings of Markdown files, as GitHub knows them, and MDX.
const MARKDOWN: &[&[u8]] = &[b"md", b"mdx", b"markdown", b"mdown", b"mkdn", b"mkd"];

/// Folders whose content is nobody's documentation.
const NEVER: &[&str] = &[".git", ".hg", ".svn", ".jj", "node_modules"];

impl Tree {
    /// Walks the tree below `root`, which is absolute and without symbolic links, on all cores. `in_repository` says whether ignore
    /// files above the root count as well.
    #[must_use]
    pub fn walk(root: &Path, in_repository: bool) -> Self {
        let found: Mutex<(Vec<Entry>, Vec<Unreadable>)> = Mutex::default();
        WalkBuilder::new(root)
            .hidden(false)
            .parents(in_repository)
            .require_git(false)
            // What one person's machine ignores must not change the result.
            .git_global(false)
            .git_exclude(false)
            .follow_links(false)
            .threads(std::thread::available_parallelism().map_or(1, usize::from).min(8))
            .filter_entry(|entry| entry.depth() == 0 || !NEVER.iter().any(|name| entry.file_name() == *name))
            .build_parallel()
            .run(|| {
                let mut mine = Collected { entries: Vec::new(), unreadable: Vec::new(), all: &found };
                Box::new(move |entry| {
                    match entry {
                        Ok(entry) => mine.add(root, &entry),
                        Err(error) => mine.unreadable.push(refused(root, &error)),
                    }
                    WalkState::Continue
                })
            });
        let (entries, unreadable) = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        Self::of(root, entries, unreadable)
    }

    fn of(root: &Path, mut entries: Vec<Entry>, mut unreadable: Vec<Unreadable>) -> Self {
        // Threads finish in any order; reports must not.
        entries.sort_unstable_by(|one, other| one.path.cmp(&other.path));
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
    #[must_use]
    pub fn find_folded(&self, path: &[u8]) -> &[u32] {
        let folded = self.folded.get_or_init(|| self.table(|entry| fold(&entry.path)));
        folded.get(&fold(path)).map_or(&[], Vec::as_slice)
    }

    /// Entries with this file name but for the case of letters.
    #[must_use]
    pub fn find_name(&self, name: &[u8]) -> &[u32] {
        let names = self.names.get_or_init(|| self.table(|entry| fold(file_name(&entry.path))));
        names.get(&fold(name)).map_or(&[], Vec::as_slice)
    }

    fn table(&self, key: impl Fn(&Entry) -> Vec<u8>) -> FxHashMap<Vec<u8>, Vec<u32>> {
        let mut table: FxHashMap<Vec<u8>, Vec<u32>> = FxHashMap::default();
        for (at, entry) in (0_u32..).zip(&self.entries) {
            table.entry(key(entry)).or_default().push(at);
        }
        table
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

/// What one thread found; handed over when it ends.
struct Collected<'a> {
    entries: Vec<Entry>,
    unreadable: Vec<Unreadable>,
    all: &'a Mutex<(Vec<Entry>, Vec<Unreadable>)>,
}

impl Collected<'_> {
    fn add(&mut self, root: &Path, entry: &ignore::DirEntry) {
        if let Some(error) = entry.error() {
            self.unreadable.push(refused(root, error));
        }
        let Ok(relative) = entry.path().strip_prefix(root) else { return };
        let path = portable(relative.as_os_str());
        let kind = match entry.file_type() {
            Some(kind) if kind.is_dir() => Kind::Folder,
            Some(kind) if kind.is_symlink() => match fs::canonicalize(entry.path()) {
                Ok(target) => match target.strip_prefix(root) {
                    Ok(target) => Kind::Alias(portable(target.as_os_str())),
                    Err(_) => Kind::Outside,
                },
                // It leads to nothing or in circles: as good as absent.
                Err(_) => return,
            },
            Some(kind) if kind.is_file() && is_markdown(&path) => Kind::Document,
            _ => Kind::File,
        };
        self.entries.push(Entry { path, kind });
    }
}

impl Drop for Collected<'_> {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.0.append(&mut self.entries);
        all.1.append(&mut self.unreadable);
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

/// Lower case for comparing names, as file systems that ignore case do.
#[must_use]
pub fn fold(path: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(path) {
        Ok(text) if !text.is_ascii() => text.to_lowercase().into_bytes(),
        _ => path.to_ascii_lowercase(),
    }
}

/// Whether the name ends as a Markdown file's does.
#[must_use]
pub fn is_markdown(path: &[u8]) -> bool {
    let name = file_name(path);
    memchr::memrchr(b'.', name)
        .is_some_and(|dot| MARKDOWN.iter().any(|ending| name[dot + 1..].eq_ignore_ascii_case(ending)))
}

/// The last part of a path.
#[must_use]
pub fn file_name(path: &[u8]) -> &[u8] {
    memchr::memrchr(b'/', path).map_or(path, |slash| &path[slash + 1..])
}

/// The folder of a path; of a path in the root the empty one.
#[must_use]
pub fn parent(path: &[u8]) -> &[u8] {
    memchr::memrchr(b'/', path).map_or(&[], |slash| &path[..slash])
}

/// `folder` and `rest` with one slash between them, none where one of them is empty.
#[must_use]
pub fn join(folder: &[u8], rest: &[u8]) -> Vec<u8> {
    let mut path = folder.to_vec();
    if !folder.is_empty() && !rest.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(rest);
    path
}

/// For people and reports.
#[must_use]
pub fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

#[cfg(unix)]
pub(super) fn portable(path: &OsStr) -> Box<[u8]> {
    use std::os::unix::ffi::OsStrExt as _;
    path.as_bytes().into()
}

#[cfg(not(unix))]
pub(super) fn portable(path: &OsStr) -> Box<[u8]> {
    path.to_string_lossy().replace('\\', "/").into_bytes().into()
}

#[cfg(unix)]
fn native(path: &[u8]) -> &Path {
    use std::os::unix::ffi::OsStrExt as _;
    Path::new(OsStr::from_bytes(path))
}

#[cfg(not(unix))]
fn native(path: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(path).into_owned())
}
