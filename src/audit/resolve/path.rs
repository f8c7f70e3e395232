//! Which entry of the tree a path means.

use super::served::{self, Served};
use super::{Target, address};
use crate::audit::corpus::Corpus;
use crate::audit::document::LinkKind;
use crate::audit::site::{Addresses, ByName, Cause, Elsewhere, Form, Site, below, is_below};
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

/// Returns the target of `path`, decoded, on a page. `buffer` is reused memory.
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
    let nowhere = match served::find(corpus, page, site, path, kind) {
        Served::Entry(entry) => return published(corpus, own, site, entry, kind),
        Served::Nowhere(addresses) => Some(addresses),
        Served::Unknown => None,
    };
    // Nearly all are written from their page's folder and lead to what is there, and cost no memory of their own.
    if nowhere.is_none()
        && is_from_folder(path, site)
        && (kind != LinkKind::Include || site.includes.is_empty())
        && normalise_into(buffer, parent(own), path)
        && let Some(entry) = variants(tree, site, buffer)
    {
        let target = published(corpus, own, site, entry, kind);
        // Where a draft is no page, the next place counts that a path may mean.
        if !(site.links.hides_drafts && matches!(target, Target::Unpublished(_))) {
            return target;
        }
    }
    let candidates = candidates(own, site, path, kind);
    let in_tree = |candidate: &Vec<u8>| match site.addresses {
        Addresses::Exact if path.starts_with(b"/") && !is_markdown(path) => file(tree, candidate),
        _ => variants(tree, site, candidate),
    };
    let mut found = candidates.iter().flatten().filter_map(in_tree);
    let mut by_address = || address::find(corpus, page, site, path, buffer);
    let misaddressed = match &nowhere {
        Some(_) => found.next().or_else(by_address).filter(|entry| is_meant(tree, path, *entry)),
        None => {
            let mut targets = found.map(|entry| published(corpus, own, site, entry, kind));
            if let Some(first) = targets.next() {
                let is_shown = |target: &Target| !matches!(target, Target::Unpublished(_));
                return match site.links.hides_drafts && !is_shown(&first) {
                    true => targets.find(is_shown).unwrap_or(first),
                    false => first,
                };
            }
            if let Some(entry) = by_address() {
                return published(corpus, own, site, entry, kind);
            }
            if let Some(entry) = by_name(tree, site, path) {
                return match site.links.by_name {
                    ByName::Perhaps => Target::Unjudged(Cause::Address),
                    _ => reached(corpus, site, entry),
                };
            }
            None
        }
    };
    if let Some(page) = corpus.label(page, path) {
        return Target::Page(page);
    }
    if Form::from_path(path) == Form::Bare && corpus.composes_labels(page) {
        return Target::Unjudged(Cause::Composed);
    }
    // `[[text|page]]` in one wiki is `[[page|text]]` in another.
    if kind == LinkKind::Wiki && site.links.by_name == ByName::Hyphenated {
        return Target::Unjudged(Cause::Address);
    }
    if candidates.iter().flatten().any(|candidate| is_made_by_generator(candidate, site)) {
        return Target::Elsewhere;
    }
    let served = nowhere.as_deref().unwrap_or_default();
    if redirected(site, path, candidates.first())
        || served.iter().any(|address| site.redirects.has(address))
        || is_page_of_host(corpus, own, path, candidates.first())
    {
        return Target::Elsewhere;
    }
    let may_be_elsewhere = || {
        is_published(corpus, path, candidates.first().and_then(Option::as_deref))
            || may_be_elsewhere(corpus, site, path, candidates.first(), kind)
    };
    if misaddressed.is_none() && may_be_elsewhere()
        || served.iter().any(|address| site.makes(address))
        || address::may_be(corpus, page, site, path)
    {
        return Target::Unjudged(Cause::Published);
    }
    if let Some(entry) = misaddressed {
        return Target::Misaddressed(entry);
    }
    if addressed(corpus, site, path) {
        return Target::Unjudged(Cause::Address);
    }
    let Some(Some(first)) = candidates.first() else { return Target::Outside };
    // Where names ignore case, the disk would say that it exists.
    match folded(tree, site, first) {
        Some(entry) => Target::Case(entry),
        None if site.links.is_host && is_unseen(tree, site, first) => Target::Elsewhere,
        None if is_made(tree, site, &candidates) => Target::Unjudged(Cause::Ignored),
        None => Target::Missing,
    }
}

