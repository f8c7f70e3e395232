//! The key for PostgreSQL, wrapped: Transit of Vault or OpenBao encrypts it, and only a server that Vault lets in has it
//! decrypted, at its start. What is kept with the settings is no secret.
//!
//! The wrapped key is bound to the name of a deployment (associated data): one that was made for another deployment does
//! not unwrap, though both use the same key of Transit. Transit's own `rewrap` knows no associated data (OpenBao 2.7), so a
//! key is wrapped again by decrypting and encrypting it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::client::{Client, Refusal};
use super::config::{VaultConfig, VaultConfigError, checked, is_name};
use crate::StoreError;
use crate::encryption::{EncryptionKey, EncryptionKeyError, KeyId};
use crate::store::api::body;

/// The beginning of a wrapped key's associated data, so that nothing else that Transit has encrypted unwraps as one.
const LABEL: &str = "mcp-auth-middleware v1 data key ";

/// Which key of Transit wraps, and for which deployment.
#[derive(Debug, Clone)]
pub struct TransitConfig {
    vault: VaultConfig,
    mount: String,
    key: String,
    deployment: String,
}

impl TransitConfig {
    /// The key of this name, at `transit/`. `deployment` is a name for what shares the wrapped key: `production`.
    ///
    /// # Errors
    /// [`VaultConfigError`] for names that are empty, or cannot be.
    pub fn new(vault: VaultConfig, key: &str, deployment: &str) -> Result<Self, VaultConfigError> {
        if !is_name(key) {
            return Err(VaultConfigError::Path("name of the key"));
        }
        if deployment.trim().is_empty() {
            return Err(VaultConfigError::Empty("name of the deployment"));
        }
        let deployment = deployment.trim().to_owned();
        Ok(Self { vault, mount: "transit".to_owned(), key: key.to_owned(), deployment })
    }

    /// Where Transit is mounted, if not at `transit`.
    ///
    /// # Errors
    /// [`VaultConfigError::Path`].
    pub fn with_mount(mut self, mount: &str) -> Result<Self, VaultConfigError> {
        self.mount = checked("mount of Transit", mount)?;
        Ok(self)
    }
}

/// Why a key cannot be wrapped or unwrapped. No text of it holds a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransitError {
    /// Vault does not answer, or does not let us.
    #[error("the encryption key cannot be unwrapped: {0}")]
    Vault(#[from] StoreError),
    /// The setting is no wrapped key: perhaps it is the key itself.
    #[error("the encryption key is not wrapped: with Transit it is `vault:v1:…`, which `transit wrap` prints")]
    NotWrapped,
    /// Not wrapped by this key of Transit, or not for this deployment, or changed since.
    #[error(
        "the encryption key does not unwrap: it was wrapped for another deployment than {deployment}, by another key than \
         {key}, or changed since"
    )]
    Other {
        /// The name of the key of Transit.
        key: String,
        /// The name of the deployment.
        deployment: String,
    },
    /// Vault does not wrap with this key of Transit.
    #[error(
        "Transit does not wrap with {0}: its key has to be of a type that takes associated data (aes256-gcm96, \
         chacha20-poly1305), without derivation and convergent encryption"
    )]
    NotForWrapping(String),
    /// The version of the key of Transit that wrapped it no longer decrypts.
    #[error(
        "the encryption key does not unwrap: it was wrapped by version {version} of {key}, which is below \
         min_decryption_version; lower that, and wrap it again (`transit rewrap`)"
    )]
    TooOld {
        /// The name of the key of Transit.
        key: String,
        /// The version that wrapped.
        version: u32,
    },
    /// The key of Transit is not there.
    #[error("Transit has no key {0}, or this one cannot encrypt and decrypt")]
    NoKey(String),
    /// The unwrapped text is no key.
    #[error("what was unwrapped is no encryption key: {0}")]
    Key(#[from] EncryptionKeyError),
}

/// A wrapped key, and which one it is. Its text is no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedKey {
    /// The text for the settings: `vault:v1:…`
    pub text: String,
    /// The key's id.
    pub id: KeyId,
}

/// The versions of a key of Transit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct TransitVersions {
    /// The one that wraps.
    #[serde(rename = "latest_version")]
    pub latest: u32,
    /// The oldest that unwraps.
    #[serde(rename = "min_decryption_version")]
    pub min_decryption: u32,
}

/// Wraps and unwraps keys.
pub struct TransitKeyProvider {
    client: Client,
    mount: String,
    key: String,
    deployment: String,
}

#[derive(Serialize)]
struct Encrypt<'e> {
    plaintext: &'e str,
    associated_data: &'e str,
}

#[derive(Serialize)]
struct Decrypt<'d> {
    ciphertext: &'d str,
    associated_data: &'d str,
}

#[derive(Deserialize)]
struct Answered<T> {
    data: T,
}

#[derive(Deserialize)]
struct Ciphertext {
    ciphertext: String,
}

#[derive(Deserialize)]
struct Plaintext {
    #[serde(deserialize_with = "crate::store::api::secret")]
    plaintext: SecretString,
}

impl TransitKeyProvider {
    /// A provider that logs in when it is first used.
    ///
    /// # Errors
    /// [`VaultConfigError::HttpClient`] where the HTTP client cannot be built.
    pub fn new(config: TransitConfig) -> Result<Self, VaultConfigError> {
        let TransitConfig { vault, mount, key, deployment } = config;
        Ok(Self { client: Client::new(vault)?, mount, key, deployment })
    }

