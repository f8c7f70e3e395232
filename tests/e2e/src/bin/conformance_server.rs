//! The generated project's server with the fixtures of the MCP conformance suite in place of its tools. Configuration,
//! authentication, router, layers and connections are the project's own; prints where it listens, ends on SIGTERM.

#[path = "../fixtures/mod.rs"]
mod fixtures;

use std::error::Error;

use fixtures::Fixtures;
use mcp_server::coda::Coda;
use mcp_server::config::{Config, Environment};
use mcp_server::handlers::legacy_proxy;
use mcp_server::server::{self, App};
use mcp_server::{keep_fresh, listen, logging, middleware};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let config = Config::read(&Environment::process()).map_err(|problems| problems.to_string())?;
    logging::init(config.log_format, config.log_filter.clone());
    let store = config.store.open()?;
    let auth = middleware::auth::layer(&config, store.clone())?;
    let coda = Coda::new(&config.coda)?;
    let legacy = config.legacy_proxy.then(|| legacy_proxy::router(coda));
    let router = server::router(App { config: &config, auth: auth.clone(), store, mcp: Fixtures::new()?, legacy });

    let listener = tokio::net::TcpListener::bind(config.listen).await?;
    println!("listening on http://{}/mcp", listener.local_addr()?);
    let fresh = tokio::spawn(keep_fresh(auth));
    listen::serve(listener, router, &config.limits, listen::terminated()).await;
    fresh.abort();
    logging::flush();
    Ok(())
}
