//! `--adopt`, `--restore` and `--detach`: what changes the relation of a project and its template, and no update.

use std::path::Path;

use serde::Serialize;

use super::error::UpdateError;
use super::project::{self, Records};
use super::steps::record_steps;
use super::{UpdateMode, adopt};
use crate::cli::{OutputFormat, Update};
use crate::commands::console::{Console, Status};
use crate::error::Failure;
use crate::fs::files::File;
use crate::fs::git::stages;
use crate::fs::interrupt::Interrupt;
use crate::fs::journal::{self, FileStep, Journal};
use crate::fs::paths::{self, PathState};
use crate::scaffold::answers::Answers;
use crate::scaffold::origin::UPDATE_WORKFLOW;
use crate::scaffold::project::{ARCHIVE, RECORD};
use crate::scaffold::update::base::is_inside;
use crate::scaffold::update::drift;

#[derive(Serialize)]
struct RecordsJson<'a> {
    schema: &'static str,
    name: &'a str,
    action: &'static str,
    files: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answers: Option<&'a Answers>,
}

/// The change that one of the flags makes to a project.
struct RecordsChange {
    /// The flag's name.
    action: &'static str,
    /// The verbs for people, of what was done and what would be.
    verbs: [&'static str; 2],
    /// The name of the project.
    name: String,
    steps: Vec<FileStep>,
    /// The answers that were found.
    answers: Option<Answers>,
    /// Further lines for people.
    lines: Vec<String>,
}

impl RecordsChange {
    fn adopt(command: &Update, root: &Path, interrupt: &Interrupt) -> Result<Self, UpdateError> {
        let adopted = adopt::adopt(command, root, interrupt)?;
        Ok(Self {
            action: "adopt",
            verbs: ["Adopted", "Would adopt"],
            steps: record_steps(root, &adopted.base, &adopted.template, &adopted.name, &adopted.answers)?,
            lines: adopted.lines(),
            name: adopted.name,
            answers: Some(adopted.answers),
        })
    }

    fn detach(root: &Path) -> Result<Self, UpdateError> {
        let (name, steps) = detach(root)?;
        let mut lines = vec!["it is its owner's alone now; `mcp-kit update --adopt` takes it back".to_owned()];
        let is_kept = !steps.iter().any(|step| step.path == UPDATE_WORKFLOW);
        if is_kept && matches!(current(root, UPDATE_WORKFLOW)?, PathState::File(_)) {
            lines.push(format!("you have changed {UPDATE_WORKFLOW}, so it stays: delete it"));
        }
        Ok(Self { action: "detach", verbs: ["Detached", "Would detach"], name, steps, answers: None, lines })
    }

    fn restore(command: &Update, root: &Path) -> Result<Self, UpdateError> {
        let records = Records::read(root)?;
        let steps = restore(root, &command.restore, &records)?;
        if !command.allow_dirty {
            unchanged(root, &steps)?;
        }
        Ok(Self {
            action: "restore",
            verbs: ["Restored in", "Would restore in"],
            name: records.record.name,
            steps,
            answers: None,
            lines: Vec::new(),
        })
    }

    fn json(&self) -> Result<String, Failure> {
        let files = self.steps.iter().map(|step| step.path.as_str()).collect();
        let (name, answers) = (&self.name, self.answers.as_ref());
        let json = RecordsJson { schema: "mcp-kit/update/1", name, action: self.action, files, answers };
        serde_json::to_string_pretty(&json).map_err(|error| Failure::output(&error.into()))
    }

