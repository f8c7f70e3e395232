//! The work of a server beside its requests: it logs at the start whether its role may do what it must not, once an hour how
//! the audit log ends, and writes the record of tool calls.

use std::sync::PoisonError;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{AuditHead, Inspection, PostgresTokenStore};

/// How often the end of the audit log is logged. Kept log lines prove later that the log still has it
/// (`tokens audit verify --expect`).
const ANCHOR: Duration = Duration::from_secs(3600);

/// How often calls of tools are written.
const WRITE: Duration = Duration::from_secs(1);

/// After a failure.
const AGAIN: Duration = Duration::from_secs(10);

impl PostgresTokenStore {
    /// The end of the audit log as it was said last.
    #[must_use]
    pub fn last_anchor(&self) -> Option<AuditHead> {
        self.shared.anchor.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// For as long as it is polled.
    pub(crate) async fn watch(&self, service: &str) {
        let (mut inspected, mut due) = (false, Instant::now());
        let mut paused = Instant::now();
        loop {
            if Instant::now() >= due {
                due += match self.anchor().await {
                    Ok(()) => ANCHOR,
                    Err(_) => AGAIN,
                };
                // A machine that slept does not catch up.
                due = due.max(Instant::now());
            }
            if !inspected && let Ok(found) = self.inspect(service).await {
                inspected = true;
                for text in complaints(&found) {
                    tracing::warn!("{text}");
                }
            }
            if Instant::now() >= paused
                && let Err(error) = self.write_calls(service).await
            {
                tracing::debug!("the record of tool calls cannot be written: {error}");
                paused = Instant::now() + AGAIN;
            }
            sleep(if inspected { WRITE } else { AGAIN.min(WRITE * 5) }).await;
        }
    }

    async fn anchor(&self) -> Result<(), crate::StoreError> {
        let head = self.audit_head().await?;
        tracing::info!("Audit log: {} rows, last hash {}", head.rows, head.last_hash);
        *self.shared.anchor.lock().unwrap_or_else(PoisonError::into_inner) = Some(head);
        Ok(())
    }
}

/// Returns the problems with the role of a server, a sentence each.
fn complaints(found: &Inspection) -> Vec<String> {
    let role = &found.role;
    let mut all = Vec::new();
    let who = match found {
        Inspection { superuser: true, .. } => Some("a superuser"),
        Inspection { owner: true, .. } => Some("the owner of the tables"),
        Inspection { unbound: true, .. } => Some("bound by no rights (BYPASSRLS, REPLICATION or mcp_auth_keeper)"),
        _ => None,
    };
    if let Some(who) = who {
        all.push(format!(
            "The database role {role} is {who}: the audit log cannot be trusted. Make one for the server: `db init --role ROLE`"
        ));
    } else if !found.excess.is_empty() {
        let rights = found.excess.join(", ");
        all.push(format!("The database role {role} may do more than the server needs: {rights}"));
    }
    if found.former_servers {
        all.push(
            "Servers of the version before may still read tokens past the audit log: `db init --finish` ends that"
                .to_owned(),
        );
    }
    all
}
