//! The database is down, goes down, is slow, full or read-only: said in time and without secrets, and over by itself.

#![cfg(all(feature = "postgres", unix))]
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "harness/postgres.rs"]
mod postgres;

use std::time::{Duration, Instant};

use mcp_auth_middleware::{PostgresConfig, PostgresTokenStore, StoreError};
use postgres::{Cluster, Database, eventually, keyring, own, shared};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

const ACTOR: &str = "user@example.com";

fn impatient(config: PostgresConfig) -> PostgresTokenStore {
    let config = config.with_timeouts(Duration::from_millis(500), Duration::from_millis(500));
    PostgresTokenStore::connect_lazy(&config, keyring(1)).unwrap()
}

async fn get(store: &PostgresTokenStore) -> Result<Option<String>, StoreError> {
    let token = store.get_token("server", "API", ACTOR).await?;
    Ok(token.map(|token| token.expose().to_owned()))
}

async fn fill(database: &Database) {
    let store = database.store(&keyring(1));
    store.set_token("server", "API", &"value".to_owned().into(), ACTOR).await.unwrap();
    store.close().await;
}

#[track_caller]
fn assert_unavailable(result: Result<Option<String>, StoreError>, text: &str) {
    match result {
        Err(StoreError::Unavailable(reason)) => assert!(reason.contains(text), "{reason}"),
        other => panic!("{text}: {other:?}"),
    }
}

async fn recovers(store: &PostgresTokenStore) {
    eventually("the store recovers", || async { get(store).await == Ok(Some("value".to_owned())) }).await;
}

/// Something like the head of the audit log in somebody else's hands.
const HOLD: &str = "SELECT count FROM audit_chain FOR UPDATE";

#[tokio::test(flavor = "multi_thread")]
async fn attack_45_down_at_the_start_in_mid_request_and_back() {
    let cluster = own();
    let database = cluster.database().await;
    fill(&database).await;
    cluster.stop("fast");

    let store = impatient(database.config());
    let tcp = impatient(cluster.config_over_tcp(&database.name, "postgres", "a-very-secret-password"));
    let began = Instant::now();
    assert_unavailable(get(&store).await, &format!(":{})", cluster.port()));
    assert_unavailable(get(&tcp).await, &format!("127.0.0.1:{}", cluster.port()));
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    let shown = format!("{tcp:?} {:?}", get(&tcp).await);
    assert!(!shown.contains("a-very-secret"), "{shown}");

    cluster.start_again();
    recovers(&store).await;

    for mode in ["fast", "immediate"] {
        let patient = database.store(&keyring(1));
        let mut other = database.connect().await;
        let mut held = other.begin().await.unwrap();
        held.execute(HOLD).await.unwrap();
        let request = {
            let store = patient.clone();
            tokio::spawn(async move { get(&store).await })
        };
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
        eventually("a request waits", || async { database.number(waiting).await == 1 }).await;
        stop_at_once(cluster, mode);
        assert_unavailable(request.await.unwrap(), "the database");
        drop(held);
        drop(other);
        cluster.start_again();
        recovers(&patient).await;
        recovers(&store).await;
    }
    assert_eq!(store.audit_verify().await.unwrap().fault, None);
}

/// With the limits of every store: it is not waited for a database that refuses connections.
#[tokio::test]
async fn attack_45_a_refused_connection_is_told_at_once() {
    // Bound and never listening: nobody answers, and nobody else gets the port meanwhile.
    let closed = tokio::net::TcpSocket::new_v4().unwrap();
    closed.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let port = closed.local_addr().unwrap().port();
    let config = PostgresConfig::new("127.0.0.1", "auth", "me").with_port(port);
    for config in [config.clone(), config.with_pool(0, 1)] {
        let store = PostgresTokenStore::connect_lazy(&config, keyring(1)).unwrap();
        for _ in 0..2 {
            let began = Instant::now();
            let text = format!("the database cannot be reached: connection refused (127.0.0.1:{port})");
            assert_unavailable(get(&store).await, &text);
            assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        }
    }
}

fn stop_at_once(cluster: &Cluster, mode: &str) {
    tokio::task::block_in_place(|| cluster.stop(mode));
}

#[tokio::test]
async fn attack_45_slow() {
    let database = shared().database().await;
    fill(&database).await;
    let store = impatient(database.config());
    let mut other = database.connect().await;
    let mut held = other.begin().await.unwrap();
    held.execute(HOLD).await.unwrap();
    let began = Instant::now();
    assert_unavailable(get(&store).await, "the audit log cannot be written, so nothing was done: the database did not");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    held.rollback().await.unwrap();
    assert_eq!(get(&store).await, Ok(Some("value".to_owned())));
}

#[tokio::test]
async fn attack_45_accepts_and_says_nothing() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let store = impatient(PostgresConfig::new("127.0.0.1", "auth", "me").with_port(port));
    let began = Instant::now();
    assert_unavailable(get(&store).await, "no connection in time");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

/// A network to the database that can lose packets without an error at either end.
struct Wire {
    port: u16,
    cut: watch::Sender<bool>,
}

impl Wire {
    async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (cut, cuts) = watch::channel(false);
        let wire = Self { port: listener.local_addr().unwrap().port(), cut };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let mut cuts = cuts.clone();
                tokio::spawn(async move {
                    let mut client = client;
                    let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                        // Neither side hears of the other again: both ends stay open, unread.
                        _ = async { cuts.wait_for(|cut| *cut).await.is_ok() } => std::future::pending().await,
                    }
                });
            }
        });
        wire
    }
}

