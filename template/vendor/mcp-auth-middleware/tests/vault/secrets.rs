//! What is read, and what is said where there is nothing to read.

use mcp_auth_middleware::{StoreError, VaultInspection};
use reqwest::Method;
use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn a_token_is_a_field_of_the_secret_of_its_service() {
    let Some(bao) = openbao::start().await else { return };
    bao.policy("read", READ).await;
    let store = store(with_token(&bao.address, &bao.token("read", json!({"ttl": "1h"})).await));
    assert_eq!(get(&store, "API_TOKEN").await, Ok(None));
    assert_eq!(store.inspect("coda").await, Ok(VaultInspection::Absent));
    assert_eq!(store.ping("coda").await, Ok(()), "no secret is no outage");

    bao.put("mcp/coda", json!({"API_TOKEN": VALUE, "OTHER": "x", "EMPTY": "", "NUMBER": 17, "odd \"name\"/:": "odd"}))
        .await;
    assert_eq!(get(&store, "API_TOKEN").await, Ok(Some(VALUE.to_owned())));
    assert_eq!(get(&store, "odd \"name\"/:").await, Ok(Some("odd".to_owned())));
    assert_eq!(get(&store, "EMPTY").await, Ok(None));
    assert_eq!(get(&store, "MISSING").await, Ok(None));
    assert_eq!(store.get_token("other", "API_TOKEN").await.unwrap().map(|_| ()), None, "services are apart");
    let error = get(&store, "NUMBER").await.unwrap_err();
    assert_eq!(error.to_string(), "the field NUMBER of secret/mcp/coda is no text");
    let Ok(VaultInspection::Fields(fields)) = store.inspect("coda").await else { panic!("no fields") };
    assert_eq!(fields, ["API_TOKEN", "EMPTY", "NUMBER", "OTHER", "odd \"name\"/:"]);

    bao.put("mcp/coda", json!({"API_TOKEN": "another \u{1f511} value\n"})).await;
    assert_eq!(get(&store, "API_TOKEN").await, Ok(Some("another \u{1f511} value\n".to_owned())));
}

#[tokio::test]
async fn a_version_that_was_deleted_or_destroyed_is_no_token() {
    let Some(bao) = openbao::start().await else { return };
    bao.policy("read", READ).await;
    let store = store(with_token(&bao.address, &bao.token("read", json!({})).await));
    bao.put("mcp/coda", json!({"API_TOKEN": VALUE})).await;
    bao.admin(Method::DELETE, "secret/data/mcp/coda", Value::Null).await;
    assert_eq!(get(&store, "API_TOKEN").await, Ok(None));
    assert_eq!(store.inspect("coda").await, Ok(VaultInspection::Deleted));
    bao.post("secret/undelete/mcp/coda", json!({"versions": [1]})).await;
    assert_eq!(get(&store, "API_TOKEN").await, Ok(Some(VALUE.to_owned())));
    bao.admin(Method::PUT, "secret/destroy/mcp/coda", json!({"versions": [1]})).await;
    assert_eq!(store.inspect("coda").await, Ok(VaultInspection::Deleted));
    bao.admin(Method::DELETE, "secret/metadata/mcp/coda", Value::Null).await;
    assert_eq!(store.inspect("coda").await, Ok(VaultInspection::Absent));
}

/// attacks.md 44.
#[tokio::test]
async fn attack_44_names_do_not_leave_their_place_in_the_url() {
    let Some(bao) = openbao::start().await else { return };
    bao.policy("read", READ).await;
    let store = store(with_token(&bao.address, &bao.token("read", json!({})).await));
    for service in ["", ".", "..", "a/b", "../x", "a b", "a\nb", &"x".repeat(256)] {
        let result = store.get_token(service, "API_TOKEN").await;
        assert!(matches!(result, Err(StoreError::Invalid(_))), "{service:?} {result:?}");
    }
    for key in ["", &"x".repeat(256)] {
        assert!(matches!(get(&store, key).await, Err(StoreError::Invalid(_))), "{key:?}");
    }
    // They are sent as they are.
    for service in ["söö", "100%", "a?b=c", "a#b", "%2e%2e"] {
        let path = reqwest::Url::parse(&format!(
            "http://x/{}",
            service.replace('%', "%25").replace('?', "%3F").replace('#', "%23")
        ));
        bao.put(&format!("mcp{}", path.unwrap().path()), json!({"API_TOKEN": service})).await;
        let token = store.get_token(service, "API_TOKEN").await.unwrap().unwrap();
        assert_eq!(token.expose(), service);
    }
}

