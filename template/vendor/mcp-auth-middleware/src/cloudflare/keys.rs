//! The team's public keys: fetched, kept, refreshed ahead of time, and served for a bounded time without their server.
//!
//! Cloudflare rotates keys every six weeks and publishes the previous one for seven more days, so a set that is ten
//! minutes old is fresh. What must hold: a flood of forged tokens costs the key server nothing, a failed fetch never
//! replaces good keys, and every fetch is bounded in time and size.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use futures_util::StreamExt;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::jws::decode;
use super::verified::{TokenDigest, Verified};

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

/// What `/status` tells about the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyStatus {
    /// How many keys are known.
    pub keys: usize,
    /// Time since they were fetched; `None` before the first success.
    pub age: Option<Duration>,
    /// Time until they are fetched anew.
    pub next_refresh: Option<Duration>,
    /// Whether the latest fetch failed.
    pub failing: bool,
    /// How long they go on serving when their server cannot be reached.
    pub serve_stale_for: Duration,
    /// How many tokens are remembered as verified by these keys; 4096 at most, each for a minute at most.
    pub verified_tokens: usize,
    /// How many signatures were checked since the start: about one a minute for each client, and one for each forgery.
    pub signature_checks: u64,
}

/// A real answer holds two keys and is about 5 KiB, certificates included.
const MAXIMUM_ANSWER: usize = 256 * 1024;
/// NIST SP 800-131A disallows RSA below 2048 bits; above 8192 a verification takes longer than a request should.
const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// How soon a fetch is tried again where there are no keys at all.
const RETRY_WITHOUT_KEYS: Duration = Duration::from_secs(2);

pub(super) struct KeyCache {
    url: String,
    client: reqwest::Client,
    policy: KeyPolicy,
    known: RwLock<Option<Arc<KeySet>>>,
    /// Held during a fetch, so that there is one at a time and the others wait for its result.
    latest: Arc<Mutex<Option<Attempt>>>,
    failing: AtomicBool,
}

type Keys = HashMap<String, Arc<ParsedPublicKey>>;

pub(super) struct KeySet {
    keys: Keys,
    fetched_at: Instant,
    /// What these very keys have verified. It goes when the next set comes, so a token whose key was withdrawn is
    /// refused at once, and a verification that is still under way cannot leave its result with keys that it did not use.
    pub(super) verified: Verified,
}

#[derive(Clone, Copy)]
struct Attempt {
    at: Instant,
    succeeded: bool,
}

#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("{0}")]
    Http(&'static str),
    #[error("status {0}")]
    Status(u16),
    #[error("answer larger than {MAXIMUM_ANSWER} bytes")]
    TooLarge,
    #[error("answer is not a JSON Web Key Set (RFC 7517)")]
    NotAKeySet,
    #[error("no usable RSA key in the answer")]
    NoKeys,
}

