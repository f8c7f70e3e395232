//! PostgreSQL stops for 30 seconds under load: a server that knows its token goes on, one that does not answers 503 with
//! `Retry-After`, both recover by themselves, and there are never more than ten connections.
//!
//! `cargo bench --features postgres --bench outage`, with `MCP_BENCH_OUTAGE_SECONDS` for another time. A line a second, a
//! summary, and a failure where any of that is not so.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a benchmark")]

#[path = "../tests/harness/postgres.rs"]
mod postgres;

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::header::{AUTHORIZATION, RETRY_AFTER};
use http::{Request, Response, StatusCode};
use mcp_auth_middleware::{
    AuthConfig, AuthLayer, AuthMode, BearerTokens, PostgresTokenStore, ServiceToken, TokenStore, create_auth_middleware,
};
use postgres::{Cluster, Database, keyring, own};
use sqlx::Connection as _;
use tokio::task::JoinSet;
use tower::{Layer as _, ServiceExt as _, service_fn};

const BEARER: &str = "kei4ahGhee8eecu0quoh5Ohn"; // pragma: allowlist secret
const KEY: &str = "UPSTREAM_TOKEN";
/// Clients of each server; a thousand requests a second each at most.
const CLIENTS: usize = 8;
/// Who reads tokens past the layer, so that the pool has something to do.
const READERS: usize = 20;
const CONNECTIONS: &str = "SELECT count(*) FROM pg_stat_activity
                           WHERE datname = current_database() AND application_name = 'mcp-auth-middleware'";

/// What a group of clients was answered since somebody last looked.
#[derive(Default)]
struct Answers {
    passed: AtomicU64,
    /// 503 with `Retry-After`.
    unavailable: AtomicU64,
    other: AtomicU64,
    slowest: Mutex<Duration>,
}

impl Answers {
    fn slow(&self, took: Duration) {
        let mut slowest = self.slowest.lock().unwrap();
        *slowest = took.max(*slowest);
    }

    fn look(&self) -> Looked {
        let take = |count: &AtomicU64| count.swap(0, Ordering::SeqCst);
        Looked {
            passed: take(&self.passed),
            unavailable: take(&self.unavailable),
            other: take(&self.other),
            slowest: std::mem::take(&mut *self.slowest.lock().unwrap()),
        }
    }
}

#[derive(Default)]
struct Looked {
    passed: u64,
    unavailable: u64,
    other: u64,
    slowest: Duration,
}

impl Looked {
    fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.unavailable += other.unavailable;
        self.other += other.other;
        self.slowest = self.slowest.max(other.slowest);
    }
}

fn layer(service: &str, store: &PostgresTokenStore) -> AuthLayer {
    let config = AuthConfig::new(service, AuthMode::Bearer).with_bearer(BearerTokens::parse(BEARER).unwrap());
    let layer = create_auth_middleware(config.with_service_token(TokenStore::Postgres(store.clone()), KEY)).unwrap();
    tokio::spawn(layer.clone().keep_tokens_fresh());
    layer
}

/// One request through the layer.
async fn ask(layer: &AuthLayer) -> Response<String> {
    let request = Request::builder().header(AUTHORIZATION, format!("Bearer {BEARER}")).body(()).unwrap();
    let service = service_fn(async |request: Request<()>| {
        let token = request.extensions().get::<ServiceToken>().expect("the token reached the handler");
        Ok::<_, Infallible>(Response::new(token.expose().to_owned()))
    });
    layer.layer(service).oneshot(request).await.unwrap()
}

async fn client(layer: AuthLayer, value: &'static str, answers: Arc<Answers>, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::SeqCst) {
        let began = Instant::now();
        let response = ask(&layer).await;
        answers.slow(began.elapsed());
        let count = match response.status() {
            StatusCode::OK if response.body() == value => &answers.passed,
            StatusCode::SERVICE_UNAVAILABLE if response.headers().contains_key(RETRY_AFTER) => &answers.unavailable,
            _ => &answers.other,
        };
        count.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn reader(store: PostgresTokenStore, answers: Arc<Answers>, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::SeqCst) {
        let began = Instant::now();
        let count = match store.get_token("known", KEY, "reader").await {
            Ok(Some(_)) => &answers.passed,
            Err(_) => {
                tokio::time::sleep(Duration::from_millis(20)).await;
                &answers.unavailable
            }
            Ok(None) => &answers.other,
        };
        answers.slow(began.elapsed());
        count.fetch_add(1, Ordering::SeqCst);
    }
}

