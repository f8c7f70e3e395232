//! Servers that answer as Vault should not: bounded in time and memory, with a reason, and never with a secret.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use mcp_auth_middleware::{SecretSource, StoreError, VaultConfig, VaultLogin, VaultTokenStore};
use serde_json::{Value, json};

use super::faults::{self, Fault, go_wrong};
use super::{VALUE, get, later, store};

const SECRET_ID: &str = "6c7f0d1e-secret-id-of-the-role";
const TOKEN: &str = "hvs.CAESIJ-access-token-of-the-role-0f3a9c";

/// AppRole and one secret, as OpenBao answers; with faults on demand.
pub struct Stub {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    /// By the end of the path: `login`, `renew-self`, `capabilities-self`, `coda`.
    faults: Mutex<BTreeMap<&'static str, Fault>>,
    seen: Mutex<Vec<String>>,
    bytes_sent: Arc<AtomicUsize>,
}

impl Stub {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { faults: Mutex::default(), seen: Mutex::default(), bytes_sent: Arc::default() });
        let app = axum::Router::new().fallback(answer).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, shared }
    }

    pub fn config(&self) -> VaultConfig {
        let secret_id = SecretSource::Text(SECRET_ID.into());
        let login = VaultLogin::AppRole { role_id: "role".to_owned(), secret_id };
        VaultConfig::new(&format!("http://{}", self.address), login).unwrap().with_path("mcp").unwrap()
    }

    pub fn fault(&self, at: &'static str, fault: Fault) {
        self.shared.faults.lock().unwrap().insert(at, fault);
    }

    pub fn seen(&self) -> Vec<String> {
        self.shared.seen.lock().unwrap().clone()
    }

    pub fn count(&self, end: &str) -> usize {
        self.seen().iter().filter(|request| request.ends_with(end)).count()
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let path = head.uri.path().to_owned();
    let header = |name: &str| head.headers.get(name).map_or("-", |value| value.to_str().unwrap());
    let namespace = header("x-vault-namespace");
    shared.seen.lock().unwrap().push(format!("{namespace} {} {path}", head.method));
    let end = path.rsplit('/').next().unwrap().to_owned();
    let fault = shared.faults.lock().unwrap().get(&*end).cloned().unwrap_or(Fault::None);
    let body: Value = serde_json::from_slice(&to_bytes(body, 65_536).await.unwrap()).unwrap_or(Value::Null);
    if let Some(response) = go_wrong(&fault, &shared.bytes_sent).await {
        return response;
    }
    let (status, answer): (u16, Value) = match &*end {
        "login" if body["secret_id"] == SECRET_ID => {
            (200, json!({"auth": {"client_token": TOKEN, "lease_duration": 7200, "renewable": true}}))
        }
        "renew-self" => (200, json!({"auth": {"client_token": TOKEN, "lease_duration": 7200, "renewable": true}})),
        "capabilities-self" => (200, json!({"data": {"secret/data/mcp/coda": ["read"]}})),
        "coda" if header("x-vault-token") == TOKEN => {
            (200, json!({"data": {"data": {"API_TOKEN": VALUE}, "metadata": {"version": 1}}}))
        }
        _ => (403, json!({"errors": ["permission denied"]})),
    };
    Response::builder().status(status).body(Body::from(answer.to_string())).unwrap()
}

#[tokio::test]
async fn requests_are_those_of_the_published_api() {
    let stub = Stub::start().await;
    let inside = store(stub.config().with_namespace("team/project").unwrap());
    for _ in 0..3 {
        assert_eq!(get(&inside, "API_TOKEN").await, Ok(Some(VALUE.to_owned())));
    }
    let read = "team/project GET /v1/secret/data/mcp/coda";
    assert_eq!(stub.seen(), ["team/project POST /v1/auth/approle/login", read, read, read]);
}

