//! Pages → addresses. A route says which folder's pages are served below which prefix, and how a page's path and front matter make its
//! address; the index of a site answers which entry of the tree an address is.

use std::borrow::Cow;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::Site;
use crate::audit::document::Document;
use crate::audit::walk::Tree;
use crate::text::path::{file_name, parent};

/// A folder whose pages have addresses.
#[derive(Clone, Debug)]
pub struct Route {
    /// The folder.
    pub folder: Vec<u8>,
    /// The prefix of the addresses, without `/` at either end.
    pub prefix: Vec<u8>,
    /// Adds the addresses of a page, the canonical one first, without the prefix.
    pub addresses: fn(&Source<'_>, &mut Vec<Vec<u8>>),
    /// Endings of files besides Markdown that are pages.
    pub endings: &'static [&'static str],
}

impl Route {
    /// A folder whose pages are served by their paths.
    pub(super) fn by_path(folder: Vec<u8>, prefix: &[u8]) -> Self {
        Self { folder, prefix: prefix.to_vec(), addresses: by_path, endings: &["html"] }
    }
}

/// A page as a route sees it.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Its path below the route's folder, without its ending.
    pub path: &'a [u8],
    /// The parsed document, if it is Markdown.
    pub document: Option<&'a Document>,
}

impl<'a> Source<'a> {
    /// Returns a text of the front matter.
    pub(super) fn text(&self, of: impl Fn(&'a Document) -> Option<crate::audit::document::Text>) -> Option<&'a str> {
        let document = self.document?;
        of(document).map(|text| document.text(text)).filter(|text| !text.is_empty())
    }

    /// Returns the name of the file without its ending.
    pub(super) fn name(&self) -> &'a [u8] {
        file_name(self.path)
    }

    /// Returns the folder of the file below the route's.
    pub(super) fn folder(&self) -> &'a [u8] {
        parent(self.path)
    }
}

/// The address is the path.
pub(super) fn by_path(source: &Source<'_>, sink: &mut Vec<Vec<u8>>) {
    sink.push(source.path.to_vec());
}

/// The addresses of a site.
#[derive(Debug, Default)]
pub struct Index {
    /// Address, as [`bare`] has it: entry of the tree.
    entries: FxHashMap<Vec<u8>, u32>,
    /// Entry: its first address.
    own: FxHashMap<u32, Vec<u8>>,
}

impl Index {
    /// Reads the addresses of all pages of a site; nothing where it has no routes.
    #[must_use]
    pub fn new<'a>(
        site: &Site,
        tree: &'a Tree,
        document: &(dyn Fn(u32) -> Option<&'a Document> + Sync),
    ) -> Option<Self> {
        if site.routes.is_empty() {
            return None;
        }
        let found: Vec<(u32, Vec<Vec<u8>>)> = site
            .routes
            .par_iter()
            .flat_map_iter(|route| {
                let below = tree.below(&route.folder).filter(|(_, entry)| !site.excludes(&entry.path));
                below.filter_map(move |(number, entry)| {
                    let document = document(number);
                    let path = route.path(&entry.path, document.is_some())?;
                    let mut addresses = Vec::new();
                    (route.addresses)(&Source { path, document }, &mut addresses);
                    for address in &mut addresses {
                        *address = bare(&crate::text::path::join(&route.prefix, address)).to_vec();
                    }
                    aliases(document, &mut addresses);
                    Some((number, addresses))
                })
            })
            .collect();
        let mut index = Self::default();
        for (entry, addresses) in found {
            if let Some(first) = addresses.first() {
                index.own.entry(entry).or_insert_with(|| first.clone());
            }
            for address in addresses {
                index.entries.entry(address).or_insert(entry);
            }
        }
        Some(index)
    }

    /// Returns the entry that has an address, below the site's base or not, in one of its languages or not.
    #[must_use]
    pub fn find(&self, site: &Site, address: &[u8]) -> Option<u32> {
        let address = bare(address);
        self.in_language(site, address).or_else(|| {
            let below = below(address, &site.base).filter(|_| !site.base.is_empty())?;
            self.in_language(site, below)
        })
    }

    fn in_language(&self, site: &Site, address: &[u8]) -> Option<u32> {
        self.exactly(address).or_else(|| {
            // A page that is not translated is served in the default language.
            let rest = site.locales.iter().find_map(|locale| below(address, locale))?;
            let fallback = || site.default_locale.as_deref().map(|locale| crate::text::path::join(locale, rest));
            self.exactly(rest).or_else(|| self.exactly(bare(&fallback()?)))
        })
    }

