//! The errors of `mcp-kit audit-docs`.

use std::io;

use super::batch::BatchError;
use super::review::ReviewError;
use crate::audit::AuditError;
use crate::audit::baseline::BaselineError;
use crate::audit::fix::FixError;
use crate::audit::web::WebError;
use crate::catalog::CatalogError;
use crate::error::{Explain, Message, UNFINISHED};
use crate::fs::files::FilesError;
use crate::fs::git::GitError;
use crate::fs::git::revision::RevisionError;

/// The reason that the command failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum AuditDocsError {
    /// The audit failed.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The baseline cannot be used.
    #[error(transparent)]
    Baseline(#[from] BaselineError),
    /// The baseline cannot be written.
    #[error(transparent)]
    WriteBaseline(#[from] FilesError),
    /// The report cannot be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
    /// Standard input cannot be read.
    #[error("cannot read the document from standard input: {0}")]
    Input(io::Error),
    /// Standard input is no batch of documents.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// There is no such older state.
    #[error(transparent)]
    Revision(#[from] RevisionError),
    /// Git does not say what has changed.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The catalog cannot be used.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The reviews could not be recorded.
    #[error(transparent)]
    Review(#[from] ReviewError),
    /// The fixes could not be applied.
    #[error(transparent)]
    Fix(#[from] FixError),
    /// The web could not be asked.
    #[error(transparent)]
    Web(#[from] WebError),
}

impl AuditDocsError {
    /// Returns the error that this one wraps, or `None` for its own.
    fn inner(&self) -> Option<&dyn Explain> {
        Some(match self {
            Self::Audit(error) => error,
            Self::Baseline(error) => error,
            Self::WriteBaseline(error) => error,
            Self::Batch(error) => error,
            Self::Revision(error) => error,
            Self::Git(error) => error,
            Self::Catalog(error) => error,
            Self::Review(error) => error,
            Self::Fix(error) => error,
            Self::Web(error) => error,
            Self::Output(_) | Self::Input(_) => return None,
        })
    }
}

impl Explain for AuditDocsError {
    fn status(&self) -> u8 {
        self.inner().map_or(UNFINISHED, Explain::status)
    }

    fn messages(&self) -> Vec<Message> {
        self.inner().map_or_else(|| vec![self.message()], Explain::messages)
    }
}
