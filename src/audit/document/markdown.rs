//! Markdown → [`Document`], in one pass over the parser's events.

use std::cell::RefCell;
use std::ops::Range;

use pulldown_cmark::{BrokenLink, Event, LinkType, Options, Parser, Tag, TagEnd};

use super::evidence::{self, Patterns};
use super::html::{self, Piece};
use super::{
    Anchors, Construct, Decoded, Definition, Document, Evidence, Link, LinkKind, Place, Reading, Span, Strings,
    Suppression, Syntax, Text, Undefined, definitions, front_matter, secrets, source, suppression,
};
use crate::markdown::slug::Slugger;

/// Reads a document by the syntax of its renderer. `bare` says whether addresses in running text are wanted, too: GitHub makes links of
/// them, and only who asks the web has a use for those.
#[must_use]
pub fn parse(decoded: &Decoded<'_>, syntax: &Syntax, patterns: &Patterns, bare: bool) -> Document {
    let whole: &str = &decoded.text;
    let mark = if whole.starts_with('\u{feff}') { 3 } else { 0 };
    let head = front_matter::locate(&whole[mark..]);
    let base = mark + head.end;
    let text = &whole[base..];
    // What documents usually need, so that nothing is copied while it grows.
    let mut strings = Strings::with_capacity(text.len() / 8);
    let block = if head.is_empty() { front_matter::in_comment(text) } else { 0..head.end };
    let front_matter = front_matter::read(&whole[mark..][block.clone()], mark + block.start, &mut strings);

    let options = options(syntax);
    let broken = RefCell::new(Vec::new());
    let callback = |link: BrokenLink<'_>| {
        // `[x]` alone is what people write in prose.
        if !matches!(link.link_type, LinkType::ShortcutUnknown | LinkType::Shortcut) {
            broken.borrow_mut().push((link.span, link.link_type, link.reference.into_string()));
        }
        None
    };
    let mut events = Parser::new_with_broken_link_callback(text, options, Some(callback)).into_offset_iter();
    let definitions = definitions::collect(text, base, events.reference_definitions(), &mut strings);
    let suspects = definitions::suspects(text, events.reference_definitions());
    let mut shown = Vec::new();
    let patterned = Patterned { patterns, places: patterns.places(whole) };
    let bare = Bare { is_wanted: bare, end: 0 };
    let mut reader = Reader::new(text, base, syntax, patterned, bare, strings, definitions);
    // An event is looked at where it is: moving each of them took a twentieth of the time of a whole audit.
    while let Some(item) = events.next() {
        let (event, range) = &item;
        let definition = match event {
            Event::Start(Tag::Link { id, link_type, dest_url, .. } | Tag::Image { id, link_type, dest_url, .. })
                if !id.is_empty() && *link_type != LinkType::Inline =>
            {
                // Where its destination stands says which definition it is, without a search for the label.
                offset_in(text, dest_url)
                    .or_else(|| events.reference_definitions().get(id).map(|definition| definition.span.start))
            }
            _ => None,
        };
        // What shows on the page is an event; a definition is none.
        if !suspects.is_empty() && !matches!(event, Event::Start(_) | Event::End(_)) {
            shown.push(range.clone());
        }
        reader.event(event, range, definition);
    }
    drop(events);
    reader.definitions.extend(definitions::repeated(&suspects, &shown, base, &mut reader.strings));
    reader.undefined(broken.into_inner());
    reader.finish(whole, decoded.invalid, front_matter)
}

/// Where in `text` a part of it stands; nothing if it is a copy.
fn offset_in(text: &str, part: &str) -> Option<usize> {
    let offset = (part.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    (offset + part.len() <= text.len()).then_some(offset)
}

fn options(syntax: &Syntax) -> Options {
    let mut options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_GFM;
    options.set(Options::ENABLE_HEADING_ATTRIBUTES, syntax.has(Construct::HeadingIds));
    options.set(Options::ENABLE_SMART_PUNCTUATION, syntax.has(Construct::SmartPunctuation));
    options
}

/// Whether HTML begins (or ends) the table that all-contributors makes; nothing where it does neither.
fn contributors(html: &str) -> Option<bool> {
    let at = memchr::memmem::find(html.as_bytes(), b"ALL-CONTRIBUTORS-LIST:")?;
    Some(html[at..].starts_with("ALL-CONTRIBUTORS-LIST:START"))
}

/// A heading that has begun.
struct Heading {
    text: String,
    id: Option<String>,
    first_level: bool,
}

/// A link that has begun, and where the last part of its text ends.
struct Open {
    link: usize,
    inner_end: usize,
}

/// The headings so far.
#[derive(Default)]
struct Headings {
    /// Where they stand.
    places: Vec<Range<usize>>,
    /// The one that has begun.
    open: Option<Heading>,
    /// The last one's text, for its memory.
    spare: String,
    /// The text of the first one of level 1.
    title: Option<Text>,
    /// A second heading has been seen: what comes is no banner.
    body: bool,
}

/// What the current event stands in.
#[derive(Default)]
struct Inside {
    /// Links and images, the innermost last.
    links: Vec<Open>,
    images: usize,
    quotes: usize,
    is_code: bool,
}

/// Where in HTML the current event stands.
#[derive(Default)]
struct Markup {
    is_block: bool,
    /// The text of an `<h1>` without its end.
    heading: Option<String>,
    /// Inside of the table that all-contributors makes.
    is_contributors: bool,
}

/// The patterns, and where in the whole document they are met.
struct Patterned<'a> {
    patterns: &'a Patterns,
    places: Vec<Range<usize>>,
}

