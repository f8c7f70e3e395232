//! Cloudflare Access: the token that the edge puts into `cf-access-jwt-assertion` of every request to the origin.
//!
//! The header alone proves nothing, as any client that reaches the origin can send it: signature, issuer and audience do.
//! Source: Cloudflare One documentation, "Validate JWTs" and "Application token".

mod validate;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::allowed::AllowedPeople;
use crate::jwt::{KeyPolicy, is_secure};
pub use validate::{AccessValidator, validate_cloudflare_access_jwt};

/// The header that carries the token. The cookie `CF_Authorization` is for browsers and is not looked at.
pub(crate) const HEADER: http::HeaderName = http::HeaderName::from_static("cf-access-jwt-assertion");

/// How long after `iat` a token is accepted, whatever `exp` says, where nothing else is configured.
const MAXIMUM_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// One Access application: whose tokens are accepted, and for whom.
#[derive(Debug, Clone)]
pub struct AccessConfig {
    issuer: String,
    certs_url: String,
    audiences: Vec<String>,
    allowed_service_tokens: BTreeSet<String>,
    allowed_people: AllowedPeople,
    roles_claim: String,
    key_policy: KeyPolicy,
    max_token_age: Duration,
}

/// Why an Access configuration is refused at start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccessConfigError {
    /// The team domain is not an origin such as `https://TEAM.cloudflareaccess.com`.
    #[error("must be https://TEAM.cloudflareaccess.com, with https and without a path")]
    TeamDomain,
    /// No audience tag at all.
    #[error("must hold at least one audience tag (Access controls > Applications > Configure > Additional settings)")]
    Audience,
    /// The key server's address is neither https nor http on loopback.
    #[error("must be an https URL; plain http is accepted for loopback only")]
    CertsUrl,
}

impl AccessConfig {
    /// Tokens of the team at `team_domain` (the issuer, `https://TEAM.cloudflareaccess.com`) for the applications with
    /// these audience tags. A trailing slash of the domain is dropped, as the issuer claim has none.
    ///
    /// # Errors
    /// [`AccessConfigError`] for a domain that is not an https origin, or without any audience.
    pub fn new<A: Into<String>>(
        team_domain: &str,
        audiences: impl IntoIterator<Item = A>,
    ) -> Result<Self, AccessConfigError> {
        let issuer = team_domain.trim().trim_end_matches('/').to_owned();
        let url = reqwest::Url::parse(&issuer).map_err(|_| AccessConfigError::TeamDomain)?;
        let is_origin = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if !is_secure(&url) || !is_origin || !url.username().is_empty() || url.password().is_some() {
            return Err(AccessConfigError::TeamDomain);
        }
        let audiences: Vec<String> = audiences.into_iter().map(Into::into).filter(|a| !a.trim().is_empty()).collect();
        if audiences.is_empty() {
            return Err(AccessConfigError::Audience);
        }
        Ok(Self {
            certs_url: format!("{issuer}/cdn-cgi/access/certs"),
            issuer,
            audiences,
            allowed_service_tokens: BTreeSet::new(),
            allowed_people: AllowedPeople::default(),
            roles_claim: "custom.groups".to_owned(),
            key_policy: KeyPolicy::default(),
            max_token_age: MAXIMUM_AGE,
        })
    }

    /// Fetches the keys from another address than the team's own: an emulator.
    ///
    /// # Errors
    /// [`AccessConfigError::CertsUrl`] where it is not https (http is accepted for loopback).
    pub fn with_certs_url(mut self, url: &str) -> Result<Self, AccessConfigError> {
        let parsed = reqwest::Url::parse(url.trim()).map_err(|_| AccessConfigError::CertsUrl)?;
        if !is_secure(&parsed) {
            return Err(AccessConfigError::CertsUrl);
        }
        self.certs_url = parsed.into();
        Ok(self)
    }

    /// Accepts Access service tokens with these names (`common_name`, the client id). Without it none is accepted.
    #[must_use]
    pub fn with_allowed_service_tokens<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.allowed_service_tokens.extend(names.into_iter().map(Into::into));
        self
    }

    /// Lets in only people with one of these addresses (the case of ASCII letters does not matter) or of an allowed domain.
    #[must_use]
    pub fn with_allowed_emails<S: AsRef<str>>(mut self, emails: impl IntoIterator<Item = S>) -> Self {
        self.allowed_people.add_emails(emails);
        self
    }

    /// Lets in only people of one of these mail domains (`example.com`; subdomains are not included) or with an
    /// allowed address.
    #[must_use]
    pub fn with_allowed_domains<S: AsRef<str>>(mut self, domains: impl IntoIterator<Item = S>) -> Self {
        self.allowed_people.add_domains(domains);
        self
    }

    /// The claim with roles or groups: one that Access takes over from the identity provider, which stands in `custom`. Default:
    /// `custom.groups`.
    #[must_use]
    pub fn with_roles_claim(mut self, claim: impl Into<String>) -> Self {
        self.roles_claim = claim.into();
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

    /// The issuer that tokens must name, `https://TEAM.cloudflareaccess.com`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where the public keys of the team come from.
    #[must_use]
    pub fn certs_url(&self) -> &str {
        &self.certs_url
    }

    /// The audience tags of the applications.
    #[must_use]
    pub fn audiences(&self) -> &[String] {
        &self.audiences
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn team_domain_is_an_https_origin() {
        let new = |d: &str| AccessConfig::new(d, ["tag"]).map(|c| c.certs_url);
        assert_eq!(
            new("https://team.cloudflareaccess.com/").as_deref(),
            Ok("https://team.cloudflareaccess.com/cdn-cgi/access/certs")
        );
        assert_eq!(AccessConfig::new(" https://t.example// ", ["tag"]).unwrap().issuer(), "https://t.example");
        for bad in [
            "",
            "team.cloudflareaccess.com",
            "http://team.cloudflareaccess.com",
            "https://",
            "https://t.example/x",
            "https://t.example?x",
            "https://t.example#x",
            "https://user@t.example",
            "https://:password@t.example",
            "data:text/plain,x",
        ] {
            assert_eq!(new(bad), Err(AccessConfigError::TeamDomain), "{bad}");
        }
        assert_eq!(AccessConfig::new("https://t.example", [" "]).map(|_| ()), Err(AccessConfigError::Audience));
    }

    #[test]
    fn certs_url_is_https_or_loopback() {
        let with = |u: &str| AccessConfig::new("https://t.example", ["tag"]).and_then(|c| c.with_certs_url(u)).is_ok();
        assert!(with("https://keys.example/certs") && with("http://127.0.0.1:9/certs") && with("http://[::1]:9/"));
        assert!(
            !with("http://keys.example/certs")
                && !with("file:///etc/passwd")
                && !with("http://127.0.0.1.evil.example/")
        );
    }
}
