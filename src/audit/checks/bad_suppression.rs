//! A suppression comment does not work: it has no reason, no code or an unknown one, or nothing to hide.
//!
//! # Why it matters
//!
//! The next reader needs the reason to judge whether it still applies. A suppression with nothing to hide will hide the
//! next defect at that place.
//!
//! # Example
//!
//! ```markdown
//! <!-- mcp-kit-ignore broken-link -->
//! [the report](build/report.md)
//! ```
//!
//! # How to fix it
//!
//! Write `<!-- mcp-kit-ignore broken-link: made by the build -->` on the line of the finding or above its block.
//! `mcp-kit-ignore-file` covers the whole document. Separate several codes by commas.

use super::{Check, CheckRun, Code, Context, PendingFinding, Severity};
use crate::audit::document::Defect;

pub(super) const CHECK: Check = Check {
    code: CODE,
    summary: "Suppression that does not hold",
    run: CheckRun::Page(run),
    source: include_str!("bad_suppression.rs"),
};
const CODE: Code = Code::BadSuppression;

fn run(context: Context<'_>, page: u32, pending: &mut Vec<PendingFinding>) {
    let document = context.document(page);
    for suppression in &document.suppressions {
        let (message, suggestion) = match suppression.defect {
            None => continue,
            Some(Defect::NoReason) => ("a suppression needs a reason after a colon".to_owned(), None),
            Some(Defect::NoCode) => ("a suppression names the code of what it hides".to_owned(), None),
            Some(Defect::UnknownCode(name)) => {
                let name = document.text(name);
                let codes = Code::ALL.iter().map(|code| code.as_str());
                let near = codes.min_by_key(|code| strsim::osa_distance(code, name));
                let near = near.filter(|code| strsim::osa_distance(code, name) <= 1 + name.len() / 3);
                (format!("there is no check {name:?}"), near.map(str::to_owned))
            }
        };
        let draft = PendingFinding::new(CODE, Severity::Warning, page, suppression.span, message);
        pending.push(PendingFinding { suggestion, ..draft });
    }
}

#[cfg(test)]
mod tests {
    use crate::audit::examples::findings;

    #[test]
    fn reasons_and_codes() {
        let text = "<!-- mcp-kit-ignore broken-link -->\n[x](gone.md)\n\n<!-- mcp-kit-ignore brokn-link: soon -->\n\n\
                    [y](gone.md) <!-- mcp-kit-ignore broken-link: soon -->\n";
        insta::assert_snapshot!(findings("bad-suppression", &[("README.md", text)]), @r#"
        README.md:1:1 warning: a suppression needs a reason after a colon
        README.md:4:1 warning: there is no check "brokn-link" help: broken-link
        "#);
        insta::assert_snapshot!(findings("broken-link", &[("README.md", text)]), @"README.md:2:5 error: there is no file gone.md (gone.md)");
    }

    #[test]
    fn front_matter_moves_nothing() {
        let text = "---\ntitle: x\n---\n\n[y](gone.md) <!-- mcp-kit-ignore broken-link: soon -->\n";
        assert_eq!(findings("broken-link", &[("README.md", text)]), "");
        assert_eq!(findings("bad-suppression", &[("README.md", text)]), "");
        let text = "---\ntitle: x\n---\n\ny\n\n<!-- mcp-kit-ignore-file broken-link: soon -->\n\n[y](gone.md)\n";
        assert_eq!(findings("broken-link", &[("README.md", text)]), "");
    }

    #[test]
    fn one_with_nothing_to_hide() {
        let text = "fine <!-- mcp-kit-ignore broken-link: soon -->\n";
        insta::assert_snapshot!(findings("bad-suppression", &[("README.md", text)]), @"README.md:1:6 note: there is no broken-link here to ignore");
    }
}