/// Returns the target of an entry that a page names by path, or nothing where the site does not publish it.
fn published(corpus: &Corpus, own: &[u8], site: &Site, entry: u32, kind: LinkKind) -> Target {
    let target = reached(corpus, site, entry);
    match target {
        Target::Page(page) if is_hidden(corpus, own, site, page, kind) => Target::Unpublished(page),
        Target::Page(page)
            if site.published.is_some()
                && kind != LinkKind::Include
                && site.publishes(own)
                && !site.publishes(corpus.path(page)) =>
        {
            Target::Unpublished(page)
        }
        _ => target,
    }
}

/// Returns whether a page is a draft that another page of the site leads to, which is none.
fn is_hidden(corpus: &Corpus, own: &[u8], site: &Site, page: u32, kind: LinkKind) -> bool {
    let is_draft = |page: u32| corpus.pages[page as usize].document.front_matter.draft;
    site.links.hides_drafts
        && kind != LinkKind::Include
        && is_draft(page)
        && corpus.site(page).links.hides_drafts
        && corpus.tree.find(own).and_then(|entry| corpus.page_of(entry)).is_some_and(|own| !is_draft(own))
}

/// Returns whether an entry shows what a path means that is no address of the published site. A folder at the root of a host may be
/// another program's.
fn is_meant(tree: &Tree, path: &[u8], entry: u32) -> bool {
    !path.starts_with(b"/") || tree.entries()[entry as usize].kind != Kind::Folder
}

/// The entry of exactly this path, unless it is a folder.
fn file(tree: &Tree, path: &[u8]) -> Option<u32> {
    tree.find(path).filter(|entry| !is_folder(tree, *entry))
}

/// Returns whether a path is to be taken from its page's folder.
fn is_from_folder(path: &[u8], site: &Site) -> bool {
    !(path.starts_with(b"/") || site.links.tilde_is_site && path.starts_with(b"~/"))
}

/// Where a path may lead, the likeliest first; `None` is above the root.
fn candidates(own: &[u8], site: &Site, path: &[u8], kind: LinkKind) -> Vec<Option<Vec<u8>>> {
    if let Some(rest) = path.strip_prefix(b"~/").filter(|_| site.links.tilde_is_site) {
        return vec![normalise(&site.folder, rest)];
    }
    let content = || site.content.iter().filter(|content| is_below(own, content)).chain(&site.project);
    if path.starts_with(b"/") {
        let below = below(&path[1..], &site.base).filter(|_| !site.base.is_empty());
        let paths = || [Some(path), below].into_iter().flatten();
        let roots = site.roots.iter().flat_map(|root| paths().map(|path| normalise(root, path)));
        let mut candidates: Vec<Option<Vec<u8>>> = roots.collect();
        if is_markdown(path) {
            candidates.extend(content().map(|content| normalise(content, path)));
        }
        return candidates;
    }
    if kind == LinkKind::Include && !site.includes.is_empty() {
        return site.includes.iter().map(|folder| normalise(folder, path)).collect();
    }
    let folder = parent(own);
    let mut candidates = vec![normalise(folder, path)];
    let is_from_here = path.starts_with(b"./") || path.starts_with(b"../");
    if is_markdown(path) && !is_from_here {
        candidates.extend(content().map(|content| normalise(content, path)));
    } else if site.links.pages_are_folders && !is_markdown(path) {
        // What a browser makes of it on a page whose address ends in a slash; the path of a document is never meant so.
        let name = file_name(own);
        let stem = &name[..memchr::memrchr(b'.', name).unwrap_or(name.len())];
        candidates.push(normalise(&join(folder, stem), path));
    }
    if site.links.root_relative {
        candidates.push(normalise(&site.folder, path));
    }
    for (from, to) in &site.mirrors {
        if let Some(rest) = below(folder, from).filter(|_| is_below(own, from)) {
            candidates.push(normalise(&join(to, rest), path));
        }
    }
    candidates
}

