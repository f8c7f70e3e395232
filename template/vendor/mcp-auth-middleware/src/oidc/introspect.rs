//! A token about which its issuer is asked (RFC 7662): an opaque one, which says nothing itself, or a JWT that may have been
//! revoked before its end.
//!
//! What must hold: one question at a time about a token, whatever comes in; a bounded number of questions at once; each
//! bounded in time and size; none that ends because its caller hangs up. An issuer that cannot be reached is bridged for
//! a bounded time for tokens that it has called active, and for no other.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use http::HeaderValue;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::answers::{Answers, Known};
use super::{IntrospectionConfig, OidcConfig};
use crate::jwt::{Claims, Client, FetchError, TokenDigest, metadata, seconds_since_1970};
use crate::refusal::Refusal;
use crate::{AuthError, User};

/// So long the address of the issuer's metadata counts.
const METADATA_COUNTS: Duration = Duration::from_secs(60 * 60);
/// So many questions at once: about tokens that were good before, and about others. The latter may be made up by anybody.
const AT_ONCE: usize = 8;
/// So many tokens wait for an answer, each once.
const WAITING: usize = 256;
/// After an issuer was not reached, tokens that it does not know are not sent to it for so long.
const PAUSE: Duration = Duration::from_secs(1);
/// 16 characters of a random token are 95 bits; nobody issues shorter ones, or longer ones than this.
const LENGTHS: std::ops::RangeInclusive<usize> = 16..=4096;

/// The end of a token whose issuer does not say when it ends: longer than an answer is kept.
const UNTIL_ASKED_AGAIN: f64 = 3600.0;

type Answer = Result<Arc<User>, Refusal>;

/// Whom a JWT names that its keys have verified, and when it ends, in seconds since 1970.
pub(super) type VerifiedJwt = (Arc<User>, f64);
type Flight = Shared<BoxFuture<'static, Answer>>;

/// Asks one issuer.
pub(super) struct Introspector {
    issuer: OidcConfig,
    config: IntrospectionConfig,
    client: Client,
    answers: Answers,
    /// The requests in progress, by token: callers with the same token wait for the same answer.
    flights: Mutex<HashMap<TokenDigest, Flight>>,
    known_tokens: Semaphore,
    other_tokens: Semaphore,
    endpoint: Mutex<Option<(Endpoint, Instant)>>,
    /// When the issuer was last not reached.
    outage: Mutex<Option<Instant>>,
    questions: AtomicU64,
}

#[derive(Clone)]
struct Endpoint {
    url: String,
    secret_in_form: bool,
}

impl Introspector {
    /// Prepares the questions; nothing is fetched yet. `None` where the issuer is not to be asked.
    pub(super) fn new(issuer: &OidcConfig) -> Result<Option<Arc<Self>>, reqwest::Error> {
        let Some(config) = issuer.introspection.clone() else { return Ok(None) };
        Ok(Some(Arc::new(Self {
            issuer: issuer.clone(),
            client: Client::new(config.policy.timeout)?,
            answers: Answers::new(config.policy),
            config,
            flights: Mutex::default(),
            known_tokens: Semaphore::new(AT_ONCE),
            other_tokens: Semaphore::new(AT_ONCE),
            endpoint: Mutex::default(),
            outage: Mutex::default(),
            questions: AtomicU64::new(0),
        })))
    }

    /// The user of a token that the issuer called active a moment ago.
    pub(super) fn known(&self, token: &TokenDigest, now: f64) -> Option<Arc<User>> {
        match self.answers.known(token, now) {
            Known::Fresh(answer) => answer.ok(),
            Known::Stale(_) | Known::Nothing => None,
        }
    }

    /// How many tokens are known as good, and how many questions were asked since the start.
    pub(super) fn status(&self) -> (usize, u64) {
        (self.answers.len(), self.questions.load(Ordering::Relaxed))
    }

    /// Asks about a token that nobody has issued.
    ///
    /// # Errors
    /// Why there is no answer.
    pub(super) async fn try_out(&self) -> Result<(), String> {
        let answer = tokio::time::timeout(self.config.policy.timeout, self.ask("a-token-that-nobody-has-issued")).await;
        answer.unwrap_or(Err(FetchError::Http("timed out"))).map(drop).map_err(|error| error.to_string())
    }

    /// Who calls by this opaque token: what is known, or what the issuer says.
    pub(super) async fn user(self: &Arc<Self>, token: &str, digest: TokenDigest) -> Answer {
        if !LENGTHS.contains(&token.len()) {
            return Err(AuthError::TokenNotActive.into());
        }
        self.answer(token, digest, None).await
    }

