//! `unused-definition`: a reference definition that nothing uses.

use insta::assert_snapshot;

use crate::common::tree;

#[test]
fn a_definition_without_a_link_is_a_note() {
    let unused = [
        ("README.md", "# Us\n\nSee the design.\n\n[design]: design.md\n"),
        ("design.md", "# Design\n\n[Us](README.md)\n"),
    ];
    assert_snapshot!(tree(&unused).audit(&[]), @r"
    README.md  1 note

      note[unused-definition]: nothing uses the definition of [design]
       --> README.md:5:1
      5 | [design]: design.md
        | ^^^^^^^^^^^^^^^^^^^

    design.md  1 warning

      warning[orphan]: nothing leads to this document; README.md ought to link to it
       --> design.md:1:1

    Findings:

            1  warning  orphan
            1  note     unused-definition

    GitHub's rules, because nothing says otherwise
    2 documents, 1 link in [TIME]: 1 warning, 1 note

    Next:
      mcp-kit audit-docs --explain orphan   # say what that means and how to fix it
    exit 0
    ");
}

#[test]
fn a_used_definition_is_no_finding() {
    let used = [
        ("README.md", "# Us\n\nSee [the design][Design] and ![it][design].\n\n[design]: design.png\n"),
        ("design.png", ""),
    ];
    assert_snapshot!(tree(&used).audit(&[]), @r"
    GitHub's rules, because nothing says otherwise
    1 document, 2 links in [TIME]: no findings
    exit 0
    ");
}
