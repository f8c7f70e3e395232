//! Tokens that came with the environment. No set-up, no rotation: a change needs a restart.

use std::collections::BTreeMap;

use secrecy::SecretString;

use crate::ServiceToken;

/// Tokens by the name of the variable that held them.
///
/// The store does not read the environment itself: whoever builds it reads each variable once, with its own checks,
/// and hands the value over.
#[derive(Debug, Clone, Default)]
pub struct EnvTokenStore {
    tokens: BTreeMap<String, ServiceToken>,
}

impl EnvTokenStore {
    /// Adds the token that was found under `key`.
    #[must_use]
    pub fn with_token(mut self, key: impl Into<String>, value: SecretString) -> Self {
        self.tokens.insert(key.into(), ServiceToken::new(value));
        self
    }

    /// The token stored under `key`, if there is one.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<ServiceToken> {
        self.tokens.get(key).cloned()
    }
}
