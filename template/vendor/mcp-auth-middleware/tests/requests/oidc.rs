//! Access tokens of issuers other than Cloudflare Access: what passes, and what the user then is.

use http::StatusCode;
use mcp_auth_middleware::testing::{AUDIENCE, ISSUER, RESOURCE, TestIssuer, TestKey, TestTeam, now};
use mcp_auth_middleware::{
    AccessConfig, Algorithm, AuthError, AuthLayer, AuthMode, OidcConfig, UserKind, create_auth_middleware,
    validate_access_token,
};
use serde_json::{Value, json};

use crate::harness::{ACCESS_HEADER, BEARER, PERSON, assert_refused, bearer, config, passed, send};

/// A layer that accepts tokens of this issuer.
pub fn layer(issuer: &TestIssuer, adjust: impl FnOnce(OidcConfig) -> OidcConfig) -> AuthLayer {
    let oidc = OidcConfig::new(issuer.issuer(), [RESOURCE]).unwrap();
    create_auth_middleware(config(AuthMode::Oidc).with_oidc(adjust(oidc))).unwrap()
}

pub async fn send_token(layer: &AuthLayer, token: &str) -> http::Response<String> {
    send(layer, &[("authorization", format!("Bearer {token}"))]).await
}

#[track_caller]
fn without(mut claims: Value, names: &[&str]) -> Value {
    for name in names {
        claims.as_object_mut().unwrap().remove(*name);
    }
    claims
}

#[tokio::test]
async fn a_good_token_names_its_person_and_its_rights() {
    let issuer = TestIssuer::start().await.unwrap();
    let layer = layer(&issuer, |oidc| oidc);
    let token = issuer.token(PERSON);
    let first = passed(&send_token(&layer, &token).await);
    let user = first.user;
    assert_eq!((user.email.as_str(), user.user_uuid.as_deref(), user.kind), (PERSON, Some("user-1"), UserKind::Human));
    assert_eq!((user.issuer(), user.address()), (Some(issuer.issuer()), Some(PERSON)));
    assert_eq!(
        (user.roles(), user.scopes()),
        (&["reader".to_owned()][..], &["openid".to_owned(), "mcp".to_owned()][..])
    );
    let grant = user.grant.clone().unwrap();
    assert_eq!((grant.client_id.as_deref(), grant.subject.as_deref()), (Some("client-1"), Some("user-1")));
    assert!(!first.headers.contains_key("authorization"), "the caller's credential goes no further");

    // Known from then on: no second signature check, and what the token says is not copied.
    let again = passed(&send_token(&layer, &token).await).user;
    assert_eq!(again, user);
    let (_, status) = layer.issuer_keys().remove(0);
    assert_eq!((status.keys, status.verified_tokens, status.signature_checks), (1, 1, 1));
    assert_eq!(issuer.requests(), 3, "no metadata by RFC 8414, then by OpenID Connect, then the keys");
}

#[tokio::test]
async fn each_default_algorithm_is_accepted_and_each_other_one_when_it_is_configured() {
    let mut issuer = TestIssuer::start().await.unwrap();
    let keys: Vec<_> = Algorithm::ALL
        .into_iter()
        .map(|algorithm| (algorithm, TestKey::for_algorithm(algorithm, algorithm.as_str())))
        .collect();
    issuer.publish(&keys.iter().map(|(_, key)| key).collect::<Vec<_>>());
    let default = layer(&issuer, |oidc| oidc);
    let all = layer(&issuer, |oidc| oidc.with_algorithms(Algorithm::ALL).unwrap());
    for (algorithm, key) in keys {
        issuer.key = key;
        let token = issuer.token(PERSON);
        passed(&send_token(&all, &token).await);
        let response = send_token(&default, &token).await;
        if Algorithm::DEFAULT.contains(&algorithm) {
            passed(&response);
        } else {
            assert_refused(&response, AuthError::AlgorithmNotAllowed);
        }
        // The signature is looked at, whatever the algorithm.
        let (head, signature) = token.rsplit_once('.').unwrap();
        let flipped = if signature.starts_with('A') { "B" } else { "A" };
        let forged = format!("{head}.{flipped}{}", &signature[1..]);
        assert_refused(&send_token(&all, &forged).await, AuthError::InvalidSignature);
    }
}

