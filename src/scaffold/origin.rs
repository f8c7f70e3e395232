//! The source from which the CI of a generated project installs mcp-kit: the git repository and commit of this build.
//! Pure.
//!
//! It is never a name in a registry, because another project owns `mcp-kit` there. When this build does not know its
//! address, a workflow stays as in the template and says what to fill in.

/// The workflow that audits the documents, with mcp-kit at the commit that made the project.
pub const DOCS_WORKFLOW: &str = ".github/workflows/docs.yml";
/// The workflow that updates the project, with the newest mcp-kit.
pub const UPDATE_WORKFLOW: &str = ".github/workflows/update.yml";
/// The workflows that install mcp-kit.
pub const WORKFLOWS: [&str; 2] = [DOCS_WORKFLOW, UPDATE_WORKFLOW];

/// The `repository` of this package and the commit of this build. Each is empty when unknown.
pub const THIS_BUILD: (&str, &str) = (env!("CARGO_PKG_REPOSITORY"), env!("MCP_KIT_COMMIT"));

/// Returns the workflow with the empty address filled in, or unchanged when the address is incomplete.
#[must_use]
pub fn fill_in(workflow: &str, (repository, commit): (&str, &str)) -> String {
    if !is_address(repository) || !is_full_commit(commit) {
        return workflow.to_owned();
    }
    let fill = |text: &str, variable: &str, value: &str| {
        text.replacen(&format!("\n  {variable}: \"\"\n"), &format!("\n  {variable}: \"{value}\"\n"), 1)
    };
    fill(&fill(workflow, "MCP_KIT_REPOSITORY", repository), "MCP_KIT_COMMIT", commit)
}

/// Returns whether the text is an https address that YAML needs no escapes for in quotation marks.
fn is_address(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/:".contains(c);
    text.strip_prefix("https://").is_some_and(|rest| !rest.is_empty() && rest.chars().all(plain))
}

fn is_full_commit(text: &str) -> bool {
    text.len() == 40 && text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "env:\n  MCP_KIT_REPOSITORY: \"\"\n  MCP_KIT_COMMIT: \"\"\njobs:\n";
    const REPOSITORY: &str = "https://git.example/mcp-kit.git";
    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567"; // pragma: allowlist secret

    #[test]
    fn a_whole_address_is_filled_in() {
        let filled = format!("env:\n  MCP_KIT_REPOSITORY: \"{REPOSITORY}\"\n  MCP_KIT_COMMIT: \"{COMMIT}\"\njobs:\n");
        assert_eq!(fill_in(EMPTY, (REPOSITORY, COMMIT)), filled);
        let other = "fedcba9876543210fedcba9876543210fedcba98"; // pragma: allowlist secret
        assert_eq!(fill_in(&filled, (REPOSITORY, other)), filled, "what is there stays");
    }

    #[test]
    fn half_an_address_is_not() {
        for (repository, commit) in [
            ("", ""),
            ("", COMMIT),
            (REPOSITORY, ""),
            (REPOSITORY, "main"),
            (REPOSITORY, "0123456"),
            (REPOSITORY, "0123456789ABCDEF0123456789ABCDEF01234567"), // pragma: allowlist secret
            ("https://", COMMIT),
            ("http://git.example/mcp-kit.git", COMMIT),
            ("git@git.example:mcp-kit.git", COMMIT),
            ("https://git.example/\"\n  X: y", COMMIT),
            ("https://git.example/${{ secrets.X }}", COMMIT),
        ] {
            assert_eq!(fill_in(EMPTY, (repository, commit)), EMPTY, "{repository:?} {commit:?}");
        }
    }
}
