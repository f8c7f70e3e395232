//! The path differs from the file name only in letter case.
//!
//! # Why it matters
//!
//! The link works on Windows and macOS, so its author never notices. It is a 404 on GitHub, Linux and most web servers.
//! For DocFX it is only a warning, because DocFX builds usually run on file systems that ignore case.
//!
//! # Example
//!
//! ```markdown
//! [Setup](Docs/Setup.md)
//! ```
//!
//! where the file is `docs/setup.md`.
//!
//! # How to fix it
//!
//! Write the path in the case of the file name. `--fix` does it. Renaming the file would break other links.

use super::{Check, CheckRun, Code, Context, PendingFinding, Severity};
use crate::audit::resolve::Target;
use crate::audit::suggest::{self, Guess};
use crate::markdown::destination::Parts;

pub(super) const CHECK: Check = Check {
    code: CODE,
    summary: "Link that is right but for upper and lower case",
    run: CheckRun::Page(run),
    source: include_str!("path_case.rs"),
};
const CODE: Code = Code::PathCase;

fn run(context: Context<'_>, page: u32, pending: &mut Vec<PendingFinding>) {
    let document = context.document(page);
    let forgiven = context.corpus.site(page).links.forgives_path_case;
    let severity = if forgiven { Severity::Warning } else { Severity::Error };
    for (link, resolved) in context.links(page) {
        let Target::Case(entry) = resolved.target else { continue };
        let destination = document.text(link.destination);
        let name = suggest::target_name(context.corpus, page, destination, resolved.target);
        let message = format!("the file is named {name}, with other letter case");
        let parts = Parts::new(destination);
        let only =
            context.corpus.tree.find_folded(&context.corpus.tree.entries()[entry as usize].path).nth(1).is_none();
        let destination = suggest::recased(context.corpus, context.corpus.path(page), entry, &parts);
        let guess = Some(Guess { destination, certain: only }.checked(context.corpus, page, link.kind));
        pending.push(PendingFinding::of_link(CODE, severity, page, document, link, message).guessing(link, guess));
    }
}

#[cfg(test)]
mod tests {
    use crate::audit::examples::findings;

    #[test]
    fn what_is_linked_with_the_wrong_case_is_no_orphan() {
        assert_eq!(findings("orphan", &[("README.md", "[a](A.md)\n"), ("a.md", "")]), "");
    }

    #[test]
    fn a_warning_where_the_renderer_forgives_it() {
        let tree = [("docfx.json", "{}"), ("index.md", "[a](Setup.md)\n"), ("setup.md", "")];
        insta::assert_snapshot!(findings("path-case", &tree), @"index.md:1:5 warning: the file is named setup.md, with other letter case (Setup.md) fix: setup.md");
    }

    #[test]
    fn the_rest_stays_as_it_was_written() {
        let tree = [("README.md", "[a](A/b.md)\n"), ("a/b.md", "[b](../A/./B.md#top) [c](B.md?x#b)\n\n# B\n")];
        insta::assert_snapshot!(findings("path-case", &tree), @r"
        README.md:1:5 error: the file is named a/b.md, with other letter case (A/b.md) fix: a/b.md
        a/b.md:1:5 error: the file is named a/b.md, with other letter case (../A/./B.md#top) fix: ../a/./b.md#top
        a/b.md:1:26 error: the file is named a/b.md, with other letter case (B.md?x#b) fix: b.md?x#b
        ");
    }

    #[test]
    fn other_letter_case() {
        let tree = [
            ("README.md", "[a](Docs/Setup.md#x) [b](docs/setup.md) [ü](docs/Ü.md)\n"),
            ("docs/setup.md", "# x\n"),
            ("docs/ü.md", ""),
        ];
        insta::assert_snapshot!(findings("path-case", &tree), @r"
        README.md:1:5 error: the file is named docs/setup.md, with other letter case (Docs/Setup.md#x) fix: docs/setup.md#x
        README.md:1:45 error: the file is named docs/ü.md, with other letter case (docs/Ü.md) fix: docs/ü.md
        ");
    }
}
