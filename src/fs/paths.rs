//! Finds what a path below a root leads to, without following a symbolic link.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use super::files::{File, FileTree, FilesError, is_executable};

/// Folders that no project keeps its sources in.
const SKIPPED: &[&str] = &[".git", "target", "node_modules"];

/// The end of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathState {
    /// Nothing.
    Missing,
    /// A plain file.
    File(File),
    /// A link, a folder, a device, or a path through a link or a file.
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
        Some(_) => PathState::Other,
    })
}

fn kind(path: &Path) -> Result<Option<fs::Metadata>, FilesError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(FilesError::io("read", path)(error)),
    }
}

/// Reads the plain files below `root` that have one of these endings and a path that is not in `known`. What cannot be
/// read is left out: it is only looked for.
#[must_use]
pub fn others(root: &Path, endings: &[&str], known: &BTreeMap<String, PathState>) -> FileTree {
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
        if known.contains_key(path) || !endings.iter().any(|ending| path.ends_with(ending)) {
            return;
        }
        if let (Ok(bytes), Ok(metadata)) = (fs::read(full), fs::metadata(full)) {
            let executable = is_executable(&metadata);
            found.insert(path.to_owned(), File { bytes: Cow::Owned(bytes), executable });
        }
    });
    found
}
