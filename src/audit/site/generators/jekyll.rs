//! Jekyll: `_config.yml` has base, collections and permalinks; pages are served by their path or by `permalink` of their front matter.

use super::Mark::File;
use super::{Generator, NOTHING, because, has, settings_of};
use crate::audit::document::{Construct as C, Document, Syntax};
use crate::audit::site::addresses::{Source, urlized};
use crate::audit::site::excluded;
use crate::audit::site::open::{Form, Forms};
use crate::audit::site::output::{Addressing, Href, LinkPath, Outlet, Output, Part};
use crate::audit::site::settings::{self, SettingValue};
use crate::audit::site::{Addresses, Links, Model, Route, Site};
use crate::audit::walk::{Kind, Tree, is_markdown};
use crate::markdown::slug::Dialect;
use crate::text::path::{display_path, file_name, join, normalise, parent};

const SYNTAX: Syntax = Syntax {
    composed_marks: &["{% include", "{% for", "{{"],
    ..Syntax::new(Dialect::Kramdown).with(&[
        C::NodeText,
        C::AttributeLists,
        C::FootnoteIds,
        C::Liquid,
        C::DefinitionLists,
        C::NamelessHtml,
        C::RawHtml,
        C::SmartPunctuation,
    ])
};

static MODEL: Model = Model {
    name: "Jekyll",
    syntax: SYNTAX,
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

/// So many pages in HTML are looked into; a tree with more holds what a build has made.
const MOST_PAGES: usize = 2_000;

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
    let collections = collections(&mut site, &settings);
    html_permalinks(&mut site, tree);
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
    if is_default_permalink {
        let why = format!("{file} sets permalinks, which change addresses");
        site.leave_open(Forms::ADDRESSES, why, NOTHING);
    }
    site.leave_open(Forms::new(&[Form::Reference]), "Liquid may define references".to_owned(), NOTHING);
    if let Some(setting) = names_otherwise(&settings) {
        let why = format!("{file} sets {setting}, which changes anchors");
        site.leave_open(Forms::new(&[Form::Anchor]), why, NOTHING);
    }
    site.addresses = Addresses::Exact;
    site.for_host = for_host(tree, &site.folder);
    let excluded = settings.get("exclude").items().iter().filter_map(SettingValue::text);
    let excluded: Vec<&str> = excluded.map(|path| path.trim_matches('/')).filter(|path| !path.is_empty()).collect();
    let folder_of_pages = site.folder.clone();
    excluded::by_paths(&mut site, tree, path, &folder_of_pages, &excluded);
    if !is_default_permalink {
        publish(&mut site, tree, folder, &settings, &collections);
    }
    vec![site]
}

/// A README without front matter is no page where another document is the folder's.
fn for_host(tree: &Tree, folder: &[u8]) -> Vec<Vec<u8>> {
    let readme = join(folder, b"README.md");
    let has_index = ["index.md", "index.html", "index.markdown"].iter().any(|name| has(tree, folder, name));
    let is_page = || settings::text(tree, &readme).is_ok_and(|text| text.starts_with("---"));
    if has_index && tree.find(&readme).is_some() && !is_page() { vec![readme] } else { Vec::new() }
}

/// Returns whether pages are folders by default; nothing where that is computed.
fn are_folders(settings: &SettingValue) -> Option<bool> {
    match settings.get("permalink") {
        SettingValue::Null => Some(false),
        SettingValue::Text(pattern) => Some(pattern == "pretty" || pattern.ends_with('/')),
        _ => None,
    }
}

