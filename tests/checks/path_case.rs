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
    assert_snapshot!(tree(TREE).audit(&[]), @r"
    README.md  2 errors

      error[path-case]: the file is named docs/setup.md, with other letter case
       --> README.md:3:9
      3 | [Setup](Docs/Setup.md#linux), ![logo](IMG/logo.png)
        |         ^^^^^^^^^^^^^^^^^^^ fix: write docs/setup.md#linux

      error[path-case]: the file is named img/logo.png, with other letter case
       --> README.md:3:39
      3 | [Setup](Docs/Setup.md#linux), ![logo](IMG/logo.png)
        |                                       ^^^^^^^^^^^^ fix: write img/logo.png

    docs/setup.md  1 error

      error[path-case]: the file is named README.md, with other letter case
       --> docs/setup.md:5:8
      5 | [home](../readme.md)
        |        ^^^^^^^^^^^^ fix: write ../README.md

    Findings:

            3  error    path-case             3 by --fix

    GitHub's rules, because nothing says otherwise
    2 documents, 3 links in [TIME]: 3 errors

    Next:
      mcp-kit audit-docs --fix --dry-run       # show what would fix 3 findings
      mcp-kit audit-docs --explain path-case   # say what that means and how to fix it
    exit 1
    ");
}

#[test]
fn a_path_as_the_file_is_named_is_no_finding() {
    let same = [
        ("README.md", "# Us\n\n[Setup](docs/Setup.md#linux)\n"),
        ("docs/Setup.md", "# Setup\n\n## Linux\n\n[home](../README.md)\n"),
    ];
    assert_snapshot!(tree(&same).audit(&[]), @r"
    GitHub's rules, because nothing says otherwise
    2 documents, 2 links in [TIME]: no findings
    exit 0
    ");
}

#[test]
fn the_name_of_the_file_is_written_by_fix() {
    assert_snapshot!(tree(TREE).fixes(&[]), @r"
    --- a/README.md
    +++ b/README.md
    @@ -1,3 +1,3 @@
     # Us
     
    -[Setup](Docs/Setup.md#linux), ![logo](IMG/logo.png)
    +[Setup](docs/setup.md#linux), ![logo](img/logo.png)
    --- a/docs/setup.md
    +++ b/docs/setup.md
    @@ -2,4 +2,4 @@
     
     ## Linux
     
    -[home](../readme.md)
    +[home](../README.md)
    note: would fix 3 findings, would change 2 files
    exit 0
    ");
}

/// Its builds run where file systems ignore the case of letters.
#[test]
fn docfx_makes_it_a_warning() {
    assert_snapshot!(tree(TREE).audit(&["--flavor", "docfx"]), @r"
    README.md  2 warnings

      warning[path-case]: the file is named docs/setup.md, with other letter case
       --> README.md:3:9
      3 | [Setup](Docs/Setup.md#linux), ![logo](IMG/logo.png)
        |         ^^^^^^^^^^^^^^^^^^^ fix: write docs/setup.md#linux

      warning[path-case]: the file is named img/logo.png, with other letter case
       --> README.md:3:39
      3 | [Setup](Docs/Setup.md#linux), ![logo](IMG/logo.png)
        |                                       ^^^^^^^^^^^^ fix: write img/logo.png

    docs/setup.md  1 warning

      warning[path-case]: the file is named README.md, with other letter case
       --> docs/setup.md:5:8
      5 | [home](../readme.md)
        |        ^^^^^^^^^^^^ fix: write ../README.md

    Findings:

            3  warning  path-case             3 by --fix

    DocFX's rules, because it was asked for
    2 documents, 3 links in [TIME]: 3 warnings

    Next:
      mcp-kit audit-docs --fix --dry-run       # show what would fix 3 findings
      mcp-kit audit-docs --explain path-case   # say what that means and how to fix it
    exit 0
    ");
}
