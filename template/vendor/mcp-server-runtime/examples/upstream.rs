//! A server with an upstream API and a page of its own. `tests/doctor.rs` starts it.
//!
//! `API_TOKEN=… MCP_DEV_BEARER_TOKEN=… cargo run --example upstream -- doctor`
#![allow(missing_docs, reason = "the tests' own server")]

#[path = "../tests/support/upstream.rs"]
#[allow(dead_code, reason = "every program uses its part")]
mod upstream;

fn main() -> std::process::ExitCode {
    mcp_server_runtime::run(upstream::server())
}
