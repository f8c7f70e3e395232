//! `mcp-kit docs build`.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::catalog::{Catalog, CatalogError};
use crate::cli::DocsBuild;
use crate::commands::console::{Console, Status};
use crate::docs::build::{BuildError, BuildPlan, ByHand, leftover, plan};
use crate::docs::documents::{self, collect};
use crate::docs::site::SiteError;
use crate::docs::site::publish::publish;
use crate::error::{Explain, Failure, Message, USAGE};
use crate::fs::diff::unified;
use crate::fs::journal::{self, Journal, JournalError};
use crate::text::date::today;
use crate::text::plural::plural;

/// The mode of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Write the changes.
    Write,
    /// Show the changes as a diff.
    DryRun,
    /// Show the changes as a diff, and fail when there are any.
    Check,
}

/// The reason that a build failed.
#[derive(Debug, thiserror::Error)]
pub enum DocsError {
    /// The catalog cannot be used.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The pages have errors. Lists all of them.
    #[error("the documents cannot be built")]
    Build(Vec<BuildError>),
    /// The pages cannot be written.
    #[error(transparent)]
    Write(#[from] JournalError),
    /// The site cannot be made.
    #[error(transparent)]
    Site(#[from] SiteError),
}

/// The result of a build.
#[derive(Debug, Default)]
struct Built {
    /// The text to print.
    text: String,
    /// Notes on problems.
    notes: Vec<String>,
    /// `true` when everything is up to date.
    good: bool,
}

/// Returns the folder of a catalog.
///
/// # Errors
/// When the folder does not exist.
pub fn root_of(catalog: &Path) -> Result<PathBuf, CatalogError> {
    let folder = catalog.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    folder.canonicalize().map_err(|source| CatalogError::Io { path: folder.to_owned(), source })
}

/// Runs the command.
///
/// # Errors
/// When the pages cannot be built. Nothing was written then.
pub fn run(command: &DocsBuild, console: &Console) -> Result<Status, Failure> {
    let mode = match (command.check, command.dry_run) {
        (true, _) => Mode::Check,
        (false, true) => Mode::DryRun,
        (false, false) => Mode::Write,
    };
    let by_hand = if command.overwrite { ByHand::Overwrite } else { ByHand::Keep };
    let built = build(&command.file.path, &today().to_string(), mode, by_hand, command.html.as_deref())?;
    if !console.is_quiet() || !built.good {
        console.print(built.text.as_bytes())?;
    }
    built.notes.iter().for_each(|note| console.note(note));
    Ok(if built.good { Status::Clean } else { Status::Found })
}

/// Builds the pages of a catalog beside it, and a site of them in `html`.
///
/// # Errors
/// When the catalog, a template or a file has an error, or a page cannot be written. Nothing was written then.
fn build(path: &Path, today: &str, mode: Mode, by_hand: ByHand, html: Option<&Path>) -> Result<Built, DocsError> {
    let catalog = Catalog::load(path)?;
    let root = &root_of(path)?;
    if mode == Mode::Write {
        Journal::open(root)?.finish()?;
    }
    let plan = plan(root.as_path(), &catalog, today, by_hand).map_err(DocsError::Build)?;
    // Make the site before writing anything, so that an error in it stops the pages as well.
    let site = match html {
        Some(_) => {
            let documents = collect(root, &catalog, &plan).map_err(|error| DocsError::Build(vec![error]))?;
            Some(documents::site(root, &catalog, &documents, None)?)
        }
        None => None,
    };
    let BuildPlan { changes, pages } = plan;
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
    journal::write_changes(root, &changes)?;
    let mut text = String::new();
    for change in &changes {
        let what = if change.before.is_some() { "updated" } else { "created" };
        let _ = writeln!(text, "{what} {}", change.path);
    }
    let _ = match changes.len() {
        0 => writeln!(text, "{} up to date", plural(pages, "page")),
        n => writeln!(text, "{n} of {} written", plural(pages, "page")),
    };
    let gone = |path: String| format!("{path} is the page of no service any more: delete it");
    let mut notes: Vec<String> = leftover(root.as_path(), &catalog).into_iter().map(gone).collect();
    if let (Some(folder), Some(site)) = (html, site) {
        let changed = publish(folder, site.files)?;
        let _ =
            writeln!(text, "{} {}", if changed { "wrote the site to" } else { "nothing changed in" }, folder.display());
        notes.extend(site.notes);
    }
    Ok(Built { text, notes, good: true })
}

impl Explain for DocsError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Catalog(error) => error.hint(),
            Self::Write(error) => error.hint(),
            Self::Site(error) => error.hint(),
            Self::Build(_) => None,
        }
    }

    fn status(&self) -> u8 {
        match self {
            Self::Catalog(error) => error.status(),
            Self::Write(error) => error.status(),
            Self::Site(error) => error.status(),
            Self::Build(errors) => errors.iter().map(Explain::status).max().unwrap_or(USAGE),
        }
    }

    fn messages(&self) -> Vec<Message> {
        match self {
            Self::Catalog(error) => error.messages(),
            Self::Write(error) => error.messages(),
            Self::Site(error) => error.messages(),
            Self::Build(errors) => errors.iter().flat_map(Explain::messages).collect(),
        }
    }
}
