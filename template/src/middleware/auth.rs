//! Wires `mcp-auth-middleware` into the router.

use mcp_auth_middleware::{AuthConfig, AuthLayer, ConfigError, TokenStore, create_auth_middleware};

use crate::SERVICE;
use crate::config::Config;

/// The layer for everything but `/health`.
///
/// # Errors
/// Where the configuration would let nobody in.
pub fn layer(config: &Config, store: TokenStore) -> Result<AuthLayer, ConfigError> {
    let mut auth = AuthConfig::new(SERVICE, config.auth.mode);
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
        // Clients that are told of the metadata ask its authorization server for a token: without one they fail there, and
        // do not say that theirs is wrong.
        auth = auth.with_cloudflare(access.clone()).with_resource_path(crate::handlers::metadata::RESOURCE);
    }
    if let Some(tokens) = &config.auth.bearer {
        auth = auth.with_bearer(tokens.clone());
    }
    if let Some(url) = &config.public_url {
        auth = auth.with_public_origin(url.base.clone());
    }
    create_auth_middleware(auth)
}
