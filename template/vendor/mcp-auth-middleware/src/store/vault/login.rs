//! The login: a token as it is, AppRole, Kubernetes, JWT; and the renewal of what they give.

use std::time::Duration;

use http::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::config::{VaultConfig, VaultLogin};
use crate::StoreError;
use crate::store::SecretSource;
use crate::store::api::{Answer, Api, Question, body, is_sendable};
use crate::store::session::{Granted, LogsIn, Session};

/// Who logs in, and where.
pub(super) struct Login {
    method: VaultLogin,
    mount: String,
}

/// The members of `POST /v1/auth/MOUNT/login` that each method takes.
#[derive(Serialize)]
#[serde(untagged)]
enum Body<'b> {
    AppRole { role_id: &'b str, secret_id: &'b str },
    Jwt { role: &'b str, jwt: &'b str },
}

/// The answer to a login, or to a renewal.
#[derive(Deserialize)]
struct LoggedIn {
    auth: Auth,
}

#[derive(Deserialize)]
struct Auth {
    #[serde(deserialize_with = "crate::store::api::secret")]
    client_token: SecretString,
    /// Seconds; see [`lifetime`].
    lease_duration: u64,
    renewable: bool,
}

impl Auth {
    fn granted(self) -> Granted {
        let lifetime = lifetime(self.lease_duration, self.renewable);
        Granted { token: self.client_token, lifetime, renewable: self.renewable }
    }
}

/// `GET /v1/auth/token/lookup-self`.
#[derive(Deserialize)]
struct LookedUp {
    data: TokenData,
}

#[derive(Deserialize)]
struct TokenData {
    ttl: u64,
    #[serde(default)]
    renewable: bool,
}

impl Login {
    pub(super) fn new(config: &VaultConfig) -> Self {
        Self { method: config.login.clone(), mount: config.login_mount.clone() }
    }

    /// Returns the hint for a refused login.
    const fn what_to_check(&self) -> &'static str {
        match self.method {
            VaultLogin::Token(_) => "that the token is the right one, has not ended, and has the policy `default`",
            VaultLogin::AppRole { .. } => {
                "role id and secret id, whether the secret id has ended, and the addresses that the role is bound to"
            }
            VaultLogin::Kubernetes { .. } => {
                "the role, and which service accounts, namespaces and audience it is bound to"
            }
            VaultLogin::Jwt { .. } => "the role, and which issuer, subject, audiences and claims it is bound to",
        }
    }

    /// A token that is there already: whether it is good, and for how long.
    async fn look_up(&self, api: &Api, source: &SecretSource, deadline: Instant) -> Result<Granted, StoreError> {
        let token = read(api, source).await?;
        if !is_sendable(&token) {
            return Err(api.denied("the token to log in with holds a character that cannot be sent in a header"));
        }
        let url = api.url(["v1", "auth", "token", "lookup-self"]);
        let question = Question { method: Method::GET, url, body: None, deadline };
        let answer = api.send(&question, Some(&token)).await?;
        let LookedUp { data } = self.understand(api, &answer)?;
        let lifetime = lifetime(data.ttl, data.renewable);
        Ok(Granted { token, lifetime, renewable: data.renewable })
    }

    fn understand<'a, T: Deserialize<'a>>(&self, api: &Api, answer: &'a Answer) -> Result<T, StoreError> {
        match answer.status {
            status if status.is_success() => answer.json().ok_or_else(|| api.unexpected()),
            status if status.is_client_error() && !answer.is_json() => Err(api.unexpected()),
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(api.denied(&format!("Vault refuses the login ({}): check {}", self.mount, self.what_to_check())))
            }
            StatusCode::NOT_FOUND => Err(StoreError::NotSetUp(format!(
                "Vault has no login method at auth/{}, or no such namespace ({})",
                self.mount,
                api.place()
            ))),
            status => Err(api.unavailable(&format!("it answers to the login with status {}", status.as_u16()))),
        }
    }

    async fn log_in(&self, api: &Api, login: &Body<'_>, deadline: Instant) -> Result<Granted, StoreError> {
        let body = body(login)?;
        let segments = ["v1", "auth"].into_iter().chain(self.mount.split('/')).chain(["login"]);
        let question = Question { method: Method::POST, url: api.url(segments), body: Some(&body), deadline };
        let answer = api.send(&question, None).await?;
        let LoggedIn { auth } = self.understand(api, &answer)?;
        if is_sendable(&auth.client_token) { Ok(auth.granted()) } else { Err(api.unexpected()) }
    }
}

impl LogsIn for Login {
    async fn login(&self, api: &Api, deadline: Instant) -> Result<Granted, StoreError> {
        match &self.method {
            VaultLogin::Token(token) => self.look_up(api, token, deadline).await,
            VaultLogin::AppRole { role_id, secret_id } => {
                let secret_id = read(api, secret_id).await?;
                let login = Body::AppRole { role_id, secret_id: secret_id.expose_secret() };
                self.log_in(api, &login, deadline).await
            }
            VaultLogin::Kubernetes { role, token } | VaultLogin::Jwt { role, token } => {
                let jwt = read(api, &SecretSource::File(token.clone())).await?;
                self.log_in(api, &Body::Jwt { role, jwt: jwt.expose_secret() }, deadline).await
            }
        }
    }

    async fn renew(&self, api: &Api, session: &Session, deadline: Instant) -> Result<Granted, StoreError> {
        // A token in a file may be another one by now: the program that keeps it there decides.
        if let VaultLogin::Token(source @ SecretSource::File(_)) = &self.method
            && read(api, source).await?.expose_secret() != session.token.expose_secret()
        {
            return self.login(api, deadline).await;
        }
        let url = api.url(["v1", "auth", "token", "renew-self"]);
        let question = Question { method: Method::POST, url, body: None, deadline };
        let answer = api.send(&question, Some(&session.token)).await?;
        let LoggedIn { auth } = self.understand(api, &answer)?;
        Ok(auth.granted())
    }
}

/// A token without an end has 0 seconds, and so has one in its last second; the former cannot be renewed.
fn lifetime(seconds: u64, renewable: bool) -> Option<Duration> {
    (seconds > 0 || renewable).then(|| Duration::from_secs(seconds))
}

async fn read(api: &Api, source: &SecretSource) -> Result<SecretString, StoreError> {
    source.read().await.map_err(|problem| api.denied(&format!("nothing to log in with: {problem}")))
}
