//! What the program of a rendered project logs of calls of Coda, and what it never does.
#![allow(clippy::expect_used, reason = "tests may say what they expect")]

mod support;

use std::process::Stdio;

use serde_json::{Value, json};
use support::stub_coda::{Fault, StubCoda};
use support::{BEARER, CODA_TOKEN, answer};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// The running program, its address and what it has logged.
struct Running {
    child: Child,
    address: String,
    log: tokio::io::Lines<BufReader<tokio::process::ChildStderr>>,
    before: Vec<String>,
}

/// Starts the program that the project's own tests have built beside this one.
async fn start(base: &str, more: &[(&str, &str)]) -> Running {
    let test = std::env::current_exe().expect("this program");
    let program = test.parent().and_then(|deps| deps.parent()).expect("a folder").join("my-server");
    assert!(program.is_file(), "{} is built by the tests of the project", program.display());
    let mut command = Command::new(program);
    command.env_clear().envs([("PORT", "0"), ("MCP_DEV_BEARER_TOKEN", BEARER), ("CODA_API_TOKEN", CODA_TOKEN)]);
    command.env("CODA_API_BASE", base).envs(more.iter().copied()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().expect("started");
    let mut log = BufReader::new(child.stderr.take().expect("a log")).lines();
    let mut before = Vec::new();
    loop {
        let line = log.next_line().await.expect("a log").expect("the server said where it listens");
        let found = line.split("listening on http://").nth(1).and_then(|rest| rest.split('/').next());
        let found = found.map(str::to_owned);
        before.push(line);
        if let Some(address) = found {
            return Running { child, address, log, before };
        }
    }
}

impl Running {
    async fn post(&self, body: Value) -> u16 {
        let request = reqwest::Client::new().post(format!("http://{}/mcp", self.address)).bearer_auth(BEARER);
        let request = request.header("content-type", "application/json").header("x-request-id", "from-the-edge");
        answer(request.header("accept", "application/json, text/event-stream").body(body.to_string())).await.0
    }

    async fn call(&self, tool: &str, arguments: Value) {
        let params = json!({"name": tool, "arguments": arguments});
        self.post(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})).await;
    }

    /// Ends the program by SIGTERM and gives its whole log.
    async fn terminate(mut self) -> String {
        let pid = self.child.id().expect("running").to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().await.expect("kill").success());
        while let Some(line) = self.log.next_line().await.expect("a log") {
            self.before.push(line);
        }
        self.before.join("\n")
    }
}

#[tokio::test]
async fn attack_50_neither_arguments_nor_results_are_logged_and_failures_of_coda_are() {
    let coda = StubCoda::start().await;
    let base = coda.base();
    // "info" alone takes away what the default says of the MCP library.
    for level in ["info", "trace,rmcp=trace"] {
        let running = start(&base, &[("RUST_LOG", level)]).await;
        running.call("list_docs", json!({"query": "handbook"})).await;
        running.call("list_docs", json!({"query": "handbook", "limit": "words-of-the-caller"})).await;
        running.call("get_doc", json!({"doc_id": "words-of-the-caller"})).await;
        let params = json!({"progressToken": 1, "progress": 1, "message": "words-of-the-caller"});
        let progress = json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": params});
        assert_eq!(running.post(progress).await, 202);
        coda.fail_next([Some(Fault::Status(401, None))]);
        running.call("get_whoami", json!({})).await;
        let log = running.terminate().await;
        for private in ["handbook", "words-of-the-caller", "AbCDeFGH02", CODA_TOKEN, BEARER] {
            assert!(!log.to_lowercase().contains(&private.to_lowercase()), "{private} at {level}:\n{log}");
        }
        assert!(log.contains(" from-the-edge [WARN] Coda call failed: unauthorized 401\n"), "{log}");
    }
    // Nobody listens on this port of Coda's.
    let running = start("http://127.0.0.1:1", &[]).await;
    running.call("get_whoami", json!({})).await;
    let log = running.terminate().await;
    assert!(log.contains("[WARN] Coda call failed: unreachable: no connection: "), "{log}");
}
