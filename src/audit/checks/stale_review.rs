//! The review date of the document has passed: `review_by`, `review_date` or `next_review` in its front matter, or the
//! date in the catalog.
//!
//! # Why it matters
//!
//! The author expected that the document needs a review by that date.
//!
//! # Example
//!
//! ```markdown
//! ---
//! review_by: 2025-01-31
//! ---
//! ```
//!
//! # How to fix it
//!
//! Read the document, correct it, and move the date.

use chrono::NaiveDate;

use super::{Check, CheckRun, Code, Context, PendingFinding, Severity};
use crate::audit::document::Span;
use crate::text::date::parse_day;
use crate::text::path::display_path;

pub(super) const CHECK: Check = Check {
    code: CODE,
    summary: "Document whose review date has passed",
    run: CheckRun::Page(run),
    source: include_str!("stale_review.rs"),
};
const CODE: Code = Code::StaleReview;

fn run(context: Context<'_>, page: u32, pending: &mut Vec<PendingFinding>) {
    let document = context.document(page);
    if let Some((span, text)) = document.front_matter.review {
        let date = document.text(text);
        // A time may follow the day.
        match date.get(..10).and_then(parse_day) {
            Some(date) => passed(context, page, span, date, pending),
            None if date.is_empty() => {}
            None => {
                let message = format!("the review date {date:?} is not written as year-month-day");
                pending.push(PendingFinding::new(CODE, Severity::Warning, page, span, message));
            }
        }
    } else if !context.settings.reviews.is_empty() {
        let path = display_path(context.corpus.path(page));
        if let Some((_, date)) = context.settings.reviews.iter().find(|(of, _)| *of == path) {
            passed(context, page, Span::default(), *date, pending);
        }
    }
}

fn passed(context: Context<'_>, page: u32, span: Span, date: NaiveDate, pending: &mut Vec<PendingFinding>) {
    if date < context.facts.today {
        let message = format!("it was to be reviewed by {date}");
        pending.push(PendingFinding::new(CODE, Severity::Warning, page, span, message));
    }
}

#[cfg(test)]
mod tests {
    use crate::audit::examples::findings_with;
    use crate::audit::{Facts, Settings};
    use crate::text::date::parse_day;

    #[test]
    fn dates_that_have_passed() {
        let facts = Facts { today: parse_day("2026-02-01").unwrap(), ..Facts::default() };
        let reviews = vec![("c.md".to_owned(), parse_day("2025-12-31").unwrap())];
        let settings = Settings { reviews, ..Settings::default() };
        let tree = [
            ("README.md", "---\ntitle: x\nreview_by: 2026-01-31\n---\n"),
            ("a.md", "---\nreview_by: '2026-02-01'\n---\n"),
            ("b.md", "---\nreview_by: soon\n---\n"),
            ("c.md", ""),
        ];
        insta::assert_snapshot!(findings_with("stale-review", &tree, &settings, &facts), @r#"
        README.md:3:1 warning: it was to be reviewed by 2026-01-31
        b.md:2:1 warning: the review date "soon" is not written as year-month-day
        c.md:1:1 warning: it was to be reviewed by 2025-12-31
        "#);
    }
}
