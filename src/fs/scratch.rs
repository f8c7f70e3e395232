//! A temporary folder for programs that read and write files themselves. Dropping it removes the folder.

use std::env;
use std::fs;
use std::io;
use std::path::Path;

use tempfile::TempDir;

/// A file system in memory, on Linux.
const MEMORY: &str = "/dev/shm";

/// The most bytes for that. In a container it has 64 MB by default, and a renderer keeps three copies.
const SMALL: usize = 8 << 20;

/// A temporary folder, private to the user.
#[derive(Debug)]
pub struct Scratch(TempDir);

impl Scratch {
    /// Creates one below the system's folder for temporary files.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn new() -> io::Result<Self> {
        tempfile::Builder::new().prefix("mcp-kit-").tempdir().map(Self)
    }

    /// Creates one for files of `bytes` bytes: in memory if they are few, unless `TMPDIR` names another place. Hundreds of small files
    /// cost more on a disk than what is done with them, most of all on ext4 without a journal.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn for_bytes(bytes: usize) -> io::Result<Self> {
        let in_memory = fits_in_memory(bytes, env::var_os("TMPDIR").is_some());
        let folder = in_memory.then(|| tempfile::Builder::new().prefix("mcp-kit-").tempdir_in(MEMORY));
        folder.and_then(Result::ok).map_or_else(Self::new, |folder| Ok(Self(folder)))
    }

    /// Returns the path of the folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Creates a folder in it, and every missing folder above.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn folder(&self, path: &str) -> io::Result<()> {
        fs::create_dir_all(self.path().join(path))
    }

    /// Writes a file in it, and creates every missing folder above.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn write(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.path().join(path);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, bytes)
    }
}

/// Returns whether files of `bytes` bytes are for the memory. `is_set`: the user has named a folder for temporary files.
fn fits_in_memory(bytes: usize, is_set: bool) -> bool {
    cfg!(target_os = "linux") && bytes <= SMALL && !is_set
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_large_or_has_a_place_is_not_kept_in_memory() {
        assert_eq!(fits_in_memory(SMALL, false), cfg!(target_os = "linux"));
        assert!(!fits_in_memory(SMALL + 1, false));
        assert!(!fits_in_memory(0, true));
        let folder = Scratch::for_bytes(SMALL + 1).unwrap();
        assert!(folder.path().starts_with(env::temp_dir()));
    }
}
