//! The audit log: what is written, that it cannot be changed, and that a change shows.

use crate::postgres::{Database, keyring, shared};
use futures_util::TryStreamExt as _;
use mcp_auth_middleware::{AuditFault, AuditHash, AuditRow};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

/// Past the triggers, as only a superuser can.
async fn tamper(database: &Database, sql: &str) {
    database.run(&format!("SET session_replication_role = replica; {sql}")).await;
}

#[tokio::test]
async fn every_operation_leaves_a_row_with_who_did_what_to_which() {
    let database = shared().database().await;
    let store = database.store(&keyring(1));
    let value = "a-very-secret-value".to_owned().into();
    store.get_token("server", "API", "a@example.com").await.unwrap();
    store.set_token("server", "API", &value, "b@example.com").await.unwrap();
    store.get_token("server", "API", "c@example.com\n").await.unwrap();
    store.list("server", "").await.unwrap();
    store.rotate_key("d@example.com").await.unwrap();
    database.store(&keyring(2)).get_token("server", "API", "e@example.com").await.unwrap_err();
    store.delete_token("server", "API", "f@example.com").await.unwrap();
    store.delete_token("server", "API", "g@example.com").await.unwrap();

    let rows: Vec<AuditRow> = store.audit_export().try_collect().await.unwrap();
    let summaries: Vec<_> = rows
        .iter()
        .map(|row| {
            let AuditRow { id, action, outcome, user_email, token_key, service, .. } = row;
            let (service, key) = (service.as_deref().unwrap_or("-"), token_key.as_deref().unwrap_or("-"));
            format!("{id} {user_email} {action} {service}/{key} {outcome}")
        })
        .collect();
    assert_eq!(
        summaries,
        [
            "1 a@example.com get server/API not_found",
            "2 b@example.com set server/API ok",
            "3 c@example.com\\u{a} get server/API ok",
            "4 unknown list server/- ok",
            "5 d@example.com rotate -/- ok",
            "6 d@example.com rotate -/- ok",
            "7 e@example.com get server/API ok",
            "8 e@example.com get server/API decrypt_failed",
            "9 f@example.com delete server/API ok",
            "10 g@example.com delete server/API not_found",
        ]
    );
    let json = serde_json::to_string(&rows).unwrap();
    assert!(json.contains("encryption key mismatch") && !json.contains("a-very-secret"), "{json}");
    let time = regular(&rows[0].timestamp);
    assert_eq!(time, "0000-00-00T00:00:00.000000Z", "{}", rows[0].timestamp);

    let report = store.audit_verify().await.unwrap();
    assert_eq!((report.intact, report.fault), (10, None));
    assert_eq!(report.last_hash, rows[9].hash);
}

/// The chain has no key: its owner can rewrite it. A hash that was kept from before shows that.
#[tokio::test]
async fn attack_47_a_log_that_was_rewritten_lacks_the_kept_hash() {
    let database = shared().database().await;
    let store = database.store(&keyring(1));
    let empty: AuditHash = store.audit_verify().await.unwrap().last_hash.parse().unwrap();
    for actor in ["mallory", "alice", "bob"] {
        store.get_token("server", "API", actor).await.unwrap();
    }
    let kept: AuditHash = store.audit_verify().await.unwrap().last_hash.parse().unwrap();
    store.get_token("server", "API", "carol").await.unwrap();
    for hash in [empty, kept] {
        let report = store.audit_verify_against(&hash).await.unwrap();
        assert_eq!((report.intact, report.fault), (4, None));
    }
    // Nothing of this log is left, and the new one is in order.
    tamper(
        &database,
        "DELETE FROM audit_log; UPDATE audit_chain SET count = 0, hash = decode(repeat('00', 32), 'hex')",
    )
    .await;
    for actor in ["alice", "alice", "bob", "carol"] {
        store.get_token("server", "API", actor).await.unwrap();
    }
    let report = store.audit_verify().await.unwrap();
    assert_eq!((report.intact, report.fault), (4, None));
    let report = store.audit_verify_against(&kept).await.unwrap();
    assert_eq!((report.intact, report.fault), (4, Some(AuditFault::Rewritten)));
    // What is wrong with a row is reported first.
    tamper(&database, "UPDATE audit_log SET user_email = 'x' WHERE id = 2").await;
    let report = store.audit_verify_against(&kept).await.unwrap();
    assert_eq!((report.intact, report.fault), (1, Some(AuditFault::Changed { id: 2 })));
}

