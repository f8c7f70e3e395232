//! An upstream API of a server, and routes of its own.
#![allow(clippy::unwrap_used, reason = "tests may say what they expect")]

#[path = "support/upstream.rs"]
mod upstream;

use mcp_server_runtime::testing::{BEARER, TestServer};
use serde_json::json;

/// An API that takes this token alone.
async fn api(token: &'static str) -> String {
    use mcp_server_runtime::axum::{Router, http::HeaderMap, routing::get};
    let answer = move |headers: HeaderMap| async move {
        let good = headers.get("authorization").is_some_and(|value| *value == *format!("Bearer {token}"));
        if good { Ok("sunny") } else { Err(mcp_server_runtime::axum::http::StatusCode::UNAUTHORIZED) }
    };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { mcp_server_runtime::axum::serve(listener, Router::new().route("/", get(answer))).await });
    format!("http://{address}")
}

#[tokio::test]
async fn a_tool_and_a_page_find_the_client_and_its_token() {
    let base = api("API_TOKEN-of-the-test").await;
    let server = TestServer::start(&upstream::server(), &[("API_BASE", &base)]).await;
    assert_eq!(server.call("ask", json!({})).await["content"][0]["text"], "sunny");
    let page = server.http.get(server.url("/report")).bearer_auth(BEARER).send().await.unwrap();
    assert_eq!(page.text().await.unwrap(), "sunny for developer@localhost");
}

#[tokio::test]
async fn a_page_of_the_servers_own_stands_behind_the_same_doors() {
    let server = TestServer::start(&upstream::server(), &[]).await;
    let get = |path: &str| server.http.get(server.url(path));
    assert_eq!(get("/report").send().await.unwrap().status(), 401, "strangers");
    let rebound = get("/report").bearer_auth(BEARER).header("host", "evil.example");
    assert_eq!(rebound.send().await.unwrap().status(), 403, "other names");
    let foreign = get("/report").bearer_auth(BEARER).header("origin", "https://evil.example");
    assert_eq!(foreign.send().await.unwrap().status(), 403, "other pages");
    assert_eq!(get("/other").bearer_auth(BEARER).send().await.unwrap().status(), 404);
}
