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
    assert_snapshot!(tree(TREE).audit(&[]), @r"
    docs/answers.md  1 warning

      warning[orphan]: nothing leads to this document and one that hangs on it; README.md ought to link to it
       --> docs/answers.md:1:1

    notes/one.md  1 warning

      warning[orphan]: nothing leads to this document; README.md ought to link to it
       --> notes/one.md:1:1

    Findings:

            2  warning  orphan

    GitHub's rules, because nothing says otherwise
    5 documents, 3 links in [TIME]: 2 warnings

    Next:
      mcp-kit audit-docs --explain orphan   # say what that means and how to fix it
    exit 0
    ");
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
    assert_snapshot!(tree(&linked.concat()).audit(&[]), @r"
    GitHub's rules, because nothing says otherwise
    6 documents, 4 links in [TIME]: no findings
    exit 0
    ");
}
