//! One token: from its text to a [`User`], or the reason why not.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use futures_util::future::join_all;
use serde::Deserialize;

use super::OidcConfig;
use super::claims::{check_kind, identify};
use super::introspect::Introspector;
use crate::jwt::{
    Algorithm, Claims, Jws, KeyStatus, MAXIMUM_LENGTH, RegisteredClaims, TokenDigest, Verifier, check_audience,
    decode_text, parse_json, seconds_since_1970,
};
use crate::refusal::Refusal;
use crate::{AuthError, User};

/// Validates access tokens of the configured issuers; holds their public keys.
#[derive(Clone)]
pub struct OidcValidator(Arc<Inner>);

struct Inner {
    issuers: Vec<Issuer>,
    /// Those of all issuers, for what is looked at before the issuer is known.
    algorithms: Vec<Algorithm>,
}

struct Issuer {
    config: OidcConfig,
    verifier: Verifier,
    introspector: Option<Arc<Introspector>>,
}

impl OidcValidator {
    /// Prepares the validation; nothing is fetched yet.
    ///
    /// # Errors
    /// Where the HTTP client for the issuers cannot be built.
    pub fn new(configs: Vec<OidcConfig>) -> Result<Self, reqwest::Error> {
        let issuer = |config: OidcConfig| {
            let verifier = Verifier::new(config.key_source(), config.algorithms.clone(), config.key_policy)?;
            let introspector = Introspector::new(&config)?;
            Ok(Issuer { config, verifier, introspector })
        };
        let issuers: Vec<_> = configs.into_iter().map(issuer).collect::<Result<_, reqwest::Error>>()?;
        let allowed = |algorithm: &Algorithm| issuers.iter().any(|issuer| issuer.config.algorithms.contains(algorithm));
        let algorithms = Algorithm::ALL.into_iter().filter(allowed).collect();
        Ok(Self(Arc::new(Inner { issuers, algorithms })))
    }

    /// Fetches the keys of all issuers now and then ahead of their age. Never returns: spawn it, and abort it to stop.
    pub async fn keep_keys_fresh(&self) {
        join_all(self.0.issuers.iter().map(|issuer| issuer.verifier.keep_keys_fresh())).await;
    }

    /// The state of the keys of each issuer.
    #[must_use]
    pub fn key_status(&self) -> Vec<(String, KeyStatus)> {
        self.0.issuers.iter().map(|issuer| (issuer.config.issuer.clone(), issuer.verifier.status())).collect()
    }

    /// The user of a token that passed a moment ago, without a signature check.
    pub(crate) fn known(&self, token: &TokenDigest) -> Option<User> {
        let now = seconds_since_1970();
        let known = |issuer: &Issuer| {
            issuer.verifier.known(token, now).or_else(|| issuer.introspector.as_ref()?.known(token, now))
        };
        self.0.issuers.iter().find_map(known).map(|user| User::clone(&user))
    }

    /// The state of the questions about tokens, for each issuer that is asked: how many tokens are known as good, and how
    /// many questions there were since the start.
    #[must_use]
    pub fn introspection_status(&self) -> Vec<(String, usize, u64)> {
        let status = |issuer: &Issuer| {
            let (known, questions) = issuer.introspector.as_ref()?.status();
            Some((issuer.config.issuer.clone(), known, questions))
        };
        self.0.issuers.iter().filter_map(status).collect()
    }

    /// Asks the first issuer that is asked about tokens about one that nobody has issued; `None` where nobody is asked.
    ///
    /// # Errors
    /// Why there is no answer, in words.
    pub async fn try_introspection(&self) -> Option<Result<(), String>> {
        let introspector = self.0.issuers.iter().find_map(|issuer| issuer.introspector.as_ref())?;
        Some(introspector.try_out().await)
    }

    /// Returns whether this token is opaque and its issuer is asked.
    pub(crate) fn asks_about(&self, token: &[u8]) -> bool {
        !is_jwt_shaped(token) && self.about_opaque().is_some()
    }

    /// The issuer that is asked about opaque tokens.
    fn about_opaque(&self) -> Option<&Arc<Introspector>> {
        let issuer = self.0.issuers.iter().find(|issuer| issuer.config.asks_about_opaque_tokens())?;
        issuer.introspector.as_ref()
    }

    /// The whole check of a token that is not known.
    pub(crate) async fn validate(&self, token: &str, digest: TokenDigest) -> Result<User, Refusal> {
        if let Some(introspector) = self.about_opaque().filter(|_| !is_jwt_shaped(token.as_bytes())) {
            return introspector.user(token, digest).await.map(|user| User::clone(&user));
        }
        let jws = Jws::parse(token, &self.0.algorithms)?;
        let payload = decode_text(jws.payload)?;
        let issuer = self.issuer_of(&payload)?;
        if !issuer.config.algorithms.contains(&jws.algorithm) {
            return Err(AuthError::AlgorithmNotAllowed.into());
        }
        let keys = issuer.verifier.verify(&jws).await.map_err(|error| match error {
            AuthError::UnknownKeyId => Refusal::got(error, &issuer.config.issuer, &jws.key_id),
            other => other.into(),
        })?;
        let (user, until, now) = issuer.accept(&jws, &payload)?;
        match issuer.about_jwts() {
            // Only what would be accepted costs the issuer a question. What it says is remembered in place of the signature.
            Some(introspector) => {
                let confirmed = introspector.confirm(token, digest, (Arc::new(user), until)).await;
                confirmed.map(|user| User::clone(&user))
            }
            None => {
                keys.remember(digest, &user, until, now);
                Ok(user)
            }
        }
    }

