//! Where the runbook says more. A test of the repository holds these anchors to the pages of a project.

pub(super) const SETTINGS: &str = "docs/SETTINGS.md";
pub(super) const JWT: &str = "docs/OAUTH_TROUBLESHOOTING.md#jwt-validation-fails";
pub(super) const ACCESS: &str = "docs/OAUTH_TROUBLESHOOTING.md#cloudflare-access-is-misconfigured";
pub(super) const NETWORK: &str = "docs/OAUTH_TROUBLESHOOTING.md#docker-network-issues";
pub(super) const KEY: &str = "docs/OAUTH_TROUBLESHOOTING.md#encryption-key-mismatch";
pub(super) const TUNNEL: &str = "docs/OAUTH_TROUBLESHOOTING.md#the-tunnel-or-the-server-is-down";
pub(super) const CODES: &str = "docs/OAUTH_TROUBLESHOOTING.md#index-by-error-code";
pub(super) const FIRST: &str = "docs/OAUTH_TROUBLESHOOTING.md#the-first-two-minutes";
pub(super) const TOKENS: &str = "docs/TOKENS.md";
