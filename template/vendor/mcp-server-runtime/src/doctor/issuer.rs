//! An issuer of access tokens, step by step as the server finds its keys: name, metadata, whose they are, keys; its clock
//! and certificate on the way. Then whether it answers questions about tokens, where it is to be asked.

use std::time::{Instant, SystemTime};

use mcp_auth_middleware::{Algorithm, OidcConfig, OidcValidator};
use reqwest::Url;
use serde_json::Value;

use super::http::{self, Answer};
use super::report::{Report, quoted};
use super::runbook::{JWT, NETWORK, SETTINGS};
use super::{certificate, clock, metadata};

const CHECK: &str = "issuer";

/// The ids of the keys; nothing where there are none to be had.
pub(super) async fn check(report: &mut Report, issuer: &OidcConfig) -> Option<Vec<String>> {
    let audiences: Vec<_> = issuer.audiences().iter().map(|audience| quoted(audience)).collect();
    report.ok("audience", format!("tokens of {} are for {}", issuer.issuer(), audiences.join(" or ")));
    let keys = keys(report, issuer).await;
    introspection(report, issuer).await;
    keys
}

async fn keys(report: &mut Report, issuer: &OidcConfig) -> Option<Vec<String>> {
    let name = issuer.issuer();
    let address = match issuer.jwks_uri() {
        Some(address) => address.to_owned(),
        None => {
            let document = document(report, name).await?;
            let address = document.get("jwks_uri").and_then(Value::as_str).unwrap_or_default();
            address.to_owned()
        }
    };
    let Some(url) = Url::parse(&address).ok().filter(http::is_secure) else {
        let text = format!("the keys of {name} are at {}, no https address", quoted(&address));
        report.fail(CHECK, text, "Ask the operator of the issuer: its metadata cannot be used.", JWT);
        return None;
    };
    let answer = fetch(report, &url, issuer.jwks_uri().is_some()).await?;
    let keys = answer.json().and_then(|set| set.get("keys")?.as_array().cloned()).unwrap_or_default();
    let fits = |key: &&Value| issuer.algorithms().iter().any(|algorithm| is_for(key, *algorithm));
    let id = |key: &Value| Some(key.get("kid")?.as_str()?.to_owned());
    let ids: Vec<String> = keys.iter().filter(fits).filter_map(id).collect();
    if ids.is_empty() {
        let names: Vec<_> = issuer.algorithms().iter().map(|algorithm| algorithm.as_str()).collect();
        let (count, names) = (keys.len(), names.join(", "));
        let text =
            format!("{url} answered {} with {count} keys, none of which has an id and is for {names}", answer.status);
        report.fail(CHECK, text, "Compare OIDC_ALGORITHMS with the issuer's keys.", SETTINGS);
        return None;
    }
    let shown: Vec<_> = ids.iter().map(|id| quoted(id)).collect();
    report.ok("key ids", format!("{} keys of {name}: {}", ids.len(), shown.join(", ")));
    Some(ids)
}

/// Returns the issuer's metadata, if it is of this very issuer.
async fn document(report: &mut Report, name: &str) -> Option<Value> {
    let url = Url::parse(name).ok()?;
    let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(443));
    if let Err(error) = http::addresses(host, port).await {
        let advice = "Check the name in OIDC_ISSUER, and the name resolution of this machine or container.";
        report.fail("name", format!("{host} is not known here: {error}"), advice, NETWORK);
        return None;
    }
    let mut attempts = Vec::new();
    for (at, address) in metadata::addresses(&url).iter().enumerate() {
        let answer = fetch(report, address, at == 0).await?;
        let Some(document) = answer.json().filter(|_| answer.status == 200) else {
            attempts.push(format!("{} at {address}", answer.status));
            continue;
        };
        let named = document.get("issuer").and_then(Value::as_str).unwrap_or_default();
        if named == name {
            report.ok(CHECK, format!("{name} has its metadata at {address}"));
            return Some(document);
        }
        let text = format!("issuer: wanted {}, and {address} is of {}", quoted(name), quoted(named));
        let advice = if named.contains('{') {
            "This is the address of many tenants, and each is an issuer of its own: name one in OIDC_ISSUER, several in OIDC_ISSUERS_FILE."
        } else {
            "Write OIDC_ISSUER exactly as the metadata has it, with or without the slash at its end."
        };
        report.fail(CHECK, text, advice, JWT);
        return None;
    }
    let advice = "Check OIDC_ISSUER: it is the address before /.well-known, exactly as tokens have it in iss.";
    report.fail(CHECK, format!("{name} has no metadata: {}", attempts.join(", ")), advice, JWT);
    None
}

/// `first`: the one answer of which the clock and the certificate are looked at.
async fn fetch(report: &mut Report, url: &Url, first: bool) -> Option<Answer> {
    let client = http::client(concat!("mcp-server-runtime/", env!("CARGO_PKG_VERSION"))).ok()?;
    let (asked, since) = (SystemTime::now(), Instant::now());
    match http::send(client.get(url.clone()).header("accept", "application/json")).await {
        Ok(answer) => {
            if first {
                clock::check(report, "the issuer", answer.header("date"), asked, since.elapsed());
                if let Some(ends) = answer.certificate_ends {
                    certificate::check(report, "TLS", ends, NETWORK);
                }
            }
            Some(answer)
        }
        Err(silence) => {
            let advice = match silence {
                http::Silence::Certificate(_) => {
                    "Something stands in between: behind a proxy that opens TLS, SSL_CERT_FILE names its authority."
                }
                _ => "Let this machine or container out to it by HTTPS.",
            };
            report.fail(CHECK, silence.describe(url.host_str().unwrap_or_default()), advice, NETWORK);
            None
        }
    }
}

/// Returns whether a key can be one for this algorithm, by its kind (RFC 7518 §6.1) and by what it says of itself.
fn is_for(key: &Value, algorithm: Algorithm) -> bool {
    let name = algorithm.as_str();
    let kind = match name {
        "EdDSA" => "OKP",
        _ if name.starts_with("ES") => "EC",
        _ => "RSA",
    };
    let says = |member: &str, value: &str| key.get(member).is_none_or(|found| found == value);
    key.get("kty").is_some_and(|kty| kty == kind) && says("alg", name) && says("use", "sig")
}

async fn introspection(report: &mut Report, issuer: &OidcConfig) {
    const CHECK: &str = "introspection";
    let Ok(validator) = OidcValidator::new(vec![issuer.clone()]) else { return };
    match validator.try_introspection().await {
        None => {}
        Some(Ok(())) => report.ok(CHECK, format!("{} answers questions about tokens", issuer.issuer())),
        Some(Err(error)) => {
            let advice = match error.as_str() {
                "status 401" | "status 403" | "status 400" => {
                    "Compare OIDC_INTROSPECTION_CLIENT_ID and its secret with the client at the issuer, and what it may do."
                }
                _ => "Check OIDC_INTROSPECTION_URL, or the issuer's metadata, and the way there.",
            };
            report.fail(CHECK, format!("{}: {error}", issuer.issuer()), advice, SETTINGS);
        }
    }
}
