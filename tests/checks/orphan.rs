//! `orphan`: documents that no entry point reaches.

use insta::assert_snapshot;

use crate::common::tree;

const TREE: &[(&str, &str)] = &[
    ("README.md", "# Us\n\n[guide](docs/guide.md)\n"),
    ("docs/guide.md", "# Guide\n"),
    ("docs/faq.md", "# FAQ\n\n[answers](answers.md)\n"),
    ("docs/answers.md", "# Answers\n\n[back](faq.md)\n"),
    ("notes/one.md", "# One\n"),
];

#[test]
fn an_island_is_one_warning_at_the_page_that_one_would_enter_it_by() {
    assert_snapshot!(tree(TREE).audit(&[]), @"");
}

#[test]
fn what_is_linked_needs_no_entry_in_the_catalog_and_what_is_allowed_no_link() {
    let linked = [
        &TREE[1..],
        &[
            ("README.md", "# Us\n\n[guide](docs/guide.md), [FAQ](docs/faq.md)\n"),
            ("CHANGELOG.md", "# Changes\n"),
            ("catalog.yaml", "audit:\n  orphans_allowed: [\"notes/**\"]\n"),
        ],
    ];
    assert_snapshot!(tree(&linked.concat()).audit(&[]), @"");
}
