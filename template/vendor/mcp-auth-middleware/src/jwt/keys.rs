//! An issuer's public keys: fetched, kept, refreshed ahead of time, and served for a bounded time without their server.
//!
//! Issuers rotate keys in days or weeks (Cloudflare every six weeks, and publishes the previous one for seven more days), so
//! a set that is ten minutes old is fresh. What must hold: a flood of forged tokens costs the key server nothing, a failed fetch never
//! replaces good keys, and every fetch is bounded in time and size.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aws_lc_rs::signature::ParsedPublicKey;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::fetch::{Client, FetchError};
use super::key_set::{Keys, ParsedKeys, parse};
use super::verified::{TokenDigest, Verified};
use super::{Algorithm, KeySource};
use crate::{AuthError, User};

/// By which rules keys are fetched and kept.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct KeyPolicy {
    /// Age at which a set is fetched again, in the background. Default: 10 minutes.
    pub refresh_after: Duration,
    /// At most one fetch in this time, whatever comes in. Default: 30 seconds. While there are no keys at all, so that
    /// every caller is refused, it is 2 seconds where this is more.
    pub minimum_interval: Duration,
    /// How long keys go on serving when their server cannot be reached. Default: 24 hours.
    pub serve_stale_for: Duration,
    /// Time a fetch may take in all. Default: 5 seconds.
    pub timeout: Duration,
}

impl Default for KeyPolicy {
    fn default() -> Self {
        Self {
            refresh_after: Duration::from_secs(10 * 60),
            minimum_interval: Duration::from_secs(30),
            serve_stale_for: Duration::from_secs(24 * 60 * 60),
            timeout: Duration::from_secs(5),
        }
    }
}

/// The state of the keys, as `/status` reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyStatus {
    /// How many keys are known.
    pub keys: usize,
    /// Time since they were fetched; `None` before the first success.
    pub age: Option<Duration>,
    /// Time until they are fetched again.
    pub next_refresh: Option<Duration>,
    /// `true` when the latest fetch failed.
    pub failing: bool,
    /// How long they go on serving when their server cannot be reached.
    pub serve_stale_for: Duration,
    /// How many tokens are remembered as verified by these keys; 4096 at most, each for a minute at most.
    pub verified_tokens: usize,
    /// How many signatures were checked since the start: about one a minute for each client, and one for each forgery.
    pub signature_checks: u64,
}

/// How soon a fetch is tried again where there are no keys at all.
const RETRY_WITHOUT_KEYS: Duration = Duration::from_secs(2);

pub(super) struct KeyCache {
    source: KeySource,
    /// The algorithms that tokens of this issuer may have.
    algorithms: Vec<Algorithm>,
    client: Client,
    policy: KeyPolicy,
    known: RwLock<Option<Arc<KeySet>>>,
    /// Held during a fetch, so that there is one at a time and the others wait for its result.
    latest: Arc<Mutex<Option<Attempt>>>,
    failing: AtomicBool,
    /// How many keys of the latest answer were of no use: a change is worth a line.
    skipped: AtomicUsize,
}

pub(crate) struct KeySet {
    keys: Keys,
    fetched_at: Instant,
    /// The tokens that these very keys have verified. They go when the next set comes, so a token whose key was withdrawn is
    /// refused at once, and a verification that is still under way cannot leave its result with keys that it did not use.
    pub(super) verified: Verified,
}

#[derive(Clone, Copy)]
struct Attempt {
    at: Instant,
    succeeded: bool,
}

impl KeyCache {
    pub(super) fn new(
        source: KeySource,
        algorithms: Vec<Algorithm>,
        policy: KeyPolicy,
    ) -> Result<Self, reqwest::Error> {
        Ok(Self {
            source,
            algorithms,
            client: Client::new(policy.timeout)?,
            policy,
            known: RwLock::new(None),
            latest: Arc::default(),
            failing: AtomicBool::new(false),
            skipped: AtomicUsize::new(0),
        })
    }

    /// The user of a token that the known keys have verified a moment ago; `now` in seconds since 1970.
    pub(super) fn verified(self: &Arc<Self>, token: &TokenDigest, now: f64) -> Option<Arc<User>> {
        let set = self.usable()?;
        let user = set.verified.get(token, now)?;
        self.refresh_if_old(&set);
        Some(user)
    }

    /// The key with this id for this algorithm, and its set: the known one, or after one fetch where that is missing, too
    /// old or lacks it.
    pub(super) async fn find(
        self: &Arc<Self>,
        kid: &str,
        algorithm: Algorithm,
    ) -> Result<(Arc<ParsedPublicKey>, Arc<KeySet>), AuthError> {
        if let Some(set) = self.usable()
            && let Some(keys) = set.keys.get(kid)
        {
            self.refresh_if_old(&set);
            let key = keys.for_algorithm(algorithm).ok_or(AuthError::AlgorithmNotAllowed)?;
            return Ok((key, set));
        }
        let succeeded = self.refresh_unless_recent().await;
        let set = self.usable().ok_or(AuthError::KeysUnavailable)?;
        match set.keys.get(kid) {
            Some(keys) => Ok((keys.for_algorithm(algorithm).ok_or(AuthError::AlgorithmNotAllowed)?, set)),
            // The key may be one that was published during the outage: we cannot know.
            None if !succeeded => Err(AuthError::KeysUnavailable),
            None => Err(AuthError::UnknownKeyId),
        }
    }

