//! Finds out whether this process can answer requests: the token store, the keys of the key server, the APIs behind the server.
//!
//! Each is asked when somebody wants to know, by one question at a time, and its answer counts for a while: probes, scrapers
//! and `/status` in a loop cost the other side nothing more.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mcp_auth_middleware::{AuthLayer, KeyStatus, TokenStore};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use crate::panics;
use crate::probe::Probe;
use crate::server::Service;

/// So long `/readyz` waits for answers; for a check that is still missing then, the last result counts. A kubelet has to wait
/// longer.
const PATIENCE: Duration = Duration::from_secs(3);

/// How often something may be asked, and how long it may take.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// So long a good answer counts,
    good: Duration,
    /// and so long a bad one.
    bad: Duration,
    timeout: Duration,
}

/// The token store: a client that reads `/status` in a loop must not use up the questions that lookups of tokens may ask.
const STORE: Pace = Pace { good: Duration::from_secs(5), bad: Duration::from_secs(5), timeout: Duration::from_secs(2) };
/// A secret manager, which counts or writes down every question, and is asked by every replica day and night.
const STORE_ON_THE_WEB: Pace = Pace { good: Duration::from_secs(30), ..STORE };
/// The keys are at hand: asking costs nothing.
const KEYS: Pace = Pace { good: Duration::from_secs(1), bad: Duration::from_secs(1), timeout: Duration::from_secs(1) };
/// APIs of others: every replica asks, day and night, with a token whose every use the token store writes down.
const FAR: Pace =
    Pace { good: Duration::from_secs(60), bad: Duration::from_secs(10), timeout: Duration::from_secs(10) };

/// How something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It answers.
    Ok,
    /// It does not, and requests are answered all the same.
    Degraded(String),
    /// It does not, and requests fail for it.
    Failing(String),
}

impl Health {
    const fn as_str(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Degraded(_) => "degraded",
            Self::Failing(_) => "failing",
        }
    }

    fn message(&self) -> Option<&str> {
        match self {
            Self::Ok => None,
            Self::Degraded(message) | Self::Failing(message) => Some(message),
        }
    }
}

#[derive(Debug, Clone)]
struct Seen {
    at: Instant,
    took: Duration,
    health: Health,
}

type Answer = Pin<Box<dyn Future<Output = Health> + Send>>;

/// One thing that readiness depends on.
pub struct Check {
    name: &'static str,
    pace: Pace,
    ask: Box<dyn Fn() -> Answer + Send + Sync>,
    seen: Mutex<Option<Seen>>,
    /// Held while somebody asks.
    asking: Arc<tokio::sync::Mutex<()>>,
}

impl Check {
    fn new<F: Future<Output = Health> + Send + 'static>(
        name: &'static str,
        pace: Pace,
        ask: impl Fn() -> F + Send + Sync + 'static,
    ) -> Arc<Self> {
        let ask = Box::new(move || -> Answer { Box::pin(ask()) });
        Arc::new(Self { name, pace, ask, seen: Mutex::default(), asking: Arc::default() })
    }

    fn seen(&self) -> Option<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn recent(&self) -> Option<Seen> {
        self.seen().filter(|seen| {
            let counts = if seen.health == Health::Ok { self.pace.good } else { self.pace.bad };
            seen.at.elapsed() < counts
        })
    }

    /// Returns the result of a moment ago, or asks now. Waits no longer than `patience`.
    async fn latest(self: &Arc<Self>, patience: Duration) -> Option<Seen> {
        if let Some(seen) = self.recent() {
            return Some(seen);
        }
        let asked = async {
            let held = Arc::clone(&self.asking).lock_owned().await;
            if self.recent().is_some() {
                return;
            }
            let check = Arc::clone(self);
            // In a task of its own: a client that hangs up does not end the question, so none that hang up often ask often.
            let task = tokio::spawn(async move {
                let _held = held;
                let start = Instant::now();
                let health = match timeout(check.pace.timeout, panics::catch((check.ask)())).await {
                    Ok(Ok(health)) => health,
                    Ok(Err(panics::Panicked)) => Health::Failing("the probe panicked; the log says where".to_owned()),
                    Err(_) => Health::Failing(format!("no answer in {} s", check.pace.timeout.as_secs())),
                };
                let seen = Seen { at: Instant::now(), took: start.elapsed(), health };
                *check.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
            });
            let _ = task.await;
        };
        let _ = timeout(patience, asked).await;
        self.seen()
    }

    /// Returns whether it answers.
    pub async fn answers(self: &Arc<Self>) -> bool {
        self.latest(self.pace.timeout).await.is_some_and(|seen| seen.health == Health::Ok)
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("name", &self.name).field("seen", &self.seen()).finish_non_exhaustive()
    }
}

