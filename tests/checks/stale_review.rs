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
    assert_snapshot!(tree(&passed).audit(&[]), @"");
}

#[test]
fn today_and_later_are_no_finding() {
    let later = [
        ("README.md", "---\nreview_by: 2026-03-01\n---\n# Us\n\n[guide](guide.md)\n"),
        ("guide.md", "---\nnext_review: 2027-01-01 12:00\n---\n# Guide\n"),
    ];
    assert_snapshot!(tree(&later).audit(&[]), @"");
}
