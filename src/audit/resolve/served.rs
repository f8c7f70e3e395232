//! The entry that a browser gets for a link, where it is known which files the build publishes.

use crate::audit::corpus::Corpus;
use crate::audit::document::LinkKind;
use crate::audit::site::{Href, LinkPath, Site, below};
use crate::audit::walk::Kind;
use crate::text::path::{file_name, normalise, parent};

/// The answer of the published site to a destination.
pub(super) enum Served {
    /// This entry, or what is made of it.
    Entry(u32),
    /// Nothing, at these addresses below the site's root: several where its base is not known.
    Nowhere(Vec<Vec<u8>>),
    /// It is not known.
    Unknown,
}

/// Returns what the site of a page has for the path of a link.
pub(super) fn find(corpus: &Corpus, page: u32, site: &Site, path: &[u8], kind: LinkKind) -> Served {
    let (Some(output), Some(files)) = (&site.output, corpus.files(page)) else { return Served::Unknown };
    // The file at the end of a path may also be asked for by HTML, which generators leave to other rules.
    if !matches!(kind, LinkKind::Link | LinkKind::Image) {
        return Served::Unknown;
    }
    let Some(own) = files.file_of(corpus.pages[page as usize].entry) else { return Served::Unknown };
    let link = LinkPath { tree: &corpus.tree, site, addressing: output.addressing, own: corpus.path(page), path, kind };
    let address = match (output.href)(&link) {
        Href::Entry(entry) => return Served::Entry(entry),
        Href::Unknown => return Served::Unknown,
        Href::Address(address) => address,
    };
    let name = file_name(&address);
    let is_folder = matches!(name, b"" | b"." | b"..");
    let Some(tried) = addresses(site, own, &address) else {
        // A file beside the site's folder does not belong to the site.
        let file = normalise(parent(corpus.path(page)), path).and_then(|path| corpus.tree.find(&path));
        let is_file = file.is_some_and(|file| corpus.tree.entries()[file as usize].kind != Kind::Folder);
        return if is_file { Served::Nowhere(Vec::new()) } else { Served::Unknown };
    };
    match tried.iter().find_map(|path| files.find(path, is_folder)) {
        Some(entry) => Served::Entry(entry),
        None => Served::Nowhere(tried),
    }
}

/// Returns where an address on the page `own` may lead below the site's root; nothing where it leaves the site.
fn addresses(site: &Site, own: &[u8], address: &[u8]) -> Option<Vec<Vec<u8>>> {
    if !address.starts_with(b"/") {
        // A path above the root leads to another site, where this one has a base.
        return Some(vec![normalise(parent(own), address)?]);
    }
    let whole = normalise(b"", address)?;
    let mut tried = vec![whole.clone()];
    if site.output.as_ref().is_some_and(|output| output.addressing.adds_base) {
        // The generator adds the base, so one in the address would stand there twice.
    } else if site.base.is_empty() {
        // Without a base it may still be published below any folder.
        tried.extend(memchr::memchr_iter(b'/', &whole).take(2).map(|slash| whole[slash + 1..].to_vec()));
    } else {
        tried.extend(below(&whole, &site.base).map(<[u8]>::to_vec));
    }
    Some(tried)
}
