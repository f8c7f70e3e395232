//! The command `mcp-kit update`: base, ours, theirs → plan → all of it or nothing.

mod adopt;
pub mod error;
mod pages;
mod planned;
mod prepare;
mod project;
mod records;
pub mod report;
mod steps;

use std::path::PathBuf;

use crate::cli::{OutputFormat, Update};
use crate::commands::console::{Console, Status};
use crate::error::Failure;
use crate::fs::interrupt::Interrupt;
use crate::fs::terminal::Paint;
use crate::scaffold::template::ScriptPolicy;
use crate::text::date::today;
use error::UpdateError;
use report::{UpdateReport, UpdateState};

pub use prepare::{PreparedUpdate, prepare};

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
