//! The PostgreSQL of the store.

use std::path::PathBuf;

use mcp_auth_middleware::{PostgresConfig, PostgresTls, PostgresTokenStore};

use super::super::Reader;
use crate::secret_files::Take;

/// The database of the store.
#[derive(Debug, Clone)]
pub struct Database {
    pub(super) config: PostgresConfig,
    /// A file with certificates of authorities, which is not in `DATABASE_URL`.
    root_certificates: Option<PathBuf>,
}

impl Database {
    fn with_root_certificates(config: PostgresConfig, file: Option<&PathBuf>) -> PostgresConfig {
        file.into_iter().fold(config, |config, file| config.with_root_certificates(file))
    }

    /// Who takes a new password: new connections of the store have it.
    pub(in crate::config) fn taker(&self, variable: &str, store: PostgresTokenStore) -> Option<Take> {
        let Self { config, root_certificates } = self.clone();
        let renew = move |config: &PostgresConfig| match store.use_credentials_of(config) {
            true => Ok(()),
            false => Err("it names another database or another way there, which takes a restart".to_owned()),
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

impl Reader<'_> {
    pub(super) fn database(&mut self) -> Option<Database> {
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
}
