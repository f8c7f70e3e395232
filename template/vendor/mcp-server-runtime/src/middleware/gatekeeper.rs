//! Between HTTP and MCP: reads the body, bounded in size, and answers what is no JSON-RPC request.
//!
//! rmcp answers malformed JSON, batches and bad ids with 415 and plain text; clients expect a JSON-RPC error
//! (JSON-RPC 2.0 §5.1; batches were removed in MCP 2025-06-18). Everything else goes on to rmcp byte for byte.
//! Requests without `jsonrpc` are handed over to another service, where there is one.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use mcp_auth_middleware::User;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::config::Limits;
use crate::metrics::{Metrics, Refusal};
use crate::middleware::limits::{Full, Gate, Progress, Ticket};
use crate::middleware::{errors, normalize};
use crate::router::RequestServices;
use crate::telemetry::{Answering, Failure, Telemetry};

/// JSON-RPC 2.0 §5.1.
const PARSE_ERROR: i32 = -32700;
const INVALID_REQUEST: i32 = -32600;
const INVALID_PARAMS: i32 = -32602;

/// Longer ids are nobody's; they would only be sent back.
const MAXIMUM_ID: usize = 1024;

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
}

/// What a body is.
#[derive(Debug, PartialEq)]
enum Shape {
    /// A JSON-RPC message for rmcp. `id` is `None` for notifications; `instead` is what the body means where that is not what
    /// it says.
    Message { id: Option<Value>, instead: Option<String> },
    /// A response, to a request that this server has not sent: it sends none.
    Response,
    /// An object without `jsonrpc`.
    Legacy,
    /// Nothing that can be answered but with an error.
    Bad { code: i32, message: &'static str, id: Value },
}

/// The members that decide, borrowed from the body; all others are skipped.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    method: Option<&'a RawValue>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    error: Option<&'a RawValue>,
}

/// A member that is there, `null` included: serde would take `null` for an absent one.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    Deserialize::deserialize(deserializer).map(Some)
}

fn classify(body: &[u8]) -> Shape {
    let bad = |code, message| Shape::Bad { code, message, id: Value::Null };
    // Checked for the whole body at once: members that are skipped would not be.
    let Ok(body) = std::str::from_utf8(body) else { return bad(PARSE_ERROR, "the body is not UTF-8") };
    let first = body.bytes().find(|b| !b.is_ascii_whitespace());
    let envelope: Envelope<'_> = match serde_json::from_str(body) {
        Ok(envelope) if first == Some(b'{') => envelope,
        // A well-formed array is a batch; anything else that is well-formed is no object.
        Ok(_) => return bad(INVALID_REQUEST, "batches are not supported: send one request"),
        Err(error) if error.is_data() && first == Some(b'{') => {
            return bad(INVALID_REQUEST, "a member of the request is there twice");
        }
        Err(_) => {
            return match serde_json::from_str::<serde::de::IgnoredAny>(body) {
                Ok(_) if first == Some(b'[') => bad(INVALID_REQUEST, "batches are not supported: send one request"),
                Ok(_) => bad(INVALID_REQUEST, "the request is not an object"),
                Err(_) => bad(PARSE_ERROR, "the body is not JSON"),
            };
        }
    };
    if envelope.jsonrpc.is_none() {
        return Shape::Legacy;
    }
    let id = match envelope.id.map(|raw| valid_id(raw.get())) {
        None => None,
        Some(Some(id)) => Some(id),
        Some(None) => return bad(INVALID_REQUEST, "id must be a string or a whole number"),
    };
    let bad = |message| Shape::Bad { code: INVALID_REQUEST, message, id: id.clone().unwrap_or(Value::Null) };
    if envelope.jsonrpc.map(RawValue::get) != Some("\"2.0\"") {
        return bad("jsonrpc must be \"2.0\"");
    }
    match envelope.method {
        Some(method) if method.get().starts_with('"') => {
            let instead = instead(body, &envelope, id.as_ref());
            Shape::Message { id, instead }
        }
        Some(_) => bad("method must be a string"),
        None if envelope.result.is_some() || envelope.error.is_some() => Shape::Response,
        None => bad("method is missing"),
    }
}

