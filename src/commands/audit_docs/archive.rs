//! Adds archived documents to the catalog, and to the page that `mcp-kit docs build` makes from it.

use std::path::Path;

use crate::audit::fix::archived::Archived;
use crate::audit::fix::plan::FixPlan;
use crate::catalog::pages::placed;
use crate::catalog::{self, Catalog, Deprecation, add};
use crate::docs::build::{BuildError, ByHand, Folder, join_errors, plan as build};
use crate::fs::change::Change;

/// The tree after the plan.
struct Overlay<'a> {
    root: &'a Path,
    changes: &'a [Change],
}

impl Folder for Overlay<'_> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, BuildError> {
        match self.changes.iter().find(|change| change.path == path) {
            Some(change) => Ok(Some(change.after.clone())),
            None => self.root.read(path),
        }
    }

    fn list(&self, path: &str) -> Result<Vec<String>, BuildError> {
        self.root.list(path)
    }
}

/// Adds the archived documents of a plan to the catalog below `root`, and updates the page that lists them. When that
/// fails, it adds a remark on what to do.
pub(super) fn enter(root: &Path, plan: &mut FixPlan, today: &str) {
    if plan.archived.is_empty() {
        return;
    }
    match changes(root, plan, today) {
        Ok(changes) => {
            plan.changes.extend(changes);
            plan.changes.sort_by(|one, other| one.path.cmp(&other.path));
        }
        Err(reason) => {
            let paths: Vec<&str> = plan.archived.iter().map(|entry| entry.path.as_str()).collect();
            plan.remarks.push(format!("enter {} into `deprecations` of {}: {reason}", paths.join(", "), catalog::FILE));
        }
    }
}

fn changes(root: &Path, plan: &FixPlan, today: &str) -> Result<Vec<Change>, String> {
    let before = std::fs::read(root.join(catalog::FILE)).map_err(|error| error.to_string())?;
    let text = std::str::from_utf8(&before).map_err(|error| error.to_string())?;
    let after = add::deprecations(text, &plan.archived.iter().map(deprecation).collect::<Vec<_>>())
        .map_err(|error| error.to_string())?;
    let wrong = || format!("{} would be wrong afterwards", catalog::FILE);
    let catalog = Catalog::parse(after.as_bytes()).map_err(|_| wrong())?;
    let path =
        placed(&catalog).iter().find(|page| page.name == "deprecations").map(|page| page.path.clone().into_owned());
    let overlay = Overlay { root, changes: &plan.changes };
    let built = build(&overlay, &catalog, today, ByHand::Keep).map_err(|errors| join_errors(&errors))?;
    let page = built.changes.into_iter().filter(|change| Some(&change.path) == path.as_ref());
    let list = Change { path: catalog::FILE.to_owned(), before: Some(before), after: after.into_bytes() };
    Ok(page.chain([list]).collect())
}

/// Returns the catalog entry of an archived document.
fn deprecation(archived: &Archived) -> Deprecation {
    let Archived { path, archived, date, reason, replacement } = archived.clone();
    Deprecation { path, date, reason, archived: Some(archived), replacement }
}
