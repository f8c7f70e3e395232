//! Where the server's own tokens are kept, and what it takes to get there.

mod database;
mod environment;
mod infisical;
mod keys;
mod vault;
mod wrapped;

use std::path::{Path, PathBuf};

use mcp_auth_middleware::cli::{PostgresAdmin, PostgresAdminError};
use mcp_auth_middleware::encryption::KeyFileError;
use mcp_auth_middleware::{
    EnvTokenStore, InfisicalConfig, InfisicalConfigError, InfisicalTokenStore, PostgresConfigError, PostgresTokenStore,
    TokenStore, TransitError, VaultConfig, VaultConfigError, VaultTokenStore,
};

use super::{Environment, Problems, Reader, Table};
use database::Database;
pub(super) use environment::{NOT_SENDABLE, is_sendable};
use keys::Keys;
pub(crate) use wrapped::transit_for_command;

/// The token store as configured; nothing is connected or read yet.
#[derive(Debug, Clone)]
pub enum StoreConfig {
    /// In the environment, under these names.
    Env(EnvTokenStore),
    /// In PostgreSQL, encrypted.
    Postgres(Box<Database>, Keys),
    /// In Infisical.
    Infisical(Box<InfisicalConfig>),
    /// In Vault or OpenBao.
    Vault(Box<VaultConfig>),
}

/// Why there is no token store, though every variable is well-formed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreOpenError {
    /// The key in `MCP_AUTH_KEY_FILE`.
    #[error("{0} (MCP_AUTH_KEY_FILE)")]
    KeyFile(#[from] KeyFileError),
    /// The file system of that file does not answer.
    #[error("encryption key file {}: {problem} (MCP_AUTH_KEY_FILE)", path.display())]
    KeyFileLate {
        /// The file.
        path: PathBuf,
        /// How long it was waited for.
        problem: String,
    },
    /// A key of the environment.
    #[error(transparent)]
    Key(#[from] mcp_auth_middleware::encryption::EncryptionKeyError),
    /// The file of a wrapped key.
    #[error("the file {} of MCP_AUTH_KEY_FILE: {problem}; `transit wrap` prints what belongs there", path.display())]
    WrappedKeyFile {
        /// The file.
        path: PathBuf,
        /// The problem with it.
        problem: String,
    },
    /// A wrapped key.
    #[error(transparent)]
    Transit(#[from] TransitError),
    /// A runtime to ask Transit in.
    #[error("the runtime could not be started: {0}")]
    Runtime(#[from] std::io::Error),
    /// PostgreSQL.
    #[error(transparent)]
    Postgres(#[from] PostgresConfigError),
    /// PostgreSQL, for a command.
    #[error(transparent)]
    Admin(#[from] PostgresAdminError),
    /// Infisical.
    #[error(transparent)]
    Infisical(#[from] InfisicalConfigError),
    /// Vault.
    #[error(transparent)]
    Vault(#[from] VaultConfigError),
    /// The environment, where only a command of the token store asks for it.
    #[error("the environment does not say where:\n{0}")]
    Environment(#[from] Problems),
}

impl StoreConfig {
    /// As it stands in `TOKEN_STORE`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Env(_) => "env",
            Self::Postgres(..) => "postgres",
            Self::Infisical(_) => "infisical",
            Self::Vault(_) => "vault",
        }
    }

    /// Returns the problem with the connection to the store.
    pub(super) fn warning(&self) -> Option<String> {
        match self {
            Self::Postgres(database, _) => database.config.warning(),
            _ => None,
        }
    }

    /// The file of the key, where there is none yet.
    pub(crate) fn missing_key_file(&self) -> Option<&Path> {
        match self {
            Self::Postgres(_, keys) => keys.missing_file(),
            _ => None,
        }
    }

    /// The store itself. It connects when it is first used: the server starts while its database is down. Keys that Transit
    /// has wrapped are unwrapped before.
    ///
    /// # Errors
    /// [`StoreOpenError`] for a key that cannot be used or unwrapped, and outside of a tokio runtime.
    pub fn open(&self) -> Result<TokenStore, StoreOpenError> {
        Ok(match self {
            Self::Env(store) => TokenStore::Env(store.clone()),
            Self::Postgres(database, keys) => {
                TokenStore::Postgres(PostgresTokenStore::connect_lazy(&database.config, keys.ring()?)?)
            }
            Self::Infisical(config) => TokenStore::Infisical(InfisicalTokenStore::new((**config).clone())?),
            Self::Vault(config) => TokenStore::Vault(VaultTokenStore::new((**config).clone())?),
        })
    }
}

/// The database for `tokens`, `db` and `migrate-env`, which act on PostgreSQL whatever `TOKEN_STORE` says: a move from
/// one store to the other begins before the server knows of it.
///
/// # Errors
/// [`StoreOpenError`] with everything that is missing.
pub fn open_for_command(env: &Environment, needs_key: bool) -> Result<PostgresAdmin, StoreOpenError> {
    let mut problems = Problems::default();
    let table = Table::with(&[]);
    let mut read = Reader { env, table: &table, problems: &mut problems };
    let database = read.database();
    let keys = if needs_key { read.keys() } else { None };
    match database {
        Some(database) if problems.is_empty() => {
            let ring = keys.map(|keys| keys.ring()).transpose()?;
            Ok(PostgresAdmin::new(database.config, ring)?)
        }
        _ => Err(problems.into()),
    }
}

impl Reader<'_> {
    /// The store of `TOKEN_STORE`.
    pub(in crate::config) fn token_store(&mut self) -> StoreConfig {
        let chosen = match self.env.text("TOKEN_STORE").as_deref() {
            None | Some("env") => return StoreConfig::Env(self.env_tokens()),
            Some("postgres") => {
                let (database, keys) = (self.database(), self.keys());
                database.zip(keys).map(|(database, keys)| StoreConfig::Postgres(Box::new(database), keys))
            }
            Some("infisical") => self.infisical().map(|config| StoreConfig::Infisical(Box::new(config))),
            Some("vault") => self.vault().map(|config| StoreConfig::Vault(Box::new(config))),
            Some(other) => {
                self.problems.add("TOKEN_STORE", format!("{other:?} is none of env, postgres, infisical, vault"));
                None
            }
        };
        // Only where there are problems, so that nothing is ever made of it.
        chosen.unwrap_or_else(|| StoreConfig::Env(EnvTokenStore::default()))
    }
}
