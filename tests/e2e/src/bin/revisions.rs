//! The official Rust client in all five revisions of the protocol: lists the tools and calls every one of them.
//!
//! `MCP_TOKEN=… revisions URL` prints one line; exit status 1 with the reason where anything is not as it must be. Ids of
//! documents and tables come from the lists, as a model would take them, so any Coda API will do.

use rmcp::model::{CallToolRequestParams, ClientConfig, ProtocolVersion};
use rmcp::service::RunningService;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientLifecycleMode, ClientServiceExt as _, RoleClient, ServiceExt as _};
use serde_json::{Value, json};

type Failure = Box<dyn std::error::Error>;
type Client = RunningService<RoleClient, ClientConfig>;

const LEGACY: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
const MODERN: &str = "2026-07-28";
const TOOLS: [&str; 5] = ["get_doc", "get_whoami", "list_docs", "list_rows", "list_tables"];

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let url = std::env::args().nth(1).ok_or("usage: MCP_TOKEN=... revisions URL")?;
    let token = std::env::var("MCP_TOKEN")?;
    for version in LEGACY.into_iter().chain([MODERN]) {
        use_all_tools(&url, &token, version).await.map_err(|error| format!("{version}: {error}"))?;
    }
    let revisions = LEGACY.len() + 1;
    println!("rmcp client: {revisions} revisions, all {} tools called in each", TOOLS.len());
    Ok(())
}

async fn connect(url: &str, token: &str, version: &str) -> Result<Client, Failure> {
    let settings = StreamableHttpClientTransportConfig::with_uri(url).auth_header(token);
    let transport = StreamableHttpClientTransport::from_config(settings);
    let version: ProtocolVersion = serde_json::from_value(json!(version))?;
    let mut config = ClientConfig::default();
    config.protocol_version = version.clone();
    if version.as_str() == MODERN {
        let mode = ClientLifecycleMode::Discover { preferred_versions: vec![version] };
        return Ok(config.serve_with_lifecycle(transport, mode).await?);
    }
    Ok(config.serve(transport).await?)
}

async fn use_all_tools(url: &str, token: &str, version: &str) -> Result<(), Failure> {
    let client = connect(url, token, version).await?;
    let negotiated = client.peer_info().map(|peer| peer.protocol_version.to_string()).unwrap_or_default();
    if negotiated != version {
        return Err(format!("the server speaks {negotiated:?}").into());
    }
    let mut names: Vec<String> = client.list_all_tools().await?.into_iter().map(|t| t.name.into_owned()).collect();
    names.sort();
    if names != TOOLS {
        return Err(format!("tools: {names:?}").into());
    }
    let who = call(&client, "get_whoami", json!({})).await?;
    text(&who["caller"]["email"], "the caller's address")?;
    text(&who["coda"]["loginId"], "the Coda account")?;
    let docs = call(&client, "list_docs", json!({"limit": 2})).await?;
    let doc = text(&docs["items"][0]["id"], "a document")?;
    let described = call(&client, "get_doc", json!({"doc_id": doc})).await?;
    text(&described["name"], "the document's name")?;
    let tables = call(&client, "list_tables", json!({"doc_id": doc, "limit": 2})).await?;
    let table = text(&tables["items"][0]["id"], "a table")?;
    let rows = call(&client, "list_rows", json!({"doc_id": doc, "table_id": table, "limit": 2})).await?;
    text(&rows["items"][0]["id"], "a row")?;
    client.cancel().await?;
    Ok(())
}

async fn call(client: &Client, tool: &'static str, arguments: Value) -> Result<Value, Failure> {
    let mut request = CallToolRequestParams::new(tool);
    if let Value::Object(arguments) = arguments {
        request = request.with_arguments(arguments);
    }
    let result = client.call_tool(request).await.map_err(|error| format!("{tool}: {error}"))?;
    if result.is_error == Some(true) {
        return Err(format!("{tool}: {:?}", result.content).into());
    }
    result.structured_content.ok_or_else(|| format!("{tool}: no structured content").into())
}

fn text<'a>(value: &'a Value, what: &str) -> Result<&'a str, Failure> {
    value.as_str().filter(|text| !text.is_empty()).ok_or_else(|| format!("the answer lacks {what}").into())
}
