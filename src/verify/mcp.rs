//! The messages of MCP that a client needs to get to know a server: `initialize` or, of servers without it,
//! `server/discover` (revision 2026-07-28), then `tools/list`.

use std::collections::BTreeSet;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::client::{HttpAnswer, VerifyClient};
use super::observation::{Server, Silence};
use crate::catalog::service::Tool;

/// The newest revision with `initialize`.
const LEGACY: &str = "2025-11-25";
/// The revision without sessions.
const MODERN: &str = "2026-07-28";
/// The largest number of pages and of tools that are read.
const PAGES: usize = 20;
const TOOLS: usize = 2000;

/// The end of a conversation without a result.
#[derive(Debug)]
pub(super) enum ConversationError {
    /// There was no answer.
    Silence(Silence),
    /// An answer of HTTP that is none of MCP.
    Http(Box<HttpAnswer>),
    /// An answer of MCP that cannot be used.
    Mcp(String),
}

/// The era of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Era {
    Legacy,
    Modern,
}

/// Returns the body of the first message of a client.
pub(super) fn initialize() -> String {
    let params = json!({"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": info()});
    request(1, "initialize", params)
}

fn info() -> Value {
    json!({"name": "mcp-kit", "version": env!("CARGO_PKG_VERSION")})
}

fn request(id: u32, method: &str, params: Value) -> String {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string()
}

/// Returns the JSON of the first answer in a stream of events.
pub(super) fn event(text: &str) -> Option<Value> {
    let text = text.replace("\r\n", "\n");
    let whole = text.rfind("\n\n").map(|end| &text[..end])?;
    whole.split("\n\n").find_map(|event| {
        let data: Vec<&str> =
            event.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim_start).collect();
        let value: Value = serde_json::from_str(&data.join("\n")).ok()?;
        (value.get("result").is_some() || value.get("error").is_some()).then_some(value)
    })
}

/// Returns the message in an answer: `Ok` with the result, `Err` with the code of the error. `None` when it is no MCP.
pub(super) fn message(answer: &HttpAnswer) -> Option<Result<Value, i64>> {
    let value = if answer.content_type().starts_with("text/event-stream") {
        event(&format!("{}\n\n", answer.text()))?
    } else {
        answer.json()?
    };
    if value.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return None;
    }
    match (value.get("result"), value.get("error")) {
        (Some(result), None) => Some(Ok(result.clone())),
        (None, Some(error)) => Some(Err(error.get("code").and_then(Value::as_i64).unwrap_or_default())),
        _ => None,
    }
}

/// Talks to a server: name, version, tools.
///
/// # Errors
/// When it does not answer the first message.
pub(super) async fn converse(
    client: &VerifyClient,
    url: &url::Url,
    headers: &HeaderMap,
) -> Result<Server, ConversationError> {
    let first = client.post(url, headers, initialize()).await.map_err(ConversationError::Silence)?;
    let (result, era, first) = match message(&first) {
        Some(Ok(result)) => (result, Era::Legacy, first),
        // Said by HTTP, and the body repeats it as JSON-RPC.
        Some(Err(_)) if is_refusal(first.status) => return Err(ConversationError::Http(Box::new(first))),
        // A server of the newest revision has no such method, or does not take a request without its headers.
        Some(Err(_)) => {
            let answer = modern(client, url, headers, "server/discover", json!({})).await?;
            match message(&answer) {
                Some(Ok(result)) => (result, Era::Modern, answer),
                Some(Err(_)) if is_refusal(answer.status) => return Err(ConversationError::Http(Box::new(answer))),
                Some(Err(code)) => {
                    return Err(ConversationError::Mcp(format!(
                        "answers initialize and server/discover with the error {code}"
                    )));
                }
                None => return Err(ConversationError::Http(Box::new(answer))),
            }
        }
        None => return Err(ConversationError::Http(Box::new(first))),
    };
    let info = result.get("serverInfo").or_else(|| result.get("_meta")?.get("io.modelcontextprotocol/serverInfo"));
    let text = |key: &str| info.and_then(|info| info.get(key)?.as_str()).map(|text| text.chars().take(200).collect());
    let mut server = Server { name: text("name"), version: text("version"), tools: None };
    if result.get("capabilities").is_none_or(|capabilities| capabilities.get("tools").is_some()) {
        server.tools = Some(list(client, url, &after(headers, era, &first, &result), era).await);
    } else {
        server.tools = Some(Ok(Vec::new()));
    }
    Ok(server)
}

/// Returns whether an answer with this status is a refusal or a failure, whichever method was asked for. Others with an error
/// in them can mean that the method is not known.
fn is_refusal(status: u16) -> bool {
    matches!(status, 401 | 403 | 429 | 500..)
}