    fn human(&self, is_written: bool) -> String {
        let [done, would] = self.verbs;
        let mut text = format!("{} {}\n", if is_written { done } else { would }, self.name);
        for step in &self.steps {
            let sign = if step.after.is_some() { "+" } else { "-" };
            text.push_str(&format!("  {sign} {}\n", step.path));
        }
        for line in &self.lines {
            text.push_str(&format!("{line}\n"));
        }
        text
    }
}

/// Runs `update` with one of these flags.
///
/// # Errors
/// When the project has nothing that fits, or the system refuses.
pub(super) fn run(
    command: &Update,
    root: &Path,
    mode: UpdateMode,
    interrupt: &Interrupt,
    console: &Console,
) -> Result<Status, Failure> {
    let journal = Journal::open(root).map_err(UpdateError::from)?;
    if journal::is_interrupted(root) {
        if mode != UpdateMode::Write {
            return Err(UpdateError::Pending(root.to_owned()).into());
        }
        journal.finish().map_err(UpdateError::from)?;
    }
    let change = match (command.adopt, command.detach) {
        (true, _) => RecordsChange::adopt(command, root, interrupt)?,
        (_, true) => RecordsChange::detach(root)?,
        _ => RecordsChange::restore(command, root)?,
    };
    let is_written = mode == UpdateMode::Write;
    if is_written {
        interrupt.check().map_err(UpdateError::from)?;
        journal.write(&change.steps, &[]).map_err(UpdateError::from)?;
    }
    let text = match command.format {
        OutputFormat::Json => format!("{}\n", change.json()?),
        OutputFormat::Human => change.human(is_written),
    };
    console.print(text.as_bytes())?;
    Ok(Status::Clean)
}

/// Returns the steps that bring files back as the project began with them.
fn restore(root: &Path, given: &[String], records: &Records) -> Result<Vec<FileStep>, UpdateError> {
    let mut steps = Vec::new();
    for path in given {
        let path = path.strip_prefix("./").unwrap_or(path).replace('\\', "/");
        let Some(file) = records.base.get(&path).filter(|_| is_inside(&path)) else {
            return Err(UpdateError::NotInTemplate(path));
        };
        let before = match current(root, &path)? {
            PathState::File(file) => Some(file),
            PathState::Missing => None,
            PathState::Other | PathState::Folder(_) => {
                return Err(UpdateError::Damaged { path: root.join(path), reason: "it is no plain file".to_owned() });
            }
        };
        if before.as_ref() != Some(file) {
            steps.push(FileStep { path, before, after: Some(file.clone()) });
        }
    }
    Ok(steps)
}

/// Refuses to write over what git does not have.
fn unchanged(root: &Path, steps: &[FileStep]) -> Result<(), UpdateError> {
    let Some(tracked) = stages::tracked(root).map_err(UpdateError::Index)? else { return Ok(()) };
    let is_lost = |step: &&FileStep| {
        let is_changed = [&tracked.changed, &tracked.hidden].iter().any(|list| list.contains(&step.path));
        step.before.is_some() && (is_changed || !tracked.files.contains_key(&step.path))
    };
    let dirty: Vec<String> = steps.iter().filter(is_lost).map(|step| step.path.clone()).collect();
    if dirty.is_empty() { Ok(()) } else { Err(UpdateError::Dirty(dirty)) }
}

/// Returns the name of the project and the steps that remove the records, and the workflow if nobody changed it.
fn detach(root: &Path) -> Result<(String, Vec<FileStep>), UpdateError> {
    let has_record = matches!(current(root, RECORD)?, PathState::File(_));
    if !has_record && !matches!(current(root, ARCHIVE)?, PathState::File(_)) {
        return Err(UpdateError::NoRecord(root.to_owned()));
    }
    let name = project::read_record(root).map(|record| record.name);
    let folder = || root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let untouched = Records::read(root).ok().and_then(|records| records.base.get(UPDATE_WORKFLOW).cloned());
    let mut steps = Vec::new();
    for path in [ARCHIVE, RECORD, UPDATE_WORKFLOW] {
        let PathState::File(file) = current(root, path)? else { continue };
        if path != UPDATE_WORKFLOW || untouched.as_ref() == Some(&file) {
            steps.push(FileStep { path: path.to_owned(), before: Some(file), after: None });
        }
    }
    Ok((name.unwrap_or_else(|_| folder()), steps))
}

fn current(root: &Path, path: &str) -> Result<PathState, UpdateError> {
    let path = path.to_owned();
    Ok(paths::read(root, std::iter::once(&path))?.remove(&path).unwrap_or(PathState::Missing))
}

/// Returns how many files of a rendering the project has, unchanged.
pub(super) fn likeness(rendering: &crate::fs::files::FileTree, root: &Path) -> Result<usize, UpdateError> {
    let ours = paths::read(root, rendering.keys())?;
    let rules = crate::scaffold::update::rules::Rules::default();
    let different = drift::drift(rendering, &ours, &rules);
    let missing = different.iter().filter(|drift| drift.state == "deleted").count();
    // A file that the project has with other contents counts half, one that it lacks counts against.
    Ok((2 * (rendering.len() - different.len()) + (different.len() - missing)).saturating_sub(2 * missing))
}

/// Returns the text of a file of the project.
#[must_use]
pub(super) fn text(root: &Path, path: &str) -> Option<String> {
    match current(root, path).ok()? {
        PathState::File(File { bytes, .. }) => String::from_utf8(bytes.into_owned()).ok(),
        _ => None,
    }
}
