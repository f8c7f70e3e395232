//! The Coda API: what the tools need of it, and nothing of MCP.
//!
//! Reads only. Answers are passed on as they come, apart from the few members that are needed here: the API adds
//! members at will, and its published examples do not always follow its own schema.
//! Source: <https://coda.io/developers/apis/v1> (also served as Superhuman Docs).

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mcp_auth_middleware::{ServiceToken, User};
use mcp_server_runtime::answers::{self, Held, Memory, ReadError};
use mcp_server_runtime::pace::{Pace, TooLate, Turn, retry_after, retry_delay};
use mcp_server_runtime::{Hangup, Metrics, Probe, Settings, StartError, UpstreamSpan, text};
use reqwest::{StatusCode, Url, header};
use serde_json::{Map, Value};
use tokio::time::{Instant, timeout_at};

/// Name of the server's own token, in the environment and in every token store.
pub const TOKEN: &str = "CODA_API_TOKEN";

/// An object of the API.
pub type Object = Map<String, Value>;

/// All that one call may take, waiting, retries and further pages included.
const DEADLINE: Duration = Duration::from_secs(45);
/// One attempt.
const ATTEMPT: Duration = Duration::from_secs(20);
/// Attempts at the most.
const ATTEMPTS: u32 = 4;
/// What is read from Coda for one call, all its pages together: JSON takes some ten times its size in memory until it is
/// answered, and a container has 128 MiB.
const MAXIMUM_ANSWER: usize = 2 * 1024 * 1024;
/// What is read of an error.
const MAXIMUM_ERROR: usize = 64 * 1024;
const NOT_IN_TIME: &str = "it did not answer in time";
const NOT_EXPECTED: CodaError = CodaError::BadAnswer(Cow::Borrowed("it is not the expected JSON"));
/// The API gives at most this many items a page (rows: 500, but 200 keeps answers small).
const PAGE: usize = 100;
/// Pages that one call fetches at the most, however many items are wanted.
const PAGES: usize = 20;

/// Why the API did not give what was asked for, in words that the caller (a model) can act upon.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodaError {
    /// An argument that cannot be part of an address.
    #[error(
        "{0} is not a valid id or name: it must not be empty, \".\", \"..\", longer than 1000 characters or hold control characters"
    )]
    BadId(&'static str),
    /// 401.
    #[error(
        "Coda refused the server's API token (401). This is a matter for the operator of this server, not for you: the token must be replaced"
    )]
    Unauthorized,
    /// 403.
    #[error("The server's Coda account may not see this (403). Ask the owner to share the document with it{0}")]
    Forbidden(Detail),
    /// 404.
    #[error("Coda has nothing under this id or name (404). Get valid ones from list_docs or list_tables{0}")]
    NotFound(Detail),
    /// 400 and the like.
    #[error("Coda refused the request ({0}){1}")]
    Refused(u16, Detail),
    /// 429 beyond the deadline.
    #[error("Coda's rate limit is used up (429). Try again in {0} seconds")]
    RateLimited(u64),
    /// The server has as many calls waiting as Coda's rate limit lets through before the deadline.
    #[error("Coda's rate limit is used up by calls that wait already in this server. Try again in {0} seconds")]
    Queued(u64),
    /// The answers of other calls take all the memory that there is for answers.
    #[error("The server is busy with large answers for others. Try again in a few seconds, or ask for fewer items")]
    Busy,
    /// The caller is gone, so nothing was asked.
    #[error("the caller is gone")]
    Gone,
    /// 5xx after all attempts.
    #[error("Coda is failing at the moment ({0}). Try again in a minute")]
    Failing(u16),
    /// No answer.
    #[error("Coda could not be reached: {0}. Try again in a minute")]
    Unreachable(&'static str),
    /// Whoever answers in Coda's place has a certificate that does not count here.
    #[error(
        "Coda's certificate is not trusted. This is a matter for the operator of this server, not for you: the log says what is wrong with it"
    )]
    Untrusted,
    /// An answer that cannot be understood.
    #[error("Coda's answer cannot be read: {0}. Try again; if it persists, tell the operator of this server")]
    BadAnswer(Cow<'static, str>),
    /// An answer that is too large.
    #[error("Coda's answer is larger than 2 MiB. Ask for fewer items with limit")]
    TooLarge,
}

