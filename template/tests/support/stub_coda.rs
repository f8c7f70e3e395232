//! A small Coda API: two documents with a table each. Used in process by the tests, and as a program by
//! `examples/stub_coda.rs`. Shapes follow the published description of the API.
#![allow(clippy::expect_used, reason = "tests may say what they expect")]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::{OriginalUri, Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

/// A running stub; it ends when the value is dropped.
pub struct StubCoda {
    address: SocketAddr,
    log: Log,
    task: tokio::task::JoinHandle<()>,
}

/// What the stub has seen, and the statuses that it answers with before it answers well.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<(Vec<Seen>, Vec<u16>)>>);

/// A request: its path with the query, and the value of `Authorization`.
#[derive(Debug, Clone)]
pub struct Seen {
    pub uri: String,
    pub authorization: String,
}

impl StubCoda {
    /// Starts on a free port of loopback.
    pub async fn start() -> Self {
        Self::start_on(0).await.expect("a port")
    }

    /// Starts on this port of loopback.
    pub async fn start_on(port: u16) -> std::io::Result<Self> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
        let (address, log) = (listener.local_addr()?, Log::default());
        let api = Router::new()
            .route("/whoami", get(|| async { Json(json!({"name": "Demo Account", "loginId": "demo@example.com"})) }))
            .route("/docs", get(docs))
            .route("/docs/{doc}", get(doc))
            .route("/docs/{doc}/tables", get(tables))
            .route("/docs/{doc}/tables/{table}/rows", get(rows))
            .layer(from_fn_with_state(log.clone(), watch));
        let app = Router::new().nest("/apis/v1", api);
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self { address, log, task })
    }

    /// The address for `CODA_API_BASE`.
    pub fn base(&self) -> String {
        format!("http://{}/apis/v1", self.address)
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.log.0.lock().expect("not poisoned").0.clone()
    }

    /// The next requests are answered with these statuses.
    pub fn fail_next(&self, statuses: &[u16]) {
        self.log.0.lock().expect("not poisoned").1.extend(statuses);
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

async fn watch(State(log): State<Log>, OriginalUri(uri): OriginalUri, request: Request, next: Next) -> Response {
    let authorization = request.headers().get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let seen = Seen { uri: uri.to_string(), authorization: authorization.to_owned() };
    let fault = {
        let mut log = log.0.lock().expect("not poisoned");
        log.0.push(seen);
        if log.1.is_empty() { None } else { Some(log.1.remove(0)) }
    };
    match fault {
        Some(status) => error(status),
        None => next.run(request).await,
    }
}

fn error(status: u16) -> Response {
    let status = StatusCode::from_u16(status).expect("a status");
    (status, Json(json!({"statusCode": status.as_u16(), "message": "the stub was asked to"}))).into_response()
}

const DOCS: [(&str, &str); 2] = [("AbCDeFGH01", "Product roadmap"), ("AbCDeFGH02", "Team handbook")];

async fn docs(Query(query): Query<HashMap<String, String>>) -> Json<Value> {
    let wanted = query.get("query").map(|q| q.to_lowercase()).unwrap_or_default();
    let found = DOCS.iter().filter(|(_, name)| name.to_lowercase().contains(&wanted));
    page(found.map(|(id, name)| json!({"id": id, "type": "doc", "name": name})).collect(), &query)
}

async fn doc(Path(id): Path<String>) -> Response {
    match DOCS.iter().find(|(known, _)| *known == id) {
        Some((id, name)) => Json(json!({"id": id, "type": "doc", "name": name})).into_response(),
        None => error(404),
    }
}

async fn tables(Query(query): Query<HashMap<String, String>>) -> Json<Value> {
    page(vec![json!({"id": "grid-tasks", "type": "table", "name": "Tasks"})], &query)
}

async fn rows(Query(query): Query<HashMap<String, String>>) -> Json<Value> {
    let row = |n| json!({"id": format!("i-{n}"), "name": format!("Row {n}"), "values": {"Task": format!("Task {n}")}});
    page((1..=250).map(row).collect(), &query)
}

/// At most `limit` of the items from `pageToken` on, and the token for the rest.
fn page(items: Vec<Value>, query: &HashMap<String, String>) -> Json<Value> {
    let number = |name: &str| query.get(name).and_then(|n| n.trim_start_matches("from-").parse::<usize>().ok());
    let (from, limit) = (number("pageToken").unwrap_or(0), number("limit").unwrap_or(25).min(100));
    let next = (from + limit < items.len()).then(|| format!("from-{}", from + limit));
    let items: Vec<_> = items.into_iter().skip(from).take(limit).collect();
    Json(json!({"items": items, "nextPageToken": next}))
}
