//! Vault as a login and questions: the same for secrets and for Transit.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::config::{VaultConfig, VaultConfigError};
use super::login::Login;
use crate::StoreError;
use crate::config::causes;
use crate::store::api::{Answer, Api, Question, Reach, Vendor, body};
use crate::store::session::{Session, Sessions};

/// A login whose token may not even ask what it may do (it lacks the policy `default`) is not replaced for so long, as the
/// next one would be the same.
const BLIND: Duration = Duration::from_secs(30);

/// The address, the way there, and the one login.
pub(super) struct Client {
    pub config: VaultConfig,
    pub api: Arc<Api>,
    pub sessions: Sessions<Login>,
    /// Since when the login cannot ask what it may do.
    blind: Mutex<Option<Instant>>,
}

/// `{"errors": ["…"]}`: the texts tell what is wrong, quote what was sent, and go no further than here.
#[derive(Deserialize)]
pub(super) struct Refusal {
    #[serde(default)]
    errors: Vec<String>,
}

impl Refusal {
    pub(super) fn is_silent(&self) -> bool {
        self.errors.is_empty()
    }

    pub(super) fn says(&self, words: &str) -> bool {
        self.errors.iter().any(|error| error.contains(words))
    }
}

#[derive(Serialize)]
struct Paths<'p> {
    paths: [&'p str; 1],
}

/// The answer of `POST /v1/sys/capabilities-self`.
#[derive(Deserialize)]
struct Capabilities<'a> {
    #[serde(borrow)]
    data: BTreeMap<Cow<'a, str>, &'a RawValue>,
}

/// The rights of a session at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// It may read, as it were.
    Read,
    /// It may not, whatever else it may.
    NotRead,
    /// The token is none any more, or may not ask.
    Rejected,
}

impl Client {
    pub(super) fn new(config: VaultConfig) -> Result<Self, VaultConfigError> {
        let mut headers = HeaderMap::new();
        // What a request of a browser does not have: the agent and some listeners ask for it.
        headers.insert(HeaderName::from_static("x-vault-request"), HeaderValue::from_static("true"));
        if let Some(namespace) = &config.namespace {
            let value = HeaderValue::from_str(namespace).map_err(|_| VaultConfigError::Namespace)?;
            headers.insert(HeaderName::from_static("x-vault-namespace"), value);
        }
        let reach = Reach {
            vendor: Vendor::Vault,
            base: &config.address,
            timeout: config.timeout,
            roots: &config.roots,
            headers,
        };
        let api = Arc::new(Api::new(reach).map_err(|error| VaultConfigError::HttpClient(causes(&error)))?);
        let sessions = Sessions::new(Login::new(&config), Arc::clone(&api));
        Ok(Self { config, api, sessions, blind: Mutex::default() })
    }

    /// Runs an operation for a bounded time.
    pub(super) async fn bounded<T, F>(&self, operation: impl FnOnce(Instant) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let deadline = Instant::now() + self.config.timeout;
        tokio::time::timeout_at(deadline, operation(deadline)).await.unwrap_or_else(|_| Err(self.api.timed_out()))
    }

    /// Asks with the session. 403 has one text for a token that has ended and for one that may not: which of them it is,
    /// is asked, and a new login made where it is the former.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Zeroizing<Vec<u8>>>,
        deadline: Instant,
    ) -> Result<Answer, StoreError> {
        let url = self.api.url(["v1"].into_iter().chain(path.split('/')));
        let question = Question { method, url, body, deadline };
        let session = self.sessions.get(None, deadline).await?;
        let answer = self.api.send(&question, Some(&session.token)).await?;
        if answer.status != StatusCode::FORBIDDEN || !answer.is_json() {
            return Ok(answer);
        }
        if self.access(&session, path, deadline).await? != Access::Rejected {
            return Ok(answer);
        }
        match self.log_in_again(&session, path, deadline).await? {
            Some(session) => self.api.send(&question, Some(&session.token)).await,
            None => Ok(answer),
        }
    }

    /// Returns whether the current login is known not to be able to ask for its rights.
    pub(super) fn is_blind(&self) -> bool {
        self.blind.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Another session in place of the one that Vault does not take any more; `None` where another one would be the same.
    pub(super) async fn log_in_again(
        &self,
        rejected: &Arc<Session>,
        path: &str,
        deadline: Instant,
    ) -> Result<Option<Arc<Session>>, StoreError> {
        let blind = || self.blind.lock().unwrap_or_else(PoisonError::into_inner);
        if blind().is_some_and(|since| since.elapsed() < BLIND) {
            return Ok(None);
        }
        let session = self.sessions.get(Some(rejected), deadline).await?;
        let sees = self.access(&session, path, deadline).await? != Access::Rejected;
        *blind() = if sees { None } else { Some(Instant::now()) };
        Ok(Some(session))
    }

    /// Returns the rights of this session at a path.
    pub(super) async fn access(
        &self,
        session: &Arc<Session>,
        path: &str,
        deadline: Instant,
    ) -> Result<Access, StoreError> {
        let body = body(&Paths { paths: [path] })?;
        let url = self.api.url(["v1", "sys", "capabilities-self"]);
        let question = Question { method: Method::POST, url, body: Some(&body), deadline };
        let answer = self.api.send(&question, Some(&session.token)).await?;
        if answer.status == StatusCode::FORBIDDEN {
            return Ok(Access::Rejected);
        }
        if !answer.status.is_success() {
            return Err(self.api.unavailable(&format!("it answers with status {}", answer.status.as_u16())));
        }
        let Capabilities { data } = answer.json().ok_or_else(|| self.api.unexpected())?;
        let words: Vec<String> = data
            .get(path)
            .and_then(|words| serde_json::from_str(words.get()).ok())
            .ok_or_else(|| self.api.unexpected())?;
        let reads = words.iter().any(|word| matches!(&**word, "read" | "root"));
        Ok(if reads { Access::Read } else { Access::NotRead })
    }

    /// Returns the error for an answer that is no success.
    pub(super) fn failure(&self, answer: &Answer, path: &str) -> StoreError {
        let Some(refusal) = answer.json::<Refusal>() else { return self.api.unexpected() };
        match answer.status {
            StatusCode::FORBIDDEN => self
                .api
                .denied(&format!("the policies of the login ({}) do not let it use {path}", self.config.login_mount)),
            StatusCode::NOT_FOUND if refusal.says("namespace not found") => {
                let namespace = self.config.namespace.as_deref().unwrap_or_default();
                StoreError::NotSetUp(format!("Vault has no namespace {namespace} ({})", self.api.place()))
            }
            StatusCode::NOT_FOUND => {
                StoreError::NotSetUp(format!("Vault has nothing mounted for {path} ({})", self.api.place()))
            }
            status => self.api.unavailable(&format!("it answers with status {}", status.as_u16())),
        }
    }
}
