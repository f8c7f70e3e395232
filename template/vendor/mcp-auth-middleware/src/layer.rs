//! The middleware: headers in, [`User`] and [`ServiceToken`](crate::ServiceToken) into the request, or an answer.
//!
//! Only headers are looked at. A refused request is answered before a byte of its body is read.

#[cfg(any(feature = "postgres", feature = "infisical"))]
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use http::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::bearer::credential;
use crate::cloudflare::{self, AccessValidator, validate_cloudflare_access_jwt};
use crate::config::causes;
use crate::jwt::{KeyStatus, MAXIMUM_LENGTH, TokenDigest};
use crate::oidc::{OidcValidator, is_jwt_shaped};
use crate::printable::printable;
use crate::refusal::{Detail, Refusal};
#[cfg(any(feature = "postgres", feature = "infisical"))]
use crate::store::Resolved;
use crate::{AuthConfig, AuthError, AuthMode, BearerTokens, ConfigError, ServiceToken, TokenStore, User};

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
    #[cfg(any(feature = "postgres", feature = "infisical"))]
    let keys = config.service_token.iter().chain(&config.service_tokens);
    let authenticator = Arc::new(Authenticator {
        #[cfg(any(feature = "postgres", feature = "infisical"))]
        resolved: keys.map(|key| (key.clone(), Resolved::default())).collect(),
        config,
        cloudflare,
        oidc,
        bearer,
        counters: AuthCounters::default(),
    });
    Ok(AuthLayer { authenticator, resolves: true })
}

/// Authentication as a [`Layer`]; cheap to clone, all clones share keys and counters.
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
    #[cfg(any(feature = "postgres", feature = "infisical"))]
    resolved: BTreeMap<String, Resolved>,
    counters: AuthCounters,
}

/// The server's own tokens by name, in the extensions of a request that has passed: for a server with several upstreams,
/// each of which has a token of its own.
#[derive(Clone)]
pub struct ServiceTokens(Arc<Authenticator>);

impl ServiceTokens {
    /// The token stored under this key, one of those of
    /// [`AuthConfig::with_service_tokens`](crate::AuthConfig::with_service_tokens): known already, or asked of the store.
    ///
    /// # Errors
    /// [`AuthError::ServiceTokenMissing`] for a key that is not stored, or not one of those;
    /// [`AuthError::TokenStoreUnavailable`] where the store does not answer and nothing recent is known,
    /// [`AuthError::ServiceTokenUnreadable`] where what it has does not decrypt.
    pub async fn get(&self, key: &str) -> Result<ServiceToken, AuthError> {
        if !self.0.config.service_tokens.iter().any(|known| known == key) {
            return Err(AuthError::ServiceTokenMissing);
        }
        if let Some(token) = self.0.fresh(key) {
            return Ok(token);
        }
        // The future of a database call has kilobytes, and handlers are futures in futures: boxed here, it is in none.
        Box::pin(self.0.service_token(key)).await
    }
}

impl fmt::Debug for ServiceTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ServiceTokens").field(&self.0.config.service_tokens).finish()
    }
}

/// How often requests passed, and how often each refusal happened.
#[derive(Debug, Default)]
pub struct AuthCounters {
    passed: AtomicU64,
    refused: [AtomicU64; AuthError::ALL.len()],
}

impl AuthCounters {
    /// Requests that passed.
    #[must_use]
    pub fn passed(&self) -> u64 {
        self.passed.load(Ordering::Relaxed)
    }

