//! Pages that say that they have moved.

use std::sync::LazyLock;

use regex::Regex;

use super::head::{ASCII, THIS_PAGE};

/// Each such sentence has one of these in it.
pub(super) const STEMS: [&str; 2] = ["moved", "lives"];

static MOVED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let has_moved = r"(?: has| have| was| were| is| are)(?: been| now)?(?: permanently)? moved\b";
    // "now lives" says that it lived elsewhere before.
    let lives = r"(?: now lives| lives now)\b";
    Regex::new(&format!("{ASCII}(?:{THIS_PAGE}|\\bthis content)(?:{has_moved}|{lives})")).ok()
});

/// Returns whether the head of a page says that the page is somewhere else now.
pub(super) fn says_moved(head: &str) -> bool {
    MOVED.as_ref().is_some_and(|said| said.is_match(head))
}
