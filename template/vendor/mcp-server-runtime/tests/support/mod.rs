//! A server of one's own for each test, in process, on a free port.
#![allow(dead_code, reason = "every test file uses its own part")]
#![allow(clippy::expect_used, reason = "tests may say what they expect")]

{% if example == "coda" -%}
pub mod stub_coda;

{% endif -%}
use std::net::SocketAddr;

use mcp_server::config::{Config, Environment};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
{%- if example == "coda" %}

use stub_coda::StubCoda;
{%- endif %}

/// The Bearer token of all tests.
pub const BEARER: &str = "kei4ahGhee8eecu0quoh5Ohn";
{%- if example == "coda" %}
/// The server's own token for Coda.
pub const CODA_TOKEN: &str = "coda-api-token-of-the-server";
{%- endif %}

/// A running server; it ends when the value is dropped.
pub struct TestServer {
    pub address: SocketAddr,
    pub http: reqwest::Client,
{%- if example == "coda" %}
    pub coda: StubCoda,
{%- endif %}
    stop: tokio::sync::watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl TestServer {
    /// A server with default settings.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// A server with these variables besides the necessary ones.
    pub async fn with(pairs: &[(&str, &str)]) -> Self {
        let mut all = vec![("MCP_DEV_BEARER_TOKEN", BEARER)];
{%- if example == "coda" %}
        let coda = StubCoda::start().await;
        let base = coda.base();
        all.extend([("CODA_API_TOKEN", CODA_TOKEN), ("CODA_API_BASE", &base)]);
{%- endif %}
        all.retain(|(name, _)| !pairs.iter().any(|(other, _)| other == name));
        all.extend(pairs.iter().copied());
        let config = Config::read(&Environment::from_pairs(all)).expect("a good configuration");
        let (router, auth) = mcp_server::build(&config).expect("a server");
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, mut stopped) = tokio::sync::watch::channel(false);
        let task = tokio::spawn(async move {
            let fresh = tokio::spawn(mcp_server::keep_fresh(auth));
            let shutdown = async move {
                let _ = stopped.wait_for(|stop| *stop).await;
            };
            mcp_server::listen::serve(listener, router, &config.limits, shutdown).await;
            fresh.abort();
        });
        let http = reqwest::Client::new();
{%- if example == "coda" %}
        Self { address, http, coda, stop, task }
{%- else %}
        Self { address, http, stop, task }
{%- endif %}
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A POST to /mcp with all the headers that MCP asks for.
    pub fn post(&self, body: impl Into<reqwest::Body>) -> reqwest::RequestBuilder {
        self.http
            .post(self.url("/mcp"))
            .bearer_auth(BEARER)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .body(body)
    }

    /// Status and JSON of the answer to this body.
    pub async fn send(&self, body: impl Into<reqwest::Body>) -> (u16, Value) {
        answer(self.post(body)).await
    }

    /// The answer to a request of the 2025-11-25 revision.
    pub async fn rpc(&self, method: &str, params: Value) -> Value {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        answer(self.post(body.to_string()).header("mcp-protocol-version", "2025-11-25")).await.1
    }

    /// The result of a tool, whether it failed or not.
    pub async fn call(&self, tool: &str, arguments: Value) -> Value {
        self.rpc("tools/call", json!({"name": tool, "arguments": arguments})).await["result"].clone()
    }

    /// The text of a tool that must have failed.
    pub async fn call_failing(&self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments).await;
        assert_eq!(result["isError"], json!(true), "{result}");
        result["content"][0]["text"].as_str().expect("a text").to_owned()
    }

    /// These bytes on a connection of their own; the answer up to the end of the connection.
    pub async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = tokio::net::TcpStream::connect(self.address).await.expect("a connection");
        // A server that refuses early may close while we still send.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(std::time::Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Begins the shutdown and waits for its end.
    pub async fn shut_down(mut self) {
        self.stop.send_replace(true);
        (&mut self.task).await.expect("the server ended well");
    }

    /// Begins the shutdown.
    pub fn begin_shutdown(&self) {
        self.stop.send_replace(true);
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Status and JSON (`null` where there is none) of an answer.
pub async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.expect("an answer");
    let status = response.status().as_u16();
    let text = response.text().await.expect("a body");
    (status, serde_json::from_str(&text).unwrap_or_default())
}
