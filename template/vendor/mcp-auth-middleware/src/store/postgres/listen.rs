//! News of changed tokens, for callers that cache them.

use std::time::Duration;

use sqlx::postgres::{PgListener, PgPool};
use sqlx::{Error, Executor as _};
use tokio::time::{Instant, sleep, timeout};

use super::PostgresTokenStore;
use crate::StoreError;

/// The channel that the tables' trigger notifies; see `migrations/`.
const CHANNEL: &str = "mcp_auth_tokens";

/// A connection that is silent for so long is asked whether it is still there, and with a pooler between, that is how
/// often everything is taken for changed.
const SILENCE: Duration = Duration::from_secs(30);

/// How long a silent connection may take to answer.
const ANSWER: Duration = Duration::from_secs(5);

/// Waits between attempts to connect: from the first, doubled up to the last.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// Any role that may connect can notify, as often as it likes: whether there is something to it is asked no more often
/// than this.
const INSPECTION: Duration = Duration::from_millis(250);

/// One piece of news. It has no names: any role that may connect can listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenChange {
    /// Some token was set, changed or deleted, by whatever program.
    Changed,
    /// Any token may have changed: forget them all. Comes first, and after each time that the connection was lost.
    Missed,
    /// The connection was lost: the database is down, or access to it was taken away. Ask before a token is used again.
    Lost,
}

/// News of changed tokens, for as long as it is asked for them. It holds one connection of the pool.
///
/// A pooler in transaction mode ([`through_transaction_pooler`](super::PostgresConfig::through_transaction_pooler))
/// does not pass news on; there it says [`Missed`](TokenChange::Missed) every 30 seconds.
#[derive(Debug)]
pub struct TokenChanges {
    store: PostgresTokenStore,
    listener: Option<PgListener>,
    wait: Option<Duration>,
    /// How often tokens had changed when it was last asked, and when that was.
    seen: Option<(i64, Instant)>,
    /// A notification has come that has not been looked into.
    notified: bool,
    /// The connection is new, and `Missed` is still to be reported.
    missed: bool,
}

impl PostgresTokenStore {
    /// News of changed tokens, from when [`next`](TokenChanges::next) is first called.
    #[must_use]
    pub fn changes(&self) -> TokenChanges {
        TokenChanges { store: self.clone(), listener: None, wait: None, seen: None, notified: false, missed: false }
    }
}

impl TokenChanges {
    /// The next piece of news; `None` once the store is [closed](PostgresTokenStore::close). Waits while the database
    /// is down, and reconnects by itself. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<TokenChange> {
        if self.store.shared.pooled {
            return self.pretend().await;
        }
        loop {
            let Some(listener) = &mut self.listener else {
                if self.store.pool.is_closed() {
                    return None;
                }
                if let Some(wait) = self.wait {
                    sleep(wait).await;
                }
                match connect(&self.store.pool).await {
                    Ok(listener) => {
                        self.listener = Some(listener);
                        (self.seen, self.missed) = (None, true);
                    }
                    Err(_) => self.back_off(),
                }
                continue;
            };
            if self.missed || self.notified {
                match self.inspect().await {
                    // What changes from here on is counted beyond this.
                    Ok(_) if self.missed => {
                        (self.wait, self.missed) = (None, false);
                        return Some(TokenChange::Missed);
                    }
                    Ok(true) => return Some(TokenChange::Changed),
                    Ok(false) => continue,
                    // The database is away, or does not say: it counts as lost.
                    Err(_) => {
                        self.back_off();
                        return self.lost();
                    }
                }
            }
            match timeout(SILENCE, listener.try_recv()).await {
                Ok(Ok(Some(_))) => self.notified = true,
                Ok(Ok(None) | Err(_)) => return self.lost(),
                Err(_) => {
                    if !matches!(timeout(ANSWER, listener.execute("SELECT 1")).await, Ok(Ok(_))) {
                        return self.lost();
                    }
                }
            }
        }
    }

    /// Returns whether tokens have changed since this was last asked.
    async fn inspect(&mut self) -> Result<bool, StoreError> {
        if let Some((_, at)) = self.seen {
            sleep((at + INSPECTION).saturating_duration_since(Instant::now())).await;
        }
        while self.listener.as_mut().and_then(PgListener::next_buffered).is_some() {}
        // What is notified from here on is looked into again.
        let count = self.store.bounded(self.store.changes_so_far()).await?;
        let before = self.seen.replace((count, Instant::now()));
        self.notified = false;
        Ok(count < 0 || before.is_some_and(|(before, _)| before != count))
    }

    /// Until the database has said how often tokens have changed: one that takes connections and has no tables is asked less and
    /// less, too.
    fn back_off(&mut self) {
        self.wait = Some(self.wait.map_or(BACK_OFF.0, |wait| (wait * 2).min(BACK_OFF.1)));
    }

    fn lost(&mut self) -> Option<TokenChange> {
        tracing::debug!("connection for news of changed tokens lost");
        self.listener = None;
        (!self.store.pool.is_closed()).then_some(TokenChange::Lost)
    }

    async fn pretend(&mut self) -> Option<TokenChange> {
        if let Some(wait) = self.wait {
            sleep(wait).await;
        }
        self.wait = Some(SILENCE);
        (!self.store.pool.is_closed()).then_some(TokenChange::Missed)
    }
}

async fn connect(pool: &PgPool) -> Result<PgListener, Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    // Reconnecting is done here, where it can be reported.
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}