    /// The user of a JWT that its keys have verified, if the issuer says that it is still active.
    pub(super) async fn confirm(self: &Arc<Self>, token: &str, digest: TokenDigest, verified: VerifiedJwt) -> Answer {
        self.answer(token, digest, Some(verified)).await
    }

    async fn answer(self: &Arc<Self>, token: &str, digest: TokenDigest, verified: Option<VerifiedJwt>) -> Answer {
        let flight = {
            let mut flights = lock(&self.flights);
            // An answer is kept before its flight ends, so that under this lock one of the two is there.
            let (stale, paused) = match self.answers.known(&digest, seconds_since_1970()) {
                Known::Fresh(answer) => return answer,
                Known::Stale(user) => (Some(user), self.is_paused()),
                Known::Nothing => (None, self.is_paused()),
            };
            if paused {
                return stale.ok_or_else(|| AuthError::IntrospectionUnavailable.into());
            }
            match flights.get(&digest) {
                Some(flight) => flight.clone(),
                // Tokens that were good before are few, and always asked about: else a flood would keep a revoked one alive.
                None if stale.is_none() && flights.len() >= WAITING => {
                    return Err(AuthError::IntrospectionUnavailable.into());
                }
                None => {
                    let flight = Arc::clone(self).fly(token.to_owned(), digest, stale, verified);
                    flights.insert(digest, flight.clone());
                    flight
                }
            }
        };
        flight.await
    }

    /// One question, in a task of its own: callers who hang up could cause one after the other.
    fn fly(
        self: Arc<Self>,
        token: String,
        digest: TokenDigest,
        stale: Option<Arc<User>>,
        verified: Option<VerifiedJwt>,
    ) -> Flight {
        let task = tokio::spawn(async move {
            let landing = Landing(self, digest);
            landing.0.ask_and_keep(&token, digest, stale, verified).await
        });
        let failed = |_| Err(AuthError::IntrospectionUnavailable.into());
        task.map(move |answer| answer.unwrap_or_else(failed)).boxed().shared()
    }

    async fn ask_and_keep(
        &self,
        token: &str,
        digest: TokenDigest,
        stale: Option<Arc<User>>,
        verified: Option<VerifiedJwt>,
    ) -> Answer {
        let places = if stale.is_some() { &self.known_tokens } else { &self.other_tokens };
        let timeout = self.config.policy.timeout;
        let asked = async {
            let _place = places.acquire().await.map_err(|_| FetchError::TooMany)?;
            // Who has waited while the issuer was not reached does not wait for that again.
            if self.is_paused() {
                return Err(FetchError::Recently);
            }
            match tokio::time::timeout(timeout, self.ask(token)).await {
                Ok(answer) => answer,
                Err(_) => Err(FetchError::Http("timed out")),
            }
        };
        let asked = tokio::time::timeout(2 * timeout, asked).await.unwrap_or(Err(FetchError::TooMany));
        let error = match asked {
            Ok(answer) => return self.keep(answer, digest, verified),
            Err(error) => error,
        };
        tracing::warn!("Introspection at {} failed: {error}", self.issuer.issuer);
        if matches!(error, FetchError::Http(_)) {
            // The pause has one beginning, so that it ends.
            lock(&self.outage).get_or_insert_with(Instant::now);
        }
        match stale {
            Some(user) if error.is_outage() => Ok(user),
            _ => Err(AuthError::IntrospectionUnavailable.into()),
        }
    }

    fn keep(&self, answer: Claims, digest: TokenDigest, verified: Option<VerifiedJwt>) -> Answer {
        let accepted = match verified {
            Some(verified) => check_active(&answer).map(|()| verified).map_err(Refusal::from),
            None => accept(answer, &self.issuer, seconds_since_1970()).map(|(user, until)| (Arc::new(user), until)),
        };
        match accepted {
            Ok((user, until)) => {
                self.answers.accept(digest, Arc::clone(&user), until);
                Ok(user)
            }
            Err(refusal) => {
                self.answers.refuse(digest, refusal.clone());
                Err(refusal)
            }
        }
    }

    /// RFC 7662 §2.1 and §2.2.
    async fn ask(&self, token: &str) -> Result<Claims, FetchError> {
        let endpoint = self.endpoint().await?;
        self.questions.fetch_add(1, Ordering::Relaxed);
        let (body, authorization) = self.config.with_secret(|secret| {
            let id = self.config.client_id.as_str();
            let mut members = vec![("token", token), ("token_type_hint", "access_token")];
            if endpoint.secret_in_form {
                members.extend([("client_id", id), ("client_secret", secret)]);
                return (form(&members), None);
            }
            (form(&members), basic(id, secret))
        });
        let answer = self.client.post(&endpoint.url, body, authorization);
        let answer = answer.await.inspect_err(|_| *lock(&self.endpoint) = None)?;
        let answer: Claims = serde_json::from_slice(&answer).map_err(|_| FetchError::NotAnIntrospection)?;
        if answer.0.get("active").is_some_and(Value::is_boolean) {
            Ok(answer)
        } else {
            Err(FetchError::NotAnIntrospection)
        }
    }

