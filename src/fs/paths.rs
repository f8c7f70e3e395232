//! Finds what a path below a root leads to, without following a symbolic link.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use super::files::{File, FileTree, FilesError, is_executable};

/// The most entries that a folder is looked through for.
const MOST_ENTRIES: usize = 2_000;

/// Folders that no project keeps its sources in.
const SKIPPED: &[&str] = &[".git", "target", "node_modules"];

/// The end of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathState {
    /// Nothing.
    Missing,
    /// A plain file.
    File(File),
    /// A folder, with the path below the root of everything in it that is no folder or an empty one.
    Folder(BTreeSet<String>),
    /// A link, a device, a folder of very many files, or a path through a link or a file.
    Other,
}

/// Reads these paths below `root`.
///
/// # Errors
/// When a plain file cannot be read.
pub fn read<'a>(
    root: &Path,
    paths: impl Iterator<Item = &'a String>,
) -> Result<BTreeMap<String, PathState>, FilesError> {
    let mut folders: BTreeMap<String, Option<bool>> = BTreeMap::new();
    let mut states = BTreeMap::new();
    for path in paths {
        states.insert(path.clone(), state(root, path, &mut folders)?);
    }
    Ok(states)
}

/// `folders` remembers which folders are plain ones (`Some(true)`), are not there (`None`), or are something else.
fn state(root: &Path, path: &str, folders: &mut BTreeMap<String, Option<bool>>) -> Result<PathState, FilesError> {
    for (end, _) in path.match_indices('/') {
        let folder = &path[..end];
        let kind = match folders.get(folder) {
            Some(kind) => *kind,
            None => {
                let kind = kind(&root.join(folder))?.map(|metadata| metadata.is_dir());
                folders.insert(folder.to_owned(), kind);
                kind
            }
        };
        match kind {
            Some(true) => {}
            Some(false) => return Ok(PathState::Other),
            None => return Ok(PathState::Missing),
        }
    }
    let full = root.join(path);
    Ok(match kind(&full)? {
        None => PathState::Missing,
        Some(metadata) if metadata.is_file() => {
            let bytes = fs::read(&full).map_err(FilesError::io("read", &full))?;
            PathState::File(File { bytes: Cow::Owned(bytes), executable: is_executable(&metadata) })
        }
        Some(metadata) if metadata.is_dir() => below(root, path).map_or(PathState::Other, PathState::Folder),
        Some(_) => PathState::Other,
    })
}

/// Returns the path below `root` of everything in a folder that is no folder or an empty one, or `None` where it cannot be read or is
/// too large. No link is followed.
pub(super) fn below(root: &Path, path: &str) -> Option<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let mut open = vec![path.to_owned()];
    let mut entries = 0;
    while let Some(folder) = open.pop() {
        let before = entries;
        for entry in fs::read_dir(root.join(&folder)).ok()? {
            let entry = entry.ok()?;
            entries += 1;
            if entries > MOST_ENTRIES {
                return None;
            }
            let path = format!("{folder}/{}", entry.file_name().to_str()?);
            if entry.file_type().ok()?.is_dir() {
                open.push(path);
            } else {
                found.insert(path);
            }
        }
        if entries == before {
            found.insert(folder);
        }
    }
    Some(found)
}

fn kind(path: &Path) -> Result<Option<fs::Metadata>, FilesError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(FilesError::io("read", path)(error)),
    }
}

/// Reads the plain files below `root` whose path is not in `known` and is wanted. What cannot be read is left out: it is only
/// looked for.
#[must_use]
pub fn others(root: &Path, wanted: &dyn Fn(&str) -> bool, known: &BTreeMap<String, PathState>) -> FileTree {
    fn walk(folder: &Path, prefix: &str, visit: &mut dyn FnMut(&str, &Path)) {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        for entry in entries {
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| !SKIPPED.contains(name)) else { continue };
            let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => walk(&entry.path(), &path, visit),
                Ok(kind) if kind.is_file() => visit(&path, &entry.path()),
                _ => {}
            }
        }
    }
    let mut found = FileTree::new();
    walk(root, "", &mut |path, full| {
        if known.contains_key(path) || !wanted(path) {
            return;
        }
        if let (Ok(bytes), Ok(metadata)) = (fs::read(full), fs::metadata(full)) {
            let executable = is_executable(&metadata);
            found.insert(path.to_owned(), File { bytes: Cow::Owned(bytes), executable });
        }
    });
    found
}
