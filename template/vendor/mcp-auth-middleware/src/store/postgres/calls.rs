//! The record of tool calls: who called which tool, in a table of its own. No arguments, no answers.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Failure, PostgresTokenStore, limits};
use crate::StoreError;
use crate::printable::printable;

/// So many calls wait for a database that is away; what comes then is counted, and said.
const WAITING: usize = 10_000;

/// Calls in one statement.
const BATCH: usize = 500;

/// One call of a tool, as it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCallRecord {
    /// Who called: an address or a name.
    pub caller: String,
    /// The kind of caller.
    pub kind: String,
    /// Who vouches for the caller, where somebody does.
    pub issuer: Option<String>,
    /// The tool.
    pub tool: String,
    /// The outcome, in a word or two.
    pub outcome: String,
    /// How long it took.
    pub duration: Duration,
    /// The id of the request, as log lines have it.
    pub request_id: Option<String>,
}

/// Calls that are not in the database yet.
#[derive(Debug, Default)]
pub(super) struct Waiting(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    calls: VecDeque<(ToolCallRecord, Instant)>,
    dropped: u64,
}

impl Waiting {
    fn lock(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Calls that are being written. What is not, also where nobody waits for it any more, is remembered on: a call may stand
/// there twice, where the database had taken it and its answer was not waited for.
struct Batch<'w> {
    waiting: &'w Waiting,
    calls: Vec<(ToolCallRecord, Instant)>,
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        let mut queue = self.waiting.lock();
        for call in self.calls.drain(..).rev() {
            if queue.calls.len() < WAITING {
                queue.calls.push_front(call);
            } else {
                queue.dropped += 1;
            }
        }
    }
}

impl PostgresTokenStore {
    /// Remembers a call for the record of tool calls; [`write_calls`](Self::write_calls) puts it there. Never waits.
    pub fn record_call(&self, call: ToolCallRecord) {
        let mut queue = self.shared.calls.lock();
        if queue.calls.len() < WAITING {
            queue.calls.push_back((call, Instant::now()));
        } else {
            queue.dropped += 1;
        }
    }

    /// Writes what was remembered into the record of tool calls, and says how many calls those were.
    ///
    /// # Errors
    /// Those of the type [`PostgresTokenStore`]; what was not written is remembered on, also where this is dropped.
    pub async fn write_calls(&self, service: &str) -> Result<usize, StoreError> {
        limits::check_name("service", service)?;
        let mut written = 0;
        loop {
            let mut batch = {
                let waiting = &self.shared.calls;
                let mut queue = waiting.lock();
                let dropped = std::mem::take(&mut queue.dropped);
                if dropped > 0 {
                    tracing::warn!("{dropped} tool calls are in the log only: the database was away for too long");
                }
                let count = queue.calls.len().min(BATCH);
                Batch { waiting, calls: queue.calls.drain(..count).collect() }
            };
            if batch.calls.is_empty() {
                return Ok(written);
            }
            let rows: Vec<_> = batch.calls.iter().map(|(call, at)| row(call, at.elapsed())).collect();
            let rows = serde_json::Value::Array(rows).to_string();
            let write = async {
                let record = sqlx::query("SELECT mcp_auth_store.record_calls($1, $2::text::jsonb)");
                self.fetch(record.bind(service).bind(rows)).await?;
                Ok::<_, Failure>(())
            };
            self.bounded(write).await?;
            written += std::mem::take(&mut batch.calls).len();
        }
    }
}

/// As the function `record_calls` reads it. Names come from requests: what does not fit into the table is cut.
fn row(call: &ToolCallRecord, age: Duration) -> serde_json::Value {
    let millis = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    serde_json::json!({
        "age_ms": millis(age),
        "caller": cut(&call.caller, 320),
        "kind": cut(&call.kind, 32),
        "issuer": call.issuer.as_deref().map(|issuer| cut(issuer, 2000)),
        "tool": cut(&call.tool, 255),
        "outcome": cut(&call.outcome, 64),
        "duration_ms": millis(call.duration),
        "request_id": call.request_id.as_deref().map(|id| cut(id, 255)),
    })
}

fn cut(text: &str, most: usize) -> String {
    let text = printable(text);
    text[..text.floor_char_boundary(most)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_requests_is_made_to_fit() {
        let call = ToolCallRecord {
            caller: "ö".repeat(400),
            kind: "human".to_owned(),
            issuer: None,
            tool: "list\n\0rows".to_owned(),
            outcome: "ok".to_owned(),
            duration: Duration::from_millis(12),
            request_id: Some("x".repeat(1000)),
        };
        let row = row(&call, Duration::from_secs(1));
        assert_eq!(row["caller"].as_str().unwrap().len(), 320);
        assert_eq!(row["tool"], "list\\u{a}\\u{0}rows");
        assert_eq!((&row["duration_ms"], &row["age_ms"], &row["issuer"]), (&12.into(), &1000.into(), &().into()));
        assert_eq!(row["request_id"].as_str().unwrap().len(), 255);
    }
}
