//! Markdown → [`Document`], in one pass over the parser's events.

use std::cell::RefCell;

use pulldown_cmark::{BrokenLink, Event, LinkType, Options, Parser, Tag};

use super::evidence::Patterns;
use super::parsed::Parsed;
use super::reader::{Bare, DocumentReader, Patterned};
use super::{Construct, Decoded, Document, Strings, Syntax, blocks, definitions, front_matter, raw};

/// Reads a document by the syntax of its renderer. `bare` says whether addresses in running text are wanted, too: GitHub makes links of
/// them, and only who asks the web has a use for those.
#[must_use]
pub fn parse(decoded: &Decoded<'_>, syntax: &Syntax, patterns: &Patterns, bare: bool) -> Document {
    let whole: &str = &decoded.text;
    let mark = if whole.starts_with('\u{feff}') { 3 } else { 0 };
    let head = front_matter::locate(&whole[mark..]);
    let base = mark + head.end;
    let original = &whole[base..];
    let rewritten = blocks::rewrite(original, syntax);
    let text = rewritten.as_ref().map_or(original, |rewritten| &rewritten.text);
    let parsed = Parsed { text, original, base, rewritten: rewritten.as_ref() };
    // What documents usually need, so that nothing is copied while it grows.
    let mut strings = Strings::with_capacity(text.len() / 8);
    let block = if head.is_empty() { front_matter::in_comment(original) } else { 0..head.end };
    let mut front_matter = front_matter::read(&whole[mark..][block.clone()], mark + block.start, &mut strings);
    front_matter.is_there = !head.is_empty();

    let options = options(syntax, text);
    let broken = RefCell::new(Vec::new());
    let callback = |link: BrokenLink<'_>| {
        // `[x]` alone is what people write in prose.
        let is_shortcut = matches!(link.link_type, LinkType::ShortcutUnknown | LinkType::Shortcut);
        if !is_shortcut || raw::is_candidate(text, &link.span) {
            broken.borrow_mut().push((link.span, link.link_type, link.reference.into_string()));
        }
        None
    };
    let mut events = Parser::new_with_broken_link_callback(text, options, Some(callback)).into_offset_iter();
    let definitions = definitions::collect(&parsed, events.reference_definitions(), &mut strings);
    let suspects = definitions::suspects(text, events.reference_definitions());
    let mut shown = Vec::new();
    let patterned = Patterned { patterns, places: patterns.places(whole) };
    let bare = Bare { is_wanted: bare, end: 0 };
    let mut reader = DocumentReader::new(parsed, syntax, patterned, bare, strings, definitions);
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
    reader.definitions.extend(definitions::repeated(&suspects, &shown, &parsed, &mut reader.strings));
    reader.undefined(broken.into_inner());
    reader.finish(whole, decoded.invalid, front_matter)
}

/// Where in `text` a part of it stands; nothing if it is a copy.
fn offset_in(text: &str, part: &str) -> Option<usize> {
    let offset = (part.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    (offset + part.len() <= text.len()).then_some(offset)
}

/// Returns whether some line begins a definition: `: text`. pulldown-cmark takes `:smile:` for one as well; generators want a blank.
fn has_definition(text: &str) -> bool {
    memchr::memchr_iter(b':', text.as_bytes()).any(|at| {
        let before = text[..at].trim_end_matches([' ', '\t', '>']);
        text[at + 1..].starts_with([' ', '\t']) && (before.is_empty() || before.ends_with('\n'))
    })
}

fn options(syntax: &Syntax, text: &str) -> Options {
    let mut options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_GFM;
    options.set(Options::ENABLE_HEADING_ATTRIBUTES, syntax.has(Construct::HeadingIds));
    options.set(Options::ENABLE_SMART_PUNCTUATION, syntax.has(Construct::SmartPunctuation));
    options.set(Options::ENABLE_DEFINITION_LIST, syntax.has(Construct::DefinitionLists) && has_definition(text));
    let has = |mark: &str| memchr::memmem::find(text.as_bytes(), mark.as_bytes()).is_some();
    options.set(Options::ENABLE_MATH, syntax.has(Construct::Math) && memchr::memchr(b'$', text.as_bytes()).is_some());
    options.set(Options::ENABLE_WIKILINKS, syntax.has(Construct::WikiLinks) && has("[["));
    options
}
