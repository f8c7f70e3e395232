//! The assistant over MCP, by itself and as a part of an axum application.

#![allow(clippy::unwrap_used)]

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::get;
use mcp_server_runtime::Environment;
use mcp_server_runtime::testing::{BEARER, TestServer, answer};
use orders::assistant::server;
use serde_json::json;

/// Tells what credential it was shown.
async fn upstream() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let shown = get(async |headers: HeaderMap| headers["authorization"].to_str().unwrap().to_owned());
    tokio::spawn(async { axum::serve(listener, Router::new().route("/", shown)).await.unwrap() });
    url
}

#[tokio::test]
async fn a_tool_asks_for_the_token_by_its_name() {
    let url = upstream().await;
    let variables = [("ORDERS_UPSTREAM_URL", url.as_str()), ("ORDERS_UPSTREAM_TOKEN", "of-the-shop")];
    let server = TestServer::start(&server(), &variables).await;
    let result = server.call("list_orders", json!({})).await;
    assert_eq!(result["content"][0]["text"], "developer@localhost: Bearer of-the-shop", "{result}");
}

#[tokio::test]
async fn the_routes_go_into_an_application_of_ones_own() {
    let server = server();
    let variables = [
        ("MCP_DEV_BEARER_TOKEN", BEARER),
        ("ORDERS_UPSTREAM_URL", "https://example.com"),
        ("ORDERS_UPSTREAM_TOKEN", "x"),
    ];
    let built = server.build(&server.read(&Environment::from_pairs(variables)).unwrap()).unwrap();
    let app = Router::new().route("/prices", get(async || "one")).merge(built.router);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
    let http = reqwest::Client::new();
    assert_eq!(http.get(format!("{address}/prices")).send().await.unwrap().text().await.unwrap(), "one");
    assert_eq!(answer(http.get(format!("{address}/health"))).await.1["service"], "orders-assistant");
    assert_eq!(answer(http.post(format!("{address}/mcp"))).await.0, 401);
}

#[test]
fn what_is_missing_is_told_at_once() {
    let problems = server().read(&Environment::from_pairs([("", "")])).unwrap_err().to_string();
    for name in ["ORDERS_UPSTREAM_TOKEN: is missing. Get one from the shop's owner", "MCP_DEV_BEARER_TOKEN"] {
        assert!(problems.contains(name), "{problems}");
    }
}
