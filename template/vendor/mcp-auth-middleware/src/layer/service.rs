//! One request: it passes at once where all is known, and otherwise waits for an issuer or a store.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use http::header::AUTHORIZATION;
use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::caller::Caller;
use super::{AuthLayer, Authenticator, ServiceTokens};
use crate::refusal::Refusal;
use crate::{ServiceToken, User, cloudflare};

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
        if let Caller::Settled(Ok(user)) = caller {
            if let Some(token) = self.authenticator.known_token(resolves) {
                self.authenticator.admit(&mut request, user, token);
                return Box::pin(self.inner.call(request));
            }
            caller = Caller::Settled(Ok(user));
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

impl Authenticator {
    /// `caller` is what [`known_caller`](Self::known_caller) found.
    async fn authenticate(
        &self,
        headers: &http::HeaderMap,
        caller: Caller,
        resolves: bool,
    ) -> Result<(User, Option<ServiceToken>), Refusal> {
        let user = match caller {
            Caller::Settled(caller) => caller?,
            Caller::New(digest) => self.new_caller(headers, digest).await?,
        };
        let token = match &self.config.service_token {
            Some(key) if resolves => Some(self.service_token(key).await?),
            _ => None,
        };
        Ok((user, token))
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
}
