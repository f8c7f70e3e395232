//! Writes files and folders completely or not at all.
//!
//! In: a [`FileTree`] in memory. Out: files on disk, and the other way round. [`super::stage`] is for a folder that is new.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::stage::staging_folder;
use crate::error::{Explain, UNFINISHED, USAGE};

/// A file in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The contents, byte for byte.
    pub bytes: Cow<'static, [u8]>,
    /// `true` for an executable file.
    pub executable: bool,
}

impl File {
    /// Creates a file without the executable bit.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self { bytes: Cow::Owned(text.into().into_bytes()), executable: false }
    }
}

/// Files by their path below a root, with `/` between the parts, sorted.
pub type FileTree = BTreeMap<String, File>;

/// The reason that files could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// The system refused an operation.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The verb: read, create, write, …
        action: &'static str,
        /// The path of the file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The folder to create exists and is not empty.
    #[error("{} exists and is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// The path to create exists and is not a folder.
    #[error("{} exists and is not a folder", .0.display())]
    NotAFolder(PathBuf),
    /// The path has no last component that could be created.
    #[error("{} does not name a folder that could be created", .0.display())]
    Nameless(PathBuf),
    /// The file name is not UTF-8.
    #[error("the file name {} is not valid UTF-8", .0.display())]
    NotUtf8(PathBuf),
    /// The path is a symbolic link, device or socket, where only files and folders are allowed.
    #[error("{} is neither a file nor a folder", .0.display())]
    Special(PathBuf),
}

impl FilesError {
    /// Returns a closure that adds the action and the path to a system error.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source: of_the_system(source) }
    }
}

/// Removes the path that `tempfile` 3 appends to its errors (`… at path "/…/.tmpA1b2C3"`). That path means nothing to
/// the user.
pub(super) fn of_the_system(error: io::Error) -> io::Error {
    match error.to_string().rsplit_once(" at path \"") {
        Some((what, _)) => io::Error::new(error.kind(), what.to_owned()),
        None => error,
    }
}

/// Writes a file atomically and replaces an existing one.
///
/// # Errors
/// When the folder is not writable.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), FilesError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(FilesError::io("write", path))?;
    file.write_all(bytes).map_err(FilesError::io("write", path))?;
    // Temporary files are private. This one must not be.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(path).map_or(0o644, |metadata| metadata.permissions().mode());
        file.as_file().set_permissions(fs::Permissions::from_mode(mode)).map_err(FilesError::io("write", path))?;
    }
    // The contents before the name: after a power loss it has the old ones or the new ones.
    file.as_file().sync_all().map_err(FilesError::io("write", path))?;
    file.persist(path).map_err(|error| FilesError::io("write", path)(error.error))?;
    Ok(())
}

/// Creates the parent folder of a file, and every missing folder above it.
///
/// # Errors
/// When a folder cannot be created.
pub fn make_folder_of(path: &Path) -> Result<(), FilesError> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => fs::create_dir_all(folder).map_err(FilesError::io("create", folder)),
        None => Ok(()),
    }
}

/// Replaces `folder` with a folder that holds `files`. `exists` says whether there is an old one. The path never holds
/// an incomplete folder.
///
/// # Errors
/// When the new folder cannot be written. The old one is then still in place.
pub fn replace_folder(folder: &Path, files: &FileTree, exists: bool) -> Result<(), FilesError> {
    let (Some(parent), Some(name)) = (folder.parent(), folder.file_name()) else {
        return Err(FilesError::Nameless(folder.to_owned()));
    };
    fs::create_dir_all(parent).map_err(FilesError::io("create", parent))?;
    let stage = || staging_folder(parent, &name.to_string_lossy());
    let new = stage()?;
    write_tree(new.path(), files, || Ok::<(), FilesError>(()))?;
    let swap = |from: &Path, to: &Path| fs::rename(from, to).map_err(FilesError::io("replace", to));
    if exists {
        let old = stage()?;
        let aside = old.path().join("old");
        swap(folder, &aside)?;
        swap(new.path(), folder).inspect_err(|_| {
            // Report the first error, not this one.
            let _ = fs::rename(&aside, folder);
        })?;
    } else {
        swap(new.path(), folder)?;
    }
    // The folder has moved, so there is nothing to delete.
    let _ = new.keep();
    Ok(())
}

