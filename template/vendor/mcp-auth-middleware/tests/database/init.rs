//! Setting a database up, and what the server's role may do in it.

use crate::former::Former;
use crate::postgres::{Database, key, keyring, own, shared};
use mcp_auth_middleware::{InitReport, PostgresConfig, PostgresTokenStore, ServerRole, StoreError};
use secrecy::SecretString;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

const ACTOR: &str = "user@example.com";

/// Everything that a schema consists of, but for the record of migrations, one line each.
async fn schema(database: &Database) -> Vec<String> {
    let sql = "
        SELECT format('column %s.%s %s %s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
                      a.attnotnull, a.attidentity, pg_get_expr(d.adbin, d.adrelid), a.attcollation::regcollation)
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE c.relnamespace = 'mcp_auth_store'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL SELECT format('relation %s %s %s', relname, relkind, reloptions)
            FROM pg_class WHERE relnamespace = 'mcp_auth_store'::regnamespace
        UNION ALL SELECT format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
            FROM pg_constraint WHERE connamespace = 'mcp_auth_store'::regnamespace
        UNION ALL SELECT format('index %s', indexdef) FROM pg_indexes WHERE schemaname = 'mcp_auth_store'
        UNION ALL SELECT format('trigger %s', pg_get_triggerdef(oid)) FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT format('function %s', pg_get_functiondef(oid))
            FROM pg_proc WHERE pronamespace = 'mcp_auth_store'::regnamespace
        UNION ALL SELECT format('head %s %s', count, encode(hash, 'hex')) FROM audit_chain";
    let mut connection = database.connect().await;
    let mut lines: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    lines.retain(|line| !line.contains("mcp_auth_migrations"));
    lines.sort();
    lines
}

#[tokio::test]
async fn setting_up_again_changes_nothing() {
    let database = shared().blank().await;
    let first = PostgresTokenStore::init(&database.config(), None).await.unwrap();
    assert_eq!(
        first,
        InitReport { applied: 2, version: 2, role_created: false, former_servers: false, keeper_remains: false }
    );
    let store = database.store(&keyring(1));
    store.set_token("server", "API", &"value".to_owned().into(), ACTOR).await.unwrap();
    let before = schema(&database).await;
    let again = PostgresTokenStore::init(&database.config(), None).await.unwrap();
    assert_eq!(
        again,
        InitReport { applied: 0, version: 2, role_created: false, former_servers: false, keeper_remains: false }
    );
    assert_eq!(schema(&database).await, before);
    assert_eq!(store.get_token("server", "API", ACTOR).await.unwrap().unwrap().expose(), "value");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_at_once_take_turns() {
    let database = shared().blank().await;
    let role = ServerRole::new("server_of_several");
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (config, role) = (database.config(), role.clone());
        tasks.spawn(async move { PostgresTokenStore::init(&config, Some(&role)).await.unwrap() });
    }
    let reports = tasks.join_all().await;
    assert_eq!(reports.iter().map(|r| r.applied).sum::<usize>(), 2);
    assert_eq!(reports.iter().filter(|r| r.role_created).count(), 1);
}

#[tokio::test]
async fn schema_sql_is_what_the_migrations_make() {
    let (migrated, read) = (shared().database().await, shared().blank().await);
    read.run(include_str!("../../schema.sql")).await;
    let (migrated, read) = (schema(&migrated).await, schema(&read).await);
    assert!(migrated.len() > 60, "{migrated:#?}");
    assert_eq!(migrated, read);
}

#[tokio::test]
async fn a_schema_that_this_version_does_not_know_is_left_alone() {
    for (change, text) in [
        (
            "INSERT INTO mcp_auth_migrations SELECT 99, 'newer', now(), true, checksum, 0 FROM mcp_auth_migrations LIMIT 1",
            "its schema has version 99, which this program is too old for",
        ),
        (
            "UPDATE mcp_auth_migrations SET checksum = sha256('x')",
            "migration 1 of its schema is not the one that this program knows",
        ),
    ] {
        let database = shared().database().await;
        database.run(change).await;
        let error = PostgresTokenStore::init(&database.config(), None).await.unwrap_err();
        assert_eq!(error, StoreError::NotSetUp(text.to_owned()));
    }
}

