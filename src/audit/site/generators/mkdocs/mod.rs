//! MkDocs, Material for MkDocs, Zensical, TechDocs: `mkdocs.yml` says where the documents are, what the navigation names, and which
//! plug-ins and extensions change links.

mod published;
mod syntax;

use super::Mark::File;
use super::{Generator, NOTHING, base, because, normal, settings_of};
use crate::audit::document::{Construct as C, Syntax};
use crate::audit::site::excluded;
use crate::audit::site::open::{Form, Forms};
use crate::audit::site::settings::{self, SettingValue};
use crate::audit::site::{Addresses, Elsewhere, Links, Model, Named, Site, is_language};
use crate::audit::walk::Tree;
use crate::markdown::slug::Dialect;
use crate::text::path::{display_path, file_name, join, parent};

/// MkDocs with every extension that changes what a link is; its settings take the others away.
const SYNTAX: Syntax = Syntax {
    include_marks: &["--8<-- "],
    // mkdocstrings and its like, Jinja of plug-ins.
    composed_marks: &["\n::: ", "\n{%", "\n{{"],
    ..Syntax::new(Dialect::MKDOCS).with(&[
        C::HeadingIds,
        C::AttributeLists,
        C::Includes,
        C::FootnoteIds,
        C::Admonitions,
        C::Tabs,
        C::LooseDefinitions,
        C::LooseDestinations,
        C::RawHtml,
        C::DefinitionLists,
        C::NamelessHtml,
        C::Emoji,
        C::TightHeadings,
    ])
};

pub(super) static MODEL: Model = Model {
    name: "MkDocs",
    syntax: SYNTAX,
    links: Links {
        endings: &[".md"],
        html_is_markdown: true,
        pages_are_folders: true,
        addresses: Addresses::None,
        absolute: Elsewhere::Site,
        html: Elsewhere::Site,
        // Tabs of `pymdownx.tabbed`.
        fragments: &["__tabbed_"],
        // Files of its themes.
        made: &["img/favicon.ico", "sitemap.xml", "404.html", "search.html"],
        ..Links::SITE
    },
};

pub(super) static MKDOCS: Generator = Generator {
    name: "MkDocs",
    word: Some(("mkdocs", "MkDocs, Material for MkDocs, Zensical, TechDocs")),
    model: &MODEL,
    marks: &[File("mkdocs.yml"), File("mkdocs.yaml")],
    read: mkdocs,
    complete: None,
};

pub(super) static ZENSICAL: Generator = Generator {
    name: "Zensical",
    word: None,
    model: &MODEL,
    marks: &[File("zensical.toml")],
    read: zensical,
    complete: None,
};

pub(super) static TECHDOCS: Generator = Generator {
    name: "TechDocs",
    word: None,
    model: &MODEL,
    marks: &[File("catalog-info.yaml")],
    read: techdocs,
    complete: None,
};

/// Plug-ins that make anchors and resolve references by names that stand in code.
const REFERENCES: &[&str] = &["mkdocstrings", "autorefs"];

/// Plug-ins that make pages.
const PAGES: &[&str] = &[
    "gen-files",
    "api-autonav",
    "autoapi",
    "mkdoxy",
    "monorepo",
    "multirepo",
    "mkdocs-jupyter",
    "ezlinks",
    "roamlinks",
    "wikilinks",
    "obsidian-bridge",
    "simple",
    "static-i18n",
    "i18n",
    "coverage",
    "swagger-ui-tag",
    "schema_reader",
    "click-docs",
    "gallery",
];

/// Plug-ins that neither make pages nor take any away: what the navigation names must be there. None of them changes what a link to a
/// page leads to.
const HARMLESS: &[&str] = &[
    "search",
    "tags",
    "social",
    "blog",
    "minify",
    "git-revision-date",
    "git-revision-date-localized",
    "git-committers",
    "git-committers-2",
    "git-authors",
    "autorefs",
    "mkdocstrings",
    "redirects",
    "macros",
    "glightbox",
    "mermaid2",
    "section-index",
    "exclude",
    "privacy",
    "offline",
    "optimize",
    "meta",
    "typeset",
    "rss",
    "llmstxt",
    "markdownextradata",
    "include-markdown",
    "htmlproofer",
    "print-site",
    "techdocs-core",
    "panzoom",
    "caption",
];

