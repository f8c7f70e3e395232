//! What other roles of the database can do, and the role of a server past its functions: attacks.md 57 to 59.

use std::time::{Duration, Instant};

use crate::postgres::{Database, key, keyring, own, shared};
use mcp_auth_middleware::{AuditFault, PostgresTokenStore, ServerRole, StoreError, TokenChange};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _};

const ACTOR: &str = "user@example.com";

/// A database with a token, the store of a server's role, and a name that no other test has.
async fn with_role(name: &str) -> (Database, PostgresTokenStore, String) {
    let database = shared().blank().await;
    let role = format!("{name}_{}", database.name);
    PostgresTokenStore::init(&database.config(), Some(&ServerRole::new(&role))).await.unwrap();
    let store = PostgresTokenStore::connect_lazy(&database.config_as(&role), keyring(1)).unwrap();
    store.set_token("server", "API", &"value".to_owned().into(), ACTOR).await.unwrap();
    (database, store, role)
}

/// What became of a statement: `done`, or the code of the refusal.
async fn outcome(connection: &mut PgConnection, sql: &str) -> String {
    match connection.execute(AssertSqlSafe(sql)).await {
        Ok(_) => "done".to_owned(),
        Err(error) => match error.as_database_error() {
            Some(error) => error.code().unwrap().into_owned(),
            None => panic!("{sql}: {error}"),
        },
    }
}

/// The list of what a role that may connect can do in the database of the store, though nobody gave it anything: hear that
/// some token has changed, and when; make servers look whether one has, four times a second; take connections; see of other
/// roles what every role of a PostgreSQL sees: their names, and the names of tables and functions.
#[tokio::test]
async fn what_a_neighbour_can_do_is_this_and_no_more() {
    let (database, store, server) = with_role("beside").await;
    let neighbour = format!("neighbour_{}", database.name);
    database.run(&format!("CREATE ROLE {neighbour} LOGIN; GRANT CREATE ON SCHEMA public TO {neighbour}")).await;
    let mut connection = database.cluster.connect(&database.name, &neighbour).await;
    let mut possible = Vec::new();
    let all = [
        ("listen: a token has changed", "LISTEN mcp_auth_tokens; UNLISTEN *".to_owned()),
        ("notify: servers look", "NOTIFY mcp_auth_tokens, 'x'".to_owned()),
        ("names of roles", "SELECT rolname FROM pg_roles".to_owned()),
        ("names of tables", "SELECT relname FROM pg_class WHERE relname = 'tokens'".to_owned()),
        ("texts of functions", "SELECT prosrc FROM pg_proc WHERE proname = 'append_audit'".to_owned()),
        ("who is connected", "SELECT usename FROM pg_stat_activity".to_owned()),
        ("temporary tables of its own", "CREATE TEMPORARY TABLE tokens (x int)".to_owned()),
        ("tables of its own beside", "CREATE TABLE public.tokens (x int)".to_owned()),
        ("read tokens", "SELECT * FROM mcp_auth_store.tokens".to_owned()),
        ("read names", "SELECT key FROM mcp_auth_store.tokens".to_owned()),
        ("read services", "SELECT * FROM mcp_auth_store.services".to_owned()),
        ("read the audit log", "SELECT * FROM mcp_auth_store.audit_log".to_owned()),
        ("read its head", "SELECT * FROM mcp_auth_store.audit_chain".to_owned()),
        ("read tool calls", "SELECT * FROM mcp_auth_store.tool_calls".to_owned()),
        ("read how often", "SELECT mcp_auth_store.changes_so_far()".to_owned()),
        ("read a token", "SELECT mcp_auth_store.begin_read('server', 'API', 'x')".to_owned()),
        ("finish a read", "SELECT mcp_auth_store.finish_read(2)".to_owned()),
        ("call a token", "CALL mcp_auth_store.read_token('server', 'API', 'x', NULL)".to_owned()),
        ("set a token", "SELECT mcp_auth_store.set_token('server', 'API', 'x', 'x')".to_owned()),
        ("append", "SELECT mcp_auth_store.append_audit(NULL, 'get', 'ok', NULL, 'x', NULL)".to_owned()),
        ("record calls", "SELECT mcp_auth_store.record_calls('server', '[]')".to_owned()),
        ("write", "INSERT INTO mcp_auth_store.services (name) VALUES ('x')".to_owned()),
        ("create", "CREATE TABLE mcp_auth_store.x (y int)".to_owned()),
        ("become the keeper", "SET ROLE mcp_auth_keeper".to_owned()),
        ("become the server", format!("SET ROLE {server}")),
        (
            "end the server's connections",
            format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{server}'"),
        ),
        ("take the server's rights", format!("GRANT {server} TO {neighbour}")),
        ("lock", "DO $$ BEGIN LOCK TABLE mcp_auth_store.audit_chain; END $$".to_owned()),
        ("drop", "DROP SCHEMA mcp_auth_store CASCADE".to_owned()),
    ];
    // Somebody is connected whom it could end.
    store.ping().await.unwrap();
    for (what, sql) in &all {
        match outcome(&mut connection, sql).await.as_str() {
            "done" => possible.push(*what),
            code => assert!(matches!(code, "42501" | "0A000"), "{what}: {code}"),
        }
    }
    println!("a neighbour can: {}", possible.join(", "));
    assert_eq!(
        possible,
        [
            "listen: a token has changed",
            "notify: servers look",
            "names of roles",
            "names of tables",
            "texts of functions",
            "who is connected",
            "temporary tables of its own",
            "tables of its own beside",
        ]
    );
    assert_eq!(store.get_token("server", "API", ACTOR).await.unwrap().unwrap().expose(), "value");
    assert_eq!(store.audit_verify().await.unwrap().fault, None);
}

