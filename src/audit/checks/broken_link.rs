//! The link leads to a file or folder that does not exist, or out of the tree. The check covers links, images, used
//! reference definitions, and `href`, `src` and `srcset` in HTML. Web addresses have a check of their own,
//! `broken-url`.
//!
//! # Why it matters
//!
//! Readers get a 404.
//!
//! # Example
//!
//! ```markdown
//! See [the guide](guide/instal.md).
//! ```
//!
//! with only `guide/install.md` there.
//!
//! # How to fix it
//!
//! Write the path relative to the document, or from the root with a leading `/`. `--fix` does it when only one file can
//! be meant. If a build makes the target, put `<!-- mcp-kit-ignore broken-link: made by the build -->` above the link,
//! or exclude the document.

use super::{Check, CheckRun, Code, Context, PendingFinding, Severity};
use crate::audit::document::{Link, LinkKind};
use crate::audit::resolve::{Target, nowhere};
use crate::audit::suggest;
use crate::text::path::display_path;

pub(super) const CHECK: Check = Check {
    code: CODE,
    summary: "Link to a file that does not exist",
    run: CheckRun::Page(run),
    source: include_str!("broken_link.rs"),
};
const CODE: Code = Code::BrokenLink;

fn run(context: Context<'_>, page: u32, pending: &mut Vec<PendingFinding>) {
    let document = context.document(page);
    for (link, resolved) in context.links(page) {
        let destination = document.text(link.destination);
        let is_broken = matches!(
            resolved.target,
            Target::Missing | Target::Outside | Target::Unpublished(_) | Target::Misaddressed(_)
        );
        if !is_broken {
            continue;
        }
        let what = suggest::target_name(context.corpus, page, destination, resolved.target);
        let message = match resolved.target {
            Target::Missing if destination.contains('\\') => {
                format!("there is no file {what}: a path is written with /, not \\")
            }
            Target::Missing if destination.ends_with('/') => format!("there is no folder {what}"),
            Target::Missing if link.kind == LinkKind::Image => format!("there is no image {what}"),
            Target::Missing => format!("there is no file {what}"),
            Target::Unpublished(_) => unpublished(context, page, &what),
            Target::Misaddressed(entry) => misaddressed(context, page, link, entry),
            _ => format!("{destination} leads out of the tree"),
        };
        let guess = match resolved.target {
            Target::Unpublished(_) => None,
            Target::Misaddressed(entry) => suggest::address(context.corpus, page, link, entry),
            _ => suggest::target(context.corpus, page, link),
        };
        pending
            .push(PendingFinding::of_link(CODE, Severity::Error, page, document, link, message).guessing(link, guess));
    }
}

/// The file is there, and the address is not the one that the site has for it.
fn misaddressed(context: Context<'_>, page: u32, link: &Link, entry: u32) -> String {
    let corpus = context.corpus;
    let destination = context.document(page).text(link.destination);
    let name = display_path(&corpus.tree.entries()[entry as usize].path);
    let at = nowhere(corpus, page, link.kind, destination).map_or_else(String::new, |at| display_path(&at));
    let real = corpus.files(page).and_then(|files| files.address(entry));
    match real {
        Some(real) => format!("the site has {name} at {}, and this leads to {at}", display_path(&real)),
        None => format!("the site has nothing at {at}, where this leads; {name} is not published there"),
    }
}

/// The file is there, and no reader of the site gets it.
fn unpublished(context: Context<'_>, page: u32, what: &str) -> String {
    let list = context.corpus.site(page).published.as_ref().map(|published| display_path(&published.list));
    let Some(list) = list else { return format!("{what} is a draft, so the site has no such page") };
    format!("{list} does not list {what}, so the site has no such page")
}

#[cfg(test)]
mod tests {
    use crate::audit::examples::findings;

    #[test]
    fn links_to_nothing() {
        let tree = [
            (
                "README.md",
                "[a](a.md) [b](b.md) ![c](c.png) <img src=\"d.png\"> [e](../e.md) [f][]\n\n[f]: f/\n[g]: g.md\n",
            ),
            ("a.md", "[up](README.md)\n"),
        ];
        insta::assert_snapshot!(findings("broken-link", &tree), @r"
        README.md:1:15 error: there is no file b.md (b.md)
        README.md:1:26 error: there is no image c.png (c.png)
        README.md:1:43 error: there is no file d.png (d.png)
        README.md:1:55 error: ../e.md leads out of the tree (../e.md)
        README.md:1:64 error: there is no folder f (f/)
        ");
    }

    #[test]
    fn what_was_probably_meant() {
        let tree = [
            ("README.md", "[a](guide/instal.md) [b](setup.md#x) [c](guide/faq) [d](usage)\n\n# Usage\n"),
            ("guide/install.md", "[r](README.md)\n"),
            ("guide/deep/setup.md", "# x\n"),
            ("guide/faq.md", ""),
        ];
        insta::assert_snapshot!(findings("broken-link", &tree), @r"
        README.md:1:5 error: there is no file guide/instal.md (guide/instal.md) help: guide/install.md
        README.md:1:26 error: there is no file setup.md (setup.md#x) fix: guide/deep/setup.md#x
        README.md:1:42 error: there is no file guide/faq (guide/faq) fix: guide/faq.md
        README.md:1:57 error: there is no file usage (usage) fix: #usage
        guide/install.md:1:5 error: there is no file guide/README.md (README.md) fix: ../README.md
        ");
    }
}