    /// The version of the key of Transit that wrapped this text; nothing for a text that is no wrapped key.
    #[must_use]
    pub fn version_of(wrapped: &str) -> Option<u32> {
        let (version, ciphertext) = wrapped.trim().strip_prefix("vault:v")?.split_once(':')?;
        let fits = !ciphertext.is_empty() && ciphertext.bytes().all(|byte| byte.is_ascii_graphic());
        version.parse().ok().filter(|version| *version > 0 && fits)
    }

    /// The key in a wrapped text.
    ///
    /// # Errors
    /// [`TransitError`].
    pub async fn unwrap_key(&self, wrapped: &str) -> Result<EncryptionKey, TransitError> {
        Ok(EncryptionKey::parse(self.decrypt(wrapped).await?.expose_secret())?)
    }

    /// A new random key, wrapped.
    ///
    /// # Errors
    /// [`TransitError`].
    pub async fn wrap_new_key(&self) -> Result<WrappedKey, TransitError> {
        let (key, text) = EncryptionKey::generate_with_text()?;
        Ok(WrappedKey { text: self.encrypt(&text).await?, id: key.id() })
    }

    /// A key that there is already, wrapped: what was the key of servers before.
    ///
    /// # Errors
    /// [`TransitError`], also for a text that is no key.
    pub async fn wrap_key(&self, text: &SecretString) -> Result<WrappedKey, TransitError> {
        let (key, text) = EncryptionKey::parse_with_text(text.expose_secret())?;
        Ok(WrappedKey { text: self.encrypt(&text).await?, id: key.id() })
    }

    /// The same key, wrapped by the newest version of the key of Transit.
    ///
    /// # Errors
    /// [`TransitError`].
    pub async fn rewrap_key(&self, wrapped: &str) -> Result<WrappedKey, TransitError> {
        let text = self.decrypt(wrapped).await?;
        let id = EncryptionKey::parse(text.expose_secret())?.id();
        Ok(WrappedKey { text: self.encrypt(text.expose_secret()).await?, id })
    }

    /// The versions of the key of Transit.
    ///
    /// # Errors
    /// [`TransitError`], also where the login may not read them, which is not needed to unwrap.
    pub async fn versions(&self) -> Result<TransitVersions, TransitError> {
        let path = format!("{}/keys/{}", self.mount, self.key);
        let client = &self.client;
        let answer = client.bounded(|deadline| client.ask(Method::GET, &path, None, deadline)).await?;
        match answer.status {
            status if status.is_success() => {
                let Answered { data } = answer.json().ok_or_else(|| client.api.unexpected())?;
                Ok(data)
            }
            StatusCode::NOT_FOUND if answer.json::<Refusal>().is_some_and(|refusal| refusal.is_silent()) => {
                Err(TransitError::NoKey(self.key.clone()))
            }
            _ => Err(client.failure(&answer, &path).into()),
        }
    }

    /// Returns the wrapped key's associated data, in base64.
    fn associated_data(&self) -> String {
        STANDARD.encode(format!("{LABEL}{}", self.deployment))
    }

    async fn encrypt(&self, text: &str) -> Result<String, TransitError> {
        let body = body(&Encrypt { plaintext: text, associated_data: &self.associated_data() })?;
        let Ciphertext { ciphertext } = self.ask("encrypt", &body, 0).await?;
        if Self::version_of(&ciphertext).is_none() {
            return Err(self.client.api.unexpected().into());
        }
        Ok(ciphertext)
    }

    /// The key as text: in base64, as Transit has it and as [`EncryptionKey::parse`] takes it.
    async fn decrypt(&self, wrapped: &str) -> Result<SecretString, TransitError> {
        let version = Self::version_of(wrapped).ok_or(TransitError::NotWrapped)?;
        let body = body(&Decrypt { ciphertext: wrapped.trim(), associated_data: &self.associated_data() })?;
        let Plaintext { plaintext } = self.ask("decrypt", &body, version).await?;
        Ok(plaintext)
    }

    async fn ask<T: for<'de> Deserialize<'de>>(
        &self,
        action: &str,
        body: &zeroize::Zeroizing<Vec<u8>>,
        version: u32,
    ) -> Result<T, TransitError> {
        let path = format!("{}/{action}/{}", self.mount, self.key);
        let client = &self.client;
        let answer = client.bounded(|deadline| client.ask(Method::POST, &path, Some(body), deadline)).await?;
        if answer.status.is_success() {
            let Answered { data } = answer.json().ok_or_else(|| client.api.unexpected())?;
            return Ok(data);
        }
        let key = self.key.clone();
        match answer.json::<Refusal>() {
            Some(refusal) if answer.status == StatusCode::BAD_REQUEST => Err(if refusal.says("too old") {
                TransitError::TooOld { key, version }
            } else if refusal.says("key not found") || refusal.says("does not support") {
                TransitError::NoKey(key)
            } else if action == "encrypt" {
                TransitError::NotForWrapping(key)
            } else {
                TransitError::Other { key, deployment: self.deployment.clone() }
            }),
            _ => Err(client.failure(&answer, &path).into()),
        }
    }
}

impl fmt::Debug for TransitKeyProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client, mount, key, deployment } = self;
        let config = &client.config;
        f.debug_struct("TransitKeyProvider")
            .field("vault", config)
            .field("mount", mount)
            .field("key", key)
            .field("deployment", deployment)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::TransitKeyProvider;

    #[test]
    fn a_wrapped_key_tells_which_version_wrapped_it() {
        let version = TransitKeyProvider::version_of;
        assert_eq!((version("vault:v1:abc="), version(" vault:v12:x\n")), (Some(1), Some(12)));
        let plain = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k="; // pragma: allowlist secret
        for other in ["", "vault:v0:x", "vault:v1:", "vault:1:x", "vault:v1:a b", plain] {
            assert_eq!(version(other), None, "{other}");
        }
    }
}
