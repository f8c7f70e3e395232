//! How many requests at once, how much memory for them, and how long each may take.
//!
//! What is counted are bytes: of bodies as they come, and when a body is there, what reading it will take. One caller
//! never has more than a quarter of the places or of the bytes, so that one who sends many or never finishes leaves
//! three quarters to the others.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use mcp_auth_middleware::User;
use serde_json::Value;

use crate::config::Limits;
use crate::metrics::{Metrics, Refusal};
use crate::middleware::errors::{MessageId, error, is_error};

/// The places and the memory for requests, and the time each has.
#[derive(Debug)]
pub struct Gate {
    most: Used,
    /// One caller's part.
    share: Used,
    used: Mutex<State>,
    names: RandomState,
    timeout: Duration,
    metrics: Arc<Metrics>,
}

#[derive(Debug, Default)]
struct State {
    all: Used,
    callers: HashMap<u64, Used>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Used {
    places: usize,
    bytes: usize,
}

impl Used {
    fn with(self, more: Self) -> Self {
        Self { places: self.places + more.places, bytes: self.bytes.saturating_add(more.bytes) }
    }

    fn without(self, less: Self) -> Self {
        Self { places: self.places.saturating_sub(less.places), bytes: self.bytes.saturating_sub(less.bytes) }
    }

    const fn fits(self, most: Self) -> bool {
        self.places <= most.places && self.bytes <= most.bytes
    }
}

/// There is no room for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// Until others are answered.
    ForNow,
    /// It alone is more than one caller may have.
    ForEver,
}

/// One request's share of the places and the memory; given back when it is dropped.
#[derive(Debug)]
pub struct Ticket<'a> {
    gate: &'a Gate,
    caller: u64,
    has: Used,
}

impl Gate {
    /// A gate with these limits.
    #[must_use]
    pub fn new(limits: &Limits, metrics: Arc<Metrics>) -> Self {
        let most = Used { places: limits.concurrent_requests, bytes: limits.request_bytes() };
        let share = Used { places: (most.places / 4).max(1), bytes: most.bytes / 4 };
        let (used, names) = (Mutex::default(), RandomState::new());
        Self { most, share, used, names, timeout: limits.request_timeout, metrics }
    }

    /// A ticket for a request of this caller, with nothing on it yet.
    #[must_use]
    pub fn ticket(&self, caller: Option<&User>) -> Ticket<'_> {
        let caller = caller.map(|user| (user.kind.as_str(), &user.email));
        Ticket { gate: self, caller: self.names.hash_one(caller), has: Used::default() }
    }

    /// Requests that have a place, and the bytes that are counted for all.
    #[must_use]
    pub fn in_use(&self) -> (usize, usize) {
        let Used { places, bytes } = self.lock().all;
        (places, bytes)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer where there is no room: at once, as a queue would only make every caller wait.
    pub fn busy(&self) -> Response {
        self.metrics.refused(Refusal::Overloaded);
        tracing::warn!("Request refused with 503: too many at once (MAX_CONCURRENT_REQUESTS, MEMORY_BUDGET)");
        let mut response = error(StatusCode::SERVICE_UNAVAILABLE, "too many requests at once; try again");
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        response
    }
}

impl Ticket<'_> {
    /// Where it is from.
    pub const fn gate(&self) -> &Gate {
        self.gate
    }

    /// So many bytes more have come.
    ///
    /// # Errors
    /// [`Full`].
    pub fn grow(&mut self, bytes: usize) -> Result<(), Full> {
        self.take(Used { places: 0, bytes })
    }

    /// The body is there: takes a place, and all the memory that the request will need, in place of what has come.
    ///
    /// # Errors
    /// [`Full`].
    pub fn enter(&mut self, bytes: usize) -> Result<(), Full> {
        self.take(Used { places: 1, bytes: bytes.saturating_sub(self.has.bytes) })
    }

    fn take(&mut self, more: Used) -> Result<(), Full> {
        let gate = self.gate;
        let has = self.has.with(more);
        if !has.fits(gate.share) {
            return Err(Full::ForEver);
        }
        let mut used = gate.lock();
        let all = used.all.with(more);
        let own = used.callers.get(&self.caller).copied().unwrap_or_default().with(more);
        if !all.fits(gate.most) || !own.fits(gate.share) {
            return Err(Full::ForNow);
        }
        used.all = all;
        used.callers.insert(self.caller, own);
        self.has = has;
        Ok(())
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        if self.has == Used::default() {
            return;
        }
        let mut used = self.gate.lock();
        used.all = used.all.without(self.has);
        if let Some(own) = used.callers.get_mut(&self.caller) {
            *own = own.without(self.has);
            if *own == Used::default() {
                used.callers.remove(&self.caller);
            }
        }
    }
}

