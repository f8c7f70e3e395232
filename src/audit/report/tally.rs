//! Counts of a report.

use std::collections::BTreeMap;

use crate::audit::finding::{Code, Finding, Severity};
use crate::text::plural::plural;

/// The number of findings of each severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Tally {
    pub(crate) error: usize,
    pub(crate) warning: usize,
    pub(crate) note: usize,
}

impl Tally {
    pub(crate) fn from_findings<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        let mut tally = Self::default();
        for finding in findings {
            match finding.severity {
                Severity::Error => tally.error += 1,
                Severity::Warning => tally.warning += 1,
                Severity::Note => tally.note += 1,
            }
        }
        tally
    }

    /// Returns text like `2 errors, 1 note`. It leaves out severities without findings.
    pub(crate) fn sentence(self) -> String {
        let parts = [(self.error, "error"), (self.warning, "warning"), (self.note, "note")];
        let parts: Vec<_> =
            parts.iter().filter(|(count, _)| *count > 0).map(|(count, name)| plural(*count, name)).collect();
        if parts.is_empty() { "no findings".to_owned() } else { parts.join(", ") }
    }
}

/// Returns the codes, the most severe and most frequent first, with the number of findings and of fixes.
pub(crate) fn by_code(findings: &[Finding]) -> Vec<(Severity, Code, usize, usize)> {
    let mut counts: BTreeMap<(Severity, Code), (usize, usize)> = BTreeMap::new();
    for finding in findings {
        let (count, fixable) = counts.entry((finding.severity, finding.code)).or_default();
        *count += 1;
        *fixable += usize::from(finding.fix.is_some());
    }
    let mut rows: Vec<_> =
        counts.into_iter().map(|((severity, code), (count, fixable))| (severity, code, count, fixable)).collect();
    rows.sort_by_key(|(severity, code, count, _)| (std::cmp::Reverse((*severity, *count)), *code));
    rows
}

/// Returns at most `most` findings in their order. It drops the least severe ones first, from the end.
pub(crate) fn most_severe(findings: &[Finding], most: usize) -> impl Iterator<Item = &Finding> + Clone {
    let mut room = most;
    let mut least = None;
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        let count = findings.iter().filter(|finding| finding.severity == severity).count();
        if count > room {
            least = Some(severity);
            break;
        }
        room -= count;
    }
    findings.iter().filter(move |finding| match least {
        None => true,
        Some(least) if finding.severity == least && room > 0 => {
            room -= 1;
            true
        }
        Some(least) => finding.severity > least,
    })
}