    fn exactly(&self, address: &[u8]) -> Option<u32> {
        self.entries.get(address).copied()
    }

    /// Returns whether an address differs from a page's in its letters' case only.
    #[must_use]
    pub fn has_folded(&self, site: &Site, address: &[u8]) -> bool {
        address.iter().any(u8::is_ascii_uppercase) && self.find(site, &address.to_ascii_lowercase()).is_some()
    }

    /// Returns the address of an entry.
    #[must_use]
    pub fn address_of(&self, entry: u32) -> Option<&[u8]> {
        self.own.get(&entry).map(Vec::as_slice)
    }
}

/// Adds the old addresses of a page, which lead on to it: from the root, or from the folder of its own address.
fn aliases(document: Option<&Document>, addresses: &mut Vec<Vec<u8>>) {
    let Some(document) = document else { return };
    let front_matter = &document.front_matter;
    let own = addresses.first().cloned().unwrap_or_default();
    for alias in &front_matter.addresses {
        if [front_matter.slug, front_matter.id, front_matter.address].contains(&Some(*alias)) {
            continue;
        }
        let text = document.text(*alias).as_bytes();
        addresses.push(bare(text).to_vec());
        if !text.starts_with(b"/") {
            addresses.push(bare(&crate::text::path::join(parent(&own), text)).to_vec());
        }
    }
}

impl Route {
    /// The path of a page below the folder, without its ending; nothing where it is no page.
    fn path<'a>(&self, path: &'a [u8], is_document: bool) -> Option<&'a [u8]> {
        let rest = below(path, &self.folder)?;
        let dot = memchr::memrchr(b'.', rest).filter(|dot| !rest[*dot..].contains(&b'/'))?;
        let is_page = is_document || self.endings.iter().any(|ending| ending.as_bytes() == &rest[dot + 1..]);
        is_page.then_some(&rest[..dot])
    }
}

/// Returns what is left of `path` below `folder`.
#[must_use]
pub fn below<'a>(path: &'a [u8], folder: &[u8]) -> Option<&'a [u8]> {
    if folder.is_empty() {
        return Some(path);
    }
    let rest = path.strip_prefix(folder)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix(b"/") }
}

/// An address without what may be left out: `/` at either end, `index`, `.html`.
#[must_use]
pub fn bare(address: &[u8]) -> &[u8] {
    let mut address = address;
    while let Some(rest) = address.strip_prefix(b"/") {
        address = rest;
    }
    while let Some(rest) = address.strip_suffix(b"/") {
        address = rest;
    }
    let address = address.strip_suffix(b".html").unwrap_or(address);
    match address.strip_suffix(b"index") {
        Some(b"") => b"",
        Some(rest) => rest.strip_suffix(b"/").unwrap_or(address),
        None => address,
    }
}

/// github-slugger over each part of a path, without numbers for repetitions.
pub(super) fn slugged(path: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(path);
    let parts = text.split('/').map(|part| {
        let kept = part.chars().filter_map(|c| match c {
            ' ' => Some('-'),
            '-' | '_' => Some(c),
            c if c.is_alphanumeric() => Some(c),
            _ => None,
        });
        kept.collect::<String>().to_lowercase()
    });
    parts.collect::<Vec<_>>().join("/").into_bytes()
}

/// Blanks as hyphens, in lower case, each part: what most generators make of a title.
pub(super) fn urlized(path: &[u8]) -> Cow<'_, [u8]> {
    if path
        .iter()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'/' | b'.'))
    {
        return Cow::Borrowed(path);
    }
    let text = String::from_utf8_lossy(path).to_lowercase();
    let kept = text.chars().map(|c| if c.is_whitespace() { '-' } else { c });
    Cow::Owned(
        kept.filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '/' | '.' | '+'))
            .collect::<String>()
            .into_bytes(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_without_what_may_be_left_out() {
        for (address, expected) in [
            ("/guide/setup/", "guide/setup"),
            ("/guide/index.html", "guide"),
            ("/", ""),
            ("index", ""),
            ("/reindex", "reindex"),
            ("a.html", "a"),
        ] {
            assert_eq!(bare(address.as_bytes()), expected.as_bytes(), "{address}");
        }
        assert_eq!(below(b"docs/a", b"docs"), Some(b"a".as_slice()));
        assert_eq!(below(b"docsa", b"docs"), None);
    }

    #[test]
    fn names_as_generators_write_them() {
        assert_eq!(slugged("Guides/Getting Started v1.0".as_bytes()), b"guides/getting-started-v10");
        assert_eq!(&*urlized("Über uns/A.b".as_bytes()), "über-uns/a.b".as_bytes());
    }
}
