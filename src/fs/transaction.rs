//! Applies all changes or none, even when the process is killed at any point.
//!
//! It first writes the new contents into a separate folder, with a journal that maps them to their documents. Moving
//! the journal into place is the commit. Before it, nothing has changed and the folder can be deleted. After it, the
//! next run finishes the work. Each document is replaced by a rename, so that it is complete at any time.

use std::borrow::Cow;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Explain, UNFINISHED};
use crate::fs::change::Change;
use crate::text::digest::sha256_hex;

/// The transaction's folder below the root. It is removed at the end.
pub const FOLDER: &str = ".mcp-kit-fix";
const JOURNAL: &str = "journal.json";
const SCHEMA: &str = "mcp-kit/fix/1";

/// The reason that a transaction did not apply all changes.
#[derive(Debug, thiserror::Error)]
pub enum TransactionError {
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
    /// A new document would replace an existing one.
    #[error("{0} is there already")]
    InTheWay(String),
    /// The document has changed since the plan.
    #[error("{0} has changed meanwhile")]
    Changed(String),
    /// The journal of an interrupted run has contents that this program never writes.
    #[error("{} is no journal of an interrupted `audit-docs --fix` or `docs build`: {reason}", path.display())]
    Journal {
        /// The path of the journal.
        path: PathBuf,
        /// The fault in it.
        reason: String,
    },
}

#[derive(Serialize, Deserialize)]
struct Journal {
    schema: String,
    changes: Vec<JournalEntry>,
}

/// One document. The file named after its number holds the new contents.
#[derive(Serialize, Deserialize)]
struct JournalEntry {
    path: String,
    /// `None` for a new document.
    before: Option<String>,
    after: String,
}

/// Applies all changes to documents below `root`.
///
/// # Errors
/// When a document has changed since the plan, or the system refuses. An error before the commit leaves every document
/// as it was. After the commit, [`finish`] can complete the work.
pub fn run(root: &Path, changes: &[Change]) -> Result<(), TransactionError> {
    let folder = root.join(FOLDER);
    fs::create_dir(&folder).map_err(io_error("create", &folder))?;
    let staged = stage(root, &folder, changes);
    if staged.is_err() {
        // Nothing is committed yet.
        let _ = fs::remove_dir_all(&folder);
    }
    staged?;
    finish(root).map(|_| ())
}

fn stage(root: &Path, folder: &Path, changes: &[Change]) -> Result<(), TransactionError> {
    let mut entries = Vec::with_capacity(changes.len());
    for (number, change) in changes.iter().enumerate() {
        let document = root.join(&change.path);
        let path = folder.join(number.to_string());
        write(&path, &change.after)?;
        match &change.before {
            Some(before) => keep_mode(&document, &path, before, &change.path)?,
            None if document.symlink_metadata().is_ok() => {
                return Err(TransactionError::InTheWay(change.path.clone()));
            }
            None => {}
        }
        let before = change.before.as_deref().map(digest);
        entries.push(JournalEntry { path: change.path.clone(), before, after: digest(&change.after) });
    }
    let journal = Journal { schema: SCHEMA.to_owned(), changes: entries };
    let path = folder.join(JOURNAL);
    let text = serde_json::to_vec(&journal).map_err(|error| io_error("write", &path)(error.into()))?;
    let new = folder.join("new");
    write(&new, &text)?;
    fs::rename(&new, &path).map_err(io_error("write", &path))?;
    sync(folder);
    Ok(())
}

/// Gives the new contents the mode of the document they replace. The document must still be unchanged.
fn keep_mode(document: &Path, new: &Path, before: &[u8], path: &str) -> Result<(), TransactionError> {
    if fs::read(document).map_err(io_error("read", document))? != before {
        return Err(TransactionError::Changed(path.to_owned()));
    }
    let mode = fs::metadata(document).map_err(io_error("read", document))?.permissions();
    // A rename needs write permission on the folder only, so a read-only document would lose its protection.
    if mode.readonly() {
        return Err(io_error("write", document)(io::Error::from(io::ErrorKind::PermissionDenied)));
    }
    fs::set_permissions(new, mode).map_err(io_error("write", new))
}

/// Returns whether an interrupted run has committed changes that are not all applied.
#[must_use]
pub fn is_interrupted(root: &Path) -> bool {
    root.join(FOLDER).join(JOURNAL).exists()
}

