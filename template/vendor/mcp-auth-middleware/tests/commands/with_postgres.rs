//! The commands against a real PostgreSQL.

use crate::harness::{Output, Run, SECRET, key, keyring};
use crate::postgres::{Database, shared};
use mcp_auth_middleware::cli::PostgresAdmin;
use mcp_auth_middleware::encryption::Keyring;

async fn run_with(run: Run<'_>, database: &Database, keyring: Option<Keyring>) -> Output {
    run.with(|needs_key| {
        assert!(keyring.is_some() || !needs_key, "this command needs a key");
        PostgresAdmin::new(database.config(), keyring)
    })
    .await
}

async fn run(run: Run<'_>, database: &Database) -> Output {
    run_with(run, database, Some(keyring(1))).await
}

/// The fields of an audit row that do not change from run to run.
fn stable_fields(line: &str) -> String {
    let row: serde_json::Value = serde_json::from_str(line).unwrap();
    let text = |field: &str| row[field].as_str().unwrap_or("-").to_owned();
    let fields = ["action", "outcome", "service", "token_key", "user_email"];
    format!("{} {}", row["id"], fields.map(text).join(" "))
}

#[tokio::test]
async fn a_database_from_nothing_to_an_audited_token() {
    let database = shared().blank().await;
    let error = run(Run::new("tokens list"), &database).await.failed(3);
    assert!(error.starts_with("error: token store is not set up: ") && error.contains("hint: `db init`"), "{error}");

    let text = run_with(Run::new("db init"), &database, None).await.clean();
    assert!(text.starts_with("the database has version 2 of the tables; "), "{text}");
    let again = run_with(Run::new("db init"), &database, None).await.clean();
    assert_eq!(again, "the database has version 2 of the tables; nothing had to be done\n");

    let set = Run::new("tokens set API --as bob@example.com").stdin("s3cret\n");
    assert_eq!(run(set, &database).await.clean(), "API stored for my-server\n");
    assert_eq!(run(Run::new("tokens get API"), &database).await.clean(), SECRET);
    assert!(
        run(Run::new("tokens get OTHER"), &database).await.failed(1).starts_with("error: no token OTHER is stored")
    );
    let list = run_with(Run::new("tokens list --format json"), &database, None).await.clean();
    assert!(
        list.starts_with(r#"{"service":"my-server","tokens":[{"created_at":"20"#) && list.contains(r#""key":"API""#)
    );
    assert_eq!(run(Run::new("tokens delete API"), &database).await.clean(), "API deleted from my-server\n");
    assert!(run(Run::new("tokens delete API"), &database).await.failed(1).starts_with("error: no token API is stored"));

    let lines = run_with(Run::new("tokens audit --format json"), &database, None).await.clean();
    assert_eq!(
        lines.lines().map(stable_fields).collect::<Vec<_>>(),
        [
            "1 set ok my-server API bob@example.com (alice)",
            "2 get ok my-server API alice",
            "3 get not_found my-server OTHER alice",
            "4 list ok my-server - alice",
            "5 delete ok my-server API alice",
            "6 delete not_found my-server API alice",
        ]
    );
    let table = run_with(Run::new("tokens audit --service my-server"), &database, None).await.clean();
    let mut rows = table.lines();
    assert!(rows.next().unwrap().starts_with("    ID  TIME"));
    let words: Vec<_> = rows.next().unwrap().split_whitespace().collect();
    assert_eq!(
        (words[0], &words[2..]),
        ("1", &["set", "ok", "my-server", "API", "bob@example.com", "(alice)", "as", "postgres"][..])
    );
    assert_eq!(rows.count(), 5);
    assert_eq!(run_with(Run::new("tokens audit --service other"), &database, None).await.clean(), "");

    let verified = run_with(Run::new("tokens audit verify"), &database, None).await.clean();
    assert!(verified.starts_with("6 audit rows are intact; last hash "), "{verified}");
    let kept = verified.trim_end().rsplit(' ').next().unwrap();
    let args = format!("tokens audit verify --expect {kept}");
    let again = run_with(Run::new(&args), &database, None).await.clean();
    assert!(again.starts_with("6 audit rows are intact; last hash ") && again.contains(kept), "{again}");
    let other = format!("tokens audit verify --expect {}", "ab".repeat(32));
    assert_eq!(run_with(Run::new(&other), &database, None).await.status, 1);
}

/// attacks.md 47; every kind of change is tested with the store.
#[tokio::test]
async fn attack_47_a_changed_audit_row_is_named() {
    let database = shared().database().await;
    for _ in 0..3 {
        run(Run::new("tokens list"), &database).await;
    }
    database
        .run(
            "ALTER TABLE audit_log DISABLE TRIGGER ALL;
             UPDATE audit_log SET user_email = 'mallory' WHERE id = 2",
        )
        .await;
    let out = run_with(Run::new("tokens audit verify"), &database, None).await;
    assert_eq!((out.status, out.stderr.as_str()), (1, ""));
    assert!(
        out.stdout.starts_with("audit row 2 was changed\n1 rows before it are intact; last hash "),
        "{}",
        out.stdout
    );
    let out = run_with(Run::new("tokens audit verify --format json"), &database, None).await;
    assert!(out.status == 1 && out.stdout.starts_with(r#"{"fault":{"message":"audit row 2 was changed","row":2}"#));
}

#[tokio::test]
async fn tokens_are_rotated_to_the_active_key() {
    let database = shared().database().await;
    for name in ["A", "B", "C"] {
        let args = format!("tokens set {name}");
        run(Run::new(&args).stdin(SECRET), &database).await.clean();
    }
    let both = || Keyring::new(key(2)).with_previous(key(1));
    let rotate = || run_with(Run::new("tokens rotate-key"), &database, Some(both()));
    assert_eq!(rotate().await.clean(), "3 tokens rotated\n");
    assert_eq!(rotate().await.clean(), "0 tokens rotated\n");
    assert_eq!(run_with(Run::new("tokens get B"), &database, Some(keyring(2))).await.clean(), SECRET);
    let error = run_with(Run::new("tokens get B"), &database, Some(keyring(1))).await.failed(3);
    assert!(error.starts_with("error: encryption key mismatch") && error.contains("MCP_AUTH_PREVIOUS_KEYS"), "{error}");
    let out = run_with(Run::new("tokens rotate-key"), &database, Some(keyring(3))).await;
    assert_eq!((out.status, out.stdout.as_str()), (1, "0 tokens rotated\n"));
    assert!(out.stderr.starts_with("error: token A of my-server was left as it is: encryption key mismatch"));
}

/// attacks.md 49.
#[tokio::test]
async fn attack_49_a_migration_may_be_tried_done_and_repeated() {
    let database = shared().database().await;
    let args = |more: &'static str| Run::new(more).set("CODA_API_TOKEN", "s3cret-coda").set("OTHER", "s3cret-other");
    let dry = run(args("migrate-env CODA_API_TOKEN OTHER --dry-run"), &database).await.clean();
    assert_eq!(database.number("SELECT count(*) FROM tokens").await, 0);
    let done = run(args("migrate-env CODA_API_TOKEN OTHER"), &database).await.clean();
    let again = run(args("migrate-env CODA_API_TOKEN OTHER"), &database).await.clean();
    assert!(dry.contains("\n2 tokens would be migrated from the environment; no token was written\n"), "{dry}");
    assert!(done.contains("\n2 tokens migrated\n") && again.contains("\n0 tokens migrated\n"), "{done}{again}");
    assert_eq!(done.lines().last(), again.lines().last());
    assert_eq!(done.lines().last(), dry.lines().last());
    assert_eq!(run(Run::new("tokens get OTHER"), &database).await.clean(), "s3cret-other");
    let plain = "SELECT count(*) FROM tokens WHERE position('s3cret' IN encode(encrypted_value, 'escape')) > 0";
    assert_eq!(database.number(plain).await, 0);
}

/// attacks.md 44, from the command line.
#[tokio::test]
async fn attack_44_odd_names_and_values_are_stored_or_refused() {
    let database = shared().database().await;
    for name in ["o'clock", "\"; DROP TABLE tokens; --", "100%_\\", "söö token"] {
        let set = Run::args(vec!["tokens", "set", name]).stdin(SECRET);
        assert_eq!(run(set, &database).await.clean(), format!("{name} stored for my-server\n"));
        assert_eq!(run(Run::args(vec!["tokens", "get", name]), &database).await.clean(), SECRET);
    }
    let long = "x".repeat(10_240);
    for (name, value, error) in [
        (long.as_str(), SECRET.to_owned(), "error: the name of a token has 10240 bytes; at most 255 are possible\n"),
        ("", SECRET.to_owned(), "error: the name of a token is empty\n"),
        ("a\nb", SECRET.to_owned(), "error: the name of a token holds a control character: a\\u{a}b\n"),
        ("A", "s".repeat(1 << 20), "error: the value of a token has 1048576 bytes; at most 65536 are possible\n"),
        ("A", "s3cret\0".to_owned(), "error: the value of a token holds a NUL byte\n"),
    ] {
        assert_eq!(run(Run::args(vec!["tokens", "set", name]).stdin(&value), &database).await.failed(2), error);
    }
    assert_eq!(database.number("SELECT count(*) FROM tokens").await, 4);
}

#[tokio::test]
async fn a_database_that_is_not_there_is_status_3() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = || mcp_auth_middleware::PostgresConfig::new(folder.path().to_str().unwrap(), "d", "u");
    for args in ["db init", "tokens list", "tokens set API", "tokens audit verify"] {
        let run = Run::new(args).stdin(SECRET);
        let error = run.with(|_| PostgresAdmin::new(nowhere(), Some(keyring(1)))).await.failed(3);
        assert!(error.starts_with("error: token store unavailable: the database cannot be reached: "), "{error}");
    }
}
