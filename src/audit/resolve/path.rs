//! Which entry of the tree a path means.

use super::Target;
use crate::audit::corpus::Corpus;
use crate::audit::document::LinkKind;
use crate::audit::profile::{Cause, Elsewhere, Flavor, Site, is_below};
use crate::audit::walk::{Kind, Tree, is_markdown};
use crate::text::path::{file_name, join, normalise, normalise_into, parent};

/// Pages beside a repository's files on its host: `../../issues` in a README is one of them.
pub const GITHUB_SECTIONS: &[&str] = &[
    "actions",
    "activity",
    "blame",
    "blob",
    "branches",
    "commit",
    "commits",
    "community",
    "compare",
    "contribute",
    "contributors",
    "deployments",
    "discussions",
    "edit",
    "forks",
    "graphs",
    "issues",
    "labels",
    "milestone",
    "milestones",
    "network",
    "new",
    "packages",
    "pkgs",
    "projects",
    "pull",
    "pulls",
    "pulse",
    "raw",
    "releases",
    "search",
    "security",
    "settings",
    "stargazers",
    "tags",
    "tree",
    "watchers",
    "wiki",
];

/// What `path`, decoded, means on a page. `buffer` is only memory to work in.
pub(super) fn locate(
    corpus: &Corpus,
    page: u32,
    site: &Site,
    path: &[u8],
    kind: LinkKind,
    buffer: &mut Vec<u8>,
) -> Target {
    let tree = &corpus.tree;
    let own = corpus.path(page);
    // Nearly all are written from their page's folder and lead to what is there, and cost no memory of their own.
    if is_from_folder(path, site)
        && (kind != LinkKind::Include || site.content.is_empty())
        && normalise_into(buffer, parent(own), path)
        && let Some(entry) = variants(tree, site, buffer)
    {
        return reached(corpus, site, entry);
    }
    let candidates = candidates(own, site, path, kind);
    let entry = candidates.iter().flatten().find_map(|candidate| variants(tree, site, candidate));
    if let Some(entry) = entry {
        return reached(corpus, site, entry);
    }
    if candidates.iter().flatten().any(|candidate| is_ours(candidate, site)) && site.flavor != Flavor::Github {
        return Target::Elsewhere;
    }
    if redirected(site, path, candidates.first()) || is_page_of_host(own, path, candidates.first()) {
        return Target::Elsewhere;
    }
    if is_published(corpus, path, candidates.first().and_then(Option::as_deref))
        || may_be_elsewhere(corpus, site, path, candidates.first(), kind)
    {
        return Target::Unjudged(Cause::Published);
    }
    if addressed(corpus, site, path) {
        return Target::Unjudged(Cause::Address);
    }
    let Some(Some(first)) = candidates.first() else { return Target::Outside };
    // Where names ignore case, the disk would say that it exists.
    match folded(tree, site, first) {
        Some(entry) => Target::Case(entry),
        None if site.flavor == Flavor::Github && site.known && is_unseen(tree, site, first) => Target::Elsewhere,
        None if is_made(tree, site, &candidates) => Target::Unjudged(Cause::Ignored),
        None => Target::Missing,
    }
}

/// Whether a path is to be taken from its page's folder.
fn is_from_folder(path: &[u8], site: &Site) -> bool {
    !(path.starts_with(b"/") || path.starts_with(b"~/") && site.flavor == Flavor::Docfx)
}

/// Where a path may lead, the likeliest first; `None` is above the root.
fn candidates(own: &[u8], site: &Site, path: &[u8], kind: LinkKind) -> Vec<Option<Vec<u8>>> {
    if let Some(rest) = path.strip_prefix(b"~/").filter(|_| site.flavor == Flavor::Docfx) {
        return vec![normalise(&site.folder, rest)];
    }
    if path.starts_with(b"/") {
        return site.roots.iter().map(|root| normalise(root, path)).collect();
    }
    let folder = parent(own);
    let content = || site.content.iter().map(|content| normalise(content, path));
    if site.flavor == Flavor::Mkdocs && kind == LinkKind::Include && !site.content.is_empty() {
        return content().collect();
    }
    let mut candidates = vec![normalise(folder, path)];
    // Docusaurus takes the path of a document from the document's folder, then from the content's, then from the site's.
    if site.flavor == Flavor::Docusaurus && is_markdown(path) {
        candidates.extend(content());
    }
    if site.rules.pages_are_folders {
        let name = file_name(own);
        let stem = &name[..memchr::memrchr(b'.', name).unwrap_or(name.len())];
        candidates.push(normalise(&join(folder, stem), path));
    }
    candidates
}

