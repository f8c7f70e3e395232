//! A web address does not work: the host has no such page (404, 410) or refuses it, the host does not exist, its
//! certificate is not valid, or it redirects without end. A page without the named anchor is a warning, because a
//! script may add the anchor later.
//!
//! This check needs `--online`. It skips private networks and addresses reserved for examples.
//!
//! # Why it matters
//!
//! Readers get an error page of another site.
//!
//! # Example
//!
//! ```markdown
//! See [the specification](https://modelcontextprotocol.io/no-such-page).
//! ```
//!
//! # How to fix it
//!
//! Find the new address of the page, or link to a copy in a web archive. Add addresses that need a login to
//! `audit.online.exclude` in `catalog.yaml`; for a single one, put `<!-- mcp-kit-ignore broken-url: only for members
//! -->` above it.

use super::{Check, CheckRun, Code, Context, PendingFinding, Severity};
use crate::audit::web::UrlAnswer;
use crate::markdown::destination::Parts;

pub(super) const CHECK: Check = Check {
    code: CODE,
    summary: "Web address that does not answer with a page",
    run: CheckRun::Page(run),
    source: include_str!("broken_url.rs"),
};
const CODE: Code = Code::BrokenUrl;

fn run(context: Context<'_>, page: u32, pending: &mut Vec<PendingFinding>) {
    let document = context.document(page);
    for (link, answer) in context.answers(page) {
        let (severity, message) = match answer {
            UrlAnswer::Broken { why } => (Severity::Error, why.clone()),
            UrlAnswer::NoAnchor => {
                let anchor = Parts::new(document.text(link.destination)).fragment.unwrap_or_default();
                (Severity::Warning, format!("the page is there, but nothing in it is called #{anchor}"))
            }
            _ => continue,
        };
        pending.push(PendingFinding::of_link(CODE, severity, page, document, link, message));
    }
}

#[cfg(test)]
mod tests {
    use crate::audit::examples::{findings, findings_with};
    use crate::audit::web::{UrlAnswer, UrlAnswers};
    use crate::audit::{Facts, Settings};

    #[test]
    fn what_the_web_has_answered() {
        let mut answers = UrlAnswers::default();
        answers.insert(
            "https://a.io/gone",
            UrlAnswer::Broken { why: "the host has no such page (404 Not Found)".to_owned() },
        );
        answers.insert("https://a.io/page#part", UrlAnswer::NoAnchor);
        answers.insert("https://a.io/fine", UrlAnswer::Fine);
        let facts = Facts { answers: Some(answers), ..Facts::default() };
        let tree = [(
            "README.md",
            "[a](https://a.io/gone) [b][] <https://a.io/page#part> <a href=\" https://a.io/gone \">\n\
             [c](https://a.io/fine) [d](https://a.io/not-asked) bare https://a.io/gone. `https://a.io/gone`\n\n[b]: https://a.io/gone\n",
        )];
        insta::assert_snapshot!(findings_with("broken-url", &tree, &Settings::default(), &facts), @r"
        README.md:1:5 error: the host has no such page (404 Not Found) (https://a.io/gone)
        README.md:1:24 error: the host has no such page (404 Not Found) (https://a.io/gone)
        README.md:1:31 warning: the page is there, but nothing in it is called #part (https://a.io/page#part)
        README.md:1:65 error: the host has no such page (404 Not Found) (https://a.io/gone)
        README.md:2:57 error: the host has no such page (404 Not Found) (https://a.io/gone)
        ");
        assert_eq!(findings("broken-url", &tree), "");
    }
}
