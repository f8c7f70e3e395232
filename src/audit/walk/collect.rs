//! Folder → entries. Only this module lists folders.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use ignore::WalkBuilder;

use super::{Entry, Kind, Unreadable, is_markdown};

/// Folders without documentation of the tree.
const NEVER: &[&str] = &[".git", ".hg", ".svn", ".jj", "node_modules"];

/// The entries that a walk has found so far.
#[derive(Default)]
pub(super) struct Collected {
    pub(super) entries: Vec<Entry>,
    pub(super) unreadable: Vec<Unreadable>,
    /// The folders with their own `.git`.
    pub(super) checkouts: Vec<Box<[u8]>>,
}

impl Collected {
    /// Adds everything below `start`, with paths relative to `root`. One thread does it: the parallel walker needs more
    /// time to hand over single entries than a second core saves.
    pub(super) fn collect(&mut self, root: &Path, start: &Path, parents: bool) {
        let checkouts = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&checkouts);
        let walk = WalkBuilder::new(start)
            .hidden(false)
            .parents(parents)
            .require_git(false)
            // The ignore settings of one machine must not change the result.
            .git_global(false)
            .git_exclude(false)
            .follow_links(false)
            .filter_entry(move |entry| {
                let name = entry.file_name();
                // In a work tree or submodule, `.git` is a file.
                if name == ".git"
                    && entry.depth() > 1
                    && let Some(folder) = entry.path().parent()
                {
                    seen.lock().unwrap_or_else(PoisonError::into_inner).push(folder.to_owned());
                }
                entry.depth() == 0 || !NEVER.iter().any(|never| name == *never)
            })
            .build();
        for entry in walk {
            match entry {
                Ok(entry) => self.add(root, &entry),
                Err(error) => self.unreadable.push(refused(root, &error)),
            }
        }
        let checkouts = std::mem::take(&mut *checkouts.lock().unwrap_or_else(PoisonError::into_inner));
        self.checkouts.extend(checkouts.iter().filter_map(|folder| below(root, folder)));
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
                // A link to nothing, or in a circle, counts as absent.
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

/// Returns `path` relative to `root`, if it is at or below `root`. Both come from the same walk or from `canonicalize`,
/// so a comparison of bytes is enough. Splitting them into components took a tenth of the walk.
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
    path.strip_prefix(root).ok().map(|rest| crate::text::path::portable(rest.as_os_str()))
}
