//! When the next call may go out: the API's rate limits kept from our side, and the waits between attempts.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use chrono::DateTime;
use tokio::sync::Notify;
use tokio::time::Instant;

/// The longest pause that is taken from the API: what it says may be anything, and is added to a time.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// At most `limit` calls in any window of the given length. Exact: a bucket that fills up steadily would let twice
/// the limit through in its first window.
///
/// Callers take turns: who has one call waiting goes before the second call of anybody else. A call that would have to
/// wait beyond its deadline is refused at once and changes nothing; one that is given up leaves its place to the others.
#[derive(Debug)]
pub struct Pace {
    limit: usize,
    window: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// When the latest calls went out, the oldest first; at most `limit` of them.
    sent: VecDeque<Instant>,
    /// The calls that wait, in the order in which they go out.
    waiting: BTreeMap<Place, Waiting>,
    /// How many places were given out.
    places: u64,
}

/// A place in the queue: the first calls of all callers, in the order in which they came, then their second calls, and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    round: u64,
    number: u64,
}

#[derive(Debug)]
struct Waiting {
    caller: Arc<str>,
    /// Notified when the call has become the first of the queue.
    first: Arc<Notify>,
}

/// A call's turn, or its place in the queue until then. Dropped without [`Turn::take`], it counts as no call.
#[derive(Debug)]
pub struct Turn<'a> {
    pace: &'a Pace,
    place: Place,
    first: Arc<Notify>,
}

/// The call cannot go out before its deadline; the time until it could.
#[derive(Debug, PartialEq, Eq)]
pub struct TooLate(pub Duration);

impl Pace {
    /// At most so many calls in any window of this length.
    #[must_use]
    pub fn new(limit: usize, window: Duration) -> Self {
        // Without a single call in a window there would be no turn to wait for.
        let limit = limit.max(1);
        let state = State { sent: VecDeque::with_capacity(limit), waiting: BTreeMap::new(), places: 0 };
        Self { limit, window, state: Mutex::new(state) }
    }

    /// Waits for the turn of a call of this caller.
    ///
    /// # Errors
    /// [`TooLate`] where it does not come before the deadline; at once where that can be foreseen.
    pub async fn turn(&self, caller: &Arc<str>, deadline: Instant) -> Result<Turn<'_>, TooLate> {
        let turn = self.queue(caller, deadline)?;
        match tokio::time::timeout_at(deadline, turn.comes()).await {
            Ok(()) => Ok(turn),
            // Calls of others, who waited for their first, went before.
            Err(_) => Err(TooLate(turn.wait())),
        }
    }

    fn queue(&self, caller: &Arc<str>, deadline: Instant) -> Result<Turn<'_>, TooLate> {
        let mut state = self.lock();
        let now = Instant::now();
        let current = state.waiting.keys().next().map_or(0, |place| place.round);
        let last = state.waiting.iter().rev().find(|(_, waiting)| waiting.caller == *caller);
        let round = last.map_or(current, |(place, _)| place.round + 1);
        let place = Place { round, number: state.places };
        let at = self.time(&state, place, now);
        if at > deadline {
            return Err(TooLate(at - now));
        }
        state.places += 1;
        let first = Arc::new(Notify::new());
        state.waiting.insert(place, Waiting { caller: Arc::clone(caller), first: Arc::clone(&first) });
        Ok(Turn { pace: self, place, first })
    }

    /// When the call in this place may go out, if all before it do.
    fn time(&self, state: &State, place: Place, now: Instant) -> Instant {
        let before = state.waiting.range(..place).count();
        let free = self.limit - state.sent.len();
        let windows = u32::try_from(before / self.limit).unwrap_or(u32::MAX);
        let oldest = (before % self.limit).checked_sub(free).and_then(|sent| state.sent.get(sent));
        oldest.map_or(now, |sent| now.max(*sent + self.window)) + self.window * windows
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// Resolves when the call is the first of the queue and may go out.
    async fn comes(&self) {
        loop {
            let at = {
                let state = self.pace.lock();
                let is_first = state.waiting.keys().next() == Some(&self.place);
                is_first.then(|| self.pace.time(&state, self.place, Instant::now()))
            };
            match at {
                Some(at) if at <= Instant::now() => return,
                Some(at) => tokio::time::sleep_until(at).await,
                None => self.first.notified().await,
            }
        }
    }

    fn wait(&self) -> Duration {
        let state = self.pace.lock();
        let now = Instant::now();
        self.pace.time(&state, self.place, now).saturating_duration_since(now)
    }

    /// The call goes out now.
    pub fn take(self) {
        let mut state = self.pace.lock();
        if state.sent.len() == self.pace.limit {
            state.sent.pop_front();
        }
        state.sent.push_back(Instant::now());
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.pace.lock();
        state.waiting.remove(&self.place);
        if let Some((_, next)) = state.waiting.first_key_value() {
            next.first.notify_one();
        }
    }
}

/// How long to wait before the next attempt: what the API says, or exponential back-off with full jitter, so that
/// many servers that failed together do not come back together.
pub fn retry_delay(attempt: u32, retry_after: Option<Duration>) -> Duration {
    let jitter = |most: u64| Duration::from_millis(fastrand::u64(0..=most));
    match retry_after {
        Some(wait) => wait.min(LONGEST_PAUSE) + jitter(250),
        None => Duration::from_millis(100) + jitter(200 << attempt.min(6)),
    }
}

