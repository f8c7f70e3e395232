//! Headings and terms: their text, and the names that they get.

use std::borrow::Cow;
use std::ops::Range;

use super::DocumentReader;
use crate::audit::document::{Construct, Text, source};
use crate::markdown::slug::{Dialect, Slugger, docutils};

/// A heading that has begun.
pub(super) struct Heading {
    pub(super) text: String,
    /// The text by which Hugo names it.
    pub(super) spans: Spans,
    pub(super) id: Option<String>,
    pub(super) level: u8,
}

/// The text of a heading as Goldmark has it: of emphasis, a link or an image only what stands first in it, up to the next mark. What stands first
/// may be another one of them.
#[derive(Default)]
pub(super) struct Spans {
    text: String,
    /// For each of them that is open, whether anything more in it is left out.
    open: Vec<bool>,
}

impl Spans {
    fn start(&mut self, has_text: bool) {
        let is_first = self.is_heard();
        self.open.push(!(is_first && has_text));
    }

    /// Returns whether what comes is a part of the text: of what is open, only what stands first in it is.
    fn is_heard(&mut self) -> bool {
        self.open.last_mut().is_none_or(|is_done| !std::mem::replace(is_done, true))
    }

    fn add(&mut self, text: &str) {
        let is_inside = !self.open.is_empty();
        if text.is_empty() || !self.is_heard() {
            return;
        }
        let end = if is_inside { text.find(['_', '*']).map_or(text.len(), |mark| mark + 1) } else { text.len() };
        self.text.push_str(&text[..end]);
    }
}

/// `Setup {#setup}`, `Setup {: #setup}`: the name in the braces.
fn braced(text: &str) -> Option<&str> {
    let (_, list) = text.strip_suffix('}')?.rsplit_once('{')?;
    let name = list.strip_prefix(':').map_or(list, str::trim).strip_prefix('#')?;
    (!name.is_empty() && !name.contains(|c: char| c.is_whitespace() || matches!(c, '{' | '#'))).then_some(name)
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
    /// The names in braces that are text here.
    pub(super) braced: Vec<Text>,
    /// A second heading has been seen: what comes is no banner.
    pub(super) body: bool,
    /// The text of a term that has begun.
    term: Option<String>,
}

