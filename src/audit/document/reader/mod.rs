//! The parser's events → what a document holds, in the order of the text.

mod headings;
mod links;
mod markup;
mod roles;

use std::borrow::Cow;
use std::ops::Range;

use pulldown_cmark::{Event, LinkType, Tag, TagEnd};

use super::evidence::{self, Patterns};
use super::parsed::Parsed;
use super::{
    Anchors, Construct, Definition, Document, Evidence, FrontMatter, Link, LinkKind, Place, Raw, RawKind, Reading,
    Span, Strings, Suppression, Syntax, Text, Undefined, secrets, source,
};
use crate::markdown::slug::{Dialect, Slugger};
use headings::{Heading, Headings, Spans};
use links::OpenLink;
use markup::Markup;

/// The context of the current event.
#[derive(Default)]
struct Inside {
    /// Links and images, the innermost last.
    links: Vec<OpenLink>,
    images: usize,
    quotes: usize,
    is_code: bool,
    /// Blocks of code, in which a renderer may read no includes.
    code: Vec<Span>,
}

/// The patterns, and where in the whole document they are met.
pub(super) struct Patterned<'a> {
    pub(super) patterns: &'a Patterns,
    pub(super) places: Vec<Range<usize>>,
}

/// Addresses in running text.
pub(super) struct Bare {
    pub(super) is_wanted: bool,
    /// Where the last one ends; the parser hands it out in pieces.
    pub(super) end: usize,
}

/// The state of the reader.
pub(super) struct DocumentReader<'a> {
    parsed: Parsed<'a>,
    text: &'a str,
    syntax: &'a Syntax,
    patterns: Patterned<'a>,
    pub(super) strings: Strings,
    pub(super) definitions: Vec<Definition>,
    links: Vec<Link>,
    undefined: Vec<Undefined>,
    raw: Vec<Raw>,
    names: Vec<Text>,
    slugger: Slugger,
    /// The names of mdBook's headings if it makes dashes of hyphens.
    with_dashes: Slugger,
    /// The names of headings with `:name:` if none of those is an emoji.
    without_emoji: Slugger,
    headings: Headings,
    inside: Inside,
    markup: Markup,
    bare: Bare,
    evidence: Evidence,
    suppressions: Vec<Suppression>,
    footnotes: usize,
}

impl<'a> DocumentReader<'a> {
    /// Creates a reader of a text.
    pub(super) fn new(
        parsed: Parsed<'a>,
        syntax: &'a Syntax,
        patterns: Patterned<'a>,
        bare: Bare,
        strings: Strings,
        definitions: Vec<Definition>,
    ) -> Self {
        let text = parsed.text;
        let mut slugger = Slugger::new(syntax.dialect);
        if matches!(syntax.dialect, Dialect::PythonMarkdown { .. }) && syntax.has(Construct::AttributeLists) {
            // Python-Markdown collects the ids that a document gives before it names the headings.
            source::attribute_ids(parsed.original).for_each(|id| slugger.take(id));
        }
        Self {
            parsed,
            text,
            syntax,
            patterns,
            strings,
            definitions,
            links: Vec::with_capacity(text.len() / 256),
            undefined: Vec::new(),
            raw: Vec::new(),
            names: Vec::with_capacity(text.len() / 512),
            slugger,
            with_dashes: Slugger::new(syntax.dialect),
            without_emoji: Slugger::new(syntax.dialect),
            headings: Headings::default(),
            inside: Inside::default(),
            markup: Markup::default(),
            bare,
            evidence: Evidence::default(),
            suppressions: Vec::new(),
            footnotes: 0,
        }
    }

    /// Takes in an event; `definition` is where the definition stands that a link or image uses.
    pub(super) fn event(&mut self, event: &Event<'_>, range: &Range<usize>, definition: Option<usize>) {
        match event {
            Event::Start(tag) => return self.start(tag, range, definition),
            Event::End(tag) => self.end(*tag, range),
            Event::Text(text) => self.plain_text(text, range, false),
            Event::Code(text) if self.syntax.has(Construct::Directives) && self.role(text, range) => {}
            Event::Code(text) => self.plain_text(text, range, true),
            Event::InlineMath(text) | Event::DisplayMath(text) => self.heading_text(text),
            Event::SoftBreak | Event::HardBreak => self.heading_text("\n"),
            Event::InlineHtml(_) => self.html(range),
            Event::Html(_) if !self.markup.is_block => self.html(range),
            _ => {}
        }
        if let Some(open) = self.inside.links.last_mut() {
            open.inner_end = open.inner_end.max(range.end);
        }
    }

