//! The generated project's server with the fixtures of the MCP conformance suite in place of its tools. Settings,
//! authentication and everything around the tools are the project's own; its log says where it listens.

#[path = "../fixtures/mod.rs"]
mod fixtures;

use std::process::ExitCode;

use fixtures::Fixtures;
use mcp_server::coda::Coda;
use mcp_server::handlers::legacy_proxy;
use mcp_server::{SERVICE, VERSION, config, middleware};
use mcp_server_runtime::{Handlers, Server, run};

fn main() -> ExitCode {
    let server = Server::new(SERVICE, VERSION, |settings| {
        let coda = Coda::new(settings)?;
        let legacy = settings.is_on("LEGACY_PROXY")?.then(legacy_proxy::router);
        Ok(Handlers::new(Fixtures::new()?).with_upstream(coda).with_legacy(legacy))
    });
    run(server.with_settings(config::SETTINGS).with_authentication(middleware::auth::policy))
}
