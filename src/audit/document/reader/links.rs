//! Links and images, addresses in running text, and references without a definition.

use std::ops::Range;

use pulldown_cmark::LinkType;

use super::DocumentReader;
use crate::audit::document::{
    Construct, Constructs, Link, LinkKind, POST, Raw, RawKind, Span, Undefined, evidence, raw, source,
};
use crate::markdown::slug::Dialect;

/// Syntaxes with tags that can stand for a destination.
const TAGS: Constructs = Constructs::new(&[Construct::Shortcodes, Construct::Liquid]);

/// A link that has begun, and where the last part of its text ends.
pub(super) struct OpenLink {
    pub(super) link: usize,
    pub(super) inner_end: usize,
}

/// The length of the scheme of a link within the project: `project:page.md`, `project:#label`, `path:file.txt` (MyST-Parser's
/// `render_link`). It is none of the destination.
fn of_project(destination: &str) -> usize {
    let length = |scheme: &str| if destination.starts_with(scheme) { scheme.len() } else { 0 };
    length("project:").max(length("path:"))
}

impl DocumentReader<'_> {
    pub(super) fn span(&self, range: &Range<usize>) -> Span {
        self.parsed.span(range)
    }

    pub(super) fn link(
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
        // In a cell of a table the bar before the text of a link between double brackets needs a backslash.
        let is_wiki = definition.is_none() && self.syntax.has(Construct::WikiLinks);
        let destination = destination.strip_suffix('\\').filter(|_| is_wiki).unwrap_or(destination);
        // MyST's `<project:page.md>` is a link within the project.
        let scheme = if self.syntax.has(Construct::Directives) { of_project(destination) } else { 0 };
        let (kind, destination) = match kind {
            LinkKind::Autolink if scheme > 0 => (LinkKind::Link, &destination[scheme..]),
            _ => (kind, &destination[scheme..]),
        };
        let (destination_span, destination) = match definition {
            Some(at) => (self.definitions[at as usize].destination_span, self.definitions[at as usize].destination),
            None => (Span::default(), self.strings.add(destination)),
        };
        let span = self.span(range);
        self.inside.links.push(OpenLink { link: self.links.len(), inner_end: range.start + before_text });
        self.links.push(Link { definition, ..Link::new(span, destination_span, destination, kind) });
    }

    pub(super) fn end_link(&mut self, range: &Range<usize>) {
        let Some(open) = self.inside.links.pop() else { return };
        let text = &self.text[range.start..open.inner_end.min(range.end)];
        let is_autolink = self.text[range.start..].starts_with('<');
        let destination_span = match self.links[open.link].kind {
            LinkKind::Autolink => Some(range.start + 1..range.end.saturating_sub(1)),
            _ if is_autolink => Some(range.start + 1..range.end.saturating_sub(1)),
            _ => source::destination(self.text, open.inner_end, range.end),
        };
        let destination_span = destination_span.map(|range| match self.syntax.has(Construct::Directives) {
            true => range.start + of_project(&self.text[range.clone()])..range.end,
            false => range,
        });
        let place = destination_span.clone().map(|range| self.span(&range));
        // One that was put together around a tag of the generator stands nowhere: an edit of it would remove the tag. The name of a post
        // is no path.
        let destination_span = destination_span.and_then(|range| {
            let span = self.span(&range);
            let is_post = self.strings.get(self.links[open.link].destination).starts_with(POST);
            (self.parsed.rewritten.is_none() || !is_post && span.range().len() == range.len()).then_some(span)
        });
        let link = &mut self.links[open.link];
        link.says_old = evidence::says_old(text);
        link.is_anchor = self.syntax.has(Construct::AttributeLists)
            && link.kind == LinkKind::Link
            && self.text[range.end..].starts_with('{');
        if let (None, Some(destination_span)) = (link.definition, destination_span) {
            link.destination_span = destination_span;
        }
        let (kind, span) = (link.kind, link.destination_span);
        // What stands behind the tag is still a part of it: `{{< ref "page" >}}#here`.
        let place = place.filter(|_| link.definition.is_none()).unwrap_or(span);
        if matches!(kind, LinkKind::Link | LinkKind::Image) && self.is_looked_up(place) {
            self.links[open.link].kind = LinkKind::LookedUp;
        }
    }

    /// Returns whether a destination stands in a tag of the generator, which has been taken for what it names.
    fn is_looked_up(&self, span: Span) -> bool {
        if self.parsed.rewritten.is_none() || !self.syntax.has_any(TAGS) {
            return false;
        }
        let end = (span.start as usize).saturating_sub(self.parsed.base);
        let before = self.parsed.original.get(..end).unwrap_or_default();
        let line = &before[before.rfind('\n').map_or(0, |at| at + 1)..];
        let last = |mark: &str| line.rfind(mark);
        let is_in =
            |open: &str, close: &str| last(open).is_some_and(|open| last(close).is_none_or(|close| close < open));
        is_in("{{", "}}") || is_in("{%", "%}")
    }

    /// `[!INCLUDE [title](file)]` of DocFX.
    pub(super) fn is_include(&self, start: usize) -> bool {
        let before = self.text[..start].trim_end().as_bytes();
        self.syntax.has(Construct::Includes)
            && before.last_chunk::<9>().is_some_and(|word| word.eq_ignore_ascii_case(b"[!INCLUDE"))
    }

    /// Addresses that begin in this piece of text.
    pub(super) fn bare_addresses(&mut self, range: &Range<usize>) {
        while let Some((found, address)) = source::bare_address(self.text, range.start.max(self.bare.end)..range.end) {
            self.bare.end = found.end;
            let (span, destination) = (self.span(&found), self.strings.add(address));
            self.links.push(Link::new(span, span, destination, LinkKind::Autolink));
        }
    }

    /// Takes in what looks like a reference and has no definition.
    pub(in crate::audit::document) fn undefined(&mut self, broken: Vec<(Range<usize>, LinkType, String)>) {
        for (range, link_type, label) in broken {
            if matches!(link_type, LinkType::Shortcut | LinkType::ShortcutUnknown) {
                self.raw.extend(raw::read(&self.parsed, &range, self.syntax, &mut self.strings));
                continue;
            }
            let before = self.headings.places.partition_point(|heading| heading.end <= range.start);
            let in_heading = self.headings.places.get(before).is_some_and(|heading| heading.start <= range.start);
            // `map[string][]` is a type and `rows[first][last]` an element, in the notation of programs.
            let before = range.start.checked_sub(1).and_then(|at| self.text.as_bytes().get(at));
            if before.is_some_and(u8::is_ascii_alphanumeric) {
                continue;
            }
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

    /// Takes in `[^label]` at `start`, which no footnote has: it is shown as it is written.
    pub(super) fn footnote(&mut self, start: usize) {
        // Without the extension, none of them is a footnote.
        if matches!(self.syntax.dialect, Dialect::PythonMarkdown { .. }) && !self.syntax.has(Construct::FootnoteIds) {
            return;
        }
        let Some((range, label)) = raw::footnote(self.text, start) else { return };
        let (span, destination) = (self.span(&range), self.strings.add(label));
        self.raw.push(Raw { kind: RawKind::Footnote, span, destination_span: Span::default(), destination });
    }
}
