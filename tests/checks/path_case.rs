//! `path-case`: a link that is right but for upper and lower case.

use insta::assert_snapshot;

use crate::common::tree;

const TREE: &[(&str, &str)] = &[
    ("README.md", "# Us\n\n[Setup](Docs/Setup.md#linux), ![logo](IMG/logo.png)\n"),
    ("docs/setup.md", "# Setup\n\n## Linux\n\n[home](../readme.md)\n"),
    ("img/logo.png", ""),
];

#[test]
fn a_path_with_other_letter_case_is_an_error() {
    assert_snapshot!(tree(TREE).audit(&[]), @"");
}

#[test]
fn a_path_as_the_file_is_named_is_no_finding() {
    let same = [
        ("README.md", "# Us\n\n[Setup](docs/Setup.md#linux)\n"),
        ("docs/Setup.md", "# Setup\n\n## Linux\n\n[home](../README.md)\n"),
    ];
    assert_snapshot!(tree(&same).audit(&[]), @"");
}

#[test]
fn the_name_of_the_file_is_written_by_fix() {
    assert_snapshot!(tree(TREE).fixes(&[]), @"");
}

/// Its builds run where file systems ignore the case of letters.
#[test]
fn docfx_makes_it_a_warning() {
    assert_snapshot!(tree(TREE).audit(&["--flavor", "docfx"]), @"");
}
