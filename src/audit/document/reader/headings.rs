//! Headings and terms: their text, and the names that they get.

use std::ops::Range;

use super::DocumentReader;
use crate::audit::document::{Construct, Text, source};
use crate::markdown::slug::{Dialect, Slugger};

/// A heading that has begun.
pub(super) struct Heading {
    pub(super) text: String,
    /// The text by which Hugo names it.
    pub(super) spans: Spans,
    pub(super) id: Option<String>,
    pub(super) first_level: bool,
}

/// The text of a heading as Goldmark has it: of emphasis, a link or an image only what stands first in it, up to the next mark.
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

    /// Returns whether what comes is a part of the text; it is the last in what is open.
    fn is_heard(&mut self) -> bool {
        let is_heard = !self.open.iter().any(|is_done| *is_done);
        self.open.iter_mut().for_each(|is_done| *is_done = true);
        is_heard
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
        if let (true, Some(heading)) = (self.is_hugo(), &mut self.headings.open) {
            heading.spans.add(text);
        }
        // The text of an image is a part of Hugo's names.
        if self.inside.images > 0 && !self.is_hugo() {
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
            self.names.push(self.strings.add(self.slugger.next(text.trim())));
        }
    }

    pub(super) fn end_heading(&mut self) {
        let Some(heading) = self.headings.open.take() else { return };
        // The parser leaves a tab at the end of `## x<TAB>`.
        let mut text = heading.text.trim();
        let mut id = heading.id;
        if self.syntax.dialect == Dialect::Kramdown {
            (id, text) = kramdown_id(text);
        } else if self.syntax.has(Construct::AttributeLists)
            && let Some((before, list)) = text.strip_suffix('}').and_then(|rest| rest.rsplit_once('{'))
            && (list.starts_with(':') || list.split_whitespace().any(|word| source::attribute_id(word).is_some()))
        {
            id = id.or_else(|| list.split_whitespace().find_map(source::attribute_id).map(str::to_owned));
            text = before.trim_end();
        }
        if heading.first_level && self.headings.title.is_none() {
            self.headings.title = Some(self.strings.add(text));
        }
        if self.syntax.has(Construct::NodeText) && id.is_none() {
            // html-pipeline takes the text of the heading's node as it is: the blank beside an image becomes a hyphen.
            text = heading.text.trim_matches(['\t', '\n', '\r']);
        }
        let (text, emoji) = match self.syntax.has(Construct::Emoji).then(|| without_emoji(text)).flatten() {
            Some(without) => (without, Some(text)),
            None => (text.to_owned(), None),
        };
        match &id {
            Some(id) => {
                if matches!(self.syntax.dialect, Dialect::MditVue | Dialect::Hugo { .. }) {
                    self.slugger.take(id);
                }
                self.names.push(self.strings.add(id));
            }
            None if self.is_hugo() => {
                let (named_by, text) = (heading.spans.text.as_str(), text.trim());
                // Nothing but a picture or an address has no name.
                if !named_by.is_empty() {
                    self.names.push(self.strings.add(self.slugger.next(named_by)));
                }
                // Where Goldmark parts a text is known but for rare marks.
                if named_by.trim() != text {
                    self.names.push(self.strings.add(Slugger::new(self.syntax.dialect).next(text)));
                }
            }
            None => {
                self.names.push(self.strings.add(self.slugger.next(&text)));
                // Which names are emoji is the generator's knowledge: with a name that it does not have, the text stays.
                if let Some(text) = emoji {
                    let mut alone = Slugger::new(self.syntax.dialect);
                    self.names.push(self.strings.add(alone.next(text)));
                }
            }
        }
        self.headings.spare = heading.text;
        self.headings.spare.clear();
    }
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
    fn ids_of_kramdown() {
        assert_eq!(kramdown_id("a {#b-c}"), (Some("b-c".to_owned()), "a"));
        for text in ["a {: #b}", "a {#1st}", "a{#b}", "a {#ünï}"] {
            assert_eq!(kramdown_id(text), (None, text));
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
