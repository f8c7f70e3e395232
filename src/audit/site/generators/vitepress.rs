//! VitePress: the folder around `.vitepress` has the pages, its `public` the files; `.vitepress/config.*` has base, source folder, rewrites.

use super::Mark::Folder;
use super::{Generator, NOTHING, because, leave_computed, normal, settings_of, text};
use crate::audit::document::{Construct as C, Syntax};
use crate::audit::site::addresses::by_path;
use crate::audit::site::open::{Form, Forms};
use crate::audit::site::settings::Value;
use crate::audit::site::{Addresses, Links, Model, Route, Site};
use crate::audit::walk::Tree;
use crate::markdown::slug::Dialect;
use crate::text::path::{display_path, file_name, join, parent};

const SYNTAX: Syntax = Syntax {
    include_marks: &["<!--@include: "],
    ..Syntax::new(Dialect::MditVue).with(&[C::HeadingIds, C::AttributeLists, C::Includes, C::Containers])
};

static MODEL: Model = Model {
    name: "VitePress",
    syntax: SYNTAX,
    links: Links {
        endings: &[".md"],
        html_is_markdown: true,
        addresses: Addresses::Loose,
        aliases: &["@/", "~/"],
        made: &["404.html", "sitemap.xml", "feed.rss", "llms.txt", "llms-full.txt"],
        lists_folders: true,
        ..Links::SITE
    },
};

pub(super) static VITEPRESS: Generator = Generator {
    name: "VitePress",
    word: Some(("vitepress", "VitePress")),
    model: &MODEL,
    marks: &[Folder(".vitepress")],
    read,
    complete: Some(complete),
};

fn complete(site: &mut Site) {
    site.addresses = Addresses::Exact;
    site.content = vec![site.folder.clone()];
    site.roots = vec![join(&site.folder, b"public")];
    site.routes =
        vec![Route { folder: site.folder.clone(), prefix: Vec::new(), addresses: by_path, endings: &["html"] }];
}

fn read(tree: &Tree, path: &[u8], folder: &[u8]) -> Vec<Site> {
    let children: Vec<Vec<u8>> = tree.children(path).map(|(_, entry)| entry.path.to_vec()).collect();
    // A folder that holds only a cache says nothing.
    let config = children.iter().find(|path| file_name(path).starts_with(b"config."));
    let is_one =
        config.is_some() || children.iter().any(|path| matches!(file_name(path), b"theme" | b"components" | b"config"));
    if !is_one {
        return Vec::new();
    }
    let mut site = because(&MODEL, folder.to_vec(), path);
    let file = config.cloned().unwrap_or_else(|| path.to_vec());
    let settings = match config {
        Some(config) => settings_of(tree, config, &mut site),
        None => {
            if children.iter().any(|path| file_name(path) == b"config") {
                leave_computed(&mut site, path, "the settings");
            }
            Value::Table(Vec::new())
        }
    };
    if let Some(source) = text(&mut site, &file, &settings, "srcDir") {
        site.folder = normal(folder, &source);
    }
    complete(&mut site);
    site.roots = vec![join(&site.folder, b"public")];
    if let Some(path) = text(&mut site, &file, &settings, "base") {
        site.base = path.trim_matches('/').as_bytes().to_vec();
    }
    if settings.get("rewrites").is_set() {
        let why = format!("{} has rewrites, which change addresses", display_path(&file));
        site.leave_open(Forms::ADDRESSES, why, NOTHING);
    }
    if settings.get("...").is_set() {
        leave_computed(&mut site, &file, "settings");
    }
    // How headings are named is not known for certain before the slugger is.
    let anchors = anchors(&settings);
    if let Some(what) = anchors {
        let why = format!("{} sets {what}, which may change anchors", display_path(&file));
        site.leave_open(Forms::new(&[Form::Anchor]), why, NOTHING);
    }
    site.locales = Vec::new();
    for (_, entry) in tree.below(&site.folder) {
        // `[name].md` makes any page of its folder.
        if file_name(&entry.path).starts_with(b"[") {
            let folder = crate::audit::site::below(parent(&entry.path), &site.folder).unwrap_or_default();
            site.made.push(folder.to_vec());
        }
    }
    vec![site]
}

/// The settings of `markdown` that can change anchors.
fn anchors(settings: &Value) -> Option<&'static str> {
    let markdown = settings.get("markdown");
    match () {
        () if markdown == &Value::Computed => Some("markdown"),
        () if markdown.get("anchor").is_set() => Some("markdown.anchor"),
        () if markdown.get("config").is_set() => Some("markdown.config"),
        () => None,
    }
}
