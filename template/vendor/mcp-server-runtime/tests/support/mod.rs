//! A server of the tests' own.
#![allow(dead_code, reason = "every test file uses its own part")]

pub mod server;

#[allow(unused_imports, reason = "every test file uses its own part")]
pub use mcp_server_runtime::testing::{BEARER, TestServer, answer};
#[allow(unused_imports, reason = "every test file uses its own part")]
pub use server::{NAME, TOKEN, VERSION};

/// The server's own token.
pub const API_TOKEN: &str = "api-token-of-the-server";

/// The program of `examples/whoami.rs`, which is built with the tests: target/debug/deps/binary-… and
/// target/debug/examples/whoami.
#[expect(clippy::expect_used, reason = "a test cannot go on without it")]
pub fn program() -> std::path::PathBuf {
    let test = std::env::current_exe().expect("this program");
    let deps = test.parent().expect("a folder");
    let program = deps.with_file_name("examples").join("whoami");
    assert!(program.is_file(), "run `cargo test` without --test, or `cargo build --example whoami` first");
    program
}

/// A server with default settings.
pub async fn start() -> TestServer {
    with(&[]).await
}

/// A server with these variables besides the necessary ones.
pub async fn with(pairs: &[(&str, &str)]) -> TestServer {
    let mut all = vec![(TOKEN, API_TOKEN)];
    all.retain(|(name, _)| !pairs.iter().any(|(other, _)| other == name));
    all.extend(pairs.iter().copied());
    TestServer::start(&server::server(), &all).await
}
