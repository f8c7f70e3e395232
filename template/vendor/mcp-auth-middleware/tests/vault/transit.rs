//! The key for PostgreSQL, wrapped by Transit.

use mcp_auth_middleware::encryption::EncryptionKey;
use mcp_auth_middleware::{TransitConfig, TransitError, TransitKeyProvider, TransitVersions};
use reqwest::Method;
use serde_json::{Value, json};

use super::openbao::OpenBao;
use super::*;

/// What a server needs, and what the operator needs to wrap keys.
const UNWRAP: &str = r#"path "transit/decrypt/mcp" { capabilities = ["update"] }"#;
const WRAP: &str = r#"
path "transit/decrypt/mcp" { capabilities = ["update"] }
path "transit/encrypt/mcp" { capabilities = ["update"] }
path "transit/keys/mcp" { capabilities = ["read"] }
"#;

async fn ready() -> Option<OpenBao> {
    let bao = openbao::start().await?;
    bao.post("sys/mounts/transit", json!({"type": "transit"})).await;
    bao.post("transit/keys/mcp", json!({})).await;
    bao.policy("unwrap", UNWRAP).await;
    bao.policy("wrap", WRAP).await;
    Some(bao)
}

async fn provider(bao: &OpenBao, policy: &str, key: &str, deployment: &str) -> TransitKeyProvider {
    let vault = with_token(&bao.address, &bao.token(policy, json!({})).await);
    TransitKeyProvider::new(TransitConfig::new(vault, key, deployment).unwrap()).unwrap()
}

#[tokio::test]
async fn a_new_key_is_wrapped_and_a_server_that_may_only_unwrap_has_it() {
    let Some(bao) = ready().await else { return };
    let wrap = provider(&bao, "wrap", "mcp", "production").await;
    let wrapped = wrap.wrap_new_key().await.unwrap();
    assert!(wrapped.text.starts_with("vault:v1:"), "{}", wrapped.text);
    assert_eq!(TransitKeyProvider::version_of(&wrapped.text), Some(1));
    let server = provider(&bao, "unwrap", "mcp", "production").await;
    for text in [wrapped.text.clone(), format!(" {}\n", wrapped.text)] {
        assert_eq!(server.unwrap_key(&text).await.unwrap().id(), wrapped.id);
    }
    assert_ne!(wrap.wrap_new_key().await.unwrap().id, wrapped.id);
    let error = server.wrap_new_key().await.unwrap_err();
    assert!(
        matches!(&error, TransitError::Vault(StoreError::Denied(text)) if text.contains("transit/encrypt/mcp")),
        "{error}"
    );
    assert!(matches!(server.versions().await, Err(TransitError::Vault(StoreError::Denied(_)))));
}

/// The move of servers that have a key already: the tokens stay as they are.
#[tokio::test]
async fn a_key_that_there_is_keeps_its_id_when_it_is_wrapped() {
    let Some(bao) = ready().await else { return };
    let wrap = provider(&bao, "wrap", "mcp", "production").await;
    for text in [
        "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=",
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
    ] {
        let wrapped = wrap.wrap_key(&text.into()).await.unwrap();
        let id = EncryptionKey::parse(text).unwrap().id();
        assert_eq!((wrapped.id, wrap.unwrap_key(&wrapped.text).await.unwrap().id()), (id, id));
        assert!(!format!("{wrapped:?} {wrap:?}").contains(text));
    }
    assert!(matches!(wrap.wrap_key(&"too short".into()).await, Err(TransitError::Key(_))));
}

