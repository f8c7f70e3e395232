//! The ways to log in, each with what is refused; renewal, and what comes after it.

use std::time::{Duration, Instant};

use axum::routing::post;
use http::header::CONTENT_TYPE;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use mcp_auth_middleware::{SecretSource, VaultConfig, VaultLogin};
use serde_json::{Value, json};

use super::openbao::OpenBao;
use super::*;

async fn ready() -> Option<OpenBao> {
    let bao = openbao::start().await?;
    bao.policy("read", READ).await;
    bao.put("mcp/coda", json!({"API_TOKEN": VALUE})).await;
    Some(bao)
}

fn config(bao: &OpenBao, login: VaultLogin) -> VaultConfig {
    VaultConfig::new(&bao.address, login).unwrap().with_path("mcp").unwrap()
}

fn found() -> Result<Option<String>, StoreError> {
    Ok(Some(VALUE.to_owned()))
}

#[tokio::test]
async fn a_wrong_token_is_refused_and_not_repeated_at_once() {
    let Some(bao) = ready().await else { return };
    for token in ["s.wrongwrongwrongwrongwrong", "with a blank"] {
        let store = store(with_token(&bao.address, token));
        let error = get(&store, "API_TOKEN").await.unwrap_err();
        assert!(matches!(error, StoreError::Denied(_)) && !error.to_string().contains(token), "{error}");
    }
    let wrong = store(with_token(&bao.address, "s.wrong"));
    assert_denied(
        get(&wrong, "API_TOKEN").await,
        "Vault refuses the login (token): check that the token is the right one",
    );
}

/// An agent, or an operator, keeps the token in a file.
#[tokio::test]
async fn a_token_in_a_file_is_read_again_when_it_no_longer_counts() {
    let Some(bao) = ready().await else { return };
    let first = bao.token("read", json!({"ttl": "1h"})).await;
    let file = bao.file("token", &format!("{first}\n"));
    let store = store(config(&bao, VaultLogin::Token(SecretSource::File(file.clone()))));
    assert_eq!(get(&store, "API_TOKEN").await, found());

    let second = bao.token("read", json!({"ttl": "1h"})).await;
    bao.file("token", &second);
    bao.post("auth/token/revoke", json!({"token": first})).await;
    assert_eq!(get(&store, "API_TOKEN").await, found());

    bao.post("auth/token/revoke", json!({"token": second})).await;
    assert_denied(get(&store, "API_TOKEN").await, "Vault refuses the login");
    std::fs::remove_file(&file).unwrap();
    later(Duration::from_secs(30)).await;
    assert_denied(get(&store, "API_TOKEN").await, "nothing to log in with: the file");
}

/// The log has to say that it is the certificate, and not the network.
#[tokio::test]
async fn only_a_certificate_of_a_known_authority_counts() {
    let Some(bao) = openbao::start_tls().await else { return };
    bao.policy("read", READ).await;
    bao.put("mcp/coda", json!({"API_TOKEN": VALUE})).await;
    let token = bao.token("read", json!({})).await;
    let known = with_token(&bao.address, &token).with_root_certificates(&bao.authority).unwrap();
    assert_eq!(get(&store(known), "API_TOKEN").await, found());

    let stranger = rcgen::generate_simple_self_signed(["stranger".to_owned()]).unwrap().cert.pem();
    let strange = with_token(&bao.address, &token).with_root_certificates(stranger.as_bytes()).unwrap();
    for config in [with_token(&bao.address, &token), strange] {
        let error = get(&store(config), "API_TOKEN").await.unwrap_err();
        let words = format!("the certificate of Vault does not count: UnknownIssuer ({})", bao.place());
        assert_eq!(error, StoreError::Unavailable(words));
    }
}

