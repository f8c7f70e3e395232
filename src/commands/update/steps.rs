//! A plan → the steps of the journal, and the refusal of steps that git could not take back.

use std::path::Path;

use super::UpdateRequest;
use super::error::UpdateError;
use crate::fs::files::{File, FileTree};
use crate::fs::git::stages::{Conflict, Tracked};
use crate::fs::journal::FileStep;
use crate::fs::paths::{self, PathState};
use crate::scaffold::answers::Answers;
use crate::scaffold::project as layout;
use crate::scaffold::template::Template;
use crate::scaffold::update::action::{Action, ActionKind};

/// Returns what is to be written: the files of the plan, and these records last.
pub(super) fn steps(root: &Path, actions: &[Action], records: &FileTree) -> Result<Vec<FileStep>, UpdateError> {
    let mut steps = Vec::new();
    for action in actions.iter().filter(|action| action.writes()) {
        let step = |path: &String, before: Option<&File>, after: Option<&File>| FileStep {
            path: path.clone(),
            before: before.cloned(),
            after: after.cloned(),
        };
        match &action.from {
            Some(from) => {
                steps.push(step(from, action.before.as_ref(), None));
                steps.push(step(&action.path, None, action.after.as_ref()));
            }
            None => steps.push(step(&action.path, action.before.as_ref(), action.after.as_ref())),
        }
    }
    for (path, state) in paths::read(root, records.keys())? {
        let before = match state {
            PathState::File(file) => Some(file),
            PathState::Missing => None,
            PathState::Other | PathState::Folder(_) => {
                let reason = "it is no plain file".to_owned();
                return Err(UpdateError::Damaged { path: root.join(path), reason });
            }
        };
        let after = records.get(&path).cloned();
        if before.as_ref().map(|file| &file.bytes) != after.as_ref().map(|file| &file.bytes) {
            steps.push(FileStep { path, before, after });
        }
    }
    Ok(steps)
}

/// Refuses what could not be brought back: uncommitted changes in the project's folder, files that git does not have, and
/// edits of libraries without git.
pub(super) fn protect(
    request: &UpdateRequest,
    actions: &[Action],
    steps: &[FileStep],
    tracked: &Result<Option<Tracked>, String>,
) -> Result<(), UpdateError> {
    if request.allow_dirty {
        return Ok(());
    }
    let Some(tracked) = tracked.as_ref().map_err(|reason| UpdateError::Index(reason.clone()))? else {
        let edited = actions.iter().filter(|action| action.kind == ActionKind::VendoredEdited);
        let edited: Vec<String> = edited.map(|action| action.path.clone()).collect();
        return if edited.is_empty() { Ok(()) } else { Err(UpdateError::Unprotected(edited)) };
    };
    let is_record = |path: &str| path.starts_with(layout::FOLDER);
    let replaced = steps.iter().filter(|step| step.before.is_some() && !is_record(&step.path));
    let is_lost = |path: &String| !tracked.files.contains_key(path) || tracked.hidden.contains(path);
    let untracked = replaced.map(|step| &step.path).filter(|path| is_lost(path)).cloned();
    let mut dirty: Vec<String> = tracked.changed.iter().filter(|path| !is_record(path)).cloned().collect();
    dirty.extend(untracked);
    dirty.sort();
    dirty.dedup();
    if dirty.is_empty() { Ok(()) } else { Err(UpdateError::Dirty(dirty)) }
}

/// Returns the files in conflict, for the stages of git's index.
pub(super) fn conflicts(actions: &[Action]) -> Vec<Conflict> {
    let in_conflict = actions.iter().filter(|action| action.kind.is_conflict() && action.kind != ActionKind::InTheWay);
    in_conflict.map(|action| Conflict { path: action.path.clone(), stages: action.stages.clone() }).collect()
}

/// Returns the records of a project that begins from this rendering, as steps.
pub(super) fn record_steps(
    root: &Path,
    base: &FileTree,
    template: &Template,
    name: &str,
    answers: &Answers,
) -> Result<Vec<FileStep>, UpdateError> {
    steps(root, &[], &layout::records(base, template, name, answers)?)
}
