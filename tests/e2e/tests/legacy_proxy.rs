//! Requests from before MCP: no `jsonrpc` member, and still served.
#![allow(clippy::expect_used, reason = "tests may say what they expect")]

mod support;

use serde_json::json;
use support::stub_coda::Fault;
use support::{CODA_TOKEN, TestServer, answer};

#[tokio::test]
async fn get_requests_are_served() {
    let server = TestServer::start().await;
    let (status, body) = server.send(r#"{"method":"GET","path":"/docs","query":{"limit":2}}"#).await;
    assert_eq!((status, body["items"].as_array().map(Vec::len)), (200, Some(2)));
    assert!(body["nextPageToken"].is_string());
    let seen = server.coda.seen();
    assert_eq!(
        (seen[0].uri.as_str(), seen[0].authorization.as_str()),
        ("/apis/v1/docs?limit=2", &*format!("Bearer {CODA_TOKEN}"))
    );
    // Old clients do not send the Accept header that MCP asks for.
    let plain =
        server.http.post(server.url("/mcp")).bearer_auth(support::BEARER).header("content-type", "application/json");
    assert_eq!(answer(plain.body(r#"{"method":"GET","path":"/whoami"}"#)).await.0, 200);
}

#[tokio::test]
async fn other_methods_and_resources_are_refused() {
    let server = TestServer::start().await;
    let cases = [
        (json!({"method": "DELETE", "path": "/docs/AbCDeFGH01"}), 403),
        (json!({"method": "GET", "path": "/docs/AbCDeFGH01/acl/metadata"}), 403),
        (json!({"method": "GET", "path": "/docs/../whoami"}), 403),
        (json!({"method": "GET", "path": "/docs/.."}), 400),
        (json!({"method": "GET", "path": "https://evil.example/"}), 403),
        (json!({"method": "GET"}), 400),
        (json!({"path": "/docs"}), 400),
        (json!({}), 400),
    ];
    for (body, expected) in cases {
        let (status, answer) = server.send(body.to_string()).await;
        assert_eq!(status, expected, "{body}: {answer}");
        assert!(answer["message"].is_string());
    }
    assert!(server.coda.seen().is_empty());
}

#[tokio::test]
async fn failures_of_coda_have_their_status() {
    let server = TestServer::start().await;
    for (coda, expected) in [(404, 404), (403, 403), (401, 502), (500, 502)] {
        server.coda.fail_next([Some(Fault::Status(coda, None))]);
        let (status, _) = server.send(r#"{"method":"GET","path":"/docs/AbCDeFGH01"}"#).await;
        assert_eq!(status, expected, "{coda}");
    }
}

#[tokio::test]
async fn it_can_be_switched_off() {
    let server = TestServer::with(&[("LEGACY_PROXY", "off")]).await;
    let (status, body) = server.send(r#"{"method":"GET","path":"/docs"}"#).await;
    assert_eq!((status, body["error"]["code"].as_i64()), (400, Some(-32600)));
    assert!(server.coda.seen().is_empty());
}
