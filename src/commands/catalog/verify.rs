//! `mcp-kit catalog verify`.

use std::time::{Duration, Instant, SystemTime};

use super::check::{print, status};
use super::export::is_known;
use super::migrate::{difference, edit_error};
use crate::audit::finding::Severity;
use crate::catalog::advice;
use crate::catalog::ids::ids;
use crate::catalog::source::CatalogSource;
use crate::cli::CatalogVerify;
use crate::commands::console::{Console, Status};
use crate::error::Failure;
use crate::fs::files;
use crate::text::date::today;
use crate::text::plural::plural;
use crate::verify::credentials::Credentials;
use crate::verify::{VerifySettings, addresses, ask, compare, record};

/// Runs the command.
///
/// # Errors
/// When the catalog or the credentials cannot be read, nothing can be asked, or the catalog cannot be written.
pub(super) fn run(command: &CatalogVerify, console: &Console) -> Result<Status, Failure> {
    let start = Instant::now();
    let source = CatalogSource::load(&command.file.path)?;
    for name in &command.service {
        is_known(&source, name)?;
    }
    let credentials = command.credentials.as_deref().map(Credentials::load).transpose()?.unwrap_or_default();
    let known = ids(&source.catalog.services);
    for id in credentials.ids().filter(|id| known.iter().all(|known| known != id)) {
        console.note(&format!("the credentials have {id:?}, and no service has this id"));
    }
    let asked = addresses(&source, &command.service);
    if asked.is_empty() {
        console.note("no service runs and has a url, so there is nothing to ask");
    }
    let settings = VerifySettings {
        timeout: Duration::from_secs(command.timeout.into()),
        concurrency: command.concurrency.into(),
    };
    let observations = console
        .during("servers asked", |progress| ask(&asked, &credentials, settings, &|done, all| progress(done, all)))?;
    let findings = compare::compare(&source, &asked, &observations, SystemTime::now());
    let mut report = advice::report(&source, findings, Some(asked.len()));
    report.duration = start.elapsed();
    if command.write {
        let day = today().to_string();
        let recorded = record::record(&source, &asked, &observations, &report.findings, &day)
            .map_err(|error| edit_error(&command.file.path, error))?;
        if command.dry_run {
            console.print(difference(&command.file.path, &source.text, &recorded.text).as_bytes())?;
            return Ok(status(&report, command.strict));
        }
        if recorded.text != source.text {
            files::replace(&command.file.path, recorded.text.as_bytes())?;
        }
        console.note(&format!(
            "recorded {} of {}",
            plural(recorded.names.len(), "service"),
            command.file.path.display()
        ));
    }
    print(&report, command.format, console)?;
    if command.credentials.is_none() && report.findings.iter().all(|finding| finding.severity < Severity::Error) {
        console.step("versions and tools of servers with authentication need --credentials");
    }
    Ok(status(&report, command.strict))
}
