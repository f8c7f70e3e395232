//! `mcp-kit catalog verify`.

use std::time::{Duration, Instant, SystemTime};

use super::check::{print, status};
use super::export::is_known;
use super::migrate::{difference, edit_error};
use crate::catalog::advice;
use crate::catalog::ids::ids;
use crate::catalog::source::CatalogSource;
use crate::cli::CatalogVerify;
use crate::commands::console::{Console, Status};
use crate::error::Failure;
use crate::fs::files;
use crate::text::date::today;
use crate::text::plural::{plural, some};
use crate::verify::credentials::Credentials;
use crate::verify::observation::Observation;
use crate::verify::record::Recorded;
use crate::verify::{ServerAddress, VerifySettings, addresses, ask, compare, record};

/// The number of services that a note names.
const NAMED: usize = 5;

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
        note_recorded(command, &source, &asked, &recorded, console);
    }
    print(&report, command.format, console)?;
    note_unseen(command, &asked, &observations, console);
    Ok(status(&report, command.strict))
}

/// Notes how many services are recorded, and which of those that were asked are not.
fn note_recorded(
    command: &CatalogVerify,
    source: &CatalogSource,
    asked: &[ServerAddress],
    recorded: &Recorded,
    console: &Console,
) {
    let names = asked.iter().map(|address| source.catalog.services[address.index].name.as_str());
    let mut left: Vec<&str> = names.filter(|name| recorded.names.iter().all(|recorded| recorded != name)).collect();
    left.dedup();
    let rest = match left.is_empty() {
        true => String::new(),
        false => format!("; not those with errors, nor where only Cloudflare Access answered: {}", some(&left, NAMED)),
    };
    let path = command.file.path.display();
    console.note(&format!("recorded {} of {path}{rest}", plural(recorded.names.len(), "service")));
}

/// Notes the services whose version and tools were not compared, because there was no credential: there, no finding proves
/// nothing.
fn note_unseen(command: &CatalogVerify, asked: &[ServerAddress], observations: &[Observation], console: &Console) {
    let is_unseen =
        |observation: &&Observation| observation.session.is_none() && observation.stranger.wants_credentials();
    let addresses = observations.iter().filter(is_unseen).filter_map(|observation| asked.get(observation.address));
    let mut unseen: Vec<&str> = addresses.map(|address| address.id.as_str()).collect();
    unseen.dedup();
    if unseen.is_empty() {
        return;
    }
    console.note(&format!("without a credential, version and tools were not compared: {}", some(&unseen, NAMED)));
    if command.credentials.is_none() {
        console.step("--credentials FILE has the headers of each server, by its id");
    }
}
