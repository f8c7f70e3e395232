//! The Infisical store against a server made after Infisical's published API, in good days and bad ones.

#![cfg(feature = "infisical")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "harness/faults.rs"]
mod faults;
#[path = "infisical_stub/mod.rs"]
mod stub;

use std::time::{Duration, Instant, SystemTime};

use faults::Fault;
use mcp_auth_middleware::{
    InfisicalConfig, InfisicalIdentity, InfisicalTokenStore, SecretSource, ServiceToken, StoreError,
};
use stub::{CLIENT_ID, CLIENT_SECRET, IDENTITY_ID, PROJECT, Stub};

const VALUE: &str = "coda-5e1f9c74-upstream-value";
const AS: &str = "admin@example.com";

fn config(stub: &Stub) -> InfisicalConfig {
    InfisicalConfig::new(&stub.base(), CLIENT_ID, CLIENT_SECRET.into(), PROJECT, "prod").unwrap()
}

/// A server with a folder `/coda`, and a store that asks it.
async fn start() -> (Stub, InfisicalTokenStore) {
    let stub = Stub::start().await;
    stub.add_folder("/coda");
    let store = InfisicalTokenStore::new(config(&stub)).unwrap();
    (stub, store)
}

async fn get(store: &InfisicalTokenStore, key: &str) -> Result<Option<String>, StoreError> {
    store.get_token("coda", key, AS).await.map(|token| token.as_ref().map(ServiceToken::expose).map(str::to_owned))
}

async fn set(store: &InfisicalTokenStore, key: &str, value: &str) -> Result<(), StoreError> {
    store.set_token("coda", key, &value.into(), AS).await
}

#[tokio::test]
async fn a_token_is_set_read_replaced_listed_and_deleted() {
    let (stub, store) = start().await;
    assert_eq!(get(&store, "API_TOKEN").await, Ok(None));
    assert_eq!(store.list("coda", AS).await, Ok(vec![]));
    let before = SystemTime::now() - Duration::from_millis(1); // moments travel in milliseconds

    set(&store, "API_TOKEN", VALUE).await.unwrap();
    assert_eq!(get(&store, "API_TOKEN").await, Ok(Some(VALUE.to_owned())));
    set(&store, "API_TOKEN", "another value").await.unwrap();
    set(&store, "A_TOKEN", VALUE).await.unwrap();
    assert_eq!(get(&store, "API_TOKEN").await, Ok(Some("another value".to_owned())));

    let list = store.list("coda", AS).await.unwrap();
    assert_eq!(list.iter().map(|t| t.key.as_str()).collect::<Vec<_>>(), ["API_TOKEN", "A_TOKEN"]);
    for token in &list {
        assert!(before <= token.created_at && token.created_at <= token.updated_at, "{token:?}");
        assert!(token.updated_at <= SystemTime::now(), "{token:?}");
    }

    assert_eq!(store.delete_token("coda", "API_TOKEN", AS).await, Ok(true));
    assert_eq!(store.delete_token("coda", "API_TOKEN", AS).await, Ok(false));
    assert_eq!(get(&store, "API_TOKEN").await, Ok(None));
    assert_eq!(stub.logins(), 1, "one login for everything");
}

/// The words of the protocol, as the server's routes have them.
#[tokio::test]
async fn requests_are_those_of_the_published_api() {
    let (stub, store) = start().await;
    set(&store, "API_TOKEN", VALUE).await.unwrap();
    get(&store, "API_TOKEN").await.unwrap();
    store.list("coda", AS).await.unwrap();
    store.delete_token("coda", "API_TOKEN", AS).await.unwrap();
    let secret = "/api/v4/secrets/API_TOKEN";
    let place = "projectId=5a4f3c8e-project&environment=prod&secretPath=%2Fcoda";
    assert_eq!(
        stub.seen(),
        [
            "POST /api/v1/auth/universal-auth/login".to_owned(),
            format!("PATCH {secret}"),
            format!("POST {secret}"),
            format!(
                "GET {secret}?{place}&type=shared&viewSecretValue=true&expandSecretReferences=false&include_imports=false"
            ),
            format!(
                "GET /api/v4/secrets?{place}&recursive=false&viewSecretValue=false&expandSecretReferences=false&include_imports=false"
            ),
            format!("DELETE {secret}"),
        ]
    );
}

