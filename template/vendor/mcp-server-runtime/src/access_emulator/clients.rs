//! Dynamic registration of clients (RFC 7591), with the rules of an application that lets in clients on this machine.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use mcp_auth_middleware::testing::{now, random_text};
use serde::Deserialize;
use serde_json::json;
use url::{Host, Url};

use super::oauth::{Refused, refuse};
use super::team::Team;

/// "Allowed redirect URIs" of the application: clients on this machine that do not come back to loopback, word by word.
const ALLOWED: [&str; 3] = [
    "cursor://anysphere.cursor-mcp/oauth/callback",
    "https://vscode.dev/redirect",
    "https://insiders.vscode.dev/redirect",
];

/// A registered client.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) redirect_uris: Vec<String>,
    /// None for a public client.
    pub(super) secret: Option<String>,
}

#[derive(Deserialize)]
struct Registration {
    redirect_uris: Vec<String>,
    client_name: Option<String>,
    token_endpoint_auth_method: Option<String>,
}

/// `POST /cdn-cgi/access/oauth/registration`.
pub(super) async fn register(State(team): State<Arc<Team>>, body: String) -> Response {
    let Ok(asked) = serde_json::from_str::<Registration>(&body) else {
        return refuse(Refused::ClientMetadata, "this is no registration with redirect_uris");
    };
    if asked.redirect_uris.is_empty() || !asked.redirect_uris.iter().all(|uri| is_allowed(uri)) {
        return refuse(Refused::ClientMetadata, "redirect_uri is not allowed by the account configuration");
    }
    // RFC 7591 §2: without a word, a client has a secret.
    let method = asked.token_endpoint_auth_method.unwrap_or_else(|| "client_secret_basic".to_owned());
    let secret = match method.as_str() {
        "none" => None,
        "client_secret_basic" | "client_secret_post" => Some(random_text()),
        _ => return refuse(Refused::ClientMetadata, "token_endpoint_auth_method is not supported"),
    };
    let id = random_text();
    let mut answer = json!({
        "client_id": id, "client_id_issued_at": now(), "redirect_uris": asked.redirect_uris,
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"], "token_endpoint_auth_method": method,
    });
    if let Some(name) = asked.client_name {
        answer["client_name"] = json!(name);
    }
    if let Some(secret) = &secret {
        answer["client_secret"] = json!(secret);
        answer["client_secret_expires_at"] = json!(0);
    }
    team.changing().clients.insert(id, Client { redirect_uris: asked.redirect_uris, secret });
    (StatusCode::CREATED, Json(answer)).into_response()
}

/// As with "Allow localhost clients" and "Allow loopback clients" on.
fn is_allowed(uri: &str) -> bool {
    if ALLOWED.contains(&uri) {
        return true;
    }
    let Ok(url) = Url::parse(uri) else { return false };
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    matches!(url.scheme(), "http" | "https") && here && url.fragment().is_none() && url.username().is_empty()
}

#[cfg(test)]
mod tests {
    use super::is_allowed;

    #[test]
    fn only_clients_on_this_machine_are_registered() {
        for good in [
            "http://localhost:1/callback",
            "http://127.0.0.1:33418",
            "http://[::1]:1/",
            "cursor://anysphere.cursor-mcp/oauth/callback",
        ] {
            assert!(is_allowed(good), "{good}");
        }
        for bad in [
            "https://evil.example/callback",
            "http://localhost.evil.example/",
            "http://localhost@evil.example/",
            "http://user@localhost/",
            "http://localhost/#fragment",
            "javascript:alert(1)",
            "cursor://anysphere.cursor-mcp/oauth/callback2",
            "/callback",
        ] {
            assert!(!is_allowed(bad), "{bad}");
        }
    }
}
