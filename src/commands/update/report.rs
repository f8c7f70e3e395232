//! The report of an update that was or would be made: lines for people, one JSON object for programs. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use semver::Version;
use serde::Serialize;

use crate::fs::change::Change;
use crate::fs::diff;
use crate::fs::terminal::{Paint, Role};
use crate::scaffold::update::action::{Action, ActionKind};
use crate::scaffold::update::drift::Drift;

/// The state of the project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum UpdateState {
    /// It is as the template of this version makes it, but for its owner's changes.
    UpToDate,
    /// There is an update; nothing was written.
    Available,
    /// The update is made.
    Updated,
    /// The update is made, and its owner has to settle conflicts.
    Conflicts,
    /// Files still have the markers of an earlier update; nothing was written.
    Unsettled,
}

/// An upgrade note: what the owner has to know of one version.
#[derive(Clone, Debug, Serialize)]
pub struct Note {
    /// The version of the template.
    pub version: String,
    /// The text, Markdown.
    pub text: String,
}

/// A template's version and digest.
#[derive(Clone, Debug, Serialize)]
pub struct TemplateId {
    /// The version.
    pub version: Option<String>,
    /// The digest.
    pub digest: Option<String>,
}

impl TemplateId {
    /// Returns the words for it: the version, and the beginning of the digest where two have the same.
    fn name(&self, other: &Self) -> String {
        let version = self.version.clone().unwrap_or_else(|| "of an unknown version".to_owned());
        match self.digest.as_deref().and_then(|digest| digest.get(..8)) {
            Some(digest) if self.version == other.version => format!("{version} ({digest})"),
            _ => version,
        }
    }
}

/// The report of an update.
#[derive(Debug)]
pub struct UpdateReport {
    /// The name of the project.
    pub name: String,
    /// The state.
    pub state: UpdateState,
    /// The template that the project was made from.
    pub from: TemplateId,
    /// The template of today.
    pub to: TemplateId,
    /// The action for each file, conflicts first.
    pub actions: Vec<Action>,
    /// Files with markers that are not settled.
    pub unsettled: Vec<String>,
    /// Every file that is not as the template has made it, with `--check`.
    pub drift: Option<Vec<Drift>>,
    /// The upgrade notes.
    pub notes: Vec<Note>,
    /// `true` to list every file.
    pub every_file: bool,
}

#[derive(Serialize)]
struct UpdateJson<'a> {
    schema: &'static str,
    name: &'a str,
    state: UpdateState,
    from: &'a TemplateId,
    to: &'a TemplateId,
    conflicts: Vec<String>,
    files: Vec<UpdateJsonFile<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    drift: Option<&'a [Drift]>,
    notes: &'a [Note],
    pull_request: PullRequest,
}

#[derive(Serialize)]
struct UpdateJsonFile<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
    class: crate::scaffold::update::rules::FileClass,
    action: ActionKind,
    #[serde(skip_serializing_if = "is_zero")]
    places: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
}

