//! Writes and removes files below a folder, all or none, even when the process is killed at any point.
//!
//! One file, the journal, holds every new content. Moving it into place is the commit: before it, nothing has changed;
//! after it, the next run finishes the work. Each file is replaced by a rename, so that it is complete at any time, and only
//! once its contents are on the disk, so that it is complete after a power loss, too. A lock on the folder keeps two runs
//! apart. Updates, fixes and pages are all written so.

mod disk;
mod error;
mod format;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::change::Change;
use super::files::{File, is_executable, of_the_system};
use super::git::stages::{self, Conflict};
use super::lock::FolderLock;
use super::paths;
use disk::{FileWrite, below, create, device, has_mode, is_read_only, keep_mode, read, sync, sync_files};
pub use error::JournalError;
use format::digest;

/// The folder of the journal below the root. It goes when nothing else is in it.
const FOLDER: &str = ".mcp-kit";
const JOURNAL: &str = ".mcp-kit/journal";
/// The file that is written first and then moved into place.
const NEW: &str = ".mcp-kit/journal.new";
/// The folder of the new files, which are moved from here.
const STAGED: &str = ".mcp-kit/journal.files";

/// One step: a file before and after. `None` stands for no file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStep {
    /// The path below the root.
    pub path: String,
    /// The file that the plan has seen.
    pub before: Option<File>,
    /// The file to write. One that it replaces keeps its other permissions.
    pub after: Option<File>,
}

impl FileStep {
    /// Returns the step of a change below `root`. The file stays executable if it is.
    #[must_use]
    pub fn from_change(root: &Path, change: &Change) -> Self {
        let executable = fs::metadata(root.join(&change.path)).is_ok_and(|metadata| is_executable(&metadata));
        let file = |bytes: &Vec<u8>| File { bytes: bytes.clone().into(), executable };
        Self { path: change.path.clone(), before: change.before.as_ref().map(file), after: Some(file(&change.after)) }
    }
}

/// A run whose steps are all made.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Finished {
    /// The number of its steps.
    pub steps: usize,
    /// Why the conflicts are not in git's index, when they could not be recorded there.
    pub index: Option<String>,
}

/// The journal of a folder, which nobody else writes to meanwhile.
#[derive(Debug)]
pub struct Journal<'a> {
    root: &'a Path,
    lock: FolderLock,
}

/// Returns whether an interrupted run has work left.
#[must_use]
pub fn is_interrupted(root: &Path) -> bool {
    root.join(JOURNAL).exists()
}

/// Makes all changes below `root`.
///
/// # Errors
/// As [`Journal::write`].
pub fn write_changes(root: &Path, changes: &[Change]) -> Result<(), JournalError> {
    let steps: Vec<FileStep> = changes.iter().map(|change| FileStep::from_change(root, change)).collect();
    Journal::open(root)?.write(&steps, &[]).map(|_| ())
}

impl<'a> Journal<'a> {
    /// Takes the lock of `root`.
    ///
    /// # Errors
    /// When another run has it.
    pub fn open(root: &'a Path) -> Result<Self, JournalError> {
        let lock = FolderLock::take(root).map_err(JournalError::io("read", root))?;
        lock.map(|lock| Self { root, lock }).ok_or_else(|| JournalError::Busy(root.to_owned()))
    }

