//! `mcp-kit docs` from its flags to its output.

use std::fmt::Write as _;
use std::path::Path;

use super::build::{BuildError, ByHand, Plan, plan};
use crate::audit::fix::diff::unified;
use crate::audit::fix::transaction::{self, TransactionError};
use crate::audit::report::plural;
use crate::catalog::{Catalog, CatalogError};

/// What a build is to do with what it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Write what has to change.
    Write,
    /// Show it as a diff.
    DryRun,
    /// As a dry run; and that anything has to change is a failure.
    Check,
}

/// Why nothing was built.
#[derive(Debug, thiserror::Error)]
pub enum DocsError {
    /// There is no catalog.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// Everything that is wrong with the pages.
    #[error("the documents cannot be built")]
    Build(Vec<BuildError>),
    /// The pages cannot be written.
    #[error(transparent)]
    Write(#[from] TransactionError),
}

/// Builds the pages of a catalog beside it; gives what there is to say, and whether all is as it should be.
///
/// # Errors
/// When the catalog, a template or a file is wrong, or a page cannot be written. Then nothing was.
pub fn build(path: &Path, today: &str, mode: Mode, by_hand: ByHand) -> Result<(String, bool), DocsError> {
    let catalog = Catalog::load(path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let unreadable = |source| CatalogError::Io { path: folder.to_owned(), source };
    let root = &folder.canonicalize().map_err(unreadable)?;
    if mode == Mode::Write {
        transaction::finish(root)?;
    }
    let Plan { changes, pages } = plan(root.as_path(), &catalog, today, by_hand).map_err(DocsError::Build)?;
    if mode != Mode::Write {
        let stale = changes.len();
        let mut text = unified(&changes);
        let _ = match (mode, stale) {
            (Mode::Check, 0) => writeln!(text, "{} up to date", plural(pages, "page")),
            (Mode::Check, _) => writeln!(text, "{stale} of {} stale: run mcp-kit docs build", plural(pages, "page")),
            _ => Ok(()),
        };
        return Ok((text, mode == Mode::DryRun || stale == 0));
    }
    if !changes.is_empty() {
        transaction::run(root, &changes)?;
    }
    let mut text = String::new();
    for change in &changes {
        let what = if change.before.is_some() { "updated" } else { "created" };
        let _ = writeln!(text, "{what} {}", change.path);
    }
    let _ = match changes.len() {
        0 => writeln!(text, "{} up to date", plural(pages, "page")),
        n => writeln!(text, "{n} of {} written", plural(pages, "page")),
    };
    Ok((text, true))
}
