//! An issuer's recent answers about opaque tokens, by digest, in bounded memory. Pure but for the clock.
//!
//! Accepted and refused tokens are kept apart, so that a flood of made-up ones pushes out no good one. A token that was
//! refused is never taken for the good one that it was before.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::IntrospectionPolicy;
use crate::User;
use crate::jwt::TokenDigest;
use crate::refusal::Refusal;

/// So many tokens of each kind at most; see [`verified`](crate::jwt) for what that takes.
const CAPACITY: usize = 4096;

/// The knowledge about a token.
#[derive(Debug, PartialEq)]
pub(super) enum Known {
    /// It was accepted or refused a moment ago.
    Fresh(Result<Arc<User>, Refusal>),
    /// It was accepted some time ago: good where the issuer cannot be reached.
    Stale(Arc<User>),
    /// Nothing.
    Nothing,
}

/// The answers that count.
pub(super) struct Answers {
    policy: IntrospectionPolicy,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    accepted: Bounded<(Arc<User>, f64)>,
    refused: Bounded<Refusal>,
}

struct Bounded<T> {
    entries: HashMap<TokenDigest, (T, Instant)>,
    /// The same digests as they came.
    order: VecDeque<TokenDigest>,
}

impl<T> Default for Bounded<T> {
    fn default() -> Self {
        Self { entries: HashMap::new(), order: VecDeque::new() }
    }
}

impl<T> Bounded<T> {
    fn insert(&mut self, token: TokenDigest, value: T, keep_for: Duration) {
        while let Some(oldest) = self.order.front() {
            let ended = self.entries.get(oldest).is_none_or(|(_, since)| since.elapsed() >= keep_for);
            if !ended && self.entries.len() < CAPACITY {
                break;
            }
            self.entries.remove(oldest);
            self.order.pop_front();
        }
        // An answer that replaces an older one counts as new.
        self.remove(&token);
        self.entries.insert(token, (value, Instant::now()));
        self.order.push_back(token);
    }

    fn remove(&mut self, token: &TokenDigest) {
        if self.entries.remove(token).is_some() {
            // Over some thousands of 32 bytes, after a question to the issuer.
            self.order.retain(|other| other != token);
        }
    }
}

impl Answers {
    pub(super) fn new(policy: IntrospectionPolicy) -> Self {
        Self { policy, state: Mutex::default() }
    }

    /// Returns what is known about this token at `now`, in seconds since 1970.
    pub(super) fn known(&self, token: &TokenDigest, now: f64) -> Known {
        let state = self.lock();
        if let Some((refusal, since)) = state.refused.entries.get(token)
            && since.elapsed() < self.policy.refused_for
        {
            return Known::Fresh(Err(refusal.clone()));
        }
        match state.accepted.entries.get(token) {
            Some(((user, until), since)) if now < *until => match since.elapsed() {
                age if age < self.policy.fresh_for => Known::Fresh(Ok(Arc::clone(user))),
                age if age < self.policy.serve_stale_for => Known::Stale(Arc::clone(user)),
                _ => Known::Nothing,
            },
            _ => Known::Nothing,
        }
    }

    /// Keeps that the token was accepted, and when it ends, in seconds since 1970.
    pub(super) fn accept(&self, token: TokenDigest, user: Arc<User>, until: f64) {
        let keep_for = self.policy.serve_stale_for.max(self.policy.fresh_for);
        let mut state = self.lock();
        state.refused.remove(&token);
        state.accepted.insert(token, (user, until), keep_for);
    }

    /// Keeps that the token was refused, and forgets that it ever was accepted.
    pub(super) fn refuse(&self, token: TokenDigest, refusal: Refusal) {
        let mut state = self.lock();
        state.accepted.remove(&token);
        state.refused.insert(token, refusal, self.policy.refused_for);
    }

    /// How many tokens are known as good.
    pub(super) fn len(&self) -> usize {
        self.lock().accepted.entries.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock can panic half-way; what is in it is good in any case.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AuthError;

    const NOW: f64 = 1_700_000_000.0;
    const LATER: f64 = NOW + 3600.0;

    fn token(n: usize) -> TokenDigest {
        TokenDigest::new(&n.to_le_bytes())
    }

    fn user() -> Arc<User> {
        Arc::new(User::developer())
    }

    fn refused() -> Refusal {
        AuthError::TokenNotActive.into()
    }

    fn answers() -> Answers {
        Answers::new(IntrospectionPolicy::default())
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_fresh_then_stale_then_nothing() {
        let answers = answers();
        answers.accept(token(1), user(), LATER);
        assert_eq!(answers.known(&token(1), NOW), Known::Fresh(Ok(user())));
        assert_eq!(answers.known(&token(2), NOW), Known::Nothing);
        tokio::time::advance(Duration::from_secs(30)).await;
        assert_eq!(answers.known(&token(1), NOW), Known::Stale(user()));
        // The token's own end comes first.
        assert_eq!(answers.known(&token(1), LATER), Known::Nothing);
        tokio::time::advance(Duration::from_secs(270)).await;
        assert_eq!(answers.known(&token(1), NOW), Known::Nothing);
    }

    #[tokio::test(start_paused = true)]
    async fn attack_69_a_refused_token_is_never_the_good_one_of_before() {
        let answers = answers();
        answers.accept(token(1), user(), LATER);
        answers.refuse(token(1), refused());
        assert_eq!(answers.known(&token(1), NOW), Known::Fresh(Err(refused())));
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(answers.known(&token(1), NOW), Known::Nothing);
        // The other way round: a new token that a replica of the issuer did not know yet.
        answers.refuse(token(2), refused());
        answers.accept(token(2), user(), LATER);
        assert_eq!(answers.known(&token(2), NOW), Known::Fresh(Ok(user())));
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_refused_tokens_pushes_out_no_good_one() {
        let answers = answers();
        answers.accept(token(0), user(), LATER);
        (1..2 * CAPACITY).for_each(|n| answers.refuse(token(n), refused()));
        assert_eq!(answers.known(&token(0), NOW), Known::Fresh(Ok(user())));
        (0..2 * CAPACITY).for_each(|n| answers.accept(token(n), user(), LATER));
        let state = answers.lock();
        assert_eq!((state.accepted.entries.len(), state.accepted.order.len()), (CAPACITY, CAPACITY));
        assert!(state.refused.entries.len() <= CAPACITY);
        assert_eq!(state.refused.entries.len(), state.refused.order.len());
    }
}
