//! The link leads to a file or folder that does not exist, or out of the tree. The check covers links, images, used
//! reference definitions, and `href`, `src` and `srcset` in HTML. Web addresses have a check of their own,
//! `broken-url`. On the pages of a repository's host, a file that git ignores does not exist, even if it lies on your disk:
//! no clone has it. Links of one line that are broken for the same reason are one finding.
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
use crate::audit::document::{Link, LinkKind, POST};
use crate::audit::resolve::{Target, nowhere};
use crate::audit::suggest::{self, Guess};
use crate::markdown::destination::Parts;
use crate::text::path::{display_path, normalise, parent};

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
        let is_ignored = resolved.target == Target::Missing && is_ignored(context, page, destination);
        let message = match resolved.target {
            Target::Missing if destination.starts_with(POST) => {
                format!("there is no post {}", destination.trim_start_matches(POST))
            }
            Target::Missing if is_ignored => "git ignores this target, so no clone has it".to_owned(),
            Target::Missing if destination.contains('\\') => {
                format!("there is no file {what}: a path is written with /, not \\")
            }
            Target::Missing if Parts::new(destination).path.ends_with('/') => format!("there is no folder {what}"),
            Target::Missing if link.kind == LinkKind::Image => format!("there is no image {what}"),
            Target::Missing => format!("there is no file {what}"),
            Target::Unpublished(to) => unpublished(context, page, to, &what),
            Target::Misaddressed(entry) => misaddressed(context, page, link, entry),
            _ => format!("{destination} leads out of the tree"),
        };
        let guess = match resolved.target {
            Target::Unpublished(_) => None,
            Target::Missing if destination.starts_with(POST) => None,
            Target::Misaddressed(entry) => suggest::address(context.corpus, page, link, entry),
            _ => suggest::target(context.corpus, page, link),
        };
        // What its writer has and git ignores is no file of the same name elsewhere.
        let guess = guess.map(|guess| Guess { certain: guess.certain && !is_ignored, ..guess });
        pending
            .push(PendingFinding::of_link(CODE, Severity::Error, page, document, link, message).guessing(link, guess));
    }
}

/// Returns whether the repository's host does not get the file that a destination names. Whether it lies on this disk does not matter, so that
/// a fresh clone has the same report.
fn is_ignored(context: Context<'_>, page: u32, destination: &str) -> bool {
    let corpus = context.corpus;
    let path = Parts::new(destination).decoded();
    let folder = if path.starts_with(b"/") { b"".as_slice() } else { parent(corpus.path(page)) };
    corpus.site(page).links.is_host && normalise(folder, &path).is_some_and(|path| corpus.tree.is_ignored(&path))
}

/// The file is there, and the address is not the one that the site has for it.
fn misaddressed(context: Context<'_>, page: u32, link: &Link, entry: u32) -> String {
    let corpus = context.corpus;
    let destination = context.document(page).text(link.destination);
    let name = display_path(&corpus.tree.entries()[entry as usize].path);
    let at = nowhere(corpus, page, link.kind, destination).map(|at| display_path(&at));
    let real = corpus.files(page).and_then(|files| files.address(entry));
    match (real, at) {
        (_, None) => format!("{name} lies outside of the documents of the site, so it is not published there"),
        (Some(real), Some(at)) => format!("the site has {name} at {}, and this leads to {at}", display_path(&real)),
        (None, Some(at)) => format!("the site has nothing at {at}, where this leads; {name} is not published there"),
    }
}

/// The file is there, and no reader of the site gets it.
fn unpublished(context: Context<'_>, page: u32, to: u32, what: &str) -> String {
    let (site, path) = (context.corpus.site(page), context.corpus.path(to));
    if let Some(excluded) = site.excluded.as_ref().filter(|excluded| excluded.pages.contains(path)) {
        let file = display_path(&excluded.file);
        return format!("{file} excludes {what}, so the site has no such page");
    }
    let list = site.published.as_ref().map(|published| display_path(&published.list));
    let Some(list) = list else {
        let is_draft = context.document(to).front_matter.draft;
        let why = if is_draft { "is a draft" } else { "lies outside of the documents of the site" };
        return format!("{what} {why}, so the site has no such page");
    };
    if !site.is_within(path) {
        return format!("{what} lies outside of the documents of the site, so the site has no such page");
    }
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
