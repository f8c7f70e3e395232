//! MCP over HTTP in both eras: the official client in all five revisions, and the wire rules that no client breaks.
#![allow(clippy::expect_used, reason = "tests may say what they expect")]

mod support;

use rmcp::model::{CallToolRequestParams, ClientConfig, ProtocolVersion};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientLifecycleMode, ClientServiceExt as _, ServiceExt as _};
use serde_json::{Value, json};
use support::{BEARER, TestServer, answer, start};

const LEGACY: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
const MODERN: &str = "2026-07-28";

#[tokio::test]
async fn the_official_client_works_in_every_revision() {
    let server = start().await;
    for version in LEGACY.into_iter().chain([MODERN]) {
        let settings = StreamableHttpClientTransportConfig::with_uri(server.url("/mcp")).auth_header(BEARER);
        let transport = StreamableHttpClientTransport::from_config(settings);
        let version: ProtocolVersion = serde_json::from_value(json!(version)).expect("a version");
        let mut config = ClientConfig::default();
        config.protocol_version = version.clone();
        let client = if version.as_str() == MODERN {
            let mode = ClientLifecycleMode::Discover { preferred_versions: vec![version.clone()] };
            config.serve_with_lifecycle(transport, mode).await.expect("connected")
        } else {
            config.serve(transport).await.expect("connected")
        };
        let tools = client.list_all_tools().await.expect("tools");
        assert!(tools.iter().any(|t| t.name == "get_whoami"), "{version}: {tools:?}");
        let result = client.call_tool(CallToolRequestParams::new("get_whoami")).await.expect("a result");
        assert_ne!(result.is_error, Some(true), "{version}: {result:?}");
        client.cancel().await.expect("closed");
    }
}