#[tokio::test]
async fn app_role_with_a_secret_id_from_a_file() {
    let Some(bao) = ready().await else { return };
    let (role_id, secret_id) = bao.app_role(json!({"token_policies": ["read"], "token_ttl": "1h"})).await;
    let file = bao.file("secret_id", &secret_id);
    let login =
        |role_id: &str, file| VaultLogin::AppRole { role_id: role_id.to_owned(), secret_id: SecretSource::File(file) };
    let good = store(config(&bao, login(&role_id, file.clone())));
    assert_eq!(get(&good, "API_TOKEN").await, found());

    // The secret id is another one, and all sessions of the former have ended.
    bao.file("secret_id", &bao.secret_id().await);
    bao.post("auth/approle/role/coda/secret-id/destroy", json!({"secret_id": secret_id})).await;
    bao.post("sys/leases/revoke-prefix/auth/approle", json!({})).await;
    assert_eq!(get(&good, "API_TOKEN").await, found());

    let old = bao.file("old", &secret_id);
    for wrong in [login(&role_id, old), login("another-role", file.clone())] {
        let error = get(&store(config(&bao, wrong)), "API_TOKEN").await;
        assert_denied(error, "Vault refuses the login (approle): check role id and secret id");
    }
    let elsewhere = config(&bao, login(&role_id, file)).with_login_mount("nowhere/approle").unwrap();
    // OpenBao does not tell strangers whether a method is mounted.
    assert_denied(get(&store(elsewhere), "API_TOKEN").await, "Vault refuses the login (nowhere/approle)");
}

/// Signs what a platform makes for its workloads.
struct Issuer(rcgen::KeyPair);

impl Issuer {
    fn new() -> Self {
        Self(rcgen::KeyPair::generate().unwrap())
    }

    fn token(&self, claims: Value) -> String {
        let key = EncodingKey::from_ec_der(&self.0.serialize_der());
        jsonwebtoken::encode(&Header::new(Algorithm::ES256), &claims, &key).unwrap()
    }
}

fn in_an_hour() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() + 3600
}

#[tokio::test]
async fn a_jwt_from_a_file_that_is_read_at_each_login() {
    let Some(bao) = ready().await else { return };
    let issuer = Issuer::new();
    bao.post("sys/auth/jwt", json!({"type": "jwt"})).await;
    bao.post("auth/jwt/config", json!({"jwt_validation_pubkeys": [issuer.0.public_key_pem()]})).await;
    let role = json!({
        "role_type": "jwt", "user_claim": "sub", "bound_subject": "ci", "bound_audiences": ["vault"],
        "token_policies": ["read"], "token_ttl": "1h",
    });
    bao.post("auth/jwt/role/coda", role).await;
    let now = in_an_hour() - 3600;
    let token = |audience: &str| {
        issuer.token(json!({"sub": "ci", "aud": audience, "iat": now, "nbf": now, "exp": in_an_hour()}))
    };
    let file = bao.file("jwt", &token("somebody-else"));
    let login = VaultLogin::Jwt { role: "coda".to_owned(), token: file };
    let store = store(config(&bao, login));
    assert_denied(get(&store, "API_TOKEN").await, "Vault refuses the login (jwt): check the role, and which issuer");
    bao.file("jwt", &token("vault"));
    later(Duration::from_secs(30)).await;
    assert_eq!(get(&store, "API_TOKEN").await, found());
}

