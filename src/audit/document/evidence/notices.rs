//! The notice of a page that says that it is old, with where it sends its readers.

use std::sync::LazyLock;

use regex::Regex;

use super::Notice;
use super::head::{ASCII, THIS_PAGE};
use crate::audit::document::{Span, Strings};

static NOTICE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let is_old =
        r"(?: is| has been| was)(?: now| currently)? (?:deprecated|archived|superseded|obsolete|no longer maintained)";
    let ours = r"\*\*(?:updated|archived|deprecated)\*\* \(\d{4}-\d{2}-\d{2}\)";
    Regex::new(&format!("{ASCII}(?:{THIS_PAGE}{is_old})|(?P<ours>{ours})")).ok()
});

static DESTINATION: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\]\(<?([^)>\s]+)").ok());

/// The first notice in `head`, which begins at `start` of the document.
pub(super) fn notice(head: &str, start: usize, strings: &mut Strings) -> Option<Notice> {
    let hit = NOTICE.as_ref()?.captures(head)?;
    let whole = hit.get(0)?;
    let after = &head[whole.end()..];
    let after = after.find("\n\n").map_or(after, |end| &after[..end]);
    let replacement = DESTINATION.as_ref()?.captures(after).and_then(|hit| hit.get(1));
    Some(Notice {
        span: Span::from_range(&(start + whole.start()..start + whole.end())),
        ours: hit.name("ours").is_some(),
        updated: whole.as_str().to_ascii_lowercase().starts_with("**updated"),
        replacement: replacement.map(|destination| strings.add(destination.as_str())),
    })
}
