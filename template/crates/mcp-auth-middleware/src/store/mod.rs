//! Where the server's own tokens come from.

mod env;

pub use env::EnvTokenStore;

/// The store that service tokens are resolved from.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum TokenStore {
    /// Values read from the environment once, at start.
    Env(EnvTokenStore),
}

impl TokenStore {
    /// The name of the store in configuration and `/health`: `env`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Env(_) => "env",
        }
    }

    /// The token stored under `key`, if there is one.
    #[must_use]
    pub fn get_token(&self, key: &str) -> Option<crate::ServiceToken> {
        match self {
            Self::Env(store) => store.get(key),
        }
    }
}

impl Default for TokenStore {
    fn default() -> Self {
        Self::Env(EnvTokenStore::default())
    }
}
