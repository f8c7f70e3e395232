//! The service on port 8080, configured by its environment.

use std::env::var;

use mcp_auth_middleware::{AccessConfig, BearerTokens};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let access = match (var("ORDERS_TEAM_DOMAIN"), var("ORDERS_AUDIENCE")) {
        (Ok(team), Ok(audience)) => Some(AccessConfig::new(&team, [audience])?),
        _ => None,
    };
    let bearer = var("ORDERS_BEARER_TOKEN").ok().map(|token| BearerTokens::parse(&token)).transpose()?;
    let auth = orders::authentication(access, bearer, var("ORDERS_UPSTREAM_TOKEN").ok())?;
    tokio::spawn(auth.clone().keep_keys_fresh());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    axum::serve(listener, orders::app(auth, var("ORDERS_UPSTREAM_URL")?)).await?;
    Ok(())
}
