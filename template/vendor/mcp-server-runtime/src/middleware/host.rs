//! Host and origin: the defence against DNS rebinding (MCP, Transports, "Security Warning").
//!
//! A web page can make a browser send requests to a server on the user's machine or network under a name that the
//! attacker controls. So only names that are ours are answered, and browsers only from origins that were allowed.

use std::convert::Infallible;
use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tower::Service;

use crate::metrics::{Metrics, Refusal};

/// The target of the lines about requests that are refused here.
pub const TARGET: &str = module_path!();

/// The names and origins that are accepted.
#[derive(Debug)]
pub struct Guard {
    hosts: Vec<String>,
    origins: Vec<String>,
    metrics: Arc<Metrics>,
}

impl Guard {
    /// Accepts these besides loopback; both lists in lower case.
    #[must_use]
    pub fn new(hosts: Vec<String>, origins: Vec<String>, metrics: Arc<Metrics>) -> Self {
        Self { hosts, origins, metrics }
    }

    /// Checks both headers, and gives the origin of a browser. What comes after this reads `Host` and gets the name that
    /// was checked.
    fn check(&self, request: &mut Request) -> Result<Option<HeaderValue>, Refused> {
        // RFC 9112 §3.2: not one `Host` is 400, and that of an absolute target counts in its place.
        let Some(host) = single(request.headers(), &header::HOST) else { return Err(Refused::NotOneHost) };
        let authority = request.uri().authority().map(|authority| authority.as_str().to_owned());
        let host = authority.clone().unwrap_or(host);
        if !self.accepts_host(&host) {
            return Err(Refused::Host(host));
        }
        if let Some(Ok(host)) = authority.map(HeaderValue::try_from) {
            request.headers_mut().insert(header::HOST, host);
        }
        let headers = request.headers();
        let Some(value) = headers.get(header::ORIGIN) else { return Ok(None) };
        // The one header that browsers do not let pages forge.
        match single(headers, &header::ORIGIN) {
            // A page of this very host, whose name is one of ours (GetKlai/klai#1206).
            Some(origin) if is_same_host(&origin, &host) || self.accepts_origin(&origin) => Ok(Some(value.clone())),
            origin => Err(Refused::Origin(origin.unwrap_or_default())),
        }
    }

    fn accepts_host(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let (name, port) = split_port(&host);
        is_port(port) && (is_loopback(name) || self.hosts.iter().any(|allowed| *allowed == host || allowed == name))
    }

    /// Origins on the list, and those of pages that this machine serves itself (the MCP Inspector, for example).
    fn accepts_origin(&self, origin: &str) -> bool {
        let origin = origin.to_ascii_lowercase();
        let same = |allowed: &String| without_default_port(allowed) == without_default_port(&origin);
        self.origins.iter().any(same)
            || origin.split_once("://").is_some_and(|(scheme, rest)| {
                let (name, port) = split_port(rest);
                matches!(scheme, "http" | "https") && is_loopback(name) && is_port(port)
            })
    }
}

/// Returns whether this is an origin that can be allowed: a scheme and a host. Extensions of browsers, and applications that are
/// web pages inside, have schemes of their own; `null` stands for pages of any kind that have no origin.
#[must_use]
pub fn is_origin(origin: &str) -> bool {
    origin.split_once("://").is_some_and(|(scheme, host)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
            && !host.is_empty()
            && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b))
    })
}

/// Why a request is refused, with the value that is not allowed.
enum Refused {
    NotOneHost,
    Host(String),
    Origin(String),
}

/// The header's only value; none where it is missing, repeated or not text.
fn single(headers: &HeaderMap, name: &header::HeaderName) -> Option<String> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?.to_str().ok()?;
    values.next().is_none().then(|| first.to_owned())
}

/// `name:port` apart; the brackets of an IPv6 address belong to the name.
fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    }
}

/// None, or a number. Anything else would be a part of another name: `localhost:x@evil.example`.
fn is_port(port: Option<&str>) -> bool {
    port.is_none_or(|port| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok())
}

fn is_loopback(name: &str) -> bool {
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

/// Returns whether the page comes from this host. Before a proxy that ends TLS, which scheme the host has is not known here.
fn is_same_host(origin: &str, host: &str) -> bool {
    let of_scheme = |scheme: &str| {
        let page = origin.strip_prefix(scheme)?.strip_prefix("://")?;
        let own = format!("{scheme}://{host}");
        Some(!page.is_empty() && without_default_port(origin).eq_ignore_ascii_case(without_default_port(&own)))
    };
    of_scheme("https").or_else(|| of_scheme("http")).unwrap_or_default()
}

fn without_default_port(origin: &str) -> &str {
    match origin.split_once("://") {
        Some(("https", rest)) if rest.ends_with(":443") => &origin[..origin.len() - 4],
        Some(("http", rest)) if rest.ends_with(":80") => &origin[..origin.len() - 3],
        _ => origin,
    }
}

/// Chromium's Private Network Access.
const ASKS_FOR_A_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-request-private-network");
const ALLOWS_A_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// Answers the question of a browser whether a page may send a request (the Fetch standard, CORS preflight). The origin is
/// accepted, so the page may send whatever it asks for: the credential in it is the page's own, as cookies are not sent.
fn preflight(request: &Request) -> Option<Response> {
    let headers = request.headers();
    if request.method() != Method::OPTIONS || !headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD) {
        return None;
    }
    let mut response = StatusCode::OK.into_response();
    let allow = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST")),
        (header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600")),
    ];
    response.headers_mut().extend(allow);
    if let Some(asked) = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
    }
    // A page of the internet asks for a server on this machine or in this network (gptme/gptme#2635).
    if headers.contains_key(ASKS_FOR_A_PRIVATE_NETWORK) {
        response.headers_mut().insert(ALLOWS_A_PRIVATE_NETWORK, HeaderValue::from_static("true"));
    }
    Some(response)
}

