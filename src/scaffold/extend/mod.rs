//! Additions to a generated project: a tool, a setting, an upstream API. In: the project's files and a request. Out: a change
//! set, which is empty where everything is there already.
//!
//! Each edit checks for itself whether its part is there, so that a second run changes nothing and a run after a half-undone one
//! adds what is missing. An edit that does not find its place is an error: the owner has moved it.

pub mod files;
pub mod identifier;
pub mod operations;
pub mod places;
pub mod rows;
pub mod rust;
pub mod tool;
pub mod upstream;

use std::borrow::Cow;

use crate::error::Explain;
use identifier::BadIdentifier;

/// The reason that nothing is added.
#[derive(Debug, thiserror::Error)]
pub enum ExtendError {
    /// A name is not valid.
    #[error(transparent)]
    Name(#[from] BadIdentifier),
    /// The folder has no generated project.
    #[error("{0} is not a project that mcp-kit has made: it has no {1}")]
    NoProject(String, &'static str),
    /// A file cannot be read.
    #[error("cannot read {path}: {reason}")]
    Unreadable {
        /// The path in the project.
        path: String,
        /// The system's reason.
        reason: String,
    },
    /// The owner has moved what an edit looks for.
    #[error("{path} has no {anchor}, where the new part belongs")]
    NoPlace {
        /// The path in the project.
        path: String,
        /// The missing part.
        anchor: &'static str,
    },
    /// The project's runtime does not have what the new code needs.
    #[error("the project's vendor/mcp-server-runtime is of an older mcp-kit and has no client for upstream APIs")]
    OldRuntime,
    /// The name is taken by something else.
    #[error("{name} is taken: {by}")]
    Taken {
        /// The name.
        name: String,
        /// The owner of the name.
        by: String,
    },
    /// A tool asks for an upstream that the project does not have.
    #[error("the project has no upstream {name}{}", near(.known))]
    NoUpstream {
        /// The name.
        name: String,
        /// The upstreams that it has.
        known: Vec<String>,
    },
    /// An argument is not `NAME:TYPE`.
    #[error("--argument {0:?} is not NAME:TYPE with the type string, integer, number or boolean")]
    Argument(String),
    /// A value that would break the source that it goes into.
    #[error("{what} {value:?} {reason}")]
    Value {
        /// The flag.
        what: &'static str,
        /// The value.
        value: String,
        /// The rule that it breaks.
        reason: &'static str,
    },
    /// The file of operations was changed by hand into something else.
    #[error("{path} is no file of operations: {reason}")]
    OperationsFile {
        /// The path in the project.
        path: String,
        /// The parser's message.
        reason: String,
    },
}

fn near(known: &[String]) -> String {
    if known.is_empty() { String::new() } else { format!("; it has {}", known.join(", ")) }
}

impl Explain for ExtendError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        let hint = match self {
            Self::Name(error) => return error.hint(),
            Self::NoProject(..) => "run it in the folder of a project of `mcp-kit new`, or name that with --dir",
            Self::Unreadable { .. } => "make the file readable, or restore it",
            Self::NoPlace { .. } => {
                "put it back, or add this part by hand as docs/MCP_IMPLEMENTATION_GUIDE.md says; nothing was written"
            }
            Self::OldRuntime => "generate the project with this mcp-kit and take its vendor/ over",
            Self::Taken { .. } => "choose another name",
            Self::NoUpstream { name, .. } => return Some(format!("add it first: mcp-kit add upstream {name}").into()),
            Self::Argument(_) => {
                "for example --argument city:string --argument 'limit?:integer'; the question mark makes it optional"
            }
            Self::Value { .. } => "give another value",
            Self::OperationsFile { .. } => "restore it from git, or remove it to begin it again",
        };
        Some(hint.into())
    }
}
