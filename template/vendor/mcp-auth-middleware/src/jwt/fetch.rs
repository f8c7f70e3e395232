//! One JSON document from an issuer: bounded in time and size, and from nowhere else than asked.

use std::time::Duration;

use futures_util::StreamExt as _;
use http::HeaderValue;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};

/// A real answer holds two keys and is about 5 KiB, certificates included.
const MAXIMUM_ANSWER: usize = 256 * 1024;

/// Why an issuer's document cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("{0}")]
    Http(&'static str),
    #[error("status {0}")]
    Status(u16),
    #[error("answer larger than {MAXIMUM_ANSWER} bytes")]
    TooLarge,
    #[error("answer is not a JSON Web Key Set (RFC 7517)")]
    NotAKeySet,
    #[error("no usable {0} in the answer")]
    NoKeys(&'static str),
    #[error("no metadata at any well-known address (RFC 8414, OpenID Connect Discovery): {0}")]
    NoMetadata(Box<Self>),
    #[error("answer is not the metadata of an issuer (RFC 8414)")]
    NotMetadata,
    #[error("metadata of another issuer")]
    OtherIssuer,
    #[error("the address of the keys is not https")]
    InsecureKeys,
    #[error("its metadata has no https address for introspection (RFC 7662)")]
    NoIntrospection,
    #[error("answer is not that of an introspection (RFC 7662)")]
    NotAnIntrospection,
    #[error("not reached a moment ago")]
    Recently,
    #[error("too many questions at once")]
    TooMany,
}

impl FetchError {
    /// Returns whether there was no answer, or only "later": a fault that passes.
    pub(crate) fn is_outage(&self) -> bool {
        match self {
            Self::Http(_) | Self::Recently => true,
            Self::Status(status) => *status >= 500 || *status == 429,
            Self::NoMetadata(cause) => cause.is_outage(),
            _ => false,
        }
    }
}

/// The client of one issuer.
pub(crate) struct Client(reqwest::Client);

impl Client {
    pub(crate) fn new(timeout: Duration) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            // A key server that sends us elsewhere is not the one that was configured.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(timeout.min(Duration::from_secs(3)))
            .timeout(timeout)
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self(client))
    }

    /// The body of the answer, which has to be 200.
    pub(crate) async fn get(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        read(self.0.get(url)).await
    }

    /// The body of the answer to a form, which has to be 200.
    pub(crate) async fn post(
        &self,
        url: &str,
        form: String,
        authorization: Option<HeaderValue>,
    ) -> Result<Vec<u8>, FetchError> {
        let mut request = self.0.post(url).header(ACCEPT, "application/json");
        request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(value) = authorization {
            request = request.header(AUTHORIZATION, value);
        }
        read(request.body(form)).await
    }
}

async fn read(request: reqwest::RequestBuilder) -> Result<Vec<u8>, FetchError> {
    let answer = request.send().await.map_err(describe)?;
    if answer.status() != http::StatusCode::OK {
        return Err(FetchError::Status(answer.status().as_u16()));
    }
    let mut body = Vec::new();
    let mut chunks = answer.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(describe)?;
        if body.len() + chunk.len() > MAXIMUM_ANSWER {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// reqwest's own text holds the URL, which need not be in every log line; the kind of failure is what helps.
fn describe(error: reqwest::Error) -> FetchError {
    FetchError::Http(if error.is_timeout() {
        "timed out"
    } else if error.is_connect() {
        "cannot connect"
    } else {
        "connection failed"
    })
}
