//! The lines that operators search for, word by word, and what must never be in any line.
//!
//! One subscriber for the whole process takes down everything at TRACE, dependencies included. Each test runs on one
//! thread (tokio's `current_thread` runtime), by which it finds its own lines again.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod harness;

use std::fmt::Write as _;
use std::sync::{Mutex, Once, PoisonError};
use std::thread::ThreadId;
use std::time::Duration;

use axum::Router;
use axum::routing::post;
use harness::{ACCESS_HEADER, Access, BEARER, PERSON, access_layer, assert_refused, bearer, config, passed, send};
use mcp_auth_middleware::testing::{
    AUDIENCE, INTROSPECTION, INTROSPECTION_ID, INTROSPECTION_SECRET, ISSUER, KeyServer, RESOURCE, TestIssuer, TestKey,
    TestTeam, now,
};
use mcp_auth_middleware::{
    AccessConfig, AuthError, AuthLayer, AuthMode, EnvTokenStore, IntrospectionConfig, KeyPolicy, OidcConfig,
    TokenStore, create_auth_middleware,
};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tracing::field::{Field, Visit};
use tracing::span;

struct Line {
    thread: ThreadId,
    ours: bool,
    text: String,
}

static LINES: Mutex<Vec<Line>> = Mutex::new(Vec::new());

/// Takes down events as `[LEVEL] message field=value`, and the fields of spans.
struct Capture;

impl Capture {
    fn take_down(metadata: &tracing::Metadata<'_>, record: impl FnOnce(&mut Text)) {
        let mut text = Text(format!("[{}] ", metadata.level()));
        record(&mut text);
        let line = Line {
            thread: std::thread::current().id(),
            ours: metadata.target().starts_with("mcp_auth_middleware") && metadata.is_event(),
            text: text.0.trim_end().to_owned(),
        };
        LINES.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            write!(self.0, "{value:?} ").unwrap();
        } else {
            write!(self.0, "{}={value:?} ", field.name()).unwrap();
        }
    }
}

impl tracing::Subscriber for Capture {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        Self::take_down(span.metadata(), |text| span.record(text));
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        let mut text = Text(String::new());
        values.record(&mut text);
        let line = Line { thread: std::thread::current().id(), ours: false, text: text.0 };
        LINES.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        Self::take_down(event.metadata(), |text| event.record(text));
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

impl log::Log for Capture {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = Line { thread: std::thread::current().id(), ours: false, text: record.args().to_string() };
        LINES.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn flush(&self) {}
}

/// Starts taking down; what this thread has said before is forgotten.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing::subscriber::set_global_default(Capture).unwrap();
        log::set_boxed_logger(Box::new(Capture)).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
    });
    lines();
}

/// The lines of this crate on this thread since the last call.
fn lines() -> Vec<String> {
    let thread = std::thread::current().id();
    let mut all = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    let mut mine = Vec::new();
    for line in all.iter_mut().filter(|line| line.ours && line.thread == thread) {
        line.ours = false; // seen; the text stays for the search for secrets
        mine.push(line.text.clone());
    }
    mine
}

