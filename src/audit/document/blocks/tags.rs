//! Tags of HTML and JSX: where one ends, and what its name is.

use super::values::{LONGEST, expression_end};

/// A tag.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tag<'a> {
    /// Where it ends.
    pub(super) end: usize,
    /// Its name; empty for `<>`.
    pub(super) name: &'a str,
    /// It ends an element.
    pub(super) closes: bool,
    /// It is an element by itself.
    pub(super) is_empty: bool,
}

/// Returns the tag that begins with `<` at `start`. Its attributes may be JSX, with expressions in braces.
pub(super) fn tag(source: &str, start: usize) -> Option<Tag<'_>> {
    let bytes = source.as_bytes();
    let closes = bytes.get(start + 1) == Some(&b'/');
    let from = start + 1 + usize::from(closes);
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'$');
    let length = bytes.get(from..)?.iter().take_while(|byte| is_name(byte)).count();
    let name = &source[from..from + length];
    // `<https://…>` and `<mail@…>` are none, nor is `a < b`.
    if name.ends_with(':') || name.starts_with(|c: char| !c.is_ascii_alphabetic()) {
        return None;
    }
    let limit = bytes.len().min(start + LONGEST);
    let mut at = from + length;
    if !matches!(bytes.get(at), Some(b'>' | b'/' | b' ' | b'\t' | b'\n' | b'\r' | b'{')) {
        return None;
    }
    while at < limit {
        match bytes[at] {
            b'>' => {
                let is_empty = bytes[at - 1] == b'/';
                return Some(Tag { end: at + 1, name, closes, is_empty });
            }
            b'{' => at = expression_end(source, at)?,
            quote @ (b'"' | b'\'') => at += 2 + memchr::memchr(quote, &bytes[at + 1..limit])?,
            b'<' => return None,
            _ => at += 1,
        }
    }
    None
}

/// Returns where the element ends whose tag `opened` ends at `from`.
pub(super) fn element_end(source: &str, from: usize, name: &str) -> Option<usize> {
    let mut depth = 1_usize;
    for at in memchr::memchr_iter(b'<', &source.as_bytes()[from..]).map(|at| from + at) {
        let bytes = source.as_bytes();
        let closes = bytes.get(at + 1) == Some(&b'/');
        let start = at + 1 + usize::from(closes);
        let is_same = source.get(start..start + name.len()).is_some_and(|other| other.eq_ignore_ascii_case(name))
            && matches!(bytes.get(start + name.len()), Some(b'>' | b' ' | b'\t' | b'\n' | b'\r' | b'/'));
        if !is_same {
            continue;
        }
        let end = at + memchr::memchr(b'>', &bytes[at..])? + 1;
        match (closes, bytes[end - 2] == b'/') {
            (true, _) => depth -= 1,
            (false, false) => depth += 1,
            (false, true) => {}
        }
        if depth == 0 {
            return Some(end);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_tags() {
        for (text, end) in [
            ("<a href=\"x>y\">z", Some(14)),
            ("<Card icon={<B/>} />", Some(20)),
            ("</Tabs.Item>", Some(12)),
            ("<>x", Some(2)),
            ("<https://a.b>", None),
            ("<a@b.c>", None),
            ("< b", None),
            ("<a", None),
        ] {
            assert_eq!(tag(text, 0).map(|tag| tag.end), end, "{text}");
        }
        let text = "<div><div>a</div><div/></DIV> b";
        assert_eq!(element_end(text, 5, "div"), Some(29));
        assert_eq!(element_end("<div>", 5, "div"), None);
    }
}
