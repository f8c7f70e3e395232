//! The block of settings at the head of a page: YAML between `---` or TOML between `+++`. Only a few plain values are wanted, so lines
//! are read rather than a whole YAML parsed, and a broken block costs nothing else.

use std::ops::Range;

use super::{Span, Strings, Text};

/// What a page says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrontMatter {
    /// `title:`.
    pub title: Option<Text>,
    /// `status:`.
    pub status: Option<(Span, Text)>,
    /// `review_by:` and its like, as written.
    pub review: Option<(Span, Text)>,
    /// `superseded_by:` and its like.
    pub replacement: Option<Text>,
    /// Other addresses of the page: `slug:`, `id:`, `url:`, `permalink:`, `aliases:`, `redirect_from:`.
    pub addresses: Vec<Text>,
}

/// Where the block is in `text`, fences included; empty when there is none.
#[must_use]
pub(super) fn locate(text: &str) -> Range<usize> {
    let Some(fence) = ["---", "+++"]
        .into_iter()
        .find(|fence| text.starts_with(fence) && text[3..].trim_start_matches([' ', '\t', '\r']).starts_with('\n'))
    else {
        return 0..0;
    };
    let mut at = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        at += line.len();
        let line = line.trim_end();
        if number > 0 && (line == fence || fence == "---" && line == "...") {
            return 0..at;
        }
    }
    0..0
}

/// Reads the block at `offset` of the document.
pub(super) fn read(block: &str, offset: usize, strings: &mut Strings) -> FrontMatter {
    let mut found = FrontMatter::default();
    let mut at = offset;
    let mut list = false;
    for line in block.split_inclusive('\n') {
        let span = Span::of(&(at..at + line.trim_end().len()));
        at += line.len();
        let item = line.trim_start().strip_prefix("- ");
        if let (true, Some(item)) = (list, item) {
            found.addresses.push(strings.add(plain(item)));
            continue;
        }
        if line.starts_with([' ', '\t', '#', '-']) {
            continue;
        }
        let Some((key, value)) = line.split_once([':', '=']) else { continue };
        let value = plain(value);
        list = false;
        match key.trim() {
            "title" => found.title = Some(strings.add(value)),
            "status" => found.status = Some((span, strings.add(value))),
            "review_by" | "review-by" | "review_date" | "review-date" | "next_review" | "next-review" | "review_on" => {
                found.review = Some((span, strings.add(value)));
            }
            "superseded_by" | "superseded-by" | "replaced_by" | "replaced-by" | "replacement" => {
                found.replacement = Some(strings.add(value));
            }
            "slug" | "id" | "url" | "permalink" => found.addresses.push(strings.add(value)),
            "aliases" | "redirect_from" => {
                list = true;
                let values = value.trim_matches(['[', ']']).split(',').map(plain).filter(|value| !value.is_empty());
                found.addresses.extend(values.map(|value| strings.add(value)));
            }
            _ => {}
        }
    }
    found
}

/// A scalar without its quotation marks and comment.
fn plain(value: &str) -> &str {
    let value = value.trim();
    for quote in ['"', '\''] {
        if let Some(rest) = value.strip_prefix(quote) {
            return rest.split(quote).next().unwrap_or(rest);
        }
    }
    value.split(" #").next().unwrap_or(value).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_plain() {
        let text = "---\ntitle: \"A: b\" # c\nstatus: deprecated\naliases:\n  - /old/\n  - 'older'\nnested:\n  status: no\nreview_by: 2026-01-31\n---\n# x\n";
        let block = locate(text);
        assert_eq!(&text[block.end..], "# x\n");
        let mut strings = Strings::default();
        let found = read(&text[block], 0, &mut strings);
        let addresses: Vec<_> = found.addresses.iter().map(|address| strings.get(*address)).collect();
        assert_eq!(addresses, ["/old/", "older"]);
        assert_eq!(found.title.map(|title| strings.get(title)), Some("A: b"));
        let (span, status) = found.status.unwrap();
        assert_eq!((&text[span.range()], strings.get(status)), ("status: deprecated", "deprecated"));
        assert_eq!(found.review.map(|(_, date)| strings.get(date)), Some("2026-01-31"));
    }

    #[test]
    fn a_rule_is_no_front_matter() {
        for text in ["---\n\ntext", "--- x\n---\n", "", "---", "text\n---\n"] {
            assert_eq!(locate(text), 0..0, "{text:?}");
        }
    }
}