/// Reads every file below `root`, except in folders that `skip` selects. It follows no symbolic links.
///
/// # Errors
/// When an entry cannot be read, is not a plain file, or has a name that is not UTF-8.
pub fn read_tree(root: &Path, skip: &dyn Fn(&Path) -> bool) -> Result<FileTree, FilesError> {
    fn walk(folder: &Path, prefix: &str, skip: &dyn Fn(&Path) -> bool, tree: &mut FileTree) -> Result<(), FilesError> {
        for entry in fs::read_dir(folder).map_err(FilesError::io("read", folder))? {
            let entry = entry.map_err(FilesError::io("read", folder))?;
            let path = entry.path();
            if skip(&path) {
                continue;
            }
            let name = entry.file_name();
            let Some(name) = name.to_str() else { return Err(FilesError::NotUtf8(path)) };
            let name = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
            let kind = entry.file_type().map_err(FilesError::io("read", &path))?;
            if kind.is_dir() {
                walk(&path, &name, skip, tree)?;
            } else if kind.is_file() {
                let bytes = fs::read(&path).map_err(FilesError::io("read", &path))?;
                let metadata = entry.metadata().map_err(FilesError::io("read", &path))?;
                tree.insert(name, File { bytes: Cow::Owned(bytes), executable: is_executable(&metadata) });
            } else {
                return Err(FilesError::Special(path));
            }
        }
        Ok(())
    }
    let mut tree = FileTree::new();
    walk(root, "", skip, &mut tree)?;
    Ok(tree)
}

/// Writes every file of `tree` below `root`, which must exist. `before_each` can stop the work.
///
/// # Errors
/// When a file cannot be written, or when `before_each` returns an error.
pub fn write_tree<E: From<FilesError>>(
    root: &Path,
    tree: &FileTree,
    before_each: impl Fn() -> Result<(), E>,
) -> Result<(), E> {
    let mut last_folder: Option<PathBuf> = None;
    for (name, file) in tree {
        before_each()?;
        let path = root.join(name);
        // Sorted paths are grouped by folder, so remembering the last folder saves most of the calls.
        if let Some(parent) = path.parent().filter(|parent| last_folder.as_deref() != Some(*parent)) {
            fs::create_dir_all(parent).map_err(FilesError::io("create", parent))?;
            last_folder = Some(parent.to_owned());
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        set_mode(&mut options, file.executable);
        let mut open = options.open(&path).map_err(FilesError::io("create", &path))?;
        open.write_all(&file.bytes).map_err(FilesError::io("write", &path))?;
    }
    Ok(())
}

#[cfg(unix)]
pub(super) fn is_executable(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
pub(super) fn is_executable(_: &fs::Metadata) -> bool {
    false
}

#[cfg(unix)]
pub(super) fn set_mode(options: &mut OpenOptions, executable: bool) {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(if executable { 0o777 } else { 0o666 });
}

#[cfg(not(unix))]
pub(super) fn set_mode(_: &mut OpenOptions, _: bool) {}

impl Explain for FilesError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        let hint = match self {
            Self::NotEmpty(_) => "choose another folder, or empty this one",
            Self::NotAFolder(_) | Self::Nameless(_) => "choose another folder",
            Self::NotUtf8(_) => "rename it",
            Self::Special(_) => "put a plain file in its place: links are not followed",
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    "choose a place that you may write to"
                }
                io::ErrorKind::NotFound => "create the folder that it belongs in first, or choose another place",
                io::ErrorKind::NotADirectory => "a part of the path is a file: choose another place",
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room on the disk",
                io::ErrorKind::InvalidFilename => "that name is too long: choose a shorter one",
                _ => return None,
            },
        };
        Some(hint.into())
    }

    fn status(&self) -> u8 {
        if matches!(self, Self::Io { .. }) { UNFINISHED } else { USAGE }
    }
}
