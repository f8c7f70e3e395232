//! Who calls: which header counts, and whose check it stands or falls with.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::Authenticator;
use crate::bearer::credential;
use crate::cloudflare::{self, validate_cloudflare_access_jwt};
use crate::jwt::{MAXIMUM_LENGTH, TokenDigest};
use crate::oidc::is_jwt_shaped;
use crate::printable::printable;
use crate::refusal::Refusal;
use crate::{AuthError, User};

/// The knowledge about a caller before any signature check and any request to others.
pub(super) enum Caller {
    /// It is known, or refused: nearly always.
    Settled(Result<User, Refusal>),
    /// It brings a token that is looked at now, of this digest if it has been computed.
    New(Option<TokenDigest>),
}

impl Authenticator {
    /// Who calls, as far as it is known; [`new_caller`](Self::new_caller) finds out the rest.
    ///
    /// A request with a Cloudflare header stands or falls with it: falling back to Bearer would let an attacker choose the
    /// weaker check.
    pub(super) fn known_caller(&self, headers: &HeaderMap) -> Caller {
        if self.brings_access_token(headers) {
            let (Ok(value), Some(validator)) = (single(headers, &cloudflare::HEADER), &self.cloudflare) else {
                return Caller::New(None);
            };
            return match validator.known(value) {
                Ok(user) => {
                    access_validated(&user);
                    Caller::Settled(Ok(user))
                }
                Err(digest) => Caller::New(digest),
            };
        }
        if (self.bearer.is_some() || self.oidc.is_some()) && headers.contains_key(AUTHORIZATION) {
            return self.known_bearer(headers);
        }
        tracing::warn!("Request refused: {}", AuthError::MissingCredentials);
        Caller::Settled(Err(AuthError::MissingCredentials.into()))
    }

    /// Who calls by an `Authorization` header: the tokens for development are compared first, and what has the shape of a
    /// JWT is for the issuers.
    fn known_bearer(&self, headers: &HeaderMap) -> Caller {
        let failed = |error: AuthError| {
            tracing::warn!("Bearer token validation failed: {error}");
            Caller::Settled(Err(error.into()))
        };
        let token = match single(headers, &AUTHORIZATION).and_then(credential) {
            Ok(token) => token,
            Err(error) => return failed(error),
        };
        // One digest for both comparisons; a long value is not worth one where no token for development is configured.
        if let (None, true) = (&self.bearer, token.len() > MAXIMUM_LENGTH) {
            return Caller::New(None);
        }
        let digest = TokenDigest::new(token);
        if self.bearer.as_ref().is_some_and(|tokens| tokens.hold(&digest)) {
            let user = User::developer();
            tracing::debug!("Bearer token authenticated for: {}", user.email);
            return Caller::Settled(Ok(user));
        }
        match &self.oidc {
            Some(validator) => match validator.known(&digest) {
                Some(user) => {
                    token_validated(&user);
                    Caller::Settled(Ok(user))
                }
                None if self.bearer.is_some() && !is_jwt_shaped(token) && !validator.asks_about(token) => {
                    failed(AuthError::BearerMismatch)
                }
                None => Caller::New(Some(digest)),
            },
            None => failed(AuthError::BearerMismatch),
        }
    }

    /// Who calls, where [`known_caller`](Self::known_caller) does not know.
    pub(super) async fn new_caller(&self, headers: &HeaderMap, digest: Option<TokenDigest>) -> Result<User, Refusal> {
        if self.brings_access_token(headers) {
            return Ok(self.access_user(headers, digest).await.inspect(access_validated).inspect_err(|error| {
                tracing::warn!("Cloudflare Access JWT validation failed: {error}");
            })?);
        }
        self.token_user(headers, digest).await.inspect(token_validated).inspect_err(|refusal| {
            tracing::warn!("Access token validation failed: {}", refusal.reason());
        })
    }

    fn brings_access_token(&self, headers: &HeaderMap) -> bool {
        self.config.mode.takes_cloudflare() && headers.contains_key(&cloudflare::HEADER)
    }

    async fn access_user(&self, headers: &HeaderMap, digest: Option<TokenDigest>) -> Result<User, AuthError> {
        let value = single(headers, &cloudflare::HEADER)?;
        let validator = self.cloudflare.as_ref().ok_or(AuthError::AccessNotConfigured)?;
        match digest {
            Some(digest) => validator.verify(value, digest).await,
            None => validate_cloudflare_access_jwt(value, validator).await,
        }
    }

    /// Who calls by the access token of an issuer.
    async fn token_user(&self, headers: &HeaderMap, digest: Option<TokenDigest>) -> Result<User, Refusal> {
        let token = credential(single(headers, &AUTHORIZATION)?)?;
        let token = std::str::from_utf8(token).ok().filter(|token| token.len() <= MAXIMUM_LENGTH);
        let (Some(token), Some(validator)) = (token, &self.oidc) else { return Err(AuthError::JwtMalformed.into()) };
        validator.validate(token, digest.unwrap_or_else(|| TokenDigest::new(token.as_bytes()))).await
    }
}

fn access_validated(user: &User) {
    tracing::debug!("Cloudflare Access JWT validated for: {}", printable(&user.email));
}

fn token_validated(user: &User) {
    tracing::debug!("Access token validated for: {}", printable(&user.email));
}

/// The header's only value; two, even equal ones, are an error, as proxies differ in which of them counts.
fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<&'h HeaderValue, AuthError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(value),
        (Some(_), Some(_)) => Err(AuthError::DuplicateHeader),
        (None, _) => Err(AuthError::MissingCredentials),
    }
}
