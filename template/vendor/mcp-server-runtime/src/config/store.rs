//! Where the server's own tokens are kept, and what it takes to get there.

use std::path::{Path, PathBuf};

use mcp_auth_middleware::cli::{PostgresAdmin, PostgresAdminError};
use mcp_auth_middleware::encryption::{EncryptionKey, KeyFileError, Keyring};
use mcp_auth_middleware::{
    EnvTokenStore, InfisicalConfig, InfisicalConfigError, InfisicalTokenStore, PostgresConfig, PostgresConfigError,
    PostgresTls, PostgresTokenStore, TokenStore,
};
use secrecy::ExposeSecret as _;

use super::{Environment, Problems, Reader, Table};
use crate::secret_files::Take;

/// The token store as configured; nothing is connected or read yet.
#[derive(Debug, Clone)]
pub enum StoreConfig {
    /// In the environment, under these names.
    Env(EnvTokenStore),
    /// In PostgreSQL, encrypted.
    Postgres(Box<Database>, Keys),
    /// In Infisical.
    Infisical(Box<InfisicalConfig>),
}

/// The database of the store.
#[derive(Debug, Clone)]
pub struct Database {
    config: PostgresConfig,
    /// A file with certificates of authorities, which is not in `DATABASE_URL`.
    root_certificates: Option<PathBuf>,
}

impl Database {
    fn with_root_certificates(config: PostgresConfig, file: Option<&PathBuf>) -> PostgresConfig {
        file.into_iter().fold(config, |config, file| config.with_root_certificates(file))
    }

    /// Who takes a new password: new connections of the store have it.
    pub(super) fn taker(&self, variable: &str, store: PostgresTokenStore) -> Option<Take> {
        let Self { config, root_certificates } = self.clone();
        let renew = move |config: &PostgresConfig| match store.use_credentials_of(config) {
            true => Ok(()),
            false => Err("it names another database, which takes a restart".to_owned()),
        };
        match variable {
            "POSTGRES_PASSWORD" => Some(Box::new(move |secret| renew(&config.clone().with_password(&secret)))),
            "DATABASE_URL" => Some(Box::new(move |secret| {
                let config = PostgresConfig::from_url(&secret).map_err(|error| format!("it {error}"))?;
                renew(&Self::with_root_certificates(config, root_certificates.as_ref()))
            })),
            _ => None,
        }
    }
}

/// The keys that tokens in PostgreSQL are encrypted with: as what is made from their text, which is not kept.
#[derive(Debug, Clone)]
pub struct Keys {
    active: ActiveKey,
    /// Decrypt only; see `tokens rotate-key`.
    previous: Option<Keyring>,
}

#[derive(Debug, Clone)]
enum ActiveKey {
    Given(Keyring),
    /// Made by whoever starts first.
    File(PathBuf),
}

