//! HTML and JSX in a document.

use std::ops::Range;

use super::DocumentReader;
use crate::audit::document::blocks::TAG;
use crate::audit::document::html::{self, HtmlPiece};
use crate::audit::document::{Construct, Link, LinkKind, source};

/// Where in HTML the current event stands.
#[derive(Default)]
pub(super) struct Markup {
    pub(super) is_block: bool,
    /// The text of an `<h1>` without its end.
    pub(super) heading: Option<String>,
    /// Inside of the table that all-contributors makes.
    pub(super) is_contributors: bool,
}

impl DocumentReader<'_> {
    /// Returns whether a link only hangs a tooltip up, in the table that all-contributors makes or in one that was copied from it.
    fn is_tooltip(&self, destination: &str, tag: &str) -> bool {
        destination.strip_prefix('#').is_some_and(|name| self.markup.is_contributors || is_contribution(name, tag))
    }

    /// Returns whether a tag of MDX is that of a component of the project's own.
    fn is_own_component(&self, tag: &str) -> bool {
        let name =
            tag.trim_start_matches('<').split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
        // Components begin with a capital letter, elements of HTML do not.
        self.syntax.has(Construct::Mdx)
            && name.starts_with(|c: char| c.is_ascii_uppercase())
            && source::is_own_component(self.parsed.original, name)
    }

    /// Takes in a piece of HTML.
    pub(super) fn html(&mut self, range: &Range<usize>) {
        let Some(html) = self.text.get(range.clone()) else { return };
        // The end may stand in one block with the table.
        let table = contributors(html);
        self.markup.is_contributors |= table == Some(true);
        self.html_pieces(html, range);
        self.markup.is_contributors &= table != Some(false);
    }

    fn html_pieces(&mut self, html: &str, range: &Range<usize>) {
        if html.starts_with("<!--") || self.markup.is_block && memchr::memmem::find(html.as_bytes(), b"<!--").is_some()
        {
            self.parsed.suppressions(range, &mut self.strings, &mut self.suppressions);
        }
        // A tag of JSX, which a comment around it makes HTML wherever it stands.
        let (html, range) = match html.trim_end().strip_prefix(TAG.0).and_then(|html| html.strip_suffix(TAG.1)) {
            Some(tag) => (tag, &(range.start + TAG.0.len()..range.start + TAG.0.len() + tag.len())),
            None => (html, range),
        };
        if !html::is_worth_it(html) && self.markup.heading.is_none() {
            return;
        }
        html::pieces(html, &mut |piece| match piece {
            // A place for a tooltip, which the tool writes again after every fix.
            HtmlPiece::Destination { text, tag, .. } if self.is_tooltip(&text, &html[tag..]) => {}
            HtmlPiece::Destination { tag, .. } if self.is_own_component(&html[tag..]) => {}
            HtmlPiece::Destination { text, start, end, .. } => {
                let destination_span = self.span(&(range.start + start..range.start + end));
                let destination = self.strings.add(&text);
                let span =
                    if destination_span.start < destination_span.end { destination_span } else { self.span(range) };
                self.links.push(Link::new(span, destination_span, destination, LinkKind::Html));
            }
            HtmlPiece::Anchor(name) => self.names.push(self.strings.add(&name)),
            HtmlPiece::Named(name) => {
                if self.syntax.has(Construct::ComponentTitles) {
                    self.names.push(self.strings.add(self.slugger.next(&name)));
                }
            }
            HtmlPiece::Field(name) if self.syntax.has(Construct::ComponentTitles) => {
                for name in field_ids(&name) {
                    self.names.push(self.strings.add(&name));
                }
            }
            HtmlPiece::Field(_) => {}
            // With the attribute `markdown` it is a heading like others.
            HtmlPiece::HeadingStart if self.syntax.has(Construct::NamelessHtml) && !html.contains("markdown") => {}
            HtmlPiece::HeadingStart => self.markup.heading = Some(String::new()),
            HtmlPiece::HeadingEnd => {
                if let Some(text) = self.markup.heading.take() {
                    self.names.push(self.strings.add(self.slugger.next(text.trim())));
                }
            }
            HtmlPiece::Text(text) => self.heading_text(&text),
        });
    }
}

/// Returns the ids that the description of a parameter or a field may have on Mintlify's pages.
fn field_ids(name: &str) -> impl Iterator<Item = String> {
    let hyphenated: String = name.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    let names = [name.to_owned(), hyphenated.to_lowercase(), hyphenated];
    names.into_iter().flat_map(|name| ["param", "response"].map(|prefix| format!("{prefix}-{name}")))
}

/// Returns whether a link stands for a contribution as all-contributors writes it: `#blog-LOGIN` with the title "Blogposts".
fn is_contribution(name: &str, tag: &str) -> bool {
    const KINDS: &[&str] = &[
        "a11y",
        "audio",
        "blog",
        "business",
        "content",
        "data",
        "design",
        "eventOrganizing",
        "example",
        "financial",
        "fundingFinding",
        "ideas",
        "infra",
        "maintenance",
        "mentoring",
        "platform",
        "plugin",
        "projectManagement",
        "promotion",
        "question",
        "research",
        "security",
        "talk",
        "tool",
        "translation",
        "tutorial",
        "userTesting",
        "video",
    ];
    let tag = &tag[..tag.find('>').unwrap_or(tag.len())];
    name.split_once('-').is_some_and(|(kind, _)| KINDS.contains(&kind)) && tag.contains(" title=\"")
}

/// Returns whether HTML begins (or ends) the table that all-contributors makes; nothing where it does neither.
fn contributors(html: &str) -> Option<bool> {
    let at = memchr::memmem::find(html.as_bytes(), b"ALL-CONTRIBUTORS-LIST:")?;
    Some(html[at..].starts_with("ALL-CONTRIBUTORS-LIST:START"))
}
