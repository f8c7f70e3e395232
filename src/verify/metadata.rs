//! From a challenge to the place where clients log in (MCP, "Authorization Server Discovery"): the address that
//! `WWW-Authenticate` names (RFC 9728 §5.1), the authorization server in the document there, and its metadata
//! (RFC 8414). Pure; no address is guessed.
#![cfg_attr(not(feature = "online"), allow(dead_code, reason = "only requests use it"))]

use serde_json::Value;
use url::Url;

/// Returns the parameter `resource_metadata` of a challenge: a quoted string or a token (RFC 9110 §11.2).
pub(super) fn resource_metadata(challenge: &str) -> Option<String> {
    const NAME: &str = "resource_metadata";
    let lower = challenge.to_ascii_lowercase();
    for (found, _) in lower.match_indices(NAME) {
        let begins = found == 0 || matches!(lower.as_bytes()[found - 1], b' ' | b',' | b'\t');
        let after = challenge[found + NAME.len()..].trim_start();
        let Some(value) = after.strip_prefix('=').map(str::trim_start).filter(|_| begins) else { continue };
        let end = |text: &str, at: &[char]| text.find(at).unwrap_or(text.len());
        return Some(match value.strip_prefix('"') {
            Some(quoted) => quoted[..end(quoted, &['"'])].to_owned(),
            None => value[..end(value, &[',', ' '])].to_owned(),
        });
    }
    None
}

/// Returns whether a request may go to an address: https, or http to this machine.
pub(super) fn is_secure(url: &Url) -> bool {
    match url.scheme() {
        "https" => url.host_str().is_some(),
        "http" => is_loopback(url),
        _ => false,
    }
}

/// Returns whether an address is one of this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

/// Returns the authorization server that the metadata of a resource names, or the problem.
pub(super) fn authorization_server(document: &Value, address: &str, resource: &Url) -> Result<Url, String> {
    let named = document.get("resource").and_then(Value::as_str).unwrap_or_default();
    if !covers(named, resource) {
        return Err(format!("{address} is about {named:?} and not about {resource}, so clients stop there"));
    }
    let servers = document.get("authorization_servers").and_then(Value::as_array);
    let Some(issuer) = servers.and_then(|servers| servers.first()?.as_str()) else {
        return Err(format!("{address} names no authorization server"));
    };
    Url::parse(issuer)
        .ok()
        .filter(is_secure)
        .ok_or_else(|| format!("the authorization server {issuer:?} has no https address"))
}

/// Returns whether a document about `named` is one about this address: the address itself, or one that it is below.
fn covers(named: &str, resource: &Url) -> bool {
    let Ok(named) = Url::parse(named) else { return false };
    let (above, path) = (named.path().trim_end_matches('/'), resource.path());
    let below = path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    named.origin() == resource.origin() && below
}

/// Returns the addresses at which clients look for the metadata of an issuer, in their order.
pub(super) fn issuer_metadata(issuer: &Url) -> Vec<Url> {
    let path = issuer.path().trim_end_matches('/');
    let at = |path: String| {
        let mut url = issuer.clone();
        url.set_query(None);
        url.set_path(&path);
        url
    };
    let mut all = vec![
        at(format!("/.well-known/oauth-authorization-server{path}")),
        at(format!("/.well-known/openid-configuration{path}")),
        at(format!("{path}/.well-known/openid-configuration")),
    ];
    all.dedup();
    all
}

/// Returns what keeps clients from logging in at an issuer with this metadata.
pub(super) fn problems(document: &Value, issuer: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let named = document.get("issuer").and_then(Value::as_str).unwrap_or_default();
    if named.trim_end_matches('/') != issuer.trim_end_matches('/') {
        problems.push(format!("the metadata of {issuer} is about {named:?} (RFC 8414 section 3.3)"));
    }
    for endpoint in ["authorization_endpoint", "token_endpoint"] {
        if !document.get(endpoint).is_some_and(Value::is_string) {
            problems.push(format!("the metadata of {issuer} has no {endpoint}"));
        }
    }
    let methods = document.get("code_challenge_methods_supported").and_then(Value::as_array);
    if !methods.is_some_and(|methods| methods.iter().any(|method| method == "S256")) {
        problems.push(format!("the metadata of {issuer} does not name PKCE with S256, which clients of MCP need"));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_stands_in_the_challenge() {
        let address = Some("https://h/.well-known/x".to_owned());
        for good in [
            "Bearer realm=\"a, b\", resource_metadata=\"https://h/.well-known/x\"",
            "Bearer Resource_Metadata = https://h/.well-known/x, scope=\"y\"",
            "Bearer x_resource_metadata=\"no\", resource_metadata=\"https://h/.well-known/x\"",
        ] {
            assert_eq!(resource_metadata(good), address, "{good}");
        }
        for bad in ["Bearer realm=\"x\"", "Bearer resource_metadata", "", "\u{130}resource_metadata"] {
            assert_eq!(resource_metadata(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_document_is_about_the_address_or_what_is_above_it() {
        let resource = Url::parse("https://h.example/mcp").unwrap();
        for good in ["https://h.example/mcp", "https://h.example", "https://h.example:443/mcp/"] {
            assert!(covers(good, &resource), "{good}");
        }
        for bad in ["", "https://other.example/mcp", "https://h.example/m", "http://h.example/mcp"] {
            assert!(!covers(bad, &resource), "{bad}");
        }
    }

    #[test]
    fn an_issuer_is_asked_where_the_standards_say() {
        let paths = |issuer: &str| -> Vec<String> {
            issuer_metadata(&Url::parse(issuer).unwrap()).iter().map(|url| url.path().to_owned()).collect()
        };
        let plain = ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"];
        assert_eq!(paths("https://a.example"), plain);
        assert_eq!(
            paths("https://a.example/t"),
            [
                "/.well-known/oauth-authorization-server/t",
                "/.well-known/openid-configuration/t",
                "/t/.well-known/openid-configuration"
            ]
        );
    }
}
