//! What the pages can say of the servers of a catalog: the name and address where there is one server, and which commands
//! make sense at all. A page must not print a command for a service that no compose file of this catalog has.

use serde::Serialize;

use crate::catalog::Service;
use crate::catalog::service::{AuthMethod, Kind, Status, TokenStorage};

/// Stands for the name of a server where the catalog has several, or none.
const NAME: &str = "my-server";
/// Stands for its host name.
const HOST: &str = "mcp.example.com";

/// The servers of a catalog, templates left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fleet {
    /// How many servers there are.
    servers: usize,
    /// The name of the only server, or `my-server`.
    name: String,
    /// The host name of the only server, or `mcp.example.com`.
    host: String,
    /// Whether the two are those of a real server.
    named: bool,
    /// Whether a server keeps its tokens in PostgreSQL. With no server in the catalog, this and the rest are true.
    postgres: bool,
    /// Whether a server keeps its tokens in Infisical.
    infisical: bool,
    /// Whether a server keeps its tokens in environment variables.
    env: bool,
    /// Whether callers of a server come through Cloudflare Access.
    access: bool,
    /// Whether callers of a server come with a Bearer token.
    bearer: bool,
}

impl Fleet {
    /// Returns what there is to say of these entries of a catalog.
    #[must_use]
    pub fn of(services: &[Service]) -> Self {
        let servers: Vec<&Service> = services.iter().filter(|service| service.kind == Kind::Server).collect();
        let stores = |storage| servers.is_empty() || servers.iter().any(|service| service.token_storage == storage);
        let callers = |method| servers.is_empty() || servers.iter().any(|service| service.auth_method == method);
        let only = match servers.as_slice() {
            [only] if only.status != Status::Deprecated => name(only).zip(host(only)),
            _ => None,
        };
        let (name, host) = only.unwrap_or((NAME, HOST));
        Self {
            servers: servers.len(),
            name: name.to_owned(),
            host: host.to_owned(),
            named: only.is_some(),
            postgres: stores(TokenStorage::Postgresql),
            infisical: stores(TokenStorage::Infisical),
            env: stores(TokenStorage::Env),
            access: callers(AuthMethod::CloudflareAccess),
            bearer: callers(AuthMethod::Bearer),
        }
    }
}

/// The name, where it can be that of a project, a program and a folder.
fn name(service: &Service) -> Option<&str> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    let name = service.name.as_str();
    (name.starts_with(|c: char| c.is_ascii_lowercase()) && name.bytes().all(plain)).then_some(name)
}

/// The host name of its address, where a command can have it without quotation marks.
fn host(service: &Service) -> Option<&str> {
    let host = service.url.as_deref()?.strip_prefix("https://")?.split(['/', '?', '#']).next()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    (!host.is_empty() && host.bytes().all(plain)).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    fn fleet(services: &str) -> Fleet {
        Fleet::of(&Catalog::parse(format!("services:\n{services}").as_bytes()).unwrap().services)
    }

    const TEMPLATE: &str = "  - {name: T, kind: template, status: planned, location: droplet, auth_method: bearer, token_storage: infisical}\n";

    #[test]
    fn the_only_server_has_its_own_name() {
        let entry = |name: &str, url: &str| {
            format!(
                "  - {{name: \"{name}\", status: planned, location: droplet, auth_method: cloudflare-access, token_storage: env, url: \"{url}\"}}\n"
            )
        };
        let one = fleet(&format!("{}{TEMPLATE}", entry("notes", "https://notes.example.com/mcp")));
        assert_eq!((one.name.as_str(), one.host.as_str(), one.servers), ("notes", "notes.example.com", 1));
        assert!(one.named && one.env && one.access && !one.postgres && !one.infisical && !one.bearer);
        for (name, url) in
            [("Notes; rm", "https://a.example"), ("notes", "https://a.example:8443/mcp"), ("notes", "https://[::1]/")]
        {
            assert!(!fleet(&entry(name, url)).named, "{name} {url}");
        }
        let two = fleet(&[entry("notes", "https://a.example"), entry("other", "https://b.example")].concat());
        assert_eq!((two.name.as_str(), two.host.as_str(), two.servers), (NAME, HOST, 2));
    }

    #[test]
    fn an_empty_catalog_shows_everything() {
        let none = Fleet::of(&[]);
        assert!(none.postgres && none.infisical && none.env && none.access && none.bearer && !none.named);
        assert!(fleet(TEMPLATE).postgres, "a template is no server");
    }
}
