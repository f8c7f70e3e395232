//! The server's own token as requests see it: resolved once in a while, not once a request.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::StoreError;
use crate::{AuthError, ServiceToken};

/// How long a token is used without asking again. A change counts sooner where the store notifies of it.
const FRESH: Duration = Duration::from_secs(30);
/// How long a known token is used while the store cannot be reached. Longer than a restart of a database, and short enough
/// for a token that was deleted meanwhile.
const OUTAGE: Duration = Duration::from_secs(15 * 60);
/// How long a known token is used while the store refuses the server: revoked access counts within seconds, and a password
/// that is just being changed looks the same for a moment.
const REFUSED: Duration = Duration::from_secs(5);
/// The pause after a failure of the store: requests must not queue for an answer that will not come.
const PAUSE: Duration = Duration::from_secs(1);

/// The last answer of a store, and who asks for the next.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    state: Mutex<State>,
    /// Held by the task that asks the store: one question at a time, whatever comes in.
    asking: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug, Default)]
struct State {
    token: Option<(ServiceToken, Instant)>,
    /// The token may have changed: it is good for an outage only.
    changed: bool,
    failure: Option<(AuthError, Instant)>,
    /// Since when the store refuses us.
    refused: Option<Instant>,
    /// Grows with every [`Resolved::forget`]: an answer from before is not fresh.
    generation: u64,
}

/// The token that is known without asking the store.
enum Known {
    Fresh(ServiceToken),
    /// Worth keeping if the store does not answer.
    Stale(ServiceToken),
    Failed(AuthError),
    Nothing,
}

