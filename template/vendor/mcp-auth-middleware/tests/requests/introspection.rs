//! Opaque tokens: their issuer is asked (RFC 7662). Numbers are the rows of the project's list of attacks.

use std::time::{Duration, Instant};

use mcp_auth_middleware::testing::{
    INTROSPECTION, INTROSPECTION_ID, INTROSPECTION_SECRET, KeyServer, RESOURCE, TestIssuer, now,
};
use mcp_auth_middleware::{
    AuthError, AuthLayer, AuthMode, ConfigError, IntrospectedTokens, IntrospectionConfig, IntrospectionPolicy,
    OidcConfig, OidcConfigError, UserKind, create_auth_middleware,
};
use serde_json::{Value, json};

use crate::harness::{BEARER, PERSON, assert_refused, bearer, config, eventually, passed};
use crate::oidc::send_token;

const METADATA: &str = "/.well-known/openid-configuration";

fn asking() -> IntrospectionConfig {
    IntrospectionConfig::new(INTROSPECTION_ID, INTROSPECTION_SECRET.to_owned().into())
}

fn oidc(issuer: &TestIssuer) -> OidcConfig {
    OidcConfig::new(issuer.issuer(), [RESOURCE]).unwrap()
}

/// A layer that asks this issuer.
fn layer_by(issuer: &TestIssuer, asking: IntrospectionConfig) -> AuthLayer {
    create_auth_middleware(config(AuthMode::Oidc).with_oidc(oidc(issuer).with_introspection(asking))).unwrap()
}

fn layer(issuer: &TestIssuer) -> AuthLayer {
    layer_by(issuer, asking())
}

/// Answers that count for an instant only, and an issuer that is given up on soon.
fn impatient() -> IntrospectionPolicy {
    let mut policy = IntrospectionPolicy::default();
    (policy.fresh_for, policy.refused_for) = (Duration::from_millis(50), Duration::from_millis(50));
    policy.timeout = Duration::from_millis(300);
    policy
}

/// What the issuer says about a good token, with some of it replaced; `null` takes one away.
fn answer(issuer: &TestIssuer, changes: &Value) -> Value {
    let mut answer = issuer.claims(PERSON);
    answer["active"] = true.into();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(answer.as_object_mut().unwrap().remove(name)),
            value => answer[name] = value.clone(),
        }
    }
    answer
}

#[tokio::test]
async fn an_active_token_names_its_person_and_its_rights() {
    let issuer = TestIssuer::start().await.unwrap();
    let layer = layer(&issuer);
    let token = issuer.opaque_token(PERSON);
    let first = passed(&send_token(&layer, &token).await);
    assert_eq!((first.user.email.as_str(), first.user.kind), (PERSON, UserKind::Human));
    assert_eq!((first.user.issuer(), first.user.roles()), (Some(issuer.issuer()), &["reader".to_owned()][..]));
    assert!(!first.headers.contains_key("authorization"), "the caller's credential goes no further");
    // Known from then on; and tokens that speak for themselves are checked by keys, as ever.
    assert_eq!(passed(&send_token(&layer, &token).await).user, first.user);
    assert_eq!(issuer.questions(), 1);
    passed(&send_token(&layer, &issuer.token(PERSON)).await);
    assert_eq!(issuer.questions(), 1);
    assert_eq!(layer.introspection_status(), [(issuer.issuer().to_owned(), 1, 1)]);
}

#[tokio::test]
async fn a_program_is_a_program() {
    let issuer = TestIssuer::start().await.unwrap();
    let said = answer(&issuer, &json!({"sub": "client-1", "email": null, "exp": null, "iss": null, "iat": null}));
    let user = passed(&send_token(&layer(&issuer), &issuer.issue_opaque(&said)).await).user;
    assert_eq!((user.email.as_str(), user.kind), ("client-1", UserKind::ServiceToken));
}

