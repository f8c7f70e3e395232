//! The layer with tokens from PostgreSQL: resolved once in a while, changed within a second, bridged during an outage.

#![cfg(all(feature = "postgres", feature = "testing", unix))]

use crate::harness::{BEARER, assert_refused, passed, send};
use crate::postgres::{Database, eventually, key, keyring, own, shared};
use mcp_auth_middleware::{
    AuthConfig, AuthError, AuthLayer, AuthMode, BearerTokens, PostgresTokenStore, TokenStore, create_auth_middleware,
};

const SERVICE: &str = "server";
const KEY: &str = "CODA_API_TOKEN";
const ACTOR: &str = "user@example.com";

fn layer(store: PostgresTokenStore) -> AuthLayer {
    let bearer = BearerTokens::parse(BEARER).unwrap();
    let config = AuthConfig::new(SERVICE, AuthMode::Bearer).with_bearer(bearer);
    create_auth_middleware(config.with_service_token(TokenStore::Postgres(store), KEY)).unwrap()
}

async fn ask(layer: &AuthLayer) -> http::Response<String> {
    send(layer, &[("authorization", format!("Bearer {BEARER}"))]).await
}

async fn token(layer: &AuthLayer) -> String {
    let response = ask(layer).await;
    assert_eq!(response.status(), 200, "{}", response.body());
    passed(&response).token.unwrap().expose().to_owned()
}

async fn set(database: &Database, value: &str) {
    let store = database.store(&keyring(1));
    store.set_token(SERVICE, KEY, &value.to_owned().into(), ACTOR).await.unwrap();
    store.close().await;
}

fn reads() -> String {
    "SELECT count(*) FROM audit_log WHERE action = 'get'".to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_without_service_token_answers_whatever_becomes_of_the_store() {
    let cluster = own();
    let database = cluster.database().await;
    let store = database.store(&keyring(1));
    let layer = layer(store.clone());
    let status = layer.clone().without_service_token();
    assert!(TokenStore::Postgres(store.clone()).ping(SERVICE).await.is_ok());
    let pool = store.pool_status();
    assert!((1..=pool.maximum).contains(&pool.open) && pool.maximum == 10, "{pool:?}");
    assert_eq!(store.active_key(), key(1).id());
    cluster.stop("fast");
    assert!(TokenStore::Postgres(store).ping(SERVICE).await.is_err());
    assert_refused(&ask(&layer).await, AuthError::TokenStoreUnavailable);
    let response = ask(&status).await;
    assert_eq!(response.status(), 200, "{}", response.body());
    assert!(passed(&response).token.is_none());
    let strange = send(&status, &[("authorization", "Bearer of-nobody-we-know".to_owned())]).await;
    assert_eq!(strange.status(), 401, "the caller is established all the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_read_once_and_a_change_counts_within_a_second() {
    let database = shared().database().await;
    let layer = layer(database.store(&keyring(1)));
    assert_refused(&ask(&layer).await, AuthError::ServiceTokenMissing);
    set(&database, "first").await;

    let following = tokio::spawn(layer.clone().keep_tokens_fresh());
    eventually("the token is found", || async { ask(&layer).await.status() == 200 }).await;
    assert_eq!(token(&layer).await, "first");
    let before = database.number(&reads()).await;
    for _ in 0..100 {
        assert_eq!(token(&layer).await, "first");
    }
    // One more at the most, for news that came late.
    assert!(database.number(&reads()).await <= before + 1);

    set(&database, "second").await;
    let since = std::time::Instant::now();
    eventually("the change counts", || async { token(&layer).await == "second" }).await;
    assert!(since.elapsed() < std::time::Duration::from_secs(1), "{:?}", since.elapsed());

    let store = database.store(&keyring(1));
    assert!(store.delete_token(SERVICE, KEY, ACTOR).await.unwrap());
    eventually("the deletion counts", || async { ask(&layer).await.status() == 503 }).await;
    assert_refused(&ask(&layer).await, AuthError::ServiceTokenMissing);
    following.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_45_an_outage_is_bridged_for_whoever_knows_the_token() {
    let cluster = own();
    let database = cluster.database().await;
    set(&database, "token").await;
    let patience = std::time::Duration::from_millis(500);
    let store = || {
        let config = database.config().with_timeouts(patience, patience);
        PostgresTokenStore::connect_lazy(&config, keyring(1)).unwrap()
    };
    let knowing = layer(store());
    let following = tokio::spawn(knowing.clone().keep_tokens_fresh());
    assert_eq!(token(&knowing).await, "token");

    cluster.stop("fast");
    let new = layer(store());
    for _ in 0..20 {
        assert_eq!(token(&knowing).await, "token");
    }
    let refused = ask(&new).await;
    assert_refused(&refused, AuthError::TokenStoreUnavailable);
    assert_eq!(refused.headers()["retry-after"], "5");
    // Nobody queues for a database that is known to be away.
    let since = std::time::Instant::now();
    for _ in 0..50 {
        assert_refused(&ask(&new).await, AuthError::TokenStoreUnavailable);
    }
    assert!(since.elapsed() < patience, "{:?}", since.elapsed());

    cluster.start_again();
    eventually("the layer recovers", || async { ask(&new).await.status() == 200 }).await;
    assert_eq!(token(&new).await, "token");
    assert_eq!(token(&knowing).await, "token");
    following.abort();
}

#[tokio::test]
async fn attack_40_a_token_of_another_key_is_said_to_be_one() {
    let database = shared().database().await;
    set(&database, "token").await;
    let layer = layer(database.store(&keyring(2)));
    assert_refused(&ask(&layer).await, AuthError::ServiceTokenUnreadable);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_token_of_several_is_had_by_its_name() {
    let database = shared().database().await;
    set(&database, "of-coda").await;
    let bearer = BearerTokens::parse(BEARER).unwrap();
    let config = AuthConfig::new(SERVICE, AuthMode::Bearer)
        .with_bearer(bearer)
        .with_service_tokens(TokenStore::Postgres(database.store(&keyring(1))), [KEY, "ANOTHER"]);
    let layer = create_auth_middleware(config).unwrap();
    assert!(!layer.knows_service_tokens());
    let tokens = layer.service_tokens();
    assert_eq!(tokens.get(KEY).await.unwrap().expose(), "of-coda");
    assert_eq!(tokens.get("ANOTHER").await.unwrap_err(), AuthError::ServiceTokenMissing);
    assert_eq!(tokens.get("NOBODYS").await.unwrap_err(), AuthError::ServiceTokenMissing);
    assert!(!layer.knows_service_tokens(), "one is not there");
    let before = database.number(&reads()).await;
    assert_eq!(tokens.get(KEY).await.unwrap().expose(), "of-coda");
    assert_eq!(database.number(&reads()).await, before, "it is known");
    assert_eq!(format!("{tokens:?}"), format!("ServiceTokens([{KEY:?}, \"ANOTHER\"])"));
}
