//! What an Access token costs in the layer: at first sight, and when it was seen before; beside a bare verification by
//! `jsonwebtoken` on the same aws-lc-rs. With the feature `postgres` also what the server's own token costs, once it was
//! read from a database.
//!
//! `cargo bench --features testing,postgres --bench access`. The rounds alternate, so that whatever else the machine does
//! falls on both alike.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a benchmark")]

#[cfg(all(feature = "postgres", unix))]
#[path = "../tests/harness/postgres.rs"]
mod postgres;

use std::convert::Infallible;
use std::hint::black_box;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use http::{HeaderValue, Request, Response};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use mcp_auth_middleware::testing::{AUDIENCE, ISSUER, RESOURCE, TestIssuer, TestKey, TestTeam};
use mcp_auth_middleware::{
    AccessConfig, AuthConfig, AuthLayer, AuthMode, BearerTokens, OidcConfig, User, create_auth_middleware,
};
use tower::{Layer as _, ServiceExt as _, service_fn};

/// More than the layer remembers (4096), so that in a circle each of them is always new, and pushes one out.
const STRANGERS: usize = 4500;

/// What a service reads of an Access token.
#[derive(serde::Deserialize)]
struct Claims {
    email: String,
    sub: String,
}

struct Bench {
    layer: AuthLayer,
    strangers: Vec<HeaderValue>,
    /// None of the strangers: it is seen all the time.
    known: HeaderValue,
    next: usize,
    key: DecodingKey,
    validation: Validation,
    _team: TestTeam,
}

impl Bench {
    async fn start() -> Self {
        let team = TestTeam::start().await.unwrap();
        let access = AccessConfig::new(ISSUER, [AUDIENCE]).unwrap().with_certs_url(&team.certs_url()).unwrap();
        let layer =
            create_auth_middleware(AuthConfig::new("bench", AuthMode::Cloudflare).with_cloudflare(access)).unwrap();
        let strangers = (0..STRANGERS)
            .map(|n| HeaderValue::from_str(&team.token(&format!("user-{n:04}@example.com"))).unwrap())
            .collect();
        let known = HeaderValue::from_str(&team.token("known@example.com")).unwrap();
        let jwk = team.key.jwk();
        let key = DecodingKey::from_rsa_components(jwk["n"].as_str().unwrap(), jwk["e"].as_str().unwrap()).unwrap();
        let mut validation = Validation::new(Algorithm::RS256);
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        let mut bench = Self { layer, strangers, known, next: 0, key, validation, _team: team };
        // The first request fetches the keys; from then on nothing waits for anything.
        let request = bench.stranger();
        bench.call(request).await;
        bench
    }

    fn stranger(&mut self) -> Request<()> {
        self.next = (self.next + 1) % STRANGERS;
        request(&self.strangers[self.next])
    }

    async fn call(&self, request: Request<()>) -> User {
        call(&self.layer, request).await.extensions_mut().remove().expect("the request passed")
    }

    fn call_now(&self, request: Request<()>) -> User {
        self.call(request).now_or_never().expect("nothing to wait for")
    }

    /// As a service does that has the library and nothing else: verify, read the claims.
    fn bare(&self, token: &HeaderValue) -> Claims {
        decode::<Claims>(token.as_bytes(), &self.key, &self.validation).unwrap().claims
    }

    /// Time of one call, from a batch.
    fn time<I, O>(
        &mut self,
        calls: usize,
        mut prepare: impl FnMut(&mut Self) -> I,
        run: impl Fn(&Self, I) -> O,
    ) -> Duration {
        let inputs: Vec<_> = (0..calls).map(|_| prepare(self)).collect();
        let started = Instant::now();
        for input in inputs {
            black_box(run(self, input));
        }
        started.elapsed() / u32::try_from(calls).unwrap()
    }

    fn signature_checks(&self) -> u64 {
        self.layer.key_status().unwrap().signature_checks
    }

    fn ratios(&mut self, rounds: usize) {
        let known = self.known.clone();
        let (mut bare, mut first, mut again) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..rounds {
            let before = self.signature_checks();
            first.push(self.time(40, Self::stranger, Self::call_now));
            assert_eq!(self.signature_checks(), before + 40, "each was new");
            let token = self.strangers[round % STRANGERS].clone();
            bare.push(self.time(40, |_| token.clone(), |bench, token| bench.bare(&token)));
            self.call_now(request(&known));
            again.push(self.time(400, |_| request(&known), Self::call_now));
        }
        let (bare, first, again) = (median(bare), median(first), median(again));
        let ratio = first.as_secs_f64() / bare.as_secs_f64();
        println!("\nmedians of {rounds} alternating rounds, one core:");
        println!("  bare jsonwebtoken/aws-lc-rs    {bare:>10.2?}");
        println!("  layer, token at first sight    {first:>10.2?}   {ratio:.2} times the bare one (at most 1.5)");
        println!("  layer, token seen before       {again:>10.2?}   (below 2 µs)");
    }
}

