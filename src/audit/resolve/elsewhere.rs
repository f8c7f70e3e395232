//! Targets that the tree does not have and readers may find all the same: a build makes them, the site has them from
//! elsewhere, or an old address leads on.

use super::variants::variants;
use crate::audit::corpus::Corpus;
use crate::audit::document::LinkKind;
use crate::audit::site::{Addresses, Elsewhere, Site, below, is_below};
use crate::audit::walk::{Tree, is_markdown};
use crate::text::path::{normalise, parent};

/// Returns whether a target that the tree lacks may be a page that is made elsewhere.
pub(super) fn may_be_elsewhere(
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
    // A path behind the mark of the project's folder is in the tree.
    let is_here = kind != LinkKind::Include
        && !site.project.is_empty()
        && rules.folder_mark.is_some_and(|mark| path.starts_with(mark.as_bytes()));
    if !is_here && rules.aliases.iter().any(|alias| path.starts_with(alias.as_bytes())) {
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

/// Returns whether a build makes it: git ignores the file that it would be made of. Whether that file is on this disk does not matter, so
/// that a fresh clone has the same report.
pub(super) fn is_made(tree: &Tree, site: &Site, candidates: &[Option<Vec<u8>>]) -> bool {
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

/// Returns whether a path leads into a submodule, which a build checks out. A host does not show its files below the repository.
pub(super) fn is_in_submodule(corpus: &Corpus, site: &Site, candidates: &[Option<Vec<u8>>]) -> bool {
    !site.links.is_host
        && candidates.iter().flatten().any(|path| corpus.submodules().iter().any(|folder| is_below(path, folder)))
}

/// Returns whether a generator makes a file of this name by itself.
pub(super) fn is_made_by_generator(path: &[u8], site: &Site) -> bool {
    let ends = |made: &&str| {
        let rest = path.strip_suffix(made.as_bytes());
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with(b"/"))
    };
    site.links.made.iter().any(ends) || site.made_files.iter().any(|name| ends(&name.as_str()))
}

/// Returns whether a path ending in `.html` is a page of some site of the tree: sources that are copied into the published site, such as
/// manual pages and redirections, link as it does. Which site it will be is not known, so the fragment is not judged. One that climbs to
/// a folder which is not `here` either leads to another book that is published beside those of the tree.
pub(super) fn is_published(corpus: &Corpus, path: &[u8], here: Option<&[u8]>) -> bool {
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

/// Returns whether the disk has a file that ignore files hide.
pub(super) fn is_unseen(tree: &Tree, site: &Site, path: &[u8]) -> bool {
    let source = path.strip_suffix(b".html").filter(|_| site.links.html_is_markdown);
    tree.exists_unseen(path)
        || source.is_some_and(|stem| tree.exists_unseen(&[stem, b".md"].concat()))
        || site.links.endings.iter().any(|ending| tree.exists_unseen(&[path, ending.as_bytes()].concat()))
}

/// Returns whether an old address leads on to a new one.
pub(super) fn redirected(site: &Site, path: &[u8], first: Option<&Option<Vec<u8>>>) -> bool {
    if site.redirects.is_empty() {
        return false;
    }
    if path.starts_with(b"/") {
        let in_base = below(&path[1..], &site.base).filter(|_| !site.base.is_empty());
        return site.redirects.has(path) || in_base.is_some_and(|path| site.redirects.has(path));
    }
    let Some(Some(first)) = first else { return false };
    let from_root = first.strip_prefix(&*site.folder).unwrap_or(first);
    site.redirects.has(from_root.strip_prefix(b"/").unwrap_or(from_root))
}

/// Returns whether a page of the site may have this address, as far as its last part says.
pub(super) fn addressed(corpus: &Corpus, site: &Site, path: &[u8]) -> bool {
    site.addresses == Addresses::Loose && corpus.has_address(path)
}
