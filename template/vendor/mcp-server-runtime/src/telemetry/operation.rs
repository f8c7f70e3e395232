//! One request to /mcp: its server span and its time.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::{Link, Span as _, SpanContext, SpanKind, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::Span;
use rmcp::model::ProtocolVersion;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Failure;
use super::otlp::{Exporters, Telemetry};

/// Methods of MCP. Any other is the caller's choice of words, and stands as `_OTHER`.
const METHODS: &[&str] = &[
    "completion/complete",
    "initialize",
    "logging/setLevel",
    "notifications/cancelled",
    "notifications/initialized",
    "notifications/progress",
    "notifications/roots/list_changed",
    "ping",
    "prompts/get",
    "prompts/list",
    "resources/list",
    "resources/read",
    "resources/subscribe",
    "resources/templates/list",
    "resources/unsubscribe",
    "server/discover",
    "skills/get",
    "skills/list",
    "subscriptions/listen",
    "tasks/cancel",
    "tasks/get",
    "tasks/update",
    "tools/call",
    "tools/list",
];
/// Longer ids are cut: they are the caller's.
const LONGEST_ID: usize = 64;

tokio::task_local! {
    static CURRENT: Arc<Operation>;
}

/// A request that is worked on.
pub struct Operation {
    exporters: Arc<Exporters>,
    method: &'static str,
    version: Option<&'static str>,
    started: Instant,
    /// Time that it has.
    timeout: Duration,
    /// Its own context, the parent of what happens for it.
    context: Option<SpanContext>,
    state: Mutex<State>,
}

struct State {
    span: Option<Span>,
    tool: Option<Arc<str>>,
    failure: Option<Failure>,
    ended: bool,
}

/// The members of a request that a span has; everything else is skipped.
#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(borrow, default, rename = "_meta")]
    meta: Option<Meta<'a>>,
}

/// SEP-414.
#[derive(Default, Deserialize)]
struct Meta<'a> {
    #[serde(borrow, default)]
    traceparent: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    tracestate: Option<Cow<'a, str>>,
}

impl Extractor for Meta<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            "traceparent" => self.traceparent.as_deref(),
            "tracestate" => self.tracestate.as_deref(),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent", "tracestate"]
    }
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        let mut values = self.0.get_all(key).iter();
        // Two of them are none (Trace Context §3.3).
        values.next().filter(|_| values.next().is_none())?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent", "tracestate"]
    }
}

impl Telemetry {
    /// The operation that this request is, where telemetry is on. The body is a JSON-RPC message.
    pub(crate) fn operation(&self, parts: &Parts, body: &Bytes, timeout: Duration) -> Option<Arc<Operation>> {
        let exporters = self.exporters()?;
        let message: Message<'_> = serde_json::from_slice(body).ok()?;
        let method = message.method.as_deref().unwrap_or_default();
        let method = METHODS.iter().find(|known| **known == method).copied().unwrap_or("_OTHER");
        let header = parts.headers.get("mcp-protocol-version").and_then(|value| value.to_str().ok());
        let version = ProtocolVersion::KNOWN_VERSIONS.iter().find(|version| Some(version.as_str()) == header);
        let version = version.and_then(|version| known_version(version.as_str()));
        let mut span = exporters.tracer.as_ref().map(|tracer| {
            // Few name a parent there, and only what names one is read.
            let params = message.params.filter(|params| params.get().contains("traceparent"));
            let meta = params.and_then(|params| serde_json::from_str::<Params<'_>>(params.get()).ok());
            let (parent, links) = parent(meta.and_then(|params| params.meta).as_ref(), &parts.headers);
            let mut attributes = attributes(method, version, None);
            attributes.extend(message.id.and_then(request_id).map(|id| KeyValue::new("jsonrpc.request.id", id)));
            let span = tracer.span_builder(method).with_kind(SpanKind::Server).with_attributes(attributes);
            tracer.build_with_context(span.with_links(links), &parent)
        });
        let context = span.as_mut().map(|span| span.span_context().clone());
        Some(Arc::new(Operation {
            exporters: Arc::clone(exporters),
            method,
            version,
            started: Instant::now(),
            timeout,
            context,
            state: Mutex::new(State { span, tool: None, failure: None, ended: false }),
        }))
    }
}

/// One of the revisions, as a text that lives for ever.
fn known_version(version: &str) -> Option<&'static str> {
    ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"].into_iter().find(|known| *known == version)
}

