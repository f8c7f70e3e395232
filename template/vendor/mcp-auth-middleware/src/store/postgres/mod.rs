//! Tokens in PostgreSQL: encrypted, with an audit row for every operation in the same transaction.
//!
//! In come names and plaintexts, out go ciphertexts; the database never sees a value or a key. An operation that cannot
//! be audited is not done. The tables are made by [`PostgresTokenStore::init`] from `migrations/`.

mod audit;
mod calls;
mod chain;
mod config;
mod failure;
mod guard;
mod init;
mod inspect;
mod kept;
mod limits;
mod listen;
mod reach;
mod role;
mod rotate;
mod session;
mod unverified;
mod watch;

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Executor as _, Postgres, Row as _};

pub use audit::{AuditFault, AuditHead, AuditReport, AuditRow};
pub use calls::ToolCallRecord;
pub use config::{PostgresConfig, PostgresConfigError, PostgresTls};
pub use init::InitReport;
pub use inspect::{Inspection, StoredTokens};
pub use kept::{AuditHash, ParseAuditHashError};
pub use listen::{TokenChange, TokenChanges};
pub use role::ServerRole;
pub use rotate::{Rotation, UnreadableToken};

use crate::encryption::{Context, DecryptError, KeyId, Keyring};
use crate::{ServiceToken, StoreError, TokenInfo};
use failure::{Failure, explain};
use session::Session;

/// The statement that checks a returned connection. A caller that gives up while a `BEGIN` is on its way leaves a transaction open of which
/// sqlx 0.9.0 knows nothing (its issue 4385): whatever comes next would be written into it, be acknowledged, and be
/// rolled back. The `BEGIN` here is for the others, where a lone `ROLLBACK` would leave a warning in the database's log.
const BACK_TO_IDLE: &str = "BEGIN; ROLLBACK";

/// How long a returned connection may take to prove that it is still alive.
const PING_LIMIT: Duration = Duration::from_secs(5);

/// Tokens in a PostgreSQL database. Clones share one pool of connections.
///
/// Every method fails with [`StoreError::Unavailable`] when the database does not answer in time, and works again by
/// itself once it does; [`StoreError::Denied`] where it refuses the user or the role may not; [`StoreError::NotSetUp`]
/// before [`init`](Self::init). No error holds a value or a credential.
#[derive(Clone)]
pub struct PostgresTokenStore {
    pool: PgPool,
    keyring: Keyring,
    shared: Arc<Shared>,
}

struct Shared {
    place: String,
    way: config::Way,
    /// Host and port; nothing for a Unix socket.
    address: Option<(String, u16)>,
    statement_timeout: Duration,
    /// More than all parts of an operation may take; only a network that swallows packets makes one take longer.
    operation_limit: Duration,
    pooled: bool,
    renewal: Arc<Renewal>,
    /// The end of the audit log as it was said last.
    anchor: Mutex<Option<AuditHead>>,
    calls: calls::Waiting,
    /// Between here and a database elsewhere, where nothing is encrypted.
    guard: Option<guard::Guard>,
}

/// Since when connections are worth keeping. Whether a database is read-only may be settled when a connection begins,
/// so one that was refused for that is not used again: the next one may lead to another state, or another server.
#[derive(Default)]
struct Renewal(Mutex<Option<Instant>>);

impl Renewal {
    fn outdates(&self, age: Duration) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|since| age >= since.elapsed())
    }

    fn begin(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

/// The connections of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolStatus {
    /// Open ones.
    pub open: u32,
    /// Open ones that nobody uses at the moment.
    pub idle: u32,
    /// How many there may be.
    pub maximum: u32,
}