#[tokio::test]
async fn what_is_missing_is_said() {
    let blank = shared().blank().await;
    let store = blank.store(&keyring(1));
    let errors = [
        store.get_token("server", "API", ACTOR).await.unwrap_err(),
        store.audit_verify().await.unwrap_err(),
        store.rotate(ACTOR).await.unwrap_err(),
        store.ping().await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(&error, StoreError::NotSetUp(text) if text.contains("run `db init`")), "{error}");
    }
    let nowhere = shared().config("nowhere");
    let store = PostgresTokenStore::connect_lazy(&nowhere, keyring(1)).unwrap();
    let error = store.get_token("server", "API", ACTOR).await.unwrap_err();
    assert!(matches!(&error, StoreError::NotSetUp(text) if text.contains("does not exist")), "{error}");
    let error = PostgresTokenStore::init(&nowhere, None).await.unwrap_err();
    assert!(matches!(error, StoreError::NotSetUp(_)), "{error}");
    let error = PostgresTokenStore::init(&PostgresConfig::new("/nonexistent", "x", "x"), None).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    let owner = ServerRole::new("postgres");
    let error = PostgresTokenStore::init(&blank.config(), Some(&owner)).await.unwrap_err();
    assert!(matches!(error, StoreError::Invalid(_)), "{error}");
    assert_eq!(blank.number("SELECT count(*) FROM pg_class WHERE relname = 'tokens'").await, 0, "all or nothing");
}

#[tokio::test]
async fn the_servers_role_may_do_its_work_and_no_more() {
    let database = own().blank().await;
    let name = "token \"server\"; DROP ROLE postgres; --";
    let (password, newer) = ("pa$$'w0rd \\one", "another one");
    let role = ServerRole::new(name).with_password(password.to_owned().into());
    assert!(PostgresTokenStore::init(&database.config(), Some(&role)).await.unwrap().role_created);
    let verifiers = "SELECT count(*) FROM pg_authid WHERE rolpassword LIKE 'SCRAM-SHA-256$4096:%'";
    assert_eq!(database.number(verifiers).await, 1);

    // Through TCP, where the server asks for the password.
    let config = |password| database.cluster.config_over_tcp(&database.name, name, password);
    let store = PostgresTokenStore::connect_lazy(&config(password), keyring(1)).unwrap();
    let value: SecretString = "value".to_owned().into(); // pragma: allowlist secret
    store.set_token("server", "API", &value, ACTOR).await.unwrap();
    store.set_token("server", "API", &"other".to_owned().into(), ACTOR).await.unwrap();
    assert_eq!(store.get_token("server", "API", ACTOR).await.unwrap().unwrap().expose(), "other");
    let rotated = PostgresTokenStore::connect_lazy(&config(password), keyring(2).with_previous(key(1))).unwrap();
    assert_eq!(rotated.rotate_key(ACTOR).await, Ok(1));
    assert_eq!(rotated.list("server", ACTOR).await.unwrap().len(), 1);
    assert!(rotated.delete_token("server", "API", ACTOR).await.unwrap());
    assert_eq!(store.audit_verify().await.unwrap().fault, None);
    assert!(!store.audit_rows(0).await.unwrap().is_empty());

    let mut connection = database.cluster.connect(&database.name, name).await;
    for sql in [
        "SELECT encrypted_value FROM tokens",
        "SELECT key FROM tokens",
        "INSERT INTO tokens (service_id, key, encrypted_value) VALUES (1, 'x', 'x')",
        "UPDATE tokens SET key = 'x'",
        "DELETE FROM tokens",
        "INSERT INTO audit_log SELECT * FROM audit_log",
        "SELECT append_audit(NULL, 'get', 'ok', NULL, 'ceo@example.com', NULL)",
        "SELECT expire_audit(now(), 'x')",
        "SELECT expire_calls(now())",
        "SELECT service_of('x')",
        "SELECT audited(1, 'get')",
        "UPDATE token_changes SET count = 0",
        "SELECT * FROM tool_calls",
        "CREATE TABLE mcp_auth_store.x (y int)",
        "UPDATE audit_log SET user_email = 'x'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "ALTER TABLE audit_log DISABLE TRIGGER ALL",
        "DROP TABLE audit_log",
        "DELETE FROM audit_chain",
        "INSERT INTO audit_chain VALUES (true, 0, sha256('x'))",
        "UPDATE audit_chain SET count = 0",
        "UPDATE services SET name = 'x'",
        "DELETE FROM services",
        "TRUNCATE tokens",
        "DELETE FROM mcp_auth_migrations",
        "SET session_replication_role = replica",
        "CREATE ROLE another",
    ] {
        let error = connection.execute(AssertSqlSafe(sql)).await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("42501"), "{sql}: {error}");
    }
    connection.close().await.unwrap();
    let error = PostgresTokenStore::init(&config(password), None).await.unwrap_err();
    assert!(matches!(error, StoreError::Denied(_)), "{error}");

    // A role that is there keeps its name and gets the new password.
    let role = ServerRole::new(name).with_password(newer.to_owned().into());
    assert!(!PostgresTokenStore::init(&database.config(), Some(&role)).await.unwrap().role_created);
    let old = PostgresTokenStore::connect_lazy(&config(password), keyring(1)).unwrap();
    let error = old.get_token("server", "API", ACTOR).await.unwrap_err();
    assert!(matches!(error, StoreError::Denied(_)), "{error}");
    assert!(!error.to_string().contains(password), "{error}");
    let new = PostgresTokenStore::connect_lazy(&config(newer), keyring(1)).unwrap();
    assert!(new.get_token("server", "API", ACTOR).await.unwrap().is_none());
}

