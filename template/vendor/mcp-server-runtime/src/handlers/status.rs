//! `/health` for machines that ask whether the process lives, `/status` for people who ask how it does.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use mcp_auth_middleware::{AuthLayer, TokenStore};
use rmcp::model::ProtocolVersion;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::logging;
use crate::metrics::Metrics;
use crate::server::Service;

/// What the two answers are made from.
#[derive(Debug)]
pub struct Status {
    service: Service,
    auth: AuthLayer,
    auth_mode: &'static str,
    store: TokenStore,
    /// When the store was asked last, and whether it answered.
    probed: Mutex<Option<(Instant, bool)>>,
    metrics: Arc<Metrics>,
}

/// What is known of the token store; names no secret.
struct StoreStatus {
    reachable: bool,
    pool: Value,
    key: Value,
}

/// So long `/status` waits for the token store.
const STORE_PATIENCE: Duration = Duration::from_secs(2);
/// So long it tells what the store answered last: stores limit how often they may be asked, and whoever reads `/status` in
/// a loop must not take that from the lookup of tokens.
const STORE_PROBE_INTERVAL: Duration = Duration::from_secs(5);

impl Status {
    /// The status of a server with this authentication.
    #[must_use]
    pub(crate) fn new(
        service: Service,
        auth: AuthLayer,
        auth_mode: &'static str,
        store: TokenStore,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self { service, auth, auth_mode, store, probed: Mutex::default(), metrics }
    }

    /// Whether the token store answers, as it was a few seconds ago at the most. One request asks for all.
    async fn store_answers(&self) -> bool {
        let mut probed = self.probed.lock().await;
        let recent = probed.filter(|(at, _)| at.elapsed() < STORE_PROBE_INTERVAL);
        if let Some((_, answers)) = recent {
            return answers;
        }
        // Written down first: clients that hang up in between cannot make it ask more often.
        *probed = Some((Instant::now(), probed.is_some_and(|(_, answers)| answers)));
        let answered = tokio::time::timeout(STORE_PATIENCE, self.store.ping(self.service.name)).await;
        let answers = matches!(answered, Ok(Ok(())));
        *probed = Some((Instant::now(), answers));
        answers
    }

    async fn store_status(&self) -> StoreStatus {
        let reachable = self.store_answers().await;
        let (pool, key) = match &self.store {
            TokenStore::Postgres(store) => {
                let pool = store.pool_status();
                let pool = json!({"open": pool.open, "idle": pool.idle, "maximum": pool.maximum});
                (pool, json!(store.active_key().to_string()))
            }
            _ => (Value::Null, Value::Null),
        };
        StoreStatus { reachable, pool, key }
    }

    fn document(&self, store: StoreStatus) -> Value {
        let refused = self.auth.counters().refused().filter(|(_, n)| *n > 0);
        let auth_refused: serde_json::Map<String, Value> = refused
            .map(|(error, n)| (error.code().to_owned(), json!({"reason": error.to_string(), "count": n})))
            .collect();
        let keys = self.auth.key_status().map(|k| {
            json!({
                "keys": k.keys,
                "ageSeconds": k.age.map(|a| a.as_secs()),
                "nextRefreshSeconds": k.next_refresh.map(|n| n.as_secs()),
                "failing": k.failing,
                "serveStaleForSeconds": k.serve_stale_for.as_secs(),
            })
        });
        let versions: Vec<_> = ProtocolVersion::KNOWN_VERSIONS.iter().map(|v| v.as_str().to_owned()).collect();
        json!({
            "service": self.service.name,
            "version": self.service.version,
            "uptimeSeconds": self.metrics.uptime_seconds(),
            "protocolVersions": versions,
            "requests": {
                "byStatus": self.metrics.answers().collect::<std::collections::BTreeMap<_, _>>(),
                "refused": self.metrics.refusals().collect::<std::collections::BTreeMap<_, _>>(),
                "panics": self.metrics.panics(),
            },
            "log": {"dropped": logging::dropped()},
            "upstream": {"failures": self.metrics.upstream_failures()},
            "auth": {
                "mode": self.auth_mode,
                "passed": self.auth.counters().passed(),
                "refused": auth_refused,
                "keyServer": keys,
            },
            "tokenStore": {
                "kind": self.store.as_str(),
                "reachable": store.reachable,
                "pool": store.pool,
                "activeKey": store.key,
            },
        })
    }

