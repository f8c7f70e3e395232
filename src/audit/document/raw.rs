//! Text that its writer meant as a link and that readers see as written.

use std::ops::Range;

use super::parsed::Parsed;
use super::{Construct, Span, Strings, Syntax, Text};

/// Something that is shown as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raw {
    /// The kind.
    pub kind: RawKind,
    /// All of it.
    pub span: Span,
    /// The destination as written; empty for a footnote.
    pub destination_span: Span,
    /// The destination, or the label of the footnote.
    pub destination: Text,
}

/// How it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawKind {
    /// `[a](my file.md)`: a destination without `<>` has no blanks (CommonMark 6.3).
    Blank,
    /// `(text)[file.md]`.
    Reversed,
    /// `[^label]` without a footnote.
    Footnote,
}

/// A longer destination or text is none: long lines cost no more than this at each bracket.
const LONGEST: usize = 1 << 10;

/// Returns whether a bracket that is no link may have been meant for one.
pub(super) fn is_candidate(text: &str, span: &Range<usize>) -> bool {
    let bytes = text.as_bytes();
    bytes.get(span.end) == Some(&b'(') || span.start > 0 && bytes[span.start - 1] == b')'
}

/// Reads what stands beside a bracket.
pub(super) fn read(parsed: &Parsed<'_>, span: &Range<usize>, syntax: &Syntax, strings: &mut Strings) -> Option<Raw> {
    let (kind, range, destination_span) = if parsed.text.as_bytes().get(span.end) == Some(&b'(') {
        let destination_span =
            blank(parsed.text, span.end + 1).filter(|_| !syntax.has(Construct::LooseDestinations))?;
        (RawKind::Blank, span.start..destination_span.end + 1, destination_span)
    } else {
        let start = reversed(parsed.text, span.start)?;
        (RawKind::Reversed, start..span.end, span.start + 1..span.end - 1)
    };
    let destination = strings.add(&parsed.text[destination_span.clone()]);
    Some(Raw { kind, span: parsed.span(&range), destination_span: parsed.span(&destination_span), destination })
}

/// Returns the destination with blanks that begins at `start`: a path on one line up to a parenthesis.
pub(super) fn blank(text: &str, start: usize) -> Option<Range<usize>> {
    let near = &text[start..text.floor_char_boundary(start + LONGEST)];
    let inner = &near[..near.find([')', '\n']).filter(|end| near.as_bytes()[*end] == b')')?];
    let is_path = inner.contains(' ')
        && inner.contains('.')
        && inner.trim() == inner
        && !inner.contains(['<', '>', '"', '(', '[', ']', '`', '\'', '{', '|'])
        && !inner.starts_with('#');
    is_path.then_some(start..start + inner.len())
}

/// Returns where the text in parentheses begins that ends before `end`.
fn reversed(text: &str, end: usize) -> Option<usize> {
    let near = text.ceil_char_boundary(end.saturating_sub(LONGEST));
    let start = near + text[near..end].rfind(['(', '\n'])?;
    if !text[start..].starts_with('(') {
        return None;
    }
    // `f(x)[0]` is a call.
    let before = text[..start].chars().next_back();
    before.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '_' | ']' | ')' | '\\' | '!')).then_some(start)
}

/// Returns `[^label]` at `start`, if it is one.
pub(super) fn footnote(text: &str, start: usize) -> Option<(Range<usize>, &str)> {
    let is_of_label = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let length = text[start + 2..].find(|c| !is_of_label(c))?;
    let label = &text[start + 2..start + 2 + length];
    let end = start + 2 + length + 1;
    let is_label = !label.is_empty();
    // `[^a-z]` is a class of characters.
    let is_range = label.len() == 3 && label.as_bytes()[1] == b'-' || label.starts_with('-');
    let closes = text.get(end - 1..).is_some_and(|rest| rest.starts_with(']'));
    let follows = text.get(end..).and_then(|rest| rest.chars().next());
    let before = text[..start].chars().next_back();
    (is_label
        && !is_range
        && closes
        && !matches!(follows, Some(':' | '(' | '[' | '*' | '+' | '?' | '{'))
        && !matches!(before, Some('\\' | '[' | '^' | '/')))
    .then_some((start..end, label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_for_a_link() {
        assert_eq!(blank("[a](my file.md) b", 4), Some(4..14));
        for prose in ["[a](b.md \"t\")", "[a](see below)", "[a](b", "[a]( b.md)", "[a](b.md 't')"] {
            assert_eq!(blank(prose, 4), None, "{prose}");
        }
        assert_eq!(reversed("x (the a)[b.md]", 9), Some(2));
        assert_eq!(reversed("f(x)[0]", 4), None);
        assert_eq!(footnote("a[^1] b", 1), Some((1..5, "1")));
        for other in ["[^a-z]+", "[^a", "[^1]: x", "[^]", "[^a b]"] {
            assert_eq!(footnote(other, 0), None, "{other}");
        }
    }
}
