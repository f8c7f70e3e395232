//! Docusaurus: `docusaurus.config.js` says where documents, posts and pages are and below which address each is served.

mod addresses;

use super::Mark::Script;
use super::{Generator, NOTHING, TELL, because, is_folder, leave_computed, normal, settings_of, text};
use crate::audit::document::{Construct as C, Syntax};
use crate::audit::site::excluded;
use crate::audit::site::open::Forms;
use crate::audit::site::settings::{self, SettingValue};
use crate::audit::site::{Addresses, Links, Model, PagesEnd, Route, Site, below, is_below};
use crate::audit::walk::Tree;
use crate::markdown::slug::Dialect;
use crate::text::path::{display_path, file_name, join};

const SYNTAX: Syntax = Syntax {
    include_marks: &["import "],
    ..Syntax::new(Dialect::GithubSlugger).with(&[
        C::HeadingIds,
        C::CommentIds,
        C::Includes,
        C::Mdx,
        C::Containers,
        C::NodeText,
        C::ImageText,
        C::TextDirectives,
        C::GfmFootnotes,
        C::NamelessHtml,
    ])
};

static MODEL: Model = Model { name: "Docusaurus", syntax: SYNTAX, links: LINKS };

/// Pages have no ending: its own check of links calls `x.html` broken.
const LINKS: Links = Links {
    endings: &[".md", ".mdx"],
    md_is_mdx: true,
    // Its check of links knows the routes alone.
    index_is_nameless: true,
    pages_are_folders: true,
    addresses: Addresses::Loose,
    aliases: &["@site/", "@theme/", "pathname://"],
    folder_mark: Some("@site/"),
    made: &["rss.xml", "atom.xml", "feed.json", "sitemap.xml", "llms.txt", "404.html"],
    hides_drafts: true,
    pages_end: PagesEnd::Content,
    lists_folders: true,
    ..Links::SITE
};

/// The same with redirects from old addresses that end in `.html`.
static LINKS_WITH_ENDINGS: Links = Links { html_is_markdown: true, ..LINKS };

pub(super) static DOCUSAURUS: Generator = Generator {
    name: "Docusaurus",
    word: Some(("docusaurus", "Docusaurus")),
    model: &MODEL,
    marks: &[Script("docusaurus.config")],
    read,
    complete: None,
};

/// Plug-ins and presets that make no pages, by a part of their names.
const HARMLESS: &[&str] = &[
    "content-docs",
    "content-blog",
    "content-pages",
    "client-redirects",
    "gtag",
    "google-analytics",
    "tag-manager",
    "sitemap",
    "ideal-image",
    "pwa",
    "svgr",
    "lunr-search",
    "search-local",
    "sass",
    "image-zoom",
    "debug",
    "vercel-analytics",
    "plausible",
    "llms",
    "theme-",
    "tailwind",
    "rsdoctor",
    "faster",
    "css-cascade",
    "mermaid",
    "matomo",
    "posthog",
    "preset-classic",
    "copy-page-button",
];

fn read(tree: &Tree, path: &[u8], folder: &[u8]) -> Vec<Site> {
    let mut site = because(&MODEL, folder.to_vec(), path);
    let settings = settings_of(tree, path, &mut site);
    if let Some(url) = text(&mut site, path, &settings, "baseUrl") {
        site.base = url.trim_matches('/').as_bytes().to_vec();
    }
    site.roots = static_folders(folder, &settings);
    site.project = vec![folder.to_vec()];
    site.locales = settings.at(&["i18n", "locales"]).names().iter().map(|name| name.as_bytes().to_vec()).collect();
    site.made = ["search", "__docusaurus"].map(|name| name.as_bytes().to_vec()).to_vec();
    site.program = Some(folder.to_vec());
    let mut plugins = PluginReader { tree, path, folder, site: &mut site };
    plugins.read(&settings);
    // The blog and the documents of further instances are named by their paths as well.
    site.roots.extend(site.content.iter().cloned());
    site.roots.push(folder.to_vec());
    if site.routes.is_empty() || !matches!(settings, SettingValue::Table(_)) {
        leave_computed(&mut site, path, "its pages");
    } else {
        site.addresses = Addresses::Exact;
        let pages = Route {
            folder: join(folder, b"src/pages"),
            prefix: Vec::new(),
            addresses: addresses::page,
            endings: &["js", "jsx", "ts", "tsx"],
        };
        site.routes.push(pages);
        site.pages = vec![join(folder, b"src/pages"), join(folder, b"static"), join(folder, b"i18n")];
    }
    super::static_redirects(tree, &mut site, &[join(folder, b"static")]);
    let outside = site.content.iter().filter(|content| !is_below(content, folder));
    let outside: Vec<Site> = outside.map(|content| Site { folder: content.clone(), ..site.clone() }).collect();
    [site].into_iter().chain(outside).collect()
}

