//! `mcp-kit catalog migrate`.

use std::path::Path;

use crate::catalog::edit::EditError;
use crate::catalog::problem::Problems;
use crate::catalog::source::CatalogSource;
use crate::catalog::{CatalogError, migrate};
use crate::fs::change::Change;
use crate::fs::diff::unified;
use crate::text::plural::plural;

/// Migrates the file. Returns a message, or the diff of a dry run.
///
/// # Errors
/// When the catalog is not valid, cannot be edited, or cannot be written.
pub(super) fn run(path: &Path, dry: bool) -> Result<String, CatalogError> {
    let source = CatalogSource::load(path)?;
    let steps = migrate::steps(&source);
    if migrate::is_done(&source.catalog, &steps) {
        return Ok(if dry { String::new() } else { format!("{}: nothing to migrate\n", path.display()) });
    }
    let after = migrate::migrate(&source).map_err(|error| edit_error(path, error))?;
    if dry {
        return Ok(difference(path, &source.text, &after));
    }
    crate::fs::files::replace(path, after.as_bytes())?;
    Ok(format!("{}: {} made\n", path.display(), plural(steps.len(), "change")))
}

/// Returns the error of an edit, with the file.
pub(super) fn edit_error(path: &Path, error: EditError) -> CatalogError {
    match error {
        EditError::Problems(text, problems) => {
            CatalogError::Problems(Problems { path: path.to_owned(), text, problems })
        }
        reason @ EditError::Place(_) => CatalogError::Edit { path: path.to_owned(), reason },
    }
}

/// Returns the difference between two texts of the catalog.
pub(super) fn difference(path: &Path, before: &str, after: &str) -> String {
    let (before, after) = (Some(before.as_bytes().to_vec()), after.as_bytes().to_vec());
    unified(&[Change { path: path.display().to_string(), before, after }])
}
