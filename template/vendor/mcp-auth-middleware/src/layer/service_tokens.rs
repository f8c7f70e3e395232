//! The tokens that the server itself uses against its upstreams: known already, or asked of the store.

use std::fmt;
use std::sync::Arc;

use super::Authenticator;
use crate::printable::printable;
use crate::{AuthError, ServiceToken, TokenStore};

/// The server's own tokens by name, in the extensions of a request that has passed: for a server with several upstreams,
/// each of which has a token of its own.
#[derive(Clone)]
pub struct ServiceTokens(pub(super) Arc<Authenticator>);

impl ServiceTokens {
    /// The token stored under this key, one of those of
    /// [`AuthConfig::with_service_tokens`](crate::AuthConfig::with_service_tokens): known already, or asked of the store.
    ///
    /// # Errors
    /// [`AuthError::ServiceTokenMissing`] for a key that is not stored, or not one of those;
    /// [`AuthError::TokenStoreUnavailable`] where the store does not answer and nothing recent is known,
    /// [`AuthError::ServiceTokenUnreadable`] where what it has does not decrypt.
    pub async fn get(&self, key: &str) -> Result<ServiceToken, AuthError> {
        if !self.0.config.service_tokens.iter().any(|known| known == key) {
            return Err(AuthError::ServiceTokenMissing);
        }
        if let Some(token) = self.0.fresh(key) {
            return Ok(token);
        }
        // The future of a database call has kilobytes, and handlers are futures in futures: boxed here, it is in none.
        Box::pin(self.0.service_token(key)).await
    }
}

impl fmt::Debug for ServiceTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ServiceTokens").field(&self.0.config.service_tokens).finish()
    }
}

impl Authenticator {
    /// The service token, where one is needed and known; `Some(None)` where none is needed.
    pub(super) fn known_token(&self, resolves: bool) -> Option<Option<ServiceToken>> {
        let Some(key) = self.config.service_token.as_deref().filter(|_| resolves) else { return Some(None) };
        self.fresh(key).map(Some)
    }

    /// A token that needs no asking.
    fn fresh(&self, key: &str) -> Option<ServiceToken> {
        match &self.config.token_store {
            // In memory already.
            TokenStore::Env(store) => store.get(key),
            #[cfg(any(feature = "postgres", feature = "infisical", feature = "vault"))]
            _ => self.resolved.get(key)?.fresh(),
        }
    }

    pub(super) async fn service_token(&self, key: &str) -> Result<ServiceToken, AuthError> {
        let token = match &self.config.token_store {
            TokenStore::Env(store) => store.get(key).ok_or(AuthError::ServiceTokenMissing),
            #[cfg(any(feature = "postgres", feature = "infisical", feature = "vault"))]
            store => {
                // The cache asks on behalf of all callers, so none of them is the actor.
                let ask = || {
                    let (store, service, key) = (store.clone(), self.config.service_name.clone(), key.to_owned());
                    async move { store.get_token(&service, &key, &service).await }
                };
                match self.resolved.get(key) {
                    Some(resolved) => resolved.get(ask).await,
                    None => Err(AuthError::ServiceTokenMissing),
                }
            }
        };
        if token.as_ref().err() == Some(&AuthError::ServiceTokenMissing) {
            tracing::warn!("Service token not found: {}", printable(key));
        }
        token
    }
}
