//! What this server is made of: its settings, its tools{% if example == "coda" %}, the API behind them{% endif %} and who may call. Everything
//! else, from the listener to the shutdown, is in `{% if libraries == "vendor" %}vendor/{% endif %}mcp-server-runtime`. Tests build on this.

{% if example == "coda" -%}
pub mod coda;
{% endif -%}
pub mod config;
/// What answers.
pub mod handlers {
{%- if example == "coda" and legacy_proxy == "on" %}
    pub mod legacy_proxy;
{%- endif %}
    pub mod tools;
}
/// What stands in front of the tools.
pub mod middleware {
    pub mod auth;
}

use handlers::tools::Tools;
use mcp_server_runtime::{Handlers, Server};
{%- if example == "coda" %}

use coda::Coda;
{%- if legacy_proxy == "on" %}
use handlers::legacy_proxy;
{%- endif %}
{%- endif %}

/// Name of the project; the service name in answers, logs and metrics.
pub const SERVICE: &str = env!("CARGO_PKG_NAME");
/// Version of the project.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The server.
#[must_use]
pub fn server() -> Server<Tools> {
{%- if example == "coda" %}
    Server::new(SERVICE, VERSION, |settings| {
        let coda = Coda::new(settings)?;
        let handlers = Handlers::new(Tools::default()).with_probe(coda.probe()).with_upstream(coda);
{%- if legacy_proxy == "on" %}
        Ok(handlers.with_legacy(settings.is_on("LEGACY_PROXY")?.then(legacy_proxy::router)))
{%- else %}
        Ok(handlers)
{%- endif %}
    })
{%- else %}
    Server::new(SERVICE, VERSION, |_settings| {
        // The client of an API that your tools call goes in here: docs/MCP_IMPLEMENTATION_GUIDE.md.
        Ok(Handlers::new(Tools::default()))
    })
{%- endif %}
    .with_settings(config::SETTINGS)
    .with_authentication(middleware::auth::policy)
}
