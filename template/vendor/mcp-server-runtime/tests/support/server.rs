//! A server with a tool for each thing that the tests look at. `examples/whoami.rs` is the program.

use mcp_server_runtime::axum::http::request::Parts;
use mcp_server_runtime::{Handlers, Server, Setting, Settings, caller, token};
use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::tool::Extension;
use rmcp::handler::server::wrapper::{Json, Parameters};
use rmcp::model::{Implementation, ServerCapabilities, ServerConfig};
use rmcp::{ServerHandler, tool, tool_handler, tool_router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub const NAME: &str = "whoami-server";
pub const VERSION: &str = "1.2.3";
pub const TOKEN: &str = "API_TOKEN";

pub const SETTINGS: &[Setting] =
    &[Setting::token(TOKEN, "https://api.example.com/tokens", "The API", "The server's own token for the API.")];

#[derive(Clone)]
pub struct Tools {
    router: ToolRouter<Self>,
}

#[derive(Serialize, JsonSchema)]
struct Who {
    email: String,
    kind: String,
}

#[derive(Serialize, JsonSchema)]
struct Shown {
    token: String,
}

#[derive(Deserialize, JsonSchema)]
struct Wait {
    milliseconds: u32,
}

#[tool_router]
impl Tools {
    #[tool(
        title = "Who am I",
        description = "Tells who is calling.",
        annotations(read_only_hint = true, idempotent_hint = true, open_world_hint = false)
    )]
    async fn get_whoami(&self, Extension(parts): Extension<Parts>) -> Result<Json<Who>, String> {
        let user = caller(&parts)?;
        Ok(Json(Who { email: user.email.clone(), kind: user.kind.as_str().to_owned() }))
    }

    /// What an upstream would be shown.
    #[tool(title = "Show the token", description = "Shows the server's own token, which no real server does.")]
    async fn show_token(&self, Extension(parts): Extension<Parts>) -> Result<Json<Shown>, String> {
        Ok(Json(Shown { token: token(&parts, TOKEN).await?.expose().to_owned() }))
    }

    #[tool(title = "Wait", description = "Answers after this time.")]
    async fn wait(&self, Parameters(wait): Parameters<Wait>) -> String {
        tokio::time::sleep(std::time::Duration::from_millis(wait.milliseconds.into())).await;
        "waited".to_owned()
    }
}

#[tool_handler(router = self.router)]
impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new(NAME, VERSION))
    }
}

pub fn server() -> Server<Tools> {
    server_with(|handlers| handlers)
}

/// The same, with more besides its tools.
pub fn server_with(more: impl Fn(Handlers<Tools>) -> Handlers<Tools> + Send + Sync + 'static) -> Server<Tools> {
    let make = move |_: &Settings| Ok(more(Handlers::new(Tools { router: Tools::tool_router() })));
    Server::new(NAME, VERSION, make).with_settings(SETTINGS)
}
