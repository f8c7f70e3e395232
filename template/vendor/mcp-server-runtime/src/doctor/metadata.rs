//! From a 401 to the place where clients log in, as MCP has it (Authorization, "Authorization Server Discovery"): the
//! address that `WWW-Authenticate` names (RFC 9728 §5.1), the authorization server that the document there names, and
//! what that says of itself (RFC 8414). No address is guessed.

use reqwest::Url;
use reqwest::header::WWW_AUTHENTICATE;
use serde_json::Value;

use super::http::{self, Answer};
use super::report::{Report, quoted};
use super::runbook::ACCESS;

const CHECK: &str = "metadata";
const LOGIN: &str = "login";

/// The address of the metadata in a challenge.
pub(super) fn challenge(answer: &Answer) -> Option<String> {
    let headers = answer.headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    headers.filter_map(parameter).next()
}

/// `resource_metadata="…"`, a quoted string or a token (RFC 9110 §11.2).
fn parameter(challenge: &str) -> Option<String> {
    const NAME: &str = "resource_metadata";
    let lower = challenge.to_ascii_lowercase();
    let mut start = 0;
    while let Some(found) = lower[start..].find(NAME).map(|at| start + at) {
        let after = challenge[found + NAME.len()..].trim_start();
        let begins = found == 0 || matches!(lower.as_bytes()[found - 1], b' ' | b',' | b'\t');
        if let Some(value) = after.strip_prefix('=').map(str::trim_start).filter(|_| begins) {
            let end = |text: &str, at: &[char]| text.find(at).unwrap_or(text.len());
            return Some(match value.strip_prefix('"') {
                Some(quoted) => quoted[..end(quoted, &['"'])].to_owned(),
                None => value[..end(value, &[',', ' '])].to_owned(),
            });
        }
        start = found + NAME.len();
    }
    None
}

/// Goes the way of a client that wants to log in.
pub(super) async fn follow(report: &mut Report, address: &str, resource: &Url) {
    let Some(document) = document(report, CHECK, address).await else { return };
    let named = document.get("resource").and_then(Value::as_str).unwrap_or_default();
    if !covers(named, resource) {
        let text = format!("{address} is about {}, not about {resource}: clients stop there", quoted(named));
        report.fail(
            CHECK,
            text,
            "Set PUBLIC_URL, or the host name of the Access application, to this address.",
            ACCESS,
        );
        return;
    }
    let servers = document.get("authorization_servers").and_then(Value::as_array);
    let Some(issuer) = servers.and_then(|servers| servers.first()?.as_str()) else {
        let text = format!("{address} names no authorization server");
        report.fail(CHECK, text, "Turn on Managed OAuth of the Access application.", ACCESS);
        return;
    };
    report.ok(CHECK, format!("{address} names the authorization server {}", quoted(issuer)));
    authorization_server(report, issuer).await;
}

/// Returns whether a document about `named` is about this address: it names the address, or one that it is below.
fn covers(named: &str, resource: &Url) -> bool {
    let Ok(named) = Url::parse(named) else { return false };
    let (above, path) = (named.path().trim_end_matches('/'), resource.path());
    let below = path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    named.origin() == resource.origin() && below
}

