//! `mcp-kit doctor`: what this machine lacks for making, running and shipping a server.

mod checks;

use std::fmt::Write as _;

use serde::Serialize;

use crate::cli::{Doctor, OutputFormat};
use crate::commands::console::{Console, Status};
use crate::error::Failure;
use crate::fs::terminal::{Paint, Role};

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum MachineStatus {
    Ok,
    /// Something optional is missing.
    Warn,
    /// Something necessary is missing.
    Fail,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct MachineCheck {
    name: &'static str,
    status: MachineStatus,
    /// The version that is there, or the fault.
    found: String,
    /// The purpose.
    purpose: &'static str,
    /// How to get it, where it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

#[derive(Serialize)]
struct DoctorJson<'a> {
    schema: &'static str,
    checks: &'a [MachineCheck],
}

/// Runs the command.
///
/// # Errors
/// When standard output cannot be written.
pub fn run(command: &Doctor, console: &Console) -> Result<Status, Failure> {
    let checks = checks::all(&command.port);
    let text = match command.format {
        OutputFormat::Json => {
            serde_json::to_string_pretty(&DoctorJson { schema: "mcp-kit/doctor/1", checks: &checks })
                .unwrap_or_default()
                + "\n"
        }
        OutputFormat::Human => human(&checks, console.is_quiet()),
    };
    console.print(text.as_bytes())?;
    let fails = checks.iter().any(|check| check.status == MachineStatus::Fail);
    Ok(if fails { Status::Found } else { Status::Clean })
}

fn human(checks: &[MachineCheck], is_quiet: bool) -> String {
    let paint = Paint::stdout();
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for check in checks.iter().filter(|check| !is_quiet || check.status == MachineStatus::Fail) {
        let status = match check.status {
            MachineStatus::Ok => "ok  ".to_owned(),
            MachineStatus::Warn => paint.paint(Role::Warning, "warn"),
            MachineStatus::Fail => paint.paint(Role::Error, "fail"),
        };
        let _ = writeln!(text, "{status}  {:width$}  {}", check.name, check.found);
        if let Some(fix) = &check.fix {
            let _ = writeln!(text, "      {:width$}  for: {}", "", check.purpose);
            let _ = writeln!(text, "      {:width$}  get: {fix}", "");
        }
    }
    text
}
