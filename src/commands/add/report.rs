//! The report on an addition, for people and for programs.

use std::fmt::Write as _;

use serde::Serialize;

use crate::cli::OutputFormat;
use crate::commands::console::Console;
use crate::error::Failure;
use crate::fs::change::Change;
use crate::fs::diff::unified;
use crate::text::steps::next_steps;

/// The result of `mcp-kit add`.
#[derive(Debug)]
pub(super) struct AddReport<'a> {
    /// Kind and name.
    pub(super) what: String,
    /// Paths, and what was added there.
    pub(super) added: Vec<(String, String)>,
    /// The change set.
    pub(super) changes: &'a [Change],
    /// The steps that are left to the user.
    pub(super) next: Vec<String>,
    pub(super) is_dry_run: bool,
}

#[derive(Serialize)]
struct AddJson<'a> {
    schema: &'static str,
    added: &'a str,
    dry_run: bool,
    files: Vec<ChangedFile<'a>>,
    next: &'a [String],
}

#[derive(Serialize)]
struct ChangedFile<'a> {
    path: &'a str,
    new: bool,
}

impl AddReport<'_> {
    /// Prints it.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(super) fn print(&self, format: OutputFormat, console: &Console) -> Result<(), Failure> {
        match format {
            OutputFormat::Json => console.print(self.json().as_bytes()),
            OutputFormat::Human if self.is_dry_run => console.print(unified(self.changes).as_bytes()),
            OutputFormat::Human if console.is_quiet() => Ok(()),
            OutputFormat::Human => console.print(self.human().as_bytes()),
        }
    }

    fn json(&self) -> String {
        let files = self
            .changes
            .iter()
            .map(|change| ChangedFile { path: &change.path, new: change.before.is_none() })
            .collect();
        let json =
            AddJson { schema: "mcp-kit/add/1", added: &self.what, dry_run: self.is_dry_run, files, next: &self.next };
        serde_json::to_string_pretty(&json).unwrap_or_default() + "\n"
    }

    fn human(&self) -> String {
        if self.changes.is_empty() {
            return format!("{} is there already\n", self.what);
        }
        let mut text = format!("added {}\n", self.what);
        let width = self.changes.iter().map(|change| change.path.len()).max().unwrap_or_default();
        for change in self.changes {
            let mut parts: Vec<&str> = Vec::new();
            for (path, what) in &self.added {
                if *path == change.path && !parts.contains(&what.as_str()) {
                    parts.push(what);
                }
            }
            let _ = writeln!(text, "  {:width$}  {}", change.path, parts.join(", "));
        }
        text.push_str(&next_steps(&self.next));
        text
    }
}
