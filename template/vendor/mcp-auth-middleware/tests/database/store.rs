//! Tokens in a real PostgreSQL: stored, read, listed, deleted; and what is refused.

use std::time::{Duration, SystemTime};

use crate::postgres::{key, keyring, shared};
use mcp_auth_middleware::encryption::DecryptError;
use mcp_auth_middleware::{PostgresTokenStore, StoreError};
use secrecy::SecretString;

const ACTOR: &str = "user@example.com";

fn secret(text: &str) -> SecretString {
    text.to_owned().into()
}

async fn get(store: &PostgresTokenStore, service: &str, key: &str) -> Option<String> {
    store.get_token(service, key, ACTOR).await.unwrap().map(|token| token.expose().to_owned())
}

#[tokio::test]
async fn tokens_are_set_read_replaced_listed_and_deleted() {
    let database = shared().database().await;
    let store = database.store(&keyring(1));
    store.ping().await.unwrap();
    assert_eq!(get(&store, "server", "API").await, None);

    let before = SystemTime::now() - Duration::from_secs(1);
    store.set_token("server", "API", &secret("first"), ACTOR).await.unwrap();
    store.set_token("server", "B", &secret("söö\n\"'\\"), ACTOR).await.unwrap();
    store.set_token("other", "API", &secret("others"), ACTOR).await.unwrap();
    assert_eq!(get(&store, "server", "API").await.as_deref(), Some("first"));
    assert_eq!(get(&store, "server", "B").await.as_deref(), Some("söö\n\"'\\"));
    assert_eq!(get(&store, "other", "API").await.as_deref(), Some("others"));
    assert_eq!(get(&store, "other", "B").await, None);

    let first = store.list("server", ACTOR).await.unwrap();
    assert_eq!(first.iter().map(|t| t.key.as_str()).collect::<Vec<_>>(), ["API", "B"]);
    assert!(first.iter().all(|t| t.created_at == t.updated_at && t.created_at > before));

    store.set_token("server", "API", &secret("first"), ACTOR).await.unwrap();
    assert_eq!(store.list("server", ACTOR).await.unwrap(), first, "the same value is no change");
    store.set_token("server", "API", &secret("second"), ACTOR).await.unwrap();
    let second = store.list("server", ACTOR).await.unwrap();
    assert_eq!(second[0].created_at, first[0].created_at);
    assert!(second[0].updated_at > first[0].updated_at);
    assert_eq!(get(&store, "server", "API").await.as_deref(), Some("second"));

    assert!(store.delete_token("server", "API", ACTOR).await.unwrap());
    assert!(!store.delete_token("server", "API", ACTOR).await.unwrap());
    assert_eq!(get(&store, "server", "API").await, None);
    assert_eq!(get(&store, "other", "API").await.as_deref(), Some("others"));
    assert_eq!(store.list("nobody", ACTOR).await.unwrap(), []);
}

#[tokio::test]
async fn what_is_stored_is_no_plaintext_and_the_same_each_time() {
    let database = shared().database().await;
    let sealed = "SELECT count(DISTINCT encrypted_value) FROM tokens";
    for _ in 0..2 {
        // A store of its own each time, as after a restart.
        let store = database.store(&keyring(1));
        store.set_token("server", "API", &secret("a-very-secret-value"), ACTOR).await.unwrap();
        let shown = format!("{store:?}");
        assert!(shown.starts_with("PostgresTokenStore { place:") && !shown.contains("secret"), "{shown}");
        store.delete_token("server", "OTHER", ACTOR).await.unwrap();
    }
    assert_eq!(database.number(sealed).await, 1);
    let plain = "SELECT count(*) FROM tokens WHERE position('secret' IN encode(encrypted_value, 'escape')) > 0";
    assert_eq!(database.number(plain).await, 0);
    let unchanged = "SELECT count(*) FROM tokens WHERE created_at = updated_at";
    assert_eq!(database.number(unchanged).await, 1);
}

