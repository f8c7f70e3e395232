//! Pages that say that they have moved.

use std::sync::LazyLock;

use regex::Regex;

use super::head::{ASCII, THIS_PAGE};

/// The words of every such sentence.
pub(super) const STEM: &str = "moved";

static MOVED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let has_moved = r"(?: has| was| is)(?: been| now)?(?: permanently)? moved\b";
    Regex::new(&format!("{ASCII}(?:{THIS_PAGE}|\\bthis content){has_moved}")).ok()
});

/// Returns whether the head of a page says that the page is somewhere else now.
pub(super) fn says_moved(head: &str) -> bool {
    MOVED.as_ref().is_some_and(|said| said.is_match(head))
}