    async fn endpoint(&self) -> Result<Endpoint, FetchError> {
        if let Some(url) = &self.config.url {
            return Ok(Endpoint { url: url.clone(), secret_in_form: false });
        }
        let recent = lock(&self.endpoint).clone().filter(|(_, since)| since.elapsed() < METADATA_COUNTS);
        if let Some((endpoint, _)) = recent {
            return Ok(endpoint);
        }
        let (url, secret_in_form) = metadata(&self.issuer.issuer, &self.client).await?.introspection()?;
        let endpoint = Endpoint { url, secret_in_form };
        *lock(&self.endpoint) = Some((endpoint.clone(), Instant::now()));
        Ok(endpoint)
    }

    fn is_paused(&self) -> bool {
        let mut outage = lock(&self.outage);
        if outage.is_some_and(|since| since.elapsed() >= PAUSE) {
            *outage = None;
        }
        outage.is_some()
    }
}

/// Ends a question, however it ended: the next one about the token is a new one.
struct Landing(Arc<Introspector>, TokenDigest);

impl Drop for Landing {
    fn drop(&mut self) {
        lock(&self.0.flights).remove(&self.1);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing under these locks can panic half-way.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `application/x-www-form-urlencoded`, as the URL Standard has it.
fn form(members: &[(&str, &str)]) -> String {
    let pairs: Vec<_> = members.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    pairs.join("&")
}

fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => encoded.push('+'),
            b'*' | b'-' | b'.' | b'_' => encoded.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// RFC 6749 §2.3.1: both are form-encoded first.
fn basic(client_id: &str, secret: &str) -> Option<HeaderValue> {
    let credentials = STANDARD.encode(format!("{}:{}", encode(client_id), encode(secret)));
    let mut value = HeaderValue::try_from(format!("Basic {credentials}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Who calls by a token that the issuer was asked about, and until when, in seconds since 1970. By the rules for tokens that
/// say it themselves: audience, times, scopes, people.
fn accept(mut claims: Claims, issuer: &OidcConfig, now: f64) -> Result<(User, f64), Refusal> {
    check_active(&claims)?;
    // Both may be missing (RFC 7662 §2.2): the issuer is who was asked, and the token is active now.
    claims.0.entry("iss").or_insert_with(|| issuer.issuer.clone().into());
    claims.0.entry("exp").or_insert_with(|| (now + UNTIL_ASKED_AGAIN).into());
    let registered = claims.registered().map_err(|_| AuthError::TokenNotActive)?;
    let user = issuer.admit(&claims, &registered, now)?;
    Ok((user, registered.good_until(issuer.max_token_age)))
}

/// Refuses a token that is not active, and what is no access token for any bearer.
fn check_active(answer: &Claims) -> Result<(), AuthError> {
    if answer.0.get("active") == Some(&Value::Bool(true)) { check_kind(answer) } else { Err(AuthError::TokenNotActive) }
}

/// Refuses what is no access token for any bearer: refresh tokens, which issuers tell about as well, and tokens that are
/// bound to a key of the client.
fn check_kind(claims: &Claims) -> Result<(), AuthError> {
    let is_bearer = |name: &str| match claims.0.get(name) {
        None | Some(Value::Null) => true,
        Some(Value::String(kind)) => {
            kind.eq_ignore_ascii_case("bearer") || (name == "typ" && kind.eq_ignore_ascii_case("at+jwt"))
        }
        Some(_) => false,
    };
    let bound = claims.0.get("cnf").is_some_and(|cnf| !cnf.is_null());
    if bound || !is_bearer("token_type") || !is_bearer("typ") {
        return Err(AuthError::NotAnAccessToken);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_encoded_before_they_are_joined() {
        assert_eq!(form(&[("token", "a+b/c="), ("x", "\u{e4} &*-._~")]), "token=a%2Bb%2Fc%3D&x=%C3%A4+%26*-._%7E");
        let value = basic("my client", "a:b%c").expect("a header");
        assert_eq!(value.to_str().ok(), Some("Basic bXkrY2xpZW50OmElM0FiJTI1Yw=="));
        assert!(value.is_sensitive());
    }
}
