//! `broken-anchor`: a link to a heading or id that does not exist.

use insta::assert_snapshot;

use crate::common::tree;

const TREE: &[(&str, &str)] = &[
    ("README.md", "# Us\n\nSee [how to install](setup.md#installing) and [below](#no-such-heading).\n"),
    ("setup.md", "# Set-up\n\n## Installation\n\n[top](#set--up)\n"),
];

#[test]
fn a_fragment_that_names_nothing_is_an_error() {
    assert_snapshot!(tree(TREE).audit(&[]), @r#"
    README.md  2 errors

      error[broken-anchor]: there is no heading or id "installing" in setup.md
       --> README.md:3:22
      3 | See [how to install](setup.md#installing) and [below](#no-such-heading).
        |                      ^^^^^^^^^^^^^^^^^^^

      error[broken-anchor]: there is no heading or id "no-such-heading" in this document
       --> README.md:3:55
      3 | See [how to install](setup.md#installing) and [below](#no-such-heading).
        |                                                       ^^^^^^^^^^^^^^^^

    setup.md  1 error

      error[broken-anchor]: there is no heading or id "set--up" in this document
       --> setup.md:5:7
      5 | [top](#set--up)
        |       ^^^^^^^^ fix: write #set-up

    Findings:

            3  error    broken-anchor         1 by --fix

    GitHub's rules, because nothing says otherwise
    2 documents, 3 links in [TIME]: 3 errors

    Next:
      mcp-kit audit-docs --fix --dry-run           # show what would fix 1 finding
      mcp-kit audit-docs --explain broken-anchor   # say what that means and how to fix it
    exit 1
    "#);
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
    assert_snapshot!(tree(&named).audit(&[]), @r"
    GitHub's rules, because nothing says otherwise
    2 documents, 5 links in [TIME]: no findings
    exit 0
    ");
}

#[test]
fn a_heading_written_another_way_is_written_right_by_fix() {
    assert_snapshot!(tree(TREE).fixes(&[]), @r"
    --- a/setup.md
    +++ b/setup.md
    @@ -2,4 +2,4 @@
     
     ## Installation
     
    -[top](#set--up)
    +[top](#set-up)
    note: would fix 1 finding, would change 1 file
    exit 0
    ");
}
