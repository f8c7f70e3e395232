//! The rendered projects and the fleets whose pages are looked at.

use std::collections::BTreeMap;
use std::fs;
use std::sync::OnceLock;

use crate::common::{self, Place};

pub(crate) const ROOT: &str = env!("CARGO_MANIFEST_DIR");
pub(crate) const STORES: [&str; 4] = ["env", "postgres", "infisical", "vault"];
/// `both` deploys as `cloudflare` does.
pub(crate) const MODES: [&str; 2] = ["cloudflare", "bearer"];
/// The pages of a generated project with commands for production.
pub(crate) const PAGES: [&str; 3] = ["docs/OAUTH_SOP.md", "docs/OAUTH_TROUBLESHOOTING.md", "docs/INFISICAL.md"];

/// Those that its owner edits, and that say what to do on a developer's machine as well.
pub(crate) const OWN_PAGES: [&str; 4] = ["README.md", "docs/DEPLOY.md", "docs/LOGS.md", "docs/TOKENS.md"];

/// A rendered project: the text of its files by path.
pub(crate) struct Project {
    pub(crate) store: &'static str,
    pub(crate) name: &'static str,
    pub(crate) files: BTreeMap<String, String>,
}

impl Project {
    fn new(store: &'static str, mode: &str) -> Self {
        let (place, name) = (Place::new(), "notes");
        place.ok(&["new", name, "--token-store", store, "--auth-mode", mode, "--set", "public_host=notes.example.com"]);
        let text = |(path, (bytes, _)): (String, (Vec<u8>, bool))| Some((path, String::from_utf8(bytes).ok()?));
        let files = common::listing(&place.path(name)).into_iter().filter_map(text).collect();
        Self { store, name, files }
    }

    pub(crate) fn compose(&self) -> &str {
        &self.files["docker-compose.yml"]
    }

    /// The pages and the owner's own, as far as they are there.
    pub(crate) fn documents(&self) -> impl Iterator<Item = (&str, &str)> {
        let paths = PAGES.into_iter().chain(OWN_PAGES);
        paths.filter_map(|path| Some((path, self.files.get(path)?.as_str())))
    }
}

/// One for each store and mode, rendered once for all tests.
pub(crate) fn projects() -> &'static [Project] {
    static PROJECTS: OnceLock<Vec<Project>> = OnceLock::new();
    PROJECTS.get_or_init(|| {
        let modes = |store| MODES.into_iter().map(move |mode| Project::new(store, mode));
        STORES.into_iter().flat_map(modes).collect()
    })
}

/// The one with this store, behind Cloudflare Access.
pub(crate) fn project(store: &str) -> &'static Project {
    projects().iter().find(|project| project.store == store).unwrap()
}

/// The documents of all of them.
pub(crate) fn generated() -> impl Iterator<Item = (&'static str, &'static str)> {
    projects().iter().flat_map(Project::documents)
}

/// The pages of a catalog with nothing in it, which show everything, and of this repository's.
pub(crate) fn fleets() -> impl Iterator<Item = (&'static str, &'static str)> {
    static PAGES: OnceLock<Vec<(String, String)>> = OnceLock::new();
    PAGES.get_or_init(fleet_pages).iter().map(|(path, text)| (path.as_str(), text.as_str()))
}

pub(crate) fn fleet_pages() -> Vec<(String, String)> {
    let mut pages = Vec::new();
    for catalog in [String::new(), fs::read_to_string(format!("{ROOT}/catalog.yaml")).unwrap()] {
        let place = Place::new();
        fs::write(place.path("catalog.yaml"), catalog).unwrap();
        place.ok(&["docs", "build"]);
        let built = common::listing(place.root()).into_iter().filter(|(path, _)| path.ends_with(".md"));
        pages.extend(built.map(|(path, (bytes, _))| (path, String::from_utf8(bytes).unwrap())));
    }
    pages
}