/// Lets the page read the answer, refusals included, and in it what the page needs to act upon them.
fn readable_by(origin: HeaderValue, mut response: Response) -> Response {
    let exposed = HeaderValue::from_static("www-authenticate, retry-after, x-request-id");
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    response
}

/// A service behind the guard: requests under other names or from other origins are answered with 403, and the log says how to
/// allow them; those without exactly one `Host` with 400. Pages of accepted origins may read the answers.
#[derive(Debug, Clone)]
pub struct Guarded<S> {
    inner: S,
    guard: Arc<Guard>,
}

impl<S> Guarded<S> {
    /// Puts the guard before a service.
    pub const fn new(inner: S, guard: Arc<Guard>) -> Self {
        Self { inner, guard }
    }
}

impl<S> Service<Request> for Guarded<S>
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send + 'static>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let origin = match self.guard.check(&mut request) {
            Ok(None) => return Box::pin(self.inner.call(request)),
            Ok(Some(origin)) => origin,
            Err(refused) => return Box::pin(ready(Ok(self.guard.refuse(refused)))),
        };
        if let Some(response) = preflight(&request) {
            return Box::pin(ready(Ok(readable_by(origin, response))));
        }
        let answer = self.inner.call(request);
        Box::pin(async move { answer.await.map(|response| readable_by(origin, response)) })
    }
}

impl Guard {
    /// The answer to a request that is refused, with a line in the log that says how to allow it.
    fn refuse(&self, refused: Refused) -> Response {
        let (kind, what, variable, value) = match refused {
            Refused::NotOneHost => {
                self.metrics.refused(Refusal::Host);
                tracing::warn!("Request refused with 400: not exactly one Host");
                let body = json!({"error": "bad request", "message": "a request has exactly one Host header"});
                return (StatusCode::BAD_REQUEST, Json(body)).into_response();
            }
            Refused::Host(value) => (Refusal::Host, "Host", "ALLOWED_HOSTS", value),
            Refused::Origin(value) => (Refusal::Origin, "Origin", "ALLOWED_ORIGINS", value),
        };
        self.metrics.refused(kind);
        // `?` escapes control characters: no forged log lines. A name has at most 255 bytes.
        let value: String = value.chars().take(300).collect();
        let message = if matches!(kind, Refusal::Origin) && !is_origin(&value) {
            tracing::warn!("{what} {value:?} refused with 403: it is no address of a page, and cannot be allowed");
            format!("{what} not allowed. Pages without an address of their own never are.")
        } else {
            tracing::warn!("{what} {value:?} refused with 403; if it is yours, add it to {variable}");
            format!("{what} not allowed. The operator of this server can allow it with {variable}.")
        };
        (StatusCode::FORBIDDEN, Json(json!({"error": "forbidden", "message": message}))).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard() -> Guard {
        Guard::new(
            vec!["mcp.example.com".to_owned(), "other.example:8443".to_owned()],
            vec!["https://claude.ai:443".to_owned()],
            Arc::default(),
        )
    }

    #[test]
    fn hosts() {
        let g = guard();
        for good in [
            "localhost",
            "127.0.0.1:8080",
            "[::1]:8080",
            "MCP.example.com",
            "mcp.example.com:443",
            "other.example:8443",
        ] {
            assert!(g.accepts_host(good), "{good}");
        }
        for bad in [
            "",
            "evil.example",
            "mcp.example.com.evil.example",
            "other.example",
            "localhost.evil.example",
            "127.0.0.1:x",
            "::1",
        ] {
            assert!(!g.accepts_host(bad), "{bad}");
        }
    }

    #[test]
    fn a_page_may_ask_its_own_host() {
        for (origin, host) in [
            ("https://mcp.example.com", "mcp.example.com"),
            ("https://mcp.example.com", "MCP.example.com:443"),
            ("http://mcp.example.com:8080", "mcp.example.com:8080"),
        ] {
            assert!(is_same_host(origin, host), "{origin} {host}");
        }
        for (origin, host) in [
            ("https://mcp.example.com.evil.example", "mcp.example.com"),
            ("https://mcp.example.com:8443", "mcp.example.com"),
            ("https://evil.example", "mcp.example.com"),
            ("ftp://mcp.example.com", "mcp.example.com"),
            ("null", "null"),
            ("https://", ""),
        ] {
            assert!(!is_same_host(origin, host), "{origin} {host}");
        }
    }

    #[test]
    fn origins() {
        let g = guard();
        for good in ["https://claude.ai", "https://claude.ai:443", "http://localhost:6274", "http://[::1]:1"] {
            assert!(g.accepts_origin(good), "{good}");
        }
        for bad in [
            "null",
            "",
            "http://claude.ai",
            "https://claude.ai:444",
            "https://evil.example",
            "https://localhost.evil.example",
            "http://localhost:x@evil.example",
            "http://localhost:80/x",
            "http://localhost:+80",
            "http://localhost:",
        ] {
            assert!(!g.accepts_origin(bad), "{bad}");
        }
    }
}
