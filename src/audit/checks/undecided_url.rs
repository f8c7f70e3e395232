//! Whether there is a page cannot be told: the host was busy (429), had a problem of its own (5xx), did not answer in time, or does not let
//! programs look (401, 403). It never fails an audit, with `--strict` neither.
//!
//! This is looked at with `--online` only.
//!
//! # Why it matters
//!
//! Somebody ought to look with a browser, once. An audit that failed for it would fail at random.
//!
//! # Example
//!
//! ```markdown
//! See [the thread](https://forum.example/t/42).
//! ```
//!
//! whose host answers every program with 403.
//!
//! # How to mend it
//!
//! Run it again later. An address that is never decided belongs into `audit.online.exclude` of `catalog.yaml`.

use super::{Code, Draft, Run, Severity, World};
use crate::audit::web::Answer;

pub(super) const CODE: Code = Code::UndecidedUrl;
pub(super) const RUN: Run = Run::Page(run);

fn run(world: World<'_>, page: u32, drafts: &mut Vec<Draft>) {
    let document = world.document(page);
    for (link, answer) in world.answers(page) {
        if let Answer::Undecided { why } = answer {
            drafts.push(Draft::of_link(CODE, Severity::Note, page, document, link, why.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::audit::config::Config;
    use crate::audit::examples::findings_with;
    use crate::audit::web::{Answer, Answers};

    #[test]
    fn what_cannot_be_told() {
        let mut answers = Answers::default();
        let why = "the host did not answer in time".to_owned();
        answers.insert("https://a.io/slow", Answer::Undecided { why });
        let config = Config { answers: Some(answers), ..Config::default() };
        let tree = [("README.md", "[a](https://a.io/slow) [b](https://a.io/x)\n")];
        insta::assert_snapshot!(findings_with("undecided-url", &tree, &config), @"README.md:1:5 note: the host did not answer in time (https://a.io/slow)");
    }
}
