//! Every error has a body that says what it is (RFC 9110 §15.5), as JSON and with its type (§8.3): those of rmcp have text
//! without a type, and those of axum nothing at all. Clients of MCP get it as an error of JSON-RPC.

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value, json};

use crate::handlers::metadata::RESOURCE;

/// JSON-RPC 2.0 §5.1.
const INVALID_REQUEST: i32 = -32600;
const INTERNAL_ERROR: i32 = -32603;

/// An error with a body like all others: `{"error", "message"}`.
#[must_use]
pub fn error(status: StatusCode, message: &str) -> Response {
    (status, Json(members(status, message))).into_response()
}

fn members(status: StatusCode, message: &str) -> Map<String, Value> {
    let reason = status.canonical_reason().unwrap_or("error").to_lowercase();
    let mut members = Map::from_iter([("error".to_owned(), reason.into()), ("message".to_owned(), message.into())]);
    if status == StatusCode::NOT_FOUND {
        // A client whose token is refused may look for OAuth here, and shows its user what RFC 6749 §5.2 calls so.
        members.insert("error_description".to_owned(), message.into());
    }
    members
}

/// Returns whether the request is of a client of MCP: it posts to the endpoint, and takes what such clients have to take (MCP,
/// Streamable HTTP, "Sending Messages to the Server"). Others, `curl` for one, get errors in plain JSON.
#[must_use]
pub fn is_of_mcp(request: &Request) -> bool {
    const EVENTS: &[u8] = b"text/event-stream";
    let events = |value: &HeaderValue| value.as_bytes().windows(EVENTS.len()).any(|part| part == EVENTS);
    request.method() == Method::POST
        && request.uri().path() == RESOURCE
        && request.headers().get_all(header::ACCEPT).iter().any(events)
}

/// In the extensions of an answer to a message of JSON-RPC: its id.
#[derive(Debug, Clone)]
pub struct MessageId(pub Value);

/// In the extensions of an answer to a request that was no JSON-RPC.
#[derive(Debug, Clone, Copy)]
pub struct PlainJson;

/// Returns whether the answer is an error.
#[must_use]
pub fn is_error(response: &Response) -> bool {
    response.status().is_client_error() || response.status().is_server_error()
}

/// The same error with a body of JSON, in which the text stays that there was; for a client of MCP, as an error of JSON-RPC.
pub async fn described(response: Response, of_mcp: bool) -> Response {
    let bare = !response.headers().contains_key(header::CONTENT_TYPE);
    let of_mcp = of_mcp && response.extensions().get::<PlainJson>().is_none();
    if !bare && !of_mcp {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // In memory already: no error is a stream.
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let mut members = match serde_json::from_slice(&bytes) {
        _ if bare => plain(parts.status, String::from_utf8_lossy(&bytes).trim()),
        Ok(Value::Object(members)) if !members.contains_key("jsonrpc") => members,
        _ => return Response::from_parts(parts, Body::from(bytes)),
    };
    if of_mcp {
        let id = parts.extensions.remove().map_or(Value::Null, |MessageId(id)| id);
        members = json_rpc(parts.status, members, id);
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Response::from_parts(parts, Body::from(Value::Object(members).to_string()))
}

/// The members of an error of which there is this text.
fn plain(status: StatusCode, text: &str) -> Map<String, Value> {
    let message = match (text, status) {
        ("", StatusCode::NOT_FOUND) => {
            "nothing is here: MCP is served at /mcp, and tokens are issued elsewhere; check the one that you send"
        }
        ("", StatusCode::METHOD_NOT_ALLOWED) => "this method is not served here; the header Allow has those that are",
        ("", _) => "the request cannot be answered",
        (text, _) => text,
    };
    members(status, message)
}

/// The error as JSON-RPC has it: the Python SDK shows its message, and "Server returned an error response" in place of any
/// other body. The members that were there stay, but for `error`, whose text is in `data` with all others.
///
/// The id is null where the body with it was not read (JSON-RPC 2.0 §5): without the member, that SDK does not take it for an error.
fn json_rpc(status: StatusCode, mut members: Map<String, Value>, id: Value) -> Map<String, Value> {
    let mut data = members.clone();
    let message = data.remove("message").or_else(|| data.get("error").cloned()).unwrap_or_default();
    data.insert("status".to_owned(), status.as_u16().into());
    let code = if status.is_server_error() { INTERNAL_ERROR } else { INVALID_REQUEST };
    members.insert("error".to_owned(), json!({"code": code, "message": message, "data": data}));
    members.insert("jsonrpc".to_owned(), "2.0".into());
    members.insert("id".to_owned(), id);
    members
}