    /// Every kind of refusal with its count, in the order of the codes.
    pub fn refused(&self) -> impl Iterator<Item = (AuthError, u64)> + '_ {
        AuthError::ALL.into_iter().zip(self.refused.iter().map(|n| n.load(Ordering::Relaxed)))
    }

    fn count(&self, error: AuthError) {
        if let Some(at) = AuthError::ALL.iter().position(|known| *known == error) {
            self.refused[at].fetch_add(1, Ordering::Relaxed);
        }
    }
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

    /// Follows the changes of the token store, so that a token that was stored or deleted counts within a second, not
    /// when the known one is due; says at the start what is wrong with the database's role and once an hour how the audit
    /// log ends, and writes the record of tool calls. Never returns where the store tells of changes, at once elsewhere:
    /// spawn it beside the server, and abort it at shutdown.
    #[cfg(feature = "postgres")]
    pub async fn keep_tokens_fresh(self) {
        let Authenticator { config, resolved, .. } = &*self.authenticator;
        let TokenStore::Postgres(store) = &config.token_store else { return };
        let follow = async {
            let mut changes = store.changes();
            // What may have been missed counts as a change.
            while changes.next().await.is_some() {
                resolved.values().for_each(Resolved::forget);
            }
        };
        // It ends when the store is closed, and the rest with it.
        futures_util::future::select(std::pin::pin!(follow), std::pin::pin!(store.watch(&config.service_name))).await;
    }

    /// Whether there is a record of tool calls.
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

    /// Whether all of the server's own tokens are at hand, so that requests go on while the token store does not answer.
    #[must_use]
    pub fn knows_service_tokens(&self) -> bool {
        match &self.authenticator.config.token_store {
            TokenStore::Env(_) => true,
            #[cfg(any(feature = "postgres", feature = "infisical"))]
            _ => self.authenticator.resolved.values().all(Resolved::is_known),
        }
    }

    /// What is known about the key server's keys; `None` where Cloudflare Access is not configured.
    #[must_use]
    pub fn key_status(&self) -> Option<KeyStatus> {
        self.authenticator.cloudflare.as_ref().map(AccessValidator::key_status)
    }

    /// The state of the keys of each issuer beside Cloudflare Access.
    #[must_use]
    pub fn issuer_keys(&self) -> Vec<(String, KeyStatus)> {
        self.authenticator.oidc.as_ref().map(OidcValidator::key_status).unwrap_or_default()
    }

    /// The issuer that is asked about tokens that are no JWT, how many of them are known as good, and how many questions
    /// there were since the start; `None` where nobody is asked.
    #[must_use]
    pub fn introspection_status(&self) -> Option<(String, usize, u64)> {
        self.authenticator.oidc.as_ref()?.introspection_status()
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

impl Authenticator {
    /// Who calls, where that takes no signature check and nobody's answer: nearly always. `None` leaves it to
    /// [`authenticate`](Self::authenticate).
    ///
    /// A request with a Cloudflare header stands or falls with it: falling back to Bearer would let an attacker choose the
    /// weaker check.
    fn known_caller(&self, headers: &HeaderMap) -> Option<Result<User, Refusal>> {
        if self.brings_access_token(headers) {
            let value = single(headers, &cloudflare::HEADER).ok()?;
            let user = self.cloudflare.as_ref()?.known(value)?;
            access_validated(&user);
            return Some(Ok(user));
        }
        if (self.bearer.is_some() || self.oidc.is_some()) && headers.contains_key(AUTHORIZATION) {
            return self.known_bearer(headers);
        }
        tracing::warn!("Request refused: {}", AuthError::MissingCredentials);
        Some(Err(AuthError::MissingCredentials.into()))
    }

    /// Who calls by an `Authorization` header: the tokens for development are compared first, and what has the shape of a
    /// JWT is for the issuers.
    fn known_bearer(&self, headers: &HeaderMap) -> Option<Result<User, Refusal>> {
        let failed = |error: AuthError| {
            tracing::warn!("Bearer token validation failed: {error}");
            Some(Err(error.into()))
        };
        let token = match single(headers, &AUTHORIZATION).and_then(credential) {
            Ok(token) => token,
            Err(error) => return failed(error),
        };
        // One digest for both comparisons; a long value is not worth one where no token for development is configured.
        if let (None, true) = (&self.bearer, token.len() > MAXIMUM_LENGTH) {
            return None;
        }
        let digest = TokenDigest::of(token);
        if self.bearer.as_ref().is_some_and(|tokens| tokens.hold(&digest)) {
            let user = User::developer();
            tracing::debug!("Bearer token authenticated for: {}", user.email);
            return Some(Ok(user));
        }
        match &self.oidc {
            Some(validator) => match validator.known(&digest) {
                Some(user) => {
                    token_validated(&user);
                    Some(Ok(user))
                }
                None if self.bearer.is_some() && !is_jwt_shaped(token) && !validator.asks_about(token) => {
                    failed(AuthError::BearerMismatch)
                }
                None => None,
            },
            None => failed(AuthError::BearerMismatch),
        }
    }

    /// The service token, where one is needed and known; `Some(None)` where none is needed.
    fn known_token(&self, resolves: bool) -> Option<Option<ServiceToken>> {
        let Some(key) = self.config.service_token.as_deref().filter(|_| resolves) else { return Some(None) };
        self.fresh(key).map(Some)
    }

    /// A token that needs no asking.
    fn fresh(&self, key: &str) -> Option<ServiceToken> {
        match &self.config.token_store {
            // In memory already.
            TokenStore::Env(store) => store.get(key),
            #[cfg(any(feature = "postgres", feature = "infisical"))]
            _ => self.resolved.get(key)?.fresh(),
        }
    }

    /// `caller` is what [`known_caller`](Self::known_caller) found.
    async fn authenticate(
        &self,
        headers: &HeaderMap,
        caller: Option<Result<User, Refusal>>,
        resolves: bool,
    ) -> Result<(User, Option<ServiceToken>), Refusal> {
        let user = match caller {
            Some(caller) => caller?,
            None if self.brings_access_token(headers) => {
                self.access_user(headers).await.inspect(access_validated).inspect_err(|error| {
                    tracing::warn!("Cloudflare Access JWT validation failed: {error}");
                })?
            }
            None => self.token_user(headers).await.inspect(token_validated).inspect_err(|refusal| {
                tracing::warn!("Access token validation failed: {}", refusal.reason());
            })?,
        };
        let token = match &self.config.service_token {
            Some(key) if resolves => Some(self.service_token(key).await?),
            _ => None,
        };
        Ok((user, token))
    }

    async fn service_token(&self, key: &str) -> Result<ServiceToken, AuthError> {
        let token = match &self.config.token_store {
            TokenStore::Env(store) => store.get(key).ok_or(AuthError::ServiceTokenMissing),
            #[cfg(any(feature = "postgres", feature = "infisical"))]
            store => {
                let service = &self.config.service_name;
                // The cache asks on behalf of all callers, so none of them is the actor.
                match self.resolved.get(key) {
                    Some(resolved) => resolved.get(|| store.get_token(service, key, service)).await,
                    None => Err(AuthError::ServiceTokenMissing),
                }
            }
        };
        if token.as_ref().err() == Some(&AuthError::ServiceTokenMissing) {
            tracing::warn!("Service token not found: {}", printable(key));
        }
        token
    }

    fn brings_access_token(&self, headers: &HeaderMap) -> bool {
        self.config.mode.takes_cloudflare() && headers.contains_key(&cloudflare::HEADER)
    }

    async fn access_user(&self, headers: &HeaderMap) -> Result<User, AuthError> {
        let value = single(headers, &cloudflare::HEADER)?;
        let validator = self.cloudflare.as_ref().ok_or(AuthError::AccessNotConfigured)?;
        validate_cloudflare_access_jwt(value, validator).await
    }

    /// Who calls by the access token of an issuer.
    async fn token_user(&self, headers: &HeaderMap) -> Result<User, Refusal> {
        let token = credential(single(headers, &AUTHORIZATION)?)?;
        let token = std::str::from_utf8(token).ok().filter(|token| token.len() <= MAXIMUM_LENGTH);
        let (Some(token), Some(validator)) = (token, &self.oidc) else { return Err(AuthError::JwtMalformed.into()) };
        validator.validate(token, TokenDigest::of(token.as_bytes())).await
    }

    /// The scopes that a token needs here: of the refused one's issuer, or of any.
    fn needed_scopes(&self, refusal: &Refusal) -> Vec<String> {
        if let Some(Detail::MissingScopes { required, .. }) = refusal.detail.as_deref() {
            return required.clone();
        }
        self.config.required_scopes()
    }

    /// RFC 6750 §3; `resource_metadata` is RFC 9728 §5.1, by which MCP clients find out how to authenticate. With `scope`
    /// they know what to ask for (MCP, "Scope Selection Strategy" and "Scope Challenge Handling").
    fn challenge(&self, refusal: &Refusal, resource_metadata: Option<&str>) -> Option<HeaderValue> {
        let mut value = format!("Bearer realm=\"{}\"", quoted(&self.config.service_name));
        let error = refusal.error;
        if error != AuthError::MissingCredentials {
            value.push_str(&format!(", error=\"{}\", error_description=\"{error}\"", error.oauth_error()));
        }
        let scopes = self.needed_scopes(refusal);
        if !scopes.is_empty() {
            value.push_str(&format!(", scope=\"{}\"", quoted(&scopes.join(" "))));
        }
        if let Some(url) = resource_metadata {
            value.push_str(&format!(", resource_metadata=\"{}\"", quoted(url)));
        }
        HeaderValue::from_str(&value).ok()
    }

    /// Where the metadata of the protected resource is (RFC 9728 §3.1), by the configured address, or by the name under
    /// which the caller reached us. Whether that is one of ours is for the layer in front.
    fn metadata_url(&self, headers: &HeaderMap) -> Option<String> {
        let path = self.config.resource_path.as_deref()?;
        let origin = match &self.config.public_origin {
            Some(origin) => origin.clone(),
            None => origin_of(headers.get(HOST)?.to_str().ok()?)?,
        };
        Some(format!("{origin}/.well-known/oauth-protected-resource{path}"))
    }

    /// Gives the request what the handler may know.
    fn admit<B>(self: &Arc<Self>, request: &mut Request<B>, user: User, token: Option<ServiceToken>) {
        self.counters.passed.fetch_add(1, Ordering::Relaxed);
        // What follows needs no credential of the caller: it cannot leak what it does not have.
        request.headers_mut().remove(AUTHORIZATION);
        request.headers_mut().remove(&cloudflare::HEADER);
        request.extensions_mut().insert(user);
        if let Some(token) = token {
            request.extensions_mut().insert(token);
        }
        if !self.config.service_tokens.is_empty() {
            request.extensions_mut().insert(ServiceTokens(Arc::clone(self)));
        }
    }

    fn refuse<B: From<String>>(&self, refusal: &Refusal, headers: &HeaderMap) -> Response<B> {
        let error = refusal.error;
        self.counters.count(error);
        let mut body = serde_json::json!({
            "error": error.oauth_error(),
            "code": error.code(),
            "message": error.to_string(),
        });
        if let Some(Detail::MissingScopes { missing, .. }) = refusal.detail.as_deref()
            && !missing.is_empty()
        {
            body["missing_scopes"] = missing.join(" ").into();
        }
        let mut response = Response::new(B::from(body.to_string()));
        *response.status_mut() = error.status();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        // The body of a refused request is not read, so the connection cannot be used again.
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        match error.status() {
            http::StatusCode::FORBIDDEN if error == AuthError::UserNotAllowed => {}
            http::StatusCode::UNAUTHORIZED | http::StatusCode::FORBIDDEN => {
                if let Some(challenge) = self.challenge(refusal, self.metadata_url(headers).as_deref()) {
                    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
                }
            }
            http::StatusCode::SERVICE_UNAVAILABLE => {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
            }
            _ => {}
        }
        response
    }
}

/// The origin of a server that clients reach under this `Host`: http for loopback, https for every other name. In lower
/// case and without the port that the scheme has anyway, as clients compare it with what they were given (RFC 9728 §3.3).
/// `None` where the text does not have the form of a host.
#[must_use]
pub fn origin_of(host: &str) -> Option<String> {
    if host.is_empty() || !host.bytes().all(|b| b.is_ascii_alphanumeric() || b".:-[]_".contains(&b)) {
        return None;
    }
    let host = host.to_ascii_lowercase();
    let name = host.strip_prefix('[').map_or_else(|| host.split(':').next(), |rest| rest.split(']').next())?;
    let (scheme, port) =
        if matches!(name, "localhost" | "127.0.0.1" | "::1") { ("http", ":80") } else { ("https", ":443") };
    // The last part of an address in brackets is no port.
    let host = host.strip_suffix(port).unwrap_or(&host);
    Some(format!("{scheme}://{host}"))
}

fn access_validated(user: &User) {
    tracing::debug!("Cloudflare Access JWT validated for: {}", printable(&user.email));
}

fn token_validated(user: &User) {
    tracing::debug!("Access token validated for: {}", printable(&user.email));
}

/// The header's only value; two, even equal ones, are an error, as proxies differ in which of them counts.
fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<&'h HeaderValue, AuthError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(value),
        (Some(_), Some(_)) => Err(AuthError::DuplicateHeader),
        (None, _) => Err(AuthError::MissingCredentials),
    }
}

