//! `/.well-known/oauth-protected-resource`: how clients find out who issues tokens for `/mcp` (RFC 9728).
//!
//! MCP asks for it where there is an authorization server (Authorization, "Authorization Server Location"), and the 401
//! answers point here. Without Cloudflare Access or another issuer there is none, and this is 404. Behind Cloudflare Access with Managed
//! OAuth the edge answers in our place. There is no authorization server in this program, and no `/oauth` path.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use mcp_auth_middleware::origin_of;
use serde_json::{Value, json};

use crate::policy::Policy;
use crate::server::Service;

/// The path of the protected resource.
pub(crate) const RESOURCE: &str = "/mcp";

/// The values that the document is made from.
#[derive(Debug, Clone)]
pub(crate) struct Metadata {
    pub(crate) service: Service,
    /// The issuers of access tokens: those of OpenID Connect, and the Access team.
    pub(crate) issuers: Vec<String>,
    /// The scopes that tokens need here.
    pub(crate) scopes: Vec<String>,
    /// The rules for tools, which have scopes, too.
    pub(crate) policy: Option<Policy>,
    /// The address that clients use, where one is configured.
    pub(crate) public: Option<String>,
}

/// Answers with the metadata, by the configured address or by the host name under which the client reached us (checked
/// before, see [`crate::middleware::host`]).
///
/// # Errors
/// 404 where there is no authorization server.
pub(crate) async fn metadata(State(metadata): State<Metadata>, headers: HeaderMap) -> Result<Json<Value>, StatusCode> {
    let Metadata { service, issuers, mut scopes, policy, public } = metadata;
    if issuers.is_empty() {
        return Err(StatusCode::NOT_FOUND);
    }
    let host = || headers.get(header::HOST).and_then(|host| origin_of(host.to_str().ok()?));
    let origin = public.or_else(host).ok_or(StatusCode::NOT_FOUND)?;
    let mut document = json!({
        "resource": format!("{origin}{RESOURCE}"),
        "resource_name": service.name,
        "bearer_methods_supported": ["header"],
        "authorization_servers": issuers,
    });
    let of_policy = policy.map(|policy| policy.rules().scopes()).unwrap_or_default();
    scopes.extend(of_policy);
    scopes.sort_unstable();
    scopes.dedup();
    if !scopes.is_empty() {
        document["scopes_supported"] = scopes.into();
    }
    Ok(Json(document))
}