/// The body that says what this one means, where it is not by the letter.
fn instead(body: &str, envelope: &Envelope<'_>, id: Option<&Value>) -> Option<String> {
    let mut parts: Vec<(&RawValue, &str)> = Vec::new();
    let number = id.filter(|id| id.is_i64()).map(Value::to_string);
    if let (Some(raw), Some(number)) = (envelope.id, &number)
        && raw.get() != number
    {
        parts.push((raw, number));
    }
    if let Some(params) = envelope.params {
        parts.extend(normalize::empty_arrays(params).into_iter().map(|part| (part, "{}")));
    }
    if parts.is_empty() {
        return None;
    }
    parts.sort_by_key(|(part, _)| part.get().as_ptr() as usize);
    Some(normalize::replaced(body, &parts))
}

/// A string, or a whole number that fits 64 bits (MCP allows no null, JSON-RPC no fractions).
fn valid_id(raw: &str) -> Option<Value> {
    if raw.len() > MAXIMUM_ID {
        return None;
    }
    match serde_json::from_str(raw) {
        Ok(Value::Number(n)) if n.is_i64() => Some(Value::Number(n)),
        Ok(Value::Number(_)) => normalize::whole_number(raw).map(Value::from),
        Ok(Value::String(s)) => Some(Value::String(s)),
        _ => None,
    }
}

impl Gatekeeper {
    /// Reads and classifies the body of a POST, and passes on to `mcp` what it can answer. The request has a place at
    /// `gate` from when its body is there.
    pub async fn pass<F: Future<Output = Response>>(
        &self,
        mut request: Request,
        gate: &Gate,
        progress: &Progress,
        mcp: impl FnOnce(Request) -> F,
    ) -> Response {
        if request.method() == Method::POST {
            if !accepts_json(request.headers()) {
                return errors::error(StatusCode::NOT_ACCEPTABLE, "Accept does not allow application/json");
            }
            if let Some(coding) = content_coding(request.headers()) {
                return unsupported(coding);
            }
            // rmcp asks for both of these by name, though it sends only the first here.
            request.headers_mut().insert(header::ACCEPT, BOTH);
            normalize::headers(request.headers_mut());
        }
        if request.method() != Method::POST {
            progress.body_arrived();
            return mcp(request).await; // rmcp: 405
        }
        if !is_json(&request) {
            let message = "Content-Type is not application/json, or is there twice";
            return closing(errors::error(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
        }
        let (mut parts, body) = request.into_parts();
        let mut ticket = gate.ticket(parts.extensions.get::<User>());
        let bytes = match self.read(body, &mut ticket).await {
            Ok(bytes) => bytes,
            Err(refused) => return refused,
        };
        // Kept until the answer is made.
        if let Err(full) = ticket.enter(cost(&bytes)) {
            return self.full(gate, full);
        }
        progress.body_arrived();
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
                None => return self.bad(INVALID_REQUEST, "jsonrpc is missing", Value::Null),
            },
            // Nobody has asked for it: the client may have been asked by the server that was here before.
            Shape::Response => return StatusCode::ACCEPTED.into_response(),
            Shape::Bad { code, message, id } => return self.bad(code, message, id),
        };
        let bytes = instead.map_or(bytes, Bytes::from);
        if let Some(permissions) = RequestServices::find(&parts.extensions).map(RequestServices::permissions)
            && let Some(tool) = permissions.forbidden_call(parts.extensions.get(), &bytes)
        {
            return permissions.refuse(&parts, &tool);
        }
        let answering = Answering(self.telemetry.operation(&parts, &bytes, self.timeout));
        if let Some(operation) = &answering.0 {
            parts.extensions.insert(Arc::clone(operation));
        }
        let response = mcp(Request::from_parts(parts, Body::from(bytes))).await;
        let response = self.readable(response, id, &answering);
        answering.answered(response.status());
        response
    }

