//! attacks.md 43: four replicas read and write throughout rotations; no read fails, no write is lost.
//!
//! A key change as an operator does it, over and over with two keys: every replica gets a ring with both; a first
//! rotation while all still write with the old key; replica after replica writes with the new one, while two rotations
//! run at once; a last one, twice. `MCP_TEST_REPLICA_TOKENS` and `MCP_TEST_REPLICA_CHANGES` make it larger.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::postgres::{Database, eventually, key, keyring, shared};
use mcp_auth_middleware::encryption::Keyring;
use mcp_auth_middleware::{PostgresTokenStore, Rotation};
use tokio::task::JoinSet;

const ACTOR: &str = "user@example.com";
const REPLICAS: usize = 4;
const READERS: usize = 3;

fn to(new: u8, old: u8) -> Keyring {
    keyring(new).with_previous(key(old))
}

/// A number from the environment.
fn wanted(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// What is written to a token, and how far that has come: a read that begins after a write was acknowledged must see
/// it, or a later one.
#[derive(Default)]
struct Token {
    begun: AtomicU64,
    acknowledged: AtomicU64,
}

/// What all replicas share, and report to.
struct Traffic {
    tokens: Vec<Token>,
    stop: AtomicBool,
    reads: AtomicU64,
    writes: AtomicU64,
    /// In words, as far as it went wrong.
    failures: Mutex<Vec<String>>,
}

impl Traffic {
    fn name(&self, n: usize) -> (&'static str, String) {
        (if n.is_multiple_of(3) { "one" } else { "other" }, format!("KEY {n}"))
    }

    fn failed(&self, text: String) {
        self.failures.lock().unwrap().push(text);
    }

    fn done(&self) -> (u64, u64) {
        (self.reads.load(Ordering::SeqCst), self.writes.load(Ordering::SeqCst))
    }

    /// Only one task writes to a token, so that its writes have an order.
    async fn write(&self, store: &PostgresTokenStore, n: usize) {
        let token = &self.tokens[n];
        let next = token.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let (service, name) = self.name(n);
        match store.set_token(service, &name, &format!("{n} in version {next}").into(), ACTOR).await {
            Ok(()) => {
                token.acknowledged.store(next, Ordering::SeqCst);
                self.writes.fetch_add(1, Ordering::SeqCst);
            }
            Err(error) => self.failed(format!("write of {name}: {error}")),
        }
    }

    async fn read(&self, store: &PostgresTokenStore, n: usize) {
        let token = &self.tokens[n];
        let least = token.acknowledged.load(Ordering::SeqCst);
        let (service, name) = self.name(n);
        let value = match store.get_token(service, &name, ACTOR).await {
            Ok(Some(value)) => value,
            other => return self.failed(format!("read of {name}: {other:?}")),
        };
        let most = token.begun.load(Ordering::SeqCst);
        let prefix = format!("{n} in version ");
        match value.expose().strip_prefix(&prefix).and_then(|version| version.parse::<u64>().ok()) {
            Some(version) if (least..=most).contains(&version) => {
                self.reads.fetch_add(1, Ordering::SeqCst);
            }
            _ => self.failed(format!("{name} is {:?}, not of version {least} to {most}", value.expose())),
        }
    }
}

/// A server: its own pool, and whichever ring it was last started with.
struct Replica {
    store: Mutex<PostgresTokenStore>,
    /// Writes that have ended; there is one at a time.
    writes: AtomicU64,
}

impl Replica {
    fn store(&self) -> PostgresTokenStore {
        self.store.lock().unwrap().clone()
    }

    /// A restart with another ring, until the last write with the former one has ended.
    async fn restart(&self, database: &Database, ring: &Keyring) {
        *self.store.lock().unwrap() = database.store(ring);
        let writes = self.writes.load(Ordering::SeqCst);
        eventually("the replica writes on", || async { self.writes.load(Ordering::SeqCst) >= writes + 2 }).await;
    }
}

/// Everything that goes on beside the rotations.
struct Servers {
    replicas: Vec<Arc<Replica>>,
    traffic: Arc<Traffic>,
    tasks: JoinSet<()>,
}

impl Servers {
    async fn start(database: &Database, tokens: usize, ring: &Keyring) -> Self {
        let traffic = Arc::new(Traffic {
            tokens: (0..tokens).map(|_| Token::default()).collect(),
            stop: AtomicBool::new(false),
            reads: AtomicU64::new(0),
            writes: AtomicU64::new(0),
            failures: Mutex::default(),
        });
        let replica = |_| Arc::new(Replica { store: Mutex::new(database.store(ring)), writes: AtomicU64::new(0) });
        let replicas: Vec<_> = (0..REPLICAS).map(replica).collect();
        let mut filling = JoinSet::new();
        for (at, replica) in replicas.iter().enumerate() {
            let (traffic, store) = (Arc::clone(&traffic), replica.store());
            filling.spawn(async move {
                for n in (at..tokens).step_by(REPLICAS) {
                    traffic.write(&store, n).await;
                }
            });
        }
        filling.join_all().await;

        let mut tasks = JoinSet::new();
        for (at, replica) in replicas.iter().enumerate() {
            let (writer, shared) = (Arc::clone(replica), Arc::clone(&traffic));
            tasks.spawn(async move {
                // Every fourth token is this replica's; all of them get their turn, in leaps.
                let mut n = at;
                while !shared.stop.load(Ordering::SeqCst) {
                    shared.write(&writer.store(), n).await;
                    writer.writes.fetch_add(1, Ordering::SeqCst);
                    n = (n + 97 * REPLICAS) % (tokens - tokens % REPLICAS);
                }
            });
            for reader in 0..READERS {
                let (replica, shared) = (Arc::clone(replica), Arc::clone(&traffic));
                tasks.spawn(async move {
                    let mut n = (at * READERS + reader) * tokens / (REPLICAS * READERS);
                    while !shared.stop.load(Ordering::SeqCst) {
                        shared.read(&replica.store(), n).await;
                        n = (n + 1) % tokens;
                    }
                });
            }
        }
        Self { replicas, traffic, tasks }
    }

    async fn finish(self) -> Arc<Traffic> {
        self.traffic.stop.store(true, Ordering::SeqCst);
        self.tasks.join_all().await;
        self.traffic
    }
}

/// Counts in the database itself what is sealed with another key and otherwise unchanged: a second opinion on the
/// counts of rotations.
const WITNESS: &str = "
    CREATE SEQUENCE resealed MINVALUE 0 START 0;
    SELECT nextval('resealed');
    CREATE FUNCTION witness() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN PERFORM nextval('resealed'); RETURN NULL; END $$;
    CREATE TRIGGER witness AFTER UPDATE ON tokens FOR EACH ROW
        WHEN (OLD.updated_at = NEW.updated_at
              AND substring(OLD.encrypted_value FROM 2 FOR 8) <> substring(NEW.encrypted_value FROM 2 FOR 8))
        EXECUTE FUNCTION witness()";

async fn witnessed(database: &Database) -> u64 {
    u64::try_from(database.number("SELECT last_value FROM resealed").await).unwrap()
}

async fn sealed_with(database: &Database, seed: u8) -> usize {
    let id = key(seed).id();
    let sql = format!("SELECT count(*) FROM tokens WHERE substring(encrypted_value FROM 2 FOR 8) = '\\x{id}'");
    usize::try_from(database.number(&sql).await).unwrap()
}

/// What went on during rotations.
#[derive(Default)]
struct Figures {
    rotated: u64,
    reads: u64,
    writes: u64,
    time: Duration,
}

impl Figures {
    /// Runs rotations beside the traffic, and holds their counts against the witness.
    async fn during(
        &mut self,
        database: &Database,
        traffic: &Traffic,
        rotations: impl Future<Output = Vec<Rotation>>,
    ) -> Vec<Rotation> {
        let (before, (reads, writes), began) = (witnessed(database).await, traffic.done(), Instant::now());
        let rotations = rotations.await;
        self.time += began.elapsed();
        let (reads_after, writes_after) = traffic.done();
        (self.reads, self.writes) = (self.reads + reads_after - reads, self.writes + writes_after - writes);
        let rotated: u64 = rotations.iter().map(|rotation| rotation.rotated).sum();
        self.rotated += rotated;
        assert_eq!(rotated, witnessed(database).await - before, "{rotations:?}");
        assert!(rotations.iter().all(|rotation| rotation.unreadable.is_empty()), "{rotations:?}");
        rotations
    }
}

/// All replicas have both keys and write with the old one; in the end they write with the new one, and so is everything
/// sealed.
async fn change_key(database: &Database, servers: &Servers, new: u8, old: u8, figures: &mut Figures) {
    let (traffic, tokens) = (&*servers.traffic, servers.traffic.tokens.len());
    let (one, other) = (database.store(&to(new, old)), database.store(&to(new, old)));

    figures.during(database, traffic, async { vec![one.rotate(ACTOR).await.unwrap()] }).await;

    let restarts = async {
        for replica in &servers.replicas {
            replica.restart(database, &to(new, old)).await;
        }
    };
    let both = async {
        let (a, b, ()) = tokio::join!(one.rotate(ACTOR), other.rotate(ACTOR), restarts);
        vec![a.unwrap(), b.unwrap()]
    };
    figures.during(database, traffic, both).await;

    // Whatever was written with the old key while the others were restarted.
    let rest = figures.during(database, traffic, async { vec![one.rotate(ACTOR).await.unwrap()] }).await;
    assert_eq!(rest[0].remaining, 0);
    assert_eq!(sealed_with(database, new).await, tokens);
    let again = figures.during(database, traffic, async { vec![one.rotate(ACTOR).await.unwrap()] }).await;
    assert_eq!(again, [Rotation::default()], "twice is once");
    one.close().await;
    other.close().await;
}

/// Two rotations from one state, with all replicas on the new key before: their shares are the whole.
async fn share(database: &Database, servers: &Servers, new: u8, old: u8, figures: &mut Figures) {
    for replica in &servers.replicas {
        replica.restart(database, &to(new, old)).await;
    }
    let (one, other) = (database.store(&to(new, old)), database.store(&to(new, old)));
    let both = async {
        let (a, b) = tokio::join!(one.rotate(ACTOR), other.rotate(ACTOR));
        vec![a.unwrap(), b.unwrap()]
    };
    let both = figures.during(database, &servers.traffic, both).await;
    assert!(both.iter().all(|rotation| rotation.rotated > 0), "both did something: {both:?}");
    assert_eq!(sealed_with(database, new).await, servers.traffic.tokens.len());
    one.close().await;
    other.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_43_four_replicas_read_and_write_throughout() {
    let (tokens, changes) = (wanted("MCP_TEST_REPLICA_TOKENS", 1200), wanted("MCP_TEST_REPLICA_CHANGES", 2));
    let database = shared().database().await;
    database.run(WITNESS).await;
    let servers = Servers::start(&database, tokens, &to(1, 2)).await;
    let (mut new, mut old, mut figures) = (2, 1, Figures::default());
    for change in 0..changes {
        if change % 2 == 0 {
            change_key(&database, &servers, new, old, &mut figures).await;
        } else {
            share(&database, &servers, new, old, &mut figures).await;
        }
        (new, old) = (old, new);
    }
    let traffic = servers.finish().await;

    let failures = traffic.failures.lock().unwrap().clone();
    let (reads, writes) = traffic.done();
    // With the last key alone, and once more by somebody who has seen nothing of all that.
    let alone = database.store(&keyring(old));
    for n in 0..tokens {
        traffic.read(&alone, n).await;
    }
    let lost = traffic.failures.lock().unwrap().len() - failures.len();
    let report = alone.audit_verify().await.unwrap();
    println!(
        "{changes} key changes of {tokens} tokens by {REPLICAS} replicas: {} rotated in {:.1?} beside {} reads and {} \
         writes; {reads} reads and {writes} writes in all, {} failed, {lost} lost; {report:?}",
        figures.rotated,
        figures.time,
        figures.reads,
        figures.writes,
        failures.len()
    );
    assert!(failures.is_empty(), "{failures:?}");
    assert_eq!(lost, 0, "{:?}", traffic.failures.lock().unwrap());
    assert_eq!(report.fault, None);
    assert!(figures.reads > 0 && figures.writes > 0, "rotations had company");
    assert!(figures.rotated >= tokens as u64, "{}", figures.rotated);
}
