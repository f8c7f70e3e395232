//! Where an issuer's keys are: at a known address, or where the issuer's metadata says (RFC 8414, OpenID Connect Discovery).

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::Url;
use tokio::time::Instant;

use super::fetch::{Client, FetchError};
use super::is_secure;

/// So long the address of the keys counts, unless there are no keys any more.
const METADATA_COUNTS: Duration = Duration::from_secs(60 * 60);

/// Where an issuer's keys are.
pub(crate) enum KeySource {
    /// At this address.
    Address {
        /// Whose keys they are, for the log: `Cloudflare Access keys`.
        name: String,
        /// The address.
        url: String,
    },
    /// Where the metadata of this issuer says.
    Metadata {
        /// The issuer, as its tokens name it.
        issuer: String,
        /// Its latest answer, and the time of that.
        known: Mutex<Option<(String, Instant)>>,
    },
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { name, .. } => f.write_str(name),
            Self::Metadata { issuer, .. } => write!(f, "Keys of {issuer}"),
        }
    }
}

impl KeySource {
    /// The source of an issuer whose metadata says where its keys are.
    pub(crate) fn from_issuer(issuer: String) -> Self {
        Self::Metadata { issuer, known: Mutex::default() }
    }

    /// The key set as it came.
    pub(super) async fn fetch(&self, client: &Client) -> Result<Vec<u8>, FetchError> {
        match self {
            Self::Address { url, .. } => client.get(url).await,
            Self::Metadata { issuer, known } => {
                let recent = known.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let url = match recent.filter(|(_, since)| since.elapsed() < METADATA_COUNTS) {
                    Some((url, _)) => url,
                    None => metadata(issuer, client).await?.jwks_uri()?,
                };
                let answer = client.get(&url).await;
                // Keys that are gone may have moved.
                let since = answer.is_ok().then(|| (url, Instant::now()));
                *known.lock().unwrap_or_else(PoisonError::into_inner) = since;
                answer
            }
        }
    }
}

/// An issuer's metadata.
#[derive(serde::Deserialize)]
pub(crate) struct Metadata {
    issuer: String,
    jwks_uri: Option<String>,
    introspection_endpoint: Option<String>,
    introspection_endpoint_auth_methods_supported: Option<Vec<String>>,
}

impl Metadata {
    fn jwks_uri(self) -> Result<String, FetchError> {
        match Url::parse(&self.jwks_uri.ok_or(FetchError::NotMetadata)?) {
            Ok(url) if is_secure(&url) => Ok(url.into()),
            _ => Err(FetchError::InsecureKeys),
        }
    }

    /// Where tokens are asked about, and whether the secret of who asks goes into the form: where the header is not taken.
    pub(crate) fn introspection(self) -> Result<(String, bool), FetchError> {
        let url = self.introspection_endpoint.and_then(|url| Url::parse(&url).ok()).filter(is_secure);
        let methods = self.introspection_endpoint_auth_methods_supported.unwrap_or_default();
        let takes = |method: &str| methods.iter().any(|name| name == method);
        let in_form = takes("client_secret_post") && !takes("client_secret_basic");
        url.map(|url| (url.into(), in_form)).ok_or(FetchError::NoIntrospection)
    }
}

/// Asks the addresses one after the other; the first metadata of this very issuer counts.
pub(crate) async fn metadata(issuer: &str, client: &Client) -> Result<Metadata, FetchError> {
    let mut problem = FetchError::NotMetadata;
    for url in metadata_urls(issuer) {
        match client.get(&url).await.and_then(|answer| read_metadata(issuer, &answer)) {
            Ok(metadata) => return Ok(metadata),
            // The other addresses are on the same host.
            Err(error @ FetchError::Http(_)) => return Err(error),
            // What is wrong with metadata tells more than that there is none at the next address.
            Err(FetchError::Status(_)) if !matches!(problem, FetchError::NotMetadata) => {}
            Err(error) => problem = error,
        }
    }
    Err(FetchError::NoMetadata(Box::new(problem)))
}

/// The addresses in the order of MCP's authorization: RFC 8414 §3.1, the same for OpenID Connect (§5), and OpenID Connect
/// Discovery §4, which differ where the issuer has a path.
fn metadata_urls(issuer: &str) -> Vec<String> {
    const OAUTH: &str = ".well-known/oauth-authorization-server";
    const OPENID: &str = ".well-known/openid-configuration";
    let Ok(url) = Url::parse(issuer) else { return Vec::new() };
    let (origin, path) = (url.origin().ascii_serialization(), url.path().trim_end_matches('/'));
    let mut urls = vec![format!("{origin}/{OAUTH}{path}"), format!("{origin}/{OPENID}{path}")];
    if !path.is_empty() {
        urls.push(format!("{origin}{path}/{OPENID}"));
    }
    urls
}

/// Metadata of exactly this issuer (RFC 8414 §3.3: else somebody speaks for another).
fn read_metadata(issuer: &str, answer: &[u8]) -> Result<Metadata, FetchError> {
    let metadata: Metadata = serde_json::from_slice(answer).map_err(|_| FetchError::NotMetadata)?;
    if metadata.issuer == issuer { Ok(metadata) } else { Err(FetchError::OtherIssuer) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_at_the_addresses_of_both_standards() {
        assert_eq!(
            metadata_urls("https://tenant.example.com/"),
            [
                "https://tenant.example.com/.well-known/oauth-authorization-server",
                "https://tenant.example.com/.well-known/openid-configuration",
            ]
        );
        assert_eq!(
            metadata_urls("https://login.example.com/realms/one"),
            [
                "https://login.example.com/.well-known/oauth-authorization-server/realms/one",
                "https://login.example.com/.well-known/openid-configuration/realms/one",
                "https://login.example.com/realms/one/.well-known/openid-configuration",
            ]
        );
    }

    #[test]
    fn attack_67_metadata_of_another_issuer() {
        let read = |issuer: &str, jwks_uri: &str| {
            let metadata = serde_json::json!({"issuer": issuer, "jwks_uri": jwks_uri});
            let metadata = read_metadata("https://a.example", metadata.to_string().as_bytes());
            metadata.and_then(Metadata::jwks_uri).map_err(|error| error.to_string())
        };
        assert_eq!(read("https://a.example", "https://keys.example/k").as_deref(), Ok("https://keys.example/k"));
        for other in ["https://a.example/", "http://a.example", "https://A.example", "https://b.example", ""] {
            assert_eq!(read(other, "https://a.example/k"), Err("metadata of another issuer".to_owned()), "{other}");
        }
        for insecure in ["http://a.example/k", "file:///etc/passwd", "/k", "data:,x", ""] {
            let expected = "the address of the keys is not https".to_owned();
            assert_eq!(read("https://a.example", insecure), Err(expected), "{insecure}");
        }
        assert!(read_metadata("https://a.example", b"{}").is_err());
    }
}
