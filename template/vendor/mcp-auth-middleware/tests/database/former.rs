//! A server of the first version, by the statements that it sends, and the database as it set it up.

use std::fmt::Write as _;

use crate::postgres::Database;
use aws_lc_rs::digest::{SHA256, digest};
use mcp_auth_middleware::encryption::{Context, Keyring};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, Postgres, Row as _, SqlSafeStr as _, Transaction};

#[derive(Clone)]
pub struct Former {
    pool: PgPool,
    keyring: Keyring,
}

/// A row of the audit log.
struct FormerRow<'a> {
    service: (i64, &'a str),
    action: &'a str,
    outcome: &'a str,
    key: &'a str,
    actor: &'a str,
}

impl Former {
    /// The first migration alone, and the rights that the role of servers had then.
    pub async fn set_up(database: &Database, role: &str) {
        let mut connection = database.cluster.connect(&database.name, "postgres").await;
        sqlx::query("SET search_path = public").execute(&mut connection).await.unwrap();
        let sql = include_str!("../../migrations/0001_token_store.sql");
        let first = Migration::new(1, "token store".into(), MigrationType::Simple, sql.into_sql_str(), false);
        let mut migrator = Migrator::with_migrations(vec![first]);
        migrator.dangerous_set_table_name("mcp_auth_migrations");
        migrator.set_locking(false);
        migrator.run_direct(None, &mut connection, false).await.unwrap();
        connection.close().await.unwrap();
        let mut grants = format!("CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA public TO {role};");
        for (table, rights) in [
            ("services", "SELECT, INSERT"),
            ("tokens", "SELECT, INSERT, UPDATE, DELETE"),
            ("audit_log", "SELECT, INSERT"),
            ("audit_chain", "SELECT, UPDATE"),
            ("mcp_auth_migrations", "SELECT"),
        ] {
            write!(grants, "GRANT {rights} ON {table} TO {role};").unwrap();
        }
        database.run(&grants).await;
    }

    pub async fn connect(database: &Database, role: &str, keyring: Keyring) -> Self {
        let options = PgConnectOptions::new_without_pgpass()
            .host(database.cluster.folder().to_str().unwrap())
            .port(database.cluster.port())
            .username(role)
            .database(&database.name)
            .disable_statement_logging();
        Self { pool: PgPoolOptions::new().max_connections(4).connect_with(options).await.unwrap(), keyring }
    }

    async fn begin(&self) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        let begin = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = 5000; \
                     SET LOCAL idle_in_transaction_session_timeout = 10000";
        self.pool.begin_with(begin).await
    }

    pub async fn get(&self, service: &str, key: &str, actor: &str) -> Result<Option<String>, sqlx::Error> {
        let mut transaction = self.begin().await?;
        let id = service_id(&mut transaction, service).await?;
        let sealed: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT encrypted_value FROM tokens WHERE service_id = $1 AND key = $2")
                .bind(id)
                .bind(key)
                .fetch_optional(&mut *transaction)
                .await?;
        let outcome = if sealed.is_some() { "ok" } else { "not_found" };
        append(&mut transaction, &FormerRow { service: (id, service), action: "get", outcome, key, actor }).await?;
        transaction.commit().await?;
        let open = |sealed: Vec<u8>| {
            let opened = self.keyring.open(Context { service, name: key }, &sealed).unwrap();
            String::from_utf8(opened.to_vec()).unwrap()
        };
        Ok(sealed.map(open))
    }

    pub async fn set(&self, service: &str, key: &str, value: &str, actor: &str) -> Result<(), sqlx::Error> {
        let sealed = self.keyring.seal(Context { service, name: key }, value.as_bytes()).unwrap();
        let mut transaction = self.begin().await?;
        let id = service_id(&mut transaction, service).await?;
        sqlx::query(
            "INSERT INTO tokens (service_id, key, encrypted_value) VALUES ($1, $2, $3)
             ON CONFLICT (service_id, key) DO UPDATE SET
                 encrypted_value = EXCLUDED.encrypted_value,
                 updated_at = CASE WHEN tokens.encrypted_value = EXCLUDED.encrypted_value
                                   THEN tokens.updated_at ELSE clock_timestamp() END",
        )
        .bind(id)
        .bind(key)
        .bind(sealed)
        .execute(&mut *transaction)
        .await?;
        append(&mut transaction, &FormerRow { service: (id, service), action: "set", outcome: "ok", key, actor })
            .await?;
        transaction.commit().await
    }
}

async fn service_id(transaction: &mut Transaction<'static, Postgres>, service: &str) -> Result<i64, sqlx::Error> {
    for _ in 0..2 {
        let known = sqlx::query_scalar("SELECT id FROM services WHERE name = $1").bind(service);
        if let Some(id) = known.fetch_optional(&mut **transaction).await? {
            return Ok(id);
        }
        let add = "INSERT INTO services (name) VALUES ($1) ON CONFLICT (name) DO NOTHING RETURNING id";
        if let Some(id) = sqlx::query_scalar(add).bind(service).fetch_optional(&mut **transaction).await? {
            return Ok(id);
        }
    }
    Err(sqlx::Error::RowNotFound)
}

async fn append(transaction: &mut Transaction<'static, Postgres>, row: &FormerRow<'_>) -> Result<(), sqlx::Error> {
    let head = sqlx::query(
        "WITH head AS MATERIALIZED (SELECT count, hash FROM audit_chain FOR UPDATE)
         SELECT count, hash, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS micros FROM head",
    )
    .fetch_one(&mut **transaction)
    .await?;
    let (count, previous, micros): (i64, Vec<u8>, i64) =
        (head.try_get("count")?, head.try_get("hash")?, head.try_get("micros")?);
    let mut input = Vec::new();
    let (id, service_id) = (count + 1, row.service.0);
    for field in [
        b"mcp-auth-middleware v1 audit row",
        previous.as_slice(),
        &id.to_be_bytes(),
        &micros.to_be_bytes(),
        &service_id.to_be_bytes(),
        row.service.1.as_bytes(),
        row.action.as_bytes(),
        row.outcome.as_bytes(),
        row.key.as_bytes(),
        row.actor.as_bytes(),
    ] {
        input.push(1);
        input.extend(u32::try_from(field.len()).unwrap().to_be_bytes());
        input.extend(field);
    }
    input.push(0);
    let done = sqlx::query(
        "WITH appended AS (
             INSERT INTO audit_log (id, service_id, action, user_email, \"timestamp\", outcome, token_key, detail,
                                    previous_hash, hash)
             VALUES ($1, $2, $3, $4, timestamptz 'epoch' + $5::bigint * interval '1 microsecond', $6, $7, $8, $9, $10)
             RETURNING id, hash)
         UPDATE audit_chain SET count = appended.id, hash = appended.hash FROM appended
         WHERE audit_chain.count = appended.id - 1",
    )
    .bind(id)
    .bind(service_id)
    .bind(row.action)
    .bind(row.actor)
    .bind(micros)
    .bind(row.outcome)
    .bind(row.key)
    .bind(None::<String>)
    .bind(previous)
    .bind(digest(&SHA256, &input).as_ref())
    .execute(&mut **transaction)
    .await?;
    assert_eq!(done.rows_affected(), 1);
    Ok(())
}
