//! A server with an upstream API and a page of its own. `examples/upstream.rs` is the program.

use mcp_auth_middleware::ServiceToken;
use mcp_server_runtime::axum::Router;
use mcp_server_runtime::axum::http::request::Parts;
use mcp_server_runtime::axum::routing::get;
use mcp_server_runtime::reqwest::{Client, Url};
use mcp_server_runtime::{Handlers, Probe, Server, Setting, Settings, StartError, caller, token, upstream};
use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::tool::Extension;
use rmcp::model::{Implementation, ServerCapabilities, ServerConfig};
use rmcp::{ServerHandler, tool, tool_handler, tool_router};

pub const NAME: &str = "upstream-server";
pub const TOKEN: &str = "API_TOKEN";

pub const SETTINGS: &[Setting] = &[
    Setting::token(TOKEN, "https://api.example.com/tokens", "The API", "The server's own token for the API."),
    Setting::url("API_BASE", Some("https://api.example.com"), "The API", "Where the API is."),
];

/// A client of the API.
#[derive(Clone)]
pub struct Api {
    client: Client,
    base: Url,
}

impl Api {
    fn new(settings: &Settings) -> Result<Self, StartError> {
        Ok(Self { client: Client::new(), base: settings.url("API_BASE")?.clone() })
    }

    async fn ask(&self, token: &ServiceToken) -> Result<String, String> {
        let request = self.client.get(self.base.clone()).bearer_auth(token.expose());
        let answer = request.send().await.map_err(|_| "the API cannot be reached")?;
        match answer.status().as_u16() {
            200 => answer.text().await.map_err(|error| error.to_string()),
            401 => Err("the API refuses the token (401)".to_owned()),
            status => Err(format!("the API answered {status}")),
        }
    }

    fn probe(&self) -> Probe {
        let api = self.clone();
        Probe::with_token("the API", TOKEN, move |token| {
            let api = api.clone();
            async move { api.ask(&token).await.map(drop) }
        })
    }
}

#[derive(Clone)]
pub struct Tools {
    router: ToolRouter<Self>,
}

#[tool_router]
impl Tools {
    #[tool(description = "Asks the API.")]
    async fn ask(&self, Extension(parts): Extension<Parts>) -> Result<String, String> {
        upstream::<Api>(&parts)?.ask(&token(&parts, TOKEN).await?).await
    }
}

#[tool_handler(router = self.router)]
impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new(NAME, "1.0.0"))
    }
}

/// A page for people who are let in.
async fn report(parts: Parts) -> Result<String, String> {
    let said = upstream::<Api>(&parts)?.ask(&token(&parts, TOKEN).await?).await?;
    Ok(format!("{} for {}", said, caller(&parts)?.email))
}

pub fn server() -> Server<Tools> {
    Server::new(NAME, "1.0.0", |settings| {
        let api = Api::new(settings)?;
        Ok(Handlers::new(Tools { router: Tools::tool_router() }).with_probe(api.probe()).with_upstream(api))
    })
    .with_settings(SETTINGS)
    .with_routes(|_| Router::new().route("/report", get(report)))
}
