//! Compares the text of the pages with the files on disk and plans the changes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashSet;

use super::templates::{PageTemplateError, Templates};
use crate::catalog::Catalog;
use crate::catalog::pages::{ID, PageKind, Placed, SERVICE, built_in, placed, service_path};
use crate::error::{Explain, UNFINISHED, USAGE};
use crate::fs::change::Change;
use crate::fs::files::FileTree;
use crate::markdown::checksum::{Found, inspect, with_checksum};
use crate::markdown::managed::{MarkerError, sections, splice};

/// The reason that a build failed.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The path of the file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A link leads to a file or folder outside.
    #[error("{0} leads out of the folder of the catalog")]
    Outside(String),
    /// A file is not UTF-8.
    #[error("{0} is not UTF-8")]
    NotUtf8(String),
    /// A template has an error.
    #[error(transparent)]
    Template(#[from] PageTemplateError),
    /// The template folder has a file that belongs to no page.
    #[error("{0} is the template of no page")]
    NoPage(String),
    /// A custom page has no template.
    #[error("the page {name} has no template {path}")]
    NoTemplate {
        /// The name of the page.
        name: String,
        /// The expected path of its template.
        path: String,
    },
    /// The markers of a section have an error.
    #[error("{path}: {error}")]
    Markers {
        /// The path of the file.
        path: String,
        /// The error and its position.
        error: MarkerError,
    },
    /// The place of a page holds hand-written text.
    #[error("{path}: {what}")]
    ByHand {
        /// The path of the file.
        path: String,
        /// A description of the text.
        what: String,
    },
}

