//! The edge: who comes in, how others are answered, and what the server gets.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use url::Url;

use super::faults::Faults;
use super::oauth::{self, form};
use super::team::{Caller, Team};

const ASSERTION: HeaderName = HeaderName::from_static("cf-access-jwt-assertion");
const COOKIE: &str = "CF_Authorization";

/// RFC 9110 §7.6.1, and what the other connection makes itself.
const HOP_BY_HOP: [HeaderName; 6] = [
    header::CONNECTION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
];

/// Refuses requests under other names than those of this machine, which is how a web page would reach it (DNS rebinding), and forms
/// that another page has sent.
pub(super) async fn this_machine_only(request: Request, next: Next) -> Response {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok()).unwrap_or_default();
    let named = |authority: &str| {
        Url::parse(&format!("http://{authority}/")).is_ok_and(|url| {
            url.username().is_empty() && matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
        })
    };
    let absolute = request.uri().authority().is_none_or(|authority| named(authority.as_str()));
    if !named(host) || !absolute || hosts.next().is_some() {
        return (StatusCode::FORBIDDEN, "the Access emulator answers to localhost and 127.0.0.1 only\n")
            .into_response();
    }
    let own = format!("http://{host}");
    let elsewhere = request.headers().get(header::ORIGIN).is_some_and(|origin| origin.as_bytes() != own.as_bytes());
    if elsewhere && request.method() == Method::POST && request.uri().path().starts_with("/cdn-cgi/") {
        return (StatusCode::FORBIDDEN, "this form is not of the Access emulator\n").into_response();
    }
    next.run(request).await
}

/// The name under which a client has asked.
pub(super) fn host(headers: &HeaderMap) -> &str {
    headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default()
}

/// Any request that is not for Cloudflare itself.
pub(super) async fn pass(State(team): State<Arc<Team>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let line = format!("{} {}", parts.method, parts.uri.path());
    let (name, response) = match admit(&team, &parts) {
        Ok(caller) => {
            let name = caller.name().to_owned();
            (name, forward(&team, &caller, parts, body).await)
        }
        Err(response) => ("nobody".to_owned(), *response),
    };
    eprintln!("Access emulator: {line} by {name}: {}", response.status().as_u16());
    response
}

/// The caller; for anybody else the answer, boxed as it is large.
fn admit(team: &Team, parts: &Parts) -> Result<Caller, Box<Response>> {
    let faults = team.changing().faults;
    let headers = &parts.headers;
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !faults.ai_bots && text("user-agent").contains("Claude-User") {
        return Err(Box::new((StatusCode::FORBIDDEN, "Your request was blocked.").into_response()));
    }
    if headers.contains_key("cf-access-client-id") || headers.contains_key("cf-access-client-secret") {
        return service_token(team, text("cf-access-client-id"), text("cf-access-client-secret"));
    }
    let opaque = text("authorization").strip_prefix("Bearer ").filter(|token| token.starts_with("oauth:"));
    if let (true, Some(token)) = (faults.managed_oauth, opaque) {
        return oauth::caller(team, token).ok_or_else(|| Box::new(challenge(team, parts, faults)));
    }
    let cookie = cookies(headers).find(|(name, _)| *name == COOKIE).map(|(_, value)| value.to_owned());
    let known = cookie.and_then(|cookie| {
        team.changing()
            .cookies
            .get(&cookie)
            .filter(|(_, until)| *until > Instant::now())
            .map(|(caller, _)| caller.clone())
    });
    known.ok_or_else(|| Box::new(challenge(team, parts, faults)))
}

/// Strict service tokens: a bad one is 401, one that no policy names 403, and neither is led to a login.
fn service_token(team: &Team, id: &str, secret: &str) -> Result<Caller, Box<Response>> {
    let (status, why) = match team.service_tokens.iter().find(|token| token.id == id && token.secret == secret) {
        Some(token) if token.allowed => return Ok(Caller::Service(token.id.clone())),
        Some(_) => (StatusCode::FORBIDDEN, "Access: no policy allows this service token\n"),
        None => (StatusCode::UNAUTHORIZED, "Access: the service token is not valid\n"),
    };
    Err(Box::new((status, why).into_response()))
}

/// Answers callers without a session. Browsers, and all clients without Managed OAuth, are led to the login page; other clients
/// get the address of the metadata.
fn challenge(team: &Team, parts: &Parts, faults: Faults) -> Response {
    let host = host(&parts.headers);
    let path = parts.uri.path();
    let metadata = format!("http://{host}/.well-known/cloudflare-access-protected-resource{path}");
    let accepts = parts.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !faults.managed_oauth || accepts.contains("text/html") {
        let back = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let login = login_url(team, host, back);
        let challenge = format!("Cloudflare-Access resource_metadata=\"{metadata}\"");
        return (StatusCode::FOUND, [(header::LOCATION, login), (header::WWW_AUTHENTICATE, challenge)]).into_response();
    }
    let why = "Missing or invalid access token";
    let challenge = format!(
        "Bearer realm=\"OAuth\", error=\"invalid_token\", error_description=\"{why}\", resource_metadata=\"{metadata}\""
    );
    let body = json!({"error": "invalid_token", "error_description": why, "resource_metadata": metadata});
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)], Json(body)).into_response()
}

