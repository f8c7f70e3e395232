//! A client of an upstream API: the server's own token, retries, a deadline, and as much of an answer as there is memory for.
//!
//! It is what an API needs that has no client of its own: [`operations`](crate::operations) makes tools of it, and a tool that is
//! written by hand calls it by [`Api::send`] or [`Api::get`].

mod error;
mod request;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::http::request::Parts;
use mcp_auth_middleware::ServiceToken;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, StatusCode, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use tokio::time::{Instant, timeout_at};

pub use error::{ApiError, Detail};
use request::next_page;
pub use request::{ApiRequest, segment};

use crate::answers::{self, Held, Memory, ReadError};
use crate::pace::{Pace, TooLate, retry_after, retry_delay};
use crate::{Probe, Settings, StartError, UpstreamSpan, caller, hangup, metrics, text, token};

/// All that one call may take, waiting and retries included.
const DEADLINE: Duration = Duration::from_secs(45);
/// One attempt.
const ATTEMPT: Duration = Duration::from_secs(20);
/// Attempts at the most.
const ATTEMPTS: u32 = 4;
/// The most bytes that are read of an answer: JSON takes some ten times its size in memory until it is answered, and a container has 128 MiB.
const MAXIMUM_ANSWER: usize = 2 * 1024 * 1024;
/// The most bytes that are read of an error.
const MAXIMUM_ERROR: usize = 64 * 1024;

/// How the token travels.
#[derive(Debug, Clone)]
enum Sent {
    /// `Authorization: Bearer TOKEN`.
    Bearer,
    /// The token alone, in this header.
    Header(HeaderName),
}

/// The credentials of a service token of Cloudflare Access, for an API behind it.
#[derive(Clone)]
struct Access {
    id: HeaderValue,
    secret: SecretString,
}

/// A client of an API. Clones share connections and limits.
#[derive(Clone)]
pub struct Api {
    inner: Arc<Inner>,
    sent: Sent,
    access: Option<Access>,
    pace: Option<Arc<Pace>>,
}

struct Inner {
    name: &'static str,
    token: &'static str,
    client: reqwest::Client,
    base: Url,
    deadline: Duration,
    memory: Memory,
}

/// An answer of the API.
#[derive(Debug)]
pub struct ApiAnswer {
    /// The answer: JSON, or a text where the API says that it is none; null where there is no body.
    pub value: Value,
    /// The query of the next page, where the header `Link` names one (RFC 8288).
    pub next: Option<Map<String, Value>>,
    /// To be kept until it is answered.
    pub held: Held,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { name, token, base, .. } = &*self.inner;
        f.debug_struct("Api")
            .field("name", name)
            .field("token", token)
            .field("base", &base.as_str())
            .finish_non_exhaustive()
    }
}

impl Api {
    /// A client for the API at this address, which is called this in messages, with the token of this name. Nothing is asked
    /// yet.
    ///
    /// # Errors
    /// Where the HTTP client cannot be built (no usable TLS roots, for example).
    pub fn new(name: &'static str, token: &'static str, base: &Url, settings: &Settings) -> Result<Self, StartError> {
        let client = answers::client()
            .timeout(ATTEMPT)
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .build()?;
        let limits = settings.limits();
        // Below the server's own limit for a request, so that the reason is answered.
        let deadline = DEADLINE.min(limits.request_timeout.mul_f32(0.75));
        let memory = Memory::new((limits.memory / 32).max(MAXIMUM_ANSWER));
        let inner = Inner { name, token, client, base: base.clone(), deadline, memory };
        Ok(Self { inner: Arc::new(inner), sent: Sent::Bearer, access: None, pace: None })
    }

    /// Sends the token alone in this header, in place of `Authorization: Bearer`.
    #[must_use]
    pub fn with_token_header(mut self, header: &'static str) -> Self {
        self.sent = Sent::Header(HeaderName::from_static(header));
        self
    }

    /// Sends the credentials of a service token along (`CF-Access-Client-Id`, `CF-Access-Client-Secret`), for an API behind
    /// Cloudflare Access. Without both, none is sent.
    ///
    /// # Errors
    /// For one without the other, and for an id that cannot be sent.
    pub fn with_access(mut self, id: Option<&str>, secret: Option<SecretString>) -> Result<Self, StartError> {
        self.access = match (id.filter(|id| !id.is_empty()), secret.filter(|secret| !secret.expose_secret().is_empty()))
        {
            (Some(id), Some(secret)) => Some(Access { id: HeaderValue::from_str(id)?, secret }),
            (None, None) => None,
            _ => return Err("the id and the secret of the Access service token go together: set both, or none".into()),
        };
        Ok(self)
    }