/// The answers of providers (their documentation; values are made up).
#[tokio::test]
async fn answers_in_the_shape_of_each_provider() {
    let issuer = TestIssuer::start().await.unwrap();
    for (name, roles_claim, claims, email, roles) in [
        (
            "ZITADEL",
            "urn:zitadel:iam:org:project:roles",
            json!({"scope": "openid email", "client_id": "219110000000000002@project", "token_type": "Bearer", "aud": ["219110000000000002@project", RESOURCE], "sub": "218990000000000003", "username": PERSON, "email": PERSON, "email_verified": true, "urn:zitadel:iam:org:project:roles": {"reader": {"1": "example.com"}}}),
            PERSON,
            &["reader"][..],
        ),
        (
            "Ory Hydra",
            "ext.roles",
            json!({"scope": "mcp", "client_id": "c", "token_type": "Bearer", "token_use": "access_token", "aud": [RESOURCE], "sub": "user-7", "ext": {"roles": ["reader"]}}),
            "user-7",
            &["reader"],
        ),
        (
            "Keycloak, lightweight tokens",
            "realm_access.roles",
            json!({"typ": "Bearer", "token_type": "Bearer", "azp": "c", "client_id": "c", "aud": RESOURCE, "sub": "u", "email": PERSON, "realm_access": {"roles": ["reader"]}, "scope": "openid"}),
            PERSON,
            &["reader"],
        ),
        (
            "Clerk",
            "roles",
            json!({"client_id": "c", "iat": now(), "scope": "profile", "sub": "user_2a", "aud": RESOURCE}),
            "user_2a",
            &[],
        ),
    ] {
        println!("{name}");
        let oidc = oidc(&issuer).with_roles_claim(roles_claim).with_introspection(asking());
        let layer = create_auth_middleware(config(AuthMode::Oidc).with_oidc(oidc)).unwrap();
        let mut said = claims;
        said["active"] = true.into();
        said["iss"] = issuer.issuer().into();
        said["exp"] = (now() + 3600).into();
        let user = passed(&send_token(&layer, &issuer.issue_opaque(&said)).await).user;
        assert_eq!(
            (user.email.as_str(), user.roles()),
            (email, &roles.iter().map(ToString::to_string).collect::<Vec<_>>()[..])
        );
    }
}

#[tokio::test]
async fn opaque_tokens_stand_beside_tokens_for_development() {
    let issuer = TestIssuer::start().await.unwrap();
    let mode = "oidc,bearer".parse().unwrap();
    let both = config(mode).with_bearer(bearer()).with_oidc(oidc(&issuer).with_introspection(asking()));
    let layer = create_auth_middleware(both).unwrap();
    assert_eq!(passed(&send_token(&layer, BEARER).await).user.kind, UserKind::Developer);
    assert_eq!(issuer.questions(), 0, "nobody is asked about a token of this server");
    assert_eq!(passed(&send_token(&layer, &issuer.opaque_token(PERSON)).await).user.email, PERSON);
    assert_refused(&send_token(&layer, "never-issued-by-anybody").await, AuthError::TokenNotActive);
}

#[tokio::test]
async fn without_introspection_an_opaque_token_is_none() {
    let issuer = TestIssuer::start().await.unwrap();
    let layer = create_auth_middleware(config(AuthMode::Oidc).with_oidc(oidc(&issuer))).unwrap();
    assert_refused(&send_token(&layer, &issuer.opaque_token(PERSON)).await, AuthError::JwtMalformed);
    assert_eq!((issuer.questions(), layer.introspection_status()), (0, Vec::new()));
}

#[tokio::test]
async fn the_secret_goes_where_the_issuer_takes_it_and_may_change() {
    let issuer = TestIssuer::start().await.unwrap();
    let config = IntrospectionConfig::new(INTROSPECTION_ID, "old".to_owned().into()).with_policy(impatient());
    let layer = layer_by(&issuer, config.clone());
    let token = issuer.opaque_token(PERSON);
    assert_refused(&send_token(&layer, &token).await, AuthError::IntrospectionUnavailable);
    config.set_client_secret(INTROSPECTION_SECRET.to_owned().into());
    passed(&send_token(&layer, &token).await);
    // An issuer that takes it in the form alone gets it there, and no header: the stand-in refuses that.
    let origin = issuer.issuer();
    let document = json!({
        "issuer": origin, "jwks_uri": format!("{origin}/keys"), "introspection_endpoint": format!("{origin}{INTROSPECTION}"),
        "introspection_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
    });
    issuer.answer(METADATA, 200, document.to_string());
    let layer = layer_by(&issuer, config.clone());
    assert_refused(&send_token(&layer, &token).await, AuthError::IntrospectionUnavailable);
    let named = config.with_url(&format!("{origin}{INTROSPECTION}")).unwrap();
    passed(&send_token(&layer_by(&issuer, named), &token).await);
}

