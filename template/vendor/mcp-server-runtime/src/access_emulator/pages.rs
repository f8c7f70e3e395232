//! The pages: a login under any address, and the switches.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse, Response};
use mcp_auth_middleware::testing::TestKey;
use serde_json::json;

use super::faults::Fault;
use super::oauth::form;
use super::team::Team;

/// Where the switches are.
pub(super) const PANEL: &str = "/cdn-cgi/access/emulator";

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}\
input,button{font:inherit;padding:.3rem .6rem}td,th{text-align:left;padding:.2rem .8rem .2rem 0;vertical-align:top}\
form{display:inline}code{overflow-wrap:anywhere}";

/// `GET /cdn-cgi/access/login/HOST`.
pub(super) async fn login(RawQuery(query): RawQuery) -> Response {
    login_form("", &form(&query.unwrap_or_default()))
}

/// The login page; what it was asked with goes along. An empty action is the page's own address.
pub(super) fn login_form(action: &str, hidden: &[(String, String)]) -> Response {
    let mut fields = String::new();
    for (name, value) in hidden.iter().filter(|(name, _)| name != "email" && name != "groups") {
        let _ = writeln!(fields, "<input type=\"hidden\" name=\"{}\" value=\"{}\">", escape(name), escape(value));
    }
    let action = if action.is_empty() { String::new() } else { format!(" action=\"{action}\"") };
    page(
        "Log in",
        &format!(
            "<h1>Log in</h1>\n<p>This is the Access emulator of this project: any address gets in, and nobody is asked for a \
             password.</p>\n<form method=\"post\"{action}>\n{fields}\
             <p><label>Address<br><input name=\"email\" type=\"email\" value=\"ada@example.com\" required autofocus></label></p>\n\
             <p><label>Groups, with commas between<br><input name=\"groups\"></label></p>\n\
             <p><button>Log in</button></p>\n</form>\n"
        ),
    )
}

/// `GET /cdn-cgi/access/emulator`: a page, or JSON for programs.
pub(super) async fn panel(State(team): State<Arc<Team>>, headers: HeaderMap) -> Response {
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let changing = team.changing();
    let (faults, keys) =
        (changing.faults, changing.keys.iter().map(TestKey::kid).map(str::to_owned).collect::<Vec<_>>());
    drop(changing);
    if accepts.contains("application/json") && !accepts.contains("text/html") {
        let switches: serde_json::Map<_, _> =
            faults.switches().into_iter().map(|(name, _, on)| (name.to_owned(), json!(on))).collect();
        let tokens: Vec<_> = team
            .service_tokens
            .iter()
            .map(|token| json!({"clientId": token.id, "clientSecret": token.secret, "allowed": token.allowed}))
            .collect();
        return Json(json!({
            "teamDomain": team.settings.team_domain, "audience": team.settings.audience, "server": team.settings.server,
            "fault": faults.fault.name(), "switches": switches, "keys": keys, "serviceTokens": tokens,
        }))
        .into_response();
    }
    let mut body = format!(
        "<h1>Access emulator</h1>\n<p>It stands before <code>{}</code>. Clients connect to <code>{}/mcp</code> and log in under any \
         address. What you switch here counts from the next request on.</p>\n<h2>Assertions for the server</h2>\n<table>\n",
        escape(&team.settings.server),
        escape(&team.settings.team_domain)
    );
    for (fault, name, what, answer) in Fault::ALL {
        let button =
            if fault == faults.fault { "<strong>on</strong>".to_owned() } else { button("fault", name, "switch on") };
        let _ = writeln!(body, "<tr><td>{button}</td><td>{what}</td><td>{answer}</td></tr>");
    }
    body.push_str("</table>\n<h2>The edge and the key server</h2>\n<table>\n");
    for (name, what, on) in faults.switches() {
        let (state, button) =
            if on { ("yes", button(name, "off", "switch off")) } else { ("no", button(name, "on", "switch on")) };
        let _ = writeln!(body, "<tr><td>{button}</td><td>{what}</td><td>{state}</td></tr>");
    }
    let _ = writeln!(
        body,
        "</table>\n<p>While the key server is down, the server goes on with the keys that it knows. Rotate the keys as well, and it \
         answers 503 MCP-AUTH-017 until the key server is back. It looks for a key that it does not know each 30 seconds at most; until \
         then that is 401 MCP-AUTH-008.</p>\n<h2>Keys</h2>\n<p>{} {}</p>\n<ol>",
        button("keys", "rotate", "rotate: a new key signs, the one before stays published"),
        button("keys", "retire", "publish the newest alone")
    );
    for kid in keys {
        let _ = writeln!(body, "<li><code>{}</code></li>", escape(&kid));
    }
    body.push_str("</ol>\n<h2>Service tokens</h2>\n<table>\n<tr><th>CF-Access-Client-Id</th><th>CF-Access-Client-Secret</th><th></th></tr>\n");
    for token in &team.service_tokens {
        let (id, secret) = (escape(&token.id), escape(&token.secret));
        let _ = writeln!(
            body,
            "<tr><td><code>{id}</code></td><td><code>{secret}</code></td><td>{}</td></tr>",
            token.meaning
        );
    }
    body.push_str("</table>\n");
    page("Access emulator", &body)
}

fn button(name: &str, value: &str, text: &str) -> String {
    format!("<form method=\"post\" action=\"{PANEL}\"><button name=\"{name}\" value=\"{value}\">{text}</button></form>")
}

fn page(title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n<main>\n{body}</main>\n</html>\n"
    );
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";
    ([(header::CONTENT_SECURITY_POLICY, policy), (header::CACHE_CONTROL, "no-store")], Html(html)).into_response()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
