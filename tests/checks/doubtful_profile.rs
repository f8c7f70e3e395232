//! `doubtful-profile`: by the rules that were taken, most links of one form lead to nothing.

use insta::assert_snapshot;

use crate::common::tree;

fn links(broken: usize, good: usize) -> String {
    let broken = (0..broken).map(|number| format!("[a](/guide/page-{number})\n"));
    broken.chain((0..good).map(|_| "[b](/a.md)\n".to_owned())).collect()
}

#[test]
fn one_warning_stands_for_all_of_them() {
    let readme = links(25, 20);
    assert_snapshot!(tree(&[("README.md", &readme), ("a.md", "[up](/README.md) [gone](gone.md)\n")]).audit(&[]), @r"
    README.md  1 warning

      warning[doubtful-profile]: 25 of 46 links with / in front lead to nothing by GitHub's rules, which are hardly the right ones: /guide/page-0 in README.md, /guide/page-1 in README.md, /guide/page-2 in README.md
       --> README.md:1:5
      1 | [a](/guide/page-0)
        |     ^^^^^^^^^^^^^

    a.md  1 error

      error[broken-link]: there is no file gone.md
       --> a.md:1:25
      1 | [up](/README.md) [gone](gone.md)
        |                         ^^^^^^^

    Findings:

            1  error    broken-link
            1  warning  doubtful-profile

    GitHub's rules, because nothing says otherwise; judged: 22 of 47 links; not judged: 25 links with / in front, because the profile is doubtful
    2 documents, 47 links in [TIME]: 1 error, 1 warning

    Next:
      mcp-kit audit-docs --explain broken-link   # say what that means and how to fix it
    exit 1
    ");
}

#[test]
fn a_share_of_half_is_made_of_mistakes() {
    let readme = links(20, 20);
    let report = tree(&[("README.md", &readme), ("a.md", "[up](/README.md)\n")]).audit(&[]);
    assert!(!report.contains("doubtful-profile") && report.contains("20 errors"), "{report}");
}
