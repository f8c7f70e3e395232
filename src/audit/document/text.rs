//! Bytes → text in which every offset is one of the bytes.

use std::borrow::Cow;

use super::Span;

/// A document's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// As long as the bytes.
    pub text: Cow<'a, str>,
    /// The first bytes that are no UTF-8, if any.
    pub invalid: Option<Span>,
}

/// Takes bytes for UTF-8. Each byte that is none becomes a question mark, so that offsets, lines and edits still hold.
#[must_use]
pub fn decode(bytes: &[u8]) -> Decoded<'_> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Decoded { text: Cow::Borrowed(text), invalid: None };
    }
    let mut text = String::with_capacity(bytes.len());
    let mut invalid = None;
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        let start = text.len();
        text.extend(chunk.invalid().iter().map(|_| '?'));
        if start < text.len() {
            invalid.get_or_insert_with(|| Span::from_range(&(start..text.len())));
        }
    }
    Decoded { text: Cow::Owned(text), invalid }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_stay() {
        let decoded = decode(b"a\xff\xfeb \xe4\xb8\xad \xe4\xb8");
        assert_eq!(decoded.text, "a??b 中 ??");
        assert_eq!(decoded.invalid, Some(Span { start: 1, end: 2 }));
        assert_eq!(decode("ü".as_bytes()), Decoded { text: "ü".into(), invalid: None });
    }
}