impl DocumentReader<'_> {
    /// Adds text to the heading or term that it stands in.
    pub(super) fn heading_text(&mut self, text: &str) {
        if let (true, Some(heading)) = (self.is_hugo(), &mut self.headings.open) {
            heading.spans.add(text);
        }
        // The text of an image is a part of Hugo's names.
        if self.inside.images > 0 && !self.syntax.has(Construct::ImageText) && !self.is_hugo() {
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

    /// Begins emphasis, a link or an image in a heading; `has_text` is wrong for an address by itself.
    pub(super) fn start_span(&mut self, has_text: bool) {
        if let (true, Some(heading)) = (self.is_hugo(), &mut self.headings.open) {
            heading.spans.start(has_text);
        }
    }

    pub(super) fn end_span(&mut self) {
        if let (true, Some(heading)) = (self.is_hugo(), &mut self.headings.open) {
            heading.spans.open.pop();
        }
    }

    const fn is_hugo(&self) -> bool {
        matches!(self.syntax.dialect, Dialect::Hugo { .. })
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
        match self.syntax.dialect {
            Dialect::Myst { depth } => self.name_of_myst(&heading, depth),
            _ => self.name_of(&heading),
        }
        self.headings.spare = heading.text;
        self.headings.spare.clear();
    }

    /// Adds the names of a heading: its id, or what the generator makes of its text.
    fn name_of(&mut self, heading: &Heading) {
        let named_before = self.names.len();
        let (id, mut text) = self.id_and_text(heading);
        if heading.level == 1 && self.headings.title.is_none() {
            let title = if text.contains('\u{1}') { text.replace('\u{1}', "").into() } else { Cow::Borrowed(text) };
            self.headings.title = Some(self.strings.add(&title));
        }
        if self.syntax.has(Construct::NodeText) && id.is_none() {
            // html-pipeline and Docusaurus take the text of the heading's node as it is: the blank beside an image becomes a hyphen.
            text = heading.text.trim_matches(['\t', '\n', '\r']);
        }
        match id {
            Some(id) => {
                if matches!(self.syntax.dialect, Dialect::MditVue | Dialect::Hugo { .. }) {
                    self.slugger.take(&id);
                }
                self.names.push(self.strings.add(&id));
            }
            None if self.is_hugo() => self.slug_of_hugo(&heading.spans.text, text),
            None => self.slug_of(text),
        }
        if heading.level == 1 && self.syntax.has(Construct::NamelessTitles) {
            self.names.truncate(named_before);
        }
    }

    /// Returns the id of a heading, if it has one, and its text without that.
    fn id_and_text<'h>(&self, heading: &'h Heading) -> (Option<Cow<'h, str>>, &'h str) {
        // The parser leaves a tab at the end of `## x<TAB>`.
        let text = heading.text.trim();
        let own = heading.id.as_deref().map(Cow::Borrowed);
        if self.syntax.dialect == Dialect::Kramdown {
            let (id, text) = kramdown_id(text);
            return (id.map(Cow::Owned), text);
        }
        if self.syntax.has(Construct::AttributeLists)
            && let Some((before, list)) = text.strip_suffix('}').and_then(|rest| rest.rsplit_once('{'))
            && (list.starts_with(':') || list.split_whitespace().any(|word| source::attribute_id(word).is_some()))
        {
            let listed = || list.split_whitespace().find_map(source::attribute_id).map(Cow::Borrowed);
            return (own.or_else(listed), before.trim_end());
        }
        (own, text)
    }

    /// Adds the name that Hugo makes of a heading: of `named_by`, the text as Goldmark parts it.
    fn slug_of_hugo(&mut self, named_by: &str, text: &str) {
        let text = self.text_without_emoji(text).unwrap_or_else(|| text.to_owned());
        let text = text.trim();
        // Nothing but a picture or an address has no name.
        if !named_by.is_empty() {
            self.names.push(self.strings.add(self.slugger.next(named_by)));
        }
        // Where Goldmark parts a text is known but for rare marks.
        if named_by.trim() != text {
            self.names.push(self.strings.add(Slugger::new(self.syntax.dialect).next(text)));
        }
    }

    /// Adds the name that a generator makes of a heading's text, and those of other versions and settings of it.
    fn slug_of(&mut self, whole: &str) {
        let without = self.text_without_emoji(whole);
        let text = without.as_deref().unwrap_or(whole);
        let named = match self.syntax.has(Construct::TextDirectives) {
            true => without_directives(text),
            false => Cow::Borrowed(text),
        };
        let slug = self.strings.add(self.slugger.next(&named));
        self.names.push(slug);
        if matches!(named, Cow::Owned(_)) {
            // Before its version 3, Docusaurus had no directives.
            self.names.push(self.strings.add(Slugger::new(self.syntax.dialect).next(text)));
        }
        self.name_with_dashes(text, slug);
        if let Some(name) = braced(text) {
            self.headings.braced.push(self.strings.add(name));
        }
        // Which names are emoji is the generator's knowledge: with a name that it does not have, the text stays.
        if without.is_some() {
            self.names.push(self.strings.add(self.without_emoji.next(whole)));
        }
    }

    /// Returns a text without `:name:`, where the generator makes emoji of these and it has one.
    fn text_without_emoji(&self, text: &str) -> Option<String> {
        self.syntax.has(Construct::Emoji).then(|| without_emoji(text)).flatten()
    }

    /// A heading of MyST has two names: the slug, which `myst_heading_anchors` gives to the upper levels, and docutils' id.
    fn name_of_myst(&mut self, heading: &Heading, depth: u8) {
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

/// Returns the id at the end of a heading, as kramdown has it (`HEADER_ID`), and the text before it.
fn kramdown_id(text: &str) -> (Option<String>, &str) {
    let found = text.strip_suffix('}').and_then(|rest| rest.rsplit_once("{#"));
    let is_id = |id: &str| {
        id.starts_with(|c: char| c.is_ascii_alphabetic())
            && id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '-'))
    };
    match found.filter(|(before, id)| before.ends_with([' ', '\t']) && is_id(id)) {
        Some((before, id)) => (Some(id.to_owned()), before.trim_end()),
        None => (None, text),
    }
}

/// Returns a text without its `:name:`; nothing where it has none.
fn without_emoji(text: &str) -> Option<String> {
    let is_of_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '+' | '-');
    let (mut kept, mut rest, mut has_one) = (String::new(), text, false);
    while let Some((before, behind)) = rest.split_once(':') {
        kept.push_str(before);
        match behind.find(|c| !is_of_name(c)) {
            Some(end) if end > 0 && behind[end..].starts_with(':') => {
                has_one = true;
                rest = &behind[end + 1..];
            }
            _ => {
                kept.push(':');
                rest = behind;
            }
        }
    }
    kept.push_str(rest);
    has_one.then_some(kept)
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
    fn ids_of_kramdown() {
        assert_eq!(kramdown_id("a {#b-c}"), (Some("b-c".to_owned()), "a"));
        for text in ["a {: #b}", "a {#1st}", "a{#b}", "a {#ünï}"] {
            assert_eq!(kramdown_id(text), (None, text));
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

    #[test]
    fn names_of_emoji_have_no_text() {
        for (text, expected) in [
            (":smile: a", Some(" a")),
            ("a :+1::tada: b: c", Some("a  b: c")),
            ("10:30:00", Some("1000")),
            ("a:b", None),
            (":: x :", None),
        ] {
            assert_eq!(without_emoji(text).as_deref(), expected, "{text}");
        }
    }
}
