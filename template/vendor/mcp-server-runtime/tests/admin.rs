//! Metrics and probes: on a listener of their own, and nowhere else.
#![allow(clippy::expect_used, clippy::panic, reason = "tests may say what they expect")]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use mcp_auth_middleware::testing::{AUDIENCE, ISSUER, TestTeam};
use mcp_server_runtime::Probe;
use serde_json::{Value, json};
use support::{API_TOKEN, TOKEN, TestServer, answer, server::server_with, start, with};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const ADMIN: (&str, &str) = ("ADMIN_ADDR", "127.0.0.1:0");
const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

async fn readyz(server: &TestServer) -> (u16, Value) {
    answer(server.http.get(server.admin_url("/readyz"))).await
}

fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let checks = report["checks"].as_array().expect("checks");
    checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name} in {report}"))
}

#[tokio::test]
async fn callers_never_reach_what_is_for_operators() {
    let server = with(&[ADMIN]).await;
    for path in ["/metrics", "/livez", "/readyz"] {
        assert_eq!(answer(server.http.get(server.url(path))).await.0, 404, "{path} on the public port");
        assert_eq!(answer(server.http.get(server.admin_url(path))).await.0, 200, "{path}");
        assert_eq!(answer(server.http.post(server.admin_url(path))).await.0, 405, "POST {path}");
    }
    for path in ["/mcp", "/health", "/status", "/"] {
        let (status, body) = answer(server.http.get(server.admin_url(path))).await;
        assert_eq!((status, &body["error"]), (404, &json!("not found")), "{path} on the admin listener");
    }
    assert!(start().await.admin.is_none(), "without ADMIN_ADDR there is no such listener");
}

/// Reads a page as OpenMetrics has it, and fails where it breaks a rule of it. Gives samples without their values.
fn samples(page: &str) -> BTreeSet<String> {
    let (mut family, mut families, mut samples) = ((String::new(), String::new()), BTreeSet::new(), BTreeSet::new());
    let lines: Vec<_> = page.strip_suffix("# EOF\n").expect("the end").lines().collect();
    for line in lines {
        let words: Vec<_> = line.splitn(4, ' ').collect();
        match words[..] {
            ["#", "TYPE", name, kind] => {
                assert!(families.insert(name.to_owned()), "{name} is there twice");
                assert!(["counter", "gauge", "info"].contains(&kind), "{line}");
                family = (name.to_owned(), kind.to_owned());
            }
            ["#", "UNIT", name, unit] => assert!(name == family.0 && name.ends_with(unit), "{line}"),
            ["#", "HELP", name, help] => assert!(name == family.0 && !help.is_empty(), "{line}"),
            _ => {
                let (sample, value) = line.rsplit_once(' ').expect("a value");
                assert!(value.parse::<f64>().is_ok(), "{line}");
                let name = sample.split('{').next().expect("a name");
                let suffix = match family.1.as_str() {
                    "counter" => "_total",
                    "info" => "_info",
                    _ => "",
                };
                assert_eq!(name, format!("{}{suffix}", family.0), "{line}");
                assert!(samples.insert(sample.to_owned()), "{sample} is there twice");
            }
        }
    }
    samples
}