impl<'a> From<&'a Action> for UpdateJsonFile<'a> {
    fn from(action: &'a Action) -> Self {
        Self {
            path: &action.path,
            from: action.from.as_deref(),
            class: action.class,
            action: action.kind,
            places: action.places,
            hint: action.hint.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct PullRequest {
    title: String,
    body: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl UpdateReport {
    /// Returns the JSON object of schema `mcp-kit/update/1`.
    ///
    /// # Errors
    /// Never: all of its text is UTF-8.
    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(&UpdateJson {
            schema: "mcp-kit/update/1",
            name: &self.name,
            state: self.state,
            from: &self.from,
            to: &self.to,
            conflicts: self.conflicts(),
            files: self.actions.iter().map(UpdateJsonFile::from).collect(),
            drift: self.drift.as_deref(),
            notes: &self.notes,
            pull_request: PullRequest { title: self.title(), body: self.body() },
        })
    }

    /// Returns the files that the owner has to settle.
    #[must_use]
    pub fn conflicts(&self) -> Vec<String> {
        let in_conflict = self.actions.iter().filter(|action| action.kind.is_conflict()).map(|action| &action.path);
        in_conflict.chain(&self.unsettled).cloned().collect()
    }

    /// Returns the title of a pull request.
    #[must_use]
    pub fn title(&self) -> String {
        format!("Update {} to template {}", self.name, self.to.name(&self.from))
    }

    /// Returns the text of a pull request.
    #[must_use]
    pub fn body(&self) -> String {
        let mut body =
            format!("`mcp-kit update` from template {} to {}.\n", self.from.name(&self.to), self.to.name(&self.from));
        for (title, is_in) in [("Conflicts to settle", true), ("To know", false)] {
            let listed = self
                .actions
                .iter()
                .filter(|action| if is_in { action.kind.is_conflict() } else { action.kind.is_notice() });
            let lines: String = listed.map(|action| format!("- `{}`: {}\n", action.path, reason(action))).collect();
            if !lines.is_empty() {
                let _ = write!(body, "\n## {title}\n\n{lines}");
            }
        }
        for note in &self.notes {
            let _ = write!(body, "\n{}\n", note.text.trim_end());
        }
        body
    }

    /// Returns the lines for people.
    #[must_use]
    pub fn human(&self, paint: Paint) -> String {
        let mut text = String::new();
        let (from, to) = (self.from.name(&self.to), self.to.name(&self.from));
        let name = paint.paint(Role::Strong, &self.name);
        let _ = match self.state {
            UpdateState::UpToDate => writeln!(text, "{name} is up to date with template {to}"),
            UpdateState::Available => writeln!(text, "{name}: template {from} → {to} is available"),
            UpdateState::Updated => writeln!(text, "{name}: template {from} → {to}"),
            UpdateState::Conflicts => writeln!(text, "{name}: template {from} → {to}, with conflicts"),
            UpdateState::Unsettled => writeln!(text, "{name} has conflicts of an earlier update:"),
        };
        for path in &self.unsettled {
            let _ = writeln!(text, "  {path}");
        }
        self.list(&mut text, paint);
        if let Some(drift) = &self.drift {
            list_drift(&mut text, drift);
        }
        for note in &self.notes {
            let _ = write!(text, "\n{}\n", note.text.trim_end());
        }
        match self.state {
            UpdateState::Conflicts => {
                let _ = writeln!(
                    text,
                    "\nSettle the conflicts (places have <<<<<<< and >>>>>>>), build and test, then commit. `git mergetool` knows them, too."
                );
            }
            UpdateState::Updated => text.push_str("\nBuild and test, then commit.\n"),
            UpdateState::Unsettled => {
                let _ =
                    writeln!(text, "\nSettle them and commit (or tell git with `git add`), then run the update again.");
            }
            _ => {}
        }
        text
    }

    fn list(&self, text: &mut String, paint: Paint) {
        let mut counts: BTreeMap<ActionKind, usize> = BTreeMap::new();
        let width = self.actions.iter().map(|action| action.path.chars().count()).max().unwrap_or(0).min(48);
        for action in &self.actions {
            if action.kind.is_conflict() || action.kind.is_notice() || self.every_file {
                let word = label(action.kind);
                let word = if action.kind.is_conflict() {
                    paint.paint(Role::Error, &format!("{word:<9}"))
                } else {
                    paint.paint(Role::Hint, &format!("{word:<9}"))
                };
                let line = format!("  {word}  {:<width$}  {}", action.path, reason(action));
                let _ = writeln!(text, "{}", line.trim_end());
            }
            *counts.entry(action.kind).or_default() += 1;
        }
        let count = |kind: ActionKind, word: &str| counts.get(&kind).map(|count| format!("{count} {word}"));
        let parts: Vec<String> = [
            count(ActionKind::Merged, "merged"),
            count(ActionKind::Added, "added"),
            count(ActionKind::Updated, "updated"),
            count(ActionKind::Removed, "removed"),
        ]
        .into_iter()
        .flatten()
        .collect();
        if !parts.is_empty() {
            let _ = writeln!(text, "  {}", parts.join(", "));
        }
    }

    /// Returns the update as a diff, with the template's changes of seeded files after it.
    #[must_use]
    pub fn diff(&self) -> String {
        let mut changes = Vec::new();
        for action in self.actions.iter().filter(|action| action.writes()) {
            let before = action.before.as_ref().map(|file| file.bytes.to_vec());
            match &action.after {
                Some(after) => changes.push(Change { path: action.path.clone(), before, after: after.bytes.to_vec() }),
                None => changes.push(Change { path: action.path.clone(), before, after: Vec::new() }),
            }
        }
        let mut text = diff::unified(&changes);
        for action in self.actions.iter().filter(|action| action.kind == ActionKind::Seeded) {
            let [base, _, Some(theirs)] = &action.stages else { continue };
            let before = base.as_ref().map(|file| file.bytes.to_vec());
            let change = Change { path: action.path.clone(), before, after: theirs.bytes.to_vec() };
            let _ = write!(text, "\n# {} is yours and stays. The template has changed it so:\n", action.path);
            text.push_str(&diff::unified(&[change]));
        }
        text
    }
}

fn list_drift(text: &mut String, drift: &[Drift]) {
    if drift.is_empty() {
        text.push_str("  no file differs from the template\n");
        return;
    }
    let _ = writeln!(text, "\nDifferent from what the template has made:");
    for file in drift {
        let class = serde_json::to_value(file.class).ok().and_then(|class| class.as_str().map(str::to_owned));
        let _ = writeln!(text, "  {:<9}  {:<10}  {}", class.unwrap_or_default(), file.state, file.path);
    }
}

const fn label(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::Deleted => "deleted",
        ActionKind::Seeded => "seeded",
        ActionKind::Regenerate => "generated",
        ActionKind::Merged => "merged",
        ActionKind::Added => "added",
        ActionKind::Updated => "updated",
        ActionKind::Removed => "removed",
        _ => "conflict",
    }
}

fn reason(action: &Action) -> String {
    let places = match (action.kind, action.places) {
        (ActionKind::BothAdded, _) => "you and the template have added it".to_owned(),
        (ActionKind::RemovedInTemplate, _) => "you have changed it".to_owned(),
        (ActionKind::VendoredEdited, _) => "you have changed a library".to_owned(),
        (ActionKind::InTheWay, _) => "it is no plain file".to_owned(),
        (_, 0) => String::new(),
        (_, 1) => "1 place".to_owned(),
        (_, places) => format!("{places} places"),
    };
    let from = action.from.as_ref().map(|from| format!("was {from}"));
    let parts: Vec<String> =
        [Some(places).filter(|text| !text.is_empty()), from, action.hint.clone()].into_iter().flatten().collect();
    parts.join("; ")
}

/// Returns the notes of a template in `upgrade/VERSION.md` that belong to the step from one version to another.
#[must_use]
pub fn notes(files: &crate::fs::files::FileTree, from: Option<&Version>, to: Option<&Version>) -> Vec<Note> {
    let mut notes: Vec<(Version, Note)> = files
        .iter()
        .filter_map(|(path, file)| {
            let version = Version::parse(path.strip_prefix("upgrade/")?.strip_suffix(".md")?).ok()?;
            let is_in = from.is_none_or(|from| *from < version) && to.is_none_or(|to| version <= *to);
            let note = Note { version: version.to_string(), text: String::from_utf8_lossy(&file.bytes).into_owned() };
            is_in.then_some((version, note))
        })
        .collect();
    notes.sort_by(|one, other| one.0.cmp(&other.0));
    notes.into_iter().map(|(_, note)| note).collect()
}
