//! Who may call which tools, and the line that each call leaves in the log.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests may say what they expect")]

mod support;

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use mcp_auth_middleware::testing::TestIssuer;
use serde_json::{Value, json};
use support::{BEARER, TestServer, answer, with};
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// The lines about calls, of all tests of this program.
static LINES: LazyLock<Mutex<Vec<BTreeMap<String, String>>>> = LazyLock::new(|| {
    let _ = tracing_subscriber::registry().with(Audit).try_init();
    Mutex::default()
});

struct Audit;

#[derive(Default)]
struct Fields(BTreeMap<String, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").trim_matches('"').to_owned());
    }
}

impl<S: tracing::Subscriber> Layer<S> for Audit {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "mcp_server_runtime::audit" {
            let mut fields = Fields::default();
            event.record(&mut fields);
            fields.0.insert("request_id".to_owned(), mcp_server_runtime::request_id().unwrap_or_default());
            LINES.lock().unwrap().push(fields.0);
        }
    }
}

/// The lines about calls by this caller: tool and outcome.
fn lines(caller: &str) -> Vec<(String, String)> {
    let lines = LINES.lock().unwrap();
    let own = lines.iter().filter(|line| line["caller"] == caller);
    own.map(|line| (line["tool"].clone(), line["outcome"].clone())).collect()
}

/// A file of rules, and a server that obeys it.
struct Ruled {
    folder: tempfile::TempDir,
    issuer: TestIssuer,
    server: TestServer,
}

impl Ruled {
    async fn start(rules: Value) -> Self {
        LazyLock::force(&LINES);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.json");
        std::fs::write(&path, json!({"rules": rules}).to_string()).unwrap();
        let issuer = TestIssuer::start().await.unwrap();
        let server = with(&[
            ("AUTH_MODE", "oidc,bearer"),
            ("PUBLIC_URL", "https://mcp.example.com"),
            ("OIDC_ISSUER", issuer.issuer()),
            ("POLICY_FILE", path.to_str().unwrap()),
        ])
        .await;
        Self { folder, issuer, server }
    }

    fn write(&self, text: &str) {
        std::fs::write(self.folder.path().join("policy.json"), text).unwrap();
    }

    fn request(&self, token: &str, method: &str, params: &Value) -> reqwest::RequestBuilder {
        let body = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
        let request = self.server.http.post(self.server.url("/mcp")).bearer_auth(token);
        let request = request.header("content-type", "application/json").header("mcp-protocol-version", "2025-11-25");
        request.header("accept", "application/json, text/event-stream").body(body.to_string())
    }

    async fn call(&self, token: &str, tool: &str, arguments: &Value) -> (u16, Value) {
        answer(self.request(token, "tools/call", &json!({"name": tool, "arguments": arguments}))).await
    }

    async fn list(&self, token: &str) -> Vec<String> {
        let (_, list) = answer(self.request(token, "tools/list", &json!({}))).await;
        let tools = list["result"]["tools"].as_array().expect("tools");
        tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
    }

    /// A token of this person with these roles and scopes.
    fn token(&self, email: &str, roles: &[&str], scope: &str) -> String {
        let mut claims = self.issuer.claims(email);
        claims["sub"] = email.into();
        claims["roles"] = json!(roles);
        claims["scope"] = scope.into();
        self.issuer.sign(&claims)
    }
}

#[tokio::test]
async fn attack_68_a_tool_that_the_policy_does_not_allow() {
    let ruled = Ruled::start(json!([
        {"name": "readers", "roles": ["reader"], "tools": ["@read-only"]},
        {"name": "waiters", "scopes": ["tools:wait"], "tools": ["wait"]},
        {"name": "all", "emails": ["Boss@example.com"], "developers": true, "tools": ["*"]},
    ]))
    .await;
    let reader = ruled.token("reader@example.com", &["reader"], "openid");
    assert_eq!(ruled.list(&reader).await, ["get_whoami"]);
    assert_eq!(ruled.call(&reader, "get_whoami", &json!({})).await.0, 200);

    // Refused before its arguments are looked at: these are none of the tool.
    let request = ruled.request(&reader, "tools/call", &json!({"name": "wait", "arguments": {"milliseconds": "x"}}));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 403);
    let challenge = response.headers()["www-authenticate"].to_str().unwrap().to_owned();
    let metadata = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp";
    let expected = format!(
        r#"error="insufficient_scope", error_description="tool not allowed", scope="tools:wait", resource_metadata="{metadata}""#
    );
    assert!(challenge.ends_with(&expected), "{challenge}");
    let body: Value = response.json().await.unwrap();
    let data =
        json!({"error": "insufficient_scope", "code": "MCP-AUTH-024", "missing_scopes": "tools:wait", "status": 403});
    assert_eq!(body["error"], json!({"code": -32600, "message": "tool not allowed", "data": data}));
    assert_eq!((&body["code"], &body["missing_scopes"]), (&json!("MCP-AUTH-024"), &json!("tools:wait")));
    assert_eq!(body["id"], 7);
    // Without a scope that would help, and for tools that are not there.
    for tool in ["show_token", "no_such_tool", ""] {
        let (status, body) = ruled.call(&reader, tool, &json!({})).await;
        assert_eq!(
            (status, &body["code"], &body["missing_scopes"]),
            (403, &json!("MCP-AUTH-024"), &Value::Null),
            "{tool}"
        );
    }

    let waiter = ruled.token("waiter@example.com", &[], "tools:wait");
    assert_eq!(ruled.list(&waiter).await, ["wait"]);
    assert_eq!(ruled.call(&waiter, "wait", &json!({"milliseconds": 1})).await.0, 200);
    assert_eq!(ruled.call(&waiter, "get_whoami", &json!({})).await.0, 403);

    let nobody = ruled.token("nobody@example.com", &["other"], "openid");
    assert!(ruled.list(&nobody).await.is_empty());
    assert_eq!(ruled.call(&nobody, "get_whoami", &json!({})).await.0, 403);

    for token in [ruled.token("boss@example.com", &[], ""), BEARER.to_owned()] {
        assert_eq!(ruled.list(&token).await, ["get_whoami", "show_token", "wait"]);
        assert_eq!(ruled.call(&token, "show_token", &json!({})).await.0, 200);
    }
    let (_, metadata) = answer(ruled.server.http.get(ruled.server.url("/.well-known/oauth-protected-resource"))).await;
    assert_eq!(metadata["scopes_supported"], json!(["tools:wait"]));

    let of = |tool: &str, outcome: &str| (tool.to_owned(), outcome.to_owned());
    let expected = [
        of("get_whoami", "ok"),
        of("wait", "refused"),
        of("show_token", "refused"),
        of("no_such_tool", "refused"),
        of("", "refused"),
    ];
    assert_eq!(lines("reader@example.com"), expected);
    assert_eq!(lines("waiter@example.com"), [of("wait", "ok"), of("get_whoami", "refused")]);
}