/// Everything that readiness depends on.
#[derive(Debug)]
pub struct Readiness {
    checks: Vec<Arc<Check>>,
    stopping: AtomicBool,
}

impl Readiness {
    /// The checks of a server with these parts.
    #[must_use]
    pub fn new(service: Service, auth: &AuthLayer, store: &TokenStore, probes: Vec<Probe>) -> Self {
        let mut checks = vec![token_store(service, auth.clone(), store.clone())];
        if auth.key_status().is_some() {
            checks.push(key_server(auth.clone()));
        }
        if !auth.issuer_keys().is_empty() {
            checks.push(issuers(auth.clone()));
        }
        checks.extend(probes.into_iter().map(|probe| upstream(probe, auth.clone())));
        Self { checks, stopping: AtomicBool::new(false) }
    }

    /// The check of the token store.
    #[must_use]
    pub fn token_store(&self) -> &Arc<Check> {
        // The first: see `new`.
        &self.checks[0]
    }

    /// The process is about to end: it is not ready any more.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Each check by its name as it was seen last, without asking; true where requests can be answered.
    pub fn last_seen(&self) -> impl Iterator<Item = (&'static str, bool)> + '_ {
        let ready = |seen: Seen| !matches!(seen.health, Health::Failing(_));
        self.checks.iter().filter_map(move |check| check.seen().map(|seen| (check.name, ready(seen))))
    }

    /// Returns whether requests can be answered, and the state of each part but those of these names.
    pub async fn report(&self, excluded: &[String]) -> (bool, Value) {
        let wanted: Vec<_> =
            self.checks.iter().filter(|check| !excluded.iter().any(|name| name == check.name)).collect();
        let questions = wanted.iter().map(|check| {
            let check = Arc::clone(check);
            (check.name, tokio::spawn(async move { check.latest(PATIENCE).await }))
        });
        // All begin before the first is waited for.
        let results: Vec<_> = questions.collect();
        let stopping = self.stopping.load(Ordering::Relaxed);
        let (mut ready, mut parts) = (!stopping, Vec::new());
        for (name, latest) in results {
            let Some(Seen { at, took, health }) = latest.await.ok().flatten() else {
                ready = false;
                parts.push(json!({"name": name, "status": "failing", "message": "no answer yet"}));
                continue;
            };
            ready &= !matches!(health, Health::Failing(_));
            let mut part = json!({
                "name": name,
                "status": health.as_str(),
                "ageSeconds": at.elapsed().as_secs(),
                "milliseconds": took.as_millis() as u64,
            });
            if let Some(message) = health.message() {
                part["message"] = message.into();
            }
            parts.push(part);
        }
        let status = match (stopping, ready) {
            (true, _) => "stopping",
            (false, true) => "ready",
            (false, false) => "not ready",
        };
        (ready, json!({"status": status, "checks": parts}))
    }
}

/// The store answers; or it does not, and the tokens of this server are known for a while.
fn token_store(service: Service, auth: AuthLayer, store: TokenStore) -> Arc<Check> {
    let pace = match store {
        TokenStore::Infisical(_) | TokenStore::Vault(_) => STORE_ON_THE_WEB,
        _ => STORE,
    };
    Check::new("tokenStore", pace, move || {
        let (auth, store) = (auth.clone(), store.clone());
        async move {
            // Below the time of the check, so that what is known counts when the store does not answer at all.
            let answer = timeout(STORE.timeout * 3 / 4, store.ping(service.name)).await;
            let problem = match answer {
                Ok(Ok(())) => return Health::Ok,
                Ok(Err(error)) => error.to_string(),
                Err(_) => "token store unavailable: no answer in time".to_owned(),
            };
            if auth.knows_service_tokens() {
                return Health::Degraded(format!("{problem}; known tokens go on for a while"));
            }
            Health::Failing(problem)
        }
    })
}

/// There are keys that are good, wherever their server is at the moment.
fn key_server(auth: AuthLayer) -> Arc<Check> {
    Check::new("keyServer", KEYS, move || {
        let health = auth.key_status().map_or(Health::Ok, |status| of_keys(&status));
        async move { health }
    })
}

/// The same for the other issuers: callers of one go on while the keys of another are missing.
fn issuers(auth: AuthLayer) -> Arc<Check> {
    Check::new("issuers", KEYS, move || {
        let all = auth.issuer_keys();
        let health: Vec<_> = all.iter().map(|(issuer, status)| (issuer, of_keys(status))).collect();
        let worst = health.iter().find(|(_, health)| *health != Health::Ok);
        let text = worst.and_then(|(issuer, health)| Some(format!("{issuer}: {}", health.message()?)));
        let dead = health.iter().all(|(_, health)| matches!(health, Health::Failing(_)));
        let health = match text {
            None => Health::Ok,
            Some(text) if dead => Health::Failing(text),
            Some(text) => Health::Degraded(text),
        };
        async move { health }
    })
}

fn of_keys(status: &KeyStatus) -> Health {
    let good = status.keys > 0 && status.age.is_some_and(|age| age < status.serve_stale_for);
    match (good, status.failing) {
        (true, false) => Health::Ok,
        (true, true) => Health::Degraded("cannot be reached; known keys go on for a while".to_owned()),
        (false, true) => Health::Failing("cannot be reached, and there are no keys: see the log".to_owned()),
        (false, false) => Health::Failing("there are no keys yet".to_owned()),
    }
}

/// An API behind the server.
fn upstream(probe: Probe, auth: AuthLayer) -> Arc<Check> {
    Check::new(probe.name(), FAR, move || {
        let (probe, tokens) = (probe.clone(), auth.service_tokens());
        async move {
            let token = match probe.token() {
                None => None,
                Some(name) => match tokens.get(name).await {
                    Ok(token) => Some(token),
                    Err(error) => return Health::Failing(format!("there is no {name} to ask with: {error}")),
                },
            };
            probe.ask(token).await.map_or_else(Health::Failing, |()| Health::Ok)
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    /// A check that counts how often it is asked.
    fn counted(health: Health, takes: Duration) -> (Arc<Check>, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let check = Check::new("x", STORE, move || {
            counter.fetch_add(1, Ordering::Relaxed);
            let health = health.clone();
            async move {
                tokio::time::sleep(takes).await;
                health
            }
        });
        (check, asked)
    }

    #[tokio::test(start_paused = true)]
    async fn one_question_serves_all_who_ask_meanwhile_and_for_a_while_after() {
        let (check, asked) = counted(Health::Ok, Duration::from_secs(1));
        let results: Vec<_> = (0..100)
            .map(|_| {
                let check = Arc::clone(&check);
                tokio::spawn(async move { check.latest(PATIENCE).await })
            })
            .collect();
        for latest in results {
            assert_eq!(latest.await.expect("joined").expect("seen").health, Health::Ok);
        }
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        tokio::time::advance(Duration::from_secs(4)).await;
        assert!(check.answers().await);
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(check.answers().await);
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn clients_that_hang_up_ask_no_more_often() {
        let (check, asked) = counted(Health::Failing("down".to_owned()), Duration::from_millis(1500));
        for _ in 0..10 {
            assert!(check.latest(Duration::from_millis(100)).await.is_none(), "nothing is known yet");
        }
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        // The question went on, and its answer is there.
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(check.seen().expect("seen").health, Health::Failing("down".to_owned()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_panics_or_never_answers_is_failing() {
        let never = Check::new("x", STORE, std::future::pending);
        assert_eq!(never.latest(PATIENCE).await.expect("seen").health, Health::Failing("no answer in 2 s".to_owned()));
        let panics = Check::new("x", STORE, || async { panic!("on purpose") });
        let seen = panics.latest(PATIENCE).await.expect("seen");
        assert_eq!(seen.health, Health::Failing("the probe panicked; the log says where".to_owned()));
    }
}
