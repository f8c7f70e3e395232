//! Astro, and Starlight on top of it: `src/content/docs` has the pages, `public` the files, `astro.config.*` base, languages and redirects.
//! Of Astro without Starlight only files and the pages of `src/pages` are known: a program makes the rest.

use super::Mark::Script;
use super::{Generator, NOTHING, TELL, because, is_folder, leave_computed, settings_of, static_redirects, text};
use crate::audit::document::{Construct as C, Syntax};
use crate::audit::site::addresses::{Source, slugged};
use crate::audit::site::open::{Form, Forms};
use crate::audit::site::settings::{self, SettingValue};
use crate::audit::site::{Addresses, Links, Model, Route, Site};
use crate::audit::walk::Tree;
use crate::markdown::slug::Dialect;
use crate::text::path::{display_path, file_name, join, parent};

const SYNTAX: Syntax = Syntax {
    include_marks: &["import "],
    ..Syntax::new(Dialect::GithubSlugger).with(&[
        C::Includes,
        C::MdxFiles,
        C::Containers,
        C::GfmFootnotes,
        C::NodeText,
        C::SmartPunctuation,
    ])
};

static MODEL: Model = Model {
    name: "Starlight",
    syntax: SYNTAX,
    links: Links {
        endings: &[".md", ".mdx"],
        html_is_markdown: true,
        pages_are_folders: true,
        addresses: Addresses::Loose,
        aliases: &["~/", "@/", "@"],
        made: &["sitemap-index.xml", "rss.xml", "404.html", "404", "llms.txt", "llms-full.txt", "llms-small.txt"],
        // The title of a page.
        fragments: &["_top"],
        hides_drafts: true,
        lists_folders: true,
        ..Links::SITE
    },
};

pub(super) static STARLIGHT: Generator = Generator {
    name: "Starlight",
    word: Some(("starlight", "Starlight, Astro")),
    model: &MODEL,
    marks: &[Script("astro.config")],
    read,
    complete: Some(complete),
};

/// A framework makes pages by a program, so even the path of another document can mean anything.
const BY_PROGRAM: Forms = Forms::ADDRESSES_AND_ANCHORS.and(Form::Page);

fn complete(site: &mut Site) {
    site.addresses = Addresses::Exact;
    site.routes = vec![Route { folder: site.folder.clone(), prefix: Vec::new(), addresses: document, endings: &[] }];
}

fn read(tree: &Tree, path: &[u8], folder: &[u8]) -> Vec<Site> {
    let is_starlight = settings::text(tree, path).is_ok_and(|text| text.contains("@astrojs/starlight"));
    let documents = join(folder, b"src/content/docs");
    if is_starlight && is_folder(tree, &documents) {
        starlight(tree, path, folder, documents)
    } else {
        astro(tree, path, folder)
    }
}

/// A site of which only the files are known.
fn astro(tree: &Tree, path: &[u8], folder: &[u8]) -> Vec<Site> {
    let mut governed: Vec<Vec<u8>> = ["src/content", "src/pages"]
        .iter()
        .map(|name| join(folder, name.as_bytes()))
        .filter(|path| is_folder(tree, path))
        .collect();
    if governed.is_empty() {
        governed.push(folder.to_vec());
    }
    let site = |folder_of_site: Vec<u8>| {
        let mut site = super::recognised::site("Astro", folder_of_site, path, BY_PROGRAM);
        site.roots = vec![join(folder, b"public")];
        site.readmes = false;
        site
    };
    governed.into_iter().map(site).collect()
}

fn starlight(tree: &Tree, path: &[u8], folder: &[u8], documents: Vec<u8>) -> Vec<Site> {
    let mut site = because(&MODEL, join(folder, b"src/content"), path);
    site.folder.clone_from(&documents);
    complete(&mut site);
    let settings = settings_of(tree, path, &mut site);
    let public = settings.get("publicDir").text().unwrap_or("public").to_owned();
    site.roots = vec![super::normal(folder, &public)];
    site.program = Some(folder.to_vec());
    if let Some(path) = text(&mut site, path, &settings, "base") {
        site.base = path.trim_matches('/').as_bytes().to_vec();
    }
    if settings::text(tree, path).is_ok_and(|text| text.contains("starlight-heading-badges")) {
        let why = format!("{} has starlight-heading-badges, which changes anchors", display_path(path));
        site.leave_open(Forms::new(&[Form::Anchor]), why, NOTHING);
    }
    site.needs_base = true;
    if settings.get("markdown").is_set() {
        let why = format!("{} sets markdown, which may change links and anchors", display_path(path));
        site.leave_places_open(Forms::new(&[Form::Page, Form::Anchor]), why, NOTHING);
    }
    for (from, _) in settings.get("redirects").entries() {
        site.redirects.add(from);
    }
    if settings.get("redirects").is_computed() || settings.get("integrations") == &SettingValue::Computed {
        leave_computed(&mut site, path, "redirects or integrations");
    }
    let folders = static_redirect_folders(folder, &site);
    static_redirects(tree, &mut site, &folders);
    let options = settings.call("starlight").and_then(|arguments| arguments.first()).unwrap_or(&SettingValue::Computed);
    integrations(&mut site, path, &settings, options);
    languages(&mut site, tree, options);
    pages(&mut site, tree, folder);
    vec![site, parts(folder)]
}