/// `Retry-After`: seconds, or a date (RFC 9110 §10.2.3); never more than an hour.
pub fn retry_after(value: &str) -> Option<Duration> {
    let value = value.trim();
    if let Ok(date) = DateTime::parse_from_rfc2822(value) {
        return Some(SystemTime::from(date).duration_since(SystemTime::now()).unwrap_or_default().min(LONGEST_PAUSE));
    }
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    // More digits than a number holds are a long time as well.
    digits.then(|| value.parse().map_or(LONGEST_PAUSE, Duration::from_secs).min(LONGEST_PAUSE))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(6);

    fn caller(name: &str) -> Arc<str> {
        Arc::from(name)
    }

    fn in_seconds(seconds: u64) -> Instant {
        Instant::now() + Duration::from_secs(seconds)
    }

    /// Waits for its turn in a task of its own, and tells after how many seconds it came.
    fn spawn(pace: &Arc<Pace>, name: &str, patience: u64) -> tokio::task::JoinHandle<Result<u64, TooLate>> {
        let (pace, caller, start) = (Arc::clone(pace), caller(name), Instant::now());
        tokio::spawn(async move {
            let turn = pace.turn(&caller, start + Duration::from_secs(patience)).await?;
            turn.take();
            Ok(start.elapsed().as_secs())
        })
    }

    async fn settle() {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_window_holds_more_than_the_limit() {
        let pace = Arc::new(Pace::new(4, WINDOW));
        let turns: Vec<_> = (0..10).map(|_| spawn(&pace, "a", 45)).collect();
        let mut times = Vec::new();
        for turn in turns {
            times.push(turn.await.expect("joined").expect("a turn"));
        }
        assert_eq!(times, [0, 0, 0, 0, 6, 6, 6, 6, 12, 12]);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(spawn(&pace, "a", 0).await.expect("joined"), Ok(0));
    }

    #[tokio::test(start_paused = true)]
    async fn attack_54_refused_calls_leave_the_queue_as_it_is() {
        let pace = Arc::new(Pace::new(4, WINDOW));
        let turns: Vec<_> = (0..32).map(|_| spawn(&pace, "a", 45)).collect();
        settle().await;
        for _ in 0..4000 {
            // The 33rd would go out after eight windows.
            assert_eq!(pace.turn(&caller("a"), in_seconds(45)).await.err(), Some(TooLate(WINDOW * 8)));
        }
        for turn in turns {
            assert!(turn.await.expect("joined").is_ok());
        }
        assert_eq!(spawn(&pace, "b", 45).await.expect("joined"), Ok(6), "the last four went out just now");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_all_the_calls_of_another() {
        let pace = Arc::new(Pace::new(4, WINDOW));
        let many: Vec<_> = (0..32).map(|_| spawn(&pace, "a", 45)).collect();
        settle().await;
        let (one, two) = (spawn(&pace, "b", 45), spawn(&pace, "b", 45));
        assert_eq!((one.await.expect("joined"), two.await.expect("joined")), (Ok(6), Ok(6)));
        let mut too_late = 0;
        for call in many {
            too_late += usize::from(call.await.expect("joined").is_err());
        }
        assert_eq!(too_late, 2, "the calls that had to make room did not fit in before the deadline");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_is_given_up_leaves_its_place() {
        let pace = Arc::new(Pace::new(4, WINDOW));
        let turns: Vec<_> = (0..32).map(|_| spawn(&pace, "a", 45)).collect();
        settle().await;
        // Among them the first that waits, which is the one with a timer.
        for given_up in &turns[4..31] {
            given_up.abort();
        }
        settle().await;
        assert_eq!(spawn(&pace, "a", 45).await.expect("joined"), Ok(6));
        assert_eq!(turns.into_iter().next_back().expect("the last").await.expect("joined"), Ok(6));
        assert!(pace.lock().waiting.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_is_not_taken_counts_for_nothing() {
        let pace = Pace::new(1, WINDOW);
        drop(pace.turn(&caller("a"), in_seconds(1)).await.expect("a turn"));
        pace.turn(&caller("a"), in_seconds(1)).await.expect("a turn").take();
        assert_eq!(pace.turn(&caller("a"), in_seconds(1)).await.err(), Some(TooLate(WINDOW)));
    }

    #[test]
    fn waits_grow_and_follow_the_api() {
        for attempt in 1..10 {
            let wait = retry_delay(attempt, None);
            assert!(wait >= Duration::from_millis(100) && wait <= Duration::from_secs(13), "{attempt}: {wait:?}");
        }
        let delay = retry_delay(1, Some(Duration::from_secs(3)));
        assert!((3000..=3250).contains(&delay.as_millis()));
        assert!(retry_delay(1, Some(Duration::MAX)) <= LONGEST_PAUSE + Duration::from_millis(250));
    }

    #[test]
    fn attack_56_retry_after_is_read_and_clamped() {
        let hour = Some(LONGEST_PAUSE);
        for (value, expected) in [
            ("3", Some(Duration::from_secs(3))),
            (" 0 ", Some(Duration::ZERO)),
            ("18446744073709551615", hour),
            ("99999999999999999999999999", hour),
            ("Sun, 31 Dec 2400 23:59:59 GMT", hour),
            ("Wed, 21 Oct 2015 07:28:00 GMT", Some(Duration::ZERO)),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(retry_after(value), expected, "{value:?}");
        }
    }
}