/// The entry that a site finds by its name, wherever it lies.
fn by_name(tree: &Tree, site: &Site, path: &[u8]) -> Option<u32> {
    if site.links.by_name == ByName::No {
        return None;
    }
    let path = path.strip_prefix(b"/").unwrap_or(path);
    let name = file_name(path);
    let endings = || [""].into_iter().chain(site.links.endings.iter().copied());
    let find = |name: &[u8]| {
        let names = endings().map(|ending| [name, ending.as_bytes()].concat());
        names.into_iter().find_map(|name| {
            tree.find_name(&name).find(|entry| {
                let found = &tree.entries()[*entry as usize];
                found.kind != Kind::Folder && is_below(&found.path, &site.folder)
            })
        })
    };
    if name.is_empty() {
        return None;
    }
    let swapped =
        |from: u8, to: u8| -> Vec<u8> { name.iter().map(|byte| if *byte == from { to } else { *byte }).collect() };
    let hyphenated = site.links.by_name == ByName::Hyphenated;
    find(name)
        .or_else(|| hyphenated.then(|| find(&swapped(b' ', b'-')).or_else(|| find(&swapped(b'-', b' ')))).flatten())
}

/// Returns whether a path ending in `.html` is a page of some site of the tree: sources that are copied into the published site, such as
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
    corpus.sites.all().iter().filter(|site| site.links.html_is_markdown).any(|site| {
        let path = normalise(&site.folder, rest);
        site.redirects.has(rest)
            || path.is_some_and(|path| variants(&corpus.tree, site, &path).is_some())
            || climbs && is_unknown && site.links.leaving == Elsewhere::Site
    })
}