    fn start(&mut self, tag: &Tag<'_>, range: &Range<usize>, definition: Option<usize>) {
        match tag {
            Tag::Heading { level, id, attrs, .. } => {
                self.headings.body |= !self.headings.places.is_empty();
                self.headings.places.push(range.clone());
                // `{ id=name }` is another way to write `{ #name }`.
                let by_name = || attrs.iter().find(|(name, _)| &**name == "id").and_then(|(_, value)| value.as_deref());
                let id = id.as_deref().or_else(by_name).map(|id| id.trim_matches(['"', '\'']).to_owned());
                let text = std::mem::take(&mut self.headings.spare);
                self.headings.open = Some(Heading { text, spans: Spans::default(), id, level: *level as u8 });
            }
            // MyST has none unless it is asked to: the marks are text.
            Tag::Strikethrough if matches!(self.syntax.dialect, Dialect::Myst { .. }) => self.heading_text("~~"),
            Tag::Link { link_type, dest_url, .. } => {
                let kind = match link_type {
                    LinkType::Autolink | LinkType::Email => LinkKind::Autolink,
                    _ if self.is_include(range.start) => LinkKind::Include,
                    LinkType::WikiLink { .. } => LinkKind::Wiki,
                    _ => LinkKind::Link,
                };
                self.start_span(kind != LinkKind::Autolink);
                self.link(kind, dest_url, range, definition, 1);
            }
            Tag::Strikethrough if self.is_tilde(range) => self.heading_text("~"),
            Tag::Emphasis | Tag::Strong | Tag::Strikethrough => self.start_span(true),
            Tag::Image { dest_url, .. } => {
                self.start_span(true);
                self.inside.images += 1;
                self.link(LinkKind::Image, dest_url, range, definition, 2);
            }
            Tag::FootnoteDefinition(label) => {
                self.footnotes += 1;
                if self.syntax.has(Construct::GfmFootnotes) {
                    let label = label.to_lowercase();
                    for name in [format!("fn-{label}"), format!("fnref-{label}"), "footnote-label".to_owned()] {
                        self.names.push(self.strings.add(&name));
                    }
                }
                if self.syntax.dialect == Dialect::Mdbook {
                    for name in [format!("footnote-{label}"), format!("fr-{label}-1")] {
                        self.names.push(self.strings.add(&name));
                    }
                }
                if !self.syntax.has(Construct::FootnoteIds) {
                    return;
                }
                // The note and its first mention have an id each.
                for name in [format!("fn:{label}"), format!("fnref:{label}")] {
                    let name = self.strings.add(&name);
                    self.names.push(name);
                }
            }
            Tag::DefinitionListTitle if self.syntax.has(Construct::TermIds) => self.start_term(),
            Tag::BlockQuote(_) => self.inside.quotes += 1,
            Tag::CodeBlock(_) => {
                self.inside.is_code = true;
                if self.syntax.has(Construct::Includes) {
                    self.inside.code.push(self.span(range));
                }
            }
            Tag::HtmlBlock => {
                self.markup.is_block = true;
                self.html(range);
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd, range: &Range<usize>) {
        match tag {
            TagEnd::Heading(_) => self.end_heading(),
            TagEnd::DefinitionListTitle => self.end_term(),
            TagEnd::Strikethrough if matches!(self.syntax.dialect, Dialect::Myst { .. }) => self.heading_text("~~"),
            TagEnd::Link => {
                self.end_span();
                self.end_link(range);
            }
            TagEnd::Strikethrough if self.is_tilde(range) => self.heading_text("~"),
            TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough => self.end_span(),
            TagEnd::Image => {
                self.end_span();
                self.inside.images -= 1;
                self.end_link(range);
            }
            TagEnd::BlockQuote(_) => self.inside.quotes -= 1,
            TagEnd::CodeBlock => self.inside.is_code = false,
            TagEnd::HtmlBlock => self.markup.is_block = false,
            _ => {}
        }
    }

    fn plain_text(&mut self, text: &str, range: &Range<usize>, code: bool) {
        match code {
            true => self.heading_code(text),
            false => self.heading_text(&self.named_by(text, range)),
        }
        if self.bare.is_wanted && !code && !self.inside.is_code && self.inside.links.is_empty() {
            self.bare_addresses(range);
        }
        if code || self.inside.is_code {
            return;
        }
        if self.text.get(range.start..).is_some_and(|text| text.starts_with("[^")) {
            self.footnote(range.start);
        }
        if !self.is_patterned(range) {
            return;
        }
        let place = match &self.headings.open {
            Some(heading) if heading.level == 1 && !self.headings.body => Place::Title,
            Some(_) => Place::Heading,
            None if self.inside.quotes > 0 && !self.headings.body => Place::Banner,
            // What is quoted was said by somebody else.
            None if self.inside.quotes > 0 => return,
            None if !self.inside.links.is_empty() => Place::Link,
            None => Place::Prose,
        };
        // The source is asked, not the text: it has the offsets.
        if let Some(source) = self.text.get(range.clone()) {
            for mut mention in self.patterns.patterns.mentions(source, range.start, place) {
                // What was left out or put in may lie in front of it.
                mention.span = self.parsed.span(&mention.span.range());
                self.evidence.add(mention);
            }
        }
    }

    /// Returns the text of a piece of a heading of which the heading is named.
    fn named_by<'t>(&self, text: &'t str, range: &Range<usize>) -> Cow<'t, str> {
        let is_heading = self.headings.open.is_some();
        match self.syntax.dialect {
            // VitePress takes an entity as it is written where there is text beside it.
            Dialect::MditVue if is_heading => match self.text.get(range.clone()) {
                Some(source) if source.starts_with('&') && source.ends_with(';') && !self.is_alone(range) => {
                    Cow::Owned(source.to_owned())
                }
                _ => Cow::Borrowed(text),
            },
            // Goldmark makes a link of an address, whose text is none of the heading's.
            Dialect::Hugo { .. } if is_heading && text.contains("http") => Cow::Owned(without_addresses(text)),
            _ => Cow::Borrowed(text),
        }
    }

