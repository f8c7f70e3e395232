//! A login at a secret manager: one access token for all requests, renewed or replaced ahead of its end.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use super::api::Api;
use crate::StoreError;

/// So long before its end a token is replaced, or a tenth of its time where that is less.
const MARGIN: Duration = Duration::from_secs(60);
/// Longest time of a token that is believed; a token "for ever" gets this one as well.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// A refused login is not tried again for so long: after three of them Infisical locks the identity out for minutes.
const PAUSE: Duration = Duration::from_secs(30);

/// What a login or a renewal gives.
pub(super) struct Granted {
    pub token: SecretString,
    /// Nothing for a token without an end.
    pub lifetime: Option<Duration>,
    pub renewable: bool,
}

/// How a session begins and goes on.
pub(super) trait LogsIn {
    async fn login(&self, api: &Api, deadline: Instant) -> Result<Granted, StoreError>;

    /// For a session that was [`Granted`] as renewable, and for no other.
    async fn renew(&self, api: &Api, _: &Session, deadline: Instant) -> Result<Granted, StoreError> {
        self.login(api, deadline).await
    }
}

/// An access token.
pub(super) struct Session {
    pub token: SecretString,
    renewable: bool,
    /// How long it was good for when it was given out.
    granted: Duration,
    renew_at: Instant,
    ends_at: Instant,
}

impl Session {
    /// `asked_at`: before the answer, as the token's time runs from when it was made.
    fn new(granted: Granted, asked_at: Instant) -> Self {
        let lifetime = granted.lifetime.unwrap_or(LONGEST).min(LONGEST);
        // Time for several attempts, where a renewal keeps the token; a new login makes another one, which can wait.
        let renew_in =
            if granted.renewable { lifetime * 2 / 3 } else { lifetime.saturating_sub(MARGIN.min(lifetime / 10)) };
        Self {
            token: granted.token,
            renewable: granted.renewable,
            granted: lifetime,
            renew_at: asked_at + renew_in,
            ends_at: asked_at + lifetime,
        }
    }

    /// A session that was renewed or put off meanwhile is the same to the server.
    fn has_the_token_of(&self, other: &Self) -> bool {
        self.token.expose_secret() == other.token.expose_secret()
    }

    /// The same token, for a little longer before it is tried again.
    fn put_off(&self) -> Self {
        let renew_at = (Instant::now() + PAUSE).min(self.ends_at);
        Self { token: self.token.clone(), renew_at, ..*self }
    }
}

/// The one session, and who logs in for the next.
pub(super) struct Sessions<L> {
    pub login: L,
    /// Held during a login: there is one at a time, and the others wait for its result.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    session: Option<Arc<Session>>,
    refused: Option<(StoreError, Instant)>,
}

impl<L: LogsIn> Sessions<L> {
    pub(super) fn new(login: L) -> Self {
        Self { login, state: Mutex::default() }
    }

    /// The session, renewed where it is due; after a login where there is none, it cannot be renewed, or it is the one that
    /// the server `rejected`. One that cannot be replaced in time goes on to its end.
    pub(super) async fn get(
        &self,
        api: &Api,
        rejected: Option<&Arc<Session>>,
        deadline: Instant,
    ) -> Result<Arc<Session>, StoreError> {
        let mut state = self.state.lock().await;
        let now = Instant::now();
        let usable = state.session.take().filter(|session| {
            session.ends_at > now && !rejected.is_some_and(|rejected| session.has_the_token_of(rejected))
        });
        if let Some(session) = &usable
            && session.renew_at > now
        {
            state.session = usable.clone();
            return Ok(Arc::clone(session));
        }
        // Kept before anything is waited for: whoever asks may leave.
        state.session = usable.clone();
        // Where there is one, what it is wanted for still has half of the time.
        let until = if usable.is_some() { now + deadline.saturating_duration_since(now) / 2 } else { deadline };
        let replaced = timeout_at(until, self.replace(&mut state, api, usable.as_deref(), until)).await;
        match replaced.unwrap_or_else(|_| Err(api.timed_out())) {
            Ok(session) => {
                let session = Arc::new(session);
                *state = State { session: Some(Arc::clone(&session)), refused: None };
                Ok(session)
            }
            Err(error) => {
                let Some(session) = usable else { return Err(error) };
                tracing::warn!("The login at the token store is not renewed yet: {error}");
                let session = Arc::new(session.put_off());
                state.session = Some(Arc::clone(&session));
                Ok(session)
            }
        }
    }

    async fn replace(
        &self,
        state: &mut State,
        api: &Api,
        usable: Option<&Session>,
        deadline: Instant,
    ) -> Result<Session, StoreError> {
        let asked_at = Instant::now();
        // What cannot be renewed is replaced, whatever the reason: OpenBao says with status 500 that a token is past its
        // last end, and a server that is down does not answer to the login either.
        if let Some(session) = usable.filter(|session| session.renewable)
            && let Ok(granted) = self.login.renew(api, session, deadline).await
        {
            let renewed = Session::new(granted, asked_at);
            // Close to its last end, a token is renewed for less and less: another one has to come.
            if renewed.granted >= session.granted / 2 {
                return Ok(Session { granted: session.granted, ..renewed });
            }
        }
        if let Some((error, since)) = &state.refused
            && since.elapsed() < PAUSE
        {
            return Err(error.clone());
        }
        match self.login.login(api, deadline).await {
            Ok(granted) => Ok(Session::new(granted, asked_at)),
            Err(error) => {
                if matches!(error, StoreError::Denied(_)) {
                    state.refused = Some((error.clone(), Instant::now()));
                }
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(lifetime: Option<Duration>, renewable: bool) -> (f64, f64) {
        let now = Instant::now();
        let session = Session::new(Granted { token: "token".into(), lifetime, renewable }, now);
        ((session.renew_at - now).as_secs_f64(), (session.ends_at - now).as_secs_f64())
    }

    #[test]
    fn a_token_is_replaced_ahead_of_its_end() {
        let seconds = |given: u64| session(Some(Duration::from_secs(given)), false);
        assert_eq!(seconds(7200), (7140.0, 7200.0));
        assert_eq!(seconds(600), (540.0, 600.0));
        assert_eq!(seconds(10), (9.0, 10.0));
        // For ever, and longer than is believed.
        assert_eq!(seconds(31_536_000), (86_340.0, 86_400.0));
        assert_eq!(session(None, false), (86_340.0, 86_400.0));
    }

    #[test]
    fn a_token_that_can_be_renewed_is_renewed_after_two_thirds() {
        assert_eq!(session(Some(Duration::from_secs(60)), true), (40.0, 60.0));
        assert_eq!(session(None, true), (57_600.0, 86_400.0));
    }
}
