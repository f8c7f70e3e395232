//! `/health` for machines that ask whether the process lives, `/status` for people who ask how it does.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use mcp_auth_middleware::{AuthLayer, KeyStatus, TokenStore};
use rmcp::model::ProtocolVersion;
use serde::Serialize;
use serde_json::{Value, json};

use crate::exposition::{Format, Kind, Labels, Page};
use crate::logging;
use crate::metrics::Metrics;
use crate::middleware::limits::Gate;
use crate::process;
use crate::readiness::Readiness;
use crate::server::Service;

/// The values that the two answers are made from.
#[derive(Debug)]
pub struct Status {
    service: Service,
    auth: AuthLayer,
    auth_mode: &'static str,
    store: TokenStore,
    readiness: Arc<Readiness>,
    gate: Arc<Gate>,
    metrics: Arc<Metrics>,
}

/// The state of the token store; names no secret.
struct StoreStatus {
    reachable: bool,
    pool: Value,
    key: Value,
    audit: Value,
}

impl Status {
    /// The status of a server with this authentication.
    #[must_use]
    pub(crate) fn new(
        service: Service,
        auth: AuthLayer,
        auth_mode: &'static str,
        store: TokenStore,
        readiness: Arc<Readiness>,
        gate: Arc<Gate>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self { service, auth, auth_mode, store, readiness, gate, metrics }
    }

    /// Returns the check of whether requests can be answered.
    pub(crate) fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    async fn store_status(&self) -> StoreStatus {
        let reachable = self.readiness.token_store().answers().await;
        let (pool, key, audit) = match &self.store {
            TokenStore::Postgres(store) => {
                let pool = store.pool_status();
                let pool = json!({"open": pool.open, "idle": pool.idle, "maximum": pool.maximum});
                let audit = store.last_anchor().map(|end| json!({"rows": end.rows, "lastHash": end.last_hash}));
                (pool, json!(store.active_key().to_string()), json!(audit))
            }
            _ => (Value::Null, Value::Null, Value::Null),
        };
        StoreStatus { reachable, pool, key, audit }
    }

