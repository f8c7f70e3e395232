//! One request and what came of it: the answer, or the reason why there is none, without the address.

use std::error::Error;
use std::time::{Duration, SystemTime};

use axum::http::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::tls::TlsInfo;

use super::certificate;
use crate::answers;

/// So long an answer may take.
const PATIENCE: Duration = Duration::from_secs(8);
/// The most bytes that are read of an answer.
const MOST: usize = 256 * 1024;

/// An answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// At most [`MOST`] bytes; nothing of a longer one.
    pub(super) body: String,
    /// When the certificate of who answered ends; `None` without TLS.
    pub(super) certificate_ends: Option<SystemTime>,
}

/// Why nothing came back.
pub(super) enum Silence {
    /// TLS: the certificate does not count.
    Certificate(String),
    /// No answer in time.
    Late,
    /// Anything else.
    Broken(String),
}

impl Answer {
    /// A header as text; nothing where it is missing or no text.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(super) fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_str(&self.body).ok()
    }

    pub(super) fn is_html(&self) -> bool {
        self.header("content-type").starts_with("text/html")
    }
}

/// A client that follows nothing and tells of certificates.
pub(super) fn client(user_agent: &str) -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder().redirect(Policy::none()).timeout(PATIENCE).user_agent(user_agent).tls_info(true).build()
}

pub(super) async fn send(request: reqwest::RequestBuilder) -> Result<Answer, Silence> {
    let answer = request.send().await.map_err(silence)?;
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let certificate = answer.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate);
    let certificate_ends = certificate.and_then(certificate::ends);
    let body = answers::read(answer, MOST).await.unwrap_or_default();
    Ok(Answer { status, headers, body: String::from_utf8_lossy(&body).into_owned(), certificate_ends })
}

fn silence(error: reqwest::Error) -> Silence {
    if error.is_timeout() {
        return Silence::Late;
    }
    let mut texts = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source {
        texts.push(cause.to_string());
        source = cause.source();
    }
    match texts.iter().find(|text| text.contains("certificate")) {
        Some(text) => Silence::Certificate(text.clone()),
        None => Silence::Broken(texts.pop().unwrap_or_else(|| "no cause given".to_owned())),
    }
}

impl Silence {
    /// In words, for `who`.
    pub(super) fn describe(&self, who: &str) -> String {
        match self {
            Self::Certificate(cause) => format!("the certificate of {who} does not count: {cause}"),
            Self::Late => format!("{who} did not answer in {} seconds", PATIENCE.as_secs()),
            Self::Broken(cause) => format!("no connection to {who}: {cause}"),
        }
    }
}

/// The addresses of a host, by the resolver of this machine or container.
pub(super) async fn addresses(host: &str, port: u16) -> Result<usize, String> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let found = tokio::time::timeout(PATIENCE, tokio::net::lookup_host((host, port))).await;
    match found {
        Ok(Ok(found)) => Ok(found.count()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer in {} seconds", PATIENCE.as_secs())),
    }
}

/// https, or http to this very machine: nothing else is asked.
pub(super) fn is_secure(url: &reqwest::Url) -> bool {
    match url.scheme() {
        "https" => url.host_str().is_some(),
        "http" => matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")),
        _ => false,
    }
}
