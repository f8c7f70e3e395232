//! The tools against the stub of the Coda API: what goes out, and what comes back.
#![allow(clippy::expect_used, reason = "tests may say what they expect")]

mod support;

use mcp_auth_middleware::testing::TestIssuer;
use serde_json::{Value, json};
use support::{BEARER, CODA_TOKEN, TestServer};

fn names(result: &Value) -> Vec<&str> {
    let items = result["structuredContent"]["items"].as_array().expect("items");
    items.iter().map(|item| item["name"].as_str().expect("a name")).collect()
}

#[tokio::test]
async fn documents_tables_and_rows() {
    let server = TestServer::start().await;
    let docs = server.call("list_docs", json!({"query": "team"})).await;
    assert_eq!(names(&docs), ["Team handbook"]);
    let doc = server.call("get_doc", json!({"doc_id": "AbCDeFGH02"})).await;
    assert_eq!(doc["structuredContent"]["name"], "Team handbook");
    let tables = server.call("list_tables", json!({"doc_id": "AbCDeFGH02"})).await;
    assert_eq!(names(&tables), ["Tasks"]);
    let rows = server.call("list_rows", json!({"doc_id": "AbCDeFGH02", "table_id": "grid-tasks", "limit": 2})).await;
    assert_eq!(rows["structuredContent"]["items"][1]["values"], json!({"Task": "Task 2"}));
}

#[tokio::test]
async fn the_callers_credential_stays_here() {
    let server = TestServer::start().await;
    server.call("list_docs", json!({})).await;
    let seen = server.coda.seen();
    assert_eq!((seen.len(), &*seen[0].authorization), (1, &*format!("Bearer {CODA_TOKEN}")));
    assert!(!format!("{seen:?}").contains(BEARER));
}

#[tokio::test]
async fn pages_are_gathered_up_to_the_limit_and_the_rest_is_handed_back() {
    let server = TestServer::start().await;
    let rows = |more: Value| {
        let mut arguments = json!({"doc_id": "AbCDeFGH01", "table_id": "grid-tasks", "limit": 230});
        arguments.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        server.call("list_rows", arguments)
    };
    let first = rows(json!({})).await;
    assert_eq!((names(&first).len(), server.coda.seen().len()), (230, 3), "100 + 100 + 30");
    let rest = rows(json!({"page_token": first["structuredContent"]["next_page_token"]})).await;
    assert_eq!((names(&rest).len(), names(&rest)[0]), (20, "Row 231"));
    assert!(rest["structuredContent"].get("next_page_token").is_none());
}

#[tokio::test]
async fn failures_are_told_apart_and_passing_ones_are_tried_again() {
    let server = TestServer::start().await;
    for (status, words) in [(401, "API token"), (403, "may not see"), (404, "list_docs"), (400, "refused")] {
        server.coda.fail_next(&[status]);
        let text = server.call_failing("get_doc", json!({"doc_id": "AbCDeFGH01"})).await;
        assert!(text.contains(words), "{status}: {text}");
    }
    server.coda.fail_next(&[503, 429]);
    let doc = server.call("get_doc", json!({"doc_id": "AbCDeFGH01"})).await;
    assert_eq!(doc["structuredContent"]["name"], "Product roadmap");
}

#[tokio::test]
async fn ids_cannot_leave_their_place() {
    let server = TestServer::start().await;
    assert!(server.call_failing("get_doc", json!({"doc_id": ".."})).await.contains("doc_id"));
    assert!(server.coda.seen().is_empty(), "nothing of that went out");
    server.call_failing("get_doc", json!({"doc_id": "../whoami"})).await;
    assert_eq!(server.coda.seen()[0].uri, "/apis/v1/docs/..%2Fwhoami");
}

/// The rules of docs/SETTINGS.md: readers see no rows, analysts call whatever reads.
#[tokio::test]
async fn the_policy_of_the_documentation_is_obeyed() {
    let page = include_str!("../docs/SETTINGS.md");
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