/// Notes what the build publishes.
fn publish(site: &mut Site, tree: &Tree, folder: &[u8], settings: &SettingValue, collections: &[Collection]) {
    let Some(directories) = are_folders(settings) else { return };
    let gemfile = [folder, b""].into_iter().map(|folder| join(folder, b"Gemfile")).find_map(|path| {
        tree.find(&path)?;
        settings::text(tree, &path).ok()
    });
    // GitHub builds a site without a Gemfile, and its plug-ins take the paths of documents.
    let is_of_github = gemfile.is_none_or(|text| text.contains("github-pages") || text.contains("gemspec"));
    let plugins = settings.get("plugins");
    let has_plugin = [plugins, settings.get("gems")]
        .iter()
        .any(|plugins| plugins.is_computed() || plugins.names().iter().any(|name| !is_plain(name)));
    let addressing = Addressing { directories, documents: is_of_github || has_plugin, ..Addressing::default() };
    let mut outlets = vec![Outlet::exact(site.folder.clone(), files)];
    for route in site.routes.iter().filter(|route| route.folder != site.folder) {
        let by_path = collections.iter().find(|collection| collection.folder == route.folder);
        let files = match by_path {
            Some(Collection { directories: true, .. }) => files_of_folders,
            Some(_) => files_by_path,
            None if file_name(&route.folder) == b"_posts" => files_of_post,
            None => files_of_collection,
        };
        let (folder, prefix) = (route.folder.clone(), route.prefix.clone());
        outlets.push(Outlet { folder, prefix, is_exact: by_path.is_some(), files });
    }
    site.output = Some(Output { outlets, href, addressing });
}

/// Plug-ins that leave links and pages as they are.
fn is_plain(name: &str) -> bool {
    const CHANGING: &[&str] = &[
        "jekyll-relative-links",
        "jekyll-optional-front-matter",
        "jekyll-readme-index",
        "jekyll-commonmark-ghpages",
        "jekyll-spaceship",
        "github-pages",
    ];
    HARMLESS.contains(&name) && !CHANGING.contains(&name)
}

/// A link is left as it is. `jekyll-relative-links` takes the path of a document.
fn href(link: &LinkPath<'_>) -> Href {
    let LinkPath { tree, site, own, path, .. } = *link;
    let left = Href::Address(path.to_vec());
    if !link.addressing.documents || !is_markdown(path) {
        return left;
    }
    let folder = if path.starts_with(b"/") { &site.folder } else { parent(own) };
    normalise(folder, path).and_then(|file| tree.find(&file)).map_or(left, Href::Entry)
}

/// A document with front matter is a page at its path or at its permalink; without, it is copied. Folders with `_` in front are not
/// published.
fn files(part: &Part<'_>, sink: &mut Vec<Vec<u8>>) {
    let is_hidden = |name: &[u8]| matches!(name.first(), Some(b'_' | b'.' | b'#'));
    if part.is_folder || part.path.split(|byte| *byte == b'/').any(is_hidden) {
        return;
    }
    let (stem, ending) = part.split();
    let Some(document) = part.document else {
        sink.extend(part.file());
        if ending == b"html" {
            sink.push(join(stem, b"index.html"));
        }
        return;
    };
    let source = Source { path: stem, document: Some(document) };
    if let Some(permalink) = source.text(|document| document.front_matter.address) {
        sink.extend((!permalink.contains(':')).then(|| at_permalink(permalink)));
    } else if document.front_matter.is_there || part.addressing.documents {
        let is_index = file_name(stem) == b"index";
        sink.push(match part.addressing.directories && !is_index {
            true => join(stem, b"index.html"),
            false => [stem, b".html"].concat(),
        });
        if part.addressing.documents && file_name(stem).eq_ignore_ascii_case(b"readme") {
            sink.push(join(parent(stem), b"index.html"));
        }
    }
    if !document.front_matter.is_there {
        sink.extend(part.file());
    }
    redirected_from(document, sink);
}

/// The file of a permalink.
fn at_permalink(permalink: &str) -> Vec<u8> {
    let path = permalink.trim_start_matches('/');
    match path.strip_suffix('/') {
        Some(folder) => join(folder.as_bytes(), b"index.html"),
        None if path.is_empty() => b"index.html".to_vec(),
        None if path.contains('.') => path.as_bytes().to_vec(),
        None => format!("{path}.html").into_bytes(),
    }
}

/// The path of a file below the root of the site, whatever the prefix of its folder.
fn from_root(path: &[u8]) -> Vec<u8> {
    [b"/", path].concat()
}

