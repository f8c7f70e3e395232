//! Reference definitions: where each stands, and which are written twice.

use pulldown_cmark::{Event, OffsetIter, Options, Parser, RefDefs};
use rustc_hash::FxHashSet;

use super::{Definition, Span, Strings};

/// The definitions that count, sorted by place. `text` begins at `base` of the document.
pub(super) fn collect(text: &str, base: usize, known: &RefDefs<'_>, strings: &mut Strings) -> Vec<Definition> {
    let mut found: Vec<_> = known
        .iter()
        .map(|(label, definition)| {
            let span = definition.span.clone();
            let written = written(&text[span.clone()], &definition.dest)
                .map_or(0..0, |written| base + span.start + written.start..base + span.start + written.end);
            Definition {
                span: Span::of(&(base + span.start..base + span.end)),
                written: Span::of(&written),
                label: strings.add(label),
                destination: strings.add(&definition.dest),
                used: false,
                repeated: false,
            }
        })
        .collect();
    found.sort_by_key(|definition| definition.span);
    found
}

/// Where the destination stands in `[label]: destination "title"`.
fn written(definition: &str, destination: &str) -> Option<std::ops::Range<usize>> {
    let start = definition.find("]:")? + 2;
    let start = start + definition[start..].find(|c: char| !c.is_whitespace())?;
    let start = start + usize::from(definition[start..].starts_with('<'));
    definition[start..].starts_with(destination).then(|| start..start + destination.len())
}

/// Definitions whose label stands before them already. The parser forgets them, so lines that look like one are asked for again, and
/// only where there are such lines the text is parsed a second time.
pub(super) fn repeated(
    text: &str,
    base: usize,
    options: Options,
    known: &RefDefs<'_>,
    strings: &mut Strings,
) -> Vec<Definition> {
    let first: FxHashSet<usize> = known.iter().map(|(_, definition)| definition.span.start).collect();
    let mut suspects = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at + line.len() - line.trim_start_matches(' ').len();
        at += line.len();
        let line = &text[start..at];
        if first.contains(&start) || !line.starts_with('[') || line.starts_with("[^") {
            continue;
        }
        let Some(end) = line.find("]:") else { continue };
        let label = &line[1..end];
        let value = line[end + 2..].trim();
        if !label.contains(['[', ']']) && !value.is_empty() && known.get(label).is_some() {
            suspects.push((start, start + line.trim_end().len(), label, value));
        }
    }
    if suspects.is_empty() {
        return Vec::new();
    }
    // What shows on the page is an event; a definition is none.
    let events: OffsetIter<'_, _> = Parser::new_ext(text, options).into_offset_iter();
    let shown: Vec<_> =
        events.filter(|(event, _)| !matches!(event, Event::Start(_) | Event::End(_))).map(|(_, range)| range).collect();
    suspects.retain(|(start, end, ..)| {
        let after = shown.partition_point(|range| range.end <= *start);
        shown.get(after).is_none_or(|range| range.start >= *end)
    });
    let definitions = suspects.into_iter().map(|(start, end, label, value)| Definition {
        span: Span::of(&(base + start..base + end)),
        written: Span::default(),
        label: strings.add(label),
        destination: strings.add(value),
        used: true,
        repeated: true,
    });
    definitions.collect()
}