    /// Keeps the API's rate limit from this side: at most so many calls in a window of this length, fairly between callers.
    #[must_use]
    pub fn with_pace(mut self, limit: usize, window: Duration) -> Self {
        self.pace = Some(Arc::new(Pace::new(limit, window)));
        self
    }

    /// Asks whether the API takes the server's token, by a GET of this path: for readiness, and for the command `doctor`.
    #[must_use]
    pub fn probe(&self, path: &'static str) -> Probe {
        let api = self.clone();
        Probe::with_token(self.inner.name, self.inner.token, move |token| {
            let api = api.clone();
            async move {
                let request = ApiRequest::new(Method::GET, path);
                let url = api.url(&request);
                match api.attempt(&request, url, &token).await {
                    Ok(_) => Ok(()),
                    Err(Failed::Passing(error, _) | Failed::Final(error)) => Err(error),
                }
            }
        })
    }

    /// A GET of these segments of the path, each percent-encoded.
    ///
    /// # Errors
    /// A sentence for the model.
    pub async fn get(&self, parts: &Parts, segments: &[&str], query: &[(&str, String)]) -> Result<ApiAnswer, String> {
        let mut path = String::new();
        for value in segments {
            path.push('/');
            path.push_str(&segment("the id", value).map_err(|error| error.to_string())?);
        }
        let query = query.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let request = ApiRequest { query, ..ApiRequest::new(Method::GET, &path) };
        self.send(parts, request).await.map_err(|error| error.to_string())
    }

    /// Sends a request for the caller of this one, with the server's own token: the only credential that ever goes there.
    ///
    /// # Errors
    /// [`ApiError`]; it is counted, and logged where the operator can do something about it.
    pub async fn send(&self, parts: &Parts, request: ApiRequest) -> Result<ApiAnswer, ApiError> {
        let deadline = Instant::now() + self.inner.deadline;
        let token = token(parts, self.inner.token).await.map_err(ApiError::NoToken)?;
        let answer = async {
            self.turn(parts, deadline).await?;
            self.attempts(&request, &token, deadline).await
        };
        let gone = async {
            match hangup(parts) {
                Some(hangup) => hangup.wait().await,
                None => std::future::pending().await,
            }
        };
        let result = tokio::select! {
            biased;
            answer = answer => answer,
            () = gone => Err(ApiError::Gone),
        };
        if let Err(error) = &result {
            if let Some(metrics) = metrics(parts) {
                metrics.upstream_failed(error.kind());
            }
            if error.is_for_the_operator() {
                tracing::warn!("call of {} failed: {}", self.inner.name, error.kind());
            }
        }
        result
    }

    async fn turn(&self, parts: &Parts, deadline: Instant) -> Result<(), ApiError> {
        let Some(pace) = &self.pace else { return Ok(()) };
        let user = caller(parts).map_err(ApiError::NoToken)?;
        let caller: Arc<str> = format!("{} {}", user.kind.as_str(), user.email).into();
        let too_late = |TooLate(wait): TooLate| ApiError::RateLimited(self.inner.name, wait.as_secs() + 1);
        pace.turn(&caller, deadline).await.map_err(too_late)?.take();
        Ok(())
    }

