//! Values of the environment as what they mean: numbers, addresses, lists, secrets. What is wrong is noted.

use std::net::Ipv6Addr;
use std::str::FromStr;
use std::time::Duration;

use secrecy::SecretString;

use super::{Environment, Problems, Table};

/// Reads variables and notes what is wrong with them; what is wrong gets a default, so that reading goes on.
pub(super) struct Reader<'a> {
    pub(super) env: &'a Environment,
    pub(super) table: &'a Table,
    pub(super) problems: &'a mut Problems,
}

impl Reader<'_> {
    pub(super) fn parsed<T: FromStr>(&mut self, name: &'static str, default: T, expected: &str) -> T {
        match self.env.text(name) {
            None => default,
            Some(text) => text.parse().unwrap_or_else(|_| {
                self.problems.add(name, format!("{text:?} is not {expected}"));
                default
            }),
        }
    }

    /// A number of the table, which has its bounds and its default.
    pub(super) fn number(&mut self, name: &'static str) -> usize {
        self.number_or(name, self.default_number(name))
    }

    pub(super) fn default_number(&self, name: &'static str) -> usize {
        self.table.bounds(name).2
    }

    /// A number of the table, whose default comes from elsewhere.
    pub(super) fn number_or(&mut self, name: &'static str, default: usize) -> usize {
        let (least, most, _) = self.table.bounds(name);
        let value = self.parsed(name, default, &format!("a whole number from {least} to {most}"));
        if (least..=most).contains(&value) {
            return value;
        }
        self.problems.add(name, format!("{value} is not between {least} and {most}"));
        default
    }

    pub(super) fn seconds(&mut self, name: &'static str) -> Duration {
        Duration::from_secs(self.number(name) as u64)
    }

    pub(super) fn switch(&mut self, name: &'static str, default: bool) -> bool {
        match self.env.text(name).as_deref() {
            None => default,
            Some("on") => true,
            Some("off") => false,
            Some(other) => {
                self.problems.add(name, format!("{other:?} is neither on nor off"));
                default
            }
        }
    }

    /// An address of an API that a token travels to: never in clear text, except to a stub on this machine.
    pub(super) fn url(&mut self, name: &'static str, default: Option<&str>) -> Option<url::Url> {
        let text = self.env.text(name).or_else(|| default.map(str::to_owned))?;
        let loopback = |url: &url::Url| matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        match url::Url::parse(text.trim_end_matches('/')) {
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                // Not quoted: there is a password in it.
                self.problems.add(name, "has a user or a password in it, which addresses do not keep secret");
                None
            }
            Ok(url) if url.query().is_some() || url.fragment().is_some() => {
                self.problems.add(name, format!("{text:?} goes on with ? or #, where paths are added"));
                None
            }
            Ok(url) if url.scheme() == "https" || (url.scheme() == "http" && loopback(&url)) => Some(url),
            _ => {
                self.problems.add(name, format!("{text:?} is not an https URL (http is accepted for loopback)"));
                None
            }
        }
    }

    /// A secret from `NAME` or from the file that `NAME_FILE` names.
    pub(super) fn secret(&mut self, name: &'static str) -> Option<SecretString> {
        match self.env.secret(name) {
            Ok(secret) => secret,
            Err(problem) => {
                self.problems.add(name, problem);
                None
            }
        }
    }

    pub(super) fn list(&self, name: &'static str) -> Vec<String> {
        let text = self.env.text(name).unwrap_or_default();
        text.split(',').map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned).collect()
    }

    /// Host names as they stand in a `Host` header: a URL or a path is a common mistake.
    pub(super) fn hosts(&mut self, name: &'static str) -> Vec<String> {
        let hosts = self.list(name);
        for host in &hosts {
            if host.contains('/') || host.contains('*') || host.contains(char::is_whitespace) {
                self.problems
                    .add(name, format!("{host:?} is not a host name such as mcp.example.com (no https://, no *)"));
            }
        }
        hosts.into_iter().map(|host| in_brackets(&host.to_ascii_lowercase())).collect()
    }

    pub(super) fn origins(&mut self, name: &'static str) -> Vec<String> {
        let origins = self.list(name);
        for origin in &origins {
            if !crate::middleware::host::is_origin(origin) {
                let text =
                    "is not an origin such as https://claude.ai or chrome-extension://ID (no path, no *, not null)";
                self.problems.add(name, format!("{origin:?} {text}"));
            }
        }
        origins.into_iter().map(|o| o.to_ascii_lowercase()).collect()
    }
}

/// The host as `Host` has it: an IPv6 address in brackets (RFC 9110 §7.2), in the one form that clients bring it into
/// (RFC 5952).
fn in_brackets(host: &str) -> String {
    let (address, rest) = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        Some(parts) => parts,
        None => (host, ""),
    };
    address.parse::<Ipv6Addr>().map_or_else(|_| host.to_owned(), |address| format!("[{address}]{rest}"))
}