fn mkdocs(tree: &Tree, path: &[u8], folder: &[u8]) -> Vec<Site> {
    let mut site = because(&MODEL, join(folder, b"docs"), path);
    let mut settings = settings_of(tree, path, &mut site);
    let mut inherited = settings.get("INHERIT").text().map(|file| normal(folder, file));
    let mut original = None;
    // A chain of files; one that leads to itself ends all the same.
    for _ in 0..8 {
        let Some(file) = inherited.take() else { break };
        let Ok(above) = settings::read(tree, &file) else {
            inherited = Some(file);
            break;
        };
        inherited = above.get("INHERIT").text().map(|next| normal(folder, next));
        original.get_or_insert(file);
        settings.inherit(above);
    }
    of_settings(&mut site, tree, path, folder, &settings);
    // The site of another language: what is not translated is taken from there.
    let beside = original
        .as_deref()
        .map(parent)
        .filter(|beside| *beside != folder && parent(beside) == parent(folder) && is_language(file_name(beside)));
    if let Some(beside) = beside.filter(|_| is_language(file_name(folder))) {
        site.mirrors = vec![(site.folder.clone(), join(beside, file_name(&site.folder)))];
    }
    exclude(&mut site, tree, path, &settings);
    if inherited.is_none() && site.mirrors.is_empty() {
        published::set(&mut site, &settings);
    }
    vec![site]
}

/// Takes out the documents that `exclude_docs` and the plug-in of that name exclude. The latter has patterns of Python's fnmatch.
fn exclude(site: &mut Site, tree: &Tree, path: &[u8], settings: &SettingValue) {
    let folder = site.folder.clone();
    if let Some(lines) = settings.get("exclude_docs").text() {
        excluded::by_ignore_lines(site, tree, path, &folder, lines);
    }
    let plugins = settings.get("plugins").items().iter().map(|plugin| plugin.get("exclude"));
    let globs: Vec<&str> =
        plugins.flat_map(|options| options.get("glob").items()).filter_map(SettingValue::text).collect();
    excluded::by_globs(site, tree, path, &folder, &globs, true);
}

/// The documents of other languages beside a site of one language, without settings of their own: `docs/de/docs` beside
/// `docs/en/mkdocs.yml`. A script makes their settings of those.
pub(super) fn translations(tree: &Tree, sites: &[Site]) -> Vec<Site> {
    let mut found: Vec<Site> = Vec::new();
    for site in sites.iter().filter(|site| site.generator == MODEL.name && site.mirrors.is_empty()) {
        let project = parent(&site.folder);
        let (language, docs, all) = (file_name(project), file_name(&site.folder), parent(project));
        if !is_language(language) || all.is_empty() {
            continue;
        }
        for (_, entry) in tree.children(all).filter(|(_, entry)| is_language(file_name(&entry.path))) {
            let folder = join(&entry.path, docs);
            let has_settings = ["mkdocs.yml", "mkdocs.yaml"].iter().any(|name| super::has(tree, &entry.path, name));
            let is_known = |site: &Site| site.folder == folder;
            if has_settings
                || !super::is_folder(tree, &folder)
                || found.iter().any(is_known)
                || sites.iter().any(is_known)
            {
                continue;
            }
            found.push(Site {
                reason: format!("it is a translation of {}", display_path(&site.folder)),
                roots: vec![folder.clone()],
                mirrors: vec![(folder.clone(), site.folder.clone())],
                navigation: Vec::new(),
                named: Vec::new(),
                published: None,
                excluded: None,
                output: None,
                folder,
                ..site.clone()
            });
        }
    }
    found
}

