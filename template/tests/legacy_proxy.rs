//! Requests from before MCP: no `jsonrpc` member, and still served.

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
