//! Tokens in Infisical, through its REST API: Universal Auth, and version 4 of the secrets (`/api/v4/secrets`).
//!
//! A service is a folder, a token a shared secret in it. Values go in and come out as they are: references (`${…}`) are
//! not expanded, imports and personal overrides not looked at. Encryption at rest and the audit log are Infisical's own,
//! in which the machine identity stands as the actor: who asks here is not sent.
//!
//! Source: the published API reference, and the routes and error handler of the server (Infisical/infisical,
//! `backend/src/server`). Version 3 (`/api/v3/secrets/raw`) is marked as deprecated there.

mod config;
mod login;
mod names;
mod time;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::SystemTime;

use http::{HeaderMap, Method, StatusCode};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::api::{Answer, Api, Question, Reach, Vendor, body};
use super::session::Sessions;
use crate::config::causes;
use crate::{ServiceToken, StoreError, TokenInfo};
pub use config::{InfisicalConfig, InfisicalConfigError, InfisicalIdentity};
use login::Login;

/// Tokens in Infisical. Clones share one client and one login.
///
/// Every method fails with [`StoreError::Unavailable`] where Infisical does not answer in time, cannot be reached, is
/// asked too often, or something else answers in its place, and works again by itself; with [`StoreError::Denied`] where
/// it refuses login or access, and says what to check. No error holds a value or a credential.
///
/// Infisical has one answer (404) for a secret, a folder, an environment and a project that do not exist: all of them
/// are "no such token" here.
///
/// `actor` is taken as by the other stores, and not sent: Infisical's audit log names the machine identity.
///
/// ```
/// use mcp_auth_middleware::{InfisicalConfig, InfisicalTokenStore};
///
/// fn store(client_id: &str, client_secret: String) -> Result<InfisicalTokenStore, Box<dyn std::error::Error>> {
///     let project = "7e2f1a4c-0000-4000-8000-5b6d3c2e9f10";
///     let config = InfisicalConfig::new("https://eu.infisical.com", client_id, client_secret.into(), project, "prod")?;
///     // The tokens of the service `coda` are in the folder /mcp/coda.
///     Ok(InfisicalTokenStore::new(config.with_path("/mcp")?)?)
/// }
/// # assert!(store("id", "secret".to_owned()).is_ok());
/// ```
#[derive(Clone)]
pub struct InfisicalTokenStore(Arc<Inner>);

struct Inner {
    config: InfisicalConfig,
    api: Arc<Api>,
    sessions: Sessions<Login>,
}

/// The members of a secret that count here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Secret {
    secret_key: String,
    #[serde(deserialize_with = "super::api::secret")]
    secret_value: SecretString,
    /// The identity may know of the secret but not read it, and the value is a placeholder.
    #[serde(default)]
    secret_value_hidden: bool,
}

#[derive(Deserialize)]
struct Found {
    secret: Secret,
}

/// A secret in a list, which is asked for without its value.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    secret_key: String,
    #[serde(deserialize_with = "time::moment")]
    created_at: SystemTime,
    #[serde(deserialize_with = "time::moment")]
    updated_at: SystemTime,
}

#[derive(Deserialize)]
struct List {
    secrets: Vec<Listed>,
}

/// The answer to a change: done, or left to somebody who approves it.
#[derive(Deserialize)]
struct Changed {
    secret: Option<Named>,
    approval: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    secret_key: String,
}

/// The body of a change.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Change<'c> {
    project_id: &'c str,
    environment: &'c str,
    secret_path: &'c str,
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_value: Option<&'c str>,
}

impl InfisicalTokenStore {
    /// A store that logs in when it is first used: a server starts while Infisical is down.
    ///
    /// # Errors
    /// [`InfisicalConfigError::HttpClient`] where the HTTP client cannot be built.
    pub fn new(config: InfisicalConfig) -> Result<Self, InfisicalConfigError> {
        let reach = Reach {
            vendor: Vendor::Infisical,
            base: &config.base,
            timeout: config.timeout,
            roots: &[],
            headers: HeaderMap::new(),
        };
        let api = Arc::new(Api::new(reach).map_err(|error| InfisicalConfigError::HttpClient(causes(&error)))?);
        let sessions = Sessions::new(Login::new(&config), Arc::clone(&api));
        Ok(Self(Arc::new(Inner { config, api, sessions })))
    }

    /// Sets the client secret of the next login, in all clones. The current session stays valid.
    pub fn set_client_secret(&self, secret: SecretString) {
        self.0.sessions.login.set_client_secret(secret);
    }

