//! The command `mcp-kit update`: base, ours, theirs → plan → all of it or nothing.

mod adopt;
pub mod error;
mod pages;
mod project;
mod records;
pub mod report;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use semver::Version;

use crate::cli::{OutputFormat, Update};
use crate::commands::console::{Console, Status};
use crate::error::Failure;
use crate::fs::files::{File, FileTree};
use crate::fs::git::stages::{self, Conflict, Tracked};
use crate::fs::interrupt::Interrupt;
use crate::fs::journal::{self, FileStep, Finished, Journal};
use crate::fs::paths::{self, PathState};
use crate::fs::terminal::Paint;
use crate::scaffold::answers::Answers;
use crate::scaffold::project as layout;
use crate::scaffold::template::{ScriptPolicy, Template};
use crate::scaffold::update::action::{Action, ActionKind, Stages};
use crate::scaffold::update::drift;
use crate::scaffold::update::kept;
use crate::scaffold::update::merge::MarkerLabels;
use crate::scaffold::update::plan::{self, PlanInputs};
use crate::scaffold::update::rules::FileClass;
use crate::text::date::today;
use crate::text::plural::plural_word;
use error::UpdateError;
use project::Records;
use report::{TemplateId, UpdateReport, UpdateState};

/// The use of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateMode {
    /// Make it.
    Write,
    /// Report whether there is one, and every file that the owner has changed.
    Check,
    /// Print the diff.
    Diff,
    /// Print what would be done.
    DryRun,
}

/// A request to update one project.
#[derive(Clone, Debug)]
pub struct UpdateRequest {
    /// The project.
    pub root: PathBuf,
    /// The use.
    pub mode: UpdateMode,
    /// `--set KEY=VALUE`, as typed.
    pub set: Vec<String>,
    /// The folder of the template. `None` means the one that the project was made from.
    pub template: Option<PathBuf>,
    /// Which scripts of the template may run.
    pub hooks: ScriptPolicy,
    /// `true` to write where git could not bring back what is there.
    pub allow_dirty: bool,
    /// The date of the documents, as `2025-11-08`.
    pub today: String,
}

/// An update that is planned, and made unless the mode says otherwise.
#[derive(Debug)]
pub struct UpdateOutcome {
    /// The report.
    pub report: UpdateReport,
    /// Sentences that the user should know besides.
    pub remarks: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// When the project cannot be updated.
pub fn run(command: Update, console: &Console) -> Result<Status, Failure> {
    let interrupt = Interrupt::listen().map_err(|error| Failure::output(&error))?;
    let root = command.dir.canonicalize().ok().filter(|root| root.is_dir());
    let root = root.ok_or_else(|| UpdateError::NoFolder(command.dir.clone()))?;
    let mode = match (command.check, command.diff, command.dry_run) {
        (true, ..) => UpdateMode::Check,
        (_, true, _) => UpdateMode::Diff,
        (_, _, true) => UpdateMode::DryRun,
        _ => UpdateMode::Write,
    };
    if command.adopt || command.detach || !command.restore.is_empty() {
        return records::run(&command, &root, mode, &interrupt, console);
    }
    let format = command.format;
    let request = UpdateRequest {
        root,
        mode,
        set: command.set,
        template: command.template,
        hooks: if command.allow_hooks { ScriptPolicy::Allow } else { ScriptPolicy::Refuse },
        allow_dirty: command.allow_dirty,
        today: today().to_string(),
    };
    let outcome = update(&request, &interrupt, &|step| console.step(step))?;
    outcome.remarks.iter().for_each(|remark| console.note(remark));
    let report = outcome.report;
    match format {
        OutputFormat::Json => {
            let json = report.json().map_err(|error| Failure::output(&error.into()))?;
            console.print(format!("{json}\n").as_bytes())?;
        }
        OutputFormat::Human if mode == UpdateMode::Diff => console.print(report.diff().as_bytes())?,
        OutputFormat::Human if console.is_quiet() && report.state == UpdateState::UpToDate => {}
        OutputFormat::Human => console.print(report.human(Paint::stdout()).as_bytes())?,
    }
    Ok(match report.state {
        UpdateState::Conflicts | UpdateState::Unsettled => Status::Found,
        UpdateState::Available if mode == UpdateMode::Check => Status::Found,
        _ => Status::Clean,
    })
}

/// Updates one project.
///
/// # Errors
/// When it cannot be updated. Nothing has changed then, or a run after it finishes what is left.
pub fn update(
    request: &UpdateRequest,
    interrupt: &Interrupt,
    progress: &dyn Fn(&str),
) -> Result<UpdateOutcome, UpdateError> {
    let prepared = prepare(request, interrupt, progress)?;
    if request.mode == UpdateMode::Write { prepared.write(interrupt, progress) } else { Ok(prepared.outcome()) }
}

/// An update that is planned, and nothing of it written. It holds the lock of its project.
#[derive(Debug)]
pub struct PreparedUpdate<'a> {
    request: &'a UpdateRequest,
    journal: Journal<'a>,
    tracked: Result<Option<Tracked>, String>,
    /// The new records.
    records: FileTree,
    /// The rendering whose archive is still to be packed.
    unpacked: Option<FileTree>,
    /// The report of what would be done.
    pub report: UpdateReport,
    remarks: Vec<String>,
}

