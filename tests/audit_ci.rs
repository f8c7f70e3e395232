//! What runs the audit in other people's pipelines names this version, and the commands that this version has.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

const WORKFLOW: &str = include_str!("../template/.github/workflows/docs.yml");

#[test]
fn generated_projects_install_the_version_that_made_them() {
    let install = format!("run: cargo install --locked mcp-kit@{}\n", env!("CARGO_PKG_VERSION"));
    assert!(WORKFLOW.contains(&install), "template/.github/workflows/docs.yml must have: {install}");
}
