//! VitePress: the folder around `.vitepress` has the pages, its `public` the files; `.vitepress/config.*` has base, source folder, rewrites.

use regex::{Regex, RegexBuilder};

use super::Mark::Folder;
use super::{Generator, NOTHING, because, leave_computed, normal, settings_from, text};
use crate::audit::document::{Construct as C, LinkKind, Syntax};
use crate::audit::site::addresses::by_path;
use crate::audit::site::excluded;
use crate::audit::site::open::{Form, Forms};
use crate::audit::site::output::{Addressing, Href, LinkPath, Outlet, Output, Part};
use crate::audit::site::settings::{self, SettingValue};
use crate::audit::site::{Addresses, Links, Model, Route, Site, bare};
use crate::audit::walk::Tree;
use crate::markdown::slug::Dialect;
use crate::text::path::{display_path, file_name, join, parent};

const SYNTAX: Syntax = Syntax {
    include_marks: &["<!--@include: "],
    ..Syntax::new(Dialect::MditVue).with(&[
        C::HeadingIds,
        C::AttributeLists,
        C::Includes,
        C::Containers,
        C::NamelessHtml,
        C::Emoji,
    ])
};

static MODEL: Model = Model {
    name: "VitePress",
    syntax: SYNTAX,
    links: Links {
        endings: &[".md"],
        html_is_markdown: true,
        addresses: Addresses::Loose,
        // Of Vite: `@theme/x` and packages, which only its settings know.
        aliases: &["@", "~/"],
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

/// Endings that `treatAsHtml` of VitePress takes for files.
const FILES: &[&str] = &[
    "3g2", "3gp", "aac", "ai", "apng", "au", "avif", "bin", "bmp", "cer", "class", "conf", "crl", "css", "csv", "dll",
    "doc", "eps", "epub", "exe", "gif", "gz", "ics", "ief", "jar", "jpe", "jpeg", "jpg", "js", "json", "jsonld", "m4a",
    "man", "mid", "midi", "mjs", "mov", "mp2", "mp3", "mp4", "mpe", "mpeg", "mpg", "mpp", "oga", "ogg", "ogv", "ogx",
    "opus", "otf", "p10", "p7c", "p7m", "p7s", "pdf", "png", "ps", "qt", "roff", "rtf", "rtx", "ser", "svg", "t",
    "tif", "tiff", "tr", "ts", "tsv", "ttf", "txt", "vtt", "wav", "weba", "webm", "webp", "woff", "woff2", "xhtml",
    "xml", "yaml", "yml", "zip",
];

/// Returns the address that VitePress writes for a link, as `linkPlugin` of its sources does. Images are files that the build imports.
fn href(link: &LinkPath<'_>) -> Href {
    let LinkPath { path, addressing, kind, site, .. } = *link;
    if kind != LinkKind::Link || site.links.aliases.iter().any(|alias| path.starts_with(alias.as_bytes())) {
        return Href::Unknown;
    }
    let ending = path.rsplit(|byte| *byte == b'.').next().unwrap_or_default().to_ascii_lowercase();
    if FILES.iter().any(|file| file.as_bytes() == ending) {
        return Href::Address(path.to_vec());
    }
    let name = file_name(path);
    if name.eq_ignore_ascii_case(b"index.md") {
        let folder = &path[..path.len() - name.len()];
        return Href::Address(if folder.is_empty() { b"./".to_vec() } else { folder.to_vec() });
    }
    let stem = path.strip_suffix(b".md");
    let is_whole = stem.is_none() && (path.ends_with(b".html") || path.ends_with(b"/"));
    let ending: &[u8] = if addressing.clean || is_whole { b"" } else { b".html" };
    Href::Address([stem.unwrap_or(path), ending].concat())
}

/// A page is an HTML file at its path.
fn files(part: &Part<'_>, sink: &mut Vec<Vec<u8>>) {
    let (stem, ending) = part.split();
    if !part.is_folder && ending == b"md" {
        sink.push([stem, b".html"].concat());
    }
}

/// Notes what the build publishes, unless a setting may change it.
fn publish(site: &mut Site, settings: &SettingValue) {
    let clean = match settings.get("cleanUrls") {
        SettingValue::Null | SettingValue::Bool(false) => false,
        SettingValue::Bool(true) => true,
        _ => return,
    };
    let markdown = settings.get("markdown");
    let is_left = ["config", "preConfig", "..."].iter().all(|name| !markdown.get(name).is_set());
    let is_plain = ["rewrites", "transformHtml", "..."].iter().all(|name| !settings.get(name).is_set())
        && ["publicDir", "root", "..."].iter().all(|name| !settings.at(&["vite", name]).is_set());
    if !is_left || !is_plain || matches!(markdown, SettingValue::Computed | SettingValue::Call(..)) {
        return;
    }
    let pages = Outlet::exact(site.folder.clone(), files);
    let public = Outlet::as_it_is(join(&site.folder, b"public"));
    let addressing = Addressing { clean, adds_base: true, ..Addressing::default() };
    site.output = Some(Output { outlets: vec![pages, public], href, addressing });
}

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
    let source = config.map(|config| settings::text(tree, config));
    let settings = match (config, &source) {
        (Some(config), Some(source)) => settings_from(config, source.as_deref(), &mut site),
        _ => {
            // The file in that folder puts its parts together.
            if children.iter().any(|path| file_name(path) == b"config") {
                leave_computed(&mut site, path, "the settings");
                SettingValue::Computed
            } else {
                SettingValue::Table(Vec::new())
            }
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
    if settings.get("rewrites").is_set() && settings != SettingValue::Computed {
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
    if let Some(file) = changing_plugin(tree, path, folder).filter(|_| anchors.is_none()) {
        let why = format!("{} has plug-ins that may change pages", display_path(&file));
        site.leave_open(Forms::new(&[Form::Anchor]), why, NOTHING);
    }
    // The site's own words for links that its build need not find.
    let left_alone = settings.get("ignoreDeadLinks").items().iter().filter_map(SettingValue::text);
    site.made.extend(left_alone.filter(|link| link.starts_with('/')).map(|link| bare(link.as_bytes()).to_vec()));
    let source = source.and_then(Result::ok).unwrap_or_default();
    if !left_alone_by_pattern(&source, &mut site.left_alone) {
        let why = format!("{} leaves dead links alone by a function", display_path(&file));
        site.leave_open(Forms::ADDRESSES, why, NOTHING);
    }
    let excluded: Vec<&str> = settings.get("srcExclude").items().iter().filter_map(SettingValue::text).collect();
    let pages = site.folder.clone();
    excluded::by_globs(&mut site, tree, &file, &pages, &excluded, false);
    site.locales = Vec::new();
    for (_, entry) in tree.below(&site.folder) {
        // `[name].md` makes any page of its folder.
        if file_name(&entry.path).starts_with(b"[") {
            let folder = crate::audit::site::below(parent(&entry.path), &site.folder).unwrap_or_default();
            site.made.push(folder.to_vec());
        }
    }
    publish(&mut site, &settings);
    vec![site]
}

/// Adds the patterns in `ignoreDeadLinks`: `/^\/play/`. Returns `false` where something else in it decides, a function most likely.
fn left_alone_by_pattern(settings: &str, patterns: &mut Vec<Regex>) -> bool {
    let list = settings
        .split_once("ignoreDeadLinks")
        .and_then(|(_, rest)| rest.trim_start_matches([':', ' ']).strip_prefix('['));
    let Some(mut rest) = list else { return true };
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        rest = if let Some(comment) = rest.strip_prefix("//") {
            comment.split_once('\n').map_or("", |(_, rest)| rest)
        } else if let Some(text) = rest.strip_prefix(['"', '\'', '`']) {
            let Some((_, behind)) = text.split_once(['"', '\'', '`']) else { return false };
            behind
        } else if let Some(pattern) = rest.strip_prefix('/') {
            let Some((pattern, behind)) = split_pattern(pattern) else { return false };
            // What JavaScript has and this lacks, such as `(?!x)`, decides, too.
            let (flags, behind) =
                behind.split_at(behind.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(behind.len()));
            let any_case = flags.contains('i');
            let pattern = RegexBuilder::new(pattern).case_insensitive(any_case).size_limit(1 << 16).build();
            let Ok(pattern) = pattern else { return false };
            patterns.push(pattern);
            behind
        } else {
            return rest.starts_with(']');
        }
    }
}

/// Splits a regular expression of JavaScript from what comes behind it: a slash in a class of characters or behind a backslash is none that ends it.
fn split_pattern(text: &str) -> Option<(&str, &str)> {
    let (mut is_escaped, mut is_class) = (false, false);
    let end = text.char_indices().find_map(|(at, c)| {
        let is_end = c == '/' && !is_escaped && !is_class || c == '\n';
        is_class = !is_escaped && (c == '[' || is_class && c != ']') || is_escaped && is_class;
        is_escaped = c == '\\' && !is_escaped;
        is_end.then_some(at)
    })?;
    text[end..].strip_prefix('/').map(|behind| (&text[..end], behind))
}

/// The settings of Vite beside those of VitePress with a plug-in that sees Markdown before VitePress does.
fn changing_plugin(tree: &Tree, path: &[u8], folder: &[u8]) -> Option<Vec<u8>> {
    let names = ["vite.config.ts", "vite.config.mts", "vite.config.js", "vite.config.mjs"];
    let files = [path, folder].into_iter().flat_map(|folder| names.map(|name| join(folder, name.as_bytes())));
    files.filter(|file| tree.find(file).is_some()).find(|file| {
        let text = settings::text(tree, file).unwrap_or_default();
        text.contains("plugins") && text.to_ascii_lowercase().contains("markdown")
    })
}

/// The settings of `markdown` that can change anchors.
fn anchors(settings: &SettingValue) -> Option<&'static str> {
    let markdown = settings.get("markdown");
    match () {
        () if settings == &SettingValue::Computed || settings.get("...").is_set() => Some("computed settings"),
        () if markdown == &SettingValue::Computed => Some("markdown"),
        () if markdown.get("anchor").is_set() => Some("markdown.anchor"),
        () if markdown.get("config").is_set() => Some("markdown.config"),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_links_that_are_left_alone() {
        let read = |settings: &str| {
            let mut patterns = Vec::new();
            let is_whole = left_alone_by_pattern(settings, &mut patterns);
            (patterns.iter().map(|pattern| pattern.as_str().to_owned()).collect::<Vec<_>>(), is_whole)
        };
        let all = |patterns: &[&str], is_whole| {
            (patterns.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>(), is_whole)
        };
        assert_eq!(read("x: 1"), all(&[], true));
        assert_eq!(read("ignoreDeadLinks: true"), all(&[], true));
        assert_eq!(
            read("ignoreDeadLinks: ['/a', // b\n /^\\/play/, /[/\\]]x/i,\n]"),
            all(&["^\\/play", "[/\\]]x"], true)
        );
        assert_eq!(read("ignoreDeadLinks: [/a/, (url) => true]"), all(&["a"], false));
        assert_eq!(read("ignoreDeadLinks: [/(?!a)/]"), all(&[], false));
        assert_eq!(read("ignoreDeadLinks: ["), all(&[], false));
        let mut patterns = Vec::new();
        left_alone_by_pattern("ignoreDeadLinks: [/^\\/play/, /^\\/demo/i]", &mut patterns);
        let is_left_alone = |link: &str| patterns.iter().any(|pattern| pattern.is_match(link));
        assert_eq!(["/play/x", "/Play/x", "/demo", "/Demo"].map(is_left_alone), [true, false, true, true]);
    }
}
