//! Creates a new folder completely or not at all.
//!
//! In: the path of a [`Destination`]. Out: a [`Stage`] beside it, which one step moves into place. If anything fails before
//! that step, dropping the [`Stage`] removes everything it created, including missing parent folders.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::files::FilesError;

/// Creates the temporary folder that later becomes the folder `name`, beside it or inside it. Temporary folders are
/// private by default. This one gets the mode that the user's umask gives.
///
/// # Errors
/// When the folder cannot be created.
pub(super) fn staging_folder(beside: &Path, name: &str) -> Result<TempDir, FilesError> {
    let mut builder = tempfile::Builder::new();
    // A file name has at most 255 bytes, and the folder's own may have all of them.
    let most = (0..=200).rev().find(|&end| name.is_char_boundary(end)).unwrap_or(0);
    let prefix = format!(".{}.mcp-kit-", name.get(..most).unwrap_or(name));
    builder.prefix(&prefix);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(0o777));
    }
    builder.tempdir_in(beside).map_err(FilesError::io("create a folder in", beside))
}

/// The path of a new project, checked but untouched.
#[derive(Debug)]
pub struct Destination {
    path: PathBuf,
    exists: bool,
}

impl Destination {
    /// Checks `path` without changing anything. It must not exist, or be an empty folder.
    ///
    /// # Errors
    /// When something else exists at the path, or the path cannot be read.
    pub fn check(path: &Path) -> Result<Self, FilesError> {
        match fs::metadata(path) {
            Ok(metadata) if !metadata.is_dir() => Err(FilesError::NotAFolder(path.to_owned())),
            Ok(_) => {
                let path = path.canonicalize().map_err(FilesError::io("read", path))?;
                let mut entries = fs::read_dir(&path).map_err(FilesError::io("read", &path))?;
                if entries.next().is_some() { Err(FilesError::NotEmpty(path)) } else { Ok(Self { path, exists: true }) }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // A dangling link exists as well, and renaming would replace it.
                if fs::symlink_metadata(path).is_ok() {
                    return Err(FilesError::NotAFolder(path.to_owned()));
                }
                let absolute = std::path::absolute(path).map_err(FilesError::io("find", path))?;
                // `x/` and `x` name the same folder. `x/..` names none that could be created.
                let absolute: PathBuf = absolute.components().collect();
                if absolute.file_name().is_none() {
                    return Err(FilesError::Nameless(path.to_owned()));
                }
                Ok(Self { path: absolute, exists: false })
            }
            Err(error) => Err(FilesError::io("create", path)(error)),
        }
    }

    /// Returns the absolute path of the folder to create.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the parent of the new folder. It, or one of the folders above it, exists.
    #[must_use]
    pub fn parent(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    /// Creates the staging folder beside the destination, or inside it when the destination already exists. An existing
    /// folder keeps its inode, owner and mode, because it may be a working directory or a mount point.
    ///
    /// # Errors
    /// When the folder cannot be created. Missing parents that were created for it are removed again.
    pub fn stage(self) -> Result<Stage, FilesError> {
        let name = self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut parents = MadeFolders::default();
        let beside = if self.exists { self.path.as_path() } else { self.parent() };
        parents.make(beside)?;
        Ok(Stage { folder: staging_folder(beside, &name)?, destination: self, parents })
    }
}

/// A staging folder beside the destination. Dropping it removes the folder.
#[derive(Debug)]
pub struct Stage {
    // Fields drop in this order: first the folder, then the parents created for it.
    folder: TempDir,
    destination: Destination,
    parents: MadeFolders,
}

impl Stage {
    /// Returns the path of the staging folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Moves the folder into place.
    ///
    /// # Errors
    /// When the destination is no longer empty, or cannot be written. Nothing is left behind then.
    pub fn commit(mut self) -> Result<PathBuf, FilesError> {
        let destination = self.destination.path.clone();
        if self.destination.exists {
            self.move_into(&destination)?;
        } else {
            fs::rename(self.folder.path(), &destination).map_err(|error| match error.kind() {
                io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists => {
                    FilesError::NotEmpty(destination.clone())
                }
                io::ErrorKind::NotADirectory => FilesError::NotAFolder(destination.clone()),
                _ => FilesError::io("create", &destination)(error),
            })?;
            self.folder.disable_cleanup(true);
        }
        self.parents.0.clear();
        Ok(destination)
    }

    /// Moves the entries of the staging folder, one rename each. When one fails, it moves the others back, and dropping
    /// the stage removes them.
    fn move_into(&self, destination: &Path) -> Result<(), FilesError> {
        let stage = self.folder.path();
        let mut moved: Vec<(PathBuf, PathBuf)> = Vec::new();
        let mut move_all = || -> Result<(), FilesError> {
            let entries = fs::read_dir(destination).map_err(FilesError::io("read", destination))?;
            if entries.count() > 1 {
                return Err(FilesError::NotEmpty(destination.to_owned()));
            }
            for entry in fs::read_dir(stage).map_err(FilesError::io("read", stage))? {
                let from = entry.map_err(FilesError::io("read", stage))?.path();
                let to = destination.join(from.file_name().unwrap_or_default());
                fs::rename(&from, &to).map_err(FilesError::io("create", &to))?;
                moved.push((from, to));
            }
            Ok(())
        };
        move_all().inspect_err(|_| {
            for (from, to) in &moved {
                // Best effort. Report the first error, not this one.
                let _ = fs::rename(to, from);
            }
        })
    }
}

/// Missing folders that were created. Dropping it removes those that are still empty.
#[derive(Debug, Default)]
struct MadeFolders(Vec<PathBuf>);

impl MadeFolders {
    fn make(&mut self, folder: &Path) -> Result<(), FilesError> {
        let missing: Vec<&Path> = folder.ancestors().take_while(|path| fs::symlink_metadata(path).is_err()).collect();
        for path in missing.into_iter().rev() {
            match fs::create_dir(path) {
                Ok(()) => self.0.push(path.to_owned()),
                // Another process just created the folder, so it is not ours to remove.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(FilesError::io("create", path)(error)),
            }
        }
        Ok(())
    }
}

impl Drop for MadeFolders {
    fn drop(&mut self) {
        for path in self.0.iter().rev() {
            if fs::remove_dir(path).is_err() {
                break;
            }
        }
    }
}