/// What Coda itself says about a refusal, where it says anything.
#[derive(Debug, Default)]
pub struct Detail(Option<String>);

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(text) => write!(f, ". Coda says: {text}"),
            None => Ok(()),
        }
    }
}

/// A part of a list.
#[derive(Debug)]
pub struct Page {
    /// The items, as the API gave them.
    pub items: Vec<Object>,
    /// Where to go on, if there is more.
    pub next_page_token: Option<String>,
    /// To be kept until the items are answered.
    pub held: Held,
}

/// What came back.
struct Answer {
    object: Object,
    /// Its size.
    bytes: usize,
    held: Held,
}

/// Which part of a list is wanted.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// How many items at the most.
    pub limit: usize,
    /// Where to start: the token of an earlier part.
    pub page_token: Option<String>,
}

/// A client of the API. Clones share connections and the rate limits.
#[derive(Clone)]
pub struct Coda(Arc<Inner>);

struct Inner {
    client: reqwest::Client,
    base: Url,
    deadline: Duration,
    /// 100 reads in 6 seconds (API reference, "Rate limiting").
    reads: Pace,
    /// 4 listings of documents in 6 seconds.
    doc_lists: Pace,
    /// For Coda's answers.
    memory: Memory,
}

impl fmt::Debug for Coda {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coda").field("base", &self.0.base.as_str()).finish_non_exhaustive()
    }
}

impl Coda {
    /// A client for the configured address. Nothing is asked yet.
    ///
    /// # Errors
    /// Where the HTTP client cannot be built (no usable TLS roots, for example).
    pub fn new(settings: &Settings) -> Result<Self, StartError> {
        let limits = settings.limits();
        let held = (limits.memory / 32).max(MAXIMUM_ANSWER);
        // Below the server's own limit for a request, so that what has arrived by then is answered.
        let deadline = DEADLINE.min(limits.request_timeout.mul_f32(0.75));
        Ok(Self::at(settings.url("CODA_API_BASE")?.clone(), held, deadline)?)
    }

    fn at(base: Url, held: usize, deadline: Duration) -> Result<Self, reqwest::Error> {
        let client = answers::client()
            .timeout(ATTEMPT)
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .build()?;
        let window = Duration::from_secs(6);
        Ok(Self(Arc::new(Inner {
            client,
            base,
            deadline,
            reads: Pace::new(100, window),
            doc_lists: Pace::new(4, window),
            memory: Memory::new(held),
        })))
    }

    /// A call on behalf of this caller, with the server's own token. Its time runs from now on.
    #[must_use]
    pub fn call(&self, caller: &User, token: ServiceToken) -> Call<'_> {
        self.call_until(DEADLINE, &format!("{} {}", caller.kind.as_str(), caller.email), token)
    }

    /// Whether Coda takes the server's token, for readiness and the command `doctor`.
    #[must_use]
    pub fn probe(&self) -> Probe {
        let coda = self.clone();
        Probe::with_token("Coda", TOKEN, move |token| {
            let coda = coda.clone();
            async move { coda.call_until(Duration::from_secs(8), "probe", token).object(&["whoami"], &[]).await.map(drop) }
        })
    }

    fn call_until(&self, time: Duration, caller: &str, token: ServiceToken) -> Call<'_> {
        let (caller, deadline) = (caller.into(), Instant::now() + time.min(self.0.deadline));
        Call { coda: &self.0, caller, token, deadline, hangup: None, metrics: None }
    }
}

/// Whatever is asked of the API for one request.
pub struct Call<'a> {
    coda: &'a Inner,
    /// Callers share the rate limits fairly.
    caller: Arc<str>,
    token: ServiceToken,
    deadline: Instant,
    hangup: Option<Hangup>,
    metrics: Option<Arc<Metrics>>,
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("caller", &self.caller).finish_non_exhaustive()
    }
}

impl Call<'_> {
    /// Waits for the rate limits only as long as the client is there.
    #[must_use]
    pub fn until(mut self, hangup: Option<Hangup>) -> Self {
        self.hangup = hangup;
        self
    }

    /// Failures are counted here.
    #[must_use]
    pub fn counted(mut self, metrics: Option<Arc<Metrics>>) -> Self {
        self.metrics = metrics;
        self
    }

