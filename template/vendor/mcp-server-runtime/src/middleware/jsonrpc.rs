//! Classifies the body of a request: a JSON-RPC message for rmcp, one of the older proxy, or none of them.
//!
//! rmcp answers malformed JSON, batches and bad ids with 415 and plain text; clients expect a JSON-RPC error
//! (JSON-RPC 2.0 §5.1; batches were removed in MCP 2025-06-18).

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::normalize;

/// JSON-RPC 2.0 §5.1.
pub(super) const PARSE_ERROR: i32 = -32700;
pub(super) const INVALID_REQUEST: i32 = -32600;
pub(super) const INVALID_PARAMS: i32 = -32602;

/// The longest id, in bytes. No client sends longer ones, and they would only be sent back.
const MAXIMUM_ID: usize = 1024;

/// The kind of a body.
#[derive(Debug, PartialEq)]
pub(super) enum Shape {
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

/// Returns the kind of this body.
pub(super) fn classify(body: &[u8]) -> Shape {
    let bad = |code, message| Shape::Bad { code, message, id: Value::Null };
    // Checked for the whole body at once: members that are skipped would not be.
    let Ok(body) = std::str::from_utf8(body) else { return bad(PARSE_ERROR, "the body is not UTF-8") };
    let first = body.bytes().find(|b| !b.is_ascii_whitespace());
    let envelope: Envelope<'_> = match serde_json::from_str(body) {
        Ok(envelope) if first == Some(b'{') => envelope,
        // A well-formed array is a batch; anything else that is well-formed is no object.
        Ok(_) => return bad(INVALID_REQUEST, "batches are not supported: send one request"),
        Err(error) if error.is_data() && first == Some(b'{') => {
            let id = self::id(body.as_bytes()).unwrap_or_default();
            return Shape::Bad { code: INVALID_REQUEST, message: "a member of the request is there twice", id };
        }
        Err(_) => {
            return match serde_json::from_str::<serde::de::IgnoredAny>(body) {
                Ok(_) if first == Some(b'[') => bad(INVALID_REQUEST, "batches are not supported: send one request"),
                Ok(_) => bad(INVALID_REQUEST, "the request is not an object"),
                // A proxy has lost it, most likely: cloudflared does without Content-Length (cloudflare/cloudflared#1485).
                Err(_) if first.is_none() => bad(PARSE_ERROR, "the body is empty"),
                Err(_) => bad(PARSE_ERROR, "the body is not JSON"),
            };
        }
    };
    if envelope.jsonrpc.is_none() {
        return Shape::Legacy;
    }
    // Whatever its id is: that of an error may be null (JSON-RPC 2.0 §5).
    if envelope.method.is_none() && (envelope.result.is_some() || envelope.error.is_some()) {
        return Shape::Response;
    }
    let id = match envelope.id.map(|raw| valid_id(raw.get())) {
        None => None,
        // Only what has no answer is called so, and null is no id that one could have.
        Some(None) if envelope.id.is_some_and(|id| id.get() == "null") && is_notification(envelope.method) => None,
        Some(Some(id)) => Some(id),
        Some(None) => return bad(INVALID_REQUEST, "id must be a string or a whole number of 64 bits"),
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
        None => bad("method is missing"),
    }
}

fn is_notification(method: Option<&RawValue>) -> bool {
    method.is_some_and(|method| method.get().starts_with("\"notifications/"))
}

/// The id of the request in a body that is not read any further, where it has one and no other.
pub(super) fn id(body: &[u8]) -> Option<Value> {
    #[derive(Deserialize)]
    struct Identified<'a> {
        #[serde(borrow)]
        id: &'a RawValue,
    }
    let Identified { id } = serde_json::from_slice(body).ok()?;
    valid_id(id.get())
}

/// The method of the message in a body, where it has one and no other.
pub(super) fn method(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        method: String,
    }
    serde_json::from_slice(body).ok().map(|Named { method }| method)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn code(body: &str) -> Option<i32> {
        match classify(body.as_bytes()) {
            Shape::Bad { code, .. } => Some(code),
            _ => None,
        }
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
    fn a_notification_with_null_for_an_id_is_one() {
        let message = |id: &str, method: &str| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}"}}"#);
        let notification = Shape::Message { id: None, instead: None };
        assert_eq!(classify(message("null", "notifications/initialized").as_bytes()), notification);
        assert_eq!(code(&message("null", "tools/list")), Some(INVALID_REQUEST));
        assert_eq!(code(&message("true", "notifications/initialized")), Some(INVALID_REQUEST));
    }

    #[test]
    fn what_is_not_json_is_a_parse_error() {
        for bad in [
            "",
            "{nope",
            "{\"a\":1}x",
            "{}\u{feff}",
            "\u{feff}\u{feff}{}",
            "{'a':1}",
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\"",
        ] {
            assert_eq!(code(bad), Some(PARSE_ERROR), "{bad:?}");
        }
        assert!(matches!(classify(b"{\"a\":\"\xff\"}"), Shape::Bad { code: PARSE_ERROR, .. }));
        for (body, reason) in [("", "the body is empty"), (" \r\n", "the body is empty"), ("x", "the body is not JSON")]
        {
            assert!(matches!(classify(body.as_bytes()), Shape::Bad { message, .. } if message == reason), "{body:?}");
        }
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
