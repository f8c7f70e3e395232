//! Tokens in HashiCorp Vault or OpenBao, which has the same HTTP interface: a secrets engine KV of version 2, one secret
//! for each service with a field for each token. They are read here, and changed with Vault's own tool.
//!
//! Encryption at rest and the audit log are Vault's own, in which the login stands as the actor.
//!
//! Source: Vault's and OpenBao's API documentation, and the answers of OpenBao 2.7 (`tests/vault.rs`).

mod client;
mod config;
mod login;
#[cfg(feature = "encryption")]
mod transit;
mod watch;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use http::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use tokio::time::Instant;

use crate::printable::printable;
use crate::store::api::Answer;
use crate::{ServiceToken, StoreError};
use client::{Client, Refusal};
pub use config::{VaultConfig, VaultConfigError, VaultLogin};
#[cfg(feature = "encryption")]
pub use transit::{TransitConfig, TransitError, TransitKeyProvider, TransitVersions, WrappedKey};

/// Tokens in Vault or OpenBao. Clones share one client and one login.
///
/// Every method fails with [`StoreError::Unavailable`] where Vault does not answer in time, cannot be reached, is sealed,
/// is asked too often, or something else answers in its place, and works again by itself; with [`StoreError::Denied`] where
/// it refuses login or access, and with [`StoreError::NotSetUp`] where the secrets engine is not there, or is none of
/// version 2. No error holds a value or a credential.
///
/// ```
/// use mcp_auth_middleware::{SecretSource, VaultConfig, VaultLogin, VaultTokenStore};
///
/// fn store(role_id: String) -> Result<VaultTokenStore, Box<dyn std::error::Error>> {
///     let secret_id = SecretSource::File("/run/secrets/vault_secret_id".into());
///     let config = VaultConfig::new("https://vault.example.com:8200", VaultLogin::AppRole { role_id, secret_id })?;
///     // The tokens of the service `coda` are the fields of secret/mcp/coda.
///     Ok(VaultTokenStore::new(config.with_path("mcp")?)?)
/// }
/// # assert!(store("id".to_owned()).is_ok());
/// ```
#[derive(Clone)]
pub struct VaultTokenStore(Arc<Client>);

/// The state of a service's secret, without a value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum VaultInspection {
    /// Nothing was ever stored there.
    Absent,
    /// Its newest version was deleted.
    Deleted,
    /// The names of its fields.
    Fields(Vec<String>),
}

/// `GET /v1/MOUNT/data/PATH`, also with 404 where the newest version was deleted.
#[derive(Deserialize)]
struct Read<'a> {
    #[serde(borrow)]
    data: Version<'a>,
}

#[derive(Deserialize)]
struct Version<'a> {
    /// The values stay where they are, in an answer that is wiped; none for a version that was deleted.
    #[serde(borrow)]
    data: Option<BTreeMap<Cow<'a, str>, &'a RawValue>>,
    /// An engine of version 1 does not have it.
    #[serde(rename = "metadata")]
    _metadata: IgnoredAny,
}

/// `GET /v1/sys/internal/ui/mounts/MOUNT`.
#[derive(Deserialize)]
struct Mount {
    data: MountData,
}

#[derive(Deserialize)]
struct MountData {
    r#type: String,
    #[serde(default)]
    options: Option<BTreeMap<String, String>>,
}

impl VaultTokenStore {
    /// A store that logs in when it is first used: a server starts while Vault is down.
    ///
    /// # Errors
    /// [`VaultConfigError::HttpClient`] where the HTTP client cannot be built.
    pub fn new(config: VaultConfig) -> Result<Self, VaultConfigError> {
        Ok(Self(Arc::new(Client::new(config)?)))
    }

    /// The token of a service: the field `key` of its secret, if there is one. An empty one counts as none.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for names that cannot be, and for a field that is no text; see the type for others.
    pub async fn get_token(&self, service: &str, key: &str) -> Result<Option<ServiceToken>, StoreError> {
        check_key(key)?;
        let secret = self.0.config.secret_of(service);
        let answer = self.read(service).await?;
        let fields = match self.understand(&answer, service)? {
            None => return Ok(None),
            Some(Version { data: None, .. }) => {
                tracing::warn!("The newest version of {secret} in Vault was deleted");
                return Ok(None);
            }
            Some(Version { data: Some(fields), .. }) => fields,
        };
        let Some(value) = fields.get(key) else {
            tracing::warn!("{secret} in Vault has no field {}", printable(key));
            return Ok(None);
        };
        let value: SecretString = serde_json::from_str::<Text>(value.get())
            .map_err(|_| StoreError::Invalid(format!("the field {} of {secret} is no text", printable(key))))?
            .0;
        Ok((!value.expose_secret().is_empty()).then(|| ServiceToken::new(value)))
    }

