//! Findings about a catalog that is valid: what is missing, what is old. Pure.

use chrono::NaiveDate;

use super::service::{Service, ServiceStatus};
use super::source::{CatalogPlace, CatalogSource};
use super::{FORMAT, migrate};
use crate::audit::finding::{Code, Finding, FleetTally, Report, Severity};
use crate::text::date::parse_day;
use crate::text::path::display_path;
use crate::text::plural::plural;

/// Returns a finding about the catalog, or `None` when its severity is off.
#[must_use]
pub fn finding(
    source: &CatalogSource,
    place: CatalogPlace,
    code: Code,
    severity: Severity,
    message: String,
) -> Option<Finding> {
    Some(Finding {
        code,
        severity: source.catalog.check.severity(code, severity)?,
        path: file_name(source),
        line: place.line,
        column: place.column,
        span: place.span,
        excerpt: place.excerpt,
        target: None,
        message,
        suggestion: None,
        fix: None,
    })
}

/// Returns the path of the catalog as reports have it.
fn file_name(source: &CatalogSource) -> String {
    let text = display_path(source.path.as_os_str().as_encoded_bytes()).replace('\\', "/");
    text.strip_prefix("./").map_or(text.clone(), str::to_owned)
}

/// Returns a report of these findings.
#[must_use]
pub fn report(source: &CatalogSource, mut findings: Vec<Finding>, asked: Option<usize>) -> Report {
    crate::audit::locate::sort(&mut findings);
    let services = source.catalog.services.len();
    Report { root: ".".to_owned(), fleet: Some(FleetTally { services, asked }), findings, ..Report::default() }
}

/// Returns all findings about the catalog, as of `today`.
#[must_use]
pub fn findings(source: &CatalogSource, today: NaiveDate) -> Vec<Finding> {
    let mut found: Vec<Option<Finding>> = Vec::new();
    for step in migrate::steps(source) {
        let place = source.place(step.span.clone());
        found.push(finding(source, place, Code::OldCatalog, Severity::Note, step.message));
    }
    for (index, service) in source.catalog.services.iter().enumerate() {
        if service.is_server() && service.status == Some(ServiceStatus::Deployed) {
            incomplete(source, index, service, today, &mut found);
        }
    }
    found.into_iter().flatten().collect()
}

/// Finds what a deployed server lacks.
fn incomplete(
    source: &CatalogSource,
    index: usize,
    service: &Service,
    today: NaiveDate,
    found: &mut Vec<Option<Finding>>,
) {
    let mut warn = |code: Code, fields: &[&str], message: String| {
        found.push(finding(source, source.field(index, fields), code, Severity::Warning, message));
    };
    let name = &service.name;
    if service.owner.is_none() {
        warn(Code::MissingOwner, &[], format!("{name} is deployed and has no owner"));
    }
    if service.main_url().is_none() {
        warn(Code::MissingUrl, &["environments"], format!("{name} is deployed and has no url"));
    }
    let days = source.catalog.check.days();
    match service.last_verified.as_deref().and_then(parse_day) {
        None => warn(Code::NotVerified, &[], format!("{name} is deployed and was never verified")),
        Some(day) if day > today => {
            warn(Code::NotVerified, &["last_verified"], format!("{name} was verified on a day that is not there yet"));
        }
        Some(day) if (today - day).num_days() > i64::from(days) => {
            let age = plural(usize::try_from((today - day).num_days()).unwrap_or_default(), "day");
            warn(
                Code::NotVerified,
                &["last_verified"],
                format!("{name} was last verified {age} ago, more than {days}"),
            );
        }
        Some(_) => {}
    }
}

/// Returns whether the catalog has the newest form.
#[must_use]
pub fn is_newest(source: &CatalogSource) -> bool {
    source.catalog.format == Some(FORMAT)
}
