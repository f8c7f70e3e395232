//! `duplicate-definition`: a reference definition that an earlier one hides.

use insta::assert_snapshot;

use crate::common::tree;

const FILES: [(&str, &str); 2] = [("old.md", "# Old\n"), ("new.md", "# New\n")];

#[test]
fn the_second_definition_of_a_label_is_a_note() {
    let twice =
        ("README.md", "# Us\n\nSee [the design][design] and [new](new.md).\n\n[design]: old.md\n[Design]: new.md\n");
    assert_snapshot!(tree(&[&[twice], &FILES[..]].concat()).audit(&[]), @r"
    README.md  1 note

      note[duplicate-definition]: [Design] is defined before; this definition counts for nothing
       --> README.md:6:1
      6 | [Design]: new.md
        | ^^^^^^^^^^^^^^^^

    Findings:

            1  note     duplicate-definition

    GitHub's rules, because nothing says otherwise
    3 documents, 2 links in [TIME]: 1 note

    Next:
      mcp-kit audit-docs --explain duplicate-definition   # say what that means and how to fix it
    exit 0
    ");
}

#[test]
fn labels_of_their_own_are_no_finding() {
    let apart =
        ("README.md", "# Us\n\nSee [the design][design] and [the new one][new].\n\n[design]: old.md\n[new]: new.md\n");
    assert_snapshot!(tree(&[&[apart], &FILES[..]].concat()).audit(&[]), @r"
    GitHub's rules, because nothing says otherwise
    3 documents, 2 links in [TIME]: no findings
    exit 0
    ");
}
