//! `/.well-known/oauth-protected-resource`: how clients find out who issues tokens for `/mcp` (RFC 9728).
//!
//! MCP asks for it of every server that checks tokens (Authorization, "Authorization Server Location"), and the 401
//! answers point here. Behind Cloudflare Access with Managed OAuth the edge answers in our place. There is no
//! authorization server in this program, and no `/oauth` path.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use serde_json::{Value, json};

use crate::server::Service;

/// What the metadata says.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    pub(crate) service: Service,
    /// The Access team, where one is configured.
    pub(crate) issuer: Option<Arc<str>>,
}

/// Answers with the metadata, by the host name under which the client reached us (checked before, see
/// [`crate::middleware::host`]).
pub(crate) async fn metadata(State(resource): State<Resource>, headers: HeaderMap) -> Json<Value> {
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or("localhost");
    let local = ["localhost", "127.0.0.1", "[::1]"].iter().any(|l| host == *l || host.starts_with(&format!("{l}:")));
    let scheme = if local { "http" } else { "https" };
    let mut document = json!({
        "resource": format!("{scheme}://{host}/mcp"),
        "resource_name": resource.service.name,
        "bearer_methods_supported": ["header"],
    });
    if let Some(issuer) = resource.issuer {
        document["authorization_servers"] = json!([*issuer]);
    }
    Json(document)
}