    /// Returns the state of the secret of a service.
    ///
    /// # Errors
    /// See the type.
    pub async fn inspect(&self, service: &str) -> Result<VaultInspection, StoreError> {
        let answer = self.read(service).await?;
        Ok(match self.understand(&answer, service)? {
            None => VaultInspection::Absent,
            Some(Version { data: None, .. }) => VaultInspection::Deleted,
            Some(Version { data: Some(fields), .. }) => {
                VaultInspection::Fields(fields.into_keys().map(Cow::into_owned).collect())
            }
        })
    }

    /// The secret of a service, as messages name it: `secret/mcp/coda`.
    #[must_use]
    pub fn secret_of(&self, service: &str) -> String {
        self.0.config.secret_of(service)
    }

    /// Asks for a sign of life: the very question that requests ask.
    ///
    /// # Errors
    /// See the type. A secret that is not there is no error.
    pub async fn ping(&self, service: &str) -> Result<(), StoreError> {
        self.inspect(service).await.map(drop)
    }

    async fn read(&self, service: &str) -> Result<Answer, StoreError> {
        check_service(service)?;
        let client = &self.0;
        let path = client.config.data_path(service);
        let question = |deadline| async move {
            let answer = client.ask(Method::GET, &path, None, deadline).await?;
            if is_absent(&answer) {
                self.check_mount(deadline).await?;
            }
            Ok(answer)
        };
        client.bounded(question).await
    }

    /// The newest version of a secret; `None` where there never was one.
    fn understand<'a>(&self, answer: &'a Answer, service: &str) -> Result<Option<Version<'a>>, StoreError> {
        let client = &self.0;
        match (version(answer), answer.status) {
            (Some(version), status) if status.is_success() || status == StatusCode::NOT_FOUND => Ok(Some(version)),
            // An engine of version 1, or another one, that has something at this path.
            (None, status) if status.is_success() => {
                Err(if answer.is_json() { self.not_version_2() } else { client.api.unexpected() })
            }
            _ if is_absent(answer) => Ok(None),
            _ => Err(client.failure(answer, &client.config.data_path(service))),
        }
    }

    /// An engine of version 1 says of `data/…` that it has no such secret: the version is asked for. A login that may not ask
    /// takes the mount for right.
    async fn check_mount(&self, deadline: Instant) -> Result<(), StoreError> {
        let client = &self.0;
        let path = format!("sys/internal/ui/mounts/{}", client.config.mount);
        let answer = client.ask(Method::GET, &path, None, deadline).await?;
        let Some(Mount { data }) = answer.json::<Mount>().filter(|_| answer.status.is_success()) else { return Ok(()) };
        let version = data.options.as_ref().and_then(|options| options.get("version"));
        let is_version_2 = data.r#type == "kv" && version.is_some_and(|version| version == "2");
        if is_version_2 { Ok(()) } else { Err(self.not_version_2()) }
    }

    fn not_version_2(&self) -> StoreError {
        StoreError::NotSetUp(format!(
            "the secrets engine at {}/ is not KV version 2 ({})",
            self.0.config.mount,
            self.0.api.place()
        ))
    }
}

impl fmt::Debug for VaultTokenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VaultTokenStore").field(&self.0.config).finish()
    }
}

fn version(answer: &Answer) -> Option<Version<'_>> {
    answer.json::<Read<'_>>().map(|read| read.data)
}

/// Returns whether the path never had a secret, or the engine is none of version 2.
fn is_absent(answer: &Answer) -> bool {
    answer.status == StatusCode::NOT_FOUND
        && version(answer).is_none()
        && answer.json::<Refusal>().is_some_and(|refusal| refusal.is_silent())
}

/// A JSON string as a secret.
#[derive(Deserialize)]
struct Text(#[serde(deserialize_with = "crate::store::api::secret")] SecretString);

fn check_service(name: &str) -> Result<(), StoreError> {
    if config::is_name(name) && name.len() <= 255 {
        return Ok(());
    }
    Err(StoreError::Invalid(format!(
        "the name of a service is a part of a path in Vault, of at most 255 bytes without / and white space: {}",
        printable(name)
    )))
}

fn check_key(name: &str) -> Result<(), StoreError> {
    match name.len() {
        0 => Err(StoreError::Invalid("the name of a token is empty".to_owned())),
        1..=255 => Ok(()),
        length => Err(StoreError::Invalid(format!("the name of a token has {length} bytes; at most 255 are possible"))),
    }
}
