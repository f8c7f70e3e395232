//! The server as a client without credentials meets it, from outside: TLS, the status, and who answered. The same again
//! with the user agent of claude.ai, which an edge may block alone.

use std::net::IpAddr;

use axum::http::HeaderValue;
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};

use super::http::{self, Answer, Silence};
use super::report::{Report, quoted};
use super::runbook::{ACCESS, CODES, FIRST, NETWORK, TUNNEL};
use super::{certificate, metadata};
use crate::config::Config;

const CHECK: &str = "edge";
const PLAIN: &str = concat!("mcp-server-runtime/", env!("CARGO_PKG_VERSION"));
/// The user agent of requests of claude.ai (reported: anthropics/claude-ai-mcp#968).
const CLAUDE: &str = "Claude-User";
/// The first thing that a client of any era may ask for.
const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

/// Who answered, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Who {
    /// This server, with a code of its own.
    Server(String),
    /// This server: the host name is none of its own.
    Host,
    /// The proxy before the server asks for a login in the way that clients of MCP follow.
    Challenge,
    /// A login page, or the way there, which is for browsers.
    Login,
    /// A refusal before the server.
    Block,
    /// Cloudflare without a tunnel to the server.
    NoTunnel,
    /// A proxy that does not reach the server.
    NoServer(u16),
    /// A server that let a caller without a token in.
    Open,
    /// The way to somewhere else.
    Elsewhere(String),
    /// Anything else.
    Other(u16),
}

pub(super) async fn check(report: &mut Report, address: &str, config: &Config) {
    let url = match parse(address) {
        Ok(url) => url,
        Err(why) => {
            report.fail(CHECK, why, "Give the address that clients have: --url https://HOST/mcp", FIRST);
            return;
        }
    };
    let host = url.host_str().unwrap_or_default();
    if let Err(error) = http::addresses(host, url.port_or_known_default().unwrap_or(443)).await {
        let text = format!("{host} is not known here: {error}");
        report.fail(CHECK, text, "Add the public hostname to the tunnel: that makes its DNS record.", TUNNEL);
        return;
    }
    let answer = match ask(&url, PLAIN).await {
        Ok(answer) => answer,
        Err(silence) => return silent(report, host, &silence),
    };
    if let Some(ends) = answer.certificate_ends {
        certificate::check(report, "edge TLS", ends, TUNNEL);
    }
    let who = recognise(&answer, url.path());
    report_answer(report, &who, &answer, &url, config);
    agents(report, &url, &who).await;
    match (metadata::challenge(&answer), &who) {
        (Some(found), _) => metadata::follow(report, &found, &url).await,
        (None, Who::Challenge) => {
            let advice = "Turn on Managed OAuth of the Access application, or name the metadata in WWW-Authenticate.";
            report.fail(
                "metadata",
                "the 401 names no resource_metadata: clients cannot find the login",
                advice,
                ACCESS,
            );
        }
        (None, _) => {}
    }
}

/// The same with the token of a caller, which the server or who stands before it lets in or not.
pub(super) async fn enter(report: &mut Report, address: &str, token: &SecretString) {
    const CHECK: &str = "entry";
    // What is wrong with the address has been said.
    let Ok(url) = parse(address) else { return };
    let Ok(mut credential) = HeaderValue::try_from(format!("Bearer {}", token.expose_secret())) else {
        report.fail(CHECK, "the token cannot be sent in a header", "Copy it again.", CODES);
        return;
    };
    credential.set_sensitive(true);
    let answer = match ask_as(&url, PLAIN, Some(credential)).await {
        Ok(answer) => answer,
        Err(silence) => return silent(report, url.host_str().unwrap_or_default(), &silence),
    };
    let body = answer.json().unwrap_or_default();
    let member = |name: &str| body.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
    match recognise(&answer, url.path()) {
        Who::Open => report.ok(CHECK, format!("{} with the token: it is let in", answer.status)),
        Who::Server(code) if answer.status == 403 && !member("missing_scopes").is_empty() => {
            let text = format!("403 {code}: the token lacks the scopes {}", quoted(member("missing_scopes")));
            report.fail(CHECK, text, "Let the client ask the issuer for them: the answer names them, too.", CODES);
        }
        Who::Server(code) => {
            let text = format!("{} {code} with the token: {}", answer.status, quoted(member("message")));
            report.fail(
                CHECK,
                text,
                "The log of that server has the reason, with what was wanted and what came.",
                CODES,
            );
        }
        _ => {
            let text = format!("{} with the token, and not by this server", answer.status);
            report.fail(CHECK, text, "The proxy before the server does not let the token through.", ACCESS);
        }
    }
}