#[tokio::test]
async fn services_and_environments_are_apart() {
    let (stub, store) = start().await;
    stub.add_folder("/other");
    stub.add_folder("/mcp/coda");
    set(&store, "API_TOKEN", VALUE).await.unwrap();
    assert!(store.get_token("other", "API_TOKEN", AS).await.unwrap().is_none());
    let below = InfisicalTokenStore::new(config(&stub).with_path("/mcp").unwrap()).unwrap();
    assert_eq!(get(&below, "API_TOKEN").await, Ok(None));
    set(&below, "API_TOKEN", "below").await.unwrap();
    assert_eq!(get(&store, "API_TOKEN").await, Ok(Some(VALUE.to_owned())));
    assert_eq!(stub.value("/mcp/coda", "API_TOKEN").as_deref(), Some("below"));
}

/// attacks.md 44: whatever is stored comes back, and names do not leave their place in the URL.
#[tokio::test]
async fn attack_44_odd_names_and_values() {
    let (stub, store) = start().await;
    for name in ["a b", "quote'\"`; DROP TABLE", "100%", "%2e%2e", "a?b=c&projectId=x#d", "söö", "...", "a\\b"] {
        set(&store, name, &format!("value of {name}")).await.unwrap();
        assert_eq!(get(&store, name).await, Ok(Some(format!("value of {name}"))), "{name}");
        assert_eq!(stub.value("/coda", name), Some(format!("value of {name}")), "{name}");
        assert_eq!(store.delete_token("coda", name, AS).await, Ok(true), "{name}");
    }
    for value in ["\"quoted\" \\ \u{1f511} \u{1b}", "two\nlines", &"v".repeat(65_536)] {
        set(&store, "VALUE", value).await.unwrap();
        assert_eq!(get(&store, "VALUE").await, Ok(Some(value.to_owned())));
    }
    let seen = stub.seen().len();
    for (service, key) in [("a/b", "K"), ("..", "K"), ("", "K"), ("coda", ""), ("coda", ".."), ("coda", "a/b")] {
        for result in [
            store.get_token(service, key, AS).await.map(drop),
            store.set_token(service, key, &VALUE.into(), AS).await,
            store.delete_token(service, key, AS).await.map(drop),
        ] {
            assert!(matches!(result, Err(StoreError::Invalid(_))), "{service} {key} {result:?}");
        }
    }
    assert!(matches!(store.list("a/b", AS).await, Err(StoreError::Invalid(_))));
    for value in ["", " padded", "line\n", "nul\0", &"v".repeat(65_537)] {
        assert!(matches!(set(&store, "VALUE", value).await, Err(StoreError::Invalid(_))), "{value:?}");
    }
    assert_eq!(stub.seen().len(), seen, "nothing of this was sent");
}

#[tokio::test]
async fn a_folder_that_is_missing() {
    let (stub, store) = start().await;
    assert!(store.get_token("nowhere", "API_TOKEN", AS).await.unwrap().is_none());
    assert_eq!(store.list("nowhere", AS).await, Ok(vec![]));
    assert_eq!(store.delete_token("nowhere", "API_TOKEN", AS).await, Ok(false));
    let error = store.set_token("nowhere", "API_TOKEN", &VALUE.into(), AS).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "token store is not set up: Infisical has no folder /nowhere in environment prod; create it there first"
    );
    assert_eq!(stub.value("/nowhere", "API_TOKEN"), None);
}

/// What the type says of 404.
#[tokio::test]
async fn a_project_that_is_missing() {
    let (stub, _) = start().await;
    let config = InfisicalConfig::new(&stub.base(), CLIENT_ID, CLIENT_SECRET.into(), "another-project", "prod");
    let store = InfisicalTokenStore::new(config.unwrap()).unwrap();
    assert_eq!(get(&store, "API_TOKEN").await, Ok(None));
    assert!(matches!(set(&store, "API_TOKEN", VALUE).await, Err(StoreError::NotSetUp(_))));
}

/// A server before version 4, or one that is no Infisical, is not taken for one without tokens.
#[tokio::test]
async fn a_server_without_version_4() {
    let (stub, store) = start().await;
    stub.on_secrets(Fault::Answers(
        404,
        r#"{"message":"Route GET:/api/v4/secrets/API_TOKEN not found","error":"Not Found","statusCode":404}"#.into(),
    ));
    let error = get(&store, "API_TOKEN").await.unwrap_err();
    assert!(matches!(&error, StoreError::NotSetUp(text) if text.contains("no /api/v4/secrets")), "{error}");
}

