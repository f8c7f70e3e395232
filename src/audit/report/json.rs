//! The object of schema `mcp-kit/audit/1`. It is stable: fields may be added, any other change needs a new schema.

use std::io::{self, Write};

use serde::Serialize;

use super::lines::{self, Each};
use super::tally::Tally;
use crate::audit::finding::{Finding, FleetTally, NotJudged, Report, Since, SiteReport};

/// The JSON Schema of the object.
pub const SCHEMA: &str = include_str!("audit-1.schema.json");

#[derive(Serialize)]
struct Json<'a, F: Serialize, D: Serialize, S: Serialize> {
    schema: &'static str,
    root: &'a str,
    profiles: &'a [String],
    documents: usize,
    links: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    fleet: Option<JsonFleet>,
    duration_ms: u128,
    findings: F,
    decisions: D,
    hidden: usize,
    since: Option<JsonSince<'a>>,
    not_judged: usize,
    sites: S,
    summary: Tally,
}

/// The counts of a report about a fleet.
#[derive(Serialize)]
struct JsonFleet {
    services: usize,
    asked: Option<usize>,
}

/// The older state that the tree is compared with.
#[derive(Serialize)]
struct JsonSince<'a> {
    name: &'a str,
    commit: &'a str,
    older: usize,
}

/// A part of the tree with its own rules.
#[derive(Serialize)]
struct JsonSite<'a> {
    folder: &'a str,
    generator: &'a str,
    judged: bool,
    reason: &'a str,
    roots: &'a [String],
    settings: Vec<JsonSetting<'a>>,
    not_judged: Vec<JsonNotJudged<'a>>,
}

#[derive(Serialize)]
struct JsonSetting<'a> {
    file: &'a str,
    name: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct JsonNotJudged<'a> {
    form: &'static str,
    cause: &'static str,
    count: usize,
    why: &'a str,
    remedy: Option<&'a str>,
    example: JsonExample<'a>,
}

#[derive(Serialize)]
struct JsonExample<'a> {
    path: &'a str,
    target: &'a str,
}

impl<'a> From<&'a SiteReport> for JsonSite<'a> {
    fn from(site: &'a SiteReport) -> Self {
        let setting = |(file, name, value): &'a (String, String, String)| JsonSetting { file, name, value };
        let not_judged = |of: &'a NotJudged| JsonNotJudged {
            form: of.form.as_str(),
            cause: of.cause,
            count: of.count,
            why: &of.why,
            remedy: Some(&*of.remedy).filter(|remedy| !remedy.is_empty()),
            example: JsonExample { path: &of.example.0, target: &of.example.1 },
        };
        Self {
            folder: &site.folder,
            generator: &site.generator,
            judged: site.judged,
            reason: &site.reason,
            roots: &site.roots,
            settings: site.settings.iter().map(setting).collect(),
            not_judged: site.not_judged.iter().map(not_judged).collect(),
        }
    }
}

#[derive(Serialize)]
struct JsonFinding<'a> {
    code: &'static str,
    severity: &'static str,
    path: &'a str,
    line: u32,
    column: u32,
    target: Option<&'a str>,
    message: &'a str,
    suggestion: Option<&'a str>,
    fixable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<JsonFix<'a>>,
}

/// Byte offsets, because they are the same in every language.
#[derive(Serialize)]
struct JsonFix<'a> {
    title: &'a str,
    edits: Vec<JsonEdit<'a>>,
}

#[derive(Serialize)]
struct JsonEdit<'a> {
    start: usize,
    end: usize,
    text: &'a str,
}

#[derive(Serialize)]
struct JsonDecision<'a> {
    path: &'a str,
    decision: &'static str,
    reasons: &'a [String],
}

impl<'a> From<&'a Finding> for JsonFinding<'a> {
    fn from(finding: &'a Finding) -> Self {
        let edit = |edit: &'a crate::audit::finding::Edit| JsonEdit {
            start: edit.span.start,
            end: edit.span.end,
            text: &edit.text,
        };
        Self {
            code: finding.code.as_str(),
            severity: finding.severity.as_str(),
            path: &finding.path,
            line: finding.line,
            column: finding.column,
            target: finding.target.as_deref(),
            message: &finding.message,
            suggestion: finding.suggestion.as_deref(),
            fixable: finding.fix.is_some(),
            fix: finding
                .fix
                .as_ref()
                .map(|fix| JsonFix { title: &fix.title, edits: fix.edits.iter().map(edit).collect() }),
        }
    }
}

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let json = Json {
        schema: "mcp-kit/audit/1",
        root: &report.root,
        profiles: &report.profiles,
        documents: report.documents,
        links: report.links,
        fleet: report.fleet.map(|FleetTally { services, asked }| JsonFleet { services, asked }),
        duration_ms: report.duration.as_millis(),
        findings: Each(|| report.findings.iter().map(JsonFinding::from)),
        decisions: Each(|| {
            report.decisions.iter().map(|decision| JsonDecision {
                path: &decision.path,
                decision: decision.verdict.as_str(),
                reasons: &decision.reasons,
            })
        }),
        hidden: report.hidden,
        since: report.since.as_ref().map(|Since { name, commit, older }| JsonSince { name, commit, older: *older }),
        not_judged: report.not_judged,
        sites: Each(|| report.sites.iter().map(JsonSite::from)),
        summary: Tally::from_findings(&report.findings),
    };
    lines::write(&json, 2, out)
}
