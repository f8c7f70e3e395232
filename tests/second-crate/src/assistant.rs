//! The orders for AI clients: a server of MCP on the runtime, with the same upstream behind it.

use mcp_server_runtime::axum::http::request::Parts;
use mcp_server_runtime::{Handlers, Server, Setting, caller, token};
use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::tool::Extension;
use rmcp::model::{Implementation, ServerCapabilities, ServerConfig};
use rmcp::{ServerHandler, tool, tool_handler, tool_router};

const NAME: &str = "orders-assistant";
const VERSION: &str = env!("CARGO_PKG_VERSION");
const SETTINGS: &[Setting] = &[
    Setting::url("ORDERS_UPSTREAM_URL", None, "Orders", "Where the orders are kept."),
    Setting::token("ORDERS_UPSTREAM_TOKEN", "the shop's owner", "Orders", "The shop's own token for them."),
];

/// The tools.
#[derive(Debug, Clone)]
pub struct Assistant {
    client: reqwest::Client,
    url: String,
    router: ToolRouter<Self>,
}

#[tool_router]
impl Assistant {
    #[tool(title = "List orders", description = "Lists the orders of the caller.")]
    async fn list_orders(&self, Extension(parts): Extension<Parts>) -> Result<String, String> {
        let (user, token) = (caller(&parts)?, token(&parts, "ORDERS_UPSTREAM_TOKEN").await?);
        let failed = |error: reqwest::Error| error.without_url().to_string();
        let answer = self.client.get(&self.url).bearer_auth(token.expose()).send().await.map_err(failed)?;
        Ok(format!("{}: {}", user.email, answer.text().await.map_err(failed)?))
    }
}

#[tool_handler(router = self.router)]
impl ServerHandler for Assistant {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new(NAME, VERSION))
    }
}

/// The server.
pub fn server() -> Server<Assistant> {
    Server::new(NAME, VERSION, |settings| {
        let url = settings.url("ORDERS_UPSTREAM_URL")?.to_string();
        Ok(Handlers::new(Assistant { client: reqwest::Client::new(), url, router: Assistant::tool_router() }))
    })
    .with_settings(SETTINGS)
}
