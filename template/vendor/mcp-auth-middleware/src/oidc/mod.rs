//! Access tokens of any issuer that publishes its keys: OAuth 2.0 with JWTs (RFC 9068), OpenID Connect.
//!
//! A token says who issued it, and is checked by that issuer's keys and rules and no other's. ID tokens tell a client who
//! logged in; they are no credential for an API and are refused.

mod answers;
mod claims;
mod introspect;
mod introspection;
mod issuers_file;
mod validate;

use std::time::Duration;

use secrecy::SecretString;

pub use introspection::{IntrospectedTokens, IntrospectionConfig, IntrospectionPolicy, ParseIntrospectedTokensError};
pub use issuers_file::IssuersFileError;
pub(crate) use validate::is_jwt_shaped;
pub use validate::{OidcValidator, validate_access_token};

use crate::allowed::AllowedPeople;
use crate::jwt::{Algorithm, KeyPolicy, KeySource, is_secure};

/// How long after `iat` a token is accepted, whatever `exp` says, where nothing else is configured.
const MAXIMUM_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// One issuer: for which audience it issues tokens, and what in them names the caller.
#[derive(Debug, Clone)]
pub struct OidcConfig {
    issuer: String,
    audiences: Vec<String>,
    algorithms: Vec<Algorithm>,
    jwks_uri: Option<String>,
    required_scopes: Vec<String>,
    /// `None` for `aud`, which every issuer that keeps to RFC 9068 has.
    audience_claim: Option<String>,
    email_claim: String,
    roles_claim: String,
    requires_at_jwt: bool,
    allowed_people: AllowedPeople,
    key_policy: KeyPolicy,
    max_token_age: Duration,
    introspection: Option<IntrospectionConfig>,
}

/// Why the configuration of an issuer is refused at start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OidcConfigError {
    /// The issuer is not an https address.
    #[error(
        "must be the issuer's https address, exactly as its metadata and its tokens have it; http for loopback only"
    )]
    Issuer,
    /// No audience at all.
    #[error("must hold at least one audience: what the issuer's tokens for this server have in aud")]
    Audience,
    /// No algorithm at all.
    #[error("must hold at least one algorithm")]
    Algorithms,
    /// The address of the keys is neither https nor http on loopback.
    #[error("must be an https address; plain http is accepted for loopback only")]
    JwksUri,
    /// The address for introspection is neither https nor http on loopback.
    #[error("must be an https address; plain http is accepted for loopback only")]
    IntrospectionUrl,
}

impl OidcConfig {
    /// Tokens of this issuer for these audiences. The issuer is compared exactly: with its slash at the end, if it has one.
    ///
    /// # Errors
    /// [`OidcConfigError`] for an issuer that is no https address (http is accepted for loopback), or without any audience.
    pub fn new<A: Into<String>>(issuer: &str, audiences: impl IntoIterator<Item = A>) -> Result<Self, OidcConfigError> {
        let issuer = issuer.trim().to_owned();
        let url = reqwest::Url::parse(&issuer).map_err(|_| OidcConfigError::Issuer)?;
        let plain = url.query().is_none() && url.fragment().is_none();
        if !is_secure(&url) || !plain || !url.username().is_empty() || url.password().is_some() {
            return Err(OidcConfigError::Issuer);
        }
        let audiences: Vec<String> = audiences.into_iter().map(Into::into).filter(|a| !a.trim().is_empty()).collect();
        if audiences.is_empty() {
            return Err(OidcConfigError::Audience);
        }
        Ok(Self {
            issuer,
            audiences,
            algorithms: Algorithm::DEFAULT.to_vec(),
            jwks_uri: None,
            required_scopes: Vec::new(),
            audience_claim: None,
            email_claim: "email".to_owned(),
            roles_claim: "roles".to_owned(),
            requires_at_jwt: false,
            allowed_people: AllowedPeople::default(),
            key_policy: KeyPolicy::default(),
            max_token_age: MAXIMUM_AGE,
            introspection: None,
        })
    }

    /// Reads the issuers of a JSON file, for which `audiences` are those of an issuer that has none of its own there:
    /// `{"issuers": [{"issuer": "https://…", "audience": ["…"], …}]}`. The documentation of the crate has all members.
    /// `read_secret` reads the files that `introspection_client_secret_file` names, one call an issuer that has it, in
    /// their order.
    ///
    /// # Errors
    /// [`IssuersFileError`], with the line or the issuer.
    pub fn from_json(
        json: &str,
        audiences: &[String],
        read_secret: impl FnMut(&str) -> Result<SecretString, String>,
    ) -> Result<Vec<Self>, IssuersFileError> {
        issuers_file::parse(json, audiences, read_secret)
    }

    /// Accepts tokens by these algorithms. Default: RS256, ES256 and EdDSA.
    ///
    /// # Errors
    /// [`OidcConfigError::Algorithms`] where there is none.
    pub fn with_algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Result<Self, OidcConfigError> {
        self.algorithms = algorithms.into_iter().collect();
        if self.algorithms.is_empty() { Err(OidcConfigError::Algorithms) } else { Ok(self) }
    }

    /// Fetches the keys from this address, not from where the issuer's metadata says.
    ///
    /// # Errors
    /// [`OidcConfigError::JwksUri`] where it is not https (http is accepted for loopback).
    pub fn with_jwks_uri(mut self, url: &str) -> Result<Self, OidcConfigError> {
        let parsed = reqwest::Url::parse(url.trim()).map_err(|_| OidcConfigError::JwksUri)?;
        if !is_secure(&parsed) {
            return Err(OidcConfigError::JwksUri);
        }
        self.jwks_uri = Some(parsed.into());
        Ok(self)
    }