    /// Returns whether a piece of a heading has no text right before or behind it.
    fn is_alone(&self, range: &Range<usize>) -> bool {
        let heading = self.headings.places.last().map_or(0..self.text.len(), Clone::clone);
        let before = self.text.get(heading.start..range.start).unwrap_or_default();
        let behind = self.text.get(range.end..heading.end).unwrap_or_default();
        let is_first =
            before.trim_start_matches('#').trim().is_empty() || before.ends_with(['*', '_', '`', '>', ')', '~']);
        let is_last = behind.trim().is_empty()
            || behind.starts_with(['*', '_', '`', '<', '['])
            || behind.starts_with("![")
            || behind.starts_with("~~");
        is_first && is_last
    }

    /// Returns whether `~x~` is no strike-through to markdown-it: its marks are text.
    fn is_tilde(&self, range: &Range<usize>) -> bool {
        self.syntax.dialect == Dialect::MditVue
            && self.text.get(range.clone()).is_some_and(|source| !source.starts_with("~~"))
    }

    /// Returns whether the patterns are met in a part of the text: they need not be tried on every word of it.
    fn is_patterned(&self, Range { start, end }: &Range<usize>) -> bool {
        if self.patterns.places.is_empty() {
            return false;
        }
        let span = self.parsed.span(&(*start..*end)).range();
        let after = self.patterns.places.partition_point(|place| place.end <= span.start);
        self.patterns.places.get(after).is_some_and(|place| place.start < span.end)
    }