    async fn attempts(
        &self,
        request: &ApiRequest,
        token: &ServiceToken,
        deadline: Instant,
    ) -> Result<ApiAnswer, ApiError> {
        let url = self.url(request);
        let mut attempt = 1;
        loop {
            let tried = timeout_at(deadline, self.attempt(request, url.clone(), token)).await;
            let (error, wait) = match tried {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(Failed::Final(error))) => return Err(error),
                Ok(Err(Failed::Passing(error, wait))) => (error, wait),
                Err(_) => return Err(ApiError::Unreachable(self.inner.name, "it did not answer in time")),
            };
            let delay = retry_delay(attempt, wait);
            // What changes something is not sent twice: the first may have arrived.
            let again = request.method == Method::GET || request.method == Method::HEAD;
            if !again || attempt == ATTEMPTS || delay >= deadline.saturating_duration_since(Instant::now()) {
                return Err(error);
            }
            tokio::time::sleep(delay).await;
            attempt += 1;
        }
    }

    async fn attempt(&self, request: &ApiRequest, url: Url, token: &ServiceToken) -> Result<ApiAnswer, Failed> {
        let name = self.inner.name;
        let mut span = UpstreamSpan::start(name, request.method.as_str(), &url);
        let builder = self.prepare(request, url, token)?.headers(span.headers());
        let answer = builder.send().await.map_err(|error| Failed::transport(name, &error))?;
        span.answered(answer.status().as_u16());
        self.read(answer).await
    }

    /// The request as it is sent, with the credentials.
    fn prepare(&self, request: &ApiRequest, url: Url, token: &ServiceToken) -> Result<RequestBuilder, ApiError> {
        let Inner { name, client, .. } = &*self.inner;
        let mut builder = client.request(request.method.clone(), url).headers(request.headers.clone());
        builder = match &self.sent {
            Sent::Bearer => builder.bearer_auth(token.expose()),
            Sent::Header(header) => {
                builder.header(header, sensitive(token.expose()).ok_or(ApiError::Unauthorized(name))?)
            }
        };
        if let Some(Access { id, secret }) = &self.access {
            let secret = sensitive(secret.expose_secret()).ok_or(ApiError::Unauthorized(name))?;
            builder = builder.header("cf-access-client-id", id).header("cf-access-client-secret", secret);
        }
        // Without it a server, or a proxy before it, may compress (RFC 9110 §12.5.3).
        builder = builder.header(ACCEPT_ENCODING, "identity");
        if !request.headers.contains_key(ACCEPT) {
            builder = builder.header(ACCEPT, "application/json");
        }
        if let Some((kind, body)) = &request.body {
            builder = builder.header(CONTENT_TYPE, *kind).body(body.clone());
        }
        Ok(builder)
    }

    /// The answer, or what its status means.
    async fn read(&self, answer: reqwest::Response) -> Result<ApiAnswer, Failed> {
        let Inner { name, memory, .. } = &*self.inner;
        let status = answer.status();
        let wait = answer.headers().get(RETRY_AFTER).and_then(|value| retry_after(value.to_str().ok()?));
        match status {
            StatusCode::TOO_MANY_REQUESTS => {
                let seconds = wait.unwrap_or(Duration::from_secs(6)).as_secs();
                return Err(Failed::Passing(ApiError::RateLimited(name, seconds), wait));
            }
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
                return Err(Failed::Passing(ApiError::Failing(name, status.as_u16()), wait));
            }
            _ => {}
        }
        let next = next_page(answer.headers());
        let is_text =
            answer.headers().get(CONTENT_TYPE).is_some_and(|kind| !kind.to_str().unwrap_or("").contains("json"));
        // Errors are short: what is longer tells nobody more.
        let most = if status.is_success() { MAXIMUM_ANSWER } else { MAXIMUM_ERROR };
        let (body, held) = match memory.read(answer, most).await {
            Ok(read) => read,
            Err(ReadError::TooLarge(_) | ReadError::Coded(_)) if !status.is_success() => Default::default(),
            Err(coded @ ReadError::Coded(_)) => return Err(ApiError::BadAnswer(name, coded.to_string().into()).into()),
            Err(ReadError::TooLarge(_)) => return Err(ApiError::TooLarge(name).into()),
            Err(ReadError::Broken(error)) => return Err(Failed::transport(name, &error)),
            Err(ReadError::Busy) => return Err(ApiError::Busy.into()),
        };
        if status.is_success() {
            let value = match body.as_slice() {
                [] => Value::Null,
                _ if is_text => String::from_utf8_lossy(&body).into_owned().into(),
                _ => {
                    text::parse_value(&body).map_err(|error| ApiError::BadAnswer(name, text::problem(&error).into()))?
                }
            };
            return Ok(ApiAnswer { value, next, held });
        }
        let detail = Detail::from_body(&body);
        let error = match status {
            StatusCode::UNAUTHORIZED => ApiError::Unauthorized(name),
            StatusCode::FORBIDDEN => ApiError::Forbidden(name, detail),
            StatusCode::NOT_FOUND | StatusCode::GONE => ApiError::NotFound(name, detail),
            _ if status.is_redirection() => ApiError::Redirect(name, status.as_u16()),
            _ if status.is_server_error() => ApiError::Failing(name, status.as_u16()),
            _ => ApiError::Refused(name, status.as_u16(), detail),
        };
        Err(error.into())
    }

    fn url(&self, request: &ApiRequest) -> Url {
        let mut url = self.inner.base.clone();
        let path = format!("{}/{}", url.path().trim_end_matches('/'), request.path.trim_start_matches('/'));
        url.set_path(&path);
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        url
    }
}

fn sensitive(secret: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(secret).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Why an attempt failed.
enum Failed {
    /// Worth another attempt, after the given time where the API names one.
    Passing(ApiError, Option<Duration>),
    Final(ApiError),
}

impl From<ApiError> for Failed {
    fn from(error: ApiError) -> Self {
        Self::Final(error)
    }
}

impl Failed {
    /// reqwest's own text may hold the address with its query; the kind is what helps, and the first cause of all is logged.
    fn transport(name: &'static str, error: &reqwest::Error) -> Self {
        let kind = if error.is_timeout() {
            "it did not answer in time"
        } else if error.is_connect() {
            "no connection"
        } else {
            "the connection broke"
        };
        tracing::debug!("call of {name}: {kind}: {}", text::first_cause(error));
        Self::Passing(ApiError::Unreachable(name, kind), None)
    }
}
