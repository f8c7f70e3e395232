//! base, ours, theirs → what an update does with each file. Pure.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use super::action::{Action, ActionKind, Stages};
use super::merge::{self, MarkerLabels, Merged, is_binary};
use super::rules::{FileClass, Rules};
use super::{dependencies, kept, lock};
use crate::fs::files::{File, FileTree};
use crate::fs::paths::PathState;
use crate::text::newline::{is_crlf, is_lf, with_crlf, with_lf};

/// The data that a plan is made from.
#[derive(Debug)]
pub struct PlanInputs<'a> {
    /// The project as generated.
    pub base: &'a FileTree,
    /// The new template with the recorded answers.
    pub theirs: &'a FileTree,
    /// The project, at each path of [`paths`].
    pub ours: &'a BTreeMap<String, PathState>,
    /// Files of the project that the template does not know, among which a file that the owner renamed is found, and code that needs a
    /// dependency.
    pub others: &'a FileTree,
    /// The rules of the new template.
    pub rules: &'a Rules,
    /// The version of the old template.
    pub from: Option<&'a Version>,
    /// The words behind the markers.
    pub labels: &'a MarkerLabels,
}

/// Returns every path that a plan needs to know of the project.
#[must_use]
pub fn paths(base: &FileTree, theirs: &FileTree) -> BTreeSet<String> {
    base.keys().chain(theirs.keys()).cloned().collect()
}

/// Returns the files of the template that the project does not have: for these, the plan looks for a new name.
#[must_use]
pub fn missing<'a>(base: &'a FileTree, ours: &BTreeMap<String, PathState>) -> Vec<&'a str> {
    base.keys().map(String::as_str).filter(|path| is_missing(ours, path)).collect()
}

fn is_missing(ours: &BTreeMap<String, PathState>, path: &str) -> bool {
    matches!(ours.get(path), None | Some(PathState::Missing))
}

/// Returns whether a file may have the other name since its owner renamed it: what it is called, or its ending, is the same. Other files
/// are not read.
#[must_use]
pub fn is_alike(path: &str, other: &str) -> bool {
    let ((stem, ending), (other_stem, other_ending)) = (stem_and_ending(path), stem_and_ending(other));
    ending == other_ending || stem == other_stem
}

fn stem_and_ending(path: &str) -> (&str, Option<&str>) {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or((name, None), |(stem, ending)| (stem, Some(ending)))
}

/// Returns what the update does, conflicts first.
#[must_use]
pub fn plan(inputs: &PlanInputs<'_>) -> Vec<Action> {
    let mut actions = Vec::new();
    // Old path of each file that has a new name, by the new one.
    let mut moved: BTreeMap<String, &str> = BTreeMap::new();
    for old in inputs.base.keys().filter(|path| !inputs.theirs.contains_key(*path)) {
        if let Some(new) = inputs.rules.renamed(old).filter(|new| is_move(inputs, old, new)) {
            moved.entry(new).or_insert(old);
        }
    }
    let renamed = renamed_by_owner(inputs, &moved);
    for (path, theirs) in inputs.theirs {
        let old = moved.get(path).copied().unwrap_or(path);
        let plan = FilePlan { inputs, path, old, class: inputs.rules.class(path), renamed: renamed.get(old).copied() };
        actions.extend(plan.action(theirs));
    }
    let gone = inputs
        .base
        .iter()
        .filter(|(path, _)| !inputs.theirs.contains_key(*path) && !moved.values().any(|old| old == path));
    actions.extend(gone.filter_map(|(path, base)| removed(inputs, path, base)));
    kept::put_back(inputs, &mut actions);
    actions.sort_by(|one, other| (one.kind, &one.path).cmp(&(other.kind, &other.path)));
    actions
}

/// Returns whether the owner's edits move along: not into a library, which is replaced as a whole.
fn is_move(inputs: &PlanInputs<'_>, old: &str, new: &str) -> bool {
    let is_vendored = |path: &str| inputs.rules.class(path) == FileClass::Vendored;
    let is_free = matches!(inputs.ours.get(new), None | Some(PathState::Missing));
    inputs.theirs.contains_key(new)
        && !inputs.base.contains_key(new)
        && is_free
        && (is_vendored(old) || !is_vendored(new))
}