{%- comment %} region: client {% endcomment %}
    /// One object: `GET /{segments}`.
    ///
    /// # Errors
    /// [`CodaError`].
    pub async fn object(&self, segments: &[&str], query: &[(&str, String)]) -> Result<Object, CodaError> {
        let url = self.coda.url(segments, query);
        self.get(url, segments == ["docs"], MAXIMUM_ANSWER).await.map(|answer| answer.object)
    }
{%- comment %} end: client {% endcomment %}

    /// A list: as many pages of `GET /{segments}` as are needed for the wanted number of items, never more items than
    /// that, and the token to go on with where there is more. Where time or memory are used up, or Coda fails, after
    /// some pages, it is these pages and the token.
    ///
    /// # Errors
    /// [`CodaError`] of the first page, and of a later one where another attempt would not help.
    pub async fn list(&self, segments: &[&str], query: &[(&str, String)], wanted: Wanted) -> Result<Page, CodaError> {
        let mut page = Page { items: Vec::new(), next_page_token: wanted.page_token, held: Held::default() };
        let mut bytes = MAXIMUM_ANSWER;
        for _ in 0..PAGES {
            let missing = wanted.limit.saturating_sub(page.items.len());
            let mut query = query.to_vec();
            query.push(("limit", missing.min(PAGE).to_string()));
            query.extend(page.next_page_token.clone().map(|t| ("pageToken", t)));
            let url = self.coda.url(segments, &query);
            let Answer { mut object, bytes: read, held } = match self.get(url, segments == ["docs"], bytes).await {
                Ok(answer) => answer,
                Err(error) if page.items.is_empty() || !error.may_pass() => return Err(error),
                Err(error) => {
                    tracing::debug!("List ends after {} items: {}", page.items.len(), error.kind());
                    return Ok(page);
                }
            };
            bytes = bytes.saturating_sub(read);
            page.held.merge(held);
            let Some(Value::Array(items)) = object.remove("items") else {
                return Err(self.failed(NOT_EXPECTED, "no items"));
            };
            if items.len() > missing {
                tracing::warn!("Coda gave {} items where {missing} were asked for; the rest is dropped", items.len());
            }
            for item in items.into_iter().take(missing) {
                let Value::Object(item) = item else {
                    return Err(self.failed(NOT_EXPECTED, "an item that is no object"));
                };
                page.items.push(item);
            }
            let next = match object.remove("nextPageToken") {
                Some(Value::String(next)) => Some(next).filter(|next| !next.is_empty()),
                Some(Value::Number(next)) => Some(next.to_string()),
                _ => None,
            };
            // A token that leads to itself would never end.
            let stuck = next.is_some() && next == page.next_page_token;
            page.next_page_token = if stuck { None } else { next };
            if page.next_page_token.is_none() || page.items.len() >= wanted.limit {
                break;
            }
        }
        Ok(page)
    }

    /// The object at this address, from an answer of at most so many bytes.
    async fn get(&self, url: Url, lists_docs: bool, most: usize) -> Result<Answer, CodaError> {
        let mut attempt = 1;
        loop {
            self.turn(lists_docs).await.map_err(|error| self.failed(error, ""))?;
            let answered = timeout_at(self.deadline, self.attempt(url.clone(), most)).await;
            let (error, retry_after, cause) = match answered {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(Failed::Final(error, cause))) => return Err(self.failed(error, &cause)),
                Ok(Err(Failed::Passing(error, retry_after, cause))) => (error, retry_after, cause),
                Err(_) => return Err(self.failed(CodaError::Unreachable(NOT_IN_TIME), NOT_IN_TIME)),
            };
            let delay = retry_delay(attempt, retry_after);
            if attempt == ATTEMPTS || delay >= self.deadline.saturating_duration_since(Instant::now()) {
                return Err(self.failed(error, &cause));
            }
            tracing::debug!(
                "Coda call failed, attempt {attempt} of {ATTEMPTS}, next in {} ms: {}",
                delay.as_millis(),
                error.kind()
            );
            tokio::time::sleep(delay).await;
            attempt += 1;
        }
    }

    /// Counts a failed call, and tells the operator of it where it is the operator's matter. By its kind: what Coda says
    /// of it may repeat what the caller has sent.
    fn failed(&self, error: CodaError, cause: &str) -> CodaError {
        let kind = error.kind();
        if let Some(metrics) = &self.metrics {
            metrics.upstream_failed(kind);
        }
        if error.is_for_the_operator() {
            let status = error.status().map(|status| format!(" {status}")).unwrap_or_default();
            let cause = if cause.is_empty() { String::new() } else { format!(": {cause}") };
            tracing::warn!("Coda call failed: {kind}{status}{cause}");
        }
        error
    }

    /// Waits until the rate limits let a call out, and counts it.
    async fn turn(&self, lists_docs: bool) -> Result<(), CodaError> {
        let Inner { reads, doc_lists, .. } = self.coda;
        let turns = async {
            // Both are taken when both have come: neither counts a call ahead of its time.
            let listing = match lists_docs {
                true => Some(doc_lists.turn(&self.caller, self.deadline).await?),
                false => None,
            };
            let reading = reads.turn(&self.caller, self.deadline).await?;
            listing.into_iter().chain([reading]).for_each(Turn::take);
            Ok::<_, TooLate>(())
        };
        let gone = async {
            match &self.hangup {
                Some(hangup) => hangup.clone().wait().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            turn = turns => turn.map_err(|TooLate(wait)| CodaError::Queued(wait.as_secs() + 1)),
            () = gone => Err(CodaError::Gone),
        }
    }

    async fn attempt(&self, url: Url, most: usize) -> Result<Answer, Failed> {
        let mut span = UpstreamSpan::start("Coda", "GET", &url);
        let request = self.coda.client.get(url).bearer_auth(self.token.expose()).headers(span.headers());
        // Without the latter a server, or a proxy before it, may compress (RFC 9110 §12.5.3).
        let request = request.header(header::ACCEPT, "application/json").header(header::ACCEPT_ENCODING, "identity");
        let answer = request.send().await.map_err(Failed::transport)?;
        let status = answer.status();
        span.answered(status.as_u16());
        let retry_after = answer.headers().get(header::RETRY_AFTER).and_then(|v| retry_after(v.to_str().ok()?));
        match status {
            StatusCode::TOO_MANY_REQUESTS => {
                let seconds = retry_after.unwrap_or(Duration::from_secs(6)).as_secs();
                return Err(Failed::Passing(CodaError::RateLimited(seconds), retry_after, String::new()));
            }
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
                return Err(Failed::Passing(CodaError::Failing(status.as_u16()), retry_after, String::new()));
            }
            _ => {}
        }
        // Errors are short: what is longer tells nobody more.
        let most = if status.is_success() { most } else { most.min(MAXIMUM_ERROR) };
        let (body, held) = match self.coda.memory.read(answer, most).await {
            Ok(read) => read,
            Err(ReadError::TooLarge(_) | ReadError::Coded(_)) if !status.is_success() => Default::default(),
            Err(ReadError::TooLarge(_)) => return Err(CodaError::TooLarge.into()),
            Err(ReadError::Broken(error)) => return Err(Failed::transport(error)),
            Err(coded @ ReadError::Coded(_)) => {
                return Err(Failed::Final(CodaError::BadAnswer(coded.to_string().into()), coded.to_string()));
            }
            Err(_) => return Err(CodaError::Busy.into()),
        };
        if status.is_success() {
            // The place in the answer, not the text there.
            let bad = |error: serde_json::Error| {
                let cause = format!("line {} column {}", error.line(), error.column());
                Failed::Final(CodaError::BadAnswer(text::problem(&error).into()), cause)
            };
            let object = text::parse(&body).map_err(bad)?;
            return Ok(Answer { object, bytes: body.len(), held });
        }
        let detail = Detail::of(&body);
        let error = match status {
            StatusCode::UNAUTHORIZED => CodaError::Unauthorized,
            StatusCode::FORBIDDEN => CodaError::Forbidden(detail),
            StatusCode::NOT_FOUND | StatusCode::GONE => CodaError::NotFound(detail),
            _ if status.is_redirection() => CodaError::BadAnswer("it is a redirect, which is not followed".into()),
            _ if status.is_server_error() => CodaError::Failing(status.as_u16()),
            _ => CodaError::Refused(status.as_u16(), detail),
        };
        Err(error.into())
    }
}

