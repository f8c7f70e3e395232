//! A key in a file: made once, by whoever is first, and the same from then on.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::key::{EncryptionKey, EncryptionKeyError};

/// A key file is a line of 44 characters; a file of another sort is not read to its end.
const MOST: u64 = 1024;

/// Why there is no key from a file. A key that is there is never overwritten.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// A folder, a symbolic link, a device.
    #[error("{}: the encryption key must be in a plain file, not in {kind}", path.display())]
    NotAFile {
        /// The file.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// Others may read it.
    #[error("{}: others may read the encryption key (mode {mode:04o}); chmod 600 it, and make a new key if they did", path.display())]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// What is in it is no key.
    #[error("{}: {source}. The file is left as it is: if no token was ever sealed with it, remove it", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: EncryptionKeyError,
    },
    /// Reading or writing failed.
    #[error("{}: the file with the encryption key cannot be {what}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// `read` or `made`.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
    /// No random numbers.
    #[error(transparent)]
    Key(#[from] EncryptionKeyError),
}

impl EncryptionKey {
    /// The key in this file; made where there is none, readable by its owner alone.
    ///
    /// Any number of processes may start at once: one of them makes the key, and all have the same.
    ///
    /// # Errors
    /// [`KeyFileError`] where the file is not one that a key belongs in, or cannot be read or made.
    pub fn load_or_create(path: &Path) -> Result<Self, KeyFileError> {
        if let Some(key) = load(path)? {
            return Ok(key);
        }
        let key = Self::generate()?;
        match publish(path, &key) {
            Ok(()) => Ok(key),
            // Somebody was faster: it is that key that counts.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let vanished = || io::Error::new(io::ErrorKind::NotFound, "it has just been removed");
                load(path)?.ok_or_else(|| failure(path, "read", vanished()))
            }
            Err(error) => Err(failure(path, "made", error)),
        }
    }
}

/// The key that is there; `None` where there is no file.
fn load(path: &Path) -> Result<Option<EncryptionKey>, KeyFileError> {
    let failed = |error| failure(path, "read", error);
    // Looked at before it is opened: opening a pipe or a device could block or do things.
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    check(path, &metadata)?;
    let file = File::open(path).map_err(failed)?;
    // And again what was opened, which somebody may have put there in between.
    check(path, &file.metadata().map_err(failed)?)?;
    let mut text = Zeroizing::new(String::new());
    file.take(MOST).read_to_string(&mut text).map_err(failed)?;
    EncryptionKey::parse(&text).map(Some).map_err(|source| KeyFileError::Content { path: path.to_owned(), source })
}

fn failure(path: &Path, what: &'static str, source: io::Error) -> KeyFileError {
    KeyFileError::Io { path: path.to_owned(), what, source }
}

fn check(path: &Path, metadata: &fs::Metadata) -> Result<(), KeyFileError> {
    let kind = metadata.file_type();
    if !kind.is_file() {
        let what = if kind.is_dir() {
            "a folder"
        } else if kind.is_symlink() {
            "a symbolic link"
        } else {
            "a device"
        };
        return Err(KeyFileError::NotAFile { path: path.to_owned(), kind: what });
    }
    check_access(path, metadata)
}

#[cfg(unix)]
fn check_access(path: &Path, metadata: &fs::Metadata) -> Result<(), KeyFileError> {
    use std::os::unix::fs::MetadataExt as _;
    let mode = metadata.mode() & 0o7777;
    // Whoever can read a file that only its owner can read is the owner, or root.
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Mode { path: path.to_owned(), mode });
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_access(_: &Path, _: &fs::Metadata) -> Result<(), KeyFileError> {
    Ok(())
}

/// Puts the key where nobody's is yet: written whole beside its place, then linked there, which fails for all but one.
/// (A rename would replace what another process has just put there.)
fn publish(path: &Path, key: &EncryptionKey) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let beside = Beside::new(folder)?;
    let mut file = beside.create()?;
    let line = Zeroizing::new(format!("{}\n", *key.to_base64()));
    file.write_all(line.as_bytes())?;
    file.sync_all()?;
    fs::hard_link(&beside.0, path)?;
    // The name must survive a loss of power as well as the content.
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(())
}

/// A file that is removed again, whatever happens.
struct Beside(PathBuf);

impl Beside {
    fn new(folder: &Path) -> io::Result<Self> {
        use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
        let mut random = [0; 8];
        SystemRandom::new().fill(&mut random).map_err(|_| io::Error::other("no random numbers"))?;
        Ok(Self(folder.join(format!(".encryption-key-{:016x}", u64::from_be_bytes(random)))))
    }

    fn create(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        options.open(&self.0)
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
