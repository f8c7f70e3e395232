//! Headers of a request, and claims that Cloudflare Access has signed.

use std::convert::Infallible;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use mcp_auth_middleware::testing::{AUDIENCE, ISSUER, TestTeam};
use mcp_auth_middleware::{AccessConfig, AuthConfig, AuthLayer, AuthMode, BearerTokens, User, create_auth_middleware};
use serde_json::Value;
use tower::{Layer as _, ServiceExt as _, service_fn};

const BEARER: &str = "kei4ahGhee8eecu0quoh5Ohn"; // pragma: allowlist secret
const PERSON: &str = "user@example.com";
const ACCESS: &str = "cf-access-jwt-assertion";

struct World {
    runtime: tokio::runtime::Runtime,
    team: TestTeam,
    /// A good token.
    token: String,
    layers: [AuthLayer; 3],
}

impl World {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let team = runtime.block_on(TestTeam::start()).unwrap();
        let layer = |mode| {
            let access = AccessConfig::new(ISSUER, [AUDIENCE]).unwrap().with_certs_url(&team.certs_url()).unwrap();
            // The good token is the same in every run, so it is old.
            let access = access.with_allowed_service_tokens(["bot"]).with_max_token_age(Duration::MAX);
            let config = AuthConfig::new("fuzz", mode).with_bearer(BearerTokens::parse(BEARER).unwrap());
            create_auth_middleware(config.with_cloudflare(access).with_resource_path("/mcp")).unwrap()
        };
        let _inside = runtime.enter();
        let layers = [AuthMode::Cloudflare, AuthMode::Bearer, AuthMode::Both].map(layer);
        let token = team.sign(&serde_json::json!({
            "aud": [AUDIENCE], "email": PERSON, "exp": 4_102_444_800_u64, "iat": 1_700_000_000, "iss": ISSUER, "sub": "1",
        }));
        drop(_inside);
        Self { runtime, team, token, layers }
    }

    /// The answer, and who passed.
    fn send(&self, layer: usize, headers: &[(&'static str, HeaderValue)]) -> (Response<String>, Option<User>) {
        let mut request = Request::new(());
        for (name, value) in headers {
            request.headers_mut().append(HeaderName::from_static(name), value.clone());
        }
        let inner = service_fn(|request: Request<()>| async move {
            assert!(!request.headers().contains_key(ACCESS), "the caller's credential goes on");
            assert!(!request.headers().contains_key("authorization"), "the caller's credential goes on");
            let mut response = Response::new(String::new());
            response.extensions_mut().insert(request.extensions().get::<User>().expect("a user").clone());
            Ok::<_, Infallible>(response)
        });
        let response = self.runtime.block_on(self.layers[layer].layer(inner).oneshot(request)).unwrap();
        let user = response.extensions().get::<User>().cloned();
        match response.status() {
            StatusCode::OK => assert!(user.is_some()),
            StatusCode::UNAUTHORIZED => assert!(response.headers().contains_key("www-authenticate")),
            status => assert_eq!(status, StatusCode::FORBIDDEN),
        }
        if user.is_none() {
            let body: Value = serde_json::from_str(response.body()).expect("a body in JSON");
            assert!(body["code"].as_str().is_some_and(|code| code.starts_with("MCP-AUTH-")), "{body}");
        }
        (response, user)
    }
}

fn in_world<T>(run: impl FnOnce(&World) -> T) -> T {
    thread_local!(static WORLD: World = World::new());
    WORLD.with(run)
}

/// The first byte is the mode. Each line after it is a header: a letter for its name, and the value, in which `{B}` is
/// the right Bearer token and `{T}` a good Access token.
pub(crate) fn headers(data: &[u8]) {
    let Some((mode, lines)) = data.split_first() else { return };
    in_world(|world| {
        let mut headers = Vec::new();
        for line in lines.split(|byte| *byte == b'\n') {
            let Some((name, value)) = line.split_first() else { continue };
            let name = match name {
                b'a' => "authorization",
                b'c' => ACCESS,
                b'h' => "host",
                b'f' => "cf-access-authenticated-user-email",
                _ => "cookie",
            };
            let value = replace(&replace(value, b"{B}", BEARER.as_bytes()), b"{T}", world.token.as_bytes());
            let Ok(value) = HeaderValue::from_bytes(&value) else { continue };
            headers.push((name, value));
        }
        let layer = usize::from(mode % 3);
        let (_, user) = world.send(layer, &headers);
        let values = |wanted: &str| -> Vec<&HeaderValue> {
            headers.iter().filter(|(name, _)| *name == wanted).map(|(_, value)| value).collect()
        };
        // Who passes has exactly one good credential of the kind that the mode looks at.
        match user {
            Some(user) if user.email == PERSON => {
                assert!(layer != 1, "an Access token in mode Bearer");
                assert_eq!(values(ACCESS).iter().map(|v| v.as_bytes()).collect::<Vec<_>>(), [world.token.as_bytes()]);
            }
            Some(user) => {
                assert_eq!(user.email, "developer@localhost");
                assert!(layer != 0, "a Bearer token in mode Cloudflare");
                assert!(layer == 1 || values(ACCESS).is_empty(), "a fall-back to Bearer");
                let [value] = values("authorization")[..] else { panic!("not one value") };
                let (scheme, token) = value.to_str().expect("text").split_once(' ').expect("two words");
                assert!(
                    scheme.eq_ignore_ascii_case("bearer") && token.trim_matches([' ', '\t']) == BEARER,
                    "{value:?}"
                );
            }
            None => {
                let right = HeaderValue::try_from(format!("Bearer {BEARER}")).expect("a value");
                let good = match layer {
                    1 => values("authorization") == [&right],
                    _ => values(ACCESS).iter().map(|v| v.as_bytes()).eq([world.token.as_bytes()]),
                };
                assert!(!good, "a good credential was refused");
            }
        }
    });
}

/// The claims of a token that Access has signed, as bytes.
pub(crate) fn claims(data: &[u8]) {
    in_world(|world| {
        let token = world.team.key.sign_raw(world.team.key.header().to_string().as_bytes(), data);
        let value = HeaderValue::try_from(token).expect("base64");
        let (_, user) = world.send(0, &[(ACCESS, value)]);
        let Some(user) = user else { return };
        // Who passes has claims that say so, by another reader of JSON numbers and strings.
        let claims: Value = serde_json::from_slice(data).expect("claims in JSON");
        assert_eq!(claims["iss"], ISSUER);
        let audience = match &claims["aud"] {
            Value::Array(all) => all.iter().any(|one| one == AUDIENCE),
            one => one == AUDIENCE,
        };
        assert!(audience, "{claims}");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64();
        assert!(claims["exp"].as_f64().is_some_and(|exp| exp > now - 61.0), "{claims}");
        for start in ["nbf", "iat"] {
            assert!(claims[start].is_null() || claims[start].as_f64().is_some_and(|at| at < now + 61.0), "{claims}");
        }
        assert!(!user.email.is_empty(), "{claims}");
        let sub = claims["sub"].as_str().unwrap_or_default();
        assert_eq!(user.user_uuid.as_deref().unwrap_or_default(), sub, "{claims}");
        assert!(claims["type"].is_null() || claims["type"] == "app", "{claims}");
        assert!(claims["email"] == *user.email || user.email == "bot" && claims["common_name"] == "bot", "{claims}");
    });
}

fn replace(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.first() {
        // A header of some KiB is enough of it.
        if rest.starts_with(from) && replaced.len() < 32 * 1024 {
            replaced.extend_from_slice(to);
            rest = &rest[from.len()..];
        } else {
            replaced.push(*first);
            rest = &rest[1..];
        }
    }
    replaced
}
