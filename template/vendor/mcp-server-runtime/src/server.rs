//! The parts of a server, and how they are put together.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::http::Extensions;
use mcp_auth_middleware::{AuthConfig, AuthLayer, create_auth_middleware};
use rmcp::ServerHandler;

use crate::config::store::StoreOpenError;
use crate::config::{Config, Environment, Format, Problems, Setting, Settings, Table, export};
use crate::handlers::metadata::RESOURCE;
use crate::probe::Probe;
use crate::readiness::Readiness;
use crate::router::{self, App, Routers};
use crate::secret_files::SecretFiles;
use crate::telemetry::Telemetry;
use crate::tool_calls::Permissions;

/// Why the server's own part cannot be made.
pub type StartError = Box<dyn Error + Send + Sync>;

type Make<H> = Box<dyn Fn(&Settings) -> Result<Handlers<H>, StartError> + Send + Sync>;
type Routes = Box<dyn Fn(&Settings) -> Router + Send + Sync>;
type Policy = Box<dyn Fn(AuthConfig, &Settings) -> AuthConfig + Send + Sync>;

/// The name and the version of a server, as answers, log lines and metrics have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Service {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
}

/// A server: its name, its settings, its tools and who may call them.
pub struct Server<H> {
    pub(crate) service: Service,
    pub(crate) settings: &'static [Setting],
    make: Make<H>,
    policy: Policy,
    routes: Routes,
}

/// The handlers of requests, and the services that they need.
#[derive(Debug, Clone)]
pub struct Handlers<H> {
    mcp: H,
    legacy: Option<Router>,
    upstreams: Extensions,
    probes: Vec<Probe>,
}

impl<H> Handlers<H> {
    /// The MCP handler. Cloned for every request: keep it cheap to clone.
    pub fn new(mcp: H) -> Self {
        Self { mcp, legacy: None, upstreams: Extensions::new(), probes: Vec::new() }
    }

    /// Gives every request the client of an upstream API, which [`upstream`](crate::upstream) finds by its type. Clones
    /// of a client should share its connections.
    #[must_use]
    pub fn with_upstream<C: Clone + Send + Sync + 'static>(mut self, client: C) -> Self {
        self.upstreams.insert(client);
        self
    }

    /// The questions to the upstream APIs.
    #[allow(dead_code, reason = "for the command `doctor`")]
    pub(crate) fn probes(&self) -> &[Probe] {
        &self.probes
    }

    /// Gives requests without the member `jsonrpc` to this router. Without one they are refused.
    #[must_use]
    pub fn with_legacy(mut self, legacy: Option<Router>) -> Self {
        self.legacy = legacy;
        self
    }

    /// Asks an API behind the server whether it answers: `/readyz` says 503 while it does not. There may be several.
    #[must_use]
    pub fn with_probe(mut self, probe: Probe) -> Self {
        self.probes.push(probe);
        self
    }
}

/// A server that is put together.
#[derive(Debug)]
#[non_exhaustive]
pub struct BuiltServer {
    /// The routes for callers.
    pub router: Router,
    /// `/metrics`, `/livez` and `/readyz`, for a listener that strangers do not reach: they ask for no credentials.
    pub admin: Router,
    /// The authentication, whose keys and tokens somebody has to keep fresh.
    pub auth: AuthLayer,
    pub(crate) readiness: Arc<Readiness>,
    /// Secrets that may change while the server runs.
    pub(crate) files: SecretFiles,
    pub(crate) telemetry: Telemetry,
    /// The questions to the upstream APIs, which `/readyz` asks.
    pub probes: Vec<Probe>,
}

/// Why the server cannot be put together, though every variable is well-formed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The authentication would let nobody in.
    #[error("authentication: {0}")]
    Auth(#[from] mcp_auth_middleware::ConfigError),
    /// The token store cannot be opened.
    #[error("token store: {0}")]
    Store(#[from] StoreOpenError),
    /// Traces and metrics cannot be sent.
    #[error("OpenTelemetry: {0}")]
    Telemetry(String),
    /// The server's own part. Those who show it show what it comes from as well: of the client of an API that cannot be made,
    /// reqwest says no more than "builder error".
    #[error("{}", with_causes(&**.0))]
    Start(StartError),
}

/// An error with all that it comes from.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        // Some say what they come from themselves.
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = error.source();
    }
    text
}

impl<H> fmt::Debug for Server<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("service", &self.service).finish_non_exhaustive()
    }
}

impl<H: ServerHandler + Clone + Sync> Server<H> {
    /// A server of this name. `make` gets the settings once they are checked, inside of a tokio runtime.
    pub fn new(
        name: &'static str,
        version: &'static str,
        make: impl Fn(&Settings) -> Result<Handlers<H>, StartError> + Send + Sync + 'static,
    ) -> Self {
        let service = Service { name, version };
        Self {
            service,
            settings: &[],
            make: Box::new(make),
            policy: Box::new(|auth, _| auth),
            routes: Box::new(|_| Router::new()),
        }
    }

    /// Adds settings of the server's own to those that every server has.
    #[must_use]
    pub fn with_settings(mut self, settings: &'static [Setting]) -> Self {
        self.settings = settings;
        self
    }

