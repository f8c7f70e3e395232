//! Bearer tokens, modes, forged headers, and what happens to a refused request's body.

use std::time::{Duration, Instant};

use crate::harness::{
    ACCESS_HEADER, BEARER, PERSON, Untouchable, access_layer, assert_refused, bearer, config, passed, send,
};
use axum::Router;
use axum::routing::post;
use mcp_auth_middleware::testing::{AUDIENCE, ISSUER, TestKey, TestTeam};
use mcp_auth_middleware::{
    AccessConfig, AuthConfig, AuthError, AuthLayer, AuthMode, BearerTokens, ConfigError, EnvTokenStore, TokenStore,
    User, UserKind, WeakToken, create_auth_middleware,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

fn bearer_layer() -> AuthLayer {
    create_auth_middleware(config(AuthMode::Bearer).with_bearer(bearer())).unwrap()
}

fn both(team: &TestTeam) -> AuthConfig {
    let access = AccessConfig::new(ISSUER, [AUDIENCE]).unwrap().with_certs_url(&team.certs_url()).unwrap();
    config(AuthMode::Both).with_bearer(bearer()).with_cloudflare(access)
}

fn right() -> String {
    format!("Bearer {BEARER}")
}

#[tokio::test]
async fn the_right_token_is_the_developer() {
    let layer = bearer_layer();
    let passed = passed(&send(&layer, &[("authorization", right())]).await);
    assert_eq!(passed.user.email, "developer@localhost");
    assert_eq!((passed.user.kind, passed.user.user_uuid), (UserKind::Developer, None));
    let kinds = [UserKind::Human, UserKind::ServiceToken, UserKind::Developer];
    assert_eq!(kinds.map(UserKind::as_str), ["human", "service-token", "developer"]);
    assert!(!passed.headers.contains_key("authorization"), "the caller's credential goes no further");
    assert_eq!(layer.counters().passed(), 1);
}

#[tokio::test]
async fn attack_24_wrong_tokens() {
    let layer = bearer_layer();
    let other_case: String = BEARER
        .chars()
        .map(|c| if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
        .collect();
    for wrong in [
        "x",
        "wrong-token-0123456789",
        &format!("{BEARER}x"),
        &format!("x{BEARER}"),
        &BEARER[..BEARER.len() - 1],
        &BEARER[1..],
        &BEARER[..1],
        &other_case,
        &BEARER.repeat(2),
        &"x".repeat(64 * 1024),
    ] {
        let response = send(&layer, &[("authorization", format!("Bearer {wrong}"))]).await;
        assert_refused(&response, AuthError::BearerMismatch);
        assert!(!response.body().contains(wrong) || wrong.len() < 2, "the answer repeats the token");
    }
    let counted: Vec<_> = layer.counters().refused().filter(|(_, n)| *n > 0).collect();
    assert_eq!((layer.counters().passed(), counted), (0, vec![(AuthError::BearerMismatch, 10)]));
}

#[tokio::test]
async fn attack_25_malformed_authorization() {
    let layer = bearer_layer();
    for malformed in [
        "",
        " ",
        "Bearer",
        "Bearer ",
        "Bearer  ",
        "Bearer\t",
        BEARER,
        &format!("Bearer{BEARER}"),
        &format!("Bearer\t{BEARER}"),
        &format!("Bearer:{BEARER}"),
        &format!("Basic {BEARER}"),
        &format!("Token {BEARER}"),
        &format!("Bearer {BEARER} x"),
        &format!("Bearer {BEARER}, Bearer {BEARER}"),
        &format!("Bearer \"{BEARER}\""),
        &format!("Bearer token={BEARER}&x"),
        &format!("Bearer {BEARER}ä"),
        "Bearer 👾👾👾👾👾👾👾👾",
    ] {
        println!("{malformed:?}");
        assert_refused(&send(&layer, &[("authorization", malformed)]).await, AuthError::BearerMalformed);
    }
    assert_refused(&send(&layer, &[("authorization", b"Bearer \xff\xfe")]).await, AuthError::BearerMalformed);

    for other in [right(), "Bearer x".to_owned(), String::new()] {
        for pair in [[right(), other.clone()], [other.clone(), right()]] {
            let headers = pair.map(|value| ("authorization", value));
            assert_refused(&send(&layer, &headers).await, AuthError::DuplicateHeader);
        }
    }
    assert_refused(&send::<&str>(&layer, &[]).await, AuthError::MissingCredentials);
}

#[tokio::test]
async fn attack_25_spellings_that_rfc_9110_allows() {
    let layer = bearer_layer();
    for allowed in [format!("bearer {BEARER}"), format!("BEARER {BEARER}"), format!("Bearer   {BEARER}")] {
        passed(&send(&layer, &[("authorization", allowed)]).await);
    }
}

#[tokio::test]
async fn attack_26_bearer_in_mode_cloudflare() {
    let team = TestTeam::start().await.unwrap();
    let AuthModeCase { plain, with_token } = AuthModeCase::new(&team);
    for layer in [&plain, &with_token] {
        assert_refused(&send(layer, &[("authorization", right())]).await, AuthError::MissingCredentials);
        // An Access token in the wrong header is no Access token either.
        let misplaced = format!("Bearer {}", team.token(PERSON));
        assert_refused(&send(layer, &[("authorization", misplaced)]).await, AuthError::MissingCredentials);
        // Beside a good Access token it is of no consequence, and goes no further.
        let headers = [(ACCESS_HEADER, team.token(PERSON)), ("authorization", "Bearer x".to_owned())];
        let passed = passed(&send(layer, &headers).await);
        assert_eq!((passed.user.email.as_str(), passed.headers.len()), (PERSON, 0));
    }
}

/// Mode `cloudflare` without and with a Bearer token configured all the same.
struct AuthModeCase {
    plain: AuthLayer,
    with_token: AuthLayer,
}

impl AuthModeCase {
    fn new(team: &TestTeam) -> Self {
        let access = AccessConfig::new(ISSUER, [AUDIENCE]).unwrap().with_certs_url(&team.certs_url()).unwrap();
        let config = config(AuthMode::Cloudflare).with_cloudflare(access).with_bearer(bearer());
        Self { plain: access_layer(team, |access| access), with_token: create_auth_middleware(config).unwrap() }
    }
}

/// The other way round: in mode `bearer` a Cloudflare header counts for nothing.
#[tokio::test]
async fn attack_26_access_token_in_mode_bearer() {
    let team = TestTeam::start().await.unwrap();
    let access = AccessConfig::new(ISSUER, [AUDIENCE]).unwrap().with_certs_url(&team.certs_url()).unwrap();
    let layer = create_auth_middleware(config(AuthMode::Bearer).with_bearer(bearer()).with_cloudflare(access)).unwrap();
    assert_refused(&send(&layer, &[(ACCESS_HEADER, team.token(PERSON))]).await, AuthError::MissingCredentials);
    let headers = [(ACCESS_HEADER, team.token(PERSON)), ("authorization", right())];
    let passed = passed(&send(&layer, &headers).await);
    assert_eq!((passed.user, passed.headers.len()), (User::developer(), 0));
    assert_eq!((team.requests(), layer.key_status()), (0, None));
}

#[tokio::test]
async fn attack_27_bad_access_token_beside_the_right_bearer() {
    let team = TestTeam::start().await.unwrap();
    let layer = create_auth_middleware(both(&team)).unwrap();
    let forged = TestKey::generate("key-1");
    let mut expired = team.claims(PERSON);
    expired["exp"] = 1.into();
    for (bad, error) in [
        (String::new(), AuthError::JwtMalformed),
        ("x".to_owned(), AuthError::JwtMalformed),
        (team.sign(&expired), AuthError::JwtExpired),
        (forged.sign(&forged.header(), &team.claims(PERSON)), AuthError::InvalidSignature),
    ] {
        let headers = [(ACCESS_HEADER, bad), ("authorization", right())];
        assert_refused(&send(&layer, &headers).await, error);
    }
    let twice = [(ACCESS_HEADER, team.token(PERSON)), (ACCESS_HEADER, team.token(PERSON)), ("authorization", right())];
    assert_refused(&send(&layer, &twice).await, AuthError::DuplicateHeader);

    // Each alone passes; together the Access token counts, and a bad Bearer token does not matter.
    assert_eq!(passed(&send(&layer, &[("authorization", right())]).await).user, User::developer());
    for beside in [right(), "Bearer x".to_owned()] {
        let headers = [(ACCESS_HEADER, team.token(PERSON)), ("authorization", beside)];
        assert_eq!(passed(&send(&layer, &headers).await).user.email, PERSON);
    }
}

#[tokio::test]
async fn mode_both_with_one_method_unconfigured() {
    let team = TestTeam::start().await.unwrap();
    let no_access = create_auth_middleware(config(AuthMode::Both).with_bearer(bearer())).unwrap();
    let headers = [(ACCESS_HEADER, team.token(PERSON)), ("authorization", right())];
    assert_refused(&send(&no_access, &headers).await, AuthError::AccessNotConfigured);
    passed(&send(&no_access, &headers[1..]).await);

    let access = AccessConfig::new(ISSUER, [AUDIENCE]).unwrap().with_certs_url(&team.certs_url()).unwrap();
    let no_bearer = create_auth_middleware(config(AuthMode::Both).with_cloudflare(access)).unwrap();
    assert_refused(&send(&no_bearer, &headers[1..]).await, AuthError::MissingCredentials);
    passed(&send(&no_bearer, &headers).await);
}

#[tokio::test]
async fn attack_28_configurations_that_let_nobody_in() {
    let refusal = |config: AuthConfig| create_auth_middleware(config).map(|_| ()).unwrap_err();
    assert_eq!(refusal(config(AuthMode::Bearer)), ConfigError::BearerMissing);
    assert_eq!(refusal(config(AuthMode::Cloudflare).with_bearer(bearer())), ConfigError::CloudflareMissing);
    assert_eq!(refusal(config(AuthMode::Both)), ConfigError::NothingConfigured);
    for (token, error, hint) in [
        ("changeme", WeakToken::Placeholder, "openssl rand -hex 32"),
        ("fifteen-chars-1", WeakToken::TooShort(15), "openssl rand -hex 32"),
        ("", WeakToken::Empty, "empty"),
    ] {
        let refused = BearerTokens::parse(token).map(|_| ()).unwrap_err();
        assert_eq!(refused, error);
        assert!(refused.to_string().contains(hint) && (token.is_empty() || !refused.to_string().contains(token)));
    }
}

const FORGED: [(&str, &str); 9] = [
    ("cf-access-authenticated-user-email", "admin@example.com"),
    ("x-forwarded-user", "admin@example.com"),
    ("x-forwarded-email", "admin@example.com"),
    ("x-forwarded-for", "127.0.0.1"),
    ("x-real-ip", "127.0.0.1"),
    ("forwarded", "for=127.0.0.1"),
    ("x-auth-request-user", "admin"),
    ("remote-user", "admin"),
    ("x-original-url", "/health"),
];

#[tokio::test]
async fn attack_29_forged_identity_headers() {
    let team = TestTeam::start().await.unwrap();
    let layer = create_auth_middleware(both(&team)).unwrap();
    assert_refused(&send(&layer, &FORGED).await, AuthError::MissingCredentials);
    let token = team.token(PERSON);
    for (credential, email) in
        [((ACCESS_HEADER, token.as_str()), PERSON), (("authorization", &right()), "developer@localhost")]
    {
        let headers = [&FORGED[..], &[credential]].concat();
        assert_eq!(passed(&send(&layer, &headers).await).user.email, email);
    }
}

/// A route that is open beside one that is not, and every spelling that a router or a proxy might take for the latter.
#[tokio::test]
async fn attack_30_no_spelling_of_a_path_gets_round_the_layer() {
    let reached = || async { "reached" };
    let app = Router::new()
        .route("/mcp", post(reached).get(reached))
        .route("/mcp/{*rest}", post(reached).get(reached))
        .layer(bearer_layer())
        .route("/health", axum::routing::any(|| async { "open" }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let status = async |method: &str, path: &str, header: &str| -> String {
        let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{header}Connection: close\r\n\r\n");
        client.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        tokio::time::timeout(Duration::from_secs(5), client.read_to_string(&mut answer)).await.unwrap().unwrap();
        assert!(!answer.contains("reached") || header.contains(BEARER), "{method} {path}: {answer}");
        answer.split(' ').nth(1).unwrap_or_default().to_owned()
    };
    for path in [
        "/mcp",
        "/mcp/",
        "//mcp",
        "/MCP",
        "/mcp%2f",
        "/mcp%2F",
        "/%6dcp",
        "/mcp;x",
        "/mcp?x=/health",
        "/mcp#/health",
        "/./mcp",
        "/health/../mcp",
        "/health/%2e%2e/mcp",
        "/health/..%2fmcp",
        "/mcp/../health",
        "/mcp\\",
        "http://localhost/mcp",
        "http://localhost//mcp",
        "/mcp/x",
        "*",
    ] {
        for method in ["POST", "GET", "HEAD", "OPTIONS", "TRACE", "post", "PURGE"] {
            let status = status(method, path, "").await;
            assert!(matches!(&*status, "400" | "401" | "404" | "405"), "{method} {path}: {status}");
        }
        // What others use to say which path they mean.
        let header = "X-Original-URL: /health\r\nX-Rewrite-URL: /health\r\nX-Forwarded-Prefix: /health\r\n";
        let status = status("POST", path, header).await;
        assert!(matches!(&*status, "400" | "401" | "404"), "{path}: {status}");
    }
    assert_eq!(status("POST", "/mcp", "").await, "401");
    assert_eq!(status("GET", "/health", "").await, "200");
    assert_eq!(status("POST", "/mcp", &format!("Authorization: {}\r\n", right())).await, "200");
    server.abort();
}

/// The body of every request of this suite panics when it is polled; here is the proof that it does.
#[tokio::test]
#[should_panic(expected = "the body was read")]
async fn attack_31_the_body_of_these_tests_cannot_be_read() {
    use http_body::Body as _;
    std::future::poll_fn(|cx| std::pin::pin!(Untouchable).poll_frame(cx)).await;
}

/// Over a real connection: the answer comes while the client has not sent a byte of its gigabyte, and the connection
/// is closed after it.
#[tokio::test]
async fn attack_31_a_gigabyte_without_credentials() {
    let app =
        Router::new().route("/mcp", post(|body: String| async move { body.len().to_string() })).layer(bearer_layer());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, app).await });

    for credential in ["", "authorization: Bearer wrong-token\r\n"] {
        let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
        let head = format!("POST /mcp HTTP/1.1\r\nhost: localhost\r\n{credential}content-length: 1073741824\r\n\r\n");
        client.write_all(head.as_bytes()).await.unwrap();
        let started = Instant::now();
        let mut answer = String::new();
        tokio::time::timeout(Duration::from_secs(5), client.read_to_string(&mut answer)).await.unwrap().unwrap();
        println!("answered and closed in {:?}", started.elapsed());
        assert!(answer.starts_with("HTTP/1.1 401 Unauthorized\r\n"), "{answer}");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
    }
    server.abort();
}

#[tokio::test]
async fn attack_33_a_log_line_in_a_header_authenticates_nobody() {
    let layer = bearer_layer();
    let line = "[DEBUG] Bearer token authenticated for: developer@localhost";
    for name in ["user-agent", "x-request-id", "referer", "authorization", "cookie"] {
        let response = send(&layer, &[(name, line)]).await;
        let error = if name == "authorization" { AuthError::BearerMalformed } else { AuthError::MissingCredentials };
        assert_refused(&response, error);
    }
    // A line break never gets as far as a header's value; tests/log_lines.rs tries over a connection.
    assert!(http::HeaderValue::from_bytes(format!("x\n{line}").as_bytes()).is_err());
}

#[tokio::test]
async fn the_service_token_is_handed_on_or_missed() {
    let own = "coda-token-of-the-server";
    let store = || TokenStore::Env(EnvTokenStore::default().with_token("CODA_API_TOKEN", own.to_owned().into()));
    let config = || config(AuthMode::Bearer).with_bearer(bearer());

    let layer = create_auth_middleware(config().with_service_token(store(), "CODA_API_TOKEN")).unwrap();
    let passed = passed(&send(&layer, &[("authorization", right())]).await);
    assert_eq!(passed.token.unwrap().expose(), own);
    // Nobody learns from the answer whether there is a token who is not known.
    assert_refused(&send(&layer, &[("authorization", "Bearer x")]).await, AuthError::BearerMismatch);

    let layer = create_auth_middleware(config().with_service_token(store(), "OTHER_TOKEN")).unwrap();
    assert_refused(&send(&layer, &[("authorization", right())]).await, AuthError::ServiceTokenMissing);
    assert_refused(&send::<&str>(&layer, &[]).await, AuthError::MissingCredentials);
}

/// Where there is nothing to keep fresh, the background tasks end at once.
#[tokio::test]
async fn background_tasks_without_work_end() {
    let layer = bearer_layer();
    assert!(layer.key_status().is_none());
    let limit = Duration::from_secs(5);
    tokio::time::timeout(limit, layer.clone().keep_keys_fresh()).await.unwrap();
    #[cfg(feature = "postgres")]
    tokio::time::timeout(limit, layer.keep_tokens_fresh()).await.unwrap();
}

/// RFC 9728 §5.1.
#[tokio::test]
async fn the_challenge_says_where_the_metadata_are() {
    let layer =
        create_auth_middleware(config(AuthMode::Bearer).with_bearer(bearer()).with_resource_path("/mcp")).unwrap();
    let challenge = async |host: &'static str| {
        let response = send(&layer, &[("host", host)]).await;
        response.headers()["www-authenticate"].to_str().unwrap().to_owned()
    };
    let metadata = |url: &str| format!(r#"Bearer realm="test-server", resource_metadata="{url}""#);
    let path = "/.well-known/oauth-protected-resource/mcp";
    assert_eq!(challenge("mcp.example.com").await, metadata(&format!("https://mcp.example.com{path}")));
    assert_eq!(challenge("localhost:8080").await, metadata(&format!("http://localhost:8080{path}")));
    assert_eq!(challenge("[::1]:8080").await, metadata(&format!("http://[::1]:8080{path}")));
    for odd in ["", "a b", "a\"b", "a/b", "user@example.com", "a,b", "\u{e4}"] {
        assert_eq!(challenge(odd).await, r#"Bearer realm="test-server""#, "{odd}");
    }
}

#[tokio::test]
async fn a_service_name_with_quotes_stays_inside_the_challenge() {
    let config = AuthConfig::new("a \"b\\\r\n c", AuthMode::Bearer).with_bearer(bearer());
    let response = send::<&str>(&create_auth_middleware(config).unwrap(), &[]).await;
    assert_eq!(response.headers()["www-authenticate"], r#"Bearer realm="a \"b\\ c""#);
}