/// Returns the file of the project that most lines of a missing file are in, for each of them that the template has changed. Where two
/// are in one, it is the one that has more of it.
fn renamed_by_owner<'a>(inputs: &PlanInputs<'a>, moved: &BTreeMap<String, &'a str>) -> BTreeMap<&'a str, &'a str> {
    let lines = |file: &'a File| -> BTreeSet<&'a [u8]> {
        let lines = file.bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        lines.filter(|line| line.len() > 3).collect()
    };
    let new_name: BTreeMap<&str, &String> = moved.iter().map(|(new, old)| (*old, new)).collect();
    let is_changed = |path: &str, base: &File| {
        let theirs = inputs.theirs.get(new_name.get(path).map_or(path, |new| new.as_str()));
        theirs.is_some_and(|theirs| theirs != base)
    };
    let missing = inputs.base.iter().filter(|(path, base)| is_missing(inputs.ours, path) && is_changed(path, base));
    let missing: Vec<(&str, BTreeSet<&[u8]>)> = missing.map(|(path, base)| (path.as_str(), lines(base))).collect();
    let mut pairs = Vec::new();
    for (other, file) in inputs.others {
        let mut alike = missing.iter().filter(|(path, _)| is_alike(path, other)).peekable();
        if alike.peek().is_none() {
            continue;
        }
        let found = lines(file);
        for (path, own) in alike {
            let shared = own.intersection(&found).count();
            if shared > 0 && shared * 10 >= own.len().max(found.len()) * 6 {
                pairs.push((shared, *path, other.as_str()));
            }
        }
    }
    pairs.sort_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(other.1)).then(one.2.cmp(other.2)));
    let (mut renamed, mut taken) = (BTreeMap::new(), BTreeSet::new());
    for (_, path, other) in pairs {
        if !renamed.contains_key(path) && taken.insert(other) {
            renamed.insert(path, other);
        }
    }
    renamed
}

/// A file that the template no longer has.
fn removed(inputs: &PlanInputs<'_>, path: &str, base: &File) -> Option<Action> {
    let class = inputs.rules.class(path);
    let PathState::File(ours) = inputs.ours.get(path)? else { return None };
    let action = |kind, after, hint, stages| Action {
        path: path.to_owned(),
        from: None,
        class,
        kind,
        places: 0,
        hint,
        before: Some(ours.clone()),
        after,
        stages,
    };
    if matches!(class, FileClass::Seeded) {
        return None;
    }
    if is_same(ours, base) || class == FileClass::Generated {
        return Some(action(ActionKind::Removed, None, None, Stages::default()));
    }
    let hint = match inputs.rules.renamed(path).filter(|new| inputs.theirs.contains_key(new)) {
        Some(new) => {
            format!("{new} has taken its place: bring your edit to where it belongs now, and delete this file")
        }
        None => "the template no longer has it: keep it, or delete it".to_owned(),
    };
    let stages = [Some(base.clone()), Some(ours.clone()), None];
    Some(action(ActionKind::RemovedInTemplate, Some(ours.clone()), Some(hint), stages))
}

/// Returns whether the owner has not changed a file, but for its line ends.
pub(super) fn is_same(ours: &File, base: &File) -> bool {
    ours == base || ours.executable == base.executable && with_ends(base, line_ends(ours)).bytes == ours.bytes
}

/// How the lines of a text end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LineEnds {
    Lf,
    Crlf,
}

/// Returns `None` for a file of one line, of both line ends, or that is no text.
fn line_ends(file: &File) -> Option<LineEnds> {
    match is_binary(&file.bytes) {
        true => None,
        false if is_crlf(&file.bytes) => Some(LineEnds::Crlf),
        false => is_lf(&file.bytes).then_some(LineEnds::Lf),
    }
}

/// Returns the file with these line ends, if it has the other ones.
fn with_ends(file: &File, ends: Option<LineEnds>) -> File {
    let bytes = match (line_ends(file), ends) {
        (Some(LineEnds::Lf), Some(LineEnds::Crlf)) => with_crlf(&file.bytes),
        (Some(LineEnds::Crlf), Some(LineEnds::Lf)) => with_lf(&file.bytes),
        _ => return file.clone(),
    };
    File { bytes: Cow::Owned(bytes), executable: file.executable }
}

/// One file of the template.
struct FilePlan<'a> {
    inputs: &'a PlanInputs<'a>,
    path: &'a str,
    old: &'a str,
    class: FileClass,
    /// The name that the owner has given to the file.
    renamed: Option<&'a str>,
}

