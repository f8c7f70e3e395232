//! Percent-encoding of paths (RFC 3986 §2.1), with one character set for each place that holds a path.

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_encode, utf8_percent_encode};

/// The characters that a Markdown link destination cannot hold (CommonMark 6.3) or that end its path (RFC 3986 §3.3).
const DESTINATION: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'%')
    .add(b'#')
    .add(b'?')
    .add(b'(')
    .add(b')')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'"')
    .add(b'*');

/// Every character except the unreserved ones (RFC 3986 §2.3) and `/`.
const URI_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// Encodes a path as a Markdown link destination. Letters of non-Latin alphabets stay readable.
#[must_use]
pub fn encode_destination(path: &[u8]) -> String {
    match std::str::from_utf8(path) {
        Ok(text) => text
            .chars()
            .map(|c| if c.is_ascii() { percent_encode(&[c as u8], DESTINATION).to_string() } else { c.to_string() })
            .collect(),
        Err(_) => percent_encode(path, DESTINATION).to_string(),
    }
}

/// Encodes a path as a relative URI reference, so that no part of it reads as a scheme, a query or a fragment.
#[must_use]
pub fn encode_uri_path(path: &str) -> String {
    utf8_percent_encode(path, URI_PATH).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_keep_letters() {
        assert_eq!(encode_destination("a b/(ü)#.md".as_bytes()), "a%20b/%28ü%29%23.md");
        assert_eq!(encode_destination("docs/b (1).md".as_bytes()), "docs/b%20%281%29.md");
        assert_eq!(encode_destination(b"a\xff.md"), "a%FF.md");
    }

    #[test]
    fn uris_are_paths_only() {
        assert_eq!(encode_uri_path("a b/c:d?e#f%.md"), "a%20b/c%3Ad%3Fe%23f%25.md");
        assert_eq!(encode_uri_path("ü.md"), "%C3%BC.md");
    }
}