/// One request through a layer, to a service that answers with what the layer gave it.
async fn call(layer: &AuthLayer, request: Request<()>) -> Response<String> {
    let service = service_fn(async |mut request: Request<()>| {
        let mut response = Response::new(String::new());
        *response.extensions_mut() = std::mem::take(request.extensions_mut());
        Ok::<_, Infallible>(response)
    });
    layer.layer(service).oneshot(request).await.unwrap()
}

/// Resolving the server's own token when it was read from PostgreSQL before: what a request costs more in a layer that
/// does so than in one that does not.
#[cfg(all(feature = "postgres", unix))]
fn service_token(runtime: &tokio::runtime::Runtime, rounds: usize) {
    use mcp_auth_middleware::{ServiceToken, TokenStore};

    const CALLS: u32 = 1000;
    const READS: &str = "SELECT count(*) FROM audit_log WHERE action = 'get'";
    let bearer = "kei4ahGhee8eecu0quoh5Ohn"; // pragma: allowlist secret
    let database = runtime.block_on(postgres::shared().database());
    let store = {
        let _inside = runtime.enter();
        database.store(&postgres::keyring(1))
    };
    runtime.block_on(store.set_token("bench", "TOKEN", &"value".to_owned().into(), "bench")).unwrap();
    let config = AuthConfig::new("bench", AuthMode::Bearer).with_bearer(BearerTokens::parse(bearer).unwrap());
    let without = create_auth_middleware(config.clone()).unwrap();
    let with = create_auth_middleware(config.with_service_token(TokenStore::Postgres(store), "TOKEN")).unwrap();

    let value = HeaderValue::from_str(&format!("Bearer {bearer}")).unwrap();
    let request = || {
        let mut request = Request::new(());
        request.headers_mut().insert(http::header::AUTHORIZATION, value.clone());
        request
    };
    let response = runtime.block_on(call(&with, request()));
    assert_eq!(response.extensions().get::<ServiceToken>().expect("the token").expose(), "value");
    let reads = runtime.block_on(database.number(READS));
    let time = |layer: &AuthLayer| {
        let requests: Vec<_> = (0..CALLS).map(|_| request()).collect();
        let started = Instant::now();
        for request in requests {
            black_box(call(layer, request).now_or_never().expect("nothing to wait for"));
        }
        started.elapsed() / CALLS
    };
    let _inside = runtime.enter();
    let (mut plain, mut resolving) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        plain.push(time(&without));
        resolving.push(time(&with));
    }
    assert_eq!(runtime.block_on(database.number(READS)), reads, "the database was not asked again");
    let (plain, resolving) = (median(plain), median(resolving));
    println!("  layer, Bearer token            {plain:>10.2?}");
    println!("  the same with a service token  {resolving:>10.2?}");
    let cost = resolving.saturating_sub(plain);
    println!("  resolving a cached one         {cost:>10.2?}   (below 1 µs)");
}

