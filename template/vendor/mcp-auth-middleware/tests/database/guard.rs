//! attacks.md 60: somebody who answers in place of the database, where the configuration says that nobody checks who that is.
//!
//! 0.0.0.0 is this machine as well (Linux), and no address of a loopback.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::postgres::{eventually, keyring, own};
use mcp_auth_middleware::{PostgresConfig, PostgresTls, PostgresTokenStore, ServerRole, StoreError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

const ACTOR: &str = "user@example.com";
const PASSWORD: &str = "the-database-password"; // pragma: allowlist secret

/// A client that is let in is asked nothing more. The driver would answer until the server says that it is ready.
const AFTER_THE_LOGIN: [&[u8]; 3] = [
    b"R\0\0\0\x08\0\0\0\0R\0\0\0\x08\0\0\0\x03",
    b"R\0\0\0\x08\0\0\0\0K\0\0\0\x0c\0\0\0\x01\0\0\0\x01R\0\0\0\x0c\0\0\0\x05salt",
    b"R\0\0\0\x08\0\0\0\0S\0\0\0\x08a\0b\0R\0\0\0\x08\0\0\0\x03",
];

/// Answers `N` to SSLRequest and then sends this question. Returns all that came.
async fn between(question: &'static [u8]) -> (u16, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, received) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Vec::new())));
    let all = Arc::clone(&received);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let all = Arc::clone(&all);
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                loop {
                    let Ok(read @ 1..) = client.read(&mut buffer).await else { return };
                    all.lock().unwrap().extend(&buffer[..read]);
                    let request = read == 8 && buffer[4..8] == 80_877_103_u32.to_be_bytes();
                    if client.write_all(if request { b"N" } else { question }).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (port, received)
}

/// The same with a certificate of its own, which nobody has asked for: answers `S` and takes the connection.
async fn between_by_tls(question: &'static [u8]) -> (u16, Arc<Mutex<Vec<u8>>>) {
    let key = rcgen::generate_simple_self_signed(["anybody.example".to_owned()]).unwrap();
    let private = PrivateKeyDer::try_from(key.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let server = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let server = server.with_no_client_auth().with_single_cert(vec![key.cert.der().clone()], private).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(server));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, received) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Vec::new())));
    let all = Arc::clone(&received);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let (all, acceptor) = (Arc::clone(&all), acceptor.clone());
            tokio::spawn(async move {
                let mut request = [0; 8];
                client.read_exact(&mut request).await.unwrap();
                assert_eq!(request[4..], 80_877_103_u32.to_be_bytes());
                client.write_all(b"S").await.unwrap();
                let Ok(mut client) = acceptor.accept(client).await else { return };
                let mut buffer = [0; 4096];
                loop {
                    let Ok(read @ 1..) = client.read(&mut buffer).await else { return };
                    all.lock().unwrap().extend(&buffer[..read]);
                    if client.write_all(question).await.is_err() || client.flush().await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (port, received)
}

/// TLS without a check of certificates leads to any machine that answers. The password does not.
#[tokio::test]
async fn attack_60_a_certificate_of_anybody_gets_no_password_either() {
    let questions = [&b"R\0\0\0\x08\0\0\0\x03"[..], b"R\0\0\0\x0c\0\0\0\x05salt"];
    for question in questions.into_iter().chain(AFTER_THE_LOGIN) {
        for tls in [PostgresTls::Prefer, PostgresTls::Require] {
            let (port, received) = between_by_tls(question).await;
            let config = config("0.0.0.0", port, Some(tls));
            let store = PostgresTokenStore::connect_lazy(&config, keyring(1)).unwrap();
            let error = store.get_token("server", "API", ACTOR).await.unwrap_err();
            let owner = PostgresTokenStore::init(&config, None).await.unwrap_err();
            let text = String::from_utf8_lossy(&received.lock().unwrap()).into_owned();
            assert!(text.contains("server") && !text.contains("password") && !text.contains("md5"), "{tls:?}: {text}");
            for error in [error, owner] {
                assert!(
                    matches!(&error, StoreError::Denied(text) if text.contains("in clear text")),
                    "{tls:?}: {error}"
                );
            }
        }
    }
}

fn config(host: &str, port: u16, tls: Option<PostgresTls>) -> PostgresConfig {
    let config = PostgresConfig::new(host, "auth", "server").with_port(port).with_password(&PASSWORD.to_owned().into());
    let config = config.with_timeouts(Duration::from_millis(700), Duration::from_millis(700)).with_pool(0, 1);
    match tls {
        Some(tls) => config.with_tls(tls),
        None => config,
    }
}

#[tokio::test]
async fn attack_60_the_password_goes_to_nobody_who_only_asks() {
    let questions: [&[u8]; 4] = [
        b"R\0\0\0\x08\0\0\0\x03",
        b"R\0\0\0\x0c\0\0\0\x05salt",
        // GSS, and a kind of message that does not belong here.
        b"R\0\0\0\x08\0\0\0\x07",
        b"Z\0\0\0\x05I",
    ];
    for question in questions.into_iter().chain(AFTER_THE_LOGIN) {
        for tls in [None, Some(PostgresTls::Disable), Some(PostgresTls::Prefer), Some(PostgresTls::Require)] {
            let (port, received) = between(question).await;
            let store = PostgresTokenStore::connect_lazy(&config("0.0.0.0", port, tls), keyring(1)).unwrap();
            let error = store.get_token("server", "API", ACTOR).await.unwrap_err();
            let owner = PostgresTokenStore::init(&config("0.0.0.0", port, tls), None).await.unwrap_err();
            let received = received.lock().unwrap().clone();
            let text = String::from_utf8_lossy(&received).into_owned();
            assert!(!received.is_empty() && !text.contains("password") && !text.contains("md5"), "{tls:?}: {text}");
            for error in [error, owner] {
                match tls {
                    Some(PostgresTls::Disable | PostgresTls::Prefer) => {
                        assert!(
                            matches!(&error, StoreError::Denied(text) if text.contains("in clear text")),
                            "{tls:?}: {error}"
                        );
                    }
                    // Without TLS, nothing.
                    _ => assert!(matches!(error, StoreError::Unavailable(_)), "{tls:?}: {error}"),
                }
                assert!(!error.to_string().contains(PASSWORD), "{error}");
            }
        }
    }
}

/// Wants the driver to hash the password for half an hour: it asks for SCRAM, and for 4,000,000,000 iterations of it.
async fn who_makes_work() -> (u16, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, received) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Vec::new())));
    let all = Arc::clone(&received);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut buffer = [0; 4096];
            let _ = client.read(&mut buffer).await.unwrap();
            client.write_all(b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0").await.unwrap();
            let read = client.read(&mut buffer).await.unwrap();
            let nonce = String::from_utf8_lossy(&buffer[..read]).rsplit_once("r=").unwrap().1.to_owned();
            let first = format!("r={nonce}more,s=c2FsdHNhbHRzYWx0,i=4000000000");
            let mut message = vec![b'R'];
            message.extend(u32::try_from(first.len() + 8).unwrap().to_be_bytes());
            message.extend(11_u32.to_be_bytes());
            message.extend(first.as_bytes());
            client.write_all(&message).await.unwrap();
            let mut rest = Vec::new();
            let _ = client.read_to_end(&mut rest).await;
            all.lock().unwrap().extend(rest);
        }
    });
    (port, received)
}