#[tokio::test]
async fn what_may_not_be_read_is_denied_and_needs_no_new_login() {
    let Some(bao) = openbao::start().await else { return };
    bao.policy("other", r#"path "secret/data/other/*" { capabilities = ["read"] }"#).await;
    let store = store(with_token(&bao.address, &bao.token("other", json!({})).await));
    for _ in 0..2 {
        let place = bao.place();
        assert_eq!(
            get(&store, "API_TOKEN").await.unwrap_err().to_string(),
            format!(
                "token store denied access: the policies of the login (token) do not let it use secret/data/mcp/coda ({place})"
            )
        );
    }
    bao.policy("other", READ).await;
    assert_eq!(get(&store, "API_TOKEN").await, Ok(None), "a policy counts at once");
}

#[tokio::test]
async fn an_engine_of_another_version_or_none_is_said() {
    let Some(bao) = openbao::start().await else { return };
    bao.policy("all", r#"path "*" { capabilities = ["read", "list"] }"#).await;
    let token = bao.token("all", json!({})).await;
    let at = |mount: &str| store(with_token(&bao.address, &token).with_mount(mount).unwrap());
    bao.post("sys/mounts/one", json!({"type": "kv", "options": {"version": "1"}})).await;
    assert_not_set_up(get(&at("one"), "API_TOKEN").await, "the secrets engine at one/ is not KV version 2");
    // Somebody has put a secret where version 2 has its data.
    bao.post("one/data/mcp/coda", json!({"API_TOKEN": VALUE})).await;
    assert_not_set_up(get(&at("one"), "API_TOKEN").await, "the secrets engine at one/ is not KV version 2");
    assert_not_set_up(get(&at("none"), "API_TOKEN").await, "nothing mounted for none/data/mcp/coda");
    bao.post("sys/mounts/team/kv", json!({"type": "kv", "options": {"version": "2"}})).await;
    let deep = at("team/kv");
    let written = async {
        // A new mount of version 2 says for a moment that it is upgrading.
        for _ in 0..100 {
            if get(&deep, "API_TOKEN").await == Ok(None) {
                return true;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        false
    };
    assert!(written.await);
    bao.post("team/kv/data/mcp/coda", json!({"data": {"API_TOKEN": VALUE}})).await;
    assert_eq!(get(&deep, "API_TOKEN").await, Ok(Some(VALUE.to_owned())));
}

#[tokio::test]
async fn a_namespace_is_a_world_of_its_own() {
    let Some(bao) = openbao::start().await else { return };
    bao.put("mcp/coda", json!({"API_TOKEN": "of the root"})).await;
    bao.post("sys/namespaces/team", json!({})).await;
    bao.post("team/sys/mounts/secret", json!({"type": "kv", "options": {"version": "2"}})).await;
    bao.admin(Method::PUT, "team/sys/policies/acl/read", json!({"policy": READ})).await;
    let token = bao.post("team/auth/token/create", json!({"policies": ["read"], "no_parent": true})).await;
    let token = token["auth"]["client_token"].as_str().unwrap().to_owned();
    for _ in 0..100 {
        let stored = bao.try_post("team/secret/data/mcp/coda", json!({"data": {"API_TOKEN": VALUE}})).await;
        if stored == 200 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let inside = |name: &str| store(with_token(&bao.address, &token).with_namespace(name).unwrap());
    assert_eq!(get(&inside("team/"), "API_TOKEN").await, Ok(Some(VALUE.to_owned())));
    assert_not_set_up(get(&inside("nobody"), "API_TOKEN").await, "no such namespace");
    assert!(get(&store(with_token(&bao.address, &token)), "API_TOKEN").await.is_err(), "it is no token of the root");
}

#[tokio::test]
async fn a_sealed_server_says_so() {
    let Some(bao) = openbao::start().await else { return };
    bao.policy("read", READ).await;
    let sealed_later = store(with_token(&bao.address, &bao.token("read", json!({})).await));
    assert_eq!(get(&sealed_later, "API_TOKEN").await, Ok(None));
    bao.admin(Method::PUT, "sys/seal", Value::Null).await;
    let fresh = store(with_token(&bao.address, "s.whatever"));
    for store in [&sealed_later, &fresh] {
        let error = get(store, "API_TOKEN").await.unwrap_err();
        let place = bao.place();
        assert_eq!(
            error.to_string(),
            format!("token store unavailable: it is sealed, and has to be unsealed ({place})")
        );
    }
}

#[tokio::test]
async fn a_server_that_is_down() {
    let Some(mut bao) = openbao::start().await else { return };
    bao.stop();
    let error = get(&store(with_token(&bao.address, "s.whatever")), "API_TOKEN").await.unwrap_err();
    assert_eq!(error.to_string(), format!("token store unavailable: cannot connect to Vault ({})", bao.place()));
}
