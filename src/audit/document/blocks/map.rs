//! A text that is made of parts of another one, and which part comes from where.

use std::ops::Range;

/// Where a piece of the new text comes from.
#[derive(Clone, Copy, Debug)]
struct Piece {
    /// Where it begins in the new text.
    here: usize,
    /// Where it begins in the old one.
    there: usize,
    /// It is a copy; otherwise it was put in there.
    copied: bool,
}

impl Piece {
    const fn source(self, offset: usize) -> usize {
        if self.copied { self.there + (offset - self.here) } else { self.there }
    }
}

/// Offsets of the new text → offsets of the old one.
#[derive(Debug)]
pub(super) struct Map(Vec<Piece>);

impl Map {
    /// Returns where a range comes from; what was put in is an empty place.
    pub(super) fn source(&self, range: &Range<usize>) -> Range<usize> {
        let at = self.0.partition_point(|piece| piece.here <= range.start);
        let start = self.0[..at].last().map_or(0, |piece| piece.source(range.start));
        if range.is_empty() {
            return start..start;
        }
        let at = self.0.partition_point(|piece| piece.here < range.end);
        let end = self.0[..at].last().map_or(0, |piece| piece.source(range.end));
        start..end.max(start)
    }
}

/// Writes the new text from the beginning of the old one to its end.
pub(super) struct Writer<'a> {
    /// The old text.
    pub(super) source: &'a str,
    text: String,
    pieces: Vec<Piece>,
    names: Vec<String>,
    is_composed: bool,
    /// Where the last copy ends.
    end: usize,
    is_changed: bool,
}

impl<'a> Writer<'a> {
    /// Creates a writer of a text.
    pub(super) fn new(source: &'a str) -> Self {
        let (text, pieces) = (String::with_capacity(source.len() + source.len() / 16), Vec::new());
        Self { source, text, pieces, names: Vec::new(), is_composed: false, end: 0, is_changed: false }
    }

    /// Copies a part of the old text; what lies between it and the last one is left out.
    pub(super) fn copy(&mut self, range: Range<usize>) {
        let Some(part) = self.source.get(range.clone()).filter(|part| !part.is_empty()) else { return };
        let goes_on = range.start == self.end && self.pieces.last().is_some_and(|piece| piece.copied);
        if !goes_on {
            self.is_changed |= range.start != self.end;
            self.pieces.push(Piece { here: self.text.len(), there: range.start, copied: true });
        }
        self.text.push_str(part);
        self.end = range.end;
    }

    /// Puts something in at a place of the old text that nothing after it has been copied from.
    pub(super) fn insert(&mut self, text: &str, at: usize) {
        if text.is_empty() {
            return;
        }
        self.pieces.push(Piece { here: self.text.len(), there: at.max(self.end), copied: false });
        self.text.push_str(text);
        self.is_changed = true;
    }

    /// Puts blanks in.
    pub(super) fn indent(&mut self, columns: usize, at: usize) {
        const BLANKS: &str = "                                ";
        self.insert(&BLANKS[..columns.min(BLANKS.len())], at);
    }

    /// Notes the name of a place.
    pub(super) fn name(&mut self, name: &str) {
        self.names.push(name.to_owned());
        self.is_changed = true;
    }

    /// Notes that a build puts something into the text which may have names of places.
    pub(super) const fn compose(&mut self) {
        self.is_composed = true;
        self.is_changed = true;
    }

    /// Returns whether a build puts something into the text.
    pub(super) const fn is_composed(&self) -> bool {
        self.is_composed
    }

    /// Returns whether the line that is being written is empty so far.
    pub(super) fn is_at_line_start(&self) -> bool {
        self.text.is_empty() || self.text.ends_with('\n')
    }

    /// The text, its map and the names; nothing if it is the old one.
    pub(super) fn finish(self) -> Option<(String, Map, Vec<String>)> {
        let is_changed = self.is_changed || self.end != self.source.len();
        is_changed.then_some((self.text, Map(self.pieces), self.names))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Every copied character comes from where the map says.
        #[test]
        fn copies_come_from_where_the_map_says(
            source in "[a-zäß\n ]{0,40}",
            cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>(), "[x\n]{0,2}"), 0..12),
        ) {
            let mut places: Vec<usize> = source.char_indices().map(|(at, _)| at).chain([source.len()]).collect();
            places.dedup();
            let mut ends: Vec<_> = cuts.iter().map(|(at, keep, put)| (places[at.index(places.len())], *keep, put)).collect();
            ends.sort_by_key(|(at, ..)| *at);
            let mut writer = Writer::new(&source);
            let mut from = 0;
            for (end, keep, put) in ends {
                if keep {
                    writer.copy(from..end);
                }
                from = end;
                writer.insert(put, end);
            }
            writer.copy(from..source.len());
            let Some((text, map, _)) = writer.finish() else { return Ok(()) };
            let mut last = 0;
            for (at, c) in text.char_indices() {
                let found = map.source(&(at..at + c.len_utf8()));
                prop_assert!(found.start >= last, "in order");
                last = found.start;
                let part = source.get(found.clone());
                prop_assert!(part.is_some_and(|part| part.is_empty() || part == c.to_string()), "{found:?}");
            }
        }
    }
}
