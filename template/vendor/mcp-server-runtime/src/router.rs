//! The router: `/mcp`, `/health`, `/status` and the metadata of the protected resource; everything else is 404.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::Extensions;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use mcp_auth_middleware::{AuthLayer, TokenStore};
use rmcp::ServerHandler;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tower::layer::layer_fn;
use tower::{Layer as _, Service, service_fn};

use crate::admin;
use crate::config::Config;
use crate::handlers::{metadata, status};
use crate::hangup;
use crate::metrics::Metrics;
use crate::middleware::{gatekeeper, host, limits};
use crate::panics::CatchPanics;
use crate::readiness::Readiness;
use crate::request_id::RequestIdLayer;
use crate::telemetry::Telemetry;
use crate::tool_calls::Permissions;

/// The parts that the router is made of.
pub(crate) struct App<'a, H> {
    /// Limits, hosts, origins and what `/health` tells.
    pub(crate) config: &'a Config,
    /// Who may call which tools.
    pub(crate) permissions: Permissions,
    /// The authentication.
    pub(crate) auth: AuthLayer,
    /// The token store, for `/status`.
    pub(crate) store: TokenStore,
    /// The checks for `/readyz`.
    pub(crate) readiness: Arc<Readiness>,
    /// Where traces and metrics go.
    pub(crate) telemetry: Telemetry,
    /// The MCP handler. Cloned for every request: keep it cheap to clone.
    pub(crate) mcp: H,
    /// The router for requests without `jsonrpc`, if there is one.
    pub(crate) legacy: Option<Router>,
    /// The server's own routes.
    pub(crate) routes: Router,
    /// The clients of upstream APIs, by their types.
    pub(crate) upstreams: Extensions,
}

/// The services that each request gets, in its extensions. One entry there: each costs every request.
#[derive(Debug, Clone)]
pub(crate) struct RequestServices(Arc<Provisions>);

#[derive(Debug)]
struct Provisions {
    permissions: Permissions,
    upstreams: Extensions,
    metrics: Arc<Metrics>,
}

impl RequestServices {
    /// Returns the services of this request, or `None` where it did not come through the authentication.
    pub(crate) fn find(extensions: &Extensions) -> Option<&Self> {
        extensions.get()
    }

    /// Who may call which tools.
    pub(crate) fn permissions(&self) -> &Permissions {
        &self.0.permissions
    }

    /// The client of an upstream API.
    pub(crate) fn upstream<C: Send + Sync + 'static>(&self) -> Option<&C> {
        self.0.upstreams.get()
    }

    /// For tools, which count what fails behind them.
    pub(crate) fn metrics(&self) -> &Arc<Metrics> {
        &self.0.metrics
    }
}

/// The routers, by who may ask.
pub(crate) struct Routers {
    /// Callers.
    pub(crate) public: Router,
    /// Machines of the operator: metrics and probes.
    pub(crate) admin: Router,
}