#[test]
fn addresses_and_numbers_of_issuers_are_checked_at_start() {
    for bad in ["", "http://t.example/introspect", "/introspect", "file:///etc/passwd"] {
        assert_eq!(asking().with_url(bad).map(|_| ()), Err(OidcConfigError::IntrospectionUrl), "{bad}");
    }
    let issuer = |name: &str| OidcConfig::new(name, ["x"]).unwrap().with_introspection(asking());
    let one = config(AuthMode::Oidc).with_oidc(issuer("https://a.example"));
    assert_eq!(one.check(), Ok(()));
    assert_eq!(one.clone().with_oidc(issuer("https://b.example")).check(), Err(ConfigError::IntrospectionTwice));
    let jwts = OidcConfig::new("https://b.example", ["x"]).unwrap();
    let jwts = jwts.with_introspection(asking().about(IntrospectedTokens::Jwt));
    assert_eq!(one.with_oidc(jwts).check(), Ok(()), "a JWT says whom to ask");
    for (text, tokens) in
        [("opaque", IntrospectedTokens::Opaque), (" JWT ", IntrospectedTokens::Jwt), ("all", IntrospectedTokens::All)]
    {
        assert_eq!(text.parse(), Ok(tokens));
    }
    assert_eq!("both".parse::<IntrospectedTokens>().unwrap_err().to_string(), "must be opaque, jwt or all");
    let shown = format!("{:?}", issuer("https://a.example"));
    assert!(shown.contains(INTROSPECTION_ID) && !shown.contains(INTROSPECTION_SECRET), "{shown}");
}

/// The rules for tokens that speak for themselves hold for what is said about others.
#[tokio::test]
async fn attack_67_what_is_said_is_checked() {
    let issuer = TestIssuer::start().await.unwrap();
    let layer = layer(&issuer);
    for (changes, error) in [
        (json!({"active": false}), AuthError::TokenNotActive),
        (json!({"aud": null}), AuthError::AudienceMismatch),
        (json!({"aud": "https://other.example.com/mcp"}), AuthError::AudienceMismatch),
        (json!({"aud": [RESOURCE.to_uppercase()]}), AuthError::AudienceMismatch),
        (json!({"aud": 7}), AuthError::TokenNotActive),
        (json!({"iss": "https://other.example"}), AuthError::IssuerMismatch),
        (json!({"iss": 7}), AuthError::TokenNotActive),
        (json!({"exp": now() - 61}), AuthError::JwtExpired),
        (json!({"exp": "tomorrow"}), AuthError::TokenNotActive),
        (json!({"nbf": now() + 90}), AuthError::JwtNotYetValid),
        (json!({"iat": now() - 25 * 60 * 60}), AuthError::JwtTooOld),
        (json!({"sub": null}), AuthError::NoIdentity),
        (json!({"token_type": "refresh_token"}), AuthError::NotAnAccessToken),
        (json!({"token_type": "DPoP"}), AuthError::NotAnAccessToken),
        (json!({"typ": "Refresh"}), AuthError::NotAnAccessToken),
        (json!({"typ": "ID"}), AuthError::NotAnAccessToken),
        (json!({"cnf": {"x5t#S256": "x"}}), AuthError::NotAnAccessToken),
    ] {
        println!("{changes}");
        let token = issuer.issue_opaque(&answer(&issuer, &changes));
        assert_refused(&send_token(&layer, &token).await, error);
    }
    for changes in [json!({"token_type": "bearer"}), json!({"typ": "Bearer"}), json!({"aud": RESOURCE})] {
        let token = issuer.issue_opaque(&answer(&issuer, &changes));
        passed(&send_token(&layer, &token).await);
    }
}

#[tokio::test]
async fn scopes_and_lists_of_people_count() {
    let issuer = TestIssuer::start().await.unwrap();
    let with = |oidc: OidcConfig| create_auth_middleware(config(AuthMode::Oidc).with_oidc(oidc)).unwrap();
    let needs = with(oidc(&issuer).with_introspection(asking()).with_required_scopes(["mcp", "write"]));
    let response = send_token(&needs, &issuer.opaque_token(PERSON)).await;
    assert_refused(&response, AuthError::InsufficientScope);
    assert!(response.headers()["www-authenticate"].to_str().unwrap().contains("scope=\"mcp write\""));
    let others = with(oidc(&issuer).with_introspection(asking()).with_allowed_domains(["other.example"]));
    assert_refused(&send_token(&others, &issuer.opaque_token(PERSON)).await, AuthError::UserNotAllowed);
}

