//! `anchor-case`: an anchor that is right but for upper and lower case.

use insta::assert_snapshot;

use crate::common::tree;

const TREE: &[(&str, &str)] = &[
    ("README.md", "# Us\n\n[here](#Us), [there](guide.md#First-Steps)\n"),
    ("guide.md", "# Guide\n\n## First steps\n"),
];

#[test]
fn other_letter_case_than_the_heading_is_a_warning() {
    assert_snapshot!(tree(TREE).audit(&[]), @r#"
    README.md  2 warnings

      warning[anchor-case]: the heading is named "us": GitHub forgives other letter case, other renderers do not
       --> README.md:3:8
      3 | [here](#Us), [there](guide.md#First-Steps)
        |        ^^^ fix: write #us

      warning[anchor-case]: the heading is named "first-steps": GitHub forgives other letter case, other renderers do not
       --> README.md:3:22
      3 | [here](#Us), [there](guide.md#First-Steps)
        |                      ^^^^^^^^^^^^^^^^^^^^ fix: write guide.md#first-steps

    Findings:

            2  warning  anchor-case           2 by --fix

    GitHub's rules, because nothing says otherwise
    2 documents, 2 links in [TIME]: 2 warnings

    Next:
      mcp-kit audit-docs --fix --dry-run         # show what would fix 2 findings
      mcp-kit audit-docs --explain anchor-case   # say what that means and how to fix it
    exit 0
    "#);
}

#[test]
fn lower_case_is_no_finding() {
    let lower = [("README.md", "# Us\n\n[here](#us), [there](guide.md#first-steps)\n"), TREE[1]];
    assert_snapshot!(tree(&lower).audit(&[]), @r"
    GitHub's rules, because nothing says otherwise
    2 documents, 2 links in [TIME]: no findings
    exit 0
    ");
}

#[test]
fn lower_case_is_written_by_fix() {
    assert_snapshot!(tree(TREE).fixes(&[]), @r"
    --- a/README.md
    +++ b/README.md
    @@ -1,3 +1,3 @@
     # Us
     
    -[here](#Us), [there](guide.md#First-Steps)
    +[here](#us), [there](guide.md#first-steps)
    note: would fix 2 findings, would change 1 file
    exit 0
    ");
}

/// mdBook tells letters apart, so that the anchor leads nowhere.
#[test]
fn where_the_renderer_does_not_forgive_it_the_anchor_is_broken() {
    assert_snapshot!(tree(TREE).audit(&["--flavor", "mdbook"]), @r#"
    README.md  2 errors

      error[broken-anchor]: the heading is named "us", with other letter case, which this renderer tells apart
       --> README.md:3:8
      3 | [here](#Us), [there](guide.md#First-Steps)
        |        ^^^ fix: write #us

      error[broken-anchor]: the heading is named "first-steps", with other letter case, which this renderer tells apart
       --> README.md:3:22
      3 | [here](#Us), [there](guide.md#First-Steps)
        |                      ^^^^^^^^^^^^^^^^^^^^ fix: write guide.md#first-steps

    Findings:

            2  error    broken-anchor         2 by --fix

    mdBook's rules, because it was asked for
    2 documents, 2 links in [TIME]: 2 errors

    Next:
      mcp-kit audit-docs --fix --dry-run           # show what would fix 2 findings
      mcp-kit audit-docs --explain broken-anchor   # say what that means and how to fix it
    exit 1
    "#);
}
