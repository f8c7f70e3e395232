//! The first pages of a new project, made from its own catalog as `mcp-kit docs build` makes them.
//!
//! They are not part of the pristine project: an update rebuilds them instead of merging them.

use std::borrow::Cow;
use std::path::PathBuf;

use crate::catalog::problem::Problems;
use crate::catalog::{Catalog, CatalogError, FILE};
use crate::docs::build::{BuildError, ByHand, join_errors, plan};
use crate::error::{Explain, Message};
use crate::fs::files::{File, FileTree};

/// The reason that the pages cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum DocumentsError {
    /// The rendered catalog has errors.
    #[error("the template's catalog is wrong: {0}")]
    Catalog(CatalogError),
    /// The pages have errors.
    #[error("the documents cannot be made: {}", join_errors(.0))]
    Build(Vec<BuildError>),
}

/// Adds the pages of the project's catalog, if it has one.
///
/// # Errors
/// When the catalog has errors, or other text is in the place of a page.
pub fn add(files: &mut FileTree, today: &str) -> Result<(), DocumentsError> {
    let Some(file) = files.get(FILE) else { return Ok(()) };
    let wrong = |(text, problems)| {
        DocumentsError::Catalog(CatalogError::Problems(Problems { path: PathBuf::from(FILE), text, problems }))
    };
    let catalog = Catalog::parse(&file.bytes).map_err(wrong)?;
    let plan = plan(&*files, &catalog, today, ByHand::Keep).map_err(DocumentsError::Build)?;
    for change in plan.changes {
        files.insert(change.path, File { bytes: Cow::Owned(change.after), executable: false });
    }
    Ok(())
}

impl Explain for DocumentsError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        Some("correct the template".into())
    }

    /// Returns one message for each error of the catalog or of a page, as the other commands do. The template causes
    /// them.
    fn messages(&self) -> Vec<Message> {
        let of_the_template = |message: Message| Message {
            what: format!("in the template: {}", message.what),
            hint: message.hint.or_else(|| self.hint().map(Cow::into_owned)),
        };
        match self {
            Self::Catalog(error) => error.messages().into_iter().map(of_the_template).collect(),
            Self::Build(errors) => {
                let what = |error: &BuildError| Message { what: error.to_string(), hint: None };
                errors.iter().map(what).map(of_the_template).collect()
            }
        }
    }
}
