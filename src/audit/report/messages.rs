//! Messages that several formats share.

use crate::audit::checks::Check;
use crate::audit::finding::{Code, Finding, Report};
use crate::text::plural::plural;

/// Returns the message with the suggestion.
pub(crate) fn message(finding: &Finding) -> String {
    match &finding.suggestion {
        Some(suggestion) => format!("{} (did you mean {suggestion}?)", finding.message),
        None => finding.message.clone(),
    }
}

/// Returns the defect that a code stands for, as a noun phrase, for formats that list their rules.
pub(crate) fn summary(code: Code) -> &'static str {
    Check::for_code(code).map_or("", |check| check.summary)
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