/// Notifications have no names, and false ones change nothing.
#[tokio::test]
async fn a_neighbour_who_notifies_without_end_costs_no_audit_rows() {
    let (database, store, _) = with_role("notified").await;
    let mut changes = store.changes();
    assert_eq!(changes.next().await, Some(TokenChange::Missed));
    let neighbour = format!("noisy_{}", database.name);
    database.run(&format!("CREATE ROLE {neighbour} LOGIN")).await;
    let mut connection = database.cluster.connect(&database.name, &neighbour).await;
    let before = database.number("SELECT count(*) FROM audit_log").await;
    for n in 0..300 {
        connection.execute(AssertSqlSafe(format!("NOTIFY mcp_auth_tokens, '{n}'"))).await.unwrap();
    }
    let silent = tokio::time::timeout(Duration::from_millis(1500), changes.next()).await;
    assert!(silent.is_err(), "{silent:?}");
    assert_eq!(database.number("SELECT count(*) FROM audit_log").await, before);
    let mut listening = sqlx::postgres::PgListener::connect_with(
        &sqlx::postgres::PgPoolOptions::new()
            .connect_with(
                sqlx::postgres::PgConnectOptions::new_without_pgpass()
                    .host(database.cluster.folder().to_str().unwrap())
                    .port(database.cluster.port())
                    .username(&neighbour)
                    .database(&database.name),
            )
            .await
            .unwrap(),
    )
    .await
    .unwrap();
    listening.listen("mcp_auth_tokens").await.unwrap();
    store.set_token("server", "API", &"other".to_owned().into(), ACTOR).await.unwrap();
    assert_eq!(listening.recv().await.unwrap().payload(), "");
    assert_eq!(changes.next().await, Some(TokenChange::Changed));
}

