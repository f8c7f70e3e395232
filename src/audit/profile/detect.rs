//! Which renderer a tree is for, from its own configuration files. They are only looked into for the few values that change what a link
//! means; one that does not parse says its renderer all the same.

use std::fs;

use rayon::prelude::*;

use super::{Flavor, Origin, Profiles, Site};
use crate::audit::Settings;
use crate::audit::walk::{Entry, Kind, Tree};
use crate::text::path::{display_path, file_name, join, parent};

/// Configuration files larger than this are none.
const LARGEST: u64 = 4 << 20;

/// The sites of a tree: what the configuration says before what is found.
#[must_use]
pub fn detect(tree: &Tree, settings: &Settings) -> Profiles {
    Profiles { origin: Origin::find(tree.root()), ..sites(tree, settings) }
}

fn sites(tree: &Tree, settings: &Settings) -> Profiles {
    let told = settings.flavors.iter().map(|(folder, flavor)| {
        let folder = folder.trim_matches('/').as_bytes().to_vec();
        Site::new(*flavor, folder, "the configuration says so".to_owned())
    });
    let mut sites: Vec<Site> = told.collect();
    if let Some(flavor) = settings.flavor {
        sites.push(Site::new(flavor, Vec::new(), "it was asked for".to_owned()));
        return Profiles::new(sites);
    }
    let files = tree.entries().par_iter().filter(|entry| entry.kind == Kind::File || entry.kind == Kind::Document);
    sites.par_extend(files.filter_map(|entry| site(tree, &entry.path)));
    more_books(tree, &mut sites);
    navigation_files(tree, &mut sites);
    sites.push(Site::new(Flavor::Github, Vec::new(), "nothing says otherwise".to_owned()));
    Profiles::new(sites)
}

/// The site that a configuration file describes.
fn site(tree: &Tree, path: &[u8]) -> Option<Site> {
    let folder = parent(path);
    let name = std::str::from_utf8(file_name(path)).ok()?;
    let because = |flavor, folder| Site::new(flavor, folder, format!("{} is there", display_path(path)));
    match name {
        "book.toml" => mdbook(tree, path, folder),
        "mkdocs.yml" | "mkdocs.yaml" => {
            let text = read(tree, path)?;
            let docs = value(&text, "docs_dir").unwrap_or("docs");
            let mut site = because(Flavor::Mkdocs, normal(folder, docs));
            site.navigation = mentioned(&text, &site.folder);
            Some(site)
        }
        "zensical.toml" => {
            let text = read(tree, path)?;
            let settings: toml::Table = text.parse().unwrap_or_default();
            let project = settings.get("project").and_then(toml::Value::as_table);
            let docs =
                project.and_then(|project| project.get("docs_dir")).and_then(toml::Value::as_str).unwrap_or("docs");
            let mut site = because(Flavor::Mkdocs, normal(folder, docs));
            site.navigation = mentioned(&text, &site.folder);
            Some(site)
        }
        "catalog-info.yaml" => {
            let text = read(tree, path)?;
            let docs = join(folder, b"docs");
            (text.contains("backstage.io/techdocs-ref") && tree.find(&docs).is_some())
                .then(|| because(Flavor::Mkdocs, docs))
        }
        "docusaurus.config.js" | "docusaurus.config.ts" | "docusaurus.config.mjs" | "docusaurus.config.cjs" => {
            let mut site = because(Flavor::Docusaurus, folder.to_vec());
            site.roots = ["static", "", "docs", "src/pages", "blog"].map(|root| join(folder, root.as_bytes())).to_vec();
            Some(site)
        }
        "docs.json" | "mint.json" => mintlify(tree, path, folder),
        "docfx.json" => Some(because(Flavor::Docfx, folder.to_vec())),
        "hugo.toml" | "hugo.yaml" | "hugo.json" => hugo(tree, path, folder),
        "config.toml" | "config.yaml" if tree.find(&join(folder, b"archetypes")).is_some() => hugo(tree, path, folder),
        // Docsify follows GitHub but for what `/` means.
        "_sidebar.md" => Some(because(Flavor::Github, folder.to_vec())).filter(|_| !folder.is_empty()),
        _ => None,
    }
}

fn mdbook(tree: &Tree, path: &[u8], folder: &[u8]) -> Option<Site> {
    let settings: toml::Table = read(tree, path)?.parse().unwrap_or_default();
    let book = settings.get("book").and_then(toml::Value::as_table);
    let source = book.and_then(|book| book.get("src")).and_then(toml::Value::as_str).unwrap_or("src");
    let source = normal(folder, source);
    // A book whose sources are made by a script has none here: what is here is read on GitHub.
    tree.find(&join(&source, b"SUMMARY.md"))?;
    let mut site = Site::new(Flavor::Mdbook, source, format!("{} is there", display_path(path)));
    let html = settings.get("output").and_then(|output| output.get("html"));
    if let Some(redirects) = html.and_then(|html| html.get("redirect")).and_then(toml::Value::as_table) {
        site.redirects = redirects.keys().map(|from| (from.trim_matches('/').as_bytes().to_vec(), false)).collect();
    }
    Some(site)
}

