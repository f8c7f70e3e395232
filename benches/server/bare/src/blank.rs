//! The one tool of a project without an example.

use std::sync::Arc;

use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::wrapper::Json;
use rmcp::model::{ServerCapabilities, ServerConfig};
use rmcp::{ServerHandler, tool, tool_handler, tool_router};
use schemars::JsonSchema;
use serde::Serialize;

#[derive(Clone)]
pub struct Tools {
    tool_router: Arc<ToolRouter<Self>>,
}

/// Who is calling.
#[derive(Serialize, JsonSchema)]
pub struct WhoAmI {
    /// The caller's address, or the name of its service token.
    pub email: String,
    /// human, service-token or developer.
    pub kind: String,
}

#[tool_router]
impl Tools {
    pub fn new() -> Self {
        Self { tool_router: Arc::new(Self::tool_router()) }
    }

    #[tool(
        title = "Who am I",
        description = "Tells who is calling this server.",
        annotations(read_only_hint = true, idempotent_hint = true, open_world_hint = false)
    )]
    async fn get_whoami(&self) -> Result<Json<WhoAmI>, String> {
        Ok(Json(WhoAmI { email: "developer@localhost".to_owned(), kind: "developer".to_owned() }))
    }
}

#[tool_handler(router = self.tool_router)]
impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }
}
