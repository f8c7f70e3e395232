//! A server named `notes` without tools, but with a token of its own: `tests/docs_exercised` runs the runbook's commands
//! against it, in place of the container of a project named `notes`.

use mcp_server_runtime::{Handlers, Server, Setting};
use rmcp::ServerHandler;

const SETTINGS: &[Setting] =
    &[Setting::token("CODA_API_TOKEN", "https://coda.io/account/settings/api", "The Coda API", "The token for Coda.")];

#[derive(Clone)]
struct Nothing;

impl ServerHandler for Nothing {}

fn main() -> std::process::ExitCode {
    mcp_server_runtime::run(Server::new("notes", "1.0.0", |_| Ok(Handlers::new(Nothing))).with_settings(SETTINGS))
}
