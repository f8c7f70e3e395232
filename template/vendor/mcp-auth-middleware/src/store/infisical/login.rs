//! The login of the machine identity: Universal Auth with a client secret, Kubernetes Auth or OIDC Auth with a token of
//! the platform. Each gives one access token for all requests.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use http::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::config::{Credentials, InfisicalConfig, InfisicalIdentity};
use crate::StoreError;
use crate::store::api::{Api, Question, body, is_sendable};
use crate::store::session::{Granted, LogsIn};

/// Who logs in.
pub(super) struct Login(RwLock<Credentials>);

/// The members of `POST /api/v1/auth/universal-auth/login`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Universal<'l> {
    client_id: &'l str,
    client_secret: &'l str,
}

/// The members of `POST /api/v1/auth/kubernetes-auth/login` and `POST /api/v1/auth/oidc-auth/login`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Workload<'l> {
    identity_id: &'l str,
    jwt: &'l str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoggedIn {
    #[serde(deserialize_with = "crate::store::api::secret")]
    access_token: SecretString,
    /// Seconds; 0 for a token without an end.
    expires_in: f64,
}

impl Login {
    pub(super) fn new(config: &InfisicalConfig) -> Self {
        Self(RwLock::new(config.credentials.clone()))
    }

    /// The client secret of the next login.
    pub(super) fn set_client_secret(&self, secret: SecretString) {
        if let Credentials::Universal { client_secret, .. } =
            &mut *self.0.write().unwrap_or_else(PoisonError::into_inner)
        {
            *client_secret = secret;
        }
    }
}

impl LogsIn for Login {
    async fn login(&self, api: &Api, deadline: Instant) -> Result<Granted, StoreError> {
        let credentials = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        let (method, body, check) = match &credentials {
            Credentials::Universal { client_id, client_secret } => (
                "universal-auth",
                body(&Universal { client_id, client_secret: client_secret.expose_secret() })?,
                "client id and client secret",
            ),
            Credentials::Workload { identity, identity_id, token } => {
                let token =
                    token.read().await.map_err(|problem| api.denied(&format!("no token to log in with: {problem}")))?;
                let (method, check) = match identity {
                    InfisicalIdentity::Kubernetes => (
                        "kubernetes-auth",
                        "the identity id, and which service accounts, namespaces and audience it allows",
                    ),
                    InfisicalIdentity::Oidc => {
                        ("oidc-auth", "the identity id, and which issuer, subject, audiences and claims it allows")
                    }
                };
                (method, body(&Workload { identity_id, jwt: token.expose_secret() })?, check)
            }
        };
        let url = api.url(["api", "v1", "auth", method, "login"]);
        let question = Question { method: Method::POST, url, body: Some(&body), deadline };
        let answer = api.send(&question, None).await?;
        match answer.status {
            status if status.is_success() => {
                let LoggedIn { access_token, expires_in } = answer.json().ok_or_else(|| api.unexpected())?;
                // A token that no header can hold would be refused as if it had expired.
                if !is_sendable(&access_token) {
                    return Err(api.unexpected());
                }
                let lifetime = Duration::try_from_secs_f64(expires_in).ok().filter(|time| !time.is_zero());
                Ok(Granted { token: access_token, lifetime, renewable: false })
            }
            // 400 is what it says to a client id that is no UUID.
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(api.denied(&format!(
                "Infisical refuses the login: check {check}, the trusted addresses of the machine identity, and whether \
                 it is locked out"
            ))),
            StatusCode::NOT_FOUND => Err(api.unexpected()),
            status => Err(api.unavailable(&format!("it answers to the login with status {}", status.as_u16()))),
        }
    }
}
