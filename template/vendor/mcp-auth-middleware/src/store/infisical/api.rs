//! One request to Infisical and its answer, bounded in time and size.
//!
//! What comes back is an answer of Infisical itself: too many requests, redirects, failures of the server and of the
//! network are told apart here. Its error texts are never passed on, as they quote what was sent. Bodies are wiped after
//! use; what the HTTP client has in its own buffers is not.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::config::{InfisicalConfig, InfisicalConfigError};
use crate::StoreError;
use crate::config::causes;

/// A secret has 64 KiB at most, a list about 1 KiB for each secret.
const MAXIMUM_ANSWER: usize = 1024 * 1024;
/// Enough for an ordinary answer, so that its buffer does not move and leave copies behind.
const USUAL_ANSWER: usize = 16 * 1024;
/// Infisical counts requests by the minute, so a longer pause is somebody else's idea.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

pub(super) struct Api {
    client: reqwest::Client,
    base: Url,
    place: String,
    /// Until when Infisical wants to be left alone.
    pause: Mutex<Option<Instant>>,
}

/// What is asked, and until when an answer is worth anything.
pub(super) struct Question<'q> {
    pub method: Method,
    pub url: Url,
    pub body: Option<&'q Zeroizing<Vec<u8>>>,
    pub deadline: Instant,
}

/// Status and body of an answer that is neither of the server's failures.
pub(super) struct Answer {
    pub status: StatusCode,
    body: Zeroizing<Vec<u8>>,
}

impl Answer {
    /// The body as JSON of this shape.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }
}

impl Api {
    pub(super) fn new(config: &InfisicalConfig) -> Result<Self, InfisicalConfigError> {
        let mut builder = reqwest::Client::builder()
            // A secret is for the server that was configured, and for no other one that it names.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(config.timeout.min(Duration::from_secs(3)))
            .timeout(config.timeout)
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")));
        if config.base.scheme() == "http" {
            // Without TLS a proxy would read the client secret, and loopback is not reached through one.
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| InfisicalConfigError::HttpClient(causes(&error)))?;
        Ok(Self { client, base: config.base.clone(), place: config.place(), pause: Mutex::default() })
    }

    /// The address of these segments, which are encoded.
    pub(super) fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().extend(segments);
        }
        url
    }

    pub(super) fn unavailable(&self, what: &str) -> StoreError {
        StoreError::Unavailable(format!("{what} ({})", self.place))
    }

    pub(super) fn denied(&self, what: &str) -> StoreError {
        StoreError::Denied(format!("{what} ({})", self.place))
    }

    pub(super) fn unexpected(&self) -> StoreError {
        self.unavailable("it answers with something else than the JSON of Infisical; check its address")
    }

    /// Asks, and asks again after the pause that Infisical wants where that is over before the deadline.
    pub(super) async fn send(
        &self,
        question: &Question<'_>,
        token: Option<&SecretString>,
    ) -> Result<Answer, StoreError> {
        loop {
            if let Some(until) = self.pause_until() {
                if until >= question.deadline {
                    let seconds = until.duration_since(Instant::now()).as_secs() + 1;
                    return Err(self.unavailable(&format!("too many requests, Infisical wants a pause of {seconds} s")));
                }
                tokio::time::sleep_until(until).await;
            }
            let (status, headers, body) = self.exchange(question, token).await?;
            return match status {
                StatusCode::TOO_MANY_REQUESTS => {
                    let Some(pause) = retry_after(&headers) else {
                        return Err(self.unavailable("too many requests"));
                    };
                    *self.lock() = Some(Instant::now() + pause);
                    continue;
                }
                status if status.is_redirection() => Err(self.unavailable(&format!(
                    "it answers with a redirect, which is not followed (status {})",
                    status.as_u16()
                ))),
                status if status.is_server_error() => {
                    Err(self.unavailable(&format!("it answers with status {}", status.as_u16())))
                }
                status => Ok(Answer { status, body }),
            };
        }
    }

    async fn exchange(
        &self,
        question: &Question<'_>,
        token: Option<&SecretString>,
    ) -> Result<(StatusCode, HeaderMap, Zeroizing<Vec<u8>>), StoreError> {
        let describe = |error| self.unavailable(describe(&error));
        let mut request = self.client.request(question.method.clone(), question.url.clone());
        if let Some(token) = token {
            let value = Zeroizing::new(format!("Bearer {}", token.expose_secret()));
            let mut value = HeaderValue::from_str(&value).map_err(|_| self.unexpected())?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        if let Some(body) = question.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_vec());
        }
        let answer = request.send().await.map_err(describe)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut body = Zeroizing::new(Vec::with_capacity(USUAL_ANSWER));
        let mut chunks = answer.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(describe)?;
            if body.len() + chunk.len() > MAXIMUM_ANSWER {
                return Err(self.unavailable(&format!("its answer is larger than {MAXIMUM_ANSWER} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((status, headers, body))
    }

    fn pause_until(&self) -> Option<Instant> {
        self.lock().filter(|until| *until > Instant::now())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        // One value that is replaced as a whole.
        self.pause.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pause of a 429 in whole seconds, at least one; `None` for a date, which Infisical does not send (RFC 9110
/// §10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).clamp(Duration::from_secs(1), LONGEST_PAUSE))
}

/// reqwest's own text holds the URL with project and names; the kind of failure is what helps.
fn describe(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "Infisical did not answer in time"
    } else if error.is_connect() {
        "cannot connect to Infisical"
    } else {
        "the connection to Infisical failed"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_whole_seconds() {
        let pause = |value: &'static str| {
            retry_after(&HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(value))])).map(|d| d.as_secs())
        };
        assert_eq!([pause("7"), pause(" 7 "), pause("0"), pause("86400")], [Some(7), Some(7), Some(1), Some(60)]);
        for none in ["", "-1", "1.5", "soon", "Wed, 21 Oct 2026 07:28:00 GMT", "99999999999999999999"] {
            assert_eq!(pause(none), None, "{none}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
