//! A temporary folder for programs that read and write files themselves. Dropping it removes the folder.

use std::fs;
use std::io;
use std::path::Path;

use tempfile::TempDir;

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
