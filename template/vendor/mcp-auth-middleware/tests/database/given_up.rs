//! Operations that are given up, as by a client that hangs up: after each single step that they wait for.
//!
//! The store has one connection, so that whatever one operation leaves behind meets the next.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use crate::postgres::{Database, key, keyring, shared};
use mcp_auth_middleware::{PostgresConfig, PostgresTokenStore, StoreError, ToolCallRecord};
use sqlx::{Connection as _, Executor as _};

const ACTOR: &str = "user@example.com";

/// More steps than any operation has.
const STEPS: usize = 200;

/// What an operation gives, or nothing where it is still waiting after so many steps and is dropped.
async fn at_most<T>(steps: usize, operation: impl Future<Output = T>) -> Option<T> {
    let mut operation = pin!(operation);
    let mut left = steps;
    poll_fn(move |context| {
        left -= 1;
        match operation.as_mut().poll(context) {
            Poll::Pending if left > 0 => Poll::Pending,
            Poll::Pending => Poll::Ready(None),
            Poll::Ready(given) => Poll::Ready(Some(given)),
        }
    })
    .await
}

/// Gives an operation up after one step, after two, and so on until it ends by itself. After each, what is written is
/// there for everybody.
async fn give_up<T>(
    database: &Database,
    config: &PostgresConfig,
    operation: impl AsyncFn(&PostgresTokenStore) -> Result<T, StoreError>,
) {
    let store = PostgresTokenStore::connect_lazy(config, keyring(2).with_previous(key(1))).unwrap();
    let other = database.store(&keyring(2).with_previous(key(1)));
    store.ping().await.unwrap();
    for steps in 1..STEPS {
        let ended = at_most(steps, operation(&store)).await;
        let value = format!("written after {steps} steps");
        store.set_token("server", "AFTER", &value.clone().into(), ACTOR).await.unwrap();
        let read = other.get_token("server", "AFTER", ACTOR).await.unwrap();
        assert_eq!(read.map(|token| token.expose().to_owned()), Some(value), "as others see it");
        if let Some(result) = ended {
            result.unwrap();
            assert_eq!(other.audit_verify().await.unwrap().fault, None);
            return;
        }
    }
    panic!("more than {STEPS} steps");
}

#[tokio::test]
async fn what_is_given_up_leaves_nothing_to_the_next() {
    for pooled in [false, true] {
        let database = shared().database().await;
        let old = database.store(&keyring(1));
        for n in 0..3 {
            old.set_token("server", &format!("KEY {n}"), &format!("value {n}").into(), ACTOR).await.unwrap();
        }
        let mut config = database.config().with_pool(1, 1);
        if pooled {
            config = config.through_transaction_pooler();
        }
        give_up(&database, &config, async |store| store.rotate(ACTOR).await).await;
        give_up(&database, &config, async |store| {
            store.set_token("server", "KEY 0", &"new".to_owned().into(), ACTOR).await
        })
        .await;
        give_up(&database, &config, async |store| store.get_token("server", "KEY 0", ACTOR).await).await;
        give_up(&database, &config, async |store| store.list("server", ACTOR).await).await;
        give_up(&database, &config, async |store| store.audit_verify().await).await;
        give_up(&database, &config, async |store| store.inspect("server").await).await;
        give_up(&database, &config, async |store| store.delete_token("server", "KEY 0", ACTOR).await).await;
    }
}

/// No caller can touch the records of calls while they are written.
#[tokio::test]
async fn calls_whose_writing_is_given_up_are_remembered_on() {
    let database = shared().database().await;
    let store = database.store(&keyring(1));
    store.ping().await.unwrap();
    for n in 0..3 {
        store.record_call(ToolCallRecord {
            caller: ACTOR.to_owned(),
            kind: "human".to_owned(),
            issuer: None,
            tool: format!("tool {n}"),
            outcome: "ok".to_owned(),
            duration: Duration::from_millis(1),
            request_id: None,
        });
    }
    let mut other = database.connect().await;
    other.execute("BEGIN; LOCK TABLE mcp_auth_store.tool_calls").await.unwrap();
    let given_up = tokio::time::timeout(Duration::from_millis(300), store.write_calls("server")).await;
    assert!(given_up.is_err());
    other.execute("ROLLBACK").await.unwrap();
    other.close().await.unwrap();
    assert_eq!(store.write_calls("server").await, Ok(3));
    assert_eq!(store.write_calls("server").await, Ok(0));
    let names = "SELECT count(DISTINCT tool) FROM mcp_auth_store.tool_calls";
    assert_eq!(database.number(names).await, 3);
}
