//! A Coda API of one's own: sample documents, pagination, and every fault that the real one can have.
//!
//! Shapes follow the published description of the API. Projects come with a smaller one.
#![allow(clippy::expect_used, reason = "tests may say what they expect")]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

/// A request that the stub has seen: path with query, and the values of `Authorization` and `traceparent`.
#[derive(Debug, Clone)]
pub struct Seen {
    pub uri: String,
    pub authorization: String,
    pub traceparent: String,
}

/// What the stub does instead of answering.
#[derive(Debug, Clone)]
pub enum Fault {
    /// This status, with `Retry-After` where one is given.
    Status(u16, Option<u64>),
    /// 429 with this `Retry-After`.
    RetryAfter(&'static str),
    /// A list of so many items with so many bytes each, whatever was asked for, and a token where there are more.
    Items { count: usize, bytes: usize, more: bool },
    /// This body.
    Body(&'static str),
    /// A body in this content coding, with this status.
    Coded(&'static str, u16),
    /// An object with so many levels of lists in it.
    Nested(usize),
    /// The normal answer, so much later.
    Late(Duration),
    /// A body that ends in the middle.
    Truncated,
    /// No answer for an hour.
    Hang,
    /// Lists whose `nextPageToken` never ends.
    Endless,
}

#[derive(Default)]
struct Shared {
    seen: Vec<Seen>,
    /// Taken from the front, one a request; `None` answers normally.
    faults: Vec<Option<Fault>>,
    /// For every request once `faults` is empty.
    always: Option<Fault>,
}

/// A running stub; it ends when the value is dropped.
pub struct StubCoda {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    task: tokio::task::JoinHandle<()>,
}

impl StubCoda {
    /// Starts on a free port of loopback.
    pub async fn start() -> Self {
        Self::start_on(0).await.expect("a port")
    }

    /// Starts on this port of loopback.
    pub async fn start_on(port: u16) -> std::io::Result<Self> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Mutex::new(Shared::default()));
        let app = app(Arc::clone(&shared));
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self { address, shared, task })
    }

    /// The address for `CODA_API_BASE`.
    pub fn base(&self) -> String {
        format!("http://{}/apis/v1", self.address)
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.lock().expect("not poisoned").seen.clone()
    }

    /// The next requests meet these faults, in order; `None` is a normal answer.
    pub fn fail_next(&self, faults: impl IntoIterator<Item = Option<Fault>>) {
        self.shared.lock().expect("not poisoned").faults.extend(faults);
    }

    /// Every request meets this fault from now on.
    pub fn fail_always(&self, fault: Fault) {
        self.shared.lock().expect("not poisoned").always = Some(fault);
    }

    /// Serves until the process ends.
    pub async fn wait(mut self) {
        let _ = (&mut self.task).await;
    }
}