#[tokio::test]
async fn attack_39_damaged_and_moved_ciphertexts_do_not_decrypt() {
    let database = shared().database().await;
    let store = database.store(&keyring(1));
    for (service, key) in [("a", "ONE"), ("a", "TWO"), ("b", "ONE")] {
        store.set_token(service, key, &secret("value"), ACTOR).await.unwrap();
    }
    let original = "(SELECT encrypted_value FROM tokens WHERE id = 1)";
    for (what, change) in [
        ("truncated", format!("substring({original} FROM 1 FOR octet_length({original}) - 1)")),
        ("only a header", format!("substring({original} FROM 1 FOR 9)")),
        ("one byte", "'\\x01'".to_owned()),
        (
            "a bit of the tag",
            format!(
                "set_bit({original}, 8 * octet_length({original}) - 3, 1 - get_bit({original}, 8 * octet_length({original}) - 3))"
            ),
        ),
        ("a bit of the nonce", format!("set_bit({original}, 77, 1 - get_bit({original}, 77))")),
        ("a bit of the key id", format!("set_bit({original}, 17, 1 - get_bit({original}, 17))")),
        ("the version", format!("set_byte({original}, 0, 9)")),
        ("of another row", "(SELECT encrypted_value FROM tokens WHERE id = 2)".to_owned()),
        ("of another service", "(SELECT encrypted_value FROM tokens WHERE id = 3)".to_owned()),
    ] {
        database.run("CREATE TABLE kept AS SELECT * FROM tokens WHERE id = 1").await;
        database.run(&format!("UPDATE tokens SET encrypted_value = {change} WHERE id = 1")).await;
        let error = store.get_token("a", "ONE", ACTOR).await.unwrap_err();
        assert!(matches!(error, StoreError::Decrypt(_)), "{what}: {error}");
        let audited = "SELECT count(*) FROM audit_log WHERE outcome = 'decrypt_failed' AND token_key = 'ONE'
                       AND detail IS NOT NULL AND id = (SELECT max(id) FROM audit_log)";
        assert_eq!(database.number(audited).await, 1, "{what}");
        database.run("UPDATE tokens SET encrypted_value = kept.encrypted_value FROM kept WHERE tokens.id = 1").await;
        database.run("DROP TABLE kept").await;
        assert_eq!(get(&store, "a", "ONE").await.as_deref(), Some("value"), "{what}");
    }
    assert_eq!(store.audit_verify().await.unwrap().fault, None);
}

#[tokio::test]
async fn attack_40_a_wrong_key_is_told_with_the_key_ids() {
    let database = shared().database().await;
    database.store(&keyring(1)).set_token("server", "API", &secret("value"), ACTOR).await.unwrap();
    let error = database.store(&keyring(2)).get_token("server", "API", ACTOR).await.unwrap_err();
    let (stored, known) = (key(1).id(), key(2).id());
    assert_eq!(error, StoreError::Decrypt(DecryptError::KeyMismatch { stored, known: vec![known] }));
    let text = error.to_string();
    assert!(text.starts_with("encryption key mismatch"), "{text}");
    assert!(text.contains(&stored.to_string()) && text.contains(&known.to_string()), "{text}");
    let both = keyring(2).with_previous(key(1));
    assert_eq!(get(&database.store(&both), "server", "API").await.as_deref(), Some("value"));
}

#[tokio::test]
async fn attack_44_odd_names_and_values_are_stored_or_refused() {
    let database = shared().database().await;
    let store = database.store(&keyring(1));
    let names = [
        "'; DROP TABLE tokens; --",
        "\"quoted\"",
        "100%",
        "_",
        "back\\slash",
        "$1",
        "söö \u{1f511}",
        " ",
        &"x".repeat(255),
        "case",
        "CASE",
    ];
    for (n, name) in names.iter().enumerate() {
        store.set_token("se'r\"vice%", name, &secret(&format!("value {n}")), "o'hara@example.com").await.unwrap();
    }
    for (n, name) in names.iter().enumerate() {
        assert_eq!(get(&store, "se'r\"vice%", name).await, Some(format!("value {n}")), "{name}");
    }
    assert_eq!(store.list("se'r\"vice%", ACTOR).await.unwrap().len(), names.len());
    let largest = secret(&"v".repeat(65_536));
    store.set_token("server", "LARGE", &largest, ACTOR).await.unwrap();
    assert_eq!(get(&store, "server", "LARGE").await.unwrap().len(), 65_536);

    let rows = database.number("SELECT count(*) FROM audit_log").await;
    let (long, control) = ("n".repeat(10_240), "a\u{85}b");
    for name in ["", "a\0b", "a\nb", control, long.as_str()] {
        let value = secret("value");
        for error in [
            store.get_token("server", name, ACTOR).await.unwrap_err(),
            store.get_token(name, "API", ACTOR).await.unwrap_err(),
            store.set_token("server", name, &value, ACTOR).await.unwrap_err(),
            store.delete_token("server", name, ACTOR).await.unwrap_err(),
            store.list(name, ACTOR).await.unwrap_err(),
        ] {
            assert!(matches!(error, StoreError::Invalid(_)), "{name:?}: {error}");
        }
    }
    for value in [String::new(), "a\0b".to_owned(), "v".repeat(65_537), "v".repeat(1 << 20)] {
        let error = store.set_token("server", "API", &secret(&value), ACTOR).await.unwrap_err();
        assert!(matches!(&error, StoreError::Invalid(text) if text.len() < 100), "{error}");
    }
    assert_eq!(database.number("SELECT count(*) FROM audit_log").await, rows, "nothing was done");
}