#[tokio::test]
async fn attack_60_who_asks_for_scram_gets_no_core_for_as_long_as_it_likes() {
    let (port, received) = who_makes_work().await;
    let config = config("0.0.0.0", port, Some(PostgresTls::Disable));
    let store = PostgresTokenStore::connect_lazy(&config, keyring(1)).unwrap();
    let error = store.get_token("server", "API", ACTOR).await.unwrap_err();
    assert!(matches!(&error, StoreError::Denied(text) if text.contains("scram_iterations")), "{error}");
    assert!(received.lock().unwrap().is_empty(), "it got an answer");
}

/// By the same way to a real one, which asks for SCRAM.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_asks_for_scram_is_used_as_ever() {
    let cluster = own();
    let database = cluster.blank().await;
    let role = ServerRole::new("guarded").with_password(PASSWORD.to_owned().into());
    PostgresTokenStore::init(&database.config(), Some(&role)).await.unwrap();
    for tls in [PostgresTls::Disable, PostgresTls::Prefer] {
        let config = PostgresConfig::new("0.0.0.0", &database.name, "guarded").with_port(cluster.port()).with_tls(tls);
        let right = config.clone().with_password(&PASSWORD.to_owned().into());
        let store = PostgresTokenStore::connect_lazy(&right, keyring(1)).unwrap();
        store.set_token("server", "API", &"v".repeat(60_000).into(), ACTOR).await.unwrap();
        assert_eq!(store.get_token("server", "API", ACTOR).await.unwrap().unwrap().expose().len(), 60_000);
        assert!(store.use_credentials_of(&right));
        let wrong = config.with_password(&"another".to_owned().into()).with_pool(0, 1);
        let store = PostgresTokenStore::connect_lazy(&wrong, keyring(1)).unwrap();
        let error = store.get_token("server", "API", ACTOR).await.unwrap_err();
        assert!(matches!(&error, StoreError::Denied(text) if text.contains("refuses user or password")), "{error}");
    }
    // Nobody there.
    cluster.stop("fast");
    let config = config("0.0.0.0", cluster.port(), Some(PostgresTls::Disable));
    let store = PostgresTokenStore::connect_lazy(&config, keyring(1)).unwrap();
    let error = store.get_token("server", "API", ACTOR).await.unwrap_err();
    assert!(matches!(&error, StoreError::Unavailable(text) if text.contains("cannot be reached")), "{error}");
}

/// Takes connections and never says a word.
#[tokio::test]
async fn who_says_nothing_holds_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, open) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&open);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let count = Arc::clone(&count);
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                while let Ok(1..) = client.read(&mut buffer).await {}
                count.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    for tls in [PostgresTls::Disable, PostgresTls::Require] {
        let store = PostgresTokenStore::connect_lazy(&config("0.0.0.0", port, Some(tls)), keyring(1)).unwrap();
        let error = store.get_token("server", "API", ACTOR).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
        eventually("each connection to have ended", async || open.load(Ordering::SeqCst) == 0).await;
    }
}

/// Brackets belong to URLs.
#[tokio::test]
async fn an_address_of_ipv6_leads_there() {
    let Ok(listener) = TcpListener::bind("[::1]:0").await else { return };
    let port = listener.local_addr().unwrap().port();
    // An address of this machine that is not its loopback, or else there is no relay.
    let url = format!("postgres://server:{PASSWORD}@[::ffff:127.0.0.1]:{port}/auth?sslmode=disable");
    drop(listener);
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let config = PostgresConfig::from_url(&url.into()).unwrap();
    let store = PostgresTokenStore::connect_lazy(&config, keyring(1)).unwrap();
    let asked = tokio::spawn(async move { store.get_token("server", "API", ACTOR).await });
    let (mut client, _) = tokio::time::timeout(Duration::from_secs(20), listener.accept()).await.unwrap().unwrap();
    let mut buffer = [0; 4096];
    assert!(client.read(&mut buffer).await.unwrap() > 8, "a start-up message by way of the relay");
    drop((client, listener));
    asked.await.unwrap().unwrap_err();
}
