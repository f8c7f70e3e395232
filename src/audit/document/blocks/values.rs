//! Pieces of templates' and programs' syntax: quoted texts, balanced brackets.

/// A longer tag or expression is a mistake: bad input costs no more than this at each mark.
pub(super) const LONGEST: usize = 1 << 14;

/// Returns the first quoted text of `text` and where it begins.
pub(super) fn quoted(text: &str) -> Option<(usize, &str)> {
    let start = text.find(['"', '\'', '`'])?;
    let quote = text[start..].chars().next()?;
    let value = &text[start + 1..];
    Some((start + 1, &value[..value.find(quote)?]))
}

/// Returns whether a tag is alone on its lines.
pub(super) fn is_alone(source: &str, start: usize, end: usize) -> bool {
    let bytes = source.as_bytes();
    let is_blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r');
    let before = bytes[..start].iter().rev().find(|byte| !is_blank(byte));
    let behind = bytes[end..].iter().find(|byte| !is_blank(byte));
    before.is_none_or(|byte| *byte == b'\n') && behind.is_none_or(|byte| *byte == b'\n')
}

/// Returns where the expression ends that begins with `{` at `start`: strings, templates and comments of JavaScript are
/// passed over.
pub(super) fn expression_end(source: &str, start: usize) -> Option<usize> {
    let bytes = source.as_bytes();
    let limit = bytes.len().min(start + LONGEST);
    let (mut depth, mut at) = (0_usize, start);
    while at < limit {
        match bytes[at] {
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at = memchr::memmem::find(&bytes[at..limit], b"*/").map(|length| at + length + 2)?;
                continue;
            }
            quote @ (b'"' | b'`') => at = string_end(&bytes[..limit], at, quote).unwrap_or(at),
            // An apostrophe in text between tags is none of a string's.
            b'\'' => {
                let end = string_end(&bytes[..limit], at, b'\'');
                at = end.filter(|end| !bytes[at..*end].contains(&b'\n')).unwrap_or(at);
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// Returns where the string ends that begins with `quote` at `start`: the place of its last quote.
pub(super) fn string_end(bytes: &[u8], start: usize, quote: u8) -> Option<usize> {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            byte if byte == quote => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_and_strings() {
        for (text, end) in [
            ("{a} b", Some(3)),
            ("{/* } */}", Some(9)),
            ("{'}' + `}` + \"}\"}", Some(17)),
            ("{ {a: {}} }x", Some(11)),
            ("{a", None),
            ("{don't}", Some(7)),
        ] {
            assert_eq!(expression_end(text, 0), end, "{text}");
        }
        assert_eq!(quoted("ref \"a b\" 'c'"), Some((5, "a b")));
    }
}
