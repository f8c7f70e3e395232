//! The input of an audit: the settings of the catalog and the flags, and the facts of today.

use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use super::failure::AuditDocsError;
use super::review;
use super::stale::stale;
use crate::audit::stale_page::StalePage;
use crate::audit::web::{self, UrlAnswers, WebError};
use crate::audit::{Facts, Scope, Settings, read};
use crate::catalog::{self, Catalog};
use crate::cli::AuditDocs;
use crate::commands::console::Console;
use crate::commands::docs::build::root_of;
use crate::docs::build;
use crate::text::date::today;
use crate::text::path::display_path;

/// The label of the progress while documents are read.
pub(super) const DOCUMENTS: &str = "documents read";

/// Returns the scope that the flags name.
pub(super) fn scope(command: &AuditDocs) -> Scope {
    let paths = if command.paths.is_empty() { vec![PathBuf::from(".")] } else { command.paths.clone() };
    Scope { paths, root: command.root.clone() }
}

/// Reads the catalog, if there is one. Returns its path with it.
pub(super) fn catalog(command: &AuditDocs, root: &Path) -> Result<Option<(PathBuf, Catalog)>, AuditDocsError> {
    let file = match &command.catalog {
        Some(file) => Some(file.clone()),
        None => Some(root.join(catalog::FILE)).filter(|file| file.is_file()),
    };
    // A path relative to the current folder, for messages.
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).unwrap_or_default();
    let file = file.map(|file| file.strip_prefix(&here).map(Path::to_owned).unwrap_or(file));
    Ok(file.map(|file| Catalog::load(&file).map(|catalog| (file, catalog))).transpose()?)
}

/// Returns the settings of the catalog. Flags override them.
pub(super) fn settings(command: &AuditDocs, catalog: Option<&(PathBuf, Catalog)>) -> Settings {
    let settings = catalog.map(|(_, catalog)| catalog.audit.settings()).unwrap_or_default();
    Settings { flavor: command.flavor.or(settings.flavor), ..settings }
}

/// Collects the facts, except the answers of the web.
pub(super) fn facts(root: &Path, catalog: Option<&(PathBuf, Catalog)>, console: &Console) -> Facts {
    let today = today();
    let reviews = catalog.map(|(_, catalog)| review::unchanged(root, &catalog.reviewed));
    Facts {
        today,
        stale_pages: stale_pages(root, catalog, today, &|note| console.note(note)),
        unchanged_reviews: reviews.unwrap_or_default(),
        answers: None,
    }
}

/// Returns the stale generated pages below the root of the audit.
pub(super) fn stale_pages(
    root: &Path,
    catalog: Option<&(PathBuf, Catalog)>,
    today: NaiveDate,
    note: &dyn Fn(&str),
) -> Vec<StalePage> {
    let Some((file, catalog)) = catalog else { return Vec::new() };
    let Ok(folder) = root_of(file) else { return Vec::new() };
    let Ok(prefix) = folder.strip_prefix(root).map(|prefix| display_path(prefix.as_os_str().as_encoded_bytes())) else {
        return Vec::new();
    };
    match stale(&folder, catalog, &today.to_string()) {
        Ok(stale) if prefix.is_empty() => stale,
        Ok(stale) => {
            stale.into_iter().map(|page| StalePage { path: format!("{prefix}/{}", page.path), ..page }).collect()
        }
        Err(errors) => {
            note(&format!("generated pages were not compared: {}", build::join_errors(&errors)));
            Vec::new()
        }
    }
}

/// Requests the addresses in the audited documents.
pub(super) fn web_answers(
    command: &AuditDocs,
    scope: &Scope,
    settings: &Settings,
    console: &Console,
) -> Result<UrlAnswers, AuditDocsError> {
    if !web::is_built() {
        return Err(WebError::NotBuilt.into());
    }
    // With answers, the audit treats addresses in running text as links.
    let asking = Facts { answers: Some(UrlAnswers::default()), ..Facts::default() };
    let (_, corpus) = console.during(DOCUMENTS, |progress| read(scope, settings, &asking, progress))?;
    let addresses = web::addresses(&corpus);
    let file = command.web_cache.clone().or_else(web::default_file);
    let (answers, notes) = console.during("web addresses asked", |progress| {
        web::look_up(&addresses, &settings.online, file.as_deref(), progress)
    })?;
    notes.iter().for_each(|note| console.note(note));
    Ok(answers)
}