/// Addresses in running text.
struct Bare {
    is_wanted: bool,
    /// Where the last one ends; the parser hands it out in pieces.
    end: usize,
}

struct Reader<'a> {
    text: &'a str,
    base: usize,
    syntax: &'a Syntax,
    patterns: Patterned<'a>,
    strings: Strings,
    definitions: Vec<Definition>,
    links: Vec<Link>,
    undefined: Vec<Undefined>,
    names: Vec<Text>,
    slugger: Slugger,
    headings: Headings,
    inside: Inside,
    markup: Markup,
    bare: Bare,
    evidence: Evidence,
    suppressions: Vec<Suppression>,
}

impl<'a> Reader<'a> {
    fn new(
        text: &'a str,
        base: usize,
        syntax: &'a Syntax,
        patterns: Patterned<'a>,
        bare: Bare,
        strings: Strings,
        definitions: Vec<Definition>,
    ) -> Self {
        Self {
            text,
            base,
            syntax,
            patterns,
            strings,
            definitions,
            links: Vec::with_capacity(text.len() / 256),
            undefined: Vec::new(),
            names: Vec::with_capacity(text.len() / 512),
            slugger: Slugger::new(syntax.dialect),
            headings: Headings::default(),
            inside: Inside::default(),
            markup: Markup::default(),
            bare,
            evidence: Evidence::default(),
            suppressions: Vec::new(),
        }
    }

    fn span(&self, range: &Range<usize>) -> Span {
        Span::of(&(self.base + range.start..self.base + range.end))
    }

    fn event(&mut self, event: &Event<'_>, range: &Range<usize>, definition: Option<usize>) {
        match event {
            Event::Start(tag) => return self.start(tag, range, definition),
            Event::End(tag) => self.end(*tag, range),
            Event::Text(text) => self.words(text, range, false),
            Event::Code(text) => self.words(text, range, true),
            Event::SoftBreak | Event::HardBreak => self.heading_text("\n"),
            Event::InlineHtml(_) => self.html(range),
            Event::Html(_) if !self.markup.is_block => self.html(range),
            _ => {}
        }
        if let Some(open) = self.inside.links.last_mut() {
            open.inner_end = open.inner_end.max(range.end);
        }
    }

    /// Whether a link only hangs a tooltip up, in the table that all-contributors makes.
    fn is_tooltip(&self, destination: &str) -> bool {
        self.markup.is_contributors && destination.starts_with('#')
    }

    fn start(&mut self, tag: &Tag<'_>, range: &Range<usize>, definition: Option<usize>) {
        match tag {
            Tag::Heading { level, id, .. } => {
                let first_level = *level == pulldown_cmark::HeadingLevel::H1;
                self.headings.body |= !self.headings.places.is_empty();
                self.headings.places.push(range.clone());
                let id = id.as_deref().map(str::to_owned);
                self.headings.open = Some(Heading { text: std::mem::take(&mut self.headings.spare), id, first_level });
            }
            Tag::Link { link_type, dest_url, .. } => {
                let kind = match link_type {
                    LinkType::Autolink | LinkType::Email => LinkKind::Autolink,
                    _ if self.is_include(range.start) => LinkKind::Include,
                    _ => LinkKind::Link,
                };
                self.link(kind, dest_url, range, definition, 1);
            }
            Tag::Image { dest_url, .. } => {
                self.inside.images += 1;
                self.link(LinkKind::Image, dest_url, range, definition, 2);
            }
            // Python-Markdown gives the note and its first mention an id.
            Tag::FootnoteDefinition(label) if self.syntax.has(Construct::FootnoteIds) => {
                for name in [format!("fn:{label}"), format!("fnref:{label}")] {
                    let name = self.strings.add(&name);
                    self.names.push(name);
                }
            }
            Tag::BlockQuote(_) => self.inside.quotes += 1,
            Tag::CodeBlock(_) => self.inside.is_code = true,
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
            TagEnd::Link => self.end_link(range),
            TagEnd::Image => {
                self.inside.images -= 1;
                self.end_link(range);
            }
            TagEnd::BlockQuote(_) => self.inside.quotes -= 1,
            TagEnd::CodeBlock => self.inside.is_code = false,
            TagEnd::HtmlBlock => self.markup.is_block = false,
            _ => {}
        }
    }

