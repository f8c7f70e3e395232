//! A decision to keep a document that the audit proposed to change.

use schemars::JsonSchema;
use serde::Serialize;

use super::problem::Problem;
use super::read::Reader;
use super::yaml::Node;

/// A reviewed document that needs no change. The audit makes no proposal for it until it changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reviewed {
    /// The path of the document.
    pub path: String,
    /// The decision.
    pub decision: ReviewDecision,
    /// The date of the review.
    #[schemars(extend("format" = "date"))]
    pub date: String,
    /// The first 16 hexadecimal digits of the SHA-256 of the reviewed text.
    #[schemars(extend("pattern" = "^[0-9a-f]{16}$"))]
    pub sha256: String,
}

/// The decision of a review. Archived and updated documents need no entry, because their text shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub enum ReviewDecision {
    /// The document needs no change.
    #[serde(rename = "keep")]
    Keep,
}

impl Reviewed {
    pub(super) fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let mut fields = reader.fields(node, "a reviewed document")?;
        let path = reader.required(&mut fields, "path").and_then(|node| reader.path(node));
        let decision = reader
            .required(&mut fields, "decision")
            .and_then(|node| reader.choice(node, "decision to remember", &[("keep", ReviewDecision::Keep)]));
        let date = reader.required(&mut fields, "date").and_then(|node| reader.date(node));
        let sha256 = reader.required(&mut fields, "sha256").and_then(|node| digits(node, reader));
        reader.end(fields);
        Some(Self { path: path?, decision: decision?, date: date?, sha256: sha256? })
    }
}

fn digits(node: &Node, reader: &mut Reader) -> Option<String> {
    let text = reader.text(node)?;
    if text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Some(text);
    }
    let problem = Problem::new(node.span.clone(), format!("{text:?} is no digest"));
    reader.problem(problem.with_hint("`mcp-kit audit-docs --keep PATH` writes it"));
    None
}
