//! The lines of the report, as text and as JSON. Whatever comes from outside is escaped here.

use std::fmt::{self, Write as _};

use serde::Serialize;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    Ok,
    Warn,
    Fail,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        })
    }
}

/// One line.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    pub(super) level: Level,
    /// The check's name.
    pub(super) check: &'static str,
    /// The finding.
    pub(super) message: String,
    /// The next step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) advice: Option<String>,
    /// Where the runbook says more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) runbook: Option<&'static str>,
}

/// All lines so far.
#[derive(Debug, Default)]
pub(super) struct Report(Vec<Line>);

impl Report {
    pub(super) fn ok(&mut self, check: &'static str, message: impl AsRef<str>) {
        self.add(Level::Ok, check, message.as_ref(), None);
    }

    pub(super) fn warn(
        &mut self,
        check: &'static str,
        message: impl AsRef<str>,
        advice: impl AsRef<str>,
        runbook: &'static str,
    ) {
        self.add(Level::Warn, check, message.as_ref(), Some((advice.as_ref(), runbook)));
    }

    pub(super) fn fail(
        &mut self,
        check: &'static str,
        message: impl AsRef<str>,
        advice: impl AsRef<str>,
        runbook: &'static str,
    ) {
        self.add(Level::Fail, check, message.as_ref(), Some((advice.as_ref(), runbook)));
    }

    fn add(&mut self, level: Level, check: &'static str, message: &str, advice: Option<(&str, &'static str)>) {
        let (advice, runbook) = advice.unzip();
        let (message, advice) = (one_line(message), advice.map(one_line));
        self.0.push(Line { level, check, message, advice, runbook });
    }

    /// Returns whether a check failed.
    pub(super) fn failed(&self) -> bool {
        self.0.iter().any(|line| line.level == Level::Fail)
    }

    pub(super) fn text(&self) -> String {
        let width = self.0.iter().map(|line| line.check.len()).max().unwrap_or_default();
        let mut text = String::new();
        for Line { level, check, message, advice, runbook } in &self.0 {
            let _ = writeln!(text, "{level:<4}  {check:<width$}  {message}");
            let indent = " ".repeat(width + 8);
            if let Some(advice) = advice {
                let _ = writeln!(text, "{indent}{advice}");
            }
            if let Some(runbook) = runbook {
                let _ = writeln!(text, "{indent}See {runbook}");
            }
        }
        let count = |level| self.0.iter().filter(|line| line.level == level).count();
        let (ok, warn, fail) = (count(Level::Ok), count(Level::Warn), count(Level::Fail));
        let _ = writeln!(text, "{ok} ok, {warn} warn, {fail} fail");
        text
    }

    pub(super) fn json(&self) -> String {
        let document = serde_json::json!({"ok": !self.failed(), "checks": self.0});
        format!("{document:#}\n")
    }
}

/// The text without anything that ends the line, colours the terminal or turns the direction of what follows.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars().take(2000) {
        let turns =
            matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || turns || c == '\u{feff}' { line.extend(c.escape_unicode()) } else { line.push(c) }
    }
    line
}

/// A value from outside, short enough for a line.
pub(super) fn quoted(text: &str) -> String {
    const MOST: usize = 120;
    let short: String = text.chars().take(MOST).collect();
    if short.len() < text.len() { format!("\"{short}…\"") } else { format!("\"{short}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_line_whatever_is_in_it() {
        let mut report = Report::default();
        report.ok("clock", "fine");
        report.fail("key server", "it said \u{1b}[31m\nok  all is well\u{202e}", "look\nthere", "docs/X.md#y");
        let text = report.text();
        assert_eq!(
            text,
            "ok    clock       fine\n\
             fail  key server  it said \\u{1b}[31m\\u{a}ok  all is well\\u{202e}\n                  look\\u{a}there\n                  \
             See docs/X.md#y\n1 ok, 0 warn, 1 fail\n"
        );
        assert!(report.failed() && report.json().contains("\"runbook\": \"docs/X.md#y\""));
    }
}
