//! One id for everything that is said about a request: in its log lines, and in the header `x-request-id` of the answer.
//!
//! It is that of the caller or of a proxy in front where they sent a plain one, so that lines of several programs can be
//! put side by side; otherwise a new one.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use tower::{Layer, Service};

use crate::metrics::Metrics;
use crate::middleware::errors;
use crate::panics;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Longer ones are not taken over: they would be in every line.
const LONGEST: usize = 64;

tokio::task_local! {
    static CURRENT: HeaderValue;
}

/// The id of the request that this task is working on, if it is working on one.
#[must_use]
pub fn current() -> Option<HeaderValue> {
    CURRENT.try_with(HeaderValue::clone).ok()
}

/// The id of a request, in its extensions.
#[derive(Debug, Clone)]
pub struct RequestId(HeaderValue);

/// Does the work for the request of this id, in whatever task that is.
pub async fn scope<F: Future>(id: Option<RequestId>, work: F) -> F::Output {
    match id {
        Some(RequestId(id)) => CURRENT.scope(id, work).await,
        None => work.await,
    }
}

/// Letters, digits and `._-` only: safe in a log line and in JSON as it is.
fn plain(value: &HeaderValue) -> bool {
    let allowed = |b: &u8| b.is_ascii_alphanumeric() || b"._-".contains(b);
    (1..=LONGEST).contains(&value.len()) && value.as_bytes().iter().all(allowed)
}

/// The size of the head as it came, but for white space: request line, and a line for each field.
fn head_bytes(request: &Request) -> usize {
    let line = request.method().as_str().len() + request.uri().path().len() + request.uri().query().map_or(0, str::len);
    let fields = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    fields.sum::<usize>() + line
}

fn too_large(most: usize) -> Response {
    let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    let mut response = errors::error(status, &format!("the head is larger than {most} bytes"));
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Makes ids that no other process makes, by a random beginning, and none twice, by counting.
#[derive(Debug)]
struct Ids {
    beginning: u32,
    count: AtomicU64,
}

impl Ids {
    fn next(&self) -> HeaderValue {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let id = format!("{:08x}-{count:06x}", self.beginning);
        // Digits, letters and a hyphen are always a header's value.
        HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static("-"))
    }
}

/// Gives every request its id, answers with 500 where the work on it panics, and counts the answers: the outermost layer.
#[derive(Debug, Clone)]
pub struct RequestIdLayer {
    ids: Arc<Ids>,
    head_bytes: usize,
    metrics: Arc<Metrics>,
}

impl RequestIdLayer {
    /// Heads are no larger than this; answers are counted in `metrics`.
    #[must_use]
    pub fn new(head_bytes: usize, metrics: Arc<Metrics>) -> Self {
        let ids = Ids { beginning: fastrand::u32(..), count: AtomicU64::new(1) };
        Self { ids: Arc::new(ids), head_bytes, metrics }
    }
}

impl<S> Layer<S> for RequestIdLayer {
    type Service = RequestIds<S>;

    fn layer(&self, inner: S) -> RequestIds<S> {
        RequestIds { inner, layer: self.clone() }
    }
}

/// A service behind [`RequestIdLayer`].
#[derive(Debug, Clone)]
pub struct RequestIds<S> {
    inner: S,
    layer: RequestIdLayer,
}

impl<S> Service<Request> for RequestIds<S>
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send + 'static>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let mut given = request.headers().get_all(HEADER).iter();
        let id = match (given.next(), given.next()) {
            (Some(id), None) if plain(id) => id.clone(),
            _ => self.layer.ids.next(),
        };
        let metrics = Arc::clone(&self.layer.metrics);
        let of_mcp = errors::is_of_mcp(&request);
        request.extensions_mut().insert(RequestId(id.clone()));
        // hyper refuses what does not end within its buffer, and takes a head that ends with the read that overfills it.
        let most = self.layer.head_bytes;
        let answer = (head_bytes(&request) <= most).then(|| {
            // Services do a part of their work before there is a future: it has the id, too.
            let answer = CURRENT.sync_scope(id.clone(), || self.inner.call(request));
            panics::catch(CURRENT.scope(id.clone(), answer))
        });
        Box::pin(async move {
            let mut response = match answer {
                None => too_large(most),
                Some(answer) => answer.await.unwrap_or_else(|panics::Panicked| {
                    metrics.panicked();
                    Ok(errors::error(StatusCode::INTERNAL_SERVER_ERROR, "the server failed; its log says where"))
                })?,
            };
            if errors::is_error(&response) {
                response = Box::pin(errors::described(response, of_mcp)).await;
            }
            metrics.answered(response.status());
            response.headers_mut().insert(HEADER, id);
            Ok(response)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_ids_are_taken_over() {
        let long = "a".repeat(65);
        for (value, taken) in [
            ("3f2b-1.x_Y", true),
            (&long[..64], true),
            (&long[..], false),
            ("", false),
            ("a b", false),
            ("a\"b", false),
            ("[WARN]", false),
        ] {
            assert_eq!(HeaderValue::from_str(value).is_ok_and(|value| plain(&value)), taken, "{value}");
        }
    }

    #[test]
    fn new_ids_are_plain_and_differ() {
        let ids = Ids { beginning: 7, count: AtomicU64::new(1) };
        let (one, two) = (ids.next(), ids.next());
        assert_eq!((one.to_str().ok(), two.to_str().ok()), (Some("00000007-000001"), Some("00000007-000002")));
        assert!(plain(&one));
    }

    #[tokio::test]
    async fn there_is_one_inside_of_a_request_only() {
        assert_eq!(current(), None);
        let id = HeaderValue::from_static("x1");
        assert_eq!(CURRENT.scope(id.clone(), async { current() }).await, Some(id));
    }
}