/// The same key under another algorithm, and a key of another issuer under a known id.
#[tokio::test]
async fn a_key_is_for_its_own_algorithm() {
    let issuer = TestIssuer::start().await.unwrap();
    let all = layer(&issuer, |oidc| oidc.with_algorithms(Algorithm::ALL).unwrap());
    for algorithm in Algorithm::ALL.into_iter().filter(|algorithm| *algorithm != Algorithm::Rs256) {
        let other = TestKey::for_algorithm(algorithm, issuer.key.kid());
        let token = other.sign(&other.header(), &issuer.claims(PERSON));
        assert_refused(&send_token(&all, &token).await, AuthError::AlgorithmNotAllowed);
    }
}

#[tokio::test]
async fn metadata_is_found_at_each_well_known_address() {
    for (path, metadata) in [
        ("", "/.well-known/oauth-authorization-server"),
        ("", "/.well-known/openid-configuration"),
        ("/", "/.well-known/openid-configuration"),
        ("/realms/a", "/.well-known/oauth-authorization-server/realms/a"),
        ("/realms/a", "/.well-known/openid-configuration/realms/a"),
        ("/realms/a", "/realms/a/.well-known/openid-configuration"),
        ("/tenant/v2.0", "/tenant/v2.0/.well-known/openid-configuration"),
    ] {
        let issuer = TestIssuer::start_at(path, metadata).await.unwrap();
        println!("{metadata}");
        passed(&send_token(&layer(&issuer, |oidc| oidc), &issuer.token(PERSON)).await);
    }
}

#[tokio::test]
async fn keys_may_have_an_address_of_their_own() {
    let issuer = TestIssuer::start_at("", "/nowhere").await.unwrap();
    let origin = issuer.issuer().to_owned();
    let layer = layer(&issuer, |oidc| oidc.with_jwks_uri(&format!("{origin}/keys")).unwrap());
    passed(&send_token(&layer, &issuer.token(PERSON)).await);
    assert_eq!(issuer.requests(), 1);
}

#[tokio::test]
async fn each_issuer_has_its_own_rules() {
    let (a, b) = (TestIssuer::start().await.unwrap(), TestIssuer::start().await.unwrap());
    let json = json!({"issuers": [
        {"issuer": a.issuer(), "audience": ["for-a"], "roles_claim": "realm_access.roles", "require_at_jwt": true},
        {"issuer": b.issuer(), "required_scopes": ["mcp"]},
    ]});
    let issuers =
        OidcConfig::from_json(&json.to_string(), &[RESOURCE.to_owned()], |_| Err("no file".to_owned())).unwrap();
    let config = issuers.into_iter().fold(config(AuthMode::Oidc), |config, issuer| config.with_oidc(issuer));
    let layer = create_auth_middleware(config).unwrap();

    let mut claims = a.claims(PERSON);
    claims["aud"] = "for-a".into();
    claims["realm_access"] = json!({"roles": ["admin"]});
    let user = passed(&send_token(&layer, &a.sign(&claims)).await).user;
    assert_eq!((user.issuer(), user.roles()), (Some(a.issuer()), &["admin".to_owned()][..]));
    assert_eq!(passed(&send_token(&layer, &b.token(PERSON)).await).user.issuer(), Some(b.issuer()));

    // The audience of the one is none of the other; nor are its keys, or its types.
    assert_eq!(code(&layer, &a.token(PERSON)).await, AuthError::AudienceMismatch.code());
    let borrowed = a.key.sign(&a.key.header(), &b.claims(PERSON));
    assert_eq!(code(&layer, &borrowed).await, AuthError::InvalidSignature.code());
    assert_eq!(code(&layer, &a.key.sign(&a.key.header(), &claims)).await, AuthError::NotAnAccessToken.code());
    let mut stranger = b.claims(PERSON);
    stranger["iss"] = format!("{}/", b.issuer()).into();
    assert_eq!(code(&layer, &b.sign(&stranger)).await, AuthError::IssuerMismatch.code());
}

