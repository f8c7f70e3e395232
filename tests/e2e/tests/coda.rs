//! The five tools against the stub Coda API: what goes out, what comes back, and every way in which Coda fails.
#![allow(clippy::expect_used, reason = "tests may say what they expect")]

mod support;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::stub_coda::Fault;
use support::{BEARER, CODA_TOKEN, TestServer, answer};

fn names(result: &Value) -> Vec<&str> {
    let items = result["structuredContent"]["items"].as_array().expect("items");
    items.iter().map(|item| item["name"].as_str().expect("a name")).collect()
}

#[tokio::test]
async fn documents_tables_and_rows() {
    let server = TestServer::start().await;
    let docs = server.call("list_docs", json!({"query": "o", "limit": 3})).await;
    assert_eq!(names(&docs), ["Product roadmap", "Team handbook", "Meeting notes"]);
    let doc = server.call("get_doc", json!({"doc_id": "AbCDeFGH02"})).await;
    assert_eq!(doc["structuredContent"]["name"], "Team handbook");
    let tables = server.call("list_tables", json!({"doc_id": "AbCDeFGH02"})).await;
    assert_eq!(names(&tables), ["Tasks", "People"]);
    let rows = server.call("list_rows", json!({"doc_id": "AbCDeFGH02", "table_id": "grid-tasks", "limit": 2})).await;
    assert_eq!(rows["structuredContent"]["items"][1]["values"], json!({"Task": "Task 2", "Done": true}));
    let text: Value = serde_json::from_str(rows["content"][0]["text"].as_str().expect("text")).expect("JSON");
    assert_eq!(text, rows["structuredContent"], "clients without structured content read the same");
}

#[tokio::test]
async fn the_callers_credential_stays_here() {
    let server = TestServer::start().await;
    server.call("list_docs", json!({})).await;
    let seen = server.coda.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].authorization, format!("Bearer {CODA_TOKEN}"));
    assert!(!format!("{seen:?}").contains(BEARER));
}

#[tokio::test]
async fn the_callers_trace_goes_on_to_coda_while_telemetry_is_on() {
    let trace = "0af7651916cd43dd8448eb211c80319c"; // pragma: allowlist secret
    let meta = json!({"traceparent": format!("00-{trace}-b7ad6b7169203331-01")});
    let params = json!({"name": "list_docs", "arguments": {}, "_meta": meta});
    // Nobody collects: that is for the tests of the runtime.
    for (endpoint, beginning) in [("", String::new()), ("http://127.0.0.1:9", format!("00-{trace}-"))] {
        let server = TestServer::with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)]).await;
        server.rpc("tools/call", params.clone()).await;
        let traceparent = server.coda.seen()[0].traceparent.clone();
        assert!(traceparent.starts_with(&beginning), "{traceparent}");
        assert_eq!(traceparent.is_empty(), endpoint.is_empty());
    }
}

#[tokio::test]
async fn pages_are_gathered_up_to_the_limit_and_the_rest_is_handed_back() {
    let server = TestServer::start().await;
    let arguments = json!({"doc_id": "AbCDeFGH01", "table_id": "grid-tasks", "limit": 230});
    let first = server.call("list_rows", arguments).await;
    assert_eq!(names(&first).len(), 230);
    assert_eq!(server.coda.seen().len(), 3, "100 + 100 + 30");
    let token = first["structuredContent"]["next_page_token"].as_str().expect("more").to_owned();
    let arguments = json!({"doc_id": "AbCDeFGH01", "table_id": "grid-tasks", "limit": 230, "page_token": token});
    let rest = server.call("list_rows", arguments).await;
    assert_eq!((names(&rest).len(), names(&rest)[0]), (20, "Row 231"));
    assert!(rest["structuredContent"].get("next_page_token").is_none());
}

#[tokio::test]
async fn a_page_token_that_never_ends_does_end() {
    let server = TestServer::start().await;
    server.coda.fail_always(Fault::Endless);
    let result = server.call("list_rows", json!({"doc_id": "a", "table_id": "b", "limit": 500})).await;
    assert_eq!(result["structuredContent"]["items"].as_array().map(Vec::len), Some(20), "one item a page, 20 pages");
    assert!(result["structuredContent"]["next_page_token"].is_string());
}