/// How far a request has come: a client that is slow gets another answer than a server that is.
#[derive(Debug, Default)]
pub struct Progress {
    body_arrived: AtomicBool,
    id: OnceLock<Value>,
}

impl Progress {
    /// The body is here; what takes time from now on is ours.
    pub fn body_arrived(&self) {
        self.body_arrived.store(true, Ordering::Relaxed);
    }

    /// The body is a message with this id, which errors name from now on.
    pub fn understood(&self, id: Value) {
        // There is one message in a body.
        let _ = self.id.set(id);
    }
}

impl Gate {
    /// Ends the work when its time is up, with 408 where the body did not arrive, 504 where the answer is not ready. Errors have
    /// the id of the message, where it is known.
    pub async fn pass(&self, progress: &Progress, work: impl Future<Output = Response>) -> Response {
        let mut response = self.in_time(progress, work).await;
        if is_error(&response)
            && let Some(id) = progress.id.get()
        {
            response.extensions_mut().insert(MessageId(id.clone()));
        }
        response
    }

    async fn in_time(&self, progress: &Progress, work: impl Future<Output = Response>) -> Response {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(places: usize) -> Gate {
        let limits = Limits { concurrent_requests: places, memory: 32 * 1024, ..Limits::default() };
        assert_eq!(limits.request_bytes(), 4096);
        Gate::new(&limits, Arc::default())
    }

    fn ticket(gate: &Gate, caller: u64) -> Ticket<'_> {
        Ticket { gate, caller, has: Used::default() }
    }

    #[test]
    fn one_caller_has_a_quarter_of_the_places_and_all_together_the_whole() {
        let gate = gate(8);
        let mut tickets = Vec::new();
        for caller in 0..4 {
            for expected in [Ok(()), Ok(()), Err(Full::ForNow)] {
                let mut ticket = ticket(&gate, caller);
                assert_eq!(ticket.enter(10), expected);
                tickets.push(ticket);
            }
        }
        assert_eq!(ticket(&gate, 4).enter(10), Err(Full::ForNow));
        tickets.remove(0);
        assert_eq!(ticket(&gate, 4).enter(10), Ok(()));
        drop(tickets);
        assert!(gate.lock().all == Used::default() && gate.lock().callers.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_client_gets_408_and_a_slow_server_answers_504() {
        let gate = gate(8);
        let progress = Progress::default();
        assert_eq!(gate.pass(&progress, std::future::pending()).await.status(), 408);
        progress.body_arrived();
        assert_eq!(gate.pass(&progress, std::future::pending()).await.status(), 504);
    }

    #[test]
    fn attack_53_bytes_are_counted_before_there_is_a_place() {
        let gate = gate(8);
        let (mut half, mut other) = (ticket(&gate, 1), ticket(&gate, 2));
        assert_eq!(half.grow(1000), Ok(()));
        assert_eq!(half.grow(100), Err(Full::ForEver), "more than a quarter for one request");
        assert_eq!(ticket(&gate, 1).grow(100), Err(Full::ForNow), "more than a quarter for one caller");
        assert_eq!(other.grow(1000), Ok(()));
        assert_eq!(other.enter(1024), Ok(()), "what has come counts once");
        assert_eq!(gate.lock().all, Used { places: 1, bytes: 2024 });
        assert_eq!(other.enter(1025), Err(Full::ForEver));
    }
}
