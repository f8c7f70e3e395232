//! The middleware: headers in, [`User`] and [`ServiceToken`](crate::ServiceToken) into the request, or an answer.
//!
//! Only headers are looked at. A refused request is answered before a byte of its body is read.

mod answers;
mod caller;
mod counters;
mod origin;
mod service;
mod service_tokens;

#[cfg(any(feature = "postgres", feature = "infisical", feature = "vault"))]
use std::collections::BTreeMap;
use std::sync::Arc;

use http::{HeaderMap, Response};

pub use counters::AuthCounters;
pub use origin::origin_of;
pub use service::AuthService;
pub use service_tokens::ServiceTokens;

use crate::cloudflare::AccessValidator;
use crate::config::causes;
use crate::jwt::KeyStatus;
use crate::oidc::OidcValidator;
use crate::refusal::Refusal;
#[cfg(any(feature = "postgres", feature = "infisical", feature = "vault"))]
use crate::store::Resolved;
use crate::{AuthConfig, AuthError, AuthMode, BearerTokens, ConfigError, TokenStore};

/// Builds the layer.
///
/// # Errors
/// [`ConfigError`] where the configuration would let nobody in.
pub fn create_auth_middleware(config: AuthConfig) -> Result<AuthLayer, ConfigError> {
    config.check()?;
    let no_client = |error| ConfigError::HttpClient(causes(&error));
    let cloudflare = match config.cloudflare.clone() {
        Some(access) if config.mode.takes_cloudflare() => Some(AccessValidator::new(access).map_err(no_client)?),
        _ => None,
    };
    let oidc = match config.oidc.clone() {
        issuers if config.mode.takes_oidc() => Some(OidcValidator::new(issuers).map_err(no_client)?),
        _ => None,
    };
    let bearer = config.bearer.clone().filter(|_| config.mode.takes_bearer());
    if config.mode == AuthMode::Both {
        if cloudflare.is_none() {
            tracing::info!("Cloudflare Access is not configured: requests with a Cloudflare Access header get 401");
        }
        if bearer.is_none() {
            tracing::info!("No Bearer token is configured: requests with an Authorization header get 401");
        }
    }
    #[cfg(any(feature = "postgres", feature = "infisical", feature = "vault"))]
    let keys = config.service_token.iter().chain(&config.service_tokens);
    let authenticator = Arc::new(Authenticator {
        #[cfg(any(feature = "postgres", feature = "infisical", feature = "vault"))]
        resolved: keys.map(|key| (key.clone(), Arc::default())).collect(),
        config,
        cloudflare,
        oidc,
        bearer,
        counters: AuthCounters::default(),
    });
    Ok(AuthLayer { authenticator, resolves: true })
}

/// Authentication as a [`Layer`](tower_layer::Layer); cheap to clone, all clones share keys and counters.
#[derive(Debug, Clone)]
pub struct AuthLayer {
    authenticator: Arc<Authenticator>,
    resolves: bool,
}

#[derive(Debug)]
struct Authenticator {
    config: AuthConfig,
    cloudflare: Option<AccessValidator>,
    oidc: Option<OidcValidator>,
    bearer: Option<BearerTokens>,
    /// The tokens that this server uses, by their keys.
    #[cfg(any(feature = "postgres", feature = "infisical", feature = "vault"))]
    resolved: BTreeMap<String, Arc<Resolved>>,
    counters: AuthCounters,
}

impl AuthLayer {
    /// The same layer for routes that need no [`ServiceToken`](crate::ServiceToken), such as a status page, which has to
    /// answer above all when the token store does not.
    #[must_use]
    pub fn without_service_token(mut self) -> Self {
        self.resolves = false;
        self
    }

    /// Keeps the issuers' keys fresh. Never returns where Cloudflare Access or another issuer is configured, at once
    /// elsewhere: spawn it beside the server, and abort it at shutdown.
    pub async fn keep_keys_fresh(self) {
        let Authenticator { cloudflare, oidc, .. } = &*self.authenticator;
        let access = async {
            if let Some(validator) = cloudflare {
                validator.keep_keys_fresh().await;
            }
        };
        let others = async {
            if let Some(validator) = oidc {
                validator.keep_keys_fresh().await;
            }
        };
        futures_util::future::join(access, others).await;
    }

