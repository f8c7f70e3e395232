//! Writes and removes files of a project, all or none, even when the process is killed at any point.
//!
//! One file, the journal, holds every new content. Moving it into place is the commit: before it, nothing has changed;
//! after it, the next run finishes the work. A lock on the project's folder keeps two runs apart.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::files::File;
use super::git::stages::{self, Conflict};
use crate::error::{Explain, UNFINISHED, USAGE};
use crate::text::digest::sha256_hex;

/// The folder of the journal below the project.
const FOLDER: &str = ".mcp-kit";
const JOURNAL: &str = ".mcp-kit/update.journal";
/// The file that is written first and then moved into place.
const NEW: &str = ".mcp-kit/update.new";
const SCHEMA: &str = "mcp-kit/update-journal/1";

/// One step: a file before and after. `None` stands for no file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStep {
    /// The path below the project.
    pub path: String,
    /// The file that the plan has seen.
    pub before: Option<File>,
    /// The file to write.
    pub after: Option<File>,
}

/// The reason that the steps were not made.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The system refused an operation.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The verb: read, write, …
        action: &'static str,
        /// The path of the file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Another run works on the project.
    #[error("another `mcp-kit update` is at work in {}", .0.display())]
    Busy(PathBuf),
    /// A file has changed since the plan.
    #[error("{0} has changed meanwhile")]
    Changed(String),
    /// The journal has contents that this program never writes.
    #[error("{} is no journal of an interrupted `mcp-kit update`: {reason}", path.display())]
    Journal {
        /// The path of the journal.
        path: PathBuf,
        /// The fault in it.
        reason: String,
    },
}

#[derive(Serialize, Deserialize)]
struct JournalHead {
    schema: String,
    steps: Vec<HeadStep>,
    conflicts: Vec<HeadConflict>,
    /// The lengths of the contents after the head, in order.
    contents: Vec<usize>,
}

#[derive(Serialize, Deserialize)]
struct HeadStep {
    path: String,
    /// The digest, or `None` for no file.
    before: Option<String>,
    /// The number of the content, and the executable bit.
    after: Option<(usize, bool)>,
}

#[derive(Serialize, Deserialize)]
struct HeadConflict {
    path: String,
    stages: [Option<(usize, bool)>; 3],
}

/// The lock on a project. It ends when it is dropped or the process ends.
#[derive(Debug)]
pub struct Lock(Option<fs::File>);

impl Lock {
    /// Takes the lock of the project at `root`.
    ///
    /// # Errors
    /// When another run has it.
    pub fn take(root: &Path) -> Result<Self, JournalError> {
        // Folders can be opened and locked on Unix only.
        if !cfg!(unix) {
            return Ok(Self(None));
        }
        let folder = fs::File::open(root).map_err(io_error("read", root))?;
        match folder.try_lock() {
            Err(fs::TryLockError::WouldBlock) => Err(JournalError::Busy(root.to_owned())),
            // A file system without locks keeps nobody from the work.
            Err(fs::TryLockError::Error(_)) => Ok(Self(None)),
            Ok(()) => Ok(Self(Some(folder))),
        }
    }

    /// Returns whether the file system has locks.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.0.is_some()
    }
}

impl Drop for Lock {
    /// Ends the lock at once. Closing the file would not: a process that is being started at this moment has it open, too.
    fn drop(&mut self) {
        if let Some(folder) = &self.0 {
            let _ = folder.unlock();
        }
    }
}

/// Returns whether an interrupted run has work left.
#[must_use]
pub fn is_interrupted(root: &Path) -> bool {
    root.join(JOURNAL).exists()
}

