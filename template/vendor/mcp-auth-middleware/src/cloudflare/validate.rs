//! One token: from the header's value to a [`User`], or the reason why not.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use http::HeaderValue;

use super::AccessConfig;
use super::claims::Claims;
use super::jws::{Jws, MAXIMUM_LENGTH, decode_json};
use super::keys::{KeyCache, KeyStatus};
use super::verified::TokenDigest;
use crate::{AuthError, User, UserKind};

/// Validates tokens of one Access application; holds the team's public keys.
#[derive(Clone)]
pub struct AccessValidator(Arc<Inner>);

struct Inner {
    config: AccessConfig,
    keys: Arc<KeyCache>,
    signature_checks: AtomicU64,
}

impl AccessValidator {
    /// Prepares the validation; nothing is fetched yet.
    ///
    /// # Errors
    /// Where the HTTP client for the key server cannot be built.
    pub fn new(config: AccessConfig) -> Result<Self, reqwest::Error> {
        let keys = Arc::new(KeyCache::new(config.certs_url.clone(), config.key_policy)?);
        Ok(Self(Arc::new(Inner { config, keys, signature_checks: AtomicU64::new(0) })))
    }

    /// Fetches the keys now and then ahead of their age. Never returns: spawn it, and abort it to stop.
    pub async fn keep_keys_fresh(&self) {
        self.0.keys.keep_fresh().await;
    }

    /// The user of a token that passed a moment ago, without a signature check.
    pub(crate) fn known(&self, header: &HeaderValue) -> Option<User> {
        self.0.known(header, seconds_since_1970()).ok()
    }

    /// What is known about the keys.
    #[must_use]
    pub fn key_status(&self) -> KeyStatus {
        self.0.keys.status(self.0.signature_checks.load(Ordering::Relaxed))
    }
}

impl fmt::Debug for AccessValidator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessValidator").field("issuer", &self.0.config.issuer).finish_non_exhaustive()
    }
}

/// Checks the value of a `cf-access-jwt-assertion` header in the order of RFC 7519 §7.2: the token's shape, its
/// algorithm (RS256 and no other), its signature by one of the team's keys, `exp`, `nbf`/`iat` with a leeway of 60
/// seconds, `iss`, `aud`; then whom it names, and the allow lists.
///
/// A token without `kid` is refused: Access always sets it, and guessing a key helps nobody.
///
/// A token that passed is known again by its SHA-256 for a minute, while it has not ended and its key is published.
///
/// # Errors
/// The [`AuthError`] that names the first check that failed.
pub async fn validate_cloudflare_access_jwt(
    header: &HeaderValue,
    validator: &AccessValidator,
) -> Result<User, AuthError> {
    validate_by(seconds_since_1970, header, &validator.0).await
}

/// As above, by this clock (seconds since 1970).
async fn validate_by(clock: impl Fn() -> f64, header: &HeaderValue, inner: &Inner) -> Result<User, AuthError> {
    match inner.known(header, clock()) {
        Ok(user) => Ok(user),
        Err(None) => Err(AuthError::JwtMalformed),
        Err(Some(digest)) => verify(clock, header, digest, inner).await,
    }
}

impl Inner {
    /// The user of a token that passed a moment ago; or the digest of another one, or nothing of one that is too long.
    fn known(&self, header: &HeaderValue, now: f64) -> Result<User, Option<TokenDigest>> {
        // Before the digest, which would be the one thing that a long value costs.
        if header.len() > MAXIMUM_LENGTH {
            return Err(None);
        }
        let digest = TokenDigest::of(header.as_bytes());
        self.keys.verified(&digest, now).map(|user| User::clone(&user)).ok_or(Some(digest))
    }
}

/// The whole check of a token that is not known.
async fn verify(
    clock: impl Fn() -> f64,
    header: &HeaderValue,
    digest: TokenDigest,
    inner: &Inner,
) -> Result<User, AuthError> {
    let jws = Jws::parse(header.to_str().map_err(|_| AuthError::JwtMalformed)?)?;
    let (key, set) = inner.keys.find(&jws.key_id).await?;
    inner.signature_checks.fetch_add(1, Ordering::Relaxed);
    key.verify_sig(jws.signed.as_bytes(), &jws.signature).map_err(|_| AuthError::InvalidSignature)?;
    let claims: Claims = decode_json(jws.payload)?;
    let now = clock();
    let maximum_age = inner.config.max_token_age;
    claims.check(&inner.config.issuer, &inner.config.audiences, maximum_age, now)?;
    let until = claims.good_until(maximum_age);
    let user = identify(claims, &inner.config)?;
    set.verified.insert(digest, Arc::new(user.clone()), until, now);
    Ok(user)
}