    /// Follows the token store, for as long as it is polled: spawn it beside the server, and abort it at shutdown. It returns
    /// at once where there is nothing to follow.
    ///
    /// PostgreSQL tells of changes, so that a token that was stored or deleted counts within a second, not when the known
    /// one is due; what is wrong with the database's role is said at the start and how the audit log ends once an hour, and
    /// the record of tool calls is written. At Vault the login is renewed, and access that was taken away counts within
    /// seconds.
    #[cfg(any(feature = "postgres", feature = "vault"))]
    pub async fn keep_tokens_fresh(self) {
        let Authenticator { config, resolved, .. } = &*self.authenticator;
        let forget = || resolved.values().for_each(|resolved| resolved.forget());
        match &config.token_store {
            #[cfg(feature = "postgres")]
            TokenStore::Postgres(store) => {
                let follow = async {
                    let mut changes = store.changes();
                    // What may have been missed counts as a change.
                    while changes.next().await.is_some() {
                        forget();
                    }
                };
                // It ends when the store is closed, and the rest with it.
                futures_util::future::select(std::pin::pin!(follow), std::pin::pin!(store.watch(&config.service_name)))
                    .await;
            }
            #[cfg(feature = "vault")]
            TokenStore::Vault(store) => store.watch(&config.service_name, forget).await,
            _ => {}
        }
    }

    /// Returns whether there is a record of tool calls.
    #[cfg(feature = "postgres")]
    #[must_use]
    pub fn records_calls(&self) -> bool {
        matches!(self.authenticator.config.token_store, TokenStore::Postgres(_))
    }

    /// Remembers a call of a tool for the record of tool calls, where the token store has one: PostgreSQL.
    /// [`keep_tokens_fresh`](Self::keep_tokens_fresh) writes it within a second or two.
    #[cfg(feature = "postgres")]
    pub fn record_call(&self, call: crate::ToolCallRecord) {
        if let TokenStore::Postgres(store) = &self.authenticator.config.token_store {
            store.record_call(call);
        }
    }

    /// Writes what is left of the record of tool calls, at the end of a server.
    #[cfg(feature = "postgres")]
    pub async fn write_calls(&self) {
        let config = &self.authenticator.config;
        if let TokenStore::Postgres(store) = &config.token_store
            && let Err(error) = store.write_calls(&config.service_name).await
        {
            tracing::warn!("The last tool calls are in the log only: {error}");
        }
    }

    /// The server's own tokens, for work that no request asks for: a probe of an upstream API.
    #[must_use]
    pub fn service_tokens(&self) -> ServiceTokens {
        ServiceTokens(Arc::clone(&self.authenticator))
    }

    /// Returns whether all of the server's own tokens are in memory, so that requests succeed while the token store does not answer.
    #[must_use]
    pub fn knows_service_tokens(&self) -> bool {
        match &self.authenticator.config.token_store {
            TokenStore::Env(_) => true,
            #[cfg(any(feature = "postgres", feature = "infisical", feature = "vault"))]
            _ => self.authenticator.resolved.values().all(|resolved| resolved.is_known()),
        }
    }

    /// Returns the state of the key server's keys; `None` where Cloudflare Access is not configured.
    #[must_use]
    pub fn key_status(&self) -> Option<KeyStatus> {
        self.authenticator.cloudflare.as_ref().map(AccessValidator::key_status)
    }

    /// The state of the keys of each issuer beside Cloudflare Access.
    #[must_use]
    pub fn issuer_keys(&self) -> Vec<(String, KeyStatus)> {
        self.authenticator.oidc.as_ref().map(OidcValidator::key_status).unwrap_or_default()
    }

    /// The issuers that are asked about tokens, how many of those are known as good, and how many questions there were
    /// since the start.
    #[must_use]
    pub fn introspection_status(&self) -> Vec<(String, usize, u64)> {
        self.authenticator.oidc.as_ref().map(OidcValidator::introspection_status).unwrap_or_default()
    }

    /// The scopes that tokens of the configured issuers must have, for the metadata of the resource.
    #[must_use]
    pub fn required_scopes(&self) -> Vec<String> {
        self.authenticator.config.required_scopes()
    }

    /// The answer to a caller who has passed, but may not call a tool: 403 `insufficient_scope`, with the scope that would
    /// help beside those that every token needs, where there is one. For the server behind the layer, which knows its tools.
    pub fn refuse_tool<B: From<String>>(&self, headers: &HeaderMap, scope: Option<&str>) -> Response<B> {
        let error = AuthError::ToolNotAllowed;
        tracing::warn!("Request refused: {error}");
        let missing: Vec<_> = scope.map(str::to_owned).into_iter().collect();
        let needed = if missing.is_empty() { Vec::new() } else { self.required_scopes() };
        let required = needed.into_iter().chain(missing.iter().cloned()).collect();
        let refusal = Refusal { error, ..Refusal::missing_scopes(required, missing) };
        self.authenticator.refuse(&refusal, headers)
    }

    /// How often requests passed and were refused.
    #[must_use]
    pub fn counters(&self) -> &AuthCounters {
        &self.authenticator.counters
    }
}