/// Where there are books, a folder with a `SUMMARY.md` is a part of one, whoever puts it together.
fn more_books(tree: &Tree, sites: &mut Vec<Site>) {
    if !sites.iter().any(|site| site.flavor == Flavor::Mdbook) {
        return;
    }
    let summaries = tree.entries().iter().filter(|entry| file_name(&entry.path) == b"SUMMARY.md");
    let books: Vec<Site> = summaries
        .filter(|entry| !parent(&entry.path).is_empty() && !sites.iter().any(|site| site.folder == parent(&entry.path)))
        .map(|entry| {
            Site::new(Flavor::Mdbook, parent(&entry.path).to_vec(), format!("{} is there", display_path(&entry.path)))
        })
        .collect();
    sites.extend(books);
}

fn mintlify(tree: &Tree, path: &[u8], folder: &[u8]) -> Option<Site> {
    let settings: serde_json::Value = serde_json::from_str(&read(tree, path)?).ok()?;
    settings.get("navigation")?;
    let mut site = Site::new(Flavor::Mintlify, folder.to_vec(), format!("{} is there", display_path(path)));
    for redirect in settings.get("redirects").and_then(serde_json::Value::as_array).into_iter().flatten() {
        let Some(source) = redirect.get("source").and_then(serde_json::Value::as_str) else { continue };
        // `/old/:slug*` and `/old/*` cover what is below.
        let fixed: Vec<_> = source.trim_matches('/').split('/').take_while(|part| !part.contains([':', '*'])).collect();
        let whole = fixed.join("/");
        let below = whole.len() < source.trim_matches('/').len();
        site.redirects.insert(whole.into_bytes(), below);
    }
    strings(&settings["navigation"], &mut |text| site.navigation.push(join(folder, text.trim_matches('/').as_bytes())));
    Some(site)
}

fn hugo(tree: &Tree, path: &[u8], folder: &[u8]) -> Option<Site> {
    let content = join(folder, b"content");
    tree.find(&content)?;
    let mut site = Site::new(Flavor::Hugo, content.clone(), format!("{} is there", display_path(path)));
    site.roots = vec![content, join(folder, b"static"), join(folder, b"assets")];
    Some(site)
}

/// `toc.yml` of DocFX anywhere: what it names is reached.
fn navigation_files(tree: &Tree, sites: &mut [Site]) {
    let Some(site) = sites.iter_mut().find(|site| site.flavor == Flavor::Docfx) else { return };
    let is_one = |entry: &&Entry| entry.kind == Kind::File && file_name(&entry.path).eq_ignore_ascii_case(b"toc.yml");
    let files = tree.entries().par_iter().filter(is_one);
    site.navigation.par_extend(files.flat_map_iter(|entry| {
        let (folder, text) = (parent(&entry.path), read(tree, &entry.path).unwrap_or_default());
        let named = text.lines().filter_map(|line| named(folder, line));
        named.collect::<Vec<_>>()
    }));
}

/// What a line of a `toc.yml` in `folder` names.
fn named(folder: &[u8], line: &str) -> Option<Vec<u8>> {
    let (key, target) = line.trim_start().trim_start_matches("- ").split_once(':')?;
    if !matches!(key, "href" | "topicHref" | "tocHref" | "homepage" | "landingPageUrl") {
        return None;
    }
    let target = target.trim().trim_matches(['"', '\'']);
    Some(normal(folder, target.split(['?', '#']).next().unwrap_or(target)))
}

/// Every text in a JSON value.
fn strings(value: &serde_json::Value, sink: &mut dyn FnMut(&str)) {
    match value {
        serde_json::Value::String(text) => sink(text),
        serde_json::Value::Array(values) => values.iter().for_each(|value| strings(value, sink)),
        serde_json::Value::Object(values) => values.values().for_each(|value| strings(value, sink)),
        _ => {}
    }
}

/// Every Markdown file that a configuration names, wherever in it.
fn mentioned(text: &str, folder: &[u8]) -> Vec<Vec<u8>> {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '[' | ']' | '{' | '}' | ','));
    words.filter(|word| word.ends_with(".md")).map(|word| normal(folder, word)).collect()
}

/// The value of a key at the beginning of a line.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    let value = line.split(" #").next().unwrap_or(line).trim().trim_matches(['"', '\'']);
    (!value.is_empty()).then_some(value)
}

/// `path` as seen from `folder`.
fn normal(folder: &[u8], path: &str) -> Vec<u8> {
    crate::text::path::normalise(folder, path.as_bytes()).unwrap_or_default()
}

fn read(tree: &Tree, path: &[u8]) -> Option<String> {
    let path = tree.on_disk(path);
    let metadata = fs::metadata(&path).ok()?;
    if metadata.len() > LARGEST {
        return None;
    }
    fs::read(&path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}
