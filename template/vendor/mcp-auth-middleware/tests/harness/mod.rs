//! A layer before a service that tells what reached it, and what every refusal must look like.

#![allow(dead_code, reason = "each test file uses its part")]

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use mcp_auth_middleware::testing::{AUDIENCE, ISSUER, TestTeam};
use mcp_auth_middleware::{
    AccessConfig, AuthConfig, AuthError, AuthLayer, AuthMode, BearerTokens, KeyPolicy, ServiceToken, User,
    create_auth_middleware,
};
use tower::{Layer as _, ServiceExt as _, service_fn};

pub const BEARER: &str = "kei4ahGhee8eecu0quoh5Ohn";
pub const ACCESS_HEADER: &str = "cf-access-jwt-assertion";
pub const PERSON: &str = "user@example.com";

/// The body of every request here: nobody may read it.
pub struct Untouchable;

impl http_body::Body for Untouchable {
    type Data = std::io::Cursor<Vec<u8>>;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Self::Data>, Infallible>>> {
        panic!("the body was read")
    }
}

/// What the service behind the layer saw of a request that passed.
#[derive(Clone)]
pub struct Passed {
    pub user: User,
    pub token: Option<ServiceToken>,
    pub headers: HeaderMap,
}

/// Sends one request with these headers through the layer.
pub async fn send<V: AsRef<[u8]>>(layer: &AuthLayer, headers: &[(&str, V)]) -> Response<String> {
    let mut request = Request::new(Untouchable);
    for (name, value) in headers {
        let name: http::HeaderName = name.parse().unwrap();
        request.headers_mut().append(name, HeaderValue::from_bytes(value.as_ref()).unwrap());
    }
    let inner = service_fn(|request: Request<Untouchable>| async move {
        let passed = Passed {
            user: request.extensions().get::<User>().unwrap().clone(),
            token: request.extensions().get::<ServiceToken>().cloned(),
            headers: request.headers().clone(),
        };
        let mut response = Response::new("passed".to_owned());
        response.extensions_mut().insert(passed);
        Ok::<_, Infallible>(response)
    });
    layer.layer(inner).oneshot(request).await.unwrap()
}

/// The user whom the layer let pass.
#[track_caller]
pub fn passed(response: &Response<String>) -> Passed {
    assert_eq!(response.status(), StatusCode::OK, "{}", response.body());
    response.extensions().get::<Passed>().expect("the service was reached").clone()
}

/// Asserts everything that an answer to a refused request promises.
#[track_caller]
pub fn assert_refused(response: &Response<String>, error: AuthError) {
    let mut body: serde_json::Value =
        serde_json::from_str(response.body()).unwrap_or_else(|_| panic!("not refused: {}", response.body()));
    if error == AuthError::InsufficientScope {
        let missing = body.as_object_mut().and_then(|body| body.remove("missing_scopes"));
        assert!(missing.is_some_and(|scopes| scopes.as_str().is_some_and(|text| !text.is_empty())), "{response:?}");
    }
    assert_eq!(
        body,
        serde_json::json!({"error": error.oauth_error(), "code": error.code(), "message": error.to_string()})
    );
    assert_eq!(response.status(), error.status());
    assert!(response.extensions().get::<Passed>().is_none(), "the service was reached");
    let header = |name: &str| response.headers().get(name).map(|v| v.to_str().unwrap());
    assert_eq!(header("content-type"), Some("application/json"));
    assert_eq!(header("connection"), Some("close"));
    let challenge = match (error, error.status()) {
        (AuthError::MissingCredentials, _) => Some(r#"Bearer realm="test-server""#.to_owned()),
        (_, StatusCode::UNAUTHORIZED) => {
            Some(format!(r#"Bearer realm="test-server", error="{}", error_description="{error}""#, error.oauth_error()))
        }
        _ => None,
    };
    if error == AuthError::InsufficientScope {
        let begin = r#"Bearer realm="test-server", error="insufficient_scope", error_description="insufficient scope", scope=""#;
        assert!(header("www-authenticate").is_some_and(|text| text.starts_with(begin)), "{response:?}");
    } else {
        assert_eq!(header("www-authenticate"), challenge.as_deref());
    }
    assert_eq!(header("retry-after"), (error.status() == StatusCode::SERVICE_UNAVAILABLE).then_some("5"));
}

pub fn config(mode: AuthMode) -> AuthConfig {
    AuthConfig::new("test-server", mode)
}

pub fn bearer() -> BearerTokens {
    BearerTokens::parse(BEARER).unwrap()
}

/// A team, and a layer that accepts its tokens.
pub struct Access {
    pub team: TestTeam,
    pub layer: AuthLayer,
}

impl Access {
    pub async fn start() -> Self {
        Self::with(|access| access).await
    }

    pub async fn with_policy(policy: KeyPolicy) -> Self {
        Self::with(|access| access.with_key_policy(policy)).await
    }

    pub async fn with(adjust: impl FnOnce(AccessConfig) -> AccessConfig) -> Self {
        let team = TestTeam::start().await.unwrap();
        let layer = access_layer(&team, adjust);
        Self { team, layer }
    }

    /// The answer to a request with this token.
    pub async fn send(&self, token: impl AsRef<[u8]>) -> Response<String> {
        send(&self.layer, &[(ACCESS_HEADER, token)]).await
    }

    /// Asserts that this token is refused, for this reason.
    pub async fn refuses(&self, token: impl AsRef<[u8]>, error: AuthError) {
        let shown = String::from_utf8_lossy(token.as_ref()).chars().take(300).collect::<String>();
        let response = self.send(token).await;
        println!("{error:?} for {shown}");
        assert_refused(&response, error);
    }

    /// Asserts that this token passes, and says whom it names.
    pub async fn accepts(&self, token: impl AsRef<[u8]>) -> User {
        passed(&self.send(token).await).user
    }

    /// The claims of a good token with some replaced; `null` takes one away.
    pub fn claims(&self, changes: serde_json::Value) -> serde_json::Value {
        let mut claims = self.team.claims(PERSON);
        merge(&mut claims, changes);
        claims
    }

    /// A token that differs from a good one in these claims only.
    pub fn token_with(&self, changes: serde_json::Value) -> String {
        self.team.sign(&self.claims(changes))
    }

    /// A token that differs from a good one in these members of the header only.
    pub fn token_with_header(&self, changes: serde_json::Value) -> String {
        let mut header = self.team.key.header();
        merge(&mut header, changes);
        self.team.key.sign(&header, &self.team.claims(PERSON))
    }
}

pub fn access_layer(team: &TestTeam, adjust: impl FnOnce(AccessConfig) -> AccessConfig) -> AuthLayer {
    let access = AccessConfig::new(ISSUER, [AUDIENCE]).unwrap().with_certs_url(&team.certs_url()).unwrap();
    create_auth_middleware(config(AuthMode::Cloudflare).with_cloudflare(adjust(access))).unwrap()
}

fn merge(into: &mut serde_json::Value, changes: serde_json::Value) {
    let into = into.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            into.remove(name);
        } else {
            into.insert(name.clone(), value.clone());
        }
    }
}

/// Waits until the condition holds; fails after ten seconds.
pub async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(10), wait).await.is_ok(), "never came: {what}");
}