impl Inner {
    /// The address of a resource. Segments are ids and names from outside: each is one segment, percent-encoded, and
    /// none can leave its place.
    fn url(&self, segments: &[&str], query: &[(&str, String)]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        for (name, value) in query {
            url.query_pairs_mut().append_pair(name, value);
        }
        url
    }
}

impl CodaError {
    /// The kind, for log lines and counters: one of a few words, without anything of the request or the answer.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::BadId(_) => "bad_id",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden(_) => "forbidden",
            Self::NotFound(_) => "not_found",
            Self::Refused(..) => "refused",
            Self::RateLimited(_) => "rate_limited",
            Self::Queued(_) => "queued",
            Self::Busy => "busy",
            Self::Gone => "gone",
            Self::Failing(_) => "failing",
            Self::Unreachable(_) => "unreachable",
            Self::Untrusted => "certificate",
            Self::BadAnswer(_) => "bad_answer",
            Self::TooLarge => "too_large",
        }
    }

    /// The status that Coda answered with, where it is told apart by nothing else.
    const fn status(&self) -> Option<u16> {
        match self {
            Self::Unauthorized => Some(401),
            Self::RateLimited(_) => Some(429),
            Self::Failing(status) => Some(*status),
            _ => None,
        }
    }

    /// Whether it is for the operator to act upon, or to know at least; everything else is for the caller.
    const fn is_for_the_operator(&self) -> bool {
        matches!(
            self,
            Self::Unauthorized
                | Self::RateLimited(_)
                | Self::Failing(_)
                | Self::Unreachable(_)
                | Self::Untrusted
                | Self::BadAnswer(_)
                | Self::TooLarge
        )
    }

    /// The same call may well succeed later, or for fewer items.
    fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::RateLimited(_)
                | Self::Queued(_)
                | Self::Busy
                | Self::Failing(_)
                | Self::Unreachable(_)
                | Self::TooLarge
        )
    }
}