/// Finishes an interrupted run. Returns the number of documents that were left to change, or `None` without such a run.
///
/// # Errors
/// When a document has neither its old nor its new contents, or the system refuses.
pub fn finish(root: &Path) -> Result<Option<usize>, TransactionError> {
    let folder = root.join(FOLDER);
    let path = folder.join(JOURNAL);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // The run was interrupted before its commit, or there was no run.
            return match fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error("remove", &folder)(error)),
                _ => Ok(None),
            };
        }
        Err(error) => return Err(io_error("read", &path)(error)),
    };
    let wrong = |reason: String| TransactionError::Journal { path: path.clone(), reason };
    let journal: Journal = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
    if journal.schema != SCHEMA {
        return Err(wrong(format!("its schema is {:?}", journal.schema)));
    }
    // Check every document before changing the first.
    let mut waiting = Vec::new();
    for (number, entry) in journal.changes.iter().enumerate() {
        let document = below(root, &entry.path).ok_or_else(|| wrong(format!("{:?} lies outside", entry.path)))?;
        let staged = folder.join(number.to_string());
        let now = match fs::read(&document) {
            Ok(now) => Some(digest(&now)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(io_error("read", &document)(error)),
        };
        if now.as_ref() == Some(&entry.after) {
            continue;
        }
        let new = fs::read(&staged).map_err(io_error("read", &staged))?;
        if now != entry.before || digest(&new) != entry.after {
            return Err(TransactionError::Changed(entry.path.clone()));
        }
        waiting.push((staged, document, entry.before.is_none()));
    }
    // Put new documents first and their sources last, so that no text is ever missing.
    waiting.sort_by_key(|(.., is_new)| !is_new);
    for (staged, document, is_new) in waiting {
        put(&staged, &document, is_new)?;
    }
    // Without the journal the rest of the folder is safe to delete.
    fs::remove_file(&path).map_err(io_error("remove", &path))?;
    fs::remove_dir_all(&folder).map_err(io_error("remove", &folder))?;
    Ok(Some(journal.changes.len()))
}

/// Puts new contents in place at once. A new document never replaces an existing file: `link` fails when the name is
/// taken, `rename` does not.
fn put(staged: &Path, document: &Path, is_new: bool) -> Result<(), TransactionError> {
    let folder = document.parent().unwrap_or(document);
    if is_new {
        fs::create_dir_all(folder).map_err(io_error("create", folder))?;
        fs::hard_link(staged, document).map_err(io_error("create", document))?;
    } else {
        fs::rename(staged, document).map_err(io_error("write", document))?;
    }
    sync(folder);
    Ok(())
}

