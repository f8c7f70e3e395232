//! The Coda API: what the tools need of it, and nothing of MCP.
//!
//! Reads only. Answers are passed on as they come, apart from the few members that are needed here: the API adds
//! members at will, and its published examples do not always follow its own schema.
//! Source: <https://coda.io/developers/apis/v1> (also served as Superhuman Docs).

mod pace;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use mcp_auth_middleware::ServiceToken;
use reqwest::{StatusCode, Url, header};
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::config::CodaConfig;
use pace::{Pace, retry_delay};

/// An object of the API.
pub type Object = Map<String, Value>;

/// All that one call may take, waiting and retries included. Below the server's own limit for a request.
const DEADLINE: Duration = Duration::from_secs(45);
/// One attempt.
const ATTEMPT: Duration = Duration::from_secs(20);
/// Attempts at the most.
const ATTEMPTS: u32 = 4;
/// An answer larger than this is refused rather than held in memory.
const MAXIMUM_ANSWER: usize = 16 * 1024 * 1024;
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
    /// 5xx after all attempts.
    #[error("Coda is failing at the moment ({0}). Try again in a minute")]
    Failing(u16),
    /// No answer.
    #[error("Coda could not be reached: {0}. Try again in a minute")]
    Unreachable(&'static str),
    /// An answer that cannot be understood.
    #[error(
        "Coda answered something that is not the expected JSON. Try again; if it persists, tell the operator of this server"
    )]
    BadAnswer,
    /// An answer that is too large.
    #[error("Coda's answer is larger than 16 MiB. Ask for fewer items with limit")]
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
    /// 100 reads in 6 seconds (API reference, "Rate limiting").
    reads: Pace,
    /// 4 listings of documents in 6 seconds.
    doc_lists: Pace,
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
    pub fn new(config: &CodaConfig) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            // The token must not travel to wherever a redirect points.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(5))
            .timeout(ATTEMPT)
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .build()?;
        let window = Duration::from_secs(6);
        Ok(Self(Arc::new(Inner {
            client,
            base: config.base.clone(),
            reads: Pace::new(100, window),
            doc_lists: Pace::new(4, window),
        })))
    }

{%- comment %} region: client {% endcomment %}
    /// One object: `GET /{segments}`.
    ///
    /// # Errors
    /// [`CodaError`].
    pub async fn object(
        &self,
        token: &ServiceToken,
        segments: &[&str],
        query: &[(&str, String)],
    ) -> Result<Object, CodaError> {
        self.get(token, self.url(segments, query)?, segments == ["docs"]).await
    }
{%- comment %} end: client {% endcomment %}

    /// A list: as many pages of `GET /{segments}` as are needed for the wanted number of items, never more items than
    /// that, and the token to go on with where there is more.
    ///
    /// # Errors
    /// [`CodaError`] of the first page that fails.
    pub async fn list(
        &self,
        token: &ServiceToken,
        segments: &[&str],
        query: &[(&str, String)],
        wanted: Wanted,
    ) -> Result<Page, CodaError> {
        let mut page = Page { items: Vec::new(), next_page_token: wanted.page_token };
        for _ in 0..PAGES {
            let missing = wanted.limit.saturating_sub(page.items.len());
            let mut query = query.to_vec();
            query.push(("limit", missing.min(PAGE).to_string()));
            query.extend(page.next_page_token.clone().map(|t| ("pageToken", t)));
            let mut answer = self.object(token, segments, &query).await?;
            let Some(Value::Array(items)) = answer.remove("items") else { return Err(CodaError::BadAnswer) };
            for item in items {
                let Value::Object(item) = item else { return Err(CodaError::BadAnswer) };
                page.items.push(item);
            }
            let next = match answer.remove("nextPageToken") {
                Some(Value::String(next)) if !next.is_empty() => Some(next),
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

    /// The address of a resource. Segments are ids and names from outside: each is one segment, percent-encoded, and
    /// none can leave its place.
    fn url(&self, segments: &[&str], query: &[(&str, String)]) -> Result<Url, CodaError> {
        let mut url = self.0.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        for (name, value) in query {
            url.query_pairs_mut().append_pair(name, value);
        }
        Ok(url)
    }

    async fn get(&self, token: &ServiceToken, url: Url, lists_docs: bool) -> Result<Object, CodaError> {
        let deadline = Instant::now() + DEADLINE;
        let mut attempt = 1;
        loop {
            let mut ready = self.0.reads.reserve();
            if lists_docs {
                ready = ready.max(self.0.doc_lists.reserve());
            }
            if ready >= deadline {
                return Err(CodaError::RateLimited(ready.duration_since(Instant::now()).as_secs() + 1));
            }
            tokio::time::sleep_until(ready).await;
            let (error, retry_after) = match self.attempt(token, url.clone()).await {
                Ok(object) => return Ok(object),
                Err(Failed::Final(error)) => return Err(error),
                Err(Failed::Passing(error, retry_after)) => (error, retry_after),
            };
            let delay = retry_delay(attempt, retry_after);
            if attempt == ATTEMPTS || Instant::now() + delay >= deadline {
                return Err(error);
            }
            tracing::debug!(
                "Coda call failed, attempt {attempt} of {ATTEMPTS}, next in {} ms: {error}",
                delay.as_millis()
            );
            tokio::time::sleep(delay).await;
            attempt += 1;
        }
    }

    async fn attempt(&self, token: &ServiceToken, url: Url) -> Result<Object, Failed> {
        let request = self.0.client.get(url).bearer_auth(token.expose()).header(header::ACCEPT, "application/json");
        let answer = request.send().await.map_err(Failed::transport)?;
        let status = answer.status();
        let retry_after = answer
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|v| v.to_str().ok())
            .and_then(|v| v.trim().parse().ok())
            .map(Duration::from_secs);
        match status {
            StatusCode::TOO_MANY_REQUESTS => {
                let seconds = retry_after.unwrap_or(Duration::from_secs(6)).as_secs();
                return Err(Failed::Passing(CodaError::RateLimited(seconds), retry_after));
            }
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
                return Err(Failed::Passing(CodaError::Failing(status.as_u16()), retry_after));
            }
            _ => {}
        }
        let body = read(answer).await?;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|_| Failed::Final(CodaError::BadAnswer));
        }
        let detail = Detail::of(&body);
        Err(Failed::Final(match status {
            StatusCode::UNAUTHORIZED => CodaError::Unauthorized,
            StatusCode::FORBIDDEN => CodaError::Forbidden(detail),
            StatusCode::NOT_FOUND | StatusCode::GONE => CodaError::NotFound(detail),
            _ if status.is_server_error() => CodaError::Failing(status.as_u16()),
            _ => CodaError::Refused(status.as_u16(), detail),
        }))
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