    /// Changes the authentication that the settings ask for: who may call.
    #[must_use]
    pub fn with_authentication(
        mut self,
        policy: impl Fn(AuthConfig, &Settings) -> AuthConfig + Send + Sync + 'static,
    ) -> Self {
        self.policy = Box::new(policy);
        self
    }

    /// Serves routes of the server's own beside `/mcp`: behind the check of host names and origins, and behind the
    /// authentication. [`caller`](crate::caller), [`token`](crate::token) and [`upstream`](crate::upstream) work there as
    /// in a tool. The limits of `/mcp` do not count for them.
    ///
    /// The server does not start with a route whose path it has already: axum panics.
    #[must_use]
    pub fn with_routes(mut self, routes: impl Fn(&Settings) -> Router + Send + Sync + 'static) -> Self {
        self.routes = Box::new(routes);
        self
    }

    /// Reads and checks the settings.
    ///
    /// # Errors
    /// All problems at once, each with the variable's name and what to do.
    pub fn read(&self, env: &Environment) -> Result<Config, Problems> {
        Config::read(env, self.service, self.settings)
    }

    /// Reads the settings as far as they go, for the command `doctor`.
    pub(crate) fn examine(&self, env: &Environment) -> (Config, Problems) {
        Config::examine(env, self.service, self.settings)
    }

    /// All settings in the order of `.env.example`: those of every server, and this one's own.
    #[must_use]
    pub fn table(&self) -> Vec<&'static Setting> {
        Table::with(self.settings).rows().collect()
    }

    /// All settings with the values that they have in this environment, as the command `config` prints them. Secrets are
    /// masked.
    #[must_use]
    pub fn export(&self, env: &Environment, format: Format) -> String {
        export(env, self.settings, format)
    }

    /// Puts the server together, inside of a tokio runtime.
    ///
    /// # Errors
    /// [`BuildError`] where a part cannot be built from the configuration.
    pub fn build(&self, config: &Config) -> Result<BuiltServer, BuildError> {
        let store = config.store.open()?;
        let mut auth = AuthConfig::new(self.service.name, config.auth.mode);
        // The server's own tokens, apart from whatever the caller presents. Where there is one, no request goes on without
        // it; where there are several, those tools go on whose token is there.
        let tokens = config.tokens();
        auth = match tokens[..] {
            [only] => auth.with_service_token(store.clone(), only),
            _ => auth,
        };
        auth = auth.with_service_tokens(store.clone(), tokens);
        if let Some(access) = &config.auth.cloudflare {
            // Clients that get the address of the metadata ask its authorization server for a token: without one they fail there,
            // and do not report that their token is wrong.
            auth = auth.with_cloudflare(access.clone()).with_resource_path(RESOURCE);
        }
        for issuer in &config.auth.oidc {
            auth = auth.with_oidc(issuer.clone()).with_resource_path(RESOURCE);
        }
        if let Some(tokens) = &config.auth.bearer {
            auth = auth.with_bearer(tokens.clone());
        }
        if let Some(url) = &config.public_url {
            auth = auth.with_public_origin(url.base.clone());
        }
        let auth = create_auth_middleware((self.policy)(auth, &config.settings))?;
        let Handlers { mcp, legacy, upstreams, probes } = self.handlers(&config.settings)?;
        let readiness = Arc::new(Readiness::new(self.service, &auth, &store, probes.clone()));
        let telemetry = Telemetry::start(config.telemetry.as_ref()).map_err(BuildError::Telemetry)?;
        let files = config.follow_files(&store, &telemetry);
        let policy = config.policy.as_ref().map(|file| file.policy.clone());
        let permissions = Permissions::new(policy, mcp.clone(), auth.clone());
        let app = App {
            config,
            permissions,
            auth: auth.clone(),
            store,
            readiness: Arc::clone(&readiness),
            telemetry: telemetry.clone(),
            mcp,
            legacy,
            routes: (self.routes)(&config.settings),
            upstreams,
        };
        let Routers { public: router, admin } = router::router(app);
        Ok(BuiltServer { router, admin, auth, readiness, files, telemetry, probes })
    }

    /// The server's own part alone: what it serves and which upstream APIs it asks.
    pub(crate) fn handlers(&self, settings: &Settings) -> Result<Handlers<H>, BuildError> {
        (self.make)(settings).map_err(BuildError::Start)
    }
}

/// Keeps the public keys of all issuers, the server's own tokens and secrets from files fresh, as long as it is polled.
pub(crate) async fn keep_fresh(auth: AuthLayer, files: SecretFiles) {
    tokio::join!(auth.clone().keep_keys_fresh(), auth.keep_tokens_fresh(), files.follow());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("builder error")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("the certificates cannot be loaded: {0}")]
    struct Inner(#[source] std::fmt::Error);

    #[test]
    fn a_part_that_cannot_be_made_says_why() {
        let error = BuildError::Start(Box::new(Outer(Inner(std::fmt::Error))));
        let cause = std::fmt::Error.to_string();
        assert_eq!(error.to_string(), format!("builder error: the certificates cannot be loaded: {cause}"));
    }
}
