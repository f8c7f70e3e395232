//! The tools of a generated project on plain rmcp and axum: stateless, JSON answers, no authentication, no log lines.
//!
//! The tools of Coda are declared as the generated server lists them, read from a file, so that both list the same; the bodies
//! answer constants. `scripts/compare-server` refuses to measure answers that differ.

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
        Some("coda") => {
            let declared = std::env::args().nth(2).ok_or("which tools?")?;
            serve(coda::Tools::new(serde_json::from_slice(&std::fs::read(declared)?)?)).await
        }
        _ => Err("usage: PORT=0 bare blank, or bare coda TOOLS, a file with the list of tools".into()),
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
