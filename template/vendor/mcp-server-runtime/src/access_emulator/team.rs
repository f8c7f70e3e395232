//! The team: its keys, its application, who is logged in, and the assertions that it signs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use mcp_auth_middleware::testing::{TestKey, now, random_text, sha256};
use serde_json::{Value, json};

use super::clients::Client;
use super::faults::{Fault, Faults};
use super::settings::Settings;

/// How long a login counts at the edge, and an assertion at the server.
const SESSION: Duration = Duration::from_secs(24 * 3600);

/// Whom the edge knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Caller {
    /// A person with an address, and groups of the identity provider.
    Person { email: String, groups: Vec<String> },
    /// A service token with this client id.
    Service(String),
}

impl Caller {
    /// The name for the log.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Person { email, .. } => email,
            Self::Service(id) => id,
        }
    }
}

/// A service token, and whether a policy of the application names it.
pub(super) struct ServiceToken {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) allowed: bool,
    pub(super) meaning: &'static str,
}

/// A grant of an OAuth client: a code, an access token or a refresh token.
#[derive(Debug, Clone)]
pub(super) struct Grant {
    pub(super) caller: Caller,
    pub(super) client: String,
    pub(super) resource: String,
    pub(super) until: Instant,
    /// For a code: where it was sent, and the challenge that its verifier answers.
    pub(super) redirect_uri: String,
    pub(super) challenge: String,
}

/// The state that changes while the emulator runs.
pub(super) struct Changing {
    /// The published keys, the one that signs first.
    pub(super) keys: Vec<TestKey>,
    pub(super) faults: Faults,
    pub(super) clients: HashMap<String, Client>,
    pub(super) codes: HashMap<String, Grant>,
    pub(super) access: HashMap<String, Grant>,
    pub(super) refresh: HashMap<String, Grant>,
    /// Cookies of browsers.
    pub(super) cookies: HashMap<String, (Caller, Instant)>,
}

/// The emulated team.
pub(super) struct Team {
    pub(super) settings: Settings,
    pub(super) service_tokens: Vec<ServiceToken>,
    pub(super) http: reqwest::Client,
    /// A key that is never published.
    stranger: TestKey,
    changing: Mutex<Changing>,
}

impl Team {
    pub(super) fn new(settings: Settings) -> Result<Self, reqwest::Error> {
        let token =
            |id: &str, allowed, meaning| ServiceToken { id: id.to_owned(), secret: random_text(), allowed, meaning };
        let mut service_tokens: Vec<_> = settings
            .service_tokens
            .iter()
            .map(|id| token(id, true, "gets in: a policy of Access and CF_ACCESS_ALLOWED_SERVICE_TOKENS name it"))
            .collect();
        service_tokens.push(token(
            "not-listed.access",
            true,
            "passes Access, and the server does not list it: MCP-AUTH-015",
        ));
        service_tokens.push(token("no-policy.access", false, "no policy of Access names it: 403 of the edge"));
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;
        let changing = Changing {
            keys: vec![new_key()],
            faults: Faults::default(),
            clients: HashMap::new(),
            codes: HashMap::new(),
            access: HashMap::new(),
            refresh: HashMap::new(),
            cookies: HashMap::new(),
        };
        Ok(Self { settings, service_tokens, http, stranger: new_key(), changing: Mutex::new(changing) })
    }

    /// Never held over a point where a task waits.
    pub(super) fn changing(&self) -> MutexGuard<'_, Changing> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Logs a person in: the value of the cookie.
    pub(super) fn log_in(&self, caller: Caller) -> String {
        let cookie = self.sign(self.claims(&caller), Fault::None);
        let mut changing = self.changing();
        changing.cookies.retain(|_, (_, until)| *until > Instant::now());
        changing.cookies.insert(cookie.clone(), (caller, Instant::now() + SESSION));
        cookie
    }

    /// The assertion for the server, with the fault that is chosen. None where that is that there is none.
    pub(super) fn assertion(&self, caller: &Caller) -> Option<String> {
        let fault = self.changing().faults.fault;
        let mut claims = self.claims(caller);
        match fault {
            Fault::NoAssertion => return None,
            Fault::Expired => {
                claims["exp"] = json!(now() - 3600);
                claims["iat"] = json!(now() - 7200);
                claims["nbf"] = json!(now() - 7200);
            }
            Fault::WrongAudience => claims["aud"] = json!(["0".repeat(64)]),
            Fault::OtherTeam => claims["iss"] = json!("https://other.cloudflareaccess.com"),
            Fault::None | Fault::UnknownKey | Fault::WrongSignature => {}
        }
        Some(self.sign(claims, fault))
    }

    fn sign(&self, claims: Value, fault: Fault) -> String {
        let changing = self.changing();
        let key = &changing.keys[0];
        match fault {
            Fault::UnknownKey => self.stranger.sign(&self.stranger.header(), &claims),
            Fault::WrongSignature => self.stranger.sign(&key.header(), &claims),
            _ => key.sign(&key.header(), &claims),
        }
    }

    /// The claims of an application token, as Access has them.
    fn claims(&self, caller: &Caller) -> Value {
        let now = now();
        let mut claims = json!({
            "aud": [self.settings.audience], "exp": now + SESSION.as_secs(), "iat": now, "iss": self.settings.team_domain, "type": "app",
        });
        match caller {
            Caller::Person { email, groups } => {
                claims["email"] = json!(email);
                claims["nbf"] = json!(now);
                claims["sub"] = json!(uuid(email));
                claims["identity_nonce"] = json!(random_text()[..16]);
                claims["country"] = json!("US");
                if !groups.is_empty() {
                    claims["custom"] = json!({"groups": groups});
                }
            }
            Caller::Service(id) => {
                claims["common_name"] = json!(id);
                claims["sub"] = json!("");
            }
        }
        claims
    }

    /// A new key signs from now on; the one before stays published.
    pub(super) fn rotate_keys(&self) {
        let key = new_key();
        let mut changing = self.changing();
        changing.keys.insert(0, key);
        changing.keys.truncate(2);
    }

    /// The key before is published no more.
    pub(super) fn retire_key(&self) {
        self.changing().keys.truncate(1);
    }
}

fn new_key() -> TestKey {
    TestKey::generate(&hex(&sha256(&random_text())))
}

/// The id of a person: the same for the same address.
fn uuid(email: &str) -> String {
    let text = hex(&sha256(&email.to_ascii_lowercase())[..16]);
    [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `GET /cdn-cgi/access/certs`. Cloudflare publishes the keys as certificates, too, which the server does not look at.
pub(super) async fn certs(State(team): State<Arc<Team>>) -> Response {
    let changing = team.changing();
    if !changing.faults.key_server {
        return (StatusCode::SERVICE_UNAVAILABLE, "the key server is down, as you chose\n").into_response();
    }
    let keys: Vec<_> = changing.keys.iter().map(TestKey::jwk).collect();
    Json(json!({"keys": keys})).into_response()
}
