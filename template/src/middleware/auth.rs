//! Wires `mcp-auth-middleware` into the router.

use mcp_auth_middleware::{AuthConfig, AuthLayer, ConfigError, TokenStore, create_auth_middleware};

use crate::SERVICE;
use crate::config::Config;

/// The layer for everything but `/health`.
///
/// # Errors
/// Where the configuration would let nobody in.
pub fn layer(config: &Config, store: TokenStore) -> Result<AuthLayer, ConfigError> {
    let mut auth = AuthConfig::new(SERVICE, config.auth.mode).with_resource_path("/mcp");
{%- if example == "coda" %}
{%- comment %} region: layer {% endcomment %}
    // The server's own token for the Coda API, apart from whatever the caller presents.
    auth = auth.with_service_token(store, crate::UPSTREAM_TOKEN);
{%- comment %} end: layer {% endcomment %}
{%- else %}
    // The server's own token for an API that its tools call: `.with_service_token(store, "NAME")`, and each request has
    // it in its extensions as `ServiceToken`. No tool needs one yet.
    drop(store);
{%- endif %}
    if let Some(access) = &config.auth.cloudflare {
        auth = auth.with_cloudflare(access.clone());
    }
    if let Some(tokens) = &config.auth.bearer {
        auth = auth.with_bearer(tokens.clone());
    }
    create_auth_middleware(auth)
}