    /// The answer of rmcp, or what is said in its place.
    fn readable(&self, response: Response, id: Option<Value>, answering: &Answering) -> Response {
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
                self.bad(INVALID_PARAMS, "the parameters do not fit the method", id)
            }
        }
    }

    /// The whole body, whose bytes are counted as they come.
    async fn read(&self, body: Body, ticket: &mut Ticket<'_>) -> Result<Bytes, Response> {
        let mut body = Limited::new(body, self.body_bytes);
        let mut first = Bytes::new();
        let mut all = Vec::new();
        while let Some(frame) = body.frame().await {
            let data = match frame.map(|frame| frame.into_data().unwrap_or_default()) {
                Ok(data) => data,
                Err(error) if error.is::<LengthLimitError>() => {
                    self.metrics.refused(Refusal::TooLarge);
                    let message = format!("the body is larger than {} bytes", self.body_bytes);
                    return Err(closing(errors::error(StatusCode::PAYLOAD_TOO_LARGE, &message)));
                }
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

/// What rmcp wants to see in `Accept`.
const BOTH: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");

/// Whether a client takes JSON: the most specific range counts, and none at all means anything (RFC 9110 §12.5.1).
fn accepts_json(headers: &HeaderMap) -> bool {
    let mut best = (0, true);
    for value in headers.get_all(header::ACCEPT) {
        // What is no text is no range.
        for range in value.to_str().unwrap_or_default().split(',').filter(|range| !range.trim().is_empty()) {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
            let specific = match kind.as_str() {
                "application/json" => 4,
                "application/*" => 3,
                "*/*" => 2,
                _ => 1,
            };
            let refused = parts.any(|parameter| {
                let quality = parameter.strip_prefix(['q', 'Q']).and_then(|rest| rest.trim_start().strip_prefix('='));
                quality.is_some_and(|quality| quality.trim().parse() == Ok(0.0_f32))
            });
            if specific > best.0 {
                best = (specific, specific > 1 && !refused);
            }
        }
    }
    best.1
}

/// How the body is coded, where it is: no client of MCP has to, and none is told that it may.
fn content_coding(headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut codings = headers.get_all(header::CONTENT_ENCODING).into_iter();
    codings.find(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
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

fn is_json(request: &Request) -> bool {
    let mut types = request.headers().get_all(header::CONTENT_TYPE).iter();
    let essence = types.next().and_then(|v| v.to_str().ok()).and_then(|v| v.split(';').next()).unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json") && types.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(body: &str) -> Option<i32> {
        match classify(body.as_bytes()) {
            Shape::Bad { code, .. } => Some(code),
            _ => None,
        }
    }

    #[test]
    fn accept_is_read_as_http_has_it() {
        let accepts = |values: &[&str]| {
            let values = values.iter().map(|value| (header::ACCEPT, value.parse().expect("a value")));
            accepts_json(&values.collect())
        };
        for good in ["*/*", "application/json", "application/*;q=0.1", "", "text/html, */*;q=0.1", "APPLICATION/JSON"] {
            assert!(accepts(&[good]), "{good}");
        }
        for bad in ["text/html", "text/event-stream", "application/json;q=0, */*", "*/*; q=0.0", "application/jsonx"] {
            assert!(!accepts(&[bad]), "{bad}");
        }
        assert!(accepts(&[]) && accepts(&["text/html", "application/json"]));
    }

    #[test]
    fn members_cost_more_than_text() {
        let text = serde_json::to_vec(&json!({"a": "[,{\\\"".repeat(1000)})).expect("JSON");
        assert!(cost(&text) < 4 * text.len());
        let members = [b"[".as_slice(), &b"0,".repeat(1000), b"0]"].concat();
        assert!(cost(&members) > 500_000);
    }

    #[test]
    fn messages_pass() {
        let id = |body: &str| match classify(body.as_bytes()) {
            Shape::Message { id, instead: None } => id,
            other => panic!("{body}: {other:?}"),
        };
        assert_eq!(id(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#), Some(json!(1)));
        assert_eq!(id(r#" {"id":"a","params":{"x":[1]},"method":"ping","jsonrpc":"2.0"} "#), Some(json!("a")));
        assert_eq!(id(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#), None);
        assert_eq!(classify(br#"{"jsonrpc":"2.0","id":1,"result":{}}"#), Shape::Response);
    }

    #[test]
    fn what_can_mean_one_thing_only_is_taken_for_that() {
        let instead = |body: &str| match classify(body.as_bytes()) {
            Shape::Message { instead, .. } => instead,
            other => panic!("{body}: {other:?}"),
        };
        let list = |id: &str, params: &str| {
            format!(r#"{{"jsonrpc":"2.0","params":{params},"id": {id} ,"method":"tools/list"}}"#)
        };
        for (id, params, meant_id, meant_params) in [
            ("1.0", "{}", "1", "{}"),
            ("-7e0", "[ ]", "-7", "{}"),
            ("\"1.0\"", "[]", "\"1.0\"", "{}"),
            ("1", r#"{"_meta":[],"name":"x","arguments":[]}"#, "1", r#"{"_meta":{},"name":"x","arguments":{}}"#),
            ("1", r#"{"capabilities": [], "x": []}"#, "1", r#"{"capabilities": {}, "x": []}"#),
        ] {
            assert_eq!(instead(&list(id, params)), Some(list(meant_id, meant_params)));
        }
        for params in ["[1]", r#"{"arguments":{"x":[]}}"#, r#"{"arguments":[1]}"#, "null", r#""[]""#, r#"{"a":"[]"}"#] {
            assert_eq!(instead(&list("1", params)), None, "{params}");
        }
    }

    #[test]
    fn halves_of_characters_are_replaced() {
        let whole = |text: &str| normalize::whole_characters(text.as_bytes());
        assert_eq!(whole(r#"{"x":"cut \ud83d"}"#).as_deref(), Some(r#"{"x":"cut \ufffd"}"#));
        for text in [r#"{"x":"\ud83d\ude00"}"#, r#"{"x":"\\ud83d"}"#, r#"{"x":"\u00e4"}"#, "{}"] {
            assert_eq!(whole(text), None, "{text}");
        }
    }

    #[test]
    fn copies_of_a_version_are_one() {
        for (value, meant) in [
            ("2025-11-25, 2025-11-25", "2025-11-25"),
            ("2025-06-18,2025-06-18 ,2025-06-18", "2025-06-18"),
            ("2025-11-25, 2026-07-28", "2025-11-25, 2026-07-28"),
            ("2025-11-25", "2025-11-25"),
        ] {
            let mut headers = HeaderMap::from_iter([(normalize::PROTOCOL_VERSION, value.parse().expect("a value"))]);
            normalize::headers(&mut headers);
            assert_eq!(headers[normalize::PROTOCOL_VERSION], meant);
        }
    }

    #[test]
    fn what_is_not_json_is_a_parse_error() {
        for bad in
            ["", "{nope", "{\"a\":1}x", "\u{feff}{}", "{'a':1}", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\""]
        {
            assert_eq!(code(bad), Some(PARSE_ERROR), "{bad:?}");
        }
        assert!(matches!(classify(b"{\"a\":\"\xff\"}"), Shape::Bad { code: PARSE_ERROR, .. }));
    }

    #[test]
    fn what_is_no_request_is_invalid() {
        let ids = ["null", "true", "1.5", "{}", "[1]", "99999999999999999999", "1e400"];
        for id in ids {
            let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
            assert_eq!(code(&body), Some(INVALID_REQUEST), "{body}");
        }
        let long = format!(r#"{{"jsonrpc":"2.0","id":"{}","method":"ping"}}"#, "x".repeat(MAXIMUM_ID));
        let bodies = [
            "[]",
            r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#,
            "17",
            "null",
            r#""text""#,
            r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#,
            r#"{"jsonrpc":2.0,"id":1,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":1}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":7}"#,
            r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#,
            &long,
        ];
        for body in bodies {
            assert_eq!(code(body), Some(INVALID_REQUEST), "{body}");
        }
    }

    #[test]
    fn without_jsonrpc_it_is_a_legacy_request() {
        assert_eq!(classify(br#"{"method":"GET","path":"/docs"}"#), Shape::Legacy);
        assert_eq!(classify(b"{}"), Shape::Legacy);
    }
}
