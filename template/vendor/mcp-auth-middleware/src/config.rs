//! What the middleware is told: which methods are on, and where tokens come from.

use std::fmt;
use std::str::FromStr;

use crate::{AccessConfig, BearerTokens, TokenStore};

/// Which methods of authentication are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthMode {
    /// Cloudflare Access tokens only.
    Cloudflare,
    /// The development Bearer token only.
    Bearer,
    /// Either; a request with a Cloudflare header stands or falls with it.
    Both,
}

impl AuthMode {
    /// The mode as it is written in configuration: `cloudflare`, `bearer`, `both`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cloudflare => "cloudflare",
            Self::Bearer => "bearer",
            Self::Both => "both",
        }
    }

    /// Whether Cloudflare Access tokens are looked at.
    #[must_use]
    pub const fn takes_cloudflare(self) -> bool {
        matches!(self, Self::Cloudflare | Self::Both)
    }

    /// Whether Bearer tokens are looked at.
    #[must_use]
    pub const fn takes_bearer(self) -> bool {
        matches!(self, Self::Bearer | Self::Both)
    }
}

impl fmt::Display for AuthMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A mode that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be one of cloudflare, bearer, both")]
pub struct ParseModeError;

impl FromStr for AuthMode {
    type Err = ParseModeError;

    fn from_str(text: &str) -> Result<Self, ParseModeError> {
        match text.to_ascii_lowercase().as_str() {
            "cloudflare" => Ok(Self::Cloudflare),
            "bearer" => Ok(Self::Bearer),
            "both" => Ok(Self::Both),
            _ => Err(ParseModeError),
        }
    }
}

/// What [`create_auth_middleware`](crate::create_auth_middleware) needs to know.
#[derive(Debug, Clone)]
pub struct AuthConfig {
    pub(crate) service_name: String,
    pub(crate) mode: AuthMode,
    pub(crate) bearer: Option<BearerTokens>,
    pub(crate) cloudflare: Option<AccessConfig>,
    pub(crate) token_store: TokenStore,
    pub(crate) service_token: Option<String>,
    pub(crate) service_tokens: Vec<String>,
    pub(crate) resource_path: Option<String>,
    pub(crate) public_origin: Option<String>,
}

impl AuthConfig {
    /// A configuration with neither method set up yet. `service_name` is the realm of the 401 answers.
    #[must_use]
    pub fn new(service_name: impl Into<String>, mode: AuthMode) -> Self {
        Self {
            service_name: service_name.into(),
            mode,
            bearer: None,
            cloudflare: None,
            token_store: TokenStore::default(),
            service_token: None,
            service_tokens: Vec::new(),
            resource_path: None,
            public_origin: None,
        }
    }

    /// Accepts these Bearer tokens.
    #[must_use]
    pub fn with_bearer(mut self, tokens: BearerTokens) -> Self {
        self.bearer = Some(tokens);
        self
    }

    /// Accepts tokens of this Cloudflare Access application.
    #[must_use]
    pub fn with_cloudflare(mut self, access: AccessConfig) -> Self {
        self.cloudflare = Some(access);
        self
    }

    /// Resolves the token stored under `key` for every request that passes, and hands it on as
    /// [`ServiceToken`](crate::ServiceToken). Without it no such extension is set.
    #[must_use]
    pub fn with_service_token(mut self, store: TokenStore, key: impl Into<String>) -> Self {
        self.token_store = store;
        self.service_token = Some(key.into());
        self
    }

    /// Hands on [`ServiceTokens`](crate::ServiceTokens), by which a handler gets the tokens stored under these keys, each
    /// when it is asked for: a server with several upstreams goes on with those whose token is there.
    #[must_use]
    pub fn with_service_tokens(mut self, store: TokenStore, keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.token_store = store;
        self.service_tokens = keys.into_iter().map(Into::into).collect();
        self
    }

    /// Tells clients in 401 answers where the metadata of the protected resource at this path is (RFC 9728 §5.1):
    /// `https://HOST/.well-known/oauth-protected-resource{path}`. Whoever sets it serves that document.
    #[must_use]
    pub fn with_resource_path(mut self, path: impl Into<String>) -> Self {
        self.resource_path = Some(path.into());
        self
    }

    /// The address under which clients reach the server, such as `https://mcp.example.com`: the 401 answers then name it
    /// whatever `Host` says. A proxy may change `Host`, and this server cannot see whether TLS ends before it.
    #[must_use]
    pub fn with_public_origin(mut self, origin: impl Into<String>) -> Self {
        self.public_origin = Some(origin.into());
        self
    }

    /// Whether the configuration can ever let anybody in.
    ///
    /// # Errors
    /// [`ConfigError`] naming what is missing for the mode.
    pub fn check(&self) -> Result<(), ConfigError> {
        match (self.mode, &self.cloudflare, &self.bearer) {
            (AuthMode::Cloudflare, None, _) => Err(ConfigError::CloudflareMissing),
            (AuthMode::Bearer, _, None) => Err(ConfigError::BearerMissing),
            (AuthMode::Both, None, None) => Err(ConfigError::NothingConfigured),
            _ => Ok(()),
        }
    }
}

/// A configuration that would let nobody in. Refusing to start is better than a server that answers 401 to everyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Mode `cloudflare` without team domain and audience.
    #[error("mode cloudflare needs a team domain and an audience")]
    CloudflareMissing,
    /// Mode `bearer` without a token.
    #[error("mode bearer needs a token")]
    BearerMissing,
    /// Mode `both` with neither method set up.
    #[error("mode both needs a team domain and an audience, or a Bearer token")]
    NothingConfigured,
    /// The HTTP client for the key server could not be built (no usable TLS roots, for example).
    #[error("the client for the key server could not be built")]
    HttpClient,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn modes_have_names_and_look_at_what_they_say() {
        for (mode, name, cloudflare, bearer) in [
            (AuthMode::Cloudflare, "cloudflare", true, false),
            (AuthMode::Bearer, "bearer", false, true),
            (AuthMode::Both, "both", true, true),
        ] {
            assert_eq!((mode.to_string().as_str(), mode.as_str()), (name, name));
            assert_eq!(name.parse::<AuthMode>(), Ok(mode));
            assert_eq!(name.to_uppercase().parse::<AuthMode>(), Ok(mode));
            assert_eq!((mode.takes_cloudflare(), mode.takes_bearer()), (cloudflare, bearer));
        }
        for other in ["", "none", "bearer ", "both,bearer"] {
            let error = other.parse::<AuthMode>().unwrap_err();
            assert_eq!(error.to_string(), "must be one of cloudflare, bearer, both");
        }
    }
}
