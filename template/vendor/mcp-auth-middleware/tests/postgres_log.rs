//! No log holds a secret: neither what the store and the driver say at TRACE, nor the database's own log of statements.

#![cfg(all(feature = "postgres", unix))]
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "harness/postgres.rs"]
mod postgres;

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mcp_auth_middleware::{PostgresConfig, PostgresTokenStore, ServerRole};
use postgres::{eventually, key, keyring, own};
use secrecy::SecretString;
use sqlx::{Connection as _, Executor as _};
use tracing::field::{Field, Visit};
use tracing::span;

const ACTOR: &str = "user@example.com";
const VALUE: &str = "plaintext-Eiw8ohng";
const PASSWORD: &str = "password-uuPh3ohx";

static SAID: Mutex<String> = Mutex::new(String::new());

fn say(text: &str) {
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    said.push_str(text);
    said.push('\n');
}

/// Takes down everything, by whomever, whichever way.
struct Capture;

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }
}

impl tracing::Subscriber for Capture {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        let mut text = Text(String::new());
        span.record(&mut text);
        say(&text.0);
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        let mut text = Text(String::new());
        values.record(&mut text);
        say(&text.0);
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut text = Text(format!("[{}] {} ", event.metadata().level(), event.metadata().target()));
        event.record(&mut text);
        say(&text.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

impl log::Log for Capture {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        say(&format!("[{}] {} {}", record.level(), record.target(), record.args()));
    }

    fn flush(&self) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_50_no_secret_is_in_any_log() {
    tracing::subscriber::set_global_default(Capture).unwrap();
    log::set_boxed_logger(Box::new(Capture)).unwrap();
    log::set_max_level(log::LevelFilter::Trace);

    let cluster = own();
    let database = cluster.blank().await;
    let mut other = database.connect().await;
    other.execute("ALTER SYSTEM SET log_statement = 'all'").await.unwrap();
    other.execute("SELECT pg_reload_conf()").await.unwrap();
    other.close().await.unwrap();
    let logs = || std::fs::read_to_string(cluster.folder().join("log")).unwrap();
    // The setting reaches new connections once the server has read it.
    eventually("statements are logged", || async {
        database.number("SELECT 4711::bigint").await;
        logs().contains("SELECT 4711::bigint")
    })
    .await;

    let role = ServerRole::new("server").with_password(PASSWORD.to_owned().into());
    PostgresTokenStore::init(&database.config(), Some(&role)).await.unwrap();
    let config = |password| {
        let config = cluster.config_over_tcp(&database.name, "server", password);
        config.with_timeouts(Duration::from_millis(500), Duration::from_millis(500))
    };
    let store = PostgresTokenStore::connect_lazy(&config(PASSWORD), keyring(1)).unwrap();
    let mut errors = String::new();
    let value: SecretString = VALUE.to_owned().into();
    store.set_token("server", "API", &value, ACTOR).await.unwrap();
    assert_eq!(store.get_token("server", "API", ACTOR).await.unwrap().unwrap().expose(), VALUE);
    store.list("server", ACTOR).await.unwrap();
    let rotating = PostgresTokenStore::connect_lazy(&config(PASSWORD), keyring(2).with_previous(key(1))).unwrap();
    assert_eq!(rotating.rotate_key(ACTOR).await, Ok(1));
    let unreadable = PostgresTokenStore::connect_lazy(&config(PASSWORD), keyring(3)).unwrap();
    let rotation = unreadable.rotate(ACTOR).await.unwrap();
    write!(errors, "{rotation:?} {:?}", store.get_token("server", "API", ACTOR).await).unwrap();
    let refused = format!("{PASSWORD} but wrong");
    let refused = PostgresTokenStore::connect_lazy(&config(&refused), keyring(1)).unwrap();
    write!(errors, "{:?}", refused.get_token("server", "API", ACTOR).await).unwrap();
    let large = format!("{VALUE}{}", "x".repeat(1 << 20)).into();
    write!(errors, "{:?}", store.set_token("server", "API", &large, ACTOR).await).unwrap();
    database.run("ALTER TABLE tokens ADD CONSTRAINT none CHECK (false) NOT VALID").await;
    write!(errors, "{:?}", store.set_token("server", "NEW", &value, ACTOR).await).unwrap();
    let url = format!("postgres://server:{PASSWORD}@127.0.0.1/auth?passwd={PASSWORD}");
    write!(errors, "{:?}", PostgresConfig::from_url(&url.into())).unwrap();
    write!(errors, "{store:?} {role:?} {:?} {:?}", config(PASSWORD), store.changes()).unwrap();
    cluster.stop("immediate");
    write!(errors, "{:?}", store.get_token("server", "API", ACTOR).await).unwrap();

    let said = SAID.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert!(said.contains("cannot be rotated"), "the log is not taken down: {said}");
    assert!(logs().contains("INSERT INTO tokens"), "the database logs no statements");
    for (what, text) in [("logs", said), ("errors", errors), ("the database's log", logs())] {
        // As text, and as the database would show bytes.
        for secret in [VALUE, PASSWORD] {
            let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
            assert!(!text.contains(secret) && !text.contains(&hex), "{what}: {secret}\n{text}");
        }
    }
}
