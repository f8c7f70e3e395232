//! The server as a client of MCP meets it. What every server does is tested where `{% if libraries == "vendor" %}vendor/{% endif %}mcp-server-runtime` is made.
#![allow(clippy::expect_used, reason = "tests may say what they expect")]

mod support;

use rmcp::ServiceExt as _;
use rmcp::model::{CallToolRequestParams, ClientConfig};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::json;
{%- if example == "coda" %}
use support::{BEARER, TestServer, answer};
{%- else %}
use support::{BEARER, answer};
{%- endif %}

{% if example == "coda" -%}
async fn start() -> TestServer {
    TestServer::start().await
}

{% else -%}
use support::start;

{% endif -%}
#[tokio::test]
async fn the_official_client_connects_and_calls_a_tool() {
    let server = start().await;
    let settings = StreamableHttpClientTransportConfig::with_uri(server.url("/mcp")).auth_header(BEARER);
    let transport = StreamableHttpClientTransport::from_config(settings);
    let client = ClientConfig::default().serve(transport).await.expect("connected");
    let name = client.peer_info().and_then(|info| info.server_info.as_ref().map(|server| server.name.clone()));
    assert_eq!(name.as_deref(), Some(mcp_server::SERVICE));
    let result = client.call_tool(CallToolRequestParams::new("get_whoami")).await.expect("a result");
    assert_ne!(result.is_error, Some(true), "{result:?}");
    client.cancel().await.expect("closed");
}

#[tokio::test]
async fn strangers_are_refused() {
    let server = start().await;
    assert_eq!(answer(server.http.post(server.url("/mcp"))).await.0, 401);
    assert_eq!(answer(server.http.get(server.url("/health"))).await.1["service"], mcp_server::SERVICE);
}

#[tokio::test]
async fn every_tool_is_described() {
    let server = start().await;
    let tools = server.rpc("tools/list", json!({})).await["result"]["tools"].clone();
    let names: Vec<_> = tools.as_array().expect("tools").iter().map(|t| t["name"].as_str().expect("a name")).collect();
{%- if example == "coda" %}
    assert_eq!(names, ["get_doc", "get_whoami", "list_docs", "list_rows", "list_tables"]);
{%- else %}
    assert_eq!(names, ["get_whoami"]);
{%- endif %}
    for tool in tools.as_array().expect("tools") {
        assert!(tool["title"].is_string() && tool["description"].is_string(), "{tool}");
        assert_eq!(tool["inputSchema"]["type"], "object", "{tool}");
        assert_eq!(tool["outputSchema"]["type"], "object", "{tool}");
        assert_eq!(tool["annotations"]["readOnlyHint"], true, "{tool}");
        assert_eq!(tool["annotations"]["idempotentHint"], true, "{tool}");
        // What clients choke on: lists of types (Gemini), formats of Rust (Ajv), `$schema` (Ajv of draft 07), open objects
        // (strict mode of OpenAI).
        let text = tool.to_string();
        for bad in ["\"null\"", "\"uint32\"", "$schema"] {
            assert!(!text.contains(bad), "{bad} in {tool}");
        }
        assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{tool}");
        assert!(tool["inputSchema"]["properties"].is_object(), "{tool}");
    }
}

#[tokio::test]
async fn a_wrong_argument_is_named() {
    let server = start().await;
    let text = server.call_failing("get_whoami", json!({"sessionId": "x"})).await;
    assert!(text.contains("`sessionId`"), "{text}");
{%- if example == "coda" %}
    for (arguments, name) in [(json!({"limit": "1"}), "limit: "), (json!({"toolCallId": "x"}), "`toolCallId`")] {
        let text = server.call_failing("list_docs", arguments).await;
        assert!(text.contains(name), "{text}");
    }
    // Null is as good as absent, and 2.0 is an integer.
    let docs = server.call("list_docs", json!({"limit": 2.0, "query": null, "is_owner": null})).await;
    assert_eq!(docs["structuredContent"]["items"].as_array().map(Vec::len), Some(2), "{docs}");
{%- endif %}
}

#[tokio::test]
async fn the_caller_is_told_who_it_is() {
    let server = start().await;
    let result = server.call("get_whoami", json!({})).await;
{%- if example == "coda" %}
    assert_eq!(result["structuredContent"]["caller"], json!({"email": "developer@localhost", "kind": "developer"}));
    assert_eq!(result["structuredContent"]["coda"]["loginId"], "demo@example.com");
{%- else %}
    assert_eq!(result["structuredContent"], json!({"email": "developer@localhost", "kind": "developer"}));
{%- endif %}
}
