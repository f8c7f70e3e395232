//! Which renderer a tree is for, from its own configuration files. They are only looked into for the few values that change what a link
//! means; one that does not parse says its renderer all the same.

use std::fs;

use rayon::prelude::*;

use super::{Flavor, Origin, Profiles, Site, generators, settings, syntax};
use crate::audit::Settings;
use crate::audit::document::Construct;
use crate::audit::walk::{Entry, Kind, Tree};
use crate::text::path::{display_path, file_name, join, parent};

/// Configuration files larger than this are none.
const LARGEST: u64 = 4 << 20;

/// The sites of a tree: what the configuration says before what is found.
#[must_use]
pub fn detect(tree: &Tree, told: &Settings) -> Profiles {
    let origin = Origin::find(tree.root());
    let profiles = sites(tree, told, origin.as_ref());
    Profiles { origin, ..profiles }
}

fn sites(tree: &Tree, told: &Settings, origin: Option<&Origin>) -> Profiles {
    let flavors = told.flavors.iter().map(|(folder, flavor)| {
        let folder = folder.trim_matches('/').as_bytes().to_vec();
        Site::new(*flavor, folder, "the configuration says so".to_owned())
    });
    let mut sites: Vec<Site> = flavors.collect();
    if let Some(flavor) = told.flavor {
        sites.push(Site::new(flavor, Vec::new(), "it was asked for".to_owned()));
        return Profiles::new(sites);
    }
    let found = tree.entries().par_iter().flat_map_iter(|entry| generators::sites(tree, &entry.path, &entry.kind));
    let mut found: Vec<(usize, Site)> = found.collect();
    // Of several for one folder, the first row counts.
    found.sort_by_key(|(number, _)| *number);
    sites.extend(found.into_iter().map(|(_, site)| site));
    more_books(tree, &mut sites);
    navigation_files(tree, &mut sites);
    sites.extend(generators::imported(tree, &sites));
    sites.extend(generators::vault(tree));
    sites.extend(generators::of_origin(tree, origin.map(Origin::as_str)));
    sites.push(Site::new(Flavor::Github, Vec::new(), "nothing says otherwise".to_owned()));
    Profiles::new(sites)
}

fn because(flavor: Flavor, folder: Vec<u8>, path: &[u8]) -> Site {
    Site::new(flavor, folder, format!("{} is there", display_path(path)))
}

pub(super) fn mkdocs(tree: &Tree, path: &[u8], folder: &[u8]) -> Vec<Site> {
    let Some(text) = read(tree, path) else { return Vec::new() };
    let docs = value(&text, "docs_dir").unwrap_or("docs");
    let mut site = because(Flavor::Mkdocs, normal(folder, docs), path);
    site.note(path, "docs_dir", docs);
    site.navigation = mentioned(&text, &site.folder);
    // A file that is included is seen from where MkDocs runs, or from the folders that the extension is told.
    let told = settings::scalars(&text, "base_path").filter(|told| !told.starts_with('['));
    site.content = [folder.to_vec()].into_iter().chain(told.map(|told| normal(folder, told))).collect();
    site.syntax = syntax::mkdocs(&text);
    settings::mkdocs(&mut site, path, &text);
    vec![site]
}

pub(super) fn zensical(tree: &Tree, path: &[u8], folder: &[u8]) -> Vec<Site> {
    let Some(text) = read(tree, path) else { return Vec::new() };
    let settings: toml::Table = text.parse().unwrap_or_default();
    let project = settings.get("project").and_then(toml::Value::as_table);
    let docs = project.and_then(|project| project.get("docs_dir")).and_then(toml::Value::as_str).unwrap_or("docs");
    let mut site = because(Flavor::Mkdocs, normal(folder, docs), path);
    site.note(path, "docs_dir", docs);
    site.navigation = mentioned(&text, &site.folder);
    vec![site]
}

pub(super) fn techdocs(tree: &Tree, path: &[u8], folder: &[u8]) -> Vec<Site> {
    let docs = join(folder, b"docs");
    let is_one =
        tree.find(&docs).is_some() && read(tree, path).is_some_and(|text| text.contains("backstage.io/techdocs-ref"));
    is_one.then(|| because(Flavor::Mkdocs, docs, path)).into_iter().collect()
}

