//! A token of Cloudflare Access, taken apart: what each check wants and what the token has. Whether it counts is said by
//! the validator itself. The token, its signature and claims that decide nothing are in no line.

use std::io::Read as _;
use std::time::SystemTime;

use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use mcp_auth_middleware::{AccessConfig, AccessValidator, AuthError, User, validate_cloudflare_access_jwt};
use serde_json::{Map, Value};

use super::report::{Report, quoted};
use super::runbook::{ACCESS, CODES, JWT};

const CHECK: &str = "token";
/// A token has about 1 KiB, and one of more than 16 KiB is refused.
const MOST: u64 = 64 * 1024;
/// As the validator has it, in seconds.
const LEEWAY: i64 = 60;

/// Reads the token from standard input and says what becomes of it.
pub(super) async fn check(report: &mut Report, access: &AccessConfig, keys: Option<&[String]>) {
    let mut bytes = Vec::new();
    if let Err(error) = std::io::stdin().lock().take(MOST).read_to_end(&mut bytes) {
        report.fail(CHECK, format!("standard input: {error}"), "Give the token there: --token - <FILE", JWT);
        return;
    }
    let text = String::from_utf8_lossy(&bytes);
    let token = bare(&text);
    if token.is_empty() {
        report.fail(CHECK, "there is nothing on standard input", "Give the token there: --token - <FILE", JWT);
        return;
    }
    if let Some((header, claims)) = parts(report, token) {
        let wanted = Wanted { access, keys, now: Utc::now() };
        wanted.header(report, &header);
        wanted.claims(report, &claims);
    }
    verdict(report, access, token).await;
}

/// The token without what people copy along with it.
fn bare(text: &str) -> &str {
    let mut token = text.trim();
    for before in ["cf-access-jwt-assertion:", "authorization:", "bearer "] {
        if token.get(..before.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(before)) {
            token = token[before.len()..].trim_start();
        }
    }
    token
}

/// Header and claims as the token has them; nobody's word yet.
fn parts(report: &mut Report, token: &str) -> Option<(Map<String, Value>, Map<String, Value>)> {
    let advice = "Copy all of the header cf-access-jwt-assertion, or of the output of `cloudflared access token`.";
    if token.starts_with("oauth:") {
        let text = "this is an opaque token of Managed OAuth: Access takes it and sends the server a JWT instead";
        report.fail(CHECK, text, "Get a JWT: `cloudflared access token --app URL`.", JWT);
        return None;
    }
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, _signature] = parts[..] else {
        let text = format!("a JWT has 3 parts between dots (RFC 7515), and this has {}", parts.len());
        report.fail(CHECK, text, advice, JWT);
        return None;
    };
    let decoded = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
    match (decoded(header), decoded(claims)) {
        (Some(header), Some(claims)) => Some((header, claims)),
        (header, _) => {
            let which = if header.is_none() { "header" } else { "payload" };
            report.fail(CHECK, format!("its {which} is no JSON in base64url: it is cut off or changed"), advice, JWT);
            None
        }
    }
}

/// What this server wants of a token.
struct Wanted<'a> {
    access: &'a AccessConfig,
    keys: Option<&'a [String]>,
    now: DateTime<Utc>,
}

