//! The formats of `mcp-kit audit-docs`. In: a [`Report`]. Out: bytes. Formats stream, so millions of findings need no
//! second copy in memory. A reporter reads no file, decides nothing, and reports what it leaves out.

mod explain;
mod fingerprint;
mod github;
mod gitlab;
mod html;
mod human;
mod json;
mod junit;
pub(crate) mod lines;
mod markdown;
mod messages;
mod place;
mod profile;
mod sarif;
mod snippet;
mod tally;

use std::io::{self, Write};

use clap::ValueEnum;

pub use explain::explain;
pub(crate) use fingerprint::line_digest;
pub use json::SCHEMA as JSON_SCHEMA;
pub use profile::write as explain_profile;

use super::finding::Report;
use crate::fs::terminal::Paint;

/// The format of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people: source lines with the place marked, and a summary
    #[default]
    Human,
    /// One JSON object of the schema mcp-kit/audit/1
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of GitHub Actions
    Github,
    /// Code quality report of GitLab
    Gitlab,
    /// JUnit XML
    Junit,
    /// A comment for a pull request: counts, errors in a table, the rest folded
    Markdown,
    /// One self-contained page: findings with filters, decisions, the graph
    Html,
}

/// Writes `report` to `out`. Colour and `width` (columns of the terminal) are for people only.
///
/// # Errors
/// When `out` refuses.
pub fn write(report: &Report, format: Format, paint: Paint, width: usize, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Human => human::write(report, paint, width, out),
        Format::Json => json::write(report, out),
        Format::Sarif => sarif::write(report, out),
        Format::Github => github::write(report, out),
        Format::Gitlab => gitlab::write(report, out),
        Format::Junit => junit::write(report, out),
        Format::Markdown => markdown::write(report, out),
        Format::Html => html::write(report, out),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::finding::{Code, Edit, Excerpt, Finding, Fix, Report, Severity};

    /// Returns a broken link with every field of a finding.
    pub(crate) fn finding() -> Finding {
        Finding {
            code: Code::BrokenLink,
            severity: Severity::Error,
            path: "guide/setup.md".to_owned(),
            line: 3,
            column: 13,
            span: 40..49,
            excerpt: Excerpt { text: "See [guide](instal.md) first.".to_owned(), marked: 12..21 },
            target: Some("instal.md".to_owned()),
            message: "there is no file guide/instal.md".to_owned(),
            suggestion: Some("install.md".to_owned()),
            fix: Some(Fix {
                title: "write install.md".to_owned(),
                edits: vec![Edit { span: 40..49, text: "install.md".to_owned() }],
            }),
        }
    }

    /// Returns a report of `findings` in the folder `docs`.
    pub(crate) fn report_of(findings: Vec<Finding>) -> Report {
        Report { root: "docs".to_owned(), documents: 2, links: 3, findings, ..Report::default() }
    }
}