/// https; http to this machine alone.
fn parse(address: &str) -> Result<Url, String> {
    let url = Url::parse(address).map_err(|error| format!("the address of --url: {error}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the address of --url has a user or a password in it".to_owned());
    }
    if http::is_secure(&url) { Ok(url) } else { Err("the address of --url is not https".to_owned()) }
}

async fn ask(url: &Url, agent: &str) -> Result<Answer, Silence> {
    ask_as(url, agent, None).await
}

async fn ask_as(url: &Url, agent: &str, credential: Option<HeaderValue>) -> Result<Answer, Silence> {
    let client = http::client(agent).map_err(|error| Silence::Broken(error.to_string()))?;
    let mut request = client.post(url.clone()).header("content-type", "application/json").body(PING);
    if let Some(credential) = credential {
        request = request.header("authorization", credential);
    }
    http::send(request.header("accept", "application/json, text/event-stream")).await
}

fn silent(report: &mut Report, host: &str, silence: &Silence) {
    let (check, advice, runbook) = match silence {
        Silence::Certificate(_) => ("edge TLS", "Renew the certificate, or make it name this host.", NETWORK),
        _ => (CHECK, "Compare another network and Cloudflare's status page; then the DNS record of the name.", FIRST),
    };
    report.fail(check, silence.describe(host), advice, runbook);
}

fn recognise(answer: &Answer, path: &str) -> Who {
    let json = answer.json();
    let member = |name: &str| json.as_ref().and_then(|json| json.get(name)?.as_str()).unwrap_or_default();
    if member("code").starts_with("MCP-AUTH-") {
        return Who::Server(member("code").to_owned());
    }
    let login = |text: &str| text.contains("cloudflareaccess.com") || text.contains("/cdn-cgi/access/login");
    match answer.status {
        301..=308 if login(answer.header("location")) => Who::Login,
        301..=308 => Who::Elsewhere(answer.header("location").to_owned()),
        _ if answer.is_html() && login(&answer.body) => Who::Login,
        200..=299 if answer.is_html() => Who::Login,
        200..=299 => Who::Open,
        401 => Who::Challenge,
        403 if answer.body.contains("Host not allowed") => Who::Host,
        403 => Who::Block,
        530 => Who::NoTunnel,
        _ if answer.body.contains("error code: 1033") => Who::NoTunnel,
        status @ (502 | 503 | 504 | 520..=526) => Who::NoServer(status),
        404 if path != "/mcp" => Who::Elsewhere("/mcp".to_owned()),
        status => Who::Other(status),
    }
}

fn report_answer(report: &mut Report, who: &Who, answer: &Answer, url: &Url, config: &Config) {
    let status = answer.status;
    let by = match answer.header("server") {
        "" => String::new(),
        server => format!(" (server: {})", quoted(server)),
    };
    match who {
        Who::Server(code) if config.auth.cloudflare.is_some() && !is_loopback(url) => {
            let text = format!("{status} {code} of this server: the edge lets everybody through to it");
            let advice = "Cover the name by an Access application, without a Bypass policy.";
            report.fail(CHECK, text, advice, ACCESS);
        }
        Who::Server(code) => report.ok(CHECK, format!("{status} {code}: this server answers, and refuses strangers")),
        Who::Host => {
            let text = format!("403 of this server: {} is not in ALLOWED_HOSTS", url.host_str().unwrap_or_default());
            report.fail(CHECK, text, "Add the name to ALLOWED_HOSTS, or set PUBLIC_URL.", ACCESS);
        }
        Who::Challenge => {
            let text = format!("401 of the proxy before the server{by}: callers without a token are asked to log in");
            report.ok(CHECK, text);
        }
        Who::Login => {
            let text = format!("{status} of a login page, which clients of MCP cannot use{by}");
            report.fail(CHECK, text, "Turn on Managed OAuth of the Access application.", ACCESS);
        }
        Who::Block => {
            let text = format!("403 that is not of this server{by}: {}", quoted(answer.body.trim()));
            let advice = "Security > Events has the rule: exempt POST /mcp of this name.";
            report.fail(CHECK, text, advice, ACCESS);
        }
        Who::NoTunnel => {
            let text = format!("{status} of Cloudflare: no tunnel to the server is connected (1033)");
            report.fail(CHECK, text, "Start cloudflared, and look at its log.", TUNNEL);
        }
        Who::NoServer(_) => {
            let text = format!("{status} of a proxy{by} that does not reach the server, or waits for it in vain");
            let advice = "See whether the server runs, and where the public hostname of the tunnel points to.";
            report.fail(CHECK, text, advice, TUNNEL);
        }
        Who::Open => {
            let text = format!("{status} without credentials{by}: this server would never answer so");
            report.fail(CHECK, text, "Stop the tunnel, then look for what answers there.", FIRST);
        }
        Who::Elsewhere(to) => {
            let text = format!("{status}: the server is at {}{by}, not at {}", quoted(to), quoted(url.as_str()));
            report.fail(CHECK, text, "Give clients the address that ends in /mcp and needs no redirect.", FIRST);
        }
        Who::Other(_) => {
            let text = format!("{status}{by}: neither this server nor an edge that is known answers so");
            report.fail(CHECK, text, "Find out what serves that name.", FIRST);
        }
    }
}

