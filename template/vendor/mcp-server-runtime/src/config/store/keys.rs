//! The keys that tokens in PostgreSQL are encrypted with: the keys themselves, or wrapped by Transit.

use std::path::{Path, PathBuf};
use std::time::Duration;

use mcp_auth_middleware::encryption::{EncryptionKey, KeyFileError, Keyring};
use secrecy::ExposeSecret as _;

use super::super::Reader;
use super::StoreOpenError;
use super::wrapped::WrappedKeys;
use crate::secret_files::{PATIENCE, in_time};

/// The keys that tokens in PostgreSQL are encrypted with.
#[derive(Debug, Clone)]
pub enum Keys {
    /// As what is made from their text, which is not kept.
    Local(LocalKeys),
    /// As Transit has wrapped them.
    Wrapped(Box<WrappedKeys>),
}

/// Keys that are in the settings themselves.
#[derive(Debug, Clone)]
pub struct LocalKeys {
    active: ActiveKey,
    /// Decrypt only; see `tokens rotate-key`.
    previous: Option<Keyring>,
}

#[derive(Debug, Clone)]
enum ActiveKey {
    Given(Keyring),
    /// Made by the first process that starts.
    File(PathBuf),
}

impl Keys {
    pub(super) fn ring(&self) -> Result<Keyring, StoreOpenError> {
        match self {
            Self::Local(keys) => keys.ring(),
            Self::Wrapped(keys) => keys.ring(),
        }
    }

    /// The file of the key that the first server makes, where there is none yet.
    pub(super) fn missing_file(&self) -> Option<&Path> {
        match self {
            Self::Local(LocalKeys { active: ActiveKey::File(path), .. }) => {
                // A file system that gives no answer in time may have it; opening it reports that.
                Some(path.as_path()).filter(|path| in_time(PATIENCE, path, Path::exists) == Ok(false))
            }
            _ => None,
        }
    }
}

impl LocalKeys {
    fn ring(&self) -> Result<Keyring, StoreOpenError> {
        let ring = match &self.active {
            ActiveKey::Given(ring) => ring.clone(),
            ActiveKey::File(path) => Keyring::new(key_in(path, PATIENCE, EncryptionKey::load_or_create)?),
        };
        Ok(match &self.previous {
            Some(previous) => ring.with_previous_ring(previous),
            None => ring,
        })
    }
}

/// The key of a file, whose file system may hang: a start that says nothing would be waited for, and never end.
fn key_in(
    path: &Path,
    patience: Duration,
    load: impl FnOnce(&Path) -> Result<EncryptionKey, KeyFileError> + Send + 'static,
) -> Result<EncryptionKey, StoreOpenError> {
    let late = |problem| StoreOpenError::KeyFileLate { path: path.to_owned(), problem };
    Ok(in_time(patience, path, load).map_err(late)??)
}

impl Reader<'_> {
    pub(super) fn keys(&mut self) -> Option<Keys> {
        match self.env.text("MCP_AUTH_KEY_PROVIDER").as_deref() {
            None | Some("local") => self.local_keys().map(Keys::Local),
            Some("transit") => self.wrapped_keys().map(|keys| Keys::Wrapped(Box::new(keys))),
            Some(other) => {
                self.problems.add("MCP_AUTH_KEY_PROVIDER", format!("{other:?} is neither local nor transit"));
                None
            }
        }
    }

    fn local_keys(&mut self) -> Option<LocalKeys> {
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
        active.filter(|_| self.problems.len() == before).map(|active| LocalKeys { active, previous: ring })
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_that_nobody_answers_for_is_given_up_with_its_name() {
        let (answer, hang) = std::sync::mpsc::channel::<()>();
        let late = key_in(Path::new("/hanging/key"), Duration::from_millis(10), move |path| {
            let _ = hang.recv();
            EncryptionKey::load_or_create(path)
        });
        let text = late.map(drop).expect_err("nobody answers").to_string();
        assert!(text.contains("/hanging/key") && text.contains("MCP_AUTH_KEY_FILE"), "{text}");
        drop(answer);
    }
}