#[tokio::test]
async fn attack_45_a_network_that_swallows_packets() {
    let database = own().blank().await;
    let role = mcp_auth_middleware::ServerRole::new("remote").with_password("password".to_owned().into());
    PostgresTokenStore::init(&database.config(), Some(&role)).await.unwrap();
    fill(&database).await;
    let wire = Wire::to(database.cluster.port()).await;
    let config = database.cluster.config_over_tcp(&database.name, "remote", "password").with_port(wire.port);
    let store = impatient(config.with_pool(2, 4));
    let mut changes = store.changes();
    changes.next().await.unwrap();
    recovers(&store).await;
    // All other connections of the pool are under way when it happens.
    let mut other = database.connect().await;
    let mut held = other.begin().await.unwrap();
    held.execute(HOLD).await.unwrap();
    let requests: Vec<_> = (0..3)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { get(&store).await })
        })
        .collect();
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    eventually("requests wait", || async { database.number(waiting).await == 3 }).await;
    wire.cut.send(true).unwrap();
    let began = Instant::now();
    for request in requests {
        assert_unavailable(request.await.unwrap(), "did not answer in time");
    }
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    held.rollback().await.unwrap();
    wire.cut.send(false).unwrap();
    // Once the dead connections have been given up.
    recovers(&store).await;
}

#[tokio::test]
async fn attack_45_read_only() {
    let database = shared().database().await;
    fill(&database).await;
    let switch = async |to: &str| {
        let mut other = database.cluster.connect("postgres", "postgres").await;
        let sql = format!("ALTER DATABASE {} SET default_transaction_read_only = {to}", database.name);
        other.execute(AssertSqlSafe(sql)).await.unwrap();
        other.close().await.unwrap();
    };
    switch("on").await;
    let store = database.store(&keyring(1));
    // No read without an audit row either.
    assert_unavailable(get(&store).await, "the database is read-only");
    assert_unavailable(get(&store).await, "the database is read-only");
    switch("off").await;
    // The setting is that of a connection, from its beginning.
    recovers(&store).await;
}

#[tokio::test]
async fn attack_45_out_of_connections() {
    let database = shared().database().await;
    fill(&database).await;
    let role = mcp_auth_middleware::ServerRole::new("crowded");
    PostgresTokenStore::init(&database.config(), Some(&role)).await.unwrap();
    database.run("ALTER ROLE crowded CONNECTION LIMIT 0").await;
    let store = impatient(database.config_as("crowded"));
    assert_unavailable(get(&store).await, "no connection in time");
    database.run("ALTER ROLE crowded CONNECTION LIMIT 50").await;
    recovers(&store).await;
}

/// How many connections stores have to this database.
const CONNECTIONS: &str = "SELECT count(*) FROM pg_stat_activity
                           WHERE datname = current_database() AND application_name = 'mcp-auth-middleware'";

/// Fifty callers with twenty reads each; where they are hasty, every fifth hangs up before the answer.
fn load(store: &PostgresTokenStore, hasty: bool) -> tokio::task::JoinSet<()> {
    let mut callers = tokio::task::JoinSet::new();
    for n in 0..50_u64 {
        let store = store.clone();
        callers.spawn(async move {
            for i in 0..20_u64 {
                if hasty && n % 5 == 0 {
                    let patience = Duration::from_micros((n * 131 + i * 977) % 5000);
                    let _ = tokio::time::timeout(patience, get(&store)).await;
                } else {
                    assert_eq!(get(&store).await, Ok(Some("value".to_owned())));
                }
            }
        });
    }
    callers
}

/// The most connections that the database and the pool had while these callers were at work.
async fn most_connections(
    mut callers: tokio::task::JoinSet<()>,
    store: &PostgresTokenStore,
    watcher: &mut sqlx::PgConnection,
) -> (i64, u32) {
    let (mut server, mut pool) = (0, 0);
    while !callers.is_empty() {
        let now: i64 = sqlx::query_scalar(CONNECTIONS).fetch_one(&mut *watcher).await.unwrap();
        (server, pool) = (server.max(now), pool.max(store.pool_status().open));
        while let Some(done) = callers.try_join_next() {
            done.unwrap();
        }
    }
    (server, pool)
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_45_never_more_than_ten_connections() {
    let database = shared().database().await;
    fill(&database).await;
    let mut watcher = database.connect().await;
    let gone: i64 = sqlx::query_scalar(CONNECTIONS).fetch_one(&mut watcher).await.unwrap();
    assert!(gone <= 10);
    let store = database.store(&keyring(1));
    let mut changes = store.changes();
    changes.next().await.unwrap();

    // Callers who wait for their answer: the database itself counts.
    let calm = load(&store, false);
    let (server, pool) = most_connections(calm, &store, &mut watcher).await;
    assert!((5..=10).contains(&server) && pool <= 10, "{server} connections at most, {pool} in the pool");
    // With callers who hang up, the database may still be ending connections that the pool has replaced.
    let hasty = load(&store, true);
    let (server, pool) = most_connections(hasty, &store, &mut watcher).await;
    assert!(server >= 5 && pool <= 10, "{server} connections at most, {pool} in the pool");
    eventually("what was hung up is gone", || async { database.number(CONNECTIONS).await <= 10 }).await;
    assert_eq!(store.audit_verify().await.unwrap().fault, None);
    drop(changes);
    store.close().await;
    eventually("all connections are closed", || async { database.number(CONNECTIONS).await == 0 }).await;
    watcher.close().await.unwrap();
}

#[tokio::test]
async fn the_pools_minimum_is_opened_in_the_background() {
    let database = shared().database().await;
    let _store = database.store(&keyring(1));
    eventually("two connections", || async { database.number(CONNECTIONS).await == 2 }).await;
}
