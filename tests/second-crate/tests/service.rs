//! The service over HTTP, with an upstream that tells what it was sent.

#![allow(clippy::unwrap_used)]

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::get;
use mcp_auth_middleware::testing::{AUDIENCE, ISSUER, TestTeam};
use mcp_auth_middleware::{AccessConfig, BearerTokens};
use orders::{app, authentication};

const CALLER: &str = "Thee4ohgeiphooph9eing7Ah"; // pragma: allowlist secret
const UPSTREAM: &str = "the shop's own";

/// Serves on a free port and says where.
async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

/// Answers with all values of all headers.
async fn upstream() -> String {
    let answer = async |headers: HeaderMap| {
        let values: Vec<_> =
            headers.values().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect();
        format!("upstream saw {values:?}")
    };
    serve(Router::new().route("/", get(answer))).await
}

struct Shop {
    address: String,
    team: TestTeam,
}

impl Shop {
    async fn open(upstream_token: Option<&str>) -> Self {
        let team = TestTeam::start().await.unwrap();
        let access = AccessConfig::new(ISSUER, [AUDIENCE]).unwrap().with_certs_url(&team.certs_url()).unwrap();
        let bearer = BearerTokens::parse(CALLER).unwrap();
        let auth = authentication(Some(access), Some(bearer), upstream_token.map(str::to_owned)).unwrap();
        Self { address: serve(app(auth, upstream().await)).await, team }
    }

    /// Status and text of the answer to a request with this header.
    async fn ask(&self, path: &str, header: Option<(&str, &str)>) -> (u16, String) {
        let mut request = reqwest::Client::new().get(format!("{}{path}", self.address));
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }
}

#[tokio::test]
async fn good_tokens_are_accepted_and_the_upstream_gets_the_services_own() {
    let shop = Shop::open(Some(UPSTREAM)).await;
    let access = shop.team.token("user@example.com");
    let bearer = format!("Bearer {CALLER}");
    for (header, user) in [
        (("authorization", bearer.as_str()), "developer@localhost"),
        (("cf-access-jwt-assertion", access.as_str()), "user@example.com"),
    ] {
        let (status, text) = shop.ask("/orders", Some(header)).await;
        assert_eq!(status, 200, "{text}");
        assert!(text.starts_with(&format!("{user}: upstream saw ")), "{text}");
        assert!(text.contains(&format!("\"Bearer {UPSTREAM}\"")), "{text}");
        assert!(!text.contains(CALLER) && !text.contains(&access), "{text}");
    }
}

#[tokio::test]
async fn others_are_refused_and_health_is_open() {
    let shop = Shop::open(Some(UPSTREAM)).await;
    let stranger = TestTeam::start().await.unwrap().token("user@example.com");
    for (header, code) in [
        (None, "MCP-AUTH-001"),
        (Some(("authorization", "Bearer something-else")), "MCP-AUTH-004"),
        (Some(("cf-access-jwt-assertion", "not a token")), "MCP-AUTH-006"),
        (Some(("cf-access-jwt-assertion", stranger.as_str())), "MCP-AUTH-009"),
    ] {
        let (status, text) = shop.ask("/orders", header).await;
        assert_eq!(status, 401, "{text}");
        assert!(text.contains(code), "{code}: {text}");
    }
    assert_eq!(shop.ask("/health", None).await, (200, "well".to_owned()));
}

#[tokio::test]
async fn without_a_token_of_its_own_the_service_says_so() {
    let shop = Shop::open(None).await;
    let (status, text) = shop.ask("/orders", Some(("authorization", &format!("Bearer {CALLER}")))).await;
    assert_eq!(status, 503, "{text}");
    assert!(text.contains("MCP-AUTH-018"), "{text}");
}

#[tokio::test]
async fn a_service_that_nobody_could_call_does_not_start() {
    let error = authentication(None, None, None).unwrap_err();
    assert_eq!(error.to_string(), "mode both needs a team domain and an audience, or a Bearer token");
}
