//! The tools of a generated project on plain rmcp and axum: stateless, JSON answers, no authentication, no log lines.
//!
//! The declarations are those of `template/src/handlers/tools.rs`, word for word, so that both servers list the same;
//! the bodies answer constants. `scripts/compare-server` refuses to measure lists that differ.

mod blank;
mod coda;

use std::sync::Arc;

use axum::Router;
use rmcp::ServerHandler;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    match std::env::args().nth(1).as_deref() {
        Some("blank") => serve(blank::Tools::new()).await,
        Some("coda") => serve(coda::Tools::new()).await,
        _ => Err("usage: PORT=0 bare blank|coda".into()),
    }
}

async fn serve<H: ServerHandler + Clone + Sync>(handler: H) -> Result<(), Box<dyn std::error::Error>> {
    let settings = StreamableHttpServerConfig::default().with_legacy_session_mode(false).with_json_response(true);
    let service =
        StreamableHttpService::new(move || Ok(handler.clone()), Arc::new(NeverSessionManager::default()), settings);
    let port = std::env::var("PORT")?.parse::<u16>()?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    axum::serve(listener, Router::new().route_service("/mcp", service)).await?;
    Ok(())
}
