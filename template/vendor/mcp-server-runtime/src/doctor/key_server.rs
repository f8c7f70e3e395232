//! The key server, step by step as a fetch goes: name, connection, TLS, HTTP, keys; and its clock on the way.

use std::time::{Instant, SystemTime};

use mcp_auth_middleware::AccessConfig;
use reqwest::Url;

use super::report::{Report, quoted};
use super::runbook::{ACCESS, NETWORK};
use super::{certificate, clock, http};

const CHECK: &str = "key server";

/// The ids of the keys; nothing where there are none to be had.
pub(super) async fn check(report: &mut Report, access: &AccessConfig) -> Option<Vec<String>> {
    let url = Url::parse(access.certs_url()).ok()?;
    let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(443));
    match http::addresses(host, port).await {
        Ok(1) => report.ok("name", format!("{host} has an address")),
        Ok(count) => report.ok("name", format!("{host} has {count} addresses")),
        Err(error) => {
            let advice =
                "Check the name in CF_ACCESS_TEAM_DOMAIN, and the name resolution of this machine or container.";
            report.fail("name", format!("{host} is not known here: {error}"), advice, NETWORK);
            return None;
        }
    }
    let client = http::client(concat!("mcp-server-runtime/", env!("CARGO_PKG_VERSION"))).ok()?;
    let (asked, since) = (SystemTime::now(), Instant::now());
    let answer = match http::send(client.get(url.clone())).await {
        Ok(answer) => answer,
        Err(silence) => {
            let advice = match silence {
                http::Silence::Certificate(_) => {
                    "Something stands in between: behind a proxy that opens TLS, SSL_CERT_FILE names its authority."
                }
                _ => "Let this machine or container out to it by HTTPS.",
            };
            report.fail(CHECK, silence.describe(host), advice, NETWORK);
            return None;
        }
    };
    clock::check(report, "the key server", answer.header("date"), asked, since.elapsed());
    if let Some(ends) = answer.certificate_ends {
        certificate::check(report, "TLS", ends, NETWORK);
    }
    if answer.status != 200 {
        let advice = "Check CF_ACCESS_TEAM_DOMAIN: an unknown team has no keys. Then Cloudflare's status page.";
        report.fail(CHECK, format!("{host} answered {}", answer.status), advice, ACCESS);
        return None;
    }
    let keys = answer.json().and_then(|set| {
        let keys = set.get("keys")?.as_array()?.clone();
        Some(keys.iter().filter_map(|key| Some(key.get("kid")?.as_str()?.to_owned())).collect::<Vec<_>>())
    });
    match keys {
        Some(keys) if !keys.is_empty() => {
            let ids: Vec<_> = keys.iter().map(|id| quoted(id)).collect();
            report.ok("key ids", format!("{} keys: {}", keys.len(), ids.join(", ")));
            Some(keys)
        }
        _ => {
            let advice = "Check CF_ACCESS_TEAM_DOMAIN and CF_ACCESS_CERTS_URL: what answers there is no key server.";
            report.fail(CHECK, format!("{host} answered no key set (RFC 7517)"), advice, ACCESS);
            None
        }
    }
}
