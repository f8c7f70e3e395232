//! Managed OAuth: Access as the authorization server of the application. Metadata (RFC 9728, RFC 8414), authorization code with
//! PKCE, refresh tokens, and opaque access tokens that mean something at the edge alone.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mcp_auth_middleware::testing::{random_text, s256};
use serde_json::json;
use url::Url;

use super::edge::{host, person};
use super::pages;
use super::team::{Caller, Changing, Grant, Team};

/// "Access token lifetime", Cloudflare's default.
const ACCESS: Duration = Duration::from_secs(15 * 60);
/// "Grant session duration".
const REFRESH: Duration = Duration::from_secs(14 * 24 * 3600);
const CODE: Duration = Duration::from_secs(60);

/// The kinds of errors, RFC 6749 §5.2, RFC 7591 §3.2.2 and RFC 8707 §2.
#[derive(Debug, Clone, Copy)]
pub(super) enum Refused {
    ClientMetadata,
    Request,
    Client,
    Grant,
    GrantType,
    Target,
}

/// The answer of an endpoint that is asked by programs.
pub(super) fn refuse(kind: Refused, why: &str) -> Response {
    let (status, error) = match kind {
        Refused::ClientMetadata => (StatusCode::BAD_REQUEST, "invalid_client_metadata"),
        Refused::Request => (StatusCode::BAD_REQUEST, "invalid_request"),
        Refused::Client => (StatusCode::UNAUTHORIZED, "invalid_client"),
        Refused::Grant => (StatusCode::BAD_REQUEST, "invalid_grant"),
        Refused::GrantType => (StatusCode::BAD_REQUEST, "unsupported_grant_type"),
        Refused::Target => (StatusCode::BAD_REQUEST, "invalid_target"),
    };
    (status, Json(json!({"error": error, "error_description": why}))).into_response()
}

