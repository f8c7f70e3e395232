//! The facts about the servers of a catalog that the pages use: the name and address of a single server, and which
//! commands apply. A page must not print a command for a service that no compose file of this catalog has.

use serde::Serialize;

use crate::catalog::Service;
use crate::catalog::service::{AuthMethod, ServiceKind, ServiceStatus, TokenStorage};

/// The placeholder for a server name when the catalog has no server or several.
const NAME: &str = "my-server";
/// The placeholder for its host name.
const HOST: &str = "mcp.example.com";

/// The servers of a catalog, without templates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fleet {
    /// The number of servers.
    servers: usize,
    /// The name of the only server, or `my-server`.
    name: String,
    /// The host name of the only server, or `mcp.example.com`.
    host: String,
    /// `true` when name and host belong to a real server.
    named: bool,
    /// `true` when a server keeps its tokens in PostgreSQL. Without servers in the catalog, this field and the
    /// following are `true`.
    postgres: bool,
    /// `true` when a server keeps its tokens in Infisical.
    infisical: bool,
    /// `true` when a server keeps its tokens in Vault or OpenBao.
    vault: bool,
    /// `true` when a server keeps its tokens in environment variables.
    env: bool,
    /// `true` when a server authenticates callers by Cloudflare Access.
    access: bool,
    /// `true` when a server authenticates callers by a Bearer token.
    bearer: bool,
}

impl Fleet {
    /// Returns the facts about these entries of a catalog.
    #[must_use]
    pub fn from_services(services: &[Service]) -> Self {
        let servers: Vec<&Service> = services.iter().filter(|service| service.kind == ServiceKind::Server).collect();
        let stores =
            |storage| servers.is_empty() || servers.iter().any(|service| service.token_storage == Some(storage));
        let callers = |method| servers.is_empty() || servers.iter().any(|service| service.auth_method == Some(method));
        let only = match servers.as_slice() {
            [only] if !matches!(only.status, Some(ServiceStatus::Deprecated | ServiceStatus::Retired)) => {
                name(only).zip(host(only))
            }
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
            vault: stores(TokenStorage::Vault),
            env: stores(TokenStorage::Env),
            access: callers(AuthMethod::CloudflareAccess),
            bearer: callers(AuthMethod::Bearer),
        }
    }
}

/// Returns the name if it is valid for a project, a program and a folder.
fn name(service: &Service) -> Option<&str> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    let name = service.name.as_str();
    (name.starts_with(|c: char| c.is_ascii_lowercase()) && name.bytes().all(plain)).then_some(name)
}

/// Returns the host name of the address if a command can use it without quotation marks.
fn host(service: &Service) -> Option<&str> {
    let host = service.main_url()?.strip_prefix("https://")?.split(['/', '?', '#']).next()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    (!host.is_empty() && host.bytes().all(plain)).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    fn fleet(services: &str) -> Fleet {
        Fleet::from_services(&Catalog::parse(format!("services:\n{services}").as_bytes()).unwrap().services)
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
        let none = Fleet::from_services(&[]);
        assert!(none.postgres && none.infisical && none.env && none.access && none.bearer && !none.named);
        assert!(fleet(TEMPLATE).postgres, "a template is no server");
    }
}
