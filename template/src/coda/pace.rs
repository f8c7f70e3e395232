//! When the next call may go out: the API's rate limits kept from our side, and the waits between attempts.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// At most `limit` calls in any window of the given length. Exact: a bucket that fills up steadily would let twice
/// the limit through in its first window.
#[derive(Debug)]
pub(super) struct Pace {
    limit: usize,
    window: Duration,
    /// When the latest calls went out or will go out; at most `limit` of them.
    slots: Mutex<VecDeque<Instant>>,
}

impl Pace {
    pub(super) fn new(limit: usize, window: Duration) -> Self {
        Self { limit, window, slots: Mutex::new(VecDeque::with_capacity(limit)) }
    }

    /// Takes the next free slot and says when it is. First come, first served.
    pub(super) fn reserve(&self) -> Instant {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let slot = match slots.len() {
            full if full >= self.limit => slots.pop_front().map_or(now, |oldest| now.max(oldest + self.window)),
            _ => now,
        };
        slots.push_back(slot);
        slot
    }
}

/// How long to wait before the next attempt: what the API says, or exponential back-off with full jitter, so that
/// many servers that failed together do not come back together.
pub(super) fn retry_delay(attempt: u32, retry_after: Option<Duration>) -> Duration {
    let jitter = |most: u64| Duration::from_millis(fastrand::u64(0..=most));
    match retry_after {
        Some(wait) => wait + jitter(250),
        None => Duration::from_millis(100) + jitter(200 << attempt.min(6)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_window_holds_more_than_the_limit() {
        let pace = Pace::new(4, Duration::from_secs(6));
        let start = Instant::now();
        let slots: Vec<_> = (0..10).map(|_| (pace.reserve() - start).as_secs()).collect();
        assert_eq!(slots, [0, 0, 0, 0, 6, 6, 6, 6, 12, 12]);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(pace.reserve(), Instant::now());
    }

    #[test]
    fn waits_grow_and_follow_the_api() {
        for attempt in 1..10 {
            let wait = retry_delay(attempt, None);
            assert!(wait >= Duration::from_millis(100) && wait <= Duration::from_secs(13), "{attempt}: {wait:?}");
        }
        let told = retry_delay(1, Some(Duration::from_secs(3)));
        assert!((3000..=3250).contains(&told.as_millis()));
    }
}
