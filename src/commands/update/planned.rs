//! The plan of an update: what the template, the project and the catalog say about each file. Nothing is written.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use semver::Version;

use super::error::UpdateError;
use super::project::Records;
use super::{UpdateRequest, pages};
use crate::fs::files::{File, FileTree};
use crate::fs::git::stages::Tracked;
use crate::fs::paths::{self, PathState};
use crate::scaffold::template::Template;
use crate::scaffold::update::action::{Action, ActionKind, Stages};
use crate::scaffold::update::drift;
use crate::scaffold::update::kept;
use crate::scaffold::update::merge::MarkerLabels;
use crate::scaffold::update::plan::{self, PlanInputs};
use crate::scaffold::update::rules::FileClass;

/// A plan, and what it was made from.
pub(super) struct Planned {
    pub(super) actions: Vec<Action>,
    pub(super) ours: BTreeMap<String, PathState>,
    pub(super) unsettled: Vec<String>,
    pub(super) remarks: Vec<String>,
}

/// Plans the files: base, ours and theirs → actions, and then the pages of the catalog.
///
/// # Errors
/// When a file cannot be read, or is one that git keeps out of the work tree.
pub(super) fn plan_update(
    request: &UpdateRequest,
    records: &Records,
    template: &Template,
    theirs: &FileTree,
    tracked: Option<&Tracked>,
) -> Result<Planned, UpdateError> {
    let (root, rules) = (&request.root, &template.manifest.rules);
    refuse_absent(tracked, &records.base, theirs)?;
    let mut ours = paths::read(root, plan::paths(&records.base, theirs).iter())?;
    if let Some(tracked) = tracked.filter(|tracked| !tracked.file_mode) {
        keep_modes(&mut ours, tracked, &records.base);
    }
    let labels = marker_labels(records.record.version.as_ref(), rules.version.as_ref());
    let others = other_files(root, &records.base, theirs, &ours);
    let is_unsettled = |path: &str, file: &File| {
        let is_unmerged = tracked.is_some_and(|tracked| tracked.unmerged.iter().any(|other| other == path));
        drift::has_markers(&file.bytes, &labels) || (is_unmerged && !request.allow_dirty)
    };
    // A file that its owner has renamed can have markers, too.
    let known = ours.iter().filter_map(|(path, state)| match state {
        PathState::File(file) => Some((path, file)),
        _ => None,
    });
    let unsettled = known.chain(&others).filter(|(path, file)| is_unsettled(path, file));
    let unsettled: Vec<String> = unsettled.map(|(path, _)| path.clone()).collect();
    let mut actions = plan::plan(&PlanInputs {
        base: &records.base,
        theirs,
        ours: &ours,
        others: &others,
        rules,
        from: records.record.version.as_ref(),
        labels: &labels,
    });
    let is_available = records.base != *theirs;
    if !is_available {
        // Nothing is new: the owner's changes are no conflicts with anything.
        actions.retain(Action::writes);
    }
    let mut remarks = Vec::new();
    if is_available && unsettled.is_empty() {
        add_pages(root, &mut actions, &request.today, &mut remarks);
    }
    Ok(Planned { actions, ours, unsettled, remarks })
}

/// Refuses an update of files that git keeps out of the work tree: they would look deleted, and lose the update.
fn refuse_absent(tracked: Option<&Tracked>, base: &FileTree, theirs: &FileTree) -> Result<(), UpdateError> {
    let is_new = |path: &&String| base.get(*path) != theirs.get(*path);
    let absent = tracked.iter().flat_map(|tracked| &tracked.absent).filter(is_new);
    let absent: Vec<String> = absent.cloned().collect();
    if absent.is_empty() { Ok(()) } else { Err(UpdateError::Absent(absent)) }
}

fn marker_labels(from: Option<&Version>, to: Option<&Version>) -> MarkerLabels {
    let name = |id: Option<&Version>| id.map_or_else(|| "template".to_owned(), |version| format!("template {version}"));
    MarkerLabels { ours: "yours".to_owned(), base: format!("{} (before)", name(from)), theirs: name(to) }
}

/// Returns the project's own files that the plan needs: those that a missing file may have become, and its code, where the
/// template has fewer dependencies than before.
fn other_files(root: &Path, base: &FileTree, theirs: &FileTree, ours: &BTreeMap<String, PathState>) -> FileTree {
    let missing = plan::missing(base, ours);
    let needs_code = kept::has_fewer(base, theirs);
    let is_wanted =
        |path: &str| (needs_code && path.ends_with(".rs")) || missing.iter().any(|gone| plan::is_alike(gone, path));
    match needs_code || !missing.is_empty() {
        true => paths::others(root, &is_wanted, ours),
        false => FileTree::new(),
    }
}

/// Where the file system keeps no executable bits, git's index has them.
fn keep_modes(ours: &mut BTreeMap<String, PathState>, tracked: &Tracked, base: &FileTree) {
    for (path, state) in ours {
        if let PathState::File(file) = state {
            let known = tracked.files.get(path).copied().or_else(|| base.get(path).map(|file| file.executable));
            file.executable = known.unwrap_or(file.executable);
        }
    }
}

/// Adds the pages of the catalog to the plan.
fn add_pages(root: &Path, actions: &mut Vec<Action>, today: &str, remarks: &mut Vec<String>) {
    let mut written: BTreeMap<String, Option<File>> = BTreeMap::new();
    for action in actions.iter().filter(|action| action.writes()) {
        if let Some(from) = &action.from {
            written.insert(from.clone(), None);
        }
        written.insert(action.path.clone(), action.after.clone());
    }
    let changes = match pages::changes(root, &written, today) {
        Ok(changes) => changes,
        Err(reason) => {
            remarks.push(format!("the documents of the catalog stay as they are: {reason}"));
            return;
        }
    };
    for change in changes {
        let after = File { bytes: Cow::Owned(change.after), executable: false };
        match actions.iter_mut().find(|action| action.path == change.path && action.writes()) {
            Some(action) => action.after = Some(after),
            None => actions.push(Action {
                path: change.path,
                from: None,
                class: FileClass::Generated,
                kind: if change.before.is_some() { ActionKind::Updated } else { ActionKind::Added },
                places: 0,
                hint: None,
                before: change.before.map(|bytes| File { bytes: Cow::Owned(bytes), executable: false }),
                after: Some(after),
                stages: Stages::default(),
            }),
        }
    }
}
