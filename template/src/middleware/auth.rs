//! Who may call.

use mcp_auth_middleware::AuthConfig;
use mcp_server_runtime::Settings;

/// The authentication that the settings ask for; change it here, by the methods of `AuthConfig`.
#[must_use]
pub fn policy(auth: AuthConfig, _settings: &Settings) -> AuthConfig {
    auth
}
