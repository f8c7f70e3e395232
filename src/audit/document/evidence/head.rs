//! The head of a page → what it says about itself: a cheap search for stems decides whether the patterns are tried at all.

use std::sync::LazyLock;

use super::{Notice, moved, notices};
use crate::audit::document::Strings;
use crate::audit::document::literals::Literals;

/// A common part of the words below, in any case. Hardly any page has one at its head, and the patterns for them are
/// slow.
const STEMS: &[&str] = &[
    moved::STEMS[0],
    moved::STEMS[1],
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

static HEAD: LazyLock<Option<Literals>> = LazyLock::new(|| Literals::new(STEMS.iter().copied()));

/// The case of letters does not count, and there are no others than those of ASCII: with all of Unicode's, compiling the patterns took
/// half as long again.
pub(super) const ASCII: &str = "(?i-u)";

/// The words by which a page refers to itself.
pub(super) const THIS_PAGE: &str = r"\bthis (?:document|page|guide|article|runbook|sop|tutorial|readme|file|how-?to)";

/// How far a notice is looked for.
const HEAD_LENGTH: usize = 1_500;

/// Returns the notice at the beginning of `text`, from `start`, that the page is old, and whether it says that the page
/// has moved.
pub(in crate::audit::document) fn at_head(text: &str, start: usize, strings: &mut Strings) -> (Option<Notice>, bool) {
    let head = &text[start..text.floor_char_boundary(start + HEAD_LENGTH)];
    let (mut old, mut moved) = (false, false);
    for hit in HEAD.iter().flat_map(|stems| stems.places(head.as_bytes())) {
        *(if moved::STEMS.contains(&STEMS[hit.pattern().as_usize()]) { &mut moved } else { &mut old }) = true;
    }
    let notice = if old { notices::notice(head, start, strings) } else { None };
    (notice, moved && moved::says_moved(head))
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
            "The contents of this document have been moved to the\n[guide](new.md).",
            "This guide now lives [here](new.md).",
        ] {
            assert!(at_head(text, 0, &mut Strings::default()).1, "{text}");
        }
        for text in ["# A\n\nThis page says how files are moved.\n", "It was moved", "This guide lives here.", ""] {
            assert!(!at_head(text, 0, &mut Strings::default()).1, "{text}");
        }
    }
}
