//! A caller's token, taken apart: what each check wants and what the token has. Whether it counts is said by the validator
//! itself. The token, its signature and claims that decide nothing are in no line.

use std::io::Read as _;
use std::path::Path;
use std::time::SystemTime;

use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use mcp_auth_middleware::{
    AccessConfig, AccessValidator, AuthError, OidcConfig, OidcValidator, User, validate_access_token,
    validate_cloudflare_access_jwt,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

use super::report::{Report, quoted};
use super::runbook::{ACCESS, CODES, JWT};
use crate::config::Config;
use crate::secret_files;

const CHECK: &str = "token";
/// A token has about 1 KiB, and one of more than 16 KiB is refused.
const MOST: u64 = 64 * 1024;
/// As the validator has it, in seconds.
const LEEWAY: i64 = 60;

/// The key ids of the team and of each issuer, where they could be had.
#[derive(Default)]
pub(super) struct Known {
    pub(super) team: Option<Vec<String>>,
    pub(super) issuers: Vec<Option<Vec<String>>>,
}

/// Reads the token from this file, or from standard input.
pub(super) fn read(report: &mut Report, file: Option<&Path>) -> Option<SecretString> {
    const ADVICE: &str = "Give the token there: --token - <FILE, or --token-file FILE";
    let text = match file {
        Some(path) => secret_files::read(path).map_err(|problem| format!("{}: {problem}", path.display())),
        None => {
            let mut bytes = Vec::new();
            match std::io::stdin().lock().take(MOST).read_to_end(&mut bytes) {
                Ok(_) => Ok(String::from_utf8_lossy(&bytes).into_owned().into()),
                Err(error) => Err(format!("standard input: {error}")),
            }
        }
    };
    match text.map(|text: SecretString| bare(text.expose_secret()).to_owned()) {
        Ok(token) if token.is_empty() => report.fail(CHECK, "there is nothing on standard input", ADVICE, JWT),
        Ok(token) => return Some(token.into()),
        Err(problem) => report.fail(CHECK, problem, ADVICE, JWT),
    }
    None
}

/// Says what becomes of the token.
pub(super) async fn check(report: &mut Report, config: &Config, known: &Known, token: &SecretString) {
    let token = token.expose_secret();
    let (access, issuers) = (config.auth.cloudflare.as_ref(), &config.auth.oidc);
    if access.is_none() && issuers.is_empty() {
        let advice =
            "Set AUTH_MODE to a mode that takes tokens, and CF_ACCESS_TEAM_DOMAIN and CF_ACCESS_AUD, or OIDC_ISSUER.";
        report.fail(CHECK, "neither Cloudflare Access nor an issuer is configured here", advice, ACCESS);
        return;
    }
    let opaque = token.split('.').count() != 3 && issuers.iter().any(OidcConfig::asks_about_opaque_tokens);
    if opaque {
        report.ok(CHECK, "it is no JWT: the issuer is asked about it");
        return verdict(report, access.filter(|_| false), issuers, token).await;
    }
    let Some((header, claims)) = parts(report, token, access.is_some()) else {
        return verdict(report, access, issuers, token).await;
    };
    // It is held to the rules of the issuer that it names; where there is none of that name, to those of the first.
    let named = issuers.iter().position(|issuer| text(&claims, "iss") == Some(issuer.issuer()));
    let at = named.or_else(|| access.is_none().then_some(0));
    let wanted = match (at.and_then(|at| Some((at, issuers.get(at)?))), access) {
        (Some((at, issuer)), _) => Wanted::of_issuer(issuer, known.issuers.get(at).and_then(Option::as_deref)),
        (None, Some(access)) => Wanted::of_team(access, known.team.as_deref()),
        (None, None) => return,
    };
    wanted.header(report, &header);
    wanted.claims(report, &claims);
    verdict(report, access.filter(|_| at.is_none()), issuers, token).await;
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

/// Header and claims as the token has them, before its signature is checked.
fn parts(report: &mut Report, token: &str, of_access: bool) -> Option<(Map<String, Value>, Map<String, Value>)> {
    let advice = if of_access {
        "Copy all of the header cf-access-jwt-assertion, or of the output of `cloudflared access token`."
    } else {
        "Copy all of the token. Where the issuer's tokens are opaque, set OIDC_INTROSPECTION_CLIENT_ID."
    };
    if token.starts_with("oauth:") {
        let text = "this is an opaque token of Managed OAuth: Access takes it and sends the server a JWT instead";
        report.fail(CHECK, text, "Get a JWT: `cloudflared access token --app URL`.", JWT);
        return None;
    }
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, _signature] = parts[..] else {
        let text = format!("a JWT has 3 parts between dots (RFC 7515), and this has {}", parts.len());
        // Auth0's, where nobody has asked for an audience.
        let advice = match parts.len() {
            5 => {
                "It is encrypted for the issuer itself: the client has to ask for a token for this server (its audience or resource)."
            }
            _ => advice,
        };
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

/// The claims that this server requires, and the advice where a token has others.
struct Wanted<'a> {
    algorithms: Vec<&'static str>,
    issuer: &'a str,
    audience_claim: &'a str,
    audiences: &'a [String],
    keys: Option<&'a [String]>,
    now: DateTime<Utc>,
    advice: &'static Advice,
}

struct Advice {
    kind: &'static str,
    keys: &'static str,
    issuer: &'static str,
    audience: &'static str,
    /// Where the token is for nobody in particular.
    no_audience: &'static str,
    audience_of: &'static str,
    runbook: &'static str,
}

const OF_TEAM: Advice = Advice {
    kind: "This is no token of Access, which has no other algorithm.",
    keys: "It is another team's token, or older than the keys: log in again.",
    issuer: "Set CF_ACCESS_TEAM_DOMAIN to the team that issues the tokens.",
    audience: "Add the AUD tag of the application that the caller logged in to: CF_ACCESS_AUD.",
    no_audience: "Send the token of an application: that of the team's session is for none.",
    audience_of: "an AUD tag of CF_ACCESS_AUD",
    runbook: ACCESS,
};

const OF_ISSUER: Advice = Advice {
    kind: "Add the algorithm to OIDC_ALGORITHMS, if it is the issuer's.",
    keys: "It is another issuer's token, or older than the keys: log in again.",
    issuer: "Set OIDC_ISSUER to the issuer of the tokens, exactly as they have it.",
    audience: "Set OIDC_AUDIENCE to what the issuer writes into aud, or let clients ask for this server (RFC 8707).",
    no_audience: "Have the issuer write one: in Keycloak an audience mapper, in the client scope basic; elsewhere let clients ask for \
                  this server (RFC 8707). Amazon Cognito has none: OIDC_AUDIENCE_CLAIM=client_id.",
    audience_of: "an audience of OIDC_AUDIENCE",
    runbook: JWT,
};

impl<'a> Wanted<'a> {
    fn of_team(access: &'a AccessConfig, keys: Option<&'a [String]>) -> Self {
        let (issuer, audiences) = (access.issuer(), access.audiences());
        let algorithms = vec!["RS256"];
        Self { algorithms, issuer, audience_claim: "aud", audiences, keys, now: Utc::now(), advice: &OF_TEAM }
    }

    fn of_issuer(config: &'a OidcConfig, keys: Option<&'a [String]>) -> Self {
        let algorithms = config.algorithms().iter().map(|algorithm| algorithm.as_str()).collect();
        let (issuer, audiences) = (config.issuer(), config.audiences());
        let audience_claim = config.audience_claim();
        Self { algorithms, issuer, audience_claim, audiences, keys, now: Utc::now(), advice: &OF_ISSUER }
    }
}

impl Wanted<'_> {
    fn header(&self, report: &mut Report, header: &Map<String, Value>) {
        match text(header, "alg").filter(|alg| self.algorithms.contains(alg)) {
            Some(alg) => report.ok(CHECK, format!("alg is {alg}")),
            None => {
                let text =
                    format!("alg: wanted {}, got {}", self.algorithms.join(" or "), display_claim(header.get("alg")));
                report.fail(CHECK, text, self.advice.kind, JWT);
            }
        }
        let Some(keys) = self.keys else {
            let text = format!("kid is {}; the keys are not known here", display_claim(header.get("kid")));
            report.warn(CHECK, text, "Fix the way to the key server first.", JWT);
            return;
        };
        let got = display_claim(header.get("kid"));
        if text(header, "kid").is_some_and(|kid| keys.iter().any(|key| key == kid)) {
            report.ok(CHECK, format!("kid is {got}, which the key server has"));
        } else {
            let keys: Vec<_> = keys.iter().map(|key| quoted(key)).collect();
            let text = format!("kid: wanted one of {}, got {got}", keys.join(", "));
            report.fail(CHECK, text, self.advice.keys, JWT);
        }
    }

    fn claims(&self, report: &mut Report, claims: &Map<String, Value>) {
        self.times(report, claims);
        let issuer = self.issuer;
        if text(claims, "iss") == Some(issuer) {
            report.ok(CHECK, format!("iss is {}", quoted(issuer)));
        } else {
            let text = format!("iss: wanted {}, got {}", quoted(issuer), display_claim(claims.get("iss")));
            report.fail(CHECK, text, self.advice.issuer, self.advice.runbook);
        }
        let claim = self.audience_claim;
        let got = match claims.get(claim) {
            Some(Value::Array(tags)) => tags.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(tag)) => vec![tag.as_str()],
            _ => Vec::new(),
        };
        if self.audiences.iter().any(|tag| got.contains(&tag.as_str())) {
            report.ok(CHECK, format!("{claim} holds {}", self.advice.audience_of));
        } else {
            let list = |tags: Vec<&str>| tags.into_iter().take(8).map(quoted).collect::<Vec<_>>().join(", ");
            let wanted = list(self.audiences.iter().map(String::as_str).collect());
            // `account` is in the tokens of each of Keycloak's people, whatever they are for.
            let nobody = got.iter().all(|audience| *audience == "account");
            let advice = if nobody { self.advice.no_audience } else { self.advice.audience };
            let got = if got.is_empty() { "none".to_owned() } else { list(got) };
            report.fail(CHECK, format!("{claim}: wanted one of {wanted}, got {got}"), advice, self.advice.runbook);
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
                let text = format!("exp: wanted seconds since 1970, got {}", display_claim(claims.get("exp")));
                report.fail(CHECK, text, "Without it, a token counts nowhere.", JWT);
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

/// Reports the verdict of the server itself on the token.
async fn verdict(report: &mut Report, access: Option<&AccessConfig>, issuers: &[OidcConfig], token: &str) {
    let refused = |error: AuthError| format!("refused: {} {error}", error.code());
    let verdict = match access {
        Some(access) => match (HeaderValue::from_str(token), AccessValidator::new(access.clone())) {
            (Ok(header), Ok(validator)) => validate_cloudflare_access_jwt(&header, &validator).await,
            _ => Err(AuthError::JwtMalformed),
        },
        None => match OidcValidator::new(issuers.to_vec()) {
            Ok(validator) => validate_access_token(token, &validator).await,
            Err(_) => Err(AuthError::KeysUnavailable),
        },
    };
    match verdict {
        Ok(User { email, kind, .. }) => report.ok(CHECK, format!("accepted: {} {}", kind.as_str(), quoted(&email))),
        Err(error @ AuthError::InsufficientScope) => {
            let advice = "Compare OIDC_REQUIRED_SCOPES with the scope of the token: the client has to ask for it.";
            report.fail(CHECK, refused(error), advice, CODES);
        }
        Err(error @ AuthError::TokenNotActive) => {
            report.fail(
                CHECK,
                refused(error),
                "It has expired, is revoked, or of another issuer: log in again.",
                CODES,
            );
        }
        Err(error @ AuthError::NotAnAccessToken) => {
            let advice = "It is an ID token, or bound to a key of the client: send the access token for this server.";
            report.fail(CHECK, refused(error), advice, CODES);
        }
        Err(error @ (AuthError::KeysUnavailable | AuthError::IntrospectionUnavailable)) => {
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
fn display_claim(value: Option<&Value>) -> String {
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
