//! The fragment is right but for the case of its letters. Only reported for renderers that forgive it: elsewhere it is a
//! `broken-anchor`.
//!
//! # Why it matters
//!
//! GitHub's page script finds the heading all the same; other renderers of the same files, editors and link checkers do not.
//!
//! # Example
//!
//! ```markdown
//! [Setup](#Setup)
//! ```
//!
//! # How to mend it
//!
//! Write it in lower case, as the heading is named; `--fix` does it.

use super::{Code, Draft, Run, Severity, World};
use crate::audit::resolve::Fragment;
use crate::audit::suggest::Guess;

pub(super) const CODE: Code = Code::AnchorCase;
pub(super) const RUN: Run = Run::Page(run);

fn run(world: World<'_>, page: u32, drafts: &mut Vec<Draft>) {
    let document = world.document(page);
    for (link, resolved) in world.links(page) {
        let (Fragment::Case(name), Some(to)) = (resolved.fragment, resolved.page()) else { continue };
        if !world.corpus.site(to).rules.forgives_case {
            continue;
        }
        let name = world.document(to).text(name);
        let destination = document.text(link.destination);
        let before = destination.split('#').next().unwrap_or_default();
        let message = format!("the heading is named \"{name}\": GitHub forgives other letter case, other renderers do not");
        let guess = Guess { destination: format!("{before}#{name}"), certain: true };
        let guess = Some(guess.checked(world.corpus, page, link.kind));
        drafts.push(Draft::of_link(CODE, Severity::Warning, page, document, link, message).guessing(link, guess));
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
