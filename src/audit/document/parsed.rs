//! The text that the parser sees, and where it comes from in the document.

use std::ops::Range;

use super::blocks::Rewritten;
use super::{Span, Strings, Suppression, suppression};

/// A text and its place.
#[derive(Clone, Copy)]
pub(super) struct Parsed<'a> {
    /// The text for the parser.
    pub(super) text: &'a str,
    /// The text after the front matter.
    pub(super) original: &'a str,
    /// Where that begins in the document.
    pub(super) base: usize,
    /// How the one was made of the other, where they differ.
    pub(super) rewritten: Option<&'a Rewritten>,
}

impl Parsed<'_> {
    /// Returns the bytes of the document from which a range of the text comes.
    pub(super) fn span(&self, range: &Range<usize>) -> Span {
        let range = self.source(range);
        Span::from_range(&(self.base + range.start..self.base + range.end))
    }

    /// Returns the bytes of the document of a range of the original text.
    pub(super) fn original_span(&self, range: &Range<usize>) -> Span {
        Span::from_range(&(self.base + range.start..self.base + range.end))
    }

    /// Returns the range of the original text from which a range comes.
    pub(super) fn source(&self, range: &Range<usize>) -> Range<usize> {
        match self.rewritten {
            Some(rewritten) => rewritten.source(range.clone()),
            None => range.clone(),
        }
    }

    /// Finds the suppressions in a comment.
    pub(super) fn suppressions(&self, range: &Range<usize>, strings: &mut Strings, found: &mut Vec<Suppression>) {
        suppression::find(self.original, self.base, self.source(range), strings, found);
    }
}