/// Puts the layers around the handler.
///
/// The order matters: names and origins are checked first, as they need nothing; then the caller is established; then the
/// body is read, within what one caller may have of the memory; and only when it is there is a place taken.
pub(crate) fn router<H: ServerHandler + Clone + Sync>(app: App<'_, H>) -> Routers {
    let App { config, permissions, auth, store, readiness, telemetry, mcp, legacy, routes, upstreams } = app;
    let metrics = Arc::new(Metrics::default());
    let document = metadata::Metadata {
        service: config.service,
        issuers: issuers(config),
        scopes: auth.required_scopes(),
        policy: config.policy.as_ref().map(|file| file.policy.clone()),
        public: config.public_url.as_ref().map(|url| url.base.clone()),
    };
    let gate = Arc::new(limits::Gate::new(&config.limits, Arc::clone(&metrics)));
    let state = Arc::new(status::Status::new(
        config.service,
        auth.clone(),
        config.auth.mode.as_str(),
        store,
        readiness,
        Arc::clone(&gate),
        Arc::clone(&metrics),
    ));
    let admin = admin::router(Arc::clone(&state));
    let given = RequestServices(Arc::new(Provisions { permissions, upstreams, metrics: Arc::clone(&metrics) }));
    let endpoint = Arc::new(Endpoint {
        gate,
        gatekeeper: gatekeeper::Gatekeeper::new(&config.limits, Arc::clone(&metrics), telemetry, legacy),
        given: given.clone(),
        mcp: mcp_service(config, CatchPanics::new(mcp, Arc::clone(&metrics))),
    });
    let hosts = config.allowed_hosts.iter().chain(config.public_url.as_ref().map(|url| &url.host)).cloned().collect();
    let guard = Arc::new(host::Guard::new(hosts, config.allowed_origins.clone(), Arc::clone(&metrics)));

    // /status needs no token of the store, and has to answer above all when the store does not.
    let status = Router::new()
        .route("/status", get(status::status).with_state(Arc::clone(&state)))
        .layer(auth.clone().without_service_token());
    // Unknown paths are 404 here, whatever a router of the server's own would answer there.
    let own = routes
        .reset_fallback()
        .layer(from_fn(move |request: Request, next: Next| give(given.clone(), request, next)))
        .layer(auth.clone().without_service_token());
    let ids = RequestIdLayer::new(config.limits.header_bytes, metrics);
    let mcp = ids.layer(host::Guarded::new(auth.layer(mcp_endpoint(endpoint)), Arc::clone(&guard)));
    let mcp = Router::new().route_service(metadata::RESOURCE, mcp);
    let metadata = Router::new()
        .route("/.well-known/oauth-protected-resource", get(metadata::metadata))
        .route("/.well-known/oauth-protected-resource/mcp", get(metadata::metadata))
        .with_state(document);
    let guarded = own.merge(status).merge(metadata);
    let guarded = guarded.layer(layer_fn(move |inner| host::Guarded::new(inner, Arc::clone(&guard))));
    // Probes ask by address, under whatever name: /health is exempt from the checks of names.
    let open = Router::new().route("/health", get(status::health)).with_state(state);
    // Of two routers, the fallback of the one that is merged into the other counts: the rest has its 404 in JSON.
    Routers { public: mcp.merge(open.merge(guarded).layer(ids)), admin }
}

/// Who issues tokens. Access comes last: behind it, the edge tells clients of itself.
fn issuers(config: &Config) -> Vec<String> {
    let others = config.auth.oidc.iter().map(|issuer| issuer.issuer().to_owned());
    others.chain(config.auth.cloudflare.as_ref().map(|access| access.issuer().to_owned())).collect()
}

/// Gives a request of the server's own routes what those of `/mcp` have.
async fn give(given: RequestServices, mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(given);
    next.run(request).await
}

/// The endpoint `/mcp`, behind the authentication.
struct Endpoint<H> {
    gate: Arc<limits::Gate>,
    gatekeeper: gatekeeper::Gatekeeper,
    given: RequestServices,
    mcp: StreamableHttpService<CatchPanics<H>, NeverSessionManager>,
}

/// One service instead of a layer for each step, and those before it put around it before axum sees it: axum copies and boxes
/// every layer below one of its own for every request.
///
/// Futures that hold others are as large as all of these, once for each place where they are moved to: rmcp's has kilobytes,
/// and is boxed where it is made.
fn mcp_endpoint<H: ServerHandler>(
    endpoint: Arc<Endpoint<H>>,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + Sync + 'static {
    service_fn(move |mut request: Request| {
        let endpoint = Arc::clone(&endpoint);
        async move {
            let Endpoint { gate, gatekeeper, given, mcp } = &*endpoint;
            let progress = limits::Progress::default();
            // Dropped with this future, which is when the client is gone or its time is over.
            let (_waiting, hangup) = hangup::pair();
            request.extensions_mut().insert(hangup);
            request.extensions_mut().insert(given.clone());
            let mcp = async |request| Box::pin(mcp.handle(request)).await.map(Body::new);
            let work = pin!(gatekeeper.pass(request, gate, &progress, mcp));
            Ok(gate.pass(&progress, work).await)
        }
    })
}

/// MCP over Streamable HTTP, without sessions: any replica answers any request, and plain JSON is preferred.
fn mcp_service<H: ServerHandler + Clone + Sync>(
    config: &Config,
    handler: CatchPanics<H>,
) -> StreamableHttpService<CatchPanics<H>, NeverSessionManager> {
    let settings = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(config.limits.body_bytes)
        // Checked by middleware::host already, before authentication, and with a log line that says how to fix it.
        .disable_allowed_hosts()
        .disable_allowed_origins();
    // Sessions are off, so the factory runs for every request: it clones a prepared handler and builds nothing.
    StreamableHttpService::new(move || Ok(handler.clone()), Arc::default(), settings)
}
