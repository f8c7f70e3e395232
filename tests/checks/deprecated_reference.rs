//! `deprecated-reference`: a document that speaks of something deprecated.

use insta::assert_snapshot;

use crate::common::tree;

const TREE: &[(&str, &str)] = &[
    (
        "README.md",
        "# Us\n\n[old](docs/old_setup.md), [set-up](docs/setup.md), [API](docs/api.md), [SOP](docs/sop.md)\n",
    ),
    ("docs/old_setup.md", "# Set-up of last year\n\nText.\n"),
    ("docs/setup.md", "# Set-up\n\nFirst do phase_1_mcp.\n"),
    ("docs/api.md", "# API\n\nThe deprecated call is gone since version 2.\n"),
    ("docs/sop.md", "# How we do it now\n"),
];

#[test]
fn names_of_old_set_ups_are_warnings_and_the_mere_word_is_a_note() {
    assert_snapshot!(tree(TREE).audit(&[]), @"");
}

#[test]
fn code_quotations_and_healthy_text_are_no_finding() {
    let healthy = [(
        "README.md",
        "# Us\n\nText.\n\nMore of it, with `phase_1_mcp`.\n\n## Later\n\n> somebody said that this is deprecated\n\n```\nold_setup\n```\n",
    )];
    assert_snapshot!(tree(&healthy).audit(&[]), @"");
}

/// Links have no fix here: what is proposed is for whole documents.
#[test]
fn the_page_is_archived_or_gets_a_header_by_fix_documents() {
    assert_snapshot!(tree(TREE).audit(&["--fix=documents", "--dry-run", "--current", "docs/sop.md"]), @"");
}
