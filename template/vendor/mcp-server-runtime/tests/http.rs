//! The HTTP side: routes, authentication, hosts and origins, limits, shutdown.
#![allow(clippy::expect_used, reason = "tests may say what they expect")]

mod support;

use std::time::{Duration, Instant};

use mcp_auth_middleware::testing::{AUDIENCE, ISSUER, TestTeam};
use serde_json::{Value, json};
use support::{BEARER, TestServer, answer, start, with};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

#[tokio::test]
async fn health_is_open_and_says_how_the_server_is_set_up() {
    let server = start().await;
    // Probes ask under any name.
    let request = server.http.get(server.url("/health")).header("host", "10.0.0.7:8080");
    let (status, health) = answer(request).await;
    assert_eq!(status, 200);
    assert_eq!(health["status"], "ok");
    assert_eq!(health["service"], support::NAME);
    assert_eq!(health["version"], support::VERSION);
    assert_eq!(health["auth"], json!({"mode": "both", "tokenStorage": "env"}));
    assert!(chrono::DateTime::parse_from_rfc3339(health["timestamp"].as_str().expect("a time")).is_ok());
}

#[tokio::test]
async fn every_answer_has_the_id_of_its_request() {
    let server = start().await;
    let id = async |sent: Option<&str>, path: &str| {
        let request = server.http.get(server.url(path));
        let request = sent.into_iter().fold(request, |request, id| request.header("x-request-id", id));
        let response = request.send().await.expect("an answer");
        response.headers()["x-request-id"].to_str().expect("text").to_owned()
    };
    for path in ["/health", "/status", "/nowhere"] {
        assert_eq!(id(Some("edge-1.2_x"), path).await, "edge-1.2_x", "{path}");
        let (one, other) = (id(None, path).await, id(None, path).await);
        assert!(one != other && one.len() > 8, "{path}: {one}, {other}");
        // What would break a line of the log, or forge one, is not taken over (attacks.md 33).
        assert_ne!(id(Some("x [WARN] forged"), path).await, "x [WARN] forged");
    }
}

#[tokio::test]
async fn attack_30_nothing_else_exists_and_nothing_gets_round_authentication() {
    let server = start().await;
    for path in ["/", "/oauth/token", "/oauth/authorize", "/.well-known/oauth-authorization-server", "/metrics", "/sse"]
    {
        assert_eq!(answer(server.http.get(server.url(path))).await.0, 404, "{path}");
    }
    // attacks.md 30: other spellings of the path.
    for path in
        ["/mcp/", "//mcp", "/MCP", "/mcp%2f", "/%6dcp", "/health/../mcp", "/health/%2e%2e/mcp", "/mcp;x", "/./mcp"]
    {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Accept: application/json, text/event-stream\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{PING}",
            PING.len()
        );
        let status: u16 = server
            .raw(head.as_bytes())
            .await
            .expect("a connection")
            .get(9..12)
            .and_then(|s| s.parse().ok())
            .unwrap_or_default();
        assert!(matches!(status, 401 | 404), "{path}: {status}");
    }
}

#[tokio::test]
async fn refusals_say_how_to_authenticate() {
    let server = start().await;
    for request in [server.http.post(server.url("/mcp")), server.http.get(server.url("/status"))] {
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 401);
        let challenge = response.headers()["www-authenticate"].to_str().expect("text").to_owned();
        let metadata = server.url("/.well-known/oauth-protected-resource/mcp");
        assert!(
            challenge.starts_with("Bearer ") && challenge.contains(&format!("resource_metadata=\"{metadata}\"")),
            "{challenge}"
        );
        let (status, document) = answer(server.http.get(metadata)).await;
        assert_eq!((status, document["resource"].as_str()), (200, Some(server.url("/mcp").as_str())));
    }
    let wrong = server.http.post(server.url("/mcp")).bearer_auth("wrong-token-0123456789");
    let (status, body) = answer(wrong).await;
    assert_eq!(status, 401);
    assert_eq!(body, json!({"error": "invalid_token", "code": "MCP-AUTH-004", "message": "bearer token mismatch"}));
}

