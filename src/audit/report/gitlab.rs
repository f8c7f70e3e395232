//! GitLab's code quality report: the part of Code Climate's format that merge requests show.

use std::io::{self, Write};

use serde::Serialize;

use super::fingerprint::Occurrences;
use super::lines::{self, Each};
use super::messages;
use super::place::located;
use crate::audit::finding::{Report, Severity};

#[derive(Serialize)]
struct Issue<'a> {
    description: String,
    check_name: &'static str,
    fingerprint: String,
    severity: &'static str,
    location: IssueLocation<'a>,
}

#[derive(Serialize)]
struct IssueLocation<'a> {
    path: std::borrow::Cow<'a, str>,
    lines: LineRange,
}

#[derive(Serialize)]
struct LineRange {
    begin: u32,
}

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let issues = Each(|| {
        let mut occurrences = Occurrences::default();
        report.findings.iter().map(move |finding| {
            let (digest, before) = occurrences.next(finding);
            Issue {
                description: messages::message(finding),
                check_name: finding.code.as_str(),
                // GitLab shows two issues with one fingerprint as one.
                fingerprint: if before == 0 { digest } else { format!("{digest}-{before}") },
                severity: match finding.severity {
                    Severity::Error => "major",
                    Severity::Warning => "minor",
                    Severity::Note => "info",
                },
                location: IssueLocation {
                    path: located(&report.root, &finding.path),
                    lines: LineRange { begin: finding.line },
                },
            }
        })
    });
    lines::write(&issues, 1, out)
}