#[tokio::test]
async fn initialize_agrees_on_the_version_that_was_asked_for() {
    let server = start().await;
    for version in LEGACY {
        let info = json!({"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        let answer = rpc_bare(&server, "initialize", info).await;
        assert_eq!(answer["result"]["protocolVersion"], version);
        assert_eq!(answer["result"]["serverInfo"]["name"], support::NAME);
        assert!(answer["result"]["capabilities"]["tools"].is_object());
    }
    let info =
        json!({"protocolVersion": "1999-01-01", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    assert_eq!(rpc_bare(&server, "initialize", info).await["result"]["protocolVersion"], "2025-11-25");
}

#[tokio::test]
async fn malformed_requests_get_json_rpc_errors() {
    let server = start().await;
    let request = |id: &str| [r#"{"jsonrpc":"2.0","id":"#, id, r#","method":"ping"}"#].concat();
    let cases: Vec<(String, i64)> = vec![
        ("{nope".into(), -32700),
        (String::new(), -32700),
        ("[]".into(), -32600),
        (format!("[{}]", request("1")), -32600),
        ("17".into(), -32600),
        (request("null"), -32600),
        (request("true"), -32600),
        (request("1.5"), -32600),
        (request("{}"), -32600),
        (request("99999999999999999999"), -32600),
        (request(&format!("\"{}\"", "x".repeat(5000))), -32600),
        (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#.into(), -32600),
        (r#"{"jsonrpc":"2.0","id":1}"#.into(), -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":5}"#.into(), -32600),
    ];
    for (body, code) in cases {
        let (status, answer) = server.send(body.clone()).await;
        assert_eq!((status, answer["error"]["code"].as_i64()), (400, Some(code)), "{body}: {answer}");
        assert_eq!(answer["jsonrpc"], "2.0");
        assert!(answer["error"]["message"].is_string() && !answer["error"]["data"].is_null(), "{answer}");
    }
    // The id comes back where it is there, whatever else is wrong.
    for (body, id) in [
        (r#"{"jsonrpc":"1.0","id":"a","method":"ping"}"#, json!("a")),
        (r#"{"jsonrpc":"2.0","id":7,"method":"ping","method":"ping"}"#, json!(7)),
        (r#"{"id":7.0,"method":"ping"}"#, json!(7)),
        (r#"{"jsonrpc":"2.0","id":7,"id":8,"method":"ping"}"#, json!(null)),
    ] {
        assert_eq!(server.send(body).await.1["id"], id, "{body}");
    }
    // The process goes on, and ids of every good kind come back.
    for id in [json!(0), json!(-5), json!(""), json!("abc"), json!(9_007_199_254_740_993_i64)] {
        let (status, answer) = server.send(json!({"jsonrpc": "2.0", "id": id, "method": "ping"}).to_string()).await;
        assert_eq!((status, &answer["id"]), (200, &id), "{answer}");
    }
}

#[tokio::test]
async fn unknown_methods_tools_and_parameters() {
    let server = start().await;
    // Clients ask for all of these whatever a server has, and some know the refusal by its words.
    for method in ["no/such", "prompts/list", "resources/list", "resources/templates/list", "logging/setLevel"] {
        let params = if method == "logging/setLevel" { json!({"level": "info"}) } else { json!({}) };
        let error = server.rpc(method, params).await["error"].clone();
        assert_eq!(error, json!({"code": -32601, "message": format!("Method not found: {method}")}));
    }
    let error = server.rpc("tools/call", json!({"name": "no_such", "arguments": {}})).await["error"].clone();
    assert_eq!(error, json!({"code": -32602, "message": "Unknown tool: no_such"}));
    for params in [json!(5), json!([1]), json!({"name": 7}), json!({"name": "get_whoami", "arguments": "x"}), json!({})]
    {
        let answer = server.rpc("tools/call", params.clone()).await;
        assert_eq!(answer["error"]["code"], -32602, "{params}: {answer}");
    }
}

/// Each from a report of somebody who had no more to go by.
#[tokio::test]
async fn parameters_that_do_not_fit_are_named() {
    let server = start().await;
    let info = json!({"name": "t", "version": "1"});
    for (method, params, reason) in [
        ("initialize", json!({"capabilities": {}, "clientInfo": info}), "missing field `protocolVersion`"),
        ("initialize", json!({"protocolVersion": "2025-06-18", "clientInfo": info}), "missing field `capabilities`"),
        (
            "initialize",
            json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t"}}),
            "clientInfo: missing field `version`",
        ),
        (
            "tools/call",
            json!({"name": "whoami", "arguments": "{}"}),
            "arguments: invalid type: string \"{}\", expected a map",
        ),
        ("tools/call", json!({"arguments": {}}), "missing field `name`"),
    ] {
        let error = json!({"code": -32602, "message": format!("the parameters do not fit {method}: {reason}")});
        assert_eq!(rpc_bare(&server, method, params).await["error"], error);
    }
}

#[tokio::test]
async fn a_message_that_is_nested_too_deeply_is_called_so() {
    let server = start().await;
    let call = |levels: usize, end: &str| {
        let nested = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let call = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"no_such","arguments":{"x":"#;
        format!("{call}{nested}}}}}{end}")
    };
    // Three levels are the envelope's.
    let (_, answer) = server.send(call(124, "}")).await;
    assert_eq!(answer["error"]["message"], "Unknown tool: no_such", "{answer}");
    for levels in [125, 1000] {
        let (status, answer) = server.send(call(levels, "}")).await;
        let error = json!({"code": -32602, "message": "Invalid params", "data": {"reason": "the message is nested more than 127 levels deep"}});
        assert_eq!((status, &answer["id"], &answer["error"]), (400, &json!(7), &error));
    }
    assert_eq!(server.send(call(500, "")).await.1["error"]["code"], -32700);
}

/// Each from a report of somebody who could not change what the client sends.
#[tokio::test]
async fn what_clients_send_that_can_mean_one_thing_only() {
    let server = start().await;
    // Claude Code's headers after the Fetch standard has joined them (lowdefy/lowdefy#2345).
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).to_string();
    let with = |versions: &str| answer(server.post(list.clone()).header("mcp-protocol-version", versions));
    assert_eq!(with("2025-11-25, 2025-11-25").await.0, 200);
    assert_eq!(with("2025-11-25, 2025-06-18").await.0, 400);
    let twice = server.post(list.clone()).header("mcp-protocol-version", "2025-11-25");
    assert_eq!(answer(twice.header("mcp-protocol-version", "2025-06-18")).await.0, 400);
    // The same with the type of the body, and a version that is not known yet.
    let typed = server.post(list.clone()).header("content-type", "application/json");
    assert_eq!(answer(typed).await.0, 200);
    let joined = server.http.post(server.url("/mcp")).bearer_auth(BEARER).body(list.clone());
    assert_eq!(answer(joined.header("content-type", "application/json, application/json")).await.0, 200);
    assert_eq!(with("").await.0, 200);
    // Half an emoji in an argument (inkeep/open-knowledge#472): the tool is called, and says that it has no such argument.
    let cut = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"wait","arguments":{"x":"\ud83d"}}}"#;
    assert_eq!(server.send(cut).await.1["result"]["isError"], true);
    // A byte order mark (Badgerati/Pode#1604).
    let (status, answer) = server.send(format!("\u{feff}{list}")).await;
    assert!(status == 200 && answer["result"]["tools"].is_array(), "{answer}");
    // Answers to what nobody asked (stacklok/toolhive#5654).
    for answered in [
        json!({"jsonrpc": "2.0", "id": 1, "result": {}}),
        json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -1, "message": "no"}}),
        json!({"jsonrpc": "2.0", "id": null, "error": {"code": -32700, "message": "no"}}),
    ] {
        assert_eq!(server.send(answered.to_string()).await, (202, Value::Null));
    }
    // A notification that wants an answer (patvice/ruby_llm-mcp#74), and one that has null for an id.
    let noted = json!({"jsonrpc": "2.0", "id": 7, "method": "notifications/initialized"}).to_string();
    assert_eq!(server.send(noted).await, (200, json!({"jsonrpc": "2.0", "id": 7, "result": {}})));
    let null = json!({"jsonrpc": "2.0", "id": null, "method": "notifications/initialized"}).to_string();
    assert_eq!(server.send(null).await, (202, Value::Null));
    // PHP's empty objects (elgorro/aiquila#442).
    for body in [
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": []}),
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "get_whoami", "arguments": []}}),
        json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": [], "clientInfo": {"name": "php", "version": "8"}
        }}),
    ] {
        let (status, answer) = server.send(body.to_string()).await;
        assert!(status == 200 && answer["result"].is_object(), "{body}: {answer}");
    }
    // Engines whose numbers all have a fraction (yurineko73/Godot-MCP-Native#16).
    let (status, answer) = server.send(r#"{"jsonrpc":"2.0","id":3.0,"method":"ping"}"#).await;
    assert_eq!((status, &answer["id"]), (200, &json!(3)));
}

/// MCP, Pagination, "Error Handling" (MongLong0214/logic-pro-mcp#218).
#[tokio::test]
async fn a_cursor_that_nobody_gave_is_refused() {
    let server = start().await;
    assert_eq!(server.rpc("tools/list", json!({"cursor": "bogus"})).await["error"]["code"], -32602);
    for cursor in [json!(null), json!("")] {
        assert!(server.rpc("tools/list", json!({"cursor": cursor})).await["result"]["tools"].is_array());
    }
}

/// RFC 9110 §15.5.16 (HarperFast/harper#1438).
#[tokio::test]
async fn coded_bodies_are_refused_as_such() {
    let server = start().await;
    let gzip = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    let twice = server.post(gzip.to_vec()).header("content-encoding", "identity").header("content-encoding", "gzip");
    assert_eq!(twice.send().await.expect("an answer").status(), 415);
    let response = server.post(gzip.to_vec()).header("content-encoding", "gzip").send().await.expect("an answer");
    assert_eq!(
        (response.status().as_u16(), &response.headers()["accept-encoding"]),
        (415, &"identity".parse().expect("a value"))
    );
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}).to_string();
    assert_eq!(answer(server.post(ping).header("content-encoding", "identity")).await.0, 200);
}