/// Returns the path of the document if it lies below the root. A journal can come with a cloned repository, so it is
/// not trusted.
fn below(root: &Path, path: &str) -> Option<PathBuf> {
    let plain = !path.is_empty() && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    let document = root.join(path);
    if document.symlink_metadata().is_ok() {
        return (plain && document.is_file() && document.canonicalize().ok()? == document).then_some(document);
    }
    // For a new document in a new folder: the existing part of its path must not lead through a symbolic link.
    let there = document.ancestors().skip(1).find(|folder| folder.symlink_metadata().is_ok())?;
    (plain && there.canonicalize().ok()? == there).then_some(document)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), TransactionError> {
    let mut file: File =
        OpenOptions::new().write(true).create_new(true).open(path).map_err(io_error("create", path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(io_error("write", path))
}

/// Makes a new name survive a power loss, on systems that support it.
fn sync(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

fn digest(bytes: &[u8]) -> String {
    sha256_hex(bytes, 32)
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> TransactionError {
    let path = path.to_owned();
    move |source| TransactionError::Io { action, path, source }
}

impl Explain for TransactionError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        let hint = match self {
            Self::InTheWay(_) => "move it away and run it again; nothing has changed",
            Self::Changed(_) => {
                "run it again; if an earlier `audit-docs --fix` or `docs build` was interrupted, remove .mcp-kit-fix when you have looked at the document"
            }
            Self::Journal { .. } => "remove .mcp-kit-fix, if it is not yours",
            Self::Io { .. } => "no document is half written; run it again once the disk allows it",
        };
        Some(hint.into())
    }

    fn status(&self) -> u8 {
        UNFINISHED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct TestFolder(tempfile::TempDir);

    impl TestFolder {
        fn new(files: &[(&str, &str)]) -> Self {
            let place = Self(tempfile::tempdir().unwrap());
            for (path, text) in files {
                fs::write(place.root().join(path), text).unwrap();
            }
            place
        }

        fn root(&self) -> PathBuf {
            self.0.path().canonicalize().unwrap()
        }

        fn read(&self, path: &str) -> String {
            fs::read_to_string(self.root().join(path)).unwrap()
        }

        fn is_clean(&self) -> bool {
            !self.root().join(FOLDER).exists()
        }
    }

    fn change(path: &str, before: &str, after: &str) -> Change {
        Change { path: path.to_owned(), before: Some(before.into()), after: after.into() }
    }

    #[test]
    fn everything_changes_and_nothing_is_left_behind() {
        let place = TestFolder::new(&[("a.md", "1"), ("b.md", "2")]);
        run(&place.root(), &[change("a.md", "1", "one"), change("b.md", "2", "two")]).unwrap();
        assert_eq!((place.read("a.md"), place.read("b.md"), place.is_clean()), ("one".into(), "two".into(), true));
        assert_eq!(finish(&place.root()).unwrap(), None);
    }

    #[test]
    fn nothing_changes_where_something_is_in_the_way() {
        let place = TestFolder::new(&[("a.md", "1"), ("b.md", "of somebody else")]);
        let changes = [change("a.md", "1", "one"), change("b.md", "2", "two")];
        assert!(matches!(run(&place.root(), &changes), Err(TransactionError::Changed(path)) if path == "b.md"));
        assert_eq!((place.read("a.md"), place.is_clean()), ("1".into(), true));
    }

    #[test]
    fn what_was_decided_is_finished_and_what_was_not_is_forgotten() {
        let place = TestFolder::new(&[("a.md", "1"), ("b.md", "2")]);
        let changes = [change("a.md", "1", "one"), change("b.md", "2", "two")];
        let folder = place.root().join(FOLDER);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("0"), "half").unwrap();
        assert_eq!(finish(&place.root()).unwrap(), None);
        assert_eq!((place.read("a.md"), place.is_clean()), ("1".into(), true));

        fs::create_dir(&folder).unwrap();
        stage(&place.root(), &folder, &changes).unwrap();
        assert!(is_interrupted(&place.root()));
        fs::rename(folder.join("0"), place.root().join("a.md")).unwrap();
        assert_eq!(finish(&place.root()).unwrap(), Some(2));
        assert_eq!((place.read("a.md"), place.read("b.md"), place.is_clean()), ("one".into(), "two".into(), true));
    }

    #[test]
    fn a_new_document_never_takes_the_place_of_another() {
        let place = TestFolder::new(&[("a.md", "1"), ("b.md", "mine")]);
        let new = |path: &str| Change { path: path.to_owned(), before: None, after: "new".into() };
        let changes = [change("a.md", "1", "one"), new("b.md")];
        assert!(matches!(run(&place.root(), &changes), Err(TransactionError::InTheWay(path)) if path == "b.md"));
        assert_eq!((place.read("a.md"), place.read("b.md"), place.is_clean()), ("1".into(), "mine".into(), true));
        run(&place.root(), &[change("a.md", "1", "one"), new("deep/er/c.md")]).unwrap();
        assert_eq!((place.read("a.md"), place.read("deep/er/c.md")), ("one".into(), "new".into()));
    }

    #[test]
    fn another_users_work_after_an_interruption_is_not_overwritten() {
        let place = TestFolder::new(&[("a.md", "1")]);
        let folder = place.root().join(FOLDER);
        fs::create_dir(&folder).unwrap();
        stage(&place.root(), &folder, &[change("a.md", "1", "one")]).unwrap();
        fs::write(place.root().join("a.md"), "mine").unwrap();
        assert!(matches!(finish(&place.root()), Err(TransactionError::Changed(path)) if path == "a.md"));
        assert_eq!(place.read("a.md"), "mine");
    }

    #[test]
    fn a_strangers_journal_leads_nowhere_else() {
        let place = TestFolder::new(&[]);
        let folder = place.root().join(FOLDER);
        for path in ["../a", "/etc/hostname", "a/../../b", ".", ""] {
            fs::create_dir(&folder).unwrap();
            let journal =
                format!(r#"{{"schema":"{SCHEMA}","changes":[{{"path":{path:?},"before":null,"after":""}}]}}"#);
            fs::write(folder.join(JOURNAL), journal).unwrap();
            assert!(matches!(finish(&place.root()), Err(TransactionError::Journal { .. })), "{path}");
            fs::remove_dir_all(&folder).unwrap();
        }
    }
}
