//! A call of an API, as a client span.

use std::fmt;

use axum::http::HeaderMap;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{Span as _, SpanKind, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::HeaderInjector;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::Span;
use url::Url;

use super::operation::Operation;

/// A call of an API for the request that this task works on. It ends when it is dropped, and has failed where nobody said that
/// it was answered. Where telemetry is off, and outside of a request, it is nothing.
///
/// ```
/// use mcp_server_runtime::UpstreamSpan;
/// # fn send(_: mcp_server_runtime::axum::http::HeaderMap) -> u16 { 200 }
///
/// let address = "https://api.example.com/v1/items/7?page=2".parse().unwrap();
/// let mut span = UpstreamSpan::start("The API", "GET", &address);
/// let status = send(span.headers()); // the call, with the trace in its headers
/// span.answered(status);
/// ```
pub struct UpstreamSpan {
    span: Option<Span>,
    /// The outcome is recorded.
    recorded: bool,
}

impl UpstreamSpan {
    /// A call that begins: of which API, by which method of HTTP, and where. Only the host and the port of the address are
    /// recorded, as its path and query may have arguments.
    #[must_use]
    pub fn start(api: &'static str, method: &str, address: &Url) -> Self {
        let span = Operation::current().and_then(|(exporters, parent)| {
            let tracer = exporters.tracer.as_ref()?;
            let mut attributes = vec![
                KeyValue::new("peer.service", api),
                KeyValue::new("http.request.method", method.to_owned()),
                KeyValue::new("server.address", address.host_str().unwrap_or_default().to_owned()),
            ];
            let port = address.port_or_known_default();
            attributes.extend(port.map(|port| KeyValue::new("server.port", i64::from(port))));
            let span = tracer.span_builder(method.to_owned()).with_kind(SpanKind::Client).with_attributes(attributes);
            Some(tracer.build_with_context(span, &parent))
        });
        Self { span, recorded: false }
    }

    /// The headers that carry the trace to the API: `traceparent`, and `tracestate` where the client sent one.
    #[must_use]
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(span) = &self.span {
            let context = Context::new().with_remote_span_context(span.span_context().clone());
            TraceContextPropagator::new().inject_context(&context, &mut HeaderInjector(&mut headers));
            if headers.get("tracestate").is_some_and(|state| state.is_empty()) {
                headers.remove("tracestate");
            }
        }
        headers
    }

    /// It was answered with this status.
    pub fn answered(&mut self, status: u16) {
        self.recorded = true;
        if let Some(span) = &mut self.span {
            span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
            if status >= 400 {
                span.set_attribute(KeyValue::new("error.type", status.to_string()));
                span.set_status(Status::error(""));
            }
        }
    }

    /// It was not answered, for this reason: one of a few words.
    pub fn failed(&mut self, error_type: &'static str) {
        self.recorded = true;
        if let Some(span) = &mut self.span {
            span.set_attribute(KeyValue::new("error.type", error_type));
            span.set_status(Status::error(""));
        }
    }
}

impl Drop for UpstreamSpan {
    fn drop(&mut self) {
        if !self.recorded {
            // The conventions' word for a reason that has no name.
            self.failed("_OTHER");
        }
    }
}

impl fmt::Debug for UpstreamSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamSpan").field("on", &self.span.is_some()).finish()
    }
}
