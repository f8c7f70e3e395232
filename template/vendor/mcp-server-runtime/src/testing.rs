//! A server of one's own for each test, in process, on a free port, and a client for it.

use std::io;
use std::net::SocketAddr;

use mcp_auth_middleware::User;
use rmcp::ServerHandler;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::policy::Policy;
use crate::{BuiltServer, Environment, Server, SettingKind, listen, server};

/// The Bearer token of all test servers.
pub const BEARER: &str = "kei4ahGhee8eecu0quoh5Ohn";

/// The rules of a `POLICY_FILE`, to be asked without a server.
#[derive(Debug)]
pub struct TestPolicy(Policy);

impl TestPolicy {
    /// Reads the rules.
    ///
    /// # Errors
    /// The problem with them, and its place.
    pub fn parse(json: &str) -> Result<Self, String> {
        Policy::parse(json).map(Self)
    }

    /// Returns whether this caller may call the tool of this name, of which nothing else is known.
    #[must_use]
    pub fn allows(&self, user: &User, tool: &str) -> bool {
        self.0.rules().allow(user, tool, None)
    }
}

/// A running server; it ends when the value is dropped.
#[derive(Debug)]
pub struct TestServer {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where metrics and probes are, with `ADMIN_ADDR=127.0.0.1:0`.
    pub admin: Option<SocketAddr>,
    /// A client for it.
    pub http: reqwest::Client,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl TestServer {
    /// Starts the server with these variables, with [`BEARER`] where they name no other token, and with made-up tokens for
    /// upstream APIs where they name no token store: `NAME-of-the-test` for each that they leave out.
    ///
    /// # Panics
    /// Where the server does not start: the test ends there, with the reason.
    #[expect(clippy::expect_used, reason = "a test cannot go on without its server")]
    pub async fn start<H: ServerHandler + Clone + Sync>(server: &Server<H>, variables: &[(&str, &str)]) -> Self {
        let given = |name: &str| variables.iter().any(|(other, _)| *other == name || *other == format!("{name}_FILE"));
        let mut all: Vec<_> = variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        if !given("MCP_DEV_BEARER_TOKEN") {
            all.push(("MCP_DEV_BEARER_TOKEN", BEARER.to_owned()));
        }
        if !given("TOKEN_STORE") {
            let tokens = server.settings.iter().filter(|row| matches!(row.kind, SettingKind::Token { .. }));
            all.extend(
                tokens.filter(|row| !given(row.name)).map(|row| (row.name, format!("{}-of-the-test", row.name))),
            );
        }
        let config = server.read(&Environment::from_pairs(all)).expect("a good configuration");
        let BuiltServer { router, admin, auth, readiness, files, telemetry, .. } =
            server.build(&config).expect("a server");
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (mut admin_address, mut admin_task) = (None, None);
        if let Some(address) = config.admin {
            let listener = tokio::net::TcpListener::bind(address).await.expect("a port");
            admin_address = Some(listener.local_addr().expect("an address"));
            admin_task = Some(tokio::spawn(listen::serve_admin(listener, admin)));
        }
        let (stop, mut stopped) = watch::channel(false);
        let task = tokio::spawn(async move {
            let fresh = tokio::spawn(server::keep_fresh(auth, files));
            let shutdown = async move {
                let _ = stopped.wait_for(|stop| *stop).await;
                readiness.stop();
            };
            listen::serve(listener, router, &config.limits, shutdown).await;
            telemetry.shut_down(config.limits.shutdown_grace).await;
            fresh.abort();
            admin_task.inspect(JoinHandle::abort);
        });
        Self { address, admin: admin_address, http: reqwest::Client::new(), stop, task }
    }

    /// The address of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The address of a path of the admin listener.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the test has failed")]
    pub fn admin_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.admin.expect("ADMIN_ADDR"))
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
    ///
    /// # Panics
    /// Where it has not.
    #[expect(clippy::expect_used, reason = "the test has failed")]
    pub async fn call_failing(&self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments).await;
        assert_eq!(result["isError"], json!(true), "{result}");
        result["content"][0]["text"].as_str().expect("a text").to_owned()
    }

    /// The answer to these bytes on a connection of their own, up to its end.
    ///
    /// # Errors
    /// Where there is no connection to be had.
    pub async fn raw(&self, bytes: &[u8]) -> io::Result<String> {
        let mut stream = tokio::net::TcpStream::connect(self.address).await?;
        // A server that refuses early may close while we still send.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(std::time::Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    /// Begins the shutdown.
    pub fn begin_shutdown(&self) {
        self.stop.send_replace(true);
    }

    /// Begins the shutdown and waits for its end.
    ///
    /// # Panics
    /// Where the server has panicked.
    #[expect(clippy::expect_used, reason = "the test has failed")]
    pub async fn shut_down(mut self) {
        self.begin_shutdown();
        (&mut self.task).await.expect("the server ended well");
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Status and JSON (`null` where there is none) of an answer.
///
/// # Panics
/// Without an answer.
#[expect(clippy::expect_used, reason = "the test has failed")]
pub async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.expect("an answer");
    let status = response.status().as_u16();
    let text = response.text().await.expect("a body");
    (status, serde_json::from_str(&text).unwrap_or_default())
}
