//! A server that tells who is calling. `tests/binary.rs` and `tests/stores.rs` start it.
//!
//! `API_TOKEN=… MCP_DEV_BEARER_TOKEN=… cargo run --example whoami`
#![allow(missing_docs, reason = "the tests' own server")]

#[path = "../tests/support/server.rs"]
#[allow(dead_code, reason = "every program uses its part")]
mod server;

fn main() -> std::process::ExitCode {
    mcp_server_runtime::run(server::server())
}
