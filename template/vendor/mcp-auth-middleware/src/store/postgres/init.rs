//! Setting the database up: `db init`.

use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::PgConnection;
use sqlx::{ConnectOptions as _, Connection as _, SqlSafeStr as _};

use super::failure::{Failure, explain};
use super::{PostgresConfig, PostgresTokenStore, ServerRole};
use crate::StoreError;

/// Version, description and text of every migration. One that was published is never edited: databases keep the
/// checksum of what they ran.
const MIGRATIONS: [(i64, &str, &str); 1] =
    [(1, "token store", include_str!("../../../migrations/0001_token_store.sql"))];

/// Where a database keeps which migrations it has; other programs' migrations may be in it, too.
pub(super) const TABLE: &str = "mcp_auth_migrations";

/// The advisory lock that puts set-ups at the same moment in a row: "mcp_auth" in ASCII.
const LOCK: i64 = 0x6d63_705f_6175_7468;

/// How long the database may take to answer at all, and to be set up: somebody else may be at it.
const LIMITS: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(120));

/// What setting up did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InitReport {
    /// Migrations that were missing and have been applied.
    pub applied: usize,
    /// The schema's version now.
    pub version: i64,
    /// Whether the server's role is new.
    pub role_created: bool,
}

impl PostgresTokenStore {
    /// Makes or updates the tables, and the role that servers act as if one is given. All of it happens or nothing;
    /// repeating it changes nothing; several at once take turns.
    ///
    /// `owner` connects as the owner of the tables-to-be, who may create roles if one is wanted.
    ///
    /// # Errors
    /// [`StoreError::NotSetUp`] where the database does not exist, or was set up by a newer version;
    /// [`StoreError::Denied`] where the user may not; [`StoreError::Unavailable`] where it cannot be reached.
    pub async fn init(owner: &PostgresConfig, role: Option<&ServerRole>) -> Result<InitReport, StoreError> {
        let place = owner.place();
        let late = |_| Failure::Database(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()));
        let set_up = async {
            let mut connection = tokio::time::timeout(LIMITS.0, owner.options.connect()).await.map_err(late)??;
            let report = tokio::time::timeout(LIMITS.1, set_up(&mut connection, role)).await.map_err(late)??;
            connection.close().await?;
            Ok(report)
        };
        set_up.await.map_err(|failure| explain(failure, &place))
    }
}

async fn set_up(connection: &mut PgConnection, role: Option<&ServerRole>) -> Result<InitReport, Failure> {
    let mut transaction = connection.begin().await?;
    // What is there already is no news.
    sqlx::query("SET LOCAL client_min_messages = warning").execute(&mut *transaction).await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *transaction).await?;
    let migrator = migrator();
    let before = applied(&mut transaction).await?;
    migrator.run_direct(None, &mut *transaction, false).await.map_err(unfit)?;
    let after = applied(&mut transaction).await?;
    let role_created = match role {
        Some(role) => role.set_up(&mut transaction).await?,
        None => false,
    };
    transaction.commit().await?;
    Ok(InitReport { applied: after.saturating_sub(before), version: newest_schema(), role_created })
}

/// The version that the migrations lead to.
pub(super) fn newest_schema() -> i64 {
    MIGRATIONS.iter().map(|(version, ..)| *version).max().unwrap_or(0)
}

fn migrator() -> Migrator {
    let migrations = MIGRATIONS.map(|(version, description, sql)| {
        Migration::new(version, description.into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    let mut migrator = Migrator::with_migrations(migrations.to_vec());
    migrator.dangerous_set_table_name(TABLE);
    // The lock of the migrator belongs to a connection and outlives a failure; that of the transaction does not.
    migrator.set_locking(false);
    migrator
}

/// How many migrations the database has.
async fn applied(connection: &mut PgConnection) -> Result<usize, Failure> {
    let exists = "SELECT to_regclass('mcp_auth_migrations') IS NOT NULL";
    if !sqlx::query_scalar::<_, bool>(exists).fetch_one(&mut *connection).await? {
        return Ok(0);
    }
    let count = "SELECT count(*) FROM mcp_auth_migrations";
    let count: i64 = sqlx::query_scalar(count).fetch_one(&mut *connection).await?;
    Ok(usize::try_from(count).unwrap_or(0))
}

fn unfit(error: MigrateError) -> Failure {
    let text = match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => return Failure::Database(error),
        MigrateError::VersionMissing(version) => {
            format!("its schema has version {version}, which this program is too old for")
        }
        MigrateError::VersionMismatch(version) => {
            format!("migration {version} of its schema is not the one that this program knows")
        }
        _ => "its migrations cannot be read".to_owned(),
    };
    Failure::Store(StoreError::NotSetUp(text))
}