/// Makes all steps, and records the conflicts in git's index. Returns why the index could not be written, when it could
/// not; the files are complete then.
///
/// # Errors
/// When a file has changed since the plan, or the system refuses. Before the commit, nothing has changed; after it,
/// [`finish`] completes the work.
pub fn run(root: &Path, steps: &[FileStep], conflicts: &[Conflict]) -> Result<Option<String>, JournalError> {
    let mut contents: Vec<&[u8]> = Vec::new();
    let add = |file: &'_ File, lengths: &mut Vec<usize>| {
        lengths.push(file.bytes.len());
        (lengths.len() - 1, file.executable)
    };
    let mut lengths = Vec::new();
    let mut head_steps = Vec::with_capacity(steps.len());
    for step in steps {
        let path = below(root, &step.path).ok_or_else(|| JournalError::Changed(step.path.clone()))?;
        if digest_of(&path)? != step.before.as_ref().map(|file| digest(&file.bytes)) {
            return Err(JournalError::Changed(step.path.clone()));
        }
        let after = step.after.as_ref().map(|file| {
            contents.push(&file.bytes);
            add(file, &mut lengths)
        });
        let before = step.before.as_ref().map(|file| digest(&file.bytes));
        head_steps.push(HeadStep { path: step.path.clone(), before, after });
    }
    let mut head_conflicts = Vec::with_capacity(conflicts.len());
    for conflict in conflicts {
        let stages = conflict.stages.each_ref().map(|file| {
            file.as_ref().map(|file| {
                contents.push(&file.bytes);
                add(file, &mut lengths)
            })
        });
        head_conflicts.push(HeadConflict { path: conflict.path.clone(), stages });
    }
    let head =
        JournalHead { schema: SCHEMA.to_owned(), steps: head_steps, conflicts: head_conflicts, contents: lengths };
    let folder = root.join(FOLDER);
    fs::create_dir_all(&folder).map_err(io_error("create", &folder))?;
    let (new, path) = (root.join(NEW), root.join(JOURNAL));
    let mut bytes = serde_json::to_vec(&head).map_err(|error| io_error("write", &path)(error.into()))?;
    bytes.push(b'\n');
    contents.iter().for_each(|content| bytes.extend(*content));
    let committed = write(&new, &bytes, false)
        .and_then(|file| file.sync_all().map_err(io_error("write", &new)))
        .and_then(|()| fs::rename(&new, &path).map_err(io_error("write", &path)));
    if committed.is_err() {
        // Nothing has changed yet.
        let _ = fs::remove_file(&new);
        let _ = fs::remove_dir(&folder);
    }
    committed?;
    finish(root).map(|finished| finished.and_then(|(_, index)| index))
}

/// Finishes an interrupted run. Returns the number of its steps and why the index could not be written, or `None` without
/// such a run.
///
/// # Errors
/// When a file has neither its old nor its new contents, or the system refuses.
pub fn finish(root: &Path) -> Result<Option<(usize, Option<String>)>, JournalError> {
    let path = root.join(JOURNAL);
    let wrong = |reason: String| JournalError::Journal { path: path.clone(), reason };
    if below(root, JOURNAL).is_none() {
        return Err(wrong("it lies elsewhere".to_owned()));
    }
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // What a run left that ended before its commit.
            let _ = fs::remove_file(root.join(NEW));
            return Ok(None);
        }
        Err(error) => return Err(io_error("read", &path)(error)),
    };
    let (head, contents) = parse(&bytes).map_err(&wrong)?;
    // Check every file before changing the first.
    let mut waiting = Vec::new();
    for step in &head.steps {
        let file = below(root, &step.path).ok_or_else(|| wrong(format!("{:?} lies outside", step.path)))?;
        let after = step.after.and_then(|(number, executable)| Some((*contents.get(number)?, executable)));
        if after.is_none() != step.after.is_none() {
            return Err(wrong("it lacks a content".to_owned()));
        }
        let now = digest_of(&file)?;
        if now == after.map(|(bytes, _)| digest(bytes)) && after.is_none_or(|(_, bit)| has_mode(&file, bit)) {
            continue;
        }
        if now != step.before && now != after.map(|(bytes, _)| digest(bytes)) {
            return Err(JournalError::Changed(step.path.clone()));
        }
        waiting.push((file, after));
    }
    let conflicts = head.conflicts.iter().map(|conflict| {
        let file = |stage: Option<(usize, bool)>| {
            let (number, executable) = stage?;
            Some(File { bytes: Cow::Owned(contents.get(number)?.to_vec()), executable })
        };
        Conflict { path: conflict.path.clone(), stages: conflict.stages.map(file) }
    });
    let conflicts: Vec<Conflict> = conflicts.collect();
    // First what goes, because a new folder can stand where an old file was.
    for (file, _) in waiting.iter().filter(|(_, after)| after.is_none()) {
        fs::remove_file(file).map_err(io_error("remove", file))?;
        let inside = file.ancestors().skip(1).take_while(|folder| *folder != root);
        for folder in inside {
            // A folder with other files stays.
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
    }
    let new = root.join(NEW);
    for (file, after) in &waiting {
        let Some((bytes, executable)) = after else { continue };
        let folder = file.parent().unwrap_or(file);
        fs::create_dir_all(folder).map_err(io_error("create", folder))?;
        write(&new, bytes, *executable)?;
        fs::rename(&new, file).map_err(io_error("write", file))?;
    }
    let index = stages::record(root, &conflicts).err();
    fs::remove_file(&path).map_err(io_error("remove", &path))?;
    Ok(Some((head.steps.len(), index)))
}