    /// Returns whether the file system has locks.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.lock.is_held()
    }

    /// Makes all steps, and records the conflicts in git's index. What an interrupted run left is finished first.
    ///
    /// # Errors
    /// When a file has changed since the plan, or the system refuses. Before the commit, nothing has changed; after it,
    /// [`Journal::finish`] completes the work.
    pub fn write(&self, steps: &[FileStep], conflicts: &[Conflict]) -> Result<Finished, JournalError> {
        self.finish()?;
        if steps.is_empty() {
            return Ok(Finished::default());
        }
        let mut writes = Vec::with_capacity(steps.len());
        let removed: BTreeSet<&str> =
            steps.iter().filter(|step| step.after.is_none()).map(|step| step.path.as_str()).collect();
        for step in steps {
            let file = self.root.join(&step.path);
            if step.before.is_none() && file.symlink_metadata().is_ok() && !self.goes(&step.path, &removed) {
                return Err(JournalError::InTheWay(step.path.clone()));
            }
            let file = below(self.root, &step.path).ok_or_else(|| JournalError::Changed(step.path.clone()))?;
            if read(&file)?.as_deref() != step.before.as_ref().map(|file| &file.bytes[..]) {
                return Err(JournalError::Changed(step.path.clone()));
            }
            // A rename needs write permission on the folder only, so a read-only file would lose its protection.
            if step.before.is_some() && step.after.is_some() && is_read_only(&file) {
                return Err(JournalError::io("write", &file)(io::ErrorKind::PermissionDenied.into()));
            }
            let after = step.after.as_ref().map(|file| (&file.bytes[..], file.executable));
            writes.push(FileWrite { path: step.path.clone(), file, after, is_new: step.before.is_none() });
        }
        self.check_folders(&writes)?;
        self.commit(steps, conflicts)?;
        Ok(Finished { steps: steps.len(), index: self.make(writes, conflicts)? })
    }

    /// Finishes an interrupted run. Returns `None` without one.
    ///
    /// # Errors
    /// When a file has neither its old nor its new contents, or the system refuses.
    pub fn finish(&self) -> Result<Option<Finished>, JournalError> {
        let path = self.root.join(JOURNAL);
        let foreign = |reason: String| JournalError::Damaged { path: path.clone(), reason };
        if below(self.root, JOURNAL).is_none() {
            return Err(foreign("it lies elsewhere".to_owned()));
        }
        let Some(bytes) = read(&path)? else {
            // What a run left that ended before its commit.
            let _ = fs::remove_file(self.root.join(NEW));
            let _ = fs::remove_dir_all(self.root.join(STAGED));
            let _ = fs::remove_dir(self.root.join(FOLDER));
            return Ok(None);
        };
        let (steps, conflicts) = format::parse(&bytes).map_err(&foreign)?;
        let count = steps.len();
        // Check every path and file before changing the first. A journal can come with a cloned repository, so it is not trusted.
        if steps.is_empty() {
            return Err(foreign("it has no steps".to_owned()));
        }
        // The index takes any path, and `git checkout` then writes there.
        for conflict in &conflicts {
            below(self.root, &conflict.path).ok_or_else(|| foreign(format!("{:?} lies outside", conflict.path)))?;
        }
        let mut writes = Vec::new();
        for step in steps {
            let file = below(self.root, &step.path).ok_or_else(|| foreign(format!("{:?} lies outside", step.path)))?;
            let (now, after) = (read(&file)?.map(|bytes| digest(&bytes)), step.after.map(|(bytes, _)| digest(bytes)));
            if now == after && step.after.is_none_or(|(_, executable)| has_mode(&file, executable)) {
                continue;
            }
            if now != step.before && now != after {
                return Err(JournalError::Changed(step.path));
            }
            writes.push(FileWrite { path: step.path, file, after: step.after, is_new: now.is_none() });
        }
        self.check_folders(&writes)?;
        Ok(Some(Finished { steps: count, index: self.make(writes, &conflicts)? }))
    }

    /// Returns whether a folder goes because all that is in it does.
    fn goes(&self, path: &str, removed: &BTreeSet<&str>) -> bool {
        let is_folder = self.root.join(path).symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
        let inside = || paths::below(self.root, path);
        is_folder && inside().is_some_and(|files| files.iter().all(|file| removed.contains(file.as_str())))
    }

    /// Checks that each folder can be written to and takes files from the journal's. After the commit it would be too late: each run
    /// would end half-way.
    fn check_folders(&self, writes: &[FileWrite<'_>]) -> Result<(), JournalError> {
        // A folder that is not there yet is made in one that is; where a file goes first, that is the folder around it.
        let existing = |file: &Path| file.ancestors().skip(1).find(|folder| folder.is_dir()).map(Path::to_owned);
        let own = existing(&self.root.join(JOURNAL)).unwrap_or_else(|| self.root.to_owned());
        let device = device(&own).map_err(JournalError::io("read", &own))?;
        let folders: BTreeSet<PathBuf> = writes.iter().filter_map(|write| existing(&write.file)).chain([own]).collect();
        for folder in folders {
            let check = || {
                if self::device(&folder)? != device {
                    return Err(io::Error::new(
                        io::ErrorKind::CrossesDevices,
                        "it is on another file system than .mcp-kit",
                    ));
                }
                // Where the system can, a file without a name; permissions alone do not tell.
                tempfile::tempfile_in(&folder).map(drop).map_err(of_the_system)
            };
            check().map_err(JournalError::io("move files into", &folder))?;
        }
        Ok(())
    }

    /// Writes the journal, completely or not at all.
    fn commit(&self, steps: &[FileStep], conflicts: &[Conflict]) -> Result<(), JournalError> {
        let [folder, new, path] = [FOLDER, NEW, JOURNAL].map(|name| self.root.join(name));
        let bytes = format::encode(steps, conflicts).map_err(|error| JournalError::io("write", &path)(error.into()))?;
        fs::create_dir_all(&folder).map_err(JournalError::io("create", &folder))?;
        let committed = create(&new, &bytes, false)
            .and_then(|file| file.sync_all().map_err(JournalError::io("write", &new)))
            .and_then(|()| fs::rename(&new, &path).map_err(JournalError::io("write", &path)));
        if committed.is_err() {
            // Nothing has changed yet.
            let _ = fs::remove_file(&new);
            let _ = fs::remove_dir(&folder);
        }
        committed?;
        sync(&folder);
        sync(self.root);
        Ok(())
    }

    /// Makes what is committed, and removes the journal. Returns why git's index could not be written.
    fn make(&self, mut writes: Vec<FileWrite<'_>>, conflicts: &[Conflict]) -> Result<Option<String>, JournalError> {
        // First what goes, because a new folder can stand where an old file was. Then what is new, and then what replaces a
        // file, so that a text that moves is never missing.
        writes.sort_by_key(|write| (write.after.is_some(), !write.is_new));
        let staged = self.stage(&writes)?;
        let mut folders = BTreeSet::new();
        for (write, new) in writes.iter().zip(&staged) {
            match write.after {
                None => self.remove(&write.file)?,
                Some(_) => write.put(new)?,
            }
            folders.extend(write.file.ancestors().skip(1).take_while(|folder| folder.starts_with(self.root)));
        }
        let index = stages::record(self.root, conflicts).err();
        // Only now can the journal go: all names are on the disk, also after a power loss.
        folders.into_iter().for_each(sync);
        let path = self.root.join(JOURNAL);
        fs::remove_file(&path).map_err(JournalError::io("remove", &path))?;
        let _ = fs::remove_dir(self.root.join(STAGED));
        // A folder with records of a project stays.
        let _ = fs::remove_dir(self.root.join(FOLDER));
        Ok(index)
    }

    /// Writes the new contents beside the journal and onto the disk, and returns where each is. A name that stood before its contents would
    /// have neither the old nor the new ones after a power loss, and look as if its owner had changed the file.
    fn stage(&self, writes: &[FileWrite<'_>]) -> Result<Vec<PathBuf>, JournalError> {
        let folder = self.root.join(STAGED);
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(JournalError::io("remove", &folder)(error));
            }
            _ => {}
        }
        fs::create_dir(&folder).map_err(JournalError::io("create", &folder))?;
        let staged: Vec<PathBuf> = (0..writes.len()).map(|number| folder.join(number.to_string())).collect();
        let new = || writes.iter().zip(&staged).filter_map(|(write, new)| Some((write, new, write.after?)));
        for (write, new, (bytes, executable)) in new() {
            let file = create(new, bytes, executable)?;
            if !write.is_new {
                keep_mode(&write.file, new, executable).map_err(JournalError::io("write", new))?;
            }
            // A file that is opened to be read cannot be synced there.
            if !cfg!(unix) {
                file.sync_all().map_err(JournalError::io("write", new))?;
            }
        }
        let paths: Vec<&PathBuf> = new().filter(|_| cfg!(unix)).map(|(_, new, _)| new).collect();
        sync_files(&paths)?;
        Ok(staged)
    }

    /// Removes a file, and the folders that are empty without it.
    fn remove(&self, file: &Path) -> Result<(), JournalError> {
        fs::remove_file(file).map_err(JournalError::io("remove", file))?;
        for folder in file.ancestors().skip(1).take_while(|folder| *folder != self.root) {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
