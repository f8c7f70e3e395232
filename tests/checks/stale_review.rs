//! `stale-review`: a document whose review date has passed. It is 2026-03-01.

use insta::assert_snapshot;

use crate::common::tree;

#[test]
fn a_day_that_has_passed_is_a_warning_and_so_is_one_that_cannot_be_read() {
    let passed = [
        ("README.md", "---\nreview_by: 2026-02-28\n---\n# Us\n\n[guide](guide.md), [rules](rules.md)\n"),
        ("guide.md", "---\nnext_review: spring\n---\n# Guide\n"),
        ("rules.md", "# Rules\n"),
        ("catalog.yaml", "audit:\n  reviews:\n    rules.md: 2025-12-31\n"),
    ];
    assert_snapshot!(tree(&passed).audit(&[]), @r#"
    README.md  1 warning

      warning[stale-review]: it was to be reviewed by 2026-02-28
       --> README.md:2:1
      2 | review_by: 2026-02-28
        | ^^^^^^^^^^^^^^^^^^^^^

    guide.md  1 warning

      warning[stale-review]: the review date "spring" is not written as year-month-day
       --> guide.md:2:1
      2 | next_review: spring
        | ^^^^^^^^^^^^^^^^^^^

    rules.md  1 warning

      warning[stale-review]: it was to be reviewed by 2025-12-31
       --> rules.md:1:1

    Findings:

            3  warning  stale-review

    GitHub's rules, because nothing says otherwise
    3 documents, 2 links in [TIME]: 3 warnings

    Next:
      mcp-kit audit-docs --explain stale-review   # say what that means and how to fix it
    exit 0
    "#);
}

#[test]
fn today_and_later_are_no_finding() {
    let later = [
        ("README.md", "---\nreview_by: 2026-03-01\n---\n# Us\n\n[guide](guide.md)\n"),
        ("guide.md", "---\nnext_review: 2027-01-01 12:00\n---\n# Guide\n"),
    ];
    assert_snapshot!(tree(&later).audit(&[]), @r"
    GitHub's rules, because nothing says otherwise
    2 documents, 1 link in [TIME]: no findings
    exit 0
    ");
}
