//! `undefined-reference`: a reference link without a definition.

use insta::assert_snapshot;

use crate::common::tree;

/// The document writes in this style: it has a definition.
const TREE: &[(&str, &str)] = &[(
    "README.md",
    "# Us\n\nSee [the design][design], ![logo][], [the site][https://example.org], [the end][#the-end] and [us][].\n\n\
     ## The end\n\n[us]: #us\n",
)];

#[test]
fn labels_that_are_defined_nowhere() {
    assert_snapshot!(tree(TREE).audit(&[]), @"");
}

#[test]
fn defined_labels_and_text_in_brackets_are_no_finding() {
    let defined = [(
        "README.md",
        "# Us\n\nSee [the design][Design], \\[a][b], `[c][d]`, matrix[i][j] and [x].\n\n[design]: #us\n",
    )];
    assert_snapshot!(tree(&defined).audit(&[]), @"");
}

#[test]
fn a_destination_in_brackets_gets_parentheses_by_fix() {
    assert_snapshot!(tree(TREE).fixes(&[]), @"");
}
