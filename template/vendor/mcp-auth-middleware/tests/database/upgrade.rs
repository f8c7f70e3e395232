//! From the first version of the schema to the one of today, with data in place and servers of both versions at work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::former::Former;
use crate::postgres::{Database, eventually, keyring, shared};
use mcp_auth_middleware::{PostgresTokenStore, ServerRole, StoreError};
use tokio::task::JoinSet;

const ACTOR: &str = "user@example.com";
const TOKENS: usize = 40;

fn name(n: usize) -> String {
    format!("KEY {}", n % TOKENS)
}

fn store(database: &Database, role: &str) -> PostgresTokenStore {
    PostgresTokenStore::connect_lazy(&database.config_as(role), keyring(1)).unwrap()
}

/// Requests over and over, until stopped.
#[derive(Default)]
struct Load {
    stop: AtomicBool,
    requests: AtomicU64,
    failures: std::sync::Mutex<Vec<String>>,
    longest: std::sync::Mutex<Duration>,
}

impl Load {
    fn count<E: std::fmt::Display>(&self, began: Instant, done: Result<(), E>) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = done {
            self.failures.lock().unwrap().push(error.to_string());
        }
        let mut longest = self.longest.lock().unwrap();
        *longest = (*longest).max(began.elapsed());
    }

    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    async fn done(self: &Arc<Self>, more: u64) {
        let until = self.requests.load(Ordering::Relaxed) + more;
        eventually("requests", || async { self.requests.load(Ordering::Relaxed) >= until }).await;
    }
}

fn former_servers(tasks: &mut JoinSet<()>, load: &Arc<Load>, former: &Former, count: usize) {
    for at in 0..count {
        let (former, load) = (former.clone(), Arc::clone(load));
        tasks.spawn(async move {
            let mut n = at * 7;
            while load.goes_on() {
                n += 1;
                let began = Instant::now();
                let done = if n.is_multiple_of(4) {
                    former.set("server", &name(n), &format!("value {n}"), ACTOR).await
                } else {
                    former.get("server", &name(n), ACTOR).await.map(|value| assert!(value.is_some()))
                };
                load.count(began, done);
            }
        });
    }
}