impl<'a> FilePlan<'a> {
    fn action(&self, theirs: &File) -> Option<Action> {
        let base = self.inputs.base.get(self.old);
        let ours = match self.inputs.ours.get(self.old) {
            Some(PathState::File(file)) => file,
            None | Some(PathState::Missing) => return self.without_ours(base, theirs),
            Some(_) if self.is_made_free() => return self.without_ours(base, theirs),
            Some(PathState::Other | PathState::Folder(_)) => {
                let hint = "put a plain file in its place, or nothing; it is a link or a folder".to_owned();
                let is_changed = base != Some(theirs);
                return is_changed.then(|| Action { hint: Some(hint), ..self.made(ActionKind::InTheWay, None, None) });
            }
        };
        let stages = [base.cloned(), Some(ours.clone()), Some(theirs.clone())];
        let action = self.with_ours(base, ours, theirs)?;
        let is_shown = action.kind.is_conflict() || action.kind == ActionKind::Seeded;
        let action = Action { stages: if is_shown { stages } else { Stages::default() }, ..action };
        (action.kind != ActionKind::Updated || action.writes()).then_some(action)
    }

    /// Both have the file. Line ends are merged by themselves: the owner's, unless the template alone has changed them.
    fn with_ours(&self, base: Option<&File>, ours: &File, theirs: &File) -> Option<Action> {
        let own = line_ends(ours);
        let ends = match base.map(line_ends) {
            Some(old) if old == own => line_ends(theirs).or(own),
            _ => own,
        };
        let (mine, new, old) = (with_ends(ours, ends), with_ends(theirs, ends), base.map(|file| with_ends(file, ends)));
        let mut action = match old {
            None => self.both_added(&mine, &new)?,
            Some(old) if mine == new || mine == old => self.made(ActionKind::Updated, Some(&mine), Some(new)),
            Some(old) if old == new => self.made(ActionKind::Updated, Some(&mine), Some(mine.clone())),
            Some(old) => self.both_changed(&old, &mine, &new),
        };
        action.before = Some(ours.clone());
        if matches!(action.kind, ActionKind::Seeded | ActionKind::Binary) {
            action.after.clone_from(&action.before);
        }
        Some(action)
    }

    /// Returns whether the update itself removes what stands in the way: a file where the template has a folder now, or a folder with
    /// nothing in it but files that the template no longer has.
    fn is_made_free(&self) -> bool {
        let goes = |path: &str| {
            let is_gone = self.inputs.base.get(path).filter(|_| !self.inputs.theirs.contains_key(path));
            let removed = is_gone.and_then(|base| removed(self.inputs, path, base));
            removed.is_some_and(|action| action.kind == ActionKind::Removed)
        };
        match self.inputs.ours.get(self.path) {
            Some(PathState::Folder(files)) => files.iter().all(|file| goes(file)),
            Some(PathState::Other) => self.path.match_indices('/').any(|(end, _)| goes(&self.path[..end])),
            _ => false,
        }
    }

    fn made(&self, kind: ActionKind, before: Option<&File>, after: Option<File>) -> Action {
        let from = (self.old != self.path && before.is_some()).then(|| self.old.to_owned());
        Action {
            path: self.path.to_owned(),
            from,
            class: self.class,
            kind,
            places: 0,
            hint: None,
            before: before.cloned(),
            after,
            stages: Stages::default(),
        }
    }

    /// The project has no file there.
    fn without_ours(&self, base: Option<&File>, theirs: &File) -> Option<Action> {
        let Some(base) = base else { return Some(self.made(ActionKind::Added, None, Some(theirs.clone()))) };
        if base == theirs {
            return None;
        }
        if self.class == FileClass::Owned
            && let Some((name, file)) = self.renamed.and_then(|name| self.inputs.others.get_key_value(name))
        {
            let step = FilePlan { path: name, old: name, ..*self };
            let action = step.with_ours(Some(base), file, theirs)?;
            let hint = format!("you renamed it: it was {}", self.old);
            let stages = [Some(base.clone()), Some(file.clone()), Some(theirs.clone())];
            let stages = if action.kind.is_conflict() { stages } else { Stages::default() };
            // The template's change and the owner's new name.
            let kind = if action.kind == ActionKind::Updated { ActionKind::Merged } else { action.kind };
            return action.writes().then_some(Action { kind, hint: Some(hint), stages, ..action });
        }
        let hint = format!("the template changed it since; `mcp-kit update --restore {}` brings it back", self.path);
        Some(Action { hint: Some(hint), ..self.made(ActionKind::Deleted, None, None) })
    }