/// Why there is no token store, though every variable is well-formed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreOpenError {
    /// The key in `MCP_AUTH_KEY_FILE`.
    #[error("{0} (MCP_AUTH_KEY_FILE)")]
    KeyFile(#[from] KeyFileError),
    /// A key of the environment.
    #[error(transparent)]
    Key(#[from] mcp_auth_middleware::encryption::EncryptionKeyError),
    /// PostgreSQL.
    #[error(transparent)]
    Postgres(#[from] PostgresConfigError),
    /// PostgreSQL, for a command.
    #[error(transparent)]
    Admin(#[from] PostgresAdminError),
    /// Infisical.
    #[error(transparent)]
    Infisical(#[from] InfisicalConfigError),
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
        }
    }

    /// What is wrong with the way to the store.
    pub(super) fn warning(&self) -> Option<String> {
        match self {
            Self::Postgres(database, _) => database.config.warning(),
            _ => None,
        }
    }

    /// The file of the key, where there is none yet.
    pub(crate) fn missing_key_file(&self) -> Option<&Path> {
        match self {
            Self::Postgres(_, Keys { active: ActiveKey::File(path), .. }) => {
                Some(path.as_path()).filter(|path| !path.exists())
            }
            _ => None,
        }
    }

    /// The store itself. It connects when it is first used: the server starts while its database is down.
    ///
    /// # Errors
    /// [`StoreOpenError`] for a key file that cannot be used, and outside of a tokio runtime.
    pub fn open(&self) -> Result<TokenStore, StoreOpenError> {
        Ok(match self {
            Self::Env(store) => TokenStore::Env(store.clone()),
            Self::Postgres(database, keys) => {
                TokenStore::Postgres(PostgresTokenStore::connect_lazy(&database.config, keys.ring()?)?)
            }
            Self::Infisical(config) => TokenStore::Infisical(InfisicalTokenStore::new((**config).clone())?),
        })
    }
}

impl Keys {
    fn ring(&self) -> Result<Keyring, StoreOpenError> {
        let ring = match &self.active {
            ActiveKey::Given(ring) => ring.clone(),
            ActiveKey::File(path) => Keyring::new(EncryptionKey::load_or_create(path)?),
        };
        Ok(match &self.previous {
            Some(previous) => ring.with_previous_ring(previous),
            None => ring,
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
    pub(super) fn token_store(&mut self) -> StoreConfig {
        let chosen = match self.env.text("TOKEN_STORE").as_deref() {
            None | Some("env") => return StoreConfig::Env(self.env_tokens()),
            Some("postgres") => {
                let (database, keys) = (self.database(), self.keys());
                database.zip(keys).map(|(database, keys)| StoreConfig::Postgres(Box::new(database), keys))
            }
            Some("infisical") => self.infisical().map(|config| StoreConfig::Infisical(Box::new(config))),
            Some(other) => {
                self.problems.add("TOKEN_STORE", format!("{other:?} is none of env, postgres, infisical"));
                None
            }
        };
        // Only where there are problems, so that nothing is ever made of it.
        chosen.unwrap_or_else(|| StoreConfig::Env(EnvTokenStore::default()))
    }

    fn database(&mut self) -> Option<Database> {
        let url = self.secret("DATABASE_URL");
        let host = self.env.text("POSTGRES_HOST");
        let config = match (url, host) {
            (Some(_), Some(_)) => {
                self.problems.add("POSTGRES_HOST", "is set, and so is DATABASE_URL: leave one of them out");
                None
            }
            (Some(url), None) => match PostgresConfig::from_url(&url) {
                Ok(config) => Some(config),
                Err(error) => {
                    self.problems.add("DATABASE_URL", error.to_string());
                    None
                }
            },
            (None, Some(host)) => self.database_in_parts(&host),
            (None, None) => {
                self.problems.add("POSTGRES_HOST", "is missing: the host of the token store's PostgreSQL");
                None
            }
        }?;
        let root_certificates = self.env.text("POSTGRES_SSLROOTCERT").map(PathBuf::from);
        let config = Database::with_root_certificates(config, root_certificates.as_ref());
        Some(Database { config, root_certificates })
    }

    fn database_in_parts(&mut self, host: &str) -> Option<PostgresConfig> {
        let port = self.parsed("POSTGRES_PORT", 5432_u16, "a port number from 1 to 65535");
        let name = self.env.text("POSTGRES_DB").unwrap_or_else(|| "mcp_auth".to_owned());
        let user = self.env.text("POSTGRES_USER").unwrap_or_else(|| "mcp_auth".to_owned());
        let mut config = PostgresConfig::new(host, &name, &user).with_port(port);
        if let Some(password) = self.secret("POSTGRES_PASSWORD") {
            config = config.with_password(&password);
        }
        let Some(mode) = self.env.text("POSTGRES_SSLMODE") else { return Some(config) };
        match mode.parse::<PostgresTls>() {
            Ok(tls) => Some(config.with_tls(tls)),
            Err(error) => {
                self.problems.add("POSTGRES_SSLMODE", error.to_string());
                None
            }
        }
    }

    fn keys(&mut self) -> Option<Keys> {
        let before = self.problems.len();
        let given = self.secret("MCP_AUTH_ENCRYPTION_KEY");
        let file = self.env.text("MCP_AUTH_KEY_FILE");
        let active = match (given, file) {
            (Some(_), Some(_)) => {
                let text = "is set, and so is MCP_AUTH_ENCRYPTION_KEY: leave one of them out";
                self.problems.add("MCP_AUTH_KEY_FILE", text);
                None
            }
            (Some(text), None) => {
                let key = self.key("MCP_AUTH_ENCRYPTION_KEY", text.expose_secret());
                key.map(|key| ActiveKey::Given(Keyring::new(key)))
            }
            (None, Some(path)) => Some(ActiveKey::File(path.into())),
            // A key that is made where nobody keeps it would make every token unreadable with the next container, so the
            // place is asked for instead of chosen.
            (None, None) => {
                if self.problems.len() == before {
                    let text = "is missing: make one with `openssl rand -base64 32`, or name a file in \
                                MCP_AUTH_KEY_FILE, which is made with a new key if there is none";
                    self.problems.add("MCP_AUTH_ENCRYPTION_KEY", text);
                }
                None
            }
        };
        let previous = self.secret("MCP_AUTH_PREVIOUS_KEYS").unwrap_or_default();
        let mut ring: Option<Keyring> = None;
        for text in previous.expose_secret().split(',').map(str::trim).filter(|key| !key.is_empty()) {
            let Some(key) = self.key("MCP_AUTH_PREVIOUS_KEYS", text) else { continue };
            ring = Some(match ring {
                Some(ring) => ring.with_previous(key),
                None => Keyring::new(key),
            });
        }
        active.filter(|_| self.problems.len() == before).map(|active| Keys { active, previous: ring })
    }

    fn key(&mut self, name: &'static str, text: &str) -> Option<EncryptionKey> {
        match EncryptionKey::parse(text) {
            Ok(key) => Some(key),
            Err(error) => {
                self.problems.add(name, error.to_string());
                None
            }
        }
    }

    fn infisical(&mut self) -> Option<InfisicalConfig> {
        let before = self.problems.len();
        let mut required = |name: &'static str, what: &str| {
            let text = self.env.text(name);
            if text.is_none() {
                self.problems.add(name, format!("is missing: {what}"));
            }
            text.unwrap_or_default()
        };
        let id = required("INFISICAL_CLIENT_ID", "the client id of the machine identity (Universal Auth)");
        let project = required("INFISICAL_PROJECT_ID", "the id of the project, from its settings");
        let told = self.problems.len();
        let secret = self.secret("INFISICAL_CLIENT_SECRET").unwrap_or_default();
        if secret.expose_secret().is_empty() && self.problems.len() == told {
            self.problems.add("INFISICAL_CLIENT_SECRET", "is missing: a client secret of the machine identity");
        }
        let base = self.env.text("INFISICAL_URL").unwrap_or_else(|| "https://us.infisical.com".to_owned());
        let environment = self.env.text("INFISICAL_ENVIRONMENT").unwrap_or_else(|| "prod".to_owned());
        let path = self.env.text("INFISICAL_PATH").unwrap_or_else(|| "/".to_owned());
        if self.problems.len() > before {
            return None;
        }
        let config = match InfisicalConfig::new(&base, &id, secret, &project, &environment) {
            Ok(config) => config,
            Err(error) => {
                self.problems.add("INFISICAL_URL", error.to_string());
                return None;
            }
        };
        match config.with_path(&path) {
            Ok(config) => Some(config),
            Err(error) => {
                self.problems.add("INFISICAL_PATH", error.to_string());
                None
            }
        }
    }
}
