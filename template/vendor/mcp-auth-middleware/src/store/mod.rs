//! Where the server's own tokens come from.

#[cfg(any(feature = "infisical", feature = "vault"))]
mod api;
mod env;
#[cfg(feature = "infisical")]
mod infisical;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "postgres", feature = "infisical", feature = "vault"))]
mod resolved;
#[cfg(any(feature = "infisical", feature = "vault"))]
mod secret_source;
#[cfg(any(feature = "infisical", feature = "vault"))]
mod session;
#[cfg(feature = "vault")]
mod vault;

use std::time::SystemTime;

pub use env::EnvTokenStore;
#[cfg(feature = "infisical")]
pub use infisical::{InfisicalConfig, InfisicalConfigError, InfisicalIdentity, InfisicalTokenStore};
#[cfg(feature = "postgres")]
pub use postgres::{
    AuditFault, AuditHash, AuditHead, AuditReport, AuditRow, InitReport, Inspection, ParseAuditHashError, PoolStatus,
    PostgresConfig, PostgresConfigError, PostgresTls, PostgresTokenStore, Rotation, ServerRole, StoredTokens,
    TokenChange, TokenChanges, ToolCallRecord, UnreadableToken,
};
#[cfg(any(feature = "postgres", feature = "infisical", feature = "vault"))]
pub(crate) use resolved::Resolved;
#[cfg(any(feature = "infisical", feature = "vault"))]
pub use secret_source::SecretSource;
#[cfg(all(feature = "vault", feature = "encryption"))]
pub use vault::{TransitConfig, TransitError, TransitKeyProvider, TransitVersions, WrappedKey};
#[cfg(feature = "vault")]
pub use vault::{VaultConfig, VaultConfigError, VaultInspection, VaultLogin, VaultTokenStore};

/// A stored token's properties; never its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenInfo {
    /// The name under which it is stored.
    pub key: String,
    /// When it was first stored.
    pub created_at: SystemTime,
    /// When its value last changed.
    pub updated_at: SystemTime,
}

/// Why a store did not do what it was asked for. No text of it holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store cannot be reached or does not answer in time; it may recover by itself.
    #[error("token store unavailable: {0}")]
    Unavailable(String),
    /// The store refuses the credentials or the role that the server has.
    #[error("token store denied access: {0}")]
    Denied(String),
    /// The store has no database schema, or another version of it.
    #[error("token store is not set up: {0}")]
    NotSetUp(String),
    /// A name or a value that no store takes.
    #[error("{0}")]
    Invalid(String),
    /// The store's tokens cannot be changed from here.
    #[error("the token store {0} cannot be written to")]
    ReadOnly(&'static str),
    /// The stored value cannot be decrypted.
    #[cfg(feature = "encryption")]
    #[error(transparent)]
    Decrypt(#[from] crate::encryption::DecryptError),
}

/// The store that service tokens are resolved from.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum TokenStore {
    /// Values read from the environment once, at start.
    Env(EnvTokenStore),
    /// PostgreSQL, encrypted, with an audit log.
    #[cfg(feature = "postgres")]
    Postgres(PostgresTokenStore),
    /// Infisical.
    #[cfg(feature = "infisical")]
    Infisical(InfisicalTokenStore),
    /// HashiCorp Vault or OpenBao.
    #[cfg(feature = "vault")]
    Vault(VaultTokenStore),
}

impl TokenStore {
    /// The name of the store in configuration and `/health`: `env`, `postgres`, `infisical`, `vault`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Env(_) => "env",
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => "postgres",
            #[cfg(feature = "infisical")]
            Self::Infisical(_) => "infisical",
            #[cfg(feature = "vault")]
            Self::Vault(_) => "vault",
        }
    }

    /// The token that `service` has stored under `key`, if there is one; `actor` is who asks, for the audit log.
    ///
    /// # Errors
    /// [`StoreError`] where the store does not answer, or what it has does not decrypt.
    #[cfg_attr(
        not(any(feature = "postgres", feature = "infisical")),
        allow(unused_variables, reason = "Vault has no log of ours")
    )]
    #[cfg_attr(not(any(feature = "postgres", feature = "infisical", feature = "vault")), allow(clippy::unused_async))]
    pub async fn get_token(
        &self,
        service: &str,
        key: &str,
        actor: &str,
    ) -> Result<Option<crate::ServiceToken>, StoreError> {
        match self {
            Self::Env(store) => Ok(store.get(key)),
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.get_token(service, key, actor).await,
            #[cfg(feature = "infisical")]
            Self::Infisical(store) => store.get_token(service, key, actor).await,
            #[cfg(feature = "vault")]
            Self::Vault(store) => store.get_token(service, key).await,
        }
    }
}

impl TokenStore {
    /// Asks the store for a sign of life, on behalf of `service`.
    ///
    /// # Errors
    /// [`StoreError`] where it does not answer, does not let us in, or is not set up.
    #[cfg_attr(not(any(feature = "infisical", feature = "vault")), allow(unused_variables))]
    #[cfg_attr(not(any(feature = "postgres", feature = "infisical", feature = "vault")), allow(clippy::unused_async))]
    pub async fn ping(&self, service: &str) -> Result<(), StoreError> {
        match self {
            Self::Env(_) => Ok(()),
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.ping().await,
            #[cfg(feature = "infisical")]
            Self::Infisical(store) => store.list(service, service).await.map(drop),
            #[cfg(feature = "vault")]
            Self::Vault(store) => store.ping(service).await,
        }
    }
}

impl Default for TokenStore {
    fn default() -> Self {
        Self::Env(EnvTokenStore::default())
    }
}