/// The ways in which clients ask an issuer for its metadata, in their order.
pub(super) fn addresses(issuer: &Url) -> Vec<Url> {
    let path = issuer.path().trim_end_matches('/');
    let at = |path: String| {
        let mut url = issuer.clone();
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

async fn authorization_server(report: &mut Report, issuer: &str) {
    const ADVICE: &str = "Turn on Managed OAuth of the Access application, or correct what the metadata names.";
    let Some(url) = Url::parse(issuer).ok().filter(http::is_secure) else {
        report.fail(LOGIN, format!("the authorization server {} has no https address", quoted(issuer)), ADVICE, ACCESS);
        return;
    };
    let mut found = None;
    for address in addresses(&url) {
        if let Ok(answer) = fetch(&address).await
            && let (200, Some(document)) = (answer.status, answer.json())
        {
            found = Some(document);
            break;
        }
    }
    let Some(document) = found else {
        let text = format!("{} says nothing of itself (RFC 8414): clients cannot log in there", quoted(issuer));
        report.fail(LOGIN, text, ADVICE, ACCESS);
        return;
    };
    let problems = problems(&document, issuer);
    for problem in &problems {
        report.fail(LOGIN, format!("{}: {problem}", quoted(issuer)), ADVICE, ACCESS);
    }
    let registers = document.get("registration_endpoint").is_some()
        || document.get("client_id_metadata_document_supported") == Some(&Value::Bool(true));
    if problems.is_empty() && registers {
        report.ok(LOGIN, format!("{} lets clients register and log in", quoted(issuer)));
    } else if problems.is_empty() {
        let text = format!("{} lets only clients log in that it knows already", quoted(issuer));
        report.warn(LOGIN, text, "Allow registration, or give clients an id by hand.", ACCESS);
    }
}

/// Returns the problems that keep clients from logging in.
fn problems(document: &Value, issuer: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let named = document.get("issuer").and_then(Value::as_str).unwrap_or_default();
    if named != issuer {
        problems.push(format!("its metadata is of {} (RFC 8414 section 3.3)", quoted(named)));
    }
    for endpoint in ["authorization_endpoint", "token_endpoint"] {
        if !document.get(endpoint).is_some_and(Value::is_string) {
            problems.push(format!("its metadata has no {endpoint}"));
        }
    }
    let methods = document.get("code_challenge_methods_supported").and_then(Value::as_array);
    if !methods.is_some_and(|methods| methods.iter().any(|method| method == "S256")) {
        problems
            .push("its metadata does not name PKCE with S256, without which clients of MCP do not log in".to_owned());
    }
    problems
}

async fn document(report: &mut Report, check: &'static str, address: &str) -> Option<Value> {
    const ADVICE: &str = "Let the edge answer this path without a login.";
    let Some(url) = Url::parse(address).ok().filter(http::is_secure) else {
        report.fail(check, format!("resource_metadata is {}, no https address", quoted(address)), ADVICE, ACCESS);
        return None;
    };
    match fetch(&url).await {
        Ok(answer) if answer.status == 200 => match answer.json() {
            Some(document) => return Some(document),
            None => report.fail(check, format!("{address} is no JSON"), ADVICE, ACCESS),
        },
        Ok(answer) => report.fail(check, format!("{address} answered {}", answer.status), ADVICE, ACCESS),
        Err(silence) => report.fail(check, silence.describe(address), ADVICE, ACCESS),
    }
    None
}

async fn fetch(url: &Url) -> Result<Answer, http::Silence> {
    let client = http::client(concat!("mcp-server-runtime/", env!("CARGO_PKG_VERSION")));
    let client = client.map_err(|error| http::Silence::Broken(error.to_string()))?;
    http::send(client.get(url.clone()).header("accept", "application/json")).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_stands_in_the_challenge() {
        let of = |text: &str| parameter(text);
        let address = Some("https://h/.well-known/x".to_owned());
        assert_eq!(of("Bearer realm=\"a, b\", resource_metadata=\"https://h/.well-known/x\""), address);
        assert_eq!(of("Bearer Resource_Metadata = https://h/.well-known/x, scope=\"y\""), address);
        assert_eq!(of("Bearer x_resource_metadata=\"no\", resource_metadata=\"https://h/.well-known/x\""), address);
        assert_eq!(of("Bearer realm=\"x\""), None);
        assert_eq!(of("Bearer resource_metadata"), None);
    }

    #[test]
    fn a_document_is_about_the_address_or_what_is_above_it() {
        let resource = Url::parse("https://h.example/mcp").unwrap();
        for good in ["https://h.example/mcp", "https://h.example", "https://h.example/", "https://h.example:443/mcp/"] {
            assert!(covers(good, &resource), "{good}");
        }
        for bad in ["", "https://other.example/mcp", "https://h.example/m", "http://h.example/mcp"] {
            assert!(!covers(bad, &resource), "{bad}");
        }
    }

    #[test]
    fn an_issuer_is_asked_where_the_standards_say() {
        let of = |issuer: &str| addresses(&Url::parse(issuer).unwrap()).iter().map(Url::to_string).collect::<Vec<_>>();
        assert_eq!(
            of("https://a.example"),
            [
                "https://a.example/.well-known/oauth-authorization-server",
                "https://a.example/.well-known/openid-configuration"
            ]
        );
        assert_eq!(
            of("https://a.example/t"),
            [
                "https://a.example/.well-known/oauth-authorization-server/t",
                "https://a.example/.well-known/openid-configuration/t",
                "https://a.example/t/.well-known/openid-configuration"
            ]
        );
    }
}
