//! The files that secrets came from, and which parts of the server take a new content.

use std::path::PathBuf;

use mcp_auth_middleware::{BearerTokens, TokenStore};
use secrecy::{ExposeSecret as _, SecretString};

use super::store::{NOT_SENDABLE, is_sendable};
use super::{Config, PolicyFile, Reader, StoreConfig, telemetry};
use crate::policy::Policy;
use crate::secret_files::{SecretFiles, Take};
use crate::telemetry::Telemetry;

impl Config {
    /// Follows the files of those secrets that may change while the server runs, for these parts of it. The encryption key is not
    /// among them: it changes in steps (see `tokens rotate-key`).
    pub(crate) fn follow_files(&self, store: &TokenStore, telemetry: &Telemetry) -> SecretFiles {
        let mut files = SecretFiles::default();
        if let Some(PolicyFile { policy, path, text }) = self.policy.clone() {
            // Rules that do not fit leave those from before in place.
            let take = move |text: SecretString| {
                policy.replace(&Policy::parse(text.expose_secret())?);
                Ok(())
            };
            files.watch("POLICY", &path, text, take);
        }
        self.auth.issuer_secrets.iter().for_each(|secret| secret.follow(&mut files));
        for (variable, path, secret) in &self.files {
            if let Some(take) = self.taker(variable, store, telemetry) {
                files.watch(variable, path, secret.clone(), take);
            }
        }
        files
    }

    /// Who takes a new value of this variable.
    fn taker(&self, variable: &'static str, store: &TokenStore, telemetry: &Telemetry) -> Option<Take> {
        if variable == "MCP_DEV_BEARER_TOKEN" {
            let tokens = self.auth.bearer.clone()?;
            return Some(Box::new(move |secret| {
                let new = BearerTokens::parse(secret.expose_secret()).map_err(|error| format!("it {error}"))?;
                tokens.replace(&new);
                Ok(())
            }));
        }
        if variable == "OIDC_INTROSPECTION_CLIENT_SECRET" {
            let asking = self.auth.oidc.iter().find_map(|issuer| issuer.introspection()).cloned()?;
            return Some(Box::new(move |secret| {
                asking.set_client_secret(secret);
                Ok(())
            }));
        }
        if variable == "OTEL_EXPORTER_OTLP_HEADERS" {
            let telemetry = telemetry.clone();
            return Some(Box::new(move |secret| {
                telemetry.set_headers(telemetry::parse_headers(&secret).map_err(|problem| format!("it {problem}"))?);
                Ok(())
            }));
        }
        match (store, &self.store) {
            (TokenStore::Env(store), _) if self.tokens.contains(&variable) => {
                let store = store.clone();
                Some(Box::new(move |secret| {
                    if !is_sendable(&secret) {
                        return Err(NOT_SENDABLE.to_owned());
                    }
                    store.set(variable, secret);
                    Ok(())
                }))
            }
            (TokenStore::Postgres(store), StoreConfig::Postgres(database, _)) => {
                database.taker(variable, store.clone())
            }
            (TokenStore::Infisical(store), _) if variable == "INFISICAL_CLIENT_SECRET" => {
                let store = store.clone();
                Some(Box::new(move |secret| {
                    store.set_client_secret(secret);
                    Ok(())
                }))
            }
            _ => None,
        }
    }
}

impl Reader<'_> {
    /// The files that secrets came from. Problems with them are reported where they are read.
    pub(super) fn files(&self) -> Vec<(&'static str, PathBuf, SecretString)> {
        // The server does not start, and what did not come once would be waited for again.
        if !self.problems.is_empty() {
            return Vec::new();
        }
        // A pipe has given what it had.
        let regular = |name: &str| self.env.file(name).filter(|path| path.is_file());
        let file = |name| Some((name, regular(name)?, self.env.secret(name).ok()??));
        // Encryption keys are read once, and their text is not kept.
        let kept = |name: &str| !name.starts_with("MCP_AUTH_");
        self.table.rows().filter(|row| row.is_secret() && kept(row.name)).filter_map(|row| file(row.name)).collect()
    }
}