/// What CVE-2018-1058 is about: functions and operators of others that fit better than those that are meant.
#[tokio::test]
async fn attack_58_what_others_put_beside_has_no_say() {
    let (database, store, server) = with_role("shadowed").await;
    let other = format!("shadow_{}", database.name);
    database.run(&format!("CREATE ROLE {other} LOGIN; GRANT CREATE ON SCHEMA public TO PUBLIC")).await;
    database.run(&format!("GRANT CREATE ON DATABASE {} TO {other}", database.name)).await;
    let mut connection = database.cluster.connect(&database.name, &other).await;
    connection.execute("CREATE TABLE public.caught (who text, what text)").await.unwrap();
    connection.execute("GRANT INSERT ON public.caught TO PUBLIC").await.unwrap();
    for (name, args, gives) in [
        ("format", "text, text", "text"),
        ("format", "text, name", "text"),
        ("sha256", "text", "bytea"),
        ("pg_notify", "unknown, unknown", "void"),
        ("convert_to", "text, text", "bytea"),
        ("audit_field", "text", "bytea"),
        ("begin_read", "text, text, text", "text"),
        ("set_token", "text, text, bytea, text", "void"),
        ("changes_so_far", "", "bigint"),
        ("survey", "text", "text"),
        ("clock_timestamp", "", "timestamptz"),
    ] {
        for schema in ["public", &server] {
            connection.execute(AssertSqlSafe(format!("CREATE SCHEMA IF NOT EXISTS \"{schema}\""))).await.unwrap();
            let sql = format!(
                "CREATE OR REPLACE FUNCTION \"{schema}\".{name}({args}) RETURNS {gives} LANGUAGE plpgsql AS $$
                 BEGIN INSERT INTO public.caught VALUES (current_user, '{name}'); RETURN NULL; END $$"
            );
            // `unknown` is no type that a function may take; the other ones count.
            let _ = connection.execute(AssertSqlSafe(sql)).await;
        }
    }
    for table in ["tokens", "services", "audit_log", "audit_chain", "former_place", "mcp_auth_migrations"] {
        let sql = format!("CREATE TABLE \"{server}\".{table} (x int); CREATE TABLE public.{table} (x int)");
        connection.execute(AssertSqlSafe(sql)).await.unwrap();
    }
    // As the server, and as the owner of everything.
    for store in [store, database.store(&keyring(1))] {
        store.set_token("server", "API", &"second".to_owned().into(), ACTOR).await.unwrap();
        assert_eq!(store.get_token("server", "API", ACTOR).await.unwrap().unwrap().expose(), "second");
        store.list("server", ACTOR).await.unwrap();
        store.delete_token("server", "API", ACTOR).await.unwrap();
        store.rotate_key(ACTOR).await.unwrap();
        store.inspect("server").await.unwrap();
        assert_eq!(store.audit_verify().await.unwrap().fault, None);
    }
    PostgresTokenStore::init(&database.config(), Some(&ServerRole::new(&server))).await.unwrap();
    assert_eq!(database.number("SELECT count(*) FROM public.caught").await, 0);
}

