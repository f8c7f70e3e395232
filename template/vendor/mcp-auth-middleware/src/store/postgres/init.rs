//! Setting the database up: `db init`.

use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, SqlSafeStr as _};

use super::failure::{Failure, explain};
use super::role::quoted;
use super::{PostgresConfig, PostgresTokenStore, ServerRole, guard, led, limits};
use crate::StoreError;

/// Version, description and text of every migration. One that was published is never edited: databases keep the
/// checksum of what they ran.
const MIGRATIONS: [(i64, &str, &str); 2] = [
    (1, "token store", include_str!("../../../migrations/0001_token_store.sql")),
    (2, "own schema", include_str!("../../../migrations/0002_own_schema.sql")),
];

/// Where a database keeps which migrations it has; other programs' migrations may be in it, too.
pub(super) const TABLE: &str = "mcp_auth_migrations";

/// The advisory lock that puts set-ups at the same moment in a row: "mcp_auth" in ASCII.
const LOCK: i64 = 0x6d63_705f_6175_7468;

/// How long the database may take to answer at all, and to be set up: somebody else may be at it.
const LIMITS: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(120));

/// Between attempts: the holder of the lock goes on meanwhile.
const PAUSE: Duration = Duration::from_millis(200);

/// The result of setting up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InitReport {
    /// Migrations that were missing and have been applied.
    pub applied: usize,
    /// The schema's version now.
    pub version: i64,
    /// `true` when the server's role is new.
    pub role_created: bool,
    /// `true` when servers of the version before, which read tokens past the audit log, still get at the tables:
    /// [`PostgresTokenStore::finish_upgrade`] ends that.
    pub former_servers: bool,
    /// `true` when the user still is a member of `mcp_auth_keeper`, as another role has granted it: only that role revokes it.
    pub keeper_remains: bool,
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
        match as_owner(owner, &Work::SetUp(role)).await? {
            Done::SetUp(report) => Ok(report),
            Done::Count(_) => Err(unexpected(owner)),
        }
    }

    /// Ends the access of servers of the version before, once none of them runs; says whether there was one.
    ///
    /// # Errors
    /// As [`init`](Self::init).
    pub async fn finish_upgrade(owner: &PostgresConfig) -> Result<bool, StoreError> {
        match as_owner(owner, &Work::Finish).await? {
            Done::Count(count) => Ok(count > 0),
            Done::SetUp(_) => Err(unexpected(owner)),
        }
    }

    /// Removes rows older than so many days from the audit log and from the record of tool calls, and returns their number. A
    /// row of the audit log records the removal, and verification starts from it.
    ///
    /// `owner` connects as the owner of the tables: no server may do this.
    ///
    /// # Errors
    /// As [`init`](Self::init).
    pub async fn expire(owner: &PostgresConfig, days: u32, actor: &str) -> Result<u64, StoreError> {
        match as_owner(owner, &Work::Expire(days, actor)).await? {
            Done::Count(count) => Ok(count),
            Done::SetUp(_) => Err(unexpected(owner)),
        }
    }
}

/// The work that only the owner of the tables does.
enum Work<'a> {
    SetUp(Option<&'a ServerRole>),
    Finish,
    Expire(u32, &'a str),
}

/// Its result.
enum Done {
    SetUp(InitReport),
    Count(u64),
}

fn unexpected(owner: &PostgresConfig) -> StoreError {
    StoreError::Unavailable(format!("the database answers in an unexpected way ({})", owner.place()))
}

async fn as_owner(owner: &PostgresConfig, work: &Work<'_>) -> Result<Done, StoreError> {
    let place = owner.place();
    let late = |_| Failure::Database(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()));
    let done = async {
        let guard = guard::Guard::new(owner).map_err(sqlx::Error::Io)?;
        let options = led(guard.as_ref(), owner);
        let mut connection = tokio::time::timeout(LIMITS.0, options.connect()).await.map_err(late)??;
        let done = tokio::time::timeout(LIMITS.1, repeat(&mut connection, work)).await.map_err(late)??;
        connection.close().await?;
        Ok(done)
    };
    done.await.map_err(|failure| explain(failure, &place))
}

/// Until nobody is in the way.
async fn repeat(connection: &mut PgConnection, work: &Work<'_>) -> Result<Done, Failure> {
    loop {
        let done = match work {
            Work::SetUp(role) => set_up(connection, *role).await.map(Done::SetUp),
            Work::Finish => finish(connection).await.map(|had| Done::Count(u64::from(had))),
            Work::Expire(days, actor) => expire(connection, *days, actor).await.map(Done::Count),
        };
        match done {
            Err(failure) if failure.is_in_the_way() => tokio::time::sleep(PAUSE).await,
            done => return done,
        }
    }
}

async fn expire(connection: &mut PgConnection, days: u32, actor: &str) -> Result<u64, Failure> {
    let sql = "SELECT mcp_auth_store.expire_audit(now() - make_interval(days => $1), $2)
                      + mcp_auth_store.expire_calls(now() - make_interval(days => $1))";
    let days = i32::try_from(days).unwrap_or(i32::MAX).min(100_000);
    let actor = limits::actor(actor);
    let gone: i64 = sqlx::query_scalar(sql).bind(days).bind(&*actor).fetch_one(connection).await?;
    Ok(gone.unsigned_abs())
}