/// RFC 9112 §6.1: 501 (K0M15/webserv#40).
#[tokio::test]
async fn chunks_are_the_only_coding_on_the_way() {
    let server = start().await;
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}).to_string();
    for (codings, status) in [("chunked", "200"), ("gzip, chunked", "501"), ("chunked, chunked", "501")] {
        let head =
            format!("POST /mcp HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {BEARER}\r\nconnection: close");
        let head = format!("{head}\r\ncontent-type: application/json\r\ntransfer-encoding: {codings}\r\n\r\n");
        let answer = server.raw(format!("{head}{:x}\r\n{ping}\r\n0\r\n\r\n", ping.len()).as_bytes()).await;
        assert!(answer.is_ok_and(|answer| answer.starts_with(&format!("HTTP/1.1 {status} "))), "{codings}");
    }
}

#[tokio::test]
async fn notifications_never_get_an_error() {
    let server = start().await;
    let progress = json!({"progressToken": 1, "progress": 0.5});
    let odd = [("notifications/progress", json!(7)), ("notifications/cancelled", json!([])), ("tools/call", json!({}))];
    let known = [
        ("notifications/initialized", json!({})),
        ("notifications/progress", progress),
        ("notifications/resources/list_changed", json!({})),
        ("notifications/unheard/of", json!({"x": 1})),
    ];
    for (method, params) in known.into_iter().chain(odd) {
        let body = json!({"jsonrpc": "2.0", "method": method, "params": params});
        let response = server.post(body.to_string()).send().await.expect("an answer");
        assert_eq!(response.status(), 202, "{method}");
        assert_eq!(response.text().await.expect("a body"), "", "{method}");
    }
}

