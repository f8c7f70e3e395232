//! Requests of clients from before MCP: `{"method":"GET","path":"/docs","query":{…}}` → the Coda API's answer.
//!
//! Only GET, and only the resources that the tools read. `LEGACY_PROXY=off` switches it off.

use axum::body::Bytes;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use mcp_server_runtime::{caller, metrics, token, tool_call, upstream};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::coda::{self, Coda, CodaError, checked_id};

/// The service for requests without `jsonrpc`.
pub fn router() -> Router {
    Router::new().fallback(answer)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LegacyRequest {
    method: String,
    path: String,
    #[serde(default)]
    query: Map<String, Value>,
}

/// What a legacy request is refused with, before Coda hears of it.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(
        "not a request: neither JSON-RPC (no jsonrpc) nor {{\"method\": \"GET\", \"path\": \"/docs\", \"query\": {{}}}}"
    )]
    Shape,
    #[error("only GET is served")]
    Method,
    #[error("only /whoami, /docs, /docs/ID, /docs/ID/tables and /docs/ID/tables/ID/rows are served")]
    Resource,
    #[error("{0}")]
    Id(#[from] CodaError),
    #[error("query values must be strings, numbers or booleans")]
    Query,
}

impl Refused {
    fn status(&self) -> StatusCode {
        match self {
            Self::Method | Self::Resource => StatusCode::FORBIDDEN,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

async fn answer(parts: Parts, body: Bytes) -> Response {
    let request = match parse(&body) {
        Ok(request) => request,
        Err(refused) => return error(refused.status(), &refused.to_string()),
    };
    // Who may not call the tool may not have its answer in this form either.
    let call = match tool_call(&parts, request.tool) {
        Ok(call) => call,
        Err(refused) => return refused.into_response(),
    };
    let (coda, user, token) = match (upstream::<Coda>(&parts), caller(&parts), token(&parts, coda::TOKEN).await) {
        (Ok(coda), Ok(user), Ok(token)) => (coda, user, token),
        (Err(message), ..) | (_, Err(message), _) | (.., Err(message)) => {
            return error(StatusCode::SERVICE_UNAVAILABLE, &message);
        }
    };
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    let query: Vec<(&str, String)> = request.query.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    let answer = coda.call(user, token).counted(metrics(&parts)).object(&segments, &query).await;
    call.finish(if answer.is_ok() { "ok" } else { "tool error" });
    match answer {
        Ok(object) => Json(object).into_response(),
        Err(failure) => error(status_of(&failure), &failure.to_string()),
    }
}

#[derive(Debug, PartialEq)]
struct Parsed {
    /// The tool that gives the same answer.
    tool: &'static str,
    segments: Vec<String>,
    query: Vec<(String, String)>,
}

fn parse(body: &[u8]) -> Result<Parsed, Refused> {
    let request: LegacyRequest = serde_json::from_slice(body).map_err(|_| Refused::Shape)?;
    if !request.method.eq_ignore_ascii_case("GET") {
        return Err(Refused::Method);
    }
    let path = request.path.strip_prefix('/').ok_or(Refused::Resource)?;
    // The path is split as it stands and never decoded: `%2f` and `..` stay what they are, parts of an id.
    let segments: Vec<&str> = path.split('/').collect();
    let tool = match segments.as_slice() {
        ["whoami"] => "get_whoami",
        ["docs"] => "list_docs",
        ["docs", doc] => checked_id("the document's id", doc).map(|_| "get_doc")?,
        ["docs", doc, "tables"] => checked_id("the document's id", doc).map(|_| "list_tables")?,
        ["docs", doc, "tables", table, "rows"] => {
            checked_id("the document's id", doc)?;
            checked_id("the table's id", table).map(|_| "list_rows")?
        }
        _ => return Err(Refused::Resource),
    };
    let query = request.query.into_iter().map(|(name, value)| match value {
        Value::String(text) => Ok((name, text)),
        Value::Number(number) => Ok((name, number.to_string())),
        Value::Bool(flag) => Ok((name, flag.to_string())),
        _ => Err(Refused::Query),
    });
    let segments = segments.into_iter().map(str::to_owned).collect();
    Ok(Parsed { tool, segments, query: query.collect::<Result<_, _>>()? })
}

/// The API's own status where the caller can act upon it; its troubles with us are ours.
fn status_of(failure: &CodaError) -> StatusCode {
    match failure {
        CodaError::BadId(_) => StatusCode::BAD_REQUEST,
        CodaError::Forbidden(_) => StatusCode::FORBIDDEN,
        CodaError::NotFound(_) => StatusCode::NOT_FOUND,
        CodaError::Refused(status, _) => StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_REQUEST),
        CodaError::RateLimited(_) | CodaError::Queued(_) | CodaError::Busy => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_GATEWAY,
    }
}

fn error(status: StatusCode, message: &str) -> Response {
    let reason = status.canonical_reason().unwrap_or("error").to_lowercase();
    (status, Json(json!({"error": reason, "message": message}))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(body: &str) -> Option<u16> {
        parse(body.as_bytes()).err().map(|refused| refused.status().as_u16())
    }

    #[test]
    fn the_resources_of_the_tools_are_served() {
        for path in ["/whoami", "/docs", "/docs/AbC", "/docs/AbC/tables", "/docs/AbC/tables/grid-1/rows"] {
            assert_eq!(status(&json!({"method": "GET", "path": path}).to_string()), None, "{path}");
        }
        let parsed = parse(br#"{"method":"get","path":"/docs","query":{"limit":3,"isOwner":true,"query":"a"}}"#);
        let query = [("limit", "3"), ("isOwner", "true"), ("query", "a")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        let mut got = parsed.expect("a request").query;
        got.sort();
        let mut query = query.to_vec();
        query.sort();
        assert_eq!(got, query);
    }

    #[test]
    fn everything_else_is_refused() {
        assert_eq!(status("{}"), Some(400));
        assert_eq!(status(r#"{"method":"GET","path":"/docs","x":1}"#), Some(400));
        assert_eq!(status(r#"{"method":"GET","path":"/docs","query":{"a":[1]}}"#), Some(400));
        assert_eq!(status(r#"{"method":"DELETE","path":"/docs/AbC"}"#), Some(403));
        for path in [
            "",
            "docs",
            "/",
            "/docs/",
            "//docs",
            "/docs/..",
            "/docs/../whoami",
            "/docs/a/tables/b",
            "/acl",
            "/docs/a/b/c",
        ] {
            let code = status(&json!({"method": "GET", "path": path}).to_string());
            assert!(matches!(code, Some(400 | 403)), "{path}: {code:?}");
        }
    }
}