/// Looks how many connections there are, as often as it can; −1 while there is no database.
async fn watch(database: Arc<Database>, down: Arc<AtomicBool>, now: Arc<AtomicI64>, most: Arc<AtomicI64>) {
    loop {
        if !down.load(Ordering::SeqCst) {
            let mut connection = database.connect().await;
            while let Ok(count) = sqlx::query_scalar::<_, i64>(CONNECTIONS).fetch_one(&mut connection).await {
                now.store(count, Ordering::SeqCst);
                most.fetch_max(count, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            let _ = connection.close().await;
        }
        now.store(-1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

struct Bench {
    known: Arc<Answers>,
    unknown: Arc<Answers>,
    readers: Arc<Answers>,
    connections: Arc<AtomicI64>,
    began: Instant,
    second: u32,
}

impl Bench {
    /// A line a second, and their sum.
    async fn seconds(&mut self, state: &str, seconds: u32) -> (Looked, Looked) {
        let mut sums = (Looked::default(), Looked::default());
        for _ in 0..seconds {
            self.second += 1;
            tokio::time::sleep_until((self.began + Duration::from_secs(u64::from(self.second))).into()).await;
            let (known, unknown, readers) = (self.known.look(), self.unknown.look(), self.readers.look());
            let connections = self.connections.load(Ordering::SeqCst);
            let connections = if connections < 0 { "-".to_owned() } else { connections.to_string() };
            let show = |of: &Looked| {
                let slowest = of.slowest.as_secs_f64() * 1000.0;
                format!("{:>6} {:>6} {:>5} {slowest:>8.1}", of.passed, of.unavailable, of.other)
            };
            println!(
                "{:>3} {state:<5}|{} |{} |{:>6} {:>5} |{connections:>4}",
                self.second,
                show(&known),
                show(&unknown),
                readers.passed,
                readers.unavailable
            );
            sums.0.add(&known);
            sums.1.add(&unknown);
        }
        sums
    }
}

async fn switch(cluster: &'static Cluster, command: impl FnOnce(&Cluster) + Send + 'static) {
    tokio::task::spawn_blocking(move || command(cluster)).await.unwrap();
}

#[tokio::main]
async fn main() {
    let outage = std::env::var("MCP_BENCH_OUTAGE_SECONDS").map_or(30, |text| text.parse().unwrap());
    let cluster = own();
    let database = Arc::new(cluster.database().await);
    let store = database.store(&keyring(1));
    for service in ["known", "unknown"] {
        store.set_token(service, KEY, &service.to_owned().into(), "setup").await.unwrap();
    }
    let (known, unknown) = (layer("known", &store), layer("unknown", &store));
    assert_eq!(ask(&known).await.body(), "known");

    let (stop, down) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (now, most) = (Arc::new(AtomicI64::new(-1)), Arc::new(AtomicI64::new(0)));
    let watcher = tokio::spawn(watch(Arc::clone(&database), Arc::clone(&down), Arc::clone(&now), Arc::clone(&most)));
    let mut bench = Bench {
        known: Arc::default(),
        unknown: Arc::default(),
        readers: Arc::default(),
        connections: now,
        began: Instant::now(),
        second: 0,
    };
    let mut tasks = JoinSet::new();
    for _ in 0..CLIENTS {
        tasks.spawn(client(known.clone(), "known", Arc::clone(&bench.known), Arc::clone(&stop)));
    }
    for _ in 0..READERS {
        tasks.spawn(reader(store.clone(), Arc::clone(&bench.readers), Arc::clone(&stop)));
    }
    println!("          |   server that knows its token |  server that does not        | past the   |");
    println!("  s  base |passed    503 other  slowest |passed    503 other  slowest |layer   bad | connections");
    let before = bench.seconds("up", 5).await;

    down.store(true, Ordering::SeqCst);
    switch(cluster, |cluster| cluster.stop("fast")).await;
    for _ in 0..CLIENTS {
        tasks.spawn(client(unknown.clone(), "unknown", Arc::clone(&bench.unknown), Arc::clone(&stop)));
    }
    let during = bench.seconds("down", outage).await;
    switch(cluster, Cluster::start_again).await;
    down.store(false, Ordering::SeqCst);
    let started = Instant::now();
    let recovered = async {
        while bench.unknown.passed.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        started.elapsed()
    };
    let recovered = tokio::time::timeout(Duration::from_secs(30), recovered).await.expect("it recovers");
    let turn = bench.seconds("up", 3).await;
    let after = bench.seconds("up", 7).await;
    stop.store(true, Ordering::SeqCst);
    tasks.join_all().await;
    watcher.abort();

    let known_passed: u64 = [&before, &during, &turn, &after].iter().map(|sums| sums.0.passed).sum();
    let known_failed: u64 = [&before, &during, &turn, &after].iter().map(|s| s.0.unavailable + s.0.other).sum();
    let most = most.load(Ordering::SeqCst);
    println!(
        "\n{outage} s without PostgreSQL: {known_passed} requests with a known token, {known_failed} of them failed; \
         without one {} times 503, {} passed, {} other; passed again {recovered:.0?} after the start; {most} connections \
         at most",
        during.1.unavailable, during.1.passed, during.1.other
    );
    assert!(during.0.passed > 0, "there was load");
    assert_eq!(known_failed, 0, "a known token goes on");
    assert!(during.1.unavailable > 0 && during.1.passed + during.1.other == 0, "without a token: 503, Retry-After");
    assert_eq!(turn.1.other, 0);
    assert!(recovered < Duration::from_secs(5), "recovery took {recovered:?}");
    assert_eq!((after.1.unavailable, after.1.other), (0, 0), "recovered is recovered");
    assert!(after.1.passed > 0);
    assert!((5..=10).contains(&most), "{most} connections");
    assert_eq!(store.audit_verify().await.unwrap().fault, None);
}
