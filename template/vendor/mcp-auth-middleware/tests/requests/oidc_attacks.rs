//! Tokens that are none for us, and issuers that misbehave. Numbers are the rows of the project's list of attacks.

use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mcp_auth_middleware::testing::{KeyServer, RESOURCE, TestIssuer, TestKey, now};
use mcp_auth_middleware::{AuthError, AuthLayer, AuthMode, KeyPolicy, OidcConfig, create_auth_middleware};
use serde_json::{Value, json};

use crate::harness::{PERSON, assert_refused, config, passed, send};
use crate::oidc::{layer, send_token};

/// The claims of a good token with some replaced; `null` takes one away.
fn changed(issuer: &TestIssuer, changes: &Value) -> Value {
    let mut claims = issuer.claims(PERSON);
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

#[tokio::test]
async fn attack_01_and_02_no_signature_and_hmac() {
    let issuer = TestIssuer::start().await.unwrap();
    let layer = layer(&issuer, |oidc| oidc);
    let claims = URL_SAFE_NO_PAD.encode(issuer.claims(PERSON).to_string());
    for alg in ["none", "None", "HS256", "HS384", "rs256", "RS257", "ES256K", ""] {
        let header = URL_SAFE_NO_PAD.encode(json!({"alg": alg, "kid": "key-1", "typ": "at+jwt"}).to_string());
        let key = hmac::Key::new(hmac::HMAC_SHA256, &issuer.key.public_der());
        let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&key, format!("{header}.{claims}").as_bytes()));
        for token in [format!("{header}.{claims}."), format!("{header}.{claims}.{signature}")] {
            assert_refused(&send_token(&layer, &token).await, AuthError::AlgorithmNotAllowed);
        }
    }
    assert_eq!(issuer.requests(), 0, "nobody is asked for such a token");
}

#[tokio::test]
async fn attack_03_another_key_under_a_known_id() {
    let issuer = TestIssuer::start().await.unwrap();
    let other = TestKey::generate(issuer.key.kid());
    let token = other.sign(&other.header(), &issuer.claims(PERSON));
    assert_refused(&send_token(&layer(&issuer, |oidc| oidc), &token).await, AuthError::InvalidSignature);
}

#[tokio::test]
async fn attack_06_unknown_key_ids_cost_the_issuer_nothing() {
    let issuer = TestIssuer::start().await.unwrap();
    let layer = layer(&issuer, |oidc| oidc);
    passed(&send_token(&layer, &issuer.token(PERSON)).await);
    let before = issuer.requests();
    for n in 0..200 {
        let other = json!({"alg": "RS256", "kid": format!("key-{n}-x"), "typ": "at+jwt"});
        let token = issuer.key.sign(&other, &issuer.claims(PERSON));
        assert_refused(&send_token(&layer, &token).await, AuthError::UnknownKeyId);
    }
    // And tokens of issuers that are not configured cost nobody anything.
    for n in 0..200 {
        let token = issuer.sign(&changed(&issuer, &json!({"iss": format!("{}/{n}", issuer.issuer())})));
        assert_refused(&send_token(&layer, &token).await, AuthError::IssuerMismatch);
    }
    assert_eq!(issuer.requests(), before);
}

