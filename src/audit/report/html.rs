//! One self-contained page: findings with filters, proposals, the graph. It asks the network for nothing.
//!
//! Documents may be hostile: their names and text reach the page as JSON in which no `<` is left, the script puts them there as text,
//! and the page's policy lets no other script run.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::lines::Each;
use super::messages;
use super::tally::Tally;
use crate::audit::finding::{Code, Finding, Report, Severity};
use crate::text::digest::sha256;

/// The number of findings that a browser shows quickly; only the most severe ones are shown.
const MOST_FINDINGS: usize = 50_000;

const PAGE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = concat!(include_str!("page/findings.js"), include_str!("page/graph.js"));

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a, E: Serialize, F: Serialize, D: Serialize> {
    made_by: &'static str,
    root: &'a str,
    profiles: &'a [String],
    documents: usize,
    links: usize,
    /// The sentence about findings that a baseline, a suppression or an older commit hides.
    accepted: String,
    left_out: usize,
    document_count: usize,
    summary: (usize, usize, usize),
    codes: Vec<(&'static str, &'static str)>,
    paths: &'a [&'a str],
    /// From, to, from, to: indices of `paths`.
    edges: E,
    findings: F,
    decisions: D,
}

/// Code, severity, path, line, column, message, target, suggestion, fix, source line, start and end of the place in it: a list,
/// as the names of fields would be most of the page.
type Row<'a> =
    (usize, usize, usize, u32, u32, &'a str, Option<&'a str>, Option<&'a str>, Option<&'a str>, &'a str, usize, usize);

/// JSON for inside a `script` element: there is no `<` outside of its strings, and within them it has another way to be written.
struct ScriptWriter<'a>(&'a mut dyn Write);

impl Write for ScriptWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for (at, part) in bytes.split(|byte| *byte == b'<').enumerate() {
            if at > 0 {
                self.0.write_all(br"\u003c")?;
            }
            self.0.write_all(part)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// All documents there is something to say about, sorted.
fn paths(report: &Report) -> Vec<&str> {
    let findings = report.findings.iter().map(|finding| finding.path.as_str());
    let decisions = report.decisions.iter().map(|decision| decision.path.as_str());
    let mut paths: Vec<_> =
        report.graph.documents.iter().map(String::as_str).chain(findings).chain(decisions).collect();
    paths.sort_unstable();
    paths.dedup();
    paths
}

fn row<'a>(finding: &'a Finding, place: impl Fn(&str) -> usize) -> Row<'a> {
    (
        Code::ALL.iter().position(|code| *code == finding.code).unwrap_or_default(),
        match finding.severity {
            Severity::Error => 0,
            Severity::Warning => 1,
            Severity::Note => 2,
        },
        place(&finding.path),
        finding.line,
        finding.column,
        &finding.message,
        finding.target.as_deref(),
        finding.suggestion.as_deref(),
        finding.fix.as_ref().map(|fix| fix.title.as_str()),
        &finding.excerpt.text,
        finding.excerpt.marked.start,
        finding.excerpt.marked.end,
    )
}

fn data(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let paths = paths(report);
    let place = |path: &str| paths.binary_search(&path).unwrap_or_default();
    let moved: Vec<usize> = report.graph.documents.iter().map(|path| place(path)).collect();
    let at = |document: u32| moved.get(document as usize).copied().unwrap_or_default();
    let tally = Tally::from_findings(&report.findings);
    let taken = super::tally::most_severe(&report.findings, MOST_FINDINGS);
    let data = Data {
        made_by: concat!("mcp-kit ", env!("CARGO_PKG_VERSION")),
        root: &report.root,
        profiles: &report.profiles,
        documents: report.documents,
        links: report.links,
        accepted: messages::left_out(report),
        left_out: report.findings.len().saturating_sub(MOST_FINDINGS),
        document_count: paths.len(),
        summary: (tally.error, tally.warning, tally.note),
        codes: Code::ALL.iter().map(|code| (code.as_str(), messages::summary(*code))).collect(),
        paths: &paths,
        edges: Each(|| report.graph.edges.iter().flat_map(|(from, to)| [at(*from), at(*to)])),
        findings: Each(|| taken.clone().map(|finding| row(finding, place))),
        decisions: Each(|| {
            report
                .decisions
                .iter()
                .map(|decision| (place(&decision.path), decision.verdict.as_str(), &decision.reasons))
        }),
    };
    serde_json::to_writer(ScriptWriter(out), &data).map_err(Into::into)
}

/// Returns the hash by which the page's policy allows a style or script. A browser reads every line end as `\n` (HTML 13.2.3.5) before it compares, so
/// that is what is written, on whatever system this was compiled.
fn hashed(text: &str) -> (String, String) {
    let text = text.replace("\r\n", "\n");
    let hash = format!("sha256-{}", STANDARD.encode(sha256(text.as_bytes())));
    (text, hash)
}

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let (style, style_hash) = hashed(STYLE);
    let (script, script_hash) = hashed(SCRIPT);
    // The page has no `@` but around its marks.
    for part in PAGE.split('@') {
        match part {
            "STYLE" => out.write_all(style.as_bytes())?,
            "STYLE-HASH" => out.write_all(style_hash.as_bytes())?,
            "SCRIPT" => out.write_all(script.as_bytes())?,
            "SCRIPT-HASH" => out.write_all(script_hash.as_bytes())?,
            "DATA" => data(report, out)?,
            text => out.write_all(text.as_bytes())?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::report::tests::{finding, report_of};

    #[test]
    fn hostile_text_cannot_end_the_element_it_is_in() {
        let mut bad = finding();
        bad.path = "</script><script>alert(1)</script><!--.md".to_owned();
        bad.message = "<img src=x onerror=alert(1)>".to_owned();
        let mut out = Vec::new();
        write(&report_of(vec![bad.clone()]), &mut out).unwrap();
        let page = String::from_utf8(out).unwrap();
        let start = page.find(r#"id="data">"#).unwrap() + r#"id="data">"#.len();
        let json = &page[start..start + page[start..].find('<').unwrap()];
        assert!(page[start..].strip_prefix(json).unwrap().starts_with("</script>\n<script>\n\"use strict\""));
        let data: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(data["paths"][0], *bad.path);
        assert_eq!(data["findings"][0][5], *bad.message);
    }

    #[test]
    fn the_gravest_stay_when_there_are_too_many() {
        let mut note = finding();
        note.severity = Severity::Note;
        let mut findings = vec![note; MOST_FINDINGS];
        findings.push(finding());
        let mut out = Vec::new();
        write(&report_of(findings), &mut out).unwrap();
        let page = String::from_utf8(out).unwrap();
        assert!(page.contains(r#""leftOut":1,"#));
        assert_eq!(page.matches(r#""there is no file guide/instal.md""#).count(), MOST_FINDINGS);
        assert!(page.contains(r#"[[0,2,0,3,13,"#) && page.contains(r#",[0,0,0,3,13,"#));
    }
}
