//! The server as a library: from configuration to a router that tests and other binaries can build on.
//!
//! A request's way: [`listen`] accepts the connection → [`server`] routes it → [`middleware::host`] refuses what is none
//! of our business → [`middleware::auth`] establishes who is calling → [`middleware::limits`] finds it a place →
//! [`middleware::jsonrpc`] reads the body and answers what is no JSON-RPC → rmcp speaks MCP → [`handlers::tools`]
//! {%- if example == "coda" %} call [`coda`].{% else %} answer.{% endif %}

{% if example == "coda" -%}
pub mod coda;
{% endif -%}
pub mod config;
pub mod handlers;
pub mod hangup;
pub mod listen;
pub mod logging;
pub mod metrics;
pub mod middleware;
pub mod panics;
pub mod request_id;
pub mod server;

use config::Config;
use handlers::tools::Tools;
use mcp_auth_middleware::AuthLayer;
use server::App;

/// Name of the project; the service name in answers, logs and metrics.
pub const SERVICE: &str = env!("CARGO_PKG_NAME");
/// Version of the project.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
{%- if example == "coda" %}
/// Name of the server's own token, in the environment and in every token store.
pub const UPSTREAM_TOKEN: &str = "CODA_API_TOKEN";
{%- endif %}

/// Why the server cannot be put together, though every variable is well-formed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The authentication would let nobody in.
    #[error("authentication: {0}")]
    Auth(#[from] mcp_auth_middleware::ConfigError),
    /// The token store cannot be opened.
    #[error("token store: {0}")]
    Store(#[from] config::store::StoreOpenError),
{%- if example == "coda" %}
    /// The HTTP client for the Coda API cannot be made.
    #[error("the HTTP client for the Coda API could not be built: {0}")]
    Coda(#[from] reqwest::Error),
{%- endif %}
}

/// Puts the server together, inside of a tokio runtime. Spawn [`keep_fresh`] with the returned layer beside it.
///
/// # Errors
/// [`BuildError`] where a part cannot be built from the configuration.
pub fn build(config: &Config) -> Result<(axum::Router, AuthLayer), BuildError> {
    let store = config.store.open()?;
    let auth = middleware::auth::layer(config, store.clone())?;
{%- if example == "coda" %}
    let coda = coda::Coda::new(&config.coda)?;
    let legacy = config.legacy_proxy.then(|| handlers::legacy_proxy::router(coda.clone()));
    let app = App { config, auth: auth.clone(), store, mcp: Tools::new(coda), legacy };
{%- else %}
    let app = App { config, auth: auth.clone(), store, mcp: Tools::new(), legacy: None };
{%- endif %}
    Ok((server::router(app), auth))
}

/// Keeps the public keys of Cloudflare Access and the server's own token fresh, as long as it is polled.
pub async fn keep_fresh(auth: AuthLayer) {
    tokio::join!(auth.clone().keep_keys_fresh(), auth.keep_tokens_fresh());
}
