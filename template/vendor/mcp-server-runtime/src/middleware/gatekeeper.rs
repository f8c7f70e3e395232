//! Between HTTP and MCP: reads the body, bounded in size, and answers what is no JSON-RPC request.
//!
//! Everything else goes on to rmcp, byte for byte where it is by the letter. Requests without `jsonrpc` are handed over to
//! another service, where there is one.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Body as _;
use mcp_auth_middleware::User;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::config::Limits;
use crate::metrics::{Metrics, Refusal};
use crate::middleware::jsonrpc::{self, INVALID_PARAMS, INVALID_REQUEST, PARSE_ERROR, Shape, classify};
use crate::middleware::limits::{Full, Gate, Progress, Ticket};
use crate::middleware::negotiation::{BOTH, JSON, accepts_json, content_coding, is_json, is_plainly_transferred};
use crate::middleware::{errors, normalize};
use crate::router::RequestServices;
use crate::telemetry::{Answering, Failure, Telemetry};
use crate::text::is_nested_too_deeply;

/// Stands before MCP.
#[derive(Debug)]
pub struct Gatekeeper {
    body_bytes: usize,
    timeout: Duration,
    metrics: Arc<Metrics>,
    telemetry: Telemetry,
    legacy: Option<Router>,
}

impl Gatekeeper {
    /// A gatekeeper with these limits; `legacy` gets the requests without `jsonrpc`.
    #[must_use]
    pub fn new(limits: &Limits, metrics: Arc<Metrics>, telemetry: Telemetry, legacy: Option<Router>) -> Self {
        Self { body_bytes: limits.body_bytes, timeout: limits.request_timeout, metrics, telemetry, legacy }
    }