/// Plans the update of one project. Only what an interrupted run left is written, and only by [`UpdateMode::Write`].
///
/// # Errors
/// When the project cannot be updated.
pub fn prepare<'a>(
    request: &'a UpdateRequest,
    interrupt: &Interrupt,
    progress: &dyn Fn(&str),
) -> Result<PreparedUpdate<'a>, UpdateError> {
    let root = &request.root;
    let journal = Journal::open(root)?;
    let mut remarks = Vec::new();
    if !journal.is_locked() && cfg!(unix) {
        remarks.push("this file system has no locks: run one update at a time".to_owned());
    }
    if request.mode != UpdateMode::Write && journal::is_interrupted(root) {
        return Err(UpdateError::Pending(root.clone()));
    }
    if request.mode == UpdateMode::Write
        && let Some(Finished { steps, index }) = journal.finish()?
    {
        remarks.push(format!(
            "an earlier run was interrupted; its {} complete now",
            plural_word(steps, "file is", "files are")
        ));
        remarks.extend(index.map(|reason| format!("its conflicts are in the files, not in git's index: {reason}")));
    }
    let record = project::read_record(root)?;
    let template = project::template(request.template.as_deref(), Some(&record), &request.hooks)?;
    let answers = project::answers(&template, &request.set, &record.answers)?;
    progress("rendering the template with the recorded answers");
    // Another process renders: what an update needs besides is read meanwhile.
    let (theirs, (base, tracked)) = rayon::join(
        || project::rendering(&template, &record.name, &answers, interrupt),
        || (project::read_base(root), stages::tracked(root)),
    );
    let (records, theirs) = (Records { record, base: base? }, theirs?);
    let is_available = records.base != theirs;
    // To pack the new records takes as long as to plan.
    let (planned, archive) = rayon::join(
        || plan_update(request, &records, &template, &theirs, tracked.as_ref().ok().and_then(Option::as_ref)),
        || match request.mode {
            UpdateMode::Write if is_available => layout::archive(&theirs),
            _ => Ok(FileTree::new()),
        },
    );
    let (mut planned, archive) = (planned?, archive?);

    let state = match (planned.unsettled.is_empty(), is_available) {
        (false, _) => UpdateState::Unsettled,
        (true, false) => UpdateState::UpToDate,
        (true, true) => UpdateState::Available,
    };
    let to = TemplateId { version: template.version(), digest: Some(template.digest()) };
    let mut report = UpdateReport {
        name: records.record.name.clone(),
        state,
        from: TemplateId {
            version: records.record.version.as_ref().map(ToString::to_string),
            digest: records.record.digest.clone(),
        },
        notes: Vec::new(),
        actions: Vec::new(),
        unsettled: std::mem::take(&mut planned.unsettled),
        drift: None,
        every_file: request.mode == UpdateMode::DryRun,
        to,
    };
    if request.mode == UpdateMode::Check {
        let mut drift = drift::drift(&records.base, &planned.ours, &template.manifest.rules);
        if let Ok(Some(tracked)) = &tracked {
            drift.retain(|file| !tracked.absent.contains(&file.path));
        }
        report.drift = Some(drift);
    }
    let mut prepared =
        PreparedUpdate { request, journal, tracked, records: FileTree::new(), unpacked: None, report, remarks };
    if state == UpdateState::Unsettled {
        return Ok(prepared);
    }
    if is_available {
        let (from, to) = (records.record.version.as_ref(), template.manifest.rules.version.as_ref());
        prepared.report.notes = report::notes(&template.files, from, to);
    }
    prepared.remarks.append(&mut planned.remarks);
    prepared.report.actions = planned.actions;
    prepared.records = layout::record(&template, &records.record.name, &answers);
    // Most of those who only look do not write.
    prepared.unpacked = Some(theirs).filter(|_| is_available && archive.is_empty());
    prepared.records.extend(archive);
    Ok(prepared)
}