/// An id or a name that may stand in an address. `.` and `..` would be resolved away, control characters are never
/// part of one, and anything else is percent-encoded.
///
/// # Errors
/// [`CodaError::BadId`] naming the argument.
pub fn checked_id<'a>(argument: &'static str, id: &'a str) -> Result<&'a str, CodaError> {
    let bad = id.trim().is_empty() || matches!(id, "." | "..") || id.len() > 1000 || id.chars().any(char::is_control);
    if bad { Err(CodaError::BadId(argument)) } else { Ok(id) }
}

/// Why an attempt failed, with what the operator may want to know of it: nothing of the request or the answer.
enum Failed {
    /// Worth another attempt, after the given time where the API names one.
    Passing(CodaError, Option<Duration>, String),
    Final(CodaError, String),
}

impl From<CodaError> for Failed {
    fn from(error: CodaError) -> Self {
        Self::Final(error, String::new())
    }
}

impl Failed {
    /// reqwest's own text may hold the address with its query; the kind is what helps, and the first cause of all.
    fn transport(error: reqwest::Error) -> Self {
        let cause = text::first_cause(&error);
        // rustls: "invalid peer certificate: UnknownIssuer".
        if cause.contains("certificate") {
            let hint = "behind a proxy that opens TLS, SSL_CERT_FILE names its authority";
            return Self::Final(CodaError::Untrusted, format!("{cause} ({hint})"));
        }
        let kind = if error.is_timeout() {
            NOT_IN_TIME
        } else if error.is_connect() {
            "no connection"
        } else {
            "the connection broke"
        };
        Self::Passing(CodaError::Unreachable(kind), None, format!("{kind}: {cause}"))
    }
}

impl Detail {
    /// The API's errors are `{"statusCode", "statusMessage", "message"}`.
    fn of(body: &[u8]) -> Self {
        let object = text::parse(body).ok();
        let message = object.as_ref().and_then(|o| o.get("message")).and_then(Value::as_str);
        Self(message.map(|m| m.chars().filter(|c| !c.is_control()).take(300).collect()))
    }
}