#[tokio::test]
async fn metrics_are_openmetrics() {
    let server = with(&[ADMIN]).await;
    let _ = answer(server.http.post(server.url("/mcp"))).await;
    let page = async |accept: Option<&str>| {
        let request = server.http.get(server.admin_url("/metrics"));
        let request = accept.into_iter().fold(request, |request, accept| request.header("accept", accept));
        let response = request.send().await.expect("an answer");
        let kind = response.headers()["content-type"].to_str().expect("text").to_owned();
        (kind, response.text().await.expect("text"))
    };
    let (kind, text) = page(None).await;
    assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let samples = samples(&text);
    for sample in [
        "mcp_server_info{service=\"whoami-server\",version=\"1.2.3\"}",
        "mcp_auth_refused_total{code=\"MCP-AUTH-001\"}",
        "mcp_http_responses_total{status=\"4xx\"}",
        "mcp_requests_in_flight",
        "mcp_token_store_reachable",
        "mcp_check_ready{check=\"tokenStore\"}",
        "process_start_time_seconds",
    ] {
        assert!(samples.contains(sample), "{sample} in {text}");
    }
    assert!(text.contains("\nmcp_auth_refused_total{code=\"MCP-AUTH-001\"} 1\n"), "{text}");
    let scraper = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.4,*/*;q=0.1";
    assert_eq!(page(Some(scraper)).await.0, kind);
    let (kind, text) = page(Some("text/plain")).await;
    assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
    assert!(text.contains("# TYPE mcp_auth_refused_total counter\n") && !text.contains("# EOF"), "{text}");
    for page in [text, page(None).await.1] {
        assert!(!page.contains(API_TOKEN) && !page.contains(support::BEARER), "a secret is in {page}");
    }
}

#[tokio::test]
async fn a_server_with_all_it_needs_is_ready() {
    let server = with(&[ADMIN]).await;
    let (status, report) = readyz(&server).await;
    assert_eq!((status, &report["status"]), (200, &json!("ready")));
    assert_eq!(check(&report, "tokenStore")["status"], "ok");
    assert_eq!(report["checks"].as_array().expect("checks").len(), 1, "no key server, no upstream: {report}");
}

#[tokio::test]
async fn a_store_that_does_not_answer_makes_it_not_ready_and_the_process_lives() {
    // Bound and never listening: nobody answers, and nobody else gets the port meanwhile.
    let closed = tokio::net::TcpSocket::new_v4().expect("a socket");
    closed.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let (port, key) = (closed.local_addr().expect("an address").port().to_string(), "0123456789abcdef".repeat(4));
    let pairs = [
        ADMIN,
        ("TOKEN_STORE", "postgres"),
        ("POSTGRES_HOST", "127.0.0.1"),
        ("POSTGRES_PORT", port.as_str()),
        ("MCP_AUTH_ENCRYPTION_KEY", key.as_str()),
    ];
    let server = with(&pairs).await;
    let (status, report) = readyz(&server).await;
    assert_eq!((status, &report["status"]), (503, &json!("not ready")));
    let store = check(&report, "tokenStore");
    assert_eq!(store["status"], "failing");
    assert!(store["message"].as_str().expect("why").starts_with("token store unavailable"), "{report}");
    assert_eq!(answer(server.http.get(server.admin_url("/livez"))).await.0, 200);
    let without = answer(server.http.get(server.admin_url("/readyz?exclude=tokenStore"))).await;
    assert_eq!(without, (200, json!({"status": "ready", "checks": []})));
}

#[tokio::test]
async fn keys_are_needed_once_and_then_outlast_their_server() {
    let mut team = TestTeam::start().await.expect("a team");
    let certs = team.certs_url();
    let pairs = [
        ADMIN,
        ("CF_ACCESS_TEAM_DOMAIN", ISSUER),
        ("CF_ACCESS_AUD", AUDIENCE),
        ("CF_ACCESS_CERTS_URL", certs.as_str()),
    ];
    team.stop().await;
    let server = with(&pairs).await;
    let (status, report) = readyz(&server).await;
    assert_eq!((status, &check(&report, "keyServer")["status"]), (503, &json!("failing")), "{report}");
    team.restart().await.expect("restarted");
    // Keys are asked for again after two seconds.
    tokio::time::timeout(Duration::from_secs(20), async {
        while readyz(&server).await.0 != 200 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await
    .expect("ready once there are keys");
    team.stop().await;
    assert_eq!(readyz(&server).await.0, 200);
}

/// A server whose upstream answers while the switch is on; how often it was asked, and with what.
async fn with_upstream() -> (TestServer, Arc<AtomicBool>, Arc<AtomicUsize>) {
    let (on, asked) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
    let (switch, counter) = (Arc::clone(&on), Arc::clone(&asked));
    let server = server_with(move |handlers| {
        let (switch, counter) = (Arc::clone(&switch), Arc::clone(&counter));
        handlers.with_probe(Probe::with_token("The API", TOKEN, move |token| {
            counter.fetch_add(1, Ordering::Relaxed);
            let answers = switch.load(Ordering::Relaxed) && token.expose() == API_TOKEN;
            async move {
                tokio::time::sleep(Duration::from_millis(300)).await;
                if answers { Ok(()) } else { Err("it answers 503") }
            }
        }))
    });
    (TestServer::start(&server, &[ADMIN, (TOKEN, API_TOKEN)]).await, on, asked)
}

#[tokio::test]
async fn an_upstream_is_asked_by_one_for_all_and_its_answer_counts_for_a_while() {
    let (server, _, asked) = with_upstream().await;
    let mut many = tokio::task::JoinSet::new();
    for _ in 0..20 {
        many.spawn(answer(server.http.get(server.admin_url("/readyz"))));
    }
    for (status, report) in many.join_all().await {
        assert_eq!((status, &check(&report, "The API")["status"]), (200, &json!("ok")), "{report}");
    }
    assert_eq!(readyz(&server).await.0, 200);
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn an_upstream_that_fails_makes_it_not_ready_unless_it_is_left_out() {
    let (server, on, _) = with_upstream().await;
    on.store(false, Ordering::Relaxed);
    let (status, report) = readyz(&server).await;
    assert_eq!((status, &report["status"]), (503, &json!("not ready")));
    let api = check(&report, "The API");
    assert_eq!((&api["status"], &api["message"]), (&json!("failing"), &json!("it answers 503")));
    assert_eq!(check(&report, "tokenStore")["status"], "ok", "the others are reported, too");
    assert_eq!(answer(server.http.get(server.admin_url("/readyz?exclude=The%20API"))).await.0, 200);
    // Callers are served meanwhile.
    assert_eq!(answer(server.post(PING)).await.0, 200);
    let metrics = server.http.get(server.admin_url("/metrics")).send().await.expect("an answer");
    let text = metrics.text().await.expect("text");
    assert!(text.contains("\nmcp_check_ready{check=\"The API\"} 0\n"), "{text}");
}

#[tokio::test]
async fn its_limits_are_its_own() {
    let server = with(&[ADMIN]).await;
    let admin = server.admin.expect("an address");
    // A head that the public port takes.
    let mut stream = tokio::net::TcpStream::connect(admin).await.expect("a connection");
    let head = format!("GET /livez HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "a".repeat(16 * 1024));
    let _ = stream.write_all(head.as_bytes()).await;
    let mut answered = [0; 12];
    stream.read_exact(&mut answered).await.expect("an answer");
    assert_eq!(answered, *b"HTTP/1.1 431");
    // Clients that hold all of its connections leave the public port alone.
    let mut held = Vec::new();
    for _ in 0..64 {
        held.push(tokio::net::TcpStream::connect(admin).await.expect("a connection"));
    }
    assert_eq!(answer(server.post(PING)).await.0, 200);
    assert_eq!(answer(server.http.get(server.url("/health"))).await.0, 200);
    server.shut_down().await;
    drop(held);
}
