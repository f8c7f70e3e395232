//! The files of a project while they are edited: what they were, and what they become. Reads, and never writes.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::ExtendError;
use crate::fs::change::Change;
use crate::scaffold::template::Template;

/// The project's own record of what it was made from.
const RECORD: &str = ".mcp-kit/answers.toml";
/// The sources of the library in the project that call upstream APIs.
const RUNTIME: &str = "vendor/mcp-server-runtime/src/lib.rs";

/// The settings that every server has.
const SETTINGS: &str = "vendor/mcp-server-runtime/src/config/settings.rs";

/// The files of a project.
#[derive(Debug)]
pub struct ProjectFiles {
    root: PathBuf,
    /// The text before and now; `None` before for a new file.
    files: BTreeMap<String, (Option<String>, String)>,
    /// The additions by file, for the report.
    added: Vec<(String, String)>,
}

impl ProjectFiles {
    /// Opens the project in a folder.
    ///
    /// # Errors
    /// When the folder has no generated project.
    pub fn open(root: &Path) -> Result<Self, ExtendError> {
        for needed in ["Cargo.toml", "src/lib.rs", "src/config.rs", "src/handlers/tools.rs"] {
            if !root.join(needed).is_file() {
                return Err(ExtendError::NoProject(root.display().to_string(), needed));
            }
        }
        Ok(Self { root: root.to_owned(), files: BTreeMap::new(), added: Vec::new() })
    }

    /// Returns the answer to a question of the template, as the project's record has it.
    #[must_use]
    pub fn answer(&self, key: &str) -> Option<String> {
        let record: toml::Table = std::fs::read_to_string(self.root.join(RECORD)).ok()?.parse().ok()?;
        Some(record.get("answers")?.get(key)?.as_str()?.to_owned())
    }

    /// Checks that the runtime in `vendor/` has the client for upstream APIs. A runtime from the registry is not looked at.
    ///
    /// # Errors
    /// When it does not.
    pub fn needs_api(&self) -> Result<(), ExtendError> {
        match std::fs::read_to_string(self.root.join(RUNTIME)) {
            Ok(text) if !text.contains("pub mod operations;") => Err(ExtendError::OldRuntime),
            _ => Ok(()),
        }
    }

    /// Returns whether every server has a setting of this name, or a secret whose file it names. A project with its libraries from the
    /// registry has no table of its own: that of this mcp-kit is looked at.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub fn is_of_every_server(&mut self, name: &str) -> Result<bool, ExtendError> {
        let table = match self.find(SETTINGS)? {
            Some(text) => text,
            None => Template::embedded_text(SETTINGS).unwrap_or_default(),
        };
        let has = |name: &str| table.contains(&format!("\"{name}\","));
        Ok(has(name) || name.strip_suffix("_FILE").is_some_and(has))
    }

    /// Returns the text of a file as it is now, or `None` where there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn find(&mut self, path: &str) -> Result<Option<String>, ExtendError> {
        if let Some((_, now)) = self.files.get(path) {
            return Ok(Some(now.clone()));
        }
        match std::fs::read_to_string(self.root.join(path)) {
            Ok(text) => {
                self.files.insert(path.to_owned(), (Some(text.clone()), text.clone()));
                Ok(Some(text))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(ExtendError::Unreadable { path: path.to_owned(), reason: error.to_string() }),
        }
    }

    /// Returns the text of a file that a project has.
    ///
    /// # Errors
    /// When it cannot be read, or is gone.
    pub fn read(&mut self, path: &str) -> Result<String, ExtendError> {
        let gone = || ExtendError::Unreadable { path: path.to_owned(), reason: "it does not exist".to_owned() };
        self.find(path)?.ok_or_else(gone)
    }

    /// Sets the text of a file. `what` says what was added.
    pub fn set(&mut self, path: &str, text: String, what: impl Into<String>) {
        match self.files.get_mut(path) {
            Some((_, now)) => *now = text,
            None => {
                self.files.insert(path.to_owned(), (None, text));
            }
        }
        self.added.push((path.to_owned(), what.into()));
    }

    /// Returns what was added to which file.
    #[must_use]
    pub fn added(&self) -> &[(String, String)] {
        &self.added
    }

    /// Returns the change set.
    #[must_use]
    pub fn changes(self) -> Vec<Change> {
        let changed = self.files.into_iter().filter(|(_, (before, now))| before.as_ref() != Some(now));
        let change = |(path, (before, now)): (String, (Option<String>, String))| Change {
            path,
            before: before.map(String::into_bytes),
            after: now.into_bytes(),
        };
        changed.map(change).collect()
    }
}
