//! The addresses that Hugo gives its pages, and the files that it publishes.

use crate::audit::site::addresses::{Source, urlized};
use crate::audit::site::bare;
use crate::audit::site::output::{Href, LinkPath, Part};
use crate::text::path::{file_name, join, parent};

/// A link is left as it is, but for those of `ref` and `relref`.
pub(super) fn href(link: &LinkPath<'_>) -> Href {
    Href::Address(link.path.to_vec())
}

/// Returns the address of a folder: `slug` of an `_index.md` is the last part of it, also for the pages below.
fn section(part: &Part<'_>, folder: &[u8]) -> Vec<u8> {
    let mut address = Vec::new();
    let ends = memchr::memchr_iter(b'/', folder).chain([folder.len()]);
    for end in ends.filter(|end| *end > 0) {
        let here = &folder[..end];
        let slug = (part.beside)(&join(here, b"_index.md"))
            .and_then(|document| Some(document.text(document.front_matter.slug?)))
            .filter(|slug| !slug.is_empty());
        let name = urlized(slug.map_or(file_name(here), str::as_bytes)).into_owned();
        address = join(&address, &name);
    }
    address
}

/// Returns the path of a file whose page has an address of its own: a file is published below the page of the nearest `index.md` or
/// `_index.md`, wherever that is.
fn of_bundle(part: &Part<'_>) -> Option<Vec<u8>> {
    let mut folder = parent(part.path);
    let (page, is_section) = loop {
        let find = |name: &[u8]| (part.beside)(&join(folder, name));
        match find(b"index.md").map(|page| (page, false)).or_else(|| find(b"_index.md").map(|page| (page, true))) {
            Some(found) => break found,
            None if folder.is_empty() => return None,
            None => folder = parent(folder),
        }
    };
    let text = |field: Option<_>| field.map(|field| page.text(field).as_bytes()).filter(|text| !text.is_empty());
    let address = match (text(page.front_matter.address), text(page.front_matter.slug)) {
        (Some(url), _) if memchr::memchr(b'.', file_name(url)).is_none() => bare(url).to_vec(),
        (Some(_), _) => return None,
        (None, Some(slug)) if !is_section => join(&section(part, parent(folder)), &urlized(slug)),
        // The `slug` of sections is a part of it.
        (None, _) => section(part, folder),
    };
    // Folders without such a page keep their letters.
    let is_moved = text(page.front_matter.address).is_some() || address != *urlized(folder);
    let rest = crate::audit::site::below(part.path, folder).filter(|_| is_moved)?;
    Some(join(&address, rest))
}

/// A page is a folder; `index.md` and `_index.md` are their folder's, beside which their files lie. A folder at the top has a list.
pub(super) fn published(part: &Part<'_>, sink: &mut Vec<Vec<u8>>) {
    if part.is_folder {
        let has_page = (part.beside)(&join(part.path, b"_index.md")).is_some();
        if !part.path.contains(&b'/') && !has_page {
            sink.push(join(&urlized(part.path), b"index.html"));
        }
        return;
    }
    let (stem, ending) = part.split();
    let is_page = part.document.is_some() || matches!(ending, b"html" | b"adoc" | b"org" | b"rst" | b"pandoc");
    if !is_page {
        sink.extend(of_bundle(part).or_else(|| part.file()));
        return;
    }
    let name = file_name(stem);
    let is_section = name.starts_with(b"_index");
    let folder = section(part, if is_section { parent(parent(stem)) } else { parent(stem) });
    let folder = if is_section { join(&folder, &urlized(file_name(parent(stem)))) } else { folder };
    let source = Source { path: stem, document: part.document };
    let is_index = matches!(name.split(|byte| *byte == b'.').next(), Some(b"index" | b"_index"));
    let url = source.text(|document| document.front_matter.address);
    if let Some(url) = url {
        let url = url.as_bytes();
        let path = url.strip_prefix(b"/").unwrap_or(url);
        let is_file = memchr::memchr(b'.', file_name(path)).is_some();
        sink.push(if is_file { path.to_vec() } else { join(path.strip_suffix(b"/").unwrap_or(path), b"index.html") });
    } else {
        let mut page = |folder: &[u8], name: &[u8]| match part.addressing.directories {
            true => sink.push(join(&join(folder, name), b"index.html")),
            false => sink.push(join(folder, &[name, b".html"].concat())),
        };
        let slug = source.text(|document| document.front_matter.slug);
        match slug {
            Some(slug) if !is_index => page(&folder, &urlized(slug.as_bytes())),
            Some(slug) if is_section => {
                sink.push(join(&join(parent(&folder), &urlized(slug.as_bytes())), b"index.html"));
            }
            // A bundle is a page, whose files lie in its folder.
            Some(slug) => page(parent(&folder), &urlized(slug.as_bytes())),
            None if is_section || is_index && part.addressing.directories => sink.push(join(&folder, b"index.html")),
            None if is_index => page(parent(&folder), file_name(&folder)),
            None => {
                page(&folder, &urlized(name));
                // `setup.de.md` is the same page in another language.
                page(&folder, &urlized(name.split(|byte| *byte == b'.').next().unwrap_or(name)));
            }
        }
    }
    if part.document.is_none() {
        sink.extend(part.file());
    }
    let Some(document) = part.document else { return };
    let front_matter = &document.front_matter;
    for alias in &front_matter.addresses {
        if [front_matter.slug, front_matter.id, front_matter.address].contains(&Some(*alias)) {
            continue;
        }
        let alias = document.text(*alias).as_bytes();
        let path = bare(alias);
        sink.push(join(path, b"index.html"));
        if !alias.starts_with(b"/") {
            sink.push(join(&join(&folder, path), b"index.html"));
        }
    }
}

/// A page by its path, in lower case; `index.md` and `_index.md` are their folder, `url` is the whole and `slug` the last part.
pub(super) fn page(source: &Source<'_>, sink: &mut Vec<Vec<u8>>) {
    let name = source.name();
    // `setup.de.md` is the same page in another language.
    let stem = name.split(|byte| *byte == b'.').next().unwrap_or(name);
    let folder = urlized(source.folder()).into_owned();
    let is_index = matches!(stem, b"index" | b"_index");
    if let Some(url) = source.text(|document| document.front_matter.address) {
        sink.push(url.trim_matches('/').as_bytes().to_vec());
    } else if let Some(slug) = source.text(|document| document.front_matter.slug) {
        let above = if is_index { parent(&folder) } else { &folder };
        sink.push(join(above, &urlized(slug.as_bytes())));
    }
    sink.push(if is_index { folder.clone() } else { join(&folder, &urlized(stem)) });
    if stem.len() < name.len() && !is_index {
        sink.push(join(&folder, &urlized(name)));
    }
    if !is_index && !folder.is_empty() && !folder.contains(&b'/') {
        // A folder at the top is a section and has a list, also without a page of its own.
        sink.push(folder);
    }
}