/// What the review did: forge a row, date it back, break the log, read past it.
#[tokio::test]
async fn attack_59_the_servers_role_can_neither_forge_nor_read_past_the_log() {
    let (database, store, server) = with_role("forger").await;
    let mut connection = database.cluster.connect(&database.name, &server).await;
    for sql in [
        "INSERT INTO audit_log (id, action, user_email, \"timestamp\", outcome, previous_hash, hash)
         VALUES (3, 'delete', 'ceo@example.com', '2020-09-13', 'ok', sha256('x'), sha256('y'))",
        "UPDATE audit_chain SET count = count + 1, hash = sha256('y')",
        "SELECT append_audit(NULL, 'delete', 'ok', NULL, 'ceo@example.com', NULL)",
        "SELECT encrypted_value FROM tokens",
        "COPY tokens TO STDOUT",
        "SELECT * FROM finish_read(1)",
        "SELECT * FROM finish_read(99)",
        "SELECT * FROM rotation_batch(1, '\\x00', 0, false, '{}', 500)",
        "SELECT expire_audit(now(), 'x')",
        "SET ROLE mcp_auth_keeper",
        "SET SESSION AUTHORIZATION mcp_auth_keeper",
    ] {
        assert_eq!(outcome(&mut connection, sql).await, "42501", "{sql}");
    }
    // A row that can still be undone stands for nothing.
    for begin in ["BEGIN", "BEGIN; SAVEPOINT s", "BEGIN ISOLATION LEVEL SERIALIZABLE"] {
        connection.execute(AssertSqlSafe(begin)).await.unwrap();
        let row = connection.fetch_one("SELECT audit_row FROM begin_read('server', 'API', 'x')").await.unwrap();
        let row: i64 = row.try_get(0).unwrap();
        assert_eq!(outcome(&mut connection, &format!("SELECT finish_read({row})")).await, "42501", "{begin}");
        connection.execute("ROLLBACK").await.unwrap();
        connection.execute("BEGIN").await.unwrap();
        let row = connection.fetch_one("SELECT note_rotation('x', 'x')").await.unwrap();
        let row: i64 = row.try_get(0).unwrap();
        let sql = format!("SELECT * FROM rotation_batch({row}, '\\x00', 0, false, '{{}}', 500)");
        assert_eq!(outcome(&mut connection, &sql).await, "42501");
        connection.execute("ROLLBACK").await.unwrap();
    }
    assert_eq!(outcome(&mut connection, "BEGIN; CALL read_token('server', 'API', 'x', NULL)").await, "2D000");
    connection.execute("ROLLBACK").await.unwrap();
    // One that stands is for its own role, and for a minute.
    let row = connection.fetch_one("SELECT audit_row FROM begin_read('server', 'API', 'x')").await.unwrap();
    let row: i64 = row.try_get(0).unwrap();
    assert_eq!(outcome(&mut connection, &format!("SELECT finish_read({row})")).await, "done");
    let other = format!("another_{}", database.name);
    PostgresTokenStore::init(&database.config(), Some(&ServerRole::new(&other))).await.unwrap();
    let mut others = database.cluster.connect(&database.name, &other).await;
    assert_eq!(outcome(&mut others, &format!("SELECT finish_read({row})")).await, "42501");
    database
        .run(&format!(
            "SET session_replication_role = replica;
             UPDATE audit_log SET \"timestamp\" = \"timestamp\" - interval '61 seconds' WHERE id = {row}"
        ))
        .await;
    assert_eq!(outcome(&mut connection, &format!("SELECT finish_read({row})")).await, "42501");
    database
        .run(&format!(
            "SET session_replication_role = replica;
             UPDATE audit_log SET \"timestamp\" = \"timestamp\" + interval '61 seconds' WHERE id = {row}"
        ))
        .await;
    let rows = store.audit_rows(0).await.unwrap();
    assert!(rows.iter().all(|row| row.database_user.as_deref() == Some(server.as_str())), "{rows:?}");
    assert_eq!(store.audit_verify().await.unwrap().fault, None);
    connection.close().await.unwrap();
}

/// A role that could do anything is none for a server.
#[tokio::test]
async fn roles_that_nothing_holds_are_refused() {
    let database = shared().database().await;
    let name = |what: &str| format!("{what}_{}", database.name);
    for (what, attributes) in [
        ("boss", "SUPERUSER"),
        ("bypass", "BYPASSRLS"),
        ("maker", "CREATEROLE"),
        ("member", "IN ROLE postgres"),
        ("keeper", "IN ROLE mcp_auth_keeper"),
        ("reader", "IN ROLE pg_read_all_data"),
        ("writer", "IN ROLE pg_write_all_data"),
    ] {
        let role = name(what);
        database.run(&format!("CREATE ROLE {role} LOGIN {attributes}")).await;
        let error = PostgresTokenStore::init(&database.config(), Some(&ServerRole::new(&role))).await.unwrap_err();
        assert!(matches!(&error, StoreError::Invalid(text) if text.contains(&role)), "{what}: {error}");
    }
    // What was given by hand is seen as well.
    let role = name("plain");
    PostgresTokenStore::init(&database.config(), Some(&ServerRole::new(&role))).await.unwrap();
    database.run("GRANT SELECT ON tokens TO PUBLIC").await;
    let error = PostgresTokenStore::init(&database.config(), Some(&ServerRole::new(&role))).await.unwrap_err();
    assert!(matches!(&error, StoreError::Invalid(text) if text.ends_with(": SELECT on tokens")), "{error}");
}

