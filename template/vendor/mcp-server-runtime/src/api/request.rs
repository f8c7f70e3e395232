//! A request to an API, and the one for the next page that an answer names.

use reqwest::header::{HeaderMap, LINK};
use reqwest::{Method, Url};
use serde_json::{Map, Value};

use super::ApiError;

/// A request to the API.
#[derive(Debug, Clone)]
pub struct ApiRequest {
    /// The method.
    pub method: Method,
    /// The path behind the address of the API, percent-encoded: [`segment`] does that.
    pub path: String,
    /// Pairs of the query, not encoded.
    pub query: Vec<(String, String)>,
    /// Headers besides those of the token.
    pub headers: HeaderMap,
    /// The body and its type.
    pub body: Option<(&'static str, Vec<u8>)>,
}

impl ApiRequest {
    /// A request without a query, headers of its own and a body.
    #[must_use]
    pub fn new(method: Method, path: &str) -> Self {
        Self { method, path: path.to_owned(), query: Vec::new(), headers: HeaderMap::new(), body: None }
    }
}

/// A value from outside as one segment of a path: percent-encoded, it cannot leave its place.
///
/// # Errors
/// [`ApiError::BadSegment`] naming the argument, for what would be resolved away or is no id.
pub fn segment(argument: &str, value: &str) -> Result<String, ApiError> {
    let bad = value.trim().is_empty() || matches!(value, "." | "..") || value.len() > 1000;
    if bad || value.chars().any(char::is_control) {
        return Err(ApiError::BadSegment(argument.to_owned()));
    }
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        // RFC 3986 §2.3, unreserved.
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    Ok(encoded)
}

/// The query of the page that `Link: <…>; rel="next"` names.
pub(super) fn next_page(headers: &HeaderMap) -> Option<Map<String, Value>> {
    let links = headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok());
    let next = links.flat_map(|links| links.split(',')).find_map(|link| {
        let (address, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters.split(';').any(|parameter| matches!(parameter.trim(), "rel=\"next\"" | "rel=next"));
        is_next.then(|| address.to_owned())
    })?;
    // It may be relative to an address that does not matter here.
    let url = Url::parse("http://localhost").ok()?.join(&next).ok()?;
    Some(url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect())
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn a_segment_cannot_leave_its_place() {
        assert_eq!(segment("id", "../a b/é?x#%").ok().as_deref(), Some("..%2Fa%20b%2F%C3%A9%3Fx%23%25"));
        for bad in ["", " ", ".", "..", "a\nb", &"x".repeat(1001)] {
            assert!(matches!(segment("id", bad), Err(ApiError::BadSegment(name)) if name == "id"), "{bad:?}");
        }
    }

    #[test]
    fn the_next_page_is_told_by_its_query() {
        let mut headers = HeaderMap::new();
        headers.insert(
            LINK,
            HeaderValue::from_static("<https://a.example/x?page=2&q=a%20b>; rel=\"next\", </x?page=9>; rel=\"last\""),
        );
        let next = next_page(&headers).expect("a next page");
        assert_eq!(Value::Object(next), serde_json::json!({"page": "2", "q": "a b"}));
        headers.insert(LINK, HeaderValue::from_static("</x?page=1>; rel=\"prev\""));
        assert!(next_page(&headers).is_none());
    }
}
