//! The text of a link that says that what it points to is old.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, AhoCorasickKind};

/// `None` only if the literals below do not compile.
static OLD: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let words =
        ["archive", "deprecat", "obsolete", "superseded", "legacy", "retired", "former", "historic", "old", "previous"];
    // A table for every state: for these few words it is small, and it reads every byte once.
    AhoCorasickBuilder::new().ascii_case_insensitive(true).kind(Some(AhoCorasickKind::DFA)).build(words).ok()
});

/// Returns whether the text of a link says that what it points to is old.
pub(in crate::audit::document) fn says_old(text: &str) -> bool {
    OLD.as_ref().is_some_and(|words| words.is_match(text))
}