impl KeyCache {
    pub(super) fn new(url: String, policy: KeyPolicy) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            // A key server that sends us elsewhere is not the one that was configured.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(policy.timeout.min(Duration::from_secs(3)))
            .timeout(policy.timeout)
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self {
            url,
            client,
            policy,
            known: RwLock::new(None),
            latest: Arc::default(),
            failing: AtomicBool::new(false),
        })
    }

    /// The user of a token that the known keys have verified a moment ago; `now` in seconds since 1970.
    pub(super) fn verified(self: &Arc<Self>, token: &TokenDigest, now: f64) -> Option<Arc<User>> {
        let set = self.usable()?;
        let user = set.verified.get(token, now)?;
        self.refresh_if_old(&set);
        Some(user)
    }

    /// The key with this id and its set: the known one, or after one fetch where that is missing, too old or lacks it.
    pub(super) async fn find(self: &Arc<Self>, kid: &str) -> Result<(Arc<ParsedPublicKey>, Arc<KeySet>), AuthError> {
        if let Some(set) = self.usable()
            && let Some(key) = set.keys.get(kid)
        {
            self.refresh_if_old(&set);
            return Ok((Arc::clone(key), set));
        }
        let succeeded = self.refresh_unless_recent().await;
        let set = self.usable().ok_or(AuthError::KeysUnavailable)?;
        match set.keys.get(kid) {
            Some(key) => Ok((Arc::clone(key), set)),
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
                    tracing::debug!(keys = keys.len(), "Cloudflare Access keys fetched");
                    let set = Arc::new(KeySet { keys, fetched_at: Instant::now(), verified: Verified::default() });
                    *cache.known.write().unwrap_or_else(PoisonError::into_inner) = Some(set);
                }
                Err(error) => tracing::warn!("Cloudflare Access keys could not be fetched: {error}"),
            }
            cache.failing.store(!succeeded, Ordering::Relaxed);
            *latest = Some(Attempt { at: Instant::now(), succeeded });
            succeeded
        })
    }

    async fn fetch(&self) -> Result<Keys, FetchError> {
        let answer = self.client.get(&self.url).send().await.map_err(describe)?;
        if answer.status() != http::StatusCode::OK {
            return Err(FetchError::Status(answer.status().as_u16()));
        }
        let mut body = Vec::new();
        let mut chunks = answer.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(describe)?;
            if body.len() + chunk.len() > MAXIMUM_ANSWER {
                return Err(FetchError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        parse(&body)
    }
}

/// reqwest's own text holds the URL, which need not be in every log line; the kind of failure is what helps.
fn describe(error: reqwest::Error) -> FetchError {
    FetchError::Http(if error.is_timeout() {
        "timed out"
    } else if error.is_connect() {
        "cannot connect"
    } else {
        "connection failed"
    })
}

/// The usable keys of a key set: RSA of 2048 bits and more, for signatures, with an id of their own. Others are
/// skipped with a warning, so that one odd key does not take the good ones down.
fn parse(body: &[u8]) -> Result<Keys, FetchError> {
    #[derive(serde::Deserialize)]
    struct RawSet {
        keys: Vec<serde_json::Value>,
    }
    let raw: RawSet = serde_json::from_slice(body).map_err(|_| FetchError::NotAKeySet)?;
    let mut keys = HashMap::new();
    let mut skipped = 0_usize;
    for value in raw.keys {
        match usable_key(value) {
            Some((kid, key)) if !keys.contains_key(&kid) => {
                keys.insert(kid, Arc::new(key));
            }
            _ => skipped += 1,
        }
    }
    if skipped > 0 {
        tracing::warn!(
            "Cloudflare Access keys: {skipped} unusable (not RSA of 2048 bits or more for RS256, or id repeated)"
        );
    }
    if keys.is_empty() { Err(FetchError::NoKeys) } else { Ok(keys) }
}

/// The members of a JSON Web Key that decide (RFC 7517 §4, RFC 7518 §6.3.1).
#[derive(serde::Deserialize)]
struct Jwk {
    kty: String,
    kid: String,
    #[serde(rename = "use")]
    key_use: Option<String>,
    alg: Option<String>,
    n: String,
    e: String,
}

fn usable_key(value: serde_json::Value) -> Option<(String, ParsedPublicKey)> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    let fits = jwk.kty == "RSA"
        && !jwk.kid.is_empty()
        && jwk.key_use.is_none_or(|u| u == "sig")
        && jwk.alg.is_none_or(|a| a == "RS256");
    let (n, e) = (decode(&jwk.n).ok()?, decode(&jwk.e).ok()?);
    let components = RsaPublicKeyComponents { n: without_leading_zeros(&n), e: without_leading_zeros(&e) };
    if !fits || !MODULUS_BITS.contains(&bits(components.n)) {
        return None;
    }
    Some((jwk.kid, components.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).ok()?))
}

/// Some issuers write the zero byte of the sign, which RFC 7518 §6.3.1.1 forbids; the number is the same.
fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|b| **b == 0).count();
    &number[zeros..]
}

fn bits(number: &[u8]) -> usize {
    number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn rsa(kid: &str, bytes: usize, more: &str) -> String {
        // The number need not be a real modulus: parsing looks at type, use, algorithm and size.
        let n = URL_SAFE_NO_PAD.encode(vec![0xbb; bytes]);
        format!(r#"{{"kty":"RSA","kid":"{kid}","n":"{n}","e":"AQAB"{more}}}"#)
    }

    fn kids(keys: &[String]) -> Vec<String> {
        let body = format!(r#"{{"keys":[{}]}}"#, keys.join(","));
        let mut kids: Vec<_> = parse(body.as_bytes()).map(|k| k.into_keys().collect()).unwrap_or_default();
        kids.sort();
        kids
    }

    /// attacks.md 37.
    #[test]
    fn attack_37_unusable_keys_are_skipped() {
        let ec = r#"{"kty":"EC","kid":"ec","crv":"P-256","x":"AAAA","y":"AAAA"}"#.to_owned();
        let set = [
            rsa("good", 256, r#","alg":"RS256","use":"sig""#),
            rsa("bare", 256, ""),
            rsa("small", 128, ""),
            rsa("almost", 255, ""),
            rsa("huge", 1025, ""),
            rsa("enc", 256, r#","use":"enc""#),
            rsa("rs512", 256, r#","alg":"RS512""#),
            rsa("good", 256, r#","alg":"RS256""#),
            rsa("", 256, ""),
            ec,
            "17".to_owned(),
        ];
        assert_eq!(kids(&set), ["bare", "good"]);
    }

    /// attacks.md 36: what is not a key set never replaces good keys, because it is an error.
    #[test]
    fn attack_36_answers_that_are_no_key_set() {
        for bad in ["", "<html>", "{}", "[]", r#"{"keys":{}}"#, r#"{"keys":[]}"#, r#"{"keys":[{}]}"#] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
