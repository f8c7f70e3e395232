//! Just enough of Infisical for the store: Universal Auth, folders, and `/api/v4/secrets`, after the routes, schemas and
//! error handler of its server. On a free port, in this process; with faults on demand.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::faults::{Fault, go_wrong};

pub const CLIENT_ID: &str = "0d1f6a52-client-id-of-the-machine";
pub const CLIENT_SECRET: &str = "f6e1c0ffee-client-secret-2b7e1516"; // pragma: allowlist secret
pub const IDENTITY_ID: &str = "9b2c7e10-identity-without-a-secret";
pub const PROJECT: &str = "5a4f3c8e-project";

struct Secret {
    value: String,
    version: u32,
    created_at: SystemTime,
    updated_at: SystemTime,
}

struct Inner {
    on_login: Fault,
    on_secrets: Fault,
    seen: Vec<String>,
    logins: usize,
    lifetime: u32,
    /// Every token that was given out, with the answer that it gets now if it was revoked.
    tokens: HashMap<String, Option<(u16, &'static str)>>,
    folders: BTreeSet<String>,
    /// Tokens of a platform that are good for a login.
    jwts: BTreeSet<String>,
    secrets: BTreeMap<(String, String), Secret>,
    bytes_sent: Arc<std::sync::atomic::AtomicUsize>,
}

type Shared = Arc<Mutex<Inner>>;

pub struct Stub {
    address: SocketAddr,
    shared: Shared,
    task: Option<tokio::task::JoinHandle<()>>,
}

impl Stub {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Mutex::new(Inner {
            on_login: Fault::None,
            on_secrets: Fault::None,
            seen: Vec::new(),
            logins: 0,
            lifetime: 7200,
            tokens: HashMap::new(),
            folders: BTreeSet::from(["/".to_owned()]),
            jwts: BTreeSet::new(),
            secrets: BTreeMap::new(),
            bytes_sent: Arc::default(),
        }));
        let task = Some(serve(listener, Arc::clone(&shared)));
        Self { address, shared, task }
    }

    pub async fn stop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            let _ = task.await; // the port is closed when the task is gone
        }
    }

    pub async fn restart(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.task = Some(serve(listener, Arc::clone(&self.shared)));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        lock(&self.shared)
    }

    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn place(&self) -> String {
        self.address.to_string()
    }

    pub fn on_login(&self, fault: Fault) {
        self.lock().on_login = fault;
    }

    pub fn on_secrets(&self, fault: Fault) {
        self.lock().on_secrets = fault;
    }

    pub fn add_folder(&self, path: &str) {
        self.lock().folders.insert(path.to_owned());
    }

    /// This token of a platform is good for a login, and no other one.
    pub fn trusts(&self, jwt: &str) {
        self.lock().jwts = BTreeSet::from([jwt.to_owned()]);
    }

    pub fn tokens_last(&self, seconds: u32) {
        self.lock().lifetime = seconds;
    }

    /// From now on all tokens so far get this answer.
    pub fn revoke_tokens(&self, status: u16, error: &'static str) {
        self.lock().tokens.values_mut().for_each(|token| *token = Some((status, error)));
    }

    pub fn logins(&self) -> usize {
        self.lock().logins
    }

    pub fn tokens(&self) -> Vec<String> {
        self.lock().tokens.keys().cloned().collect()
    }

    /// Methods and addresses of all requests.
    pub fn seen(&self) -> Vec<String> {
        self.lock().seen.clone()
    }

    pub fn value(&self, folder: &str, name: &str) -> Option<String> {
        self.lock().secrets.get(&(folder.to_owned(), name.to_owned())).map(|secret| secret.value.clone())
    }

    pub fn bytes_sent(&self) -> usize {
        self.lock().bytes_sent.load(std::sync::atomic::Ordering::SeqCst)
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

fn lock(shared: &Shared) -> std::sync::MutexGuard<'_, Inner> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(listener: TcpListener, shared: Shared) -> tokio::task::JoinHandle<()> {
    let app = Router::new().fallback(answer).with_state(shared);
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() })
}