    /// The token of a service under `key`, if there is one. One without a value counts as none.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for names that Infisical does not take; see the type for others.
    pub async fn get_token(&self, service: &str, key: &str, _actor: &str) -> Result<Option<ServiceToken>, StoreError> {
        check_names(service, key)?;
        let Inner { config, api, .. } = &*self.0;
        self.bounded(async |deadline| {
            let mut url = api.url(["api", "v4", "secrets", key]);
            url.query_pairs_mut()
                .extend_pairs(self.place_of(&config.folder(service)))
                .extend_pairs([("type", "shared"), ("viewSecretValue", "true")])
                .extend_pairs(AS_IT_IS);
            let answer = self.ask(Method::GET, url, None, deadline).await?;
            let Some(Found { secret }) = self.understand(&answer)? else { return Ok(None) };
            if secret.secret_value_hidden {
                return Err(self.forbidden("read the values of secrets"));
            }
            if secret.secret_key != key {
                return Err(api.unavailable("it answers with another secret than it was asked for"));
            }
            let some = !secret.secret_value.expose_secret().is_empty();
            Ok(some.then(|| ServiceToken::new(secret.secret_value)))
        })
        .await
    }

    /// Stores a token of 1 byte to 64 KiB, in place of an earlier one. The folder of the service must be there.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for names and values that Infisical does not take or would change,
    /// [`StoreError::NotSetUp`] where the folder is missing, [`StoreError::Denied`] also where changes need an approval;
    /// see the type for others. After a time-out the token may be stored all the same; storing it again does no harm.
    pub async fn set_token(
        &self,
        service: &str,
        key: &str,
        value: &SecretString,
        _actor: &str,
    ) -> Result<(), StoreError> {
        check_names(service, key)?;
        names::check_value(value.expose_secret())?;
        let folder = self.0.config.folder(service);
        let change = body(&self.change(&folder, Some(value.expose_secret())))?;
        self.bounded(async |deadline| {
            let write = async |method| {
                let url = self.0.api.url(["api", "v4", "secrets", key]);
                let answer = self.ask(method, url, Some(&change), deadline).await?;
                self.changed(&answer, key)
            };
            if write(Method::PATCH).await? {
                return Ok(());
            }
            match write(Method::POST).await {
                Ok(true) => Ok(()),
                Ok(false) => Err(StoreError::NotSetUp(format!(
                    "Infisical has no folder {folder} in environment {}; create it there first",
                    self.0.config.environment
                ))),
                // Somebody else may have created it meanwhile, which is answered as any other bad request.
                Err(error @ StoreError::Invalid(_)) => {
                    if write(Method::PATCH).await? {
                        Ok(())
                    } else {
                        Err(error)
                    }
                }
                Err(error) => Err(error),
            }
        })
        .await
    }

    /// Removes a token and says whether there was one.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for names that Infisical does not take, [`StoreError::Denied`] also where changes need an
    /// approval; see the type for others.
    pub async fn delete_token(&self, service: &str, key: &str, _actor: &str) -> Result<bool, StoreError> {
        check_names(service, key)?;
        let folder = self.0.config.folder(service);
        let change = body(&self.change(&folder, None))?;
        self.bounded(async |deadline| {
            let url = self.0.api.url(["api", "v4", "secrets", key]);
            let answer = self.ask(Method::DELETE, url, Some(&change), deadline).await?;
            self.changed(&answer, key)
        })
        .await
    }

    /// Names and times of a service's tokens, in the order of the names' bytes; about 1,000 of them fit into an answer
    /// (1 MiB). No value is sent.
    ///
    /// # Errors
    /// See the type.
    pub async fn list(&self, service: &str, _actor: &str) -> Result<Vec<TokenInfo>, StoreError> {
        names::check_service(service)?;
        let Inner { config, api, .. } = &*self.0;
        self.bounded(async |deadline| {
            let mut url = api.url(["api", "v4", "secrets"]);
            url.query_pairs_mut()
                .extend_pairs(self.place_of(&config.folder(service)))
                .extend_pairs([("recursive", "false"), ("viewSecretValue", "false")])
                .extend_pairs(AS_IT_IS);
            let answer = self.ask(Method::GET, url, None, deadline).await?;
            let secrets = self.understand(&answer)?.map_or_else(Vec::new, |list: List| list.secrets);
            let mut tokens: Vec<_> = secrets
                .into_iter()
                .map(|s| TokenInfo { key: s.secret_key, created_at: s.created_at, updated_at: s.updated_at })
                .collect();
            tokens.sort_by(|one, other| one.key.cmp(&other.key));
            Ok(tokens)
        })
        .await
    }

    /// Runs an operation for a bounded time.
    async fn bounded<T, F>(&self, operation: impl FnOnce(Instant) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let deadline = Instant::now() + self.0.config.timeout;
        tokio::time::timeout_at(deadline, operation(deadline)).await.unwrap_or_else(|_| Err(self.0.api.timed_out()))
    }

