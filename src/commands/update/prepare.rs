//! An update up to its plan, and the writing of it: lock, interrupted run, rendering, plan, records.

use super::error::UpdateError;
use super::planned::{Planned, plan_update};
use super::project::{self, Records};
use super::report::{self, TemplateId, UpdateReport, UpdateState};
use super::steps::{conflicts, protect, steps};
use super::{UpdateMode, UpdateOutcome, UpdateRequest};
use crate::fs::files::FileTree;
use crate::fs::git::stages::{self, Tracked};
use crate::fs::interrupt::Interrupt;
use crate::fs::journal::{self, FileStep, Finished, Journal};
use crate::scaffold::project as layout;
use crate::scaffold::template::Template;
use crate::scaffold::update::drift;
use crate::text::plural::plural_word;

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
    let remarks = take_up(&journal, request)?;
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
    let mut report = UpdateReport {
        name: records.record.name.clone(),
        state,
        from: TemplateId {
            version: records.record.version.as_ref().map(ToString::to_string),
            digest: records.record.digest.clone(),
        },
        to: TemplateId { version: template.version(), digest: Some(template.digest()) },
        notes: Vec::new(),
        actions: Vec::new(),
        unsettled: std::mem::take(&mut planned.unsettled),
        drift: None,
        every_file: request.mode == UpdateMode::DryRun,
    };
    if request.mode == UpdateMode::Check {
        report.drift =
            Some(drift_of_owner(&records, &planned, &template, tracked.as_ref().ok().and_then(Option::as_ref)));
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
    // Most runs that only report do not write.
    prepared.unpacked = Some(theirs).filter(|_| is_available && archive.is_empty());
    prepared.records.extend(archive);
    Ok(prepared)
}

/// Finishes an interrupted run where this one may write. Returns remarks about it and about the file system.
fn take_up(journal: &Journal<'_>, request: &UpdateRequest) -> Result<Vec<String>, UpdateError> {
    let mut remarks = Vec::new();
    if !journal.is_locked() && cfg!(unix) {
        remarks.push("this file system has no locks: run one update at a time".to_owned());
    }
    if request.mode != UpdateMode::Write {
        return match journal::is_interrupted(&request.root) {
            true => Err(UpdateError::Pending(request.root.clone())),
            false => Ok(remarks),
        };
    }
    if let Some(Finished { steps, index }) = journal.finish()? {
        remarks.push(format!(
            "an earlier run was interrupted; its {} complete now",
            plural_word(steps, "file is", "files are")
        ));
        remarks.extend(index.map(|reason| format!("its conflicts are in the files, not in git's index: {reason}")));
    }
    Ok(remarks)
}

/// Returns what the owner has changed, without files that git keeps out of the work tree.
fn drift_of_owner(
    records: &Records,
    planned: &Planned,
    template: &Template,
    tracked: Option<&Tracked>,
) -> Vec<drift::Drift> {
    let mut drift = drift::drift(&records.base, &planned.ours, &template.manifest.rules);
    if let Some(tracked) = tracked {
        drift.retain(|file| !tracked.absent.contains(&file.path));
    }
    drift
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