impl Resolved {
    /// Drops what is known, because it may have changed.
    #[cfg_attr(
        not(any(feature = "postgres", feature = "vault")),
        allow(dead_code, reason = "PostgreSQL and Vault tell of changes")
    )]
    pub(crate) fn forget(&self) {
        let mut state = self.lock();
        state.generation += 1;
        state.changed = true;
        state.failure = None;
    }

    /// The token: what is known while it is fresh, else what `ask` finds.
    ///
    /// # Errors
    /// [`AuthError::ServiceTokenMissing`] where the store has none, [`AuthError::TokenStoreUnavailable`] where it cannot
    /// be reached and nothing recent is known, [`AuthError::ServiceTokenUnreadable`] where it does not decrypt.
    pub(crate) async fn get<F>(self: &Arc<Self>, ask: impl FnOnce() -> F) -> Result<ServiceToken, AuthError>
    where
        F: Future<Output = Result<Option<ServiceToken>, StoreError>> + Send + 'static,
    {
        if let Some(token) = self.fresh() {
            return Ok(token);
        }
        let asking = Arc::clone(&self.asking).lock_owned().await;
        // Somebody else may have asked while we waited.
        let stale = match self.known() {
            Known::Fresh(token) => return Ok(token),
            Known::Failed(error) => return Err(error),
            Known::Stale(token) => Some(token),
            Known::Nothing => None,
        };
        let generation = self.lock().generation;
        // In a task of its own: an answer that takes longer than any caller waits is still known to the next one.
        let (resolved, answer) = (Arc::clone(self), ask());
        let (sender, receiver) = oneshot::channel();
        tokio::spawn(async move {
            let kept = resolved.keep(answer.await, stale, generation);
            drop(asking);
            // A caller who is there says it, with the id of the request.
            if let Err((_, Some(error))) = sender.send(kept) {
                warn(&error);
            }
        });
        let (token, error) = receiver.await.map_err(|_| AuthError::TokenStoreUnavailable)?;
        error.iter().for_each(warn);
        token
    }

    /// The token, where it needs no asking.
    pub(crate) fn fresh(&self) -> Option<ServiceToken> {
        match self.known() {
            Known::Fresh(token) => Some(token),
            _ => None,
        }
    }

    /// Returns whether there is a token to use while the store does not answer.
    pub(crate) fn is_known(&self) -> bool {
        self.lock().token.as_ref().is_some_and(|(_, since)| since.elapsed() < OUTAGE)
    }

    fn known(&self) -> Known {
        let state = self.lock();
        let paused = state.failure.as_ref().filter(|(_, since)| since.elapsed() < PAUSE);
        match (&state.token, paused) {
            (Some((token, since)), _) if !state.changed && since.elapsed() < FRESH => Known::Fresh(token.clone()),
            // While the store is left alone, the known token is as good as it gets.
            (Some((token, since)), Some(_)) if since.elapsed() < OUTAGE => Known::Fresh(token.clone()),
            (_, Some((error, _))) => Known::Failed(*error),
            (Some((token, since)), None) if since.elapsed() < OUTAGE => Known::Stale(token.clone()),
            _ => Known::Nothing,
        }
    }

    /// Keeps an answer. Returns what callers get for it, and what the store complained of.
    fn keep(
        &self,
        answer: Result<Option<ServiceToken>, StoreError>,
        stale: Option<ServiceToken>,
        generation: u64,
    ) -> (Result<ServiceToken, AuthError>, Option<StoreError>) {
        let mut state = self.lock();
        let now = Instant::now();
        let error = match answer {
            Ok(Some(token)) => {
                (state.failure, state.refused) = (None, None);
                state.token = Some((token.clone(), now));
                // Otherwise it was read before the change, perhaps: it is asked for again, and good for an outage only.
                state.changed = state.generation != generation;
                return (Ok(token), None);
            }
            // A token that was deleted is not used any more, outage or not.
            Ok(None) => {
                state.token = None;
                state.failure = Some((AuthError::ServiceTokenMissing, now));
                return (Err(AuthError::ServiceTokenMissing), None);
            }
            Err(error) => error,
        };
        // Only a store that cannot be reached is bridged: one that answers and refuses has its reasons.
        let bridged = match error {
            StoreError::Unavailable(_) => true,
            StoreError::Denied(_) => state.refused.get_or_insert(now).elapsed() < REFUSED,
            _ => false,
        };
        let code = match error {
            #[cfg(feature = "encryption")]
            StoreError::Decrypt(_) => AuthError::ServiceTokenUnreadable,
            _ => AuthError::TokenStoreUnavailable,
        };
        state.failure = Some((code, now));
        let token = stale.filter(|_| bridged).ok_or(code);
        if token.is_err() {
            state.token = None;
        }
        (token, Some(error))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // Nothing under the lock can panic half-way; if it ever does, the state is still one of the valid ones.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn warn(error: &StoreError) {
    tracing::warn!("Service token could not be read: {error}");
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn token(text: &str) -> ServiceToken {
        ServiceToken::new(text.to_owned().into())
    }

    fn down() -> Result<Option<ServiceToken>, StoreError> {
        Err(StoreError::Unavailable("connection refused".to_owned()))
    }

    /// Returns the result of `get` for this answer of the store, and whether the store was asked.
    async fn get(
        resolved: &Arc<Resolved>,
        answer: Result<Option<ServiceToken>, StoreError>,
    ) -> (Result<String, AuthError>, bool) {
        let asked = Cell::new(false);
        let result = resolved
            .get(|| {
                asked.set(true);
                std::future::ready(answer)
            })
            .await;
        (result.map(|token| token.expose().to_owned()), asked.get())
    }

    #[tokio::test(start_paused = true)]
    async fn the_store_is_asked_once_in_a_while() {
        let resolved = Arc::new(Resolved::default());
        assert_eq!(get(&resolved, Ok(Some(token("one")))).await, (Ok("one".to_owned()), true));
        assert_eq!(get(&resolved, Ok(Some(token("two")))).await, (Ok("one".to_owned()), false));
        tokio::time::advance(FRESH).await;
        assert_eq!(get(&resolved, Ok(Some(token("two")))).await, (Ok("two".to_owned()), true));
        resolved.forget();
        assert_eq!(get(&resolved, Ok(Some(token("three")))).await, (Ok("three".to_owned()), true));
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_is_bridged_for_a_while_and_then_said() {
        let resolved = Arc::new(Resolved::default());
        assert_eq!(get(&resolved, Ok(Some(token("one")))).await.0, Ok("one".to_owned()));
        tokio::time::advance(FRESH).await;
        assert_eq!(get(&resolved, down()).await, (Ok("one".to_owned()), true));
        // The store is left alone for a moment, and then asked again.
        assert_eq!(get(&resolved, down()).await, (Ok("one".to_owned()), false));
        tokio::time::advance(PAUSE).await;
        assert_eq!(get(&resolved, down()).await, (Ok("one".to_owned()), true));
        tokio::time::advance(OUTAGE).await;
        assert_eq!(get(&resolved, down()).await, (Err(AuthError::TokenStoreUnavailable), true));
        assert_eq!(get(&resolved, down()).await, (Err(AuthError::TokenStoreUnavailable), false));
        tokio::time::advance(PAUSE).await;
        assert_eq!(get(&resolved, Ok(Some(token("two")))).await, (Ok("two".to_owned()), true));
    }

    /// attacks.md 57.
    #[tokio::test(start_paused = true)]
    async fn attack_57_access_that_was_taken_away_is_no_outage() {
        let denied = || Err(StoreError::Denied("the database refuses user or password".to_owned()));
        let resolved = Arc::new(Resolved::default());
        assert_eq!(get(&resolved, Ok(Some(token("one")))).await.0, Ok("one".to_owned()));
        resolved.forget();
        // A password that is being changed.
        assert_eq!(get(&resolved, denied()).await, (Ok("one".to_owned()), true));
        tokio::time::advance(PAUSE).await;
        assert_eq!(get(&resolved, Ok(Some(token("one")))).await, (Ok("one".to_owned()), true));
        resolved.forget();
        assert_eq!(get(&resolved, denied()).await, (Ok("one".to_owned()), true));
        tokio::time::advance(REFUSED).await;
        assert_eq!(get(&resolved, denied()).await, (Err(AuthError::TokenStoreUnavailable), true));
        // What is gone does not come back with an outage.
        tokio::time::advance(PAUSE).await;
        assert_eq!(get(&resolved, down()).await, (Err(AuthError::TokenStoreUnavailable), true));
        assert!(!resolved.is_known());
        let other = Arc::new(Resolved::default());
        assert_eq!(get(&other, Ok(Some(token("one")))).await.0, Ok("one".to_owned()));
        other.forget();
        let gone = Err(StoreError::NotSetUp("its tables are missing".to_owned()));
        assert_eq!(get(&other, gone).await, (Err(AuthError::TokenStoreUnavailable), true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_deleted_token_is_gone_even_if_the_store_goes_down_next() {
        let resolved = Arc::new(Resolved::default());
        assert_eq!(get(&resolved, Ok(Some(token("one")))).await.0, Ok("one".to_owned()));
        resolved.forget();
        assert_eq!(get(&resolved, Ok(None)).await, (Err(AuthError::ServiceTokenMissing), true));
        tokio::time::advance(PAUSE).await;
        assert_eq!(get(&resolved, down()).await, (Err(AuthError::TokenStoreUnavailable), true));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_from_before_a_change_is_good_for_an_outage_only() {
        let resolved = Arc::new(Resolved::default());
        let answered = resolved
            .get(|| {
                resolved.forget();
                std::future::ready(Ok(Some(token("old"))))
            })
            .await;
        assert!(answered.is_ok());
        assert_eq!(get(&resolved, down()).await, (Ok("old".to_owned()), true));
        tokio::time::advance(PAUSE).await;
        assert_eq!(get(&resolved, Ok(Some(token("new")))).await, (Ok("new".to_owned()), true));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_no_caller_waits_for_is_known_to_the_next_one() {
        let resolved = Arc::new(Resolved::default());
        let seconds = Duration::from_secs;
        let asked = Cell::new(0);
        for expected in [None, None, Some("one")] {
            let asking = resolved.get(|| {
                asked.set(asked.get() + 1);
                async move {
                    tokio::time::sleep(seconds(5)).await;
                    Ok(Some(token("one")))
                }
            });
            let answer = tokio::time::timeout(seconds(2), asking).await.ok();
            let answer = answer.map(|answer| answer.expect("a token").expose().to_owned());
            assert_eq!((answer.as_deref(), asked.get()), (expected, 1));
        }
    }

    #[tokio::test]
    async fn one_question_at_a_time() {
        let resolved = Arc::new(Resolved::default());
        let asked = Cell::new(0);
        let one = || {
            resolved.get(|| {
                asked.set(asked.get() + 1);
                async {
                    tokio::task::yield_now().await;
                    Ok(Some(token("one")))
                }
            })
        };
        let (a, b, c) = tokio::join!(one(), one(), one());
        assert!(a.is_ok() && b.is_ok() && c.is_ok());
        assert_eq!(asked.get(), 1);
    }

    #[cfg(feature = "encryption")]
    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_decrypted_is_not_bridged() {
        let resolved = Arc::new(Resolved::default());
        assert_eq!(get(&resolved, Ok(Some(token("one")))).await.0, Ok("one".to_owned()));
        tokio::time::advance(FRESH).await;
        let broken = StoreError::Decrypt(crate::encryption::DecryptError::Corrupted);
        assert_eq!(get(&resolved, Err(broken)).await, (Err(AuthError::ServiceTokenUnreadable), true));
    }
}
