//! Splits the destination of a link into its parts (RFC 3986 §3).

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::text::path::{parent, relative};
use crate::text::percent::encode_destination;

/// The parts of a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts<'a> {
    /// The part before `?` and `#`, as written.
    pub path: &'a str,
    /// The part between `?` and `#`, as written.
    pub query: Option<&'a str>,
    /// The part after `#`, as written.
    pub fragment: Option<&'a str>,
}

impl<'a> Parts<'a> {
    /// Splits a destination.
    #[must_use]
    pub fn new(destination: &'a str) -> Self {
        let split = |text: &'a str, mark: u8| match memchr::memchr(mark, text.as_bytes()) {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        let (path, fragment) = split(destination, b'#');
        let (path, query) = split(path, b'?');
        Self { path, query, fragment }
    }

    /// Returns the percent-decoded path.
    #[must_use]
    pub fn decoded(&self) -> Cow<'a, [u8]> {
        // Few paths contain a percent sign.
        if memchr::memchr(b'%', self.path.as_bytes()).is_none() {
            return Cow::Borrowed(self.path.as_bytes());
        }
        percent_decode_str(self.path).into()
    }
}

/// Returns whether a destination begins with a scheme (RFC 3986 §3.1) or `//`. A single letter is a Windows drive,
/// which no server serves.
#[must_use]
pub fn has_scheme(destination: &str) -> bool {
    if destination.starts_with("//") {
        return true;
    }
    let Some(colon) = memchr::memchr(b':', destination.as_bytes()) else { return false };
    let scheme = &destination.as_bytes()[..colon];
    scheme.len() > 1
        && scheme[0].is_ascii_alphabetic()
        && scheme.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

/// Returns the destination of a link from the document `from` to `to`, both relative to the same folder.
#[must_use]
pub fn relative_link(from: &str, to: &str) -> String {
    encode_destination(&relative(parent(from.as_bytes()), to.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_are_taken_apart() {
        assert_eq!(
            Parts::new("a%20b.md?plain=1#x?y"),
            Parts { path: "a%20b.md", query: Some("plain=1"), fragment: Some("x?y") }
        );
        assert_eq!(*Parts::new("a%20b.md").decoded(), *b"a b.md");
        assert_eq!(Parts::new("#"), Parts { path: "", query: None, fragment: Some("") });
    }

    #[test]
    fn schemes() {
        for yes in ["https://x", "mailto:a@b.c", "//host/x", "vscode:x", "x-y.z+1:"] {
            assert!(has_scheme(yes), "{yes}");
        }
        for no in ["a.md", "a/b:c", "c:\\x", ":x", "#a:b", "1a:b"] {
            assert!(!has_scheme(no), "{no}");
        }
    }

    #[test]
    fn links_between_documents() {
        for (from, to, link) in [
            ("README.md", "docs/a.md", "docs/a.md"),
            ("docs/a.md", "README.md", "../README.md"),
            ("docs/x/a.md", "docs/y/b.md", "../y/b.md"),
            ("docs/a.md", "docs/b (1).md", "b%20%281%29.md"),
            ("docs/a.md", "docs/a.md", "a.md"),
            ("a/b/c.md", "a/b", "."),
        ] {
            assert_eq!(relative_link(from, to), link, "{from} to {to}");
        }
    }
}
