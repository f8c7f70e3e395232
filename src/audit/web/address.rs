//! Destinations in documents → addresses to request.

use regex::RegexSet;
use url::{Host, Url};

use super::private::is_private;
use crate::audit::resolve::is_template;

/// A destination on the web.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// It can be requested.
    Requested(Url),
    /// It is not a valid address. Holds the reason.
    Malformed(String),
    /// It is not requested: a placeholder, an excluded address, or a private one.
    Skipped,
}

/// Names without a public host: reserved for examples and tests (RFC 2606, RFC 6761), or for local networks (RFC 6762,
/// RFC 8375, ICANN's `internal`).
const NEVER: [&str; 9] =
    ["example.com", "example.org", "example.net", "example.edu", "example", "test", "invalid", "localhost", "onion"];
const INSIDE: [&str; 6] = ["local", "internal", "home.arpa", "lan", "intranet", "corp"];

/// Returns whether a destination is on the web.
pub(super) fn is_web(destination: &str) -> bool {
    let begins = |scheme: &str| destination.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme));
    begins("https://") || begins("http://")
}

impl Address {
    /// Reads a destination with `http:` or `https:`.
    #[must_use]
    pub(super) fn read(destination: &str, excluded: &RegexSet, private: bool) -> Self {
        if excluded.is_match(destination) || is_template(destination) || is_placeholder(destination) {
            return Self::Skipped;
        }
        let url = match Url::parse(destination) {
            Ok(url) => url,
            Err(error) => return Self::Malformed(format!("it is no address: {error}")),
        };
        // Credentials before the @ are never sent.
        if !url.username().is_empty() || url.password().is_some() {
            return Self::Skipped;
        }
        let is_public = match url.host() {
            Some(Host::Ipv4(ip)) => private || !is_private(ip.into()),
            Some(Host::Ipv6(ip)) => private || !is_private(ip.into()),
            Some(Host::Domain(name)) => {
                let name = name.trim_end_matches('.');
                let is_below =
                    |end: &&str| name.strip_suffix(*end).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
                let inside = !name.contains('.') || INSIDE.iter().any(is_below);
                !NEVER.iter().any(is_below) && (private || !inside)
            }
            None => false,
        };
        if is_public { Self::Requested(url) } else { Self::Skipped }
    }
}

/// Returns whether the host is a placeholder: `https://...`, `https://$HOST/`, `https://*.example.io`,
/// `https://[host]/`.
fn is_placeholder(destination: &str) -> bool {
    let host = destination.split("://").nth(1).unwrap_or_default().split(['/', '?', '#']).next().unwrap_or_default();
    let is_ip = host.split(']').next().is_some_and(|inner| inner.starts_with('[') && inner.contains(':'));
    host.contains(['$', '*', '…', '<', '{', '%']) || host.contains("...") || host.starts_with('[') && !is_ip
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(destination: &str) -> Address {
        Address::read(destination, &RegexSet::new([r"^https://secret\."]).unwrap(), false)
    }

    #[test]
    fn what_is_asked() {
        for (destination, requested) in [
            ("https://rust-lang.org", "https://rust-lang.org/"),
            ("HTTP://Rust-Lang.org/a b#C", "http://rust-lang.org/a%20b#C"),
            ("https://1.1.1.1/", "https://1.1.1.1/"),
            ("https://müller.de/ü", "https://xn--mller-kva.de/%C3%BC"),
            ("http://[2606:4700::1]:8080/x", "http://[2606:4700::1]:8080/x"),
        ] {
            assert!(is_web(destination), "{destination}");
            assert_eq!(read(destination), Address::Requested(Url::parse(requested).unwrap()), "{destination}");
        }
    }

    #[test]
    fn what_is_not() {
        for destination in [
            "https://example.com/x",
            "https://mcp.example.org",
            "http://a.test",
            "http://localhost:8080",
            "http://127.0.0.1:3000/health",
            "http://0x7f.1/",
            "http://10.1.2.3/",
            "http://[::1]/",
            "http://[::ffff:192.168.0.1]/",
            "http://coda-mcp:8080/mcp",
            "https://wiki.corp/x",
            "https://printer.local",
            "https://me:secret@github.com/x", // pragma: allowlist secret
            "https://secret.host.io/x",
            "https://$HOST/x",
            "https://<your host>/x",
            "https://{{ host }}/x",
            "https://...",
            "https://*.cloudflareaccess.com",
            "https://[host]/x",
        ] {
            assert_eq!(read(destination), Address::Skipped, "{destination}");
        }
    }

    #[test]
    fn what_is_none() {
        for (destination, why) in [
            ("https://", "it is no address: empty host"),
            ("https://a b.com/", "it is no address: invalid international domain name"),
            ("http://host.com:99999/", "it is no address: invalid port number"),
        ] {
            assert_eq!(read(destination), Address::Malformed(why.to_owned()), "{destination}");
        }
    }

    #[test]
    fn private_ones_on_request() {
        let read = |destination| Address::read(destination, &RegexSet::empty(), true);
        assert!(matches!(read("http://127.0.0.1:1/x"), Address::Requested(_)));
        assert!(matches!(read("http://wiki/x"), Address::Requested(_)));
        assert!(matches!(read("http://example.com"), Address::Skipped));
    }

    #[test]
    fn what_is_on_the_web() {
        for no in ["ftp://a", "mailto:a@b.c", "a.md", "//host/x", "https:/x", "https"] {
            assert!(!is_web(no), "{no}");
        }
    }
}
