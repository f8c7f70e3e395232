//! Jekyll: `_config.yml` has base, collections and permalinks; pages are served by their path or by `permalink` of their front matter.

use super::Mark::File;
use super::{Generator, NOTHING, because, has, settings_of};
use crate::audit::site::addresses::{Source, urlized};
use crate::audit::site::open::{Form, Forms};
use crate::audit::site::settings::Value;
use crate::audit::site::{Addresses, Links, Model, Route, Rules, Site};
use crate::audit::walk::Tree;
use crate::text::path::{display_path, file_name, join};

static MODEL: Model = Model {
    name: "Jekyll",
    rules: Rules {
        attribute_lists: true,
        loose_anchors: true,
        composed_marks: &["{% include", "{% for", "{{"],
        ..Rules::SITE
    },
    links: Links {
        endings: &[".md", ".html"],
        html_is_markdown: true,
        pages_are_folders: true,
        addresses: Addresses::Loose,
        made: &["feed.xml", "sitemap.xml", "404.html", "robots.txt", "atom.xml"],
        lists_folders: true,
        ..Links::SITE
    },
};

pub(super) static JEKYLL: Generator = Generator {
    name: "Jekyll",
    word: Some(("jekyll", "Jekyll, GitHub Pages")),
    model: &MODEL,
    marks: &[File("_config.yml"), File("_config.yaml")],
    read,
    complete: Some(complete),
};

/// Plug-ins that make no pages but those that every site has.
const HARMLESS: &[&str] = &[
    "jekyll-feed",
    "jekyll-sitemap",
    "jekyll-seo-tag",
    "jekyll-relative-links",
    "jekyll-redirect-from",
    "jemoji",
    "jekyll-mentions",
    "jekyll-optional-front-matter",
    "jekyll-readme-index",
    "jekyll-titles-from-headings",
    "jekyll-avatar",
    "jekyll-default-layout",
    "jekyll-include-cache",
    "jekyll-remote-theme",
    "jekyll-github-metadata",
    "jekyll-commonmark-ghpages",
    "jekyll-coffeescript",
    "jekyll-gist",
    "jekyll-target-blank",
    "jekyll-last-modified-at",
    "jekyll-spaceship",
    "jekyll-toc",
    "github-pages",
    "webrick",
];

fn complete(site: &mut Site) {
    site.content = vec![site.folder.clone()];
    site.project = vec![site.folder.clone()];
    site.routes = vec![Route { folder: site.folder.clone(), prefix: Vec::new(), addresses: page, endings: &["html"] }];
}

fn read(tree: &Tree, path: &[u8], folder: &[u8]) -> Vec<Site> {
    if !is_one(tree, folder) {
        return Vec::new();
    }
    let mut site = because(&MODEL, folder.to_vec(), path);
    let settings = settings_of(tree, path, &mut site);
    if let Some(source) = super::text(&mut site, path, &settings, "source") {
        site.folder = super::normal(folder, &source);
        site.roots = vec![site.folder.clone()];
    }
    complete(&mut site);
    site.base = super::base(settings.get("baseurl").text().unwrap_or_default());
    let file = display_path(path);
    collections(&mut site, &settings);
    let plugins = settings.get("plugins").names().into_iter().chain(settings.get("gems").names());
    let unknown = plugins.into_iter().find(|name| !HARMLESS.contains(name)).map(|name| format!("the plugin {name}"));
    let own = || has(tree, folder, "_plugins").then(|| "plug-ins of its own".to_owned());
    let theme =
        || ["theme", "remote_theme"].iter().find(|name| settings.get(name).is_set()).map(|name| format!("a {name}"));
    if let Some(what) = unknown.or_else(own).or_else(theme) {
        let why = format!("{file} names {what}, which may make pages and files");
        site.leave_open(Forms::ADDRESSES, why, NOTHING);
    }
    let is_default_permalink =
        settings.get("defaults").items().iter().any(|scope| scope.at(&["values", "permalink"]).is_set());
    if is_default_permalink || settings.get("permalink").text().is_some_and(|style| style.contains(':')) {
        let why = format!("{file} sets permalinks, which change addresses");
        site.leave_open(Forms::ADDRESSES, why, NOTHING);
    }
    site.leave_open(Forms::new(&[Form::Reference]), "Liquid may define references".to_owned(), NOTHING);
    site.leave_open(
        Forms::new(&[Form::Anchor]),
        "how kramdown names headings is known but for letters and digits".to_owned(),
        NOTHING,
    );
    site.addresses = Addresses::Exact;
    vec![site]
}

