//! The program as an operator meets it: its errors, its log lines, its signals.
#![allow(clippy::expect_used, reason = "tests may say what they expect")]

mod support;

use std::process::Stdio;
use std::time::Duration;

use support::BEARER;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

/// The program in an empty environment but for these variables.
fn program(pairs: &[(&str, &str)]) -> Command {
    let mut command = Command::new(support::program());
    command.env_clear().envs(pairs.iter().copied()).kill_on_drop(true);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn variables<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut all = vec![("PORT", "0"), ("MCP_DEV_BEARER_TOKEN", BEARER)];
    all.push(("API_TOKEN", support::API_TOKEN));
    all.extend_from_slice(more);
    all
}

/// A running program, its address, and its log from there on.
struct Running {
    child: Child,
    address: String,
    log: tokio::io::Lines<BufReader<tokio::process::ChildStderr>>,
    before: Vec<String>,
}

async fn start(more: &[(&str, &str)]) -> Running {
    let mut child = program(&variables(more)).spawn().expect("started");
    let mut log = BufReader::new(child.stderr.take().expect("a log")).lines();
    let mut before = Vec::new();
    loop {
        let line = log.next_line().await.expect("a log").expect("the server said where it listens");
        let found =
            line.split("listening on http://").nth(1).and_then(|rest| rest.split('/').next()).map(str::to_owned);
        before.push(line);
        if let Some(address) = found {
            return Running { child, address, log, before };
        }
    }
}

impl Running {
    /// Ends the program by SIGTERM and gives its exit status and whole log.
    async fn terminate(mut self) -> (std::process::ExitStatus, String) {
        let pid = self.child.id().expect("running").to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().await.expect("kill");
        assert!(sent.success());
        while let Some(line) = self.log.next_line().await.expect("a log") {
            self.before.push(line);
        }
        let status = tokio::time::timeout(Duration::from_secs(30), self.child.wait()).await.expect("in time");
        (status.expect("ended"), self.before.join("\n"))
    }

    async fn call_with_argument(&self, argument: &str) {
        let params = serde_json::json!({"name": "get_whoami", "arguments": {"x": argument}});
        let body = serde_json::json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        let request = reqwest::Client::new().post(format!("http://{}/mcp", self.address)).bearer_auth(BEARER);
        let request = request.header("content-type", "application/json");
        let request = request.header("accept", "application/json, text/event-stream").body(body.to_string());
        assert_eq!(support::answer(request).await.0, 200);
    }

    async fn ping(&self, token: &str) -> u16 {
        self.post(token, serde_json::json!({"jsonrpc": "2.0", "id": 1, "method": "ping"})).await
    }

    async fn post(&self, token: &str, body: serde_json::Value) -> u16 {
        let request = reqwest::Client::new()
            .post(format!("http://{}/mcp", self.address))
            .bearer_auth(token)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            // A forged line in a header (attacks.md 33) stays out of the log.
            .header("x-request-id", "from-the-edge")
            .header("user-agent", "x [DEBUG] Bearer token authenticated for: forged@example.com")
            .body(body.to_string());
        support::answer(request).await.0
    }
}

#[tokio::test]
async fn all_problems_of_the_configuration_at_once_and_status_2() {
    let pairs = [("AUTH_MODE", "both"), ("PORT", "eighty"), ("LOG_FORMAT", "xml")];
    let output = program(&pairs).output().await.expect("ran");
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    for variable in ["PORT", "LOG_FORMAT", "CF_ACCESS_TEAM_DOMAIN", "CF_ACCESS_AUD", "MCP_DEV_BEARER_TOKEN"] {
        assert!(text.contains(&format!("  {variable}: ")), "{variable} in:\n{text}");
    }
    assert!(text.contains("API_TOKEN: is missing. Get one from https://api.example.com/tokens"), "{text}");
}

#[tokio::test]
async fn healthcheck_tells_a_live_server_from_none() {
    let running = start(&[]).await;
    let port = running.address.rsplit(':').next().expect("a port").to_owned();
    let healthy = program(&variables(&[("PORT", &port)])).arg("healthcheck").output().await.expect("ran");
    assert_eq!(healthy.status.code(), Some(0));
    // The server has read the pipe that its secret came through: nothing more is in it.
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("token");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let pairs = [("PORT", port.as_str()), ("API_TOKEN_FILE", pipe.to_str().expect("text"))];
    let healthy = program(&pairs).arg("healthcheck").output().await.expect("ran");
    assert_eq!(healthy.status.code(), Some(0), "{}", String::from_utf8_lossy(&healthy.stderr));
    running.terminate().await;
    let gone = program(&variables(&[("PORT", &port)])).arg("healthcheck").output().await.expect("ran");
    assert_eq!(gone.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&gone.stderr).contains("unhealthy"));
}

