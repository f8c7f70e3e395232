//! A client that shows that a server works: lists its tools and calls one, as any MCP client would.
//!
//! `MCP_DEV_BEARER_TOKEN=… cargo run --example client -- http://127.0.0.1:8080/mcp`

use rmcp::ServiceExt as _;
use rmcp::model::{CallToolRequestParams, ClientConfig};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "http://127.0.0.1:8080/mcp".to_owned());
    // The token comes by the environment: an argument would show in the list of processes.
    let token = std::env::var("MCP_DEV_BEARER_TOKEN").map_err(|_| "MCP_DEV_BEARER_TOKEN is not set")?;
    let settings = StreamableHttpClientTransportConfig::with_uri(url).auth_header(token);
    let client = ClientConfig::default().serve(StreamableHttpClientTransport::from_config(settings)).await?;

    if let Some(peer) = client.peer_info() {
        let server = peer.server_info.as_ref().map(|s| format!("{} {}", s.name, s.version)).unwrap_or_default();
        println!("Connected to {server} (MCP {})", peer.protocol_version);
    }
    println!("Tools:");
    for tool in client.list_all_tools().await? {
        println!("  {:<12} {}", tool.name, tool.description.unwrap_or_default());
    }
{%- if example == "coda" %}
    let result = client.call_tool(CallToolRequestParams::new("list_docs")).await?;
    let structured = result.structured_content.unwrap_or_default();
    let Some(items) = structured["items"].as_array() else {
        return Err(format!("list_docs failed: {:?}", result.content).into());
    };
    println!("Documents:");
    for doc in items {
        println!("  {:<12} {}", doc["id"].as_str().unwrap_or_default(), doc["name"].as_str().unwrap_or_default());
    }
{%- else %}
    let result = client.call_tool(CallToolRequestParams::new("get_whoami")).await?;
    let who = result.structured_content.unwrap_or_default();
    println!("You are {}", who["email"].as_str().ok_or("get_whoami failed")?);
{%- endif %}
    client.cancel().await?;
    Ok(())
}