#[tokio::test]
async fn the_modern_era() {
    let server = start().await;
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let modern = |method: &str, mut params: Value, name: Option<&str>| {
        params["_meta"] = meta.clone();
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let request = server.post(body.to_string()).header("mcp-protocol-version", MODERN).header("mcp-method", method);
        match name {
            Some(name) => request.header("mcp-name", name),
            None => request,
        }
    };
    let (status, discovered) = answer(modern("server/discover", json!({}), None)).await;
    let versions = discovered["result"]["supportedVersions"].as_array().cloned().unwrap_or_default();
    assert!(status == 200 && versions.contains(&json!(MODERN)), "{discovered}");

    let (_, list) = answer(modern("tools/list", json!({}), None)).await;
    assert_eq!(list["result"]["resultType"], "complete");
    assert!(list["result"]["ttlMs"].is_number() && list["result"]["cacheScope"].is_string(), "{list}");

    let call = json!({"name": "get_whoami", "arguments": {}});
    let (status, _) = answer(modern("tools/call", call.clone(), Some("get_whoami"))).await;
    assert_eq!(status, 200);
    let (status, wrong) = answer(modern("tools/call", call, Some("other"))).await;
    assert_eq!((status, wrong["error"]["code"].as_i64()), (400, Some(-32020)));
    // The header that names the method belongs to requests.
    let notification = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}});
    let notify = server.post(notification.to_string()).header("mcp-protocol-version", MODERN);
    assert_eq!(answer(notify).await, (202, Value::Null));
    // initialize and ping belong to the era before, whatever their parameters.
    for method in ["no/such", "initialize", "ping"] {
        let (status, unknown) = answer(modern(method, json!({}), None)).await;
        assert_eq!((status, unknown["error"]["code"].as_i64()), (404, Some(-32601)), "{method}");
    }
}

#[tokio::test]
async fn http_rules_of_the_endpoint() {
    let server = start().await;
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    for method in [reqwest::Method::GET, reqwest::Method::DELETE, reqwest::Method::PUT] {
        let request = server.http.request(method.clone(), server.url("/mcp")).bearer_auth(BEARER);
        let status = request.header("accept", "text/event-stream").send().await.expect("an answer").status();
        assert_eq!(status, 405, "{method}");
    }
    let with = |name: &'static str, value: &'static str| {
        let request = server.http.post(server.url("/mcp")).bearer_auth(BEARER).body(ping);
        let (accept, kind) = match name {
            "accept" => (value, "application/json"),
            _ => ("application/json, text/event-stream", value),
        };
        request.header("accept", accept).header("content-type", kind)
    };
    for accept in ["application/json", "*/*", "application/json, */*"] {
        assert_eq!(answer(with("accept", accept)).await.0, 200, "{accept}");
    }
    let without = server.http.post(server.url("/mcp")).bearer_auth(BEARER).header("content-type", "application/json");
    assert_eq!(answer(without.body(ping)).await.0, 200);
    assert_eq!(answer(with("accept", "text/html")).await.0, 406);
    assert_eq!(answer(with("content-type", "text/plain")).await.0, 415);
    assert_eq!(answer(with("content-type", "application/json; charset=utf-8")).await.0, 200);
    let session = server.post(ping).header("mcp-session-id", "made-up").send().await.expect("an answer");
    assert_eq!(session.status(), 200);
    assert!(!session.headers().contains_key("mcp-session-id"));
}

/// A request without a version header, as a client sends its first one.
async fn rpc_bare(server: &TestServer, method: &str, params: Value) -> Value {
    server.send(json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string()).await.1
}