/// The entry for a path, or for what the renderer makes of it.
fn variants(tree: &Tree, site: &Site, path: &[u8]) -> Option<u32> {
    let rules = site.links;
    if let Some(entry) = tree.find(path).filter(|entry| rules.folders || !is_folder(tree, *entry)) {
        return Some(entry);
    }
    for ending in rules.endings {
        if let Some(entry) = tree.find(&[path, ending.as_bytes()].concat()) {
            return Some(entry);
        }
    }
    // Mintlify serves the source of `x.mdx` as `x.md`, Docusaurus takes one for the other.
    let bare = path.strip_suffix(b".md").filter(|_| rules.md_is_mdx);
    if let Some(entry) = bare.and_then(|bare| tree.find(&[bare, b".mdx"].concat())) {
        return Some(entry);
    }
    // mdBook makes index.html of README.md, and takes a link to index.md for one to it.
    let is_book = rules.readme_is_index && matches!(file_name(path), b"index.md" | b"index");
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

fn is_folder(tree: &Tree, entry: u32) -> bool {
    tree.entries()[entry as usize].kind == Kind::Folder
}

/// Returns the target of an entry.
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

/// Returns whether the disk has what ignore files hide.
fn is_unseen(tree: &Tree, site: &Site, path: &[u8]) -> bool {
    let source = path.strip_suffix(b".html").filter(|_| site.links.html_is_markdown);
    tree.exists_unseen(path)
        || source.is_some_and(|stem| tree.exists_unseen(&[stem, b".md"].concat()))
        || site.links.endings.iter().any(|ending| tree.exists_unseen(&[path, ending.as_bytes()].concat()))
}

fn folded(tree: &Tree, site: &Site, path: &[u8]) -> Option<u32> {
    let is_target = |entry: &u32| site.links.folders || !is_folder(tree, *entry);
    let with = |ending: &str| tree.find_folded(&[path, ending.as_bytes()].concat()).find(is_target);
    with("").or_else(|| site.links.endings.iter().find_map(|ending| with(ending)))
}

/// Returns whether an old address leads on to a new one.
fn redirected(site: &Site, path: &[u8], first: Option<&Option<Vec<u8>>>) -> bool {
    if site.redirects.is_empty() {
        return false;
    }
    if path.starts_with(b"/") {
        return site.redirects.has(path);
    }
    let Some(Some(first)) = first else { return false };
    let from_root = first.strip_prefix(&*site.folder).unwrap_or(first);
    site.redirects.has(from_root.strip_prefix(b"/").unwrap_or(from_root))
}

/// Returns whether the repository's host serves a page there that is no file.
fn is_page_of_host(corpus: &Corpus, own: &[u8], path: &[u8], first: Option<&Option<Vec<u8>>>) -> bool {
    match path.starts_with(b"/") {
        true => is_template_of_host(own),
        false => first == Some(&None) && (leaves_to_section(own, path) || leaves_to_repository(corpus, own, path)),
    }
}

/// Returns whether what the tree does not have may be a page that is made elsewhere.
fn may_be_elsewhere(
    corpus: &Corpus,
    site: &Site,
    path: &[u8],
    first: Option<&Option<Vec<u8>>>,
    kind: LinkKind,
) -> bool {
    let rules = site.links;
    if path.starts_with(b"/") {
        return site.absolute == Elsewhere::Site;
    }
    if rules.aliases.iter().any(|alias| path.starts_with(alias.as_bytes())) {
        return true;
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

/// Returns whether a build makes it: git ignores the file that it would be made of. Whether it lies on this disk does not matter, so that a fresh
/// clone has the same report.
fn is_made(tree: &Tree, site: &Site, candidates: &[Option<Vec<u8>>]) -> bool {
    if site.links.is_host {
        return false;
    }
    candidates.iter().flatten().any(|path| {
        let source = path.strip_suffix(b".html").filter(|_| site.links.html_is_markdown);
        tree.is_ignored(path)
            || source.is_some_and(|stem| tree.is_ignored(&[stem, b".md"].concat()))
            || site.links.endings.iter().any(|ending| tree.is_ignored(&[path, ending.as_bytes()].concat()))
    })
}

/// Issue and pull-request templates become part of a page of the host, where `/` is the host's.
fn is_template_of_host(own: &[u8]) -> bool {
    let upper = own.to_ascii_uppercase();
    memchr::memmem::find(&upper, b"PULL_REQUEST_TEMPLATE").is_some()
        || memchr::memmem::find(&upper, b"ISSUE_TEMPLATE").is_some()
}

/// Returns whether a path climbs from its file's page `/OWNER/REPOSITORY/blob/BRANCH/…` to another section of the repository.
fn leaves_to_section(own: &[u8], path: &[u8]) -> bool {
    let (climbs, rest) = climbed(path);
    climbs == depth(own) + 2 && rest.first().is_some_and(|section| is_section(section))
}

/// Returns whether it climbs on to another repository of the same owner, or to one of its sections: hosts that show files so serve it.
fn leaves_to_repository(corpus: &Corpus, own: &[u8], path: &[u8]) -> bool {
    let (climbs, rest) = climbed(path);
    corpus.sites.origin.is_some()
        && climbs == depth(own) + 3
        && !rest.is_empty()
        && rest.get(1).is_none_or(|section| is_section(section))
}

fn depth(own: &[u8]) -> usize {
    own.iter().filter(|byte| **byte == b'/').count()
}

/// How many folders a path climbs, and what comes then.
fn climbed(path: &[u8]) -> (usize, Vec<&[u8]>) {
    let parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".").collect();
    let climbs = parts.iter().take_while(|part| **part == b"..").count();
    (climbs, parts[climbs..].to_vec())
}

fn is_section(part: &[u8]) -> bool {
    std::str::from_utf8(part).is_ok_and(|part| GITHUB_SECTIONS.contains(&part))
}

/// Returns whether a page of the site may have this address, as far as its last part says.
fn addressed(corpus: &Corpus, site: &Site, path: &[u8]) -> bool {
    site.addresses == Addresses::Loose && corpus.has_address(path)
}

/// Returns whether a generator makes a file of this name by itself.
fn is_made_by_generator(path: &[u8], site: &Site) -> bool {
    let ends = |made: &&str| {
        let rest = path.strip_suffix(made.as_bytes());
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with(b"/"))
    };
    site.links.made.iter().any(ends)
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
