//! Orders of a shop, which an upstream API keeps. Callers show who they are; the shop's own token is for the upstream.

pub mod assistant;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Router, routing::get};
use mcp_auth_middleware::{
    AccessConfig, AuthConfig, AuthLayer, AuthMode, BearerTokens, ConfigError, EnvTokenStore, ServiceToken, TokenStore,
    User, create_auth_middleware,
};

/// The name of the shop's token in its store.
const UPSTREAM_TOKEN: &str = "UPSTREAM_TOKEN";

#[derive(Clone)]
struct Upstream {
    client: reqwest::Client,
    url: String,
}

/// Who may call, and with which token the upstream is asked. Call it inside of a tokio runtime.
///
/// # Errors
/// [`ConfigError`] where nobody could ever call.
pub fn authentication(
    access: Option<AccessConfig>,
    bearer: Option<BearerTokens>,
    upstream_token: Option<String>,
) -> Result<AuthLayer, ConfigError> {
    let mut config = AuthConfig::new("orders", AuthMode::Both);
    if let Some(access) = access {
        config = config.with_cloudflare(access);
    }
    if let Some(bearer) = bearer {
        config = config.with_bearer(bearer);
    }
    let mut store = EnvTokenStore::default();
    if let Some(token) = upstream_token {
        store = store.with_token(UPSTREAM_TOKEN, token.into());
    }
    create_auth_middleware(config.with_service_token(TokenStore::Env(store), UPSTREAM_TOKEN))
}

/// The service: `/orders` for those who may, `/health` for everybody.
pub fn app(auth: AuthLayer, upstream_url: String) -> Router {
    let upstream = Upstream { client: reqwest::Client::new(), url: upstream_url };
    let orders = Router::new().route("/orders", get(orders)).with_state(upstream).layer(auth);
    Router::new().route("/health", get(async || "well")).merge(orders)
}

/// What the upstream has for this user.
async fn orders(
    State(upstream): State<Upstream>,
    Extension(user): Extension<User>,
    Extension(token): Extension<ServiceToken>,
) -> Result<String, (StatusCode, String)> {
    let failed = |error: reqwest::Error| (StatusCode::BAD_GATEWAY, error.to_string());
    let request = upstream.client.get(&upstream.url).bearer_auth(token.expose());
    let answer = request.send().await.and_then(reqwest::Response::error_for_status).map_err(failed)?;
    Ok(format!("{}: {}", user.email, answer.text().await.map_err(failed)?))
}
