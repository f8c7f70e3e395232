//! Sentences that several formats share.

use crate::audit::checks::Check;
use crate::audit::finding::{Code, Finding};

/// What is wrong, and what is meant.
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
