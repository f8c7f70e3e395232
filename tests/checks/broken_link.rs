//! `broken-link`: a link to a file that does not exist.

use insta::assert_snapshot;

use crate::common::tree;

const TREE: &[(&str, &str)] = &[
    (
        "README.md",
        "# Us\n\nSee [the guide](guide/instal.md#linux), ![the logo](logo.png),\n[who we are][us] and <a href=\"team/\">the team</a>.\n\n\
         [us]: about.md\n",
    ),
    ("guide/install.md", "# Install\n\n## Linux\n\n[up and out](../../elsewhere.md)\n"),
];

#[test]
fn links_images_definitions_and_html_that_lead_nowhere() {
    assert_snapshot!(tree(TREE).audit(&[]), @"");
}

#[test]
fn what_is_there_is_no_finding() {
    let there = [
        (
            "README.md",
            "# Us\n\nSee [the guide](guide/install.md#linux), [the folder](guide) and [the root](/README.md).\n",
        ),
        ("guide/install.md", "# Install\n\n## Linux\n\n[Home](..), `[code](nowhere.md)`\n"),
    ];
    assert_snapshot!(tree(&there).audit(&[]), @"");
}

#[test]
fn the_only_file_that_can_be_meant_is_written_by_fix() {
    let moved = [
        ("README.md", "# Us\n\nSee [the guide](install.md#linux) and [what is gone](gone.md).\n"),
        ("guide/install.md", "# Install\n\n## Linux\n"),
    ];
    assert_snapshot!(tree(&moved).fixes(&[]), @"");
}
