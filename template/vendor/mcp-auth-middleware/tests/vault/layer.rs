//! The store behind the layer: asked once in a while, bridged in an outage, and dropped when access is taken away.

use std::time::{Duration, Instant};

use mcp_auth_middleware::{
    AuthConfig, AuthError, AuthLayer, AuthMode, BearerTokens, ServiceToken, TokenStore, VaultTokenStore,
    create_auth_middleware,
};
use serde_json::json;
use tower::{Layer as _, ServiceExt as _};

use super::faults::Fault;
use super::faulty::Stub;
use super::*;

const BEARER: &str = "kei4ahGhee8eecu0quoh5Ohn"; // pragma: allowlist secret

fn layer(store: &VaultTokenStore, key: &str) -> AuthLayer {
    let config = AuthConfig::new("coda", AuthMode::Bearer).with_bearer(BearerTokens::parse(BEARER).unwrap());
    create_auth_middleware(config.with_service_token(TokenStore::Vault(store.clone()), key)).unwrap()
}

/// The body of the answer to a request: the token, where one came with it.
async fn ask(layer: &AuthLayer) -> String {
    let inner = tower::service_fn(|request: http::Request<()>| async move {
        let token = request.extensions().get::<ServiceToken>().unwrap();
        Ok::<_, std::convert::Infallible>(http::Response::new(token.expose().to_owned()))
    });
    let request = http::Request::builder().header("authorization", format!("Bearer {BEARER}")).body(()).unwrap();
    layer.layer(inner).oneshot(request).await.unwrap().into_body()
}

#[tokio::test]
async fn the_token_is_fetched_once_in_half_a_minute_and_bridged_in_an_outage() {
    let stub = Stub::start().await;
    let store = store(stub.config());
    assert_eq!(TokenStore::Vault(store.clone()).as_str(), "vault");
    let good = layer(&store, "API_TOKEN");
    for _ in 0..20 {
        assert_eq!(ask(&good).await, VALUE);
    }
    assert_eq!(stub.count("coda"), 1, "asked once, not once a request");
    later(Duration::from_secs(31)).await;
    assert_eq!(ask(&good).await, VALUE);
    assert_eq!(stub.count("coda"), 2);

    stub.fault("coda", Fault::Answers(503, r#"{"errors":["Vault is sealed"]}"#.into()));
    later(Duration::from_secs(31)).await;
    assert_eq!(ask(&good).await, VALUE, "an outage");
    later(Duration::from_secs(14 * 60)).await;
    assert_eq!(ask(&good).await, VALUE);
    later(Duration::from_secs(2 * 60)).await;
    assert!(ask(&good).await.contains(AuthError::TokenStoreUnavailable.code()));
    stub.fault("coda", Fault::None);
    later(Duration::from_secs(2)).await;
    assert_eq!(ask(&good).await, VALUE);
    assert!(ask(&layer(&store, "MISSING")).await.contains(AuthError::ServiceTokenMissing.code()));
}

/// Until so many questions have come, in real time.
async fn until(stub: &Stub, end: &str, count: usize) {
    let began = Instant::now();
    while stub.count(end) < count {
        assert!(began.elapsed() < Duration::from_secs(20), "{end}: {} of {count}", stub.count(end));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The next look is at most 5 seconds away.
#[tokio::test]
async fn a_login_that_may_not_ask_what_it_may_do_is_not_replaced_at_each_look() {
    let stub = Stub::start().await;
    stub.fault("capabilities-self", Fault::Answers(403, r#"{"errors":["permission denied"]}"#.into()));
    // A question that is under way while the clock is put forward has the time for that.
    let layer = layer(&store(stub.config().with_timeout(Duration::from_secs(3600))), "API_TOKEN");
    let watch = tokio::spawn(layer.clone().keep_tokens_fresh());
    for look in 1..=20 {
        until(&stub, "capabilities-self", look).await;
        later(Duration::from_secs(31)).await;
        assert_eq!(ask(&layer).await, VALUE);
    }
    assert!(stub.count("login") <= 2, "{} logins", stub.count("login"));
    watch.abort();
}

/// A policy that still lets something be done there.
#[tokio::test]
async fn attack_57_a_right_to_read_that_is_taken_away_counts_within_seconds() {
    let stub = Stub::start().await;
    let layer = layer(&store(stub.config()), "API_TOKEN");
    assert_eq!(ask(&layer).await, VALUE);
    let watch = tokio::spawn(layer.clone().keep_tokens_fresh());
    until(&stub, "capabilities-self", 1).await;
    let left = r#"{"data":{"secret/data/mcp/coda":["list","update"]}}"#;
    stub.fault("capabilities-self", Fault::Answers(200, left.into()));
    stub.fault("coda", Fault::Answers(403, r#"{"errors":["permission denied"]}"#.into()));
    // The look, and then the time that a change of policy may take.
    let (looks, mut seconds) = (stub.count("capabilities-self"), 0);
    later(Duration::from_secs(5)).await;
    until(&stub, "capabilities-self", looks + 1).await;
    while ask(&layer).await == VALUE {
        assert!(seconds < 10, "the token is still handed out");
        (seconds, _) = (seconds + 1, later(Duration::from_secs(1)).await);
    }
    watch.abort();
}

/// attacks.md 57, for a store that tells of nothing by itself.
#[tokio::test]
async fn attack_57_a_login_that_is_taken_away_counts_within_seconds() {
    for by in ["token", "policy"] {
        let Some(bao) = openbao::start().await else { return };
        bao.policy("read", READ).await;
        bao.put("mcp/coda", json!({"API_TOKEN": VALUE})).await;
        let token = bao.token("read", json!({"ttl": "1h"})).await;
        let store = store(with_token(&bao.address, &token));
        let layer = layer(&store, "API_TOKEN");
        assert_eq!(ask(&layer).await, VALUE);
        let watch = tokio::spawn(layer.clone().keep_tokens_fresh());
        tokio::time::sleep(Duration::from_millis(200)).await;
        match by {
            "token" => drop(bao.post("auth/token/revoke", json!({"token": token})).await),
            _ => bao.policy("read", r#"path "secret/data/other" { capabilities = ["read"] }"#).await,
        }
        let started = Instant::now();
        while ask(&layer).await == VALUE {
            assert!(started.elapsed() < Duration::from_secs(15), "{by}: the token is still handed out");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        println!("{by}: gone after {:?}", started.elapsed());
        assert!(ask(&layer).await.contains(AuthError::TokenStoreUnavailable.code()));
        watch.abort();
    }
}

/// A periodic token lives as long as somebody renews it, which a server does also where nobody calls.
#[tokio::test]
async fn a_session_is_kept_while_nobody_calls() {
    let Some(bao) = openbao::start().await else { return };
    bao.policy("read", READ).await;
    bao.put("mcp/coda", json!({"API_TOKEN": VALUE})).await;
    // Renewed after two thirds, 8 s; looked at each 5 s.
    let store = store(with_token(&bao.address, &bao.token("read", json!({"period": "12s"})).await));
    let watch = tokio::spawn(layer(&store, "API_TOKEN").keep_tokens_fresh());
    tokio::time::sleep(Duration::from_secs(16)).await;
    watch.abort();
    assert_eq!(get(&store, "API_TOKEN").await, Ok(Some(VALUE.to_owned())));
}
