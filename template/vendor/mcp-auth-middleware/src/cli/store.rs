//! The store that the commands act on.

use std::future::Future;

use secrecy::SecretString;

use crate::encryption::{EncryptionKey, EncryptionKeyError, Keyring};
use crate::{
    AuditHash, AuditReport, AuditRow, InitReport, PostgresConfig, PostgresConfigError, PostgresTokenStore, Rotation,
    ServerRole, ServiceToken, StoreError, TokenInfo,
};

/// A token store with everything that the commands do. Each method is what [`PostgresTokenStore`] has by that name.
pub trait TokenAdmin: Sync {
    /// The keys that tokens are sealed with.
    fn keyring(&self) -> &Keyring;

    /// The value of a token.
    fn get_token(
        &self,
        service: &str,
        key: &str,
        actor: &str,
    ) -> impl Future<Output = Result<Option<ServiceToken>, StoreError>> + Send;

    /// Stores a token.
    fn set_token(
        &self,
        service: &str,
        key: &str,
        value: &SecretString,
        actor: &str,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Removes a token and says whether there was one.
    fn delete_token(
        &self,
        service: &str,
        key: &str,
        actor: &str,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Names and times of a service's tokens.
    fn list(&self, service: &str, actor: &str) -> impl Future<Output = Result<Vec<TokenInfo>, StoreError>> + Send;

    /// Seals every token again, with the active key.
    fn rotate(&self, actor: &str) -> impl Future<Output = Result<Rotation, StoreError>> + Send;

    /// Rows of the audit log after an id, oldest first; none at the end.
    fn audit_rows(&self, after: i64) -> impl Future<Output = Result<Vec<AuditRow>, StoreError>> + Send;

    /// Goes through the whole audit log, in which the row with a hash that was kept must be.
    fn audit_verify(&self, kept: Option<&AuditHash>) -> impl Future<Output = Result<AuditReport, StoreError>> + Send;

    /// Makes or updates the tables.
    fn init(&self, role: Option<&ServerRole>) -> impl Future<Output = Result<InitReport, StoreError>> + Send;

    /// Ends the access of servers of the version before, and says whether there was one.
    fn finish_upgrade(&self) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Removes what is older than so many days from the audit log and the record of tool calls.
    fn expire(&self, days: u32, actor: &str) -> impl Future<Output = Result<u64, StoreError>> + Send;
}

/// A PostgreSQL token store, for one command.
#[derive(Debug, Clone)]
pub struct PostgresAdmin {
    config: PostgresConfig,
    keyring: Keyring,
    store: PostgresTokenStore,
}

/// Why there is no store to act on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PostgresAdminError {
    /// The configuration of the database.
    #[error(transparent)]
    Config(#[from] PostgresConfigError),
    /// A stand-in for the key could not be made.
    #[error(transparent)]
    Key(#[from] EncryptionKeyError),
}

impl PostgresAdmin {
    /// A store at `config`, which need not be up yet. `keyring` may be missing for commands that do not
    /// [need a key](super::StoreCommand::needs_key).
    ///
    /// # Errors
    /// [`PostgresAdminError`] outside of a tokio runtime, or without random numbers.
    pub fn new(config: PostgresConfig, keyring: Option<Keyring>) -> Result<Self, PostgresAdminError> {
        // One command needs one connection, and a keyring that opens nothing where it opens nothing.
        let config = config.with_pool(0, 1);
        let keyring = match keyring {
            Some(keyring) => keyring,
            None => Keyring::new(EncryptionKey::generate()?),
        };
        let store = PostgresTokenStore::connect_lazy(&config, keyring.clone())?;
        Ok(Self { config, keyring, store })
    }
}

impl TokenAdmin for PostgresAdmin {
    fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    async fn get_token(&self, service: &str, key: &str, actor: &str) -> Result<Option<ServiceToken>, StoreError> {
        self.store.get_token(service, key, actor).await
    }

    async fn set_token(&self, service: &str, key: &str, value: &SecretString, actor: &str) -> Result<(), StoreError> {
        self.store.set_token(service, key, value, actor).await
    }

    async fn delete_token(&self, service: &str, key: &str, actor: &str) -> Result<bool, StoreError> {
        self.store.delete_token(service, key, actor).await
    }

    async fn list(&self, service: &str, actor: &str) -> Result<Vec<TokenInfo>, StoreError> {
        self.store.list(service, actor).await
    }

    async fn rotate(&self, actor: &str) -> Result<Rotation, StoreError> {
        self.store.rotate(actor).await
    }

    async fn audit_rows(&self, after: i64) -> Result<Vec<AuditRow>, StoreError> {
        self.store.audit_rows(after).await
    }

    async fn audit_verify(&self, kept: Option<&AuditHash>) -> Result<AuditReport, StoreError> {
        match kept {
            Some(kept) => self.store.audit_verify_against(kept).await,
            None => self.store.audit_verify().await,
        }
    }

    async fn init(&self, role: Option<&ServerRole>) -> Result<InitReport, StoreError> {
        PostgresTokenStore::init(&self.config, role).await
    }

    async fn finish_upgrade(&self) -> Result<bool, StoreError> {
        PostgresTokenStore::finish_upgrade(&self.config).await
    }

    async fn expire(&self, days: u32, actor: &str) -> Result<u64, StoreError> {
        PostgresTokenStore::expire(&self.config, days, actor).await
    }
}
