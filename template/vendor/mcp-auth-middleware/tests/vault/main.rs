//! Vault: tokens in KV version 2 and the key in Transit, against a real OpenBao; and against servers that answer as they
//! should not.

#![cfg(feature = "vault")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../harness/faults.rs"]
mod faults;
#[path = "../harness/openbao.rs"]
mod openbao;

mod faulty;
mod layer;
mod login;
mod secrets;
#[cfg(feature = "encryption")]
mod transit;

use std::time::Duration;

use mcp_auth_middleware::{SecretSource, ServiceToken, StoreError, VaultConfig, VaultLogin, VaultTokenStore};

const VALUE: &str = "coda-5e1f9c74-upstream-value";
const READ: &str = r#"path "secret/data/mcp/*" { capabilities = ["read"] }"#;

/// A configuration for the secrets below `secret/mcp`, with a token.
fn with_token(address: &str, token: &str) -> VaultConfig {
    let login = VaultLogin::Token(SecretSource::Text(token.into()));
    VaultConfig::new(address, login).unwrap().with_path("mcp").unwrap()
}

/// The clock of the store goes ahead; not that of the server.
async fn later(by: Duration) {
    tokio::time::pause();
    tokio::time::advance(by).await;
    tokio::time::resume();
}

fn store(config: VaultConfig) -> VaultTokenStore {
    VaultTokenStore::new(config).unwrap()
}

async fn get(store: &VaultTokenStore, key: &str) -> Result<Option<String>, StoreError> {
    store.get_token("coda", key).await.map(|token| token.as_ref().map(ServiceToken::expose).map(str::to_owned))
}

#[track_caller]
fn assert_denied<T: std::fmt::Debug>(result: Result<T, StoreError>, words: &str) {
    let error = result.unwrap_err();
    assert!(matches!(&error, StoreError::Denied(text) if text.contains(words)), "{error}");
}

#[track_caller]
fn assert_not_set_up<T: std::fmt::Debug>(result: Result<T, StoreError>, words: &str) {
    let error = result.unwrap_err();
    assert!(matches!(&error, StoreError::NotSetUp(text) if text.contains(words)), "{error}");
}
