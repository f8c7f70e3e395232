//! Which page of a site an address means.

use crate::audit::corpus::Corpus;
use crate::audit::site::{Addresses, Form, Site, below};
use crate::text::path::{file_name, join, normalise_into, parent};

/// The entry that has the address `path` as seen from a page: absolute, or relative to the page's own address with or without a slash
/// at its end. `buffer` is memory to work in.
pub(super) fn find(corpus: &Corpus, page: u32, site: &Site, path: &[u8], buffer: &mut Vec<u8>) -> Option<u32> {
    let found = of_path(corpus, page, site, path, buffer)?;
    let is_nameless = site.links.index_is_nameless && file_name(path) == b"index";
    (!is_nameless || is_slug(corpus, found)).then_some(found)
}

/// Returns whether an `index` at the end of an address may be from the front matter of a page.
fn is_slug(corpus: &Corpus, entry: u32) -> bool {
    let page = corpus.page_of(entry).map(|page| &corpus.pages[page as usize].document);
    page.is_some_and(|document| document.front_matter.slug.is_some())
}

/// The entry that has the address `path`, which may end in `index`.
fn of_path(corpus: &Corpus, page: u32, site: &Site, path: &[u8], buffer: &mut Vec<u8>) -> Option<u32> {
    let index = corpus.index(page)?;
    // An index has addresses without their endings.
    if path.ends_with(b".html") && !site.links.html_is_markdown {
        return None;
    }
    if path.starts_with(b"/") {
        let is_of_site = !site.needs_base || below(&path[1..], &site.base).is_some();
        return index.find(site, path).filter(|_| is_of_site);
    }
    let own = index.address_of(corpus.pages[page as usize].entry)?;
    [own, parent(own)].into_iter().find_map(|folder| {
        let is_inside = normalise_into(buffer, folder, path);
        is_inside.then(|| index.find(site, buffer)).flatten()
    })
}

/// Returns whether the generator or a build may make a page at an address that the index does not have.
pub(super) fn may_be(corpus: &Corpus, page: u32, site: &Site, path: &[u8]) -> bool {
    let Some(index) = corpus.index(page) else { return false };
    let is_exact = site.addresses == Addresses::Exact;
    if !is_exact && site.made.is_empty() || matches!(Form::from_path(path), Form::Page) && !path.starts_with(b"/") {
        return false;
    }
    let mut address = Vec::new();
    let own = index.address_of(corpus.pages[page as usize].entry).unwrap_or_default();
    let seen_from = |folder: &[u8], address: &mut Vec<u8>| {
        normalise_into(address, folder, path)
            && (site.makes(address)
                || is_exact && (index.has_folded(site, address) || is_ignored(corpus, site, address)))
    };
    if path.starts_with(b"/") {
        seen_from(b"", &mut address)
    } else {
        seen_from(own, &mut address) || seen_from(parent(own), &mut address)
    }
}

/// Returns whether git ignores the file of which a page at an address would be made.
fn is_ignored(corpus: &Corpus, site: &Site, address: &[u8]) -> bool {
    let address = below(address, &site.base).unwrap_or(address);
    site.routes.iter().filter_map(|route| Some(join(&route.folder, below(address, &route.prefix)?))).any(|path| {
        corpus.tree.is_ignored(&join(&path, b"index.md"))
            || ["", ".md", ".mdx"].iter().any(|ending| corpus.tree.is_ignored(&[&path, ending.as_bytes()].concat()))
    })
}
