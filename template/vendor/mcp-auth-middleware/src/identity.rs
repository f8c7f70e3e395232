//! The two things that a request carries once it has passed: the caller and the server's own credential.

use std::fmt;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

/// Who is calling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The person's address; for an Access service token its name (`common_name`), for a developer `developer@localhost`.
    pub email: String,
    /// The person's UUID at Cloudflare Access (claim `sub`); `None` for service tokens and developers.
    pub user_uuid: Option<String>,
    /// What kind of caller this is.
    pub kind: UserKind,
}

impl User {
    /// The caller behind a development Bearer token, which names nobody in particular.
    #[must_use]
    pub fn developer() -> Self {
        Self { email: "developer@localhost".to_owned(), user_uuid: None, kind: UserKind::Developer }
    }
}

/// What kind of caller a [`User`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UserKind {
    /// A person who logged in through Cloudflare Access.
    Human,
    /// A program with a Cloudflare Access service token.
    ServiceToken,
    /// Whoever holds the development Bearer token.
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
