//! The current phase of a connection: its stream sees bytes only, its service requests only.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::{HeaderValue, Request, Response, header};
use hyper::body::{Body, Frame, SizeHint};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use tokio::sync::Notify;
use tokio::time::Instant;

/// The client's time for each phase.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// For the head of a request, from its first byte on, and from the beginning of the connection.
    pub(super) head: Duration,
    /// Between requests. Longer than proxies keep connections, so that the proxies close them: a request that is on its
    /// way while we close is lost (cloudflared keeps 90 s, AWS's load balancers and nginx 60 s, Caddy 2 minutes, Google's load
    /// balancers 10 minutes, which cannot be changed). Where all places are taken, an idle connection makes room much sooner.
    pub(super) idle: Duration,
    /// To take a part of an answer.
    pub(super) write: Duration,
    /// To send the rest of a body that was refused, before the connection is cut.
    pub(super) drain: Duration,
    /// For its answer, once the client sends no more. It may have shut down its half of the connection (RFC 9293 §3.6), as
    /// `nc -N` does, or be gone: the two look the same, and work for a client that is gone takes from the others.
    pub(super) half_closed: Duration,
}

impl Default for Times {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { head: seconds(30), idle: seconds(650), write: seconds(60), drain: seconds(30), half_closed: seconds(1) }
    }
}

/// A connection that is older ends with its next answer.
const MAXIMUM_AGE: Duration = Duration::from_secs(3600);

/// The phase of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// No byte has come yet.
    New = 0,
    /// The head of a request is arriving.
    Head = 1,
    /// A request is in progress.
    Request = 2,
    /// The last request is answered.
    Idle = 3,
}

/// The phase of one connection, shared by its stream and its service.
#[derive(Debug, Clone, Default)]
pub(super) struct Phases(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    phase: AtomicU8,
    /// A body was given up before its end.
    unread: AtomicBool,
    begun: Instant,
    /// The beginning of the client's time for the phase, in milliseconds from the start of the connection.
    since: AtomicU64,
    /// The place of the connection is wanted for another.
    wanted: Notify,
}

impl Default for Shared {
    fn default() -> Self {
        let (phase, unread, since) = (AtomicU8::new(Phase::New as u8), AtomicBool::new(false), AtomicU64::new(0));
        Self { phase, unread, begun: Instant::now(), since, wanted: Notify::new() }
    }
}

impl Phases {
    pub(super) fn get(&self) -> Phase {
        match self.0.phase.load(Ordering::Relaxed) {
            0 => Phase::New,
            1 => Phase::Head,
            2 => Phase::Request,
            _ => Phase::Idle,
        }
    }

    pub(super) fn set(&self, phase: Phase) {
        self.0.phase.store(phase as u8, Ordering::Relaxed);
        self.touch();
    }

    /// Records progress of the client: its time for the phase begins again.
    pub(super) fn touch(&self) {
        let since = u64::try_from(self.0.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.since.store(since, Ordering::Relaxed);
    }

    /// Returns the beginning of the client's time for the phase.
    pub(super) fn since(&self) -> Instant {
        self.0.begun + Duration::from_millis(self.0.since.load(Ordering::Relaxed))
    }

    /// Returns how long the client has taken for the phase.
    pub(super) fn elapsed(&self) -> Duration {
        self.since().elapsed()
    }

    /// Asks the connection to end, because another one needs its place.
    pub(super) fn give_up(&self) {
        self.0.wanted.notify_one();
    }

    /// Resolves when the connection is asked to end and nothing has been under way on it for so long.
    pub(super) async fn given_up(&self, quiet: Duration) {
        loop {
            self.0.wanted.notified().await;
            // A request may have come in between, or have been answered just now.
            if self.get() != Phase::Request && self.elapsed() >= quiet {
                return;
            }
        }
    }

    /// Returns whether the client may still be sending bytes that nothing reads.
    pub(super) fn has_unread(&self) -> bool {
        self.0.unread.load(Ordering::Relaxed) || self.get() == Phase::Head
    }
}

/// A service that records when a request is in progress.
#[derive(Debug, Clone)]
pub(super) struct Watched<S> {
    inner: TowerToHyperService<S>,
    phases: Phases,
    since: Instant,
    ending: Arc<AtomicBool>,
}

impl<S> Watched<S> {
    /// `ending` is set when the server ends: each connection does so with its next answer.
    pub(super) fn new(inner: S, phases: Phases, ending: Arc<AtomicBool>) -> Self {
        Self { inner: TowerToHyperService::new(inner), phases, since: Instant::now(), ending }
    }
}

/// hyper's own kind of service: it is called as soon as the head is there, before the connection is read from again. A service
/// of tower is called when its future is polled, and by then hyper has read the client's end of the connection, and taken it for
/// the end of a head.
impl<S, B, R> Service<Request<B>> for Watched<S>
where
    S: tower::Service<Request<WatchedBody<B>>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Send,
    B: Body + Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn call(&self, request: Request<B>) -> Self::Future {
        let phases = self.phases.clone();
        phases.set(Phase::Request);
        let body = |inner| WatchedBody { inner, phases: self.phases.clone(), ended: false };
        let answer = self.inner.call(request.map(body));
        let old = self.since.elapsed() > MAXIMUM_AGE;
        let ending = Arc::clone(&self.ending);
        Box::pin(async move {
            let mut response = answer.await;
            let last = old || ending.load(Ordering::Relaxed);
            if let (true, Ok(response)) = (last, &mut response) {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            phases.set(Phase::Idle);
            response
        })
    }
}

/// A body that records when it was dropped before its end.
#[derive(Debug)]
pub(super) struct WatchedBody<B: Body> {
    inner: B,
    phases: Phases,
    ended: bool,
}

impl<B: Body + Unpin> Body for WatchedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let frame = Pin::new(&mut self.inner).poll_frame(cx);
        if let Poll::Ready(None) = frame {
            self.ended = true;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B: Body> Drop for WatchedBody<B> {
    fn drop(&mut self) {
        if !self.ended && !self.inner.is_end_stream() {
            self.phases.0.unread.store(true, Ordering::Relaxed);
        }
    }
}
