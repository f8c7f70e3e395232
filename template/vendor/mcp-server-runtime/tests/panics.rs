//! Tools and routes that panic (attacks.md 55): an error at once, one line in the log, and the next request is served.
#![allow(clippy::expect_used, reason = "tests may say what they expect")]

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mcp_server_runtime::testing::{BEARER, TestServer, answer};
use mcp_server_runtime::{Handlers, Server, axum, log_panics, request_id};
use rmcp::model::{CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::{Value, json};

/// One tool panics, the other tells the id of its request.
#[derive(Clone)]
struct Tools;

impl ServerHandler for Tools {
    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        assert!(request.name != "panic", "with {:?}", request.arguments);
        let id = request_id().unwrap_or_default();
        Ok(CallToolResult::success(vec![ContentBlock::text(id)]).into())
    }
}

async fn broken() -> axum::http::StatusCode {
    unreachable!("a route that panics")
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("not poisoned").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn attack_55_a_panic_is_answered_at_once_and_logged_once() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).init();
    log_panics();
    let server = Server::new("panics", "1.0.0", |_| {
        Ok(Handlers::new(Tools).with_legacy(Some(axum::Router::new().fallback(broken))))
    });
    // The place of a call that has panicked is free again.
    let server = TestServer::start(&server, &[("MAX_CONCURRENT_REQUESTS", "1")]).await;
    let address = server.address;

    let http = reqwest::Client::new();
    let send = |body: Value| {
        let request = http.post(format!("http://{address}/mcp")).bearer_auth(BEARER);
        let request = request.header("content-type", "application/json").header("x-request-id", "from-the-edge");
        answer(request.header("accept", "application/json, text/event-stream").body(body.to_string()))
    };
    let call = |tool: &str| {
        let params = json!({"name": tool, "arguments": {"word": "of-the-caller"}});
        send(json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}))
    };
    let start = Instant::now();
    for _ in 0..3 {
        let (status, failed) = call("panic").await;
        assert_eq!((status, &failed["error"]["code"], &failed["id"]), (200, &json!(-32603), &json!(7)), "{failed}");
    }
    assert_eq!(send(json!({"method": "GET", "path": "/docs"})).await.0, 500);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    let (_, called) = call("id").await;
    assert_eq!(called["result"]["content"][0]["text"], "from-the-edge", "a tool knows its request: {called}");

    let status = http.get(format!("http://{address}/status")).bearer_auth(BEARER);
    assert_eq!(answer(status).await.1["requests"]["panics"], 4);
    let log = String::from_utf8(log.0.lock().expect("not poisoned").clone()).expect("UTF-8");
    let errors: Vec<_> = log.lines().filter(|line| line.contains("ERROR")).collect();
    assert_eq!(errors.len(), 4, "{log}");
    assert!(errors.iter().all(|line| line.contains("Panicked at ") && line.contains("tests/panics.rs:")), "{log}");
    assert!(!log.contains("of-the-caller"), "{log}");
}
