//! The documents of a site: the pages, and the documents that the catalog names.

use std::path::Path;

use rustc_hash::FxHashSet;

use super::build::{BuildError, BuildPlan, Folder as _};
use super::site::{BuiltSite, SiteDocument, SiteError, make};
use crate::catalog::Catalog;
use crate::catalog::pages::placed;

/// Returns the documents that a catalog names.
pub fn named(catalog: &Catalog) -> impl Iterator<Item = &str> {
    let services = catalog.services.iter().flat_map(|service| [&service.sop, &service.runbook]);
    let deprecations = catalog.deprecations.iter().flat_map(|notice| [&notice.replacement, &notice.archived]);
    services.chain(deprecations).flatten().map(String::as_str)
}

/// The title of the part with the pages, where the site has other parts before it.
const PAGES: &str = "MCP servers";
/// The title of the part with documents that the catalog names.
const NAMED: &str = "Named in the catalog";

/// Returns the documents with their text after the plan: those of `docs.site`, the index, the other pages, then the
/// existing documents that the catalog names.
///
/// # Errors
/// When a document cannot be read, or is not UTF-8.
pub fn collect(root: &Path, catalog: &Catalog, plan: &BuildPlan) -> Result<Vec<SiteDocument>, BuildError> {
    let (mut documents, mut known) = (Vec::new(), FxHashSet::default());
    let mut add = |path: &str, part: &str, is_catalog: bool| -> Result<(), BuildError> {
        if is_markdown(path)
            && known.insert(path.to_owned())
            && let Some(text) = plan.text(root, path)?
        {
            documents.push(SiteDocument { path: path.to_owned(), text, is_catalog, part: part.to_owned() });
        }
        Ok(())
    };
    for (title, paths) in &catalog.docs.site {
        for path in paths {
            if is_markdown(path) {
                add(path, title, false)?;
                continue;
            }
            let mut names = root.list(path)?;
            names.sort_unstable();
            for name in names {
                add(&format!("{}/{name}", path.trim_end_matches('/')), title, false)?;
            }
        }
    }
    let pages = if catalog.docs.site.is_empty() { "" } else { PAGES };
    for page in placed(catalog) {
        add(&page.path, pages, page.name == "servers")?;
    }
    for path in named(catalog) {
        add(path, NAMED, false)?;
    }
    Ok(documents)
}

fn is_markdown(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("md"))
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
