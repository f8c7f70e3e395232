//! A key in a file: made once, by the first process that needs it, and the same from then on.
//!
//! What must never happen: a key that is there is overwritten, or two processes go on with different keys. Either
//! would make tokens unreadable.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

use super::key::{EncryptionKey, EncryptionKeyError};

/// Bytes; a key file is a line of 45. A file of another sort is not read to its end.
const MOST: usize = 1024;

const AS_IT_IS: &str = "it is left as it is: restore it from a backup, or remove it if nothing was ever encrypted \
                        with it, and a new key is made";
const OWN_KEY: &str = "`(umask 077 && openssl rand -base64 32 > FILE)`";

/// Why there is no key from a file. A file that is there is never changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// A folder, a symbolic link, a device.
    #[error("encryption key file {}: it is {kind}; a regular file is needed, named by its own path", path.display())]
    NotAFile {
        /// The file.
        path: PathBuf,
        /// The kind of file that it is.
        kind: &'static str,
    },
    /// Another user owns it, who could read or replace it.
    #[error(
        "encryption key file {}: it belongs to user {owner}; it must belong to the user of this process or to root",
        path.display()
    )]
    Owner {
        /// The file.
        path: PathBuf,
        /// The user's number.
        owner: u32,
    },
    /// Others may read or change it.
    #[error(
        "encryption key file {0}: others have access to it (mode {mode:04o}); run `chmod 600 {0}`, and rotate the key \
         if it may have been read",
        path.display()
    )]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// There is nothing in it.
    #[error(
        "encryption key file {}: it is empty, so its key was lost or never written; {AS_IT_IS}",
        path.display()
    )]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Its content is no key: half of one, or something else.
    #[error(
        "encryption key file {}: it is half-written or damaged, as what is in it {}; {AS_IT_IS}",
        path.display(), source.problem()
    )]
    Content {
        /// The file.
        path: PathBuf,
        /// The problem with it.
        source: EncryptionKeyError,
    },
    /// It is there, perhaps, but cannot be read.
    #[error(
        "encryption key file {}: cannot be read: {source}; the user of this process needs access to it",
        path.display()
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not there, and cannot be made.
    #[error(
        "encryption key file {}: cannot be created: {source}; its folder must exist, be readable and writable, and \
         know hard links; or bring a key of your own: {OWN_KEY}",
        path.display()
    )]
    Create {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No key can be made.
    #[error(transparent)]
    Key(#[from] EncryptionKeyError),
}

impl EncryptionKey {
    /// The key in this file; made where there is none, readable by its owner alone.
    ///
    /// Any number of processes may start at once: one of them makes the key, and all have the same. On Unix the file
    /// must be a regular one with no access for group and others, of this process's user or of root.
    ///
    /// # Errors
    /// [`KeyFileError`] where the file is not one that a key belongs in, or cannot be read or made.
    pub fn load_or_create(path: &Path) -> Result<Self, KeyFileError> {
        if let Some(key) = load(path)? {
            return Ok(key);
        }
        if let Some(key) = create(path)? {
            tracing::info!(key_id = %key.id(), file = %path.display(), "encryption key made");
            return Ok(key);
        }
        load_of_another(path)
    }
}

/// The key that is there; `None` where there is no file.
fn load(path: &Path) -> Result<Option<EncryptionKey>, KeyFileError> {
    // Looked at before it is opened: to open a link, a pipe or a device can block or do things.
    let seen = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(read_failed(path)(error)),
    };
    check_kind(path, &seen)?;
    check_access(path, &seen)?;
    let text = read(path, &seen).map_err(read_failed(path))?;
    if text.is_empty() {
        return Err(KeyFileError::Empty { path: path.to_owned() });
    }
    let key = match std::str::from_utf8(&text) {
        Ok(text) if text.len() <= MOST => EncryptionKey::parse(text),
        _ => Err(EncryptionKeyError::Encoding),
    };
    key.map(Some).map_err(|source| KeyFileError::Content { path: path.to_owned(), source })
}

/// The key of another process that was first: it is that one which counts, and no second one is made if it is gone.
fn load_of_another(path: &Path) -> Result<EncryptionKey, KeyFileError> {
    load(path)?.ok_or_else(|| read_failed(path)(ErrorKind::NotFound.into()))
}

fn read_failed(path: &Path) -> impl Fn(io::Error) -> KeyFileError {
    |source| KeyFileError::Read { path: path.to_owned(), source }
}

fn check_kind(path: &Path, metadata: &Metadata) -> Result<(), KeyFileError> {
    let kind = match metadata.file_type() {
        kind if kind.is_file() => return Ok(()),
        kind if kind.is_dir() => "a folder",
        kind if kind.is_symlink() => "a symbolic link",
        _ => "a device, pipe or socket",
    };
    Err(KeyFileError::NotAFile { path: path.to_owned(), kind })
}

#[cfg(unix)]
fn check_access(path: &Path, metadata: &Metadata) -> Result<(), KeyFileError> {
    use std::os::unix::fs::MetadataExt as _;
    let (owner, mode) = (metadata.uid(), metadata.mode() & 0o7777);
    if !may_own(owner, effective_user()) {
        return Err(KeyFileError::Owner { path: path.to_owned(), owner });
    }
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Mode { path: path.to_owned(), mode });
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_access(_: &Path, _: &Metadata) -> Result<(), KeyFileError> {
    Ok(())
}

