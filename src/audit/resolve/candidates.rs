//! The paths of the tree that a written path may stand for, the likeliest first.

use crate::audit::document::LinkKind;
use crate::audit::site::{Site, below, is_below};
use crate::audit::walk::is_markdown;
use crate::text::path::{file_name, join, normalise, parent};

/// Returns whether a path is to be taken from its page's folder.
pub(super) fn is_from_folder(path: &[u8], site: &Site) -> bool {
    !path.starts_with(b"/") && behind_mark(path, site).is_none()
}

/// The path behind the mark of the folder of the settings.
fn behind_mark<'a>(path: &'a [u8], site: &Site) -> Option<&'a [u8]> {
    site.links.folder_mark.and_then(|mark| path.strip_prefix(mark.as_bytes()))
}

/// Where a path may lead, the likeliest first; `None` is above the root.
pub(super) fn candidates(own: &[u8], site: &Site, path: &[u8], kind: LinkKind) -> Vec<Option<Vec<u8>>> {
    let mut candidates = plain_candidates(own, site, path, kind);
    if is_from_folder(path, site) && (kind != LinkKind::Include || site.includes.is_empty()) {
        candidates.extend(mirrored(own, site, path));
    }
    candidates
}

/// Where a path from the folder of its page leads in the folders that the page's own mirrors.
pub(super) fn mirrored<'a>(
    own: &'a [u8],
    site: &'a Site,
    path: &'a [u8],
) -> impl Iterator<Item = Option<Vec<u8>>> + 'a {
    let mirrors = site.mirrors.iter().filter(|(from, _)| is_below(own, from));
    mirrors.filter_map(move |(from, to)| Some(normalise(&join(to, below(parent(own), from)?), path)))
}

/// Where a path may lead without the folders that its page's own mirrors.
pub(super) fn plain_candidates(own: &[u8], site: &Site, path: &[u8], kind: LinkKind) -> Vec<Option<Vec<u8>>> {
    if let Some(rest) = behind_mark(path, site) {
        return vec![normalise(site.project.first().unwrap_or(&site.folder), rest)];
    }
    if let (LinkKind::Include, Some(program), true) = (kind, &site.program, path.starts_with(b"/")) {
        return vec![normalise(program, path)];
    }
    let content = || site.content.iter().filter(|content| is_below(own, content)).chain(&site.project);
    if path.starts_with(b"/") {
        let below = below(&path[1..], &site.base).filter(|_| !site.base.is_empty());
        let whole = Some(path).filter(|_| !site.needs_base || site.base.is_empty());
        let paths = || [whole, below].into_iter().flatten();
        let roots = site.roots.iter().flat_map(|root| paths().map(|path| normalise(root, path)));
        // The documents around the page first: each version of them has a page of that path.
        let original = |content: &Vec<u8>| site.mirrors.iter().find(|(from, _)| from == content).map(|(_, to)| to);
        let own = content().filter(|_| is_markdown(path)).flat_map(|content| {
            let folders = [Some(content), original(content)];
            folders.into_iter().flatten().map(|folder| normalise(folder, path))
        });
        return own.chain(roots).collect();
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
    candidates
}