/// Returns the headers of further requests.
fn after(headers: &HeaderMap, era: Era, first: &HttpAnswer, result: &Value) -> HeaderMap {
    let mut headers = headers.clone();
    if era == Era::Legacy {
        let agreed = result.get("protocolVersion").and_then(Value::as_str).unwrap_or(LEGACY);
        if let Ok(agreed) = HeaderValue::try_from(agreed) {
            headers.insert(HeaderName::from_static("mcp-protocol-version"), agreed);
        }
        let session = HeaderName::from_static("mcp-session-id");
        if let Some(id) = first.headers.get(&session) {
            headers.insert(session, id.clone());
        }
    }
    headers
}

async fn modern(
    client: &VerifyClient,
    url: &url::Url,
    headers: &HeaderMap,
    method: &str,
    params: Value,
) -> Result<HttpAnswer, ConversationError> {
    let mut headers = headers.clone();
    headers.insert(HeaderName::from_static("mcp-protocol-version"), HeaderValue::from_static(MODERN));
    if let Ok(method) = HeaderValue::try_from(method) {
        headers.insert(HeaderName::from_static("mcp-method"), method);
    }
    let mut params = params;
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientInfo": info(),
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    client.post(url, &headers, request(2, method, params)).await.map_err(ConversationError::Silence)
}

/// Reads all pages of the tools.
async fn list(client: &VerifyClient, url: &url::Url, headers: &HeaderMap, era: Era) -> Result<Vec<Tool>, String> {
    if era == Era::Legacy {
        let note = json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string();
        client.post(url, headers, note).await.map_err(|silence| silence.sentence())?;
    }
    let (mut tools, mut cursor, mut names) = (Vec::new(), None, BTreeSet::new());
    for page in 0..PAGES {
        let params = cursor.as_ref().map_or_else(|| json!({}), |cursor| json!({ "cursor": cursor }));
        let answer = match era {
            Era::Legacy => {
                let id = u32::try_from(page).unwrap_or_default() + 2;
                client.post(url, headers, request(id, "tools/list", params)).await.map_err(ConversationError::Silence)
            }
            Era::Modern => modern(client, url, headers, "tools/list", params).await,
        };
        let answer = answer.map_err(|failure| match failure {
            ConversationError::Silence(silence) => silence.sentence(),
            _ => "answered tools/list with something else".to_owned(),
        })?;
        let result = match message(&answer) {
            Some(Ok(result)) => result,
            Some(Err(code)) => return Err(format!("answered tools/list with the error {code}")),
            None if answer.body.is_none() => return Err("answered tools/list with more than 4 MB".to_owned()),
            None => return Err(format!("answered tools/list with {} and no JSON-RPC", answer.status)),
        };
        let Some(page) = result.get("tools").and_then(Value::as_array) else {
            return Err("answered tools/list without a list of tools".to_owned());
        };
        for tool in page {
            let tool = read(tool).ok_or_else(|| "has a tool without a proper name".to_owned())?;
            if !names.insert(tool.name.clone()) {
                return Err(format!("has the tool {} twice", tool.name));
            }
            tools.push(tool);
        }
        if tools.len() > TOOLS {
            return Err(format!("has more than {TOOLS} tools"));
        }
        cursor = result.get("nextCursor").and_then(Value::as_str).map(str::to_owned);
        if cursor.is_none() {
            tools.sort();
            return Ok(tools);
        }
    }
    Err(format!("has more than {PAGES} pages of tools"))
}

/// Reads a tool. Its name is at most 128 letters, digits and `_-./` (MCP 2025-11-25, tools).
fn read(tool: &Value) -> Option<Tool> {
    let name = tool.get("name")?.as_str()?;
    let is_proper = !name.is_empty()
        && name.len() <= 128
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte));
    let hint = |key: &str| tool.get("annotations")?.get(key)?.as_bool();
    let read_only = hint("readOnlyHint");
    // It means something for tools that write only.
    let destructive = hint("destructiveHint").filter(|_| read_only != Some(true));
    is_proper.then(|| Tool { name: name.to_owned(), read_only, destructive })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_found_in_a_stream() {
        let stream = ": hello\r\n\r\nevent: message\r\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"x\"}\r\n\r\ndata: {\"jsonrpc\":\"2.0\",\r\ndata: \"id\":1,\"result\":{}}\r\n\r\n";
        assert_eq!(event(stream).map(|value| value["id"].clone()), Some(1.into()));
        assert_eq!(event(stream.trim_end()), None, "the event has no end yet");
        assert_eq!(event("data: {}\n\n"), None);
    }

    #[test]
    fn names_and_hints_of_tools() {
        let tool = |value: Value| read(&value);
        let hinted = json!({"name": "a.b/c-d", "annotations": {"readOnlyHint": true, "destructiveHint": true}});
        assert_eq!(tool(hinted), Some(Tool { name: "a.b/c-d".to_owned(), read_only: Some(true), destructive: None }));
        for bad in [json!({}), json!({"name": ""}), json!({"name": "a b"}), json!({"name": "\u{1b}[31m"}), json!("x")] {
            assert_eq!(tool(bad), None);
        }
    }
}