    /// The issuer that a token names, by whose rules alone it is checked. Nothing of it is verified yet.
    fn issuer_of(&self, payload: &str) -> Result<&Issuer, Refusal> {
        #[derive(Deserialize)]
        struct Named<'p> {
            #[serde(borrow)]
            iss: Option<Cow<'p, str>>,
        }
        let Named { iss } = parse_json(payload)?;
        let iss = iss.unwrap_or_default();
        self.0.issuers.iter().find(|issuer| issuer.config.issuer == iss).ok_or_else(|| {
            let known: Vec<_> = self.0.issuers.iter().map(|issuer| issuer.config.issuer.as_str()).collect();
            Refusal::got(AuthError::IssuerMismatch, &known.join(" or "), &iss)
        })
    }
}

impl Issuer {
    /// Who is asked about JWTs of this issuer.
    fn about_jwts(&self) -> Option<&Arc<Introspector>> {
        self.introspector.as_ref().filter(|_| self.config.introspection().is_some_and(|asking| asking.tokens().jwt()))
    }

    /// Who calls by a token whose signature is good, until when it is good, and what time it is.
    fn accept(&self, jws: &Jws<'_>, payload: &str) -> Result<(User, f64, f64), Refusal> {
        let config = &self.config;
        let claims: Claims = parse_json(payload)?;
        let registered = claims.registered().map_err(|_| AuthError::JwtMalformed)?;
        let now = seconds_since_1970();
        let audiences = config.check(&claims, &registered, now)?;
        let scopes = claims.scopes();
        check_kind(jws.media_type.as_deref(), &claims, &audiences, &scopes, config)?;
        let user = config.identify(&claims, scopes)?;
        Ok((user, registered.good_until(config.max_token_age), now))
    }
}

impl OidcConfig {
    /// Returns the caller of an access token with these verified claims.
    pub(super) fn admit(&self, claims: &Claims, registered: &RegisteredClaims, now: f64) -> Result<User, Refusal> {
        self.check(claims, registered, now)?;
        self.identify(claims, claims.scopes())
    }

    /// Checks that a token is valid here and now. Returns its user.
    fn check<'c>(
        &self,
        claims: &Claims,
        registered: &'c RegisteredClaims,
        now: f64,
    ) -> Result<Cow<'c, [String]>, Refusal> {
        registered.check_times(self.max_token_age, now)?;
        registered.check_issuer(&self.issuer)?;
        let named = match &self.audience_claim {
            None => Cow::Borrowed(registered.audiences()),
            Some(claim) => Cow::Owned(claims.audiences(claim)),
        };
        match check_audience(&named, &self.audiences) {
            Ok(()) => Ok(named),
            Err(error) => Err(Refusal::got(error, &self.audiences.join(" or "), &named.join(" and "))),
        }
    }

    fn identify(&self, claims: &Claims, scopes: Vec<String>) -> Result<User, Refusal> {
        let user = identify(claims, scopes, self)?;
        let missing = |scope: &&String| !user.scopes().contains(scope);
        let missing: Vec<_> = self.required_scopes.iter().filter(missing).cloned().collect();
        if missing.is_empty() {
            return Ok(user);
        }
        Err(Refusal::missing_scopes(self.required_scopes.clone(), missing))
    }
}

/// Three parts with dots between: a JWS. What has another form says nothing that could be checked here.
pub(crate) fn is_jwt_shaped(token: &[u8]) -> bool {
    token.iter().filter(|byte| **byte == b'.').count() == 2
}

impl fmt::Debug for OidcValidator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.issuers.iter().map(|issuer| &issuer.config.issuer)).finish()
    }
}

/// Checks an access token: its shape, its algorithm, the issuer that it names, its signature by one of that issuer's keys,
/// `exp`, `nbf`/`iat` with a leeway of 60 seconds, `aud`, that it is an access token; then whom it names, the allow lists
/// and the scopes.
///
/// A token without `kid` is refused, as guessing a key helps nobody. A token that passed is known again by its SHA-256 for
/// a minute, while it has not ended and its key is published.
///
/// # Errors
/// The [`AuthError`] that names the first check that failed.
pub async fn validate_access_token(token: &str, validator: &OidcValidator) -> Result<User, AuthError> {
    // Before the digest, which would be the one thing that a long value costs.
    if token.len() > MAXIMUM_LENGTH {
        return Err(AuthError::JwtMalformed);
    }
    let digest = TokenDigest::new(token.as_bytes());
    match validator.known(&digest) {
        Some(user) => Ok(user),
        None => validator.validate(token, digest).await.map_err(|refusal| refusal.error),
    }
}