pub(super) fn docusaurus(tree: &Tree, path: &[u8], folder: &[u8]) -> Vec<Site> {
    let text = read(tree, path).unwrap_or_default();
    let mut site = because(Flavor::Docusaurus, folder.to_vec(), path);
    // `path: '../docs'` of the documents, the blog and further instances of them.
    let mut content: Vec<Vec<u8>> = ["docs", "blog"].map(|name| join(folder, name.as_bytes())).to_vec();
    for value in settings::quoted(&text, "path") {
        let told = normal(folder, value);
        let is_folder = tree.find(&told).is_some_and(|entry| tree.entries()[entry as usize].kind == Kind::Folder);
        if !told.is_empty() && is_folder && !content.contains(&told) {
            site.note(path, "path", value);
            content.push(told);
        }
    }
    content.retain(|folder| tree.find(folder).is_some());
    site.roots = [join(folder, b"static"), folder.to_vec()].into_iter().chain(content.iter().cloned()).collect();
    site.roots.push(join(folder, b"src/pages"));
    site.content = content.iter().cloned().chain([folder.to_vec()]).collect();
    let outside = content.iter().filter(|content| !super::is_below(content, folder));
    let outside: Vec<Site> = outside.map(|content| Site { folder: content.clone(), ..site.clone() }).collect();
    [site].into_iter().chain(outside).collect()
}

pub(super) fn docfx(_: &Tree, path: &[u8], folder: &[u8]) -> Vec<Site> {
    vec![because(Flavor::Docfx, folder.to_vec(), path)]
}

pub(super) fn mdbook(tree: &Tree, path: &[u8], folder: &[u8]) -> Vec<Site> {
    one_book(tree, path, folder).into_iter().collect()
}

fn one_book(tree: &Tree, path: &[u8], folder: &[u8]) -> Option<Site> {
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
    let is_on = |name| html.and_then(|html| html.get(name)).and_then(toml::Value::as_bool).unwrap_or_default();
    if is_on("smart-punctuation") || is_on("curly-quotes") {
        site.syntax = site.syntax.with(&[Construct::SmartPunctuation]);
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

pub(super) fn mintlify(tree: &Tree, path: &[u8], folder: &[u8]) -> Vec<Site> {
    pages_of_mintlify(tree, path, folder).into_iter().collect()
}

fn pages_of_mintlify(tree: &Tree, path: &[u8], folder: &[u8]) -> Option<Site> {
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

pub(super) fn hugo(tree: &Tree, path: &[u8], folder: &[u8]) -> Vec<Site> {
    let has = |folder: &[u8], name: &str| tree.find(&join(folder, name.as_bytes())).is_some();
    let name = file_name(path);
    let (project, files) = if name == b"_default" {
        if file_name(folder) != b"config" {
            return Vec::new();
        }
        let is_one = |entry: &Entry| entry.kind == Kind::File;
        let files = tree.children(path).filter(|(_, entry)| is_one(entry)).map(|(_, entry)| entry.path.to_vec());
        (parent(folder).to_vec(), files.collect())
    } else {
        if name.starts_with(b"config.") && !has(folder, "archetypes") {
            return Vec::new();
        }
        (folder.to_vec(), vec![path.to_vec()])
    };
    let texts: Vec<(Vec<u8>, String)> =
        files.into_iter().filter_map(|file| read(tree, &file).map(|text| (file, text))).collect();
    let mut content: Vec<Vec<u8>> = Vec::new();
    let mut noted = Vec::new();
    for (file, text) in &texts {
        for told in settings::scalars(text, "contentDir") {
            let folder = normal(&project, told);
            if tree.find(&folder).is_some() && !content.contains(&folder) {
                noted.push((file, told));
                content.push(folder);
            }
        }
    }
    if content.is_empty() {
        content.push(join(&project, b"content"));
    }
    content.retain(|folder| tree.find(folder).is_some());
    let statics = ["static", "assets"].map(|name| join(&project, name.as_bytes()));
    let site = |folder: &Vec<u8>| {
        let mut site = because(Flavor::Hugo, folder.clone(), path);
        noted.iter().for_each(|(file, told)| site.note(file, "contentDir", told));
        site.roots = [folder.clone()].into_iter().chain(statics.clone()).collect();
        settings::hugo(&mut site, tree, &project, &texts);
        site
    };
    content.iter().map(site).collect()
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

pub(super) fn read(tree: &Tree, path: &[u8]) -> Option<String> {
    let path = tree.on_disk(path);
    let metadata = fs::metadata(&path).ok()?;
    if metadata.len() > LARGEST {
        return None;
    }
    fs::read(&path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}
