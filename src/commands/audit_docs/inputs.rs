//! The input of an audit: the settings of the catalog and the flags, and the facts of today.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use super::batch;
use super::failure::AuditDocsError;
use super::review;
use super::stale::stale;
use crate::audit::scope::{Located, Unsaved};
use crate::audit::stale_page::StalePage;
use crate::audit::web::{self, UrlAnswers, WebError};
use crate::audit::{Facts, Scope, Settings, read};
use crate::catalog::{self, Catalog};
use crate::cli::AuditDocs;
use crate::commands::console::Console;
use crate::commands::docs::build::root_of;
use crate::docs::build::{self, BuildError, Folder};
use crate::fs::repository::root_around;
use crate::text::date::today;
use crate::text::path::{display_path, native, portable};
use crate::text::percent::encode_uri_path;

/// Returns the address under which the host of a pipeline shows the documents below `root`, as its environment says it.
pub(super) fn links_to(root: &Path) -> Option<String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let github = || {
        let server = variable("GITHUB_SERVER_URL")?;
        Some(format!("{server}/{}/blob/{}", variable("GITHUB_REPOSITORY")?, variable("GITHUB_SHA")?))
    };
    let gitlab = || Some(format!("{}/-/blob/{}", variable("CI_PROJECT_URL")?, variable("CI_COMMIT_SHA")?));
    let address = github().or_else(gitlab)?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/".contains(c);
    if !address.starts_with("https://") && !address.starts_with("http://") || !address.chars().all(is_plain) {
        return None;
    }
    let below = root.strip_prefix(root_around(root)?).ok()?;
    let folder = encode_uri_path(&display_path(&portable(below.as_os_str())));
    Some(if folder.is_empty() { format!("{address}/") } else { format!("{address}/{folder}/") })
}

/// The label of the progress while documents are read.
pub(super) const DOCUMENTS: &str = "documents read";

/// Returns the scope that the flags name. Reads standard input with `--stdin` and `--stdin-batch`.
pub(super) fn scope(command: &AuditDocs) -> Result<Scope, AuditDocsError> {
    let paths = if command.paths.is_empty() { vec![PathBuf::from(".")] } else { command.paths.clone() };
    let input = || {
        let mut text = Vec::new();
        io::stdin().lock().read_to_end(&mut text).map_err(AuditDocsError::Input)?;
        Ok::<_, AuditDocsError>(text)
    };
    let unsaved = match &command.path {
        Some(path) if command.stdin => vec![Unsaved { path: path.clone(), text: input()? }],
        _ if command.stdin_batch => batch::parse(&input()?)?,
        _ => Vec::new(),
    };
    Ok(Scope { paths, root: command.root.clone(), unsaved })
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

/// Collects the facts, except the answers of the web. What is known of the file of a document does not hold for another text of it.
pub(super) fn facts(
    located: &Located,
    scope: &Scope,
    catalog: Option<&(PathBuf, Catalog)>,
    console: &Console,
) -> Facts {
    let (today, root) = (today(), &*located.root);
    let reviews = catalog.map(|(_, catalog)| review::unchanged(root, &catalog.reviewed));
    let mut facts = Facts {
        today,
        stale_pages: stale_pages(root, catalog, today, &|note| console.note(note)),
        unchanged_reviews: reviews.unwrap_or_default(),
        answers: None,
    };
    for (unsaved, path) in scope.unsaved.iter().zip(&located.covered) {
        if std::fs::read(root.join(native(path))).ok().as_ref() != Some(&unsaved.text) {
            let path = display_path(path);
            facts.stale_pages.retain(|page| page.path != path);
            facts.unchanged_reviews.retain(|reviewed| *reviewed != path);
        }
    }
    facts
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
    stale_in(&*folder, &prefix, catalog, today).unwrap_or_else(|errors| {
        note(&format!("generated pages were not compared: {}", build::join_errors(&errors)));
        Vec::new()
    })
}

/// Returns the stale pages in the folder of a catalog, which is `prefix` below the root of the audit.
pub(super) fn stale_in<F: Folder + ?Sized>(
    folder: &F,
    prefix: &str,
    catalog: &Catalog,
    today: NaiveDate,
) -> Result<Vec<StalePage>, Vec<BuildError>> {
    let stale = stale(folder, catalog, &today.to_string())?;
    if prefix.is_empty() {
        return Ok(stale);
    }
    Ok(stale.into_iter().map(|page| StalePage { path: format!("{prefix}/{}", page.path), ..page }).collect())
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
