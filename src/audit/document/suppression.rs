//! `<!-- mcp-kit-ignore broken-link: reason -->`: findings that a writer has looked at and accepts, and why.

use std::ops::Range;

use super::{Span, Strings, Text};
use crate::audit::finding::Code;

/// A parsed suppression comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// The comment.
    pub span: Span,
    /// Which findings; empty when the comment is defective.
    pub codes: Vec<Code>,
    /// The bytes whose findings it covers.
    pub covers: Span,
    /// The defect.
    pub defect: Option<Defect>,
}

/// A defect of a suppression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// No reason is given.
    NoReason,
    /// No code is given.
    NoCode,
    /// This is none of the codes.
    UnknownCode(Text),
}

/// The beginning of such comments.
const WORD: &str = "mcp-kit-ignore";

/// Finds them in the comments of `text[range]`, which begins at `base` of the document.
pub(super) fn find(text: &str, base: usize, range: Range<usize>, strings: &mut Strings, found: &mut Vec<Suppression>) {
    let Some(html) = text.get(range.clone()) else { return };
    let mut at = 0;
    while let Some(start) = html[at..].find("<!--").map(|start| at + start) {
        // `<!-->` is a whole comment (CommonMark 6.6).
        let Some(length) = html[start + 2..].find("-->") else { return };
        at = start + 2 + length + 3;
        let Some(rest) = html.get(start + 4..at - 3).unwrap_or_default().trim().strip_prefix(WORD) else { continue };
        let (whole, rest) = rest.strip_prefix("-file").map_or((false, rest), |rest| (true, rest));
        if rest.starts_with(|c: char| c.is_alphanumeric() || c == '-') {
            continue;
        }
        let span = range.start + start..range.start + at;
        // Comments one below the other cover the same block; looking for its end once keeps thousands of them linear.
        let block_end =
            found.last().filter(|last: &&Suppression| !names_the_file(&text[last.span.start as usize - base..]));
        let block_end = block_end.map_or(0, |last| last.covers.end as usize - base);
        let covers = match covered(text, &span, block_end) {
            _ if whole => 0..base + text.len(),
            covers => base + covers.start..base + covers.end,
        };
        let (codes, defect) = read(rest, strings);
        let span = base + span.start..base + span.end;
        found.push(Suppression { span: Span::from_range(&span), codes, covers: Span::from_range(&covers), defect });
    }
}

fn read(rest: &str, strings: &mut Strings) -> (Vec<Code>, Option<Defect>) {
    let (names, reason) = rest.split_once(':').unwrap_or((rest, ""));
    let mut codes = Vec::new();
    for name in names.split([',', ' ', '\t', '\n', '\r']).filter(|name| !name.is_empty()) {
        match name.parse() {
            Ok(code) => codes.push(code),
            Err(_) => return (Vec::new(), Some(Defect::UnknownCode(strings.add(name)))),
        }
    }
    match () {
        () if codes.is_empty() => (codes, Some(Defect::NoCode)),
        () if reason.trim().is_empty() => (Vec::new(), Some(Defect::NoReason)),
        () => (codes, None),
    }
}

/// Returns whether a text begins with a comment for the whole file.
fn names_the_file(text: &str) -> bool {
    text.strip_prefix("<!--")
        .and_then(|text| text.trim_start().strip_prefix(WORD))
        .is_some_and(|text| text.starts_with("-file"))
}

/// On a line of its own it covers what follows up to the next blank line, otherwise its line. `block_end` is where the block of the
/// comment before it ends.
fn covered(text: &str, comment: &Range<usize>, block_end: usize) -> Range<usize> {
    let line_start = text[..comment.start].rfind('\n').map_or(0, |end| end + 1);
    let line_end = text[comment.end..].find('\n').map_or(text.len(), |end| comment.end + end);
    let is_blank = |text: &str| text.trim().trim_start_matches(['>', '-', '*', ' ']).is_empty();
    if !is_blank(&text[line_start..comment.start]) || !is_blank(&text[comment.end..line_end]) {
        return line_start..line_end;
    }
    // A line after this one belongs to that block, so it is this comment's as well.
    if block_end > line_end + 1 {
        return line_start..block_end;
    }
    let mut end = line_end;
    let mut begun = false;
    for line in text[line_end..].split_inclusive('\n') {
        let blank = line.trim().is_empty();
        if begun && blank {
            break;
        }
        // One blank line between the comment and what it is about is how most people write.
        begun |= !blank;
        end += line.len();
    }
    line_start..end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> (Vec<Code>, String, Option<Defect>) {
        let (mut strings, mut found) = (Strings::default(), Vec::new());
        find(text, 0, 0..text.len(), &mut strings, &mut found);
        let suppression = found.pop().unwrap();
        assert!(found.is_empty());
        (suppression.codes, text[suppression.covers.range()].to_owned(), suppression.defect)
    }

    #[test]
    fn covers_its_line_or_the_block_after_it() {
        let (codes, covers, defect) = one("a\n[x](y) <!-- mcp-kit-ignore broken-link: soon -->\nb\n");
        assert_eq!((codes, defect), (vec![Code::BrokenLink], None));
        assert_eq!(covers, "[x](y) <!-- mcp-kit-ignore broken-link: soon -->");
        let text = "<!-- mcp-kit-ignore broken-link, path-case: soon -->\n\n- a\n- b\n\nc\n";
        let (codes, covers, _) = one(text);
        assert_eq!(codes, [Code::BrokenLink, Code::PathCase]);
        assert!(covers.ends_with("- a\n- b\n"), "{covers:?}");
        let (_, covers, _) = one("a\n\n<!-- mcp-kit-ignore-file orphan: linked from the wiki -->\n\nb");
        assert!(covers.starts_with('a') && covers.ends_with('b'));
    }

    #[test]
    fn a_reason_and_known_codes_are_required() {
        assert_eq!(one("<!-- mcp-kit-ignore broken-link -->").2, Some(Defect::NoReason));
        assert_eq!(one("<!-- mcp-kit-ignore broken-link:  -->").2, Some(Defect::NoReason));
        assert_eq!(one("<!-- mcp-kit-ignore: reason -->").2, Some(Defect::NoCode));
        assert!(matches!(one("<!-- mcp-kit-ignore broken-lnk: reason -->").2, Some(Defect::UnknownCode(_))));
    }
}