/// The names of the tool in header and body, and what different readers of JSON might see.
#[tokio::test]
async fn attack_68_a_call_in_disguise() {
    let ruled = Ruled::start(json!([{"everybody": true, "tools": ["get_whoami"]}])).await;
    let token = ruled.token("sly@example.com", &[], "");
    for body in [
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_whoami","name":"show_token"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"show_token","name":"get_whoami"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_whoami"},"params":{"name":"show_token"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"show_token"},"params":{"name":"get_whoami"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools\u002fcall","params":{"name":"show\u005ftoken"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"show_token"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[{"name":"show_token"}]}"#,
        r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"show_token"}}"#,
    ] {
        let request = ruled.request(&token, "", &json!({})).body(body);
        let text = request.send().await.unwrap().text().await.unwrap();
        assert!(!text.contains("api-token"), "{body}: {text}");
    }
    assert!(lines("sly@example.com").iter().all(|(tool, outcome)| tool != "show_token" || outcome == "refused"));
}

#[tokio::test]
async fn attack_69_a_role_that_is_taken_away() {
    let ruled = Ruled::start(json!([{"roles": ["reader"], "tools": ["*"]}])).await;
    let token = ruled.token("late@example.com", &["reader"], "");
    let status = async || ruled.call(&token, "get_whoami", &json!({})).await.0;
    assert_eq!(status().await, 200);
    // What does not fit changes nothing.
    ruled.write(r#"{"rules": [{"roles": ["reader"]}]}"#);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(status().await, 200);
    ruled.write(r#"{"rules": [{"roles": ["other"], "tools": ["*"]}]}"#);
    let mut waited = 0;
    while status().await == 200 {
        waited += 1;
        assert!(waited < 100, "the new rules never count");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(status().await, 403);
}

#[tokio::test]
async fn each_call_is_one_line() {
    LazyLock::force(&LINES);
    let issuer = TestIssuer::start().await.unwrap();
    let server = with(&[
        ("AUTH_MODE", "oidc,bearer"),
        ("PUBLIC_URL", "https://mcp.example.com"),
        ("OIDC_ISSUER", issuer.issuer()),
    ])
    .await;
    let token = issuer.token("line@example.com\n[INFO] x");
    let call = |tool: &str, arguments: Value| {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}});
        let request = server.http.post(server.url("/mcp")).bearer_auth(&token).header("x-request-id", "the-id");
        let request = request.header("content-type", "application/json").header("mcp-protocol-version", "2025-11-25");
        request.header("accept", "application/json").body(body.to_string())
    };
    answer(call("get_whoami", json!({}))).await;
    answer(call("no_such_tool", json!({"secret": "of the arguments"}))).await;
    // A client that hangs up: the tool goes on to its end.
    let gone = call("wait", json!({"milliseconds": 400})).timeout(Duration::from_millis(100)).send().await;
    assert!(gone.is_err());
    let mut own = Vec::new();
    for _ in 0..100 {
        own = LINES.lock().unwrap().iter().filter(|line| line["caller"].starts_with("line@")).cloned().collect();
        if own.len() == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let outcomes: Vec<_> = own.iter().map(|line| (line["tool"].as_str(), line["outcome"].as_str())).collect();
    let expected = [("get_whoami", "ok"), ("no_such_tool", "error -32602"), ("wait", "ok")];
    assert_eq!(outcomes, expected);
    for line in own {
        assert_eq!(line["caller"], "line@example.com\\n[INFO] x", "escaped");
        assert_eq!((line["kind"].as_str(), line["issuer"].as_str()), ("human", issuer.issuer()));
        assert_eq!(line["message"], "Tool call");
        assert!(line["milliseconds"].parse::<u64>().is_ok());
        assert_eq!(line["request_id"], "the-id");
        assert_eq!(line.len(), 8, "{line:?}");
    }
}
