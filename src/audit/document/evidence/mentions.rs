//! Text → the patterns that are met in it, and whether the word marks the page or is said in passing.

use std::ops::Range;

use regex::{Regex, RegexBuilder};

use super::{Mention, Place};
use crate::audit::document::Span;
use crate::audit::document::words::Words;

/// The patterns of an audit, made once.
pub struct Patterns {
    pattern: Pattern,
    common: Vec<String>,
}

enum Pattern {
    Words(Words),
    Expression(Regex),
}

impl Patterns {
    /// From the configuration.
    ///
    /// # Errors
    /// When `pattern` is no regular expression.
    pub fn new(pattern: &str, common: &[String]) -> Result<Self, regex::Error> {
        let pattern = match Words::from_pattern(pattern) {
            Some(words) => Pattern::Words(words),
            None => Pattern::Expression(RegexBuilder::new(pattern).case_insensitive(true).build()?),
        };
        Ok(Self { pattern, common: common.iter().map(|word| word.to_lowercase()).collect() })
    }

    /// Where there is anything to find in `text`, in order.
    #[must_use]
    pub fn places(&self, text: &str) -> Vec<Range<usize>> {
        match &self.pattern {
            Pattern::Words(words) => words.places(text),
            Pattern::Expression(expression) => {
                expression.find_iter(text).map(|hit| hit.range()).filter(|place| !place.is_empty()).collect()
            }
        }
    }

    /// Each occurrence in `text`, which begins at `offset`.
    pub fn mentions<'a>(&'a self, text: &'a str, offset: usize, place: Place) -> impl Iterator<Item = Mention> + 'a {
        self.places(text).into_iter().map(move |Range { start, end }| Mention {
            span: Span::from_range(&(offset + start..offset + end)),
            place,
            common: self.common.iter().any(|word| *word == text[start..end].to_lowercase())
                && !is_a_mark(&text[..start], &text[end..], place),
        })
    }
}

/// Returns whether a word between these texts marks the page: `Setup (deprecated)`, `[DEPRECATED] Setup`, `> Deprecated: …`, `setup-deprecated.md`.
/// `The deprecated flags` and a page about the `deprecated` attribute do not.
fn is_a_mark(before: &str, after: &str, place: Place) -> bool {
    let (before, after) =
        (before.trim_end_matches([' ', '*', '_', '~']), after.trim_start_matches([' ', '*', '_', '~']));
    let ends = after.is_empty() || after.starts_with(['.', '!', ';', ',']);
    match place {
        Place::Status => true,
        // `deprecated.md` lists what is deprecated.
        Place::FileName => before.is_empty() != (after.starts_with('.') || after.is_empty()),
        Place::Title => {
            let bracketed = before.ends_with(['(', '[', '{']) && after.starts_with([')', ']', '}', ',', ' ']);
            let set_off = before.is_empty() && after.starts_with([':', '-', '–', '—']);
            let behind = before.ends_with(['-', '–', '—', ':']) && ends;
            bracketed || set_off || behind
        }
        Place::Banner => {
            let before = before.to_lowercase();
            before.is_empty() && (ends || after.starts_with([':', '-', '–', '—']))
                || ends && is_said_of_the_page(&before)
        }
        Place::Prose | Place::Link | Place::Heading => false,
    }
}

/// Returns whether the page is what the sentence before the word is about: of a tool or command that is deprecated, a healthy page says so.
fn is_said_of_the_page(before: &str) -> bool {
    const PAGES: [&str; 13] = [
        "page",
        "document",
        "documentation",
        "doc",
        "guide",
        "article",
        "file",
        "readme",
        "tutorial",
        "sop",
        "runbook",
        "repository",
        "project",
    ];
    let verb = ["is now", "has been", "is", "was"].iter().find_map(|verb| before.strip_suffix(verb));
    let subject = verb.map(|subject| subject.trim_end_matches([' ', '*', '_', '~']));
    let word = subject.and_then(|subject| subject.rsplit(|c: char| !c.is_alphanumeric()).next());
    word.is_some_and(|word| word == "this" || PAGES.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_banner_is_about_the_page_or_about_a_thing() {
        let patterns = Patterns::new("deprecated", &["deprecated".to_owned()]).unwrap();
        let marks = |text: &str| patterns.mentions(text, 0, Place::Banner).any(|mention| !mention.common);
        for text in [
            "Deprecated.",
            "**DEPRECATED**: use B",
            "This is deprecated.",
            "This page has been deprecated.",
            "The **document** is now deprecated, see B",
        ] {
            assert!(marks(text), "{text}");
        }
        for text in [
            "This tool has been deprecated.",
            "`x` is now deprecated.",
            "Note: This command has been deprecated, and is a wrapper",
            "Is it deprecated",
        ] {
            assert!(!marks(text), "{text}");
        }
        let name = |text: &str| patterns.mentions(text, 0, Place::FileName).any(|mention| !mention.common);
        assert!(
            name("deprecated-setup.md")
                && name("setup-deprecated.md")
                && !name("deprecated.md")
                && !name("the-deprecated-flags.md")
        );
    }

    #[test]
    fn common_words_are_told_apart() {
        let patterns = Patterns::new("phase_1|deprecated", &["deprecated".to_owned()]).unwrap();
        let common: Vec<_> =
            patterns.mentions("Deprecated PHASE_1", 7, Place::Prose).map(|m| (m.span.start, m.common)).collect();
        assert_eq!(common, [(7, true), (18, false)]);
    }
}
