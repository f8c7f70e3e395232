//! One token: from the header's value to a [`User`], or the reason why not.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use http::HeaderValue;

use super::AccessConfig;
use super::claims::Claims;
use super::jws::{Jws, decode_json};
use super::keys::{KeyCache, KeyStatus};
use crate::{AuthError, User, UserKind};

/// Validates tokens of one Access application; holds the team's public keys.
#[derive(Clone)]
pub struct AccessValidator(Arc<Inner>);

struct Inner {
    config: AccessConfig,
    keys: Arc<KeyCache>,
}

impl AccessValidator {
    /// Prepares the validation; nothing is fetched yet.
    ///
    /// # Errors
    /// Where the HTTP client for the key server cannot be built.
    pub fn new(config: AccessConfig) -> Result<Self, reqwest::Error> {
        let keys = Arc::new(KeyCache::new(config.certs_url.clone(), config.key_policy)?);
        Ok(Self(Arc::new(Inner { config, keys })))
    }

    /// Fetches the keys now and then ahead of their age. Never returns: spawn it, and abort it to stop.
    pub async fn keep_keys_fresh(&self) {
        self.0.keys.keep_fresh().await;
    }

    /// What is known about the keys.
    #[must_use]
    pub fn key_status(&self) -> KeyStatus {
        self.0.keys.status()
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
/// # Errors
/// The [`AuthError`] that names the first check that failed.
pub async fn validate_cloudflare_access_jwt(
    header: &HeaderValue,
    validator: &AccessValidator,
) -> Result<User, AuthError> {
    let AccessValidator(inner) = validator;
    let jws = Jws::parse(header.to_str().map_err(|_| AuthError::JwtMalformed)?)?;
    let key = inner.keys.find(&jws.key_id).await?;
    key.verify_sig(jws.signed.as_bytes(), &jws.signature).map_err(|_| AuthError::InvalidSignature)?;
    let claims: Claims = decode_json(jws.payload)?;
    claims.check(&inner.config.issuer, &inner.config.audiences, seconds_since_1970())?;
    identify(claims, &inner.config)
}

fn seconds_since_1970() -> f64 {
    // A clock before 1970 makes every token one from the future, which is refused.
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// Who a verified token names, and whether they may.
fn identify(claims: Claims, config: &AccessConfig) -> Result<User, AuthError> {
    let present = |text: Option<String>| text.filter(|t| !t.trim().is_empty());
    if let Some(email) = present(claims.email) {
        if !person_is_allowed(&email, config) {
            return Err(AuthError::UserNotAllowed);
        }
        return Ok(User { email, user_uuid: present(claims.sub), kind: UserKind::Human });
    }
    let name = present(claims.common_name).ok_or(AuthError::NoIdentity)?;
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
    let email = email.to_lowercase();
    let domain = email.rsplit_once('@').map(|(_, domain)| domain);
    config.allowed_emails.contains(&email) || domain.is_some_and(|d| config.allowed_domains.contains(d))
}