    /// The template has a new file where the project has one of its own.
    fn both_added(&self, ours: &File, theirs: &File) -> Option<Action> {
        let keep = |kind, hint: &str| {
            let action = self.made(kind, Some(ours), Some(ours.clone()));
            Some(Action { hint: Some(hint.to_owned()), ..action })
        };
        match self.class {
            _ if ours == theirs => None,
            FileClass::Seeded => keep(ActionKind::Seeded, "the template has one, too; see it with --diff"),
            FileClass::Generated => Some(self.generated(theirs.clone(), ours)),
            FileClass::Vendored => Some(self.replaced(ours, theirs)),
            FileClass::Owned if is_binary(&ours.bytes) || is_binary(&theirs.bytes) => {
                keep(ActionKind::Binary, "it is no text: choose one of the two")
            }
            FileClass::Owned => {
                let merged = merge::merge(b"", &ours.bytes, &theirs.bytes, self.inputs.labels);
                let after = File { bytes: Cow::Owned(merged.bytes), executable: ours.executable || theirs.executable };
                let kind = if merged.conflicts > 0 { ActionKind::BothAdded } else { ActionKind::Merged };
                Some(Action { places: merged.conflicts, ..self.made(kind, Some(ours), Some(after)) })
            }
        }
    }

    /// Both sides have changed the file.
    fn both_changed(&self, base: &File, ours: &File, theirs: &File) -> Action {
        let executable = if ours.executable == base.executable { theirs.executable } else { ours.executable };
        match self.class {
            FileClass::Vendored => return self.replaced(ours, theirs),
            FileClass::Seeded if !self.inputs.rules.is_merged_since(self.path, self.inputs.from) => {
                let hint = "it is yours; the template has moved on, see how with --diff".to_owned();
                return Action { hint: Some(hint), ..self.made(ActionKind::Seeded, Some(ours), Some(ours.clone())) };
            }
            _ => {}
        }
        if ours.bytes == theirs.bytes || theirs.bytes == base.bytes || ours.bytes == base.bytes {
            let bytes = if theirs.bytes == base.bytes { &ours.bytes } else { &theirs.bytes };
            return self.made(ActionKind::Merged, Some(ours), Some(File { bytes: bytes.clone(), executable }));
        }
        if self.path.ends_with("Cargo.lock")
            && let (Some(base), Some(mine), Some(new)) = (text(base), text(ours), text(theirs))
        {
            let bytes = Cow::Owned(lock::merge(base, mine, new).into_bytes());
            return self.made(ActionKind::Merged, Some(ours), Some(File { bytes, executable }));
        }
        if is_binary(&base.bytes) || is_binary(&ours.bytes) || is_binary(&theirs.bytes) {
            if self.class == FileClass::Generated {
                return self.generated(theirs.clone(), ours);
            }
            let hint = Some("it is no text: choose one of the two".to_owned());
            return Action { hint, ..self.made(ActionKind::Binary, Some(ours), Some(ours.clone())) };
        }
        let merged = match (text(base), text(ours), text(theirs)) {
            (Some(base), Some(mine), Some(new)) if self.path.ends_with("Cargo.toml") => {
                let (mine, added) = dependencies::take_added(base, mine, new);
                let [base, mine, new] = dependencies::raise(base, &mine, new);
                let merged = merge::merge(base.as_bytes(), mine.as_bytes(), new.as_bytes(), self.inputs.labels);
                Merged { bytes: dependencies::put_added(&merged.bytes, &added), ..merged }
            }
            _ => merge::merge(&base.bytes, &ours.bytes, &theirs.bytes, self.inputs.labels),
        };
        if merged.conflicts > 0 && self.class == FileClass::Generated {
            return self.generated(File { bytes: theirs.bytes.clone(), executable }, ours);
        }
        let kind = if merged.conflicts > 0 { ActionKind::Conflict } else { ActionKind::Merged };
        let after = File { bytes: Cow::Owned(merged.bytes), executable };
        Action { places: merged.conflicts, ..self.made(kind, Some(ours), Some(after)) }
    }

    /// A generated file gets the template's text, and the owner's part by its command.
    fn generated(&self, theirs: File, ours: &File) -> Action {
        let hint =
            self.inputs.rules.command(self.path).map(|command| format!("make it with your own part again: {command}"));
        Action { hint, ..self.made(ActionKind::Regenerate, Some(ours), Some(theirs)) }
    }

    /// A library is replaced as a whole.
    fn replaced(&self, ours: &File, theirs: &File) -> Action {
        let hint = "your edit of the library is not in it any more: bring it where it belongs".to_owned();
        Action { hint: Some(hint), ..self.made(ActionKind::VendoredEdited, Some(ours), Some(theirs.clone())) }
    }
}

fn text(file: &File) -> Option<&str> {
    std::str::from_utf8(&file.bytes).ok()
}
