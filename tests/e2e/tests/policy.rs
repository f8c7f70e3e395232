//! Who may do what: the rules that the documentation of a project shows, and those of requests from before MCP.
#![allow(clippy::expect_used, reason = "tests may say what they expect")]

mod support;

use mcp_auth_middleware::testing::TestIssuer;
use serde_json::{Value, json};
use support::TestServer;

/// The rules of docs/SETTINGS.md: readers see no rows, analysts call whatever reads.
#[tokio::test]
async fn the_policy_of_the_documentation_is_obeyed() {
    let page = include_str!("../../coda-both/docs/SETTINGS.md");
    let rules =
        page.split("```").find(|block| block.starts_with("json") && block.contains("\"rules\"")).expect("rules");
    let path = std::env::temp_dir().join(format!("policy-{}.json", std::process::id()));
    std::fs::write(&path, rules.strip_prefix("json").expect("json")).expect("written");
    let issuer = TestIssuer::start().await.expect("an issuer");
    let server = TestServer::with(&[
        ("AUTH_MODE", "oidc,bearer"),
        ("PUBLIC_URL", "https://mcp.example.com"),
        ("OIDC_ISSUER", issuer.issuer()),
        ("POLICY_FILE", &path.display().to_string()),
    ])
    .await;
    let ask = async |email: &str, roles: Value, scope: &str, method: &str, params: Value| {
        let mut claims = issuer.claims(email);
        (claims["roles"], claims["scope"]) = (roles, scope.into());
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let request = server.http.post(server.url("/mcp")).bearer_auth(issuer.sign(&claims));
        let request = request.header("content-type", "application/json").header("accept", "application/json");
        support::answer(request.body(body.to_string())).await
    };
    let rows = json!({"name": "list_rows", "arguments": {"doc_id": "AbCDeFGH02", "table_id": "grid-tasks"}});
    let readers = [("ann@other.example", json!(["reader"])), ("bob@example.com", json!([]))];
    for (email, roles) in readers {
        let (_, list) = ask(email, roles.clone(), "", "tools/list", json!({})).await;
        let names: Vec<_> =
            list["result"]["tools"].as_array().expect("tools").iter().map(|tool| &tool["name"]).collect();
        assert_eq!(names, ["get_doc", "get_whoami", "list_docs", "list_tables"]);
        let (status, refused) = ask(email, roles, "", "tools/call", rows.clone()).await;
        assert_eq!((status, &refused["missing_scopes"]), (403, &json!("rows:read")), "{refused}");
    }
    let analysts = [(json!(["analyst"]), ""), (json!([]), "openid rows:read")];
    for (roles, scope) in analysts {
        let (status, answer) = ask("eve@other.example", roles.clone(), scope, "tools/call", rows.clone()).await;
        assert_eq!((status, &answer["result"]["isError"]), (200, &json!(false)), "{answer}");
        let (_, list) = ask("eve@other.example", roles, scope, "tools/list", json!({})).await;
        assert_eq!(list["result"]["tools"].as_array().map(Vec::len), Some(5));
    }
    let (status, _) = ask("nobody@other.example", json!(["other"]), "", "tools/call", rows).await;
    assert_eq!((status, server.coda.seen().len()), (403, 2), "Coda hears of what is allowed");
    std::fs::remove_file(path).expect("removed");
}

#[tokio::test]
async fn the_policy_holds_for_requests_from_before_mcp() {
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
