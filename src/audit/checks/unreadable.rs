//! The document cannot be read: it is not UTF-8, it is too large, or the system refuses access. A document that is not
//! UTF-8 is still audited, with a question mark for each wrong byte.
//!
//! # Why it matters
//!
//! Renderers show garbage for a wrong encoding, and an unread document is not audited.
//!
//! # Example
//!
//! A text in Latin-1 that contains `Größe`.
//!
//! # How to fix it
//!
//! Save the document as UTF-8 (`iconv -f latin1 -t utf-8`), make it readable, or exclude it.

use super::{Check, CheckRun, Code, Context, PendingFinding, Severity};
use crate::audit::document::{Reading, Span};

pub(super) const CHECK: Check = Check {
    code: CODE,
    summary: "Document that could not be read as it is",
    run: CheckRun::Page(run),
    source: include_str!("unreadable.rs"),
};
const CODE: Code = Code::Unreadable;

fn run(context: Context<'_>, page: u32, pending: &mut Vec<PendingFinding>) {
    let (span, message) = match &context.document(page).reading {
        Reading::Whole => return,
        Reading::Lossy(span) => {
            (*span, "this is not UTF-8; it was read with a question mark for each wrong byte".to_owned())
        }
        Reading::Failed(reason) => (Span::default(), format!("not audited: {reason}")),
    };
    pending.push(PendingFinding::new(CODE, Severity::Warning, page, span, message));
}

#[cfg(test)]
mod tests {
    use crate::audit::examples::{findings, findings_in, findings_with};
    use crate::audit::{Facts, Settings};

    #[test]
    fn what_is_not_utf8_is_audited_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("README.md"), b"# Gr\xf6\xdfe\n\n[x](gone.md)\n").unwrap();
        insta::assert_snapshot!(findings_in("unreadable", folder.path(), &Settings::default(), &Facts::default()), @"README.md:1:5 warning: this is not UTF-8; it was read with a question mark for each wrong byte");
        insta::assert_snapshot!(findings_in("broken-link", folder.path(), &Settings::default(), &Facts::default()), @"README.md:3:5 error: there is no file gone.md (gone.md)");
    }

    #[test]
    fn what_is_too_large_is_said() {
        let text = "x".repeat(2_000_000);
        let settings = Settings { largest: 1 << 20, ..Settings::default() };
        insta::assert_snapshot!(findings_with("unreadable", &[("README.md", &text)], &settings, &Facts::default()), @"README.md:1:1 warning: not audited: it is larger than 1 MB");
        assert_eq!(findings("unreadable", &[("README.md", &text)]), "");
    }
}
