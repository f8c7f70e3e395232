//! The tools against the stub of the Coda API: what goes out, and what comes back.
#![allow(clippy::expect_used, reason = "tests may say what they expect")]

mod support;

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use support::stub_coda::StubCoda;
use support::{BEARER, CODA_TOKEN, TestServer, answer};

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
async fn one_deadline_counts_for_all_pages_and_what_has_arrived_is_answered() {
    // Three quarters of the server's own limit, which answers 504.
    let server = TestServer::with(&[("REQUEST_TIMEOUT_SECONDS", "4")]).await;
    server.coda.slow_down(Duration::from_millis(1200));
    let part = server.call("list_rows", json!({"doc_id": "AbCDeFGH01", "table_id": "grid-tasks", "limit": 250})).await;
    assert_eq!((names(&part).len(), &part["isError"]), (200, &json!(false)));
    assert!(part["structuredContent"]["next_page_token"].is_string(), "where to go on");
}

#[tokio::test]
async fn failures_are_told_apart_and_passing_ones_are_tried_again() {
    let server = TestServer::start().await;
    for (status, words) in [(401, "API token"), (403, "may not see"), (404, "list_docs"), (400, "refused")] {
        server.coda.fail_next(&[status]);
        let text = server.call_failing("get_doc", json!({"doc_id": "AbCDeFGH01"})).await;
        assert!(text.contains(words), "{status}: {text}");
    }
    let status = server.http.get(server.url("/status")).bearer_auth(BEARER);
    let kinds = json!({"unauthorized": 1, "forbidden": 1, "not_found": 1, "refused": 1});
    assert_eq!(answer(status).await.1["upstream"]["failures"], kinds);
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

#[tokio::test]
async fn what_the_operator_has_to_know_of_coda_is_logged_by_kind_and_without_what_was_asked() {
    let coda = StubCoda::start().await;
    // The program beside the tests: target/debug/deps/coda-… and target/debug/my-server.
    let tests = std::env::current_exe().expect("this program");
    let program = tests.parent().expect("a folder").with_file_name(mcp_server::SERVICE);
    let mut server = std::process::Command::new(program)
        .env_clear()
        .envs([("PORT", "0"), ("RUST_LOG", "trace"), ("MCP_DEV_BEARER_TOKEN", BEARER), ("CODA_API_TOKEN", CODA_TOKEN)])
        .env("CODA_API_BASE", coda.base())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let mut log = BufReader::new(server.stderr.take().expect("a log"));
    let mut line = String::new();
    while !line.contains("listening on ") {
        line.clear();
        assert!(log.read_line(&mut line).expect("a log") > 0, "the server said where it listens");
    }
    let url = line.split("listening on ").nth(1).and_then(|rest| rest.split(',').next()).expect("an address");
    let call = async |tool: &str, arguments: Value| {
        let params = json!({"name": tool, "arguments": arguments});
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).to_string();
        let request = reqwest::Client::new().post(url).bearer_auth(BEARER).header("x-request-id", "from-the-edge");
        assert_eq!(answer(request.header("content-type", "application/json").body(body)).await.0, 200);
    };
    call("list_docs", json!({"query": "handbook"})).await;
    call("get_doc", json!({"doc_id": "words-of-the-caller"})).await;
    coda.fail_next(&[401]);
    call("list_docs", json!({"query": "handbook"})).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    server.kill().expect("ended");
    server.wait().expect("ended");
    let mut rest = String::new();
    log.read_to_string(&mut rest).expect("a log");
    assert!(rest.contains(" from-the-edge [WARN] Coda call failed: unauthorized 401\n"), "{rest}");
    for private in ["handbook", "Handbook", "words-of-the-caller", "AbCDeFGH02", CODA_TOKEN] {
        assert!(!rest.contains(private), "{private} in {rest}");
    }
}
