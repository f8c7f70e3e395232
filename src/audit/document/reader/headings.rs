//! Headings and terms: their text, and the names that they get.

use std::ops::Range;

use super::DocumentReader;
use crate::audit::document::{Construct, Text, source};
use crate::markdown::slug::{Dialect, docutils};

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
        if self.inside.images > 0 {
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
            self.headings.title = Some(self.strings.add(text));
        }
        if self.syntax.has(Construct::NodeText) {
            // html-pipeline takes the text of the heading's node as it is: the blank beside an image becomes a hyphen.
            text = heading.text.trim_matches(['\t', '\n', '\r']);
        }
        let slug = id.as_deref().unwrap_or_else(|| self.slugger.next(text));
        self.names.push(self.strings.add(slug));
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
