//! The table of pages: their names, places and kinds. What a page says is in [`docs`](crate::docs).

use rustc_hash::FxHashMap;

use super::Catalog;
use super::docs::Place;

/// How a page stands in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// The file is the page.
    Whole,
    /// The file is somebody's, and has the page as a section; where there is no such file, it begins with this title.
    Section(&'a str),
}

/// A page that comes with the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its name in markers, in `docs.pages` and before `.md` as the name of its template.
    pub name: &'static str,
    /// Where it belongs unless the catalog says otherwise; relative to the catalog's folder.
    pub path: &'static str,
    /// Whole or a section.
    pub kind: Kind<'static>,
}

/// All of them.
pub const PAGES: &[Page] = &[
    Page { name: "index", path: "docs/infrastructure/mcp/README.md", kind: Kind::Whole },
    Page { name: "sop", path: "docs/infrastructure/mcp/OAUTH_SOP.md", kind: Kind::Whole },
    Page { name: "troubleshooting", path: "docs/infrastructure/mcp/OAUTH_TROUBLESHOOTING.md", kind: Kind::Whole },
    Page { name: "infisical", path: "docs/infrastructure/mcp/INFISICAL.md", kind: Kind::Whole },
    Page { name: "template-guide", path: "docs/infrastructure/mcp/TEMPLATE_GUIDE.md", kind: Kind::Whole },
    Page { name: "servers", path: "docs/architecture/integrations/mcp/MCP_SERVER_CATALOG.md", kind: Kind::Whole },
    Page { name: "deprecations", path: "docs/DEPRECATION_NOTICES.md", kind: Kind::Whole },
    Page { name: "authentication", path: "docs/architecture/ARCHITECTURE.md", kind: Kind::Section("Architecture") },
    Page { name: "current-state", path: "CURRENT_STATE_v1.md", kind: Kind::Section("Current state") },
];

/// A page in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed<'a> {
    /// Its name.
    pub name: &'a str,
    /// Where it belongs; relative to the catalog's folder.
    pub path: &'a str,
    /// Whole or a section.
    pub kind: Kind<'a>,
}

/// The pages of a catalog: those that come with the program, without those that it leaves out, and then its own.
#[must_use]
pub fn placed(catalog: &Catalog) -> Vec<Placed<'_>> {
    let told: FxHashMap<&str, &Place> = catalog.docs.pages.iter().map(|(name, place)| (name.as_str(), place)).collect();
    let ours = PAGES.iter().filter_map(|page| {
        let (path, kind) = match told.get(page.name) {
            None => (page.path, page.kind),
            Some(Place::Nowhere) => return None,
            Some(Place::At(path)) => (path.as_str(), page.kind),
            Some(Place::SectionOf(path)) => (path.as_str(), Kind::Section(page.title())),
        };
        Some(Placed { name: page.name, path, kind })
    });
    let others = catalog.docs.pages.iter().filter(|(name, _)| built_in(name).is_none());
    let own = others.filter_map(|(name, place)| match place {
        Place::Nowhere => None,
        Place::At(path) => Some(Placed { name, path, kind: Kind::Whole }),
        Place::SectionOf(path) => Some(Placed { name, path, kind: Kind::Section(name) }),
    });
    ours.chain(own).collect()
}

/// The page of this name that comes with the program.
#[must_use]
pub fn built_in(name: &str) -> Option<&'static Page> {
    PAGES.iter().find(|page| page.name == name)
}

impl Page {
    /// What a file begins with that is there for its section only.
    const fn title(&self) -> &'static str {
        match self.kind {
            Kind::Section(title) => title,
            Kind::Whole => self.name,
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
