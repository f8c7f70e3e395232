//! Tokens that came with the environment. No set-up; the program that built the store may give it a new value.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use secrecy::SecretString;

use crate::ServiceToken;

/// Tokens by the name of the variable that held them.
///
/// The store does not read the environment itself: the program that builds it reads each variable once, with its own checks,
/// and hands the value over. Clones share their tokens.
#[derive(Debug, Clone, Default)]
pub struct EnvTokenStore {
    tokens: Arc<RwLock<BTreeMap<String, ServiceToken>>>,
}

impl EnvTokenStore {
    /// Adds the token that was found under `key`.
    #[must_use]
    pub fn with_token(self, key: impl Into<String>, value: SecretString) -> Self {
        self.set(key, value);
        self
    }

    /// Keeps this token under `key` from now on, in all clones: the file that it came from has changed. Requests that have
    /// the former one go on with it.
    pub fn set(&self, key: impl Into<String>, value: SecretString) {
        let mut tokens = self.tokens.write().unwrap_or_else(PoisonError::into_inner);
        tokens.insert(key.into(), ServiceToken::new(value));
    }

    /// The token stored under `key`, if there is one.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<ServiceToken> {
        self.tokens.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_value_counts_in_every_clone() {
        let store = EnvTokenStore::default().with_token("A", "old".to_owned().into());
        let clone = store.clone();
        store.set("A", "new".to_owned().into());
        assert_eq!(clone.get("A").as_ref().map(ServiceToken::expose), Some("new"));
        assert!(!format!("{clone:?}").contains("new"));
    }
}