#[tokio::test]
async fn people_and_programs_come_in_through_cloudflare_access() {
    let team = TestTeam::start().await.expect("a key server");
    let url = team.certs_url();
    let server = with(&[
        ("CF_ACCESS_TEAM_DOMAIN", ISSUER),
        ("CF_ACCESS_AUD", AUDIENCE),
        ("CF_ACCESS_CERTS_URL", &url),
        ("CF_ACCESS_ALLOWED_SERVICE_TOKENS", "nightly.access"),
        ("ALLOWED_EMAIL_DOMAINS", "example.com"),
    ])
    .await;
    let call = |token: String| {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "get_whoami"}});
        server
            .http
            .post(server.url("/mcp"))
            .header("cf-access-jwt-assertion", token)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .body(body.to_string())
    };
    let who = |answer: Value| -> Value { answer["result"]["structuredContent"].clone() };
    let (status, person) = answer(call(team.token("user@example.com"))).await;
    assert_eq!((status, who(person)), (200, json!({"email": "user@example.com", "kind": "human"})));
    let (status, program) = answer(call(team.sign(&team.service_claims("nightly.access")))).await;
    assert_eq!((status, who(program)), (200, json!({"email": "nightly.access", "kind": "service-token"})));
    let (status, other) = answer(call(team.token("user@elsewhere.example"))).await;
    assert_eq!((status, other["code"].as_str()), (403, Some("MCP-AUTH-016")));
    // A bad Cloudflare token is not made good by a right Bearer token.
    let (status, bad) = answer(call("a.b.c".to_owned()).bearer_auth(BEARER)).await;
    assert_eq!((status, bad["code"].as_str()), (401, Some("MCP-AUTH-006")));
    let (_, metadata) = answer(server.http.get(server.url("/.well-known/oauth-protected-resource"))).await;
    assert_eq!(metadata["authorization_servers"], json!([ISSUER]));
}

#[tokio::test]
async fn attack_32_other_hosts_and_origins_are_refused() {
    let server = with(&[("ALLOWED_HOSTS", "mcp.example.com"), ("ALLOWED_ORIGINS", "https://claude.ai")]).await;
    let status = |name: &'static str, value: &'static str| answer(server.post(PING).header(name, value));
    assert_eq!(status("host", "mcp.example.com").await.0, 200);
    assert_eq!(status("host", "evil.example").await.0, 403);
    assert_eq!(status("origin", "https://claude.ai").await.0, 200);
    assert_eq!(status("origin", "https://evil.example").await.0, 403);
    assert_eq!(status("origin", "null").await.0, 403);
    let preflight = server
        .http
        .request(reqwest::Method::OPTIONS, server.url("/mcp"))
        .header("origin", "https://claude.ai")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type,mcp-protocol-version")
        .send()
        .await
        .expect("an answer");
    assert_eq!(preflight.status(), 200);
    assert_eq!(preflight.headers()["access-control-allow-origin"], "https://claude.ai");
}

#[tokio::test]
async fn attack_62_one_name_counts_and_it_is_the_checked_one() {
    let server = with(&[("ALLOWED_HOSTS", "mcp.example.com")]).await;
    let get = async |target: &str, headers: &str| {
        let head = format!("GET {target} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n");
        let answer = server.raw(head.as_bytes()).await.expect("a connection");
        let status: u16 = answer.get(9..12).and_then(|s| s.parse().ok()).unwrap_or_default();
        (status, answer)
    };
    let metadata = "/.well-known/oauth-protected-resource";
    for hosts in ["Host: localhost\r\nHost: evil.example\r\n", "Host: localhost\r\nHost: localhost\r\n", ""] {
        assert_eq!(get(metadata, hosts).await.0, 400, "{hosts:?}");
        assert_eq!(get("http://localhost/status", hosts).await.0, 400, "{hosts:?}");
    }
    // The name in an absolute target counts, not that in Host.
    assert_eq!(get("http://evil.example/status", "Host: localhost\r\n").await.0, 403);
    let absolute = format!("http://mcp.example.com{metadata}");
    let (status, answer) = get(&absolute, "Host: evil.example\r\n").await;
    assert!(status == 200 && answer.contains("https://mcp.example.com/mcp") && !answer.contains("evil"), "{answer}");
    let (status, challenge) = get("http://mcp.example.com/status", "Host: evil.example\r\n").await;
    assert!(
        status == 401 && challenge.contains("https://mcp.example.com/") && !challenge.contains("evil"),
        "{challenge}"
    );
    let origin = "Host: localhost\r\nOrigin: http://localhost:x@evil.example\r\n";
    assert_eq!(get(metadata, origin).await.0, 403);
}

#[tokio::test]
async fn too_large_bodies_and_heads() {
    let server = with(&[("MAX_BODY_BYTES", "2048"), ("MAX_HEADER_BYTES", "8192")]).await;
    let big = json!({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"x": "x".repeat(4096)}}).to_string();
    assert_eq!(answer(server.post(big)).await.0, 413);
    let long = format!("GET /health HTTP/1.1\r\nHost: localhost\r\nX-Long: {}\r\n\r\n", "x".repeat(20_000));
    assert!(
        server.raw(long.as_bytes()).await.expect("a connection").starts_with("HTTP/1.1 431"),
        "431 for a long head"
    );
    assert_eq!(answer(server.post(PING)).await.0, 200);
}

#[tokio::test]
async fn attack_31_an_unauthenticated_body_is_not_read() {
    let server = start().await;
    let head = "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000000000\r\n\r\n{";
    let start = Instant::now();
    let answer = server.raw(head.as_bytes()).await.expect("a connection");
    assert!(answer.starts_with("HTTP/1.1 401") && answer.to_lowercase().contains("connection: close"), "{answer}");
    assert!(start.elapsed() < Duration::from_secs(5), "answered at once, connection closed");
}