    /// Asks with the session, and once more with a new one where Infisical does not take it any more: tokens can be
    /// revoked, and their number of uses limited.
    async fn ask(
        &self,
        method: Method,
        url: Url,
        body: Option<&Zeroizing<Vec<u8>>>,
        deadline: Instant,
    ) -> Result<Answer, StoreError> {
        let Inner { api, sessions, .. } = &*self.0;
        let question = Question { method, url, body, deadline };
        let session = sessions.get(None, deadline).await?;
        let answer = api.send(&question, Some(&session.token)).await?;
        if !rejects_token(&answer) {
            return Ok(answer);
        }
        let session = sessions.get(Some(&session), deadline).await?;
        api.send(&question, Some(&session.token)).await
    }

    /// Returns the object that Infisical found, or `None` where it has none.
    fn understand<T: DeserializeOwned>(&self, answer: &Answer) -> Result<Option<T>, StoreError> {
        let api = &self.0.api;
        match answer.status {
            status if status.is_success() => answer.json().map(Some).ok_or_else(|| api.unexpected()),
            StatusCode::NOT_FOUND => {
                let refusal: Refusal = answer.json().ok_or_else(|| api.unexpected())?;
                // What Fastify says to an address that does not exist, which no error of Infisical is called.
                if refusal.error.as_deref() == Some("Not Found") {
                    return Err(StoreError::NotSetUp(format!(
                        "the server has no /api/v4/secrets: its Infisical is too old, or it is none ({})",
                        self.0.api.place()
                    )));
                }
                Ok(None)
            }
            // It was refused twice, once with a fresh token.
            _ if rejects_token(answer) => Err(api.denied(
                "Infisical refuses its own access token: check the trusted addresses of the machine identity, and that \
                 it still exists",
            )),
            StatusCode::FORBIDDEN => Err(self.forbidden("do this")),
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => Err(StoreError::Invalid(format!(
                "Infisical refuses the name or the value (status {}); ${{…}} in a value is a reference to another secret",
                answer.status.as_u16()
            ))),
            status => Err(api.unavailable(&format!("it answers with status {}", status.as_u16()))),
        }
    }

    /// Returns whether a change had something to change.
    fn changed(&self, answer: &Answer, key: &str) -> Result<bool, StoreError> {
        match self.understand(answer)? {
            None => Ok(false),
            Some(Changed { approval: Some(_), .. }) => Err(self.0.api.denied(
                "changes need an approval: Infisical has made a request for it, and nothing is changed until it is granted",
            )),
            Some(Changed { secret: Some(secret), .. }) if secret.secret_key == key => Ok(true),
            Some(Changed { secret: Some(secret), .. }) if secret.secret_key == key.to_uppercase() => {
                Err(StoreError::Invalid(format!(
                    "the project capitalises names, so the token is stored as {}; use that name",
                    crate::printable::printable(&secret.secret_key)
                )))
            }
            Some(Changed { .. }) => Err(self.0.api.unexpected()),
        }
    }

    fn forbidden(&self, what: &str) -> StoreError {
        let InfisicalConfig { environment, path, .. } = &self.0.config;
        self.0.api.denied(&format!(
            "the machine identity may not {what}: check that it is a member of the project, and its role for folder \
             {path} in environment {environment}"
        ))
    }

    fn place_of<'p>(&'p self, folder: &'p str) -> [(&'static str, &'p str); 3] {
        let InfisicalConfig { project_id, environment, .. } = &self.0.config;
        [("projectId", project_id), ("environment", environment), ("secretPath", folder)]
    }

    fn change<'c>(&'c self, folder: &'c str, value: Option<&'c str>) -> Change<'c> {
        let InfisicalConfig { project_id, environment, .. } = &self.0.config;
        Change { project_id, environment, secret_path: folder, r#type: "shared", secret_value: value }
    }
}

impl fmt::Debug for InfisicalTokenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InfisicalTokenStore").field(&self.0.config).finish()
    }
}

/// The value and nothing that is made of it; said in words, as the defaults differ between versions.
const AS_IT_IS: [(&str, &str); 2] = [("expandSecretReferences", "false"), ("include_imports", "false")];

/// Infisical's error handler: `{reqId, statusCode, message, error}`.
#[derive(Deserialize)]
struct Refusal {
    error: Option<String>,
}

/// 401, or what the error handler makes of an expired or unknown token: 403 `TokenError`.
fn rejects_token(answer: &Answer) -> bool {
    let is_token_error = || answer.json().is_some_and(|r: Refusal| r.error.as_deref() == Some("TokenError"));
    answer.status == StatusCode::UNAUTHORIZED || answer.status == StatusCode::FORBIDDEN && is_token_error()
}

fn check_names(service: &str, key: &str) -> Result<(), StoreError> {
    names::check_service(service)?;
    names::check_key(key)
}
