//! From the pages' texts and what is on disk to what has to change.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::managed::{MarkerError, sections, splice};
use super::page::{Kind, PAGES, Page, paths};
use super::seal::{Found, look, seal};
use super::templates::{TemplateError, Templates};
use crate::audit::fix::plan::Change;
use crate::catalog::Catalog;

/// Why nothing can be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not text.
    #[error("{} is not UTF-8", .0.display())]
    NotUtf8(PathBuf),
    /// A template is wrong.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The folder of templates has a file that no page has a use for.
    #[error("{} is the template of no page", .0.display())]
    NoPage(PathBuf),
    /// The markers of a section are wrong.
    #[error("{path}: {error}")]
    Markers {
        /// The file.
        path: String,
        /// Where and how.
        error: MarkerError,
    },
    /// Somebody has written where a page belongs.
    #[error("{path}: {what}")]
    ByHand {
        /// The file.
        path: String,
        /// What stands there.
        what: String,
    },
}

/// Whether what people wrote in the place of a page is written over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByHand {
    /// It is kept, and said.
    Keep,
    /// It goes.
    Overwrite,
}

/// What a build has to do.
#[derive(Debug, Default)]
pub struct Plan {
    /// Files that are not as they should be.
    pub changes: Vec<Change>,
    /// How many pages there are.
    pub pages: usize,
}

/// Compares every page with its file below `root`, the catalog's folder.
///
/// # Errors
/// All that is wrong, and then nothing is to be written.
pub fn plan(root: &Path, catalog: &Catalog, today: &str, by_hand: ByHand) -> Result<Plan, Vec<BuildError>> {
    let templates =
        own_templates(root, catalog).and_then(|own| Ok(Templates::new(&own)?)).map_err(|error| vec![error])?;
    let paths = paths(catalog);
    let (mut plan, mut errors) = (Plan { changes: Vec::new(), pages: paths.len() }, Vec::new());
    for page in PAGES {
        let Some(path) = paths.get(page.name).map(String::as_str) else { continue };
        let made = read(&root.join(path)).and_then(|before| {
            let render = |date: &str| templates.render(page, catalog, &paths, date);
            Ok((next(page, path, before.as_deref(), render, today, by_hand)?, before))
        });
        match made {
            Ok((Some(after), before)) => plan.changes.push(Change {
                path: path.to_owned(),
                before: before.map(String::into_bytes),
                after: after.into_bytes(),
            }),
            Ok((None, _)) => {}
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(plan) } else { Err(errors) }
}

/// The new text of a page's file; nothing where it is good as it is. A page keeps the date that it has while nothing else
/// in it changes.
fn next(
    page: &Page,
    path: &str,
    before: Option<&str>,
    render: impl Fn(&str) -> Result<String, TemplateError>,
    today: &str,
    by_hand: ByHand,
) -> Result<Option<String>, BuildError> {
    let refuse = |what: String| BuildError::ByHand { path: path.to_owned(), what };
    let keep = by_hand == ByHand::Keep;
    let same = |one: &str, other: &str| one.trim().replace("\r\n", "\n") == other.trim().replace("\r\n", "\n");
    match page.kind {
        Kind::Whole => {
            match before.map(|text| look(page.name, text)) {
                Some(Found::Made(body)) => {
                    let dated = date_in(body).map(&render).transpose()?;
                    if dated.is_some_and(|text| same(&text, body)) || same(&render(today)?, body) {
                        return Ok(None);
                    }
                }
                Some(Found::Edited) if keep => {
                    return Err(refuse("somebody has changed this page, which is made from the catalog".to_owned()));
                }
                Some(Found::Foreign) if keep => {
                    return Err(refuse("this file is in the place of a page, and was not made by a build".to_owned()));
                }
                _ => {}
            }
            Ok(Some(seal(page.name, &render(today)?)))
        }
        Kind::Section(title) => {
            let fresh = format!("# {title}\n");
            let file = before.unwrap_or(&fresh);
            let found = sections(file).map_err(|error| BuildError::Markers { path: path.to_owned(), error })?;
            let section = found.iter().find(|section| section.name == page.name);
            if section.is_some_and(|section| section.is_edited(file)) && keep {
                return Err(refuse(format!(
                    "somebody has changed the section {}, which is made from the catalog",
                    page.name
                )));
            }
            let mut body = None;
            if let Some(section) = section.filter(|section| section.told.is_some()) {
                let inside = &file[section.inside.clone()];
                body = date_in(inside).map(&render).transpose()?.filter(|text| same(text, inside));
            }
            let body = body.map_or_else(|| render(today), Ok)?;
            let after = splice(file, section, page.name, &body);
            Ok((before != Some(after.as_str())).then_some(after))
        }
    }
}

/// The day after "Last updated:".
fn date_in(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("Last updated: ")?;
    rest.get(..10).filter(|day| day.bytes().all(|b| b.is_ascii_digit() || b == b'-'))
}

fn read(path: &Path) -> Result<Option<String>, BuildError> {
    match std::fs::read(path) {
        Ok(bytes) => String::from_utf8(bytes).map(Some).map_err(|_| BuildError::NotUtf8(path.to_owned())),
        Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(BuildError::Read { path: path.to_owned(), source }),
    }
}

/// The owner's templates by file name, from the folder that the catalog names.
fn own_templates(root: &Path, catalog: &Catalog) -> Result<BTreeMap<String, String>, BuildError> {
    let Some(folder) = &catalog.docs.templates else { return Ok(BTreeMap::new()) };
    let folder = root.join(folder);
    let failed = |source| BuildError::Read { path: folder.clone(), source };
    let mut own = BTreeMap::new();
    for entry in std::fs::read_dir(&folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        // Files that editors and systems leave about.
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        if !PAGES.iter().any(|page| name.strip_suffix(".md") == Some(page.name)) {
            return Err(BuildError::NoPage(path));
        }
        if let Some(text) = read(&path)? {
            own.insert(name, text);
        }
    }
    Ok(own)
}
