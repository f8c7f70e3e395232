//! Finds generated pages and sections that a build would change now, for `mcp-kit audit-docs`.

use std::path::Path;

use crate::audit::stale_page::StalePage;
use crate::catalog::Catalog;
use crate::catalog::pages::{PageKind, Placed, placed};
use crate::docs::build::{BuildError, ByHand, Folder as _, plan};
use crate::markdown::checksum::{Found, inspect, is_page};
use crate::markdown::managed::sections;

/// Returns the stale pages in the catalog's folder. Pages that were never built are not stale.
///
/// # Errors
/// When a build is impossible, for example because of an error in a template.
pub(super) fn stale(root: &Path, catalog: &Catalog, today: &str) -> Result<Vec<StalePage>, Vec<BuildError>> {
    let generated: Vec<(Placed<'_>, PageState)> =
        placed(catalog).into_iter().filter_map(|page| Some((page, PageState::find(root, &page)?))).collect();
    if generated.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    let plan = match plan(root, catalog, today, ByHand::Overwrite) {
        Ok(plan) => plan,
        Err(errors) => {
            // Only broken markers are an error of the document.
            let (markers, others): (Vec<_>, Vec<_>) =
                errors.into_iter().partition(|error| matches!(error, BuildError::Markers { .. }));
            if !others.is_empty() {
                return Err(others);
            }
            for error in markers {
                if let BuildError::Markers { path, error } = error {
                    let at = line_start(root, &path, error.line);
                    found.push(StalePage {
                        path,
                        at,
                        message: format!("its markers cannot be followed: {}", error.what),
                    });
                }
            }
            return Ok(found);
        }
    };
    for (page, generated) in generated {
        if plan.changes.iter().any(|change| change.path == page.path) {
            let message = if generated.edited {
                "somebody has changed what `mcp-kit docs build` made here"
            } else {
                "`mcp-kit docs build` would write something else here now"
            };
            found.push(StalePage { path: page.path.to_owned(), at: generated.at, message: message.to_owned() });
        }
    }
    Ok(found)
}

/// The state of a page that a build has made.
struct PageState {
    at: usize,
    edited: bool,
}

impl PageState {
    fn find(root: &Path, page: &Placed<'_>) -> Option<Self> {
        let text = String::from_utf8(root.read(page.path).ok()??).ok()?;
        match page.kind {
            PageKind::Whole if is_page(&text) => {
                Some(Self { at: 0, edited: inspect(page.name, &text) == Found::Edited })
            }
            PageKind::Whole => None,
            PageKind::Section(_) => match sections(&text) {
                Ok(found) => {
                    let section = found.into_iter().find(|section| section.name == page.name)?;
                    Some(Self { at: section.whole.start, edited: section.is_edited(&text) })
                }
                Err(_) => Some(Self { at: 0, edited: false }),
            },
        }
    }
}

fn line_start(root: &Path, path: &str, line: usize) -> usize {
    let bytes = root.read(path).ok().flatten().unwrap_or_default();
    let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(ends).nth(line.saturating_sub(1)).unwrap_or(0)
}
