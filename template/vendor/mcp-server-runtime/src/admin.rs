//! The routes for operators' machines: `/metrics`, `/livez` and `/readyz`. They ask for no credentials, so they have a
//! listener of their own (`ADMIN_ADDR`), which is published nowhere.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use crate::exposition::Format;
use crate::handlers::status::Status;
use crate::middleware::errors;

/// The routes.
pub fn router(status: Arc<Status>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .fallback(async || errors::error(StatusCode::NOT_FOUND, "/metrics, /livez and /readyz are here"))
        .with_state(status)
}

/// `GET /metrics`: OpenMetrics, unless the scraper wants the older format.
async fn metrics(State(status): State<Arc<Status>>, headers: HeaderMap) -> Response {
    // For the state of each check: the answers count for a while, so a scraper asks nobody more often than that.
    let _ = status.readiness().report(&[]).await;
    status.metrics_page(Format::asked_for(&headers).unwrap_or(Format::OpenMetrics)).await.into_response()
}

/// `GET /livez`: the process answers. It asks nobody, so an outage elsewhere restarts nothing.
async fn livez() -> Response {
    Json(json!({"status": "ok"})).into_response()
}

/// `GET /readyz`: 200 where requests can be answered, 503 where not, and why. `?exclude=NAME` leaves a check out; it may be
/// there several times.
async fn readyz(State(status): State<Arc<Status>>, uri: Uri) -> Response {
    let query = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let excluded: Vec<_> = query.filter(|(name, _)| name == "exclude").map(|(_, value)| value.into_owned()).collect();
    let (ready, body) = status.readiness().report(&excluded).await;
    let code = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(body)).into_response()
}
