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
    assert_snapshot!(tree(&bad).audit(&[]), @"");
}

#[test]
fn a_suppression_with_code_and_reason_hides_the_finding() {
    let good = [(
        "README.md",
        "# Us\n\n<!-- mcp-kit-ignore broken-link: made by the build -->\n[the report](build/report.md)\n",
    )];
    assert_snapshot!(tree(&good).audit(&[]), @"");
}
