//! The commands `mcp-kit fleet status` and `mcp-kit fleet update`: `mcp-kit update` for many projects.

pub mod report;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rayon::prelude::*;

use crate::catalog::service::ServiceKind;
use crate::catalog::{Catalog, CatalogError};
use crate::cli::{FleetCommand, FleetFormat, FleetProjects};
use crate::commands::console::{Console, Status};
use crate::commands::update::report::{UpdateReport, UpdateState};
use crate::commands::update::{self, UpdateMode, UpdateRequest};
use crate::error::{Explain, Failure, Message};
use crate::fs::clone::without_secrets;
use crate::fs::git::branch;
use crate::fs::interrupt::Interrupt;
use crate::fs::repository::{ELSEWHERE, root_around};
use crate::scaffold::template::ScriptPolicy;
use crate::text::date::today;
use report::{FleetRow, ProjectState};

/// The reason that a fleet was not inspected.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// The list cannot be read.
    #[error("cannot read the list of repositories in {}: {source}", path.display())]
    List {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The list names nothing.
    #[error("{} names no repository", .0.display())]
    Empty(PathBuf),
    /// The catalog cannot be read.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// Runs the command.
///
/// # Errors
/// When the list of projects cannot be read. What is wrong with a single project stands in the table.
pub fn run(command: &FleetCommand, console: &Console) -> Result<Status, Failure> {
    let interrupt = Interrupt::listen().map_err(|error| Failure::output(&error))?;
    let (fleet, writes) = match command {
        FleetCommand::Status(fleet) => (fleet, None),
        FleetCommand::Update { fleet, test } => (fleet, Some(test.as_deref())),
    };
    let (list, folder) = repositories(fleet)?;
    let work = |(number, repository): (usize, &String)| {
        let row = project(repository, &folder, fleet, writes, &interrupt)
            .unwrap_or_else(|reason| FleetRow::failed(without_secrets(repository), reason));
        console.step(&format!("{} of {}: {}", number + 1, list.len(), row.repository));
        row
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(fleet.jobs).build();
    let groups = groups(&list, &folder);
    let group = |group: &Vec<usize>| -> Vec<(usize, FleetRow)> {
        group.iter().filter_map(|number| Some((*number, work((*number, list.get(*number)?))))).collect()
    };
    let mut rows: Vec<(usize, FleetRow)> = match pool {
        Ok(pool) => pool.install(|| groups.par_iter().flat_map_iter(group).collect()),
        // Without threads of its own it takes longer.
        Err(_) => groups.iter().flat_map(group).collect(),
    };
    rows.sort_by_key(|(number, _)| *number);
    let rows: Vec<FleetRow> = rows.into_iter().map(|(_, row)| row).collect();
    interrupt.check()?;
    let text = match fleet.format {
        FleetFormat::Human => report::text(&rows),
        FleetFormat::Json => format!("{}\n", report::json(&rows).map_err(|error| Failure::output(&error.into()))?),
        FleetFormat::Html => report::html(&rows),
    };
    console.print(text.as_bytes())?;
    let is_settled = |row: &FleetRow| matches!(row.state, ProjectState::UpToDate | ProjectState::Updated);
    Ok(if rows.iter().all(is_settled) { Status::Clean } else { Status::Found })
}

/// Returns the repositories, and the folder that their paths are relative to.
fn repositories(fleet: &FleetProjects) -> Result<(Vec<String>, PathBuf), FleetError> {
    let path = fleet.catalog.as_ref().or(fleet.repos.as_ref()).cloned().unwrap_or_default();
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    let list: Vec<String> = if fleet.catalog.is_some() {
        let catalog = Catalog::load(&path)?;
        let servers = catalog.services.into_iter().filter(|service| service.kind == ServiceKind::Server);
        servers.filter_map(|service| service.repository).collect()
    } else {
        let text = std::fs::read_to_string(&path).map_err(|source| FleetError::List { path: path.clone(), source })?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.map(str::to_owned).collect()
    };
    if list.is_empty() { Err(FleetError::Empty(path)) } else { Ok((list, folder)) }
}

/// Returns the numbers of the projects by repository: a repository has one branch checked out, so the projects in it wait for each other.
fn groups(list: &[String], folder: &Path) -> Vec<Vec<usize>> {
    let mut groups: BTreeMap<PathBuf, Vec<usize>> = BTreeMap::new();
    for (number, repository) in list.iter().enumerate() {
        let path = folder.join(repository);
        // An address has a clone of its own.
        let root = path.canonicalize().ok().and_then(|path| root_around(&path).map(Path::to_owned));
        groups.entry(root.unwrap_or(path)).or_default().push(number);
    }
    groups.into_values().collect()
}

/// Inspects one project, and updates it on a branch of its own when `writes` says so, with the tests to run.
fn project(
    repository: &str,
    folder: &Path,
    fleet: &FleetProjects,
    writes: Option<Option<&str>>,
    interrupt: &Interrupt,
) -> Result<FleetRow, String> {
    interrupt.check().map_err(|error| error.to_string())?;
    let root = checkout(repository, folder, fleet)?;
    // Before the plan, which is for this commit: another one may be made meanwhile.
    let base = writes.map(|_| branch::base(&root));
    let request = UpdateRequest {
        root: root.clone(),
        // An interrupted run is left to the project's owner.
        mode: UpdateMode::DryRun,
        set: Vec::new(),
        template: fleet.template.clone(),
        hooks: ScriptPolicy::Refuse,
        allow_dirty: false,
        today: today().to_string(),
    };
    let mut prepared = update::prepare(&request, interrupt, &|_| {}).map_err(|error| sentence(&error))?;
    let mut row = planned(repository, &prepared.report);
    let (Some(test), Some(base), ProjectState::Available) = (writes, base, row.state) else { return Ok(row) };
    let name = branch_name(&root, row.to.as_deref().unwrap_or("template"));
    if branch::exists(&root, &name) {
        row.state = ProjectState::Failed;
        row.reason =
            Some(format!("an earlier run has left the branch {name}: merge it, or remove it (git branch -D {name})"));
        return Ok(row);
    }
    let no_branch = "no branch is checked out, to come back to after the tests";
    let tests = test.map(|test| branch::current(&root).map(|before| (test, before)).ok_or(no_branch)).transpose()?;
    let steps = prepared.steps().map_err(|error| sentence(&error))?;
    interrupt.check().map_err(|error| error.to_string())?;
    branch::commit(&base?, &name, &steps, &prepared.report.title())?;
    row.state = ProjectState::Updated;
    if let Some((test, before)) = tests {
        branch::switch(&root, &name)?;
        row.reason = failure(&root, test);
        if row.reason.is_some() {
            row.state = ProjectState::TestsFail;
        }
        branch::switch(&root, &before)?;
    }
    row.branch = Some(name);
    Ok(row)
}

/// Returns the row of a project before anything is written.
fn planned(repository: &str, report: &UpdateReport) -> FleetRow {
    let conflicts = report.conflicts();
    let state = match report.state {
        UpdateState::UpToDate => ProjectState::UpToDate,
        _ if conflicts.is_empty() => ProjectState::Available,
        _ => ProjectState::Conflicts,
    };
    let has_update = state != ProjectState::UpToDate;
    FleetRow {
        repository: without_secrets(repository),
        name: Some(report.name.clone()),
        from: report.from.version.clone(),
        to: report.to.version.clone(),
        state,
        security: report.notes.iter().any(|note| note.text.to_lowercase().contains("security")),
        conflicts,
        branch: None,
        title: has_update.then(|| report.title()),
        body: has_update.then(|| report.body()),
        reason: None,
    }
}

/// Runs the tests in a project, and returns why they fail.
fn failure(root: &Path, test: &str) -> Option<String> {
    let mut shell = Command::new("sh");
    shell.args(["-c", test]).current_dir(root).stdin(Stdio::null());
    for variable in ELSEWHERE {
        shell.env_remove(variable);
    }
    match shell.output() {
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Some(format!("{test}: {}: {}", output.status, said.lines().last().unwrap_or_default()))
        }
        Err(error) => Some(format!("{test}: {error}")),
    }
}

/// Returns the name of the branch for an update. Where several projects share a repository, each has one of its own.
fn branch_name(root: &Path, version: &str) -> String {
    let folder = root_around(root).and_then(|top| root.strip_prefix(top).ok()).unwrap_or(Path::new(""));
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let folder: String = folder.to_string_lossy().chars().map(plain).collect();
    if folder.is_empty() { format!("mcp-kit/update-{version}") } else { format!("mcp-kit/update-{version}-{folder}") }
}

/// Returns the folder of a repository, which is cloned when the list has its address.
fn checkout(repository: &str, folder: &Path, fleet: &FleetProjects) -> Result<PathBuf, String> {
    let is_address = repository.contains("://") || (repository.contains('@') && repository.contains(':'));
    let path = if is_address {
        let clones = fleet.clones.as_ref().ok_or("an address needs --clones, the folder for clones")?;
        let name = repository.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or_default();
        let name = name.strip_suffix(".git").unwrap_or(name);
        if name.is_empty() || name.starts_with('.') {
            return Err("the address does not end with a name".to_owned());
        }
        let path = std::path::absolute(clones.join(name)).map_err(|error| error.to_string())?;
        if !path.exists() {
            branch::clone(repository, &path)?;
        }
        path
    } else {
        folder.join(repository)
    };
    path.canonicalize().map_err(|error| format!("{}: {error}", path.display()))
}

/// Returns an error and its hint in one line.
fn sentence(error: &impl Explain) -> String {
    let sentence = |Message { what, hint }: Message| match hint {
        Some(hint) => format!("{what} ({hint})"),
        None => what,
    };
    error.messages().into_iter().map(sentence).collect::<Vec<_>>().join("; ")
}

impl Explain for FleetError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::List { .. } => Some("give a file with a folder or an address of git a line".into()),
            Self::Empty(_) => {
                Some("write a folder or an address of git a line; in a catalog, `repository` of its servers".into())
            }
            Self::Catalog(error) => error.hint(),
        }
    }

    fn status(&self) -> u8 {
        match self {
            Self::Catalog(error) => error.status(),
            _ => crate::error::USAGE,
        }
    }

    fn messages(&self) -> Vec<Message> {
        match self {
            Self::Catalog(error) => error.messages(),
            _ => vec![self.message()],
        }
    }
}
