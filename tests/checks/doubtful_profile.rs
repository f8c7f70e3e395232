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
    assert_snapshot!(tree(&[("README.md", &readme), ("a.md", "[up](/README.md) [gone](gone.md)\n")]).audit(&[]));
}

#[test]
fn a_share_of_half_is_made_of_mistakes() {
    let readme = links(20, 20);
    let report = tree(&[("README.md", &readme), ("a.md", "[up](/README.md)\n")]).audit(&[]);
    assert!(!report.contains("doubtful-profile") && report.contains("20 errors"), "{report}");
}