fn servers_of_today(tasks: &mut JoinSet<()>, load: &Arc<Load>, store: &PostgresTokenStore, count: usize) {
    for at in 0..count {
        let (store, load) = (store.clone(), Arc::clone(load));
        tasks.spawn(async move {
            let mut n = at * 11;
            while load.goes_on() {
                n += 1;
                let began = Instant::now();
                let done = if n.is_multiple_of(4) {
                    store.set_token("server", &name(n), &format!("value {n}").into(), ACTOR).await
                } else {
                    store.get_token("server", &name(n), ACTOR).await.map(|value| assert!(value.is_some()))
                };
                load.count(began, done);
            }
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_of_both_versions_go_on_throughout() {
    let database = shared().blank().await;
    let role = "upgraded";
    Former::set_up(&database, role).await;
    let former = Former::connect(&database, role, keyring(1)).await;
    for n in 0..TOKENS {
        former.set("server", &name(n), "first", ACTOR).await.unwrap();
    }
    let first = database.number("SELECT count(*) FROM audit_log").await;
    let error = store(&database, role).get_token("server", &name(1), ACTOR).await.unwrap_err();
    assert!(matches!(&error, StoreError::NotSetUp(text) if text.contains("run `db init`")), "{error}");

    let (load, mut tasks) = (Arc::new(Load::default()), JoinSet::new());
    former_servers(&mut tasks, &load, &former, 4);
    load.done(200).await;
    let before = load.requests.load(Ordering::Relaxed);
    let began = Instant::now();
    let report = PostgresTokenStore::init(&database.config(), Some(&ServerRole::new(role))).await.unwrap();
    let took = began.elapsed();
    let during = load.requests.load(Ordering::Relaxed) - before;
    assert_eq!((report.applied, report.version, report.former_servers), (1, 2, true));
    let today = store(&database, role);
    servers_of_today(&mut tasks, &load, &today, 4);
    load.done(600).await;
    load.stop.store(true, Ordering::Relaxed);
    tasks.join_all().await;

    let (requests, failures) = (load.requests.load(Ordering::Relaxed), load.failures.lock().unwrap().clone());
    println!(
        "migration in {took:.1?} beside {during} requests; {requests} requests of both versions, {} failed, the longest took {:.1?}",
        failures.len(),
        load.longest.lock().unwrap()
    );
    assert!(failures.is_empty(), "{failures:?}");
    assert!(load.longest.lock().unwrap().as_secs() < 3);
    let audit = today.audit_verify().await.unwrap();
    assert_eq!(audit.fault, None);
    let written = database.number("SELECT count(*) FROM audit_log").await;
    assert_eq!(u64::try_from(written - first).unwrap(), requests, "each request left its row");
    // Whatever servers of the version before give, the database says who and when.
    let foreign =
        "SELECT count(*) FROM audit_log WHERE id > (SELECT max(id) FROM audit_log WHERE database_user IS NULL)
                   AND database_user IS DISTINCT FROM 'upgraded'";
    assert_eq!(database.number(foreign).await, 0);

    // Nothing else is to be done, and then the way past the log is closed.
    let again = PostgresTokenStore::init(&database.config(), Some(&ServerRole::new(role))).await.unwrap();
    assert_eq!((again.applied, again.former_servers), (0, true));
    assert!(today.inspect("server").await.unwrap().former_servers);
    assert!(PostgresTokenStore::finish_upgrade(&database.config()).await.unwrap());
    assert!(!PostgresTokenStore::finish_upgrade(&database.config()).await.unwrap());
    former.get("server", &name(1), ACTOR).await.unwrap_err();
    let found = today.inspect("server").await.unwrap();
    assert_eq!((found.former_servers, found.missing, found.excess), (false, Vec::new(), Vec::new()));
    assert!(today.get_token("server", &name(1), ACTOR).await.unwrap().is_some());
    assert_eq!(database.number("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace").await, 0);
}

/// Somebody else's tables in our way, whose triggers would run as the owner.
#[tokio::test]
async fn attack_58_tables_and_a_schema_of_others_are_not_ours() {
    for planted in ["CREATE TABLE public.mcp_auth_migrations (x int)", "CREATE SCHEMA mcp_auth_store"] {
        let database = shared().blank().await;
        let role = format!("planter_{}", database.name);
        database.run(&format!("CREATE ROLE {role} LOGIN")).await;
        database.run(&format!("GRANT CREATE ON SCHEMA public TO {role}")).await;
        database.run(&format!("GRANT CREATE ON DATABASE {} TO {role}", database.name)).await;
        let mut connection = database.cluster.connect(&database.name, &role).await;
        sqlx::Executor::execute(&mut connection, sqlx::AssertSqlSafe(planted)).await.unwrap();
        let error = PostgresTokenStore::init(&database.config(), None).await.unwrap_err();
        let text = error.to_string();
        assert!(
            matches!(error, StoreError::Denied(_)) && text.contains("belongs to another role"),
            "{planted}: {text}"
        );
    }
}

/// An audited read is one round trip where it was six. In turns, so that whatever else the machine does hits both.
#[tokio::test(flavor = "multi_thread")]
async fn audited_reads_cost_no_more_than_before() {
    let (old, new) = (shared().blank().await, shared().blank().await);
    Former::set_up(&old, "timed_before").await;
    let former = Former::connect(&old, "timed_before", keyring(1)).await;
    PostgresTokenStore::init(&new.config(), Some(&ServerRole::new("timed_today"))).await.unwrap();
    let today = store(&new, "timed_today");
    former.set("server", "API", "value", ACTOR).await.unwrap();
    today.set_token("server", "API", &"value".to_owned().into(), ACTOR).await.unwrap();
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for readers in [1, 4] {
        for _ in 0..6 {
            let began = Instant::now();
            let mut tasks = JoinSet::new();
            for _ in 0..readers {
                let former = former.clone();
                tasks.spawn(async move {
                    for _ in 0..200 / readers {
                        former.get("server", "API", ACTOR).await.unwrap();
                    }
                });
            }
            tasks.join_all().await;
            before.push(began.elapsed());
            let began = Instant::now();
            let mut tasks = JoinSet::new();
            for _ in 0..readers {
                let today = today.clone();
                tasks.spawn(async move {
                    for _ in 0..200 / readers {
                        today.get_token("server", "API", ACTOR).await.unwrap();
                    }
                });
            }
            tasks.join_all().await;
            after.push(began.elapsed());
        }
        before.sort();
        after.sort();
        let (median_before, median_after) = (before[3], after[3]);
        let ratio = median_after.as_secs_f64() / median_before.as_secs_f64();
        println!(
            "200 audited reads by {readers}: {median_before:.1?} before, {median_after:.1?} now, {ratio:.2} times"
        );
        assert!(ratio <= 1.3, "{ratio:.2} times as long: {before:?} {after:?}");
        before.clear();
        after.clear();
    }
}