/// The cluster, which Vault asks whose token it is, is a stand-in for its one call.
#[tokio::test]
async fn kubernetes_with_the_token_of_the_service_account() {
    let Some(bao) = ready().await else { return };
    let review = |body: String| async move {
        let review: Value = serde_json::from_str(&body).unwrap();
        let good = review["spec"]["token"].as_str().is_some_and(|token| token.contains('.'));
        let user = json!({
            "username": "system:serviceaccount:mcp:coda", "uid": "1234", "groups": ["system:serviceaccounts"],
        });
        let answer = json!({
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview",
            "status": {"authenticated": good, "user": user},
        });
        ([(CONTENT_TYPE, "application/json")], answer.to_string())
    };
    let router = axum::Router::new().route("/apis/authentication.k8s.io/v1/tokenreviews", post(review));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let cluster = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    bao.post("sys/auth/kubernetes", json!({"type": "kubernetes"})).await;
    let authority = rcgen::generate_simple_self_signed(["cluster".to_owned()]).unwrap();
    let cluster = json!({
        "kubernetes_host": cluster, "token_reviewer_jwt": "reviewer", "disable_local_ca_jwt": true,
        "kubernetes_ca_cert": authority.cert.pem(), "disable_iss_validation": true,
    });
    bao.post("auth/kubernetes/config", cluster).await;
    let role = |account: &str| {
        json!({
            "bound_service_account_names": [account], "bound_service_account_namespaces": ["mcp"],
            "token_policies": ["read"], "token_ttl": "1h",
        })
    };
    bao.post("auth/kubernetes/role/coda", role("coda")).await;
    bao.post("auth/kubernetes/role/other", role("other")).await;
    let claims = json!({
        "iss": "https://kubernetes.default.svc", "sub": "system:serviceaccount:mcp:coda", "exp": in_an_hour(),
        "iat": in_an_hour() - 3600, "nbf": in_an_hour() - 3600,
        "kubernetes.io": {"namespace": "mcp", "serviceaccount": {"name": "coda", "uid": "1234"}},
    });
    let file = bao.file("service-account", &Issuer::new().token(claims));
    let login = |role: &str| VaultLogin::Kubernetes { role: role.to_owned(), token: file.clone() };
    assert_eq!(get(&store(config(&bao, login("coda"))), "API_TOKEN").await, found());
    for role in ["other", "nobody"] {
        let refused = get(&store(config(&bao, login(role))), "API_TOKEN").await;
        assert_denied(refused, "Vault refuses the login (kubernetes): check the role, and which service accounts");
    }
}

/// A token that lasts 3 seconds and can be renewed for 6 in all: reads go on past both.
#[tokio::test]
async fn a_session_is_renewed_before_its_end_and_replaced_when_it_cannot_be() {
    let Some(bao) = ready().await else { return };
    let (role_id, secret_id) =
        bao.app_role(json!({"token_policies": ["read"], "token_ttl": "3s", "token_max_ttl": "6s"})).await;
    let login = VaultLogin::AppRole { role_id, secret_id: SecretSource::Text(secret_id.into()) };
    let store = store(config(&bao, login));
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(10) {
        assert_eq!(get(&store, "API_TOKEN").await, found(), "after {:?}", started.elapsed());
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let accessors = bao.admin("LIST".parse().unwrap(), "auth/token/accessors", Value::Null).await;
    let logins = accessors["data"]["keys"].as_array().unwrap().len();
    assert!(logins <= 4, "a session that could be renewed was replaced: {logins} tokens are left");
}

/// A token that may not ask what it may do is not replaced over and over.
#[tokio::test]
async fn a_session_without_the_default_policy_reads_and_is_not_replaced_at_each_refusal() {
    let Some(bao) = ready().await else { return };
    let (role_id, secret_id) =
        bao.app_role(json!({"token_policies": ["read"], "token_ttl": "1h", "token_no_default_policy": true})).await;
    let login = VaultLogin::AppRole { role_id, secret_id: SecretSource::Text(secret_id.into()) };
    let store = store(config(&bao, login));
    assert_eq!(get(&store, "API_TOKEN").await, found());
    bao.policy("read", r#"path "secret/data/other" { capabilities = ["read"] }"#).await;
    for _ in 0..5 {
        assert_denied(get(&store, "API_TOKEN").await, "do not let it use");
    }
    let accessors = bao.admin("LIST".parse().unwrap(), "auth/token/accessors", Value::Null).await;
    let logins = accessors["data"]["keys"].as_array().unwrap().len();
    assert!(logins <= 3, "{logins} tokens");
}