/// Adds the old addresses of a page.
fn redirected_from(document: &Document, sink: &mut Vec<Vec<u8>>) {
    let front_matter = &document.front_matter;
    let old = front_matter.addresses.iter().filter(|old| front_matter.address != Some(**old));
    sink.extend(old.map(|old| from_root(&at_permalink(document.text(*old)))));
}

/// A collection whose pages are at their paths.
struct Collection {
    folder: Vec<u8>,
    /// `x.md` is `x/index.html`.
    directories: bool,
}

/// A page of a collection is a folder.
fn files_of_folders(part: &Part<'_>, sink: &mut Vec<Vec<u8>>) {
    at_path(part, b"/index.html", sink);
}

/// A page of a collection is a file.
fn files_by_path(part: &Part<'_>, sink: &mut Vec<Vec<u8>>) {
    at_path(part, b".html", sink);
}

fn at_path(part: &Part<'_>, ending: &[u8], sink: &mut Vec<Vec<u8>>) {
    if part.is_folder {
        return;
    }
    let page = [part.split().0, ending].concat();
    let Some(document) = part.document else {
        // Pages in HTML are not read: some have front matter.
        sink.extend(part.file());
        sink.push(page);
        return;
    };
    if !document.front_matter.is_there {
        sink.extend(part.file());
        return;
    }
    let permalink = document.front_matter.address.map(|address| document.text(address));
    match permalink {
        Some(permalink) if permalink.contains(':') => {}
        Some(permalink) => sink.push(from_root(&at_permalink(permalink))),
        None => sink.push(page),
    }
    redirected_from(document, sink);
}

/// A page of a collection has its address by path, with or without an ending.
fn files_of_collection(part: &Part<'_>, sink: &mut Vec<Vec<u8>>) {
    at_addresses(part, page, sink);
}

/// A post has its address by date.
fn files_of_post(part: &Part<'_>, sink: &mut Vec<Vec<u8>>) {
    at_addresses(part, post, sink);
}

fn at_addresses(part: &Part<'_>, addresses: fn(&Source<'_>, &mut Vec<Vec<u8>>), sink: &mut Vec<Vec<u8>>) {
    if part.is_folder {
        return;
    }
    let Some(document) = part.document else {
        sink.extend(part.file());
        return;
    };
    let mut found = Vec::new();
    addresses(&Source { path: part.split().0, document: Some(document) }, &mut found);
    for address in found {
        sink.push(join(&address, b"index.html"));
        sink.push([&address, b".html".as_slice()].concat());
    }
    redirected_from(document, sink);
}

/// The setting by which headings are not named as kramdown names them for GitHub's Markdown.
fn names_otherwise(settings: &SettingValue) -> Option<&'static str> {
    let kramdown = settings.get("kramdown");
    let is_other = |value: &SettingValue, usual: &str| value.is_set() && value.text() != Some(usual);
    match () {
        () if is_other(settings.get("markdown"), "kramdown") => Some("markdown"),
        () if is_other(kramdown.get("input"), "GFM") => Some("kramdown.input"),
        () => ["auto_ids", "auto_id_prefix", "transliterated_header_ids", "parse_block_html", "header_offset"]
            .into_iter()
            .find(|name| kramdown.get(name).is_set())
            .map(|_| "kramdown"),
    }
}

/// At the root, the file alone is how a repository takes a theme for its README.
fn is_one(tree: &Tree, folder: &[u8]) -> bool {
    // Jupyter Book and Hexo have a file of the same name.
    if has(tree, folder, "_toc.yml") || has(tree, folder, "scaffolds") && has(tree, folder, "source") {
        return false;
    }
    let parts = ["_layouts", "_includes", "_posts", "_data", "_sass", "_docs", "_pages", "Gemfile", "_drafts"];
    !folder.is_empty() || parts.iter().any(|part| has(tree, folder, part))
}

