//! Tokens that were verified a moment ago, by digest: a busy client costs one signature check a minute, not one a
//! request (20 µs against 0.4 µs for the digest).
//!
//! Only what was accepted is remembered, so that forged tokens, however many, leave nothing behind; and never the token
//! itself. A memory belongs to one set of keys and ends with it (see [`KeySet`](super::keys::KeySet)): no token outlives
//! the publication of its key. Issuer, audiences and allow lists need no second look, as they are constant.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use tokio::time::Instant;

use crate::User;

/// So long a token is taken for what it was. Not longer than the leeway, which is how exactly `exp` is known anyway.
const BOUND: Duration = Duration::from_secs(60);

/// So many tokens at most, about 1 MiB in all: the names in real tokens have some 100 bytes. A token with many roles takes as
/// much more as they have, some KiB; all of a token has 12 KiB at most.
const CAPACITY: usize = 4096;

/// The SHA-256 of a token as it came, signature included.
///
/// The memory looks it up in a hash table and does not compare it in constant time: who does not have the token cannot choose its
/// digest, so the time taken tells nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TokenDigest([u8; 32]);

impl TokenDigest {
    pub(crate) fn new(token: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, token).as_ref());
        Self(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Who was accepted by which token.
#[derive(Default)]
pub(super) struct Verified(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    users: HashMap<TokenDigest, Entry>,
    /// The same digests as they came. All are kept for the same time, so the first to expire is in front; but for a
    /// token whose `exp` comes first, which is dropped when it gets there.
    order: VecDeque<TokenDigest>,
}

struct Entry {
    user: Arc<User>,
    since: Instant,
    /// When the token itself ends, in seconds since 1970.
    until: f64,
}

impl Entry {
    /// By two clocks: that of `exp` may be set back, and the other one stands still while the machine sleeps.
    fn is_good(&self, now: f64) -> bool {
        now < self.until && self.since.elapsed() < BOUND
    }
}

impl Verified {
    /// The user of a token that was accepted less than a minute ago and has not ended `now` (seconds since 1970).
    pub(super) fn get(&self, token: &TokenDigest, now: f64) -> Option<Arc<User>> {
        let entries = self.lock();
        let entry = entries.users.get(token)?;
        entry.is_good(now).then(|| Arc::clone(&entry.user))
    }

    /// Remembers who was accepted `now`, by a token that ends at `until`; both in seconds since 1970.
    pub(super) fn insert(&self, token: TokenDigest, user: Arc<User>, until: f64, now: f64) {
        let entry = Entry { user, since: Instant::now(), until };
        let mut entries = self.lock();
        entries.make_room(now);
        if entries.users.insert(token, entry).is_none() {
            entries.order.push_back(token);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.lock().users.len()
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        // Nothing under the lock can panic half-way; what is in it is good in any case.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    /// Drops expired digests, and the oldest ones if that is not enough. Each digest is added and dropped once, so an
    /// insertion costs the same however many there are.
    fn make_room(&mut self, now: f64) {
        while let Some(oldest) = self.order.front() {
            let expired = self.users.get(oldest).is_none_or(|entry| !entry.is_good(now));
            if !expired && self.users.len() < CAPACITY {
                return;
            }
            self.users.remove(oldest);
            self.order.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: f64 = 1_700_000_000.0;
    const LATER: f64 = NOW + 3600.0;

    fn token(n: usize) -> TokenDigest {
        TokenDigest::new(&n.to_le_bytes())
    }

    fn user() -> Arc<User> {
        Arc::new(User::developer())
    }

    fn known(verified: &Verified, tokens: std::ops::Range<usize>, now: f64) -> usize {
        tokens.filter(|n| verified.get(&token(*n), now).is_some()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_known_until_the_bound() {
        let verified = Verified::default();
        verified.insert(token(1), user(), LATER, NOW);
        assert_eq!(verified.get(&token(1), NOW), Some(user()));
        assert_eq!(verified.get(&token(2), NOW), None);
        tokio::time::advance(BOUND - Duration::from_millis(1)).await;
        assert_eq!(known(&verified, 1..2, NOW + 59.9), 1);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(known(&verified, 1..2, NOW + 60.0), 0);
        // Looking does not prolong it, and seeing it again begins a new minute.
        verified.insert(token(1), user(), LATER, NOW + 60.0);
        assert_eq!((known(&verified, 1..2, NOW + 60.0), verified.len()), (1, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_known_until_its_own_end() {
        let verified = Verified::default();
        verified.insert(token(1), user(), NOW + 10.0, NOW);
        assert_eq!(known(&verified, 1..2, NOW + 9.9), 1);
        assert_eq!(known(&verified, 1..2, NOW + 10.0), 0);
        // A clock that is set back does not keep it beyond the bound.
        tokio::time::advance(BOUND).await;
        assert_eq!(known(&verified, 1..2, NOW - 3600.0), 0);
    }

    /// attacks.md 6 and the like: memory is bounded even by tokens that are good.
    #[tokio::test(start_paused = true)]
    async fn the_oldest_makes_room() {
        let verified = Verified::default();
        for n in 0..CAPACITY + 10 {
            verified.insert(token(n), user(), LATER, NOW);
            assert!(verified.len() <= CAPACITY);
        }
        assert_eq!(verified.len(), CAPACITY);
        assert_eq!(known(&verified, 0..10, NOW), 0);
        assert_eq!(known(&verified, 10..CAPACITY + 10, NOW), CAPACITY);
    }

    #[tokio::test(start_paused = true)]
    async fn the_expired_goes_before_the_oldest() {
        let verified = Verified::default();
        (0..CAPACITY / 2).for_each(|n| verified.insert(token(n), user(), LATER, NOW));
        tokio::time::advance(BOUND / 2).await;
        (CAPACITY / 2..CAPACITY).for_each(|n| verified.insert(token(n), user(), LATER, NOW + 30.0));
        tokio::time::advance(BOUND / 2).await;
        verified.insert(token(CAPACITY), user(), LATER, NOW + 60.0);
        assert_eq!(verified.len(), CAPACITY / 2 + 1);
        assert_eq!(known(&verified, CAPACITY / 2..CAPACITY + 1, NOW + 60.0), CAPACITY / 2 + 1);
        let entries = verified.lock();
        assert_eq!(entries.order.len(), entries.users.len());
    }

    /// Two requests with one token at once both verify it; it is there once.
    #[tokio::test(start_paused = true)]
    async fn the_same_token_twice() {
        let verified = Verified::default();
        (0..1000).for_each(|_| verified.insert(token(1), user(), LATER, NOW));
        let entries = verified.lock();
        assert_eq!((entries.users.len(), entries.order.len()), (1, 1));
    }

    #[test]
    fn a_panic_elsewhere_locks_nobody_out() {
        let verified = Arc::new(Verified::default());
        let other = Arc::clone(&verified);
        let panicked = std::thread::spawn(move || {
            let _guard = other.0.lock();
            panic!("on purpose");
        })
        .join();
        assert!(panicked.is_err() && verified.0.is_poisoned());
        verified.insert(token(1), user(), LATER, NOW);
        assert_eq!(verified.get(&token(1), NOW), Some(user()));
    }
}