/// The inside of a quoted-string (RFC 9110 §5.6.4).
fn quoted(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .flat_map(|c| matches!(c, '"' | '\\').then_some('\\').into_iter().chain([c]))
        .collect()
}

impl<S> Layer<S> for AuthLayer {
    type Service = AuthService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AuthService { inner, authenticator: Arc::clone(&self.authenticator), resolves: self.resolves }
    }
}

/// A service behind [`AuthLayer`].
#[derive(Debug, Clone)]
pub struct AuthService<S> {
    inner: S,
    authenticator: Arc<Authenticator>,
    resolves: bool,
}

impl<S, B, R> Service<Request<B>> for AuthService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: From<String> + Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let resolves = self.resolves;
        // What is known is settled here, without a future that would be made, moved and dropped for every request.
        let mut caller = self.authenticator.known_caller(request.headers());
        if let Some(Ok(user)) = caller {
            if let Some(token) = self.authenticator.known_token(resolves) {
                self.authenticator.admit(&mut request, user, token);
                return Box::pin(self.inner.call(request));
            }
            caller = Some(Ok(user));
        }
        // The service that was polled ready is the one that is called (tower's `Service` documentation).
        let ready = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, ready);
        let authenticator = Arc::clone(&self.authenticator);
        Box::pin(async move {
            match authenticator.authenticate(request.headers(), caller, resolves).await {
                Ok((user, token)) => {
                    authenticator.admit(&mut request, user, token);
                    inner.call(request).await
                }
                Err(refusal) => Ok(authenticator.refuse(&refusal, request.headers())),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::origin_of;

    #[test]
    fn the_origin_is_what_a_client_would_write() {
        for (host, origin) in [
            ("mcp.example.com", Some("https://mcp.example.com")),
            ("MCP.Example.com:443", Some("https://mcp.example.com")),
            ("mcp.example.com:8443", Some("https://mcp.example.com:8443")),
            ("LOCALHOST:8080", Some("http://localhost:8080")),
            ("127.0.0.1:80", Some("http://127.0.0.1")),
            ("[::1]:8080", Some("http://[::1]:8080")),
            ("[::1]", Some("http://[::1]")),
            ("", None),
            ("a/b", None),
            ("a\"b", None),
        ] {
            assert_eq!(origin_of(host).as_deref(), origin, "{host}");
        }
    }
}
