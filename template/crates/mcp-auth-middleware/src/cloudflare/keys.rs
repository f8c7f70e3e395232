//! The team's public keys: fetched, kept, refreshed ahead of time, and served for a bounded time without their server.
//!
//! Cloudflare rotates keys every six weeks and publishes the previous one for seven more days, so a set that is an
//! hour old is fresh. What must hold: a flood of forged tokens costs the key server nothing, a failed fetch never
//! replaces good keys, and every fetch is bounded in time and size.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, KeyAlgorithm, PublicKeyUse};
use tokio::sync::Mutex;

use crate::AuthError;

/// By which rules keys are fetched and kept.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct KeyPolicy {
    /// Age at which a set is fetched anew in the background. Default: 1 hour.
    pub refresh_after: Duration,
    /// At most one fetch in this time, whatever comes in. Default: 30 seconds.
    pub minimum_interval: Duration,
    /// How long keys go on serving when their server cannot be reached. Default: 24 hours.
    pub serve_stale_for: Duration,
    /// Time a fetch may take in all. Default: 5 seconds.
    pub timeout: Duration,
}

impl Default for KeyPolicy {
    fn default() -> Self {
        Self {
            refresh_after: Duration::from_secs(60 * 60),
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
}

/// A real answer holds two keys and is about 5 KiB, certificates included.
const MAXIMUM_ANSWER: usize = 256 * 1024;
/// NIST SP 800-131A: RSA below 2048 bits is disallowed.
const MINIMUM_MODULUS_BYTES: usize = 256;

pub(super) struct KeyCache {
    url: String,
    client: reqwest::Client,
    policy: KeyPolicy,
    known: RwLock<Option<Arc<KeySet>>>,
    /// Held during a fetch, so that there is one at a time and the others wait for its result.
    latest: Mutex<Option<Attempt>>,
    failing: std::sync::atomic::AtomicBool,
}

struct KeySet {
    keys: HashMap<String, Arc<DecodingKey>>,
    fetched_at: Instant,
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
            latest: Mutex::new(None),
            failing: std::sync::atomic::AtomicBool::new(false),
        })
    }

    /// The key with this id: from the known set, or after one fetch where the set is missing, too old or lacks it.
    pub(super) async fn find(&self, kid: &str) -> Result<Arc<DecodingKey>, AuthError> {
        if let Some(key) = self.usable().and_then(|set| set.keys.get(kid).cloned()) {
            return Ok(key);
        }
        let succeeded = self.refresh_unless_recent().await;
        match self.usable() {
            Some(set) => match set.keys.get(kid) {
                Some(key) => Ok(Arc::clone(key)),
                // The key may be one that was published during the outage: we cannot know.
                None if !succeeded => Err(AuthError::KeysUnavailable),
                None => Err(AuthError::UnknownKeyId),
            },
            None => Err(AuthError::KeysUnavailable),
        }
    }

    /// Fetches the keys now and then ahead of their age, for as long as the future is polled.
    pub(super) async fn keep_fresh(&self) {
        loop {
            self.refresh_unless_recent().await;
            let wait = match self.snapshot() {
                Some(set) if !self.is_failing() => self.policy.refresh_after.saturating_sub(set.fetched_at.elapsed()),
                _ => Duration::ZERO,
            };
            tokio::time::sleep(wait.max(self.retry_interval())).await;
        }
    }

    pub(super) fn status(&self) -> KeyStatus {
        let set = self.snapshot();
        let age = set.as_ref().map(|s| s.fetched_at.elapsed());
        KeyStatus {
            keys: set.map_or(0, |s| s.keys.len()),
            age,
            next_refresh: age.map(|a| self.policy.refresh_after.saturating_sub(a)),
            failing: self.is_failing(),
            serve_stale_for: self.policy.serve_stale_for,
        }
    }

    fn is_failing(&self) -> bool {
        self.failing.load(std::sync::atomic::Ordering::Relaxed)
    }

    fn snapshot(&self) -> Option<Arc<KeySet>> {
        self.known.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    fn usable(&self) -> Option<Arc<KeySet>> {
        self.snapshot().filter(|set| set.fetched_at.elapsed() < self.policy.serve_stale_for)
    }

    /// With no keys at all every caller is refused, so recovery is tried sooner than with keys.
    fn retry_interval(&self) -> Duration {
        match self.usable() {
            Some(_) => self.policy.minimum_interval,
            None => self.policy.minimum_interval.min(Duration::from_secs(2)),
        }
    }

    /// One fetch at a time, and at most one in the interval; says whether the latest one succeeded.
    async fn refresh_unless_recent(&self) -> bool {
        let mut latest = self.latest.lock().await;
        if let Some(attempt) = *latest {
            if attempt.at.elapsed() < self.retry_interval() {
                return attempt.succeeded;
            }
        }
        let fetched = self.fetch().await;
        let succeeded = fetched.is_ok();
        match fetched {
            Ok(keys) => {
                let set = Arc::new(KeySet { keys, fetched_at: Instant::now() });
                tracing::debug!(keys = set.keys.len(), "Cloudflare Access keys fetched");
                *self.known.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(set);
            }
            Err(error) => tracing::warn!("Cloudflare Access keys could not be fetched: {error}"),
        }
        self.failing.store(!succeeded, std::sync::atomic::Ordering::Relaxed);
        *latest = Some(Attempt { at: Instant::now(), succeeded });
        succeeded
    }

    async fn fetch(&self) -> Result<HashMap<String, Arc<DecodingKey>>, FetchError> {
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
fn parse(body: &[u8]) -> Result<HashMap<String, Arc<DecodingKey>>, FetchError> {
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

fn usable_key(value: serde_json::Value) -> Option<(String, DecodingKey)> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    let kid = jwk.common.key_id.clone().filter(|k| !k.is_empty())?;
    if jwk.common.public_key_use.as_ref().is_some_and(|u| *u != PublicKeyUse::Signature)
        || jwk.common.key_algorithm.is_some_and(|a| a != KeyAlgorithm::RS256)
    {
        return None;
    }
    let AlgorithmParameters::RSA(rsa) = &jwk.algorithm else { return None };
    // base64url without padding: 4 characters hold 3 bytes.
    if rsa.n.trim_start_matches('A').len() * 3 / 4 < MINIMUM_MODULUS_BYTES {
        return None;
    }
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    Some((kid, key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rsa(kid: &str, bytes: usize, more: &str) -> String {
        // The letters need not be a real modulus: parsing looks at type, use, algorithm and size.
        format!(r#"{{"kty":"RSA","kid":"{kid}","n":"{}","e":"AQAB"{more}}}"#, "u".repeat(bytes * 4 / 3 + 1))
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