/// Whether a path ending in `.html` is a page of some site of the tree: sources that are copied into the published site, such as
/// manual pages and redirections, link as it does. Which site it will be is not known, so the fragment is not judged. One that climbs to
/// a folder which is not `here` either leads to another book that is published beside those of the tree.
fn is_published(corpus: &Corpus, path: &[u8], here: Option<&[u8]>) -> bool {
    if !path.ends_with(b".html") {
        return false;
    }
    let mut rest = path;
    while let Some(shorter) = rest.strip_prefix(b"../").or_else(|| rest.strip_prefix(b"./")) {
        rest = shorter;
    }
    let climbs = path.starts_with(b"../");
    let is_unknown = here.is_none_or(|here| corpus.tree.find(parent(here)).is_none());
    corpus.profiles.sites().iter().filter(|site| site.rules.html_is_markdown).any(|site| {
        let path = normalise(&site.folder, rest);
        site.redirects(rest)
            || path.is_some_and(|path| variants(&corpus.tree, site, &path).is_some())
            || climbs && is_unknown && site.rules.leaving == Elsewhere::Site
    })
}

/// The entry for a path, or for what the renderer makes of it.
fn variants(tree: &Tree, site: &Site, path: &[u8]) -> Option<u32> {
    let rules = site.rules;
    if let Some(entry) = tree.find(path) {
        return Some(entry);
    }
    for ending in rules.endings {
        if let Some(entry) = tree.find(&[path, ending.as_bytes()].concat()) {
            return Some(entry);
        }
    }
    // Mintlify serves the source of `x.mdx` as `x.md`, Docusaurus takes one for the other.
    let bare = path.strip_suffix(b".md").filter(|_| rules.addresses);
    if let Some(entry) = bare.and_then(|bare| tree.find(&[bare, b".mdx"].concat())) {
        return Some(entry);
    }
    // mdBook makes index.html of README.md, and takes a link to index.md for one to it.
    let is_book = site.flavor == Flavor::Mdbook && file_name(path) == b"index.md";
    if let Some(entry) = is_book.then(|| tree.find(&join(parent(path), b"README.md"))).flatten() {
        return Some(entry);
    }
    let stem = path.strip_suffix(b".html").filter(|_| rules.html_is_markdown)?;
    if let Some(folder) = stem.strip_suffix(b"index").filter(|folder| folder.is_empty() || folder.ends_with(b"/")) {
        let folder = folder.strip_suffix(b"/").unwrap_or(folder);
        if let Some(entry) = rules.index.iter().find_map(|name| tree.find(&join(folder, name.as_bytes()))) {
            return Some(entry);
        }
    }
    // mdBook makes print.html, toc.html and 404.html itself.
    tree.find(&[stem, b".md"].concat()).or_else(|| tree.find(&[stem, b".mdx"].concat()))
}

/// What is reached by arriving at an entry.
pub(super) fn reached(corpus: &Corpus, site: &Site, entry: u32) -> Target {
    let found = &corpus.tree.entries()[entry as usize];
    match found.kind {
        Kind::Document => corpus.page_of(entry).map_or(Target::Entry(entry), Target::Page),
        Kind::Folder => match corpus.index_of(&found.path, site) {
            Some(page) => Target::FolderPage { folder: entry, page },
            None => Target::Entry(entry),
        },
        Kind::File | Kind::Alias(_) | Kind::Outside => Target::Entry(entry),
    }
}

/// Whether the disk has what ignore files hide.
fn is_unseen(tree: &Tree, site: &Site, path: &[u8]) -> bool {
    let source = path.strip_suffix(b".html").filter(|_| site.rules.html_is_markdown);
    tree.exists_unseen(path)
        || source.is_some_and(|stem| tree.exists_unseen(&[stem, b".md"].concat()))
        || site.rules.endings.iter().any(|ending| tree.exists_unseen(&[path, ending.as_bytes()].concat()))
}

fn folded(tree: &Tree, site: &Site, path: &[u8]) -> Option<u32> {
    let with = |ending: &str| tree.find_folded(&[path, ending.as_bytes()].concat()).next();
    with("").or_else(|| site.rules.endings.iter().find_map(|ending| with(ending)))
}

/// Whether an old address leads on to a new one.
fn redirected(site: &Site, path: &[u8], first: Option<&Option<Vec<u8>>>) -> bool {
    if site.redirects.is_empty() {
        return false;
    }
    if path.starts_with(b"/") {
        return site.redirects(path);
    }
    let Some(Some(first)) = first else { return false };
    let from_root = first.strip_prefix(&*site.folder).unwrap_or(first);
    site.redirects(from_root.strip_prefix(b"/").unwrap_or(from_root))
}

/// Whether the repository's host serves a page there that is no file.
fn is_page_of_host(own: &[u8], path: &[u8], first: Option<&Option<Vec<u8>>>) -> bool {
    match path.starts_with(b"/") {
        true => is_template_of_host(own),
        false => first == Some(&None) && leaves_to_section(own, path),
    }
}

