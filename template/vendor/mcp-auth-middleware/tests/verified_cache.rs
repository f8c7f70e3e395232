//! Tokens that were verified a moment ago: what is remembered, for how long, and what never is.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod harness;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use harness::{Access, PERSON, eventually};
use http::HeaderValue;
use mcp_auth_middleware::testing::{AUDIENCE, ISSUER, TestKey, TestTeam};
use mcp_auth_middleware::{
    AccessConfig, AccessValidator, AuthError, KeyPolicy, KeyStatus, validate_cloudflare_access_jwt,
};
use serde_json::json;

fn status(access: &Access) -> KeyStatus {
    access.layer.key_status().unwrap()
}

/// How many tokens are remembered, and how many signatures were checked.
fn counts(access: &Access) -> (usize, u64) {
    let status = status(access);
    (status.verified_tokens, status.signature_checks)
}

/// The clock of the caches goes ahead; that of the tokens stays.
async fn later(by: Duration) {
    tokio::time::pause();
    tokio::time::advance(by).await;
    tokio::time::resume();
}

/// Has the keys fetched again, as a token with an unknown key id does.
async fn fetch_keys(access: &Access) {
    later(Duration::from_secs(31)).await;
    access.refuses(access.token_with_header(json!({"kid": "another"})), AuthError::UnknownKeyId).await;
}

#[tokio::test]
async fn a_busy_client_costs_one_signature_check_a_minute() {
    let access = Access::start().await;
    let token = access.team.token(PERSON);
    for minute in 1..=3 {
        for _ in 0..200 {
            assert_eq!(access.accepts(&token).await.email, PERSON);
        }
        assert_eq!(counts(&access), (1, minute));
        later(Duration::from_secs(59)).await;
        access.accepts(&token).await;
        assert_eq!(counts(&access), (1, minute));
        later(Duration::from_secs(1)).await;
    }
    assert_eq!((access.team.requests(), access.layer.counters().passed()), (1, 603));
}

#[tokio::test]
async fn everybody_stays_who_they_are() {
    let access = Access::with(|access| access.with_allowed_service_tokens(["ci.access"])).await;
    let people: Vec<_> = (0..50).map(|n| format!("person-{n}@example.com")).collect();
    let tokens: Vec<_> = people.iter().map(|email| access.team.token(email)).collect();
    let service = access.team.sign(&access.team.service_claims("ci.access"));
    let first = access.accepts(&service).await;
    for _ in 0..3 {
        for (email, token) in people.iter().zip(&tokens) {
            assert_eq!(&access.accepts(token).await.email, email);
        }
        assert_eq!(access.accepts(&service).await, first);
    }
    assert_eq!(counts(&access), (51, 51));
}

#[tokio::test]
async fn only_what_was_accepted_is_remembered() {
    let access = Access::with(|access| access.with_allowed_emails([PERSON])).await;
    let forger = TestKey::generate("key-1");
    for _ in 0..2 {
        access.refuses(access.token_with(json!({"exp": 1})), AuthError::JwtExpired).await;
        access.refuses(access.token_with(json!({"aud": "x"})), AuthError::AudienceMismatch).await;
        access.refuses(access.team.token("other@example.com"), AuthError::UserNotAllowed).await;
        access.refuses(access.team.sign(&access.team.service_claims("x")), AuthError::ServiceTokenNotAllowed).await;
        access.refuses(forger.sign(&forger.header(), &access.team.claims(PERSON)), AuthError::InvalidSignature).await;
        access.refuses("x".repeat(64 * 1024), AuthError::JwtMalformed).await;
    }
    assert_eq!(counts(&access), (0, 10));
}

/// Whatever differs in one character is another token, and is looked at as if there were no memory.
#[tokio::test]
async fn a_token_next_to_a_known_one_is_unknown() {
    let access = Access::start().await;
    let token = access.team.token(PERSON);
    access.accepts(&token).await;
    for at in (0..token.len()).step_by(7) {
        let mut near = token.clone().into_bytes();
        near[at] = if near[at] == b'A' { b'B' } else { b'A' };
        assert_ne!(access.send(&near).await.status(), 200, "{}", String::from_utf8_lossy(&near));
    }
    for near in [format!("{token}A"), token[..token.len() - 1].to_owned(), format!("{token}.")] {
        assert_ne!(access.send(&near).await.status(), 200, "{near}");
    }
    access.accepts(&token).await;
    assert_eq!(status(&access).verified_tokens, 1);
}

/// attacks.md 38: with the key goes what it has verified, at once.
#[tokio::test]
async fn attack_38_a_known_token_is_refused_once_its_key_is_gone() {
    let access = Access::start().await;
    let new = TestKey::generate("key-2");
    let (old_token, new_token) =
        (access.team.token(PERSON), new.sign(&new.header(), &access.team.claims("new@example.com")));
    access.accepts(&old_token).await;

    access.team.publish(&[&access.team.key, &new]);
    fetch_keys(&access).await;
    access.accepts(&old_token).await;
    access.accepts(&new_token).await;
    assert_eq!(status(&access).verified_tokens, 2);

    access.team.publish(&[&new]);
    fetch_keys(&access).await;
    access.refuses(&old_token, AuthError::UnknownKeyId).await;
    access.accepts(&new_token).await;
    assert_eq!(status(&access).verified_tokens, 1);
}