    fn link(
        &mut self,
        kind: LinkKind,
        destination: &str,
        range: &Range<usize>,
        definition: Option<usize>,
        before_text: usize,
    ) {
        let definition = definition.and_then(|within| {
            let within = self.span(&(within..within)).start;
            let at = self.definitions.partition_point(|definition| definition.span.end <= within);
            self.definitions.get_mut(at).filter(|definition| definition.span.start <= within)?.used = true;
            u32::try_from(at).ok()
        });
        let (written, destination) = match definition {
            Some(at) => (self.definitions[at as usize].written, self.definitions[at as usize].destination),
            None => (Span::default(), self.strings.add(destination)),
        };
        let span = self.span(range);
        self.inside.links.push(Open { link: self.links.len(), inner_end: range.start + before_text });
        self.links.push(Link { span, written, destination, kind, definition, says_old: false, is_anchor: false });
    }

    fn end_link(&mut self, range: &Range<usize>) {
        let Some(open) = self.inside.links.pop() else { return };
        let text = &self.text[range.start..open.inner_end.min(range.end)];
        let written = match self.links[open.link].kind {
            LinkKind::Autolink => Some(range.start + 1..range.end.saturating_sub(1)),
            _ => source::destination(self.text, open.inner_end, range.end),
        };
        let written = written.map(|written| self.span(&written));
        let link = &mut self.links[open.link];
        link.says_old = evidence::says_old(text);
        link.is_anchor = self.syntax.has(Construct::AttributeLists)
            && link.kind == LinkKind::Link
            && self.text[range.end..].starts_with('{');
        if let (None, Some(written)) = (link.definition, written) {
            link.written = written;
        }
    }

    /// `[!INCLUDE [title](file)]` of DocFX.
    fn is_include(&self, start: usize) -> bool {
        let before = self.text[..start].trim_end().as_bytes();
        self.syntax.has(Construct::Includes)
            && before.last_chunk::<9>().is_some_and(|word| word.eq_ignore_ascii_case(b"[!INCLUDE"))
    }

    fn heading_text(&mut self, text: &str) {
        if self.inside.images > 0 {
            return;
        }
        if let Some(heading) = &mut self.headings.open {
            heading.text.push_str(text);
        } else if let Some(heading) = &mut self.markup.heading {
            heading.push_str(text);
        }
    }

    fn words(&mut self, text: &str, range: &Range<usize>, code: bool) {
        self.heading_text(text);
        if self.bare.is_wanted && !code && !self.inside.is_code && self.inside.links.is_empty() {
            self.bare_addresses(range);
        }
        if code || self.inside.is_code || !self.is_patterned(range) {
            return;
        }
        let place = match &self.headings.open {
            Some(heading) if heading.first_level && !self.headings.body => Place::Title,
            Some(_) => Place::Heading,
            None if self.inside.quotes > 0 && !self.headings.body => Place::Banner,
            // What is quoted was said by somebody else.
            None if self.inside.quotes > 0 => return,
            None if !self.inside.links.is_empty() => Place::Link,
            None => Place::Prose,
        };
        // The source is asked, not the text: it has the offsets.
        if let Some(source) = self.text.get(range.clone()) {
            for mention in self.patterns.patterns.mentions(source, self.base + range.start, place) {
                self.evidence.add(mention);
            }
        }
    }

    /// Whether the patterns are met in a part of the text: they need not be tried on every word of it.
    fn is_patterned(&self, Range { start, end }: &Range<usize>) -> bool {
        let after = self.patterns.places.partition_point(|place| place.end <= self.base + start);
        self.patterns.places.get(after).is_some_and(|place| place.start < self.base + end)
    }

