//! The cost of sealing 100,000 tokens again, beside a bare batched `UPDATE` of the same rows.
//!
//! `cargo bench --features postgres --bench rotation`, with `MCP_BENCH_TOKENS` for another number. The bare one knows
//! all new values beforehand and sends them as rotation does, 500 to a transaction; it reads, decrypts, seals and audits
//! nothing. The rounds alternate, each on a table that was vacuumed before.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a benchmark")]

#[path = "../tests/harness/postgres.rs"]
mod postgres;

use std::time::{Duration, Instant};

use mcp_auth_middleware::Rotation;
use mcp_auth_middleware::encryption::{Context, Keyring};
use postgres::{Database, key, keyring, shared};
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;

const ACTOR: &str = "user@example.com";
const SERVICE: &str = "server";
/// As many to a transaction as rotation takes.
const BATCH: usize = 500;
const ROUNDS: usize = 6;

const UPDATE: &str = "UPDATE tokens SET encrypted_value = new.sealed
                      FROM unnest($1::bigint[], $2::bytea[]) AS new (id, sealed) WHERE tokens.id = new.id";

fn name(n: usize) -> String {
    format!("TOKEN {n:06}")
}

/// Every token, sealed with this key: forty characters, as those of an API are.
fn sealed(ring: &Keyring, tokens: usize) -> Vec<Vec<u8>> {
    let seal = |n| {
        let value = format!("upstream-token-of-forty-characters{n:06}");
        ring.seal(Context { service: SERVICE, name: &name(n) }, value.as_bytes()).unwrap()
    };
    (0..tokens).map(seal).collect()
}

/// The ids of all tokens, in their order.
async fn fill(connection: &mut PgConnection, values: &[Vec<u8>]) -> Vec<i64> {
    sqlx::query("INSERT INTO services (name) VALUES ($1)").bind(SERVICE).execute(&mut *connection).await.unwrap();
    let names: Vec<_> = (0..values.len()).map(name).collect();
    sqlx::query(
        "INSERT INTO tokens (service_id, key, encrypted_value)
         SELECT services.id, new.key, new.sealed FROM services, unnest($1::text[], $2::bytea[]) AS new (key, sealed)",
    )
    .bind(names)
    .bind(values)
    .execute(&mut *connection)
    .await
    .unwrap();
    sqlx::query_scalar("SELECT id FROM tokens ORDER BY key").fetch_all(connection).await.unwrap()
}

async fn bare(connection: &mut PgConnection, ids: &[i64], values: &[Vec<u8>]) -> Duration {
    let began = Instant::now();
    for (ids, values) in ids.chunks(BATCH).zip(values.chunks(BATCH)) {
        let mut transaction = connection.begin().await.unwrap();
        let done = sqlx::query(UPDATE).bind(ids).bind(values).execute(&mut *transaction).await.unwrap();
        assert_eq!(done.rows_affected(), ids.len() as u64);
        transaction.commit().await.unwrap();
    }
    began.elapsed()
}

async fn rotation(database: &Database, new: u8, old: u8, tokens: usize) -> Duration {
    let store = database.store(&keyring(new).with_previous(key(old)));
    store.ping().await.unwrap();
    let began = Instant::now();
    let rotation = store.rotate(ACTOR).await.unwrap();
    let took = began.elapsed();
    assert_eq!(rotation, Rotation { rotated: tokens as u64, ..Rotation::default() });
    store.close().await;
    took
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let tokens = std::env::var("MCP_BENCH_TOKENS").map_or(100_000, |text| text.parse().unwrap());
    let database = shared().database().await;
    let mut connection = database.connect().await;
    let values = [sealed(&keyring(1), tokens), sealed(&keyring(2), tokens)];
    let ids = fill(&mut connection, &values[0]).await;

    let (mut bares, mut rotations) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        // There and back: first the one then the other, in the next round the other way round.
        for half in 0..2 {
            database.run("VACUUM ANALYZE tokens").await;
            database.run("CHECKPOINT").await;
            let (new, old) = if half == 0 { (2, 1) } else { (1, 2) };
            if (round + half) % 2 == 0 {
                rotations.push(rotation(&database, new, old, tokens).await);
            } else {
                bares.push(bare(&mut connection, &ids, &values[usize::from(new) - 1]).await);
            }
        }
    }
    let stored: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT encrypted_value FROM tokens ORDER BY key").fetch_all(&mut connection).await.unwrap();
    assert_eq!(stored, values[0], "both come to the same");

    let (bare, rotation) = (median(bares), median(rotations));
    let rate = |time: Duration| tokens as f64 / time.as_secs_f64();
    println!("\n{tokens} tokens, medians of {ROUNDS} alternating rounds:");
    println!("  bare UPDATE    {bare:>10.2?}   {:>9.0} rows/s", rate(bare));
    println!("  rotation       {rotation:>10.2?}   {:>9.0} rows/s", rate(rotation));
    println!(
        "RATIO rotation / bare UPDATE: {:.2} of its speed (at least 0.33)",
        bare.as_secs_f64() / rotation.as_secs_f64()
    );
}
