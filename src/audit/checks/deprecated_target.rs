//! A link leads to a document that calls itself deprecated or archived, in its front matter (`status:`,
//! `superseded_by:`) or in a sentence or banner at its head. Links whose text calls the target old, links from
//! archives, and links from lists of old pages are fine.
//!
//! # Why it matters
//!
//! The link sends readers to an unmaintained document, although a better one may exist.
//!
//! # Example
//!
//! ```markdown
//! See [the setup](setup.md).
//! ```
//!
//! with `This page is deprecated, see [the new one](new-setup.md).` in `setup.md`.
//!
//! # How to fix it
//!
//! Point the link to the replacement, or call the target old in the link text.

use super::{Check, CheckRun, Code, Context, PendingFinding, Severity};
use crate::audit::document::{Document, LinkKind};
use crate::audit::suggest::{self, Guess};
use crate::markdown::destination::Parts;
use crate::text::path::{display_path, file_name};

pub(super) const CHECK: Check = Check {
    code: CODE,
    summary: "Link to an archived or deprecated document",
    run: CheckRun::Page(run),
    source: include_str!("deprecated_target.rs"),
};
const CODE: Code = Code::DeprecatedTarget;

fn run(context: Context<'_>, page: u32, pending: &mut Vec<PendingFinding>) {
    let own = context.corpus.path(page);
    if is_old(context.document(page)) || is_about_old(own) {
        return;
    }
    let document = context.document(page);
    for (link, resolved) in context.links(page) {
        let Some(to) = resolved.page().filter(|to| *to != page) else { continue };
        let target = context.document(to);
        if !is_old(target) || link.says_old || link.kind == LinkKind::Include {
            continue;
        }
        let message = format!("{} says that it is deprecated", display_path(context.corpus.path(to)));
        let guess = replacement(context, to).map(|entry| {
            let parts = Parts { query: None, fragment: None, ..Parts::new(document.text(link.destination)) };
            Guess { destination: suggest::rewritten(context.corpus, own, entry, &parts), certain: false }
        });
        pending.push(
            PendingFinding::of_link(CODE, Severity::Warning, page, document, link, message).guessing(link, guess),
        );
    }
}

/// Returns whether a page calls itself old. A page with an update notice does not count.
fn is_old(document: &Document) -> bool {
    let status = document.front_matter.status.map(|(_, status)| document.text(status).to_ascii_lowercase());
    let status =
        status.is_some_and(|status| matches!(status.as_str(), "deprecated" | "archived" | "superseded" | "obsolete"));
    status
        || document.front_matter.replacement.is_some()
        || document.evidence.notice.is_some_and(|notice| !notice.updated)
}

/// Returns the replacement that a page names, if it is in the tree.
fn replacement(context: Context<'_>, page: u32) -> Option<u32> {
    let document = context.document(page);
    let from_notice = || document.evidence.notice?.replacement;
    context.page_named(page, document.text(document.front_matter.replacement.or_else(from_notice)?))
}

fn is_about_old(path: &[u8]) -> bool {
    let lower = path.to_ascii_lowercase();
    let has = |word: &[u8]| memchr::memmem::find(&lower, word).is_some();
    has(b"archive")
        || file_name(&lower).starts_with(b"deprecation")
        || file_name(&lower).starts_with(b"changelog")
        || file_name(&lower) == b"summary.md"
}

#[cfg(test)]
mod tests {
    use crate::audit::examples::findings;

    #[test]
    fn links_to_what_is_old() {
        let tree = [
            ("README.md", "[a](a.md) [b](docs/b.md#x) [the old setup](a.md) [c](c.md) [d](d.md)\n"),
            ("d.md", "---\nreplaces: []\nsuperseded-by: []\n---\n# D\n"),
            ("a.md", "# A\n\nThis page is deprecated, see [C](c.md).\n"),
            ("docs/b.md", "---\nstatus: archived\nsuperseded_by: ../c.md\n---\n# x\n"),
            ("c.md", "# C\n\n> ⚠️ **UPDATED** (2025-11-08)\n"),
        ];
        insta::assert_snapshot!(findings("deprecated-target", &tree), @r"
        README.md:1:5 warning: a.md says that it is deprecated (a.md) help: c.md
        README.md:1:15 warning: docs/b.md says that it is deprecated (docs/b.md#x) help: c.md
        ");
    }
}
