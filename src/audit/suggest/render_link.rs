//! Renders a link to another path in the style of the link that it replaces: relative or from the root, with its query
//! and the new page's fragment. This module decides no target.

use std::borrow::Cow;

use crate::audit::corpus::Corpus;
use crate::audit::document::Match;
use crate::markdown::destination::Parts;
use crate::text::casefold::{self, alphanumerics};
use crate::text::path::{file_name, parent, relative};
use crate::text::percent::encode_destination;

/// Returns the fragment in the new page's spelling, so that one fix corrects the whole link.
fn fitting<'a>(corpus: &'a Corpus, page: u32, fragment: &'a str) -> &'a str {
    let document = &corpus.pages[page as usize].document;
    let decoded = percent_encoding::percent_decode_str(fragment).decode_utf8_lossy();
    match document.anchors.find(&decoded, &document.strings) {
        Match::Exact => fragment,
        Match::Case(name) => document.text(name),
        Match::None => {
            let is_one = alphanumerics(&decoded).next().is_some();
            let equal_but_case = |name: &&str| alphanumerics(name).eq(alphanumerics(&decoded));
            let mut same = document.anchors.iter(&document.strings).filter(equal_but_case);
            match (same.next(), same.next()) {
                (Some(name), None) if is_one => name,
                _ => fragment,
            }
        }
    }
}

/// Returns `entry` as a destination on the page `own`, in the style and with the query and fragment of the old one.
#[must_use]
pub fn rewritten(corpus: &Corpus, own: &[u8], entry: u32, parts: &Parts<'_>) -> String {
    render_link(own, &corpus.tree.entries()[entry as usize].path, parts, fragment_in(corpus, entry, parts))
}

/// Returns the address of `entry` on the published site as a destination on a page: relative, or from the root as the old one.
#[must_use]
pub fn by_address(corpus: &Corpus, page: u32, entry: u32, parts: &Parts<'_>) -> Option<String> {
    let files = corpus.files(page)?;
    let address = files.address(entry)?;
    let path = if parts.path.starts_with('/') {
        let base = &corpus.site(page).base;
        if base.is_empty() { address.into_owned() } else { [b"/", base.as_slice(), &address].concat() }
    } else {
        let own = files.file_of(corpus.pages[page as usize].entry)?;
        let mut path = relative(parent(own), &address);
        if address.ends_with(b"/") {
            path.push(b'/');
        }
        path
    };
    Some(with_rest(encode_destination(&path), parts.query, fragment_in(corpus, entry, parts)))
}

/// Returns the fragment of a destination in the spelling of its new page.
fn fragment_in<'a>(corpus: &'a Corpus, entry: u32, parts: &Parts<'a>) -> Option<&'a str> {
    parts.fragment.map(|fragment| match corpus.page_of(entry) {
        Some(page) => fitting(corpus, page, fragment),
        None => fragment,
    })
}

/// Returns the old destination with the letter case of `entry`. Everything else stays as written.
#[must_use]
pub fn recased(corpus: &Corpus, own: &[u8], entry: u32, parts: &Parts<'_>) -> String {
    match in_the_case_of(&corpus.tree.entries()[entry as usize].path, parts.path) {
        Some(path) => with_rest(path, parts.query, fragment_in(corpus, entry, parts)),
        None => rewritten(corpus, own, entry, parts),
    }
}

/// Returns `written` with the letters of `real`, if its parts from the last one back to the last `..` equal those of
/// `real` without regard to case.
fn in_the_case_of(real: &[u8], written: &str) -> Option<String> {
    let mut real = real.rsplit(|byte| *byte == b'/');
    let mut parts: Vec<Cow<'_, str>> = written.split('/').map(Cow::Borrowed).collect();
    for part in parts.iter_mut().rev().filter(|part| !matches!(part.as_ref(), "" | ".")) {
        if part == ".." {
            break;
        }
        let (name, decoded) = (real.next()?, percent_encoding::percent_decode_str(part).collect::<Vec<u8>>());
        if !casefold::same(&decoded, name) {
            return None;
        }
        if decoded != name {
            *part = Cow::Owned(encode_destination(name));
        }
    }
    Some(parts.join("/"))
}

/// Returns the path `to` as a destination in the document `own`, in the style of the old one.
#[must_use]
pub fn render_link(own: &[u8], to: &[u8], parts: &Parts<'_>, fragment: Option<&str>) -> String {
    let path = if parts.path.starts_with('/') { [b"/", to].concat() } else { relative(parent(own), to) };
    let mut destination = encode_destination(&path);
    if parts.path.starts_with("./") && !destination.starts_with('.') {
        destination.insert_str(0, "./");
    }
    // A trailing slash belongs to an address or a folder. No page exists below `setup.md/`.
    let is_file = memchr::memchr(b'.', file_name(to)).is_some();
    if parts.path.ends_with('/') && !destination.ends_with('/') && !is_file {
        destination.push('/');
    }
    with_rest(destination, parts.query, fragment)
}

/// Returns a path with its query and fragment.
fn with_rest(mut destination: String, query: Option<&str>, fragment: Option<&str>) -> String {
    for (mark, rest) in [('?', query), ('#', fragment)] {
        if let Some(rest) = rest {
            destination.push(mark);
            destination.push_str(rest);
        }
    }
    destination
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_case_of_letters_changes() {
        let corrected = |real: &str, written: &str| in_the_case_of(real.as_bytes(), written);
        assert_eq!(corrected("a/CPP/x.cpp", "../a/cpp/X.cpp").as_deref(), Some("../a/CPP/x.cpp"));
        assert_eq!(corrected("a/b.md", "./B.md").as_deref(), Some("./b.md"));
        assert_eq!(corrected("Docs/My Guide.md", "/docs/./My%20guide.md").as_deref(), Some("/Docs/./My%20Guide.md"));
        assert_eq!(corrected("Docs/a", "docs//a/").as_deref(), Some("Docs//a/"));
        assert_eq!(corrected("docs/a.md", "Docs/a"), None);
        assert_eq!(corrected("a.md", "x/a.md"), None);
    }
}