#[tokio::test]
async fn the_session_is_renewed_ahead_of_its_end() {
    let (stub, store) = start().await;
    stub.tokens_last(600);
    set(&store, "API_TOKEN", VALUE).await.unwrap();
    later(Duration::from_secs(530)).await;
    get(&store, "API_TOKEN").await.unwrap();
    assert_eq!(stub.logins(), 1);
    later(Duration::from_secs(10)).await;
    get(&store, "API_TOKEN").await.unwrap();
    assert_eq!(stub.logins(), 2);
}

/// The clock of the store goes ahead.
async fn later(by: Duration) {
    tokio::time::pause();
    tokio::time::advance(by).await;
    tokio::time::resume();
}

/// Both ways in which Infisical says that it does not know a token any more.
#[tokio::test]
async fn a_revoked_session_is_replaced_once() {
    let (stub, store) = start().await;
    set(&store, "API_TOKEN", VALUE).await.unwrap();
    for (status, error) in [(401, "UnauthorizedError"), (403, "TokenError")] {
        let logins = stub.logins();
        stub.revoke_tokens(status, error);
        assert_eq!(get(&store, "API_TOKEN").await, Ok(Some(VALUE.to_owned())), "{status}");
        set(&store, "API_TOKEN", VALUE).await.unwrap();
        assert_eq!(stub.logins(), logins + 1, "{status}");
    }
    // A token that is refused although it is fresh: one login more, and then it is said.
    for (status, error) in [(401, "UnauthorizedError"), (403, "TokenError")] {
        let logins = stub.logins();
        stub.on_secrets(Fault::Answers(status, format!(r#"{{"error":"{error}","message":"x"}}"#)));
        let error = get(&store, "API_TOKEN").await.unwrap_err();
        assert!(matches!(&error, StoreError::Denied(text) if text.contains("trusted addresses")), "{error}");
        assert_eq!(stub.logins(), logins + 1);
    }
}

/// Through the layer: the caller is known, and the server's own token comes from Infisical.
#[tokio::test]
async fn the_layer_hands_the_token_on() {
    use mcp_auth_middleware::{AuthConfig, AuthError, AuthMode, BearerTokens, TokenStore, create_auth_middleware};
    use tower::{Layer as _, ServiceExt as _};
    let (stub, store) = start().await;
    set(&store, "API_TOKEN", VALUE).await.unwrap();
    let store = TokenStore::Infisical(store);
    assert_eq!((store.as_str(), TokenStore::default().as_str()), ("infisical", "env"));
    let bearer = "kei4ahGhee8eecu0quoh5Ohn"; // pragma: allowlist secret
    let layer = |key: &str| {
        let config = AuthConfig::new("coda", AuthMode::Bearer).with_bearer(BearerTokens::parse(bearer).unwrap());
        create_auth_middleware(config.with_service_token(store.clone(), key)).unwrap()
    };
    let ask = async |layer: &mcp_auth_middleware::AuthLayer| {
        let inner = tower::service_fn(|request: http::Request<()>| async move {
            let token = request.extensions().get::<ServiceToken>().unwrap();
            Ok::<_, std::convert::Infallible>(http::Response::new(token.expose().to_owned()))
        });
        let request = http::Request::builder().header("authorization", format!("Bearer {bearer}")).body(()).unwrap();
        layer.layer(inner).oneshot(request).await.unwrap()
    };
    let good = layer("API_TOKEN");
    for _ in 0..20 {
        assert_eq!(ask(&good).await.body(), VALUE);
    }
    let reads = stub.seen().iter().filter(|request| request.starts_with("GET ")).count();
    assert_eq!(reads, 1, "asked once, not once a request");
    let missing = ask(&layer("MISSING")).await;
    assert_eq!(missing.status(), AuthError::ServiceTokenMissing.status());
    assert!(missing.body().contains(AuthError::ServiceTokenMissing.code()), "{}", missing.body());
}

#[tokio::test]
async fn many_at_once_share_one_login() {
    let (stub, store) = start().await;
    let all = async || {
        let answers = futures_util::future::join_all((0..20).map(|_| get(&store, "API_TOKEN"))).await;
        assert!(answers.iter().all(|answer| *answer == Ok(None)), "{answers:?}");
    };
    all().await;
    assert_eq!(stub.logins(), 1);
    stub.revoke_tokens(401, "UnauthorizedError");
    all().await;
    assert_eq!(stub.logins(), 2);
    let clone = store.clone();
    get(&clone, "API_TOKEN").await.unwrap();
    assert_eq!(stub.logins(), 2);
}

/// Without a secret of its own: by the token of the pod's service account, or an ID token, read again at each login.
#[tokio::test]
async fn a_workload_logs_in_with_what_its_platform_made_for_it() {
    for (identity, method) in
        [(InfisicalIdentity::Kubernetes, "kubernetes-auth"), (InfisicalIdentity::Oidc, "oidc-auth")]
    {
        let (stub, first) = start().await;
        set(&first, "API_TOKEN", VALUE).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let source = SecretSource::File(file.clone());
        let config = InfisicalConfig::for_workload(&stub.base(), identity, IDENTITY_ID, source, PROJECT, "prod");
        let store = InfisicalTokenStore::new(config.unwrap()).unwrap();
        assert!(!format!("{store:?}").contains(IDENTITY_ID));

        let error = get(&store, "API_TOKEN").await.unwrap_err();
        assert!(matches!(&error, StoreError::Denied(text) if text.contains("no token to log in with")), "{error}");
        later(Duration::from_secs(30)).await;
        std::fs::write(&file, "eyJ.first.jwt\n").unwrap();
        stub.trusts("eyJ.first.jwt");
        assert_eq!(get(&store, "API_TOKEN").await, Ok(Some(VALUE.to_owned())));
        assert!(stub.seen().contains(&format!("POST /api/v1/auth/{method}/login")), "{:?}", stub.seen());

        // The platform has made another one, and only that one counts.
        stub.trusts("eyJ.second.jwt");
        stub.revoke_tokens(401, "UnauthorizedError");
        let error = get(&store, "API_TOKEN").await.unwrap_err().to_string();
        assert!(error.contains("refuses the login: check the identity id") && !error.contains("first"), "{error}");
        later(Duration::from_secs(30)).await;
        std::fs::write(&file, "eyJ.second.jwt").unwrap();
        assert_eq!(get(&store, "API_TOKEN").await, Ok(Some(VALUE.to_owned())));
    }
}

/// Three refusals lock an identity out, so they are not hurried.
#[tokio::test]
async fn a_refused_login_is_said_and_not_repeated_at_once() {
    let (stub, _) = start().await;
    let wrong = InfisicalConfig::new(&stub.base(), CLIENT_ID, "wrong-secret-0123456789".into(), PROJECT, "prod");
    let store = InfisicalTokenStore::new(wrong.unwrap()).unwrap();
    for _ in 0..5 {
        let error = get(&store, "API_TOKEN").await.unwrap_err();
        let place = stub.place();
        assert_eq!(
            error.to_string(),
            format!(
                "token store denied access: Infisical refuses the login: check client id and client secret, the trusted \
                 addresses of the machine identity, and whether it is locked out ({place})"
            )
        );
    }
    assert_eq!(stub.logins(), 1);
    later(Duration::from_secs(30)).await;
    get(&store, "API_TOKEN").await.unwrap_err();
    assert_eq!(stub.logins(), 2);
}

#[tokio::test]
async fn what_the_identity_may_not() {
    let (stub, store) = start().await;
    set(&store, "API_TOKEN", VALUE).await.unwrap();
    let denied = |result: Result<(), StoreError>, text: &str| {
        let error = result.unwrap_err();
        assert!(matches!(&error, StoreError::Denied(reason) if reason.contains(text)), "{error}");
    };
    stub.on_secrets(Fault::Answers(403, r#"{"error":"PermissionDenied","message":"not allowed","details":[]}"#.into()));
    denied(get(&store, "API_TOKEN").await.map(drop), "member of the project");
    denied(set(&store, "API_TOKEN", VALUE).await, "role for folder / in environment prod");
    denied(store.delete_token("coda", "API_TOKEN", AS).await.map(drop), "may not do this");
    denied(store.list("coda", AS).await.map(drop), "may not do this");
    assert_eq!(stub.logins(), 1, "a permission is not a matter of the session");

    // The placeholder is not taken for a token.
    stub.on_secrets(Fault::Hides);
    denied(get(&store, "API_TOKEN").await.map(drop), "may not read the values of secrets");
    // A change that somebody has to approve is not done.
    stub.on_secrets(Fault::WantsApproval);
    denied(set(&store, "API_TOKEN", VALUE).await, "need an approval");
    denied(store.delete_token("coda", "API_TOKEN", AS).await.map(drop), "need an approval");
}

#[tokio::test]
async fn what_infisical_changes_or_refuses_is_not_taken_for_stored() {
    let (stub, store) = start().await;
    stub.on_secrets(Fault::Capitalises);
    let error = set(&store, "api_token", VALUE).await.unwrap_err();
    assert_eq!(error.to_string(), "the project capitalises names, so the token is stored as API_TOKEN; use that name");
    for status in [400, 422] {
        stub.on_secrets(Fault::Answers(status, format!(r#"{{"error":"BadRequest","message":"{VALUE}"}}"#)));
        let error = set(&store, "API_TOKEN", VALUE).await.unwrap_err();
        assert!(matches!(&error, StoreError::Invalid(text) if text.contains("reference")), "{error}");
        assert!(!error.to_string().contains(VALUE), "{error}");
    }
    stub.on_secrets(Fault::RefusesNew);
    assert!(matches!(set(&store, "NEW_TOKEN", VALUE).await, Err(StoreError::Invalid(_))));
    let other = r#"{"secret":{"secretKey":"OTHER","secretValue":"x","secretValueHidden":false}}"#; // pragma: allowlist secret
    stub.on_secrets(Fault::Answers(200, other.into()));
    assert!(matches!(get(&store, "API_TOKEN").await, Err(StoreError::Unavailable(_))));
    assert!(matches!(set(&store, "API_TOKEN", VALUE).await, Err(StoreError::Unavailable(_))));
    // A secret without a value is no token.
    stub.on_secrets(Fault::Answers(200, r#"{"secret":{"secretKey":"API_TOKEN","secretValue":""}}"#.into()));
    assert_eq!(get(&store, "API_TOKEN").await, Ok(None));
}

/// Two set the same new token: one comes second, and does not get "already exists".
#[tokio::test]
async fn two_who_create_the_same_token() {
    let (stub, store) = start().await;
    let both = (0..8).map(|n| {
        let store = store.clone();
        async move { set(&store, "API_TOKEN", &format!("value {n}")).await }
    });
    let results = futures_util::future::join_all(both).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert!(stub.value("/coda", "API_TOKEN").unwrap().starts_with("value "));
}

/// Every way in which something answers that is not Infisical as it should be.
fn all_faults() -> Vec<(&'static str, Fault, &'static str)> {
    let json = r#"{"secret":{"secretKey":"API_TOKEN","secretValue":"#; // pragma: allowlist secret
    vec![
        ("500", Fault::Answers(500, r#"{"error":"InternalServerError"}"#.into()), "status 500"),
        ("502 with HTML", Fault::Answers(502, "<html>Bad Gateway</html>".into()), "status 502"),
        ("503", Fault::Answers(503, String::new()), "status 503"),
        ("418", Fault::Answers(418, "{}".into()), "status 418"),
        ("HTML", Fault::Answers(200, "<!doctype html><title>Infisical</title>".into()), "something else than the JSON"),
        ("404 with HTML", Fault::Answers(404, "<h1>Not Found</h1>".into()), "something else than the JSON"),
        ("nothing", Fault::Answers(200, String::new()), "something else than the JSON"),
        ("truncated JSON", Fault::Answers(200, json.into()), "something else than the JSON"),
        ("other JSON", Fault::Answers(200, r#"{"secret":17,"secrets":17,"accessToken":17}"#.into()), "JSON"),
        ("an array", Fault::Answers(200, "[]".into()), "JSON"),
        ("cut off", Fault::CutsOff, "connection to Infisical failed"),
        ("hangs up", Fault::HangsUp, "connection to Infisical failed"),
        ("50 MB", Fault::Sends(50 * 1024 * 1024), "larger than 1048576 bytes"),
        ("drip", Fault::Drips, "in time"),
        ("silence", Fault::KeepsSilent, "in time"),
        ("429", Fault::Busy(None), "too many requests"),
        ("429 for a minute", Fault::Busy(Some("60")), "Infisical wants a pause of 60 s"),
    ]
}

#[tokio::test]
async fn faults_of_the_secrets_are_unavailable_with_a_reason() {
    let elsewhere = Stub::start().await;
    let all = all_faults().into_iter().chain([("redirect", Fault::RedirectsTo(elsewhere.base()), "not followed")]);
    for (name, fault, reason) in all {
        let (stub, _) = start().await;
        let store = InfisicalTokenStore::new(config(&stub).with_timeout(Duration::from_secs(1))).unwrap();
        set(&store, "API_TOKEN", VALUE).await.unwrap();
        stub.on_secrets(fault);
        let started = Instant::now();
        for result in [
            get(&store, "API_TOKEN").await.map(drop),
            set(&store, "API_TOKEN", VALUE).await,
            store.delete_token("coda", "API_TOKEN", AS).await.map(drop),
            store.list("coda", AS).await.map(drop),
        ] {
            let error = result.unwrap_err();
            assert!(matches!(&error, StoreError::Unavailable(text) if text.contains(reason)), "{name}: {error}");
            assert!(error.to_string().contains(&stub.place()) && error.to_string().len() < 200, "{name}: {error}");
        }
        println!("{name}: {:?}", started.elapsed());
        assert!(started.elapsed() < Duration::from_secs(8), "{name} took {:?}", started.elapsed());
        // What is in the buffers of four connections is more than what was read.
        assert!(stub.bytes_sent() < 40 * 1024 * 1024, "{name}: {} bytes were taken of 200 MB", stub.bytes_sent());

        stub.on_secrets(Fault::None);
        later(Duration::from_secs(61)).await;
        assert_eq!(get(&store, "API_TOKEN").await, Ok(Some(VALUE.to_owned())), "recovery from {name}");
    }
    assert_eq!(elsewhere.seen(), [""; 0], "nobody follows a redirect");
}

#[tokio::test]
async fn faults_of_the_login_are_unavailable_with_a_reason() {
    let elsewhere = Stub::start().await;
    let all = all_faults().into_iter().chain([("redirect", Fault::RedirectsTo(elsewhere.base()), "not followed")]);
    for (name, fault, reason) in all {
        let (stub, _) = start().await;
        let store = InfisicalTokenStore::new(config(&stub).with_timeout(Duration::from_secs(1))).unwrap();
        stub.on_login(fault);
        let error = get(&store, "API_TOKEN").await.unwrap_err();
        assert!(matches!(&error, StoreError::Unavailable(text) if text.contains(reason)), "{name}: {error}");
        stub.on_login(Fault::None);
        later(Duration::from_secs(61)).await;
        assert_eq!(get(&store, "API_TOKEN").await, Ok(None), "recovery from {name}");
    }
    assert_eq!(elsewhere.seen(), [""; 0], "nobody follows a redirect");
    // Tokens that cannot be sent.
    for token in ["", "line\\nbreak", "söö"] {
        let (stub, store) = start().await;
        stub.on_login(Fault::Answers(200, format!(r#"{{"accessToken":"{token}","expiresIn":60}}"#)));
        assert!(matches!(get(&store, "API_TOKEN").await, Err(StoreError::Unavailable(_))), "{token}");
    }
}

#[tokio::test]
async fn a_server_that_is_down() {
    let (mut stub, store) = start().await;
    stub.stop().await;
    let error = get(&store, "API_TOKEN").await.unwrap_err();
    let expected = format!("token store unavailable: cannot connect to Infisical ({})", stub.place());
    assert_eq!(error.to_string(), expected);
    stub.restart().await;
    assert_eq!(get(&store, "API_TOKEN").await, Ok(None));
}

/// A pause that ends before the deadline is waited for; a longer one is said at once, and kept.
#[tokio::test]
async fn too_many_requests() {
    let (stub, store) = start().await;
    set(&store, "API_TOKEN", VALUE).await.unwrap();
    stub.on_secrets(Fault::BusyOnce("1"));
    let (started, seen) = (Instant::now(), stub.seen().len());
    assert_eq!(get(&store, "API_TOKEN").await, Ok(Some(VALUE.to_owned())));
    assert!(started.elapsed() >= Duration::from_millis(990), "{:?}", started.elapsed());
    assert_eq!(stub.seen().len(), seen + 2);

    stub.on_secrets(Fault::BusyOnce("30"));
    for _ in 0..5 {
        let error = get(&store, "API_TOKEN").await.unwrap_err();
        assert!(error.to_string().contains("too many requests, Infisical wants a pause of"), "{error}");
    }
    assert_eq!(stub.seen().len(), seen + 3, "asked again during the pause");
    later(Duration::from_secs(31)).await;
    assert_eq!(get(&store, "API_TOKEN").await, Ok(Some(VALUE.to_owned())));
}

/// Hanging up during the login does not leave the store without one.
#[tokio::test]
async fn a_caller_who_hangs_up() {
    let (stub, store) = start().await;
    stub.on_login(Fault::KeepsSilent);
    let hung_up = tokio::time::timeout(Duration::from_millis(50), get(&store, "API_TOKEN")).await;
    assert!(hung_up.is_err());
    stub.on_login(Fault::None);
    assert_eq!(get(&store, "API_TOKEN").await, Ok(None));
}

#[tokio::test]
async fn debug_shows_the_place_and_no_credential() {
    let (stub, store) = start().await;
    get(&store, "API_TOKEN").await.unwrap();
    for shown in [format!("{store:?}"), format!("{:?}", config(&stub))] {
        assert!(shown.contains(&stub.place()) && shown.contains("prod"), "{shown}");
        assert!(!shown.contains(CLIENT_SECRET) && !shown.contains(CLIENT_ID), "{shown}");
        assert!(stub.tokens().iter().all(|token| !shown.contains(token)), "{shown}");
    }
}

/// Everything that can be said on the way, at TRACE, dependencies included, and every error: no credential, no value.
#[tokio::test]
async fn attack_50_no_secret_in_any_line_or_error() {
    faults::listen();
    let mut said = String::new();
    let elsewhere = Stub::start().await;
    let mut tokens = Vec::new();
    for (_, fault, _) in all_faults().into_iter().chain([
        ("none", Fault::None, ""),
        ("redirect", Fault::RedirectsTo(elsewhere.base()), ""),
        ("echo", Fault::Answers(400, format!(r#"{{"message":"{VALUE} {CLIENT_SECRET}"}}"#)), ""),
        ("echo", Fault::Answers(401, format!("{VALUE} {CLIENT_SECRET}")), ""),
        ("echo", Fault::Answers(403, format!(r#"{{"message":"{VALUE} {CLIENT_SECRET}"}}"#)), ""),
        ("echo", Fault::Answers(200, format!("{VALUE} {CLIENT_SECRET}")), ""),
    ]) {
        for on_login in [true, false] {
            let (stub, patient) = start().await;
            let store = InfisicalTokenStore::new(config(&stub).with_timeout(Duration::from_millis(100))).unwrap();
            set(&patient, "API_TOKEN", VALUE).await.unwrap();
            if on_login {
                stub.on_login(fault.clone())
            } else {
                stub.on_secrets(fault.clone())
            }
            for result in [
                get(&store, "API_TOKEN").await.map(drop),
                set(&store, "API_TOKEN", VALUE).await,
                set(&store, "API_TOKEN", &format!("{VALUE}\n")).await,
                store.list("coda", AS).await.map(drop),
                store.delete_token("coda", "API_TOKEN", AS).await.map(drop),
            ] {
                said.push_str(&format!("{result:?}\n"));
                said.push_str(&result.err().map(|error| error.to_string()).unwrap_or_default());
            }
            said.push_str(&format!("{store:?} {:?}\n", store.get_token("coda", "API_TOKEN", AS).await));
            tokens.extend(stub.tokens());
        }
    }
    said.push_str(&faults::everything());
    assert!(said.contains("ServiceToken([REDACTED])") || said.contains("Ok(None)"), "nothing was said");
    assert!(said.contains("starting new connection"), "TRACE is not on");
    tokens.extend([VALUE.to_owned(), CLIENT_SECRET.to_owned()]);
    assert!(tokens.len() > 20);
    for secret in tokens {
        // A part of it would do harm as well.
        let middle = &secret[secret.len() / 2 - 5..secret.len() / 2 + 5];
        assert!(!said.contains(middle), "{secret} was said");
    }
}
