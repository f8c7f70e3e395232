//! The HTTP side: routes, authentication, hosts and origins, limits, shutdown.
#![allow(clippy::expect_used, reason = "tests may say what they expect")]

mod support;

use std::time::{Duration, Instant};

use mcp_auth_middleware::testing::{AUDIENCE, ISSUER, TestIssuer, TestTeam};
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
async fn callers_learn_the_version_of_the_template_and_strangers_do_not() {
    let server = start().await;
    let (_, health) = answer(server.http.get(server.url("/health"))).await;
    assert!(health.get("template").is_none(), "{health}");
    let (status, document) = answer(server.http.get(server.url("/status")).bearer_auth(BEARER)).await;
    let version = document["template"]["version"].as_str().expect("a version");
    assert_eq!((status, version.split('.').count()), (200, 3), "{version}");
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
    // Without an authorization server there is nothing to find out: clients would ask for tokens where there are none.
    let challenge = challenge(&server, "localhost").await;
    assert_eq!(challenge, format!("Bearer realm=\"{}\"", support::NAME));
    let metadata = server.http.get(server.url("/.well-known/oauth-protected-resource/mcp"));
    assert_eq!(answer(metadata).await.0, 404);
    let wrong = server.http.post(server.url("/mcp")).bearer_auth("wrong-token-0123456789");
    let (status, body) = answer(wrong).await;
    assert_eq!(status, 401);
    assert_eq!(body, json!({"error": "invalid_token", "code": "MCP-AUTH-004", "message": "bearer token mismatch"}));
}

#[tokio::test]
async fn clients_of_mcp_get_refusals_as_errors_of_json_rpc() {
    let server = with(&[("MAX_BODY_BYTES", "2048")]).await;
    const BOTH: &str = "application/json, text/event-stream";
    let send = |token: &str, accept: &str, content_type: &str| {
        let post = server.http.post(server.url("/mcp")).bearer_auth(token).body(PING);
        post.header("content-type", content_type).header("accept", accept)
    };
    let mcp = |token: &str| send(token, BOTH, "application/json");
    // The SDK for Python shows the message of an error with an id, null or not, and of no other body.
    let (status, body) = answer(mcp("wrong-token-0123456789")).await;
    let data = json!({"error": "invalid_token", "code": "MCP-AUTH-004", "status": 401});
    let error = json!({"code": -32600, "message": "bearer token mismatch", "data": data});
    let expected = json!({
        "jsonrpc": "2.0", "id": null, "error": error, "code": "MCP-AUTH-004", "message": "bearer token mismatch"
    });
    assert_eq!((status, body), (401, expected));
    let refused = mcp("wrong-token-0123456789").send().await.expect("an answer");
    let challenge = refused.headers()["www-authenticate"].to_str().expect("text");
    assert!(challenge.starts_with("Bearer ") && challenge.contains("error=\"invalid_token\""), "{challenge}");
    for (request, expected, code) in [
        (mcp(BEARER).header("host", "evil.example"), 403, -32600),
        (mcp(BEARER).body("x".repeat(4096)), 413, -32600),
        (mcp(BEARER).header("mcp-protocol-version", "1999-01-01"), 400, -32600),
        (send(BEARER, BOTH, "text/plain"), 415, -32600),
        // Two of them that differ: which one counts is for nobody to choose.
        (mcp(BEARER).header("content-type", "text/plain"), 415, -32600),
    ] {
        let (status, body) = answer(request).await;
        assert_eq!((status, &body["jsonrpc"]), (expected, &json!("2.0")), "{body}");
        assert!(body["error"]["code"] == code && body["error"]["message"].is_string(), "{body}");
        // What was read has an id.
        assert_eq!(body["id"], if expected == 400 { json!(1) } else { Value::Null }, "{body}");
    }
    // A client that takes no events is no client of MCP, and gets plain JSON.
    let (status, body) = answer(send("wrong-token-0123456789", "application/json", "application/json")).await;
    assert_eq!((status, &body["error"]), (401, &json!("invalid_token")), "{body}");
}