/// Removes the folder of mcp-kit from a project, when nothing else is in it.
pub fn remove_folder(root: &Path) {
    let _ = fs::remove_dir(root.join(FOLDER));
}

/// Splits a journal into its head and its contents.
fn parse(bytes: &[u8]) -> Result<(JournalHead, Vec<&[u8]>), String> {
    let end = memchr::memchr(b'\n', bytes).ok_or("it has no head")?;
    let head: JournalHead = serde_json::from_slice(&bytes[..end]).map_err(|error| error.to_string())?;
    if head.schema != SCHEMA {
        return Err(format!("its schema is {:?}", head.schema));
    }
    let (mut rest, mut contents) = (&bytes[end + 1..], Vec::with_capacity(head.contents.len()));
    for length in &head.contents {
        let (content, after) = rest.split_at_checked(*length).ok_or("it is too short")?;
        contents.push(content);
        rest = after;
    }
    Ok((head, contents))
}

/// Returns the path below the root, also of a file in a folder that is a file now and goes away first.
fn below(root: &Path, path: &str) -> Option<PathBuf> {
    let plain = !path.is_empty()
        && Path::new(path).components().all(|part| matches!(part, std::path::Component::Normal(_)))
        && !path.split('/').any(|part| part.eq_ignore_ascii_case(".git"));
    let file = root.join(path);
    let is_link = |path: &Path| fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
    let through_link = file.ancestors().take_while(|above| *above != root).any(is_link);
    (plain && !through_link).then_some(file)
}

fn digest_of(path: &Path) -> Result<Option<String>, JournalError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(digest(&bytes))),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(io_error("read", path)(error)),
    }
}

fn digest(bytes: &[u8]) -> String {
    sha256_hex(bytes, 32)
}

#[cfg(unix)]
fn has_mode(path: &Path, executable: bool) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|metadata| (metadata.permissions().mode() & 0o111 != 0) == executable)
}

#[cfg(not(unix))]
fn has_mode(_: &Path, _: bool) -> bool {
    true
}

/// Writes a file beside the journal, with the mode that the user's umask gives.
fn write(path: &Path, bytes: &[u8], executable: bool) -> Result<fs::File, JournalError> {
    use std::io::Write as _;
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io_error("write", path)(error)),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    super::files::set_mode(&mut options, executable);
    let mut file = options.open(path).map_err(io_error("create", path))?;
    file.write_all(bytes).map_err(io_error("write", path))?;
    Ok(file)
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> JournalError {
    let path = path.to_owned();
    move |source| JournalError::Io { action, path, source }
}

impl Explain for JournalError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        let hint = match self {
            Self::Busy(_) => "wait for it",
            Self::Changed(_) => {
                "run it again; if an earlier run was interrupted, bring the file back (git restore), or remove .mcp-kit/update.journal to give that run up"
            }
            Self::Journal { .. } => "remove it, if it is not yours",
            Self::Io { .. } => "no file is half written; run it again once the disk allows it",
        };
        Some(hint.into())
    }

    fn status(&self) -> u8 {
        if matches!(self, Self::Journal { .. }) { USAGE } else { UNFINISHED }
    }
}