/// Access that was taken away: connections are ended, and the next one is refused.
#[tokio::test(flavor = "multi_thread")]
async fn attack_57_a_role_that_may_no_longer_log_in_is_out_within_seconds() {
    use crate::harness::{BEARER, send};
    use mcp_auth_middleware::{AuthConfig, AuthMode, BearerTokens, TokenStore, create_auth_middleware};
    let database = own().blank().await;
    let role = ServerRole::new("revoked").with_password("password".to_owned().into());
    PostgresTokenStore::init(&database.config(), Some(&role)).await.unwrap();
    let config = database.cluster.config_over_tcp(&database.name, "revoked", "password");
    let store = PostgresTokenStore::connect_lazy(&config, keyring(1)).unwrap();
    store.set_token("server", "API", &"value".to_owned().into(), ACTOR).await.unwrap();
    let config = AuthConfig::new("server", AuthMode::Bearer).with_bearer(BearerTokens::parse(BEARER).unwrap());
    let layer = create_auth_middleware(config.with_service_token(TokenStore::Postgres(store), "API")).unwrap();
    let ask = || async { send(&layer, &[("authorization", format!("Bearer {BEARER}"))]).await.status().as_u16() };
    let following = tokio::spawn(layer.clone().keep_tokens_fresh());
    assert_eq!(ask().await, 200);
    tokio::time::sleep(Duration::from_millis(500)).await;
    database.run("ALTER ROLE revoked NOLOGIN").await;
    database.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'revoked'").await;
    let began = Instant::now();
    while ask().await == 200 {
        assert!(began.elapsed() < Duration::from_secs(15), "still in");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("out after {:.1?}", began.elapsed());
    assert_eq!(ask().await, 503);
    // And in again, once it may.
    database.run("ALTER ROLE revoked LOGIN").await;
    crate::postgres::eventually("in again", || async { ask().await == 200 }).await;
    following.abort();
}

/// Retention removes the oldest rows, says so, and verification goes on from there.
#[tokio::test]
async fn retention_leaves_a_log_that_can_be_verified() {
    let (database, store, _) = with_role("expired").await;
    for _ in 0..5 {
        store.get_token("server", "API", ACTOR).await.unwrap();
    }
    let kept = store.audit_head().await.unwrap();
    assert_eq!(kept.rows, 6);
    assert_eq!(PostgresTokenStore::expire(&database.config(), 30, "op").await, Ok(0));
    database
        .run(
            "SET session_replication_role = replica;
             CREATE FUNCTION pg_temp.f(b bytea) RETURNS bytea LANGUAGE sql AS 'SELECT mcp_auth_store.audit_field(b)';
             UPDATE audit_log SET \"timestamp\" = \"timestamp\" - interval '40 days' WHERE id <= 4",
        )
        .await;
    let gone = PostgresTokenStore::expire(&database.config(), 30, "op (root@host)").await;
    assert_eq!(gone, Ok(4));
    let report = store.audit_verify().await.unwrap();
    assert_eq!((report.intact, report.fault), (3, None));
    let report = store.audit_verify_against(&kept.last_hash.parse().unwrap()).await.unwrap();
    assert_eq!(report.fault, None);
    let rows = store.audit_rows(0).await.unwrap();
    assert_eq!((rows[0].id, rows.len()), (5, 3));
    let last = rows.last().unwrap();
    assert_eq!((last.action.as_str(), last.user_email.as_str()), ("expire", "op (root@host)"));
    assert!(last.detail.as_deref().unwrap().starts_with("rows 1 to 4 were removed; last hash "), "{last:?}");
    // All but the last, and nothing twice.
    assert_eq!(PostgresTokenStore::expire(&database.config(), 30, "op").await, Ok(0));
    // The same by hand is seen.
    database
        .run(
            "SET session_replication_role = replica; DELETE FROM audit_log WHERE id <= 5;
             UPDATE audit_chain SET expired_count = 5,
                 expired_hash = (SELECT previous_hash FROM audit_log WHERE id = 6)",
        )
        .await;
    let report = store.audit_verify().await.unwrap();
    assert_eq!(report.fault, Some(AuditFault::Beheaded { id: 6 }));
}

/// A time that goes back, and a row that only looks like one of the first version.
#[tokio::test]
async fn attack_59_times_that_go_back_and_forged_rows_are_named() {
    let (database, store, _) = with_role("dated").await;
    for _ in 0..3 {
        store.get_token("server", "API", ACTOR).await.unwrap();
    }
    // By the owner, who can make a chain that is in order but for that.
    let rewrite = |time: &str, user: &str, label: &str| {
        let field = |value: &str| format!("mcp_auth_store.audit_field({value})");
        let end = if user == "NULL" {
            String::new()
        } else {
            format!("|| {}", field(&format!("convert_to({user}, 'UTF8')")))
        };
        format!(
            "SET session_replication_role = replica;
             UPDATE audit_log SET \"timestamp\" = {time}, database_user = {user} WHERE id = 4;
             UPDATE audit_log a SET hash = sha256({} || {} || {} || {} || {} || {} || {} || {} || {} || {} || {} {end})
                 FROM services s WHERE a.id = 4 AND s.id = a.service_id;
             UPDATE audit_chain SET hash = (SELECT hash FROM audit_log WHERE id = 4)",
            field(&format!("'{label}'")),
            field("a.previous_hash"),
            field("int8send(a.id)"),
            field("int8send((extract(epoch FROM a.\"timestamp\") * 1000000)::bigint)"),
            field("int8send(a.service_id)"),
            field("convert_to(s.name, 'UTF8')"),
            field("convert_to(a.action, 'UTF8')"),
            field("convert_to(a.outcome, 'UTF8')"),
            field("convert_to(a.token_key, 'UTF8')"),
            field("convert_to(a.user_email, 'UTF8')"),
            field("convert_to(a.detail, 'UTF8')"),
        )
    };
    let v2 = "mcp-auth-middleware v2 audit row";
    database.run(&rewrite("'2020-09-13'", "'dated'", v2)).await;
    assert_eq!(store.audit_verify().await.unwrap().fault, Some(AuditFault::TimeGoesBack { id: 4 }));
    database.run(&rewrite("clock_timestamp()", "NULL", "mcp-auth-middleware v1 audit row")).await;
    assert_eq!(store.audit_verify().await.unwrap().fault, Some(AuditFault::Forged { id: 4 }));
    database.run(&rewrite("clock_timestamp()", "'dated'", v2)).await;
    assert_eq!(store.audit_verify().await.unwrap().fault, None, "the database and this program hash alike");
    // A clock that is set back does not take the log with it.
    database
        .run("SET session_replication_role = replica; UPDATE audit_chain SET last_at = now() + interval '1 hour'")
        .await;
    store.get_token("server", "API", ACTOR).await.unwrap();
    store.get_token("server", "API", ACTOR).await.unwrap();
    assert_eq!(store.audit_verify().await.unwrap().fault, None);
    assert_eq!(store.active_key(), key(1).id());
}
