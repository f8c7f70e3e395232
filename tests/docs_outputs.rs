//! What the troubleshooting page shows is what the auth crate says: each failure is provoked, and what came out is compared
//! with the files in `src/docs/outputs`. `UPDATE_OUTPUTS=1 cargo test --test docs_outputs` writes them again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[allow(unreachable_pub, reason = "it is the harness of another package")]
#[path = "../template/vendor/mcp-auth-middleware/tests/harness/postgres.rs"]
mod postgres;

use std::convert::Infallible;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use mcp_auth_middleware::testing::{AUDIENCE, ISSUER, TestKey, TestTeam, now};
use mcp_auth_middleware::{
    AccessConfig, AuthConfig, AuthError, AuthMode, BearerTokens, PostgresConfig, PostgresTokenStore, TokenStore,
    create_auth_middleware,
};
use mcp_kit::docs::error_catalogue::{ERROR_CATALOGUE, OUTPUTS};
use postgres::{keyring, shared};
use serde_json::json;
use tower::{Layer as _, ServiceExt as _, service_fn};
use tracing::field::{Field, Visit};
use tracing::span;

/// Made up: the runtime gives each request one, and names it in the answer and in the log.
const REQUEST_ID: &str = "4d130ebb-000001";

/// Takes down the lines of the auth crate as they stand in the log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            write!(self.0, "{value:?}").unwrap();
        }
    }
}

impl tracing::Subscriber for Log {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target().starts_with("mcp_auth_middleware") && *metadata.level() <= tracing::Level::DEBUG
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        // As the runtime writes it with LOG_FORMAT=json; `tests/docs_exercised` compares one with that of a real server.
        let (level, target) = (event.metadata().level(), event.metadata().target());
        let message = serde_json::Value::from(message.0);
        writeln!(
            self.0.lock().unwrap(),
            "{{\"request_id\":\"{REQUEST_ID}\",\"timestamp\":\"2026-01-31T12:00:00.000000Z\",\"level\":\"{level}\",\"message\":{message},\
             \"target\":\"{target}\"}}"
        )
        .unwrap();
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// The answer to a request with this header, and the lines that it leaves in the log.
fn provoke(config: AuthConfig, header: Option<(&str, &str)>) -> String {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let layer = create_auth_middleware(config.with_resource_path("/mcp")).unwrap();
    let inner = service_fn(async |_: Request<String>| Ok::<_, Infallible>(Response::new("passed".to_owned())));
    let mut request = Request::post("/mcp").header("host", "mcp.example.com");
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    let runtime = tokio::runtime::Handle::current();
    let response = tokio::task::block_in_place(|| {
        runtime.block_on(layer.layer(inner).oneshot(request.body(String::new()).unwrap())).unwrap()
    });
    let mut text = format!("HTTP/1.1 {}\n", response.status());
    for (name, value) in response.headers() {
        writeln!(text, "{name}: {}", value.to_str().unwrap()).unwrap();
    }
    writeln!(text, "x-request-id: {REQUEST_ID}").unwrap();
    let lines = log.0.lock().unwrap().clone();
    format!("{text}\n{}\n\n{lines}", response.body())
}

fn bearer() -> AuthConfig {
    let tokens = BearerTokens::parse("the-configured-token-of-development").unwrap();
    AuthConfig::new("my-server", AuthMode::Bearer).with_bearer(tokens)
}

/// A caller who is known, of a server whose own token is in PostgreSQL.
fn with_store(store: PostgresTokenStore) -> String {
    let config = bearer().with_service_token(TokenStore::Postgres(store), "CODA_API_TOKEN");
    provoke(config, Some(("authorization", "Bearer the-configured-token-of-development")))
}

fn without_database(host: &str, port: u16) -> String {
    let config = PostgresConfig::new(host, "mcp_auth", "mcp_auth").with_port(port);
    with_store(PostgresTokenStore::connect_lazy(&config, keyring(1)).unwrap())
}

/// A changed text or a changed code: either is to be looked at.
fn compare(name: &str, came: &str) {
    let came = came.trim().to_owned();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/docs/outputs/{name}.txt"));
    if std::env::var_os("UPDATE_OUTPUTS").is_some() {
        std::fs::write(&path, came + "\n").unwrap();
        return;
    }
    let (_, expected) = OUTPUTS.iter().find(|(known, _)| *known == name).unwrap();
    assert_eq!(expected.trim(), came, "{name}: the page and the code part; see the head of this test");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_what_the_middleware_says() {
    let mut team = TestTeam::start().await.unwrap();
    let url = team.certs_url();
    let access = || {
        let access = AccessConfig::new(ISSUER, [AUDIENCE]).unwrap().with_certs_url(&url).unwrap();
        AuthConfig::new("my-server", AuthMode::Cloudflare).with_cloudflare(access)
    };
    let with = |token: &str| provoke(access(), Some(("cf-access-jwt-assertion", token)));
    let changed = |name: &str, value: serde_json::Value| {
        let mut claims = team.claims("user@example.com");
        claims[name] = value;
        team.sign(&claims)
    };
    let mut came: Vec<(&str, String)> = vec![
        ("jwt_expired", with(&changed("exp", (now() - 3600).into()))),
        ("audience_mismatch", with(&changed("aud", json!(["0123456789abcdef"])))),
        ("issuer_mismatch", with(&changed("iss", "https://other.cloudflareaccess.com".into()))),
        ("jwt_malformed", with("not-a-token")),
        ("no_credentials", provoke(access(), None)),
        ("bearer_mismatch", provoke(bearer(), Some(("authorization", "Bearer another-token-of-development")))),
        // Nothing listens on port 1, and no name ends in .invalid (RFC 6761, section 6.4).
        ("database_unreachable", without_database("127.0.0.1", 1)),
        ("network_name_unknown", without_database("postgres.invalid", 5432)),
    ];
    let stranger = TestKey::generate("a-key-of-others");
    let token = stranger.sign(&stranger.header(), &team.claims("user@example.com"));
    came.push(("unknown_key_id", with(&token)));
    let token = team.token("user@example.com");
    team.stop().await;
    came.push(("key_server_unreachable", provoke(access(), Some(("cf-access-jwt-assertion", &token)))));

    let database = shared().database().await;
    let sealing = database.store(&keyring(1));
    came.push(("service_token_not_found", with_store(sealing.clone())));
    let value = "the token of the upstream API".to_owned().into();
    sealing.set_token("my-server", "CODA_API_TOKEN", &value, "operator").await.unwrap();
    came.push(("wrong_encryption_key", with_store(database.store(&keyring(2)))));

    for (name, text) in &came {
        compare(name, text);
    }
    let mut names: Vec<&str> = came.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    // `tests/docs_exercised` has the others.
    let here = |name: &&str| !name.starts_with("doctor_") && *name != "cannot_start";
    assert_eq!(names, OUTPUTS.iter().map(|(name, _)| *name).filter(here).collect::<Vec<_>>());
}

#[test]
fn the_index_has_every_code() {
    let expected: Vec<_> = ERROR_CATALOGUE.iter().map(|row| (row.code, row.status, row.message.to_owned())).collect();
    let real: Vec<_> = AuthError::ALL.iter().map(|e| (e.code(), e.status().as_u16(), e.to_string())).collect();
    assert_eq!(expected, real);
    for row in ERROR_CATALOGUE {
        // A sentence that fits into a cell of a table.
        assert!(row.advice.contains(' ') && row.advice.ends_with('.') && !row.advice.contains('|'), "{row:?}");
    }
}
