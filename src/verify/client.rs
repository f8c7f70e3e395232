//! One request and its answer, or the reason that there is none. Follows no redirect, keeps no cookie, and reads a
//! limited number of bytes.

use std::error::Error as _;
use std::time::{Duration, SystemTime};

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, WWW_AUTHENTICATE};
use reqwest::redirect::Policy;
use reqwest::tls::TlsInfo;

use super::observation::Silence;
use super::{VerifyError, certificate};

/// The largest answer that is read: a server with a thousand tools has less.
const MOST: usize = 4 * 1024 * 1024;

/// Sends requests.
#[derive(Clone, Debug)]
pub(super) struct VerifyClient {
    client: reqwest::Client,
    timeout: Duration,
}

/// An answer.
#[derive(Debug)]
pub(super) struct HttpAnswer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// The text, or `None` when it is too large.
    pub(super) body: Option<String>,
    pub(super) certificate_ends: Option<SystemTime>,
}

impl HttpAnswer {
    pub(super) fn header(&self, name: HeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(super) fn content_type(&self) -> &str {
        self.header(CONTENT_TYPE)
    }

    pub(super) fn location(&self) -> &str {
        self.header(LOCATION)
    }

    /// Returns all challenges in one text.
    pub(super) fn challenge(&self) -> String {
        let values = self.headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        values.collect::<Vec<_>>().join(", ")
    }

    pub(super) fn text(&self) -> &str {
        self.body.as_deref().unwrap_or_default()
    }

    pub(super) fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_str(self.text()).ok()
    }
}

impl VerifyClient {
    /// Creates a client.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub(super) fn new(timeout: Duration) -> Result<Self, VerifyError> {
        let builder = reqwest::Client::builder()
            .user_agent(concat!("mcp-kit/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .tls_info(true);
        let client = builder.build().map_err(|error| VerifyError::Client(error.to_string()))?;
        Ok(Self { client, timeout })
    }

    pub(super) async fn get(&self, url: &url::Url, headers: &HeaderMap) -> Result<HttpAnswer, Silence> {
        self.send(self.client.get(url.clone()).header("accept", "application/json").headers(headers.clone())).await
    }

    pub(super) async fn post(&self, url: &url::Url, headers: &HeaderMap, body: String) -> Result<HttpAnswer, Silence> {
        let request = self.client.post(url.clone()).body(body).header("content-type", "application/json");
        self.send(request.header("accept", "application/json, text/event-stream").headers(headers.clone())).await
    }

    /// Sends a request. The timeout covers the whole answer, so that no server holds us by sending slowly.
    async fn send(&self, request: reqwest::RequestBuilder) -> Result<HttpAnswer, Silence> {
        let late = || Silence::Late(self.timeout.as_secs().max(1));
        match tokio::time::timeout(self.timeout, exchange(request)).await {
            Ok(result) => result.map_err(|error| if error.is_timeout() { late() } else { silence(&error) }),
            Err(_) => Err(late()),
        }
    }
}

async fn exchange(request: reqwest::RequestBuilder) -> Result<HttpAnswer, reqwest::Error> {
    let mut answer = request.send().await?;
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let certificate = answer.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate);
    let certificate_ends = certificate.and_then(certificate::ends);
    let is_stream = headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"));
    let (mut bytes, mut whole) = (Vec::new(), true);
    while let Some(chunk) = answer.chunk().await? {
        if bytes.len() + chunk.len() > MOST {
            whole = false;
            break;
        }
        bytes.extend_from_slice(&chunk);
        // A stream can stay open after the answer.
        if is_stream && super::mcp::event(&String::from_utf8_lossy(&bytes)).is_some() {
            break;
        }
    }
    let body = whole.then(|| String::from_utf8_lossy(&bytes).into_owned());
    Ok(HttpAnswer { status, headers, body, certificate_ends })
}

/// Returns the reason of an error, without the address, which can be long.
fn silence(error: &reqwest::Error) -> Silence {
    let mut texts = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source {
        texts.push(cause.to_string());
        source = cause.source();
    }
    let last = || texts.last().cloned().unwrap_or_else(|| "no reason given".to_owned());
    let has = |word: &str| texts.iter().find(|text| text.to_ascii_lowercase().contains(word)).cloned();
    if let Some(text) = has("invalid peer certificate") {
        let short = text.split("invalid peer certificate: ").last().unwrap_or_default().to_owned();
        return Silence::Certificate(short);
    }
    if has("dns error").is_some() {
        return Silence::Name(last());
    }
    match has("alert").or_else(|| has("tls")).or_else(|| has("corrupt message")) {
        Some(text) => Silence::Tls(text),
        None => Silence::Broken(last()),
    }
}

/// Returns headers for a request. Values are marked, so that no log prints them.
pub(super) fn header_map(headers: &[(String, String)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let (Ok(name), Ok(mut value)) = (HeaderName::try_from(name.as_str()), HeaderValue::try_from(value.as_str()))
        else {
            continue;
        };
        value.set_sensitive(true);
        map.append(name, value);
    }
    map
}
