//! News of changed tokens, for whoever caches them.

use std::time::Duration;

use sqlx::postgres::{PgListener, PgNotification, PgPool};
use sqlx::{Error, Executor as _};
use tokio::time::{sleep, timeout};

use super::PostgresTokenStore;

/// What the tables' trigger notifies; see `migrations/`.
const CHANNEL: &str = "mcp_auth_tokens";

/// A connection that is silent for so long is asked whether it is still there, and with a pooler between, that is how
/// often everything is taken for changed.
const SILENCE: Duration = Duration::from_secs(30);

/// How long a silent connection may take to answer.
const ANSWER: Duration = Duration::from_secs(5);

/// Waits between attempts to connect: from the first, doubled up to the last.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// One piece of news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenChange {
    /// A token was set, changed or deleted, by whatever program.
    Changed {
        /// Whose token it is.
        service: String,
        /// Its name.
        key: String,
    },
    /// Any token may have changed: forget them all. Comes first, and after each time that the connection was lost.
    Missed,
}

/// News of changed tokens, for as long as it is asked for them. It holds one connection of the pool.
///
/// A pooler in transaction mode ([`through_transaction_pooler`](super::PostgresConfig::through_transaction_pooler))
/// does not pass news on; there it says [`Missed`](TokenChange::Missed) every 30 seconds.
#[derive(Debug)]
pub struct TokenChanges {
    pool: PgPool,
    pooled: bool,
    listener: Option<PgListener>,
    wait: Option<Duration>,
}

/// What the trigger sends.
#[derive(serde::Deserialize)]
struct Payload {
    service: String,
    key: String,
}

impl PostgresTokenStore {
    /// News of changed tokens, from when [`next`](TokenChanges::next) is first called.
    #[must_use]
    pub fn changes(&self) -> TokenChanges {
        TokenChanges { pool: self.pool.clone(), pooled: self.shared.pooled, listener: None, wait: None }
    }
}

impl TokenChanges {
    /// The next piece of news; `None` once the store is [closed](PostgresTokenStore::close). Waits while the database
    /// is down, and reconnects by itself. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<TokenChange> {
        if self.pooled {
            return self.pretend().await;
        }
        loop {
            let Some(listener) = &mut self.listener else {
                if self.pool.is_closed() {
                    return None;
                }
                if let Some(wait) = self.wait {
                    sleep(wait).await;
                }
                match connect(&self.pool).await {
                    Ok(listener) => {
                        self.listener = Some(listener);
                        self.wait = None;
                        return Some(TokenChange::Missed);
                    }
                    Err(_) => self.wait = Some(self.wait.map_or(BACK_OFF.0, |wait| (wait * 2).min(BACK_OFF.1))),
                }
                continue;
            };
            match timeout(SILENCE, listener.try_recv()).await {
                Ok(Ok(Some(notification))) => return Some(read(&notification)),
                Ok(Ok(None) | Err(_)) => self.lost(),
                Err(_) => {
                    if !matches!(timeout(ANSWER, listener.execute("SELECT 1")).await, Ok(Ok(_))) {
                        self.lost();
                    }
                }
            }
        }
    }

    fn lost(&mut self) {
        tracing::debug!("connection for news of changed tokens lost");
        self.listener = None;
    }

    async fn pretend(&mut self) -> Option<TokenChange> {
        if let Some(wait) = self.wait {
            sleep(wait).await;
        }
        self.wait = Some(SILENCE);
        (!self.pool.is_closed()).then_some(TokenChange::Missed)
    }
}

async fn connect(pool: &PgPool) -> Result<PgListener, Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    // Reconnecting is done here, where it can be told.
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

/// What cannot be read may have been about any token.
fn read(notification: &PgNotification) -> TokenChange {
    match serde_json::from_str::<Payload>(notification.payload()) {
        Ok(Payload { service, key }) => TokenChange::Changed { service, key },
        Err(_) => TokenChange::Missed,
    }
}