/// The stable code of a refusal.
async fn code(layer: &AuthLayer, token: &str) -> String {
    let body: Value = serde_json::from_str(send_token(layer, token).await.body()).unwrap();
    body["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn missing_scopes_are_named() {
    let issuer = TestIssuer::start().await.unwrap();
    let oidc = OidcConfig::new(issuer.issuer(), [RESOURCE]).unwrap().with_required_scopes(["mcp", "docs:read"]);
    let config =
        config(AuthMode::Oidc).with_oidc(oidc).with_resource_path("/mcp").with_public_origin("https://mcp.example.com");
    let layer = create_auth_middleware(config).unwrap();
    let metadata = r#"resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp""#;
    let challenge =
        |response: &http::Response<String>| response.headers()["www-authenticate"].to_str().unwrap().to_owned();

    let response = send_token(&layer, &issuer.token(PERSON)).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let expected = format!(
        r#"Bearer realm="test-server", error="insufficient_scope", error_description="insufficient scope", scope="mcp docs:read", {metadata}"#
    );
    assert_eq!(challenge(&response), expected);
    let body: Value = serde_json::from_str(response.body()).unwrap();
    let expected = json!({"error": "insufficient_scope", "code": "MCP-AUTH-023", "message": "insufficient scope", "missing_scopes": "docs:read"});
    assert_eq!(body, expected);

    let mut claims = issuer.claims(PERSON);
    claims["scope"] = "docs:read mcp".into();
    passed(&send_token(&layer, &issuer.sign(&claims)).await);

    // Who has no token learns what to ask for.
    let response = send::<&str>(&layer, &[]).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(challenge(&response), format!(r#"Bearer realm="test-server", scope="mcp docs:read", {metadata}"#));
}

#[tokio::test]
async fn allow_lists_hold_for_every_issuer() {
    let issuer = TestIssuer::start().await.unwrap();
    let layer =
        layer(&issuer, |oidc| oidc.with_allowed_emails(["User@Example.com"]).with_allowed_domains(["example.org"]));
    let with = |changes: Value| {
        let mut claims = issuer.claims(PERSON);
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        issuer.sign(&claims)
    };
    for good in ["USER@example.com", "any@example.org"] {
        passed(&send_token(&layer, &with(json!({"email": good}))).await);
    }
    for bad in [
        json!({"email": "other@example.com"}),
        json!({"email": "any@sub.example.org"}),
        json!({"email": PERSON, "email_verified": false}),
        json!({"email": PERSON, "email_verified": "false"}),
        json!({"email": ""}),
        json!({"email": ["user@example.com"]}),
        // The subject is no address, whatever it looks like; and a program is none of these people.
        json!({"email": null, "sub": PERSON}),
        json!({"sub": "client-1"}),
    ] {
        println!("{bad}");
        assert_refused(&send_token(&layer, &with(bad)).await, AuthError::UserNotAllowed);
    }
}

/// attacks.md 64: letters that are other letters in lower case.
#[tokio::test]
async fn attack_64_letters_of_other_scripts_in_an_address() {
    let issuer = TestIssuer::start().await.unwrap();
    let layer = layer(&issuer, |oidc| oidc.with_allowed_emails(["kim@example.com"]));
    for other in ["\u{212a}im@example.com", "kim@example.com\u{200b}", "kim@e\u{445}ample.com", "kim＠example.com"] {
        assert_refused(&send_token(&layer, &issuer.token(other)).await, AuthError::UserNotAllowed);
    }
    passed(&send_token(&layer, &issuer.token("KIM@example.com")).await);
}

#[tokio::test]
async fn a_token_for_development_beside_an_issuer() {
    let issuer = TestIssuer::start().await.unwrap();
    let oidc = OidcConfig::new(issuer.issuer(), [RESOURCE]).unwrap();
    let mode: AuthMode = "oidc,bearer".parse().unwrap();
    let layer = create_auth_middleware(config(mode).with_oidc(oidc).with_bearer(bearer())).unwrap();
    assert_eq!(passed(&send_token(&layer, BEARER).await).user.kind, UserKind::Developer);
    assert_eq!(issuer.requests(), 0);
    assert_eq!(passed(&send_token(&layer, &issuer.token(PERSON)).await).user.email, PERSON);
    assert_refused(&send_token(&layer, "wrong-token-0123456789").await, AuthError::BearerMismatch);
    assert_refused(&send_token(&layer, "a.b.c").await, AuthError::JwtMalformed);
    assert_refused(&send(&layer, &[("authorization", "Basic x")]).await, AuthError::BearerMalformed);
    assert_refused(&send::<&str>(&layer, &[]).await, AuthError::MissingCredentials);
}

/// As in mode `both`: a request with a header of Access stands or falls with it.
#[tokio::test]
async fn attack_27_a_bad_access_header_beside_a_good_token() {
    let (team, issuer) = (TestTeam::start().await.unwrap(), TestIssuer::start().await.unwrap());
    let access = AccessConfig::new(ISSUER, [AUDIENCE]).unwrap().with_certs_url(&team.certs_url()).unwrap();
    let oidc = OidcConfig::new(issuer.issuer(), [RESOURCE]).unwrap();
    let config = config("cloudflare,oidc".parse().unwrap()).with_cloudflare(access).with_oidc(oidc);
    let layer = create_auth_middleware(config).unwrap();
    let token = format!("Bearer {}", issuer.token(PERSON));
    let bad = send(&layer, &[(ACCESS_HEADER, "a.b.c".to_owned()), ("authorization", token.clone())]).await;
    assert_refused(&bad, AuthError::JwtMalformed);
    assert_eq!(passed(&send(&layer, &[("authorization", token)]).await).user.issuer(), Some(issuer.issuer()));
    let person = passed(&send(&layer, &[(ACCESS_HEADER, team.token(PERSON))]).await).user;
    assert_eq!(person.issuer(), Some(ISSUER));
    // A token of Access in the other header is of an issuer that is not configured for it.
    let misplaced = format!("Bearer {}", team.token(PERSON));
    assert_refused(&send(&layer, &[("authorization", misplaced)]).await, AuthError::IssuerMismatch);
}

#[tokio::test]
async fn what_the_function_says_is_what_the_layer_does() {
    let issuer = TestIssuer::start().await.unwrap();
    let oidc = OidcConfig::new(issuer.issuer(), [RESOURCE]).unwrap();
    let validator = mcp_auth_middleware::OidcValidator::new(vec![oidc]).unwrap();
    for _ in 0..2 {
        assert_eq!(validate_access_token(&issuer.token(PERSON), &validator).await.unwrap().email, PERSON);
    }
    let long = "x".repeat(17 * 1024);
    assert_eq!(validate_access_token(&long, &validator).await, Err(AuthError::JwtMalformed));
    assert_eq!(format!("{validator:?}"), format!("[{:?}]", issuer.issuer()));
}

/// The shapes of real providers' tokens (their documentation; values are made up).
#[tokio::test]
async fn tokens_in_the_shape_of_each_provider() {
    struct Case {
        name: &'static str,
        audience: &'static str,
        audience_claim: &'static str,
        roles_claim: &'static str,
        email_claim: &'static str,
        header_type: Option<&'static str>,
        claims: Value,
        email: &'static str,
        kind: UserKind,
        client: &'static str,
        roles: &'static [&'static str],
        scopes: &'static [&'static str],
    }
    const API: &str = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    const CLIENT: &str = "b14a7505-96e9-4927-91e8-0601d0fc9caa";
    let cases = [
        Case {
            name: "Entra v2, a person",
            audience: API,
            audience_claim: "aud",
            roles_claim: "roles",
            email_claim: "email",
            header_type: Some("JWT"),
            claims: json!({"aud": API, "azp": CLIENT, "azpacr": "0", "email": PERSON, "name": "A User", "oid": "690222be-ff1a-4d56-abd1-7e4f7d38e474", "preferred_username": PERSON, "rh": "0.x", "roles": ["Reader"], "scp": "access_as_user mcp.read", "sub": "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ", "tid": "72f988bf-86f1-41af-91ab-2d7cd011db47", "uti": "fqiBqXLPj0eQa82S-IYFAA", "ver": "2.0"}),
            email: PERSON,
            kind: UserKind::Human,
            client: CLIENT,
            roles: &["Reader"],
            scopes: &["access_as_user", "mcp.read"],
        },
        Case {
            name: "Entra v1, a person",
            audience: "api://6e74172b-be56-4843-9ff4-e66a39bb12e3",
            audience_claim: "aud",
            roles_claim: "roles",
            email_claim: "upn",
            header_type: Some("JWT"),
            claims: json!({"aud": "api://6e74172b-be56-4843-9ff4-e66a39bb12e3", "acr": "1", "aio": "x", "amr": ["pwd"], "appid": CLIENT, "appidacr": "0", "ipaddr": "192.0.2.1", "oid": "690222be-ff1a-4d56-abd1-7e4f7d38e474", "scp": "user_impersonation", "sub": "l3_roISQU222bULS9yi2k0XpqpOiMz5H3ZACo1GeXA", "tid": "72f988bf-86f1-41af-91ab-2d7cd011db47", "unique_name": PERSON, "upn": PERSON, "ver": "1.0"}),
            email: PERSON,
            kind: UserKind::Human,
            client: CLIENT,
            roles: &[],
            scopes: &["user_impersonation"],
        },
        Case {
            name: "Entra v2, a program",
            audience: API,
            audience_claim: "aud",
            roles_claim: "roles",
            email_claim: "email",
            header_type: Some("JWT"),
            claims: json!({"aud": API, "azp": CLIENT, "azpacr": "1", "oid": "b7d35fdd-0c35-4d1c-9c6f-4b8d1a3b2a11", "sub": "b7d35fdd-0c35-4d1c-9c6f-4b8d1a3b2a11", "roles": ["Rows.Read.All"], "tid": "72f988bf-86f1-41af-91ab-2d7cd011db47", "ver": "2.0"}),
            email: CLIENT,
            kind: UserKind::ServiceToken,
            client: CLIENT,
            roles: &["Rows.Read.All"],
            scopes: &[],
        },
        Case {
            name: "Keycloak, a person",
            audience: RESOURCE,
            audience_claim: "aud",
            roles_claim: "realm_access.roles",
            email_claim: "email",
            header_type: Some("JWT"),
            claims: json!({"aud": [RESOURCE, "account"], "typ": "Bearer", "azp": "mcp-client", "sub": "f:1:user", "sid": "s", "acr": "1", "realm_access": {"roles": ["offline_access", "reader"]}, "resource_access": {"account": {"roles": ["view-profile"]}}, "scope": "openid email profile", "email_verified": true, "preferred_username": "user", "email": PERSON, "jti": "onrtac:1"}),
            email: PERSON,
            kind: UserKind::Human,
            client: "mcp-client",
            roles: &["offline_access", "reader"],
            scopes: &["openid", "email", "profile"],
        },
        Case {
            name: "Keycloak, a service account",
            audience: RESOURCE,
            audience_claim: "aud",
            roles_claim: "realm_access.roles",
            email_claim: "email",
            header_type: Some("JWT"),
            claims: json!({"aud": RESOURCE, "typ": "Bearer", "azp": "robot", "client_id": "robot", "sub": "0b6a…", "preferred_username": "service-account-robot", "realm_access": {"roles": ["reader"]}, "scope": "email profile", "clientHost": "192.0.2.1", "email_verified": false}),
            email: "robot",
            kind: UserKind::ServiceToken,
            client: "robot",
            roles: &["reader"],
            scopes: &["email", "profile"],
        },
        Case {
            name: "Auth0, its own profile",
            audience: RESOURCE,
            audience_claim: "aud",
            roles_claim: "https://example.com/roles",
            email_claim: "https://example.com/email",
            header_type: Some("JWT"),
            claims: json!({"aud": [RESOURCE, "https://tenant.auth0.com/userinfo"], "azp": "my_client_id", "sub": "auth0|123456", "scope": "openid profile read:rows", "https://example.com/roles": ["reader"], "https://example.com/email": PERSON}),
            email: PERSON,
            kind: UserKind::Human,
            client: "my_client_id",
            roles: &["reader"],
            scopes: &["openid", "profile", "read:rows"],
        },
        Case {
            name: "Auth0, RFC 9068",
            audience: RESOURCE,
            audience_claim: "aud",
            roles_claim: "permissions",
            email_claim: "email",
            header_type: Some("at+jwt"),
            claims: json!({"aud": [RESOURCE, "https://tenant.auth0.com/userinfo"], "client_id": "my_client_id", "sub": "auth0|123456", "jti": "73WakrfVbNJBaAmhQtEeDv", "scope": "openid", "permissions": ["rows:list"]}),
            email: "auth0|123456",
            kind: UserKind::Human,
            client: "my_client_id",
            roles: &["rows:list"],
            scopes: &["openid"],
        },
        Case {
            name: "Auth0, a program",
            audience: RESOURCE,
            audience_claim: "aud",
            roles_claim: "permissions",
            email_claim: "email",
            header_type: Some("JWT"),
            claims: json!({"aud": RESOURCE, "azp": "awZfdIir", "sub": "awZfdIir@clients", "gty": "client-credentials", "scope": "read:rows"}),
            email: "awZfdIir",
            kind: UserKind::ServiceToken,
            client: "awZfdIir",
            roles: &[],
            scopes: &["read:rows"],
        },
        Case {
            name: "Okta, a person",
            audience: "api://default",
            audience_claim: "aud",
            roles_claim: "groups",
            email_claim: "sub",
            header_type: None,
            claims: json!({"ver": 1, "jti": "AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE", "aud": "api://default", "cid": "0oabucvyc38HLL1ef0h7", "uid": "00ubucvyc38HLL1ef0h7", "scp": ["openid", "rows.read"], "auth_time": 1_700_000_000, "sub": PERSON, "groups": ["Everyone", "readers"]}),
            email: PERSON,
            kind: UserKind::Human,
            client: "0oabucvyc38HLL1ef0h7",
            roles: &["Everyone", "readers"],
            scopes: &["openid", "rows.read"],
        },
        Case {
            name: "Okta, a program",
            audience: "api://default",
            audience_claim: "aud",
            roles_claim: "groups",
            email_claim: "sub",
            header_type: None,
            claims: json!({"ver": 1, "jti": "AT.x", "aud": "api://default", "cid": "0oabucvyc38HLL1ef0h7", "scp": ["rows.read"], "sub": "0oabucvyc38HLL1ef0h7"}),
            email: "0oabucvyc38HLL1ef0h7",
            kind: UserKind::ServiceToken,
            client: "0oabucvyc38HLL1ef0h7",
            roles: &[],
            scopes: &["rows.read"],
        },
        Case {
            name: "WorkOS AuthKit, a person",
            audience: RESOURCE,
            audience_claim: "aud",
            roles_claim: "role",
            email_claim: "email",
            header_type: Some("JWT"),
            claims: json!({"aud": RESOURCE, "sub": "user_01HBEQKA6K4QJAS93VPE39W1JT", "sid": "app_consent_01HQSXZGF8FHF7A9ZZFCW4387R", "org_id": "org_01HRDMC6CM357W30QMHMQ96Q0S", "role": "member", "permissions": ["posts:read"], "jti": "01HQSXZXPPFPKMDD32RKTFR6PV"}),
            email: "user_01HBEQKA6K4QJAS93VPE39W1JT",
            kind: UserKind::Human,
            client: "",
            roles: &["member"],
            scopes: &[],
        },
        Case {
            name: "Amazon Cognito, a person: no audience but the client",
            audience: "5bsjlins3936h9gvpi0c24ah5b",
            audience_claim: "client_id",
            roles_claim: "cognito:groups",
            email_claim: "username",
            header_type: None,
            claims: json!({"sub": "f02e777c-489d-43c5-806d-2e6c06c9a355", "cognito:groups": ["readers"], "event_id": "e", "token_use": "access", "scope": "openid mcp/read", "auth_time": 1_700_000_000, "version": 2, "jti": "j", "client_id": "5bsjlins3936h9gvpi0c24ah5b", "username": PERSON}),
            email: PERSON,
            kind: UserKind::Human,
            client: "5bsjlins3936h9gvpi0c24ah5b",
            roles: &["readers"],
            scopes: &["openid", "mcp/read"],
        },
        Case {
            name: "Amazon Cognito with resource binding",
            audience: RESOURCE,
            audience_claim: "aud",
            roles_claim: "cognito:groups",
            email_claim: "email",
            header_type: None,
            claims: json!({"sub": "f02e777c-489d-43c5-806d-2e6c06c9a355", "aud": RESOURCE, "token_use": "access", "scope": "openid", "version": 2, "jti": "j", "client_id": "5bsjlins3936h9gvpi0c24ah5b", "username": "user"}),
            email: "f02e777c-489d-43c5-806d-2e6c06c9a355",
            kind: UserKind::Human,
            client: "5bsjlins3936h9gvpi0c24ah5b",
            roles: &[],
            scopes: &["openid"],
        },
        Case {
            name: "Amazon Cognito, a program",
            audience: "2client",
            audience_claim: "client_id",
            roles_claim: "cognito:groups",
            email_claim: "email",
            header_type: None,
            claims: json!({"sub": "2client", "token_use": "access", "scope": "mcp/read", "version": 2, "jti": "j", "client_id": "2client"}),
            email: "2client",
            kind: UserKind::ServiceToken,
            client: "2client",
            roles: &[],
            scopes: &["mcp/read"],
        },
        Case {
            name: "authentik: its audience is the client",
            audience: "Zx9QpL",
            audience_claim: "aud",
            roles_claim: "groups",
            email_claim: "email",
            header_type: Some("JWT"),
            claims: json!({"sub": "e3b0c44298fc1c149afbf4c8996fb924", "aud": "Zx9QpL", "auth_time": 1_700_000_000, "acr": "goauthentik.io/providers/oauth2/default", "email": PERSON, "email_verified": true, "name": "A User", "groups": ["readers"], "azp": "Zx9QpL", "uid": "u", "scope": "openid email profile"}),
            email: PERSON,
            kind: UserKind::Human,
            client: "Zx9QpL",
            roles: &["readers"],
            scopes: &["openid", "email", "profile"],
        },
        Case {
            name: "Ory Hydra, strategy jwt",
            audience: RESOURCE,
            audience_claim: "aud",
            roles_claim: "ext.roles",
            email_claim: "ext.email",
            header_type: Some("JWT"),
            claims: json!({"aud": [RESOURCE], "client_id": "hydra-client", "ext": {"email": PERSON, "roles": ["reader"]}, "jti": "j", "nbf": 1_700_000_000, "scp": ["openid", "mcp"], "sub": "user-7"}),
            email: PERSON,
            kind: UserKind::Human,
            client: "hydra-client",
            roles: &["reader"],
            scopes: &["openid", "mcp"],
        },
        Case {
            name: "Clerk, JWT access tokens, a client that sends the resource",
            audience: RESOURCE,
            audience_claim: "aud",
            roles_claim: "roles",
            email_claim: "email",
            header_type: Some("at+jwt"),
            claims: json!({"aud": [RESOURCE], "client_id": "mXyz", "jti": "oat_1", "scope": "profile email", "sub": "user_2a"}),
            email: "user_2a",
            kind: UserKind::Human,
            client: "mXyz",
            roles: &[],
            scopes: &["profile", "email"],
        },
        Case {
            name: "Descope: the issuer of the project, whatever the address of the metadata",
            audience: RESOURCE,
            audience_claim: "aud",
            roles_claim: "roles",
            email_claim: "email",
            header_type: Some("JWT"),
            claims: json!({"amr": ["oauth"], "aud": ["P2abc", RESOURCE], "azp": "TPA1", "drn": "DS", "scope": "openid mcp", "roles": ["reader"], "email": PERSON, "sub": "U2abc"}),
            email: PERSON,
            kind: UserKind::Human,
            client: "TPA1",
            roles: &["reader"],
            scopes: &["openid", "mcp"],
        },
        Case {
            name: "Keycloak with client roles in a claim of their own, typ Bearer and DPoP off",
            audience: "mcp-server",
            audience_claim: "aud",
            roles_claim: "resource_access.mcp-server.roles",
            email_claim: "email",
            header_type: Some("JWT"),
            claims: json!({"aud": "mcp-server", "typ": "Bearer", "azp": "https://claude.ai/oauth/mcp-oauth-client-metadata", "sub": "u", "resource_access": {"mcp-server": {"roles": ["reader"]}}, "scope": "openid", "email": PERSON}),
            email: PERSON,
            kind: UserKind::Human,
            client: "https://claude.ai/oauth/mcp-oauth-client-metadata",
            roles: &["reader"],
            scopes: &["openid"],
        },
    ];
    let issuer = TestIssuer::start().await.unwrap();
    for case in cases {
        println!("{}", case.name);
        let oidc = OidcConfig::new(issuer.issuer(), [case.audience]).unwrap();
        let oidc = oidc.with_roles_claim(case.roles_claim).with_email_claim(case.email_claim);
        let oidc = oidc.with_audience_claim(case.audience_claim);
        let layer = create_auth_middleware(config(AuthMode::Oidc).with_oidc(oidc)).unwrap();
        let mut claims = case.claims;
        claims["iss"] = issuer.issuer().into();
        claims["exp"] = (now() + 3600).into();
        claims["iat"] = now().into();
        let mut header = without(issuer.key.header(), &["typ"]);
        if let Some(typ) = case.header_type {
            header["typ"] = typ.into();
        }
        let user = passed(&send_token(&layer, &issuer.key.sign(&header, &claims)).await).user;
        assert_eq!((user.email.as_str(), user.kind), (case.email, case.kind));
        assert_eq!(
            (user.roles(), user.scopes()),
            (
                &case.roles.iter().map(ToString::to_string).collect::<Vec<_>>()[..],
                &case.scopes.iter().map(ToString::to_string).collect::<Vec<_>>()[..]
            )
        );
        assert_eq!(user.grant.as_ref().unwrap().client_id.as_deref().unwrap_or_default(), case.client);
        assert_eq!(user.address().is_some(), case.email == PERSON);
    }
}

/// What providers give that is no access token for this server, each with the reason that its owner finds in the log.
#[tokio::test]
async fn what_is_no_access_token_of_a_provider() {
    let issuer = TestIssuer::start().await.unwrap();
    let with = |audience: &str, claim: &str| {
        let oidc = OidcConfig::new(issuer.issuer(), [audience]).unwrap().with_audience_claim(claim);
        create_auth_middleware(config(AuthMode::Oidc).with_oidc(oidc)).unwrap()
    };
    let times = json!({"iss": issuer.issuer(), "exp": now() + 3600, "iat": now(), "sub": "u"});
    for (name, audience, claim, claims, error) in [
        // Keycloak without an audience mapper, and its clients that have no registration.
        (
            "Keycloak, account",
            RESOURCE,
            "aud",
            json!({"aud": "account", "typ": "Bearer", "azp": "c"}),
            AuthError::AudienceMismatch,
        ),
        (
            "Keycloak, none",
            RESOURCE,
            "aud",
            json!({"typ": "Bearer", "azp": "c", "scope": "openid"}),
            AuthError::AudienceMismatch,
        ),
        (
            "Keycloak, ID",
            "c",
            "aud",
            json!({"aud": "c", "typ": "ID", "azp": "c", "scope": "openid"}),
            AuthError::NotAnAccessToken,
        ),
        (
            "Cognito, of another client",
            "c",
            "client_id",
            json!({"token_use": "access", "client_id": "d", "scope": "openid"}),
            AuthError::AudienceMismatch,
        ),
        (
            "Cognito, by aud",
            "c",
            "aud",
            json!({"token_use": "access", "client_id": "c", "scope": "openid"}),
            AuthError::AudienceMismatch,
        ),
        (
            "Cognito, ID",
            "c",
            "aud",
            json!({"token_use": "id", "aud": "c", "client_id": "d", "scope": "openid"}),
            AuthError::NotAnAccessToken,
        ),
        (
            "Cognito, odd",
            "c",
            "client_id",
            json!({"token_use": 1, "client_id": "c", "scope": "openid"}),
            AuthError::NotAnAccessToken,
        ),
        (
            "Google, ID",
            "1.apps.googleusercontent.com",
            "aud",
            json!({"aud": "1.apps.googleusercontent.com", "azp": "1.apps.googleusercontent.com", "hd": "example.com", "email": PERSON, "email_verified": true, "at_hash": "x"}),
            AuthError::NotAnAccessToken,
        ),
        (
            "Dex, ID",
            "dex-client",
            "aud",
            json!({"aud": "dex-client", "at_hash": "x", "email": PERSON}),
            AuthError::NotAnAccessToken,
        ),
        // Nothing in it says that it is none of its ID tokens, which have the same audiences.
        (
            "ZITADEL, JWT",
            "219120000000000001",
            "aud",
            json!({"aud": ["219110000000000002@project", "219120000000000001"], "client_id": "219110000000000002@project", "jti": "V2_1"}),
            AuthError::NotAnAccessToken,
        ),
        (
            "Entra, Graph",
            "6e74172b",
            "aud",
            json!({"aud": "00000003-0000-0000-c000-000000000000", "appid": "c", "scp": "User.Read"}),
            AuthError::AudienceMismatch,
        ),
        // The claim that is looked at is an object, or far away: nobody is meant.
        ("odd audience", "c", "client_id", json!({"client_id": {"c": 1}, "scope": "x"}), AuthError::AudienceMismatch),
    ] {
        println!("{name}");
        let mut all = times.clone();
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        let token = issuer.key.sign(&issuer.key.header(), &all);
        assert_refused(&send_token(&with(audience, claim), &token).await, error);
    }
    // Auth0 without an audience: encrypted for itself, five parts. Google, GitHub, Dex of old: opaque.
    for token in ["eyJhbGciOiJkaXIifQ..a.b.c", "ya29.a0ARW5m7-0123456789", "gho_16C7e42F292c6912E7710c838347Ae178B4a"] {
        assert_refused(&send_token(&with(RESOURCE, "aud"), token).await, AuthError::JwtMalformed);
    }
}
