//! One token: from the header's value to a [`User`], or the reason why not.

use std::fmt;
use std::sync::Arc;

use http::HeaderValue;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};

use super::AccessConfig;
use super::claims::Claims;
use super::keys::{KeyCache, KeyStatus};
use crate::{AuthError, User, UserKind};

/// Clocks differ: tokens are accepted this long after `exp` and before `nbf` or `iat`, in seconds.
const LEEWAY: u64 = 60;
/// A real Access token has about 1 KiB. Longer ones are refused before anything is computed.
const MAXIMUM_LENGTH: usize = 16 * 1024;

/// Validates tokens of one Access application; holds the team's public keys.
#[derive(Clone)]
pub struct AccessValidator(Arc<Inner>);

struct Inner {
    config: AccessConfig,
    validation: Validation,
    keys: KeyCache,
}

impl AccessValidator {
    /// Prepares the validation; nothing is fetched yet.
    ///
    /// # Errors
    /// Where the HTTP client for the key server cannot be built.
    pub fn new(config: AccessConfig) -> Result<Self, reqwest::Error> {
        // The algorithm is pinned here and never taken from the token (RFC 8725 §3.1).
        let mut validation = Validation::new(Algorithm::RS256);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.set_issuer(&[&config.issuer]);
        validation.set_audience(&config.audiences);
        let keys = KeyCache::new(config.certs_url.clone(), config.key_policy)?;
        Ok(Self(Arc::new(Inner { config, validation, keys })))
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

/// Checks the value of a `cf-access-jwt-assertion` header: signature by one of the team's keys, algorithm RS256,
/// `iss`, `aud`, `exp`, and `nbf`/`iat` with a leeway of 60 seconds; then who it names, and the allow lists.
///
/// A token without `kid` is refused: Access always sets it, and guessing a key helps nobody.
///
/// # Errors
/// The [`AuthError`] that names the first check that failed.
pub async fn validate_cloudflare_access_jwt(
    header: &HeaderValue,
    validator: &AccessValidator,
) -> Result<User, AuthError> {
    let inner = &*validator.0;
    let token = header.to_str().map_err(|_| AuthError::JwtMalformed)?;
    if token.is_empty() || token.len() > MAXIMUM_LENGTH || token.split('.').count() != 3 {
        return Err(AuthError::JwtMalformed);
    }
    // `jku`, `jwk`, `x5u` and `x5c` of the header are never looked at: keys come from the configured address only.
    let unverified = decode_header(token).map_err(|e| match e.kind() {
        ErrorKind::InvalidAlgorithmName => AuthError::AlgorithmNotAllowed,
        ErrorKind::Json(json) if json.is_data() && names_unknown_algorithm(token) => AuthError::AlgorithmNotAllowed,
        _ => AuthError::JwtMalformed,
    })?;
    if unverified.alg != Algorithm::RS256 {
        return Err(AuthError::AlgorithmNotAllowed);
    }
    let kid = unverified.kid.filter(|kid| !kid.is_empty()).ok_or(AuthError::UnknownKeyId)?;
    let key = inner.keys.find(&kid).await?;
    let claims = verify(token, &key, &inner.validation)?;
    identify(claims, &inner.config)
}

/// `alg: none` and other names that RFC 7518 does not have are the algorithm's fault, not the token's shape.
fn names_unknown_algorithm(token: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Alg {
        alg: String,
    }
    let header = token.split('.').next().unwrap_or_default();
    jsonwebtoken_base64(header).and_then(|h| serde_json::from_slice::<Alg>(&h).ok()).is_some_and(|a| !a.alg.is_empty())
}

fn jsonwebtoken_base64(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).ok()
}

fn verify(token: &str, key: &DecodingKey, validation: &Validation) -> Result<Claims, AuthError> {
    let claims = decode::<Claims>(token, key, validation)
        .map_err(|e| match e.kind() {
            ErrorKind::InvalidSignature => AuthError::InvalidSignature,
            ErrorKind::ExpiredSignature => AuthError::JwtExpired,
            ErrorKind::ImmatureSignature => AuthError::JwtNotYetValid,
            ErrorKind::InvalidIssuer => AuthError::IssuerMismatch,
            ErrorKind::InvalidAudience => AuthError::AudienceMismatch,
            ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => AuthError::AlgorithmNotAllowed,
            ErrorKind::MissingRequiredClaim(claim) if claim == "aud" => AuthError::AudienceMismatch,
            ErrorKind::MissingRequiredClaim(claim) if claim == "iss" => AuthError::IssuerMismatch,
            _ => AuthError::JwtMalformed,
        })?
        .claims;
    // jsonwebtoken leaves `iat` alone. A token issued in the future is one from a wrong clock or a forger's.
    if let Some(iat) = &claims.iat {
        let iat = iat.as_f64().filter(|n| n.is_finite()).ok_or(AuthError::JwtMalformed)?;
        #[allow(clippy::cast_precision_loss, reason = "seconds since 1970 are far below 2^52")]
        let latest = (jsonwebtoken::get_current_timestamp() + LEEWAY) as f64;
        if iat > latest {
            return Err(AuthError::JwtNotYetValid);
        }
    }
    Ok(claims)
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