async fn answer(State(shared): State<Shared>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let is_login = head.uri.path().starts_with("/api/v1/auth/");
    let bytes_sent = Arc::clone(&lock(&shared).bytes_sent);
    let fault = {
        let mut inner = lock(&shared);
        inner.seen.push(format!("{} {}", head.method, head.uri));
        inner.logins += usize::from(is_login);
        let fault = if is_login { &mut inner.on_login } else { &mut inner.on_secrets };
        let now = fault.clone();
        if matches!(now, Fault::BusyOnce(_)) {
            *fault = Fault::None;
        }
        now
    };
    let body = to_bytes(body, 1024 * 1024).await.unwrap();
    if let Some(response) = go_wrong(&fault, &bytes_sent).await {
        return response;
    }
    let body: Value = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() };
    assert!(head.method == Method::GET || head.headers[CONTENT_TYPE] == "application/json");
    let mut inner = lock(&shared);
    if is_login {
        assert_eq!(head.method, Method::POST);
        return inner.login(head.uri.path(), &body);
    }
    let token = head.headers.get(AUTHORIZATION).and_then(|v| v.to_str().ok()?.strip_prefix("Bearer "));
    match token.and_then(|token| inner.tokens.get(token)) {
        Some(None) => {}
        Some(Some((status, error))) => return refusal(*status, error, "Token revoked"),
        None => return refusal(403, "TokenError", "The provided access token is malformed."),
    }
    inner.secrets(&head, &body, &fault)
}

impl Inner {
    fn login(&mut self, path: &str, body: &Value) -> Response {
        let known = match path {
            "/api/v1/auth/universal-auth/login" => {
                body["clientId"] == CLIENT_ID && body["clientSecret"] == CLIENT_SECRET
            }
            "/api/v1/auth/kubernetes-auth/login" | "/api/v1/auth/oidc-auth/login" => {
                body["identityId"] == IDENTITY_ID && body["jwt"].as_str().is_some_and(|jwt| self.jwts.contains(jwt))
            }
            _ => return refusal(404, "Not Found", "Route not found"),
        };
        if !known {
            return refusal(401, "UnauthorizedError", "Invalid credentials");
        }
        let number = self.tokens.len();
        let token = format!("eyJhbGciOiJIUzI1NiJ9.access-token-{number:04}-{number:04}-0f3a9c.signature");
        self.tokens.insert(token.clone(), None);
        json(json!({
            "accessToken": token, "expiresIn": self.lifetime, "accessTokenMaxTTL": self.lifetime, "tokenType": "Bearer",
        }))
    }