/// Access tokens of another issuer at first sight, by algorithm, beside a bare verification of the same ones.
fn algorithms(runtime: &tokio::runtime::Runtime, rounds: usize) {
    const CALLS: usize = 40;
    for algorithm in mcp_auth_middleware::Algorithm::DEFAULT {
        let mut issuer = runtime.block_on(TestIssuer::start()).unwrap();
        issuer.key = TestKey::for_algorithm(algorithm, "bench");
        issuer.publish(&[&issuer.key]);
        let oidc = OidcConfig::new(issuer.issuer(), [RESOURCE]).unwrap();
        let layer = create_auth_middleware(AuthConfig::new("bench", AuthMode::Oidc).with_oidc(oidc)).unwrap();
        let tokens: Vec<_> = (0..STRANGERS).map(|n| issuer.token(&format!("user-{n:04}@example.com"))).collect();
        let jwk = issuer.key.jwk();
        let member = |name: &str| jwk[name].as_str().unwrap();
        let (key, bare) = match algorithm.as_str() {
            "RS256" => (DecodingKey::from_rsa_components(member("n"), member("e")), Algorithm::RS256),
            "ES256" => (DecodingKey::from_ec_components(member("x"), member("y")), Algorithm::ES256),
            _ => (DecodingKey::from_ed_components(member("x")), Algorithm::EdDSA),
        };
        let (key, mut validation) = (key.unwrap(), Validation::new(bare));
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.set_issuer(&[issuer.issuer()]);
        validation.set_audience(&[RESOURCE]);

        let bearer = |token: &String| HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
        let request = |token: &String| {
            let mut request = Request::new(());
            request.headers_mut().insert(http::header::AUTHORIZATION, bearer(token));
            request
        };
        assert!(runtime.block_on(call(&layer, request(&tokens[0]))).extensions().get::<User>().is_some());
        let _inside = runtime.enter();
        let (mut alone, mut through) = (Vec::new(), Vec::new());
        let mut next = 0;
        for _ in 0..rounds {
            let batch: Vec<_> = (0..CALLS).map(|n| &tokens[(next + n) % STRANGERS]).collect();
            next += CALLS;
            let before = layer.issuer_keys()[0].1.signature_checks;
            let requests: Vec<_> = batch.iter().map(|token| request(token)).collect();
            let started = Instant::now();
            for request in requests {
                black_box(call(&layer, request).now_or_never().expect("nothing to wait for"));
            }
            through.push(started.elapsed() / CALLS as u32);
            assert!(layer.issuer_keys()[0].1.signature_checks + 1 >= before + CALLS as u64, "each was new");
            let started = Instant::now();
            for token in &batch {
                black_box(decode::<Claims>(token.as_bytes(), &key, &validation).unwrap().claims);
            }
            alone.push(started.elapsed() / CALLS as u32);
        }
        let (alone, through) = (median(alone), median(through));
        let ratio = through.as_secs_f64() / alone.as_secs_f64();
        println!("  {algorithm:<6} bare {alone:>10.2?}, layer at first sight {through:>10.2?}   {ratio:.2} times");
    }
}

/// An access token of another issuer that was seen before, which a token for development is compared with first.
fn issuer(runtime: &tokio::runtime::Runtime, rounds: usize) {
    const CALLS: u32 = 400;
    let tokens = BearerTokens::parse("kei4ahGhee8eecu0quoh5Ohn").unwrap(); // pragma: allowlist secret
    let issuer = runtime.block_on(TestIssuer::start()).unwrap();
    let oidc = OidcConfig::new(issuer.issuer(), [RESOURCE]).unwrap();
    let config = AuthConfig::new("bench", "oidc,bearer".parse().unwrap()).with_oidc(oidc).with_bearer(tokens);
    let layer = create_auth_middleware(config).unwrap();
    let value = HeaderValue::from_str(&format!("Bearer {}", issuer.token("known@example.com"))).unwrap();
    let request = || {
        let mut request = Request::new(());
        request.headers_mut().insert(http::header::AUTHORIZATION, value.clone());
        request
    };
    let user: User = runtime.block_on(call(&layer, request())).extensions_mut().remove().expect("the request passed");
    assert_eq!(user.email, "known@example.com");
    let _inside = runtime.enter();
    let mut times = Vec::new();
    for _ in 0..rounds {
        let requests: Vec<_> = (0..CALLS).map(|_| request()).collect();
        let started = Instant::now();
        for request in requests {
            black_box(call(&layer, request).now_or_never().expect("nothing to wait for"));
        }
        times.push(started.elapsed() / CALLS);
    }
    assert_eq!(layer.issuer_keys()[0].1.signature_checks, 1, "seen before, once its first minute has not passed");
    println!("  layer, an issuer's, seen before {:>9.2?}   (below 2 µs)", median(times));
}

const HEADER: &str = "cf-access-jwt-assertion";

fn request(token: &HeaderValue) -> Request<()> {
    let mut request = Request::new(());
    request.headers_mut().insert(HEADER, token.clone());
    request
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut bench = runtime.block_on(Bench::start());
    let inside = runtime.enter();

    let token = bench.known.clone();
    let claims = bench.bare(&token);
    assert_eq!((claims.email.as_str(), claims.sub.len()), ("known@example.com", 36));
    assert_eq!(bench.call_now(request(&token)).email, "known@example.com");
    let before = bench.signature_checks();
    bench.call_now(request(&token));
    assert_eq!(bench.signature_checks(), before, "seen before");

    bench.ratios(300);
    drop(inside);
    issuer(&runtime, 100);
    println!("\naccess tokens of another issuer, {} alternating rounds:", 200);
    algorithms(&runtime, 200);
    #[cfg(all(feature = "postgres", unix))]
    service_token(&runtime, 300);
}