async fn set_up(connection: &mut PgConnection, role: Option<&ServerRole>) -> Result<InitReport, Failure> {
    let mut transaction = connection.begin().await?;
    begin(&mut transaction).await?;
    let migrator = migrator();
    let before = applied(&mut transaction).await?;
    migrator.run_direct(None, &mut *transaction, false).await.map_err(unfit)?;
    let after = applied(&mut transaction).await?;
    let role_created = match role {
        Some(role) => role.set_up(&mut transaction).await?,
        None => false,
    };
    let former_servers = former_place(&mut transaction).await?.is_some();
    let keeper_remains = is_keeper(&mut transaction).await?;
    transaction.commit().await?;
    let applied = after.saturating_sub(before);
    Ok(InitReport { applied, version: newest_schema(), role_created, former_servers, keeper_remains })
}

/// Returns whether the user may act as the role of the functions, here and in every other database with a store. From
/// PostgreSQL 16 on, a role cannot revoke from itself what another one has granted.
async fn is_keeper(connection: &mut PgConnection) -> Result<bool, Failure> {
    let sql = "SELECT coalesce(NOT rolsuper AND pg_catalog.pg_has_role(oid, pg_catalog.to_regrole('mcp_auth_keeper')::oid,
                      CASE WHEN pg_catalog.current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END), false)
               FROM pg_catalog.pg_roles WHERE rolname = current_user";
    Ok(sqlx::query_scalar(sql).fetch_one(connection).await?)
}

async fn finish(connection: &mut PgConnection) -> Result<bool, Failure> {
    let mut transaction = connection.begin().await?;
    begin(&mut transaction).await?;
    let Some(place) = former_place(&mut transaction).await? else { return Ok(false) };
    for view in ["mcp_auth_migrations", "audit_chain", "audit_log", "tokens", "services"] {
        let sql = format!("DROP VIEW IF EXISTS {}.{view}", quoted(&place));
        transaction.execute(AssertSqlSafe(sql)).await?;
    }
    sqlx::query("DELETE FROM former_place").execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(true)
}

/// Where servers of the version before look for the tables.
async fn former_place(connection: &mut PgConnection) -> Result<Option<String>, Failure> {
    let place = "SELECT schema_name FROM mcp_auth_store.former_place";
    Ok(sqlx::query_scalar(place).fetch_optional(connection).await?)
}

/// Waits for other set-ups, and settles where names are looked for: in the schema of the store, which is made if there is
/// none, or where the first version has its tables.
async fn begin(connection: &mut PgConnection) -> Result<(), Failure> {
    // What is there already is no news.
    connection.execute("SET LOCAL client_min_messages = warning").await?;
    sqlx::query("SELECT pg_catalog.pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *connection).await?;
    // Servers wait no longer than this: a lock that is not free in time is asked for again.
    connection.execute("SET LOCAL lock_timeout = '500ms'").await?;
    // What is ours belongs to who we are, to the database's owner or to a superuser. A table that somebody else has put
    // in our way could have triggers.
    let strangers = "SELECT c.kind FROM (
                         SELECT 'the schema ' || nspname AS kind, nspowner AS owner FROM pg_catalog.pg_namespace
                             WHERE nspname = 'mcp_auth_store'
                         UNION ALL SELECT 'the table ' || oid::pg_catalog.regclass::text, relowner FROM pg_catalog.pg_class
                             WHERE oid IN (pg_catalog.to_regclass('services'), pg_catalog.to_regclass('tokens'),
                                           pg_catalog.to_regclass('audit_log'), pg_catalog.to_regclass('audit_chain'),
                                           pg_catalog.to_regclass('mcp_auth_migrations'))) AS c
                     JOIN pg_catalog.pg_roles r ON r.oid = c.owner
                     WHERE NOT (r.rolname = current_user OR r.rolsuper OR r.oid =
                                (SELECT datdba FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
                         AND (c.kind LIKE 'the schema %' OR
                              pg_catalog.to_regclass('mcp_auth_store.mcp_auth_migrations') IS NULL
                              AND pg_catalog.to_regclass('mcp_auth_migrations') IS NOT NULL)";
    if let Some(kind) = sqlx::query_scalar::<_, String>(strangers).fetch_optional(&mut *connection).await? {
        let reason =
            format!("{} belongs to another role than the owner of the store", crate::printable::printable(&kind));
        return Err(Failure::Store(StoreError::Denied(reason)));
    }
    let first_version = "SELECT pg_catalog.to_regclass('mcp_auth_store.mcp_auth_migrations') IS NULL
                             AND pg_catalog.to_regclass('mcp_auth_migrations') IS NOT NULL";
    if !sqlx::query_scalar::<_, bool>(first_version).fetch_one(&mut *connection).await? {
        connection.execute("CREATE SCHEMA IF NOT EXISTS mcp_auth_store").await?;
        connection.execute("SET LOCAL search_path = mcp_auth_store, pg_temp").await?;
    }
    Ok(())
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