    /// OpenMetrics 1.0 text; Prometheus reads it under both of its content types.
    fn openmetrics(&self, store: &StoreStatus) -> String {
        let mut out = String::new();
        let mut family = |name: &str, kind: &str, samples: &[(String, u64)]| {
            let _ = writeln!(out, "# TYPE {name} {kind}");
            for (labels, value) in samples {
                let suffix = if kind == "counter" { "_total" } else { "" };
                let _ = writeln!(out, "{name}{suffix}{labels} {value}");
            }
        };
        let labelled = |label: &str, value: &str| format!("{{{label}=\"{value}\"}}");
        let answers: Vec<_> = self.metrics.answers().map(|(c, n)| (labelled("status", c), n)).collect();
        let refusals: Vec<_> = self.metrics.refusals().map(|(k, n)| (labelled("kind", k), n)).collect();
        let auth: Vec<_> = self.auth.counters().refused().map(|(e, n)| (labelled("code", e.code()), n)).collect();
        family("mcp_uptime_seconds", "gauge", &[(String::new(), self.metrics.uptime_seconds())]);
        family("mcp_http_responses", "counter", &answers);
        family("mcp_http_refusals", "counter", &refusals);
        family("mcp_panics", "counter", &[(String::new(), self.metrics.panics())]);
        let upstream = self.metrics.upstream_failures();
        let upstream: Vec<_> = upstream.into_iter().map(|(kind, n)| (labelled("kind", kind), n)).collect();
        family("mcp_log_lines_dropped", "counter", &[(String::new(), logging::dropped())]);
        family("mcp_upstream_failures", "counter", &upstream);
        family("mcp_auth_passed", "counter", &[(String::new(), self.auth.counters().passed())]);
        family("mcp_auth_refused", "counter", &auth);
        if let Some(keys) = self.auth.key_status() {
            family("mcp_auth_keys", "gauge", &[(String::new(), keys.keys as u64)]);
            family("mcp_auth_keys_failing", "gauge", &[(String::new(), u64::from(keys.failing))]);
            if let Some(age) = keys.age {
                family("mcp_auth_keys_age_seconds", "gauge", &[(String::new(), age.as_secs())]);
            }
        }
        family("mcp_token_store_reachable", "gauge", &[(String::new(), u64::from(store.reachable))]);
        if let Some(open) = store.pool["open"].as_u64() {
            family("mcp_token_store_connections", "gauge", &[(String::new(), open)]);
        }
        out.push_str("# EOF\n");
        out
    }
}

/// What `/health` answers, in this order.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    status: &'static str,
    service: &'static str,
    version: &'static str,
    auth: HealthAuth,
    timestamp: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct HealthAuth {
    mode: &'static str,
    token_storage: &'static str,
}

/// `GET /health`: no authentication, no network; says that the process answers, and how it is set up.
pub async fn health(State(status): State<Arc<Status>>) -> Json<Health> {
    Json(Health {
        status: "ok",
        service: status.service.name,
        version: status.service.version,
        auth: HealthAuth { mode: status.auth_mode, token_storage: status.store.as_str() },
        timestamp: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
    })
}

/// `GET /status`: JSON, or metrics for whoever asks for text.
pub async fn status(State(status): State<Arc<Status>>, headers: HeaderMap) -> Response {
    let store = status.store_status().await;
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if accept.contains("openmetrics-text") {
        let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        return ([(header::CONTENT_TYPE, kind)], status.openmetrics(&store)).into_response();
    }
    if accept.contains("text/plain") {
        return ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], status.openmetrics(&store))
            .into_response();
    }
    Json(status.document(store)).into_response()
}
