//! The exporters, and the HTTP client that they send with.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use axum::http::{HeaderMap, Request, Response};
use opentelemetry::metrics::{Histogram, MeterProvider as _};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError};
use opentelemetry_otlp::{MetricExporter, Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::resource::TelemetryResourceDetector;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider, ShouldSample,
};
use tokio::runtime::Handle;

use crate::config::TelemetryConfig;
use crate::text;

/// Upper bounds of the buckets in seconds, as the conventions have them.
const BUCKETS: [f64; 14] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0];
/// The most bytes that are read of a collector's answer; it says little.
const MAXIMUM_ANSWER: usize = 64 * 1024;
/// While the collector cannot be reached, the log says so this often.
const REMIND: Duration = Duration::from_secs(60);

/// Sends traces and metrics, or nothing at all.
#[derive(Clone, Default)]
pub struct Telemetry(Option<Arc<Exporters>>);

pub(super) struct Exporters {
    pub(super) tracer: Option<SdkTracer>,
    pub(super) duration: Option<Histogram<f64>>,
    tracers: Option<SdkTracerProvider>,
    meters: Option<SdkMeterProvider>,
    headers: Arc<RwLock<HeaderMap>>,
}

impl Telemetry {
    /// Begins to send, where there is a place to send to. Inside of a tokio runtime.
    ///
    /// # Errors
    /// A sentence, where an exporter cannot be built.
    pub(crate) fn start(config: Option<&TelemetryConfig>) -> Result<Self, String> {
        let Some(config) = config.filter(|config| config.traces || config.metrics) else { return Ok(Self::default()) };
        let headers = Arc::new(RwLock::new(config.headers.clone()));
        let client = Arc::new(Client::new(config, Arc::clone(&headers))?);
        let resource = Resource::builder_empty().with_detector(Box::new(TelemetryResourceDetector));
        let resource =
            resource.with_attributes(config.resource.iter().map(|(k, v)| KeyValue::new(k.clone(), v.clone())));
        let resource = resource.build();
        let tracers = config.traces.then(|| tracers(config, &client, resource.clone())).transpose()?;
        let meters = config.metrics.then(|| meters(config, &client, resource)).transpose()?;
        let scope =
            || InstrumentationScope::builder(env!("CARGO_PKG_NAME")).with_version(env!("CARGO_PKG_VERSION")).build();
        let duration = meters.as_ref().map(|meters| {
            let meter = meters.meter_with_scope(scope());
            let histogram = meter.f64_histogram("mcp.server.operation.duration").with_unit("s");
            histogram
                .with_description("Time from when a request is there until its answer is.")
                .with_boundaries(BUCKETS.to_vec())
                .build()
        });
        let tracer = tracers.as_ref().map(|tracers| tracers.tracer_with_scope(scope()));
        Ok(Self(Some(Arc::new(Exporters { tracer, duration, tracers, meters, headers }))))
    }

    pub(super) fn exporters(&self) -> Option<&Arc<Exporters>> {
        self.0.as_ref()
    }

    /// The headers for the collector from now on: the file that they came from has changed.
    pub(crate) fn set_headers(&self, headers: HeaderMap) {
        if let Some(exporters) = &self.0 {
            *exporters.headers.write().unwrap_or_else(PoisonError::into_inner) = headers;
        }
    }

    /// Sends what is not sent yet, but waits no longer than this.
    pub(crate) async fn shut_down(self, patience: Duration) {
        let Some(exporters) = self.0 else { return };
        // They block, and not all of them know a limit: each has a thread of its own, which nobody has to wait for.
        let (traces, traces_sent) = tokio::sync::oneshot::channel();
        let (metrics, metrics_sent) = tokio::sync::oneshot::channel();
        let (tracers, meters) = (exporters.tracers.clone(), exporters.meters.clone());
        std::thread::spawn(move || {
            let _ = traces.send(tracers.is_none_or(|tracers| tracers.shutdown_with_timeout(patience).is_ok()));
        });
        std::thread::spawn(move || {
            let _ = metrics.send(meters.is_none_or(|meters| meters.shutdown_with_timeout(patience).is_ok()));
        });
        let sent = async { matches!(tokio::join!(traces_sent, metrics_sent), (Ok(true), Ok(true))) };
        if !tokio::time::timeout(patience, sent).await.unwrap_or(false) {
            tracing::warn!("The last traces and metrics were not sent (OTEL_EXPORTER_OTLP_ENDPOINT)");
        }
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry").field("on", &self.0.is_some()).finish()
    }
}

