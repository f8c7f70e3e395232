//! Why there is no report.

use std::io;

use super::review::ReviewError;
use crate::audit::AuditError;
use crate::audit::baseline::BaselineError;
use crate::audit::fix::FixError;
use crate::audit::web::WebError;
use crate::catalog::CatalogError;
use crate::error::{Explain, Message, UNFINISHED};
use crate::fs::files::FilesError;

/// How the command fails.
#[derive(Debug, thiserror::Error)]
pub(super) enum AuditDocsError {
    /// There is no report.
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
    /// The settings cannot be used.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// Nothing was recorded.
    #[error(transparent)]
    Review(#[from] ReviewError),
    /// Nothing was mended.
    #[error(transparent)]
    Fix(#[from] FixError),
    /// The web was not asked.
    #[error(transparent)]
    Web(#[from] WebError),
}

impl AuditDocsError {
    /// The error that this one passes on; `None` for its own.
    fn inner(&self) -> Option<&dyn Explain> {
        Some(match self {
            Self::Audit(error) => error,
            Self::Baseline(error) => error,
            Self::WriteBaseline(error) => error,
            Self::Catalog(error) => error,
            Self::Review(error) => error,
            Self::Fix(error) => error,
            Self::Web(error) => error,
            Self::Output(_) => return None,
        })
    }
}

impl Explain for AuditDocsError {
    fn status(&self) -> u8 {
        self.inner().map_or(UNFINISHED, Explain::status)
    }

    fn messages(&self) -> Vec<Message> {
        self.inner().map_or_else(|| vec![Message { what: self.to_string(), hint: None }], Explain::messages)
    }
}
