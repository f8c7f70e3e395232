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
    assert_snapshot!(tree(TREE).audit(&[]), @r"
    README.md  3 errors, 1 warning

      warning[undefined-reference]: no definition of [design], so this is shown as it is written
       --> README.md:3:5
      3 | See [the design][design], ![logo][], [the site][https://example.org], [the end][#the-end] and…
        |     ^^^^^^^^^^^^^^^^^^^^

      error[undefined-reference]: no definition of [logo], so this is shown as it is written
       --> README.md:3:27
      3 | See [the design][design], ![logo][], [the site][https://example.org], [the end][#the-end] and…
        |                           ^^^^^^^

      error[undefined-reference]: [https://example.org] is no label of a definition: a destination belongs in parentheses
       --> README.md:3:38
      3 | …e design][design], ![logo][], [the site][https://example.org], [the end][#the-end] and [us][…
        |                                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ fix: write (https://example.org)

      error[undefined-reference]: [#the-end] is no label of a definition: a destination belongs in parentheses
       --> README.md:3:71
      3 | …e site][https://example.org], [the end][#the-end] and [us][].
        |                                ^^^^^^^^^^^^^^^^^^^ fix: write (#the-end)

    Findings:

            3  error    undefined-reference   2 by --fix
            1  warning  undefined-reference

    GitHub's rules, because nothing says otherwise
    1 document, 1 link in [TIME]: 3 errors, 1 warning

    Next:
      mcp-kit audit-docs --fix --dry-run                 # show what would fix 2 findings
      mcp-kit audit-docs --explain undefined-reference   # say what that means and how to fix it
    exit 1
    ");
}

#[test]
fn defined_labels_and_text_in_brackets_are_no_finding() {
    let defined = [(
        "README.md",
        "# Us\n\nSee [the design][Design], \\[a][b], `[c][d]`, matrix[i][j] and [x].\n\n[design]: #us\n",
    )];
    assert_snapshot!(tree(&defined).audit(&[]), @r"
    GitHub's rules, because nothing says otherwise
    1 document, 1 link in [TIME]: no findings
    exit 0
    ");
}

#[test]
fn a_destination_in_brackets_gets_parentheses_by_fix() {
    assert_snapshot!(tree(TREE).fixes(&[]), @r"
    --- a/README.md
    +++ b/README.md
    @@ -1,6 +1,6 @@
     # Us
     
    -See [the design][design], ![logo][], [the site][https://example.org], [the end][#the-end] and [us][].
    +See [the design][design], ![logo][], [the site](https://example.org), [the end](#the-end) and [us][].
     
     ## The end
     
    note: would fix 2 findings, would change 1 file
    exit 0
    ");
}