/// As behind a pooler in transaction mode, where nothing that is set on a connection stays with its client.
#[tokio::test]
async fn all_of_it_goes_through_a_pooler_as_well() {
    let database = shared().database().await;
    let config = database.config().through_transaction_pooler();
    let store = PostgresTokenStore::connect_lazy(&config, keyring(2).with_previous(key(1))).unwrap();
    store.ping().await.unwrap();
    database.store(&keyring(1)).set_token("server", "OLD", &secret("old"), ACTOR).await.unwrap();
    store.set_token("server", "API", &secret("first"), ACTOR).await.unwrap();
    assert_eq!(get(&store, "server", "API").await.as_deref(), Some("first"));
    assert_eq!(get(&store, "server", "NONE").await, None);
    assert_eq!(store.list("server", ACTOR).await.unwrap().len(), 2);
    assert_eq!(store.rotate_key(ACTOR).await, Ok(1));
    assert!(store.delete_token("server", "API", ACTOR).await.unwrap());
    let error = database.store(&keyring(3)).get_token("server", "OLD", ACTOR).await.unwrap_err();
    assert!(matches!(error, StoreError::Decrypt(_)), "{error}");
    store.inspect("server").await.unwrap();
    assert_eq!(store.audit_verify().await.unwrap().fault, None);
    // Whatever way it was asked for, it is in the log.
    assert_eq!(store.audit_head().await.unwrap().rows, 11);
}

#[tokio::test]
async fn attack_46_without_an_audit_row_nothing_is_done() {
    let database = shared().database().await;
    let store = database.store(&keyring(1));
    store.set_token("server", "API", &secret("first"), ACTOR).await.unwrap();
    for (obstacle, way) in [
        (
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no space left'; END $$;
             CREATE TRIGGER refuse BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION refuse()",
            "DROP TRIGGER refuse ON audit_log",
        ),
        ("ALTER TABLE audit_log RENAME TO audit_log_away", "ALTER TABLE audit_log_away RENAME TO audit_log"),
        (
            "CREATE TABLE away AS SELECT * FROM audit_chain; ALTER TABLE audit_chain DISABLE TRIGGER USER;
             DELETE FROM audit_chain",
            "INSERT INTO audit_chain SELECT * FROM away; ALTER TABLE audit_chain ENABLE TRIGGER USER",
        ),
    ] {
        database.run(obstacle).await;
        let errors = [
            store.set_token("server", "API", &secret("second"), ACTOR).await.unwrap_err(),
            store.set_token("new", "NEW", &secret("second"), ACTOR).await.unwrap_err(),
            store.delete_token("server", "API", ACTOR).await.unwrap_err(),
            store.get_token("server", "API", ACTOR).await.unwrap_err(),
            store.list("server", ACTOR).await.unwrap_err(),
            store.rotate_key(ACTOR).await.unwrap_err(),
        ];
        for error in errors {
            let text = error.to_string();
            assert!(text.contains("audit log") || matches!(error, StoreError::NotSetUp(_)), "{obstacle}: {text}");
            assert!(!text.contains("no space left"), "{text}");
        }
        database.run(way).await;
        assert_eq!(get(&store, "server", "API").await.as_deref(), Some("first"), "{obstacle}");
        assert_eq!(store.list("new", ACTOR).await.unwrap(), []);
        assert_eq!(store.audit_verify().await.unwrap().fault, None, "{obstacle}");
    }
}

#[test]
fn a_store_outside_of_a_runtime_is_refused_instead_of_panicking() {
    let config = mcp_auth_middleware::PostgresConfig::new("localhost", "auth", "me");
    let refused = PostgresTokenStore::connect_lazy(&config, keyring(1)).unwrap_err();
    assert_eq!(refused.to_string(), "a PostgreSQL token store can only be made inside of a tokio runtime");
}