impl Drop for StubCoda {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Stub = Arc<Mutex<Shared>>;

fn app(shared: Stub) -> Router {
    let api = Router::new()
        .route("/whoami", get(whoami))
        .route("/docs", get(docs))
        .route("/docs/{doc}", get(doc))
        .route("/docs/{doc}/tables", get(tables))
        .route("/docs/{doc}/tables/{table}/rows", get(rows))
        .layer(axum::middleware::from_fn_with_state(shared, faults));
    Router::new().nest("/apis/v1", api).fallback(|| async { error(404, "Not Found") })
}

async fn faults(State(shared): State<Stub>, request: axum::extract::Request, next: axum::middleware::Next) -> Response {
    let seen = {
        let headers = request.headers();
        let value = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        let (authorization, traceparent) = (value("authorization"), value("traceparent"));
        Seen { uri: original_uri(&request), authorization, traceparent }
    };
    let authorized = seen.authorization.starts_with("Bearer ");
    let fault = {
        let mut shared = shared.lock().expect("not poisoned");
        shared.seen.push(seen);
        if shared.faults.is_empty() { shared.always.clone() } else { shared.faults.remove(0) }
    };
    if !authorized {
        return error(401, "Unauthorized");
    }
    match fault {
        None => next.run(request).await,
        Some(Fault::Status(status, retry_after)) => {
            let mut response = error(status, "the stub was asked to");
            if let Some(seconds) = retry_after {
                response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            }
            response
        }
        Some(Fault::RetryAfter(value)) => {
            let mut response = error(429, "the stub was asked to");
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(value));
            response
        }
        Some(Fault::Items { count, bytes, more }) => {
            let items = vec![json!({"id": "x", "name": "x".repeat(bytes)}); count];
            let next = more.then(|| fastrand::u64(..).to_string());
            Json(json!({"items": items, "nextPageToken": next})).into_response()
        }
        Some(Fault::Body(body)) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Some(Fault::Coded(coding, status)) => {
            let status = StatusCode::from_u16(status).expect("a status");
            let headers = [(header::CONTENT_TYPE, "application/json"), (header::CONTENT_ENCODING, coding)];
            (status, headers, &b"\x1f\x8b\x08\0\0\0\0\0"[..]).into_response()
        }
        Some(Fault::Nested(levels)) => {
            let body = format!(r#"{{"items":[],"x":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
            ([(header::CONTENT_TYPE, "application/json")], body).into_response()
        }
        Some(Fault::Late(time)) => {
            tokio::time::sleep(time).await;
            next.run(request).await
        }
        Some(Fault::Truncated) => {
            ([(header::CONTENT_TYPE, "application/json")], "{\"items\":[{\"id\":").into_response()
        }
        Some(Fault::Hang) => {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            error(500, "unreachable")
        }
        Some(Fault::Endless) => {
            Json(json!({"items": [{"id": "x"}], "nextPageToken": format!("{}", fastrand::u64(..))})).into_response()
        }
    }
}

fn original_uri(request: &axum::extract::Request) -> String {
    let uri = request.extensions().get::<axum::extract::OriginalUri>().map_or(request.uri(), |o| &o.0);
    uri.path_and_query().map_or_else(String::new, ToString::to_string)
}

fn error(status: u16, message: &str) -> Response {
    let code = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let reason = code.canonical_reason().unwrap_or("Error");
    (code, Json(json!({"statusCode": status, "statusMessage": reason, "message": message}))).into_response()
}

const DOCS: [(&str, &str); 7] = [
    ("AbCDeFGH01", "Product roadmap"),
    ("AbCDeFGH02", "Team handbook"),
    ("AbCDeFGH03", "Launch checklist"),
    ("AbCDeFGH04", "Meeting notes"),
    ("AbCDeFGH05", "Customer interviews"),
    ("AbCDeFGH06", "Hiring pipeline"),
    ("AbCDeFGH07", "Quarterly goals"),
];

fn doc_object(id: &str, name: &str) -> Value {
    json!({
        "id": id, "type": "doc", "href": format!("https://coda.io/apis/v1/docs/{id}"),
        "browserLink": format!("https://coda.io/d/_d{id}"), "name": name,
        "owner": "demo@example.com", "ownerName": "Demo Account",
        "docSize": {"totalRowCount": 3, "tableAndViewCount": 2, "pageCount": 1, "overApiSizeLimit": false},
        "createdAt": "2026-01-05T09:00:00.000Z", "updatedAt": "2026-02-11T14:30:00.000Z",
        "folder": {"id": "fl-1", "type": "folder", "browserLink": "https://coda.io/docs?folderId=fl-1", "name": "Demo"},
        "workspace": {"id": "ws-1", "type": "workspace", "browserLink": "https://coda.io/docs?workspaceId=ws-1", "name": "Demo"},
    })
}

async fn whoami() -> Json<Value> {
    Json(json!({
        "name": "Demo Account", "loginId": "demo@example.com", "type": "user", "scoped": false, "tokenName": "demo",
        "href": "https://coda.io/apis/v1/whoami",
        "workspace": {"id": "ws-1", "type": "workspace", "browserLink": "https://coda.io/docs?workspaceId=ws-1"},
    }))
}

async fn docs(Query(query): Query<HashMap<String, String>>) -> Response {
    let wanted = query.get("query").map(|q| q.to_lowercase()).unwrap_or_default();
    let all = DOCS.iter().filter(|(_, name)| name.to_lowercase().contains(&wanted));
    page(all.map(|(id, name)| doc_object(id, name)).collect(), &query)
}

async fn doc(Path(id): Path<String>) -> Response {
    match DOCS.iter().find(|(known, _)| *known == id) {
        Some((id, name)) => Json(doc_object(id, name)).into_response(),
        None => error(404, &format!("Could not find a doc with the specified id: {id}")),
    }
}

async fn tables(Path(id): Path<String>, Query(query): Query<HashMap<String, String>>) -> Response {
    if !DOCS.iter().any(|(known, _)| *known == id) {
        return error(404, "Could not find a doc with the specified id");
    }
    let table = |table: &str, name: &str| {
        json!({
            "id": table, "type": "table", "tableType": "table", "name": name,
            "href": format!("https://coda.io/apis/v1/docs/{id}/tables/{table}"),
            "browserLink": format!("https://coda.io/d/_d{id}#{table}"),
            "parent": {"id": "canvas-1", "type": "page", "name": "Start"},
        })
    };
    page(vec![table("grid-tasks", "Tasks"), table("grid-people", "People")], &query)
}

async fn rows(Path((doc, table)): Path<(String, String)>, Query(query): Query<HashMap<String, String>>) -> Response {
    if !DOCS.iter().any(|(known, _)| *known == doc) || !table.starts_with("grid-") {
        return error(404, "Could not find a table with the specified id");
    }
    let row = |n: usize| {
        json!({
            "id": format!("i-{n}"), "type": "row", "name": format!("Row {n}"), "index": n,
            "href": format!("https://coda.io/apis/v1/docs/{doc}/tables/{table}/rows/i-{n}"),
            "browserLink": format!("https://coda.io/d/_d{doc}#{table}/r{n}"),
            "createdAt": "2026-01-05T09:00:00.000Z", "updatedAt": "2026-02-11T14:30:00.000Z",
            "values": {"Task": format!("Task {n}"), "Done": n.is_multiple_of(2)},
        })
    };
    page((1..=250).map(row).collect(), &query)
}

/// One page: `limit` items from the place that `pageToken` names.
fn page(all: Vec<Value>, query: &HashMap<String, String>) -> Response {
    let limit = query.get("limit").map_or(Some(25), |l| l.parse().ok()).filter(|l| (1..=500).contains(l));
    let start = query.get("pageToken").map_or(Some(0), |t| t.strip_prefix("from-")?.parse::<usize>().ok());
    let (Some(limit), Some(start)) = (limit, start) else { return error(400, "limit or pageToken is invalid") };
    let end = all.len().min(start + limit);
    let mut answer = json!({"items": all.get(start..end).unwrap_or_default(), "href": "https://coda.io/apis/v1/docs"});
    if end < all.len() {
        answer["nextPageToken"] = json!(format!("from-{end}"));
        answer["nextPageLink"] = json!(format!("https://coda.io/apis/v1/docs?pageToken=from-{end}"));
    }
    Json(answer).into_response()
}
