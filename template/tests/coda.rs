//! The tools against the stub of the Coda API: what goes out, and what comes back.
#![allow(clippy::expect_used, reason = "tests may say what they expect")]

mod support;

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
