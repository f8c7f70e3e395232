//! `mcp-kit docs` from its flags to its output.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::build::{BuildError, ByHand, Plan, plan};
use super::documents::{self, collect};
use super::site::SiteError;
use super::site::publish::publish;
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
    /// There is no site of them.
    #[error(transparent)]
    Site(#[from] SiteError),
}

/// What was built.
#[derive(Debug, Default)]
pub struct Built {
    /// What there is to say.
    pub text: String,
    /// What could not be made as it should be.
    pub notes: Vec<String>,
    /// Whether all is as it should be.
    pub good: bool,
}

/// The folder of a catalog.
///
/// # Errors
/// When there is none.
pub fn root_of(catalog: &Path) -> Result<PathBuf, CatalogError> {
    let folder = catalog.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    folder.canonicalize().map_err(|source| CatalogError::Io { path: folder.to_owned(), source })
}

/// Builds the pages of a catalog beside it, and a site of them in `html`.
///
/// # Errors
/// When the catalog, a template or a file is wrong, or a page cannot be written. Then nothing was.
pub fn build(path: &Path, today: &str, mode: Mode, by_hand: ByHand, html: Option<&Path>) -> Result<Built, DocsError> {
    let catalog = Catalog::load(path)?;
    let root = &root_of(path)?;
    if mode == Mode::Write {
        transaction::finish(root)?;
    }
    let plan = plan(root.as_path(), &catalog, today, by_hand).map_err(DocsError::Build)?;
    // Before anything is written: what is wrong with the site stops the pages as well.
    let site = match html {
        Some(_) => {
            let documents = collect(root, &catalog, &plan).map_err(|error| DocsError::Build(vec![error]))?;
            Some(documents::site(root, &catalog, &documents, None)?)
        }
        None => None,
    };
    let Plan { changes, pages } = plan;
    if mode != Mode::Write {
        let stale = changes.len();
        let mut text = unified(&changes);
        let _ = match (mode, stale) {
            (Mode::Check, 0) => writeln!(text, "{} up to date", plural(pages, "page")),
            (Mode::Check, _) => writeln!(text, "{stale} of {} stale: run mcp-kit docs build", plural(pages, "page")),
            _ => Ok(()),
        };
        return Ok(Built { text, good: mode == Mode::DryRun || stale == 0, ..Built::default() });
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
    let mut notes = Vec::new();
    if let (Some(folder), Some(site)) = (html, site) {
        let changed = publish(folder, site.files)?;
        let _ =
            writeln!(text, "{} {}", if changed { "wrote the site to" } else { "nothing changed in" }, folder.display());
        notes = site.notes;
    }
    Ok(Built { text, notes, good: true })
}
