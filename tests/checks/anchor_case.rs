//! `anchor-case`: an anchor that is right but for upper and lower case.

use insta::assert_snapshot;

use crate::common::tree;

const TREE: &[(&str, &str)] = &[
    ("README.md", "# Us\n\n[here](#Us), [there](guide.md#First-Steps)\n"),
    ("guide.md", "# Guide\n\n## First steps\n"),
];

#[test]
fn other_letter_case_than_the_heading_is_a_warning() {
    assert_snapshot!(tree(TREE).audit(&[]), @"");
}

#[test]
fn lower_case_is_no_finding() {
    let lower = [("README.md", "# Us\n\n[here](#us), [there](guide.md#first-steps)\n"), TREE[1]];
    assert_snapshot!(tree(&lower).audit(&[]), @"");
}

#[test]
fn lower_case_is_written_by_fix() {
    assert_snapshot!(tree(TREE).fixes(&[]), @"");
}

/// mdBook tells letters apart, so that the anchor leads nowhere.
#[test]
fn where_the_renderer_does_not_forgive_it_the_anchor_is_broken() {
    assert_snapshot!(tree(TREE).audit(&["--flavor", "mdbook"]), @"");
}
