//! Where a document is for those who read the report: from the folder in which the audit was started, not from its root.

use std::borrow::Cow;

/// `path` below `root`, as one writes it in the folder in which `root` was given.
pub(crate) fn located<'a>(root: &str, path: &'a str) -> Cow<'a, str> {
    let root = root.trim_end_matches('/');
    let root = root.strip_prefix("./").unwrap_or(root);
    match root {
        "." => Cow::Borrowed(path),
        // `/` itself, or nothing at all.
        "" => Cow::Borrowed(path),
        root => Cow::Owned(format!("{root}/{path}")),
    }
}

/// `path` as a relative URI reference: everything but unreserved characters and `/` is escaped (RFC 3986 §2.3), so that no part of it
/// is taken for a scheme, a query or a fragment.
pub(crate) fn uri(path: &str) -> String {
    use std::fmt::Write as _;
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

/// Text that a terminal or a log shows as it is: no control characters, and none that turn the direction of writing around.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    let bad = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(bad) {
        return Cow::Borrowed(text);
    }
    let show = |c: char| match c {
        '\t' => ' ',
        // The pictures of control characters stand in their order.
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\x7f' => '\u{2421}',
        c if bad(c) => '\u{fffd}',
        c => c,
    };
    Cow::Owned(text.chars().map(show).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_folder_one_stands_in() {
        for (root, path) in [
            (".", "a.md"),
            ("./", "a.md"),
            ("", "a.md"),
            ("docs", "docs/a.md"),
            ("./docs/", "docs/a.md"),
            ("../x", "../x/a.md"),
            ("/srv", "/srv/a.md"),
        ] {
            assert_eq!(located(root, "a.md"), path, "{root:?}");
        }
    }

    #[test]
    fn uris_are_paths_only() {
        assert_eq!(uri("a b/c:d?e#f%.md"), "a%20b/c%3Ad%3Fe%23f%25.md");
        assert_eq!(uri("ü.md"), "%C3%BC.md");
    }

    #[test]
    fn a_terminal_is_not_commanded() {
        assert_eq!(visible("\u{1b}[31mred\u{7}\u{9b}\u{202e}\t\u{7f}"), "␛[31mred␇\u{fffd}\u{fffd} ␡");
    }
}
