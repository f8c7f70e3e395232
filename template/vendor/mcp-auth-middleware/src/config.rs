//! The middleware's settings: which methods are on, and where tokens come from.

use std::fmt;
use std::str::FromStr;

use crate::{AccessConfig, BearerTokens, OidcConfig, TokenStore};

/// Which methods of authentication are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthMode {
    /// Cloudflare Access tokens only.
    Cloudflare,
    /// Access tokens of other issuers only.
    Oidc,
    /// The development Bearer token only.
    Bearer,
    /// Cloudflare Access or the development Bearer token, of which one may be left unconfigured; a request with a Cloudflare
    /// header stands or falls with it.
    Both,
    /// Each of these, and all have to be configured.
    List(AuthMethods),
}

/// A set of methods of authentication.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AuthMethods {
    /// Cloudflare Access tokens.
    pub cloudflare: bool,
    /// Access tokens of other issuers.
    pub oidc: bool,
    /// The development Bearer token.
    pub bearer: bool,
}

impl AuthMode {
    /// The mode as it is written in configuration: `cloudflare`, `oidc`, `bearer`, `both`, or a list such as `oidc,bearer`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Both => "both",
            _ => match self.methods() {
                AuthMethods { cloudflare: true, oidc: true, bearer: true } => "cloudflare,oidc,bearer",
                AuthMethods { cloudflare: true, oidc: true, bearer: false } => "cloudflare,oidc",
                AuthMethods { cloudflare: true, oidc: false, bearer: true } => "cloudflare,bearer",
                AuthMethods { cloudflare: true, oidc: false, bearer: false } => "cloudflare",
                AuthMethods { cloudflare: false, oidc: true, bearer: true } => "oidc,bearer",
                AuthMethods { cloudflare: false, oidc: true, bearer: false } => "oidc",
                AuthMethods { cloudflare: false, oidc: false, bearer: true } => "bearer",
                AuthMethods { cloudflare: false, oidc: false, bearer: false } => "",
            },
        }
    }

    /// The methods of this mode.
    #[must_use]
    pub const fn methods(self) -> AuthMethods {
        match self {
            Self::Cloudflare => AuthMethods { cloudflare: true, oidc: false, bearer: false },
            Self::Oidc => AuthMethods { cloudflare: false, oidc: true, bearer: false },
            Self::Bearer => AuthMethods { cloudflare: false, oidc: false, bearer: true },
            Self::Both => AuthMethods { cloudflare: true, oidc: false, bearer: true },
            Self::List(methods) => methods,
        }
    }

    /// Returns whether Cloudflare Access tokens are looked at.
    #[must_use]
    pub const fn takes_cloudflare(self) -> bool {
        self.methods().cloudflare
    }

    /// True where access tokens of other issuers are looked at.
    #[must_use]
    pub const fn takes_oidc(self) -> bool {
        self.methods().oidc
    }

    /// Returns whether Bearer tokens for development are looked at.
    #[must_use]
    pub const fn takes_bearer(self) -> bool {
        self.methods().bearer
    }
}

impl fmt::Display for AuthMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A mode that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be cloudflare, oidc, bearer, both, or several of the first three with commas between")]
pub struct ParseModeError;

impl FromStr for AuthMode {
    type Err = ParseModeError;

    fn from_str(text: &str) -> Result<Self, ParseModeError> {
        let text = text.to_ascii_lowercase();
        if text == "both" {
            return Ok(Self::Both);
        }
        let mut methods = AuthMethods::default();
        for name in text.split(',').map(str::trim) {
            let method = match name {
                "cloudflare" => &mut methods.cloudflare,
                "oidc" => &mut methods.oidc,
                "bearer" => &mut methods.bearer,
                _ => return Err(ParseModeError),
            };
            if std::mem::replace(method, true) {
                return Err(ParseModeError);
            }
        }
        let one = [Self::Cloudflare, Self::Oidc, Self::Bearer].into_iter().find(|mode| mode.methods() == methods);
        Ok(one.unwrap_or(Self::List(methods)))
    }
}

