//! The places of connections. Where none is free, a connection without a request in progress makes room: strangers who hold
//! connections open must not keep others out (attacks.md 52).

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::phase::{Phase, Phases};

/// The target of the lines about connections that strangers may cause.
pub(crate) const TARGET: &str = module_path!();

/// So long a client may always take for its part, even while others wait: a head that was sent with the connection is there by then.
const PATIENCE: Duration = Duration::from_secs(1);
/// So long a head may take when the server ends: a slow client gets its answer, and a stranger does not hold up the end.
const LAST_HEADS: Duration = Duration::from_secs(5);
/// The pause between two connections that have to make room.
const PAUSE: Duration = Duration::from_millis(50);

/// The places, and who has them.
#[derive(Debug)]
pub(super) struct Places {
    free: Arc<Semaphore>,
    taken: Mutex<HashMap<u64, Phases>>,
    count: AtomicU64,
}

/// A place, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    number: u64,
    phases: Phases,
    _permit: OwnedSemaphorePermit,
}

impl Places {
    pub(super) fn new(count: usize) -> Arc<Self> {
        let free = Arc::new(Semaphore::new(count));
        Arc::new(Self { free, taken: Mutex::default(), count: AtomicU64::new(0) })
    }

    /// Returns a free place, if there is one.
    pub(super) fn try_take(self: &Arc<Self>) -> Option<Place> {
        Arc::clone(&self.free).try_acquire_owned().ok().map(|permit| self.place(permit))
    }

    /// Returns a place, for which another connection has to leave where none is free. Cancelling this loses nothing.
    pub(super) async fn take(self: &Arc<Self>) -> Place {
        loop {
            if let Some(place) = self.try_take() {
                return place;
            }
            if let Some(longest) = self.longest() {
                tracing::warn!("Every connection is taken (MAX_CONNECTIONS): one with nothing under way was ended");
                longest.give_up();
            }
            // The semaphore is never closed.
            if let Ok(Ok(permit)) = tokio::time::timeout(PAUSE, Arc::clone(&self.free).acquire_owned()).await {
                return self.place(permit);
            }
        }
    }

    /// Ends connections whose heads do not come, so that no stranger holds up the end of the server. Never resolves.
    pub(super) async fn end_heads(&self) {
        loop {
            let late = |phases: &&Phases| phases.get() == Phase::Head && phases.elapsed() >= LAST_HEADS;
            self.lock().values().filter(late).for_each(Phases::give_up);
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn place(self: &Arc<Self>, permit: OwnedSemaphorePermit) -> Place {
        let (number, phases) = (self.count.fetch_add(1, Ordering::Relaxed), Phases::default());
        self.lock().insert(number, phases.clone());
        Place { places: Arc::clone(self), number, phases, _permit: permit }
    }

    /// Returns the connection whose client has taken longest. Unfinished heads go before idle connections: those are mostly of a
    /// proxy, which may send the next request while its connection is closed.
    fn longest(&self) -> Option<Phases> {
        let taken = self.lock();
        let candidates = taken.values().filter_map(|phases| {
            let part = match phases.get() {
                Phase::New | Phase::Head => 1,
                Phase::Idle => 0,
                // It ends by itself, as requests have a time.
                Phase::Request => return None,
            };
            let since = phases.elapsed();
            (since >= PATIENCE).then_some(((part, since), phases))
        });
        candidates.max_by_key(|(key, _)| *key).map(|(_, phases)| phases.clone())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Phases>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Resolves when its connection is asked to leave, and nothing has been under way on it for a while.
    pub(super) async fn asked_to_leave(&self) {
        self.phases.given_up(PATIENCE).await;
    }

    /// Returns the phases of its connection.
    pub(super) fn phases(&self) -> &Phases {
        &self.phases
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.lock().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, sleep};

    use super::*;

    /// Places whose connections are in these phases, each a second longer than the next, and who left for one more.
    async fn who_leaves(phases: &[Phase]) -> (Option<usize>, u64) {
        let places = Places::new(phases.len());
        let mut taken = Vec::new();
        for phase in phases {
            let place = places.try_take().expect("a place");
            place.phases().set(*phase);
            taken.push(place);
            sleep(Duration::from_secs(1)).await;
        }
        assert!(places.try_take().is_none());
        let left = Arc::new(Mutex::new(None));
        for (number, place) in taken.into_iter().enumerate() {
            let left = Arc::clone(&left);
            tokio::spawn(async move {
                place.asked_to_leave().await;
                left.lock().expect("whole").get_or_insert(number);
            });
        }
        let start = Instant::now();
        let taken = tokio::time::timeout(Duration::from_secs(60), places.take()).await;
        assert_eq!(taken.is_ok(), left.lock().expect("whole").is_some());
        (*left.lock().expect("whole"), start.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn attack_52_the_longest_unfinished_head_leaves_first_and_no_request_ever() {
        use Phase::{Head, Idle, New, Request};
        for (phases, left) in [
            (&[Idle, Request, Head, New][..], Some(2)),
            (&[Request, New, Head], Some(1)),
            (&[Request, Idle, Idle], Some(1)),
            (&[Request, Request], None),
        ] {
            assert_eq!(who_leaves(phases).await.0, left, "{phases:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn attack_52_nobody_leaves_within_a_second() {
        let places = Places::new(1);
        let place = places.take().await;
        let start = Instant::now();
        tokio::spawn(async move { place.asked_to_leave().await });
        let place = places.take().await;
        assert!((1000..1200).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
        drop(place);
        assert!(places.lock().is_empty() && places.try_take().is_some());
    }
}