#[tokio::test]
async fn a_key_of_another_deployment_or_another_transit_key_does_not_unwrap() {
    let Some(bao) = ready().await else { return };
    bao.post("transit/keys/mcp2", json!({})).await;
    bao.policy("all", r#"path "transit/*" { capabilities = ["read", "update"] }"#).await;
    let production = provider(&bao, "all", "mcp", "production").await;
    let wrapped = production.wrap_new_key().await.unwrap();
    for (key, deployment) in [("mcp", "staging"), ("mcp2", "production"), ("mcp", "production ")] {
        let result = provider(&bao, "all", key, deployment).await.unwrap_key(&wrapped.text).await;
        if deployment.trim() == "production" && key == "mcp" {
            assert_eq!(result.unwrap().id(), wrapped.id);
            continue;
        }
        let error = result.unwrap_err();
        assert_eq!(error, TransitError::Other { key: key.to_owned(), deployment: deployment.to_owned() });
        assert!(error.to_string().contains("wrapped for another deployment"), "{error}");
    }
    // A bit less, and what Transit has encrypted for somebody else.
    let mut changed = wrapped.text.clone().into_bytes();
    let at = changed.len() - 6;
    changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
    let changed = String::from_utf8(changed).unwrap();
    let other =
        bao.post("transit/encrypt/mcp", json!({"plaintext": "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k="})).await;
    for text in [&changed, other["data"]["ciphertext"].as_str().unwrap()] {
        assert!(matches!(production.unwrap_key(text).await, Err(TransitError::Other { .. })), "{text}");
    }
    for text in ["", "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=", "vault:v1:"] {
        assert_eq!(production.unwrap_key(text).await.err(), Some(TransitError::NotWrapped));
    }
    let nobody = provider(&bao, "all", "nobody", "production").await;
    assert_eq!(nobody.unwrap_key(&wrapped.text).await.err(), Some(TransitError::NoKey("nobody".to_owned())));
    assert_eq!(nobody.versions().await, Err(TransitError::NoKey("nobody".to_owned())));
    // One that needs a context for each encryption.
    bao.post("transit/keys/derived", json!({"derived": true})).await;
    let derived = provider(&bao, "all", "derived", "production").await;
    let refused = derived.wrap_new_key().await.unwrap_err();
    assert_eq!(refused, TransitError::NotForWrapping("derived".to_owned()));
}

#[tokio::test]
async fn a_rotated_transit_key_unwraps_until_its_version_is_too_old_and_the_key_is_wrapped_anew() {
    let Some(bao) = ready().await else { return };
    let wrap = provider(&bao, "wrap", "mcp", "production").await;
    let first = wrap.wrap_new_key().await.unwrap();
    bao.post("transit/keys/mcp/rotate", json!({})).await;
    let versions = wrap.versions().await.unwrap();
    assert_eq!((versions.latest, versions.min_decryption), (2, 1));
    assert_eq!(wrap.unwrap_key(&first.text).await.unwrap().id(), first.id);

    let second = wrap.rewrap_key(&first.text).await.unwrap();
    assert_eq!((second.id, TransitKeyProvider::version_of(&second.text)), (first.id, Some(2)));
    bao.post("transit/keys/mcp/config", json!({"min_decryption_version": 2})).await;
    assert_eq!(wrap.unwrap_key(&second.text).await.unwrap().id(), first.id);
    let error = wrap.unwrap_key(&first.text).await.unwrap_err();
    assert_eq!(error, TransitError::TooOld { key: "mcp".to_owned(), version: 1 });
    let versions: TransitVersions = wrap.versions().await.unwrap();
    assert_eq!((versions.latest, versions.min_decryption), (2, 2));
}

#[tokio::test]
async fn a_server_that_is_sealed_or_down_or_has_no_transit_gives_no_key() {
    let Some(mut bao) = ready().await else { return };
    let wrap = provider(&bao, "wrap", "mcp", "production").await;
    let wrapped = wrap.wrap_new_key().await.unwrap();
    let vault = with_token(&bao.address, &bao.token("root", json!({})).await);
    let elsewhere = TransitConfig::new(vault, "mcp", "production").unwrap().with_mount("none").unwrap();
    let error = TransitKeyProvider::new(elsewhere).unwrap().unwrap_key(&wrapped.text).await.unwrap_err();
    assert!(
        matches!(&error, TransitError::Vault(StoreError::NotSetUp(text)) if text.contains("none/decrypt")),
        "{error}"
    );
    bao.admin(Method::PUT, "sys/seal", Value::Null).await;
    let error = wrap.unwrap_key(&wrapped.text).await.unwrap_err();
    assert!(
        error.to_string().starts_with("the encryption key cannot be unwrapped: ")
            && error.to_string().contains("sealed")
    );
    bao.stop();
    let error = wrap.unwrap_key(&wrapped.text).await.unwrap_err();
    assert!(matches!(&error, TransitError::Vault(StoreError::Unavailable(text)) if text.contains("connect")));
}

#[test]
fn names_that_cannot_be_are_refused() {
    let config = |key, deployment| TransitConfig::new(with_token("http://127.0.0.1:1", "x"), key, deployment).err();
    assert!(config("mcp", "production").is_none());
    for (key, deployment) in [("", "x"), ("a/b", "x"), ("..", "x"), ("a b", "x"), ("mcp", " ")] {
        assert!(config(key, deployment).is_some(), "{key} {deployment}");
    }
}