/// Not the id of a key counts, but the key.
#[tokio::test]
async fn attack_38_another_key_of_the_same_id() {
    let access = Access::start().await;
    let token = access.team.token(PERSON);
    access.accepts(&token).await;
    let twin = TestKey::generate("key-1");
    access.team.publish(&[&twin]);
    fetch_keys(&access).await;
    access.refuses(&token, AuthError::InvalidSignature).await;
}

/// attacks.md 35: when known keys may no longer serve, what they have verified may not either.
#[tokio::test]
async fn attack_35_a_known_token_ends_with_the_time_of_the_keys() {
    let mut policy = KeyPolicy::default();
    policy.serve_stale_for = Duration::from_secs(10);
    let mut access = Access::with_policy(policy).await;
    let token = access.team.token(PERSON);
    access.accepts(&token).await;
    access.team.stop().await;
    later(Duration::from_secs(9)).await;
    access.accepts(&token).await;
    later(Duration::from_secs(1)).await;
    access.refuses(&token, AuthError::KeysUnavailable).await;
}

/// A client whose token is known all the time has the keys refreshed as any other.
#[tokio::test]
async fn known_tokens_keep_the_keys_fresh() {
    let mut policy = KeyPolicy::default();
    policy.refresh_after = Duration::from_secs(40);
    policy.minimum_interval = Duration::from_secs(1);
    let access = Access::with_policy(policy).await;
    let token = access.team.token(PERSON);
    access.accepts(&token).await;
    later(Duration::from_secs(41)).await;
    access.accepts(&token).await;
    assert_eq!(counts(&access), (1, 1));
    eventually("the refresh that a known token caused", async || access.team.requests() == 2).await;
}

#[tokio::test]
async fn what_one_layer_knows_another_does_not() {
    let access = Access::start().await;
    let other = harness::access_layer(&access.team, |config| config.with_allowed_emails(["boss@example.com"]));
    let token = access.team.token(PERSON);
    access.accepts(&token).await;
    let other = Access { team: TestTeam::start().await.unwrap(), layer: other };
    other.refuses(&token, AuthError::UserNotAllowed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once() {
    let access = std::sync::Arc::new(Access::start().await);
    access.accepts(access.team.token(PERSON)).await;
    let tokens: Vec<_> = (0..8).map(|n| access.team.token(&format!("person-{n}@example.com"))).collect();
    let tasks = (0..8_usize).map(|task| {
        let (access, tokens) = (std::sync::Arc::clone(&access), tokens.clone());
        tokio::spawn(async move {
            for round in 0..200 {
                let n = (task + round) % tokens.len();
                assert_eq!(access.accepts(&tokens[n]).await.email, format!("person-{n}@example.com"));
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let (remembered, checks) = counts(&access);
    // Two may see a token for the first time at once.
    assert!(remembered == 9 && (9..=9 + 64).contains(&checks), "{remembered} {checks}");
}

/// Resident memory of this process in bytes, where the system tells.
fn resident() -> Option<usize> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    Some(statm.split(' ').nth(1)?.parse::<usize>().ok()? * 4096)
}

/// However many forged tokens come, none is remembered, and none takes the place of a good one.
#[tokio::test]
async fn a_million_forged_tokens_leave_nothing_behind() {
    let team = TestTeam::start().await.unwrap();
    let config = AccessConfig::new(ISSUER, [AUDIENCE]).unwrap().with_certs_url(&team.certs_url()).unwrap();
    let validator = AccessValidator::new(config).unwrap();
    let good = HeaderValue::from_str(&team.token(PERSON)).unwrap();
    validate_cloudflare_access_jwt(&good, &validator).await.unwrap();

    let header = URL_SAFE_NO_PAD.encode(team.key.header().to_string());
    let unknown = URL_SAFE_NO_PAD.encode(json!({"alg": "RS256", "kid": "forged"}).to_string());
    // Of a length that is worth a check.
    let signature = URL_SAFE_NO_PAD.encode([0x55; 256]);
    let mut resident_at_first = None;
    for n in 0..1_000_000_u32 {
        let claims = URL_SAFE_NO_PAD.encode(format!(r#"{{"email":"{n}@example.com"}}"#));
        let (token, error) = match n % 100 {
            0 => (format!("{header}.{claims}.{signature}"), AuthError::InvalidSignature),
            1 => (format!("{unknown}.{claims}.AAAA"), AuthError::UnknownKeyId),
            _ => (format!("{header}.{claims}.AAAA"), AuthError::InvalidSignature),
        };
        let token = HeaderValue::from_str(&token).unwrap();
        assert_eq!(validate_cloudflare_access_jwt(&token, &validator).await, Err(error));
        if n == 10_000 {
            resident_at_first = resident();
        }
    }
    let status = validator.key_status();
    assert_eq!((status.verified_tokens, status.signature_checks), (1, 990_001));
    if let (Some(before), Some(after)) = (resident_at_first, resident()) {
        println!("resident: {before} bytes after 10,000 forged tokens, {after} after 1,000,000");
        assert!(after < before + 8 * 1024 * 1024, "{before} bytes grew to {after}");
    }
    assert_eq!(team.requests(), 1);
}