#[tokio::test]
async fn attack_08_to_14_times_audiences_and_forms() {
    let issuer = TestIssuer::start().await.unwrap();
    let layer = layer(&issuer, |oidc| oidc);
    let day = 24 * 60 * 60;
    for (changes, error) in [
        (json!({"exp": now() - 61}), AuthError::JwtExpired),
        (json!({"nbf": now() + 90}), AuthError::JwtNotYetValid),
        (json!({"iat": now() + 90}), AuthError::JwtNotYetValid),
        (json!({"iat": now() - day - 61}), AuthError::JwtTooOld),
        (json!({"exp": null}), AuthError::JwtMalformed),
        (json!({"exp": "1"}), AuthError::JwtMalformed),
        (json!({"exp": -1}), AuthError::JwtMalformed),
        (json!({"aud": null}), AuthError::AudienceMismatch),
        (json!({"aud": []}), AuthError::AudienceMismatch),
        (json!({"aud": "https://mcp.example.com/mcp/"}), AuthError::AudienceMismatch),
        (json!({"aud": ["https://other.example.com/mcp"]}), AuthError::AudienceMismatch),
        (json!({"aud": 7}), AuthError::JwtMalformed),
        (json!({"iss": null}), AuthError::IssuerMismatch),
        (json!({"iss": 7}), AuthError::JwtMalformed),
        (json!({"sub": null}), AuthError::NoIdentity),
        (json!({"sub": " "}), AuthError::NoIdentity),
        (json!({"sub": 7}), AuthError::NoIdentity),
        (json!({"sub": "x".repeat(257)}), AuthError::NoIdentity),
    ] {
        println!("{changes}");
        assert_refused(&send_token(&layer, &issuer.sign(&changed(&issuer, &changes))).await, error);
    }
    for twice in ["iss", "sub", "scope", "aud"] {
        let claims = issuer.claims(PERSON).to_string();
        let claims = format!(r#"{{"{twice}":{},{}"#, issuer.claims(PERSON)[twice], &claims[1..]);
        let token = issuer.key.sign_raw(issuer.key.header().to_string().as_bytes(), claims.as_bytes());
        assert_refused(&send_token(&layer, &token).await, AuthError::JwtMalformed);
    }
    for bad in ["a.b", "a.b.c.d.e", "..", "eyJhbGciOiJSUzI1NiJ9.e30.", &"x".repeat(64 * 1024)] {
        assert_eq!(send_token(&layer, bad).await.status(), 401, "{}", &bad[..bad.len().min(20)]);
    }
    assert_refused(&send(&layer, &[("authorization", b"Bearer \xff")]).await, AuthError::BearerMalformed);
}

#[tokio::test]
async fn attack_63_critical_extensions_and_people_without_sub() {
    let issuer = TestIssuer::start().await.unwrap();
    let layer = layer(&issuer, |oidc| oidc);
    for crit in [json!(null), json!(["b64"]), json!([])] {
        let mut header = issuer.key.header();
        header["crit"] = crit;
        let token = issuer.key.sign(&header, &issuer.claims(PERSON));
        assert_refused(&send_token(&layer, &token).await, AuthError::JwtMalformed);
    }
    let token = issuer.sign(&changed(&issuer, &json!({"sub": null})));
    assert_refused(&send_token(&layer, &token).await, AuthError::NoIdentity);
}

/// What the issuer signs for other ends. The audience of an ID token is the client's id, so a server whose audience is such
/// an id is the one in danger.
#[tokio::test]
async fn attack_67_id_tokens_and_others_that_are_no_access_tokens() {
    const API: &str = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    let issuer = TestIssuer::start().await.unwrap();
    let oidc = OidcConfig::new(issuer.issuer(), [API]).unwrap();
    let layer = create_auth_middleware(config(AuthMode::Oidc).with_oidc(oidc)).unwrap();
    let plain = json!({"aud": API, "client_id": null, "scope": null, "roles": null, "jti": null});
    for (typ, changes) in [
        ("JWT", json!({})),
        ("JWT", json!({"nonce": "n"})),
        ("JWT", json!({"nonce": "n", "scope": "openid"})),
        ("JWT", json!({"at_hash": "h", "azp": "x"})),
        ("JWT", json!({"c_hash": "h", "azp": "x"})),
        ("JWT", json!({"azp": API})),
        ("JWT", json!({"client_id": API, "aud": [API]})),
        ("JWT", json!({"typ": "ID", "azp": "x", "scope": "openid"})),
        ("JWT", json!({"typ": "Refresh", "azp": "x", "scope": "openid"})),
        ("JWT", json!({"typ": 7, "azp": "x", "scope": "openid"})),
        ("id_token+jwt", json!({"scope": "openid"})),
        ("logout+jwt", json!({"scope": "openid"})),
        ("secevent+jwt", json!({"scope": "openid"})),
        ("dpop+jwt", json!({"scope": "openid"})),
        ("oauth-authz-req+jwt", json!({"scope": "openid"})),
        ("", json!({"scope": "openid"})),
        // Bound to a key of the client, whatever its type.
        ("at+jwt", json!({"cnf": {"jkt": "x"}})),
    ] {
        println!("{typ} {changes}");
        let mut claims = changed(&issuer, &plain);
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let mut header = issuer.key.header();
        header["typ"] = typ.into();
        assert_refused(&send_token(&layer, &issuer.key.sign(&header, &claims)).await, AuthError::NotAnAccessToken);
    }
    for (typ, changes) in [
        ("at+jwt", json!({})),
        ("AT+JWT", json!({"nonce": "n"})),
        ("application/at+jwt", json!({})),
        ("JWT", json!({"scope": "openid"})),
        ("jwt", json!({"azp": "x"})),
        ("JWT", json!({"typ": "Bearer", "nonce": "n"})),
    ] {
        println!("{typ} {changes}");
        let mut claims = changed(&issuer, &plain);
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let mut header = issuer.key.header();
        header["typ"] = typ.into();
        passed(&send_token(&layer, &issuer.key.sign(&header, &claims)).await);
    }
}

#[tokio::test]
async fn attack_67_an_algorithm_that_is_not_in_the_list() {
    let mut issuer = TestIssuer::start().await.unwrap();
    issuer.key = TestKey::for_algorithm(mcp_auth_middleware::Algorithm::Ps256, "pss");
    issuer.publish(&[&issuer.key]);
    let token = issuer.token(PERSON);
    assert_refused(&send_token(&layer(&issuer, |oidc| oidc), &token).await, AuthError::AlgorithmNotAllowed);
    // One of two issuers takes it, which is not this one.
    let other = OidcConfig::new("https://other.example", [RESOURCE]).unwrap();
    let other = other.with_algorithms([mcp_auth_middleware::Algorithm::Ps256]).unwrap();
    let this = OidcConfig::new(issuer.issuer(), [RESOURCE]).unwrap();
    let both = create_auth_middleware(config(AuthMode::Oidc).with_oidc(this).with_oidc(other)).unwrap();
    assert_refused(&send_token(&both, &token).await, AuthError::AlgorithmNotAllowed);
}

async fn refused_for_keys(issuer: &TestIssuer) -> Duration {
    let since = Instant::now();
    let mut policy = KeyPolicy::default();
    policy.timeout = Duration::from_millis(300);
    let layer: AuthLayer = layer(issuer, |oidc| oidc.with_key_policy(policy));
    assert_refused(&send_token(&layer, &issuer.token(PERSON)).await, AuthError::KeysUnavailable);
    since.elapsed()
}

#[tokio::test]
async fn attack_67_metadata_of_another_issuer_and_keys_elsewhere() {
    const METADATA: &str = "/.well-known/openid-configuration";
    let issuer = TestIssuer::start().await.unwrap();
    let origin = issuer.issuer().to_owned();
    for (other, keys) in [
        ("https://other.example".to_owned(), format!("{origin}/keys")),
        (format!("{origin}/"), format!("{origin}/keys")),
        (origin.to_uppercase(), format!("{origin}/keys")),
        (origin.clone(), "http://other.example/keys".to_owned()),
        (origin.clone(), "file:///etc/passwd".to_owned()),
    ] {
        issuer.answer(METADATA, 200, json!({"issuer": other, "jwks_uri": keys}).to_string());
        refused_for_keys(&issuer).await;
    }
    for (status, body) in [(200, "<html>"), (200, "{}"), (500, ""), (404, "")] {
        issuer.answer(METADATA, status, body);
        refused_for_keys(&issuer).await;
    }
}

#[tokio::test]
async fn attack_67_nobody_follows_a_redirect() {
    let (issuer, elsewhere) = (TestIssuer::start().await.unwrap(), TestIssuer::start().await.unwrap());
    let keys = format!("{}/keys", elsewhere.issuer());
    issuer.behave("/keys", KeyServer::RedirectsTo(keys));
    refused_for_keys(&issuer).await;
    let metadata = format!("{}/.well-known/openid-configuration", elsewhere.issuer());
    issuer.behave("/.well-known/openid-configuration", KeyServer::RedirectsTo(metadata));
    refused_for_keys(&issuer).await;
    assert_eq!(elsewhere.requests(), 0);
}

#[tokio::test]
async fn attack_36_an_issuer_that_is_slow_or_sends_much() {
    let issuer = TestIssuer::start().await.unwrap();
    for path in ["/keys", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
        for behaviour in [KeyServer::KeepsSilent, KeyServer::Drips, KeyServer::Sends(50 * 1024 * 1024)] {
            // Too much at an address where metadata need not be is as good as nothing there.
            let elsewhere = path.ends_with("oauth-authorization-server") && matches!(behaviour, KeyServer::Sends(_));
            let issuer = TestIssuer::start().await.unwrap();
            issuer.behave(path, behaviour);
            if elsewhere {
                passed(&send_token(&layer(&issuer, |oidc| oidc), &issuer.token(PERSON)).await);
                continue;
            }
            assert!(refused_for_keys(&issuer).await < Duration::from_secs(5), "{path}");
        }
    }
    // It recovers by itself.
    let mut policy = KeyPolicy::default();
    policy.minimum_interval = Duration::from_millis(1);
    let layer = layer(&issuer, |oidc| oidc.with_key_policy(policy));
    issuer.answer("/keys", 500, "");
    assert_refused(&send_token(&layer, &issuer.token(PERSON)).await, AuthError::KeysUnavailable);
    issuer.publish(&[&issuer.key]);
    tokio::time::sleep(Duration::from_millis(10)).await;
    passed(&send_token(&layer, &issuer.token(PERSON)).await);
}

#[tokio::test]
async fn attack_38_rotation_at_an_issuer_whose_keys_move() {
    let mut issuer = TestIssuer::start().await.unwrap();
    let mut policy = KeyPolicy::default();
    policy.minimum_interval = Duration::from_millis(1);
    let layer = layer(&issuer, |oidc| oidc.with_key_policy(policy));
    let old = issuer.token(PERSON);
    passed(&send_token(&layer, &old).await);
    issuer.key = TestKey::for_algorithm(mcp_auth_middleware::Algorithm::Es256, "key-2");
    issuer.publish(&[&issuer.key]);
    tokio::time::sleep(Duration::from_millis(10)).await;
    passed(&send_token(&layer, &issuer.token(PERSON)).await);
    // What the old key has verified is forgotten with it.
    assert_refused(&send_token(&layer, &old).await, AuthError::UnknownKeyId);
}