    /// Returns whether an include of MDX or MyST stands in a block of code that began before its line. Other generators put files in before they
    /// look for blocks.
    fn shows_code(&self, span: Span, range: &Range<usize>) -> bool {
        let text = self.parsed.original;
        if !source::is_read_in_blocks(&text[range.clone()]) {
            return false;
        }
        let line = text[..range.start].rfind('\n').map_or(0, |at| at + 1);
        let line = self.parsed.original_span(&(line..range.end)).start;
        // Sorted, and none is in another.
        let after = self.inside.code.partition_point(|code| code.end <= span.start);
        self.inside.code.get(after).is_some_and(|code| code.start < line)
    }

    /// Makes a document of it; `whole` is its text with the front matter.
    pub(super) fn finish(mut self, whole: &str, invalid: Option<Span>, front_matter: FrontMatter) -> Document {
        let labels = self.add_names_and_includes();
        if let Some((span, _)) = front_matter.status.filter(|_| !self.patterns.places.is_empty()) {
            for mention in self.patterns.patterns.mentions(&whole[span.range()], span.start as usize, Place::Status) {
                self.evidence.add(mention);
            }
        }
        (self.evidence.notice, self.evidence.moved) = evidence::at_head(whole, self.parsed.base, &mut self.strings);
        // In a document without footnotes, `[^1]` means something else.
        if self.footnotes == 0 {
            self.raw.retain(|raw| raw.kind != RawKind::Footnote);
        }
        let components = self.components();
        let anchors = Anchors::new(&self.names, &self.strings);
        let braced = Anchors::new(&self.headings.braced, &self.strings);
        self.links.sort_by_key(|link| link.span);
        self.strings.shrink();
        let composed = source::is_composed(self.parsed.original, self.syntax.composed_marks)
            || self.parsed.rewritten.is_some_and(|rewritten| rewritten.is_composed)
            || front_matter.describes;
        Document {
            composed,
            components,
            anchors,
            labels,
            braced,
            links: self.links.into(),
            undefined: self.undefined.into(),
            raw: self.raw.into(),
            definitions: self.definitions.into(),
            title: self.headings.title,
            front_matter,
            suppressions: self.suppressions.into(),
            evidence: self.evidence,
            secrets: secrets::find(whole).into(),
            reading: invalid.map_or(Reading::Whole, Reading::Lossy),
            strings: self.strings,
        }
    }

    /// Adds the names and includes that the source has outside of Markdown. Returns the names that are labels.
    fn add_names_and_includes(&mut self) -> Box<[Text]> {
        // Names of headings come before these, and are no labels.
        let headings = self.names.len();
        if self.syntax.has(Construct::AttributeLists) {
            for id in source::attribute_ids(self.parsed.original) {
                self.names.push(self.strings.add(id));
            }
        }
        if self.syntax.has(Construct::Includes) {
            for (range, file) in source::includes(self.parsed.original, self.syntax.include_marks) {
                let span = self.parsed.original_span(&range);
                if self.shows_code(span, &range) {
                    continue;
                }
                let destination = self.strings.add(&file);
                self.links.push(Link::new(span, Span::default(), destination, LinkKind::Include));
            }
        }
        for name in self.parsed.rewritten.iter().flat_map(|rewritten| &rewritten.names) {
            self.names.push(self.strings.add(name));
        }
        if self.syntax.has(Construct::Directives) { self.names[headings..].into() } else { Box::default() }
    }

    /// Returns the files of the components that the page shows, or the names of its shortcodes.
    fn components(&mut self) -> Box<[Text]> {
        if self.syntax.has(Construct::Shortcodes) {
            let shown = source::shortcodes(self.parsed.original);
            return shown.into_iter().map(|name| self.strings.add(name)).collect();
        }
        let components = source::components(self.parsed.original, self.syntax.include_marks);
        let components = components.into_iter().filter_map(|(range, file)| {
            let is_code = self.shows_code(self.parsed.original_span(&range), &range);
            (!is_code).then(|| self.strings.add(file))
        });
        components.collect()
    }
}

/// Returns a text without the addresses in it.
fn without_addresses(text: &str) -> String {
    let (mut kept, mut from) = (String::new(), 0);
    while let Some((found, _)) = source::bare_address(text, from..text.len()) {
        kept.push_str(&text[from..found.start]);
        from = found.end;
    }
    kept.push_str(&text[from..]);
    kept
}
