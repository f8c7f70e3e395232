//! A web address could not be checked: the host was busy (429), failed (5xx), did not answer in time, or refuses
//! programs (401, 403). This never fails an audit, not even with `--strict`.
//!
//! This check needs `--online`.
//!
//! # Why it matters
//!
//! The page may be gone, which only a browser can show. An audit that failed on it would fail at random.
//!
//! # Example
//!
//! ```markdown
//! See [the thread](https://forum.example/t/42).
//! ```
//!
//! whose host answers every program with 403.
//!
//! # How to fix it
//!
//! Run the audit again later. Add an address that always fails to `audit.online.exclude` in `catalog.yaml`.

use super::{Check, CheckRun, Code, Context, PendingFinding, Severity};
use crate::audit::web::UrlAnswer;

pub(super) const CHECK: Check = Check {
    code: CODE,
    summary: "Web address that could not be judged",
    run: CheckRun::Page(run),
    source: include_str!("undecided_url.rs"),
};
const CODE: Code = Code::UndecidedUrl;

fn run(context: Context<'_>, page: u32, pending: &mut Vec<PendingFinding>) {
    let document = context.document(page);
    for (link, answer) in context.answers(page) {
        if let UrlAnswer::Undecided { why } = answer {
            pending.push(PendingFinding::of_link(CODE, Severity::Note, page, document, link, why.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::audit::examples::findings_with;
    use crate::audit::web::{UrlAnswer, UrlAnswers};
    use crate::audit::{Facts, Settings};

    #[test]
    fn what_cannot_be_told() {
        let mut answers = UrlAnswers::default();
        let why = "the host did not answer in time".to_owned();
        answers.insert("https://a.io/slow", UrlAnswer::Undecided { why });
        let facts = Facts { answers: Some(answers), ..Facts::default() };
        let tree = [("README.md", "[a](https://a.io/slow) [b](https://a.io/x)\n")];
        insta::assert_snapshot!(findings_with("undecided-url", &tree, &Settings::default(), &facts), @"README.md:1:5 note: the host did not answer in time (https://a.io/slow)");
    }
}
