//! One request to a secret manager (Infisical, Vault) and its answer, bounded in time and size.
//!
//! What comes back is an answer of that server itself: too many requests, redirects, failures of the server and of the
//! network are distinguished here. Its error texts are never passed on, as they quote what was sent. Bodies are wiped after
//! use; what the HTTP client has in its own buffers is not.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use http::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize};
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::StoreError;

/// Whose interface it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vendor {
    #[cfg(feature = "infisical")]
    Infisical,
    /// OpenBao as well, which has the same interface.
    #[cfg(feature = "vault")]
    Vault,
}

impl Vendor {
    const fn name(self) -> &'static str {
        match self {
            #[cfg(feature = "infisical")]
            Self::Infisical => "Infisical",
            #[cfg(feature = "vault")]
            Self::Vault => "Vault",
        }
    }

    /// The header that carries the access token, and what stands before it.
    const fn token_header(self) -> (HeaderName, &'static str) {
        match self {
            #[cfg(feature = "infisical")]
            Self::Infisical => (http::header::AUTHORIZATION, "Bearer "),
            #[cfg(feature = "vault")]
            Self::Vault => (HeaderName::from_static("x-vault-token"), ""),
        }
    }
}

/// Where a secret manager is, and how it is reached.
pub(super) struct Reach<'r> {
    pub vendor: Vendor,
    pub base: &'r Url,
    pub timeout: Duration,
    /// Certificates of authorities that count besides those of the system.
    pub roots: &'r [reqwest::Certificate],
    /// Headers of every request.
    pub headers: HeaderMap,
}

/// A secret has 64 KiB at most, a list about 1 KiB for each secret.
const MAXIMUM_ANSWER: usize = 1024 * 1024;
/// Enough for an ordinary answer, so that its buffer does not move and leave copies behind.
const USUAL_ANSWER: usize = 16 * 1024;
/// Requests are counted by the minute, so a longer pause is somebody else's idea.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

pub(super) struct Api {
    vendor: Vendor,
    client: reqwest::Client,
    base: Url,
    place: String,
    /// Until when the server wants to be left alone.
    pause: Mutex<Option<Instant>>,
}

/// A request, and the deadline for its answer.
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
    /// Returns whether it is JSON at all: a proxy's page is not.
    #[cfg(feature = "vault")]
    pub(super) fn is_json(&self) -> bool {
        serde_json::from_slice::<serde::de::IgnoredAny>(&self.body).is_ok()
    }

    /// The body as JSON of this shape.
    pub(super) fn json<'a, T: Deserialize<'a>>(&'a self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }
}

impl Api {
    /// # Errors
    /// Where the client cannot be built: no usable TLS roots, for example.
    pub(super) fn new(reach: Reach<'_>) -> Result<Self, reqwest::Error> {
        let Reach { vendor, base, timeout, roots, headers } = reach;
        let mut builder = reqwest::Client::builder()
            // A secret is for the server that was configured, and for no other one that it names.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(timeout.min(Duration::from_secs(3)))
            .timeout(timeout)
            .default_headers(headers)
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")));
        if base.scheme() == "http" {
            // Without TLS a proxy would read the credentials, and loopback is not reached through one.
            builder = builder.no_proxy();
        }
        if !roots.is_empty() {
            builder = builder.tls_certs_merge(roots.iter().cloned());
        }
        Ok(Self { vendor, client: builder.build()?, base: base.clone(), place: place(base), pause: Mutex::default() })
    }

    /// Host and port, for messages.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// The address of these segments, which are encoded.
    pub(super) fn url<'s>(&self, segments: impl IntoIterator<Item = &'s str>) -> Url {
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
        let name = self.vendor.name();
        self.unavailable(&format!("it answers with something else than the JSON of {name}; check its address"))
    }

    /// For a limit of time that is over.
    pub(super) fn timed_out(&self) -> StoreError {
        self.unavailable(&format!("{} did not answer in time", self.vendor.name()))
    }

    /// Asks, and asks again after the pause that the server wants where that is over before the deadline.
    pub(super) async fn send(
        &self,
        question: &Question<'_>,
        token: Option<&SecretString>,
    ) -> Result<Answer, StoreError> {
        loop {
            if let Some(until) = self.pause_until() {
                if until >= question.deadline {
                    let seconds = until.duration_since(Instant::now()).as_secs() + 1;
                    let name = self.vendor.name();
                    return Err(self.unavailable(&format!("too many requests, {name} wants a pause of {seconds} s")));
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
                #[cfg(feature = "vault")]
                StatusCode::SERVICE_UNAVAILABLE if self.vendor == Vendor::Vault && says_sealed(&body) => {
                    Err(self.unavailable("it is sealed, and has to be unsealed"))
                }
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
        let describe = |error: reqwest::Error| self.unavailable(&describe(&error, self.vendor.name()));
        let mut request = self.client.request(question.method.clone(), question.url.clone());
        if let Some(token) = token {
            let (name, before) = self.vendor.token_header();
            let value = Zeroizing::new(format!("{before}{}", token.expose_secret()));
            let mut value = HeaderValue::from_str(&value).map_err(|_| self.unexpected())?;
            value.set_sensitive(true);
            request = request.header(name, value);
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

/// The pause of a 429 in whole seconds, at least one; `None` for a date, which no secret manager sends (RFC 9110
/// §10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).clamp(Duration::from_secs(1), LONGEST_PAUSE))
}

/// Host and port.
fn place(base: &Url) -> String {
    let host = base.host_str().unwrap_or_default();
    base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// `{"errors":["Vault is sealed"]}`, also of OpenBao.
#[cfg(feature = "vault")]
fn says_sealed(body: &[u8]) -> bool {
    body.windows(6).any(|word| word == b"sealed")
}

/// reqwest's own text holds the URL with project and names; the kind of failure is what helps, and what is wrong with a
/// certificate, which no second attempt changes.
fn describe(error: &reqwest::Error, name: &str) -> String {
    if error.is_timeout() {
        format!("{name} did not answer in time")
    } else if let Some(cause) = wrong_certificate(error) {
        format!("the certificate of {name} does not count: {cause}")
    } else if error.is_connect() {
        format!("cannot connect to {name}")
    } else {
        format!("the connection to {name} failed")
    }
}

/// Returns the fault of the certificate in the words of rustls: `invalid peer certificate: UnknownIssuer`.
fn wrong_certificate(error: &reqwest::Error) -> Option<String> {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    causes.map(ToString::to_string).find_map(|text| {
        let (_, cause) = text.split_once("invalid peer certificate: ")?;
        Some(cause.to_owned())
    })
}

/// JSON that is wiped after use, in a buffer that the longest value fits into, as growing leaves copies behind.
pub(super) fn body(value: &impl Serialize) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let mut body = Zeroizing::new(Vec::with_capacity(68 * 1024));
    serde_json::to_writer(&mut *body, value).map_err(|_| StoreError::Invalid("the request is no JSON".to_owned()))?;
    Ok(body)
}

/// Returns whether a token can stand in a header.
pub(super) fn is_sendable(token: &SecretString) -> bool {
    let token = token.expose_secret();
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A secret of an answer, for `#[serde(deserialize_with)]`.
pub(super) fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    Box::<str>::deserialize(deserializer).map(SecretString::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_host_and_port() {
        for (base, expected) in [("https://us.infisical.com", "us.infisical.com"), ("http://[::1]:8080", "[::1]:8080")]
        {
            assert_eq!(Url::parse(base).ok().map(|base| place(&base)).as_deref(), Some(expected));
        }
    }

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
