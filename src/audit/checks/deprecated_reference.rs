//! The document matches the deprecation pattern, by default `phase_1_mcp|deprecated|old_setup`. The finding shows the
//! strongest match and the number of matches.
//!
//! # Why it matters
//!
//! A page about an old setup misleads its readers. A plain search finds mostly healthy pages, so the check weighs each
//! match. The file name, `status:` in the front matter, the title and a banner at the head mark the page itself. The
//! name of an old setup is a warning anywhere in the text. A word that healthy pages use too, such as "deprecated", is
//! a warning only where it marks the page, as in `# Setup (deprecated)`, and a note elsewhere. Code, quotations and
//! notices that this tool wrote do not count.
//!
//! # Example
//!
//! ```markdown
//! # Old setup (deprecated)
//! ```
//!
//! # How to fix it
//!
//! Archive the page, give it the header that points to the current approach, or rewrite the sentence.

use super::{Check, CheckRun, Code, Context, PendingFinding, Severity};
use crate::audit::document::{Mention, Place};
use crate::text::path::{display_path, file_name};

pub(super) const CHECK: Check = Check {
    code: CODE,
    summary: "Document that speaks of something deprecated",
    run: CheckRun::Page(run),
    source: include_str!("deprecated_reference.rs"),
};
const CODE: Code = Code::DeprecatedReference;

fn run(context: Context<'_>, page: u32, pending: &mut Vec<PendingFinding>) {
    let document = context.document(page);
    let evidence = &document.evidence;
    // The page already has our notice, as it should. An index of such pages has no other topic.
    if evidence.notice.is_some_and(|notice| notice.ours) || is_index_of_old(context.corpus.path(page)) {
        return;
    }
    let Some(best) = evidence.mentions.iter().max_by_key(|mention| (weight(mention), mention.place)) else { return };
    let weight = weight(best);
    let severity = if weight >= STRONG { Severity::Warning } else { Severity::Note };
    let place = match best.place {
        Place::FileName => "the file name",
        Place::Status => "the front matter",
        Place::Title => "the title",
        Place::Banner => "a banner at the top",
        Place::Heading => "a heading",
        Place::Link => "the text of a link",
        Place::Prose => "running text",
    };
    let more = match evidence.count {
        0 | 1 => String::new(),
        count => format!(", {count} places in all"),
    };
    let sign = format!("is a sign of something that is gone (weight {weight} of 6{more})");
    let finding = if best.place == Place::FileName {
        let name = display_path(file_name(context.corpus.path(page)));
        let message = format!("{place} `{name}` {sign}");
        PendingFinding { target: Some(name), ..PendingFinding::new(CODE, severity, page, best.span, message) }
    } else {
        PendingFinding {
            quotes_span: true,
            ..PendingFinding::new(CODE, severity, page, best.span, format!("in {place} {sign}"))
        }
    };
    pending.push(finding);
}

/// The minimum weight of a match that marks the page, or names an old setup.
const STRONG: u8 = 3;

/// Returns the weight of a match, from 1 to 6.
const fn weight(mention: &Mention) -> u8 {
    match (mention.place, mention.common) {
        (Place::FileName | Place::Status, false) => 6,
        (Place::Title, false) => 5,
        (Place::Banner | Place::Heading, false) => 4,
        (Place::Link | Place::Prose, false) => 3,
        (Place::Prose, true) => 1,
        (_, true) => 2,
    }
}

/// Returns whether a page is a list of deprecated or archived pages, or is in an archive.
fn is_index_of_old(path: &[u8]) -> bool {
    let lower = path.to_ascii_lowercase();
    let name = file_name(&lower);
    let folders = lower.split(|byte| *byte == b'/');
    name.starts_with(b"deprecation")
        || name.starts_with(b"changelog")
        || folders.into_iter().any(|part| matches!(part, b"archive" | b"archived"))
}

#[cfg(test)]
mod tests {
    use crate::audit::examples::findings;

    #[test]
    fn signs_are_weighed() {
        let tree = [
            ("README.md", "# Us\n\nThe `deprecated` flag is deprecated.\n\n## Deprecated flags\n"),
            ("a.md", "# Setup\n\nWe use phase_1_mcp, see old_setup.\n"),
            ("b.md", "# Setup (deprecated)\n"),
            ("c.md", "---\nstatus: deprecated\n---\n"),
            ("d.md", "# D\n\n> This is deprecated.\n\n## x\n\n> They said phase_1_mcp.\n\n```\nold_setup\n```\n"),
            ("old_setup.md", "# E\n"),
        ];
        insta::assert_snapshot!(findings("deprecated-reference", &tree), @r"
        README.md:5:4 note: `Deprecated` in a heading is a sign of something that is gone (weight 2 of 6, 2 places in all)
        a.md:3:8 warning: `phase_1_mcp` in running text is a sign of something that is gone (weight 3 of 6, 2 places in all)
        b.md:1:10 warning: `deprecated` in the title is a sign of something that is gone (weight 5 of 6)
        c.md:2:9 warning: `deprecated` in the front matter is a sign of something that is gone (weight 6 of 6)
        d.md:3:11 warning: `deprecated` in a banner at the top is a sign of something that is gone (weight 4 of 6)
        old_setup.md:1:1 warning: the file name `old_setup.md` is a sign of something that is gone (weight 6 of 6) (old_setup.md)
        ");
    }

    #[test]
    fn what_this_tool_wrote_does_not_count() {
        let tree = [
            (
                "README.md",
                "# A\n\n> ⚠️ **UPDATED** (2025-11-08)\n> This document describes legacy setup.\n\nphase_1_mcp\n",
            ),
            ("DEPRECATION_NOTICES.md", "# Deprecated documents\n"),
            ("archive/2025-11-08-old_setup.md", "# Old\n"),
        ];
        assert_eq!(findings("deprecated-reference", &tree), "");
    }
}