/// The challenge of a 401 under this name.
async fn challenge(server: &TestServer, host: &str) -> String {
    let mut all = Vec::new();
    for request in [server.http.post(server.url("/mcp")), server.http.get(server.url("/status"))] {
        let response = request.header("host", host).send().await.expect("an answer");
        assert_eq!(response.status(), 401);
        all.push(response.headers()["www-authenticate"].to_str().expect("text").to_owned());
    }
    all.dedup();
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

#[tokio::test]
async fn metadata_names_the_address_that_the_client_used() {
    let access = [("CF_ACCESS_TEAM_DOMAIN", ISSUER), ("CF_ACCESS_AUD", AUDIENCE)];
    let seen = async |server: &TestServer, host: &str| {
        let path = "/.well-known/oauth-protected-resource/mcp";
        let (status, document) = answer(server.http.get(server.url(path)).header("host", host)).await;
        assert_eq!((status, &document["authorization_servers"]), (200, &json!([ISSUER])), "{document}");
        let resource = document["resource"].as_str().expect("an address").to_owned();
        let metadata = format!("resource_metadata=\"{}{path}\"", resource.strip_suffix("/mcp").expect("the endpoint"));
        let challenge = challenge(server, host).await;
        assert!(challenge.starts_with("Bearer ") && challenge.contains(&metadata), "{challenge}");
        resource
    };
    let server = with(&[&access[..], &[("ALLOWED_HOSTS", "mcp.example.com")]].concat()).await;
    for (host, resource) in [
        ("localhost:8080", "http://localhost:8080/mcp"),
        ("LOCALHOST", "http://localhost/mcp"),
        ("127.0.0.1:80", "http://127.0.0.1/mcp"),
        ("mcp.example.com:443", "https://mcp.example.com/mcp"),
        ("MCP.example.com:8443", "https://mcp.example.com:8443/mcp"),
    ] {
        assert_eq!(seen(&server, host).await, resource, "{host}");
    }
    let server = with(&[&access[..], &[("PUBLIC_URL", "http://host.docker.internal:8080/mcp")]].concat()).await;
    for host in ["host.docker.internal:8080", "localhost", "127.0.0.1:1"] {
        assert_eq!(seen(&server, host).await, "http://host.docker.internal:8080/mcp", "{host}");
    }
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
async fn people_come_in_with_an_access_token_of_an_issuer() {
    let issuer = TestIssuer::start().await.expect("an issuer");
    let server = with(&[
        ("AUTH_MODE", "oidc,bearer"),
        ("PUBLIC_URL", "https://mcp.example.com"),
        ("OIDC_ISSUER", issuer.issuer()),
        ("OIDC_REQUIRED_SCOPES", "mcp"),
    ])
    .await;
    for path in ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"] {
        let (status, metadata) = answer(server.http.get(server.url(path))).await;
        assert_eq!((status, &metadata["resource"]), (200, &json!("https://mcp.example.com/mcp")));
        assert_eq!(metadata["authorization_servers"], json!([issuer.issuer()]));
        assert_eq!(metadata["scopes_supported"], json!(["mcp"]));
    }
    let challenge = challenge(&server, "localhost").await;
    let metadata = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp";
    assert!(challenge.ends_with(&format!("scope=\"mcp\", resource_metadata=\"{metadata}\"")), "{challenge}");

    let call = |token: String| {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "get_whoami"}});
        let request = server.http.post(server.url("/mcp")).header("authorization", format!("Bearer {token}"));
        let request = request.header("content-type", "application/json");
        answer(request.header("accept", "application/json, text/event-stream").body(body.to_string()))
    };
    let who = |answer: &Value| answer["result"]["structuredContent"].clone();
    let (status, person) = call(issuer.token("user@example.com")).await;
    assert_eq!((status, who(&person)), (200, json!({"email": "user@example.com", "kind": "human"})));
    let (status, developer) = call(BEARER.to_owned()).await;
    assert_eq!((status, who(&developer)["kind"].as_str()), (200, Some("developer")));
    let mut claims = issuer.claims("user@example.com");
    claims["scope"] = "openid".into();
    let (status, poor) = call(issuer.sign(&claims)).await;
    assert_eq!(
        (status, poor["error"]["data"]["error"].as_str(), poor["missing_scopes"].as_str()),
        (403, Some("insufficient_scope"), Some("mcp"))
    );
    claims["aud"] = "https://other.example.com/mcp".into();
    let (status, other) = call(issuer.sign(&claims)).await;
    assert_eq!((status, other["code"].as_str()), (401, Some("MCP-AUTH-013")));

    let (_, health) = answer(server.http.get(server.url("/health"))).await;
    assert_eq!(health["auth"]["mode"], "oidc,bearer");
    let (_, status) = answer(server.http.get(server.url("/status")).bearer_auth(BEARER)).await;
    assert_eq!(status["auth"]["issuers"][issuer.issuer()]["keys"], 1, "{status}");
}

