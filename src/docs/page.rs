//! Which pages there are, and where they belong.

use rustc_hash::FxHashMap;

use crate::catalog::Catalog;
use crate::catalog::docs::Place;

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
    /// The template that comes with the program.
    pub template: &'static str,
}

macro_rules! page {
    ($name:literal, $path:literal, $kind:expr) => {
        Page { name: $name, path: $path, kind: $kind, template: include_str!(concat!("pages/", $name, ".md.tera")) }
    };
}

/// All of them.
pub const PAGES: &[Page] = &[
    page!("index", "docs/infrastructure/mcp/README.md", Kind::Whole),
    page!("sop", "docs/infrastructure/mcp/OAUTH_SOP.md", Kind::Whole),
    page!("troubleshooting", "docs/infrastructure/mcp/OAUTH_TROUBLESHOOTING.md", Kind::Whole),
    page!("infisical", "docs/infrastructure/mcp/INFISICAL.md", Kind::Whole),
    page!("template-guide", "docs/infrastructure/mcp/TEMPLATE_GUIDE.md", Kind::Whole),
    page!("servers", "docs/architecture/integrations/mcp/MCP_SERVER_CATALOG.md", Kind::Whole),
    page!("deprecations", "docs/DEPRECATION_NOTICES.md", Kind::Whole),
    page!("authentication", "docs/architecture/ARCHITECTURE.md", Kind::Section("Architecture")),
    page!("current-state", "CURRENT_STATE_v1.md", Kind::Section("Current state")),
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

/// How `to` is linked from the document `from`; both relative to the same folder, `/` between the parts.
#[must_use]
pub fn relative(from: &str, to: &str) -> String {
    let folder: Vec<&str> = from.split('/').collect();
    let folder = &folder[..folder.len().saturating_sub(1)];
    let target: Vec<&str> = to.split('/').collect();
    let most = folder.len().min(target.len().saturating_sub(1));
    let shared = folder.iter().zip(&target).take(most).take_while(|(one, other)| one == other).count();
    let up = std::iter::repeat_n("..", folder.len() - shared);
    let path = up.chain(target[shared..].iter().copied()).collect::<Vec<_>>().join("/");
    // What would end the link or begin something else (CommonMark 6.3, RFC 3986 §3.3).
    path.replace('%', "%25")
        .replace(' ', "%20")
        .replace('(', "%28")
        .replace(')', "%29")
        .replace('<', "%3C")
        .replace('>', "%3E")
        .replace('#', "%23")
        .replace('?', "%3F")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_between_documents() {
        for (from, to, link) in [
            ("README.md", "docs/a.md", "docs/a.md"),
            ("docs/a.md", "README.md", "../README.md"),
            ("docs/x/a.md", "docs/y/b.md", "../y/b.md"),
            ("docs/a.md", "docs/b (1).md", "b%20%281%29.md"),
            ("docs/a.md", "docs/a.md", "a.md"),
            ("a/b/c.md", "a/b", "../b"),
        ] {
            assert_eq!(relative(from, to), link, "{from} to {to}");
        }
    }

    #[test]
    fn names_and_paths_are_there_once() {
        let names: std::collections::BTreeSet<&str> = PAGES.iter().map(|page| page.name).collect();
        let paths: std::collections::BTreeSet<&str> = PAGES.iter().map(|page| page.path).collect();
        assert_eq!((names.len(), paths.len()), (PAGES.len(), PAGES.len()));
    }
}
