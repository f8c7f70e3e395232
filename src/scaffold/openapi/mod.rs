//! OpenAPI 3.0 and 3.1 descriptions → tools. In: the text of a description and a selection of its operations. Out: entries of a file
//! of operations, as `mcp_server_runtime::operations` reads it. Pure, and bounded: a description can come from anywhere.

pub mod document;
pub mod operation;
pub mod schema;
pub mod select;
pub mod yaml;

use std::borrow::Cow;

use crate::error::Explain;

/// The reason that a description, or an operation of it, makes no tools.
#[derive(Debug, thiserror::Error)]
pub enum OpenApiError {
    /// The file cannot be read.
    #[error("cannot read {path}: {reason}")]
    Unreadable {
        /// The path as the user wrote it.
        path: String,
        /// The system's reason.
        reason: String,
    },
    /// The text is neither JSON nor YAML.
    #[error("{path}:{line}:{column}: {reason}")]
    Syntax {
        /// The path as the user wrote it.
        path: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// The parser's message.
        reason: String,
    },
    /// The description is of another kind or version.
    #[error("{path} is no OpenAPI 3.0 or 3.1 description: {found}")]
    Version {
        /// The path as the user wrote it.
        path: String,
        /// The kind or version that it names.
        found: String,
    },
    /// A `$ref` leads out of the file.
    #[error("{0:?} leads to another file or host, which is not read")]
    Remote(String),
    /// A `$ref` leads nowhere, or to itself.
    #[error("{0:?} leads {1}")]
    Reference(String, &'static str),
    /// There is no such operation.
    #[error("the description has no operation {id:?}{}", near.as_ref().map_or_else(String::new, |near| format!("; did you mean {near}?")))]
    NoOperation {
        /// The id as typed.
        id: String,
        /// The nearest one.
        near: Option<String>,
    },
    /// There is no such tag.
    #[error("no operation has the tag {tag:?}; there are {known}")]
    NoTag {
        /// The tag as typed.
        tag: String,
        /// The tags.
        known: String,
    },
    /// The operation changes something, and that was not asked for.
    #[error("{id} is a {method}, which changes something")]
    Writes {
        /// The operation.
        id: String,
        /// Its method.
        method: String,
    },
    /// The operation cannot be a tool.
    #[error("{id} cannot be a tool: {reason}")]
    Unsupported {
        /// The operation.
        id: String,
        /// The reason.
        reason: String,
    },
    /// Nothing is left of a tag.
    #[error("the tag {0:?} has no operation that can be a tool and only reads")]
    Nothing(String),
    /// The description does not say where the API is.
    #[error("the description does not say where the API is{0}")]
    NoServer(String),
}

impl Explain for OpenApiError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        let hint = match self {
            Self::Unreadable { .. } => "name a file with a description in JSON or YAML",
            Self::Syntax { .. } => "correct the description, or take it as JSON",
            Self::Version { .. } => "convert it to OpenAPI 3; editor.swagger.io does that for Swagger 2.0",
            Self::Remote(_) => "bundle the description into one file first, for example with `redocly bundle`",
            Self::Reference(..) => "correct the description",
            Self::NoOperation { .. } => "ids are the `operationId`s of the description; \"GET /path\" works as well",
            Self::NoTag { .. } => "tags are written as in the description",
            Self::Writes { .. } => "add --write if callers may do that",
            Self::Unsupported { .. } => {
                "leave it out, or write that tool by hand: mcp-kit add tool NAME --upstream UPSTREAM"
            }
            Self::Nothing(_) => "add --write for operations that change something",
            Self::NoServer(_) => "give it with --base https://api.example.com/v1",
        };
        Some(hint.into())
    }
}
