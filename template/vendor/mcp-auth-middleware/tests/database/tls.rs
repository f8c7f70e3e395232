//! TLS to a real PostgreSQL, with certificates of an authority of the test's own.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;
use std::time::Duration;

use crate::postgres::{Cluster, Database, eventually, keyring, own};
use mcp_auth_middleware::{PostgresConfig, PostgresTls, PostgresTokenStore, ServerRole, StoreError};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use sqlx::{Connection as _, Executor as _};

const PASSWORD: &str = "a-password-for-tls"; // pragma: allowlist secret

/// Makes an authority, and a certificate of it for `host` that the server has from now on.
fn certify(cluster: &Cluster, host: &str, authority: &Path) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    fs::write(authority, params.self_signed(&key).unwrap().pem()).unwrap();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![host.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let data = cluster.folder().join("data");
    let owner = fs::metadata(&data).unwrap();
    for (name, text) in [("server.crt", certificate.pem()), ("server.key", key.serialize_pem())] {
        let path = data.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
    }
}

/// Whether the server's sessions over TCP are encrypted, as it sees them.
async fn encrypted(database: &Database) -> bool {
    let sessions = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                    WHERE client_addr IS NOT NULL AND datname = current_database() AND ssl";
    database.number(sessions).await > 0
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mode_encrypts_and_checks_what_it_says() {
    use PostgresTls::{Disable, Prefer, Require, VerifyCa, VerifyFull};
    let cluster = own();
    let database = cluster.blank().await;
    let role = ServerRole::new("remote").with_password(PASSWORD.to_owned().into());
    PostgresTokenStore::init(&database.config(), Some(&role)).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (ours, strange) = (folder.path().join("ours.pem"), folder.path().join("strange.pem"));
    let config = || {
        let config = cluster.config_over_tcp(&database.name, "remote", PASSWORD).with_pool(0, 1);
        config.with_timeouts(Duration::from_secs(1), Duration::from_secs(5))
    };
    let ask = async |config: PostgresConfig| {
        let store = PostgresTokenStore::connect_lazy(&config, keyring(1)).unwrap();
        let answer = store.get_token("server", "API", "user").await.map(|token| token.is_none());
        let encrypted = encrypted(&database).await;
        store.close().await;
        answer.map(|_| encrypted)
    };

    // A server without TLS: nobody who wants it gets less without a word.
    assert_eq!(ask(config().with_tls(Disable)).await, Ok(false));
    assert_eq!(ask(config().with_tls(Prefer)).await, Ok(false));
    for tls in [Require, VerifyCa, VerifyFull] {
        refused(ask(config().with_tls(tls)).await, "no encrypted connection");
    }

    certify(cluster, "elsewhere.example", &strange);
    certify(cluster, "127.0.0.1", &ours);
    let mut other = database.connect().await;
    other.execute("ALTER SYSTEM SET ssl = on").await.unwrap();
    other.execute("SELECT pg_reload_conf()").await.unwrap();
    other.close().await.unwrap();
    eventually("the server has TLS", || async { ask(config().with_tls(Require)).await == Ok(true) }).await;

    assert_eq!(ask(config().with_tls(Disable)).await, Ok(false));
    assert_eq!(ask(config().with_tls(Prefer)).await, Ok(true));
    for tls in [VerifyCa, VerifyFull] {
        assert_eq!(ask(config().with_tls(tls).with_root_certificates(&ours)).await, Ok(true), "{tls:?}");
        refused(ask(config().with_tls(tls)).await, "no encrypted connection");
        refused(ask(config().with_tls(tls).with_root_certificates(&strange)).await, "no encrypted connection");
    }

    // By way of the guard, as if it were another machine: it encrypts in the driver's place.
    let elsewhere = |tls| {
        let config = PostgresConfig::new("0.0.0.0", &database.name, "remote").with_port(cluster.port()).with_tls(tls);
        let config = config.with_password(&PASSWORD.to_owned().into()).with_pool(0, 1);
        config.with_timeouts(Duration::from_secs(5), Duration::from_secs(5))
    };
    assert_eq!(ask(elsewhere(Disable)).await, Ok(false));
    assert_eq!(ask(elsewhere(Prefer)).await, Ok(true));
    assert_eq!(ask(elsewhere(Require)).await, Ok(true));
    let store = PostgresTokenStore::connect_lazy(&elsewhere(Require), keyring(1)).unwrap();
    store.set_token("server", "API", &"v".repeat(60_000).into(), "user").await.unwrap();
    assert_eq!(store.get_token("server", "API", "user").await.unwrap().unwrap().expose().len(), 60_000);
    assert!(store.delete_token("server", "API", "user").await.unwrap());
    store.close().await;

    // A certificate of the right authority for another host.
    certify(cluster, "elsewhere.example", &ours);
    let mut other = database.connect().await;
    other.execute("SELECT pg_reload_conf()").await.unwrap();
    other.close().await.unwrap();
    let full = || config().with_tls(VerifyFull).with_root_certificates(&ours);
    let ca = || config().with_tls(VerifyCa).with_root_certificates(&ours);
    eventually("the server has the other certificate", || async { ask(ca()).await == Ok(true) }).await;
    refused(ask(full()).await, "no encrypted connection");
}

#[track_caller]
fn refused(answer: Result<bool, StoreError>, text: &str) {
    match answer {
        Err(StoreError::Unavailable(reason)) => assert!(reason.contains(text), "{reason}"),
        other => panic!("{other:?}"),
    }
}
