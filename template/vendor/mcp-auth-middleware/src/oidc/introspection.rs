//! How an issuer is asked about tokens, and about which (RFC 7662).

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};

use super::OidcConfigError;
use crate::jwt::is_secure;

/// As whom this server asks, and where: RFC 7662 has no questions without credentials (§2.1).
#[derive(Clone)]
pub struct IntrospectionConfig {
    pub(super) url: Option<String>,
    pub(super) client_id: String,
    client_secret: Arc<RwLock<SecretString>>,
    pub(super) policy: IntrospectionPolicy,
    pub(super) tokens: IntrospectedTokens,
}

/// About which tokens an issuer is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum IntrospectedTokens {
    /// Those that are no JWT, and say nothing themselves. What a JWT says counts until it ends (RFC 9068 §4).
    #[default]
    Opaque,
    /// JWTs, once their signature and claims are good: so that one that was revoked before its end is refused.
    Jwt,
    /// Both.
    All,
}

impl IntrospectedTokens {
    pub(super) const fn opaque(self) -> bool {
        matches!(self, Self::Opaque | Self::All)
    }

    pub(super) const fn jwt(self) -> bool {
        matches!(self, Self::Jwt | Self::All)
    }
}

/// A name of tokens that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be opaque, jwt or all")]
pub struct ParseIntrospectedTokensError;

impl FromStr for IntrospectedTokens {
    type Err = ParseIntrospectedTokensError;

    fn from_str(text: &str) -> Result<Self, ParseIntrospectedTokensError> {
        match text.trim().to_ascii_lowercase().as_str() {
            "opaque" => Ok(Self::Opaque),
            "jwt" => Ok(Self::Jwt),
            "all" => Ok(Self::All),
            _ => Err(ParseIntrospectedTokensError),
        }
    }
}

/// By which rules answers are kept.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct IntrospectionPolicy {
    /// How long an answer "active" counts: a token that is revoked is refused after this time at the latest. Default: 30
    /// seconds.
    pub fresh_for: Duration,
    /// How long an answer "not active" counts. Default: 5 seconds; a replica of the issuer may not know a new token yet.
    pub refused_for: Duration,
    /// How long an answer "active" still counts while the issuer cannot be reached. Default: 5 minutes.
    pub serve_stale_for: Duration,
    /// Time a question may take in all. Default: 5 seconds.
    pub timeout: Duration,
}

impl Default for IntrospectionPolicy {
    fn default() -> Self {
        Self {
            fresh_for: Duration::from_secs(30),
            refused_for: Duration::from_secs(5),
            serve_stale_for: Duration::from_secs(5 * 60),
            timeout: Duration::from_secs(5),
        }
    }
}

impl IntrospectionConfig {
    /// Asks as this client, at the address that the issuer's metadata has.
    #[must_use]
    pub fn new(client_id: impl Into<String>, client_secret: SecretString) -> Self {
        Self {
            url: None,
            client_id: client_id.into(),
            client_secret: Arc::new(RwLock::new(client_secret)),
            policy: IntrospectionPolicy::default(),
            tokens: IntrospectedTokens::default(),
        }
    }

    /// Asks about these tokens. Default: those that are no JWT.
    #[must_use]
    pub fn about(mut self, tokens: IntrospectedTokens) -> Self {
        self.tokens = tokens;
        self
    }

    /// About which tokens the issuer is asked.
    #[must_use]
    pub fn tokens(&self) -> IntrospectedTokens {
        self.tokens
    }

    /// Asks at this address, not at the one of the issuer's metadata.
    ///
    /// # Errors
    /// [`OidcConfigError::IntrospectionUrl`] where it is not https (http is accepted for loopback).
    pub fn with_url(mut self, url: &str) -> Result<Self, OidcConfigError> {
        let url = Url::parse(url.trim()).ok().filter(is_secure).ok_or(OidcConfigError::IntrospectionUrl)?;
        self.url = Some(url.into());
        Ok(self)
    }

    /// Keeps answers by other rules than the default ones.
    #[must_use]
    pub fn with_policy(mut self, policy: IntrospectionPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Asks with this secret from now on, in all clones: the file that it came from has changed.
    pub fn set_client_secret(&self, secret: SecretString) {
        *self.client_secret.write().unwrap_or_else(PoisonError::into_inner) = secret;
    }

    /// The address, where it is not that of the issuer's metadata.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// The client's name.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    pub(super) fn with_secret<T>(&self, use_it: impl FnOnce(&str) -> T) -> T {
        use_it(self.client_secret.read().unwrap_or_else(PoisonError::into_inner).expose_secret())
    }
}

impl fmt::Debug for IntrospectionConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntrospectionConfig")
            .field("url", &self.url)
            .field("client_id", &self.client_id)
            .field("policy", &self.policy)
            .field("tokens", &self.tokens)
            .finish_non_exhaustive()
    }
}
