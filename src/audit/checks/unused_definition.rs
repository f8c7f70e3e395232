//! No link or image of the document uses a reference definition.
//!
//! # Why it matters
//!
//! Readers do not see it, but the link that it was written for may be missing.
//!
//! # Example
//!
//! ```markdown
//! See the design.
//!
//! [design]: docs/design.md
//! ```
//!
//! # How to fix it
//!
//! Use it (`[the design][design]`), or delete the line.

use std::fmt::Write as _;

use super::{Check, CheckRun, Code, Context, PendingFinding, Severity};

pub(super) const CHECK: Check = Check {
    code: CODE,
    summary: "Reference definition that nothing uses",
    run: CheckRun::Page(run),
    source: include_str!("unused_definition.rs"),
};
const CODE: Code = Code::UnusedDefinition;

/// Labels of comments: `[//]: # (text)`.
const COMMENTS: &[&str] = &["//", "comment", "_", "#", "-", "<>"];

/// The maximum number of findings per document. More of them become one finding.
const MANY: usize = 3;

/// Returns whether a definition is a comment: `[//]: # (text)`, `[comment]: <> (text)`.
pub(super) fn is_comment(label: &str, destination: &str) -> bool {
    COMMENTS.iter().any(|word| label.eq_ignore_ascii_case(word)) || matches!(destination, "" | "#" | "<>")
}

fn run(context: Context<'_>, page: u32, pending: &mut Vec<PendingFinding>) {
    // The pages that it is a part of may use them, and so may a program that changes pages before they are read.
    if context.graph.included.has(page) || context.corpus.site(page).rewrites {
        return;
    }
    let document = context.document(page);
    let before = pending.len();
    for definition in document.definitions.iter().filter(|definition| !definition.used) {
        let (label, destination) = (document.text(definition.label), document.text(definition.destination));
        if is_comment(label, destination) {
            continue;
        }
        let message = format!("nothing uses the definition of [{label}]");
        let draft = PendingFinding::new(CODE, Severity::Note, page, definition.span, message);
        pending.push(PendingFinding { target: Some(destination.to_owned()), ..draft });
    }
    let count = pending.len() - before;
    if count > MANY {
        // Documents from a form define a label for every heading.
        pending.truncate(before + 1);
        let others = count - 1;
        let _ = write!(pending[before].message, ", nor those of {others} other labels of this document");
    }
}

#[cfg(test)]
mod tests {
    use crate::audit::examples::findings;

    #[test]
    fn definitions_that_nothing_uses() {
        let text = "[a], [B  c][] ![x][d]\n\n[a]: x\n[b c]: x\n[d]: x\n[e]: nowhere.md\n[//]: # (a comment)\n[^f]: a footnote\n";
        insta::assert_snapshot!(findings("unused-definition", &[("README.md", text)]), @"README.md:6:1 note: nothing uses the definition of [e] (nowhere.md)");
        assert_eq!(findings("broken-link", &[("README.md", "[e]: nowhere.md\n")]), "");
        let many = "[a]: #a\n[b]: #b\n[c]: #c\n[d]: #d\n";
        let hooked = [("mkdocs.yml", "site_name: X\nhooks: [hook.py]\n"), ("docs/index.md", text)];
        assert_eq!(findings("unused-definition", &hooked), "", "a hook may write the link");
        insta::assert_snapshot!(findings("unused-definition", &[("README.md", many)]), @"README.md:1:1 note: nothing uses the definition of [a], nor those of 3 other labels of this document (#a)");
    }
}
