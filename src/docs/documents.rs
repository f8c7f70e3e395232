//! The documents of a site: the pages, and the documents that the catalog names.

use std::path::Path;

use rustc_hash::FxHashSet;

use super::build::{BuildError, BuildPlan};
use super::site::{BuiltSite, SiteDocument, SiteError, make};
use crate::catalog::Catalog;
use crate::catalog::pages::placed;

/// Returns the documents that a catalog names.
pub fn named(catalog: &Catalog) -> impl Iterator<Item = &str> {
    let services = catalog.services.iter().flat_map(|service| [&service.sop, &service.runbook]);
    let deprecations = catalog.deprecations.iter().flat_map(|notice| [&notice.replacement, &notice.archived]);
    services.chain(deprecations).flatten().map(String::as_str)
}

/// Returns the documents with their text after the plan: the index first, then the other pages, then the existing
/// documents that the catalog names.
///
/// # Errors
/// When a document cannot be read, or is not UTF-8.
pub fn collect(root: &Path, catalog: &Catalog, plan: &BuildPlan) -> Result<Vec<SiteDocument>, BuildError> {
    let (mut documents, mut known) = (Vec::new(), FxHashSet::default());
    let pages = placed(catalog);
    let ours = pages.iter().map(|page| (&*page.path, page.name));
    for (path, name) in ours.chain(named(catalog).map(|path| (path, ""))) {
        let markdown = Path::new(path).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("md"));
        if !markdown || !known.insert(path) {
            continue;
        }
        if let Some(text) = plan.text(root, path)? {
            let (is_catalog, is_page) = (name == "servers", !name.is_empty());
            documents.push(SiteDocument { path: path.to_owned(), text, is_catalog, is_page });
        }
    }
    Ok(documents)
}

/// Makes the site of these documents. It takes images only from below `root`, the catalog's folder.
///
/// # Errors
/// The errors of [`make`].
pub fn site(
    root: &Path,
    catalog: &Catalog,
    documents: &[SiteDocument],
    reload: Option<&str>,
) -> Result<BuiltSite, SiteError> {
    let title = match &catalog.organisation {
        Some(organisation) => format!("MCP servers of {}", organisation.name),
        None => "MCP servers".to_owned(),
    };
    let image = |path: &str| {
        // A symbolic link can lead out of the repository.
        let inside = root.join(path).canonicalize().ok().filter(|path| path.starts_with(root))?;
        std::fs::read(inside).ok()
    };
    make(&title, documents, &image, reload)
}
