//! SARIF 2.1.0, the part that code scanning reads. At most [`MOST_RESULTS`] results, the most severe ones.

use std::io::{self, Write};

use serde::Serialize;

use super::fingerprint::Occurrences;
use super::lines::{self, Each};
use super::messages;
use super::place::located;
use super::tally::most_severe;
use crate::audit::finding::{Code, Edit, Finding, Report};
use crate::text::percent::encode_uri_path;
use crate::text::plural::{grouped, plural};

/// GitHub rejects a run with more results.
const MOST_RESULTS: usize = 25_000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Log<R: Serialize> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [SarifRun<R>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifRun<R: Serialize> {
    tool: SarifTool,
    invocations: [Invocation; 1],
    column_kind: &'static str,
    results: R,
}

#[derive(Serialize)]
struct SarifTool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    short_description: SarifMessage,
    help: SarifMessage,
}

#[derive(Serialize)]
struct SarifMessage {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    markdown: Option<String>,
}

impl SarifMessage {
    fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), markdown: None }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
struct Notification {
    level: &'static str,
    message: SarifMessage,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult<'a> {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: SarifMessage,
    locations: [ResultLocation<'a>; 1],
    partial_fingerprints: Fingerprints,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixes: Vec<SarifFix<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultLocation<'a> {
    physical_location: PhysicalLocation<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation<'a> {
    artifact_location: ArtifactLocation,
    region: Region<'a>,
}

#[derive(Clone, Serialize)]
struct ArtifactLocation {
    uri: String,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Region<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    start_line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    byte_offset: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    byte_length: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    snippet: Option<ArtifactContent<'a>>,
}

#[derive(Serialize)]
struct ArtifactContent<'a> {
    text: &'a str,
}

/// Only our own fingerprint. GitHub's upload computes `primaryLocationLineHash` itself and rejects another value.
#[derive(Serialize)]
struct Fingerprints {
    #[serde(rename = "mcpKitFinding/v1")]
    finding: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifFix<'a> {
    description: SarifMessage,
    artifact_changes: [ArtifactChange<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactChange<'a> {
    artifact_location: ArtifactLocation,
    replacements: Vec<Replacement<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replacement<'a> {
    deleted_region: Region<'a>,
    inserted_content: ArtifactContent<'a>,
}

fn rule(code: &Code) -> Rule {
    let summary = messages::summary(*code);
    if let Some(kind) = crate::audit::fleet::for_code(*code) {
        let text = format!("{summary}. {} {}", kind.why, kind.fix);
        return Rule {
            id: code.as_str(),
            short_description: SarifMessage::plain(summary),
            help: SarifMessage { markdown: Some(crate::audit::fleet::explanation(kind)), text },
        };
    }
    let code = code.as_str();
    Rule {
        id: code,
        short_description: SarifMessage::plain(summary),
        help: SarifMessage {
            text: format!(
                "{summary}. `mcp-kit audit-docs --explain {code}` says why it matters and how to fix it; \
                 `<!-- mcp-kit-ignore {code}: reason -->` in the document accepts it."
            ),
            markdown: Some(format!(
                "{summary}.\n\n`mcp-kit audit-docs --explain {code}` says why it matters and how to fix it. \
                 `<!-- mcp-kit-ignore {code}: reason -->` in the document accepts it."
            )),
        },
    }
}

/// Returns the region of an edit: line and column on the line of the finding, which every viewer understands, or else
/// bytes.
fn edited<'a>(finding: &Finding, edit: &Edit) -> Region<'a> {
    let column = |byte: usize| {
        let ahead = byte.checked_sub(finding.span.start)?;
        let rest = finding.excerpt.text.chars().skip(finding.excerpt.marked.start).collect::<String>();
        // A cut line ends in text that is not in the document.
        let rest = rest.strip_suffix('…').unwrap_or(&rest);
        Some(finding.column as usize + rest.get(..ahead)?.chars().count())
    };
    match (column(edit.span.start), column(edit.span.end)) {
        (Some(start), Some(end)) => Region {
            start_line: Some(finding.line),
            start_column: Some(start),
            end_column: Some(end),
            ..Region::default()
        },
        _ => Region { byte_offset: Some(edit.span.start), byte_length: Some(edit.span.len()), ..Region::default() },
    }
}

fn result<'a>(root: &str, codes: &[Code], finding: &'a Finding, occurrences: &mut Occurrences) -> SarifResult<'a> {
    let artifact = ArtifactLocation { uri: encode_uri_path(&located(root, &finding.path)) };
    let (digest, before) = occurrences.next(finding);
    let marked = finding.excerpt.marked.len();
    let replacement = |edit: &'a Edit| Replacement {
        deleted_region: edited(finding, edit),
        inserted_content: ArtifactContent { text: &edit.text },
    };
    let fix = |fix: &'a crate::audit::finding::Fix| SarifFix {
        description: SarifMessage::plain(&fix.title),
        artifact_changes: [ArtifactChange {
            artifact_location: artifact.clone(),
            replacements: fix.edits.iter().map(replacement).collect(),
        }],
    };
    SarifResult {
        rule_id: finding.code.as_str(),
        rule_index: codes.iter().position(|code| *code == finding.code).unwrap_or_default(),
        level: finding.severity.as_str(),
        message: SarifMessage::plain(messages::message(finding)),
        fixes: finding.fix.iter().map(fix).collect(),
        locations: [ResultLocation {
            physical_location: PhysicalLocation {
                artifact_location: artifact,
                region: Region {
                    start_line: Some(finding.line),
                    start_column: Some(finding.column as usize),
                    end_column: (marked > 0).then(|| finding.column as usize + marked),
                    snippet: (!finding.excerpt.text.is_empty())
                        .then_some(ArtifactContent { text: &finding.excerpt.text }),
                    ..Region::default()
                },
            },
        }],
        partial_fingerprints: Fingerprints { finding: format!("{digest}:{before}") },
    }
}

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let taken = most_severe(&report.findings, MOST_RESULTS);
    let results = || {
        let mut occurrences = Occurrences::default();
        taken.clone().map(move |finding| result(&report.root, messages::codes(report), finding, &mut occurrences))
    };
    let total = report.findings.len();
    let left_out = (total > MOST_RESULTS).then(|| Notification {
        level: "warning",
        message: SarifMessage::plain(format!(
            "{} left out, the least severe: code scanning takes {} results at most. The json format has all of them.",
            plural(total - MOST_RESULTS, "finding"),
            grouped(MOST_RESULTS)
        )),
    });
    let log = Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [SarifRun {
            tool: SarifTool {
                driver: Driver {
                    name: messages::command(report),
                    semantic_version: env!("CARGO_PKG_VERSION"),
                    rules: messages::codes(report).iter().map(rule).collect(),
                },
            },
            invocations: [Invocation {
                execution_successful: true,
                tool_execution_notifications: left_out.into_iter().collect(),
            }],
            column_kind: "unicodeCodePoints",
            results: Each(results),
        }],
    };
    lines::write(&log, 4, out)
}