/// Collections with `output`: `_NAME` beside the pages, at `/NAME/` or at what `permalink` says. Returns those that are published by path.
fn collections(site: &mut Site, settings: &SettingValue) -> Vec<Collection> {
    let mut by_path = Vec::new();
    let folder = join(&site.folder, settings.get("collections_dir").text().unwrap_or_default().as_bytes());
    let mut posts = settings.get("permalink").text().unwrap_or("date").to_owned();
    for (name, options) in settings.get("collections").entries() {
        let pattern = options.get("permalink").text();
        if name == "posts" {
            posts = pattern.map_or(posts, str::to_owned);
            continue;
        }
        match prefix(pattern.unwrap_or("/:collection/:path"), name) {
            Some(prefix) => {
                let source = join(&folder, format!("_{name}").as_bytes());
                let default = are_folders(settings);
                let directories = pattern.map_or(default, |pattern| Some(pattern.ends_with('/')));
                let is_path = pattern.is_none_or(|pattern| pattern.contains(":path"));
                if let (Some(directories), true, SettingValue::Bool(true)) =
                    (directories, is_path, options.get("output"))
                {
                    by_path.push(Collection { folder: source.clone(), directories });
                }
                let route = Route { folder: source, prefix, addresses: page, endings: &["html"] };
                site.routes.push(route);
            }
            None => {
                let why = format!("the permalinks of the collection {name} are a pattern");
                site.leave_open(Forms::ADDRESSES, why, NOTHING);
            }
        }
    }
    let Some(prefix) = prefix_of_posts(&posts) else {
        site.leave_open(Forms::ADDRESSES, "the permalinks of posts are a pattern".to_owned(), NOTHING);
        return by_path;
    };
    let route = Route { folder: join(&folder, b"_posts"), prefix, addresses: post, endings: &["html"] };
    site.routes.push(route);
    by_path
}

/// Returns the prefix of the path in the permalinks of a collection, or nothing for other permalinks.
fn prefix(pattern: &str, collection: &str) -> Option<Vec<u8>> {
    let fixed = pattern.replace(":collection", collection);
    let fixed = fixed.trim_matches('/').trim_end_matches(":output_ext").trim_matches('/');
    let prefix = [":path", ":name", ":title"].iter().find_map(|rest| fixed.strip_suffix(rest))?;
    (!prefix.contains(':')).then(|| prefix.trim_matches('/').as_bytes().to_vec())
}

/// Returns the prefix of the date in the permalinks of posts.
fn prefix_of_posts(pattern: &str) -> Option<Vec<u8>> {
    if matches!(pattern, "date" | "pretty" | "none") {
        return Some(Vec::new());
    }
    let fixed = pattern.trim_matches('/').trim_end_matches(":output_ext").trim_end_matches(".html").trim_matches('/');
    let prefix = fixed.strip_suffix(":year/:month/:day/:title")?.trim_matches('/');
    let prefix = prefix.strip_prefix(":categories").unwrap_or(prefix);
    (!prefix.contains(':')).then(|| prefix.trim_matches('/').as_bytes().to_vec())
}

/// Pages in HTML whose front matter has an address of their own: only Markdown is read otherwise.
fn html_permalinks(site: &mut Site, tree: &Tree) {
    let pages =
        tree.below(&site.folder).filter(|(_, entry)| entry.kind == Kind::File && entry.path.ends_with(b".html"));
    for (_, entry) in pages.take(MOST_PAGES) {
        let Ok(text) = settings::text(tree, &entry.path) else { continue };
        if !text.starts_with("---") {
            continue;
        }
        let permalink = text.lines().skip(1).take_while(|line| line.trim_end() != "---");
        if let Some(address) = permalink.filter_map(|line| line.strip_prefix("permalink:")).next() {
            site.redirects.add(address.trim().trim_matches(['"', '\'']));
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_front_of_a_permalink() {
        for (pattern, expected) in [
            ("/:collection/:path/", Some("docs")),
            ("/guide/:name:output_ext", Some("guide")),
            ("/:categories/:title/", None),
        ] {
            assert_eq!(prefix(pattern, "docs"), expected.map(|text| text.as_bytes().to_vec()), "{pattern}");
        }
        for (pattern, expected) in
            [("date", Some("")), ("/news/:year/:month/:day/:title/", Some("news")), ("/:year/:title/", None)]
        {
            assert_eq!(prefix_of_posts(pattern), expected.map(|text| text.as_bytes().to_vec()), "{pattern}");
        }
    }
}