    /// Fetches the keys now and then ahead of their age, for as long as the future is polled.
    pub(super) async fn keep_fresh(self: &Arc<Self>) {
        loop {
            self.refresh_unless_recent().await;
            let wait = match self.snapshot() {
                Some(set) if !self.is_failing() => self.policy.refresh_after.saturating_sub(set.fetched_at.elapsed()),
                _ => Duration::ZERO,
            };
            tokio::time::sleep(wait.max(self.retry_interval())).await;
        }
    }

    pub(super) fn status(&self, signature_checks: u64) -> KeyStatus {
        let set = self.snapshot();
        let age = set.as_ref().map(|s| s.fetched_at.elapsed());
        KeyStatus {
            keys: set.as_ref().map_or(0, |s| s.keys.len()),
            verified_tokens: set.map_or(0, |s| s.verified.len()),
            signature_checks,
            age,
            next_refresh: age.map(|a| self.policy.refresh_after.saturating_sub(a)),
            failing: self.is_failing(),
            serve_stale_for: self.policy.serve_stale_for,
        }
    }

    fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed)
    }

    fn snapshot(&self) -> Option<Arc<KeySet>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn usable(&self) -> Option<Arc<KeySet>> {
        self.snapshot().filter(|set| set.fetched_at.elapsed() < self.policy.serve_stale_for)
    }

    /// With no keys at all every caller is refused, so recovery is tried sooner than with keys.
    fn retry_interval(&self) -> Duration {
        match self.usable() {
            Some(_) => self.policy.minimum_interval,
            None => self.policy.minimum_interval.min(RETRY_WITHOUT_KEYS),
        }
    }

    /// One fetch at a time, and at most one in the interval; says whether the latest one succeeded.
    async fn refresh_unless_recent(self: &Arc<Self>) -> bool {
        let latest = Arc::clone(&self.latest).lock_owned().await;
        match self.recent(&latest) {
            Some(attempt) => attempt.succeeded,
            None => self.refresh(latest).await.unwrap_or(false),
        }
    }

    /// As above, but nobody waits for the result: the keys that are there go on serving meanwhile. For servers that do
    /// not run [`keep_fresh`](Self::keep_fresh).
    fn refresh_in_background(self: &Arc<Self>) {
        if let Ok(latest) = Arc::clone(&self.latest).try_lock_owned()
            && self.recent(&latest).is_none()
        {
            drop(self.refresh(latest));
        }
    }

    fn refresh_if_old(self: &Arc<Self>, set: &KeySet) {
        if set.fetched_at.elapsed() >= self.policy.refresh_after {
            self.refresh_in_background();
        }
    }

    fn recent(&self, latest: &Option<Attempt>) -> Option<Attempt> {
        latest.filter(|attempt| attempt.at.elapsed() < self.retry_interval())
    }

    /// Fetches in a task of its own. A fetch that ended with the request that caused it would leave no trace in
    /// `latest`, and callers who hang up could cause one after the other.
    fn refresh(self: &Arc<Self>, mut latest: OwnedMutexGuard<Option<Attempt>>) -> JoinHandle<bool> {
        let cache = Arc::clone(self);
        tokio::spawn(async move {
            let fetched = cache.fetch().await;
            let succeeded = fetched.is_ok();
            match fetched {
                Ok(keys) => {
                    tracing::debug!(keys = keys.len(), "{} fetched", cache.source);
                    let set = Arc::new(KeySet { keys, fetched_at: Instant::now(), verified: Verified::default() });
                    *cache.known.write().unwrap_or_else(PoisonError::into_inner) = Some(set);
                }
                Err(error) => tracing::warn!("{} could not be fetched: {error}", cache.source),
            }
            cache.failing.store(!succeeded, Ordering::Relaxed);
            *latest = Some(Attempt { at: Instant::now(), succeeded });
            succeeded
        })
    }

    async fn fetch(&self) -> Result<Keys, FetchError> {
        let answer = tokio::time::timeout(self.policy.timeout, self.source.fetch(&self.client));
        let answer = answer.await.unwrap_or(Err(FetchError::Http("timed out")))?;
        let ParsedKeys { keys, skipped } = parse(&answer, &self.algorithms)?;
        let (key, wanted) = match self.algorithms[..] {
            [Algorithm::Rs256] => ("RSA key", "RSA of 2048 bits or more for RS256".to_owned()),
            _ => {
                let names: Vec<_> = self.algorithms.iter().map(|algorithm| algorithm.as_str()).collect();
                ("key", format!("a signature key for {}, RSA with 2048 bits or more", names.join(", ")))
            }
        };
        // Once, not with each fetch: issuers publish keys for other ends for years.
        if self.skipped.swap(skipped, Ordering::Relaxed) != skipped && skipped > 0 {
            tracing::warn!("{}: {skipped} unusable (not {wanted}, or id repeated)", self.source);
        }
        if keys.is_empty() { Err(FetchError::NoKeys(key)) } else { Ok(keys) }
    }
}