    fn secrets(&mut self, head: &http::request::Parts, body: &Value, fault: &Fault) -> Response {
        let url = reqwest::Url::parse(&format!("http://stub{}", head.uri)).unwrap();
        let mut segments = url.path_segments().unwrap();
        assert_eq!([segments.next(), segments.next(), segments.next()], [Some("api"), Some("v4"), Some("secrets")]);
        let name = segments.next().map(decoded);
        assert_eq!(segments.next(), None, "{url}");

        let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
        let given = |name: &str| query.get(name).map_or_else(|| body[name].as_str(), |v| Some(v.as_str()));
        let folder = given("secretPath").unwrap_or("/").to_owned();
        let known = (given("projectId"), given("environment")) == (Some(PROJECT), Some("prod"));
        if !known || !self.folders.contains(&folder) {
            return refusal(404, "GetSecretByName", "Folder with path not found in environment");
        }
        let Some(name) = name else {
            let list: Vec<_> = self
                .secrets
                .iter()
                .filter(|((place, _), _)| *place == folder)
                .map(|((_, name), secret)| shown(name, secret, query["viewSecretValue"] == "false")) // pragma: allowlist secret
                .collect();
            return json(json!({"secrets": list, "imports": []}));
        };
        assert!(!name.contains([':', '/']) && name == name.trim(), "SecretNameSchema");
        let place = (folder, name);
        if head.method != Method::GET && matches!(fault, Fault::WantsApproval) {
            return json(json!({"approval": {"id": "1", "status": "open", "hasMerged": false}}));
        }
        match (head.method.as_str(), self.secrets.contains_key(&place)) {
            ("POST", true) => refusal(400, "BadRequest", "Secret already exist"),
            ("POST", false) if matches!(fault, Fault::RefusesNew) => {
                refusal(400, "BadRequest", "Referenced secret not found")
            }
            ("POST", false) => {
                let (now, value) = (SystemTime::now(), trimmed(body));
                let place = match fault {
                    Fault::Capitalises => (place.0, place.1.to_uppercase()),
                    _ => place,
                };
                self.secrets.insert(place.clone(), Secret { value, version: 1, created_at: now, updated_at: now });
                json(json!({"secret": shown(&place.1, &self.secrets[&place], false)}))
            }
            (_, false) => refusal(404, "NotFound", "Secret with name not found"),
            ("GET", true) => {
                let hidden = matches!(fault, Fault::Hides) || query["viewSecretValue"] == "false"; // pragma: allowlist secret
                json(json!({"secret": shown(&place.1, &self.secrets[&place], hidden)}))
            }
            ("PATCH", true) => {
                let secret = self.secrets.get_mut(&place).unwrap();
                (secret.value, secret.version, secret.updated_at) =
                    (trimmed(body), secret.version + 1, SystemTime::now());
                json(json!({"secret": shown(&place.1, secret, false)}))
            }
            ("DELETE", true) => {
                let secret = self.secrets.remove(&place).unwrap();
                json(json!({"secret": shown(&place.1, &secret, false)}))
            }
            (method, _) => panic!("Infisical has no {method} here"),
        }
    }
}

/// `secretRawSchema` of the server.
fn shown(name: &str, secret: &Secret, hidden: bool) -> Value {
    json!({
        "id": "6f1c", "_id": "6f1c", "workspace": PROJECT, "environment": "prod", "version": secret.version,
        "type": "shared", "secretKey": name, "secretComment": "", "secretReminderNote": null,
        "secretValue": if hidden { "<hidden-by-infisical>" } else { secret.value.as_str() },
        "secretValueHidden": hidden, "skipMultilineEncoding": false, "secretPath": "/", "tags": [],
        "createdAt": iso(secret.created_at), "updatedAt": iso(secret.updated_at),
    })
}

/// What the routes do to a value: JavaScript's `trim`, but for a line break at the end.
fn trimmed(body: &Value) -> String {
    let value = body["secretValue"].as_str().unwrap();
    let end = if value.ends_with('\n') { "\n" } else { "" };
    format!("{}{end}", value.trim())
}

fn json(body: Value) -> Response {
    Response::builder()
        .header(CONTENT_TYPE, "application/json; charset=utf-8")
        .body(Body::from(body.to_string()))
        .unwrap()
}

fn refusal(status: u16, error: &str, message: &str) -> Response {
    let mut response = json(json!({"reqId": "req-1", "statusCode": status, "message": message, "error": error}));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

/// Percent-decoding of a path's segment.
fn decoded(segment: &str) -> String {
    // In a query `+` is a space; in a path it is itself.
    let query = segment.replace('+', "%2B").replace('&', "%26").replace('=', "%3D").replace(';', "%3B");
    let url = reqwest::Url::parse(&format!("http://stub/?name={query}")).unwrap();
    url.query_pairs().next().unwrap().1.into_owned()
}

/// As JavaScript writes a date.
fn iso(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap();
    let (mut days, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let is_leap = |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let months = [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= months[month] {
        days -= months[month];
        month += 1;
    }
    let (hour, minute, millis) = (second / 3600, second / 60 % 60, since.subsec_millis());
    format!("{year:04}-{:02}-{:02}T{hour:02}:{minute:02}:{:02}.{millis:03}Z", month + 1, days + 1, second % 60)
}
