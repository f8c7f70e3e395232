//! A lock on a folder, so that two runs of mcp-kit do not write there at once.

use std::fs;
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// How long a lock is waited for. A run that was killed while it started another program leaves its lock to that one for a moment.
const PATIENCE: Duration = Duration::from_millis(300);

/// The lock on a folder. It ends when it is dropped or the process ends.
#[derive(Debug)]
pub struct FolderLock(Option<fs::File>);

impl FolderLock {
    /// Takes the lock of `folder`. Returns `None` when another process has it.
    ///
    /// # Errors
    /// When the folder cannot be opened.
    pub fn take(folder: &Path) -> io::Result<Option<Self>> {
        // Folders can be opened and locked on Unix only.
        if !cfg!(unix) {
            return Ok(Some(Self(None)));
        }
        let folder = fs::File::open(folder)?;
        let started = Instant::now();
        loop {
            match folder.try_lock() {
                Err(fs::TryLockError::WouldBlock) if started.elapsed() < PATIENCE => {
                    thread::sleep(Duration::from_millis(5));
                }
                Err(fs::TryLockError::WouldBlock) => return Ok(None),
                // A file system without locks keeps nobody from the work.
                Err(fs::TryLockError::Error(_)) => return Ok(Some(Self(None))),
                Ok(()) => return Ok(Some(Self(Some(folder)))),
            }
        }
    }

    /// Returns whether the file system has locks.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.0.is_some()
    }
}

impl Drop for FolderLock {
    /// Ends the lock at once. Closing the file would not: a process that is being started at this moment has it open, too.
    fn drop(&mut self) {
        if let Some(folder) = &self.0 {
            let _ = folder.unlock();
        }
    }
}
