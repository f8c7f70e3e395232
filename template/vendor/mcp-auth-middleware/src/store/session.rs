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
/// The longest lifetime that a token is given; a token "for ever" gets this one as well.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// A refused login is not tried again for so long: after three of them Infisical locks the identity out for minutes.
const PAUSE: Duration = Duration::from_secs(30);

/// The result of a login or a renewal.
pub(super) struct Granted {
    pub token: SecretString,
    /// Nothing for a token without an end.
    pub lifetime: Option<Duration>,
    pub renewable: bool,
}

/// The login and the renewal of a session.
pub(super) trait LogsIn: Send + Sync + 'static {
    fn login(&self, api: &Api, deadline: Instant) -> impl Future<Output = Result<Granted, StoreError>> + Send;

    /// For a session that was [`Granted`] as renewable, and for no other.
    fn renew(
        &self,
        api: &Api,
        _: &Session,
        deadline: Instant,
    ) -> impl Future<Output = Result<Granted, StoreError>> + Send {
        self.login(api, deadline)
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
    pub login: Arc<L>,
    api: Arc<Api>,
    /// Held during a login: there is one at a time, and the others wait for its result.
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    session: Option<Arc<Session>>,
    refused: Option<(StoreError, Instant)>,
}

impl<L: LogsIn> Sessions<L> {
    pub(super) fn new(login: L, api: Arc<Api>) -> Self {
        Self { login: Arc::new(login), api, state: Arc::default() }
    }

    /// The session, renewed where it is due; after a login where there is none, it cannot be renewed, or it is the one that
    /// the server `rejected`. One that cannot be replaced in time is used to its end.
    pub(super) async fn get(
        &self,
        rejected: Option<&Arc<Session>>,
        deadline: Instant,
    ) -> Result<Arc<Session>, StoreError> {
        let mut state = Arc::clone(&self.state).lock_owned().await;
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
        // Where there is one, what it is wanted for still has half of the time.
        let until = if usable.is_some() { now + deadline.saturating_duration_since(now) / 2 } else { deadline };
        // In a task of its own: a login that ended with the request that wants it would leave nothing behind, and callers who
        // leave sooner than it takes could cause one after the other.
        let (login, api) = (Arc::clone(&self.login), Arc::clone(&self.api));
        let task = tokio::spawn(async move { state.replace(&*login, &api, usable, until).await });
        task.await.unwrap_or_else(|_| Err(self.api.unavailable("the login was given up")))
    }
}

impl State {
    /// Another session in place of the one that is usable still; that one, where it cannot be replaced in time.
    async fn replace(
        &mut self,
        login: &impl LogsIn,
        api: &Api,
        usable: Option<Arc<Session>>,
        deadline: Instant,
    ) -> Result<Arc<Session>, StoreError> {
        self.session = usable.clone();
        let replaced = timeout_at(deadline, self.renewed(login, api, usable.as_deref(), deadline)).await;
        match replaced.unwrap_or_else(|_| Err(api.timed_out())) {
            Ok(session) => {
                let session = Arc::new(session);
                *self = Self { session: Some(Arc::clone(&session)), refused: None };
                Ok(session)
            }
            Err(error) => {
                let Some(session) = usable else { return Err(error) };
                tracing::warn!("The login at the token store is not renewed yet: {error}");
                let session = Arc::new(session.put_off());
                self.session = Some(Arc::clone(&session));
                Ok(session)
            }
        }
    }

    async fn renewed(
        &mut self,
        login: &impl LogsIn,
        api: &Api,
        usable: Option<&Session>,
        deadline: Instant,
    ) -> Result<Session, StoreError> {
        let asked_at = Instant::now();
        // What cannot be renewed is replaced, whatever the reason: OpenBao says with status 500 that a token is past its
        // last end, and a server that is down does not answer to the login either.
        if let Some(session) = usable.filter(|session| session.renewable)
            && let Ok(granted) = login.renew(api, session, deadline).await
        {
            let renewed = Session::new(granted, asked_at);
            // Close to its last end, a token is renewed for less and less: another one has to come.
            if renewed.granted >= session.granted / 2 {
                return Ok(Session { granted: session.granted, ..renewed });
            }
        }
        if let Some((error, since)) = &self.refused
            && since.elapsed() < PAUSE
        {
            return Err(error.clone());
        }
        match login.login(api, deadline).await {
            Ok(granted) => Ok(Session::new(granted, asked_at)),
            Err(error) => {
                if matches!(error, StoreError::Denied(_)) {
                    self.refused = Some((error.clone(), Instant::now()));
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

    #[cfg(feature = "infisical")]
    #[tokio::test(start_paused = true)]
    async fn a_login_that_no_caller_waits_for_is_there_for_the_next_one() {
        use std::sync::atomic::{AtomicUsize, Ordering};

        use crate::store::api::{Reach, Vendor};

        #[derive(Default)]
        struct Slow(AtomicUsize);
        impl LogsIn for Slow {
            async fn login(&self, _: &Api, _: Instant) -> Result<Granted, StoreError> {
                self.0.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_secs(5)).await;
                Ok(Granted { token: "token".into(), lifetime: None, renewable: false })
            }
        }
        let base = reqwest::Url::parse("http://127.0.0.1:1").expect("an address");
        let (timeout, headers) = (Duration::from_secs(10), http::HeaderMap::new());
        let reach = Reach { vendor: Vendor::Infisical, base: &base, timeout, roots: &[], headers };
        let sessions = Sessions::new(Slow::default(), Arc::new(Api::new(reach).expect("a client")));
        for expected in [false, false, true] {
            let asking = sessions.get(None, Instant::now() + timeout);
            let session = tokio::time::timeout(Duration::from_secs(2), asking).await;
            assert_eq!(session.is_ok_and(|session| session.is_ok()), expected);
            assert_eq!(sessions.login.0.load(Ordering::SeqCst), 1);
        }
    }

    #[test]
    fn a_token_is_replaced_ahead_of_its_end() {
        let seconds = |given: u64| session(Some(Duration::from_secs(given)), false);
        assert_eq!(seconds(7200), (7140.0, 7200.0));
        assert_eq!(seconds(600), (540.0, 600.0));
        assert_eq!(seconds(10), (9.0, 10.0));
        // For ever, and longer than the longest.
        assert_eq!(seconds(31_536_000), (86_340.0, 86_400.0));
        assert_eq!(session(None, false), (86_340.0, 86_400.0));
    }

    #[test]
    fn a_token_that_can_be_renewed_is_renewed_after_two_thirds() {
        assert_eq!(session(Some(Duration::from_secs(60)), true), (40.0, 60.0));
        assert_eq!(session(None, true), (57_600.0, 86_400.0));
    }
}