fn zensical(tree: &Tree, path: &[u8], folder: &[u8]) -> Vec<Site> {
    let mut site = because(&MODEL, join(folder, b"docs"), path);
    let settings = settings_of(tree, path, &mut site);
    site.generator = ZENSICAL.name;
    of_settings(&mut site, tree, path, folder, settings.get("project"));
    vec![site]
}

fn techdocs(tree: &Tree, path: &[u8], folder: &[u8]) -> Vec<Site> {
    let docs = join(folder, b"docs");
    let is_one = tree.find(&docs).is_some()
        && settings::text(tree, path).is_ok_and(|text| text.contains("backstage.io/techdocs-ref"));
    is_one.then(|| Site { generator: TECHDOCS.name, ..because(&MODEL, docs, path) }).into_iter().collect()
}

/// Reads the settings of the file `path` in `folder`.
fn of_settings(site: &mut Site, tree: &Tree, path: &[u8], folder: &[u8], settings: &SettingValue) {
    let docs = settings.get("docs_dir");
    if docs.is_set() && docs.text().is_none() {
        let why = format!("{} computes docs_dir", display_path(path));
        site.leave_open(Forms::LINKS, why, NOTHING);
    }
    let docs = docs.text().unwrap_or("docs");
    site.folder = normal(folder, docs);
    site.roots = vec![site.folder.clone()];
    site.note(path, "docs_dir", docs);
    if let Some(url) = settings.get("site_url").text() {
        site.base = base(url);
    }
    settings.texts(&mut |text| {
        if text.ends_with(".md") {
            site.navigation.push(normal(&site.folder, text));
        }
    });
    site.lists_folders = site.navigation.is_empty();
    if settings.at(&["validation", "links", "absolute_links"]).text() == Some("relative_to_docs") {
        site.note(path, "absolute_links", "relative_to_docs");
        site.absolute = Elsewhere::Nothing;
    }
    plugins(site, path, settings);
    let list = settings.get("markdown_extensions");
    // The plug-in brings all of them along, and Zensical has them where none are named.
    let has_all =
        settings.get("plugins").names().contains(&"techdocs-core") || site.generator == ZENSICAL.name && !list.is_set();
    extensions(site, tree, path, folder, (list, has_all));
    named(site, tree, path, settings);
}

fn plugins(site: &mut Site, path: &[u8], settings: &SettingValue) {
    let file = display_path(path);
    let plugins = settings.get("plugins");
    let names = plugins.names();
    if !names.is_empty() {
        site.note(path, "plugins", &names.join(", "));
    }
    let first = |known: &[&str]| names.iter().copied().find(|name| known.contains(&plain(name)));
    if let Some(plugin) = first(REFERENCES) {
        let why = format!("{file} has the plugin {plugin}, which resolves references itself");
        site.leave_open(Forms::new(&[Form::Reference]), why, NOTHING);
    }
    if let Some(plugin) = first(PAGES) {
        site.leave_open(Forms::LINKS, format!("{file} has the plugin {plugin}, which makes pages"), NOTHING);
    }
    if settings.get("hooks").is_set() {
        site.rewrites = true;
        let forms = Forms::new(&[Form::Anchor, Form::Reference]);
        site.leave_open(forms, format!("{file} has hooks, which may change any page"), NOTHING);
    }
    if let Some(blog) = first(&["blog"]) {
        let options = option(plugins, blog);
        let folder = options.get("blog_dir").text().unwrap_or("blog");
        let posts = options.get("post_dir").text().unwrap_or("{blog}/posts").replace("{blog}", folder);
        site.listed.push(normal(&site.folder, &posts));
    }
    let redirects = plugins.items().iter().map(|plugin| plugin.at(&["redirects", "redirect_maps"]));
    for (from, _) in redirects.chain([plugins.at(&["redirects", "redirect_maps"])]).flat_map(SettingValue::entries) {
        // Its page is gone; what stays is the address.
        let from = from.strip_suffix(".md").unwrap_or(from);
        site.redirects.add(from.strip_suffix("index").unwrap_or(from));
    }
}

