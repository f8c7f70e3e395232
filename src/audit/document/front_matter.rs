//! The block of settings at the head of a page: YAML between `---` or TOML between `+++`. Only a few plain values are wanted, so lines
//! are read rather than a whole YAML parsed, and a broken block costs nothing else.

use std::ops::Range;

use super::{Span, Strings, Text};

/// The statements of a page about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrontMatter {
    /// `true` when there is a block, if only an empty one.
    pub is_there: bool,
    /// `title:`.
    pub title: Option<Text>,
    /// `status:`.
    pub status: Option<(Span, Text)>,
    /// `review_by:` and its like, as written.
    pub review: Option<(Span, Text)>,
    /// `superseded_by:` and its like.
    pub replacement: Option<Text>,
    /// `slug:`: the last part of the page's address, or all of it.
    pub slug: Option<Text>,
    /// `id:`.
    pub id: Option<Text>,
    /// `url:`, `permalink:`: the page's address.
    pub address: Option<Text>,
    /// Other addresses of the page: `slug:`, `id:`, `url:`, `permalink:`, `aliases:`, `redirect_from:`.
    pub addresses: Vec<Text>,
    /// It has a title for lists, which a generator makes of what is in a folder: `linkTitle:`.
    pub listed: bool,
    /// It is not finished: `draft: true`.
    pub draft: bool,
    /// It says that no list has it: `orphan:` (Sphinx).
    pub alone: bool,
    /// Readers are sent somewhere else: `redirect:`, `redirect_to:`.
    pub redirects: bool,
    /// The page shows an operation of an API description, with names of places of its own: `openapi:`, `asyncapi:`.
    pub describes: bool,
}

impl FrontMatter {
    /// Returns whether it has what generators of sites ask for: a title or an id.
    #[must_use]
    pub const fn is_of_a_site(&self) -> bool {
        self.title.is_some() || self.id.is_some()
    }
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
    let ends = |line: &str| line == fence || fence == "---" && line == "...";
    for newline in memchr::memchr_iter(b'\n', text.as_bytes()) {
        let start = newline + 1;
        // Most lines are told from a fence by their first byte.
        if !text[start..].starts_with(['-', '+', '.']) {
            continue;
        }
        let line = text[start..].split_inclusive('\n').next().unwrap_or_default();
        if ends(line.trim_end()) {
            return 0..start + line.len();
        }
    }
    0..0
}

/// Where the settings are in a comment at the head, which says that it has them: so documents that a site takes from elsewhere bring theirs
/// along without GitHub showing them.
#[must_use]
pub(super) fn in_comment(text: &str) -> Range<usize> {
    let Some((first, rest)) = text.split_once('\n').filter(|_| text.starts_with("<!--")) else { return 0..0 };
    if first.contains("-->") || !first.to_ascii_lowercase().contains("front matter") {
        return 0..0;
    }
    rest.find("-->").map_or(0..0, |end| first.len() + 1..first.len() + 1 + end)
}

/// The setting that the next lines with a dash belong to.
#[derive(Clone, Copy)]
enum Listed {
    Addresses,
    Replacement,
}

/// Reads the block at `offset` of the document.
pub(super) fn read(block: &str, offset: usize, strings: &mut Strings) -> FrontMatter {
    let mut found = FrontMatter::default();
    let mut at = offset;
    let mut list = None;
    for line in block.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let item = line.trim_start().strip_prefix("- ");
        if let (Some(list), Some(item)) = (list, item) {
            let item = strings.add(plain(item));
            match list {
                Listed::Addresses => found.addresses.push(item),
                Listed::Replacement => found.replacement = found.replacement.or(Some(item)),
            }
            continue;
        }
        if line.starts_with([' ', '\t', '#', '-']) {
            continue;
        }
        let Some(end) = memchr::memchr2(b':', b'=', line.as_bytes()) else { continue };
        let value = || plain(&line[end + 1..]);
        let span = || Span::from_range(&(start..start + line.trim_end().len()));
        list = None;
        match line[..end].trim() {
            "title" => found.title = Some(strings.add(value())),
            "status" => found.status = Some((span(), strings.add(value()))),
            "review_by" | "review-by" | "review_date" | "review-date" | "next_review" | "next-review" | "review_on" => {
                found.review = Some((span(), strings.add(value())));
            }
            "superseded_by" | "superseded-by" | "replaced_by" | "replaced-by" | "replacement" => {
                list = Some(Listed::Replacement);
                // Templates of proposals have an empty one, for the authors to fill in.
                let none = ["", "[]", "~", "null", "none", "None"];
                let name = Some(value()).filter(|value| !none.contains(value));
                found.replacement = name.map(|name| strings.add(name));
            }
            "linkTitle" | "linktitle" => found.listed = true,
            "orphan" => found.alone = value() != "false",
            "draft" => found.draft = value() == "true",
            "redirect" | "redirect_to" | "redirectTo" => found.redirects = true,
            "openapi" | "openapi-schema" | "asyncapi" => found.describes = !value().is_empty(),
            name @ ("slug" | "id" | "url" | "permalink") => {
                let address = strings.add(value());
                found.addresses.push(address);
                match name {
                    "slug" => found.slug = Some(address),
                    "id" => found.id = Some(address),
                    _ => found.address = Some(address),
                }
            }
            "aliases" | "redirect_from" => {
                list = Some(Listed::Addresses);
                let values = value().trim_matches(['[', ']']).split(',').map(plain).filter(|value| !value.is_empty());
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
    fn a_replacement_is_named_or_there_is_none() {
        let replacement = |text: &str| {
            let mut strings = Strings::default();
            let found = read(text, 0, &mut strings).replacement;
            found.map(|name| strings.get(name).to_owned())
        };
        assert_eq!(replacement("superseded-by: b.md\n").as_deref(), Some("b.md"));
        assert_eq!(replacement("superseded-by:\n  - b.md\n  - c.md\n").as_deref(), Some("b.md"));
        for none in [
            "superseded-by:\n",
            "superseded-by: []\nreplaces:\n  - b.md\n",
            "replaced_by: ~\n",
            "superseded_by: \"\"\n",
        ] {
            assert_eq!(replacement(none), None, "{none}");
        }
    }

    #[test]
    fn settings_in_a_comment() {
        let text = "<!--- Hugo front matter used to generate the website version of this page:\nlinkTitle: A\nredirect: /b/ 301!\n--->\n\n# A\n";
        let block = in_comment(text);
        assert_eq!(&text[block.clone()], "linkTitle: A\nredirect: /b/ 301!\n-");
        let found = read(&text[block], 0, &mut Strings::default());
        assert!(found.listed && found.redirects);
        for text in
            ["<!-- front matter -->\na: b\n-->", "<!-- front matter\na: b\n", "<!-- a note\nlinkTitle: x\n-->\n", ""]
        {
            assert_eq!(in_comment(text), 0..0, "{text:?}");
        }
    }

    #[test]
    fn a_rule_is_no_front_matter() {
        for text in ["---\n\ntext", "--- x\n---\n", "", "---", "text\n---\n"] {
            assert_eq!(locate(text), 0..0, "{text:?}");
        }
    }
}
