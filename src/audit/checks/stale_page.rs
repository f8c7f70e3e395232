//! A page, or a section between markers, that `mcp-kit docs build` made is not what it would write now: the catalog, a template or the
//! program has changed since, or somebody has written into it.
//!
//! # Why it matters
//!
//! The page says what was true once, and nothing on it tells so.
//!
//! # Example
//!
//! `catalog.yaml` says that a server is deployed, and the table that was made from it still says "planned".
//!
//! # How to fix it
//!
//! Run `mcp-kit docs build`. What somebody has written into a generated text belongs into the catalog, a template of one's own, or outside of
//! the markers; `--overwrite` gives it up.

use super::{Check, CheckRun, Code, Context, PendingFinding, Severity};
use crate::audit::document::Span;
use crate::text::path::display_path;

pub(super) const CHECK: Check = Check {
    code: CODE,
    summary: "Generated page that differs from its source",
    run: CheckRun::Page(run),
    source: include_str!("stale_page.rs"),
};
const CODE: Code = Code::StalePage;

fn run(context: Context<'_>, page: u32, pending: &mut Vec<PendingFinding>) {
    if context.facts.stale_pages.is_empty() {
        return;
    }
    let path = display_path(context.corpus.path(page));
    for stale in context.facts.stale_pages.iter().filter(|stale| stale.path == path) {
        let span = Span::of(&(stale.at..stale.at));
        pending.push(PendingFinding::new(CODE, Severity::Error, page, span, stale.message.clone()));
    }
}

#[cfg(test)]
mod tests {
    use crate::audit::examples::findings_with;
    use crate::audit::stale_page::StalePage;
    use crate::audit::{Facts, Settings};

    #[test]
    fn what_a_build_would_write_otherwise() {
        let stale =
            |path: &str, at, message: &str| StalePage { path: path.to_owned(), at, message: message.to_owned() };
        let stale_pages = vec![stale("a.md", 5, "is old"), stale("nowhere.md", 0, "is gone")];
        let facts = Facts { stale_pages, ..Facts::default() };
        let tree =
            [("README.md", "[a](a.md)\n"), ("a.md", "# A\n\n<!-- mcp-kit:begin a -->\n<!-- mcp-kit:end a -->\n")];
        insta::assert_snapshot!(findings_with("stale-page", &tree, &Settings::default(), &facts), @"a.md:3:1 error: is old");
    }
}
