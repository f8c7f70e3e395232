//! Traces and metrics for an OpenTelemetry collector, by OTLP over HTTP; off while `OTEL_EXPORTER_OTLP_ENDPOINT` is empty.
//!
//! A request to /mcp is an [`Operation`]: a server span and a value of `mcp.server.operation.duration`. Its parent is what
//! the client says in `params._meta` (SEP-414), else in its headers. A call of an API for it is an [`UpstreamSpan`], whose
//! headers carry the trace on. No argument, result or credential is in an attribute.
//!
//! Source: <https://opentelemetry.io/docs/specs/semconv/gen-ai/mcp/>

#[cfg(not(feature = "telemetry"))]
mod off;
#[cfg(feature = "telemetry")]
mod operation;
#[cfg(feature = "telemetry")]
mod otlp;
#[cfg(feature = "telemetry")]
mod upstream;

use std::sync::Arc;

use axum::http::StatusCode;
#[cfg(not(feature = "telemetry"))]
pub use off::{Operation, Telemetry, UpstreamSpan};
#[cfg(feature = "telemetry")]
pub use {operation::Operation, otlp::Telemetry, upstream::UpstreamSpan};

/// The operation of a request that somebody waits for: given up where this is dropped before the answer.
#[derive(Debug)]
pub struct Answering(pub Option<Arc<Operation>>);

impl Answering {
    /// The answer is ready.
    pub fn answered(mut self, status: StatusCode) {
        if let Some(operation) = self.0.take() {
            operation.answered(status);
        }
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        if let Some(operation) = &self.0 {
            operation.given_up();
        }
    }
}

/// Why a request failed, as `error.type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(feature = "telemetry"), expect(dead_code, reason = "nothing is exported without the feature"))]
pub enum Failure {
    /// A tool's result says `isError`.
    Tool,
    /// An error of JSON-RPC.
    JsonRpc(i32),
    /// A status of HTTP.
    Http(u16),
    /// The client was gone before the answer was ready.
    Cancelled,
    /// The answer was not ready in time.
    Timeout,
}
