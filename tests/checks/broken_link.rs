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
    assert_snapshot!(tree(TREE).audit(&[]), @r#"
    README.md  4 errors

      error[broken-link]: there is no file guide/instal.md
       --> README.md:3:17
      3 | See [the guide](guide/instal.md#linux), ![the logo](logo.png),
        |                 ^^^^^^^^^^^^^^^^^^^^^ help: did you mean guide/install.md#linux?

      error[broken-link]: there is no image logo.png
       --> README.md:3:53
      3 | See [the guide](guide/instal.md#linux), ![the logo](logo.png),
        |                                                     ^^^^^^^^

      error[broken-link]: there is no file about.md
       --> README.md:4:1
      4 | [who we are][us] and <a href="team/">the team</a>.
        | ^^^^^^^^^^^^^^^^

      error[broken-link]: there is no folder team
       --> README.md:4:31
      4 | [who we are][us] and <a href="team/">the team</a>.
        |                               ^^^^^

    guide/install.md  1 error, 1 warning

      warning[orphan]: nothing leads to this document; README.md ought to link to it
       --> guide/install.md:1:1

      error[broken-link]: ../../elsewhere.md leads out of the tree
       --> guide/install.md:5:14
      5 | [up and out](../../elsewhere.md)
        |              ^^^^^^^^^^^^^^^^^^

    Findings:

            5  error    broken-link
            1  warning  orphan

    GitHub's rules, because nothing says otherwise
    2 documents, 5 links in [TIME]: 5 errors, 1 warning

    Next:
      mcp-kit audit-docs --explain broken-link   # say what that means and how to fix it
    exit 1
    "#);
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
    assert_snapshot!(tree(&there).audit(&[]), @r"
    GitHub's rules, because nothing says otherwise
    2 documents, 4 links in [TIME]: no findings
    exit 0
    ");
}

#[test]
fn the_only_file_that_can_be_meant_is_written_by_fix() {
    let moved = [
        ("README.md", "# Us\n\nSee [the guide](install.md#linux) and [what is gone](gone.md).\n"),
        ("guide/install.md", "# Install\n\n## Linux\n"),
    ];
    assert_snapshot!(tree(&moved).fixes(&[]), @r"
    --- a/README.md
    +++ b/README.md
    @@ -1,3 +1,3 @@
     # Us
     
    -See [the guide](install.md#linux) and [what is gone](gone.md).
    +See [the guide](guide/install.md#linux) and [what is gone](gone.md).
    note: would fix 1 finding, would change 1 file
    exit 0
    ");
}
