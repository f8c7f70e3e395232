//! The two things that a request carries once it has passed: the caller and the server's own credential.

use std::fmt;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

/// Who is calling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The person's address, or what the issuer calls the person (claim `sub`) where the token has no address; for a
    /// program its name (`common_name` at Access, else the client id), for a developer `developer@localhost`.
    pub email: String,
    /// The issuer's id of the person (claim `sub`; a UUID at Cloudflare Access); `None` for programs and developers.
    pub user_uuid: Option<String>,
    /// The kind of caller.
    pub kind: UserKind,
    /// The rest of what the token says; `None` for developers, who have no token that says anything. Shared: a copy of a
    /// user costs no copy of it.
    pub grant: Option<Arc<Grant>>,
}

/// The facts of a token besides the caller's name: who issued it, to which client, with which rights.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grant {
    /// The issuer (claim `iss`).
    pub issuer: String,
    /// The issuer's name for the caller (claim `sub`), of a program, too.
    pub subject: Option<String>,
    /// The client that the token was issued to (claim `client_id`, `azp`, `cid` or `appid`).
    pub client_id: Option<String>,
    /// True where the token has no address, so that [`User::email`] is the subject.
    pub without_address: bool,
    /// Roles or groups: the claim that is configured. At most 64 of at most 256 bytes each.
    pub roles: Vec<String>,
    /// Scopes (claims `scope` and `scp`). At most 64 of at most 256 bytes each.
    pub scopes: Vec<String>,
}

impl User {
    /// The caller behind a development Bearer token, which names nobody in particular.
    #[must_use]
    pub fn developer() -> Self {
        Self { email: "developer@localhost".to_owned(), user_uuid: None, kind: UserKind::Developer, grant: None }
    }

    /// The person's address; `None` for programs, developers and people whose token has none.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        let without = self.grant.as_ref().is_some_and(|grant| grant.without_address);
        (self.kind == UserKind::Human && !without).then_some(&self.email)
    }

    /// The issuer of the token; `None` for developers.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.grant.as_ref().map(|grant| grant.issuer.as_str())
    }

    /// Roles or groups by the token.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        self.grant.as_ref().map_or(&[], |grant| &grant.roles)
    }

    /// Scopes of the token.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        self.grant.as_ref().map_or(&[], |grant| &grant.scopes)
    }
}

/// The kind of caller that a [`User`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UserKind {
    /// A person who logged in at Cloudflare Access or another issuer.
    Human,
    /// A program: with a Cloudflare Access service token, or with a token of its own (OAuth's client credentials).
    ServiceToken,
    /// The holder of the development Bearer token.
    Developer,
}

impl UserKind {
    /// The kind in the words of logs and tool results: `human`, `service-token`, `developer`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::ServiceToken => "service-token",
            Self::Developer => "developer",
        }
    }
}

/// The server's own credential against its upstream API.
///
/// Opaque on purpose: no `Display`, a redacted `Debug`, zeroized when the last clone is dropped. Clones share one
/// allocation, so the secret is in memory once however many requests are in flight.
#[derive(Clone)]
pub struct ServiceToken(Arc<SecretString>);

impl ServiceToken {
    /// Wraps a secret.
    #[must_use]
    pub fn new(secret: SecretString) -> Self {
        Self(Arc::new(secret))
    }

    /// The secret itself, for the one place that writes it into an `Authorization` header.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for ServiceToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServiceToken([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_of_a_service_token_shows_nothing() {
        let token = ServiceToken::new("very-secret-value".to_owned().into());
        assert_eq!(format!("{token:?}"), "ServiceToken([REDACTED])");
        assert_eq!(token.expose(), "very-secret-value");
    }
}