    /// Addresses that begin in this piece of text.
    fn bare_addresses(&mut self, range: &Range<usize>) {
        while let Some((found, address)) = source::bare_address(self.text, range.start.max(self.bare.end)..range.end) {
            self.bare.end = found.end;
            let (span, destination) = (self.span(&found), self.strings.add(address));
            let kind = LinkKind::Autolink;
            self.links.push(Link {
                span,
                written: span,
                destination,
                kind,
                definition: None,
                says_old: false,
                is_anchor: false,
            });
        }
    }

    fn end_heading(&mut self) {
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
        let slug = id.as_deref().unwrap_or_else(|| self.slugger.next(text));
        self.names.push(self.strings.add(slug));
        self.headings.spare = heading.text;
        self.headings.spare.clear();
    }

    fn html(&mut self, range: &Range<usize>) {
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
            suppression::find(self.text, self.base, range.clone(), &mut self.strings, &mut self.suppressions);
        }
        if !html::is_worth_it(html) && self.markup.heading.is_none() {
            return;
        }
        html::pieces(html, &mut |piece| match piece {
            // A place to hang a tooltip on, which the tool writes anew whatever anybody mends.
            Piece::Destination { text, .. } if self.is_tooltip(&text) => {}
            Piece::Destination { text, start, end } => {
                let written = self.span(&(range.start + start..range.start + end));
                let destination = self.strings.add(&text);
                let span = if written.start < written.end { written } else { self.span(range) };
                let (kind, says_old) = (LinkKind::Html, false);
                self.links.push(Link {
                    span,
                    written,
                    destination,
                    kind,
                    definition: None,
                    says_old,
                    is_anchor: false,
                });
            }
            Piece::Anchor(name) => self.names.push(self.strings.add(&name)),
            Piece::Named(name) => {
                if self.syntax.has(Construct::ComponentTitles) {
                    self.names.push(self.strings.add(self.slugger.next(&name)));
                }
            }
            Piece::HeadingStart => self.markup.heading = Some(String::new()),
            Piece::HeadingEnd => {
                if let Some(text) = self.markup.heading.take() {
                    self.names.push(self.strings.add(self.slugger.next(text.trim())));
                }
            }
            Piece::Text(text) => self.heading_text(&text),
        });
    }

    fn undefined(&mut self, broken: Vec<(Range<usize>, LinkType, String)>) {
        for (range, link_type, label) in broken {
            let before = self.headings.places.partition_point(|heading| heading.end <= range.start);
            let in_heading = self.headings.places.get(before).is_some_and(|heading| heading.start <= range.start);
            let image = range.start > 0 && self.text.as_bytes().get(range.start - 1) == Some(&b'!')
                || self.text.as_bytes().get(range.start) == Some(&b'!');
            let undefined = Undefined {
                span: self.span(&range),
                label: self.strings.add(&label),
                image,
                collapsed: matches!(link_type, LinkType::CollapsedUnknown | LinkType::Collapsed),
                in_heading,
            };
            // The parser may ask twice.
            if self.undefined.last().is_none_or(|last| last.span != undefined.span) {
                self.undefined.push(undefined);
            }
        }
        self.undefined.sort_by_key(|undefined| undefined.span);
        self.undefined.dedup_by_key(|undefined| undefined.span);
    }

    fn finish(mut self, whole: &str, invalid: Option<Span>, front_matter: super::FrontMatter) -> Document {
        if self.syntax.has(Construct::AttributeLists) {
            for id in source::attribute_ids(self.text) {
                self.names.push(self.strings.add(id));
            }
        }
        if self.syntax.has(Construct::Includes) {
            for (range, file) in source::includes(self.text, self.syntax.include_marks) {
                let (span, destination) = (self.span(&range), self.strings.add(file));
                let (kind, written) = (LinkKind::Include, Span::default());
                self.links.push(Link {
                    span,
                    written,
                    destination,
                    kind,
                    definition: None,
                    says_old: false,
                    is_anchor: false,
                });
            }
        }
        if let Some((span, _)) = front_matter.status.filter(|_| !self.patterns.places.is_empty()) {
            for mention in self.patterns.patterns.mentions(&whole[span.range()], span.start as usize, Place::Status) {
                self.evidence.add(mention);
            }
        }
        (self.evidence.notice, self.evidence.moved) = evidence::at_head(whole, self.base, &mut self.strings);
        let anchors = Anchors::new(&self.names, &self.strings);
        self.links.sort_by_key(|link| link.span);
        self.strings.shrink();
        let composed = source::is_composed(self.text, self.syntax.composed_marks);
        Document {
            composed,
            anchors,
            links: self.links.into(),
            undefined: self.undefined.into(),
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
}
