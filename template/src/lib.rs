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
pub mod listen;
pub mod logging;
pub mod metrics;
pub mod middleware;
pub mod server;

use config::Config;
use handlers::tools::Tools;
use mcp_auth_middleware::AuthLayer;
use server::App;

/// Name of the project; the service name in answers, logs and metrics.
pub const SERVICE: &str = env!("CARGO_PKG_NAME");
/// Version of the project.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Why the server cannot be put together, though every variable is well-formed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The authentication would let nobody in.
    #[error("authentication: {0}")]
    Auth(#[from] mcp_auth_middleware::ConfigError),
{%- if example == "coda" %}
    /// The HTTP client for the Coda API cannot be made.
    #[error("the HTTP client for the Coda API could not be built: {0}")]
    Coda(#[from] reqwest::Error),
{%- endif %}
}

/// Puts the server together. Spawn [`AuthLayer::keep_keys_fresh`] of the returned layer beside it.
///
/// # Errors
/// [`BuildError`] where a part cannot be built from the configuration.
pub fn build(config: &Config) -> Result<(axum::Router, AuthLayer), BuildError> {
    let auth = middleware::auth::layer(config)?;
{%- if example == "coda" %}
    let coda = coda::Coda::new(&config.coda)?;
    let legacy = config.legacy_proxy.then(|| handlers::legacy_proxy::router(coda.clone()));
    let app = App { config, auth: auth.clone(), mcp: Tools::new(coda), legacy };
{%- else %}
    let app = App { config, auth: auth.clone(), mcp: Tools::new(), legacy: None };
{%- endif %}
    Ok((server::router(app), auth))
}
