//! A question to an upstream API: whether it answers, and takes the server's own token.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use mcp_auth_middleware::ServiceToken;

type Answer = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;
type Ask = dyn Fn(Option<ServiceToken>) -> Answer + Send + Sync;

/// So long an upstream may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks an upstream API whether the server can use it. [`Handlers::with_probe`](crate::Handlers::with_probe) registers
/// one; readiness and the command `doctor` ask it.
///
/// A probe is one cheap call that needs the token, such as "who am I". Its error is a sentence for the operator, which holds
/// neither the token nor an answer of the API.
#[derive(Clone)]
pub struct Probe {
    name: &'static str,
    token: Option<&'static str>,
    ask: Arc<Ask>,
}

impl Probe {
    /// A probe of an API that needs no token.
    pub fn new<F, E>(name: &'static str, ask: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display,
    {
        Self::asking(name, None, move |_| ask())
    }

    /// A probe of an API that needs the token of this row of [`Setting::token`](crate::Setting::token).
    pub fn with_token<F, E>(
        name: &'static str,
        token: &'static str,
        ask: impl Fn(ServiceToken) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display,
    {
        Self::asking(name, Some(token), move |given: Option<ServiceToken>| {
            let asked = given.map(&ask);
            async move {
                match asked {
                    Some(asked) => asked.await.map_err(|error| error.to_string()),
                    None => Err(format!("the token store has no {token}")),
                }
            }
        })
    }

    fn asking<F, E>(
        name: &'static str,
        token: Option<&'static str>,
        ask: impl Fn(Option<ServiceToken>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display,
    {
        let ask = move |token| -> Answer {
            let asked = ask(token);
            Box::pin(async move { asked.await.map_err(|error| error.to_string()) })
        };
        Self { name, token, ask: Arc::new(ask) }
    }

    /// The name of the upstream, for people.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The name of the token that [`ask`](Self::ask) needs.
    #[must_use]
    pub const fn token(&self) -> Option<&'static str> {
        self.token
    }

    /// Asks the API, for at most 10 seconds, with the token that [`token`](Self::token) names.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub async fn ask(&self, token: Option<ServiceToken>) -> Result<(), String> {
        let answer = tokio::time::timeout(PATIENCE, (self.ask)(token)).await;
        answer.unwrap_or_else(|_| Err(format!("no answer in {} seconds", PATIENCE.as_secs())))
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").field("name", &self.name).field("token", &self.token).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> ServiceToken {
        ServiceToken::new("the-token".to_owned().into())
    }

    #[tokio::test]
    async fn the_token_reaches_the_question_and_its_error_the_operator() {
        let probe = Probe::with_token("weather", "WEATHER_TOKEN", |token| async move {
            if token.expose() == "the-token" { Ok(()) } else { Err("refused the token (401)") }
        });
        assert_eq!((probe.name(), probe.token()), ("weather", Some("WEATHER_TOKEN")));
        assert_eq!(probe.ask(Some(token())).await, Ok(()));
        let other = ServiceToken::new("another".to_owned().into());
        assert_eq!(probe.ask(Some(other)).await, Err("refused the token (401)".to_owned()));
        assert_eq!(probe.ask(None).await, Err("the token store has no WEATHER_TOKEN".to_owned()));
    }

    #[tokio::test(start_paused = true)]
    async fn an_upstream_that_says_nothing_is_not_waited_for_for_ever() {
        let silent = || async {
            std::future::pending::<()>().await;
            Ok::<_, String>(())
        };
        let probe = Probe::new("silent", silent);
        assert_eq!(probe.ask(None).await, Err("no answer in 10 seconds".to_owned()));
    }
}