/// Everything that anybody said on any thread, in this process.
fn everything() -> String {
    let all = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    all.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_bearer_token_that_passes() {
    listen();
    let layer = create_auth_middleware(config(AuthMode::Bearer).with_bearer(bearer())).unwrap();
    passed(&send(&layer, &[("authorization", format!("Bearer {BEARER}"))]).await);
    assert_eq!(lines(), ["[DEBUG] Bearer token authenticated for: developer@localhost"]);
}

#[tokio::test]
async fn an_access_token_that_passes() {
    listen();
    let access = Access::with(|access| access.with_allowed_service_tokens(["ci.access"])).await;
    access.accepts(access.team.token(PERSON)).await;
    assert_eq!(
        lines(),
        [
            "[DEBUG] Cloudflare Access keys fetched keys=1",
            "[DEBUG] Cloudflare Access JWT validated for: user@example.com"
        ]
    );
    access.accepts(access.team.sign(&access.team.service_claims("ci.access"))).await;
    assert_eq!(lines(), ["[DEBUG] Cloudflare Access JWT validated for: ci.access"]);
}

/// What is said of tokens of other issuers; values of the token are escaped.
#[tokio::test]
async fn access_tokens_of_an_issuer() {
    listen();
    let issuer = TestIssuer::start().await.unwrap();
    let oidc = OidcConfig::new(issuer.issuer(), [RESOURCE]).unwrap();
    let layer = create_auth_middleware(config(AuthMode::Oidc).with_oidc(oidc)).unwrap();
    let name = issuer.issuer().to_owned();
    let send = async |changes: serde_json::Value| {
        let mut claims = issuer.claims(PERSON);
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let token = issuer.sign(&claims);
        let status = send(&layer, &[("authorization", format!("Bearer {token}"))]).await.status();
        (status.as_u16(), lines())
    };
    let validated = "[DEBUG] Access token validated for: user@example.com".to_owned();
    let fetched = format!("[DEBUG] Keys of {name} fetched keys=1");
    assert_eq!(send(json!({})).await, (200, vec![fetched, validated.clone()]));
    assert_eq!(send(json!({})).await, (200, vec![validated]));
    for (changes, line) in [
        (json!({"exp": 1}), "[WARN] Access token validation failed: jwt expired".to_owned()),
        (
            json!({"aud": ["x\n[DEBUG] y", "z"]}),
            format!(
                "[WARN] Access token validation failed: audience mismatch: wanted {RESOURCE}, got \"x\\u{{a}}[DEBUG] y and z\""
            ),
        ),
        (
            json!({"iss": "https://other.example"}),
            format!(
                "[WARN] Access token validation failed: issuer mismatch: wanted {name}, got \"https://other.example\""
            ),
        ),
    ] {
        assert_eq!(send(changes).await, (401, vec![line]));
    }
}

/// Every failure there is, provoked through the layer, with all that is said about it.
#[tokio::test]
async fn each_failure_has_its_line() {
    listen();
    let access = Access::with(|access| access.with_allowed_emails([PERSON])).await;
    access.accepts(access.team.token(PERSON)).await;
    let bearer_layer = create_auth_middleware(config(AuthMode::Bearer).with_bearer(bearer())).unwrap();
    let both = create_auth_middleware(config(AuthMode::Both).with_bearer(bearer())).unwrap();
    let store = TokenStore::Env(EnvTokenStore::default());
    let tokenless = config(AuthMode::Bearer).with_bearer(bearer()).with_service_token(store, "CODA_API_TOKEN");
    let tokenless = create_auth_middleware(tokenless).unwrap();
    let mut down = TestTeam::start().await.unwrap();
    down.stop().await;
    let keyless = access_layer(&down, |access| access);
    let forger = TestKey::generate("key-1");
    let issuer = TestIssuer::start().await.unwrap();
    let oidc = OidcConfig::new(issuer.issuer(), [RESOURCE]).unwrap();
    let scoped = oidc.clone().with_required_scopes(["docs:read"]);
    let scoped = create_auth_middleware(config(AuthMode::Oidc).with_oidc(scoped)).unwrap();
    let refused = send(&scoped, &[("authorization", format!("Bearer {}", issuer.token(PERSON)))]).await;
    assert_refused(&refused, AuthError::InsufficientScope);
    lines();

    let jwt = "Cloudflare Access JWT validation failed:";
    let header = |token: String| vec![(ACCESS_HEADER, token)];
    let authorization = |value: &str| vec![("authorization", value.to_owned())];
    let with = |changes| header(access.token_with(changes));
    type Case<'a> = (AuthError, &'a AuthLayer, Vec<(&'static str, String)>, Vec<String>);
    let mut cases: Vec<Case<'_>> = vec![
        (AuthError::MissingCredentials, &access.layer, vec![], vec!["[WARN] Request refused: no credentials".into()]),
        (
            AuthError::DuplicateHeader,
            &access.layer,
            [header("x".into()), header("x".into())].concat(),
            vec![format!("[WARN] {jwt} duplicate credential header")],
        ),
        (
            AuthError::DuplicateHeader,
            &bearer_layer,
            [authorization("Bearer x"), authorization("Bearer x")].concat(),
            vec!["[WARN] Bearer token validation failed: duplicate credential header".into()],
        ),
        (
            AuthError::BearerMalformed,
            &bearer_layer,
            authorization("Basic x"),
            vec!["[WARN] Bearer token validation failed: authorization header malformed".into()],
        ),
        (
            AuthError::BearerMismatch,
            &bearer_layer,
            authorization("Bearer x"),
            vec!["[WARN] Bearer token validation failed: bearer token mismatch".into()],
        ),
        (
            AuthError::AccessNotConfigured,
            &both,
            header(access.team.token(PERSON)),
            vec![format!("[WARN] {jwt} cloudflare access is not configured")],
        ),
        (AuthError::JwtMalformed, &access.layer, header("x".into()), vec![format!("[WARN] {jwt} jwt malformed")]),
        (
            AuthError::AlgorithmNotAllowed,
            &access.layer,
            header(access.token_with_header(json!({"alg": "none"}))),
            vec![format!("[WARN] {jwt} algorithm not allowed")],
        ),
        (
            AuthError::UnknownKeyId,
            &access.layer,
            header(access.token_with_header(json!({"kid": "x\n[DEBUG] y"}))),
            vec![format!("[WARN] {jwt} unknown key id")],
        ),
        (
            AuthError::InvalidSignature,
            &access.layer,
            header(forger.sign(&forger.header(), &access.team.claims(PERSON))),
            vec![format!("[WARN] {jwt} invalid signature")],
        ),
        (AuthError::JwtExpired, &access.layer, with(json!({"exp": 1})), vec![format!("[WARN] {jwt} jwt expired")]),
        (
            AuthError::JwtNotYetValid,
            &access.layer,
            with(json!({"nbf": now() + 900})),
            vec![format!("[WARN] {jwt} jwt not yet valid")],
        ),
        (
            AuthError::IssuerMismatch,
            &access.layer,
            with(json!({"iss": "x"})),
            vec![format!("[WARN] {jwt} issuer mismatch")],
        ),
        (
            AuthError::AudienceMismatch,
            &access.layer,
            with(json!({"aud": "x"})),
            vec![format!("[WARN] {jwt} audience mismatch")],
        ),
        (
            AuthError::NoIdentity,
            &access.layer,
            with(json!({"email": null})),
            vec![format!("[WARN] {jwt} no identity in token")],
        ),
        (
            AuthError::ServiceTokenNotAllowed,
            &access.layer,
            header(access.team.sign(&access.team.service_claims("x"))),
            vec![format!("[WARN] {jwt} service token not allowed")],
        ),
        (
            AuthError::UserNotAllowed,
            &access.layer,
            header(access.team.token("other@example.com")),
            vec![format!("[WARN] {jwt} user not allowed")],
        ),
        (
            AuthError::KeysUnavailable,
            &keyless,
            header(access.team.token(PERSON)),
            vec![
                "[WARN] Cloudflare Access keys could not be fetched: cannot connect".into(),
                format!("[WARN] {jwt} key server unreachable"),
            ],
        ),
        (
            AuthError::ServiceTokenMissing,
            &tokenless,
            authorization(&format!("Bearer {BEARER}")),
            vec![
                "[DEBUG] Bearer token authenticated for: developer@localhost".into(),
                "[WARN] Service token not found: CODA_API_TOKEN".into(),
            ],
        ),
    ];
    cases.extend([
        (
            AuthError::NotAnAccessToken,
            &access.layer,
            with(json!({"type": "org"})),
            vec![format!("[WARN] {jwt} not an access token")],
        ),
        (
            AuthError::JwtTooOld,
            &access.layer,
            with(json!({"iat": now() - 25 * 60 * 60})),
            vec![format!("[WARN] {jwt} jwt too old")],
        ),
        (
            AuthError::InsufficientScope,
            &scoped,
            authorization(&format!("Bearer {}", issuer.token(PERSON))),
            vec!["[WARN] Access token validation failed: insufficient scope: needs docs:read".into()],
        ),
    ]);
    let mut provoked = Vec::new();
    for (error, layer, headers, expected) in cases {
        assert_refused(&send(layer, &headers).await, error);
        assert_eq!(lines(), expected, "{error:?}");
        provoked.push(error);
    }
    provoked.dedup();
    // These two need a token store that can fail: tests/postgres_layer.rs.
    // What is refused behind the layer has its line, too.
    let response: http::Response<String> = access.layer.refuse_tool(&http::HeaderMap::new(), None);
    assert_eq!(
        response.headers()["www-authenticate"],
        r#"Bearer realm="test-server", error="insufficient_scope", error_description="tool not allowed""#
    );
    assert_eq!(lines(), ["[WARN] Request refused: tool not allowed"]);
    provoked.push(AuthError::ToolNotAllowed);
    // An issuer that is asked about opaque tokens.
    let secret = INTROSPECTION_SECRET.to_owned();
    let asking = IntrospectionConfig::new(INTROSPECTION_ID, secret.into());
    let oidc = OidcConfig::new(issuer.issuer(), [RESOURCE]).unwrap().with_introspection(asking);
    let asking = create_auth_middleware(config(AuthMode::Oidc).with_oidc(oidc)).unwrap();
    let failed = "[WARN] Access token validation failed:";
    let response = send(&asking, &authorization("Bearer never-issued-by-anybody")).await;
    assert_refused(&response, AuthError::TokenNotActive);
    assert_eq!(lines(), [format!("{failed} token not active")]);
    issuer.answer(INTROSPECTION, 500, "");
    let response = send(&asking, &authorization("Bearer another-one-of-nobody")).await;
    assert_refused(&response, AuthError::IntrospectionUnavailable);
    let expected = [
        format!("[WARN] Introspection at {} failed: status 500", issuer.issuer()),
        format!("{failed} introspection unavailable"),
    ];
    assert_eq!(lines(), expected);
    provoked.extend([AuthError::TokenNotActive, AuthError::IntrospectionUnavailable]);
    let of_stores = [AuthError::TokenStoreUnavailable, AuthError::ServiceTokenUnreadable];
    let here: Vec<_> = AuthError::ALL.into_iter().filter(|error| !of_stores.contains(error)).collect();
    assert_eq!(provoked, here, "a failure without a case");
}

/// What the key server does wrong is said once for each fetch, without what it sent.
#[tokio::test]
async fn attack_36_faults_of_the_key_server() {
    listen();
    for (fault, reason) in [
        (KeyServer::Answers(500, "secret".into()), "status 500"),
        (KeyServer::RedirectsTo("http://127.0.0.1:1/secret".into()), "status 302"),
        (KeyServer::Answers(200, "secret".into()), "answer is not a JSON Web Key Set (RFC 7517)"),
        (KeyServer::Answers(200, r#"{"keys":[]}"#.into()), "no usable RSA key in the answer"),
        (KeyServer::Sends(50 * 1024 * 1024), "answer larger than 262144 bytes"),
        (KeyServer::KeepsSilent, "timed out"),
        (KeyServer::Drips, "timed out"),
    ] {
        let mut policy = KeyPolicy::default();
        policy.timeout = Duration::from_millis(500);
        let access = Access::with_policy(policy).await;
        access.team.behave(fault);
        for _ in 0..3 {
            access.refuses(access.team.token(PERSON), AuthError::KeysUnavailable).await;
        }
        let refused = "[WARN] Cloudflare Access JWT validation failed: key server unreachable";
        let fetch = format!("[WARN] Cloudflare Access keys could not be fetched: {reason}");
        assert_eq!(lines(), [&fetch, refused, refused, refused]);
    }
}

#[tokio::test]
async fn attack_37_one_warning_for_all_keys_that_are_skipped() {
    listen();
    let access = Access::start().await;
    let key = access.team.key.jwk();
    let mut for_encryption = key.clone();
    for_encryption["use"] = "enc".into();
    let keys = json!({"keys": [key, key, for_encryption, {"kty": "EC", "kid": "ec"}]});
    access.team.answer(200, keys.to_string());
    access.accepts(access.team.token(PERSON)).await;
    assert_eq!(
        lines(),
        [
            "[WARN] Cloudflare Access keys: 3 unusable (not RSA of 2048 bits or more for RS256, or id repeated)",
            "[DEBUG] Cloudflare Access keys fetched keys=1",
            "[DEBUG] Cloudflare Access JWT validated for: user@example.com"
        ]
    );
}

#[tokio::test]
async fn a_method_that_is_not_configured_is_said_once_at_start() {
    listen();
    create_auth_middleware(config(AuthMode::Both).with_bearer(bearer())).unwrap();
    assert_eq!(
        lines(),
        ["[INFO] Cloudflare Access is not configured: requests with a Cloudflare Access header get 401"]
    );
    let access = AccessConfig::new(ISSUER, [AUDIENCE]).unwrap();
    create_auth_middleware(config(AuthMode::Both).with_cloudflare(access)).unwrap();
    assert_eq!(lines(), ["[INFO] No Bearer token is configured: requests with an Authorization header get 401"]);
}

#[tokio::test]
async fn attack_22_control_characters_in_names() {
    listen();
    let name = "bot\n[DEBUG] Bearer token authenticated for: root";
    let access = Access::with(|access| access.with_allowed_service_tokens([name])).await;
    access.accepts(access.team.token(PERSON)).await;
    lines();
    for (email, shown) in [
        ("a\r\n[DEBUG] x", r"a\u{d}\u{a}[DEBUG] x"),
        ("\u{1b}[2Ka", r"\u{1b}[2Ka"),
        ("a\u{202e}b", r"a\u{202e}b"),
        ("a\u{85}b\u{2028}c\0", r"a\u{85}b\u{2028}c\u{0}"),
        ("söö@example.com", "söö@example.com"),
    ] {
        access.accepts(access.team.token(email)).await;
        assert_eq!(lines(), [format!("[DEBUG] Cloudflare Access JWT validated for: {shown}")]);
    }
    access.accepts(access.team.sign(&access.team.service_claims(name))).await;
    let shown = r"bot\u{a}[DEBUG] Bearer token authenticated for: root";
    assert_eq!(lines(), [format!("[DEBUG] Cloudflare Access JWT validated for: {shown}")]);
}

/// Headers that carry a line, and over a real connection a line break in front of it.
#[tokio::test]
async fn attack_33_no_forged_line() {
    listen();
    let forged = "[DEBUG] Bearer token authenticated for: root";
    let layer = create_auth_middleware(config(AuthMode::Bearer).with_bearer(bearer())).unwrap();
    for name in ["user-agent", "x-forwarded-for", "cookie", ACCESS_HEADER, "host"] {
        send(&layer, &[(name, forged)]).await;
        assert_eq!(lines(), ["[WARN] Request refused: no credentials"]);
    }
    send(&layer, &[("authorization", forged)]).await;
    assert_eq!(lines(), ["[WARN] Bearer token validation failed: authorization header malformed"]);

    let app = Router::new().route("/mcp", post(|| async { "passed" })).layer(layer);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    for line_break in ["\n", "\r", "\r\n", "\r\n "] {
        for header in ["User-Agent: x", "Authorization: Bearer x", "Cf-Access-Jwt-Assertion: x"] {
            let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
            let request = format!(
                "POST /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}{line_break}{forged}\r\n\r\n"
            );
            client.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            tokio::time::timeout(Duration::from_secs(5), client.read_to_string(&mut answer)).await.unwrap().unwrap();
            let status = answer.split(' ').nth(1).unwrap_or_default();
            assert!(matches!(status, "400" | "401"), "{header}{line_break:?}: {answer}");
            assert!(lines().iter().all(|line| line.starts_with("[WARN] ")), "{header}{line_break:?}");
        }
    }
    server.abort();
}

/// Good and bad credentials go through every path, and not one of them, nor a part of one, is in anything that anybody
/// said at TRACE.
#[tokio::test]
async fn attack_50_no_secret_in_any_line() {
    listen();
    let service_token = "coda-5e1f9c74-upstream-secret";
    let team = TestTeam::start().await.unwrap();
    let access = AccessConfig::new(ISSUER, [AUDIENCE]).unwrap().with_certs_url(&team.certs_url()).unwrap();
    let store = EnvTokenStore::default().with_token("CODA_API_TOKEN", service_token.to_owned().into());
    let config = config(AuthMode::Both)
        .with_bearer(bearer())
        .with_cloudflare(access)
        .with_service_token(TokenStore::Env(store), "CODA_API_TOKEN")
        .with_resource_path("/mcp");
    let debugged = format!("{config:?}");
    let layer = create_auth_middleware(config).unwrap();
    tracing::trace!("{debugged} {layer:?}");

    let forger = TestKey::generate("forged-key");
    let mut expired = team.claims("expired@example.com");
    expired["exp"] = 1.into();
    let tokens = [
        team.token(PERSON),
        team.sign(&expired),
        team.sign(&team.service_claims("not-allowed.access")),
        forger.sign(&forger.header(), &team.claims(PERSON)),
        team.token(PERSON) + "x",
        team.token(PERSON).replace('.', ".."),
    ];
    let bearers = [BEARER, "wrong-bearer-0123456789abcdef", "odd \"bearer\" 0123456789", &tokens[0]];
    let mut answers = Vec::new();
    for token in &tokens {
        answers.push(send(&layer, &[(ACCESS_HEADER, token)]).await);
        answers.push(send(&layer, &[(ACCESS_HEADER, token), (ACCESS_HEADER, token)]).await);
        answers.push(send(&layer, &[("cookie", format!("CF_Authorization={token}"))]).await);
    }
    for bearer in bearers {
        for scheme in ["Bearer ", "bearer  ", "Basic ", ""] {
            answers.push(send(&layer, &[("authorization", format!("{scheme}{bearer}"))]).await);
        }
    }
    let passed: Vec<_> = answers.iter().filter_map(|a| a.extensions().get::<harness::Passed>()).collect();
    assert_eq!(passed.len(), 3);
    tracing::trace!("{:?} {:?}", passed[0].user, passed[0].token);

    let said = everything() + &answers.iter().map(|a| format!("{:?} {}", a.headers(), a.body())).collect::<String>();
    assert!(said.contains("JWT validated for: user@example.com") && said.contains("ServiceToken([REDACTED])"));
    assert!(said.contains("[TRACE]"), "TRACE is not on");
    let mut secrets = vec![service_token, "wrong-bearer-0123456789abcdef", "odd \"bearer\"", BEARER];
    // Header and key id are no secrets; claims and signature are the credential.
    secrets.extend(tokens.iter().flat_map(|token| token.split('.').skip(1)).filter(|part| part.len() > 20));
    assert!(secrets.len() > 12);
    for secret in secrets {
        // A part of it would do harm as well.
        let middle = &secret[secret.len() / 2 - 5..secret.len() / 2 + 5];
        assert!(!said.contains(middle), "{secret} was said");
    }
}
