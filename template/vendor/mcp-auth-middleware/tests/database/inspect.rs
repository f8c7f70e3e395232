//! What the role of a server finds in its database, for `doctor`.

use std::collections::BTreeMap;

use crate::postgres::{Database, key, keyring, shared};
use mcp_auth_middleware::{PostgresTls, PostgresTokenStore, ServerRole, StoreError};

const ACTOR: &str = "user@example.com";

/// A database with a role of a server, and its store.
async fn with_role(name: &str) -> (Database, PostgresTokenStore) {
    let database = shared().blank().await;
    PostgresTokenStore::init(&database.config(), Some(&ServerRole::new(name))).await.unwrap();
    let store = PostgresTokenStore::connect_lazy(&database.config_as(name), keyring(2).with_previous(key(1))).unwrap();
    (database, store)
}

#[tokio::test]
async fn a_role_as_it_should_be() {
    let (database, store) = with_role("inspected").await;
    let rows = "SELECT count(*) FROM audit_log";
    for (service, name, seed) in [("server", "NEW", 2), ("server", "OLD", 1), ("another", "OTHER", 1)] {
        let writer = database.store(&keyring(seed));
        writer.set_token(service, name, &"value".to_owned().into(), ACTOR).await.unwrap();
    }
    let before = database.number(rows).await;
    let found = store.inspect("server").await.unwrap();
    assert_eq!(database.number(rows).await, before, "no value is read, so there is no row");
    assert_eq!((found.role.as_str(), found.superuser, found.owner), ("inspected", false, false));
    assert_eq!((found.missing, found.excess), (Vec::<String>::new(), Vec::new()));
    assert_eq!((found.schema, found.newest_schema), (Some(2), 2));
    assert_eq!(found.keys_here, [key(2).id(), key(1).id()]);
    let tokens = found.tokens.unwrap();
    assert_eq!(tokens.names, ["NEW", "OLD"]);
    assert_eq!(tokens.keys, BTreeMap::from([(key(1).id(), 1), (key(2).id(), 1)]));
    assert!(tokens.unknown.is_empty());
    assert_eq!(store.inspect("nobody").await.unwrap().tokens.unwrap().names, Vec::<String>::new());
}

#[tokio::test]
async fn what_a_role_lacks_and_has_too_much() {
    let (database, store) = with_role("inspected_too_much").await;
    let change = "REVOKE EXECUTE ON FUNCTION set_token FROM inspected_too_much; GRANT UPDATE, TRUNCATE ON audit_log TO inspected_too_much";
    for sql in change.split("; ") {
        database.run(sql).await;
    }
    let found = store.inspect("server").await.unwrap();
    assert_eq!(found.missing, ["EXECUTE on set_token"]);
    assert_eq!(found.excess, ["UPDATE on audit_log", "TRUNCATE on audit_log"]);
    database.run("REVOKE EXECUTE ON FUNCTION survey FROM inspected_too_much").await;
    let found = store.inspect("server").await.unwrap();
    assert!(found.missing.contains(&"EXECUTE on survey".to_owned()), "{:?}", found.missing);
    assert_eq!(found.tokens, None);
}

#[tokio::test]
async fn an_owner_a_superuser_and_what_another_version_wrote() {
    let database = shared().database().await;
    let store = database.store(&keyring(1));
    for name in ["KNOWN", "LATER", "SHORT"] {
        store.set_token("server", name, &"value".to_owned().into(), ACTOR).await.unwrap();
    }
    // The first byte is the version of what is stored.
    database.run("UPDATE tokens SET encrypted_value = set_byte(encrypted_value, 0, 77) WHERE key = 'LATER'").await;
    let found = store.inspect("server").await.unwrap();
    assert_eq!((found.superuser, found.owner, found.schema), (true, true, Some(2)));
    let tokens = found.tokens.unwrap();
    assert_eq!((tokens.names.len(), tokens.unknown), (3, vec!["LATER".to_owned()]));
    assert_eq!(tokens.keys, BTreeMap::from([(key(1).id(), 2)]));
}

#[tokio::test]
async fn a_database_that_is_not_set_up() {
    let store = shared().blank().await.store(&keyring(1));
    assert!(matches!(store.inspect("server").await, Err(StoreError::NotSetUp(_))));
}

#[tokio::test]
async fn a_new_password_counts_for_the_same_database_alone() {
    let (database, store) = with_role("inspected_as_another").await;
    assert!(!store.use_credentials_of(&shared().blank().await.config()));
    // Nor by another way, with which the relay and the warnings would not agree.
    for way in [PostgresTls::Require, PostgresTls::VerifyFull] {
        assert!(!store.use_credentials_of(&database.config().with_tls(way)), "{way:?}");
    }
    assert_eq!(store.inspect("server").await.unwrap().role, "inspected_as_another");
    assert!(store.use_credentials_of(&database.config()));
    // Connections that are open go on as who they are.
    store.close().await;
}
