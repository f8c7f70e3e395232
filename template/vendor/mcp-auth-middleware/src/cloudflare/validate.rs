//! One token: from the header's value to a [`User`], or the reason why not.

use std::fmt;
use std::sync::Arc;

use http::HeaderValue;
use serde::Deserialize;

use super::AccessConfig;
use crate::jwt::{
    Algorithm, Claims, Jws, KeySource, KeyStatus, MAXIMUM_LENGTH, RegisteredClaims, TokenDigest, Verifier, decode_text,
    parse_json, seconds_since_1970,
};
use crate::{AuthError, Grant, User, UserKind};

/// The algorithm that Access signs with.
const ALGORITHM: Algorithm = Algorithm::Rs256;

/// Validates tokens of one Access application; holds the team's public keys.
#[derive(Clone)]
pub struct AccessValidator(Arc<Inner>);

struct Inner {
    config: AccessConfig,
    verifier: Verifier,
}

/// The claims that name the caller. One that is there twice or of the wrong type makes the token malformed; others are
/// not looked at.
#[derive(Deserialize)]
struct IdentityClaims {
    /// The person's UUID; empty for a service token.
    sub: Option<String>,
    email: Option<String>,
    /// The client id of a service token.
    common_name: Option<String>,
    /// `app` for an application's token, `org` for the team's session, which is for no application.
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl AccessValidator {
    /// Prepares the validation; nothing is fetched yet.
    ///
    /// # Errors
    /// Where the HTTP client for the key server cannot be built.
    pub fn new(config: AccessConfig) -> Result<Self, reqwest::Error> {
        let source = KeySource::Address { name: "Cloudflare Access keys".to_owned(), url: config.certs_url.clone() };
        let verifier = Verifier::new(source, vec![ALGORITHM], config.key_policy)?;
        Ok(Self(Arc::new(Inner { config, verifier })))
    }

    /// Fetches the keys now and then ahead of their age. Never returns: spawn it, and abort it to stop.
    pub async fn keep_keys_fresh(&self) {
        self.0.verifier.keep_keys_fresh().await;
    }

    /// The user of a token that passed a moment ago, without a signature check; or the digest of another one, or nothing of
    /// one that is too long.
    pub(crate) fn known(&self, header: &HeaderValue) -> Result<User, Option<TokenDigest>> {
        self.0.known(header, seconds_since_1970())
    }

    /// The whole check of a token that is not known, by its digest.
    pub(crate) async fn verify(&self, header: &HeaderValue, digest: TokenDigest) -> Result<User, AuthError> {
        verify(seconds_since_1970, header, digest, &self.0).await
    }

    /// Returns the state of the keys.
    #[must_use]
    pub fn key_status(&self) -> KeyStatus {
        self.0.verifier.status()
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
        let digest = TokenDigest::new(header.as_bytes());
        self.verifier.known(&digest, now).map(|user| User::clone(&user)).ok_or(Some(digest))
    }
}

/// The whole check of a token that is not known.
async fn verify(
    clock: impl Fn() -> f64,
    header: &HeaderValue,
    digest: TokenDigest,
    inner: &Inner,
) -> Result<User, AuthError> {
    let jws = Jws::parse(header.to_str().map_err(|_| AuthError::JwtMalformed)?, &[ALGORITHM])?;
    let keys = inner.verifier.verify(&jws).await?;
    let payload = decode_text(jws.payload)?;
    let registered: RegisteredClaims = parse_json(&payload)?;
    let claims: IdentityClaims = parse_json(&payload)?;
    let now = clock();
    let maximum_age = inner.config.max_token_age;
    registered.check(&inner.config.issuer, &inner.config.audiences, maximum_age, now)?;
    let until = registered.good_until(maximum_age);
    // Other claims have never made a token malformed; what cannot be read gives no rights.
    let path = &inner.config.roles_claim;
    let roles = Claims::select(&payload, path).map_or_else(|_| Vec::new(), |claims| claims.texts(path));
    let user = identify(claims, roles, &inner.config)?;
    keys.remember(digest, &user, until, now);
    Ok(user)
}

/// Who a verified token names, and whether they may.
fn identify(claims: IdentityClaims, roles: Vec<String>, config: &AccessConfig) -> Result<User, AuthError> {
    // `org` is the session of the whole team, which only the audience keeps from passing for an application's token.
    if claims.kind.is_some_and(|kind| kind != "app") {
        return Err(AuthError::NotAnAccessToken);
    }
    let present = |text: Option<String>| text.filter(|t| !t.trim().is_empty());
    if let Some(email) = present(claims.email) {
        if !config.allowed_people.allow(Some(&email)) {
            return Err(AuthError::UserNotAllowed);
        }
        // `sub` identifies a person; an address can be given to another one.
        let uuid = present(claims.sub).ok_or(AuthError::NoIdentity)?;
        let grant = grant(config, Some(uuid.clone()), None, roles);
        return Ok(User { email, user_uuid: Some(uuid), kind: UserKind::Human, grant });
    }
    let name = present(claims.common_name).ok_or(AuthError::NoIdentity)?;
    // A service token has an empty `sub`: with one it is of a kind that Access does not document.
    if claims.sub.is_some_and(|sub| !sub.is_empty()) {
        return Err(AuthError::NoIdentity);
    }
    if !config.allowed_service_tokens.contains(&name) {
        return Err(AuthError::ServiceTokenNotAllowed);
    }
    let grant = grant(config, None, Some(name.clone()), roles);
    Ok(User { email: name, user_uuid: None, kind: UserKind::ServiceToken, grant })
}

fn grant(
    config: &AccessConfig,
    subject: Option<String>,
    client_id: Option<String>,
    roles: Vec<String>,
) -> Option<Arc<Grant>> {
    Some(Arc::new(Grant { issuer: config.issuer.clone(), subject, client_id, roles, ..Grant::default() }))
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
        let checks = || inner.verifier.signature_checks();
        // The token was issued a moment after `now()` was taken, so its `exp` may be a second later.
        assert!(at(50.0).await.is_ok());
        assert!(at(59.0).await.is_ok());
        assert_eq!(checks(), 1, "known from the first look");
        assert_eq!(at(61.0).await, Err(AuthError::JwtExpired));
        assert_eq!(checks(), 2, "checked again");
    }
}
