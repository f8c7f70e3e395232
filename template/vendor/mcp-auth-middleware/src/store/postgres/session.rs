//! One operation's transaction.

use std::time::Duration;

use sqlx::postgres::{PgArguments, PgConnection, PgPool};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Postgres, Transaction};

use super::failure::Failure;

/// The schema of the store, and nothing else: what others may have put elsewhere has no say.
const PATH_LOCAL: &str = "SET LOCAL search_path = mcp_auth_store, pg_temp";

/// The settings that a connection gets once, where it stays with one client: each single statement is then a transaction of its
/// own, without a word before and after it.
pub(super) fn greeting(statement_timeout: Duration) -> String {
    format!(
        "SET search_path = mcp_auth_store, pg_temp; SET default_transaction_isolation = 'read committed'; \
         SET statement_timeout = {}",
        millis(statement_timeout)
    )
}

fn millis(timeout: Duration) -> u128 {
    timeout.as_millis().clamp(1, 3_600_000)
}

/// A transaction with bounds on how long it may hold anything; rolled back unless committed, also when the caller
/// hangs up.
pub(super) struct Session {
    transaction: Transaction<'static, Postgres>,
    named_statements: bool,
}

impl Session {
    /// Begins with `mode`: an isolation level, or read-only.
    ///
    /// The limits are set per transaction instead of per connection: a pooler in transaction mode knows no start-up
    /// options, and would give a connection's settings to others. A server that stalls between two statements holds
    /// the head of the audit log, so the database ends its transaction after twice the time.
    pub(super) async fn begin(
        pool: &PgPool,
        mode: &'static str,
        statement_timeout: Duration,
        named_statements: bool,
    ) -> Result<Self, Failure> {
        let limit = millis(statement_timeout);
        let idle = limit * 2;
        let begin = format!(
            "BEGIN {mode}; {PATH_LOCAL}; SET LOCAL statement_timeout = {limit}; \
             SET LOCAL idle_in_transaction_session_timeout = {idle}"
        );
        let transaction = pool.begin_with(AssertSqlSafe(begin)).await?;
        Ok(Self { transaction, named_statements })
    }

    /// A statement, prepared by name where there is no pooler between.
    pub(super) fn query(&self, sql: &'static str) -> Query<'static, Postgres, PgArguments> {
        sqlx::query(sql).persistent(self.named_statements)
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    /// Where the connection is lost meanwhile, it remains open whether the database has committed.
    pub(super) async fn commit(self) -> Result<(), Failure> {
        Ok(self.transaction.commit().await?)
    }
}