/// The members of a query or a form, in their order.
pub(super) fn form(text: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

/// The members of a form by name; the first of two counts.
fn members(text: &str) -> HashMap<String, String> {
    form(text).into_iter().rev().filter(|(_, value)| !value.is_empty()).collect()
}

/// `GET /.well-known/oauth-authorization-server`.
pub(super) async fn server_metadata(State(team): State<Arc<Team>>) -> Response {
    if !team.changing().faults.managed_oauth {
        return StatusCode::NOT_FOUND.into_response();
    }
    let issuer = &team.settings.team_domain;
    let endpoint = |name: &str| format!("{issuer}/cdn-cgi/access/oauth/{name}");
    let metadata = json!({
        "issuer": issuer,
        "authorization_endpoint": endpoint("authorization"),
        "token_endpoint": endpoint("token"),
        "registration_endpoint": endpoint("registration"),
        "revocation_endpoint": endpoint("revoke"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "code_challenge_methods_supported": ["S256"],
    });
    ([(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")], Json(metadata)).into_response()
}

/// `GET /.well-known/cloudflare-access-protected-resource/PATH`, and under the name of RFC 9728.
pub(super) async fn resource_metadata(State(team): State<Arc<Team>>, uri: Uri, headers: HeaderMap) -> Response {
    if !team.changing().faults.managed_oauth {
        return StatusCode::NOT_FOUND.into_response();
    }
    let path = uri.path().splitn(4, '/').nth(3).unwrap_or_default();
    let metadata = json!({
        "resource": format!("http://{}/{path}", host(&headers)),
        "authorization_servers": [team.settings.team_domain],
        "bearer_methods_supported": ["header"],
        "protected": true,
    });
    ([(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")], Json(metadata)).into_response()
}

/// A request for a code that may be shown a login page.
struct Asked {
    client: String,
    redirect_uri: String,
    state: Option<String>,
    challenge: String,
    resource: Option<String>,
}

impl Asked {
    /// Errors are answered here, and not sent to the redirect address, which may belong to an attacker.
    fn check(team: &Team, text: &str) -> Result<Self, Box<Response>> {
        let mut given = members(text);
        let no = |kind, why| Err(Box::new(refuse(kind, why)));
        let client = given.remove("client_id").unwrap_or_default();
        let redirect_uri = given.remove("redirect_uri").unwrap_or_default();
        match team.changing().clients.get(&client) {
            None => return no(Refused::Client, "no client with this client_id is registered"),
            Some(known) if !known.redirect_uris.contains(&redirect_uri) => {
                return no(Refused::Request, "redirect_uri is not one that the client has registered");
            }
            Some(_) => {}
        }
        if given.get("response_type").map(String::as_str) != Some("code") {
            return no(Refused::Request, "response_type must be code");
        }
        let challenge = given.remove("code_challenge").unwrap_or_default();
        if challenge.is_empty() || given.get("code_challenge_method").map(String::as_str) != Some("S256") {
            return no(Refused::Request, "code_challenge_method must be S256 for public clients");
        }
        let resource = given.remove("resource");
        if resource.as_ref().is_some_and(|resource| !is_ours(team, resource)) {
            return no(Refused::Target, "resource is not this application");
        }
        Ok(Self { client, redirect_uri, state: given.remove("state"), challenge, resource })
    }
}

/// Returns whether a resource is behind this edge: this machine, at the port of the team domain.
fn is_ours(team: &Team, resource: &str) -> bool {
    let port = |url: &Url| url.port_or_known_default();
    let Ok(own) = Url::parse(&team.settings.team_domain) else { return false };
    Url::parse(resource).is_ok_and(|url| {
        matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
            && port(&url) == port(&own)
            && url.fragment().is_none()
    })
}

/// `GET /cdn-cgi/access/oauth/authorization`: the login page.
pub(super) async fn ask(State(team): State<Arc<Team>>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    match Asked::check(&team, &query) {
        Ok(_) => pages::login_form("/cdn-cgi/access/oauth/authorization", &form(&query)),
        Err(refused) => *refused,
    }
}

/// `POST` of that page: back to the client, with a code.
pub(super) async fn authorize(State(team): State<Arc<Team>>, body: String) -> Response {
    let asked = match Asked::check(&team, &body) {
        Ok(asked) => asked,
        Err(refused) => return *refused,
    };
    let Some(caller) = person(&form(&body)) else {
        return (StatusCode::BAD_REQUEST, "give an address of mail\n").into_response();
    };
    // Access needs the resource (RFC 8707); without it the login ends at the application instead of at the client.
    let Some(resource) = asked.resource else {
        let cookie = super::edge::set_cookie(&team.log_in(caller));
        return (StatusCode::FOUND, [(header::LOCATION, "/".to_owned()), (header::SET_COOKIE, cookie)]).into_response();
    };
    let Ok(mut back) = Url::parse(&asked.redirect_uri) else {
        return refuse(Refused::Request, "redirect_uri is no address");
    };
    let code = random_text();
    back.query_pairs_mut().append_pair("code", &code);
    if let Some(state) = &asked.state {
        back.query_pairs_mut().append_pair("state", state);
    }
    let grant = Grant {
        caller,
        client: asked.client,
        resource,
        until: Instant::now() + CODE,
        redirect_uri: asked.redirect_uri,
        challenge: asked.challenge,
    };
    team.changing().codes.insert(code, grant);
    (StatusCode::FOUND, [(header::LOCATION, String::from(back))]).into_response()
}

/// `POST /cdn-cgi/access/oauth/token`.
pub(super) async fn token(State(team): State<Arc<Team>>, headers: HeaderMap, body: String) -> Response {
    let given = members(&body);
    let get = |name: &str| given.get(name).map(String::as_str).unwrap_or_default();
    let mut changing = team.changing();
    let Some(client) = authenticated(&changing, &headers, get("client_id"), get("client_secret")) else {
        return refuse(Refused::Client, "no such client, or not its secret");
    };
    let now = Instant::now();
    // A code or a refresh token that was presented is used up, whatever comes of it.
    let found = match get("grant_type") {
        "authorization_code" => changing
            .codes
            .remove(get("code"))
            .filter(|grant| grant.redirect_uri == get("redirect_uri") && grant.challenge == s256(get("code_verifier"))),
        "refresh_token" => changing.refresh.remove(get("refresh_token")),
        _ => return refuse(Refused::GrantType, "grant_type must be authorization_code or refresh_token"),
    };
    let Some(grant) = found.filter(|grant| grant.until > now && grant.client == client) else {
        return refuse(
            Refused::Grant,
            "the code or the refresh token is unknown, used, over, or of another client or verifier",
        );
    };
    let same = |resource: &str| resource.trim_end_matches('/') == grant.resource.trim_end_matches('/');
    if given.get("resource").is_some_and(|resource| !same(resource)) {
        return refuse(Refused::Target, "resource is another one than at the login");
    }
    let (access, refresh) = (format!("oauth:{}", random_text()), format!("oauth:{}", random_text()));
    let answer = json!({
        "access_token": access, "token_type": "bearer", "expires_in": ACCESS.as_secs(), "scope": "",
        "resource": grant.resource, "refresh_token": refresh,
    });
    changing.access.retain(|_, grant| grant.until > now);
    changing.access.insert(access, Grant { until: now + ACCESS, ..grant.clone() });
    changing.refresh.insert(refresh, Grant { until: now + REFRESH, ..grant });
    ([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response()
}

/// `POST /cdn-cgi/access/oauth/revoke` (RFC 7009): an unknown token is no error.
pub(super) async fn revoke(State(team): State<Arc<Team>>, body: String) -> StatusCode {
    let given = members(&body);
    let token = given.get("token").map(String::as_str).unwrap_or_default();
    let mut changing = team.changing();
    changing.access.remove(token);
    changing.refresh.remove(token);
    StatusCode::OK
}

/// The client of a request: a public one by its id, any other with its secret, in the form or by HTTP Basic.
fn authenticated(changing: &Changing, headers: &HeaderMap, id: &str, secret: &str) -> Option<String> {
    let basic = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Basic "));
    let (id, secret) = match basic {
        None => (id.to_owned(), secret.to_owned()),
        Some(encoded) => {
            let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
            let (id, secret) = text.split_once(':')?;
            // RFC 6749 §2.3.1: each is form-encoded.
            let decoded = |text: &str| form(text).into_iter().next().map(|(name, _)| name).unwrap_or_default();
            (decoded(id), decoded(secret))
        }
    };
    let known = changing.clients.get(&id)?;
    known.secret.as_ref().is_none_or(|own| *own == secret).then_some(id)
}

/// The caller of an opaque access token.
pub(super) fn caller(team: &Team, token: &str) -> Option<Caller> {
    let changing = team.changing();
    changing.access.get(token).filter(|grant| grant.until > Instant::now()).map(|grant| grant.caller.clone())
}
