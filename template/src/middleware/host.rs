//! Host and origin: the defence against DNS rebinding (MCP, Transports, "Security Warning").
//!
//! A web page can make a browser send requests to a server on the user's machine or network under a name that the
//! attacker controls. So only names that are ours are answered, and browsers only from origins that were allowed.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::metrics::{Metrics, Refusal};

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

    fn check(&self, request: &Request) -> Result<(), (Refusal, String)> {
        let headers = request.headers();
        let host = single(headers, &header::HOST).or_else(|| request.uri().authority().map(|a| a.as_str().to_owned()));
        match host {
            Some(host) if self.accepts_host(&host) => {}
            Some(host) => return Err((Refusal::Host, host)),
            None => return Err((Refusal::Host, String::new())),
        }
        if !headers.contains_key(header::ORIGIN) {
            return Ok(());
        }
        // The one header that browsers do not let pages forge.
        match single(headers, &header::ORIGIN) {
            Some(origin) if self.accepts_origin(&origin) => Ok(()),
            origin => Err((Refusal::Origin, origin.unwrap_or_default())),
        }
    }

    fn accepts_host(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let (name, port) = split_port(&host);
        if port.is_some_and(|p| p.parse::<u16>().is_err()) {
            return false;
        }
        is_loopback(name) || self.hosts.iter().any(|allowed| *allowed == host || allowed == name)
    }

    /// Origins on the list, and those of pages that this machine serves itself (the MCP Inspector, for example).
    fn accepts_origin(&self, origin: &str) -> bool {
        let origin = origin.to_ascii_lowercase();
        let same = |allowed: &String| without_default_port(allowed) == without_default_port(&origin);
        self.origins.iter().any(same)
            || origin.split_once("://").is_some_and(|(scheme, rest)| {
                matches!(scheme, "http" | "https") && !rest.contains('/') && is_loopback(split_port(rest).0)
            })
    }
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

fn is_loopback(name: &str) -> bool {
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

fn without_default_port(origin: &str) -> &str {
    match origin.split_once("://") {
        Some(("https", rest)) if rest.ends_with(":443") => &origin[..origin.len() - 4],
        Some(("http", rest)) if rest.ends_with(":80") => &origin[..origin.len() - 3],
        _ => origin,
    }
}

/// Answers 403 to requests under other names or from other origins, and says in the log how to allow them.
pub async fn guard(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let Err((refusal, value)) = guard.check(&request) else { return next.run(request).await };
    guard.metrics.refused(refusal);
    let (what, variable) = match refusal {
        Refusal::Origin => ("Origin", "ALLOWED_ORIGINS"),
        _ => ("Host", "ALLOWED_HOSTS"),
    };
    // `?` escapes control characters: no forged log lines.
    tracing::warn!("{what} {value:?} refused with 403; if it is yours, add it to {variable}");
    let message = format!("{what} not allowed. The operator of this server can allow it with {variable}.");
    (StatusCode::FORBIDDEN, Json(json!({"error": "forbidden", "message": message}))).into_response()
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
        ] {
            assert!(!g.accepts_origin(bad), "{bad}");
        }
    }
}
