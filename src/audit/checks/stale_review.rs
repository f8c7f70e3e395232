//! The day has passed on which the document was to be looked at again: `review_by`, `review_date` or `next_review` in its front matter,
//! or the date in the catalog.
//!
//! # Why it matters
//!
//! Somebody knew that the document would have to be checked by then, and nobody has.
//!
//! # Example
//!
//! ```markdown
//! ---
//! review_by: 2025-01-31
//! ---
//! ```
//!
//! # How to mend it
//!
//! Read the document, correct it, and move the date.

use super::{Code, Draft, Run, Severity, World};
use crate::audit::config::{Date, written};
use crate::audit::document::Span;
use crate::audit::walk::shown;

pub(super) const CODE: Code = Code::StaleReview;
pub(super) const RUN: Run = Run::Page(run);

fn run(world: World<'_>, page: u32, drafts: &mut Vec<Draft>) {
    let document = world.document(page);
    if let Some((span, text)) = document.front_matter.review {
        let written = document.text(text);
        match date(written) {
            Some(date) => passed(world, page, span, date, drafts),
            None if written.is_empty() => {}
            None => {
                let message = format!("the review date {written:?} is not written as year-month-day");
                drafts.push(Draft::new(CODE, Severity::Warning, page, span, message));
            }
        }
    } else if !world.config.reviews.is_empty() {
        let path = shown(world.corpus.path(page));
        if let Some((_, date)) = world.config.reviews.iter().find(|(of, _)| *of == path) {
            passed(world, page, Span::default(), *date, drafts);
        }
    }
}

fn passed(world: World<'_>, page: u32, span: Span, date: Date, drafts: &mut Vec<Draft>) {
    if date < world.config.today {
        let message = format!("it was to be reviewed by {}", written(date));
        drafts.push(Draft::new(CODE, Severity::Warning, page, span, message));
    }
}

/// `2025-01-31`, also with a time behind it.
fn date(text: &str) -> Option<Date> {
    let mut parts = text.get(..10)?.split('-');
    let year = parts.next()?.parse().ok()?;
    let month = parts.next()?.parse().ok().filter(|month| (1..=12).contains(month))?;
    let day = parts.next()?.parse().ok().filter(|day| (1..=31).contains(day))?;
    Some((year, month, day))
}

#[cfg(test)]
mod tests {
    use crate::audit::config::Config;
    use crate::audit::examples::findings_with;

    #[test]
    fn dates_that_have_passed() {
        let config =
            Config { today: (2026, 2, 1), reviews: vec![("c.md".to_owned(), (2025, 12, 31))], ..Config::default() };
        let tree = [
            ("README.md", "---\ntitle: x\nreview_by: 2026-01-31\n---\n"),
            ("a.md", "---\nreview_by: '2026-02-01'\n---\n"),
            ("b.md", "---\nreview_by: soon\n---\n"),
            ("c.md", ""),
        ];
        insta::assert_snapshot!(findings_with("stale-review", &tree, &config), @r#"
        README.md:3:1 warning: it was to be reviewed by 2026-01-31
        b.md:2:1 warning: the review date "soon" is not written as year-month-day
        c.md:1:1 warning: it was to be reviewed by 2025-12-31
        "#);
    }
}
