//! This server, in process{% if example == "coda" %}, and the stub of the Coda API behind it{% endif %}.
#![allow(dead_code, unused_imports, reason = "every test file uses its own part")]

{% if example == "coda" -%}
pub mod stub_coda;

use std::ops::Deref;

pub use mcp_server_runtime::testing::{BEARER, answer};
use stub_coda::StubCoda;

/// The server's own token for Coda.
pub const CODA_TOKEN: &str = "coda-api-token-of-the-server";

/// A running server with a Coda API of its own.
pub struct TestServer {
    server: mcp_server_runtime::testing::TestServer,
    pub coda: StubCoda,
}

impl TestServer {
    /// A server with default settings.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// A server with these variables besides the necessary ones.
    pub async fn with(pairs: &[(&str, &str)]) -> Self {
        let coda = StubCoda::start().await;
        let base = coda.base();
        let mut all = vec![("CODA_API_TOKEN", CODA_TOKEN), ("CODA_API_BASE", base.as_str())];
        all.retain(|(name, _)| !pairs.iter().any(|(other, _)| other == name));
        all.extend(pairs.iter().copied());
        Self { server: mcp_server_runtime::testing::TestServer::start(&mcp_server::server(), &all).await, coda }
    }
}

impl Deref for TestServer {
    type Target = mcp_server_runtime::testing::TestServer;

    fn deref(&self) -> &Self::Target {
        &self.server
    }
}
{%- else -%}
pub use mcp_server_runtime::testing::{BEARER, TestServer, answer};

/// A server with default settings.
pub async fn start() -> TestServer {
    TestServer::start(&mcp_server::server(), &[]).await
}
{%- endif %}
