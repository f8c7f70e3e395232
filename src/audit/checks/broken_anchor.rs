//! The document exists, but no heading, `id` or `name` in it matches the fragment.
//!
//! # Why it matters
//!
//! Readers land at the top of the page and have to search. A reworded heading is the usual cause.
//!
//! # Example
//!
//! ```markdown
//! See [how to install](setup.md#installing).
//! ```
//!
//! where `setup.md` has only `## Installation`.
//!
//! # How to fix it
//!
//! Write the anchor that the renderer makes from the heading: on GitHub lower case, without punctuation, a hyphen for
//! each space. The end of the report names the renderer whose rules apply; `--flavor` selects another one. To keep old
//! links working when you reword a heading, put `<a id="installing"></a>` in front of it.

use super::{Check, CheckRun, Code, Context, PendingFinding, Severity};
use crate::audit::document::Document;
use crate::audit::resolve::{Fragment, Target, fragment_of};
use crate::audit::suggest::{self, Guess};

pub(super) const CHECK: Check = Check {
    code: CODE,
    summary: "Link to a heading or id that does not exist",
    run: CheckRun::Page(run),
    source: include_str!("broken_anchor.rs"),
};
const CODE: Code = Code::BrokenAnchor;

/// The maximum number of guesses per document. A page with a hundred thousand broken links needs no more.
const GUESSES: usize = 200;

fn run(context: Context<'_>, page: u32, pending: &mut Vec<PendingFinding>) {
    let document = context.document(page);
    let mut guesses = 0;
    for (link, resolved) in
        context.links(page).filter(|(_, resolved)| matches!(resolved.fragment, Fragment::Missing | Fragment::Case(_)))
    {
        let destination = document.text(link.destination);
        let Some(fragment) = fragment_of(context.corpus.site(page), destination) else { continue };
        // It need not be the end: `page?id=name` is one, too.
        let start =
            ["#", "id="].iter().find_map(|mark| Some(destination.rfind(&format!("{mark}{fragment}"))? + mark.len()));
        let Some((before, behind)) = start.map(|at| (&destination[..at], &destination[at + fragment.len()..])) else {
            continue;
        };
        let with = |name: &str| format!("{before}{name}{behind}");
        let (message, guess) = match (resolved.fragment, resolved.target) {
            (Fragment::Missing, Target::Entry(_)) => {
                (format!("the folder has no README in which {fragment:?} could be"), None)
            }
            (Fragment::Missing, target) => {
                let Some(to) = resolved.page() else { continue };
                guesses += 1;
                let decoded: String = percent_encoding::percent_decode_str(fragment).decode_utf8_lossy().into_owned();
                let guess = if guesses > GUESSES { None } else { suggest::anchor(context.corpus, to, &decoded) };
                let place = if to == page {
                    "this document".to_owned()
                } else {
                    suggest::target_name(context.corpus, page, destination, target)
                };
                (format!("there is no heading or id \"{decoded}\" in {place}"), guess)
            }
            (Fragment::Case(name), _) => {
                let Some(to) = resolved.page() else { continue };
                if context.corpus.site(to).links.forgives_case {
                    continue;
                }
                let to_document: &Document = context.document(to);
                let name = to_document.text(name);
                let message =
                    format!("the heading is named \"{name}\", with other letter case, which this renderer tells apart");
                (message, Some(Guess { destination: name.to_owned(), certain: true }))
            }
            (Fragment::Fine | Fragment::Unjudged(_), _) => continue,
        };
        let guess = guess.map(|guess| {
            Guess { destination: with(&guess.destination), certain: guess.certain }.checked(
                context.corpus,
                page,
                link.kind,
            )
        });
        pending
            .push(PendingFinding::of_link(CODE, Severity::Error, page, document, link, message).guessing(link, guess));
    }
}

#[cfg(test)]
mod tests {
    use crate::audit::examples::findings;

    #[test]
    fn no_such_heading() {
        let tree = [
            (
                "README.md",
                "[a](#instalation) [b](docs#faq) [c](img#x) [d](#t0p) [e](docs/README.md#FAQ)\n\n## Installation\n",
            ),
            ("docs/README.md", "# The FAQ: why?\n\n[f](#the-faq--why)\n"),
            ("img/x.png", ""),
        ];
        insta::assert_snapshot!(findings("broken-anchor", &tree), @r#"
        README.md:1:5 error: there is no heading or id "instalation" in this document (#instalation) help: #installation
        README.md:1:23 error: there is no heading or id "faq" in docs/README.md (docs#faq)
        README.md:1:37 error: the folder has no README in which "x" could be (img#x)
        README.md:1:48 error: there is no heading or id "t0p" in this document (#t0p)
        README.md:1:58 error: there is no heading or id "FAQ" in docs/README.md (docs/README.md#FAQ)
        docs/README.md:3:5 error: there is no heading or id "the-faq--why" in this document (#the-faq--why) fix: #the-faq-why
        "#);
    }

    #[test]
    fn every_kind_of_name() {
        let tree = [(
            "README.md",
            "[1](#setext) [2](#a-code-and-link) [3](#named) [4](#an-id) [5](#quoted) [6](#h) [7](#top) [8](#) [9](#L3-L4)\n\
             [10](#a-code-and-link-1) [11](#user-content-named) [12](#%C3%BCber)\n\nSetext\n===\n\n## A `code` and [link](#x)\n\
             ## A code and link\t\n<a name=\"named\"></a><p id=\"an-id\">\n\n> ## Quoted\n\n<h2>H</h2>\n\n## Über\n<a id=x></a>\n",
        )];
        assert_eq!(findings("broken-anchor", &tree), "");
    }
}
