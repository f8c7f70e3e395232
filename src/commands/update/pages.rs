//! The pages of the project's catalog after an update, as `mcp-kit docs build` makes them.

use std::collections::BTreeMap;
use std::path::Path;

use crate::catalog::{Catalog, FILE};
use crate::docs::build::{BuildError, ByHand, Folder, join_errors, plan};
use crate::fs::change::Change;
use crate::fs::files::File;

/// The project as it is after the update.
struct Updated<'a> {
    root: &'a Path,
    /// The files that the update writes, and `None` for those that it removes.
    written: &'a BTreeMap<String, Option<File>>,
}

impl Folder for Updated<'_> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, BuildError> {
        match self.written.get(path) {
            Some(file) => Ok(file.as_ref().map(|file| file.bytes.to_vec())),
            None => self.root.read(path),
        }
    }

    fn list(&self, path: &str) -> Result<Vec<String>, BuildError> {
        self.root.list(path)
    }
}

/// Returns the changes of pages, or why there are none. A page that the owner has deleted stays deleted, unless the catalog
/// is new.
pub(super) fn changes(
    root: &Path,
    written: &BTreeMap<String, Option<File>>,
    today: &str,
) -> Result<Vec<Change>, String> {
    let folder = Updated { root, written };
    let Some(bytes) = folder.read(FILE).map_err(|error| error.to_string())? else { return Ok(Vec::new()) };
    let catalog =
        Catalog::parse(&bytes).map_err(|_| "catalog.yaml has mistakes; see `mcp-kit catalog check`".to_owned())?;
    let plan = plan(&folder, &catalog, today, ByHand::Keep).map_err(|errors| join_errors(&errors))?;
    let is_new = !root.join(FILE).exists();
    Ok(plan.changes.into_iter().filter(|change| is_new || change.before.is_some()).collect())
}