#[tokio::test]
async fn attack_33_log_lines_are_exactly_these_and_sigterm_ends_in_peace() {
    let running = start(&[]).await;
    assert_eq!(running.ping(BEARER).await, 200);
    assert_eq!(running.ping("wrong-token-0123456789").await, 401);
    let under_another_name = reqwest::Client::new().post(format!("http://{}/mcp", running.address));
    let under_another_name = under_another_name.header("host", "evil.example").header("x-request-id", "from-the-edge");
    assert_eq!(support::answer(under_another_name).await.0, 403);
    let (status, log) = running.terminate().await;
    assert_eq!(status.code(), Some(0), "{log}");
    // The id of the request stands in front of the level.
    let line = " from-the-edge [DEBUG] Bearer token authenticated for: developer@localhost\n";
    assert!(log.contains(line), "{log}");
    assert!(log.contains(" from-the-edge [WARN] Bearer token validation failed: bearer token mismatch\n"), "{log}");
    assert!(log.contains(" from-the-edge [WARN] Host \"evil.example\" refused with 403"), "{log}");
    assert!(!log.contains("forged@example.com"), "{log}");
}

#[tokio::test]
async fn attack_50_no_secret_is_logged_at_any_level() {
    let running = start(&[("RUST_LOG", "trace,rmcp::service=trace"), ("LOG_FORMAT", "json")]).await;
    assert_eq!(running.ping(BEARER).await, 200);
    running.call_with_argument("words-of-the-caller").await;
    assert_eq!(running.ping("wrong-token-0123456789").await, 401);
    let (_, log) = running.terminate().await;
    assert!(log.lines().count() > 5, "a TRACE log has some lines, though none of rmcp: {log}");
    let lines = log.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    let of_the_request: Vec<_> = lines.filter(|line| line["request_id"] == "from-the-edge").collect();
    let said = |level: &str| of_the_request.iter().filter(|line| line["level"] == level).count();
    assert!(said("DEBUG") >= 1 && said("WARN") == 1, "{of_the_request:#?}");
    assert!(!log.contains(BEARER) && !log.contains("wrong-token"), "a caller's token is in the log");
    assert!(!log.contains("words-of-the-caller"), "an argument is in the log");
    assert!(!log.contains(support::API_TOKEN), "the server's token is in the log");
}

#[tokio::test]
async fn attack_50_arguments_are_in_no_line_whatever_rust_log_says() {
    // "info" alone takes away what the default says of the MCP library.
    for level in ["info", "trace,rmcp=trace"] {
        let running = start(&[("RUST_LOG", level)]).await;
        let arguments = serde_json::json!({"milliseconds": "words-of-the-caller"});
        let params = serde_json::json!({"name": "wait", "arguments": arguments});
        let call = serde_json::json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        assert_eq!(running.post(BEARER, call).await, 200);
        let params = serde_json::json!({"progressToken": 1, "progress": 1, "message": "words-of-the-caller"});
        let progress = serde_json::json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": params});
        assert_eq!(running.post(BEARER, progress).await, 202);
        let (_, log) = running.terminate().await;
        assert!(!log.contains("words-of-the-caller"), "at {level}:\n{log}");
    }
}

#[tokio::test]
async fn attack_61_a_log_that_nobody_reads_stops_nothing() {
    let mut running = start(&[]).await;
    let http = reqwest::Client::new();
    // A line has 150 bytes, with the longest id that is taken over: the pipe holds 64 KiB, the server 1 MiB.
    let (id, body) = ("x".repeat(64), r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
    let request = format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {BEARER}\r\nX-Request-Id: {id}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let last = request.replace("Host:", "Connection: close\r\nHost:");
    let requests = request.repeat(9_999) + &last;
    let mut stream = tokio::net::TcpStream::connect(&running.address).await.expect("a connection");
    let (mut read, mut write) = stream.split();
    let mut answers = String::new();
    let both = async { tokio::join!(write.write_all(requests.as_bytes()), read.read_to_string(&mut answers)) };
    let (sent, read) = tokio::time::timeout(Duration::from_secs(60), both).await.expect("the server goes on");
    sent.and(read.map(|_| ())).expect("answered");
    assert_eq!(answers.matches("HTTP/1.1 200 ").count(), 10_000);
    let status = http.get(format!("http://{}/status", running.address)).bearer_auth(BEARER);
    let (_, status) = support::answer(status).await;
    assert!(status["log"]["dropped"].as_u64() > Some(0), "{status}");
    let pid = running.child.id().expect("running").to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.expect("kill").success());
    let ended = tokio::time::timeout(Duration::from_secs(20), running.child.wait()).await;
    assert_eq!(ended.expect("within the grace period").expect("ended").code(), Some(0));
}

#[tokio::test]
async fn a_bearer_token_on_an_open_address_is_warned_about() {
    let running = start(&[("HOST", "0.0.0.0")]).await;
    let (_, log) = running.terminate().await;
    assert!(log.contains("[WARN] A Bearer token for development is accepted on 0.0.0.0"), "{log}");
}

