//! Mintlify: `docs.json` (once `mint.json`) has the navigation and the redirects; addresses are paths without their ending.

use super::Mark::File;
use super::{Generator, because};
use crate::audit::document::{Construct as C, Syntax};
use crate::audit::site::settings::{self, SettingValue};
use crate::audit::site::{Addresses, Links, Model, Route, Site};
use crate::audit::walk::Tree;
use crate::markdown::slug::Dialect;
use crate::text::path::join;

const SYNTAX: Syntax = Syntax {
    include_marks: &["import "],
    ..Syntax::new(Dialect::GithubSlugger).with(&[C::HeadingIds, C::ComponentTitles, C::Includes, C::Mdx])
};

static MODEL: Model = Model {
    name: "Mintlify",
    syntax: SYNTAX,
    links: Links {
        // It drops underscores at least in front.
        loose_anchors: true,
        endings: &[".mdx", ".md"],
        md_is_mdx: true,
        pages_are_folders: true,
        // Pages of an API description are made from it.
        addresses: Addresses::Loose,
        made: &["llms.txt", "llms-full.txt", "sitemap.xml", "mcp"],
        ..Links::SITE
    },
};

pub(super) static MINTLIFY: Generator = Generator {
    name: "Mintlify",
    word: Some(("mintlify", "Mintlify")),
    model: &MODEL,
    marks: &[File("docs.json"), File("mint.json")],
    read,
    complete: Some(complete),
};

fn complete(site: &mut Site) {
    site.routes = vec![Route::by_path(site.folder.clone(), b"")];
}

/// Notes the folders of the pages that are made from descriptions of an API: `openapi: {source, directory}`, at any level of the settings.
fn described(site: &mut Site, settings: &SettingValue) {
    for (name, value) in settings.entries() {
        if matches!(name.as_str(), "openapi" | "asyncapi" | "graphql") {
            let directory = value.get("directory").text().unwrap_or("api-reference").trim_matches('/');
            site.made.push(directory.as_bytes().to_vec());
        }
        described(site, value);
    }
    settings.items().iter().for_each(|item| described(site, item));
}

fn read(tree: &Tree, path: &[u8], folder: &[u8]) -> Vec<Site> {
    let Ok(settings) = settings::read(tree, path) else { return Vec::new() };
    if !settings.get("navigation").is_set() {
        return Vec::new();
    }
    let mut site = because(&MODEL, folder.to_vec(), path);
    complete(&mut site);
    for redirect in settings.get("redirects").items() {
        if let Some(source) = redirect.get("source").text() {
            site.redirects.add(source);
        }
    }
    described(&mut site, &settings);
    let mut named = |text: &str| site.navigation.push(join(folder, text.trim_matches('/').as_bytes()));
    let navigation: &SettingValue = settings.get("navigation");
    navigation.texts(&mut named);
    vec![site]
}
