//! The part of the check that is the same for every issuer: is this token known, and if not, is its signature the issuer's?

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::keys::{KeyCache, KeySet};
use super::{Algorithm, Jws, KeyPolicy, KeySource, KeyStatus, TokenDigest};
use crate::{AuthError, User};

/// The keys of one issuer, and what they have verified.
pub(crate) struct Verifier {
    keys: Arc<KeyCache>,
    signature_checks: AtomicU64,
}

impl Verifier {
    /// Prepares the verification; nothing is fetched yet.
    pub(crate) fn new(
        source: KeySource,
        algorithms: Vec<Algorithm>,
        policy: KeyPolicy,
    ) -> Result<Self, reqwest::Error> {
        let keys = Arc::new(KeyCache::new(source, algorithms, policy)?);
        Ok(Self { keys, signature_checks: AtomicU64::new(0) })
    }

    /// The user of a token that passed a moment ago; `now` in seconds since 1970.
    pub(crate) fn known(&self, token: &TokenDigest, now: f64) -> Option<Arc<User>> {
        self.keys.verified(token, now)
    }

    /// Checks the signature by the issuer's keys. From here on the claims are the issuer's; a caller that accepts the
    /// token's user tells the returned keys so.
    pub(crate) async fn verify(&self, jws: &Jws<'_>) -> Result<Accepting, AuthError> {
        let (key, set) = self.keys.find(&jws.key_id, jws.algorithm).await?;
        self.signature_checks.fetch_add(1, Ordering::Relaxed);
        key.verify_sig(jws.signed.as_bytes(), &jws.signature).map_err(|_| AuthError::InvalidSignature)?;
        Ok(Accepting(set))
    }

    /// Fetches the keys now and then ahead of their age, for as long as the future is polled.
    pub(crate) async fn keep_keys_fresh(&self) {
        self.keys.keep_fresh().await;
    }

    /// How many signatures were checked since the start.
    #[cfg(all(test, feature = "testing"))]
    pub(crate) fn signature_checks(&self) -> u64 {
        self.signature_checks.load(Ordering::Relaxed)
    }

    /// The state of the keys.
    pub(crate) fn status(&self) -> KeyStatus {
        self.keys.status(self.signature_checks.load(Ordering::Relaxed))
    }
}

/// The keys that have verified a token.
pub(crate) struct Accepting(Arc<KeySet>);

impl Accepting {
    /// Remembers who was accepted `now`, by a token that ends at `until`; both in seconds since 1970.
    pub(crate) fn remember(&self, token: TokenDigest, user: &User, until: f64, now: f64) {
        self.0.verified.insert(token, Arc::new(user.clone()), until, now);
    }
}

/// Now, in seconds since 1970.
pub(crate) fn seconds_since_1970() -> f64 {
    seconds(SystemTime::now())
}

fn seconds(time: SystemTime) -> f64 {
    // With a clock before 1970 every token counts as expired: one without `nbf` and `iat` would else never expire.
    time.duration_since(UNIX_EPOCH).map_or(f64::INFINITY, |since| since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_before_1970_is_after_every_expiry() {
        let moment = std::time::Duration::from_millis(1_700_000_000_250);
        assert_eq!(seconds(UNIX_EPOCH + moment).to_bits(), 1_700_000_000.25_f64.to_bits());
        assert!(seconds(UNIX_EPOCH - moment).is_infinite());
    }
}