impl PreparedUpdate<'_> {
    /// Returns what would be done.
    #[must_use]
    pub fn outcome(self) -> UpdateOutcome {
        UpdateOutcome { report: self.report, remarks: self.remarks }
    }

    /// Returns the steps of it, records last. There is none without an update, or where conflicts of an earlier one are left.
    ///
    /// # Errors
    /// When git could not bring back what is there, or a file cannot be read.
    pub fn steps(&mut self) -> Result<Vec<FileStep>, UpdateError> {
        if self.report.state == UpdateState::Unsettled {
            return Ok(Vec::new());
        }
        if let Some(rendering) = self.unpacked.take() {
            self.records.extend(layout::archive(&rendering)?);
        }
        let actions = &self.report.actions;
        let steps = steps(&self.request.root, actions, &self.records)?;
        if !steps.is_empty() {
            protect(self.request, actions, &steps, &self.tracked)?;
        }
        Ok(steps)
    }

    /// Writes it, all or nothing.
    ///
    /// # Errors
    /// As of [`Self::steps`], and when a file has changed since the plan, or the system refuses. Nothing has changed then, or a run
    /// after it finishes what is left.
    pub fn write(mut self, interrupt: &Interrupt, progress: &dyn Fn(&str)) -> Result<UpdateOutcome, UpdateError> {
        let steps = self.steps()?;
        if !steps.is_empty() {
            interrupt.check()?;
            progress(&format!("writing {} files", steps.len()));
            if let Some(reason) = self.journal.write(&steps, &conflicts(&self.report.actions))?.index {
                self.remarks.push(format!("the conflicts are in the files, not in git's index: {reason}"));
            }
        }
        if self.report.state == UpdateState::Available {
            let in_conflict = self.report.actions.iter().any(|action| action.kind.is_conflict());
            self.report.state = if in_conflict { UpdateState::Conflicts } else { UpdateState::Updated };
        }
        Ok(self.outcome())
    }
}

/// A plan, and what it was made from.
struct Planned {
    actions: Vec<Action>,
    ours: BTreeMap<String, PathState>,
    unsettled: Vec<String>,
    remarks: Vec<String>,
}

fn plan_update(
    request: &UpdateRequest,
    records: &Records,
    template: &Template,
    theirs: &FileTree,
    tracked: Option<&Tracked>,
) -> Result<Planned, UpdateError> {
    let (root, rules) = (&request.root, &template.manifest.rules);
    if let Some(tracked) = tracked {
        // What is not there would look deleted, and the update would be lost for it.
        let is_new = |path: &&String| records.base.get(*path) != theirs.get(*path);
        let absent: Vec<String> = tracked.absent.iter().filter(is_new).cloned().collect();
        if !absent.is_empty() {
            return Err(UpdateError::Absent(absent));
        }
    }
    let mut ours = paths::read(root, plan::paths(&records.base, theirs).iter())?;
    if let Some(tracked) = tracked.filter(|tracked| !tracked.file_mode) {
        keep_modes(&mut ours, tracked, &records.base);
    }
    let words =
        |id: Option<&Version>| id.map_or_else(|| "template".to_owned(), |version| format!("template {version}"));
    let labels = MarkerLabels {
        ours: "yours".to_owned(),
        base: format!("{} (before)", words(records.record.version.as_ref())),
        theirs: words(rules.version.as_ref()),
    };
    let missing = plan::missing(&records.base, &ours);
    let needs_code = kept::has_fewer(&records.base, theirs);
    let is_wanted =
        |path: &str| (needs_code && path.ends_with(".rs")) || missing.iter().any(|gone| plan::is_alike(gone, path));
    let others = match needs_code || !missing.is_empty() {
        true => paths::others(root, &is_wanted, &ours),
        false => FileTree::new(),
    };
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

/// Returns what is to be written: the files of the plan, and these records last.
fn steps(root: &Path, actions: &[Action], records: &FileTree) -> Result<Vec<FileStep>, UpdateError> {
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
fn protect(
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

fn conflicts(actions: &[Action]) -> Vec<Conflict> {
    let in_conflict = actions.iter().filter(|action| action.kind.is_conflict() && action.kind != ActionKind::InTheWay);
    in_conflict.map(|action| Conflict { path: action.path.clone(), stages: action.stages.clone() }).collect()
}

/// Returns the records of a project that begins from this rendering, as steps.
fn record_steps(
    root: &Path,
    base: &FileTree,
    template: &Template,
    name: &str,
    answers: &Answers,
) -> Result<Vec<FileStep>, UpdateError> {
    steps(root, &[], &layout::records(base, template, name, answers)?)
}