#[tokio::test]
async fn a_list_ends_where_a_later_page_fails_and_says_where_to_go_on() {
    let server = TestServer::start().await;
    let failing = std::iter::repeat_n(Some(Fault::Status(503, None)), 4);
    server.coda.fail_next([None, None].into_iter().chain(failing));
    let arguments = json!({"doc_id": "AbCDeFGH01", "table_id": "grid-tasks", "limit": 250});
    let part = server.call("list_rows", arguments.clone()).await;
    assert_eq!((names(&part).len(), part["isError"].clone()), (200, json!(false)));
    assert_eq!(part["structuredContent"]["next_page_token"], "from-200");
    // A fault that another attempt does not fix is reported.
    server.coda.fail_next([None, Some(Fault::Status(403, None))]);
    assert!(server.call_failing("list_rows", arguments).await.contains("403"));
}

#[tokio::test]
async fn one_deadline_counts_for_all_pages_and_what_has_arrived_is_answered() {
    // Three quarters of the server's own limit, which answers 504.
    let server = TestServer::with(&[("REQUEST_TIMEOUT_SECONDS", "4")]).await;
    server.coda.fail_always(Fault::Late(Duration::from_millis(1200)));
    let start = Instant::now();
    let part = server.call("list_rows", json!({"doc_id": "AbCDeFGH01", "table_id": "grid-tasks", "limit": 250})).await;
    assert_eq!((names(&part).len(), part["isError"].clone()), (200, json!(false)));
    assert_eq!(part["structuredContent"]["next_page_token"], "from-200");
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
}

#[tokio::test]
async fn empty_texts_are_as_if_they_were_left_out() {
    let server = TestServer::start().await;
    let docs = server.call("list_docs", json!({"query": "", "page_token": ""})).await;
    let rows = json!({"doc_id": "AbCDeFGH01", "table_id": "grid-tasks", "query": "", "page_token": "", "limit": 1});
    assert_eq!((docs["isError"].clone(), names(&server.call("list_rows", rows).await).len()), (json!(false), 1));
    let seen = server.coda.seen();
    assert!(seen.iter().all(|seen| !seen.uri.contains("query=") && !seen.uri.contains("pageToken=")), "{seen:?}");
}

