//! A deprecated or archived document.

use schemars::JsonSchema;
use serde::Serialize;

use super::read::Reader;
use super::yaml::Node;

/// A deprecated or archived document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deprecation {
    /// The path of the document, or its old path.
    pub path: String,
    /// The date of the deprecation.
    #[schemars(extend("format" = "date"))]
    pub date: String,
    /// The reason.
    pub reason: String,
    /// The path of the archived document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archived: Option<String>,
    /// The replacement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replacement: Option<String>,
}

impl Deprecation {
    pub(super) fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let mut fields = reader.fields(node, "a deprecation")?;
        let path = reader.required(&mut fields, "path").and_then(|node| reader.path(node));
        let date = reader.required(&mut fields, "date").and_then(|node| reader.date(node));
        let reason = reader.required_text(&mut fields, "reason");
        let archived = fields.take("archived").and_then(|node| reader.path(node));
        let replacement = fields.take("replacement").and_then(|node| reader.path(node));
        reader.end(fields);
        Some(Self { path: path?, date: date?, reason: reason?, archived, replacement })
    }
}
