//! `mcp-kit catalog check`.

use std::time::Instant;

use crate::audit::finding::{Report, Severity};
use crate::audit::report::{self, Format};
use crate::catalog::advice;
use crate::catalog::source::CatalogSource;
use crate::cli::CatalogCheck;
use crate::commands::console::{Console, Status};
use crate::error::Failure;
use crate::fs::terminal::{self, Paint};
use crate::text::date::today;
use crate::text::plural::plural;

/// Runs the command.
///
/// # Errors
/// When the catalog cannot be read, or has errors.
pub(super) fn run(command: &CatalogCheck, console: &Console) -> Result<Status, Failure> {
    let start = Instant::now();
    let source = CatalogSource::load(&command.file.path)?;
    let mut report = advice::report(&source, advice::findings(&source, today()), None);
    report.duration = start.elapsed();
    if report.findings.is_empty() && command.format == Format::Human {
        let (services, deprecations) = (source.catalog.services.len(), source.catalog.deprecations.len());
        let counts = format!("{} and {}", plural(services, "service"), plural(deprecations, "deprecation"));
        console.print(format!("{}: {counts}, no problems\n", command.file.path.display()).as_bytes())?;
        return Ok(Status::Clean);
    }
    print(&report, command.format, console)?;
    Ok(status(&report, command.strict))
}

/// Prints a report about the fleet.
///
/// # Errors
/// When standard output cannot be written.
pub(super) fn print(report: &Report, format: Format, console: &Console) -> Result<(), Failure> {
    let mut bytes = Vec::new();
    report::write(report, format, Paint::stdout(), terminal::width(), &mut bytes)
        .map_err(|error| Failure::output(&error))?;
    console.print(&bytes)
}

/// Returns the end of a command with this report.
pub(super) fn status(report: &Report, strict: bool) -> Status {
    let least = if strict { Severity::Warning } else { Severity::Error };
    if report.findings.iter().any(|finding| finding.severity >= least) { Status::Found } else { Status::Clean }
}