    /// Lets in only callers whose token has all of these scopes; others get 403 `insufficient_scope`.
    #[must_use]
    pub fn with_required_scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.required_scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Looks for the audience in this claim, not in `aud`: for an issuer whose access tokens have none. Amazon Cognito's have
    /// the client in `client_id`. Such a token says who got it and not for whom it is, so every server that takes tokens of
    /// that client takes it: have a client for this server alone, and a scope that no other server has.
    #[must_use]
    pub fn with_audience_claim(mut self, claim: impl Into<String>) -> Self {
        self.audience_claim = Some(claim.into()).filter(|claim| claim != "aud");
        self
    }

    /// The claim with the person's address. Default: `email`. A claim in a claim is written with dots:
    /// `contact.email`; a claim whose name has dots itself is found by its whole name.
    #[must_use]
    pub fn with_email_claim(mut self, claim: impl Into<String>) -> Self {
        self.email_claim = claim.into();
        self
    }

    /// The claim with roles or groups, in the same form: a list of texts, one text, or an object whose members are named
    /// like the roles. Default: `roles`.
    #[must_use]
    pub fn with_roles_claim(mut self, claim: impl Into<String>) -> Self {
        self.roles_claim = claim.into();
        self
    }

    /// Accepts only tokens that say of themselves that they are access tokens (`typ: at+jwt`, RFC 9068 §2.1): for issuers
    /// that say so of theirs.
    #[must_use]
    pub fn requiring_at_jwt(mut self) -> Self {
        self.requires_at_jwt = true;
        self
    }

    /// Lets in only callers with one of these addresses (the case of ASCII letters does not matter) or of an allowed domain.
    #[must_use]
    pub fn with_allowed_emails<S: AsRef<str>>(mut self, emails: impl IntoIterator<Item = S>) -> Self {
        self.allowed_people.add_emails(emails);
        self
    }

    /// Lets in only callers of one of these mail domains (`example.com`; subdomains are not included) or with an allowed
    /// address.
    #[must_use]
    pub fn with_allowed_domains<S: AsRef<str>>(mut self, domains: impl IntoIterator<Item = S>) -> Self {
        self.allowed_people.add_domains(domains);
        self
    }

    /// Fetches and keeps the public keys by other rules than the default ones.
    #[must_use]
    pub fn with_key_policy(mut self, policy: KeyPolicy) -> Self {
        self.key_policy = policy;
        self
    }

    /// Accepts a token for at most this long after `iat`, even where `exp` comes later. Default: 24 hours.
    #[must_use]
    pub fn with_max_token_age(mut self, age: Duration) -> Self {
        self.max_token_age = age;
        self
    }

    /// Asks the issuer about tokens (RFC 7662): about those that are no JWT, unless the configuration says otherwise. One issuer
    /// of a server may be asked about those: such a token does not say whose it is, and nobody else may see it.
    #[must_use]
    pub fn with_introspection(mut self, introspection: IntrospectionConfig) -> Self {
        self.introspection = Some(introspection);
        self
    }

    /// How the issuer is asked about tokens, where it is.
    #[must_use]
    pub fn introspection(&self) -> Option<&IntrospectionConfig> {
        self.introspection.as_ref()
    }

    /// Returns whether the issuer is asked about tokens that are no JWT: one of a server's issuers may be.
    #[must_use]
    pub fn asks_about_opaque_tokens(&self) -> bool {
        self.introspection.as_ref().is_some_and(|asking| asking.tokens().opaque())
    }

    /// The issuer, as tokens must name it.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// For whom tokens must be.
    #[must_use]
    pub fn audiences(&self) -> &[String] {
        &self.audiences
    }

    /// The claim with the audience.
    #[must_use]
    pub fn audience_claim(&self) -> &str {
        self.audience_claim.as_deref().unwrap_or("aud")
    }

    /// The algorithms that tokens may have.
    #[must_use]
    pub fn algorithms(&self) -> &[Algorithm] {
        &self.algorithms
    }

    /// Where the keys are, if not where the issuer's metadata says.
    #[must_use]
    pub fn jwks_uri(&self) -> Option<&str> {
        self.jwks_uri.as_deref()
    }

    /// The scopes that every token must have.
    #[must_use]
    pub fn required_scopes(&self) -> &[String] {
        &self.required_scopes
    }

    fn key_source(&self) -> KeySource {
        match &self.jwks_uri {
            Some(url) => KeySource::Address { name: format!("Keys of {}", self.issuer), url: url.clone() },
            None => KeySource::from_issuer(self.issuer.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_an_https_address_and_stays_as_it_is() {
        let issuer = |text: &str| OidcConfig::new(text, ["x"]).map(|config| config.issuer);
        for good in ["https://t.example", "https://t.example/", "https://t.example/realms/a", "http://localhost:9/x"] {
            assert_eq!(issuer(good).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "t.example",
            "http://t.example",
            "https://",
            "https://t.example?x",
            "https://t.example#x",
            "https://u@t.example",
        ] {
            assert_eq!(issuer(bad), Err(OidcConfigError::Issuer), "{bad}");
        }
        assert_eq!(OidcConfig::new("https://t.example", [" "]).map(|_| ()), Err(OidcConfigError::Audience));
        let config = || OidcConfig::new("https://t.example", ["x"]);
        assert_eq!(config().and_then(|c| c.with_algorithms([])).map(|_| ()), Err(OidcConfigError::Algorithms));
        for bad in ["http://t.example/keys", "keys", ""] {
            assert_eq!(config().and_then(|c| c.with_jwks_uri(bad)).map(|_| ()), Err(OidcConfigError::JwksUri), "{bad}");
        }
    }
}