impl Wanted<'_> {
    fn header(&self, report: &mut Report, header: &Map<String, Value>) {
        if text(header, "alg") == Some("RS256") {
            report.ok(CHECK, "alg is RS256");
        } else {
            let advice = "This is no token of Access, which has no other algorithm.";
            report.fail(CHECK, format!("alg: wanted RS256, got {}", shown(header.get("alg"))), advice, JWT);
        }
        let Some(keys) = self.keys else {
            let text = format!("kid is {}; the keys are not known here", shown(header.get("kid")));
            report.warn(CHECK, text, "Fix the way to the key server first.", JWT);
            return;
        };
        let got = shown(header.get("kid"));
        if text(header, "kid").is_some_and(|kid| keys.iter().any(|key| key == kid)) {
            report.ok(CHECK, format!("kid is {got}, which the key server has"));
        } else {
            let keys: Vec<_> = keys.iter().map(|key| quoted(key)).collect();
            let text = format!("kid: wanted one of {}, got {got}", keys.join(", "));
            report.fail(CHECK, text, "It is another team's token, or older than the keys: log in again.", JWT);
        }
    }

    fn claims(&self, report: &mut Report, claims: &Map<String, Value>) {
        self.times(report, claims);
        let issuer = self.access.issuer();
        if text(claims, "iss") == Some(issuer) {
            report.ok(CHECK, format!("iss is {}", quoted(issuer)));
        } else {
            let text = format!("iss: wanted {}, got {}", quoted(issuer), shown(claims.get("iss")));
            report.fail(CHECK, text, "Set CF_ACCESS_TEAM_DOMAIN to the team that issues the tokens.", ACCESS);
        }
        let got = match claims.get("aud") {
            Some(Value::Array(tags)) => tags.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(tag)) => vec![tag.as_str()],
            _ => Vec::new(),
        };
        if self.access.audiences().iter().any(|tag| got.contains(&tag.as_str())) {
            report.ok(CHECK, "aud holds an AUD tag of CF_ACCESS_AUD");
        } else {
            let list = |tags: Vec<&str>| tags.into_iter().take(8).map(quoted).collect::<Vec<_>>().join(", ");
            let wanted = list(self.access.audiences().iter().map(String::as_str).collect());
            let got = if got.is_empty() { "none".to_owned() } else { list(got) };
            let advice = "Add the AUD tag of the application that the caller logged in to: CF_ACCESS_AUD.";
            report.fail(CHECK, format!("aud: wanted one of {wanted}, got {got}"), advice, ACCESS);
        }
    }

    fn times(&self, report: &mut Report, claims: &Map<String, Value>) {
        match moment(claims.get("exp")) {
            Some(exp) if (self.now - exp).num_seconds() < LEEWAY => {
                report.ok(CHECK, format!("exp is {}", rfc3339(exp)));
            }
            Some(exp) => {
                let text = format!("exp: wanted a time to come, got {}; it is {}", rfc3339(exp), rfc3339(self.now));
                report.fail(CHECK, text, "Log in again. If the token is new, look at the clock.", JWT);
            }
            None => {
                let text = format!("exp: wanted seconds since 1970, got {}", shown(claims.get("exp")));
                report.fail(CHECK, text, "This is no token of Access.", JWT);
            }
        }
        for claim in ["nbf", "iat"] {
            let Some(from) = moment(claims.get(claim)) else { continue };
            if (from - self.now).num_seconds() > LEEWAY {
                let text =
                    format!("{claim}: wanted a time that has come, got {}; it is {}", rfc3339(from), rfc3339(self.now));
                report.fail(CHECK, text, "Look at the clock of this machine.", JWT);
            }
        }
    }
}

/// What the server itself says of the token.
async fn verdict(report: &mut Report, access: &AccessConfig, token: &str) {
    let refused = |error: AuthError| format!("refused: {} {error}", error.code());
    let verdict = match (HeaderValue::from_str(token), AccessValidator::new(access.clone())) {
        (Ok(header), Ok(validator)) => validate_cloudflare_access_jwt(&header, &validator).await,
        _ => Err(AuthError::JwtMalformed),
    };
    match verdict {
        Ok(User { email, kind, .. }) => report.ok(CHECK, format!("accepted: {} {}", kind.as_str(), quoted(&email))),
        Err(error @ AuthError::KeysUnavailable) => {
            report.fail(CHECK, refused(error), "Fix the way to the key server first.", CODES);
        }
        Err(error @ AuthError::InvalidSignature) => {
            let advice = "It was changed on its way, or the key of that id is another one: log in again.";
            report.fail(CHECK, refused(error), advice, CODES);
        }
        Err(error @ (AuthError::UserNotAllowed | AuthError::ServiceTokenNotAllowed | AuthError::NoIdentity)) => {
            let advice = "Compare ALLOWED_EMAILS, ALLOWED_EMAIL_DOMAINS and CF_ACCESS_ALLOWED_SERVICE_TOKENS.";
            report.fail(CHECK, refused(error), advice, CODES);
        }
        Err(error) => report.fail(CHECK, refused(error), "The lines above have what was wanted and what came.", CODES),
    }
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members.get(name)?.as_str()
}

/// A public value of a token.
fn shown(value: Option<&Value>) -> String {
    match value {
        None => "none".to_owned(),
        Some(Value::String(text)) => quoted(text),
        Some(other) => quoted(&other.to_string()),
    }
}

fn moment(value: Option<&Value>) -> Option<DateTime<Utc>> {
    // A double of any size: the cast stops at the ends.
    DateTime::from_timestamp(value?.as_f64()? as i64, 0)
}

fn rfc3339(time: DateTime<Utc>) -> String {
    DateTime::<Utc>::from(SystemTime::from(time)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::bare;

    #[test]
    fn what_is_copied_along_with_a_token_is_dropped() {
        for text in
            ["a.b.c", " a.b.c\n", "Bearer a.b.c", "cf-access-jwt-assertion: a.b.c", "Authorization: Bearer a.b.c\r\n"]
        {
            assert_eq!(bare(text), "a.b.c", "{text}");
        }
        assert_eq!(bare("äöü"), "äöü");
    }
}