/// A plug-in's name without its theme's.
fn plain(name: &str) -> &str {
    name.strip_prefix("material/").unwrap_or(name)
}

fn extensions(site: &mut Site, tree: &Tree, path: &[u8], folder: &[u8], (extensions, has_all): (&SettingValue, bool)) {
    let file = display_path(path);
    // A file that is included is seen from where MkDocs runs, or from the folders that the extension is given.
    site.includes = vec![folder.to_vec()];
    let snippets = option(extensions, "pymdownx.snippets");
    let mut bases = Vec::new();
    snippets.get("base_path").texts(&mut |text| bases.push(normal(folder, text)));
    site.includes.extend(bases);
    let mut appended = Vec::new();
    snippets.get("auto_append").texts(&mut |text| {
        appended.push(site.includes.iter().map(|folder| normal(folder, text)).find(|path| tree.find(path).is_some()));
    });
    let is_known = appended.iter().all(Option::is_some);
    site.appended = appended.into_iter().flatten().collect();
    if snippets.get("auto_append").is_set() && !is_known {
        let why = format!("{file} has snippets appended to each page");
        site.leave_open(Forms::new(&[Form::Reference]), why, NOTHING);
    }
    site.syntax = syntax::of_extensions(SYNTAX, extensions);
    if has_all {
        site.syntax = Syntax {
            dialect: site.syntax.dialect,
            composed_marks: site.syntax.composed_marks,
            tab_names: site.syntax.tab_names,
            ..SYNTAX
        };
    }
    if syntax::has_own_slugify(extensions) || syntax::has_own_tab_names(extensions) {
        let why = format!("{file} names headings by a slugify function of its own");
        site.leave_open(Forms::new(&[Form::Anchor]), why, NOTHING);
    }
}

/// The options of an extension, in a list of names and tables or a table.
fn option<'a>(extensions: &'a SettingValue, name: &str) -> &'a SettingValue {
    let direct = extensions.get(name);
    extensions.items().iter().map(|item| item.get(name)).find(|value| value.is_set()).unwrap_or(direct)
}

/// The pages that the navigation names, each with its line, where nothing else may make or name them.
fn named(site: &mut Site, tree: &Tree, path: &[u8], settings: &SettingValue) {
    let names = settings.get("plugins").names();
    if settings.get("hooks").is_set() || !names.iter().all(|name| HARMLESS.contains(&plain(name))) {
        return;
    }
    let Ok(text) = settings::text(tree, path) else { return };
    settings.get("nav").texts(&mut |entry| {
        let is_page =
            entry.ends_with(".md") && !entry.contains("://") && !entry.starts_with('/') && !entry.contains('*');
        let Some(line) = is_page.then(|| line_of(&text, entry)).flatten() else { return };
        let file = path.to_vec();
        let target = normal(&site.folder, entry);
        site.named.push(Named { file, line, text: entry.to_owned(), path: target });
    });
}

/// The line of the navigation that names a page.
fn line_of(text: &str, entry: &str) -> Option<u32> {
    let names = |line: &str| {
        line.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '[' | ']' | '{' | '}' | ','))
            .any(|word| word == entry)
    };
    (1..)
        .zip(text.lines())
        .skip_while(|(_, line)| !line.starts_with("nav"))
        .find(|(_, line)| names(line))
        .map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_navigation() {
        let text = "# a.md\nnav:\n  - A: a.md\n  - B: [x/a.md, 'b c.md']\n";
        assert_eq!(line_of(text, "a.md"), Some(3));
        assert_eq!(line_of(text, "x/a.md"), Some(4));
        assert_eq!(line_of(text, "gone.md"), None);
    }

    #[test]
    fn options_in_a_list_and_in_a_table() {
        for text in ["- a\n- toc: {separator: _}\n", "toc:\n  separator: _\n"] {
            let value = settings::parse(b"x.yml", text).unwrap();
            assert_eq!(option(&value, "toc").get("separator").text(), Some("_"), "{text}");
        }
    }
}