/// The configuration for [`create_auth_middleware`](crate::create_auth_middleware).
#[derive(Debug, Clone)]
pub struct AuthConfig {
    pub(crate) service_name: String,
    pub(crate) mode: AuthMode,
    pub(crate) bearer: Option<BearerTokens>,
    pub(crate) cloudflare: Option<AccessConfig>,
    pub(crate) oidc: Vec<OidcConfig>,
    pub(crate) token_store: TokenStore,
    pub(crate) service_token: Option<String>,
    pub(crate) service_tokens: Vec<String>,
    pub(crate) resource_path: Option<String>,
    pub(crate) public_origin: Option<String>,
}

impl AuthConfig {
    /// A configuration with no method set up yet. `service_name` is the realm of the 401 answers.
    #[must_use]
    pub fn new(service_name: impl Into<String>, mode: AuthMode) -> Self {
        Self {
            service_name: service_name.into(),
            mode,
            bearer: None,
            cloudflare: None,
            oidc: Vec::new(),
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

    /// Accepts access tokens of this issuer, beside those of others that were given before.
    #[must_use]
    pub fn with_oidc(mut self, issuer: OidcConfig) -> Self {
        self.oidc.push(issuer);
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
    /// when it is asked for: a server with several upstreams serves those whose token is there.
    #[must_use]
    pub fn with_service_tokens(mut self, store: TokenStore, keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.token_store = store;
        self.service_tokens = keys.into_iter().map(Into::into).collect();
        self
    }

    /// Tells clients in 401 answers where the metadata of the protected resource at this path is (RFC 9728 §5.1):
    /// `https://HOST/.well-known/oauth-protected-resource{path}`. The program that sets it serves that document.
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

    /// The scopes that tokens of the configured issuers must have, each once.
    #[must_use]
    pub fn required_scopes(&self) -> Vec<String> {
        let mut scopes: Vec<String> = Vec::new();
        let issuers = self.oidc.iter().filter(|_| self.mode.takes_oidc());
        for scope in issuers.flat_map(OidcConfig::required_scopes) {
            if !scopes.contains(scope) {
                scopes.push(scope.clone());
            }
        }
        scopes
    }

    /// Checks that the configuration can let a caller in.
    ///
    /// # Errors
    /// [`ConfigError`] naming what is missing for the mode.
    pub fn check(&self) -> Result<(), ConfigError> {
        let AuthMethods { cloudflare, oidc, bearer } = self.mode.methods();
        match (&self.cloudflare, &self.bearer) {
            (None, None) if self.mode == AuthMode::Both => return Err(ConfigError::NothingConfigured),
            _ if self.mode == AuthMode::Both => return Ok(()),
            (None, _) if cloudflare => return Err(ConfigError::CloudflareMissing),
            (_, None) if bearer => return Err(ConfigError::BearerMissing),
            _ if oidc && self.oidc.is_empty() => return Err(ConfigError::OidcMissing),
            _ if !(cloudflare || oidc || bearer) => return Err(ConfigError::NoMethod),
            _ => {}
        }
        let mut issuers: Vec<_> = self.oidc.iter().map(OidcConfig::issuer).collect();
        issuers.sort_unstable();
        if oidc && issuers.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(ConfigError::IssuerTwice);
        }
        if oidc && self.oidc.iter().filter(|issuer| issuer.asks_about_opaque_tokens()).count() > 1 {
            return Err(ConfigError::IntrospectionTwice);
        }
        Ok(())
    }
}

/// A configuration that would let nobody in. Refusing to start is better than a server that answers 401 to everyone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Mode `cloudflare` without team domain and audience.
    #[error("mode cloudflare needs a team domain and an audience")]
    CloudflareMissing,
    /// Mode `oidc` without an issuer.
    #[error("mode oidc needs an issuer and an audience")]
    OidcMissing,
    /// An issuer that is configured twice: which of its rules count?
    #[error("an issuer is configured twice")]
    IssuerTwice,
    /// Two issuers that are asked about tokens which do not say whose they are.
    #[error("two issuers are to be asked about tokens that are no JWT, and such a token does not say which of them")]
    IntrospectionTwice,
    /// A list of methods with none in it.
    #[error("the mode takes no method at all")]
    NoMethod,
    /// Mode `bearer` without a token.
    #[error("mode bearer needs a token")]
    BearerMissing,
    /// Mode `both` with neither method set up.
    #[error("mode both needs a team domain and an audience, or a Bearer token")]
    NothingConfigured,
    /// The HTTP client for the key server could not be built: why, such as no certificate authority.
    #[error("the client for the key server could not be built: {0}")]
    HttpClient(String),
}

/// Why no HTTP client could be built: the error names the builder alone, its sources what is missing.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn modes_have_names_and_look_at_what_they_say() {
        let list = |cloudflare, oidc, bearer| AuthMode::List(AuthMethods { cloudflare, oidc, bearer });
        for (mode, name) in [
            (AuthMode::Cloudflare, "cloudflare"),
            (AuthMode::Oidc, "oidc"),
            (AuthMode::Bearer, "bearer"),
            (AuthMode::Both, "both"),
            (list(true, true, false), "cloudflare,oidc"),
            (list(true, false, true), "cloudflare,bearer"),
            (list(false, true, true), "oidc,bearer"),
            (list(true, true, true), "cloudflare,oidc,bearer"),
        ] {
            assert_eq!((mode.to_string().as_str(), mode.as_str()), (name, name));
            assert_eq!(name.parse::<AuthMode>(), Ok(mode));
            assert_eq!(name.to_uppercase().parse::<AuthMode>(), Ok(mode));
            let takes = |method: &str| name.contains(method) || (name == "both" && method != "oidc");
            let methods = (mode.takes_cloudflare(), mode.takes_oidc(), mode.takes_bearer());
            assert_eq!(methods, (takes("cloudflare"), takes("oidc"), takes("bearer")), "{name}");
        }
        assert_eq!("bearer , oidc".parse::<AuthMode>(), Ok(list(false, true, true)));
        for other in ["", "none", "both,bearer", "oidc,", "oidc,oidc", "oidc bearer"] {
            let error = other.parse::<AuthMode>().unwrap_err();
            assert!(error.to_string().starts_with("must be cloudflare, oidc, bearer, both"), "{other}");
        }
    }

    #[test]
    fn a_list_needs_each_of_its_methods() {
        let config = |mode: &str| AuthConfig::new("x", mode.parse().unwrap());
        let issuer = || OidcConfig::new("https://a.example", ["x"]).unwrap();
        let token = || BearerTokens::parse("kei4ahGhee8eecu0quoh5Ohn").unwrap();
        assert_eq!(config("oidc").check(), Err(ConfigError::OidcMissing));
        assert_eq!(config("oidc").with_oidc(issuer()).check(), Ok(()));
        assert_eq!(config("oidc,bearer").with_oidc(issuer()).check(), Err(ConfigError::BearerMissing));
        assert_eq!(config("oidc,bearer").with_bearer(token()).check(), Err(ConfigError::OidcMissing));
        assert_eq!(config("oidc,bearer").with_oidc(issuer()).with_bearer(token()).check(), Ok(()));
        assert_eq!(config("cloudflare,oidc").with_oidc(issuer()).check(), Err(ConfigError::CloudflareMissing));
        assert_eq!(config("oidc").with_oidc(issuer()).with_oidc(issuer()).check(), Err(ConfigError::IssuerTwice));
        let none = AuthConfig::new("x", AuthMode::List(AuthMethods::default()));
        assert_eq!(none.check(), Err(ConfigError::NoMethod));
    }
}
