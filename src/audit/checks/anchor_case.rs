//! The fragment differs from the heading only in letter case. This check reports it for renderers that accept it; for
//! all others it is a `broken-anchor`.
//!
//! # Why it matters
//!
//! GitHub's page script still finds the heading. Editors, link checkers and other renderers of the same files do not.
//!
//! # Example
//!
//! ```markdown
//! [Setup](#Setup)
//! ```
//!
//! # How to fix it
//!
//! Write the fragment in lower case. `--fix` does it.

use super::{Check, CheckRun, Code, Context, PendingFinding, Severity};
use crate::audit::resolve::Fragment;
use crate::audit::suggest::Guess;

pub(super) const CHECK: Check = Check {
    code: CODE,
    summary: "Anchor that is right but for upper and lower case",
    run: CheckRun::Page(run),
    source: include_str!("anchor_case.rs"),
};
const CODE: Code = Code::AnchorCase;

fn run(context: Context<'_>, page: u32, pending: &mut Vec<PendingFinding>) {
    let document = context.document(page);
    for (link, resolved) in context.links(page) {
        let (Fragment::Case(name), Some(to)) = (resolved.fragment, resolved.page()) else { continue };
        if !context.corpus.site(to).links.forgives_case {
            continue;
        }
        let name = context.document(to).text(name);
        let destination = document.text(link.destination);
        let before = destination.split('#').next().unwrap_or_default();
        let message =
            format!("the heading is named \"{name}\": GitHub forgives other letter case, other renderers do not");
        let guess = Guess { destination: format!("{before}#{name}"), certain: true };
        let guess = Some(guess.checked(context.corpus, page, link.kind));
        pending.push(
            PendingFinding::of_link(CODE, Severity::Warning, page, document, link, message).guessing(link, guess),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::audit::examples::findings;

    #[test]
    fn right_but_for_case() {
        let tree = [("README.md", "[a](#Setup) [b](#setup) [c](#Named)\n\n## Setup\n\n<a name=\"Named\"></a>\n")];
        insta::assert_snapshot!(findings("anchor-case", &tree), @r##"README.md:1:5 warning: the heading is named "setup": GitHub forgives other letter case, other renderers do not (#Setup) fix: #setup"##);
    }
}
