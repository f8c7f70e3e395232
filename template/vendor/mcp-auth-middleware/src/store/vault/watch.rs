//! The work of a server beside its requests: it keeps the login, and notices when access is taken away.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::VaultTokenStore;
use super::client::Access;
use crate::StoreError;

/// How often Vault is asked whether the login still counts. No secret is read for that.
const INSPECTION: Duration = Duration::from_secs(5);

impl VaultTokenStore {
    /// For as long as it is polled. The login is renewed when it is due, also where nobody calls; `forget` is called once
    /// when Vault says that it, or the access to the secret of this service, has ended.
    pub(crate) async fn watch(&self, service: &str, forget: impl Fn()) {
        let mut lost = false;
        loop {
            match self.may_read(service).await {
                Ok(true) => lost = false,
                // Whether Vault is down is for the requests to find out.
                Err(error) if !matches!(error, StoreError::Denied(_)) => {}
                Ok(false) | Err(_) => {
                    if !lost {
                        forget();
                    }
                    lost = true;
                }
            }
            sleep(INSPECTION).await;
        }
    }

    /// Returns whether this login may read the secret.
    async fn may_read(&self, service: &str) -> Result<bool, StoreError> {
        let client = &self.0;
        let path = client.config.data_path(service);
        client
            .bounded(|deadline: Instant| async move {
                let session = client.sessions.get(None, deadline).await?;
                match client.access(&session, &path, deadline).await? {
                    Access::Read => Ok(true),
                    Access::NotRead => Ok(false),
                    // A login that may not even ask what it may do: requests will show it. Each question would make another login.
                    Access::Rejected if client.is_blind() => Ok(true),
                    Access::Rejected => match client.log_in_again(&session, &path, deadline).await? {
                        Some(session) => Ok(client.access(&session, &path, deadline).await? != Access::NotRead),
                        None => Ok(true),
                    },
                }
            })
            .await
    }
}
