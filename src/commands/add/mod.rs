//! `mcp-kit add`.

mod operations;
mod report;

use std::path::Path;

use crate::cli::{AddCommand, AddSetting, AddTool, AddUpstream, AddWhere};
use crate::commands::console::{Console, Status};
use crate::error::Failure;
use crate::fs::journal;
use crate::fs::{change::Change, rustfmt};
use crate::scaffold::extend::files::ProjectFiles;
use crate::scaffold::extend::rows::{self, SettingRow};
use crate::scaffold::extend::tool::{self, Argument, NewTool};
use crate::scaffold::extend::upstream::{self, NewUpstream};
use report::AddReport;

/// Runs the command.
///
/// # Errors
/// When nothing can be added, or it cannot be written. Nothing is half written.
pub fn run(command: &AddCommand, console: &Console) -> Result<Status, Failure> {
    match command {
        AddCommand::Tool(command) => add_tool(command, console),
        AddCommand::Upstream(command) => add_upstream(command, console),
        AddCommand::Setting(command) => add_setting(command, console),
    }
}

fn add_tool(command: &AddTool, console: &Console) -> Result<Status, Failure> {
    let mut files = ProjectFiles::open(&command.place.dir)?;
    if let Some(description) = &command.from_openapi {
        let (what, notes) = operations::add(&mut files, command, description)?;
        return finish(files, &command.place, console, what, notes);
    }
    let name = command.name.clone().unwrap_or_default();
    let arguments: Result<Vec<Argument>, _> = command.argument.iter().map(|text| Argument::parse(text)).collect();
    let tool = NewTool {
        name: name.clone(),
        title: command.title.clone(),
        description: command.description.clone(),
        arguments: arguments?,
        upstream: command.upstream.clone(),
    };
    tool::add(&mut files, &tool)?;
    let next = vec![format!("write what {name} does, in src/handlers/tools.rs"), "scripts/test.sh".to_owned()];
    finish(files, &command.place, console, format!("tool {name}"), next)
}

fn add_upstream(command: &AddUpstream, console: &Console) -> Result<Status, Failure> {
    let mut files = ProjectFiles::open(&command.place.dir)?;
    let upstream = NewUpstream {
        name: command.name.clone(),
        title: command.title.clone(),
        base: command.base.clone(),
        token_from: command.token_from.clone(),
        token_header: command.token_header.clone(),
        access: command.access,
        probe: command.probe.clone(),
    };
    upstream::add(&mut files, &upstream)?;
    let mut next = vec![token_step(&command.name)];
    if command.base.is_none() {
        next.insert(
            0,
            format!(
                "put its address in place of the example: {}_API_BASE in src/config.rs",
                command.name.to_uppercase()
            ),
        );
    }
    next.push(format!("mcp-kit add tool NAME --upstream {}", command.name));
    finish(files, &command.place, console, format!("upstream {}", command.name), next)
}

/// The step that only a person can take, as no token is typed into a command.
fn token_step(upstream: &str) -> String {
    format!("put the token into .env, which scripts/local-dev.sh makes: {}_TOKEN=…", upstream.to_uppercase())
}

fn add_setting(command: &AddSetting, console: &Console) -> Result<Status, Failure> {
    let mut files = ProjectFiles::open(&command.place.dir)?;
    let words = command.name.to_lowercase().replace('_', " ");
    let row = SettingRow {
        name: command.name.clone(),
        kind: command.kind,
        default: command.default.clone(),
        group: command.group.clone(),
        help: command
            .meaning
            .clone()
            .unwrap_or_else(|| format!("The {words}. Say here what it means, and what it is for.")),
    };
    row.check()?;
    rows::add(&mut files, &row)?;
    let getter = match command.kind {
        rows::SettingKind::Text => "text",
        rows::SettingKind::List => "list",
        rows::SettingKind::Switch => "is_on",
        rows::SettingKind::Number => "number",
        rows::SettingKind::Seconds => "seconds",
        rows::SettingKind::Url => "url",
        rows::SettingKind::Secret => "secret", // pragma: allowlist secret
        rows::SettingKind::Token => {
            let next =
                vec![format!("use it in a tool: mcp_server_runtime::token(&parts, \"{}\").await?", command.name)];
            return finish(files, &command.place, console, format!("setting {}", command.name), next);
        }
    };
    let next = vec![format!("use it in src/lib.rs: settings.{getter}(\"{}\")?", command.name)];
    finish(files, &command.place, console, format!("setting {}", command.name), next)
}

/// Formats, writes and reports.
fn finish(
    files: ProjectFiles,
    place: &AddWhere,
    console: &Console,
    what: String,
    next: Vec<String>,
) -> Result<Status, Failure> {
    let added = files.added().to_vec();
    let mut changes = files.changes();
    if !rustfmt::format(&place.dir, &mut changes) {
        console.note("rustfmt is not installed, so the new code is not formatted: cargo fmt does it");
    }
    if !place.dry_run {
        write(&place.dir, &changes)?;
    }
    AddReport { what, added, changes: &changes, next, is_dry_run: place.dry_run }.print(place.format, console)?;
    Ok(Status::Clean)
}

/// Writes all files or none.
///
/// # Errors
/// When the disk does not allow it.
pub fn write(root: &Path, changes: &[Change]) -> Result<(), Failure> {
    let root = root.canonicalize().map_err(|error| Failure::output(&error))?;
    Ok(journal::write_changes(&root, changes)?)
}