impl PostgresTokenStore {
    /// A store that connects when it is first used: a server starts while its database is down. The pool's minimum is
    /// opened in the background at once.
    ///
    /// # Errors
    /// [`PostgresConfigError::NoRuntime`] outside of a tokio runtime.
    pub fn connect_lazy(config: &PostgresConfig, keyring: Keyring) -> Result<Self, PostgresConfigError> {
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| PostgresConfigError::NoRuntime)?;
        let guard = guard::Guard::new(config).map_err(|_| PostgresConfigError::NoPort)?;
        let options = led(guard.as_ref(), config);
        let renewal = Arc::new(Renewal::default());
        let outdated = Arc::clone(&renewal);
        let greeting = (!config.pooled).then(|| session::greeting(config.statement_timeout));
        let pool = PgPoolOptions::new()
            .min_connections(config.minimum)
            .max_connections(config.maximum)
            .acquire_timeout(config.acquire_timeout)
            // A connection that comes back is tested by the pool, without a limit of time: where the network swallows
            // packets, it would be missing from the pool for a quarter of an hour.
            .after_release(|connection, _| {
                Box::pin(async move {
                    let timed_out = || sqlx::Error::Io(std::io::ErrorKind::TimedOut.into());
                    let tested = connection.execute(BACK_TO_IDLE);
                    tokio::time::timeout(PING_LIMIT, tested).await.map_err(|_| timed_out())??;
                    Ok(true)
                })
            })
            .after_connect(move |connection, _| {
                let greeting = greeting.clone();
                Box::pin(async move {
                    match greeting {
                        Some(greeting) => connection.execute(AssertSqlSafe(greeting)).await.map(drop),
                        None => Ok(()),
                    }
                })
            })
            .before_acquire(move |_, connection| {
                let keep = !outdated.outdates(connection.age);
                Box::pin(async move { Ok(keep) })
            })
            .connect_lazy_with(options);
        let (warm, minimum) = (pool.clone(), config.minimum);
        runtime.spawn(async move {
            // Held until all are there, or else one would be opened and found idle by the next.
            let mut held = Vec::new();
            while held.len() < minimum as usize {
                let Ok(connection) = warm.acquire().await else { break };
                held.push(connection);
            }
        });
        let shared = Shared {
            place: config.place(),
            way: config.way(),
            address: config.address(),
            statement_timeout: config.statement_timeout,
            operation_limit: config.acquire_timeout + config.statement_timeout * 3,
            pooled: config.pooled,
            renewal,
            anchor: Mutex::default(),
            calls: calls::Waiting::default(),
            guard,
        };
        Ok(Self { pool, keyring, shared: Arc::new(shared) })
    }

    /// Opens connections by this configuration from now on: the password has changed. Those that are open go on. Nothing but
    /// the credentials counts; `false` where it is another database or another way there (the TLS mode, a certificate of
    /// one's own), to which only a new store leads: it decides whether there is a relay, and what is warned of.
    pub fn use_credentials_of(&self, config: &PostgresConfig) -> bool {
        let same = config.place() == self.shared.place
            && config.way() == self.shared.way
            && config.options.get_database() == self.pool.connect_options().get_database();
        if same {
            self.pool.set_connect_options(led(self.shared.guard.as_ref(), config));
        }
        same
    }

    /// The token of a service under `key`, if there is one.
    ///
    /// The database hands a ciphertext out only once the row of the audit log is committed: nobody with the role of a
    /// server has it past the log.
    ///
    /// # Errors
    /// [`StoreError::Decrypt`] where it was sealed with a key that is not in the ring, or changed since; see the type
    /// for others. The audit log records failed reads, too.
    pub async fn get_token(&self, service: &str, key: &str, actor: &str) -> Result<Option<ServiceToken>, StoreError> {
        check_names(service, key)?;
        self.bounded(async {
            let actor = limits::actor(actor);
            let sealed = if self.shared.pooled {
                self.read_in_two(service, key, &actor).await?
            } else {
                let read = sqlx::query("CALL mcp_auth_store.read_token($1, $2, $3, NULL)");
                one(&self.fetch(read.bind(service).bind(key).bind(&*actor)).await?)?.try_get("sealed")?
            };
            let Some(sealed): Option<Vec<u8>> = sealed else { return Ok(None) };
            match self.open(service, key, &sealed) {
                Ok(token) => Ok(Some(token)),
                Err(error) => {
                    self.report_unreadable(service, key, "get", &actor, &error.to_string()).await?;
                    Err(StoreError::from(error).into())
                }
            }
        })
        .await
    }

    /// As `read_token` does, where a pooler in transaction mode is between: a procedure that commits needs limits of time
    /// that were set before.
    async fn read_in_two(&self, service: &str, key: &str, actor: &str) -> Result<Option<Vec<u8>>, Failure> {
        let begin = sqlx::query("SELECT audit_row, stored FROM mcp_auth_store.begin_read($1, $2, $3)");
        let begun = self.fetch(begin.bind(service).bind(key).bind(actor)).await?;
        let (audit_row, stored): (i64, bool) = (one(&begun)?.try_get("audit_row")?, one(&begun)?.try_get("stored")?);
        if !stored {
            return Ok(None);
        }
        let finish = sqlx::query("SELECT mcp_auth_store.finish_read($1) AS sealed").bind(audit_row);
        Ok(one(&self.fetch(finish).await?)?.try_get("sealed")?)
    }

    /// Says in the audit log that what was handed out could not be opened.
    async fn report_unreadable(
        &self,
        service: &str,
        key: &str,
        action: &str,
        actor: &str,
        detail: &str,
    ) -> Result<(), Failure> {
        let report = sqlx::query("SELECT mcp_auth_store.report_unreadable($1, $2, $3, $4, $5)");
        let report = report.bind(service).bind(key).bind(action).bind(actor).bind(limits::detail(detail).into_owned());
        self.fetch(report).await.map(drop)
    }

    /// Stores a token of 1 byte to 64 KiB under a name of 1 to 255 bytes, in place of an earlier one.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for names and values that do not fit; see the type for others. Where the connection is
    /// lost during the commit, the token may be stored in spite of the error; storing it again does no harm.
    pub async fn set_token(
        &self,
        service: &str,
        key: &str,
        value: &SecretString,
        actor: &str,
    ) -> Result<(), StoreError> {
        check_names(service, key)?;
        limits::check_value(value.expose_secret())?;
        let sealed = self.keyring.seal(Context { service, name: key }, value.expose_secret().as_bytes())?;
        self.bounded(async {
            let set = sqlx::query("SELECT mcp_auth_store.set_token($1, $2, $3, $4)");
            let set = set.bind(service).bind(key).bind(sealed.as_slice()).bind(limits::actor(actor).into_owned());
            self.fetch(set).await.map(drop)
        })
        .await
    }

    /// Removes a token and says whether there was one.
    ///
    /// # Errors
    /// See the type.
    pub async fn delete_token(&self, service: &str, key: &str, actor: &str) -> Result<bool, StoreError> {
        check_names(service, key)?;
        self.bounded(async {
            let delete = sqlx::query("SELECT mcp_auth_store.delete_token($1, $2, $3) AS existed");
            let delete = delete.bind(service).bind(key).bind(limits::actor(actor).into_owned());
            Ok(one(&self.fetch(delete).await?)?.try_get("existed")?)
        })
        .await
    }

    /// Names and times of a service's tokens, in the order of the names' bytes.
    ///
    /// # Errors
    /// See the type.
    pub async fn list(&self, service: &str, actor: &str) -> Result<Vec<TokenInfo>, StoreError> {
        limits::check_name("service", service)?;
        self.bounded(async {
            let list = sqlx::query("SELECT token_key, created, updated FROM mcp_auth_store.list_tokens($1, $2)");
            let rows = self.fetch(list.bind(service).bind(limits::actor(actor).into_owned())).await?;
            let mut tokens = Vec::with_capacity(rows.len());
            for row in rows {
                let (created, updated) = (time(row.try_get("created")?), time(row.try_get("updated")?));
                tokens.push(TokenInfo { key: row.try_get("token_key")?, created_at: created, updated_at: updated });
            }
            Ok(tokens)
        })
        .await
    }

    /// Asks the database for a sign of life, and whether it is set up.
    ///
    /// # Errors
    /// See the type.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.bounded(async { self.changes_so_far().await.map(drop) }).await
    }

    /// How often tokens have changed since the database was set up.
    async fn changes_so_far(&self) -> Result<i64, Failure> {
        let rows = self.fetch(sqlx::query("SELECT mcp_auth_store.changes_so_far() AS changes")).await?;
        // Without its row there are no notifications, and tokens are read for each request.
        Ok(one(&rows)?.try_get::<Option<i64>, _>("changes")?.unwrap_or(-1))
    }

    /// How many connections there are.
    #[must_use]
    pub fn pool_status(&self) -> PoolStatus {
        let idle = u32::try_from(self.pool.num_idle()).unwrap_or(u32::MAX);
        PoolStatus { open: self.pool.size(), idle, maximum: self.pool.options().get_max_connections() }
    }

    /// The id of the key that seals.
    #[must_use]
    pub fn active_key(&self) -> KeyId {
        self.keyring.active_id()
    }

    /// Closes all connections; operations fail from now on. Waits for operations in progress, but not for long.
    pub async fn close(&self) {
        // Nobody may be asking for news with the connection that is kept for that.
        let _ = tokio::time::timeout(PING_LIMIT, self.pool.close()).await;
    }

    /// One statement, which is a transaction of its own.
    async fn fetch(&self, query: Query<'static, Postgres, PgArguments>) -> Result<Vec<PgRow>, Failure> {
        if self.shared.pooled {
            let mut session = self.begin().await?;
            let rows = query.persistent(false).fetch_all(session.connection()).await?;
            session.commit().await?;
            return Ok(rows);
        }
        let acquire = async { Ok(self.pool.acquire().await?) };
        let mut connection = reach::unless_refused(self.shared.address.as_ref(), acquire).await?;
        // All of the answer: its end is what says that it is committed.
        Ok(query.fetch_all(&mut *connection).await?)
    }

    async fn begin(&self) -> Result<Session, Failure> {
        self.begin_as("ISOLATION LEVEL READ COMMITTED").await
    }

    async fn begin_as(&self, mode: &'static str) -> Result<Session, Failure> {
        let begin = Session::begin(&self.pool, mode, self.shared.statement_timeout, !self.shared.pooled);
        reach::unless_refused(self.shared.address.as_ref(), begin).await
    }

    /// An operation within its limit of time; failures in words. Dropped in the middle, it is rolled back.
    async fn bounded<T>(&self, operation: impl Future<Output = Result<T, Failure>>) -> Result<T, StoreError> {
        match tokio::time::timeout(self.shared.operation_limit, operation).await {
            Ok(done) => done.map_err(|failure| {
                if failure.is_read_only() {
                    self.shared.renewal.begin();
                }
                explain(failure, &self.shared.place)
            }),
            Err(_) => {
                let place = &self.shared.place;
                Err(StoreError::Unavailable(format!("the database did not answer in time ({place})")))
            }
        }
    }

    fn open(&self, service: &str, key: &str, sealed: &[u8]) -> Result<ServiceToken, DecryptError> {
        let plaintext = self.keyring.open(Context { service, name: key }, sealed)?;
        let text = std::str::from_utf8(&plaintext).map_err(|_| DecryptError::Corrupted)?;
        // A box of the exact size: growing or shrinking a string leaves copies behind.
        Ok(ServiceToken::new(SecretString::from(Box::<str>::from(text))))
    }
}

impl fmt::Debug for PostgresTokenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresTokenStore").field("place", &self.shared.place).finish_non_exhaustive()
    }
}

/// Where connections go: to the database, or to the guard before it.
fn led(guard: Option<&guard::Guard>, config: &PostgresConfig) -> PgConnectOptions {
    guard.map_or_else(|| config.options.clone(), |guard| guard.lead(config.options.clone()))
}

fn check_names(service: &str, key: &str) -> Result<(), StoreError> {
    limits::check_name("service", service)?;
    limits::check_name("token", key)
}

/// The one row that there has to be.
fn one(rows: &[PgRow]) -> Result<&PgRow, Failure> {
    rows.first().ok_or(Failure::Database(sqlx::Error::RowNotFound))
}

/// From microseconds since 1970.
fn time(micros: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}
