//! A key server that is down, slow, wrong or malicious, and keys that come and go.

use std::time::{Duration, Instant};

use crate::harness::{Access, PERSON, eventually};
use aws_lc_rs::rsa::KeySize;
use mcp_auth_middleware::testing::{AUDIENCE, ISSUER, KeyServer, TestKey, TestTeam};
use mcp_auth_middleware::{AccessConfig, AuthError, KeyPolicy, KeyStatus};
use serde_json::json;

const SHORT: Duration = Duration::from_millis(20);
const NEVER: Duration = Duration::from_secs(3600);

/// A fetch at every occasion: what a test waits for comes soon.
fn eager() -> KeyPolicy {
    let mut policy = KeyPolicy::default();
    policy.refresh_after = SHORT;
    policy.minimum_interval = SHORT;
    policy.timeout = Duration::from_millis(500);
    policy
}

fn status(access: &Access) -> KeyStatus {
    access.layer.key_status().unwrap()
}

/// The clock of the key cache goes ahead; that of the tokens stays.
async fn later(by: Duration) {
    tokio::time::pause();
    tokio::time::advance(by).await;
    tokio::time::resume();
}

#[tokio::test]
async fn attack_06_one_request_in_each_interval() {
    let mut policy = KeyPolicy::default();
    policy.minimum_interval = Duration::from_secs(30);
    let access = Access::with_policy(policy).await;
    access.accepts(access.team.token(PERSON)).await;
    for interval in 1..=3 {
        for n in 0..100 {
            let token = access.token_with_header(json!({"kid": format!("forged-{interval}-{n}")}));
            access.refuses(token, AuthError::UnknownKeyId).await;
        }
        assert_eq!(access.team.requests(), interval);
        later(Duration::from_secs(31)).await;
    }
}

#[tokio::test]
async fn attack_07_the_key_server_sends_us_elsewhere() {
    let access = Access::with_policy(eager()).await;
    let elsewhere = TestTeam::start().await.unwrap();
    let attacker = TestKey::generate("key-1");
    elsewhere.publish(&[&attacker]);
    access.team.behave(KeyServer::RedirectsTo(elsewhere.certs_url()));
    let forged = attacker.sign(&attacker.header(), &access.team.claims(PERSON));
    access.refuses(forged, AuthError::KeysUnavailable).await;
    assert_eq!((access.team.requests(), elsewhere.connections()), (1, 0));
}

#[tokio::test]
async fn attack_34_down_at_start() {
    let mut team = TestTeam::start().await.unwrap();
    team.stop().await;
    let layer = crate::harness::access_layer(&team, |access| access.with_key_policy(eager()));
    let mut access = Access { team, layer };
    let refresher = tokio::spawn(access.layer.clone().keep_keys_fresh());

    access.refuses(access.team.token(PERSON), AuthError::KeysUnavailable).await;
    let before = status(&access);
    assert_eq!((before.keys, before.age, before.next_refresh, before.failing), (0, None, None, true));
    // Faults that need no key are distinguished all the same.
    access.refuses("x", AuthError::JwtMalformed).await;

    access.team.restart().await.unwrap();
    eventually("recovery by itself", async || status(&access).keys == 1).await;
    access.accepts(access.team.token(PERSON)).await;
    assert!(!status(&access).failing);
    refresher.abort();
}

/// Without the background task a request brings the keys, too, and at most one in two seconds while there are none.
#[tokio::test]
async fn attack_34_down_at_start_without_the_background_task() {
    let mut access = Access::start().await;
    access.team.stop().await;
    access.refuses(access.team.token(PERSON), AuthError::KeysUnavailable).await;
    access.team.restart().await.unwrap();
    access.refuses(access.team.token(PERSON), AuthError::KeysUnavailable).await;
    assert_eq!(access.team.connections(), 0, "tried again too soon");
    later(Duration::from_secs(3)).await;
    access.accepts(access.team.token(PERSON)).await;
}

#[tokio::test]
async fn attack_35_down_later() {
    let mut access = Access::start().await;
    access.accepts(access.team.token(PERSON)).await;
    access.team.stop().await;

    // Known keys go on for the stated bound …
    let bound = status(&access).serve_stale_for;
    assert_eq!(bound, Duration::from_secs(24 * 3600));
    for _ in 0..23 {
        later(NEVER).await;
        access.accepts(access.team.token(PERSON)).await;
    }
    eventually("a failed fetch", async || status(&access).failing).await;
    // … what came after them can be neither accepted nor refused …
    later(Duration::from_secs(31)).await;
    access.refuses(access.token_with_header(json!({"kid": "key-2"})), AuthError::KeysUnavailable).await;
    assert_eq!(status(&access).keys, 1);
    // … and then it is 503 until the server is back.
    later(NEVER).await;
    access.refuses(access.team.token(PERSON), AuthError::KeysUnavailable).await;
    access.team.restart().await.unwrap();
    later(Duration::from_secs(3)).await;
    access.accepts(access.team.token(PERSON)).await;
    assert!(!status(&access).failing);
}