/// The same request as claude.ai would send it.
async fn agents(report: &mut Report, url: &Url, plain: &Who) {
    const CHECK: &str = "user agent";
    let answer = match ask(url, CLAUDE).await {
        Ok(answer) => answer,
        Err(silence) => {
            let text = format!("{CLAUDE} gets no answer: {}", silence.describe(url.host_str().unwrap_or_default()));
            report.fail(CHECK, text, "Ask again: another client got one a moment ago.", ACCESS);
            return;
        }
    };
    let who = recognise(&answer, url.path());
    if who == *plain {
        report.ok(CHECK, format!("{CLAUDE} is answered as any other client"));
    } else if who == Who::Block {
        let text = format!("403 for {CLAUDE} alone: a block of AI bots: {}", quoted(answer.body.trim()));
        let advice = "Allow Claude-User under AI Crawl Control > Security, and turn Block AI bots off for this name.";
        report.fail(CHECK, text, advice, ACCESS);
    } else {
        let text = format!("{CLAUDE} is answered otherwise than another client: {}", answer.status);
        report.warn(CHECK, text, "Look for a rule at the edge that goes by the user agent.", ACCESS);
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Who {
        let mut map = axum::http::HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, axum::http::HeaderValue::from_static(value));
        }
        recognise(&Answer { status, headers: map, body: body.to_owned(), certificate_ends: None }, "/mcp")
    }

    #[test]
    fn each_edge_is_recognised() {
        let html = ("content-type", "text/html; charset=utf-8");
        let login = ("location", "https://team.cloudflareaccess.com/cdn-cgi/access/login/mcp.example.com");
        assert_eq!(seen(401, &[], r#"{"code":"MCP-AUTH-001"}"#), Who::Server("MCP-AUTH-001".to_owned()));
        assert_eq!(seen(401, &[], ""), Who::Challenge);
        assert_eq!(seen(302, &[login], ""), Who::Login);
        assert_eq!(seen(403, &[html], "<a href=/cdn-cgi/access/login>"), Who::Login);
        assert_eq!(seen(200, &[html], "<form>"), Who::Login);
        assert_eq!(seen(308, &[("location", "/mcp/")], ""), Who::Elsewhere("/mcp/".to_owned()));
        assert_eq!(seen(403, &[], "Your request was blocked."), Who::Block);
        assert_eq!(seen(530, &[], ""), Who::NoTunnel);
        assert_eq!(seen(503, &[], "error code: 1033"), Who::NoTunnel);
        assert_eq!(seen(502, &[], ""), Who::NoServer(502));
        assert_eq!(seen(200, &[], "{}"), Who::Open);
        assert_eq!(seen(404, &[], ""), Who::Other(404));
    }

    #[test]
    fn an_address_is_https_and_holds_no_password() {
        for good in ["https://mcp.example.com/mcp", "http://127.0.0.1:8080/mcp", "http://[::1]/mcp"] {
            assert!(parse(good).is_ok(), "{good}");
        }
        let secret = "https://user:secret@mcp.example.com/mcp"; // pragma: allowlist secret
        for bad in ["mcp.example.com", "http://mcp.example.com/mcp", secret] {
            let why = parse(bad).unwrap_err();
            assert!(!why.contains("secret"), "{why}");
        }
    }
}