#[tokio::test]
async fn a_page_token_may_be_a_number() {
    let server = TestServer::start().await;
    server.coda.fail_next([Some(Fault::Body(r#"{"items":[{"id":"a","name":"first"}],"nextPageToken":120}"#))]);
    server.coda.fail_next([Some(Fault::Body(r#"{"items":[{"id":"b","name":"second"}]}"#))]);
    assert_eq!(names(&server.call("list_docs", json!({})).await), ["first", "second"]);
    assert!(server.coda.seen()[1].uri.contains("pageToken=120"), "{:?}", server.coda.seen());
    server.coda.fail_next([Some(Fault::Body(r#"{"items":[{"id":"a","name":"first"}],"nextPageToken":7}"#))]);
    let part = server.call("list_docs", json!({"limit": 1})).await;
    assert_eq!(part["structuredContent"]["next_page_token"], "7");
}

#[tokio::test]
async fn broken_text_of_coda_does_not_take_the_rest_away() {
    let server = TestServer::start().await;
    let body = r#"{"items":[{"id":"a","name":"1e400 \"","n":-1e400},{"id":"b","name":"whole","n":1e308}]}"#;
    server.coda.fail_next([Some(Fault::Body(body))]);
    let docs = server.call("list_docs", json!({})).await;
    assert_eq!(names(&docs), ["1e400 \"", "whole"]);
    assert_eq!(docs["structuredContent"]["items"][0]["n"], "-1e400");
    let body = r#"{"items":[{"id":"a","name":"cut emoji \ud83d"},{"id":"b","name":"whole \ud83d\ude00"}]}"#;
    server.coda.fail_next([Some(Fault::Body(body))]);
    let docs = server.call("list_docs", json!({})).await;
    assert_eq!(names(&docs), ["cut emoji \u{fffd}", "whole \u{1f600}"]);
}

#[tokio::test]
async fn attack_53_what_coda_gives_is_bounded() {
    let server = TestServer::start().await;
    let rows = |limit: u32| json!({"doc_id": "a", "table_id": "b", "limit": limit});
    // More items than were asked for.
    server.coda.fail_next([Some(Fault::Items { count: 600, bytes: 10, more: false })]);
    assert_eq!(names(&server.call("list_rows", rows(7)).await).len(), 7);
    // One page of 3 MB, and one of 16 MB.
    for bytes in [30_000, 160_000] {
        server.coda.fail_next([Some(Fault::Items { count: 100, bytes, more: false })]);
        let text = server.call_failing("list_rows", rows(100)).await;
        assert!(text.contains("larger than 2 MiB") && text.contains("limit"), "{text}");
    }
    // Pages of 0.6 MB each: three fit.
    server.coda.fail_always(Fault::Items { count: 100, bytes: 6000, more: true });
    let part = server.call("list_rows", rows(500)).await;
    assert_eq!(names(&part).len(), 300);
    assert!(part["structuredContent"]["next_page_token"].is_string());
}

#[tokio::test]
async fn attack_54_one_caller_does_not_lock_the_others_out() {
    let server = TestServer::start().await;
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "list_docs"}}).to_string();
    // Four go out, 28 more fit into the time that a call has, and all others are refused at once.
    let start = Instant::now();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..100 {
        calls.spawn(answer(server.post(body.clone())));
    }
    let (mut answered, mut refused) = (0, 0);
    while answered + refused < 72 {
        let (_, call) = calls.join_next().await.expect("a call").expect("joined");
        match call["result"]["isError"].as_bool() {
            Some(true) => refused += 1,
            _ => answered += 1,
        }
    }
    assert_eq!((answered, refused), (4, 68));
    assert!(start.elapsed() < Duration::from_secs(5), "refused at once: {:?}", start.elapsed());
    // Those who wait hang up: their places are free again as soon as it is clear that they wanted no answer either, which takes a
    // second, and the next call goes out with the next window.
    calls.shutdown().await;
    let start = Instant::now();
    loop {
        let next = server.call("list_docs", json!({})).await;
        if next["isError"] == json!(false) {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}: {next}", start.elapsed());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(start.elapsed() < Duration::from_secs(9), "{:?}", start.elapsed());
}

#[tokio::test]
async fn attack_56_no_retry_after_is_too_much() {
    let server = TestServer::start().await;
    for value in ["18446744073709551615", "99999999999999999999999", "Sun, 31 Dec 2400 23:59:59 GMT", "-1", "soon"] {
        server.coda.fail_always(Fault::RetryAfter(value));
        let start = Instant::now();
        let text = server.call_failing("get_doc", json!({"doc_id": "AbCDeFGH01"})).await;
        assert!(text.contains("(429)"), "{value}: {text}");
        assert!(!text.contains("18446744073709551615"), "{text}");
        assert!(start.elapsed() < Duration::from_secs(10), "{value}: {:?}", start.elapsed());
    }
}

#[tokio::test]
async fn ids_cannot_leave_their_place() {
    let server = TestServer::start().await;
    for bad in ["", " ", ".", "..", "a\nb", "a\u{0}", &"x".repeat(1001)] {
        let text = server.call_failing("get_doc", json!({"doc_id": bad})).await;
        assert!(text.contains("doc_id"), "{text}");
    }
    assert!(server.coda.seen().is_empty(), "nothing of that went out");
    for (id, path) in [
        ("../whoami", "..%2Fwhoami"),
        ("%2e%2e%2f", "%252e%252e%252f"),
        ("a?b#c", "a%3Fb%23c"),
        ("Größe 1", "Gr%C3%B6%C3%9Fe%201"),
    ] {
        let text = server.call_failing("get_doc", json!({"doc_id": id})).await;
        assert!(text.contains("404"), "{text}");
        assert_eq!(server.coda.seen().pop().expect("a request").uri, format!("/apis/v1/docs/{path}"));
    }
}

#[tokio::test]
async fn arguments_that_break_the_schema_never_reach_coda() {
    let server = TestServer::start().await;
    let cases = [
        ("list_docs", json!({"limit": 0})),
        ("list_docs", json!({"limit": 501})),
        ("list_docs", json!({"limit": -1})),
        ("list_docs", json!({"limit": "many"})),
        ("list_docs", json!({"unknown": 1})),
        ("get_doc", json!({})),
        ("get_doc", json!({"doc_id": 7})),
        ("list_rows", json!({"doc_id": "a"})),
    ];
    for (tool, arguments) in cases {
        server.call_failing(tool, arguments).await;
    }
    assert!(server.coda.seen().is_empty());
}

#[tokio::test]
async fn refusals_of_coda_are_told_apart() {
    let server = TestServer::start().await;
    for (status, words) in
        [(401, "API token"), (403, "may not see"), (404, "list_docs"), (400, "refused"), (500, "failing")]
    {
        server.coda.fail_next([Some(Fault::Status(status, None))]);
        let before = server.coda.seen().len();
        let text = server.call_failing("get_doc", json!({"doc_id": "AbCDeFGH01"})).await;
        assert!(text.contains(words) && text.contains(&status.to_string()), "{status}: {text}");
        assert_eq!(server.coda.seen().len(), before + 1, "{status} is final");
    }
    let (_, status) = answer(server.http.get(server.url("/status")).bearer_auth(BEARER)).await;
    let kinds = json!({"unauthorized": 1, "forbidden": 1, "not_found": 1, "refused": 1, "failing": 1});
    assert_eq!(status["upstream"]["failures"], kinds);
}

#[tokio::test]
async fn passing_failures_are_tried_again() {
    let server = TestServer::start().await;
    for status in [429, 502, 503, 504] {
        let before = server.coda.seen().len();
        server.coda.fail_next([Some(Fault::Status(status, None)), None]);
        let result = server.call("get_doc", json!({"doc_id": "AbCDeFGH01"})).await;
        assert_eq!(result["structuredContent"]["name"], "Product roadmap", "{status}");
        assert_eq!(server.coda.seen().len(), before + 2);
    }
}

#[tokio::test]
async fn attempts_are_bounded() {
    let server = TestServer::start().await;
    server.coda.fail_always(Fault::Status(503, None));
    let text = server.call_failing("get_doc", json!({"doc_id": "AbCDeFGH01"})).await;
    assert!(text.contains("503"), "{text}");
    assert_eq!(server.coda.seen().len(), 4);
}

#[tokio::test]
async fn retry_after_is_honoured_or_handed_on() {
    let server = TestServer::start().await;
    server.coda.fail_next([Some(Fault::Status(429, Some(1))), None]);
    let start = Instant::now();
    server.call("get_doc", json!({"doc_id": "AbCDeFGH01"})).await;
    assert!(start.elapsed() >= Duration::from_secs(1));
    server.coda.fail_next([Some(Fault::Status(429, Some(600)))]);
    let text = server.call_failing("get_doc", json!({"doc_id": "AbCDeFGH01"})).await;
    assert!(text.contains("600 seconds"), "{text}");
}

#[tokio::test]
async fn answers_that_are_no_answer() {
    let server = TestServer::start().await;
    server.coda.fail_next([Some(Fault::Truncated)]);
    let text = server.call_failing("list_docs", json!({})).await;
    assert!(text.contains("not the expected JSON"), "{text}");
}

#[tokio::test]
async fn answers_that_cannot_be_read_are_called_what_they_are() {
    let server = TestServer::start().await;
    server.coda.fail_next([Some(Fault::Coded("gzip", 200))]);
    let text = server.call_failing("list_docs", json!({})).await;
    assert!(text.contains(r#"content coding "gzip", which was not asked for"#), "{text}");
    server.coda.fail_next([Some(Fault::Coded("gzip", 404))]);
    let text = server.call_failing("list_docs", json!({})).await;
    assert!(text.contains("404") && !text.contains("Coda says"), "{text}");
    server.coda.fail_next([Some(Fault::Status(302, None))]);
    let text = server.call_failing("list_docs", json!({})).await;
    assert!(text.contains("a redirect, which is not followed"), "{text}");
    // With the object around it, 126 of 127 levels.
    server.coda.fail_next([Some(Fault::Nested(126)), Some(Fault::Nested(127)), Some(Fault::Nested(100_000))]);
    assert_eq!(server.call("list_docs", json!({})).await["isError"], json!(false));
    for _ in 0..2 {
        let text = server.call_failing("list_docs", json!({})).await;
        assert!(text.contains("nested more than 127 levels deep"), "{text}");
    }
}

#[tokio::test]
async fn coda_out_of_reach() {
    // Bound and never listening: nobody answers, and nobody else gets the port meanwhile.
    let closed = tokio::net::TcpSocket::new_v4().expect("a socket");
    closed.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let base = format!("http://{}/apis/v1", closed.local_addr().expect("an address"));
    let server = TestServer::with(&[("CODA_API_BASE", &base)]).await;
    let text = server.call_failing("list_docs", json!({})).await;
    assert!(text.contains("could not be reached: no connection"), "{text}");
}