#[tokio::test]
async fn slow_bodies_get_408() {
    let server = with(&[("REQUEST_TIMEOUT_SECONDS", "1")]).await;
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {BEARER}\r\nContent-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\nContent-Length: 100\r\n\r\n"
    );
    let answer = server.raw(head.as_bytes()).await.expect("a connection");
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn attack_51_clients_that_never_read_make_room_for_others() {
    let server = with(&[("MAX_CONNECTIONS", "2"), ("REQUEST_TIMEOUT_SECONDS", "1")]).await;
    let requests = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(1000);
    let mut never_read = Vec::new();
    for _ in 0..2 {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4096).expect("a small buffer");
        let mut stream = socket.connect(server.address).await.expect("a connection");
        // Until the buffers of both sides are full, and nothing moves any more.
        let mut send =
            async || tokio::time::timeout(Duration::from_secs(2), stream.write_all(requests.as_bytes())).await;
        while let Ok(Ok(())) = send().await {}
        never_read.push(stream);
    }
    let health = answer(server.http.get(server.url("/health")));
    let (status, _) = tokio::time::timeout(Duration::from_secs(10), health).await.expect("in time");
    assert_eq!(status, 200);
}

#[tokio::test]
async fn attack_52_connections_above_the_number_wait_for_one_that_ends() {
    let server = with(&[("MAX_CONNECTIONS", "1")]).await;
    let unfinished = tokio::net::TcpStream::connect(server.address).await.expect("a connection");
    let mut health = Box::pin(answer(server.http.get(server.url("/health"))));
    assert!(tokio::time::timeout(Duration::from_millis(500), &mut health).await.is_err(), "no place yet");
    drop(unfinished);
    let (status, _) = tokio::time::timeout(Duration::from_secs(10), health).await.expect("in time");
    assert_eq!(status, 200);
}

#[tokio::test]
async fn half_closed_and_broken_connections_hurt_nobody() {
    let server = start().await;
    for bytes in [
        "",
        "\r\n\r\n",
        "GET",
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nab",
        "\u{16}\u{3}\u{1}",
    ] {
        let mut stream = tokio::net::TcpStream::connect(server.address).await.expect("a connection");
        stream.write_all(bytes.as_bytes()).await.expect("sent");
        stream.shutdown().await.expect("half closed");
        let mut rest = Vec::new();
        let _ = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await;
    }
    assert_eq!(answer(server.post(PING)).await.0, 200);
}

#[tokio::test]
async fn status_as_json_and_as_metrics() {
    let server = start().await;
    let _ = answer(server.http.post(server.url("/mcp"))).await;
    let (_, status) = answer(server.http.get(server.url("/status")).bearer_auth(BEARER)).await;
    assert_eq!(status["auth"]["refused"]["MCP-AUTH-001"]["count"], 1, "{status}");
    assert_eq!(status["requests"]["byStatus"]["4xx"], 1, "{status}");
    assert!(status["protocolVersions"].as_array().expect("versions").contains(&json!("2026-07-28")));
    assert_eq!(status["tokenStore"]["reachable"], true);
    let metrics = server.http.get(server.url("/status")).bearer_auth(BEARER).header("accept", "text/plain");
    let text = metrics.send().await.expect("an answer").text().await.expect("text");
    assert!(text.contains("mcp_auth_refused_total{code=\"MCP-AUTH-001\"} 1") && text.ends_with("# EOF\n"), "{text}");
}

/// A call that takes so long.
fn waiting(server: &TestServer, milliseconds: u32) -> tokio::task::JoinHandle<reqwest::Result<reqwest::Response>> {
    let params = json!({"name": "wait", "arguments": {"milliseconds": milliseconds}});
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).to_string();
    tokio::spawn(server.post(body).send())
}

/// Waits until the only place is taken, and gives the refusal.
async fn refused(server: &TestServer) -> reqwest::Response {
    loop {
        let response = server.post(PING).send().await.expect("an answer");
        if response.status() == 503 {
            return response;
        }
    }
}

#[tokio::test]
async fn too_many_and_too_slow_requests() {
    let server = with(&[("MAX_CONCURRENT_REQUESTS", "1"), ("REQUEST_TIMEOUT_SECONDS", "2")]).await;
    let slow = waiting(&server, 3_600_000);
    assert_eq!(refused(&server).await.headers()["retry-after"], "1");
    assert_eq!(slow.await.expect("joined").expect("an answer").status(), 504);
    assert_eq!(answer(server.post(PING)).await.0, 200);
}

#[tokio::test]
async fn shutdown_lets_requests_in_flight_finish() {
    let server = with(&[("MAX_CONCURRENT_REQUESTS", "1")]).await;
    let in_flight = waiting(&server, 3000);
    refused(&server).await;
    server.begin_shutdown();
    let address = server.address;
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let response = in_flight.await.expect("joined").expect("an answer");
    assert_eq!(response.status(), 200);
    server.shut_down().await;
}
