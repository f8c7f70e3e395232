//! Which entry of the tree a path means.

use super::candidates::{candidates, is_from_folder, mirrored, plain_candidates};
use super::elsewhere::{
    addressed, is_in_submodule, is_made, is_made_by_generator, is_published, is_unseen, may_be_elsewhere, redirected,
};
use super::host::{is_page_of_host, on_branch};
use super::served::{self, Served};
use super::variants::{is_folder, variants};
use super::{Target, address};
use crate::audit::corpus::Corpus;
use crate::audit::document::LinkKind;
use crate::audit::site::{Addresses, ByName, Cause, Form, Site, below, is_below};
use crate::audit::walk::{Kind, Tree, is_markdown};
use crate::text::path::{file_name, join, normalise_into, parent};

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
        && let Some(entry) = meant(tree, site, path, buffer)
    {
        let target = published(corpus, own, site, entry, kind);
        // Where a draft is no page, the next place counts that a path may mean.
        if !(site.links.hides_drafts && matches!(target, Target::Unpublished(_))) {
            return target;
        }
    }
    let link = PathLink { corpus, page, own, site, path, kind, candidates: candidates(own, site, path, kind) };
    match nowhere {
        Some(addresses) => {
            let found = link.entries().next().or_else(|| address::find(corpus, page, site, path, buffer));
            link.without_target(&addresses, found.filter(|entry| is_meant(tree, path, *entry)))
        }
        None => link.target(buffer).unwrap_or_else(|| link.without_target(&[], None)),
    }
}

/// A link by path whose target is not simply there.
struct PathLink<'a> {
    corpus: &'a Corpus,
    page: u32,
    /// The path of the page.
    own: &'a [u8],
    site: &'a Site,
    path: &'a [u8],
    kind: LinkKind,
    /// Where the path may lead, the likeliest first; `None` is above the root.
    candidates: Vec<Option<Vec<u8>>>,
}

impl PathLink<'_> {
    /// Returns the entries that the path may mean.
    fn entries(&self) -> impl Iterator<Item = u32> {
        let (tree, site, path) = (&self.corpus.tree, self.site, self.path);
        self.candidates.iter().flatten().filter_map(move |candidate| match site.addresses {
            Addresses::Exact if path.starts_with(b"/") && !is_markdown(path) => served_file(tree, candidate),
            _ => meant(tree, site, path, candidate),
        })
    }

    /// Returns the target by path, else by address, else by name, where it is not known which files the site publishes.
    fn target(&self, buffer: &mut Vec<u8>) -> Option<Target> {
        let Self { corpus, page, own, site, path, kind, .. } = *self;
        let mut targets = self.entries().map(|entry| published(corpus, own, site, entry, kind));
        if let Some(first) = targets.next() {
            let is_shown = |target: &Target| !matches!(target, Target::Unpublished(_));
            return match site.links.hides_drafts && !is_shown(&first) {
                true => targets.find(is_shown).or(Some(first)),
                false => Some(first),
            };
        }
        if let Some(entry) = address::find(corpus, page, site, path, buffer) {
            let entry = translated(&corpus.tree, site, own, entry).unwrap_or(entry);
            return Some(published(corpus, own, site, entry, kind));
        }
        by_name(&corpus.tree, site, path).map(|entry| match site.links.by_name {
            ByName::Perhaps => Target::Unjudged(Cause::Address),
            _ => reached(corpus, site, entry),
        })
    }

    /// Judges a link for which the tree has no target: it may be made, or lie elsewhere. `served` are the addresses at which the
    /// published site has nothing, and `misaddressed` is an entry that the site has at another address.
    fn without_target(&self, served: &[Vec<u8>], misaddressed: Option<u32>) -> Target {
        let Self { corpus, page, own, site, path, kind, .. } = *self;
        let (tree, candidates) = (&corpus.tree, &self.candidates);
        if let Some(page) = corpus.label(page, path) {
            return Target::Page(page);
        }
        if site.form(path) == Form::Bare && corpus.composes_labels(page) {
            return Target::Unjudged(Cause::Composed);
        }
        // `[[text|page]]` in one wiki is `[[page|text]]` in another.
        if kind == LinkKind::Wiki && site.links.by_name == ByName::Hyphenated {
            return Target::Unjudged(Cause::Address);
        }
        if candidates.iter().flatten().any(|candidate| is_made_by_generator(candidate, site)) {
            return Target::Elsewhere;
        }
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
        let Some(Some(first)) = candidates.first() else {
            let shown = on_branch(corpus, own, path).filter(|_| site.links.is_host);
            return shown.map_or(Target::Outside, |entry| reached(corpus, site, entry));
        };
        // Where names ignore case, the disk would say that it exists.
        match folded(tree, site, first) {
            Some(entry) => Target::Case(entry),
            None if is_unseen(tree, site, first) => Target::Elsewhere,
            None if is_made(tree, site, candidates) => Target::Unjudged(Cause::Ignored),
            None if is_in_submodule(corpus, site, candidates) => Target::Unjudged(Cause::Published),
            None => Target::Missing,
        }
    }
}

