//! The tables inside of an entry.

use schemars::JsonSchema;
use serde::Serialize;

use super::read::url;
use super::words::ServiceStatus;
use crate::catalog::problem::Problem;
use crate::catalog::read::Reader;
use crate::catalog::yaml::{Node, Value};

/// An environment of a server: staging and production are one server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// The name, such as `production`.
    pub name: String,
    /// The URL of the endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "uri"))]
    pub url: Option<String>,
    /// The status, if it is not that of the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<ServiceStatus>,
    /// The host to log in to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The folder on the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// The namespace in Kubernetes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The version that runs there, if it is not that of the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// A tool of a server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// The name.
    pub name: String,
    /// `true` when it changes nothing (the hint `readOnlyHint`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    /// `true` when it can destroy something (the hint `destructiveHint`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destructive: Option<bool>,
}

/// A tool, as the catalog has it.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is of use")]
pub(super) enum ToolSchema {
    /// The name alone.
    Name(String),
    /// The name and its hints.
    Tool(Tool),
}

/// An API that a server calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// The name.
    pub name: String,
    /// The address of the API.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "uri"))]
    pub url: Option<String>,
    /// The date on which its token was last rotated.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date"))]
    pub token_rotated: Option<String>,
    /// The date by which its token has to be rotated.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date"))]
    pub rotate_by: Option<String>,
}

/// The template that a server was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateUse {
    /// The version of the template, which `/status` of a generated server has.
    pub version: String,
    /// The digest of the template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

impl Environment {
    pub(super) fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let mut fields = reader.fields(node, "an environment")?;
        let name = reader.required_text(&mut fields, "name");
        let environment = Self {
            name: name.clone().unwrap_or_default(),
            url: fields.take("url").and_then(|node| url(node, reader)),
            status: fields.take("status").and_then(|node| ServiceStatus::read(node, reader)),
            host: reader.optional_text(&mut fields, "host"),
            folder: reader.optional_text(&mut fields, "folder"),
            namespace: reader.optional_text(&mut fields, "namespace"),
            version: reader.optional_text(&mut fields, "version"),
        };
        reader.end(fields);
        name.map(|_| environment)
    }
}

const SWITCH: &[(&str, bool)] = &[("true", true), ("false", false)];

impl Tool {
    pub(super) fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        if let Value::Scalar(_) = &node.value {
            return Some(Self { name: reader.text(node)?, read_only: None, destructive: None });
        }
        let mut fields = reader.fields(node, "a tool")?;
        let name = reader.required_text(&mut fields, "name");
        let read_only = fields.take("read_only").and_then(|node| reader.choice(node, "switch", SWITCH));
        let destructive_node = fields.take("destructive");
        let destructive = destructive_node.and_then(|node| reader.choice(node, "switch", SWITCH));
        if let (Some(true), Some(true), Some(node)) = (read_only, destructive, destructive_node) {
            let problem = Problem::new(node.span.clone(), "a tool that changes nothing destroys nothing");
            reader.problem(problem.with_hint("set one of read_only and destructive to false"));
        }
        reader.end(fields);
        Some(Self { name: name?, read_only, destructive })
    }
}

impl Upstream {
    pub(super) fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let mut fields = reader.fields(node, "an upstream API")?;
        let name = reader.required_text(&mut fields, "name");
        let upstream = Self {
            name: name.clone().unwrap_or_default(),
            url: fields.take("url").and_then(|node| url(node, reader)),
            token_rotated: fields.take("token_rotated").and_then(|node| reader.date(node)),
            rotate_by: fields.take("rotate_by").and_then(|node| reader.date(node)),
        };
        reader.end(fields);
        name.map(|_| upstream)
    }
}

impl TemplateUse {
    pub(super) fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        if let Value::Scalar(_) = &node.value {
            return Some(Self { version: reader.text(node)?, digest: None });
        }
        let mut fields = reader.fields(node, "the template of a server")?;
        let version = reader.required_text(&mut fields, "version");
        let digest = reader.optional_text(&mut fields, "digest");
        reader.end(fields);
        Some(Self { version: version?, digest })
    }
}