/// At the root, the file alone is how a repository takes a theme for its README.
fn is_one(tree: &Tree, folder: &[u8]) -> bool {
    if has(tree, folder, "_toc.yml") {
        return false;
    }
    let parts = ["_layouts", "_includes", "_posts", "_data", "_sass", "_docs", "_pages", "Gemfile", "_drafts"];
    !folder.is_empty() || parts.iter().any(|part| has(tree, folder, part))
}

/// Collections with `output`: `_NAME` beside the pages, at `/NAME/` or at what `permalink` says.
fn collections(site: &mut Site, settings: &Value) {
    let folder = join(&site.folder, settings.get("collections_dir").text().unwrap_or_default().as_bytes());
    for (name, options) in settings.get("collections").entries() {
        let source = join(&folder, format!("_{name}").as_bytes());
        let prefix = match options.get("permalink").text() {
            None => Some(name.clone()),
            Some(pattern) => {
                let fixed = pattern.replace(":collection", name);
                let fixed = fixed.trim_matches('/').to_owned();
                let rest = [":path", ":name", ":title", ":path/", ":path:output_ext", ":name:output_ext"];
                rest.iter()
                    .find_map(|rest| fixed.strip_suffix(rest).map(|prefix| prefix.trim_end_matches('/').to_owned()))
            }
        };
        match prefix {
            Some(prefix) => {
                let route = Route { folder: source, prefix: prefix.into_bytes(), addresses: page, endings: &["html"] };
                site.routes.push(route);
            }
            None => {
                let why = format!("the permalinks of the collection {name} are a pattern");
                site.leave_open(Forms::ADDRESSES, why, NOTHING);
            }
        }
    }
    site.routes.push(Route {
        folder: join(&folder, b"_posts"),
        prefix: Vec::new(),
        addresses: post,
        endings: &["html"],
    });
}

/// A page by its path or by `permalink`.
fn page(source: &Source<'_>, sink: &mut Vec<Vec<u8>>) {
    if let Some(permalink) = source.text(|document| document.front_matter.address) {
        sink.push(permalink.trim_matches('/').as_bytes().to_vec());
    }
    let is_hidden = source.path.split(|byte| *byte == b'/').any(|part| part.starts_with(b"_"));
    if is_hidden {
        return;
    }
    sink.push(source.path.to_vec());
    let slug = urlized(source.path);
    if *slug != *source.path {
        sink.push(slug.into_owned());
    }
    if source.name().eq_ignore_ascii_case(b"readme") {
        sink.push(source.folder().to_vec());
    }
}

/// `2024-03-05-hello` is `/2024/03/05/hello`, below its categories.
fn post(source: &Source<'_>, sink: &mut Vec<Vec<u8>>) {
    if let Some(permalink) = source.text(|document| document.front_matter.address) {
        sink.push(permalink.trim_matches('/').as_bytes().to_vec());
    }
    let name = file_name(source.path);
    if let (Some(date), Some(title)) = (name.get(..10), name.get(11..)) {
        let date: Vec<u8> = date.iter().map(|byte| if *byte == b'-' { b'/' } else { *byte }).collect();
        sink.push(join(&date, title));
        sink.push(join(source.folder(), &join(&date, title)));
    }
}
