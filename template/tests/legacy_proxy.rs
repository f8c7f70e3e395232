//! Requests from before MCP: no `jsonrpc` member, and still served.
#![allow(clippy::expect_used, reason = "tests may say what they expect")]

mod support;

use serde_json::json;
use support::TestServer;

#[tokio::test]
async fn get_requests_are_served_and_no_others() {
    let server = TestServer::start().await;
    let (status, body) = server.send(r#"{"method":"GET","path":"/docs","query":{"limit":1}}"#).await;
    assert_eq!((status, body["items"].as_array().map(Vec::len)), (200, Some(1)));
    for path in ["/docs/AbCDeFGH01/acl/metadata", "/docs/../whoami"] {
        assert_eq!(server.send(json!({"method": "GET", "path": path}).to_string()).await.0, 403);
    }
    assert_eq!(server.send(r#"{"method":"DELETE","path":"/docs/AbCDeFGH01"}"#).await.0, 403);
    assert_eq!(server.coda.seen().len(), 1);
}

#[tokio::test]
async fn the_policy_holds_for_them() {
    let folder = std::env::temp_dir().join(format!("legacy-policy-{}", std::process::id()));
    std::fs::write(&folder, r#"{"rules": [{"developers": true, "tools": ["list_docs"]}]}"#).expect("written");
    let path = folder.display().to_string();
    let server = TestServer::with(&[("POLICY_FILE", path.as_str())]).await;
    assert_eq!(server.send(r#"{"method":"GET","path":"/docs"}"#).await.0, 200);
    for path in ["/whoami", "/docs/AbCDeFGH01", "/docs/AbCDeFGH01/tables", "/docs/AbCDeFGH01/tables/grid-1/rows"] {
        let (status, body) = server.send(json!({"method": "GET", "path": path}).to_string()).await;
        assert_eq!((status, body["code"].as_str()), (403, Some("MCP-AUTH-024")), "{path}");
    }
    assert_eq!(server.coda.seen().len(), 1, "nobody else was asked");
    std::fs::remove_file(folder).expect("removed");
}