#[tokio::test]
async fn attack_32_other_hosts_and_origins_are_refused() {
    let server = with(&[("ALLOWED_HOSTS", "mcp.example.com"), ("ALLOWED_ORIGINS", "https://claude.ai")]).await;
    let status = |name: &'static str, value: &'static str| answer(server.post(PING).header(name, value));
    assert_eq!(status("host", "mcp.example.com").await.0, 200);
    assert_eq!(status("host", "evil.example").await.0, 403);
    assert_eq!(status("origin", "https://claude.ai").await.0, 200);
    assert_eq!(status("origin", "https://evil.example").await.0, 403);
    for (origin, allowed) in [("https://evil.example", true), ("null", false), ("file://", false)] {
        let (status, refusal) = status("origin", origin).await;
        let message = refusal["message"].as_str().unwrap_or_default();
        assert_eq!((status, message.contains("ALLOWED_ORIGINS")), (403, allowed), "{origin}: {message}");
    }
}

#[tokio::test]
async fn pages_of_this_machine_and_of_allowed_origins_may_read_the_answers() {
    let server = with(&[("ALLOWED_ORIGINS", "https://claude.ai,chrome-extension://abcdefghijklmnop")]).await;
    for origin in ["http://localhost:6274", "https://claude.ai", "chrome-extension://abcdefghijklmnop"] {
        let asked = "authorization,content-type,mcp-protocol-version,mcp-session-id,last-event-id";
        let preflight = server.http.request(reqwest::Method::OPTIONS, server.url("/mcp")).header("origin", origin);
        let preflight = preflight.header("access-control-request-method", "POST");
        let preflight = preflight.header("access-control-request-private-network", "true");
        let preflight = preflight.header("access-control-request-headers", asked).send().await.expect("an answer");
        assert_eq!(preflight.headers()["access-control-allow-private-network"], "true");
        assert_eq!(
            (preflight.status().as_u16(), &preflight.headers()["access-control-allow-origin"]),
            (200, &origin.parse().expect("a value"))
        );
        assert_eq!(preflight.headers()["access-control-allow-headers"], asked);
        assert!(!preflight.headers().contains_key("access-control-allow-credentials"));
        let large = "x".repeat(2 << 20);
        let requests = [server.post(PING), server.http.post(server.url("/mcp")), server.post("{"), server.post(large)];
        for request in
            requests.into_iter().chain([server.http.get(server.url("/.well-known/oauth-protected-resource"))])
        {
            let response = request.header("origin", origin).send().await.expect("an answer");
            assert_eq!(response.headers()["access-control-allow-origin"], origin, "{}", response.status());
            assert_eq!(response.headers()["vary"], "origin");
        }
    }
    // A request of no page is none of CORS' business.
    let options = server.http.request(reqwest::Method::OPTIONS, server.url("/mcp")).bearer_auth(BEARER);
    assert_eq!(answer(options).await.0, 405);
    let plain = server.post(PING).send().await.expect("an answer");
    assert!(!plain.headers().contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn every_error_has_a_body_of_json() {
    let server = start().await;
    let post = |path: &str| server.http.post(server.url(path));
    for (request, status) in [
        (server.http.get(server.url("/mcp")).bearer_auth(BEARER), 405),
        (server.http.get(server.url("/nope")), 404),
        (post("/health"), 405),
        (post("/mcp"), 401),
        (post("/mcp").bearer_auth(BEARER).header("accept", "text/html"), 406),
        (post("/mcp").bearer_auth(BEARER).header("content-type", "text/plain").body(PING), 415),
        (server.post(PING).header("mcp-protocol-version", "x"), 400),
        (server.post(PING).header("origin", "null"), 403),
    ] {
        let response = request.send().await.expect("an answer");
        assert_eq!(
            (response.status().as_u16(), &response.headers()["content-type"]),
            (status, &"application/json".parse().expect("a value"))
        );
        let allow = response.headers().contains_key("allow");
        assert_eq!(allow, status == 405, "{status}");
        let body: Value = serde_json::from_str(&response.text().await.expect("a body")).expect("JSON");
        assert!(
            (body["error"].is_string() || body["jsonrpc"] == "2.0")
                && body["message"].as_str().is_some_and(|message| message.len() > 10),
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_client_that_looks_for_oauth_can_say_what_is_wrong() {
    let server = start().await;
    let (status, body) = answer(server.http.post(server.url("/register"))).await;
    assert_eq!((status, &body["error_description"]), (404, &body["message"]));
    assert!(body["message"].as_str().is_some_and(|text| text.contains("check the one that you send")), "{body}");
}

#[tokio::test]
async fn a_large_body_that_is_refused_does_not_cut_off_the_answer() {
    let server = start().await;
    for (token, status) in [("wrong-token-0123456789", 401), (BEARER, 413)] {
        // More than all buffers between the two hold: the client still sends when it is answered.
        let body = "x".repeat(20_000_000);
        let head = format!(
            "POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = tokio::net::TcpStream::connect(server.address).await.expect("a connection");
        stream.write_all(head.as_bytes()).await.expect("sent");
        stream.write_all(body.as_bytes()).await.expect("all of it is taken");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
}

#[tokio::test]
async fn attack_53_one_caller_leaves_memory_to_the_others() {
    let team = TestTeam::start().await.expect("a key server");
    let url = team.certs_url();
    let server = with(&[
        ("CF_ACCESS_TEAM_DOMAIN", ISSUER),
        ("CF_ACCESS_AUD", AUDIENCE),
        ("CF_ACCESS_CERTS_URL", &url),
        ("MEMORY_BUDGET", "33554432"),
        ("MAX_CONNECTIONS", "100"),
    ])
    .await;
    // A caller has 1 MiB: a body of many small members would take more, however short it is.
    let members: serde_json::Map<_, _> = (0..9000).map(|n| (n.to_string(), json!(0))).collect();
    let params = json!({"name": "x", "arguments": members});
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).to_string();
    assert_eq!(server.send(body).await.0, 413);
    // Bodies that stop before their end: the fourth does not fit any more.
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {BEARER}\r\nContent-Type: application/json\r\n\
         Content-Length: 340000\r\n\r\n"
    );
    let mut half = Vec::new();
    for _ in 0..4 {
        let mut stream = tokio::net::TcpStream::connect(server.address).await.expect("a connection");
        stream.write_all([head.as_bytes(), "x".repeat(330_000).as_bytes()].concat().as_slice()).await.expect("sent");
        half.push(stream);
    }
    let mut answers = Vec::new();
    for stream in &mut half {
        let mut status = [0; 12];
        let read = tokio::time::timeout(Duration::from_millis(500), stream.read_exact(&mut status)).await;
        answers.extend(read.is_ok().then(|| String::from_utf8_lossy(&status).into_owned()));
    }
    assert_eq!(answers, ["HTTP/1.1 503"]);
    let other = server.http.post(server.url("/mcp")).header("cf-access-jwt-assertion", team.token("user@example.com"));
    assert_eq!(answer(other.header("content-type", "application/json").body(PING)).await.0, 200);
}

#[tokio::test]
async fn attack_62_one_name_counts_and_it_is_the_checked_one() {
    let access = [("CF_ACCESS_TEAM_DOMAIN", ISSUER), ("CF_ACCESS_AUD", AUDIENCE)];
    let server = with(&[&access[..], &[("ALLOWED_HOSTS", "mcp.example.com")]].concat()).await;
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
    // At the limit, whatever hyper's buffer has room for: that takes up to twice as much.
    let server = start().await;
    for (bytes, status) in [(32_000, 200), (32_768, 431), (40_000, 431), (50_000, 431)] {
        assert_eq!(answer(server.post(PING).header("x-long", "x".repeat(bytes))).await.0, status, "{bytes}");
    }
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
async fn attack_52_connections_above_the_number_wait_for_a_request_that_ends() {
    let server = with(&[("MAX_CONNECTIONS", "1")]).await;
    let call = json!({"name": "wait", "arguments": {"milliseconds": 3000}});
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}).to_string();
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {BEARER}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{call}",
        call.len()
    );
    let mut working = tokio::net::TcpStream::connect(server.address).await.expect("a connection");
    working.write_all(head.as_bytes()).await.expect("sent");
    let mut health = Box::pin(answer(server.http.get(server.url("/health"))));
    assert!(tokio::time::timeout(Duration::from_secs(2), &mut health).await.is_err(), "no place yet");
    let mut result = String::new();
    working.read_to_string(&mut result).await.expect("an answer");
    assert!(result.starts_with("HTTP/1.1 200"), "{result}");
    let (status, _) = tokio::time::timeout(Duration::from_secs(10), health).await.expect("in time");
    assert_eq!(status, 200);
}

/// Strangers cannot keep /health from answering, whatever they hold.
#[tokio::test]
async fn attack_52_who_has_nothing_under_way_makes_room_for_others() {
    let server = with(&[("MAX_CONNECTIONS", "3")]).await;
    let request = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut held = Vec::new();
    for _ in 0..3 {
        for begun in ["", "GET /health HTTP/1.1\r\nX-Endless: a", request] {
            let mut stream = tokio::net::TcpStream::connect(server.address).await.expect("a connection");
            stream.write_all(begun.as_bytes()).await.expect("sent");
            held.push(stream);
        }
        let health = answer(server.http.get(server.url("/health")));
        let (status, _) = tokio::time::timeout(Duration::from_secs(10), health).await.expect("in time");
        assert_eq!(status, 200);
    }
}

#[tokio::test]
async fn a_body_that_is_announced_as_too_large_is_not_asked_for() {
    let server = with(&[("MAX_BODY_BYTES", "2048")]).await;
    let head = |length: usize| {
        format!(
            "POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {BEARER}\r\n\
             Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    for (length, expected) in [(2049, "HTTP/1.1 413"), (99_999_999, "HTTP/1.1 413"), (2048, "HTTP/1.1 100")] {
        let mut stream = tokio::net::TcpStream::connect(server.address).await.expect("a connection");
        stream.write_all(head(length).as_bytes()).await.expect("sent");
        let mut answer = [0; 12];
        let read = tokio::time::timeout(Duration::from_secs(5), stream.read_exact(&mut answer)).await;
        read.expect("at once").expect("an answer");
        assert_eq!(String::from_utf8_lossy(&answer), expected, "{length}");
    }
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
async fn a_client_that_shuts_its_half_down_gets_its_answer() {
    let server = start().await;
    let call = |milliseconds: u32| {
        let params = json!({"name": "wait", "arguments": {"milliseconds": milliseconds}});
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).to_string()
    };
    for (version, headers) in
        [("1.1", ""), ("1.1", "Connection: close\r\n"), ("1.0", ""), ("1.0", "Connection: keep-alive\r\n")]
    {
        for body in [PING.to_owned(), call(300)] {
            let head = format!(
                "POST /mcp HTTP/{version}\r\nHost: localhost\r\nAuthorization: Bearer {BEARER}\r\n{headers}\
                 Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            let mut stream = tokio::net::TcpStream::connect(server.address).await.expect("a connection");
            stream.write_all(format!("{head}{body}").as_bytes()).await.expect("sent");
            stream.shutdown().await.expect("half closed");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.expect("an answer and its end");
            assert!(
                answer.starts_with(&format!("HTTP/{version} 200")) && answer.ends_with('}'),
                "{head}{body}: {answer}"
            );
        }
    }
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
    for (accept, end) in [("text/plain", ""), ("application/openmetrics-text", "# EOF\n")] {
        let metrics = server.http.get(server.url("/status")).bearer_auth(BEARER).header("accept", accept);
        let text = metrics.send().await.expect("an answer").text().await.expect("text");
        assert!(text.contains("mcp_auth_refused_total{code=\"MCP-AUTH-001\"} 1") && text.ends_with(end), "{text}");
    }
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
    let busy = refused(&server).await;
    assert_eq!(busy.headers()["retry-after"], "1");
    let slow = slow.await.expect("joined").expect("an answer");
    assert_eq!(slow.status(), 504);
    for refused in [busy, slow] {
        let body: Value = refused.json().await.expect("JSON");
        assert_eq!((&body["jsonrpc"], &body["id"]), (&json!("2.0"), &json!(1)), "{body}");
    }
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

#[tokio::test]
async fn half_a_head_does_not_hold_up_the_end() {
    let server = start().await;
    let mut stranger = tokio::net::TcpStream::connect(server.address).await.expect("a connection");
    stranger.write_all(b"POST /mcp HTTP/1.1\r\nHost: local").await.expect("sent");
    let ended = tokio::time::timeout(Duration::from_secs(10), server.shut_down()).await;
    assert!(ended.is_ok(), "it waits for the rest");
}

/// As a client on a bad line has it, and tests/e2e/deploy/load.py.
#[tokio::test]
async fn a_head_that_takes_seconds_is_answered_at_the_end() {
    let server = start().await;
    let mut slow = tokio::net::TcpStream::connect(server.address).await.expect("a connection");
    slow.write_all(b"GET /health HTTP/1.1\r\nHost: local").await.expect("sent");
    server.begin_shutdown();
    tokio::time::sleep(Duration::from_secs(3)).await;
    slow.write_all(b"host\r\n\r\n").await.expect("sent");
    let mut text = String::new();
    slow.read_to_string(&mut text).await.expect("an answer and its end");
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    server.shut_down().await;
}

#[tokio::test]
async fn who_has_connected_before_the_end_is_answered_and_told_that_it_is_the_last_answer() {
    let server = start().await;
    let ask = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut silent = tokio::net::TcpStream::connect(server.address).await.expect("a connection");
    server.begin_shutdown();
    let mut late = tokio::net::TcpStream::connect(server.address).await.expect("a connection");
    tokio::time::sleep(Duration::from_millis(20)).await;
    for stream in [&mut silent, &mut late] {
        stream.write_all(ask).await.expect("sent");
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.expect("an answer and its end");
        let text = String::from_utf8(all).expect("text").to_lowercase();
        assert!(text.starts_with("http/1.1 200") && text.contains("connection: close"), "{text}");
    }
    server.shut_down().await;
}
