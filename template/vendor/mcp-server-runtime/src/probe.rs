//! A question to an API behind the server: does it answer, and does it take the server's token?

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use mcp_auth_middleware::{ServiceToken, ServiceTokens};

type Answer = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// Asks an API whether it does its work for this server. `/readyz` and the command `doctor` ask: seldom, and one at a time.
///
/// Make the question cheap and harmless. What the error says is read by operators: no credential belongs in it.
#[derive(Clone)]
pub struct Probe {
    name: &'static str,
    ask: Arc<dyn Fn(ServiceTokens) -> Answer + Send + Sync>,
}

impl Probe {
    /// A probe that needs no token. `name` is that of the API, as operators know it.
    pub fn new<F, E>(name: &'static str, ask: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display,
    {
        let ask = move |_| -> Answer {
            let answer = ask();
            Box::pin(async move { answer.await.map_err(|error| error.to_string()) })
        };
        Self { name, ask: Arc::new(ask) }
    }

    /// A probe that brings the server's own token of this name, a row of [`Setting::token`](crate::Setting::token).
    pub fn with_token<F, E>(
        name: &'static str,
        token: &'static str,
        ask: impl Fn(ServiceToken) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display,
    {
        let ask = Arc::new(ask);
        let with_token = move |tokens: ServiceTokens| -> Answer {
            let ask = Arc::clone(&ask);
            Box::pin(async move {
                let secret =
                    tokens.get(token).await.map_err(|error| format!("there is no {token} to ask with: {error}"))?;
                ask(secret).await.map_err(|error| error.to_string())
            })
        };
        Self { name, ask: Arc::new(with_token) }
    }

    /// The name of the API.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Asks, with the server's own tokens at hand.
    ///
    /// # Errors
    /// What is wrong, for operators.
    pub async fn ask(&self, tokens: ServiceTokens) -> Result<(), String> {
        (self.ask)(tokens).await
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").field("name", &self.name).finish_non_exhaustive()
    }
}
