//! The router: `/mcp`, `/health`, `/status` and the metadata of the protected resource; everything else is 404.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::Extensions;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use mcp_auth_middleware::{AuthLayer, TokenStore};
use rmcp::ServerHandler;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tower::{Layer as _, Service, service_fn};

use crate::admin;
use crate::config::Config;
use crate::handlers::{metadata, status};
use crate::hangup;
use crate::metrics::Metrics;
use crate::middleware::{host, jsonrpc, limits};
use crate::panics::CatchPanics;
use crate::readiness::Readiness;
use crate::request_id::RequestIdLayer;
use crate::telemetry::Telemetry;
use crate::tool_calls::Permissions;

/// What the router is made of.
pub(crate) struct App<'a, H> {
    /// Limits, hosts, origins and what `/health` tells.
    pub(crate) config: &'a Config,
    /// Who may call which tools.
    pub(crate) permissions: Permissions,
    /// The authentication.
    pub(crate) auth: AuthLayer,
    /// The token store, for `/status`.
    pub(crate) store: TokenStore,
    /// What the server asks of others, for `/readyz`.
    pub(crate) readiness: Arc<Readiness>,
    /// Where traces and metrics go.
    pub(crate) telemetry: Telemetry,
    /// The MCP handler. Cloned for every request: keep it cheap to clone.
    pub(crate) mcp: H,
    /// What serves requests without `jsonrpc`, if anything does.
    pub(crate) legacy: Option<Router>,
    /// The server's own routes.
    pub(crate) routes: Router,
    /// The clients of upstream APIs.
    pub(crate) upstreams: Option<Upstreams>,
}

/// The clients of upstream APIs, by their types, in the extensions of a request: one entry there, however many they are.
#[derive(Debug, Clone)]
pub(crate) struct Upstreams(Arc<Extensions>);

impl Upstreams {
    /// Nothing where there are none, so that requests carry nothing.
    pub(crate) fn new(clients: Extensions) -> Option<Self> {
        (!clients.is_empty()).then(|| Self(Arc::new(clients)))
    }

    pub(crate) fn get<C: Send + Sync + 'static>(&self) -> Option<&C> {
        self.0.get()
    }
}

/// What answers, by who may ask.
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
    let endpoint = Arc::new(Endpoint {
        gate,
        gatekeeper: jsonrpc::Gatekeeper::new(&config.limits, Arc::clone(&metrics), telemetry, legacy),
        metrics: Arc::clone(&metrics),
        upstreams: upstreams.clone(),
        permissions: permissions.clone(),
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
        .layer(from_fn(move |request: Request, next: Next| give(permissions.clone(), upstreams.clone(), request, next)))
        .layer(auth.clone().without_service_token());
    let authenticated =
        Router::new().route_service("/mcp", auth.layer(mcp_endpoint(endpoint))).merge(own).merge(status);
    let metadata = Router::new()
        .route("/.well-known/oauth-protected-resource", get(metadata::metadata))
        .route("/.well-known/oauth-protected-resource/mcp", get(metadata::metadata))
        .with_state(document);
    let guarded = authenticated.merge(metadata).layer(from_fn_with_state(guard, host::guard));
    // Probes ask by address, under whatever name: /health is exempt from the checks of names.
    let open = Router::new().route("/health", get(status::health)).with_state(state);
    Routers { public: open.merge(guarded).layer(RequestIdLayer::new(metrics)), admin }
}

/// Who issues tokens. Access comes last: behind it, the edge tells clients of itself.
fn issuers(config: &Config) -> Vec<String> {
    let others = config.auth.oidc.iter().map(|issuer| issuer.issuer().to_owned());
    others.chain(config.auth.cloudflare.as_ref().map(|access| access.issuer().to_owned())).collect()
}

/// Gives a request of the server's own routes what those of `/mcp` have.
async fn give(permissions: Permissions, upstreams: Option<Upstreams>, mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(permissions);
    if let Some(upstreams) = upstreams {
        request.extensions_mut().insert(upstreams);
    }
    next.run(request).await
}

/// What answers on /mcp, behind the authentication.
struct Endpoint<H> {
    gate: Arc<limits::Gate>,
    gatekeeper: jsonrpc::Gatekeeper,
    metrics: Arc<Metrics>,
    upstreams: Option<Upstreams>,
    permissions: Permissions,
    mcp: StreamableHttpService<CatchPanics<H>, NeverSessionManager>,
}

/// One service instead of a layer for each step, and the authentication put around it before axum sees it: axum copies
/// and boxes every layer below one of its own for every request. The future has kilobytes: boxed here, it is moved once.
fn mcp_endpoint<H: ServerHandler>(
    endpoint: Arc<Endpoint<H>>,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + Sync + 'static {
    service_fn(move |mut request: Request| {
        let endpoint = Arc::clone(&endpoint);
        Box::pin(async move {
            let Endpoint { gate, gatekeeper, metrics, upstreams, permissions, mcp } = &*endpoint;
            let progress = limits::Progress::default();
            // Dropped with this future, which is when the client is gone or its time is over.
            let (_waiting, hangup) = hangup::pair();
            request.extensions_mut().insert(hangup);
            // For tools, which count here what fails behind them.
            request.extensions_mut().insert(Arc::clone(metrics));
            request.extensions_mut().insert(permissions.clone());
            if let Some(upstreams) = upstreams {
                request.extensions_mut().insert(upstreams.clone());
            }
            let mcp = async |request| mcp.handle(request).await.map(Body::new);
            let work = gatekeeper.pass(request, gate, &progress, mcp);
            Ok(gate.pass(&progress, work).await)
        })
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
        // Checked by middleware::host already, before authentication, and with a log line that says how to mend it.
        .disable_allowed_hosts()
        .disable_allowed_origins();
    // Sessions are off, so the factory runs for every request: it clones a prepared handler and builds nothing.
    StreamableHttpService::new(move || Ok(handler.clone()), Arc::default(), settings)
}