/// As with a database that somebody else runs: its owner may make roles, and is no superuser.
#[tokio::test]
async fn an_owner_need_not_be_a_superuser() {
    for upgrade in [false, true] {
        // Of its own, in which nobody else has made the keeper.
        let cluster = own();
        let database = cluster.blank().await;
        let (owner, server) = (format!("owner_{}", database.name), format!("server_{}", database.name));
        database.run(&format!("CREATE ROLE {owner} LOGIN CREATEROLE")).await;
        database.run(&format!("ALTER DATABASE {} OWNER TO {owner}", database.name)).await;
        if upgrade {
            Former::set_up(&database, &server).await;
            let ours = "SELECT format('ALTER %s public.%I OWNER TO %I', 'TABLE', relname, current_setting('our.owner'))
                        FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'";
            let ours = ours.replace("current_setting('our.owner')", &format!("'{owner}'"));
            let mut connection = database.connect().await;
            for sql in sqlx::query_scalar::<_, String>(AssertSqlSafe(ours)).fetch_all(&mut connection).await.unwrap() {
                connection.execute(AssertSqlSafe(sql)).await.unwrap();
            }
            for name in ["refuse_change", "chain_advances", "notify_change"] {
                let sql = format!("ALTER FUNCTION public.mcp_auth_{name}() OWNER TO {owner}");
                connection.execute(AssertSqlSafe(sql)).await.unwrap();
            }
            connection.close().await.unwrap();
        }
        let role = ServerRole::new(&server);
        let config = database.config_as(&owner);
        let report = PostgresTokenStore::init(&config, Some(&role)).await.unwrap();
        assert_eq!((report.version, report.former_servers), (2, upgrade));
        assert_eq!(PostgresTokenStore::init(&config, Some(&role)).await.unwrap().applied, 0);
        assert_eq!(PostgresTokenStore::finish_upgrade(&config).await, Ok(upgrade));
        let store = PostgresTokenStore::connect_lazy(&database.config_as(&server), keyring(1)).unwrap();
        store.set_token("server", "API", &"value".to_owned().into(), ACTOR).await.unwrap();
        assert_eq!(store.get_token("server", "API", ACTOR).await.unwrap().unwrap().expose(), "value");
        let found = store.inspect("server").await.unwrap();
        assert_eq!((found.owner, found.unbound, found.missing, found.excess), (false, false, Vec::new(), Vec::new()));
        assert_eq!(PostgresTokenStore::expire(&config, 1, ACTOR).await, Ok(0));
        // The owner is no member of the keeper any more.
        let mut connection = database.cluster.connect(&database.name, &owner).await;
        let error = connection.execute("SET ROLE mcp_auth_keeper").await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("42501"), "{error}");
        connection.close().await.unwrap();
        // Another one beside it, who has nothing to do with the first: it works, or says what to do (PostgreSQL 16 and later),
        // and afterwards, that it has to be taken back.
        let second = cluster.blank().await;
        let other = format!("other_{}", second.name);
        second.run(&format!("CREATE ROLE {other} LOGIN CREATEROLE")).await;
        second.run(&format!("ALTER DATABASE {} OWNER TO {other}", second.name)).await;
        if let Err(error) = PostgresTokenStore::init(&second.config_as(&other), None).await {
            assert!(error.to_string().contains(&format!("has to GRANT mcp_auth_keeper TO {other}")), "{error}");
            assert!(cluster.version().await >= 160_000, "{error}");
            second.run(&format!("GRANT mcp_auth_keeper TO {other}")).await;
            let report = PostgresTokenStore::init(&second.config_as(&other), None).await.unwrap();
            assert!(report.keeper_remains, "{report:?}");
            second.run(&format!("REVOKE mcp_auth_keeper FROM {other}")).await;
        }
        let report = PostgresTokenStore::init(&second.config_as(&other), None).await.unwrap();
        assert_eq!((report.applied, report.keeper_remains), (0, false));
        assert_eq!(PostgresTokenStore::finish_upgrade(&second.config_as(&other)).await, Ok(false));
        let mut connection = cluster.connect(&second.name, &other).await;
        let error = connection.execute("SET ROLE mcp_auth_keeper").await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("42501"), "{error}");
        connection.close().await.unwrap();
    }
}
