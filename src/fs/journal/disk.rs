//! The work of the journal on single files and folders: contents first, then names, so that each is complete or not there.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::JournalError;
use crate::fs::files::{is_executable, set_mode};
use crate::text::path::is_below_root;

/// A file to write or to remove.
pub(super) struct FileWrite<'a> {
    /// The path below the root.
    pub(super) path: String,
    /// Where it is.
    pub(super) file: PathBuf,
    /// The contents, and `true` for an executable file. `None` removes the file.
    pub(super) after: Option<(&'a [u8], bool)>,
    pub(super) is_new: bool,
}

impl FileWrite<'_> {
    /// Puts the new file in place at once.
    pub(super) fn put(&self, new: &Path) -> Result<(), JournalError> {
        let file = &self.file;
        if !self.is_new {
            return fs::rename(new, file).map_err(JournalError::io("write", file));
        }
        let folder = file.parent().unwrap_or(file);
        fs::create_dir_all(folder).map_err(JournalError::io("create", folder))?;
        // A new file never replaces another: `link` fails when the name is taken, `rename` does not.
        match fs::hard_link(new, file) {
            Ok(()) => fs::remove_file(new).map_err(JournalError::io("remove", new)),
            // It was free a moment ago, and other files have changed by now.
            Err(_) if file.symlink_metadata().is_ok() => Err(JournalError::Changed(self.path.clone())),
            // A file system without links.
            Err(_) => fs::rename(new, file).map_err(JournalError::io("create", file)),
        }
    }
}

/// Returns the path below the root, also of a file in a folder that is a file now and goes away first.
pub(super) fn below(root: &Path, path: &str) -> Option<PathBuf> {
    let file = root.join(path);
    let is_link = |path: &Path| fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
    let through_link = file.ancestors().take_while(|above| *above != root).any(is_link);
    (is_below_root(path) && !through_link).then_some(file)
}

/// Returns the contents of a file, or `None` where there is none: also where a folder is that is to become a file, or has been one.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, JournalError> {
    use io::ErrorKind::{IsADirectory, NotADirectory, NotFound};
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), NotFound | NotADirectory | IsADirectory) => Ok(None),
        Err(error) => Err(JournalError::io("read", path)(error)),
    }
}

/// Writes a file beside the journal, with the mode that the user's umask gives.
pub(super) fn create(path: &Path, bytes: &[u8], executable: bool) -> Result<fs::File, JournalError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(JournalError::io("write", path)(error)),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    set_mode(&mut options, executable);
    let mut file = options.open(path).map_err(JournalError::io("create", path))?;
    file.write_all(bytes).map_err(JournalError::io("write", path))?;
    Ok(file)
}

pub(super) fn is_read_only(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|metadata| metadata.permissions().readonly())
}

pub(super) fn has_mode(file: &Path, executable: bool) -> bool {
    !cfg!(unix) || fs::metadata(file).is_ok_and(|metadata| is_executable(&metadata) == executable)
}

/// Gives the new contents the permissions of the file that they replace, and the executable bit wherever it can be read.
#[cfg(unix)]
pub(super) fn keep_mode(file: &Path, new: &Path, executable: bool) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let old = fs::metadata(file)?.permissions().mode();
    let mode = match (old & 0o111 != 0, executable) {
        (false, true) => old | ((old & 0o444) >> 2),
        (true, false) => old & !0o111,
        _ => old,
    };
    fs::set_permissions(new, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
pub(super) fn keep_mode(_: &Path, _: &Path, _: bool) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
pub(super) fn device(folder: &Path) -> io::Result<u64> {
    use std::os::unix::fs::MetadataExt as _;
    Ok(fs::metadata(folder)?.dev())
}

#[cfg(not(unix))]
pub(super) fn device(_: &Path) -> io::Result<u64> {
    Ok(0)
}

/// Syncs files in a few threads. One after the other, each waits for a commit of the file system's own journal; together they share
/// one (ext4, 202 files: 22 to 96 ms with eight threads, 96 to 716 ms with one).
pub(super) fn sync_files(paths: &[&PathBuf]) -> Result<(), JournalError> {
    const THREADS: usize = 8;
    let sync = |paths: &[&PathBuf]| {
        let file = |path: &&PathBuf| {
            fs::File::open(path).and_then(|file| file.sync_all()).map_err(JournalError::io("write", path))
        };
        paths.iter().try_for_each(file)
    };
    let size = paths.len().div_ceil(THREADS).max(1);
    std::thread::scope(|scope| {
        let start = |part| std::thread::Builder::new().spawn_scoped(scope, move || sync(part)).map_err(|_| part);
        let threads: Vec<_> = paths.chunks(size).map(start).collect();
        threads.into_iter().try_for_each(|thread| match thread {
            Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            // Where there is no thread to be had, it takes longer.
            Err(part) => sync(part),
        })
    })
}

/// Makes new names survive a power loss, on systems that support it.
pub(super) fn sync(folder: &Path) {
    if let Ok(folder) = fs::File::open(folder) {
        let _ = folder.sync_all();
    }
}