/// Returns all targets that a path may mean, the likeliest first.
pub(super) fn all(corpus: &Corpus, page: u32, site: &Site, path: &[u8], kind: LinkKind) -> Vec<Target> {
    let own = corpus.path(page);
    let entry = |candidate: Option<Vec<u8>>| meant(&corpus.tree, site, path, &candidate?);
    let mut entries: Vec<u32> = plain_candidates(own, site, path, kind).into_iter().filter_map(entry).collect();
    if entries.is_empty() && is_from_folder(path, site) {
        // Only what a translation lacks is taken from the original.
        entries.extend(mirrored(own, site, path).filter_map(entry));
    }
    entries.into_iter().map(|entry| published(corpus, own, site, entry, kind)).collect()
}

/// Returns the target of an entry that a page names by path, or nothing where the site does not publish it.
fn published(corpus: &Corpus, own: &[u8], site: &Site, entry: u32, kind: LinkKind) -> Target {
    let target = reached(corpus, site, entry);
    match target {
        Target::Page(page) if is_hidden(corpus, own, site, page, kind) => Target::Unpublished(page),
        Target::Entry(folder) if is_without_page(corpus, site, folder) => Target::Missing,
        // HTML is left as it is: the address of something else, most likely.
        Target::Page(page)
            if matches!(kind, LinkKind::Link | LinkKind::Image)
                && site.is_beside(corpus.path(page))
                && !site.is_beside(own) =>
        {
            Target::Unpublished(page)
        }
        Target::Page(page)
            if (site.published.is_some() || site.excluded.is_some())
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

/// Returns whether an entry is a folder of the site in which a reader finds no page. That of all documents has one always.
fn is_without_page(corpus: &Corpus, site: &Site, entry: u32) -> bool {
    let entry = &corpus.tree.entries()[entry as usize];
    site.links.folders_are_pages
        && entry.kind == Kind::Folder
        && below(&entry.path, &site.folder).is_some_and(|rest| !rest.is_empty())
}

/// Returns whether an entry shows what a path means that is no address of the published site. A folder at the root of a host may be
/// another program's.
fn is_meant(tree: &Tree, path: &[u8], entry: u32) -> bool {
    !path.starts_with(b"/") || tree.entries()[entry as usize].kind != Kind::Folder
}

/// The entry that a candidate is, for a destination as it is written.
fn meant(tree: &Tree, site: &Site, path: &[u8], candidate: &[u8]) -> Option<u32> {
    if site.links.index_is_nameless && file_name(path) == b"index" {
        return tree.find(candidate);
    }
    match site.links.slash_is_folder && path.ends_with(b"/") {
        true => tree.find(candidate).filter(|entry| is_folder(tree, *entry)),
        false => variants(tree, site, candidate),
    }
}

/// The file that is served at a path: its own, or a page of HTML without its ending or for its folder.
fn served_file(tree: &Tree, path: &[u8]) -> Option<u32> {
    let is_root = path.is_empty();
    let page = || file(tree, &[path, b".html"].concat()).or_else(|| file(tree, &join(path, b"index.html")));
    file(tree, path).or_else(|| if is_root { None } else { page() })
}

/// The entry of exactly this path, unless it is a folder.
fn file(tree: &Tree, path: &[u8]) -> Option<u32> {
    tree.find(path).filter(|entry| !is_folder(tree, *entry))
}

/// The translation of a page, in the folder that the page `own` is of: the address is the same, below that of the language.
fn translated(tree: &Tree, site: &Site, own: &[u8], entry: u32) -> Option<u32> {
    let path = &tree.entries()[entry as usize].path;
    let mut mirrors = site.mirrors.iter().filter(|(from, _)| is_below(own, from));
    mirrors.find_map(|(from, to)| tree.find(&join(from, below(path, to)?)))
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

fn folded(tree: &Tree, site: &Site, path: &[u8]) -> Option<u32> {
    let is_target = |entry: &u32| site.links.folders || !is_folder(tree, *entry);
    let with = |ending: &str| {
        let path = [path, ending.as_bytes()].concat();
        // One that is written so and is no target all the same does not differ in its letters.
        let is_other = |entry: &u32| *tree.entries()[*entry as usize].path != *path;
        tree.find_folded(&path).find(|entry| is_target(entry) && is_other(entry))
    };
    with("").or_else(|| site.links.endings.iter().find_map(|ending| with(ending)))
}