/// Returns the client's trace from `_meta`, else from the headers. Where they differ, that of the headers is linked.
fn parent(meta: Option<&Meta<'_>>, headers: &HeaderMap) -> (Context, Vec<Link>) {
    let propagator = TraceContextPropagator::new();
    let none = Context::new();
    let of_headers = propagator.extract_with_context(&none, &Headers(headers));
    let of_meta = meta.map(|meta| propagator.extract_with_context(&none, meta));
    let valid = |context: &Context| context.span().span_context().is_valid();
    match of_meta.filter(valid) {
        Some(of_meta) => {
            let linked = of_headers.span().span_context().clone();
            let other = linked.is_valid() && linked.span_id() != of_meta.span().span_context().span_id();
            (of_meta, other.then(|| Link::with_context(linked)).into_iter().collect())
        }
        None => (of_headers, Vec::new()),
    }
}

fn request_id(raw: &RawValue) -> Option<String> {
    match serde_json::from_str(raw.get()).ok()? {
        serde_json::Value::String(text) => Some(text.chars().take(LONGEST_ID).collect()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Those that spans and metrics have in common.
fn attributes(method: &'static str, version: Option<&'static str>, tool: Option<Arc<str>>) -> Vec<KeyValue> {
    // As many as there can be, so that nothing is copied while it grows.
    let mut attributes = Vec::with_capacity(8);
    attributes.push(KeyValue::new("mcp.method.name", method));
    attributes.push(KeyValue::new("network.transport", "tcp"));
    attributes.push(KeyValue::new("network.protocol.name", "http"));
    attributes.extend(version.map(|version| KeyValue::new("mcp.protocol.version", version)));
    if method == "tools/call" {
        attributes.push(KeyValue::new("gen_ai.operation.name", "execute_tool"));
    }
    attributes.extend(tool.map(|tool| KeyValue::new("gen_ai.tool.name", tool)));
    attributes
}

impl Failure {
    fn error_type(self) -> Value {
        match self {
            Self::Tool => "tool_error".into(),
            Self::JsonRpc(code) => code.to_string().into(),
            Self::Http(status) => status.to_string().into(),
            Self::Cancelled => "cancelled".into(),
            Self::Timeout => "timeout".into(),
        }
    }

    fn attributes(self) -> impl Iterator<Item = KeyValue> {
        let code = match self {
            Self::JsonRpc(code) => Some(KeyValue::new("rpc.response.status_code", code.to_string())),
            _ => None,
        };
        [KeyValue::new("error.type", self.error_type())].into_iter().chain(code)
    }
}

impl Operation {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It calls this tool, which the server has: other names are the caller's choice of words.
    pub(crate) fn called_tool(&self, name: &str) {
        self.lock().tool = Some(name.into());
    }

    /// It failed. The first reason counts.
    pub(crate) fn failed(&self, failure: Failure) {
        self.lock().failure.get_or_insert(failure);
    }

    /// It is answered with this status, and ends.
    pub(crate) fn answered(&self, status: StatusCode) {
        if status.is_client_error() || status.is_server_error() {
            self.failed(Failure::Http(status.as_u16()));
        }
        self.end();
    }

    /// Nobody waits for its answer any more: its time is over, or its client is gone.
    pub(crate) fn given_up(&self) {
        let late = self.started.elapsed() >= self.timeout;
        self.failed(if late { Failure::Timeout } else { Failure::Cancelled });
        self.end();
    }

    fn end(&self) {
        let mut state = self.lock();
        if std::mem::replace(&mut state.ended, true) {
            return;
        }
        let (tool, failure, span) = (state.tool.take(), state.failure, state.span.take());
        drop(state);
        if let Some(duration) = &self.exporters.duration {
            let mut attributes = attributes(self.method, self.version, tool.clone());
            attributes.extend(failure.into_iter().flat_map(Failure::attributes));
            duration.record(self.started.elapsed().as_secs_f64(), &attributes);
        }
        if let Some(mut span) = span {
            if let Some(tool) = tool {
                span.update_name(format!("{} {tool}", self.method));
                span.set_attribute(KeyValue::new("gen_ai.tool.name", tool));
            }
            if let Some(failure) = failure {
                span.set_attributes(failure.attributes());
                // Without a text: that of an error may repeat what the caller has sent.
                span.set_status(Status::error(""));
            }
            span.end();
        }
    }

    /// Does the work for this operation, in whatever task that is.
    pub(crate) async fn scope<F: Future>(self: Arc<Self>, work: F) -> F::Output {
        CURRENT.scope(self, work).await
    }

    /// The operation that this task works for, as a parent of spans.
    pub(super) fn current() -> Option<(Arc<Exporters>, Context)> {
        CURRENT
            .try_with(|operation| {
                let parent = Context::new().with_remote_span_context(operation.context.clone()?);
                Some((Arc::clone(&operation.exporters), parent))
            })
            .ok()?
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation").field("method", &self.method).finish_non_exhaustive()
    }
}
