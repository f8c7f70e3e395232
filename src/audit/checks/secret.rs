//! The text looks like a live key or token: the prefix of a service, followed by as many random characters as its keys
//! have. The check reads code blocks too. The report masks the secret.
//!
//! # Why it matters
//!
//! Every reader of the document can use the key. Deleting the line does not help, because it stays in the history.
//!
//! # Example
//!
//! ```markdown
//! Run `export GITHUB_TOKEN=ghp_…` with 36 letters and digits in place of the dots.
//! ```
//!
//! # How to fix it
//!
//! Revoke the key at the service, then write a placeholder such as `ghp_xxxx`. The check skips examples that repeat
//! characters, count, or contain `EXAMPLE`.

use super::{Check, CheckRun, Code, Context, PendingFinding, Severity};

pub(super) const CHECK: Check = Check {
    code: CODE,
    summary: "Something that looks like a live secret", // pragma: allowlist secret
    run: CheckRun::Page(run),
    source: include_str!("secret.rs"),
};
const CODE: Code = Code::Secret;

fn run(context: Context<'_>, page: u32, pending: &mut Vec<PendingFinding>) {
    for secret in &context.document(page).secrets {
        let message = format!("this looks like {}: revoke it, then write a placeholder", secret.kind);
        pending.push(PendingFinding::new(CODE, Severity::Error, page, secret.span, message));
    }
}

#[cfg(test)]
mod tests {
    use crate::audit::examples::findings;

    #[test]
    fn a_key_is_reported_and_not_shown() {
        let text = format!("```sh\nexport TOKEN=ghp{}{}\n```\n", "_", "q7Rt2LwX9mBz4KcV8nJd3HsF6gPy1TaE5uWo"); // pragma: allowlist secret
        let found = findings("secret", &[("README.md", &text)]);
        insta::assert_snapshot!(found, @"README.md:2:14 error: this looks like a GitHub token: revoke it, then write a placeholder");
    }
}
