//! Traces and metrics as a collector gets them: who is whose parent, what is exported, and what never is.
#![cfg(feature = "telemetry")]
#![allow(clippy::expect_used, clippy::panic, reason = "tests may say what they expect")]

mod support;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::routing::{get, post};
use mcp_server_runtime::{Handlers, Server, Setting, UpstreamSpan, token};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::{HistogramDataPoint, metric};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message as _;
use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::tool::Extension;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{Implementation, ServerCapabilities, ServerConfig};
use rmcp::{ServerHandler, tool, tool_handler, tool_router};
use serde_json::{Value, json};
use support::{API_TOKEN, BEARER, TOKEN, TestServer};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const OTHER_TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "b7ad6b7169203331";
const ARGUMENT: &str = "words-of-the-caller";
const RESULT: &str = "words-of-the-api";

/// A server whose one tool calls an API.
#[derive(Clone)]
struct Tools {
    api: url::Url,
    http: reqwest::Client,
    router: ToolRouter<Self>,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Fetch {
    item: String,
}

#[tool_router]
impl Tools {
    #[tool(description = "Fetches an item from the API.")]
    async fn fetch(
        &self,
        Extension(parts): Extension<Parts>,
        Parameters(Fetch { item }): Parameters<Fetch>,
    ) -> Result<String, String> {
        let address = self.api.join(&format!("items/{item}?q={item}")).map_err(|error| error.to_string())?;
        let mut span = UpstreamSpan::start("The API", "GET", &address);
        let request = self.http.get(address).headers(span.headers()).bearer_auth(token(&parts, TOKEN).await?.expose());
        let answer = request.send().await.map_err(|error| error.to_string())?;
        span.answered(answer.status().as_u16());
        if answer.status().is_success() { answer.text().await.map_err(|error| error.to_string()) } else { Err(item) }
    }
}

#[tool_handler(router = self.router)]
impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("fetcher", "3.2.1"))
    }
}

const SETTINGS: &[Setting] = &[
    Setting::token(TOKEN, "https://api.example.com/tokens", "The API", "The server's own token for the API."),
    Setting::url("API_BASE", None, "The API", "Where the API is."),
];

fn fetcher() -> Server<Tools> {
    Server::new("fetcher", "3.2.1", |settings| {
        let (api, http) = (settings.url("API_BASE")?.join("/")?, reqwest::Client::new());
        Ok(Handlers::new(Tools { api, http, router: Tools::tool_router() }))
    })
    .with_settings(SETTINGS)
}

