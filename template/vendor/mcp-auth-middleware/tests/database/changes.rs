//! Caches hear of changed tokens.

use std::time::Duration;

use crate::postgres::{key, keyring, own, shared};
use mcp_auth_middleware::{PostgresTokenStore, TokenChange, TokenChanges};
use secrecy::SecretString;

const ACTOR: &str = "user@example.com";

fn secret(text: &str) -> SecretString {
    text.to_owned().into()
}

/// The next piece of news, which has to come within a second.
async fn soon(changes: &mut TokenChanges) -> TokenChange {
    tokio::time::timeout(Duration::from_secs(1), changes.next()).await.expect("within a second").unwrap()
}

#[tokio::test]
async fn a_change_by_one_store_reaches_another_within_a_second() {
    let database = shared().database().await;
    let (writer, reader) = (database.store(&keyring(1)), database.store(&keyring(1)));
    let mut changes = reader.changes();
    assert_eq!(soon(&mut changes).await, TokenChange::Missed, "what was before is unknown");

    writer.set_token("server", "API", &secret("first"), ACTOR).await.unwrap();
    assert_eq!(soon(&mut changes).await, TokenChange::Changed);
    // Neither a read, nor the same value, nor another key for it is a change.
    writer.get_token("server", "API", ACTOR).await.unwrap();
    writer.set_token("server", "API", &secret("first"), ACTOR).await.unwrap();
    assert_eq!(database.store(&keyring(2).with_previous(key(1))).rotate_key(ACTOR).await, Ok(1));
    writer.set_token("se\"rv'er", "söö", &secret("first"), ACTOR).await.unwrap();
    assert_eq!(soon(&mut changes).await, TokenChange::Changed);
    writer.set_token("server", "API", &secret("second"), ACTOR).await.unwrap();
    assert_eq!(soon(&mut changes).await, TokenChange::Changed);
    writer.delete_token("server", "API", ACTOR).await.unwrap();
    assert_eq!(soon(&mut changes).await, TokenChange::Changed);
    // Past the store, too.
    database.run("DELETE FROM tokens").await;
    assert_eq!(soon(&mut changes).await, TokenChange::Changed);
    database.run("TRUNCATE tokens").await;
    assert_eq!(soon(&mut changes).await, TokenChange::Changed);
    // The largest names fit.
    let (service, key) = ("\"".repeat(255), "\\".repeat(255));
    writer.set_token(&service, &key, &secret("value"), ACTOR).await.unwrap();
    assert_eq!(soon(&mut changes).await, TokenChange::Changed);

    let ((), end) = tokio::join!(reader.close(), changes.next());
    assert_eq!(end, None);
    assert_eq!(changes.next().await, None);
}

#[tokio::test]
async fn after_a_lost_connection_everything_may_have_changed() {
    let cluster = own();
    let database = cluster.database().await;
    let store = database.store(&keyring(1));
    let mut changes = store.changes();
    assert_eq!(soon(&mut changes).await, TokenChange::Missed);
    for mode in ["fast", "immediate"] {
        cluster.stop(mode);
        let (news, ()) = tokio::join!(changes.next(), async { cluster.start_again() });
        assert_eq!(news, Some(TokenChange::Lost), "{mode}");
        assert_eq!(changes.next().await, Some(TokenChange::Missed), "{mode}");
        // The first one may find a connection that has died.
        let value = secret(mode);
        crate::postgres::eventually("a token is set", || async {
            store.set_token("server", "API", &value, ACTOR).await.is_ok()
        })
        .await;
        assert_eq!(soon(&mut changes).await, TokenChange::Changed, "{mode}");
    }
}

#[tokio::test]
async fn a_lost_connection_alone_is_noticed() {
    let database = shared().database().await;
    let store = database.store(&keyring(1));
    let mut changes = store.changes();
    assert_eq!(soon(&mut changes).await, TokenChange::Missed);
    let kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                WHERE datname = current_database() AND query LIKE 'LISTEN %'";
    assert_eq!(database.number(kill).await, 1);
    assert_eq!(soon(&mut changes).await, TokenChange::Lost);
    assert_eq!(soon(&mut changes).await, TokenChange::Missed);
    store.set_token("server", "API", &secret("value"), ACTOR).await.unwrap();
    assert_eq!(soon(&mut changes).await, TokenChange::Changed);
}

#[tokio::test(start_paused = true)]
async fn with_a_pooler_between_everything_is_taken_for_changed_now_and_then() {
    let config = mcp_auth_middleware::PostgresConfig::new("/nonexistent", "auth", "me")
        .with_password(&secret("a-very-secret-password"))
        .through_transaction_pooler();
    let store = PostgresTokenStore::connect_lazy(&config, keyring(1)).unwrap();
    let mut changes = store.changes();
    assert!(!format!("{changes:?}").contains("a-very-secret"), "{changes:?}");
    let start = tokio::time::Instant::now();
    for _ in 0..3 {
        assert_eq!(changes.next().await, Some(TokenChange::Missed));
    }
    assert_eq!(start.elapsed().as_secs(), 60);
    store.close().await;
    assert_eq!(changes.next().await, None);
}
