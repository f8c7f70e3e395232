//! A reference definition that no link or image of the document uses.
//!
//! # Why it matters
//!
//! It is shown nowhere, so no reader is hurt; but what it was written for may be missing, and it may rot unnoticed.
//!
//! # Example
//!
//! ```markdown
//! See the design.
//!
//! [design]: docs/design.md
//! ```
//!
//! # How to mend it
//!
//! Use it, `[the design][design]`, or delete the line.

use super::{Code, Draft, Run, Severity, World};

pub(super) const CODE: Code = Code::UnusedDefinition;
pub(super) const RUN: Run = Run::Page(run);

/// Labels with which people write comments: `[//]: # (text)`.
const COMMENTS: &[&str] = &["//", "comment", "_", "#", "-", "<>"];

fn run(world: World<'_>, page: u32, drafts: &mut Vec<Draft>) {
    let document = world.document(page);
    for definition in document.definitions.iter().filter(|definition| !definition.used) {
        let (label, destination) = (document.text(definition.label), document.text(definition.destination));
        let comment = COMMENTS.iter().any(|word| label.eq_ignore_ascii_case(word)) || matches!(destination, "" | "#" | "<>");
        if comment {
            continue;
        }
        let message = format!("nothing uses the definition of [{label}]");
        let draft = Draft::new(CODE, Severity::Note, page, definition.span, message);
        drafts.push(Draft { target: Some(destination.to_owned()), ..draft });
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
    }
}
