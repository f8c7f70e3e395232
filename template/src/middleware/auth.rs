//! Wires `mcp-auth-middleware` into the router.

use mcp_auth_middleware::{AuthConfig, AuthLayer, ConfigError, create_auth_middleware};
{%- if example == "coda" %}
use mcp_auth_middleware::{EnvTokenStore, TokenStore};
{%- endif %}

use crate::SERVICE;
use crate::config::Config;

/// The layer for everything but `/health`.
///
/// # Errors
/// Where the configuration would let nobody in.
pub fn layer(config: &Config) -> Result<AuthLayer, ConfigError> {
    let mut auth = AuthConfig::new(SERVICE, config.auth.mode).with_resource_path("/mcp");
{%- if example == "coda" %}
    // The server's own token for the Coda API, apart from whatever the caller presents.
    let store = TokenStore::Env(EnvTokenStore::default().with_token("CODA_API_TOKEN", config.coda.token.clone()));
    auth = auth.with_service_token(store, "CODA_API_TOKEN");
{%- endif %}
    if let Some(access) = &config.auth.cloudflare {
        auth = auth.with_cloudflare(access.clone());
    }
    if let Some(tokens) = &config.auth.bearer {
        auth = auth.with_bearer(tokens.clone());
    }
    create_auth_middleware(auth)
}