/// A site of what lies beside the pages in `src`: components show it, on pages that only they know.
fn parts(folder: &[u8]) -> Site {
    let folder = join(folder, b"src");
    let reason = format!("components in {} show them", display_path(&folder));
    let mut site = Site { known: false, readmes: false, ..Site::new(&MODEL, folder, reason) };
    site.leave_open(Forms::ADDRESSES_AND_ANCHORS, "the pages that show them are a program's".to_owned(), NOTHING);
    site
}

fn static_redirect_folders(folder: &[u8], site: &Site) -> Vec<Vec<u8>> {
    [folder.to_vec()].into_iter().chain(site.roots.iter().cloned()).collect()
}

/// Integrations and plug-ins that make no pages, by a part of their names.
const HARMLESS: &[&str] = &[
    "starlight",
    "sitemap",
    "react",
    "preact",
    "svelte",
    "vue",
    "solid",
    "tailwind",
    "mdx",
    "partytown",
    "icon",
    "expressiveCode",
    "markdoc",
    "robots",
    "LinksValidator",
    "linksValidator",
    "sidebarTopics",
    "SidebarTopics",
    "ImageZoom",
    "imageZoom",
    "HeadingBadges",
    "devOutputLinks",
    "skills",
    "lunaria",
    "sitemapPlugin",
    "llmsTxt",
    "LlmsTxt",
];

/// Integrations that make pages leave addresses open.
fn integrations(site: &mut Site, path: &[u8], settings: &SettingValue, options: &SettingValue) {
    let file = display_path(path);
    let is_harmless = |name: &&str| HARMLESS.iter().any(|harmless| name.contains(harmless)) && !name.contains("Blog");
    let is_known = |names: &SettingValue| {
        names.items().iter().all(|item| matches!(item, SettingValue::Call(..) | SettingValue::Text(_)))
            && names.names().iter().all(&is_harmless)
    };
    let plugins = options.get("plugins");
    if options == &SettingValue::Computed
        || plugins == &SettingValue::Computed
        || !is_known(plugins)
        || !is_known(settings.get("integrations"))
    {
        let why = format!("{file} has integrations or plug-ins that may make pages");
        site.leave_open(Forms::ADDRESSES, why, TELL);
    }
}

/// `locales` of the options; where they are computed, the folders that are named as languages are.
fn languages(site: &mut Site, tree: &Tree, options: &SettingValue) {
    let locales = options.get("locales");
    let names: Vec<Vec<u8>> = match locales {
        SettingValue::Table(entries) => entries
            .iter()
            .map(|(name, _)| name.as_bytes().to_vec())
            .filter(|name| name != b"root" && name != b"...")
            .collect(),
        SettingValue::Null => Vec::new(),
        _ => tree
            .children(&site.folder)
            .map(|(_, entry)| file_name(&entry.path).to_vec())
            .filter(|name| is_language(name))
            .collect(),
    };
    site.locales = names;
    site.default_locale =
        options.get("defaultLocale").text().filter(|name| *name != "root").map(|name| name.as_bytes().to_vec());
    if site.default_locale.is_none() && locales.is_computed() {
        site.default_locale = Some(b"en".to_vec());
    }
}

/// `de`, `pt-br`, `zh-CN`.
fn is_language(name: &[u8]) -> bool {
    let (language, region) = match memchr::memchr(b'-', name) {
        Some(at) => (&name[..at], &name[at + 1..]),
        None => (name, b"xx".as_slice()),
    };
    matches!(language.len(), 2 | 3)
        && matches!(region.len(), 2..=4)
        && name.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'-')
}

/// `src/pages`: each file is an address, one with brackets makes any below its folder.
fn pages(site: &mut Site, tree: &Tree, folder: &[u8]) {
    let pages = join(folder, b"src/pages");
    for (_, entry) in tree.below(&pages) {
        if let Some(at) = memchr::memchr(b'[', &entry.path) {
            let fixed = entry.path[..at].strip_prefix(pages.as_slice()).unwrap_or_default();
            let fixed = parent(&[fixed, b"x"].concat()).to_vec();
            let made = fixed.strip_prefix(b"/").unwrap_or(&fixed).to_vec();
            site.made.push(made);
        }
    }
    site.routes.push(Route {
        folder: pages,
        prefix: Vec::new(),
        addresses: crate::audit::site::addresses::by_path,
        endings: &["astro", "html", "js", "ts"],
    });
}

/// A document: each part of its path as github-slugger writes it, or `slug` of the front matter.
fn document(source: &Source<'_>, sink: &mut Vec<Vec<u8>>) {
    if let Some(slug) = source.text(|document| document.front_matter.slug) {
        sink.push(slug.trim_matches('/').as_bytes().to_vec());
    } else {
        sink.push(slugged(source.path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_languages() {
        for name in ["de", "pt-br", "zh-CN", "fil"] {
            assert!(is_language(name.as_bytes()), "{name}");
        }
        for name in ["guides", "reference", "a", "en_US"] {
            assert!(!is_language(name.as_bytes()), "{name}");
        }
    }
}