async fn serve(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// An API that keeps the headers of its callers; it has one item, and everything else fails.
async fn api() -> (String, Arc<Mutex<Vec<HeaderMap>>>) {
    let asked: Arc<Mutex<Vec<HeaderMap>>> = Arc::default();
    let answer = async |State(asked): State<Arc<Mutex<Vec<HeaderMap>>>>, uri: Uri, headers: HeaderMap| {
        asked.lock().expect("not poisoned").push(headers);
        if uri.path().ends_with(ARGUMENT) { (StatusCode::OK, RESULT) } else { (StatusCode::NOT_FOUND, RESULT) }
    };
    let address = serve(Router::new().route("/items/{item}", get(answer)).with_state(Arc::clone(&asked))).await;
    (format!("http://{address}"), asked)
}

/// A collector: what it was sent, as bytes and as messages.
#[derive(Clone, Default)]
struct Collector {
    bytes: Arc<Mutex<Vec<u8>>>,
    spans: Arc<Mutex<Vec<Span>>>,
    metrics: Arc<Mutex<Vec<ExportMetricsServiceRequest>>>,
    resources: Arc<Mutex<Vec<KeyValue>>>,
    headers: Arc<Mutex<Vec<HeaderMap>>>,
}

impl Collector {
    async fn start() -> (Self, String) {
        let collector = Self::default();
        let traces = async |State(collector): State<Self>, headers: HeaderMap, body: Bytes| {
            let request = ExportTraceServiceRequest::decode(body.clone()).expect("traces");
            for of_resource in request.resource_spans {
                let resource = of_resource.resource.expect("a resource").attributes;
                collector.resources.lock().expect("not poisoned").extend(resource);
                let spans = of_resource.scope_spans.into_iter().flat_map(|of_scope| of_scope.spans);
                collector.spans.lock().expect("not poisoned").extend(spans);
            }
            collector.keep(headers, &body);
        };
        let metrics = async |State(collector): State<Self>, headers: HeaderMap, body: Bytes| {
            let request = ExportMetricsServiceRequest::decode(body.clone()).expect("metrics");
            collector.metrics.lock().expect("not poisoned").push(request);
            collector.keep(headers, &body);
        };
        let router = Router::new().route("/v1/traces", post(traces)).route("/v1/metrics", post(metrics));
        let address = serve(router.with_state(collector.clone())).await;
        (collector, format!("http://{address}"))
    }

    fn keep(&self, headers: HeaderMap, body: &[u8]) {
        self.headers.lock().expect("not poisoned").push(headers);
        self.bytes.lock().expect("not poisoned").extend_from_slice(body);
    }

    fn spans(&self) -> Vec<Span> {
        self.spans.lock().expect("not poisoned").clone()
    }

    fn span(&self, name: &str) -> Span {
        let spans = self.spans();
        let found = spans.iter().find(|span| span.name == name);
        found.unwrap_or_else(|| panic!("no {name} in {:?}", spans.iter().map(|s| &s.name).collect::<Vec<_>>())).clone()
    }

    /// The values of the one metric, as they were sent last, with its unit.
    fn durations(&self) -> Vec<HistogramDataPoint> {
        let requests = self.metrics.lock().expect("not poisoned");
        let Some(last) = requests.last() else { return Vec::new() };
        let scopes = last.resource_metrics.iter().flat_map(|of_resource| &of_resource.scope_metrics);
        let metrics: Vec<_> = scopes.flat_map(|of_scope| &of_scope.metrics).collect();
        let metric = metrics.iter().find(|metric| metric.name == "mcp.server.operation.duration").expect("the metric");
        assert_eq!(metric.unit, "s");
        match &metric.data {
            Some(metric::Data::Histogram(histogram)) => histogram.data_points.clone(),
            other => panic!("no histogram: {other:?}"),
        }
    }

    fn holds(&self, text: &str) -> bool {
        let bytes = self.bytes.lock().expect("not poisoned");
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    }
}

fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    let value = attributes.iter().find(|attribute| attribute.key == key)?.value.clone()?;
    match value {
        AnyValue { value: Some(any_value::Value::StringValue(text)), .. } => Some(text),
        AnyValue { value: Some(any_value::Value::IntValue(number)), .. } => Some(number.to_string()),
        other => panic!("{key}: {other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The server with a collector; exports come with its end, and seldom before.
async fn start(more: &[(&str, &str)]) -> (TestServer, Collector, Arc<Mutex<Vec<HeaderMap>>>) {
    let (collector, endpoint) = Collector::start().await;
    let (api, asked) = api().await;
    let mut pairs = vec![(TOKEN, API_TOKEN), ("API_BASE", api.as_str()), ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)];
    pairs.extend_from_slice(more);
    (TestServer::start(&fetcher(), &pairs).await, collector, asked)
}

fn call(item: &str, meta: Value) -> String {
    let params = json!({"name": "fetch", "arguments": {"item": item}, "_meta": meta});
    json!({"jsonrpc": "2.0", "id": "request-7", "method": "tools/call", "params": params}).to_string()
}

#[tokio::test]
async fn a_trace_goes_from_the_client_through_the_tool_to_the_api() {
    let (server, collector, asked) = start(&[
        ("OTEL_SERVICE_NAME", "another-name"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test,service.name=not-this,team=a%20b"),
    ])
    .await;
    let meta = json!({"traceparent": format!("00-{TRACE}-{PARENT}-01"), "tracestate": "vendor=1"});
    let request = server.post(call(ARGUMENT, meta)).header("mcp-protocol-version", "2025-11-25");
    let (status, answer) =
        support::answer(request.header("traceparent", format!("00-{OTHER_TRACE}-00f067aa0ba902b7-01"))).await;
    assert_eq!((status, &answer["result"]["content"][0]["text"]), (200, &json!(RESULT)), "{answer}");
    server.shut_down().await;

    let operation = collector.span("tools/call fetch");
    assert_eq!((hex(&operation.trace_id).as_str(), hex(&operation.parent_span_id).as_str()), (TRACE, PARENT));
    assert_eq!(operation.kind, SpanKind::Server as i32);
    assert_eq!(hex(&operation.links[0].trace_id), OTHER_TRACE, "the trace of the HTTP request is linked");
    for (key, value) in [
        ("mcp.method.name", "tools/call"),
        ("gen_ai.tool.name", "fetch"),
        ("gen_ai.operation.name", "execute_tool"),
        ("mcp.protocol.version", "2025-11-25"),
        ("jsonrpc.request.id", "request-7"),
        ("network.transport", "tcp"),
    ] {
        assert_eq!(text(&operation.attributes, key).as_deref(), Some(value), "{key}");
    }
    assert_eq!(text(&operation.attributes, "error.type"), None);

    let upstream = collector.span("GET");
    assert_eq!((hex(&upstream.trace_id).as_str(), &upstream.parent_span_id), (TRACE, &operation.span_id));
    assert_eq!(upstream.kind, SpanKind::Client as i32);
    assert_eq!(text(&upstream.attributes, "http.response.status_code").as_deref(), Some("200"));
    assert_eq!(text(&upstream.attributes, "server.address").as_deref(), Some("127.0.0.1"));
    let headers = asked.lock().expect("not poisoned")[0].clone();
    assert_eq!(headers["traceparent"].to_str().ok(), Some(&*format!("00-{TRACE}-{}-01", hex(&upstream.span_id))));
    assert_eq!(headers["tracestate"], "vendor=1");

    let durations = collector.durations();
    let [duration] = &durations[..] else { panic!("one operation: {durations:?}") };
    assert_eq!((duration.count, duration.explicit_bounds[0]), (1, 0.01));
    assert_eq!(text(&duration.attributes, "gen_ai.tool.name").as_deref(), Some("fetch"));
    assert_eq!(text(&duration.attributes, "jsonrpc.request.id"), None, "no id in a metric");

    let resource = collector.resources.lock().expect("not poisoned").clone();
    for (key, value) in [
        ("service.name", "another-name"),
        ("service.version", "3.2.1"),
        ("deployment.environment.name", "test"),
        ("team", "a b"),
    ] {
        assert_eq!(text(&resource, key).as_deref(), Some(value), "{key}");
    }
    for secret in [BEARER, API_TOKEN, ARGUMENT, RESULT, "developer@localhost"] {
        assert!(!collector.holds(secret), "{secret} was sent to the collector");
    }
}

#[tokio::test]
async fn a_client_without_meta_has_its_trace_in_the_header() {
    let (server, collector, _) = start(&[]).await;
    for meta in [json!({}), json!({"traceparent": "nonsense"}), json!({"traceparent": 7}), json!(null)] {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"_meta": meta}});
        let request = server.post(body.to_string()).header("mcp-protocol-version", "2025-11-25");
        let _ = support::answer(request.header("traceparent", format!("00-{TRACE}-{PARENT}-01"))).await;
    }
    let _ = server.send(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#).await;
    server.shut_down().await;
    let spans = collector.spans();
    assert_eq!(spans.len(), 5, "{spans:?}");
    assert_eq!(
        spans.iter().filter(|span| hex(&span.trace_id) == TRACE && hex(&span.parent_span_id) == PARENT).count(),
        4
    );
    assert_eq!(spans.iter().filter(|span| span.parent_span_id.is_empty()).count(), 1, "a trace of its own");
}

#[tokio::test]
async fn what_fails_says_how_and_names_of_the_callers_choice_are_not_repeated() {
    let (server, collector, _) = start(&[]).await;
    let failed = server.send(call("nothing-there", json!({}))).await.1;
    assert_eq!(failed["result"]["isError"], true, "{failed}");
    let request =
        |id: u32, method: &str, params: Value| json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
    for body in [
        request(2, "tools/call", json!({"name": "no-such-tool", "arguments": {}})),
        request(3, "tools/call", json!({"name": "fetch", "arguments": {"item": 7}})),
        request(4, "made/up", json!({})),
    ] {
        let _ = server.send(body.to_string()).await;
    }
    server.shut_down().await;
    let spans = collector.spans();
    let of = |id: &str| {
        let found = spans.iter().find(|span| text(&span.attributes, "jsonrpc.request.id").as_deref() == Some(id));
        found.unwrap_or_else(|| panic!("no span of {id}: {spans:?}"))
    };
    let attribute = |id: &str, key: &str| text(&of(id).attributes, key);
    assert_eq!(attribute("request-7", "error.type").as_deref(), Some("tool_error"));
    assert_eq!(of("request-7").name, "tools/call fetch");
    assert_eq!((of("2").name.as_str(), attribute("2", "gen_ai.tool.name")), ("tools/call", None));
    assert!(attribute("2", "error.type").is_some());
    assert!(attribute("3", "error.type").is_some());
    assert_eq!((of("4").name.as_str(), attribute("4", "mcp.method.name").as_deref()), ("_OTHER", Some("_OTHER")));
    assert_eq!(attribute("4", "error.type").as_deref(), Some("-32601"));
    assert_eq!(attribute("4", "rpc.response.status_code").as_deref(), Some("-32601"));
    for span in &spans {
        let status = span.status.clone().unwrap_or_default();
        assert!(status.message.is_empty(), "{status:?}");
    }
    let upstream = collector.span("GET");
    assert_eq!(text(&upstream.attributes, "error.type").as_deref(), Some("404"));
    for words in ["nothing-there", "no-such-tool", "made/up"] {
        assert!(!collector.holds(words), "{words} was sent to the collector");
    }
}

#[tokio::test]
async fn a_trace_that_is_not_sampled_goes_on_and_is_not_sent() {
    let (server, collector, asked) = start(&[("OTEL_TRACES_SAMPLER", "always_off")]).await;
    let meta = json!({"traceparent": format!("00-{TRACE}-{PARENT}-01")});
    let _ = server.send(call(ARGUMENT, meta)).await;
    server.shut_down().await;
    assert!(collector.spans().is_empty());
    assert_eq!(collector.durations().len(), 1, "metrics are not sampled");
    let header = asked.lock().expect("not poisoned")[0]["traceparent"].to_str().expect("text").to_owned();
    assert!(header.starts_with(&format!("00-{TRACE}-")) && header.ends_with("-00"), "{header}");
}

#[tokio::test]
async fn the_collector_gets_its_headers_and_what_is_off_is_not_sent() {
    let (server, collector, _) = start(&[
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=for%20the%20collector, x-tenant=7"),
        ("OTEL_METRICS_EXPORTER", "none"),
    ])
    .await;
    let _ = server.send(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#).await;
    server.shut_down().await;
    let headers = collector.headers.lock().expect("not poisoned").clone();
    assert!(!headers.is_empty() && collector.durations().is_empty());
    assert!(headers.iter().all(|headers| headers["api-key"] == "for the collector" && headers["x-tenant"] == "7"));

    let (server, collector, asked) = start(&[("OTEL_SDK_DISABLED", "true")]).await;
    let meta = json!({"traceparent": format!("00-{TRACE}-{PARENT}-01")});
    assert_eq!(server.send(call(ARGUMENT, meta)).await.0, 200);
    server.shut_down().await;
    assert!(collector.headers.lock().expect("not poisoned").is_empty(), "switched off");
    assert!(!asked.lock().expect("not poisoned")[0].contains_key("traceparent"));
}

#[tokio::test]
async fn spans_come_while_the_server_runs() {
    let often = [("OTEL_BSP_SCHEDULE_DELAY", "100"), ("OTEL_METRIC_EXPORT_INTERVAL", "100")];
    let (server, collector, _) = start(&often).await;
    let _ = server.send(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#).await;
    let start = Instant::now();
    while collector.spans().is_empty() || collector.metrics.lock().expect("not poisoned").is_empty() {
        assert!(start.elapsed() < Duration::from_secs(20), "nothing came");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_collector_that_never_answers_holds_up_neither_requests_nor_the_end() {
    // It takes connections and says nothing.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", silent.local_addr().expect("an address"));
    let (api, _) = api().await;
    let server = TestServer::start(
        &fetcher(),
        &[
            (TOKEN, API_TOKEN),
            ("API_BASE", api.as_str()),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
            ("OTEL_BSP_SCHEDULE_DELAY", "1"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "1"),
            ("SHUTDOWN_GRACE_SECONDS", "1"),
        ],
    )
    .await;
    // More than the queue of spans holds.
    let mut slowest = Duration::ZERO;
    for _ in 0..3000 {
        let start = Instant::now();
        assert_eq!(server.send(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#).await.0, 200);
        slowest = slowest.max(start.elapsed());
    }
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    let start = Instant::now();
    server.shut_down().await;
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[tokio::test]
async fn json_of_the_answer_is_the_same_with_and_without() {
    let (with, _, _) = start(&[]).await;
    let (without, _, _) = start(&[("OTEL_SDK_DISABLED", "true")]).await;
    for body in [call(ARGUMENT, json!({})), call("nothing-there", json!({}))] {
        assert_eq!(with.send(body.clone()).await, without.send(body).await);
    }
}
