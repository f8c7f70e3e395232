//! `catalog.yaml`: the MCP servers of a fleet, the one source of all output.
//!
//! Text → [`yaml`] tree with positions → [`read`] fields, collecting every [`problem`] → [`Catalog`].

pub mod add;
pub mod advice;
pub mod audit;
pub mod check;
pub mod deprecation;
pub mod docs;
pub mod edit;
pub mod export;
pub mod ids;
pub mod migrate;
pub mod online;
pub mod organisation;
pub mod pages;
pub mod problem;
pub mod read;
pub mod reference;
pub mod reviewed;
pub mod service;
pub mod source;
pub mod yaml;

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;

pub use deprecation::Deprecation;
pub use organisation::Organisation;
pub use reviewed::Reviewed;
pub use service::Service;

use crate::error::{Explain, Message, UNFINISHED, USAGE};
use problem::{Problem, Problems};
use read::Reader;

/// The file name, at the root of a repository.
pub const FILE: &str = "catalog.yaml";

/// A catalog.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    /// The version of the form of this file: 2. Files without it have that of version 1, which is read, too.
    #[serde(rename = "catalog", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 2))]
    pub format: Option<u8>,
    /// The organisation that owns the servers.
    pub organisation: Option<Organisation>,
    /// The servers, in order.
    #[serde(default)]
    pub services: Vec<Service>,
    /// Deprecated and archived documents.
    #[serde(default)]
    pub deprecations: Vec<Deprecation>,
    /// Reviewed documents that need no change.
    #[serde(default)]
    pub reviewed: Vec<Reviewed>,
    /// Settings of `mcp-kit catalog check` and `verify`.
    #[serde(default)]
    pub check: check::CheckConfig,
    /// Settings of `mcp-kit docs`.
    #[serde(default)]
    pub docs: docs::Docs,
    /// Settings of `mcp-kit audit-docs`.
    #[serde(default)]
    pub audit: audit::AuditConfig,
}

/// The reason that a catalog could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The path of the file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] crate::fs::files::FilesError),
    /// The service does not fit into the catalog.
    #[error("{}: {reason}", path.display())]
    Add {
        /// The path of the file.
        path: PathBuf,
        /// The reason.
        reason: add::AddError,
    },
    /// An entry cannot be edited.
    #[error("{}: {reason}", path.display())]
    Edit {
        /// The path of the file.
        path: PathBuf,
        /// The reason.
        reason: edit::EditError,
    },
    /// The contents have errors.
    #[error("{0}")]
    Problems(Problems),
}

impl Catalog {
    /// Reads a file.
    ///
    /// # Errors
    /// When the file cannot be read, or with every error in it.
    pub fn load(path: &Path) -> Result<Self, CatalogError> {
        let bytes = std::fs::read(path).map_err(|source| CatalogError::Io { path: path.to_owned(), source })?;
        Self::parse(&bytes)
            .map_err(|(text, problems)| CatalogError::Problems(Problems { path: path.to_owned(), text, problems }))
    }

    /// Parses the contents of a file.
    ///
    /// # Errors
    /// The text (lossy where it is not UTF-8) and every error in it, in the order of the file.
    pub fn parse(bytes: &[u8]) -> Result<Self, (String, Vec<Problem>)> {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let at = error.valid_up_to();
                let problem = Problem::new(at..at, "this is not UTF-8");
                return Err((String::from_utf8_lossy(bytes).into_owned(), vec![problem]));
            }
        };
        let mut reader = Reader::default();
        let catalog = match yaml::parse(text) {
            Ok(Some(root)) => Self::read(&root, &mut reader),
            Ok(None) => Self::default(),
            Err(problem) => return Err((text.to_owned(), vec![problem])),
        };
        let problems = reader.finish();
        if problems.is_empty() { Ok(catalog) } else { Err((text.to_owned(), problems)) }
    }

    fn read(root: &yaml::Node, reader: &mut Reader) -> Self {
        let Some(mut fields) = reader.fields(root, "a catalog") else { return Self::default() };
        let catalog = Self {
            format: fields.take("catalog").and_then(|node| format_version(node, reader)),
            organisation: fields.take("organisation").and_then(|node| Organisation::read(node, reader)),
            services: reader.list(fields.take("services"), Service::read),
            deprecations: reader.list(fields.take("deprecations"), Deprecation::read),
            reviewed: reader.list(fields.take("reviewed"), Reviewed::read),
            check: fields.take("check").map(|node| check::CheckConfig::read(node, reader)).unwrap_or_default(),
            docs: fields.take("docs").map(|node| docs::Docs::read(node, reader)).unwrap_or_default(),
            audit: fields.take("audit").map(|node| audit::AuditConfig::read(node, reader)).unwrap_or_default(),
        };
        reader.end(fields);
        service::check_names(root, reader);
        catalog
    }
}

/// The newest form of the file.
pub const FORMAT: u8 = 2;

/// Reads the version of the form.
fn format_version(node: &yaml::Node, reader: &mut Reader) -> Option<u8> {
    let text = reader.text(node)?;
    let version = text.parse().ok().filter(|version| (1..=FORMAT).contains(version));
    if version.is_none() {
        let problem =
            Problem::new(node.span.clone(), format!("{text:?} is no version of catalogs that this mcp-kit reads"));
        reader.problem(problem.with_hint("it reads 1 and 2"));
    }
    version
}

/// Returns the JSON Schema of a catalog, for editors.
#[must_use]
pub fn schema() -> String {
    let mut schema = schemars::schema_for!(Catalog);
    schema.insert("$id".to_owned(), "mcp-kit/catalog/2".into());
    allow_extensions(&mut schema);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

/// Allows fields that begin with `x-` in every table.
fn allow_extensions(schema: &mut schemars::Schema) {
    if schema.get("additionalProperties") == Some(&serde_json::Value::Bool(false)) {
        schema.insert("patternProperties".to_owned(), serde_json::json!({"^x-.": true}));
    }
    schemars::transform::transform_subschemas(&mut allow_extensions, schema);
}

impl Explain for CatalogError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Some("name the file with --catalog, or begin one: mcp-kit init".into())
            }
            Self::Io { .. } => Some("give a file that you may read with --catalog".into()),
            Self::Problems(_) => None,
            Self::Write(error) => error.hint(),
            Self::Add { reason: add::AddError::Flow(_), .. } => {
                Some("write each service on lines of its own, or add it by hand".into())
            }
            Self::Edit { .. } => {
                Some("write each field of the entry on a line of its own, or change it by hand".into())
            }
            Self::Add { .. } => Some("choose another name, or change that one".into()),
        }
    }

    fn status(&self) -> u8 {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => USAGE,
            Self::Io { .. } => UNFINISHED,
            Self::Write(error) => error.status(),
            Self::Add { .. } | Self::Edit { .. } | Self::Problems(_) => USAGE,
        }
    }

    fn messages(&self) -> Vec<Message> {
        match self {
            Self::Problems(problems) => {
                let message = |(what, hint): (String, Option<&str>)| Message { what, hint: hint.map(str::to_owned) };
                problems.rendered().map(message).collect()
            }
            _ => vec![self.message()],
        }
    }
}
