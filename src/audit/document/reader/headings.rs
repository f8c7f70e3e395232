//! Headings and terms: their text, and the names that they get.

use std::borrow::Cow;
use std::ops::Range;

use super::DocumentReader;
use crate::audit::document::{Construct, Text, source};
use crate::markdown::slug::{Dialect, Slugger, docutils};

/// A heading that has begun.
pub(super) struct Heading {
    pub(super) text: String,
    pub(super) id: Option<String>,
    pub(super) level: u8,
}

/// The headings so far.
#[derive(Default)]
pub(super) struct Headings {
    /// Where they stand.
    pub(super) places: Vec<Range<usize>>,
    /// The one that has begun.
    pub(super) open: Option<Heading>,
    /// The last one's text, for its memory.
    pub(super) spare: String,
    /// The text of the first one of level 1.
    pub(super) title: Option<Text>,
    /// A second heading has been seen: what comes is no banner.
    pub(super) body: bool,
    /// The text of a term that has begun.
    term: Option<String>,
}

impl DocumentReader<'_> {
    /// Adds text to the heading or term that it stands in.
    pub(super) fn heading_text(&mut self, text: &str) {
        if self.inside.images > 0 && !self.syntax.has(Construct::ImageText) {
            return;
        }
        if let Some(heading) = &mut self.headings.open {
            heading.text.push_str(text);
        } else if let Some(heading) = &mut self.markup.heading {
            heading.push_str(text);
        } else if let Some(term) = &mut self.headings.term {
            term.push_str(text);
        }
    }

    /// Adds code to the heading that it stands in: what looks like a directive there is none.
    pub(super) fn heading_code(&mut self, text: &str) {
        if self.syntax.has(Construct::TextDirectives) && self.headings.open.is_some() && text.contains(':') {
            // No slug has a colon: a double one is no directive.
            self.heading_text(&text.replace(':', "::"));
        } else if self.syntax.dialect == Dialect::Mdbook && text.contains("--") {
            // Neither has one a control character; in code no hyphens are a dash.
            self.heading_text(&text.replace('-', "-\u{1}"));
        } else {
            self.heading_text(text);
        }
    }

    /// Begins a term, which has an id.
    pub(super) fn start_term(&mut self) {
        self.headings.term = Some(String::new());
    }

    pub(super) fn end_term(&mut self) {
        if let Some(text) = self.headings.term.take() {
            let slug = self.strings.add(self.slugger.next(text.trim()));
            self.names.push(slug);
            self.name_with_dashes(text.trim(), slug);
        }
    }

    /// Since its version 0.5, mdBook makes dashes of hyphens unless the settings say otherwise: both names count.
    fn name_with_dashes(&mut self, text: &str, slug: Text) {
        if self.syntax.dialect != Dialect::Mdbook {
            return;
        }
        let name = self.with_dashes.next(&with_dashes(text));
        if name != self.strings.get(slug) {
            self.names.push(self.strings.add(name));
        }
    }

    pub(super) fn end_heading(&mut self) {
        let Some(heading) = self.headings.open.take() else { return };
        if let Dialect::Myst { depth } = self.syntax.dialect {
            self.end_myst_heading(heading, depth);
            return;
        }
        // The parser leaves a tab at the end of `## x<TAB>`.
        let mut text = heading.text.trim();
        let mut id = heading.id;
        if self.syntax.has(Construct::AttributeLists)
            && let Some((before, list)) = text.strip_suffix('}').and_then(|rest| rest.rsplit_once('{'))
            && (list.starts_with(':') || list.split_whitespace().any(|word| source::attribute_id(word).is_some()))
        {
            id = id.or_else(|| list.split_whitespace().find_map(source::attribute_id).map(str::to_owned));
            text = before.trim_end();
        }
        if heading.level == 1 && self.headings.title.is_none() {
            let title = if text.contains('\u{1}') { text.replace('\u{1}', "").into() } else { Cow::Borrowed(text) };
            self.headings.title = Some(self.strings.add(&title));
        }
        if self.syntax.has(Construct::NodeText) {
            // html-pipeline and Docusaurus take the text of the heading's node as it is: the blank beside an image becomes a hyphen.
            text = heading.text.trim_matches(['\t', '\n', '\r']);
        }
        let named = if self.syntax.has(Construct::TextDirectives) { without_directives(text) } else { text.into() };
        let slug = match &id {
            Some(id) => self.strings.add(id),
            None => self.strings.add(self.slugger.next(&named)),
        };
        self.names.push(slug);
        if id.is_none() && matches!(named, Cow::Owned(_)) {
            // Before its version 3, Docusaurus had no directives.
            let name = self.strings.add(Slugger::new(self.syntax.dialect).next(text));
            self.names.push(name);
        }
        if id.is_none() {
            self.name_with_dashes(text, slug);
        }
        self.headings.spare = heading.text;
        self.headings.spare.clear();
    }

    /// A heading of MyST has two names: the slug, which `myst_heading_anchors` gives to the upper levels, and docutils' id.
    fn end_myst_heading(&mut self, heading: Heading, depth: u8) {
        // Blanks beside an image or a role become hyphens.
        let text = heading.text.trim_matches(['\t', '\n', '\r']);
        if heading.level == 1 && self.headings.title.is_none() {
            self.headings.title = Some(self.strings.add(text.trim()));
        }
        // `{#id}` behind a link or code is an attribute, behind plain text it is text: either is taken.
        let before = text.strip_suffix('}').and_then(|rest| rest.rsplit_once('{')).map(|(before, _)| before.trim_end());
        for text in [Some(text), before].into_iter().flatten() {
            if heading.level <= depth {
                self.names.push(self.strings.add(self.slugger.next(text)));
            }
            self.names.push(self.strings.add(&docutils(text)));
        }
        self.headings.spare = heading.text;
        self.headings.spare.clear();
    }
}

