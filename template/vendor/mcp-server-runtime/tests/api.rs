//! The client of an upstream API, and what it makes of answers that are none.
#![allow(clippy::unwrap_used, reason = "tests may say what they expect")]

use mcp_server_runtime::api::Api;
use mcp_server_runtime::axum::Router;
use mcp_server_runtime::axum::body::Body;
use mcp_server_runtime::axum::extract::Path;
use mcp_server_runtime::axum::http::Response;
use mcp_server_runtime::axum::http::request::Parts;
use mcp_server_runtime::axum::routing::get;
use mcp_server_runtime::testing::TestServer;
use mcp_server_runtime::{Handlers, Server, Setting, upstream};
use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::tool::Extension;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{ServerCapabilities, ServerConfig};
use rmcp::{ServerHandler, tool, tool_handler, tool_router};
use serde_json::json;

const SETTINGS: &[Setting] = &[
    Setting::token("API_TOKEN", "https://api.example.com/tokens", "The API", "The server's own token for the API."),
    Setting::url("API_BASE", Some("https://api.example.com"), "The API", "Where the API is."),
];

#[derive(Clone)]
struct Tools {
    router: ToolRouter<Self>,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Asked {
    what: String,
}

#[tool_router]
impl Tools {
    #[tool(description = "Asks the API.")]
    async fn ask(
        &self,
        Extension(parts): Extension<Parts>,
        Parameters(Asked { what }): Parameters<Asked>,
    ) -> Result<String, String> {
        Ok(upstream::<Api>(&parts)?.get(&parts, &[&what], &[]).await?.value.to_string())
    }
}

#[tool_handler(router = self.router)]
impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }
}

/// An answer by its name: `gzip`, `gzip-404`, or lists in so many levels.
async fn odd(Path(what): Path<String>) -> Response<Body> {
    let answer = Response::builder().header("content-type", "application/json");
    match what.as_str() {
        // Two bytes of a text: whoever passes this on as JSON has not looked.
        "gzip" => answer.header("content-encoding", "gzip").body("17".into()),
        "text" => {
            let answer = Response::builder().header("content-type", "text/plain").header("content-encoding", "br");
            answer.body("17".into())
        }
        "refused" => {
            let answer = answer.status(400).header("content-encoding", "gzip");
            answer.body(r#"{"message":"packed"}"#.into())
        }
        levels => {
            let levels = levels.parse().unwrap();
            answer.body(format!("{}{}", "[".repeat(levels), "]".repeat(levels)).into())
        }
    }
    .unwrap()
}

async fn server() -> TestServer {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let api = Router::new().route("/{what}", get(odd));
    tokio::spawn(async move { mcp_server_runtime::axum::serve(listener, api).await });
    let server = Server::new("api-server", "1.0.0", |settings| {
        let api = Api::new("The API", "API_TOKEN", settings.url("API_BASE")?, settings)?;
        Ok(Handlers::new(Tools { router: Tools::tool_router() }).with_upstream(api))
    });
    TestServer::start(&server.with_settings(SETTINGS), &[("API_BASE", &base)]).await
}

#[tokio::test]
async fn an_answer_that_is_compressed_is_called_so() {
    let server = server().await;
    for (what, coding) in [("gzip", "gzip"), ("text", "br")] {
        let text = server.call_failing("ask", json!({"what": what})).await;
        assert!(text.contains(&format!("content coding {coding:?}")) && text.contains("not asked for"), "{text}");
    }
    let text = server.call_failing("ask", json!({"what": "refused"})).await;
    assert_eq!(text, "The API refused the request (400)");
}

#[tokio::test]
async fn an_answer_that_is_nested_too_deeply_is_called_so() {
    let server = server().await;
    assert_eq!(server.call("ask", json!({"what": "127"})).await["isError"], json!(false));
    for levels in ["128", "100000"] {
        let text = server.call_failing("ask", json!({"what": levels})).await;
        assert!(text.contains("nested more than 127 levels deep"), "{text}");
    }
}