/// Every way in which something answers that is not Vault as it should be.
fn all_faults() -> Vec<(&'static str, Fault, &'static str)> {
    vec![
        ("500", Fault::Answers(500, r#"{"errors":["internal error"]}"#.into()), "status 500"),
        ("502 with HTML", Fault::Answers(502, "<html>Bad Gateway</html>".into()), "status 502"),
        ("503", Fault::Answers(503, String::new()), "status 503"),
        ("sealed", Fault::Answers(503, r#"{"errors":["Vault is sealed"]}"#.into()), "it is sealed"),
        ("418", Fault::Answers(418, "{}".into()), "status 418"),
        ("HTML", Fault::Answers(200, "<!doctype html><title>Vault</title>".into()), "something else than the JSON"),
        ("403 with HTML", Fault::Answers(403, "<h1>Forbidden</h1>".into()), "something else than the JSON"),
        ("404 with HTML", Fault::Answers(404, "<h1>Not Found</h1>".into()), "something else than the JSON"),
        ("nothing", Fault::Answers(200, String::new()), "something else than the JSON"),
        ("truncated", Fault::Answers(200, r#"{"data":{"data":{"API_TOKEN":"x"#.into()), "something else than the JSON"),
        ("cut off", Fault::CutsOff, "connection to Vault failed"),
        ("hangs up", Fault::HangsUp, "connection to Vault failed"),
        ("100 MB", Fault::Sends(100 * 1024 * 1024), "larger than 1048576 bytes"),
        ("drip", Fault::Drips, "in time"),
        ("silence", Fault::KeepsSilent, "in time"),
        ("429", Fault::Busy(None), "too many requests"),
        ("429 for a minute", Fault::Busy(Some("60")), "Vault wants a pause of 60 s"),
    ]
}

#[tokio::test]
async fn faults_are_unavailable_with_a_reason() {
    let elsewhere = Stub::start().await;
    let redirect = Fault::RedirectsTo(format!("http://{}", elsewhere.address));
    for (name, fault, reason) in all_faults().into_iter().chain([("redirect", redirect, "not followed")]) {
        for at in ["login", "coda"] {
            let stub = Stub::start().await;
            let asking = store(stub.config().with_timeout(Duration::from_secs(1)));
            stub.fault(at, fault.clone());
            let started = Instant::now();
            let error = get(&asking, "API_TOKEN").await.unwrap_err();
            assert!(
                matches!(&error, StoreError::Unavailable(text) if text.contains(reason)),
                "{name} at {at}: {error}"
            );
            assert!(error.to_string().contains(&stub.address.to_string()) && error.to_string().len() < 200, "{error}");
            assert!(started.elapsed() < Duration::from_secs(5), "{name} at {at} took {:?}", started.elapsed());
            let sent = stub.shared.bytes_sent.load(std::sync::atomic::Ordering::SeqCst);
            assert!(sent < 40 * 1024 * 1024, "{name}: {sent} bytes were taken");
            stub.fault(at, Fault::None);
            tokio::time::pause();
            tokio::time::advance(Duration::from_secs(61)).await;
            tokio::time::resume();
            assert_eq!(get(&asking, "API_TOKEN").await, Ok(Some(VALUE.to_owned())), "recovery from {name} at {at}");
        }
    }
    assert_eq!(elsewhere.seen(), [""; 0], "nobody follows a redirect");
}

/// A renewal that fails is no outage: the token that there is goes on to its end.
#[tokio::test]
async fn a_renewal_that_fails_leaves_the_session_until_its_end() {
    let stub = Stub::start().await;
    let asking = store(stub.config());
    assert_eq!(get(&asking, "API_TOKEN").await, Ok(Some(VALUE.to_owned())));
    later(Duration::from_secs(4801)).await;
    for at in ["renew-self", "login"] {
        stub.fault(at, Fault::Answers(500, "{}".into()));
    }
    for _ in 0..3 {
        assert_eq!(get(&asking, "API_TOKEN").await, Ok(Some(VALUE.to_owned())));
    }
    assert_eq!((stub.count("renew-self"), stub.count("login")), (1, 2), "they are not tried again with each request");
    later(Duration::from_secs(30)).await;
    stub.fault("renew-self", Fault::None);
    assert_eq!(get(&asking, "API_TOKEN").await, Ok(Some(VALUE.to_owned())));
    assert_eq!((stub.count("renew-self"), stub.count("login")), (2, 2));
    // Refused, and so is the login: it ends where the token does.
    later(Duration::from_secs(4801)).await;
    let refusal = || Fault::Answers(403, r#"{"errors":["permission denied"]}"#.into());
    stub.fault("renew-self", refusal());
    stub.fault("login", refusal());
    assert_eq!(get(&asking, "API_TOKEN").await, Ok(Some(VALUE.to_owned())));
    later(Duration::from_secs(2400)).await;
    assert!(matches!(get(&asking, "API_TOKEN").await, Err(StoreError::Denied(_))));
}

/// Nor is one that hangs: the token goes on before the question has run out of time.
#[tokio::test]
async fn a_renewal_that_hangs_leaves_the_session_until_its_end() {
    let stub = Stub::start().await;
    let asking = store(stub.config().with_timeout(Duration::from_secs(1)));
    assert_eq!(get(&asking, "API_TOKEN").await, Ok(Some(VALUE.to_owned())));
    later(Duration::from_secs(4801)).await;
    for at in ["renew-self", "login"] {
        stub.fault(at, Fault::KeepsSilent);
    }
    for _ in 0..2 {
        assert_eq!(get(&asking, "API_TOKEN").await, Ok(Some(VALUE.to_owned())));
    }
    assert_eq!((stub.count("renew-self"), stub.count("login")), (1, 1), "they are not tried again with each request");
}

#[tokio::test]
async fn many_at_once_share_one_login_and_hanging_up_leaves_one() {
    let stub = Stub::start().await;
    let asking = store(stub.config());
    stub.fault("login", Fault::KeepsSilent);
    let hung_up = tokio::time::timeout(Duration::from_millis(50), get(&asking, "API_TOKEN")).await;
    assert!(hung_up.is_err());
    stub.fault("login", Fault::None);
    let logins = stub.count("login");
    let answers = futures_util::future::join_all((0..20).map(|_| get(&asking, "API_TOKEN"))).await;
    assert!(answers.iter().all(|answer| *answer == Ok(Some(VALUE.to_owned()))), "{answers:?}");
    assert_eq!(stub.count("login"), logins + 1);
}

/// Everything that can be said on the way, at TRACE, dependencies included, and every error: no credential, no value.
#[tokio::test]
async fn attack_50_no_secret_in_any_line_or_error() {
    faults::listen();
    let mut said = String::new();
    let echo = format!(r#"{{"errors":["{VALUE} {SECRET_ID} {TOKEN}"]}}"#);
    let echoes = [200, 400, 403, 404, 500, 503].map(|status| ("echo", Fault::Answers(status, echo.clone()), ""));
    for (_, fault, _) in all_faults().into_iter().chain(echoes).chain([("none", Fault::None, "")]) {
        for at in ["login", "coda", "capabilities-self"] {
            let stub = Stub::start().await;
            let asking: VaultTokenStore = store(stub.config().with_timeout(Duration::from_millis(100)));
            stub.fault(at, fault.clone());
            let result = asking.get_token("coda", "API_TOKEN").await;
            said.push_str(&format!("{asking:?} {result:?} {:?}\n", asking.inspect("coda").await));
            said.push_str(&result.err().map(|error| error.to_string()).unwrap_or_default());
        }
    }
    said.push_str(&faults::everything());
    assert!(said.contains("ServiceToken([REDACTED])"), "nothing was said");
    assert!(said.contains("starting new connection"), "TRACE is not on");
    for secret in [VALUE, SECRET_ID, TOKEN] {
        let middle = &secret[secret.len() / 2 - 5..secret.len() / 2 + 5];
        assert!(!said.contains(middle), "{secret} was said");
    }
}
