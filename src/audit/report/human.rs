//! The report for people: the findings of each document with their source lines, the proposals for whole documents, and
//! a summary that ends with the next commands.

use std::io::{self, Write};

use super::messages::{counts, left_out};
use super::place::located;
use super::snippet::snippet;
use super::tally::{Tally, by_code};
use crate::audit::finding::{Decision, Finding, Report, Severity, Verdict};
use crate::fs::terminal::{Paint, Role, shell_word};
use crate::text::escape::escape_control;
use crate::text::plural::{grouped, plural};

const fn role(severity: Severity) -> Role {
    match severity {
        Severity::Error => Role::Error,
        Severity::Warning => Role::Warning,
        Severity::Note => Role::Hint,
    }
}

struct HumanReport<'a> {
    report: &'a Report,
    paint: Paint,
    width: usize,
    out: &'a mut dyn Write,
}

pub(super) fn write(report: &Report, paint: Paint, width: usize, out: &mut dyn Write) -> io::Result<()> {
    // A narrower report is unreadable.
    let mut human = HumanReport { report, paint, width: width.max(40), out };
    for of_document in report.findings.chunk_by(|one, next| one.path == next.path) {
        human.document(of_document)?;
    }
    human.decisions()?;
    human.summary()?;
    human.next()
}