/// Where the system does not tell who we are, it still does not let us read a file of mode 0600 that is not ours,
/// unless we are root.
#[cfg(unix)]
fn may_own(owner: u32, us: Option<u32>) -> bool {
    owner == 0 || us.is_none_or(|us| us == owner)
}

/// The user that this process acts as, where there is a /proc to tell it.
#[cfg(unix)]
fn effective_user() -> Option<u32> {
    fs::read_to_string("/proc/self/status").ok().as_deref().and_then(effective_user_in)
}

/// proc_pid_status(5): the real, the effective, the saved and the file system's user follow `Uid:`.
#[cfg(unix)]
fn effective_user_in(status: &str) -> Option<u32> {
    let users = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    users.split_whitespace().nth(1)?.parse().ok()
}

/// At most one byte more than a key file may have, of the very file that was looked at.
fn read(path: &Path, seen: &Metadata) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = File::open(path)?;
    if !is_same(seen, &file.metadata()?) {
        return Err(io::Error::other("it was replaced while it was read"));
    }
    // As large as it gets: growing would leave a copy of the key behind.
    let mut text = Zeroizing::new(Vec::with_capacity(MOST + 64));
    file.take(MOST as u64 + 1).read_to_end(&mut text)?;
    Ok(text)
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same(_: &Metadata, other: &Metadata) -> bool {
    other.is_file()
}

/// Puts a new key where there is none yet; `None` where another process was faster.
///
/// It is written whole beside its place, then linked there, which succeeds for one only. (A rename would replace what
/// another process has just put there, and a file that is made in its place can be read before it is written.)
fn create(path: &Path) -> Result<Option<EncryptionKey>, KeyFileError> {
    let failed = |source| KeyFileError::Create { path: path.to_owned(), source };
    let (key, text) = EncryptionKey::generate_with_text()?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // First of all, so that nothing is made where this fails. (Other systems than Unix have no such thing.)
    #[cfg(unix)]
    let names = File::open(folder).map_err(failed)?;
    let draft = Draft::write(folder, &text).map_err(failed)?;
    let first = match fs::hard_link(&draft.0, path) {
        Ok(()) => true,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => false,
        Err(error) => return Err(failed(error)),
    };
    drop(draft);
    // Also by those who were slower: what they encrypt must not outlive the key's name in a loss of power.
    #[cfg(unix)]
    names.sync_all().map_err(failed)?;
    Ok(first.then_some(key))
}

/// A file with a key and a line end, under a name of its own, for its owner alone; removed again whatever happens.
struct Draft(PathBuf);

impl Draft {
    fn write(folder: &Path, key: &str) -> io::Result<Self> {
        let mut random = [0; 8];
        SystemRandom::new().fill(&mut random).or(Err(ErrorKind::Other))?;
        let path = folder.join(format!(".mcp-auth-key-{:016x}", u64::from_be_bytes(random)));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path)?;
        // Only now is it ours to remove.
        let draft = Self(path);
        file.write_all(key.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        Ok(draft)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0) {
            tracing::warn!("a copy of the encryption key could not be removed: {}: {error}", self.0.display());
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_owner_is_us_or_root() {
        for (owner, us, expected) in [
            (0, Some(0), true),
            (0, Some(1000), true),
            (1000, Some(1000), true),
            (1000, Some(0), false),
            (1001, Some(1000), false),
            (1000, None, true),
        ] {
            assert_eq!(may_own(owner, us), expected, "{owner} {us:?}");
        }
    }

    #[test]
    fn the_effective_user_is_the_second_of_the_four() {
        assert_eq!(effective_user_in("Name:\tx\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\n"), Some(2));
        for other in ["", "Uid:", "Uid:\t1", "Uid:\t1\tx\t3\t4", "uid:\t1\t2\t3\t4"] {
            assert_eq!(effective_user_in(other), None, "{other:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_effective_user_owns_what_we_make() {
        use std::os::unix::fs::MetadataExt as _;
        let file = tempfile::tempfile().unwrap();
        assert_eq!(effective_user(), Some(file.metadata().unwrap().uid()));
    }

    #[test]
    fn another_file_than_the_one_that_was_checked_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        fs::write(&one, "1").unwrap();
        fs::write(&other, "2").unwrap();
        let seen = fs::symlink_metadata(&one).unwrap();
        assert_eq!(*read(&one, &seen).unwrap(), b"1");
        assert_eq!(read(&other, &seen).unwrap_err().to_string(), "it was replaced while it was read");
    }

    #[test]
    fn the_second_process_has_the_first_key_and_leaves_it_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let first = create(&path).unwrap().unwrap();
        let text = fs::read(&path).unwrap();
        assert!(create(&path).unwrap().is_none());
        assert_eq!(fs::read(&path).unwrap(), text);
        assert_eq!(load_of_another(&path).unwrap(), first);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        fs::remove_file(&path).unwrap();
        let error = load_of_another(&path).unwrap_err();
        assert!(matches!(&error, KeyFileError::Read { source, .. } if source.kind() == ErrorKind::NotFound), "{error}");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "nothing is made in the place of a key that was there");
    }

    #[test]
    fn a_draft_is_for_its_owner_alone_and_goes_when_it_is_dropped() {
        use std::os::unix::fs::MetadataExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (one, other) =
            (Draft::write(folder.path(), "key").unwrap(), Draft::write(folder.path(), "another").unwrap());
        assert_eq!(fs::read(&one.0).unwrap(), b"key\n");
        assert_eq!(fs::metadata(&one.0).unwrap().mode() & 0o7777, 0o600);
        fs::remove_file(&one.0).unwrap();
        drop((one, other));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }
}
