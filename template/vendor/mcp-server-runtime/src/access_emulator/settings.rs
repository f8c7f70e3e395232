//! The settings of the server, as the emulator reads them; and where it refuses to run.
//!
//! It signs any address into a token, so nobody but this machine may reach it, and nothing but a server on this machine may believe
//! it. A container is the exception: its port is published on loopback by compose, and the server shares its network.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use url::Url;

use crate::config::Environment;

/// Where the emulator runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A machine as it is.
    Machine,
    /// A container of Docker or Podman.
    Container,
    /// A pod of Kubernetes.
    Pod,
}

impl Place {
    /// This one.
    pub(super) fn here() -> Self {
        if std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() {
            Self::Pod
        } else if Path::new("/.dockerenv").exists() || Path::new("/run/.containerenv").exists() {
            Self::Container
        } else {
            Self::Machine
        }
    }
}

/// The emulator's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    /// Where to listen.
    pub(super) listen: SocketAddr,
    /// The team domain, which is the emulator's own address and the issuer of its tokens.
    pub(super) team_domain: String,
    /// The server behind the edge, on loopback.
    pub(super) server: String,
    /// The audience tag of the application.
    pub(super) audience: String,
    /// The client ids of the service tokens that the server lets in.
    pub(super) service_tokens: Vec<String>,
}

/// Why the emulator does not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error(
        "CF_ACCESS_TEAM_DOMAIN is empty. Set it to the address of the emulator, such as http://127.0.0.1:8788, here and for the server"
    )]
    NoTeamDomain,
    #[error(
        "CF_ACCESS_TEAM_DOMAIN is {0}. The emulator stands in for a team on this machine only: http://127.0.0.1:PORT or http://localhost:PORT"
    )]
    TeamDomain(String),
    #[error("CF_ACCESS_AUD is empty. Set it to any text, here and for the server")]
    NoAudience,
    #[error("PORT is {0}, which is not the port of a server on this machine")]
    Port(String),
    #[error(
        "it would listen on {0}, where others than this machine reach it, and it lets everybody in. Only in a container may it, whose port is published on 127.0.0.1"
    )]
    Reachable(SocketAddr),
    #[error(
        "this is Kubernetes, where others than one developer reach it, and it lets everybody in. Use a real team there"
    )]
    Kubernetes,
}

impl Settings {
    pub(super) fn read(environment: &Environment, listen: Option<SocketAddr>, place: Place) -> Result<Self, Refusal> {
        if place == Place::Pod {
            return Err(Refusal::Kubernetes);
        }
        let team = environment.text("CF_ACCESS_TEAM_DOMAIN").ok_or(Refusal::NoTeamDomain)?;
        let (team_domain, own) = loopback(&team).ok_or(Refusal::TeamDomain(team))?;
        let listen = listen.unwrap_or(own);
        if !listen.ip().is_loopback() && place != Place::Container {
            return Err(Refusal::Reachable(listen));
        }
        let list = |name| environment.text(name).unwrap_or_default();
        let items = |text: &str| {
            text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        };
        let audience = items(&list("CF_ACCESS_AUD")).into_iter().next().ok_or(Refusal::NoAudience)?;
        let port = environment.text("PORT").unwrap_or_else(|| "8080".to_owned());
        let number: u16 = port.parse().ok().filter(|number| *number != 0).ok_or(Refusal::Port(port))?;
        Ok(Self {
            listen,
            team_domain,
            server: format!("http://127.0.0.1:{number}"),
            audience,
            service_tokens: items(&list("CF_ACCESS_ALLOWED_SERVICE_TOKENS")),
        })
    }
}

/// The origin and the address of `http://127.0.0.1:PORT`, `http://[::1]:PORT` or `http://localhost:PORT`.
fn loopback(text: &str) -> Option<(String, SocketAddr)> {
    let url = Url::parse(text.trim().trim_end_matches('/')).ok()?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if url.scheme() != "http" || !bare || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    let ip = match url.host()? {
        url::Host::Domain("localhost") => IpAddr::V4(Ipv4Addr::LOCALHOST),
        url::Host::Ipv4(ip) if ip == Ipv4Addr::LOCALHOST => ip.into(),
        url::Host::Ipv6(ip) if ip.is_loopback() => ip.into(),
        _ => return None,
    };
    Some((url.origin().ascii_serialization(), SocketAddr::new(ip, url.port_or_known_default()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &[(&str, &str)] = &[
        ("CF_ACCESS_TEAM_DOMAIN", "http://127.0.0.1:8788/"),
        ("CF_ACCESS_AUD", "tag, other"),
        ("CF_ACCESS_ALLOWED_SERVICE_TOKENS", "a.access,b.access"),
        ("PORT", "8081"),
    ];

    fn read(changed: &[(&str, &str)], listen: Option<&str>, place: Place) -> Result<Settings, Refusal> {
        let environment = Environment::from_pairs(GOOD.iter().chain(changed).copied());
        Settings::read(&environment, listen.map(|text| text.parse().expect("an address")), place)
    }

    #[test]
    fn it_stands_in_for_the_team_of_the_servers_settings() {
        let settings = read(&[], None, Place::Machine).expect("good settings");
        assert_eq!(settings.team_domain, "http://127.0.0.1:8788");
        assert_eq!(settings.listen, "127.0.0.1:8788".parse().expect("an address"));
        assert_eq!((settings.server.as_str(), settings.audience.as_str()), ("http://127.0.0.1:8081", "tag"));
        assert_eq!(settings.service_tokens, ["a.access", "b.access"]);
        let localhost = read(&[("CF_ACCESS_TEAM_DOMAIN", "http://localhost:9")], None, Place::Machine);
        assert_eq!(localhost.map(|settings| settings.listen), Ok("127.0.0.1:9".parse().expect("an address")));
    }

    #[test]
    fn nothing_but_this_machine_reaches_it() {
        for team in [
            "https://team.cloudflareaccess.com",
            "https://127.0.0.1:8788",
            "http://192.0.2.1:8788",
            "http://127.0.0.1.example.com:8788",
            "http://user@127.0.0.1:8788",
            "http://127.0.0.1:8788/path",
            "http://0.0.0.0:8788",
            "nothing",
        ] {
            let refused = read(&[("CF_ACCESS_TEAM_DOMAIN", team)], None, Place::Container);
            assert_eq!(refused, Err(Refusal::TeamDomain(team.to_owned())));
        }
        let all = "0.0.0.0:8788";
        let address = all.parse().expect("an address");
        assert_eq!(read(&[], Some(all), Place::Machine), Err(Refusal::Reachable(address)));
        assert_eq!(
            read(&[], Some("192.0.2.1:1"), Place::Machine).map(|_| ()),
            Err(Refusal::Reachable("192.0.2.1:1".parse().expect("an address")))
        );
        assert_eq!(read(&[], Some(all), Place::Container).map(|settings| settings.listen), Ok(address));
        assert_eq!(read(&[], None, Place::Pod), Err(Refusal::Kubernetes));
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(read(&[("CF_ACCESS_TEAM_DOMAIN", "")], None, Place::Machine), Err(Refusal::NoTeamDomain));
        assert_eq!(read(&[("CF_ACCESS_AUD", " ,")], None, Place::Machine), Err(Refusal::NoAudience));
        for port in ["0", "http", "99999"] {
            assert_eq!(read(&[("PORT", port)], None, Place::Machine), Err(Refusal::Port(port.to_owned())));
        }
    }
}
