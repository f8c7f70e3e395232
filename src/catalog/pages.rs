//! The table of pages: their names, paths and kinds. [`docs`](crate::docs) has their contents.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use super::Catalog;
use super::docs::PagePlace;
use super::service::ServiceKind;

/// The relation of a page to its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageKind<'a> {
    /// The page is the whole file.
    Whole,
    /// The page is a section of a hand-written file. A new file starts with this title.
    Section(&'a str),
}

/// A built-in page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltInPage {
    /// The name in markers, in `docs.pages`, and of its template without `.md`.
    pub name: &'static str,
    /// The default path, relative to the catalog's folder.
    pub path: &'static str,
    /// Whole file or section.
    pub kind: PageKind<'static>,
}

/// The page that every server and portal has of its own.
pub const SERVICE: &str = "service";
/// The part of its path that stands for the id of the entry.
pub const ID: &str = "{id}";

/// All built-in pages.
pub const PAGES: &[BuiltInPage] = &[
    BuiltInPage { name: "index", path: "docs/infrastructure/mcp/README.md", kind: PageKind::Whole },
    BuiltInPage { name: "sop", path: "docs/infrastructure/mcp/OAUTH_SOP.md", kind: PageKind::Whole },
    BuiltInPage {
        name: "troubleshooting",
        path: "docs/infrastructure/mcp/OAUTH_TROUBLESHOOTING.md",
        kind: PageKind::Whole,
    },
    BuiltInPage { name: "infisical", path: "docs/infrastructure/mcp/INFISICAL.md", kind: PageKind::Whole },
    BuiltInPage { name: "template-guide", path: "docs/infrastructure/mcp/TEMPLATE_GUIDE.md", kind: PageKind::Whole },
    BuiltInPage {
        name: "servers",
        path: "docs/architecture/integrations/mcp/MCP_SERVER_CATALOG.md",
        kind: PageKind::Whole,
    },
    BuiltInPage { name: SERVICE, path: "docs/architecture/integrations/mcp/services/{id}.md", kind: PageKind::Whole },
    BuiltInPage { name: "deprecations", path: "docs/DEPRECATION_NOTICES.md", kind: PageKind::Whole },
    BuiltInPage {
        name: "authentication",
        path: "docs/architecture/ARCHITECTURE.md",
        kind: PageKind::Section("Architecture"),
    },
    BuiltInPage { name: "current-state", path: "CURRENT_STATE_v1.md", kind: PageKind::Section("Current state") },
];

/// A page and its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed<'a> {
    /// The name of the page.
    pub name: &'a str,
    /// The path, relative to the catalog's folder.
    pub path: Cow<'a, str>,
    /// The index of the entry whose page it is.
    pub service: Option<usize>,
    /// Whole file or section.
    pub kind: PageKind<'a>,
}

/// Returns the pages of a catalog: the built-in ones, except those that it turns off, and then its own.
#[must_use]
pub fn placed(catalog: &Catalog) -> Vec<Placed<'_>> {
    let configured: FxHashMap<&str, &PagePlace> =
        catalog.docs.pages.iter().map(|(name, place)| (name.as_str(), place)).collect();
    let whole = |name, path, kind| Placed { name, path: Cow::Borrowed(path), service: None, kind };
    let ours = PAGES.iter().filter_map(|page| {
        let (path, kind) = match configured.get(page.name) {
            None => (page.path, page.kind),
            Some(PagePlace::Nowhere) => return None,
            Some(PagePlace::At(path)) => (path.as_str(), page.kind),
            Some(PagePlace::SectionOf(path)) => (path.as_str(), PageKind::Section(page.title())),
        };
        Some(whole(page.name, path, kind))
    });
    // In the place of `service`, a page for each entry.
    let ours = ours.flat_map(|page| if page.name == SERVICE { of_services(catalog, &page.path) } else { vec![page] });
    let others = catalog.docs.pages.iter().filter(|(name, _)| built_in(name).is_none());
    let own = others.filter_map(|(name, place)| match place {
        PagePlace::Nowhere => None,
        PagePlace::At(path) => Some(whole(name, path, PageKind::Whole)),
        PagePlace::SectionOf(path) => Some(whole(name, path, PageKind::Section(name))),
    });
    ours.chain(own).collect()
}

/// Returns the path of the pages of services, with [`ID`] in it, or `None` when they are turned off.
#[must_use]
pub fn service_path(catalog: &Catalog) -> Option<&str> {
    match catalog.docs.pages.iter().find(|(name, _)| name == SERVICE) {
        None => built_in(SERVICE).map(|page| page.path),
        Some((_, PagePlace::At(path) | PagePlace::SectionOf(path))) => Some(path),
        Some((_, PagePlace::Nowhere)) => None,
    }
}

/// Returns a page for each entry that is no template.
fn of_services(catalog: &Catalog, path: &str) -> Vec<Placed<'static>> {
    let ids = super::ids::ids(&catalog.services);
    let entries = catalog.services.iter().zip(ids).enumerate();
    let entries = entries.filter(|(_, (service, _))| service.kind != ServiceKind::Template);
    let page = |(index, (_, id)): (usize, (_, String))| Placed {
        name: SERVICE,
        path: Cow::Owned(path.replace(ID, &id)),
        service: Some(index),
        kind: PageKind::Whole,
    };
    entries.map(page).collect()
}

/// Returns the built-in page with this name.
#[must_use]
pub fn built_in(name: &str) -> Option<&'static BuiltInPage> {
    PAGES.iter().find(|page| page.name == name)
}

impl BuiltInPage {
    /// Returns the title of a file that is created for the section.
    const fn title(&self) -> &'static str {
        match self.kind {
            PageKind::Section(title) => title,
            PageKind::Whole => self.name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths_are_there_once() {
        let names: std::collections::BTreeSet<&str> = PAGES.iter().map(|page| page.name).collect();
        let paths: std::collections::BTreeSet<&str> = PAGES.iter().map(|page| page.path).collect();
        assert_eq!((names.len(), paths.len()), (PAGES.len(), PAGES.len()));
    }
}