/// Digits as zeros.
fn regular(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect()
}

#[tokio::test]
async fn an_empty_log_is_intact() {
    let database = shared().database().await;
    let report = database.store(&keyring(1)).audit_verify().await.unwrap();
    assert_eq!((report.intact, report.fault, report.last_hash), (0, None, "0".repeat(64)));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_make_one_chain() {
    let database = shared().database().await;
    let (one, other) = (database.store(&keyring(1)), database.store(&keyring(1)));
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..8 {
        let store = if n % 2 == 0 { one.clone() } else { other.clone() };
        tasks.spawn(async move {
            for _ in 0..140 {
                store.get_token("server", &format!("KEY {n}"), "user@example.com").await.unwrap();
            }
        });
    }
    // A log that is being written to is in order at every moment.
    let mut verified = 0;
    while !tasks.is_empty() {
        let report = other.audit_verify().await.unwrap();
        assert_eq!(report.fault, None);
        verified += 1;
        while let Some(done) = tasks.try_join_next() {
            done.unwrap();
        }
    }
    assert!(verified > 0);
    let rows: Vec<AuditRow> = one.audit_export().try_collect().await.unwrap();
    assert!(rows.iter().map(|row| row.id).eq(1..=1120), "{}", rows.len());
    assert!(rows.is_sorted_by(|a, b| a.timestamp <= b.timestamp));
    let report = one.audit_verify().await.unwrap();
    assert_eq!((report.intact, report.fault), (1120, None));
    // The fault is found behind the first page, too.
    tamper(&database, "UPDATE audit_log SET user_email = 'x' WHERE id = 1111").await;
    let report = one.audit_verify().await.unwrap();
    assert_eq!((report.intact, report.fault), (1110, Some(AuditFault::Changed { id: 1111 })));
}

#[tokio::test]
async fn attack_47_what_was_changed_removed_or_reordered_is_named() {
    use AuditFault as F;
    let database = shared().database().await;
    let store = database.store(&keyring(1));
    for key in ["A", "B", "C", "D", "E", "F"] {
        store.get_token("server", key, "user@example.com").await.unwrap();
    }
    tamper(&database, "CREATE TABLE log AS TABLE audit_log; CREATE TABLE head AS TABLE audit_chain").await;
    let row =
        "INSERT INTO audit_log SELECT 7, service_id, action, user_email, \"timestamp\", outcome, token_key, detail,
               previous_hash, hash FROM log WHERE id = 6";
    for (change, fault, text) in [
        (
            "UPDATE audit_log SET user_email = 'other@example.com' WHERE id = 3",
            F::Changed { id: 3 },
            "audit row 3 was changed",
        ),
        ("UPDATE audit_log SET action = 'list' WHERE id = 1", F::Changed { id: 1 }, "audit row 1 was changed"),
        ("UPDATE audit_log SET outcome = 'ok' WHERE id = 6", F::Changed { id: 6 }, "audit row 6 was changed"),
        ("UPDATE audit_log SET token_key = NULL WHERE id = 3", F::Changed { id: 3 }, "audit row 3 was changed"),
        ("UPDATE audit_log SET detail = 'x' WHERE id = 3", F::Changed { id: 3 }, "audit row 3 was changed"),
        ("UPDATE audit_log SET service_id = NULL WHERE id = 3", F::Changed { id: 3 }, "audit row 3 was changed"),
        (
            "UPDATE audit_log SET \"timestamp\" = \"timestamp\" + interval '1 microsecond' WHERE id = 3",
            F::Changed { id: 3 },
            "audit row 3 was changed",
        ),
        ("UPDATE audit_log SET hash = sha256('x') WHERE id = 3", F::Changed { id: 3 }, "audit row 3 was changed"),
        ("UPDATE services SET name = 'renamed'", F::Changed { id: 1 }, "audit row 1 was changed"),
        ("DELETE FROM audit_log WHERE id = 3", F::Removed { id: 3 }, "audit row 3 was removed"),
        ("DELETE FROM audit_log WHERE id < 3", F::Removed { id: 1 }, "audit row 1 was removed"),
        (
            "UPDATE audit_log SET id = CASE id WHEN 3 THEN -4 WHEN 4 THEN -3 END WHERE id IN (3, 4);
             UPDATE audit_log SET id = -id WHERE id < 0",
            F::OutOfOrder { id: 3 },
            "audit row 3 does not follow row 2: rows were reordered or replaced",
        ),
        (
            "DELETE FROM audit_log WHERE id = 3; UPDATE audit_log SET id = id - 1 WHERE id > 3;
             UPDATE audit_chain SET count = 5",
            F::OutOfOrder { id: 3 },
            "audit row 3 does not follow row 2: rows were reordered or replaced",
        ),
        (
            "UPDATE audit_log SET previous_hash = sha256('x') WHERE id = 4",
            F::OutOfOrder { id: 4 },
            "audit row 4 does not follow row 3: rows were reordered or replaced",
        ),
        (
            "DELETE FROM audit_log WHERE id > 4",
            F::TailRemoved { id: 5, count: 6 },
            "audit rows 5 to 6 were removed from the end",
        ),
        ("DELETE FROM audit_log", F::TailRemoved { id: 1, count: 6 }, "audit rows 1 to 6 were removed from the end"),
        (row, F::Foreign { id: 7 }, "audit row 7 was added behind the end of the chain"),
        ("UPDATE audit_chain SET count = 5", F::Foreign { id: 6 }, "audit row 6 was added behind the end of the chain"),
        ("UPDATE audit_chain SET hash = sha256('x')", F::Head, "the head of the audit chain is missing or was changed"),
        ("DELETE FROM audit_chain", F::Head, "the head of the audit chain is missing or was changed"),
    ] {
        // Constraints on single columns are no obstacle to a superuser either.
        tamper(&database, "ALTER TABLE audit_log DROP CONSTRAINT audit_log_id_positive").await;
        tamper(&database, change).await;
        let report = store.audit_verify().await.unwrap();
        assert_eq!(report.fault, Some(fault), "{change}");
        assert_eq!(fault.to_string(), text, "{change}");
        tamper(
            &database,
            "DELETE FROM audit_log; INSERT INTO audit_log TABLE log; DELETE FROM audit_chain;
             INSERT INTO audit_chain TABLE head; UPDATE services SET name = 'server';
             ALTER TABLE audit_log ADD CONSTRAINT audit_log_id_positive CHECK (id > 0)",
        )
        .await;
        let report = store.audit_verify().await.unwrap();
        assert_eq!((report.intact, report.fault), (6, None), "{change}");
    }
}

#[tokio::test]
async fn nobody_changes_the_log_by_mistake() {
    let database = shared().database().await;
    let store = database.store(&keyring(1));
    store.get_token("server", "API", "user@example.com").await.unwrap();
    // The owner of the tables, who is even a superuser here.
    let mut owner = database.connect().await;
    for sql in [
        "UPDATE audit_log SET user_email = 'x'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "DELETE FROM audit_chain",
        "TRUNCATE audit_chain",
        "UPDATE audit_chain SET count = 0",
        "UPDATE audit_chain SET count = count + 2",
        "DELETE FROM services",
    ] {
        let error = owner.execute(AssertSqlSafe(sql)).await.unwrap_err();
        let code = error.as_database_error().unwrap().code().unwrap().into_owned();
        assert!(matches!(&*code, "42501" | "23001" | "23503"), "{sql}: {error}");
    }
    owner.close().await.unwrap();
    let report = store.audit_verify().await.unwrap();
    assert_eq!((report.intact, report.fault), (1, None));
}
