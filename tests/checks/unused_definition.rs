//! `unused-definition`: a reference definition that nothing uses.

use insta::assert_snapshot;

use crate::common::tree;

#[test]
fn a_definition_without_a_link_is_a_note() {
    let unused = [
        ("README.md", "# Us\n\nSee the design.\n\n[design]: design.md\n"),
        ("design.md", "# Design\n\n[Us](README.md)\n"),
    ];
    assert_snapshot!(tree(&unused).audit(&[]), @"");
}

#[test]
fn a_used_definition_is_no_finding() {
    let used = [
        ("README.md", "# Us\n\nSee [the design][Design] and ![it][design].\n\n[design]: design.png\n"),
        ("design.png", ""),
    ];
    assert_snapshot!(tree(&used).audit(&[]), @"");
}