    /// Reads and classifies the body of a POST, and passes on to `mcp` what it can answer. The request has a place at
    /// `gate` from when its body is there.
    pub async fn pass<F: Future<Output = Response>>(
        &self,
        mut request: Request,
        gate: &Gate,
        progress: &Progress,
        mcp: impl FnOnce(Request) -> F,
    ) -> Response {
        if request.method() != Method::POST {
            progress.body_arrived();
            return mcp(request).await; // rmcp: 405
        }
        if !accepts_json(request.headers()) {
            return errors::error(StatusCode::NOT_ACCEPTABLE, "Accept does not allow application/json");
        }
        if let Some(coding) = content_coding(request.headers()) {
            return unsupported(coding);
        }
        if !is_plainly_transferred(request.headers()) {
            let message = "of all Transfer-Encodings only chunked is supported, once";
            return closing(errors::error(StatusCode::NOT_IMPLEMENTED, message));
        }
        // rmcp asks for both of these by name, though it sends only the first here.
        request.headers_mut().insert(header::ACCEPT, BOTH);
        normalize::headers(request.headers_mut());
        if !is_json(request.headers()) {
            let message = "Content-Type is not application/json";
            return closing(errors::error(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
        }
        // rmcp takes no copies.
        request.headers_mut().insert(header::CONTENT_TYPE, JSON);
        let (mut parts, body) = request.into_parts();
        let mut ticket = gate.ticket(parts.extensions.get::<User>());
        let bytes = match self.read(body, &mut ticket).await {
            Ok(bytes) => bytes,
            Err(refused) => return refused,
        };
        // Kept until the answer is made.
        if let Err(full) = ticket.enter(cost(&bytes)) {
            jsonrpc::id(&bytes).into_iter().for_each(|id| progress.understood(id));
            return self.full(gate, full);
        }
        progress.body_arrived();
        let bytes = normalize::without_mark(bytes);
        let bytes = normalize::whole_characters(&bytes).map_or(bytes, Bytes::from);
        let (id, instead) = match classify(&bytes) {
            Shape::Message { id, instead } => (id, instead),
            Shape::Legacy => match &self.legacy {
                Some(legacy) => {
                    let request = Request::from_parts(parts, Body::from(bytes));
                    let mut response = legacy.clone().oneshot(request).await.into_response();
                    // Who did not ask in JSON-RPC gets no error in it.
                    response.extensions_mut().insert(errors::PlainJson);
                    return response;
                }
                None => {
                    let id = jsonrpc::id(&bytes).unwrap_or_default();
                    return self.bad(INVALID_REQUEST, "jsonrpc is missing", id);
                }
            },
            // Nobody has asked for it: the client may have been asked by the server that was here before.
            Shape::Response => return StatusCode::ACCEPTED.into_response(),
            Shape::Bad { code, message, id } => return self.bad(code, message, id),
        };
        id.iter().for_each(|id| progress.understood(id.clone()));
        let bytes = instead.map_or(bytes, Bytes::from);
        if id.is_none()
            && let Some(method) = jsonrpc::method(&bytes)
        {
            normalize::notification(&mut parts.headers, method);
        }
        if let Some(permissions) = RequestServices::find(&parts.extensions).map(RequestServices::permissions)
            && let Some(tool) = permissions.forbidden_call(parts.extensions.get(), &bytes)
        {
            return permissions.refuse(&parts, &tool);
        }
        let answering = Answering(self.telemetry.operation(&parts, &bytes, self.timeout));
        if let Some(operation) = &answering.0 {
            parts.extensions.insert(Arc::clone(operation));
        }
        let response = mcp(Request::from_parts(parts, Body::from(bytes.clone()))).await;
        let response = self.readable(response, id, &bytes, &answering);
        answering.answered(response.status());
        response
    }

    /// The answer of rmcp, or what is said in its place.
    fn readable(&self, response: Response, id: Option<Value>, body: &[u8], answering: &Answering) -> Response {
        if response.status() != StatusCode::UNSUPPORTED_MEDIA_TYPE {
            return response;
        }
        // rmcp could not read a message whose envelope is right: its parameters are not those of the method.
        match id {
            // A notification never gets an error (JSON-RPC 2.0 §4.1).
            None => StatusCode::ACCEPTED.into_response(),
            Some(id) => {
                if let Some(operation) = &answering.0 {
                    operation.failed(Failure::JsonRpc(INVALID_PARAMS));
                }
                let nested = serde_json::from_slice::<Value>(body).is_err_and(|error| is_nested_too_deeply(&error));
                let message = match nested {
                    true => "the message is nested more than 127 levels deep",
                    false => "the parameters do not fit the method",
                };
                self.bad(INVALID_PARAMS, message, id)
            }
        }
    }

    /// The whole body, whose bytes are counted as they come.
    async fn read(&self, body: Body, ticket: &mut Ticket<'_>) -> Result<Bytes, Response> {
        // Before a byte of it is read: a client that waits for 100 Continue need not send it (RFC 9110 §10.1.1).
        if body.size_hint().lower() > self.body_bytes as u64 {
            return Err(self.too_large());
        }
        let mut body = Limited::new(body, self.body_bytes);
        let mut first = Bytes::new();
        let mut all = Vec::new();
        while let Some(frame) = body.frame().await {
            let data = match frame.map(|frame| frame.into_data().unwrap_or_default()) {
                Ok(data) => data,
                Err(error) if error.is::<LengthLimitError>() => return Err(self.too_large()),
                Err(_) => return Err(closing(errors::error(StatusCode::BAD_REQUEST, "the body did not arrive whole"))),
            };
            if let Err(full) = ticket.grow(data.len()) {
                return Err(closing(self.full(ticket.gate(), full)));
            }
            // Nearly all bodies are one piece, which needs no copy.
            if first.is_empty() {
                first = data;
            } else {
                if all.is_empty() {
                    all.extend_from_slice(&first);
                }
                all.extend_from_slice(&data);
            }
        }
        Ok(if all.is_empty() { first } else { all.into() })
    }

    fn too_large(&self) -> Response {
        self.metrics.refused(Refusal::TooLarge);
        let message = format!("the body is larger than {} bytes", self.body_bytes);
        closing(errors::error(StatusCode::PAYLOAD_TOO_LARGE, &message))
    }

    fn full(&self, gate: &Gate, full: Full) -> Response {
        match full {
            Full::ForEver => {
                self.metrics.refused(Refusal::TooLarge);
                errors::error(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "the body has too many members to be read in the memory there is",
                )
            }
            Full::ForNow => gate.busy(),
        }
    }

    fn bad(&self, code: i32, message: &str, id: Value) -> Response {
        self.metrics.refused(Refusal::Malformed);
        let text = match code {
            PARSE_ERROR => "Parse error",
            INVALID_PARAMS => "Invalid params",
            _ => "Invalid Request",
        };
        let error = json!({"code": code, "message": text, "data": {"reason": message}});
        (StatusCode::BAD_REQUEST, Json(json!({"jsonrpc": "2.0", "id": id, "error": error}))).into_response()
    }
}

/// 415, which says what is taken (RFC 9110 §15.5.16).
fn unsupported(coding: &HeaderValue) -> Response {
    let coding = coding.to_str().unwrap_or("in a way that is no text").to_owned();
    let message = format!("Content-Encoding {coding:?} is not supported: send the body as it is");
    let mut response = closing(errors::error(StatusCode::UNSUPPORTED_MEDIA_TYPE, &message));
    response.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    response
}

/// The connection ends with this answer: the rest of the body is not read.
fn closing(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The memory that a request takes until it is answered, more or less. rmcp reads a body into values twice, each member with its key, its
/// value and its place in a tree: 860 KB of 93,000 small members took 48 MiB.
fn cost(body: &[u8]) -> usize {
    const MEMBER: usize = 512;
    let (mut members, mut in_string, mut escaped) = (0, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b',' | b'[' | b'{' if !in_string => members += 1,
            _ => {}
        }
    }
    text_cost(body.len()) + members * MEMBER
}

/// The memory that a request takes whose body is one long text.
#[must_use]
pub const fn text_cost(bytes: usize) -> usize {
    bytes.saturating_mul(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_cost_more_than_text() {
        let text = serde_json::to_vec(&json!({"a": "[,{\\\"".repeat(1000)})).expect("JSON");
        assert!(cost(&text) < 4 * text.len());
        let members = [b"[".as_slice(), &b"0,".repeat(1000), b"0]"].concat();
        assert!(cost(&members) > 500_000);
    }
}