fn login_url(team: &Team, host: &str, back: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("kid", &team.settings.audience)
        .append_pair("redirect_url", back)
        .finish();
    format!("{}/cdn-cgi/access/login/{host}?{query}", team.settings.team_domain)
}

/// The request as the server gets it: without the credentials of the edge, and with its assertion.
async fn forward(team: &Team, caller: &Caller, parts: Parts, body: Body) -> Response {
    if !team.changing().faults.tunnel {
        return (StatusCode::from_u16(530).unwrap_or(StatusCode::BAD_GATEWAY), "error code: 1033").into_response();
    }
    let mut headers = parts.headers;
    let of_the_edge: Vec<_> = headers.keys().filter(|name| name.as_str().starts_with("cf-access-")).cloned().collect();
    for name in of_the_edge.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
    // The edge has resolved it; what it is worth to a server is nothing.
    if headers.get(header::AUTHORIZATION).is_some_and(|value| value.as_bytes().starts_with(b"Bearer oauth:")) {
        headers.remove(header::AUTHORIZATION);
    }
    if let Some(assertion) = team.assertion(caller).and_then(|token| HeaderValue::from_str(&token).ok()) {
        headers.insert(ASSERTION, assertion);
    }
    if let (Caller::Person { email, .. }, name) =
        (caller, HeaderName::from_static("cf-access-authenticated-user-email"))
        && let Ok(value) = HeaderValue::from_str(email)
    {
        headers.insert(name, value);
    }
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let sent = team.http.request(parts.method, format!("{}{path}", team.settings.server)).headers(headers);
    match sent.body(reqwest::Body::wrap_stream(body.into_data_stream())).send().await {
        Ok(answer) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = answer.status();
            *response.headers_mut() = answer.headers().clone();
            for name in &HOP_BY_HOP {
                response.headers_mut().remove(name);
            }
            *response.body_mut() = Body::from_stream(answer.bytes_stream());
            response
        }
        Err(error) => {
            eprintln!("Access emulator: {} does not answer: {error}", team.settings.server);
            (StatusCode::BAD_GATEWAY, "Bad gateway: the server behind the edge does not answer\n").into_response()
        }
    }
}

/// `POST /cdn-cgi/access/login/HOST`: the cookie, and back to where the browser was going.
pub(super) async fn log_in(State(team): State<Arc<Team>>, body: String) -> Response {
    let given = form(&body);
    let Some(caller) = person(&given) else {
        return (StatusCode::BAD_REQUEST, "give an address of mail\n").into_response();
    };
    let back = given.iter().find(|(name, _)| name == "redirect_url").map_or("/", |(_, back)| back.as_str());
    // A path of this edge, and nothing that a browser takes for another host.
    let here = back.starts_with('/')
        && !back.starts_with("//")
        && back.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let back = if here { back } else { "/" };
    let cookie = set_cookie(&team.log_in(caller));
    (StatusCode::FOUND, [(header::LOCATION, back.to_owned()), (header::SET_COOKIE, cookie)]).into_response()
}

/// `GET /cdn-cgi/access/logout`.
pub(super) async fn log_out(State(team): State<Arc<Team>>, headers: HeaderMap) -> Response {
    for (_, value) in cookies(&headers).filter(|(name, _)| *name == COOKIE) {
        team.changing().cookies.remove(value);
    }
    let gone = format!("{COOKIE}=; Path=/; Max-Age=0");
    ([(header::SET_COOKIE, gone)], "You are logged out.\n").into_response()
}

/// The header of the answer to a login.
pub(super) fn set_cookie(value: &str) -> String {
    format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Lax")
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='))
}

/// The person of a login form: any address, and groups if there are any.
pub(super) fn person(given: &[(String, String)]) -> Option<Caller> {
    let get = |wanted: &str| given.iter().find(|(name, _)| name == wanted).map_or("", |(_, value)| value.trim());
    let email = get("email");
    let is_text = |text: &str| !text.chars().any(|c| c.is_control() || c.is_whitespace());
    let is_address = email.len() <= 254
        && is_text(email)
        && email.split_once('@').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty());
    let groups = get("groups").split(',').map(str::trim).filter(|group| !group.is_empty()).map(str::to_owned);
    is_address.then(|| Caller::Person { email: email.to_owned(), groups: groups.collect() })
}
