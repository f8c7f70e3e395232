//! Headings and terms: their text, and the names that they get.

use std::ops::Range;

use super::DocumentReader;
use crate::audit::document::{Construct, Text, source};
use crate::markdown::slug::{Dialect, Slugger};

/// A heading that has begun.
pub(super) struct Heading {
    pub(super) text: String,
    pub(super) id: Option<String>,
    pub(super) first_level: bool,
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
        // Hugo names a heading by the text of its images, too, and not by that of an address.
        let is_hugo = matches!(self.syntax.dialect, Dialect::Hugo { .. });
        if self.inside.images > 0 && !is_hugo || is_hugo && self.inside.is_autolink {
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
        if self.syntax.has(Construct::AttributeLists)
            && let Some((before, list)) = text.strip_suffix('}').and_then(|rest| rest.rsplit_once('{'))
            && (list.starts_with(':') || list.split_whitespace().any(|word| source::attribute_id(word).is_some()))
        {
            id = id.or_else(|| list.split_whitespace().find_map(source::attribute_id).map(str::to_owned));
            text = before.trim_end();
        }
        if heading.first_level && self.headings.title.is_none() {
            self.headings.title = Some(self.strings.add(text));
        }
        if self.syntax.has(Construct::NodeText) {
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
