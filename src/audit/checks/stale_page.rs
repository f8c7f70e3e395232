//! A generated page or section differs from what `mcp-kit docs build` would write now: the catalog, a template or the
//! program changed, or the text was edited by hand.
//!
//! # Why it matters
//!
//! The page is out of date and does not show it.
//!
//! # Example
//!
//! `catalog.yaml` calls a server deployed, and the generated table still says "planned".
//!
//! # How to fix it
//!
//! Run `mcp-kit docs build`. Move edits of generated text into the catalog, a template of your own, or outside of the
//! markers. `--overwrite` discards them.

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
        let span = Span::from_range(&(stale.at..stale.at));
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
