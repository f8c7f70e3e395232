//! JUnit XML: a suite for each document, a failed case for each error. Warnings and notes are passed cases with their
//! message as output. A document without findings is one passed case.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::messages::{command, message};
use super::place::located;
use super::tally::Tally;
use crate::audit::finding::{Finding, Report, Severity};

/// Replaces the characters that XML 1.0 cannot represent (§2.2).
fn legal(text: &str) -> Cow<'_, str> {
    let bad = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r') || matches!(c, '\u{fffe}' | '\u{ffff}');
    if text.contains(bad) { Cow::Owned(text.replace(bad, "\u{fffd}")) } else { Cow::Borrowed(text) }
}

struct Xml<'a>(Writer<&'a mut dyn Write>);

impl Xml<'_> {
    fn start(name: &str, attributes: &[(&str, &str)]) -> BytesStart<'static> {
        let mut start = BytesStart::new(name.to_owned());
        for (key, value) in attributes {
            start.push_attribute((*key, &*legal(value)));
        }
        start
    }

    fn line(&mut self, indent: usize) -> io::Result<()> {
        self.0.write_event(Event::Text(BytesText::from_escaped(format!("\n{}", "  ".repeat(indent)))))
    }

    fn open(&mut self, indent: usize, name: &str, attributes: &[(&str, &str)]) -> io::Result<()> {
        self.line(indent)?;
        self.0.write_event(Event::Start(Self::start(name, attributes)))
    }

    fn close(&mut self, indent: usize, name: &str) -> io::Result<()> {
        self.line(indent)?;
        self.0.write_event(Event::End(BytesEnd::new(name)))
    }

    fn empty(&mut self, indent: usize, name: &str, attributes: &[(&str, &str)]) -> io::Result<()> {
        self.line(indent)?;
        self.0.write_event(Event::Empty(Self::start(name, attributes)))
    }

    fn text(&mut self, indent: usize, name: &str, attributes: &[(&str, &str)], text: &str) -> io::Result<()> {
        self.line(indent)?;
        self.0.write_event(Event::Start(Self::start(name, attributes)))?;
        self.0.write_event(Event::Text(BytesText::new(&legal(text))))?;
        self.0.write_event(Event::End(BytesEnd::new(name)))
    }

    fn finding(&mut self, path: &str, finding: &Finding) -> io::Result<()> {
        let name = format!("{}:{} {}", finding.line, finding.column, finding.code);
        let message = message(finding);
        let place = format!("{path}:{}:{}", finding.line, finding.column);
        self.open(2, "testcase", &[("classname", path), ("name", &name), ("time", "0")])?;
        if finding.severity == Severity::Error {
            let text = format!("{place}\n{}", finding.excerpt.text);
            self.text(3, "failure", &[("type", finding.code.as_str()), ("message", &message)], &text)?;
        } else {
            let text = format!("{}: {message}\n{place}\n{}", finding.severity, finding.excerpt.text);
            self.text(3, "system-out", &[], &text)?;
        }
        self.close(2, "testcase")
    }

    fn suite(&mut self, path: &str, tests: usize, failures: usize) -> io::Result<()> {
        let counts = (tests.to_string(), failures.to_string());
        let attributes = [
            ("name", path),
            ("tests", &counts.0),
            ("failures", &counts.1),
            ("errors", "0"),
            ("skipped", "0"),
            ("time", "0"),
        ];
        self.open(1, "testsuite", &attributes)
    }
}

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let with_findings: HashSet<&str> = report.findings.iter().map(|finding| finding.path.as_str()).collect();
    let clean: Vec<&String> =
        report.graph.documents.iter().filter(|path| !with_findings.contains(path.as_str())).collect();
    let seconds = format!("{:.3}", report.duration.as_secs_f64());
    let tests = (report.findings.len() + clean.len()).to_string();
    let failures = Tally::from_findings(&report.findings).error.to_string();

    let mut xml = Xml(Writer::new(&mut *out));
    xml.0.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let attributes =
        [("name", command(report)), ("tests", &*tests), ("failures", &failures), ("errors", "0"), ("time", &seconds)];
    xml.open(0, "testsuites", &attributes)?;
    for of_document in report.findings.chunk_by(|one, next| one.path == next.path) {
        let path = located(&report.root, &of_document[0].path);
        xml.suite(&path, of_document.len(), Tally::from_findings(of_document).error)?;
        of_document.iter().try_for_each(|finding| xml.finding(&path, finding))?;
        xml.close(1, "testsuite")?;
    }
    if !clean.is_empty() {
        xml.suite("documents without findings", clean.len(), 0)?;
        for path in clean {
            let path = located(&report.root, path);
            xml.empty(2, "testcase", &[("classname", &path), ("name", "no findings"), ("time", "0")])?;
        }
        xml.close(1, "testsuite")?;
    }
    xml.close(0, "testsuites")?;
    xml.line(0)
}