/// A JWT of which the issuer says whether it is still active, beside an opaque token about which it is asked as well or not.
#[tokio::test]
async fn attack_69_a_jwt_that_was_revoked_before_its_end() {
    for (tokens, opaque) in [(IntrospectedTokens::Jwt, false), (IntrospectedTokens::All, true)] {
        let issuer = TestIssuer::start().await.unwrap();
        let layer = layer_by(&issuer, asking().with_policy(impatient()).about(tokens));
        let token = issuer.token(PERSON);
        issuer.activate(&token);
        let user = passed(&send_token(&layer, &token).await).user;
        assert_eq!((user.email.as_str(), user.roles()), (PERSON, &["reader".to_owned()][..]));
        assert_eq!(issuer.questions(), 1);
        issuer.revoke(&token);
        eventually("the refusal", async || send_token(&layer, &token).await.status() == 401).await;
        assert_refused(&send_token(&layer, &token).await, AuthError::TokenNotActive);
        // One that the issuer has never called active.
        assert_refused(&send_token(&layer, &issuer.token("other@example.com")).await, AuthError::TokenNotActive);
        let response = send_token(&layer, &issuer.opaque_token(PERSON)).await;
        if opaque {
            passed(&response);
        } else {
            assert_refused(&response, AuthError::JwtMalformed);
        }
    }
}

/// The question comes last: what is no good token of the issuer is refused without one.
#[tokio::test]
async fn attack_06_a_jwt_that_is_not_good_costs_the_issuer_no_question() {
    let issuer = TestIssuer::start().await.unwrap();
    let layer = layer_by(&issuer, asking().about(IntrospectedTokens::Jwt));
    let good = issuer.token(PERSON);
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let other = issuer.token("other@example.com");
    let forged = format!("{signed}.{}", other.rsplit_once('.').unwrap().1);
    assert_ne!(forged.rsplit_once('.').unwrap().1, signature);
    assert_refused(&send_token(&layer, &forged).await, AuthError::InvalidSignature);
    let mut claims = issuer.claims(PERSON);
    claims["aud"] = "https://other.example.com/mcp".into();
    assert_refused(&send_token(&layer, &issuer.sign(&claims)).await, AuthError::AudienceMismatch);
    assert_eq!(issuer.questions(), 0);
}

#[tokio::test]
async fn attack_69_an_issuer_that_is_not_reached_says_nothing_about_a_jwt() {
    let issuer = TestIssuer::start().await.unwrap();
    let layer = layer_by(&issuer, asking().with_policy(impatient()).about(IntrospectedTokens::Jwt));
    let token = issuer.token(PERSON);
    issuer.activate(&token);
    passed(&send_token(&layer, &token).await);
    issuer.behave(INTROSPECTION, KeyServer::Answers(503, String::new()));
    tokio::time::sleep(Duration::from_millis(60)).await;
    passed(&send_token(&layer, &token).await);
    let other = issuer.token("other@example.com");
    assert_refused(&send_token(&layer, &other).await, AuthError::IntrospectionUnavailable);
    // Bound to a key of the client, as the issuer says: no bearer's.
    issuer.behave(INTROSPECTION, KeyServer::Introspects);
    issuer.activate_as(&other, &json!({"active": true, "token_type": "DPoP"}));
    assert_refused(&send_token(&layer, &other).await, AuthError::NotAnAccessToken);
}

/// Each JWT is asked about at the issuer that it names, and an opaque token at the one that is asked about those.
#[tokio::test]
async fn each_issuer_is_asked_about_its_own_tokens() {
    let (one, other) = (TestIssuer::start().await.unwrap(), TestIssuer::start().await.unwrap());
    let jwts = oidc(&one).with_introspection(asking().about(IntrospectedTokens::Jwt));
    let config = config(AuthMode::Oidc).with_oidc(jwts).with_oidc(oidc(&other).with_introspection(asking()));
    let layer = create_auth_middleware(config).unwrap();
    let token = one.token(PERSON);
    one.activate(&token);
    passed(&send_token(&layer, &token).await);
    assert_eq!((one.questions(), other.questions()), (1, 0));
    passed(&send_token(&layer, &other.opaque_token(PERSON)).await);
    passed(&send_token(&layer, &other.token(PERSON)).await);
    assert_eq!((one.questions(), other.questions()), (1, 1));
    let status = layer.introspection_status();
    assert_eq!(status, [(one.issuer().to_owned(), 1, 1), (other.issuer().to_owned(), 1, 1)]);
}