/// Returns all errors in one line.
#[must_use]
pub fn join_errors(errors: &[BuildError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// The treatment of hand-written text in the place of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByHand {
    /// Keep the text and report it.
    Keep,
    /// Overwrite the text.
    Overwrite,
}

/// The files that a build reads, by paths below the catalog's folder.
pub trait Folder {
    /// Returns the bytes of a file, or `None` when it does not exist.
    ///
    /// # Errors
    /// When the file cannot be read.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, BuildError>;

    /// Returns the names of the files in a folder.
    ///
    /// # Errors
    /// When the folder cannot be read.
    fn list(&self, path: &str) -> Result<Vec<String>, BuildError>;
}

impl Folder for Path {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, BuildError> {
        match inside(self, path)?.map(std::fs::read).transpose() {
            Err(source) => Err(BuildError::Read { path: self.join(path), source }),
            Ok(bytes) => Ok(bytes),
        }
    }

    fn list(&self, path: &str) -> Result<Vec<String>, BuildError> {
        let failed = |source| BuildError::Read { path: self.join(path), source };
        let name = |entry: io::Result<std::fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
        let folder = inside(self, path)?.unwrap_or_else(|| self.join(path));
        let names: Result<Vec<_>, _> = std::fs::read_dir(folder).and_then(|entries| entries.map(name).collect());
        let mut names = names.map_err(failed)?;
        // A file system lists in an order of its own: errors come in that of their names.
        names.sort_unstable();
        Ok(names)
    }
}

/// A project that is still in memory.
impl Folder for FileTree {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, BuildError> {
        Ok(self.get(path).map(|file| file.bytes.to_vec()))
    }

    fn list(&self, path: &str) -> Result<Vec<String>, BuildError> {
        let below = |other: &String| other.strip_prefix(path)?.strip_prefix('/').map(str::to_owned);
        Ok(self.keys().filter_map(below).filter(|name| !name.contains('/')).collect())
    }
}

/// The result of a comparison.
#[derive(Debug, Default)]
pub struct BuildPlan {
    /// The files to change.
    pub changes: Vec<Change>,
    /// The number of pages.
    pub pages: usize,
}

impl BuildPlan {
    /// Returns the contents of a file after the build: from the plan, or from disk when the plan does not change it.
    ///
    /// # Errors
    /// When the file cannot be read, or is not UTF-8.
    pub fn text<F: Folder + ?Sized>(&self, folder: &F, path: &str) -> Result<Option<String>, BuildError> {
        match self.changes.iter().find(|change| change.path == path) {
            Some(change) => Ok(Some(String::from_utf8_lossy(&change.after).into_owned())),
            None => read(folder, path),
        }
    }
}

/// Compares every page with its file in the catalog's folder.
///
/// # Errors
/// Every error. Nothing may be written then.
pub fn plan<F: Folder + ?Sized>(
    folder: &F,
    catalog: &Catalog,
    today: &str,
    by_hand: ByHand,
) -> Result<BuildPlan, Vec<BuildError>> {
    let placed = placed(catalog);
    let own = own_templates(folder, catalog, &placed)?;
    let templates = Templates::new(catalog, &placed, &own).map_err(|error| vec![error.into()])?;
    let (mut plan, mut errors) = (BuildPlan { changes: Vec::new(), pages: placed.len() }, Vec::new());
    for page in &placed {
        let path = &*page.path;
        let next_state = read(folder, path).and_then(|before| {
            let render = |date: &str| templates.render(page, date);
            Ok((next(page, before.as_deref(), render, today, by_hand)?, before))
        });
        match next_state {
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

/// Returns the pages of services that the catalog does not have any more. A build deletes nothing.
#[must_use]
pub fn leftover<F: Folder + ?Sized>(folder: &F, catalog: &Catalog) -> Vec<String> {
    let Some(path) = service_path(catalog) else { return Vec::new() };
    // Only where the id is the name of the file is a folder theirs.
    let Some((parent, name)) = path.rsplit_once('/').filter(|(parent, _)| !parent.contains(ID)) else {
        return Vec::new();
    };
    let (before, after) = name.split_once(ID).unwrap_or_default();
    let known: FxHashSet<String> = placed(catalog).into_iter().map(|page| page.path.into_owned()).collect();
    let is_like = |name: &String| name.starts_with(before) && name.ends_with(after);
    let names = folder.list(parent).unwrap_or_default();
    let mut found: Vec<String> =
        names.iter().filter(|name| is_like(name)).map(|name| format!("{parent}/{name}")).collect();
    let is_ours = |text: String| !matches!(inspect(SERVICE, &text), Found::NotGenerated);
    found.retain(|path| !known.contains(path) && read(folder, path).ok().flatten().is_some_and(is_ours));
    found.sort();
    found
}

/// Returns the new text of a page's file, or `None` when it is up to date. A page keeps its date while nothing else in
/// it changes.
fn next(
    page: &Placed<'_>,
    before: Option<&str>,
    render: impl Fn(&str) -> Result<String, PageTemplateError>,
    today: &str,
    by_hand: ByHand,
) -> Result<Option<String>, BuildError> {
    let refuse = |what: String| BuildError::ByHand { path: page.path.to_string(), what };
    let keep = by_hand == ByHand::Keep;
    let same = |one: &str, other: &str| one.trim().replace("\r\n", "\n") == other.trim().replace("\r\n", "\n");
    match page.kind {
        PageKind::Whole => {
            match before.map(|text| inspect(page.name, text)) {
                Some(Found::Untouched(body)) => {
                    let dated = date_in(body).map(&render).transpose()?;
                    if dated.is_some_and(|text| same(&text, body)) || same(&render(today)?, body) {
                        return Ok(None);
                    }
                }
                Some(Found::Edited) if keep => {
                    return Err(refuse("this page is generated from the catalog and was edited by hand".to_owned()));
                }
                Some(Found::NotGenerated) if keep => {
                    return Err(refuse("this file is in the place of a generated page".to_owned()));
                }
                _ => {}
            }
            Ok(Some(with_checksum(page.name, &render(today)?)))
        }
        PageKind::Section(title) => {
            let fresh = format!("# {title}\n");
            let file = before.unwrap_or(&fresh);
            let found = sections(file).map_err(|error| BuildError::Markers { path: page.path.to_string(), error })?;
            let section = found.iter().find(|section| section.name == page.name);
            if section.is_some_and(|section| section.is_edited(file)) && keep {
                return Err(refuse(format!(
                    "the section {} is generated from the catalog and was edited by hand",
                    page.name
                )));
            }
            let mut body = None;
            if let Some(section) = section.filter(|section| section.checksum.is_some()) {
                let inside = &file[section.inside.clone()];
                body = date_in(inside).map(&render).transpose()?.filter(|text| same(text, inside));
            }
            let body = body.map_or_else(|| render(today), Ok)?;
            let after = splice(file, section, page.name, &body);
            Ok((before != Some(after.as_str())).then_some(after))
        }
    }
}

/// Returns the day after "Last updated:".
fn date_in(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("\nLast updated: ")?;
    rest.get(..10).filter(|day| day.bytes().all(|b| b.is_ascii_digit() || b == b'-'))
}

/// Returns the real path of a file or folder, or `None` when it does not exist. A catalog can come with somebody else's repository, and a
/// link in it lead to a key; the pages are published. So links are followed inside the folder alone, and not to git's own files.
fn inside(root: &Path, path: &str) -> Result<Option<PathBuf>, BuildError> {
    let full = root.join(path);
    let real = |path: &Path| match path.canonicalize() {
        Ok(path) => Ok(Some(path)),
        Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(BuildError::Read { path: path.to_owned(), source }),
    };
    let (Some(file), Some(folder)) = (real(&full)?, real(root)?) else { return Ok(None) };
    match file.strip_prefix(&folder) {
        Ok(below) if !below.components().any(|part| part.as_os_str() == ".git") => Ok(Some(file)),
        _ => Err(BuildError::Outside(path.to_owned())),
    }
}

fn read<F: Folder + ?Sized>(folder: &F, path: &str) -> Result<Option<String>, BuildError> {
    let text = folder.read(path)?.map(String::from_utf8).transpose();
    text.map_err(|_| BuildError::NotUtf8(path.to_owned()))
}

/// Returns the custom templates by file name, from the folder that the catalog names.
fn own_templates<F: Folder + ?Sized>(
    folder: &F,
    catalog: &Catalog,
    placed: &[Placed<'_>],
) -> Result<BTreeMap<String, String>, Vec<BuildError>> {
    let Some(templates) = &catalog.docs.templates else { return Ok(BTreeMap::new()) };
    let pages: FxHashSet<&str> = placed.iter().map(|page| page.name).collect();
    let (mut own, mut errors) = (BTreeMap::new(), Vec::new());
    for name in folder.list(templates).map_err(|error| vec![error])? {
        let path = format!("{templates}/{name}");
        // Skip files that editors and systems leave behind.
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        let page = name.strip_suffix(".md");
        if !page.is_some_and(|page| pages.contains(page) || built_in(page).is_some()) {
            errors.push(BuildError::NoPage(path));
            continue;
        }
        match read(folder, &path) {
            Ok(text) => own.extend(text.map(|text| (name, text))),
            Err(error) => errors.push(error),
        }
    }
    for page in placed.iter().filter(|page| built_in(page.name).is_none()) {
        let name = format!("{}.md", page.name);
        if !own.contains_key(&name) {
            let path = format!("{templates}/{name}");
            errors.push(BuildError::NoTemplate { name: page.name.to_owned(), path });
        }
    }
    if errors.is_empty() { Ok(own) } else { Err(errors) }
}

impl Explain for BuildError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        let hint = match self {
            Self::Read { .. } | Self::NotUtf8(_) => "give a file or folder of text that you may read",
            Self::Outside(_) => "put the file itself in the place of the link",
            Self::Template(_) => "correct the template",
            Self::NoPage(_) => {
                "name it after the page that it is for, as servers.md, or say in `docs.pages` where it goes"
            }
            Self::NoTemplate { .. } => "write it, or correct the name of the page in `docs.pages`",
            Self::Markers { .. } => "correct the markers; nothing was written",
            Self::ByHand { .. } => {
                "bring the change into the catalog or a template of your own, or give it up with --overwrite"
            }
        };
        Some(hint.into())
    }

    fn status(&self) -> u8 {
        if matches!(self, Self::Read { .. }) { UNFINISHED } else { USAGE }
    }
}
