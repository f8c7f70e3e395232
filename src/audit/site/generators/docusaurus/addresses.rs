//! How Docusaurus makes the address of a document, a post, a page: `plugin-content-docs/src/slug.ts` and `numberPrefix.ts`,
//! `plugin-content-blog/src/blogUtils.ts`.

use crate::audit::site::addresses::Source;
use crate::text::path::{file_name, join, normalise};

/// A document: numbers in front of names count for the order only; `slug` and `id` of the front matter replace the name.
pub(super) fn document(source: &Source<'_>, sink: &mut Vec<Vec<u8>>) {
    if is_partial(source.path) {
        return;
    }
    let folder: Vec<u8> = unnumbered_parts(source.folder());
    let name = unnumbered(source.name());
    if let Some(slug) = source.text(|document| document.front_matter.slug) {
        sink.extend(match slug.strip_prefix('/') {
            Some(absolute) => Some(absolute.as_bytes().to_vec()),
            None => normalise(&folder, slug.as_bytes()),
        });
        return;
    }
    if is_index(source) {
        sink.push(folder);
        return;
    }
    let id = source.text(|document| document.front_matter.id).map(str::as_bytes);
    sink.push(join(&folder, id.unwrap_or(name)));
}

/// A post: its date is a part of the address, unless the front matter says `slug`.
pub(super) fn post(source: &Source<'_>, sink: &mut Vec<Vec<u8>>) {
    if is_partial(source.path) {
        return;
    }
    if let Some(slug) = source.text(|document| document.front_matter.slug) {
        sink.push(slug.trim_matches('/').as_bytes().to_vec());
        return;
    }
    let path = if source.name() == b"index" { source.folder() } else { source.path };
    sink.push(dated(path).unwrap_or_else(|| path.to_vec()));
}

/// A page of `src/pages`.
pub(super) fn page(source: &Source<'_>, sink: &mut Vec<Vec<u8>>) {
    if !is_partial(source.path) {
        sink.push(source.path.to_vec());
    }
}

/// Files and folders whose names begin with `_` are parts of others.
fn is_partial(path: &[u8]) -> bool {
    path.split(|byte| *byte == b'/').any(|part| part.starts_with(b"_"))
}

/// `index`, `README` and a name that is its folder's stand for the folder.
fn is_index(source: &Source<'_>) -> bool {
    let name = unnumbered(source.name());
    let folder = unnumbered(file_name(source.folder()));
    name.eq_ignore_ascii_case(b"index")
        || name.eq_ignore_ascii_case(b"readme")
        || !source.folder().is_empty() && name.eq_ignore_ascii_case(folder)
}

fn unnumbered_parts(path: &[u8]) -> Vec<u8> {
    path.split(|byte| *byte == b'/').map(unnumbered).collect::<Vec<_>>().join(&b'/')
}

/// A name without the number in front: `01-start`, `2. Setup`; dates and versions (`2021-11-04 x`, `7.0-x`) are none.
fn unnumbered(name: &[u8]) -> &[u8] {
    let digits = name.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 {
        return name;
    }
    let is_blank = |byte: &&u8| byte.is_ascii_whitespace();
    let rest = &name[digits..];
    let blanks = rest.iter().take_while(is_blank).count();
    let marks = rest[blanks..].iter().take_while(|byte| matches!(byte, b'-' | b'_' | b'.')).count();
    let rest = &rest[blanks + marks..];
    let suffix = &rest[rest.iter().take_while(is_blank).count()..];
    match suffix.first() {
        Some(first) if marks > 0 && !first.is_ascii_digit() => suffix,
        _ => name,
    }
}

/// `2024-03-05-hello`, `2024/03/05/hello` and `2024/03-05-hello` as `2024/03/05/hello`.
fn dated(path: &[u8]) -> Option<Vec<u8>> {
    let name = path;
    let start = (0..name.len()).find(|at| (*at == 0 || name[at - 1] == b'/') && is_date(&name[*at..]))?;
    let (folder, rest) = name.split_at(start);
    let mut address = [folder, &rest[..10]].concat();
    for byte in &mut address[folder.len()..] {
        if *byte == b'-' {
            *byte = b'/';
        }
    }
    address.push(b'/');
    address.extend_from_slice(&rest[11..]);
    Some(address)
}

fn is_date(text: &[u8]) -> bool {
    let is_separator = |byte: &u8| matches!(byte, b'-' | b'/');
    text.len() > 11
        && text[..10].iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => is_separator(byte),
            _ => byte.is_ascii_digit(),
        })
        && is_separator(&text[10])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(make: fn(&Source<'_>, &mut Vec<Vec<u8>>), path: &str) -> String {
        let mut sink = Vec::new();
        make(&Source { path: path.as_bytes(), document: None }, &mut sink);
        sink.into_iter().map(|address| String::from_utf8(address).unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn addresses_of_documents() {
        for (path, address) in [
            ("intro", "intro"),
            ("01-start/02-install", "start/install"),
            ("guide/index", "guide"),
            ("guide/README", "guide"),
            ("guide/guide", "guide"),
            ("2. Setup", "Setup"),
            ("2021-11-04-x", "2021-11-04-x"),
            ("7.0-notes", "7.0-notes"),
            ("guide/_part", ""),
            ("_parts/a", ""),
        ] {
            assert_eq!(addresses(document, path), address, "{path}");
        }
    }

    #[test]
    fn addresses_of_posts() {
        for (path, address) in [
            ("2024-03-05-hello", "2024/03/05/hello"),
            ("2024-03-05-hello/index", "2024/03/05/hello"),
            ("2024/03/05/hello", "2024/03/05/hello"),
            ("hello", "hello"),
        ] {
            assert_eq!(addresses(post, path), address, "{path}");
        }
    }
}
