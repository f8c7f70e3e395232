//! How many requests at once, and how long each may take.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::config::Limits;
use crate::metrics::{Metrics, Refusal};

/// The places for requests, and the time each has.
#[derive(Debug)]
pub struct Gate {
    places: Semaphore,
    timeout: Duration,
    metrics: Arc<Metrics>,
}

impl Gate {
    /// A gate with the limits' number of places.
    #[must_use]
    pub fn new(limits: &Limits, metrics: Arc<Metrics>) -> Self {
        Self { places: Semaphore::new(limits.concurrent_requests), timeout: limits.request_timeout, metrics }
    }
}

/// How far a request has come: a client that is slow gets another answer than a server that is.
#[derive(Debug, Default)]
pub struct Progress {
    body_arrived: AtomicBool,
}

impl Progress {
    /// The body is here; what takes time from now on is ours.
    pub fn body_arrived(&self) {
        self.body_arrived.store(true, Ordering::Relaxed);
    }
}

impl Gate {
    /// Takes a place or answers 503 at once: a queue would only make every caller wait. When the time is up it answers 408
    /// where the body did not arrive, 504 where the answer is not ready.
    pub async fn pass(&self, progress: &Progress, work: impl Future<Output = Response>) -> Response {
        let Ok(_place) = self.places.try_acquire() else {
            self.metrics.refused(Refusal::Overloaded);
            tracing::warn!("Request refused with 503: too many at once (MAX_CONCURRENT_REQUESTS)");
            let mut response = error(StatusCode::SERVICE_UNAVAILABLE, "too many requests at once; try again");
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            return response;
        };
        match tokio::time::timeout(self.timeout, work).await {
            Ok(response) => response,
            Err(_) => {
                self.metrics.refused(Refusal::Timeout);
                if !progress.body_arrived.load(Ordering::Relaxed) {
                    let mut response = error(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time");
                    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                    return response;
                }
                tracing::warn!("Request answered with 504: not ready in {} s", self.timeout.as_secs());
                error(StatusCode::GATEWAY_TIMEOUT, "the answer was not ready in time")
            }
        }
    }
}

fn error(status: StatusCode, message: &str) -> Response {
    let reason = status.canonical_reason().unwrap_or("error").to_lowercase();
    (status, Json(json!({"error": reason, "message": message}))).into_response()
}
