//! `duplicate-definition`: a reference definition that an earlier one hides.

use insta::assert_snapshot;

use crate::common::tree;

const FILES: [(&str, &str); 2] = [("old.md", "# Old\n"), ("new.md", "# New\n")];

#[test]
fn the_second_definition_of_a_label_is_a_note() {
    let twice =
        ("README.md", "# Us\n\nSee [the design][design] and [new](new.md).\n\n[design]: old.md\n[Design]: new.md\n");
    assert_snapshot!(tree(&[&[twice], &FILES[..]].concat()).audit(&[]), @"");
}

#[test]
fn labels_of_their_own_are_no_finding() {
    let apart =
        ("README.md", "# Us\n\nSee [the design][design] and [the new one][new].\n\n[design]: old.md\n[new]: new.md\n");
    assert_snapshot!(tree(&[&[apart], &FILES[..]].concat()).audit(&[]), @"");
}
