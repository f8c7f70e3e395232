//! attacks.md 43: tokens get a new key while servers read and write, however rotation is disturbed.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::postgres::{Database, eventually, key, keyring, shared};
use mcp_auth_middleware::encryption::Keyring;
use mcp_auth_middleware::{PostgresConfig, PostgresTokenStore, Rotation, StoreError};
use tokio::task::JoinSet;

const ACTOR: &str = "user@example.com";

/// Several batches.
const TOKENS: usize = 1300;

/// From one key to another.
fn to(new: u8, old: u8) -> Keyring {
    keyring(new).with_previous(key(old))
}

fn name(n: usize) -> String {
    format!("KEY {n}")
}

/// Tokens of two services, sealed with a key.
async fn fill(database: &Database, seed: u8) {
    let store = database.store(&keyring(seed));
    let mut tasks = JoinSet::new();
    for part in 0..8 {
        let store = store.clone();
        tasks.spawn(async move {
            for n in (part..TOKENS).step_by(8) {
                let value = format!("value {n}").into();
                store.set_token(service(n), &name(n), &value, ACTOR).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    store.close().await;
}

fn service(n: usize) -> &'static str {
    if n.is_multiple_of(3) { "one" } else { "other" }
}

/// How many tokens are sealed with a key.
async fn sealed_with(database: &Database, seed: u8) -> i64 {
    let id = key(seed).id();
    let sql = format!("SELECT count(*) FROM tokens WHERE substring(encrypted_value FROM 2 FOR 8) = '\\x{id}'");
    database.number(&sql).await
}

/// The same for two keys, at one moment: what was killed may still be committed.
async fn sealed_with_either(database: &Database, first: u8, second: u8) -> (i64, i64) {
    let count =
        |seed| format!("count(*) FILTER (WHERE substring(encrypted_value FROM 2 FOR 8) = '\\x{}')", key(seed).id());
    let both = database.number(&format!("SELECT {} * 1000000 + {} FROM tokens", count(first), count(second))).await;
    (both / 1_000_000, both % 1_000_000)
}

/// Reads over and over through a ring with both keys, until stopped; returns how often. None may fail.
struct Readers {
    stop: Arc<AtomicBool>,
    reads: Arc<AtomicU64>,
    tasks: JoinSet<()>,
}

impl Readers {
    fn start(store: &PostgresTokenStore, count: usize) -> Self {
        let mut readers = Self { stop: Arc::default(), reads: Arc::default(), tasks: JoinSet::new() };
        for start in 0..count {
            let (store, stop, reads) = (store.clone(), Arc::clone(&readers.stop), Arc::clone(&readers.reads));
            readers.tasks.spawn(async move {
                let mut n = start * 311;
                while !stop.load(Ordering::Relaxed) {
                    n = (n + 1) % TOKENS;
                    let token = store.get_token(service(n), &name(n), ACTOR).await.unwrap().unwrap();
                    assert_eq!(token.expose(), format!("value {n}"));
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        readers
    }

    async fn finish(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.tasks.join_all().await;
        self.reads.load(Ordering::Relaxed)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rotation_changes_the_key_and_nothing_else() {
    let database = shared().database().await;
    fill(&database, 1).await;
    let store = database.store(&to(2, 1));
    let before = store.list("one", ACTOR).await.unwrap();
    assert_eq!(store.rotate_key(ACTOR).await, Ok(TOKENS as u64));
    assert_eq!(store.list("one", ACTOR).await.unwrap(), before);
    assert_eq!(sealed_with(&database, 2).await, TOKENS as i64);
    assert_eq!(store.rotate(ACTOR).await, Ok(Rotation::default()), "twice is once");

    let new = database.store(&keyring(2));
    for n in [0, 1, TOKENS - 1] {
        let token = new.get_token(service(n), &name(n), ACTOR).await.unwrap().unwrap();
        assert_eq!(token.expose(), format!("value {n}"));
    }
    let error = database.store(&keyring(1)).get_token("one", &name(0), ACTOR).await.unwrap_err();
    assert!(matches!(error, StoreError::Decrypt(_)), "{error}");
    let details: Vec<_> = store.audit_rows(TOKENS as i64).await.unwrap();
    let details: Vec<_> = details.iter().filter(|r| r.action == "rotate").map(|r| r.detail.clone().unwrap()).collect();
    let id = key(2).id();
    assert_eq!(
        details,
        [
            format!("begun: to key {id}"),
            format!("500 tokens sealed with key {id}"),
            format!("500 tokens sealed with key {id}"),
            format!("300 tokens sealed with key {id}"),
            format!("ended: 1300 tokens sealed with key {id}, 0 unreadable, 0 remaining"),
            format!("begun: to key {id}"),
            format!("ended: 0 tokens sealed with key {id}, 0 unreadable, 0 remaining"),
        ]
    );
    assert_eq!(store.audit_verify().await.unwrap().fault, None);
}

#[tokio::test]
async fn tokens_with_an_unknown_key_are_told_and_hold_nothing_up() {
    let database = shared().database().await;
    for (seed, key) in [(1, "A"), (3, "B"), (1, "C"), (2, "D")] {
        database.store(&keyring(seed)).set_token("server", key, &"value".to_owned().into(), ACTOR).await.unwrap();
    }
    database.run("UPDATE tokens SET encrypted_value = '\\x00' WHERE key = 'C'").await;
    let store = database.store(&to(2, 1));
    for rotated in [1, 0] {
        let rotation = store.rotate(ACTOR).await.unwrap();
        assert_eq!((rotation.rotated, rotation.remaining), (rotated, 0));
        let unreadable: Vec<_> =
            rotation.unreadable.iter().map(|t| format!("{}/{}: {}", t.service, t.key, t.error)).collect();
        assert_eq!(unreadable.len(), 2);
        assert!(unreadable[0].starts_with("server/B: encryption key mismatch"), "{unreadable:?}");
        assert!(unreadable[1].starts_with("server/C: "), "{unreadable:?}");
    }
    let audited = "SELECT count(*) FROM audit_log WHERE action = 'rotate' AND outcome = 'decrypt_failed'";
    assert_eq!(database.number(audited).await, 4);
    assert!(database.store(&keyring(2)).get_token("server", "A", ACTOR).await.unwrap().is_some());
    assert!(database.store(&keyring(3)).get_token("server", "B", ACTOR).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_43_two_at_once_share_the_work_while_tokens_are_read() {
    let database = shared().database().await;
    fill(&database, 1).await;
    let (one, other) = (database.store(&to(2, 1)), database.store(&to(2, 1)));
    let readers = Readers::start(&database.store(&to(1, 2)), 4);
    for (new, old) in [(2, 1), (1, 2), (2, 1)] {
        let (one, other) = if new == 2 {
            (one.clone(), other.clone())
        } else {
            (database.store(&to(new, old)), database.store(&to(new, old)))
        };
        let (a, b) = tokio::join!(one.rotate(ACTOR), other.rotate(ACTOR));
        let (a, b) = (a.unwrap(), b.unwrap());
        assert_eq!(a.rotated + b.rotated, TOKENS as u64, "{a:?} {b:?}");
        assert!(a.unreadable.is_empty() && b.unreadable.is_empty() && a.remaining + b.remaining == 0);
        assert_eq!(sealed_with(&database, new).await, TOKENS as i64);
    }
    let reads = readers.finish().await;
    assert!(reads > 50, "{reads}");
    assert_eq!(one.audit_verify().await.unwrap().fault, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_43_no_write_is_lost() {
    let database = shared().database().await;
    fill(&database, 1).await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut writers = JoinSet::new();
    for n in 0..4_usize {
        // Servers with the old key and such with the new one write, each its own tokens.
        let store = database.store(&if n < 2 { to(1, 2) } else { to(2, 1) });
        let stop = Arc::clone(&stop);
        writers.spawn(async move {
            let mut last = 0;
            while !stop.load(Ordering::Relaxed) {
                last += 1;
                for key in [n, TOKENS / 2 + n] {
                    let value = format!("write {last}");
                    store.set_token(service(key), &name(key), &value.clone().into(), ACTOR).await.unwrap();
                    let token = store.get_token(service(key), &name(key), ACTOR).await.unwrap().unwrap();
                    assert_eq!(token.expose(), value);
                }
            }
            (n, last)
        });
    }
    let store = database.store(&to(2, 1));
    let written = || async {
        let sets = "SELECT count(*) FROM audit_log WHERE action = 'set'";
        database.number(sets).await > TOKENS as i64 + 20
    };
    eventually("writers write", written).await;
    let first = store.rotate(ACTOR).await.unwrap();
    assert!(first.rotated >= TOKENS as u64 - 8, "{first:?}");
    stop.store(true, Ordering::Relaxed);
    let last = writers.join_all().await;
    let rest = store.rotate(ACTOR).await.unwrap();
    assert_eq!((rest.remaining, rest.unreadable.len()), (0, 0), "{rest:?}");
    assert_eq!(sealed_with(&database, 2).await, TOKENS as i64);
    let new = database.store(&keyring(2));
    for (n, last) in last {
        assert!(last > 0);
        for key in [n, TOKENS / 2 + n] {
            let token = new.get_token(service(key), &name(key), ACTOR).await.unwrap().unwrap();
            assert_eq!(token.expose(), format!("write {last}"));
        }
    }
    assert_eq!(store.audit_verify().await.unwrap().fault, None);
}

const CHILD: &str = "MCP_TEST_ROTATE_IN";

/// Not a test of its own: what [`attack_43_killed_at_any_point`] starts and kills.
#[test]
fn rotating_process() {
    let Ok(task) = std::env::var(CHILD) else { return };
    let (new_old, url) = task.split_once(' ').unwrap();
    let (new, old) = new_old.split_once(',').unwrap();
    let ring = to(new.parse().unwrap(), old.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let config = PostgresConfig::from_url(&url.to_owned().into()).unwrap();
        let store = PostgresTokenStore::connect_lazy(&config, ring).unwrap();
        store.ping().await.unwrap();
        println!("rotating now");
        store.rotate_key(ACTOR).await.unwrap();
    });
}

/// A process that is about to rotate.
fn process(database: &Database, new: u8, old: u8) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "rotation::rotating_process", "--nocapture", "--test-threads=1"])
        .env(CHILD, format!("{new},{old} {}", database.url()))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("rotating now")));
    child
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_43_killed_at_any_point() {
    let kills = std::env::var("MCP_TEST_ROTATION_KILLS").map_or(50, |kills| kills.parse().unwrap());
    let database = shared().database().await;
    fill(&database, 1).await;
    // How long it takes when it is left alone.
    let mut child = process(&database, 2, 1);
    let began = Instant::now();
    assert!(child.wait().unwrap().success());
    let whole = began.elapsed();
    assert_eq!(sealed_with(&database, 2).await, TOKENS as i64);

    let readers = Readers::start(&database.store(&to(1, 2)), 2);
    let (mut new, mut old, mut partial) = (1, 2, 0);
    for kill in 0..kills {
        let before = rotated_in_the_log(&database).await;
        let mut child = process(&database, new, old);
        // Spread over somewhat more than the whole.
        tokio::time::sleep(whole.mul_f64(1.5 * f64::from(kill) / f64::from(kills))).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let (done, left) = sealed_with_either(&database, new, old).await;
        assert_eq!(done + left, TOKENS as i64, "each has one of the two keys");
        partial += u32::from(done > 0 && done < TOKENS as i64);

        let store = database.store(&to(new, old));
        let rest = store.rotate(ACTOR).await.unwrap();
        assert_eq!((rest.unreadable.len(), rest.remaining), (0, 0));
        assert_eq!(sealed_with(&database, new).await, TOKENS as i64);
        let counted = rotated_in_the_log(&database).await - before;
        assert_eq!(counted, TOKENS as i64, "each token is counted once, by the killed or by the next");
        store.close().await;
        (new, old) = (old, new);
    }
    let reads = readers.finish().await;
    let store = database.store(&to(new, old));
    for n in 0..TOKENS {
        let token = store.get_token(service(n), &name(n), ACTOR).await.unwrap().unwrap();
        assert_eq!(token.expose(), format!("value {n}"));
    }
    assert_eq!(store.audit_verify().await.unwrap().fault, None);
    println!("{kills} kills over {whole:?}, {partial} of them between batches; {reads} reads meanwhile");
    assert!(partial > 0, "none of {kills} kills over {whole:?} fell between batches");
}

/// The sum of all batches so far.
async fn rotated_in_the_log(database: &Database) -> i64 {
    let sql = "SELECT coalesce(sum(substring(detail FROM '^[0-9]+')::bigint), 0)::bigint FROM audit_log
               WHERE action = 'rotate' AND detail ~ '^[0-9]+ tokens sealed'";
    database.number(sql).await
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_43_given_up_at_any_point() {
    let database = shared().database().await;
    fill(&database, 1).await;
    let store = database.store(&to(2, 1));
    let began = Instant::now();
    store.rotate_key(ACTOR).await.unwrap();
    let whole = began.elapsed();
    // One pool for all of it: what is given up must not take a connection with it.
    let (there, back) = (database.store(&to(2, 1)), database.store(&to(1, 2)));
    for n in 0..30 {
        let (store, new, old) = if n % 2 == 0 { (&back, 1, 2) } else { (&there, 2, 1) };
        let before = rotated_in_the_log(&database).await;
        let _ = tokio::time::timeout(whole.mul_f64(f64::from(n) / 30.0), store.rotate_key(ACTOR)).await;
        let (done, left) = sealed_with_either(&database, new, old).await;
        assert_eq!(done + left, TOKENS as i64);
        let rest = tokio::time::timeout(Duration::from_secs(30), store.rotate(ACTOR)).await.unwrap().unwrap();
        assert_eq!((rest.unreadable.len(), rest.remaining), (0, 0));
        assert_eq!(rotated_in_the_log(&database).await - before, TOKENS as i64);
    }
    assert_eq!(store.audit_verify().await.unwrap().fault, None);
}