/// Returns whether the project replaces the headings of the classic theme, which leaves those of the first level without an id
/// (`theme-classic/src/theme/Heading/index.tsx`).
fn has_own_headings(tree: &Tree, folder: &[u8]) -> bool {
    let theme = join(folder, b"src/theme");
    tree.below(&theme).any(|(_, entry)| {
        let path = below(&entry.path, &theme).unwrap_or_default();
        path.split(|byte| matches!(byte, b'/' | b'.')).any(|part| part == b"Heading")
            || path.starts_with(b"MDXComponents")
                && settings::text(tree, &entry.path)
                    .is_ok_and(|text| ["h1", "Heading"].iter().any(|own| text.contains(own)))
    })
}

fn static_folders(folder: &[u8], settings: &SettingValue) -> Vec<Vec<u8>> {
    let named = settings.get("staticDirectories").names();
    let named = if named.is_empty() { vec!["static"] } else { named };
    named.into_iter().map(|name| normal(folder, name)).collect()
}

struct PluginReader<'a> {
    tree: &'a Tree,
    path: &'a [u8],
    folder: &'a [u8],
    site: &'a mut Site,
}

impl PluginReader<'_> {
    fn read(&mut self, settings: &SettingValue) {
        let mut is_classic = false;
        for preset in settings.get("presets").items() {
            let (name, options) = named(preset);
            if name.is_some_and(|name| name == "classic" || name.ends_with("preset-classic")) {
                is_classic = true;
                if !has_own_headings(self.tree, self.folder) {
                    self.site.syntax = self.site.syntax.with(&[C::NamelessTitles]);
                }
                self.content(options.get("docs"), "docs", "docs");
                self.content(options.get("blog"), "blog", "blog");
            } else {
                self.unknown(name);
            }
        }
        for plugin in settings
            .get("plugins")
            .items()
            .iter()
            .filter(|plugin| !matches!(plugin, SettingValue::Bool(_) | SettingValue::Null))
        {
            let (name, options) = named(plugin);
            match name {
                Some(name) if name.ends_with("content-docs") => self.content(options, "docs", "docs"),
                Some(name) if name.ends_with("content-blog") => self.content(options, "blog", "blog"),
                Some(name) if name.ends_with("client-redirects") => self.redirects(options),
                Some(name) if HARMLESS.iter().any(|harmless| name.contains(harmless)) => {}
                _ => self.unknown(name),
            }
        }
        if settings.get("plugins") == &SettingValue::Computed || settings.get("presets") == &SettingValue::Computed {
            self.unknown(None);
        }
        if !is_classic && self.site.routes.is_empty() {
            // Where nothing can be read, the usual folders are where documents are.
            for name in ["docs", "blog"] {
                self.folder_of_content(join(self.folder, name.as_bytes()));
            }
        }
    }

    /// A plug-in of which it is not known whether it makes pages.
    fn unknown(&mut self, name: Option<&str>) {
        let file = display_path(self.path);
        let why = match name {
            Some(name) => format!("{file} has {name}, whose pages are not known"),
            None => format!("{file} has a plug-in or preset that is computed"),
        };
        self.site.leave_open(Forms::ADDRESSES, why, TELL);
    }

    fn redirects(&mut self, options: &SettingValue) {
        let endings = options.get("fromExtensions");
        if endings.is_computed() || endings.names().iter().any(|ending| ending.trim_start_matches('.') == "html") {
            self.site.links = &LINKS_WITH_ENDINGS;
        }
        for redirect in options.get("redirects").items() {
            redirect.get("from").texts(&mut |from| self.site.redirects.add(from));
        }
        if options.get("createRedirects").is_set() || options.get("redirects").is_computed() {
            let why = format!("{} computes redirects", display_path(self.path));
            self.site.leave_open(Forms::ADDRESSES, why, NOTHING);
        }
    }

    /// Documents or posts, with the options of their plug-in.
    fn content(&mut self, options: &SettingValue, folder: &str, prefix: &str) {
        if options == &SettingValue::Bool(false) {
            return;
        }
        if options == &SettingValue::Computed
            || ["path", "routeBasePath"].iter().any(|name| options.get(name).is_computed())
        {
            leave_computed(self.site, self.path, "where documents are");
        }
        let plugin_path = options.get("path").text();
        if let Some(plugin_path) = plugin_path {
            self.site.note(self.path, "path", plugin_path);
        }
        let content = normal(self.folder, plugin_path.unwrap_or(folder));
        let prefix = options.get("routeBasePath").text().unwrap_or(prefix).trim_matches('/').as_bytes().to_vec();
        if folder == "blog" {
            let posts =
                Route { folder: content.clone(), prefix: prefix.clone(), addresses: addresses::post, endings: &[] };
            self.site.routes.push(posts);
            self.site.made.extend(["tags", "page", "archive", "authors"].map(|made| join(&prefix, made.as_bytes())));
            // The list of posts itself.
            self.site.redirects.add(&String::from_utf8_lossy(&prefix));
            for translations in self.translations("blog", options) {
                self.translation(translations, &content);
            }
        } else {
            self.documents(options, &content, &prefix);
        }
        self.folder_of_content(content);
    }

    /// The documents of one instance, with their versions and translations.
    fn documents(&mut self, options: &SettingValue, content: &[u8], prefix: &[u8]) {
        self.site.made.extend(["tags", "category"].map(|made| join(prefix, made.as_bytes())));
        let mut route = |folder: Vec<u8>, prefix: Vec<u8>| {
            self.site.routes.push(Route { folder, prefix, addresses: addresses::document, endings: &[] });
        };
        let id = options.get("id").text().filter(|id| *id != "default").map_or_else(String::new, |id| format!("{id}_"));
        let versions = join(self.folder, format!("{id}versioned_docs").as_bytes());
        let folders: Vec<Vec<u8>> = self
            .tree
            .children(&versions)
            .map(|(_, entry)| entry.path.to_vec())
            .filter(|path| is_folder(self.tree, path))
            .collect();
        let list = join(self.folder, format!("{id}versions.json").as_bytes());
        let newest =
            settings::read(self.tree, &list).ok().and_then(|list| list.names().first().map(|name| (*name).to_owned()));
        let last = match options.get("lastVersion") {
            _ if options.get("disableVersioning") == &SettingValue::Bool(true) => None,
            SettingValue::Null => newest,
            chosen => chosen.text().map(str::to_owned),
        };
        let version = |folder: &[u8]| {
            let name = file_name(folder);
            name.strip_prefix(b"version-").unwrap_or(name).to_vec()
        };
        // The last version has the addresses without a version, before the current documents.
        let is_last = |folder: &&Vec<u8>| last.as_deref().is_some_and(|last| last.as_bytes() == version(folder));
        if let Some(last) = folders.iter().find(is_last) {
            route(last.clone(), prefix.to_vec());
        }
        route(content.to_vec(), prefix.to_vec());
        if !folders.is_empty() {
            route(content.to_vec(), join(prefix, b"next"));
        }
        for folder in &folders {
            route(folder.clone(), join(prefix, &version(folder)));
        }
        if options.get("versions").is_set() {
            // Each version may be given a path of its own.
            for (version, settings) in options.get("versions").entries() {
                let Some(path) = settings.get("path").text() else { continue };
                let folder = if version == "current" {
                    content.to_vec()
                } else {
                    join(&versions, format!("version-{version}").as_bytes())
                };
                route(folder, join(prefix, path.trim_matches('/').as_bytes()));
            }
        }
        self.site.content.extend(folders.iter().cloned());
        let excluded: Vec<&str> = options.get("exclude").items().iter().filter_map(SettingValue::text).collect();
        for folder in [content].into_iter().chain(folders.iter().map(Vec::as_slice)) {
            excluded::by_globs(self.site, self.tree, self.path, folder, &excluded, false);
        }
        for translations in self.translations("docs", options) {
            self.translation(join(&translations, b"current"), content);
            folders.iter().for_each(|version| self.translation(join(&translations, file_name(version)), version));
        }
    }

    /// Where the translations of a plug-in's documents are, by language.
    fn translations(&self, plugin: &str, options: &SettingValue) -> Vec<Vec<u8>> {
        let id = options.get("id").text().filter(|id| *id != "default").map_or_else(String::new, |id| format!("-{id}"));
        let name = format!("docusaurus-plugin-content-{plugin}{id}");
        let languages = join(self.folder, b"i18n");
        let of = |locale: &Vec<u8>| join(&join(&languages, locale), name.as_bytes());
        self.site.locales.iter().map(of).collect()
    }

    /// A folder of translated documents, if there is one: it has the addresses of the original, and falls back on it.
    fn translation(&mut self, translated: Vec<u8>, original: &[u8]) {
        if !is_folder(self.tree, &translated) {
            return;
        }
        let routes = self.site.routes.iter().filter(|route| route.folder == original);
        let routes: Vec<Route> = routes.map(|route| Route { folder: translated.clone(), ..route.clone() }).collect();
        self.site.routes.extend(routes);
        self.site.mirrors.push((translated.clone(), original.to_vec()));
        self.site.content.push(translated);
    }

    fn folder_of_content(&mut self, folder: Vec<u8>) {
        if !folder.is_empty() && is_folder(self.tree, &folder) && !self.site.content.contains(&folder) {
            self.site.content.push(folder);
        }
    }
}

/// The name and the options of a plug-in: `"name"`, `["name", {…}]`, `[require.resolve("name"), {…}]`.
fn named(plugin: &SettingValue) -> (Option<&str>, &SettingValue) {
    static NONE: SettingValue = SettingValue::Null;
    match plugin {
        SettingValue::List(items) => (items.first().and_then(text_of), items.get(1).unwrap_or(&NONE)),
        other => (text_of(other), &NONE),
    }
}

fn text_of(value: &SettingValue) -> Option<&str> {
    match value {
        SettingValue::Text(text) => Some(text),
        SettingValue::Call(name, arguments) if name == "require.resolve" || name == "require" => {
            arguments.first().and_then(SettingValue::text)
        }
        _ => None,
    }
}
