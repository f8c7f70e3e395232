//! Every error has a body that says what it is (RFC 9110 §15.5), as JSON and with its type (§8.3): those of rmcp have text
//! without a type, and those of axum nothing at all.

use axum::Json;
use axum::body::to_bytes;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

/// An error with a body like all others: `{"error", "message"}`.
#[must_use]
pub fn error(status: StatusCode, message: &str) -> Response {
    let reason = status.canonical_reason().unwrap_or("error").to_lowercase();
    let mut body = json!({"error": reason, "message": message});
    if status == StatusCode::NOT_FOUND {
        // A client whose token is refused may look for OAuth here, and shows its user what RFC 6749 §5.2 calls so.
        body["error_description"] = message.into();
    }
    (status, Json(body)).into_response()
}

/// Whether the answer is an error without a body of a known type.
#[must_use]
pub fn is_bare(response: &Response) -> bool {
    let status = response.status();
    (status.is_client_error() || status.is_server_error()) && !response.headers().contains_key(header::CONTENT_TYPE)
}

/// The same error with a body of JSON, in which the text stays that there was.
pub async fn described(response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 16 * 1024).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&body);
    let message = match (text.trim(), parts.status) {
        ("", StatusCode::NOT_FOUND) => {
            "nothing is here: MCP is served at /mcp, and tokens are issued elsewhere; check the one that you send"
        }
        ("", StatusCode::METHOD_NOT_ALLOWED) => "this method is not served here; the header Allow has those that are",
        ("", _) => "the request cannot be answered",
        (text, _) => text,
    };
    let mut response = error(parts.status, message);
    for (name, value) in &parts.headers {
        if name != header::CONTENT_LENGTH {
            response.headers_mut().append(name, value.clone());
        }
    }
    *response.extensions_mut() = parts.extensions;
    response
}
