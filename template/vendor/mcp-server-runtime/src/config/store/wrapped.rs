//! Keys that Transit has wrapped: what is in the settings is no secret, and is unwrapped when the store is opened.

use std::path::PathBuf;

use mcp_auth_middleware::encryption::Keyring;
use mcp_auth_middleware::{TransitConfig, TransitError, TransitKeyProvider};
use secrecy::ExposeSecret as _;

use super::super::{Environment, Problems, Reader, Table};
use super::StoreOpenError;
use crate::secret_files;

/// Wrapped keys, and what unwraps them.
#[derive(Debug, Clone)]
pub struct WrappedKeys {
    transit: TransitConfig,
    active: WrappedSource,
    /// Decrypt only; see `tokens rotate-key`.
    previous: Vec<String>,
}

#[derive(Debug, Clone)]
enum WrappedSource {
    Given(String),
    /// Nobody makes it at the start: `transit wrap` does.
    File(PathBuf),
}

impl WrappedSource {
    fn text(&self) -> Result<String, StoreOpenError> {
        match self {
            Self::Given(text) => Ok(text.clone()),
            Self::File(path) => match secret_files::read(path) {
                Ok(text) => Ok(text.expose_secret().to_owned()),
                Err(problem) => Err(StoreOpenError::WrappedKeyFile { path: path.clone(), problem }),
            },
        }
    }
}

impl WrappedKeys {
    /// Asks Transit, and waits for it.
    pub(super) fn ring(&self) -> Result<Keyring, StoreOpenError> {
        let active = self.active.text()?;
        // On a thread and a runtime of its own: a store is opened inside of a runtime as well, by what is not async.
        let unwrap = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(self.unwrap_all(&active))
        };
        std::thread::scope(|scope| {
            let joined = scope.spawn(unwrap).join();
            joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    async fn unwrap_all(&self, active: &str) -> Result<Keyring, StoreOpenError> {
        let provider = TransitKeyProvider::new(self.transit.clone())?;
        let mut ring = Keyring::new(provider.unwrap_key(active).await?);
        for previous in &self.previous {
            ring = ring.with_previous(provider.unwrap_key(previous).await?);
        }
        // Servers need not be allowed to ask.
        if let (Ok(versions), Some(version)) = (provider.versions().await, TransitKeyProvider::version_of(active))
            && version < versions.latest
        {
            tracing::warn!(
                "The encryption key is wrapped by version {version} of its Transit key, and the latest is {}: wrap it \
                 again with `transit rewrap`",
                versions.latest
            );
        }
        Ok(ring)
    }
}

/// Transit, for the commands that wrap; and the key that is wrapped so far, where the command needs it.
///
/// # Errors
/// [`StoreOpenError`] with everything that is missing.
pub(crate) fn transit_for_command(
    env: &Environment,
    needs_key: bool,
) -> Result<(TransitKeyProvider, Option<String>), StoreOpenError> {
    let mut problems = Problems::default();
    let table = Table::with(&[]);
    let mut read = Reader { env, table: &table, problems: &mut problems };
    let transit = read.transit();
    let active = if needs_key { read.wrapped_key() } else { None };
    match transit {
        Some(transit) if problems.is_empty() => {
            Ok((TransitKeyProvider::new(transit)?, active.map(|key| key.text()).transpose()?))
        }
        _ => Err(problems.into()),
    }
}

impl Reader<'_> {
    pub(super) fn wrapped_keys(&mut self) -> Option<WrappedKeys> {
        let before = self.problems.len();
        let (transit, active) = (self.transit(), self.wrapped_key());
        let given = self.secret("MCP_AUTH_PREVIOUS_KEYS").unwrap_or_default();
        let mut previous = Vec::new();
        for key in given.expose_secret().split(',').map(str::trim).filter(|key| !key.is_empty()) {
            self.check_wrapped("MCP_AUTH_PREVIOUS_KEYS", key);
            previous.push(key.to_owned());
        }
        let keys = WrappedKeys { transit: transit?, active: active?, previous };
        (self.problems.len() == before).then_some(keys)
    }

    fn wrapped_key(&mut self) -> Option<WrappedSource> {
        let before = self.problems.len();
        match (self.secret("MCP_AUTH_ENCRYPTION_KEY"), self.env.text("MCP_AUTH_KEY_FILE")) {
            (Some(_), Some(_)) => {
                let text = "is set, and so is MCP_AUTH_ENCRYPTION_KEY: leave one of them out";
                self.problems.add("MCP_AUTH_KEY_FILE", text);
                None
            }
            (Some(text), None) => {
                self.check_wrapped("MCP_AUTH_ENCRYPTION_KEY", text.expose_secret());
                // What is no wrapped key may be a key: it is not kept.
                (self.problems.len() == before).then(|| WrappedSource::Given(text.expose_secret().to_owned()))
            }
            (None, Some(path)) => Some(WrappedSource::File(path.into())),
            (None, None) => {
                if self.problems.len() == before {
                    let text = "is missing: a wrapped key, which `transit wrap` prints, or the file of one in MCP_AUTH_KEY_FILE";
                    self.problems.add("MCP_AUTH_ENCRYPTION_KEY", text);
                }
                None
            }
        }
    }

    fn check_wrapped(&mut self, name: &'static str, text: &str) {
        if TransitKeyProvider::version_of(text).is_none() {
            self.problems.add(name, TransitError::NotWrapped.to_string());
        }
    }
}