    fn document(&self, store: StoreStatus) -> Value {
        let refused = self.auth.counters().refused().filter(|(_, n)| *n > 0);
        let auth_refused: serde_json::Map<String, Value> = refused
            .map(|(error, n)| (error.code().to_owned(), json!({"reason": error.to_string(), "count": n})))
            .collect();
        let keys = self.auth.key_status().map(|keys| of_keys(&keys));
        let issuers: serde_json::Map<String, Value> =
            self.auth.issuer_keys().into_iter().map(|(issuer, keys)| (issuer, of_keys(&keys))).collect();
        let introspection: serde_json::Map<String, Value> = self
            .auth
            .introspection_status()
            .into_iter()
            .map(|(issuer, known, questions)| (issuer, json!({"knownTokens": known, "questions": questions})))
            .collect();
        let versions: Vec<_> = ProtocolVersion::KNOWN_VERSIONS.iter().map(|v| v.as_str().to_owned()).collect();
        json!({
            "service": self.service.name,
            "version": self.service.version,
            // Here and not in /health: which template it is tells strangers which faults of it are known.
            "template": {"version": crate::TEMPLATE_VERSION},
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
                "issuers": issuers,
                "introspection": introspection,
            },
            "tokenStore": {
                "kind": self.store.as_str(),
                "reachable": store.reachable,
                "pool": store.pool,
                "activeKey": store.key,
                "auditLog": store.audit,
            },
        })
    }

    /// Everything that is counted, for Prometheus and its like.
    pub(crate) async fn metrics_page(&self, format: Format) -> Page {
        let store = self.store_status().await;
        let mut page = Page::new(format);
        let Service { name, version } = self.service;
        let labels: Labels<'_> = &[("service", name), ("version", version)];
        page.family("mcp_server", Kind::Info, "Which server this is.", [(labels, 1)]);
        page.single("mcp_uptime_seconds", Kind::Gauge, "Time since the start.", self.metrics.uptime_seconds());
        page.labelled(
            "mcp_http_responses",
            Kind::Counter,
            "Answers by class of status.",
            "status",
            self.metrics.answers(),
        );
        let refusals = self.metrics.refusals();
        page.labelled("mcp_http_refusals", Kind::Counter, "Requests refused before MCP saw them.", "kind", refusals);
        let (requests, bytes) = self.gate.in_use();
        page.single("mcp_requests_in_flight", Kind::Gauge, "Requests to /mcp that are worked on.", requests);
        page.single("mcp_requests_memory_bytes", Kind::Gauge, "Memory that is counted for requests to /mcp.", bytes);
        page.single("mcp_panics", Kind::Counter, "Panics that were caught.", self.metrics.panics());
        page.single("mcp_log_lines_dropped", Kind::Counter, "Lines that nobody read in time.", logging::dropped());
        let failures = self.metrics.upstream_failures();
        page.labelled("mcp_upstream_failures", Kind::Counter, "Calls of other APIs that failed.", "kind", failures);
        self.auth_metrics(&mut page);
        let reachable = u64::from(store.reachable);
        page.single("mcp_token_store_reachable", Kind::Gauge, "Whether the token store answers.", reachable);
        if let Some(open) = store.pool["open"].as_u64() {
            page.single("mcp_token_store_connections", Kind::Gauge, "Open connections to the token store.", open);
        }
        let checks = self.readiness.last_seen().map(|(check, ready)| (check, u64::from(ready)));
        page.labelled("mcp_check_ready", Kind::Gauge, "Checks of /readyz, as they were seen last.", "check", checks);
        process::metrics(&mut page, self.metrics.started_at());
        page
    }

    fn auth_metrics(&self, page: &mut Page) {
        let counters = self.auth.counters();
        page.single("mcp_auth_passed", Kind::Counter, "Requests that were let in.", counters.passed());
        let refused = counters.refused().map(|(error, n)| (error.code(), n));
        page.labelled("mcp_auth_refused", Kind::Counter, "Requests that were not let in.", "code", refused);
        let issuers = self.auth.issuer_keys();
        if !issuers.is_empty() {
            let known = issuers.iter().map(|(issuer, keys)| (issuer.as_str(), keys.keys as u64));
            page.labelled("mcp_auth_issuer_keys", Kind::Gauge, "Known keys of each issuer.", "issuer", known);
            let failing = issuers.iter().map(|(issuer, keys)| (issuer.as_str(), u64::from(keys.failing)));
            let help = "Whether the latest fetch of an issuer's keys failed.";
            page.labelled("mcp_auth_issuer_keys_failing", Kind::Gauge, help, "issuer", failing);
        }
        let asked = self.auth.introspection_status();
        if !asked.is_empty() {
            let known = asked.iter().map(|(issuer, known, _)| (issuer.as_str(), known));
            let help = "Tokens that each issuer has called active.";
            page.labelled("mcp_auth_introspected_tokens", Kind::Gauge, help, "issuer", known);
            let questions = asked.iter().map(|(issuer, _, questions)| (issuer.as_str(), questions));
            let help = "How often each issuer was asked about a token.";
            page.labelled("mcp_auth_introspections", Kind::Counter, help, "issuer", questions);
        }
        let Some(keys) = self.auth.key_status() else { return };
        page.single("mcp_auth_keys", Kind::Gauge, "Known keys of the key server.", keys.keys);
        let failing = u64::from(keys.failing);
        page.single("mcp_auth_keys_failing", Kind::Gauge, "Whether the latest fetch of keys failed.", failing);
        if let Some(age) = keys.age {
            page.single("mcp_auth_keys_age_seconds", Kind::Gauge, "Time since keys were fetched.", age.as_secs());
        }
    }
}

/// The keys of one issuer.
fn of_keys(keys: &KeyStatus) -> Value {
    json!({
        "keys": keys.keys,
        "ageSeconds": keys.age.map(|age| age.as_secs()),
        "nextRefreshSeconds": keys.next_refresh.map(|next| next.as_secs()),
        "failing": keys.failing,
        "serveStaleForSeconds": keys.serve_stale_for.as_secs(),
    })
}

/// The answer of `/health`, in this order.
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

/// `GET /status`: JSON, or metrics where `Accept` asks for text.
pub async fn status(State(status): State<Arc<Status>>, headers: HeaderMap) -> Response {
    match Format::asked_for(&headers) {
        Some(format) => status.metrics_page(format).await.into_response(),
        None => Json(status.document(status.store_status().await)).into_response(),
    }
}