/// Whether what the tree does not have may be a page that is made elsewhere.
fn may_be_elsewhere(
    corpus: &Corpus,
    site: &Site,
    path: &[u8],
    first: Option<&Option<Vec<u8>>>,
    kind: LinkKind,
) -> bool {
    let rules = site.rules;
    if path.starts_with(b"/") {
        return rules.absolute == Elsewhere::Site;
    }
    let markdown = is_markdown(path);
    if kind == LinkKind::Html && rules.html == Elsewhere::Site && !markdown {
        return true;
    }
    match first {
        Some(None) => rules.leaving == Elsewhere::Site && !markdown,
        // Another book beside this one, unless the folder is here.
        Some(Some(first)) => {
            !is_below(first, &site.folder)
                && rules.leaving == Elsewhere::Site
                && (!markdown || corpus.tree.find(parent(first)).is_none())
        }
        None => false,
    }
}

/// Whether a build makes it: git ignores the file that it would be made of. Whether it lies on this disk does not matter, so that a fresh
/// clone has the same report.
fn is_made(tree: &Tree, site: &Site, candidates: &[Option<Vec<u8>>]) -> bool {
    if site.flavor == Flavor::Github && site.known {
        return false;
    }
    candidates.iter().flatten().any(|path| {
        let source = path.strip_suffix(b".html").filter(|_| site.rules.html_is_markdown);
        tree.is_ignored(path)
            || source.is_some_and(|stem| tree.is_ignored(&[stem, b".md"].concat()))
            || site.rules.endings.iter().any(|ending| tree.is_ignored(&[path, ending.as_bytes()].concat()))
    })
}

/// Issue and pull-request templates become part of a page of the host, where `/` is the host's.
fn is_template_of_host(own: &[u8]) -> bool {
    let upper = own.to_ascii_uppercase();
    memchr::memmem::find(&upper, b"PULL_REQUEST_TEMPLATE").is_some()
        || memchr::memmem::find(&upper, b"ISSUE_TEMPLATE").is_some()
}

/// Whether a path climbs from its file's page `/OWNER/REPOSITORY/blob/BRANCH/…` to another section of the repository.
fn leaves_to_section(own: &[u8], path: &[u8]) -> bool {
    let depth = own.iter().filter(|byte| **byte == b'/').count();
    let parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".").collect();
    let climbs = parts.iter().take_while(|part| **part == b"..").count();
    let section = parts.get(climbs).and_then(|part| std::str::from_utf8(part).ok());
    climbs == depth + 2 && section.is_some_and(|section| GITHUB_SECTIONS.contains(&section))
}

/// Whether a page of the site says that this is its address.
fn addressed(corpus: &Corpus, site: &Site, path: &[u8]) -> bool {
    site.rules.addresses && corpus.has_address(path)
}

/// What a generator makes by itself.
fn is_ours(path: &[u8], site: &Site) -> bool {
    let name = file_name(path);
    match site.flavor {
        Flavor::Mdbook => matches!(name, b"print.html" | b"toc.html" | b"404.html" | b"index.html"),
        Flavor::Hugo => matches!(name, b"index.xml" | b"tags" | b"categories" | b"sitemap.xml"),
        Flavor::Docusaurus => matches!(name, b"rss.xml" | b"atom.xml" | b"tags" | b"archive" | b"search" | b"llms.txt"),
        Flavor::Mintlify => matches!(name, b"llms.txt" | b"llms-full.txt" | b"sitemap.xml" | b"mcp"),
        // Files of its themes.
        Flavor::Mkdocs => {
            path.ends_with(b"img/favicon.ico") || matches!(name, b"sitemap.xml" | b"404.html" | b"search.html")
        }
        Flavor::Github | Flavor::Docfx => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalised() {
        let of = |folder: &str, path: &str| {
            normalise(folder.as_bytes(), path.as_bytes()).map(|path| String::from_utf8(path).unwrap())
        };
        assert_eq!(of("a/b", "../c//./d.md"), Some("a/c/d.md".to_owned()));
        assert_eq!(of("a", ".."), Some(String::new()));
        assert_eq!(of("", "/x/"), Some("x".to_owned()));
        assert_eq!(of("a", "../.."), None);
    }

    #[test]
    fn sections_of_a_repository() {
        assert!(leaves_to_section(b"README.md", b"../../issues/new"));
        assert!(leaves_to_section(b"docs/a.md", b"../../../wiki"));
        assert!(!leaves_to_section(b"README.md", b"../issues"));
        assert!(!leaves_to_section(b"README.md", b"../../other/README.md"));
    }
}