impl HumanReport<'_> {
    fn document(&mut self, findings: &[Finding]) -> io::Result<()> {
        let path = located(&self.report.root, &findings[0].path);
        let path = escape_control(&path);
        let head = self.paint.paint(Role::Strong, &path);
        writeln!(self.out, "{head}  {}\n", self.paint.paint(Role::Dim, &Tally::from_findings(findings).sentence()))?;
        findings.iter().try_for_each(|finding| self.finding(&path, finding))
    }

    fn finding(&mut self, path: &str, finding: &Finding) -> io::Result<()> {
        let paint = self.paint;
        let kind = paint.paint(role(finding.severity), &format!("{}[{}]", finding.severity, finding.code));
        writeln!(self.out, "  {kind}: {}", escape_control(&finding.message))?;
        let number = finding.line.to_string();
        let gutter = " ".repeat(number.len());
        let place = format!("{path}:{}:{}", finding.line, finding.column);
        writeln!(self.out, "  {gutter}{} {place}", paint.paint(Role::Dim, "-->"))?;
        let bar = paint.paint(Role::Dim, "|");
        let help = self.help(finding);
        match snippet(&finding.excerpt, self.width.saturating_sub(number.len() + 5)) {
            Some(snippet) => {
                writeln!(self.out, "  {} {bar} {}", paint.paint(Role::Dim, &number), snippet.line)?;
                let marks = paint.paint(role(finding.severity), &"^".repeat(snippet.marks));
                write!(self.out, "  {gutter} {bar} {}{marks}", " ".repeat(snippet.blanks))?;
                match help {
                    Some(help) => writeln!(self.out, " {help}\n"),
                    None => writeln!(self.out, "\n"),
                }
            }
            None => match help {
                Some(help) => writeln!(self.out, "  {gutter} {} {help}\n", paint.paint(Role::Dim, "=")),
                None => writeln!(self.out),
            },
        }
    }

    /// Returns the next action in a few words: a fix has a title, a suggestion is only a guess.
    fn help(&self, finding: &Finding) -> Option<String> {
        let (word, text) = match (&finding.fix, &finding.suggestion) {
            (Some(fix), _) => ("fix:", escape_control(&fix.title).into_owned()),
            (None, Some(suggestion)) => ("help:", format!("did you mean {}?", escape_control(suggestion))),
            (None, None) => return None,
        };
        Some(format!("{} {text}", self.paint.paint(Role::Hint, word)))
    }

    /// Writes the proposals. It skips documents that stay as they are, and those whose findings are listed above.
    fn decisions(&mut self) -> io::Result<()> {
        let open: Vec<&Decision> = self.report.decisions.iter().filter(|decision| of_the_whole(decision)).collect();
        if open.is_empty() {
            return Ok(());
        }
        writeln!(self.out, "Proposed for {}:\n", plural(open.len(), "document"))?;
        for decision in open {
            let path = located(&self.report.root, &decision.path);
            let verdict = self.paint.paint(Role::Strong, &format!("{:<7}", decision.verdict.as_str()));
            writeln!(self.out, "  {verdict}  {}", escape_control(&path))?;
            for reason in &decision.reasons {
                writeln!(self.out, "           {}", self.paint.paint(Role::Dim, &escape_control(reason)))?;
            }
        }
        writeln!(self.out)
    }

    fn summary(&mut self) -> io::Result<()> {
        let (report, paint) = (self.report, self.paint);
        let rows = by_code(&report.findings);
        if !rows.is_empty() {
            writeln!(self.out, "Findings:\n")?;
        }
        for (severity, code, count, fixable) in &rows {
            let kind = paint.paint(role(*severity), &format!("{:<7}", severity.as_str()));
            let code = if *fixable == 0 { code.to_string() } else { format!("{:<20}", code.as_str()) };
            write!(self.out, "  {:>7}  {kind}  {code}", grouped(*count))?;
            match fixable {
                0 => writeln!(self.out)?,
                fixable => {
                    writeln!(self.out, "  {}", paint.paint(Role::Dim, &format!("{} by --fix", grouped(*fixable))))?;
                }
            }
        }
        if !rows.is_empty() {
            writeln!(self.out)?;
        }
        for profile in &report.profiles {
            writeln!(self.out, "{}", paint.paint(Role::Dim, &escape_control(profile)))?;
        }
        let tally = Tally::from_findings(&report.findings);
        let worst = report.findings.iter().map(|finding| finding.severity).max();
        let sentence = paint.paint(worst.map_or(Role::Strong, role), &tally.sentence());
        let left_out = left_out(report);
        writeln!(self.out, "{} in {}: {sentence}{left_out}", counts(report), elapsed(report.duration))
    }

    fn next(&mut self) -> io::Result<()> {
        let findings = &self.report.findings;
        let Some((_, first, ..)) = by_code(findings).first().copied() else { return Ok(()) };
        let root = match self.report.root.as_str() {
            "." | "" => String::new(),
            root => format!(" {}", shell_word(&escape_control(root))),
        };
        let fixable = findings.iter().filter(|finding| finding.fix.is_some()).count();
        // Without it, a later run would have no findings of the web to fix or accept.
        let online = if findings.iter().any(|finding| finding.code.is_of_the_web()) { " --online" } else { "" };
        let tally = Tally::from_findings(findings);
        let mut next = Vec::new();
        if fixable > 0 {
            let what = format!("show what would fix {}", plural(fixable, "finding"));
            next.push((format!("mcp-kit audit-docs{root}{online} --fix --dry-run"), what));
        }
        if self.report.decisions.iter().any(of_the_whole) {
            let what = "show what the proposals would change".to_owned();
            next.push((format!("mcp-kit audit-docs{root} --fix=documents --dry-run"), what));
        }
        let why = "say what that means and how to fix it".to_owned();
        let explain = if self.report.fleet.is_some() { "catalog explain" } else { "audit-docs --explain" };
        next.push((format!("mcp-kit {explain} {first}"), why));
        if tally.error > MANY && self.report.fleet.is_none() {
            let what = "accept what is there, and fail on new findings only".to_owned();
            next.push((
                format!("mcp-kit audit-docs{root}{online} --baseline audit-baseline.json --update-baseline"),
                what,
            ));
        }
        let width = next.iter().map(|(command, _)| command.chars().count()).max().unwrap_or_default();
        writeln!(self.out, "\nNext:")?;
        for (command, what) in next {
            let pad = " ".repeat(width - command.chars().count() + 3);
            let what = self.paint.paint(Role::Dim, &format!("# {what}"));
            writeln!(self.out, "  {}{pad}{what}", self.paint.paint(Role::Strong, &command))?;
        }
        Ok(())
    }
}

/// Returns whether the proposal moves the document or changes its head.
const fn of_the_whole(decision: &Decision) -> bool {
    matches!(decision.verdict, Verdict::Update | Verdict::Archive)
}

/// More errors than one person fixes in one go. Baselines are made for such trees.
const MANY: usize = 20;

fn elapsed(duration: std::time::Duration) -> String {
    if duration.as_secs() < 1 {
        format!("{} ms", duration.as_millis())
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}
