//! `secret`: something that looks like a live secret. It is shown nowhere in full.

use insta::assert_snapshot;

use crate::common::tree;

/// Made up, and in two parts so that no scanner takes this file for a leak.
fn token() -> String {
    ["ghp", "q7Rt2LwX9mBz4KcV8nJd3HsF6gPy1TaE5uWo"].join("_") // pragma: allowlist secret
}

#[test]
fn a_token_is_an_error_and_masked() {
    let readme = format!("# Us\n\nRun `export GITHUB_TOKEN={}` first.\n", token());
    let said = tree(&[("README.md", &readme)]).audit(&[]);
    assert!(!said.contains(&token()), "{said}");
    assert_snapshot!(said, @"");
}

#[test]
fn examples_are_no_finding() {
    let readme =
        "# Us\n\nRun `export GITHUB_TOKEN=ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx` or `GITHUB_TOKEN=$TOKEN`.\n"; // pragma: allowlist secret
    assert_snapshot!(tree(&[("README.md", readme)]).audit(&[]), @"");
}
