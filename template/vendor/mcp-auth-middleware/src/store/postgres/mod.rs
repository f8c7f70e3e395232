//! Tokens in PostgreSQL: encrypted, with an audit row for every operation in the same transaction.
//!
//! In come names and plaintexts, out go ciphertexts; the database never sees a value or a key. An operation that cannot
//! be audited is not done. The tables are made by [`PostgresTokenStore::init`] from `migrations/`.

mod audit;
mod chain;
mod config;
mod failure;
mod init;
mod inspect;
mod kept;
mod limits;
mod listen;
mod reach;
mod role;
mod rotate;
mod session;

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{Connection as _, Row as _};

pub use audit::{AuditFault, AuditReport, AuditRow};
pub use config::{PostgresConfig, PostgresConfigError, PostgresTls};
pub use init::InitReport;
pub use inspect::{Inspection, StoredTokens};
pub use kept::{AuditHash, ParseAuditHashError};
pub use listen::{TokenChange, TokenChanges};
pub use role::ServerRole;
pub use rotate::{Rotation, UnreadableToken};

use crate::encryption::{Context, DecryptError, KeyId, Keyring};
use crate::{ServiceToken, StoreError, TokenInfo};
use chain::{Action, Entry, Outcome, append};
use failure::{Failure, explain};
use session::Session;

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
    /// Host and port; nothing for a Unix socket.
    address: Option<(String, u16)>,
    statement_timeout: Duration,
    /// More than all parts of an operation may take; only a network that swallows packets makes one take longer.
    operation_limit: Duration,
    pooled: bool,
    renewal: Arc<Renewal>,
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
        let renewal = Arc::new(Renewal::default());
        let outdated = Arc::clone(&renewal);
        let pool = PgPoolOptions::new()
            .min_connections(config.minimum)
            .max_connections(config.maximum)
            .acquire_timeout(config.acquire_timeout)
            // A connection that comes back is tested by the pool, without a limit of time: where the network swallows
            // packets, it would be missing from the pool for a quarter of an hour.
            .after_release(|connection, _| {
                Box::pin(async move {
                    let timed_out = || sqlx::Error::Io(std::io::ErrorKind::TimedOut.into());
                    tokio::time::timeout(PING_LIMIT, connection.ping()).await.map_err(|_| timed_out())??;
                    Ok(true)
                })
            })
            .before_acquire(move |_, connection| {
                let keep = !outdated.outdates(connection.age);
                Box::pin(async move { Ok(keep) })
            })
            .connect_lazy_with(config.options.clone());
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
            address: config.address(),
            statement_timeout: config.statement_timeout,
            operation_limit: config.acquire_timeout + config.statement_timeout * 3,
            pooled: config.pooled,
            renewal,
        };
        Ok(Self { pool, keyring, shared: Arc::new(shared) })
    }

    /// Opens connections by this configuration from now on: the password has changed. Those that are open go on. Nothing but
    /// the credentials counts; `false` where it is another database, to which only a new store leads.
    pub fn use_credentials_of(&self, config: &PostgresConfig) -> bool {
        let same = config.place() == self.shared.place
            && config.options.get_database() == self.pool.connect_options().get_database();
        if same {
            self.pool.set_connect_options(config.options.clone());
        }
        same
    }

    /// The token of a service under `key`, if there is one.
    ///
    /// # Errors
    /// [`StoreError::Decrypt`] where it was sealed with a key that is not in the ring, or changed since; see the type
    /// for others. What was asked for in vain stands in the audit log, too.
    pub async fn get_token(&self, service: &str, key: &str, actor: &str) -> Result<Option<ServiceToken>, StoreError> {
        check_names(service, key)?;
        self.bounded(async {
            let mut session = self.begin().await?;
            let service_id = service_id(&mut session, service).await?;
            let row = session
                .query("SELECT encrypted_value FROM tokens WHERE service_id = $1 AND key = $2")
                .bind(service_id)
                .bind(key)
                .fetch_optional(session.connection())
                .await?;
            let sealed: Option<Vec<u8>> = row.map(|row| row.try_get("encrypted_value")).transpose()?;
            let opened = sealed.map(|sealed| self.open(service, key, &sealed)).transpose();
            let (outcome, detail) = match &opened {
                Ok(Some(_)) => (Outcome::Ok, None),
                Ok(None) => (Outcome::NotFound, None),
                Err(error) => (Outcome::DecryptFailed, Some(error.to_string())),
            };
            let entry = Entry {
                service: Some((service_id, service)),
                action: Action::Get,
                outcome,
                token_key: Some(key),
                actor,
                detail: detail.as_deref(),
            };
            append(&mut session, &entry).await?;
            session.commit().await?;
            Ok(opened.map_err(StoreError::from)?)
        })
        .await
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
            let mut session = self.begin().await?;
            let service_id = service_id(&mut session, service).await?;
            // Sealing is deterministic, so that an equal value is an equal ciphertext, and is no change.
            session
                .query(
                    "INSERT INTO tokens (service_id, key, encrypted_value) VALUES ($1, $2, $3)
                     ON CONFLICT (service_id, key) DO UPDATE SET
                         encrypted_value = EXCLUDED.encrypted_value,
                         updated_at = CASE WHEN tokens.encrypted_value = EXCLUDED.encrypted_value
                                           THEN tokens.updated_at ELSE clock_timestamp() END",
                )
                .bind(service_id)
                .bind(key)
                .bind(sealed.as_slice())
                .execute(session.connection())
                .await?;
            append(&mut session, &entry(service_id, service, Action::Set, Outcome::Ok, Some(key), actor)).await?;
            session.commit().await
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
            let mut session = self.begin().await?;
            let service_id = service_id(&mut session, service).await?;
            let deleted = session
                .query("DELETE FROM tokens WHERE service_id = $1 AND key = $2")
                .bind(service_id)
                .bind(key)
                .execute(session.connection())
                .await?;
            let existed = deleted.rows_affected() > 0;
            let outcome = if existed { Outcome::Ok } else { Outcome::NotFound };
            append(&mut session, &entry(service_id, service, Action::Delete, outcome, Some(key), actor)).await?;
            session.commit().await?;
            Ok(existed)
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
            let mut session = self.begin().await?;
            let service_id = service_id(&mut session, service).await?;
            let rows = session
                .query(
                    "SELECT key, (extract(epoch FROM created_at) * 1000000)::bigint AS created,
                            (extract(epoch FROM updated_at) * 1000000)::bigint AS updated
                     FROM tokens WHERE service_id = $1 ORDER BY key",
                )
                .bind(service_id)
                .fetch_all(session.connection())
                .await?;
            let mut tokens = Vec::with_capacity(rows.len());
            for row in rows {
                let (created, updated) = (time(row.try_get("created")?), time(row.try_get("updated")?));
                tokens.push(TokenInfo { key: row.try_get("key")?, created_at: created, updated_at: updated });
            }
            append(&mut session, &entry(service_id, service, Action::List, Outcome::Ok, None, actor)).await?;
            session.commit().await?;
            Ok(tokens)
        })
        .await
    }

    /// Asks the database for a sign of life, and whether it is set up.
    ///
    /// # Errors
    /// See the type.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.bounded(async {
            let mut session = self.begin().await?;
            session.query("SELECT count FROM audit_chain").fetch_optional(session.connection()).await?;
            session.commit().await
        })
        .await
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

    /// Closes all connections; operations fail from now on. Waits for those that are under way, but not for long.
    pub async fn close(&self) {
        // Nobody may be asking for news with the connection that is kept for that.
        let _ = tokio::time::timeout(PING_LIMIT, self.pool.close()).await;
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

fn check_names(service: &str, key: &str) -> Result<(), StoreError> {
    limits::check_name("service", service)?;
    limits::check_name("token", key)
}

fn entry<'a>(
    service_id: i64,
    service: &'a str,
    action: Action,
    outcome: Outcome,
    token_key: Option<&'a str>,
    actor: &'a str,
) -> Entry<'a> {
    Entry { service: Some((service_id, service)), action, outcome, token_key, actor, detail: None }
}

/// The row of a service, which comes into being with the first operation on it: also what is asked for in vain needs
/// one, to be audited.
async fn service_id(session: &mut Session, service: &str) -> Result<i64, Failure> {
    // Twice, because somebody else's row is seen only by a statement that begins after it was committed.
    for _ in 0..2 {
        let known = session.query("SELECT id FROM services WHERE name = $1").bind(service);
        if let Some(row) = known.fetch_optional(session.connection()).await? {
            return Ok(row.try_get("id")?);
        }
        let add = session.query("INSERT INTO services (name) VALUES ($1) ON CONFLICT (name) DO NOTHING RETURNING id");
        if let Some(row) = add.bind(service).fetch_optional(session.connection()).await? {
            return Ok(row.try_get("id")?);
        }
    }
    Err(Failure::Database(sqlx::Error::RowNotFound))
}

/// From microseconds since 1970.
fn time(micros: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}
