//! `broken-anchor`: a link to a heading or id that does not exist.

use insta::assert_snapshot;

use crate::common::tree;

const TREE: &[(&str, &str)] = &[
    ("README.md", "# Us\n\nSee [how to install](setup.md#installing) and [below](#no-such-heading).\n"),
    ("setup.md", "# Set-up\n\n## Installation\n\n[top](#set--up)\n"),
];

#[test]
fn a_fragment_that_names_nothing_is_an_error() {
    assert_snapshot!(tree(TREE).audit(&[]), @"");
}

#[test]
fn headings_ids_and_names_are_no_finding() {
    let named = [
        (
            "README.md",
            "# Us\n\n[a](setup.md#installation), [b](setup.md#old), [c](setup.md#older), [d](#us), [e](code.rs#L7)\n",
        ),
        ("setup.md", "# Set-up\n\n<a id=\"old\"></a><a name=\"older\"></a>\n\n## Installation\n"),
        ("code.rs", ""),
    ];
    assert_snapshot!(tree(&named).audit(&[]), @"");
}

#[test]
fn a_heading_written_another_way_is_written_right_by_fix() {
    assert_snapshot!(tree(TREE).fixes(&[]), @"");
}
