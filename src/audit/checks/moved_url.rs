//! A web address redirects permanently (301, 308). Readers still arrive, so it is a note. `--fix` writes the new
//! address when every redirect is permanent and the target is neither a front page nor a page with its own query, which
//! usually means that the page is gone.
//!
//! This check needs `--online`.
//!
//! # Why it matters
//!
//! The old address works only while the redirect exists, and every reader waits for it.
//!
//! # Example
//!
//! ```markdown
//! See [the book](http://doc.rust-lang.org/book/).
//! ```
//!
//! which moved to `https://doc.rust-lang.org/book/` years ago.
//!
//! # How to fix it
//!
//! Check that it is still the same page, then write the new address.

use super::{Check, CheckRun, Code, Context, PendingFinding, Severity};
use crate::audit::suggest::Guess;
use crate::audit::web::UrlAnswer;

pub(super) const CHECK: Check = Check {
    code: CODE,
    summary: "Web address that redirects for good",
    run: CheckRun::Page(run),
    source: include_str!("moved_url.rs"),
};
const CODE: Code = Code::MovedUrl;

fn run(context: Context<'_>, page: u32, pending: &mut Vec<PendingFinding>) {
    let document = context.document(page);
    for (link, answer) in context.answers(page) {
        let UrlAnswer::Moved { to, same } = answer else { continue };
        let message = if *same { "it has moved for good" } else { "it redirects for good, maybe to something else" };
        let guess = Guess { destination: to.clone(), certain: *same };
        pending.push(
            PendingFinding::of_link(CODE, Severity::Note, page, document, link, message.to_owned())
                .guessing(link, Some(guess)),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::audit::examples::findings_with;
    use crate::audit::web::{UrlAnswer, UrlAnswers};
    use crate::audit::{Facts, Settings};

    #[test]
    fn permanent_redirects() {
        let mut answers = UrlAnswers::default();
        answers.insert("http://a.io/x", UrlAnswer::Moved { to: "https://a.io/x".to_owned(), same: true });
        answers.insert("http://a.io/y", UrlAnswer::Moved { to: "https://a.io/".to_owned(), same: false });
        let facts = Facts { answers: Some(answers), ..Facts::default() };
        let tree = [("README.md", "[a](http://a.io/x) [b](http://a.io/y) <http://a.io/x> [d]\n\n[d]: http://a.io/x\n")];
        insta::assert_snapshot!(findings_with("moved-url", &tree, &Settings::default(), &facts), @r"
        README.md:1:5 note: it has moved for good (http://a.io/x) fix: https://a.io/x
        README.md:1:24 note: it redirects for good, maybe to something else (http://a.io/y) help: https://a.io/
        README.md:1:40 note: it has moved for good (http://a.io/x) fix: https://a.io/x
        README.md:1:55 note: it has moved for good (http://a.io/x) fix: https://a.io/x
        ");
    }
}