enum Failed {
    /// Worth another attempt, after the given time where the API names one.
    Passing(CodaError, Option<Duration>),
    Final(CodaError),
}

impl Failed {
    /// reqwest's own text may hold the address with its query; the kind is what helps.
    fn transport(error: reqwest::Error) -> Self {
        Self::Passing(
            CodaError::Unreachable(if error.is_timeout() {
                "it did not answer in time"
            } else if error.is_connect() {
                "no connection"
            } else {
                "the connection broke"
            }),
            None,
        )
    }
}

async fn read(answer: reqwest::Response) -> Result<Vec<u8>, Failed> {
    let mut body = Vec::new();
    let mut chunks = answer.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(Failed::transport)?;
        if body.len() + chunk.len() > MAXIMUM_ANSWER {
            return Err(Failed::Final(CodaError::TooLarge));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

impl Detail {
    /// The API's errors are `{"statusCode", "statusMessage", "message"}`.
    fn of(body: &[u8]) -> Self {
        let object: Option<Object> = serde_json::from_slice(body).ok();
        let message = object.as_ref().and_then(|o| o.get("message")).and_then(Value::as_str);
        Self(message.map(|m| m.chars().filter(|c| !c.is_control()).take(300).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(segments: &[&str]) -> String {
        let base = Url::parse("https://coda.example/apis/v1").expect("a URL");
        let coda = Coda::new(&CodaConfig { base }).expect("a client");
        coda.url(segments, &[]).expect("a URL").path().to_owned()
    }

    #[test]
    fn a_segment_stays_a_segment() {
        assert_eq!(path(&["docs", "a/../b", "tables"]), "/apis/v1/docs/a%2F..%2Fb/tables");
        assert_eq!(path(&["docs", "%2e%2e%2f", "x?y#z"]), "/apis/v1/docs/%252e%252e%252f/x%3Fy%23z");
        assert_eq!(path(&["docs", "Größe 1"]), "/apis/v1/docs/Gr%C3%B6%C3%9Fe%201");
    }

    #[test]
    fn ids_that_no_address_can_hold_are_refused() {
        for bad in ["", " ", ".", "..", "a\nb", "a\0", &"x".repeat(1001)] {
            assert!(checked_id("doc_id", bad).is_err(), "{bad:?}");
        }
        for good in ["AbCDeFGH", "Tasks & Notes", "../x", "%2e%2e"] {
            assert!(checked_id("doc_id", good).is_ok(), "{good:?}");
        }
    }
}
