//! Counters for `/status`. Plain atomics: a request costs two increments.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use axum::http::StatusCode;

/// Why a request was refused before MCP saw it, other than by authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// `Host` is not one of ours.
    Host,
    /// `Origin` is not allowed.
    Origin,
    /// The body is larger than the limit.
    TooLarge,
    /// The body did not arrive, or the answer was not ready, in time.
    Timeout,
    /// Too many requests at once.
    Overloaded,
    /// The body is no JSON-RPC request.
    Malformed,
}

impl Refusal {
    /// All kinds, in the order of their counters.
    pub const ALL: [Self; 6] =
        [Self::Host, Self::Origin, Self::TooLarge, Self::Timeout, Self::Overloaded, Self::Malformed];

    /// The kind as a label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host_not_allowed",
            Self::Origin => "origin_not_allowed",
            Self::TooLarge => "body_too_large",
            Self::Timeout => "timeout",
            Self::Overloaded => "overloaded",
            Self::Malformed => "malformed",
        }
    }
}

/// The counters since the start.
#[derive(Debug)]
pub struct Metrics {
    started: Instant,
    started_at: SystemTime,
    by_class: [AtomicU64; 5],
    refusals: [AtomicU64; Refusal::ALL.len()],
    panics: AtomicU64,
    upstream: Mutex<BTreeMap<&'static str, u64>>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            started_at: SystemTime::now(),
            by_class: Default::default(),
            refusals: Default::default(),
            panics: AtomicU64::new(0),
            upstream: Mutex::default(),
        }
    }
}

impl Metrics {
    /// Counts an answer by the class of its status.
    pub fn answered(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        self.by_class[class].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a refusal.
    pub fn refused(&self, kind: Refusal) {
        self.refusals[kind as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a panic that was caught.
    pub fn panicked(&self) {
        self.panics.fetch_add(1, Ordering::Relaxed);
    }

    /// Panics that were caught.
    pub fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    /// Counts a call of an API behind this server that failed, by its kind.
    pub fn upstream_failed(&self, kind: &'static str) {
        *self.upstream.lock().unwrap_or_else(PoisonError::into_inner).entry(kind).or_default() += 1;
    }

    /// Failed calls of the APIs behind this server, by kind.
    #[must_use]
    pub fn upstream_failures(&self) -> BTreeMap<&'static str, u64> {
        self.upstream.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Seconds since the start.
    #[must_use]
    pub fn uptime_seconds(&self) -> u64 {
        self.started.elapsed().as_secs()
    }

    /// When the process started, by the clock on the wall.
    #[must_use]
    pub const fn started_at(&self) -> SystemTime {
        self.started_at
    }

    /// Answers by class of status: `("1xx", n)` to `("5xx", n)`.
    pub fn answers(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        ["1xx", "2xx", "3xx", "4xx", "5xx"].into_iter().zip(self.by_class.iter().map(|n| n.load(Ordering::Relaxed)))
    }

    /// Refusals by kind.
    pub fn refusals(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        Refusal::ALL.into_iter().map(|kind| (kind.as_str(), self.refusals[kind as usize].load(Ordering::Relaxed)))
    }
}