fn tracers(config: &TelemetryConfig, client: &Arc<Client>, resource: Resource) -> Result<SdkTracerProvider, String> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(address(config, "traces"))
        .with_timeout(config.timeout)
        .with_shared_http_client(Arc::clone(client) as Arc<dyn HttpClient>)
        .build()
        .map_err(|error| format!("the exporter of traces: {error}"))?;
    let batches = BatchConfigBuilder::default().with_scheduled_delay(config.schedule_delay).build();
    let processor = BatchSpanProcessor::builder(exporter).with_batch_config(batches).build();
    let sampler: Box<dyn ShouldSample> = match config.sampler.ratio {
        ratio if ratio >= 1.0 => Box::new(Sampler::AlwaysOn),
        ratio if ratio <= 0.0 => Box::new(Sampler::AlwaysOff),
        ratio => Box::new(Sampler::TraceIdRatioBased(ratio)),
    };
    let sampler = if config.sampler.parent_based { Box::new(Sampler::ParentBased(sampler)) } else { sampler };
    Ok(SdkTracerProvider::builder()
        .with_span_processor(processor)
        .with_sampler(sampler)
        .with_resource(resource)
        .build())
}

fn meters(config: &TelemetryConfig, client: &Arc<Client>, resource: Resource) -> Result<SdkMeterProvider, String> {
    let exporter = MetricExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(address(config, "metrics"))
        .with_timeout(config.timeout)
        .with_shared_http_client(Arc::clone(client) as Arc<dyn HttpClient>)
        .build()
        .map_err(|error| format!("the exporter of metrics: {error}"))?;
    let reader = PeriodicReader::builder(exporter).with_interval(config.export_interval).build();
    Ok(SdkMeterProvider::builder().with_reader(reader).with_resource(resource).build())
}

/// `OTEL_EXPORTER_OTLP_ENDPOINT` is the beginning of the addresses of all signals.
fn address(config: &TelemetryConfig, signal: &str) -> String {
    format!("{}/v1/{signal}", config.endpoint.as_str().trim_end_matches('/'))
}

/// Sends on the server's own runtime: exporters run in threads that have none.
struct Client {
    http: reqwest::Client,
    headers: Arc<RwLock<HeaderMap>>,
    runtime: Handle,
    trouble: Arc<Trouble>,
}

/// The failures of sending to the collector, logged once in a while.
#[derive(Default)]
struct Trouble {
    failed: AtomicU64,
    logged: Mutex<Option<Instant>>,
}

impl Client {
    fn new(config: &TelemetryConfig, headers: Arc<RwLock<HeaderMap>>) -> Result<Self, String> {
        let http = reqwest::Client::builder()
            // The headers must not travel to wherever a redirect points.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(config.timeout.min(Duration::from_secs(5)))
            .timeout(config.timeout)
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|_| "the HTTP client for the collector could not be built".to_owned())?;
        let runtime = Handle::try_current().map_err(|error| error.to_string())?;
        Ok(Self { http, headers, runtime, trouble: Arc::default() })
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let headers = self.headers.read().unwrap_or_else(PoisonError::into_inner).clone();
        request.headers_mut().extend(headers);
        let (http, trouble) = (self.http.clone(), Arc::clone(&self.trouble));
        let sent = self.runtime.spawn(async move {
            let sent = send(&http, request).await;
            match &sent {
                Ok(answer) if answer.status().is_success() => trouble.over(),
                Ok(answer) => trouble.report(&format!("it answers {}", answer.status().as_u16())),
                Err(problem) => trouble.report(problem),
            }
            sent
        });
        sent.await?.map_err(HttpError::from)
    }
}

async fn send(http: &reqwest::Client, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
    // reqwest's own text may hold the address.
    let problem = |error: reqwest::Error| text::first_cause(&error);
    let mut answer = http.execute(reqwest::Request::try_from(request).map_err(problem)?).await.map_err(problem)?;
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(problem)? {
        if body.len() + chunk.len() > MAXIMUM_ANSWER {
            return Err("its answer is too large".to_owned());
        }
        body.extend_from_slice(&chunk);
    }
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = answer.status();
    *response.headers_mut() = answer.headers().clone();
    Ok(response)
}

impl Trouble {
    fn report(&self, problem: &str) {
        let failed = self.failed.fetch_add(1, Ordering::Relaxed) + 1;
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.is_some_and(|at| at.elapsed() < REMIND) {
            return;
        }
        *logged = Some(Instant::now());
        drop(logged);
        tracing::warn!(
            "Traces and metrics do not reach the collector of OTEL_EXPORTER_OTLP_ENDPOINT, {failed} attempts so far: {problem}"
        );
    }

    fn over(&self) {
        if self.failed.swap(0, Ordering::Relaxed) > 0 {
            *self.logged.lock().unwrap_or_else(PoisonError::into_inner) = None;
            tracing::info!("Traces and metrics reach the collector again");
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
