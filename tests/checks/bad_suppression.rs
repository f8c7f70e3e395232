//! `bad-suppression`: a comment that is to hide findings but does not.

use insta::assert_snapshot;

use crate::common::tree;

#[test]
fn suppressions_without_a_reason_a_known_code_or_a_finding_hide_nothing() {
    let bad = [(
        "README.md",
        "# Us\n\n<!-- mcp-kit-ignore broken-link -->\n[the report](build/report.md)\n\n\
         <!-- mcp-kit-ignore brokn-link: made by the build -->\n[the log](build/log.md)\n\n\
         <!-- mcp-kit-ignore broken-link: made by the build -->\n[here](#us)\n",
    )];
    assert_snapshot!(tree(&bad).audit(&[]), @r#"
    README.md  2 errors, 2 warnings, 1 note

      warning[bad-suppression]: a suppression needs a reason after a colon
       --> README.md:3:1
      3 | <!-- mcp-kit-ignore broken-link -->
        | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

      error[broken-link]: there is no file build/report.md
       --> README.md:4:14
      4 | [the report](build/report.md)
        |              ^^^^^^^^^^^^^^^

      warning[bad-suppression]: there is no check "brokn-link"
       --> README.md:6:1
      6 | <!-- mcp-kit-ignore brokn-link: made by the build -->
        | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ help: did you mean broken-link?

      error[broken-link]: there is no file build/log.md
       --> README.md:7:11
      7 | [the log](build/log.md)
        |           ^^^^^^^^^^^^

      note[bad-suppression]: there is no broken-link here to ignore
       --> README.md:9:1
      9 | <!-- mcp-kit-ignore broken-link: made by the build -->
        | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    Findings:

            2  error    broken-link
            2  warning  bad-suppression
            1  note     bad-suppression

    GitHub's rules, because nothing says otherwise
    1 document, 3 links in [TIME]: 2 errors, 2 warnings, 1 note

    Next:
      mcp-kit audit-docs --explain broken-link   # say what that means and how to fix it
    exit 1
    "#);
}

#[test]
fn a_suppression_with_code_and_reason_hides_the_finding() {
    let good = [(
        "README.md",
        "# Us\n\n<!-- mcp-kit-ignore broken-link: made by the build -->\n[the report](build/report.md)\n",
    )];
    assert_snapshot!(tree(&good).audit(&[]), @r"
    GitHub's rules, because nothing says otherwise
    1 document, 1 link in [TIME]: no findings; 1 more finding accepted by a baseline or a suppression
    exit 0
    ");
}
