//! Messages that several formats share.

use crate::audit::checks::Check;
use crate::audit::finding::{Code, Finding, FleetTally, Report};
use crate::text::plural::{plural, plural_word};

/// Returns the message with the suggestion.
pub(crate) fn message(finding: &Finding) -> String {
    match &finding.suggestion {
        Some(suggestion) => format!("{} (did you mean {suggestion}?)", finding.message),
        None => finding.message.clone(),
    }
}

/// Returns the defect that a code stands for, as a noun phrase, for formats that list their rules.
pub(crate) fn summary(code: Code) -> &'static str {
    Check::for_code(code).map_or_else(|| crate::audit::fleet::summary(code), |check| check.summary)
}

/// Returns the text after the counts, if findings are left out. Each part begins with `; `.
pub(crate) fn left_out(report: &Report) -> String {
    let mut text = match report.hidden {
        0 => String::new(),
        hidden => format!("; {} accepted by a baseline or a suppression", plural(hidden, "more finding")),
    };
    if let Some(since) = &report.since {
        let (are, them) = if since.older == 1 { ("is", "it") } else { ("are", "them") };
        let commit: String = since.commit.chars().take(10).collect();
        let place = if since.commit.starts_with(&since.name) { commit } else { format!("{} ({commit})", since.name) };
        text += &format!("; {} {are} not shown, as {place} has {them}", plural(since.older, "older finding"));
    }
    text
}

/// Returns the size of the audited thing: `2 documents, 3 links`, or `5 services, 4 addresses asked`.
pub(crate) fn counts(report: &Report) -> String {
    match report.fleet {
        Some(FleetTally { services, asked: Some(asked) }) => {
            format!("{}, {} asked", plural(services, "service"), plural_word(asked, "address", "addresses"))
        }
        Some(FleetTally { services, asked: None }) => plural(services, "service"),
        None => format!("{}, {}", plural(report.documents, "document"), plural(report.links, "link")),
    }
}

/// Returns the command that made a report.
pub(crate) const fn command(report: &Report) -> &'static str {
    match report.fleet {
        Some(FleetTally { asked: Some(_), .. }) => "mcp-kit catalog verify",
        Some(FleetTally { asked: None, .. }) => "mcp-kit catalog check",
        None => "mcp-kit audit-docs",
    }
}

/// Returns the codes that a report can have, in the order of the reference.
pub(crate) const fn codes(report: &Report) -> &'static [Code] {
    if report.fleet.is_some() { Code::FLEET } else { Code::ALL }
}
