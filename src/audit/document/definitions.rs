//! Reference definitions: where each stands, and which are written twice.

use std::ops::Range;

use pulldown_cmark::RefDefs;
use rustc_hash::FxHashSet;

use super::parsed::Parsed;
use super::{Definition, Span, Strings};

/// Returns the definitions that count, sorted by place.
pub(super) fn collect(parsed: &Parsed<'_>, known: &RefDefs<'_>, strings: &mut Strings) -> Vec<Definition> {
    let mut found: Vec<_> = known
        .iter()
        .map(|(label, definition)| {
            let span = definition.span.clone();
            let destination_span = destination_span(&parsed.text[span.clone()], &definition.dest);
            let destination_span = destination_span.map(|destination_span| {
                parsed.span(&(span.start + destination_span.start..span.start + destination_span.end))
            });
            Definition {
                span: parsed.span(&span),
                destination_span: destination_span.unwrap_or_default(),
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
fn destination_span(definition: &str, destination: &str) -> Option<Range<usize>> {
    let start = definition.find("]:")? + 2;
    let start = start + definition[start..].find(|c: char| !c.is_whitespace())?;
    let start = start + usize::from(definition[start..].starts_with('<'));
    definition[start..].starts_with(destination).then(|| start..start + destination.len())
}

/// A line that looks like a definition whose label stands before it already. The parser forgets those.
pub(super) struct Suspect<'a> {
    start: usize,
    end: usize,
    label: &'a str,
    value: &'a str,
}

/// The lines of `text` that look like one, in order.
pub(super) fn suspects<'a>(text: &'a str, known: &RefDefs<'_>) -> Vec<Suspect<'a>> {
    let first: FxHashSet<usize> = known.iter().map(|(_, definition)| definition.span.start).collect();
    let mut suspects = Vec::new();
    if first.is_empty() {
        return suspects;
    }
    // A line may be as long as its document, so where it begins is not looked for from every place.
    let (mut line, mut passed) = (0, 0);
    for end in memchr::memmem::find_iter(text.as_bytes(), "]:") {
        line = memchr::memrchr(b'\n', &text.as_bytes()[passed..end]).map_or(line, |newline| passed + newline + 1);
        passed = end;
        let start = line + text[line..end].len() - text[line..end].trim_start_matches(' ').len();
        let Some(label) = text[start..end].strip_prefix('[') else { continue };
        if first.contains(&start) || label.starts_with('^') || label.contains(['[', ']']) {
            continue;
        }
        let rest = text[end + 2..].split('\n').next().unwrap_or_default();
        let value = rest.trim();
        if !value.is_empty() && known.get(label).is_some() {
            suspects.push(Suspect { start, end: end + 2 + rest.trim_end().len(), label, value });
        }
    }
    suspects
}

/// Returns those of which nothing is `shown` on the page: they are definitions. What is shown is in order.
pub(super) fn repeated(
    suspects: &[Suspect<'_>],
    shown: &[Range<usize>],
    parsed: &Parsed<'_>,
    strings: &mut Strings,
) -> Vec<Definition> {
    let is_hidden = |suspect: &&Suspect<'_>| {
        let after = shown.partition_point(|range| range.end <= suspect.start);
        shown.get(after).is_none_or(|range| range.start >= suspect.end)
    };
    let definition = |suspect: &Suspect<'_>| Definition {
        span: parsed.span(&(suspect.start..suspect.end)),
        destination_span: Span::default(),
        label: strings.add(suspect.label),
        destination: strings.add(suspect.value),
        used: true,
        repeated: true,
    };
    suspects.iter().filter(is_hidden).map(definition).collect()
}