/// A text with a dash for each run of hyphens.
fn with_dashes(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for part in text.split_inclusive(|c| c != '-') {
        let hyphens = part.bytes().take_while(|byte| *byte == b'-').count();
        if hyphens > 1 {
            kept.push('–');
        }
        kept.push_str(if hyphens > 1 { &part[hyphens..] } else { part });
    }
    kept
}

/// A text without `:name`, as `micromark-extension-directive` reads it: no colon before or behind it, and a name of ASCII
/// letters and digits, `-` and `_`, that begins with a letter and does not end with a mark.
fn without_directives(text: &str) -> Cow<'_, str> {
    let mut kept = String::new();
    let (mut copied, mut from) = (0, 0);
    while let Some(colon) = text[from..].find(':').map(|at| from + at) {
        let name = &text[colon + 1..];
        let length =
            name.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')).count();
        from = colon + 1 + length;
        let is_directive = !text[..colon].ends_with(':')
            && name.starts_with(|first: char| first.is_ascii_alphabetic())
            && !name[..length].ends_with(['-', '_'])
            && !name[length..].starts_with(':');
        if is_directive {
            kept.push_str(&text[copied..colon]);
            copied = from;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    kept.push_str(&text[copied..]);
    Cow::Owned(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hyphens_become_dashes() {
        for (text, rest) in [("a -- b---", "a – b–"), ("a-b -\u{1}-\u{1}c", "a-b -\u{1}-\u{1}c"), ("--", "–")] {
            assert_eq!(with_dashes(text), rest, "{text:?}");
        }
    }

    #[test]
    fn directives_are_no_text() {
        for (text, rest) in [
            ("a:b c", "a c"),
            (":b", ""),
            ("npm run start:dev-x", "npm run start"),
            (":smile: std::vec 10:30 x: y a:b- :c_", ":smile: std::vec 10:30 x: y a:b- :c_"),
            ("a:b:c d", "a:b d"),
        ] {
            assert_eq!(without_directives(text), rest, "{text}");
        }
    }
}