/// Every wrong answer there is.
fn faults(elsewhere: &TestTeam) -> Vec<(&'static str, KeyServer)> {
    let answers = |status: u16, body: &str| KeyServer::Answers(status, body.to_owned());
    vec![
        ("500", answers(500, "{}")),
        ("404 with keys", answers(404, &json!({"keys": [elsewhere.key.jwk()]}).to_string())),
        ("204", answers(204, "")),
        ("HTML", answers(200, "<!doctype html><title>Access</title>")),
        ("invalid JSON", answers(200, r#"{"keys":[{"kid":"#)),
        ("nothing", answers(200, "")),
        ("an array", answers(200, "[]")),
        ("no keys", answers(200, r#"{"keys":[]}"#)),
        ("keys of another kind", answers(200, r#"{"keys":{"kid":"key-1"}}"#)),
        ("nested too deeply", answers(200, &format!(r#"{{"keys":{}"#, "[".repeat(100_000)))),
        ("50 MB", KeyServer::Sends(50 * 1024 * 1024)),
        ("drip", KeyServer::Drips),
        ("silence", KeyServer::KeepsSilent),
        ("redirect", KeyServer::RedirectsTo(elsewhere.certs_url())),
    ]
}

#[tokio::test]
async fn attack_36_wrong_answers_never_replace_good_keys() {
    let access = Access::with_policy(eager()).await;
    let elsewhere = TestTeam::start().await.unwrap();
    access.accepts(access.team.token(PERSON)).await;
    for (name, fault) in faults(&elsewhere) {
        access.team.behave(fault);
        let (requests, started) = (access.team.requests(), Instant::now());
        // A token with an unknown key id asks for a fetch; a good one goes on whatever the answer is.
        let unknown = access.token_with_header(json!({"kid": "unknown"}));
        eventually(name, async || {
            let response = access.send(&unknown).await;
            access.accepts(access.team.token(PERSON)).await;
            access.team.requests() > requests && status(&access).failing && response.status() == 503
        })
        .await;
        println!("{name}: {:?}", started.elapsed());
        assert!(started.elapsed() < Duration::from_secs(5), "{name} took {:?}", started.elapsed());
        assert_eq!(status(&access).keys, 1, "{name}");

        access.team.publish(&[&access.team.key]);
        eventually("recovery", async || {
            access.accepts(access.team.token(PERSON)).await;
            !status(&access).failing
        })
        .await;
    }
    assert_eq!(elsewhere.connections(), 0);
    assert!(access.team.bytes_sent() < 20 * 1024 * 1024, "{} bytes were read of 50 MB", access.team.bytes_sent());
}

#[tokio::test]
async fn attack_36_wrong_answers_from_the_start() {
    let elsewhere = TestTeam::start().await.unwrap();
    for (name, fault) in faults(&elsewhere) {
        let access = Access::with_policy(eager()).await;
        access.team.behave(fault);
        let started = Instant::now();
        access.refuses(access.team.token(PERSON), AuthError::KeysUnavailable).await;
        assert!(started.elapsed() < Duration::from_secs(3), "{name} took {:?}", started.elapsed());
        assert_eq!((access.team.requests(), status(&access).keys), (1, 0), "{name}");
    }
    assert_eq!(elsewhere.connections(), 0);
}

/// While a fetch hangs, known keys serve without waiting for it, and others wait for the one fetch together.
#[tokio::test]
async fn attack_36_a_hanging_fetch_holds_nobody_up() {
    let mut policy = eager();
    policy.timeout = Duration::from_secs(2);
    policy.minimum_interval = Duration::from_secs(30);
    let access = Access::with_policy(policy).await;
    access.accepts(access.team.token(PERSON)).await;
    access.team.behave(KeyServer::KeepsSilent);
    let requests = access.team.requests();
    later(Duration::from_secs(31)).await;

    let unknown = access.token_with_header(json!({"kid": "unknown"}));
    let waiting = futures_util::future::join_all((0..20).map(|_| access.send(&unknown)));
    let serving = async {
        eventually("the fetch", async || access.team.requests() > requests).await;
        let started = Instant::now();
        for _ in 0..50 {
            access.accepts(access.team.token(PERSON)).await;
        }
        started.elapsed()
    };
    let (answers, served_in) = tokio::join!(waiting, serving);
    assert!(served_in < Duration::from_millis(1500), "50 requests took {served_in:?}");
    assert!(answers.iter().all(|answer| answer.status() == 503));
    assert_eq!(access.team.requests(), requests + 1);
}

#[tokio::test]
async fn attack_37_keys_that_are_not_used() {
    let access = Access::start().await;
    let small = aws_lc_rs_rsa_1024();
    let (enc, rs512, twin) = (TestKey::generate("enc"), TestKey::generate("rs512"), TestKey::generate("key-1"));
    let with = |key: &TestKey, name: &str, value: &str| {
        let mut jwk = key.jwk();
        jwk[name] = value.into();
        jwk
    };
    // A point of P-256: its generator.
    let x = "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY"; // pragma: allowlist secret
    let y = "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"; // pragma: allowlist secret
    access.team.answer(
        200,
        json!({"keys": [
            {"kty": "EC", "kid": "ec", "alg": "ES256", "use": "sig", "crv": "P-256", "x": x, "y": y},
            {"kty": "oct", "kid": "oct", "k": "c2VjcmV0"},
            {"kty": "RSA", "kid": "small", "alg": "RS256", "use": "sig", "n": small, "e": "AQAB"},
            {"kty": "RSA", "kid": "no modulus", "e": "AQAB"},
            {"kty": "RSA", "kid": "not base64", "n": "?", "e": "AQAB"},
            with(&enc, "use", "enc"),
            with(&rs512, "alg", "RS512"),
            access.team.key.jwk(),
            twin.jwk(),
            null,
        ]})
        .to_string(),
    );
    access.accepts(access.team.token(PERSON)).await;
    assert_eq!(status(&access).keys, 1);
    for unused in [&enc, &rs512] {
        let token = unused.sign(&unused.header(), &access.team.claims(PERSON));
        access.refuses(token, AuthError::UnknownKeyId).await;
    }
    for kid in ["ec", "oct", "small"] {
        access.refuses(access.token_with_header(json!({"kid": kid})), AuthError::UnknownKeyId).await;
    }
    // Of two keys with one id the first counts.
    let token = twin.sign(&twin.header(), &access.team.claims(PERSON));
    access.refuses(token, AuthError::InvalidSignature).await;
}

/// A modulus of 1024 bits: half of a good one, as the library makes no key so small.
fn aws_lc_rs_rsa_1024() -> String {
    use aws_lc_rs::signature::KeyPair as _;
    use base64::Engine as _;
    let pair = aws_lc_rs::rsa::KeyPair::generate(KeySize::Rsa2048).unwrap();
    let modulus = pair.public_key().modulus().big_endian_without_leading_zero().to_vec();
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&modulus[128..])
}

/// As Cloudflare does it: the new key is published before it signs, the old one for a while after.
#[tokio::test]
async fn attack_38_rotation() {
    let access = Access::with_policy(eager()).await;
    let refresher = tokio::spawn(access.layer.clone().keep_keys_fresh());
    let new = TestKey::generate("key-2");
    let old_token = access.team.token(PERSON);
    let new_token = new.sign(&new.header(), &access.team.claims(PERSON));
    access.accepts(&old_token).await;

    access.team.publish(&[&access.team.key, &new]);
    eventually("the new key", async || {
        access.accepts(&old_token).await;
        status(&access).keys == 2
    })
    .await;
    access.accepts(&new_token).await;
    access.accepts(&old_token).await;

    access.team.publish(&[&new]);
    eventually("the end of the old key", async || {
        access.accepts(&new_token).await;
        status(&access).keys == 1
    })
    .await;
    access.refuses(&old_token, AuthError::UnknownKeyId).await;
    access.accepts(&new_token).await;
    refresher.abort();
}

/// A server that does not run the background task gets new keys, and gets rid of old ones, by its requests.
#[tokio::test]
async fn attack_38_rotation_without_the_background_task() {
    let access = Access::start().await;
    let new = TestKey::generate("key-2");
    let new_token = new.sign(&new.header(), &access.team.claims(PERSON));
    access.accepts(access.team.token(PERSON)).await;

    access.team.publish(&[&access.team.key, &new]);
    later(Duration::from_secs(31)).await;
    access.accepts(&new_token).await;
    assert_eq!(access.team.requests(), 2);

    access.team.publish(&[&new]);
    later(NEVER).await;
    access.accepts(access.team.token(PERSON)).await;
    eventually("the refresh that the request caused", async || {
        access.team.requests() == 3 && status(&access).keys == 1
    })
    .await;
    access.refuses(access.team.token(PERSON), AuthError::UnknownKeyId).await;
    access.accepts(&new_token).await;
}

/// Two applications, two teams: keys are not shared.
#[tokio::test]
async fn keys_belong_to_one_layer() {
    let (one, other) = (Access::start().await, Access::start().await);
    one.accepts(one.team.token(PERSON)).await;
    other.refuses(one.team.token(PERSON), AuthError::InvalidSignature).await;
}

#[test]
fn plain_http_is_for_loopback_only() {
    let with = |url: &str| AccessConfig::new(ISSUER, [AUDIENCE]).unwrap().with_certs_url(url).is_ok();
    assert!(with("https://keys.example/certs") && with("http://localhost:9/certs"));
    assert!(!with("http://169.254.169.254/") && !with("http://localhost.evil.example/") && !with("keys"));
}
