//! Signs that a document is deprecated, with how much each proves. A word in running text proves little: healthy documentation speaks
//! of deprecated things all the time.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, AhoCorasickKind};
use regex::{Regex, RegexBuilder};

use super::literals::Literals;
use super::words::Words;
use super::{Span, Strings, Text};

/// Where a pattern was met, the weakest place first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// Running text.
    Prose,
    /// The text of a link.
    Link,
    /// A heading that is not the title.
    Heading,
    /// A quotation or alert at the head of the page.
    Banner,
    /// The title.
    Title,
    /// `status:` in the front matter.
    Status,
    /// The name of the file.
    FileName,
}

/// A pattern that was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mention {
    /// Where in the text.
    pub span: Span,
    /// In what kind of place.
    pub place: Place,
    /// Whether it is a word that healthy documents use, too, in a way in which they use it.
    pub common: bool,
}

/// What a page says at its head about being old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The words.
    pub span: Span,
    /// Whether this tool wrote it.
    pub ours: bool,
    /// Only its contents are partly old, the page itself is in use.
    pub updated: bool,
    /// Where readers are sent.
    pub replacement: Option<Text>,
}

/// Everything found in one document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The first mention in each kind of place.
    pub mentions: Vec<Mention>,
    /// How many there are in all.
    pub count: u32,
    /// What the page says about itself.
    pub notice: Option<Notice>,
    /// It says that it is somewhere else now: it is there for those who come by an old link.
    pub moved: bool,
}

impl Evidence {
    /// Counts a mention and keeps it if it is the first of its kind.
    pub(super) fn add(&mut self, mention: Mention) {
        self.count += 1;
        if !self.mentions.iter().any(|other| (other.place, other.common) == (mention.place, mention.common)) {
            self.mentions.push(mention);
        }
    }
}

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
        let pattern = match Words::of(pattern) {
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
            span: Span::of(&(offset + start..offset + end)),
            place,
            common: self.common.iter().any(|word| *word == text[start..end].to_lowercase())
                && !is_a_mark(&text[..start], &text[end..], place),
        })
    }
}

/// Whether a word between these texts marks the page: `Setup (deprecated)`, `[DEPRECATED] Setup`, `> Deprecated: …`, `setup-deprecated.md`.
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

/// Whether the page is what the sentence before the word is about: of a tool or command that is deprecated, a healthy page says so.
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

/// `None` only if the literals below do not compile.
static OLD: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let words =
        ["archive", "deprecat", "obsolete", "superseded", "legacy", "retired", "former", "historic", "old", "previous"];
    // A table for every state: for these few words it is small, and it reads every byte once.
    AhoCorasickBuilder::new().ascii_case_insensitive(true).kind(Some(AhoCorasickKind::DFA)).build(words).ok()
});

/// Whether the text of a link says that what it points to is old.
pub(super) fn says_old(text: &str) -> bool {
    OLD.as_ref().is_some_and(|words| words.is_match(text))
}

/// What the words below have in common whether they begin a sentence or not: hardly any page has one at its head, and the patterns for
/// all the ways to say it took a twentieth of the time of a whole audit.
const STEMS: &[&str] = &[
    MOVED_STEM,
    "eprecated",
    "EPRECATED",
    "rchived",
    "RCHIVED",
    "perseded",
    "PERSEDED",
    "bsolete",
    "BSOLETE",
    "aintained",
    "AINTAINED",
    "pdated**",
    "PDATED**",
];

const MOVED_STEM: &str = "moved";

static HEAD: LazyLock<Option<Literals>> = LazyLock::new(|| Literals::new(STEMS.iter().copied()));

/// The case of letters does not count, and there are no others than those of ASCII: with all of Unicode's, compiling the patterns took
/// half as long again.
const ASCII: &str = "(?i-u)";

/// What a page calls itself.
const THIS_PAGE: &str = r"\bthis (?:document|page|guide|article|runbook|sop|tutorial|readme|file|how-?to)";

static NOTICE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let is_old =
        r"(?: is| has been| was)(?: now| currently)? (?:deprecated|archived|superseded|obsolete|no longer maintained)";
    let ours = r"\*\*(?:updated|archived|deprecated)\*\* \(\d{4}-\d{2}-\d{2}\)";
    Regex::new(&format!("{ASCII}(?:{THIS_PAGE}{is_old})|(?P<ours>{ours})")).ok()
});

static DESTINATION: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\]\(<?([^)>\s]+)").ok());

static MOVED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let has_moved = r"(?: has| was| is)(?: been| now)?(?: permanently)? moved\b";
    Regex::new(&format!("{ASCII}(?:{THIS_PAGE}|\\bthis content){has_moved}")).ok()
});

/// How far a notice is looked for.
const HEAD_LENGTH: usize = 1_500;

/// What the beginning of `text`, from `start`, says about the page being old, and whether it says that the page is somewhere else now.
pub(super) fn at_head(text: &str, start: usize, strings: &mut Strings) -> (Option<Notice>, bool) {
    let head = &text[start..text.floor_char_boundary(start + HEAD_LENGTH)];
    let (mut old, mut moved) = (false, false);
    for hit in HEAD.iter().flat_map(|stems| stems.places(head.as_bytes())) {
        *(if STEMS[hit.pattern().as_usize()] == MOVED_STEM { &mut moved } else { &mut old }) = true;
    }
    let notice = if old { notice(head, start, strings) } else { None };
    (notice, moved && MOVED.as_ref().is_some_and(|said| said.is_match(head)))
}

fn notice(head: &str, start: usize, strings: &mut Strings) -> Option<Notice> {
    let hit = NOTICE.as_ref()?.captures(head)?;
    let whole = hit.get(0)?;
    let after = &head[whole.end()..];
    let after = after.find("\n\n").map_or(after, |end| &after[..end]);
    let replacement = DESTINATION.as_ref()?.captures(after).and_then(|hit| hit.get(1));
    Some(Notice {
        span: Span::of(&(start + whole.start()..start + whole.end())),
        ours: hit.name("ours").is_some(),
        updated: whole.as_str().to_ascii_lowercase().starts_with("**updated"),
        replacement: replacement.map(|destination| strings.add(destination.as_str())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_about_the_page_itself() {
        let mut strings = Strings::default();
        let mut of = |text: &str| {
            at_head(text, 0, &mut strings)
                .0
                .map(|notice| (notice.ours, notice.replacement.map(|text| strings.get(text).to_owned())))
        };
        assert_eq!(of("# A\n\nThis page is deprecated, see [B](b.md).\n"), Some((false, Some("b.md".to_owned()))));
        assert_eq!(
            of("# A\n\n> ⚠️ **UPDATED** (2025-11-08)\n> See [B](/b.md)\n"),
            Some((true, Some("/b.md".to_owned())))
        );
        assert_eq!(of("# A\n\nThis page lists the deprecated flags.\n"), None);
        assert_eq!(of(&format!("{}This page is deprecated", "é".repeat(HEAD_LENGTH))), None);
    }

    #[test]
    fn pages_that_have_moved() {
        for text in [
            "# A\n\nThis page has moved to\n[B](b.md).\n",
            "This document has been permanently moved.",
            "This file was moved",
        ] {
            assert!(at_head(text, 0, &mut Strings::default()).1, "{text}");
        }
        for text in ["# A\n\nThis page says how files are moved.\n", "It was moved", ""] {
            assert!(!at_head(text, 0, &mut Strings::default()).1, "{text}");
        }
    }

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
