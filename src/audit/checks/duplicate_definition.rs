//! A second reference definition has the same label. The first one counts (CommonMark 4.7).
//!
//! # Why it matters
//!
//! The second definition has no effect, and neither have edits to it.
//!
//! # Example
//!
//! ```markdown
//! See [the design][design].
//!
//! [design]: old.md
//! [design]: new.md
//! ```
//!
//! # How to fix it
//!
//! Delete one of them, or give it another label.

use super::unused_definition::is_comment;
use super::{Check, CheckRun, Code, Context, PendingFinding, Severity};

pub(super) const CHECK: Check = Check {
    code: CODE,
    summary: "Reference definition that an earlier one hides",
    run: CheckRun::Page(run),
    source: include_str!("duplicate_definition.rs"),
};
const CODE: Code = Code::DuplicateDefinition;

fn run(context: Context<'_>, page: u32, pending: &mut Vec<PendingFinding>) {
    let document = context.document(page);
    for definition in document.definitions.iter().filter(|definition| definition.repeated) {
        if is_comment(document.text(definition.label), document.text(definition.destination)) {
            continue;
        }
        let message =
            format!("[{}] is defined before; this definition counts for nothing", document.text(definition.label));
        let draft = PendingFinding::new(CODE, Severity::Note, page, definition.span, message);
        pending.push(PendingFinding { target: Some(document.text(definition.destination).to_owned()), ..draft });
    }
}

#[cfg(test)]
mod tests {
    use crate::audit::examples::findings;

    #[test]
    fn the_second_definition_of_a_label() {
        let text = "[a] `[a]: no`\n\n[a]: #x\n\n[A]: #y\n\n```\n[a]: #code\n```\n\n<!--\n[a]: #comment\n-->\n\ntext\n[a]: #prose\n";
        insta::assert_snapshot!(findings("duplicate-definition", &[("README.md", text)]), @"README.md:5:1 note: [A] is defined before; this definition counts for nothing (#y)");
    }
}