/// Whatever is not the answer of an introspection decides nothing, and is waited for a bounded time.
#[tokio::test]
async fn attack_67_an_issuer_that_hangs_or_answers_anything() {
    for behaviour in [
        KeyServer::KeepsSilent,
        KeyServer::Drips,
        KeyServer::Sends(50 * 1024 * 1024),
        KeyServer::Answers(200, "<html>".to_owned()),
        KeyServer::Answers(200, "[]".to_owned()),
        KeyServer::Answers(200, "{}".to_owned()),
        KeyServer::Answers(200, r#"{"active":"true"}"#.to_owned()),
        KeyServer::Answers(200, r#"{"active":1}"#.to_owned()),
        KeyServer::Answers(200, r#"{"active":false,"active":true}"#.to_owned()),
        KeyServer::Answers(401, "{}".to_owned()),
        KeyServer::Answers(404, "{}".to_owned()),
        KeyServer::Answers(500, "{}".to_owned()),
    ] {
        println!("{behaviour:?}");
        let issuer = TestIssuer::start().await.unwrap();
        issuer.behave(INTROSPECTION, behaviour);
        let since = Instant::now();
        let layer = layer_by(&issuer, asking().with_policy(impatient()));
        let response = send_token(&layer, &issuer.opaque_token(PERSON)).await;
        assert_refused(&response, AuthError::IntrospectionUnavailable);
        assert!(since.elapsed() < Duration::from_secs(5));
    }
}

#[tokio::test]
async fn attack_67_nobody_follows_a_redirect_with_a_token() {
    let (issuer, elsewhere) = (TestIssuer::start().await.unwrap(), TestIssuer::start().await.unwrap());
    issuer.behave(INTROSPECTION, KeyServer::RedirectsTo(format!("{}{INTROSPECTION}", elsewhere.issuer())));
    let response = send_token(&layer(&issuer), &issuer.opaque_token(PERSON)).await;
    assert_refused(&response, AuthError::IntrospectionUnavailable);
    // Nor to an address that is not https, or to where the metadata of another issuer says.
    for (name, endpoint) in [
        (issuer.issuer(), "http://other.example/introspect".to_owned()),
        (elsewhere.issuer(), format!("{}{INTROSPECTION}", elsewhere.issuer())),
    ] {
        let document = json!({"issuer": name, "jwks_uri": format!("{}/keys", issuer.issuer()), "introspection_endpoint": endpoint});
        issuer.answer(METADATA, 200, document.to_string());
        let response = send_token(&layer(&issuer), &issuer.opaque_token(PERSON)).await;
        assert_refused(&response, AuthError::IntrospectionUnavailable);
    }
    assert_eq!((elsewhere.requests(), issuer.questions()), (0, 1));
}

#[tokio::test]
async fn attack_69_a_revoked_token_is_refused_in_the_stated_time() {
    let issuer = TestIssuer::start().await.unwrap();
    let layer = layer_by(&issuer, asking().with_policy(impatient()));
    let token = issuer.opaque_token(PERSON);
    passed(&send_token(&layer, &token).await);
    issuer.revoke(&token);
    eventually("the refusal", async || send_token(&layer, &token).await.status() == 401).await;
    assert_refused(&send_token(&layer, &token).await, AuthError::TokenNotActive);
    // Refused is not bridged, though the issuer called it active before.
    issuer.behave(INTROSPECTION, KeyServer::Answers(503, String::new()));
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_refused(&send_token(&layer, &token).await, AuthError::IntrospectionUnavailable);
}

#[tokio::test]
async fn attack_69_an_outage_is_bridged_for_active_tokens_alone() {
    let issuer = TestIssuer::start().await.unwrap();
    let layer = layer_by(&issuer, asking().with_policy(impatient()));
    let token = issuer.opaque_token(PERSON);
    passed(&send_token(&layer, &token).await);
    for behaviour in
        [KeyServer::Answers(503, String::new()), KeyServer::Answers(429, String::new()), KeyServer::KeepsSilent]
    {
        issuer.behave(INTROSPECTION, behaviour);
        tokio::time::sleep(Duration::from_millis(60)).await;
        passed(&send_token(&layer, &token).await);
        let other = issuer.opaque_token("other@example.com");
        assert_refused(&send_token(&layer, &other).await, AuthError::IntrospectionUnavailable);
    }
    // While the issuer does not answer, nobody waits for it again and again.
    let (since, questions) = (Instant::now(), issuer.questions());
    for _ in 0..100 {
        passed(&send_token(&layer, &token).await);
    }
    assert!(since.elapsed() < Duration::from_millis(900) && issuer.questions() <= questions + 1);
    // A client that may not ask any more gets no answer: that is no outage.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    issuer.answer(INTROSPECTION, 401, "{}");
    assert_refused(&send_token(&layer, &token).await, AuthError::IntrospectionUnavailable);
    // It recovers by itself.
    issuer.behave(INTROSPECTION, KeyServer::Introspects);
    passed(&send_token(&layer, &token).await);
}

#[tokio::test]
async fn one_question_for_all_who_ask_about_the_same_token() {
    let issuer = TestIssuer::start().await.unwrap();
    let layer = layer(&issuer);
    for (token, passes) in [(issuer.opaque_token(PERSON), true), ("never-issued-by-anybody".to_owned(), false)] {
        let before = issuer.questions();
        let all = (0..200).map(|_| send_token(&layer, &token));
        for response in futures_util::future::join_all(all).await {
            assert_eq!(response.status() == 200, passes);
        }
        assert_eq!(issuer.questions(), before + 1);
    }
}

/// Made-up tokens cost the issuer a bounded number of questions at once, and keep nobody out.
#[tokio::test]
async fn attack_06_a_flood_of_made_up_tokens() {
    let issuer = TestIssuer::start().await.unwrap();
    let layer = layer_by(&issuer, asking().with_policy(impatient()));
    let token = issuer.opaque_token(PERSON);
    passed(&send_token(&layer, &token).await);
    for bad in ["short", "fifteen-letters", &"x".repeat(4097), &"x".repeat(64 * 1024)] {
        assert_eq!(send_token(&layer, bad).await.status(), 401);
    }
    assert_eq!(issuer.questions(), 1, "nobody is asked about what cannot be a token");
    issuer.behave(INTROSPECTION, KeyServer::KeepsSilent);
    let flood: Vec<_> = (0..300).map(|n| format!("made-up-token-number-{n}")).collect();
    let all = flood.iter().map(|token| send_token(&layer, token));
    let since = Instant::now();
    for response in futures_util::future::join_all(all).await {
        assert_refused(&response, AuthError::IntrospectionUnavailable);
    }
    assert!(since.elapsed() < Duration::from_secs(2));
    assert!(issuer.questions() <= 1 + 16, "{} questions", issuer.questions());
    passed(&send_token(&layer, &token).await);
}

/// Nor does a flood keep a revoked token alive: only an issuer that cannot be reached is bridged.
#[tokio::test]
async fn attack_69_a_flood_prolongs_no_revoked_token() {
    let issuer = TestIssuer::start().await.unwrap();
    let mut policy = impatient();
    policy.timeout = Duration::from_secs(5);
    let layer = layer_by(&issuer, asking().with_policy(policy));
    let token = issuer.opaque_token(PERSON);
    passed(&send_token(&layer, &token).await);
    issuer.revoke(&token);
    tokio::time::sleep(Duration::from_millis(60)).await;
    let flood: Vec<_> = (0..300).map(|n| format!("made-up-token-number-{n}")).collect();
    let all = flood.iter().chain([&token]).map(|token| send_token(&layer, token));
    let answers = futures_util::future::join_all(all).await;
    assert!(answers[..300].iter().all(|response| matches!(response.status().as_u16(), 401 | 503)));
    assert_refused(&answers[300], AuthError::TokenNotActive);
}

/// Callers who hang up leave no question behind that is asked again, and none that never ends.
#[tokio::test]
async fn a_question_outlives_who_caused_it() {
    let issuer = TestIssuer::start().await.unwrap();
    let layer = layer(&issuer);
    let token = issuer.opaque_token(PERSON);
    for _ in 0..50 {
        let hangs_up = tokio::time::timeout(Duration::from_micros(50), send_token(&layer, &token)).await;
        drop(hangs_up);
    }
    passed(&send_token(&layer, &token).await);
    assert_eq!(issuer.questions(), 1);
}