#[tokio::test]
async fn a_port_that_is_taken_is_told_by_the_name_of_its_variable() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let port = address.rsplit(':').next().expect("a port");
    for (pairs, named) in [([("PORT", port)], "(HOST, PORT)"), ([("ADMIN_ADDR", address.as_str())], "(ADMIN_ADDR)")] {
        let output = program(&variables(&pairs)).output().await.expect("ran");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{text}");
        assert!(text.contains(&format!("Cannot listen on {address} {named}: ")), "{text}");
    }
}

#[tokio::test]
async fn while_requests_finish_it_is_not_ready_and_no_watcher_keeps_it_from_ending() {
    let mut running = start(&[("ADMIN_ADDR", "127.0.0.1:0"), ("SHUTDOWN_GRACE_SECONDS", "60")]).await;
    let admin = loop {
        let line = running.log.next_line().await.expect("a log").expect("the server said where it listens");
        if let Some((_, address)) = line.split_once("Metrics and probes on http://") {
            break address.to_owned();
        }
    };
    // A watcher that never ends its request.
    let mut watcher = tokio::net::TcpStream::connect(&admin).await.expect("a connection");
    watcher.write_all(b"GET /metrics HTTP/1.1\r\n").await.expect("sent");
    let readyz = async || support::answer(reqwest::Client::new().get(format!("http://{admin}/readyz"))).await;
    assert_eq!(readyz().await.0, 200);
    let params = serde_json::json!({"name": "wait", "arguments": {"milliseconds": 2000}});
    let call = serde_json::json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    let pid = running.child.id().expect("running").to_string();
    let (answered, ()) = tokio::join!(running.post(BEARER, call), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(Command::new("kill").args(["-TERM", &pid]).status().await.expect("kill").success());
        tokio::time::sleep(Duration::from_millis(500)).await;
        let (status, report) = readyz().await;
        assert_eq!((status, &report["status"]), (503, &serde_json::json!("stopping")));
    });
    assert_eq!(answered, 200);
    let ended = tokio::time::timeout(Duration::from_secs(10), running.child.wait()).await;
    assert_eq!(ended.expect("the watcher is not waited for").expect("ended").code(), Some(0));
}

#[tokio::test]
async fn a_secret_that_does_not_fit_is_told_once_and_the_one_before_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bearer");
    std::fs::write(&path, BEARER).expect("written");
    let file = path.to_str().expect("UTF-8");
    let running = start(&[("MCP_DEV_BEARER_TOKEN", ""), ("MCP_DEV_BEARER_TOKEN_FILE", file)]).await;
    for content in ["", "changeme", "\n\n"] {
        std::fs::write(&path, content).expect("written");
        tokio::time::sleep(Duration::from_millis(2500)).await;
        assert_eq!(running.ping(BEARER).await, 200, "after {content:?}");
    }
    std::fs::write(&path, "another-token-0123456789").expect("written");
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!((running.ping("another-token-0123456789").await, running.ping(BEARER).await), (200, 401));
    let (_, log) = running.terminate().await;
    let said = |what: &str| log.lines().filter(|line| line.contains(what)).count();
    // Empty, a placeholder, empty again: each once, however often it is looked at.
    assert_eq!(said("[WARN] MCP_DEV_BEARER_TOKEN_FILE has changed, and the value from before goes on"), 3, "{log}");
    assert_eq!(said("MCP_DEV_BEARER_TOKEN_FILE has changed: the new value counts from now on"), 1, "{log}");
    assert!(!log.contains(BEARER) && !log.contains("another-token") && !log.contains("changeme"), "{log}");
}

#[tokio::test]
async fn examples_in_the_help_have_the_name_of_the_program() {
    for command in [&["tokens", "set", "--help"][..], &["db", "init", "--help"], &["migrate-env", "--help"]] {
        let output = program(&[]).args(command).output().await.expect("started");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("Example"), "{command:?}: {said}");
        assert!(said.contains("  whoami-server ") && !said.contains("my-server"), "{command:?}: {said}");
    }
}

#[tokio::test]
async fn a_machine_without_certificate_authorities_is_named_as_the_cause() {
    let pairs = variables(&[
        ("AUTH_MODE", "cloudflare"),
        ("CF_ACCESS_TEAM_DOMAIN", "https://team.cloudflareaccess.com"),
        ("CF_ACCESS_AUD", "0123456789abcdef"),
        ("SSL_CERT_FILE", "/nonexistent"),
        ("SSL_CERT_DIR", "/nonexistent"),
    ]);
    let output = program(&pairs).output().await.expect("started");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    let cause = said.split("the client for the key server could not be built: ").nth(1).unwrap_or_default();
    assert!(cause.contains("certificate"), "{said}");
}
