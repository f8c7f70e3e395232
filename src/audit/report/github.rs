//! Workflow commands of GitHub Actions, which shows ten annotations of each level per step. The log has the rest, one
//! line each.

use std::borrow::Cow;
use std::io::{self, Write};

use super::messages::{counts, left_out, message};
use super::place::located;
use super::tally::Tally;
use crate::audit::finding::{Finding, Report, Severity};
use crate::text::escape::escape_control;
use crate::text::plural::plural;

/// The number of annotations that GitHub shows of each level.
const MOST_OF_A_LEVEL: usize = 10;

/// Escapes the text of a command (actions/toolkit, `escapeData`).
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a command (actions/toolkit, `escapeProperty`).
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Escapes `##[…]`, the older kind of command, which the runner obeys anywhere in a line.
fn harmless(text: &str) -> Cow<'_, str> {
    let text = escape_control(text);
    if text.contains("##[") { Cow::Owned(text.replace("##[", "# #[")) } else { text }
}

fn annotation(report: &Report, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let command = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let path = located(&report.root, &finding.path);
    write!(out, "::{command} file={},line={},col={}", property(&path), finding.line, finding.column)?;
    if !finding.excerpt.marked.is_empty() {
        // The last marked column, inclusive.
        write!(out, ",endColumn={}", finding.column as usize + finding.excerpt.marked.len() - 1)?;
    }
    writeln!(out, ",title={}::{}", property(finding.code.as_str()), data(&message(finding)))
}

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let levels = [Severity::Error, Severity::Warning, Severity::Note];
    for severity in levels {
        let of_level = report.findings.iter().filter(|finding| finding.severity == severity);
        of_level.take(MOST_OF_A_LEVEL).try_for_each(|finding| annotation(report, finding, out))?;
    }
    let tally = Tally::from_findings(&report.findings);
    let more: usize =
        [tally.error, tally.warning, tally.note].iter().map(|count| count.saturating_sub(MOST_OF_A_LEVEL)).sum();
    if more > 0 {
        writeln!(out, "::group::{} more, of which GitHub shows no annotation", plural(more, "finding"))?;
        for severity in levels {
            let of_level = report.findings.iter().filter(|finding| finding.severity == severity);
            for finding in of_level.skip(MOST_OF_A_LEVEL) {
                let path = located(&report.root, &finding.path);
                let line = format!(
                    "{severity} {path}:{}:{}: {}: {}",
                    finding.line,
                    finding.column,
                    finding.code,
                    message(finding)
                );
                writeln!(out, "{}", harmless(&line))?;
            }
        }
        writeln!(out, "::endgroup::")?;
    }
    writeln!(out, "{}: {}{}", counts(report), tally.sentence(), harmless(&left_out(report)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::report::tests::{finding, report_of};

    fn text(report: &Report) -> String {
        let mut out = Vec::new();
        write(report, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn hostile_text_gives_no_command() {
        let mut bad = finding();
        bad.path = "a,b:c%\n::error::x.md".to_owned();
        bad.message = "100%\r\n::add-mask::x ##[error]".to_owned();
        bad.suggestion = None;
        let text = text(&report_of(vec![bad; 11]));
        let commands: Vec<_> = text.lines().filter(|line| line.trim_start().starts_with("::")).collect();
        assert_eq!(commands.len(), 12, "{text}");
        assert_eq!(
            commands[0],
            "::error file=docs/a%2Cb%3Ac%25%0A%3A%3Aerror%3A%3Ax.md,line=3,col=13,endColumn=21,title=broken-link::100%25%0D%0A::add-mask::x ##[error]"
        );
        let plain: Vec<_> = text.lines().filter(|line| line.starts_with("error ")).collect();
        assert_eq!(
            plain,
            ["error docs/a,b:c%␊::error::x.md:3:13: broken-link: 100%␍␊::add-mask::x # #[error]"],
            "{text}"
        );
    }
}