fn seconds_since_1970() -> f64 {
    seconds(SystemTime::now())
}

fn seconds(time: SystemTime) -> f64 {
    // With a clock before 1970 every token has expired: without `nbf` and `iat` it could not be told from a good one.
    time.duration_since(UNIX_EPOCH).map_or(f64::INFINITY, |since| since.as_secs_f64())
}

/// Who a verified token names, and whether they may.
fn identify(claims: Claims, config: &AccessConfig) -> Result<User, AuthError> {
    // `org` is the session of the whole team, which only the audience keeps from passing for an application's token.
    if claims.kind.is_some_and(|kind| kind != "app") {
        return Err(AuthError::NotAnAccessToken);
    }
    let present = |text: Option<String>| text.filter(|t| !t.trim().is_empty());
    if let Some(email) = present(claims.email) {
        if !person_is_allowed(&email, config) {
            return Err(AuthError::UserNotAllowed);
        }
        // People are told apart by `sub`; an address can be given to somebody else.
        let uuid = present(claims.sub).ok_or(AuthError::NoIdentity)?;
        return Ok(User { email, user_uuid: Some(uuid), kind: UserKind::Human });
    }
    let name = present(claims.common_name).ok_or(AuthError::NoIdentity)?;
    // A service token has an empty `sub`: with one it is of a kind that Access does not document.
    if claims.sub.is_some_and(|sub| !sub.is_empty()) {
        return Err(AuthError::NoIdentity);
    }
    if !config.allowed_service_tokens.contains(&name) {
        return Err(AuthError::ServiceTokenNotAllowed);
    }
    Ok(User { email: name, user_uuid: None, kind: UserKind::ServiceToken })
}

/// With no list everyone whom Access lets in may; with lists, whoever is on one of them.
fn person_is_allowed(email: &str, config: &AccessConfig) -> bool {
    if config.allowed_emails.is_empty() && config.allowed_domains.is_empty() {
        return true;
    }
    // ASCII alone: in Unicode, KELVIN SIGN is a k in lower case (CVE-2019-19844 is the same mistake).
    let email = email.to_ascii_lowercase();
    let domain = email.rsplit_once('@').map(|(_, domain)| domain);
    config.allowed_emails.contains(&email) || domain.is_some_and(|d| config.allowed_domains.contains(d))
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::testing::{AUDIENCE, ISSUER, TestTeam, now};

    /// attacks.md 8: a token that is remembered ends to the second as every other does.
    #[tokio::test]
    async fn attack_08_a_known_token_ends_with_exp() {
        let team = TestTeam::start().await.expect("a team");
        let config = AccessConfig::new(ISSUER, [AUDIENCE]).and_then(|c| c.with_certs_url(&team.certs_url()));
        let AccessValidator(inner) = AccessValidator::new(config.expect("good")).expect("a validator");
        let exp = now() as f64 + 3600.0;
        let token = HeaderValue::from_str(&team.token("user@example.com")).expect("a token");
        let time = Cell::new(exp);
        let at = |seconds: f64| {
            time.set(exp + seconds);
            validate_by(|| time.get(), &token, &inner)
        };
        let checks = || inner.signature_checks.load(Ordering::Relaxed);
        // The token was issued a moment after `now()` was taken, so its `exp` may be a second later.
        assert!(at(50.0).await.is_ok());
        assert!(at(59.0).await.is_ok());
        assert_eq!(checks(), 1, "known from the first look");
        assert_eq!(at(61.0).await, Err(AuthError::JwtExpired));
        assert_eq!(checks(), 2, "looked at anew");
    }

    #[test]
    fn a_clock_before_1970_is_after_every_expiry() {
        let moment = std::time::Duration::from_millis(1_700_000_000_250);
        assert_eq!(seconds(UNIX_EPOCH + moment).to_bits(), 1_700_000_000.25_f64.to_bits());
        assert!(seconds(UNIX_EPOCH - moment).is_infinite());
    }
}
