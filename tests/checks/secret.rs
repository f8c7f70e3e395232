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
    assert_snapshot!(said, @r"
    README.md  1 error

      error[secret]: this looks like a GitHub token: revoke it, then write a placeholder
       --> README.md:3:26
      3 | Run `export GITHUB_TOKEN=ghp_************************************` first.
        |                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    Findings:

            1  error    secret

    GitHub's rules, because nothing says otherwise
    1 document, 0 links in [TIME]: 1 error

    Next:
      mcp-kit audit-docs --explain secret   # say what that means and how to fix it
    exit 1
    ");
}

#[test]
fn examples_are_no_finding() {
    let readme =
        "# Us\n\nRun `export GITHUB_TOKEN=ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx` or `GITHUB_TOKEN=$TOKEN`.\n"; // pragma: allowlist secret
    assert_snapshot!(tree(&[("README.md", readme)]).audit(&[]), @r"
    GitHub's rules, because nothing says otherwise
    1 document, 0 links in [TIME]: no findings
    exit 0
    ");
}
