//! The login of the machine identity (Universal Auth): one access token for all requests, renewed ahead of its end.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use http::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::api::{Api, Question};
use super::config::InfisicalConfig;
use crate::StoreError;

/// So long before its end a token is renewed, or a tenth of its time where that is less.
const MARGIN: Duration = Duration::from_secs(60);
/// Longest time of a token that is believed; a token "for ever" has 0 and gets this one as well.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// A refused login is not tried again for so long: after three of them Infisical locks the identity out for minutes.
const PAUSE: Duration = Duration::from_secs(30);

/// An access token.
pub(super) struct Session {
    pub token: SecretString,
    good_until: Instant,
}

/// The one session, and who logs in for the next.
pub(super) struct Sessions {
    client_id: String,
    client_secret: RwLock<SecretString>,
    /// Held during a login: there is one at a time, and the others wait for its result.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    session: Option<Arc<Session>>,
    refused: Option<(StoreError, Instant)>,
}

/// The members of `POST /api/v1/auth/universal-auth/login`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Login<'l> {
    client_id: &'l str,
    client_secret: &'l str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoggedIn {
    #[serde(deserialize_with = "super::secret")]
    access_token: SecretString,
    /// Seconds; 0 for a token without an end.
    expires_in: f64,
}

impl Sessions {
    pub(super) fn new(config: &InfisicalConfig) -> Self {
        let (client_id, client_secret) = (config.client_id.clone(), config.client_secret.clone());
        Self { client_id, client_secret: RwLock::new(client_secret), state: Mutex::default() }
    }

    /// The client secret of the next login.
    pub(super) fn set_client_secret(&self, secret: SecretString) {
        *self.client_secret.write().unwrap_or_else(PoisonError::into_inner) = secret;
    }

    /// The session, after a login where there is none, it is about to end, or it is the one that Infisical `rejected`.
    pub(super) async fn get(
        &self,
        api: &Api,
        rejected: Option<&Arc<Session>>,
        deadline: Instant,
    ) -> Result<Arc<Session>, StoreError> {
        let mut state = self.state.lock().await;
        let now = Instant::now();
        if let Some(session) = &state.session
            && session.good_until > now
            && !rejected.is_some_and(|rejected| Arc::ptr_eq(rejected, session))
        {
            return Ok(Arc::clone(session));
        }
        state.session = None;
        if let Some((error, since)) = &state.refused
            && since.elapsed() < PAUSE
        {
            return Err(error.clone());
        }
        match self.login(api, deadline).await {
            Ok(session) => {
                let session = Arc::new(session);
                *state = State { session: Some(Arc::clone(&session)), refused: None };
                Ok(session)
            }
            Err(error) => {
                if matches!(error, StoreError::Denied(_)) {
                    state.refused = Some((error.clone(), Instant::now()));
                }
                Err(error)
            }
        }
    }

    async fn login(&self, api: &Api, deadline: Instant) -> Result<Session, StoreError> {
        let client_secret = self.client_secret.read().unwrap_or_else(PoisonError::into_inner).clone();
        let login = Login { client_id: &self.client_id, client_secret: client_secret.expose_secret() };
        let body = super::body(&login)?;
        let question = Question {
            method: Method::POST,
            url: api.url(&["api", "v1", "auth", "universal-auth", "login"]),
            body: Some(&body),
            deadline,
        };
        // Before the answer, as the token's time runs from when it was made.
        let asked_at = Instant::now();
        let answer = api.send(&question, None).await?;
        match answer.status {
            status if status.is_success() => {
                let LoggedIn { access_token, expires_in } = answer.json().ok_or_else(|| api.unexpected())?;
                let token = access_token.expose_secret();
                // What cannot stand in a header would be refused as if it had expired.
                if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
                    return Err(api.unexpected());
                }
                Ok(Session { token: access_token, good_until: asked_at + lifetime(expires_in) })
            }
            // 400 is what it says to a client id that is no UUID.
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(api.denied(
                "Infisical refuses the login: check client id and client secret, the trusted addresses of the machine \
                 identity, and whether it is locked out",
            )),
            StatusCode::NOT_FOUND => Err(api.unexpected()),
            status => Err(api.unavailable(&format!("it answers to the login with status {}", status.as_u16()))),
        }
    }
}

/// How long a token is used that is good for so many seconds.
fn lifetime(seconds: f64) -> Duration {
    let whole = match Duration::try_from_secs_f64(seconds) {
        Ok(time) if !time.is_zero() => time.min(LONGEST),
        _ => LONGEST,
    };
    whole - MARGIN.min(whole / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_ahead_of_its_end() {
        let seconds = |given: f64| lifetime(given).as_secs_f64();
        assert_eq!(seconds(7200.0), 7140.0);
        assert_eq!(seconds(600.0), 540.0);
        assert_eq!(seconds(10.0), 9.0);
        // For ever, and other things that are no time.
        for odd in [0.0, -1.0, 1e300, 31_536_000.0, f64::NAN] {
            assert_eq!(seconds(odd), 86_340.0, "{odd}");
        }
    }
}
