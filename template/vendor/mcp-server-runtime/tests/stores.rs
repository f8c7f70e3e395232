//! The token stores besides the environment: a token on its way from a variable into PostgreSQL and out again into a
//! request, the database gone, the wrong key; and Infisical. PostgreSQL is a real one, which the test starts itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may say what they expect")]

mod support;

#[path = "../../mcp-auth-middleware/tests/harness/postgres.rs"]
mod postgres;

use std::process::Stdio;

use postgres::Database;
use serde_json::{Value, json};
use support::{BEARER, TestServer, answer, with};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"; // pragma: allowlist secret
const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

/// The program with these variables only; returns what it printed, if it succeeded.
async fn program(args: &[&str], pairs: &[(&str, &str)], input: &str) -> String {
    let mut command = Command::new(support::program());
    command.args(args).env_clear().envs(pairs.iter().copied()).kill_on_drop(true);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The variables of a server whose tokens are in this database.
fn variables(database: &Database) -> [(&'static str, String); 3] {
    [
        ("TOKEN_STORE", "postgres".to_owned()),
        ("DATABASE_URL", database.url()),
        ("MCP_AUTH_ENCRYPTION_KEY", KEY.to_owned()),
    ]
}

fn borrowed<'a>(pairs: &'a [(&'static str, String)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    pairs.iter().map(|(name, value)| (*name, value.as_str())).chain(more.iter().copied()).collect()
}

async fn status(server: &TestServer) -> Value {
    let (status, document) = answer(server.http.get(server.url("/status")).bearer_auth(BEARER)).await;
    assert_eq!(status, 200, "/status answers whatever becomes of the store");
    document["tokenStore"].clone()
}

#[tokio::test]
async fn status_tells_of_the_database_and_never_of_the_key() {
    let database = postgres::shared().database().await;
    let pairs = variables(&database);
    let server = with(&borrowed(&pairs, &[])).await;
    let (_, health) = answer(server.http.get(server.url("/health"))).await;
    assert_eq!(health["auth"]["tokenStorage"], "postgres");
    let store = status(&server).await;
    assert_eq!((&store["kind"], &store["reachable"]), (&json!("postgres"), &json!(true)));
    assert_eq!(store["pool"]["maximum"], 10);
    let id = store["activeKey"].as_str().unwrap();
    assert!(!id.is_empty() && !KEY.contains(id), "an id, not the key: {id}");

    let request = server.http.get(server.url("/status")).bearer_auth(BEARER);
    let metrics = request.header("accept", "text/plain").send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("\nmcp_token_store_reachable 1\n"), "{metrics}");
}

#[tokio::test]
async fn the_server_starts_without_its_database_and_says_so() {
    // Bound and never listening: nobody answers, and nobody else gets the port meanwhile.
    let closed = tokio::net::TcpSocket::new_v4().unwrap();
    closed.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let port = closed.local_addr().unwrap().port().to_string();
    let pairs = [
        ("TOKEN_STORE", "postgres"),
        ("POSTGRES_HOST", "127.0.0.1"),
        ("POSTGRES_PORT", port.as_str()),
        ("MCP_AUTH_ENCRYPTION_KEY", KEY),
    ];
    let server = with(&pairs).await;
    assert_eq!(answer(server.http.get(server.url("/health"))).await.0, 200);
    assert_eq!(status(&server).await["reachable"], false);
    let response = server.post(PING).send().await.unwrap();
    assert_eq!(response.status(), 503);
    assert!(response.headers().contains_key("retry-after"));
    let refusal: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(refusal["code"], "MCP-AUTH-019", "{refusal}");
}

#[tokio::test]
async fn a_key_file_is_made_at_the_first_start() {
    let database = postgres::shared().database().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    let url = database.url();
    let pairs = [("TOKEN_STORE", "postgres"), ("DATABASE_URL", &url), ("MCP_AUTH_KEY_FILE", file.to_str().unwrap())];
    let first = status(&with(&pairs).await).await["activeKey"].clone();
    let again = status(&with(&pairs).await).await["activeKey"].clone();
    assert!(file.is_file() && first.is_string());
    assert_eq!(first, again, "the second start finds the key of the first");
}

#[tokio::test]
async fn tokens_are_stored_listed_and_audited_by_the_program() {
    let database = postgres::shared().blank().await;
    let pairs = variables(&database);
    let pairs = borrowed(&pairs, &[]);
    program(&["db", "init"], &pairs, "").await;
    let said =
        program(&["tokens", "set", "API_TOKEN", "--as", "ops@example.com"], &pairs, "kept-by-nobody-else\n").await;
    assert_eq!(said, format!("API_TOKEN stored for {}\n", support::NAME));
    assert_eq!(program(&["tokens", "get", "API_TOKEN"], &pairs, "").await, "kept-by-nobody-else");
    let list = program(&["tokens", "list"], &pairs, "").await;
    assert!(list.contains("API_TOKEN") && !list.contains("kept-by-nobody-else"), "{list}");
    let audit = program(&["tokens", "audit"], &pairs, "").await;
    assert!(audit.contains("ops@example.com") && !audit.contains("kept-by-nobody-else"), "{audit}");
    program(&["tokens", "audit", "verify"], &pairs, "").await;
}

/// What an API is shown.
async fn shown(server: &TestServer) -> String {
    let result = server.call("show_token", json!({})).await;
    assert_ne!(result["isError"], json!(true), "{result}");
    result["structuredContent"]["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_token_moves_into_postgres_and_a_change_needs_no_restart() {
    let database = postgres::shared().blank().await;
    let pairs = variables(&database);
    let commands = borrowed(&pairs, &[("API_TOKEN", "moved-from-the-environment")]);
    program(&["db", "init"], &commands, "").await;
    let dry = program(&["migrate-env", "API_TOKEN", "--dry-run"], &commands, "").await;
    assert!(dry.contains("API_TOKEN"), "{dry}");
    assert_eq!(database.number("SELECT count(*) FROM tokens").await, 0);
    let moved = program(&["migrate-env", "API_TOKEN"], &commands, "").await;
    assert!(moved.contains("1 tokens migrated") && !moved.contains("moved-from"), "{moved}");

    let server = with(&borrowed(&pairs, &[("API_TOKEN", "")])).await;
    assert_eq!(shown(&server).await, "moved-from-the-environment");
    program(&["tokens", "set", "API_TOKEN"], &borrowed(&pairs, &[]), "changed-meanwhile").await;
    // The cache keeps a token for 30 s: it is the notification of the change that is waited for here.
    let asked = std::time::Instant::now();
    while shown(&server).await != "changed-meanwhile" {
        assert!(asked.elapsed() < std::time::Duration::from_secs(10), "the change counts by itself");
    }
}

#[tokio::test]
async fn a_known_token_outlives_its_database_and_a_new_one_is_found_when_it_is_back() {
    let cluster = postgres::own();
    let database = cluster.database().await;
    let pairs = variables(&database);
    program(&["tokens", "set", "API_TOKEN"], &borrowed(&pairs, &[]), "first").await;
    let server = with(&borrowed(&pairs, &[("API_TOKEN", "")])).await;
    assert_eq!(shown(&server).await, "first");
    cluster.stop("fast");
    assert_eq!(shown(&server).await, "first");
    assert_eq!(status(&server).await["reachable"], false);
    cluster.start_again();
    program(&["tokens", "set", "API_TOKEN"], &borrowed(&pairs, &[]), "second").await;
    postgres::eventually("the new token", async || shown(&server).await == "second").await;
}

#[tokio::test]
async fn new_connections_have_the_password_that_the_file_has_now() {
    let cluster = postgres::own();
    let database = cluster.database().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    let change = async |password: &str| database.run(&format!("ALTER ROLE postgres PASSWORD '{password}'")).await;
    change("first").await;
    std::fs::write(&file, "first\n").unwrap();
    let port = cluster.port().to_string();
    let pairs = [
        ("TOKEN_STORE", "postgres"),
        ("POSTGRES_HOST", "127.0.0.1"),
        ("POSTGRES_PORT", port.as_str()),
        ("POSTGRES_DB", database.name.as_str()),
        ("POSTGRES_USER", "postgres"),
        ("POSTGRES_PASSWORD_FILE", file.to_str().unwrap()),
        ("POSTGRES_SSLMODE", "disable"),
        ("MCP_AUTH_ENCRYPTION_KEY", KEY),
    ];
    let server = with(&pairs).await;
    assert_eq!(status(&server).await["reachable"], true);
    change("second").await;
    let others =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename IS NOT NULL";
    // One that is just let in shows late.
    postgres::eventually("the former password is refused", async || {
        database.run(others).await;
        status(&server).await["reachable"] == false
    })
    .await;
    std::fs::write(&file, "second\n").unwrap();
    postgres::eventually("the new password counts", async || status(&server).await["reachable"] == true).await;
}

#[tokio::test]
async fn the_wrong_key_is_no_passing_trouble() {
    let database = postgres::shared().database().await;
    let pairs = variables(&database);
    program(&["tokens", "set", "API_TOKEN"], &borrowed(&pairs, &[]), "sealed").await;
    let other = KEY.chars().rev().collect::<String>();
    let url = database.url();
    let pairs = [("TOKEN_STORE", "postgres"), ("DATABASE_URL", &url), ("MCP_AUTH_ENCRYPTION_KEY", &other)];
    let server = with(&[&pairs[..], &[("API_TOKEN", "")]].concat()).await;
    let (status, refusal) = server.send(PING).await;
    assert_eq!((status, &refusal["code"]), (503, &json!("MCP-AUTH-020")), "{refusal}");
}

/// An Infisical of one's own: its address, and how often it was asked for a list.
async fn infisical() -> (String, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    use axum::extract::Path;
    use axum::routing::{get, post};
    let login = post(|axum::Json(who): axum::Json<Value>| async move {
        assert_eq!(who, json!({"clientId": "machine", "clientSecret": "of-the-machine"})); // pragma: allowlist secret
        axum::Json(
            json!({"accessToken": "for-an-hour", "expiresIn": 3600, "accessTokenMaxTTL": 3600, "tokenType": "Bearer"}),
        )
    });
    let secret = get(|Path(name): Path<String>, headers: axum::http::HeaderMap| async move {
        assert_eq!(headers["authorization"], "Bearer for-an-hour");
        let value = "kept-by-infisical";
        axum::Json(json!({"secret": {"secretKey": name, "secretValue": value, "secretValueHidden": false}}))
    });
    let listed = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = std::sync::Arc::clone(&listed);
    let list = get(|| async move {
        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        axum::Json(json!({"secrets": []}))
    });
    let stub = axum::Router::new()
        .route("/api/v1/auth/universal-auth/login", login)
        .route("/api/v4/secrets", list)
        .route("/api/v4/secrets/{name}", secret);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, stub).await });
    (url, listed)
}

/// The variables of a server whose token is there.
fn of_infisical(url: &str) -> [(&str, &str); 6] {
    [
        ("TOKEN_STORE", "infisical"),
        ("INFISICAL_URL", url),
        ("INFISICAL_CLIENT_ID", "machine"),
        ("INFISICAL_CLIENT_SECRET", "of-the-machine"), // pragma: allowlist secret
        ("INFISICAL_PROJECT_ID", "project"),
        ("API_TOKEN", ""),
    ]
}

#[tokio::test]
async fn the_token_comes_from_infisical() {
    let (url, _) = infisical().await;
    let server = with(&of_infisical(&url)).await;
    assert_eq!(shown(&server).await, "kept-by-infisical");
}

#[tokio::test]
async fn attack_65_status_in_a_loop_asks_no_store_more_than_once_in_five_seconds() {
    let (url, listed) = infisical().await;
    let server = with(&of_infisical(&url)).await;
    let start = std::time::Instant::now();
    // One after the other, and many at once.
    for _ in 0..150 {
        assert_eq!(status(&server).await["reachable"], true);
    }
    let mut many = tokio::task::JoinSet::new();
    for _ in 0..150 {
        many.spawn(answer(server.http.get(server.url("/status")).bearer_auth(BEARER)));
    }
    assert!(many.join_all().await.iter().all(|(status, _)| *status == 200));
    let most = 1 + usize::try_from(start.elapsed().as_secs()).unwrap() / 5;
    let asked = listed.load(std::sync::atomic::Ordering::Relaxed);
    assert!((1..=most).contains(&asked), "{asked} times");

    // PostgreSQL: the audit log and the statements are not touched by a look at /status, so the answer of the first counts.
    let cluster = postgres::own();
    let database = cluster.database().await;
    let pairs = variables(&database);
    let server = with(&borrowed(&pairs, &[("API_TOKEN", "")])).await;
    assert_eq!(status(&server).await["reachable"], true);
    cluster.stop("fast");
    assert_eq!(status(&server).await["reachable"], true, "what was seen last, without a call");
}

/// A server with two upstreams, each with a token of its own.
fn two_upstreams() -> mcp_server_runtime::Server<upstreams::Tools> {
    mcp_server_runtime::Server::new("two-upstreams", "1.0.0", |_| {
        Ok(mcp_server_runtime::Handlers::new(upstreams::Tools))
    })
    .with_settings(upstreams::SETTINGS)
}

mod upstreams {
    use mcp_server_runtime::axum::http::request::Parts;
    use mcp_server_runtime::{Setting, token};
    use rmcp::model::{CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock};
    use rmcp::service::RequestContext;
    use rmcp::{ErrorData, RoleServer, ServerHandler};

    pub const SETTINGS: &[Setting] = &[
        Setting::token("FIRST_TOKEN", "the first", "Upstreams", "The token of the first."),
        Setting::token("SECOND_TOKEN", "the second", "Upstreams", "The token of the second."),
    ];

    /// Each tool shows the token of its name.
    #[derive(Clone)]
    pub struct Tools;

    impl ServerHandler for Tools {
        async fn call_tool(
            &self,
            request: CallToolRequestParams,
            context: RequestContext<RoleServer>,
        ) -> Result<CallToolResponse, ErrorData> {
            let parts: &Parts = context.extensions.get().unwrap();
            Ok(match token(parts, &request.name).await {
                Ok(token) => CallToolResult::success(vec![ContentBlock::text(token.expose())]),
                Err(error) => CallToolResult::error(vec![ContentBlock::text(error)]),
            }
            .into())
        }
    }
}

#[tokio::test]
async fn each_upstream_has_its_token_and_one_that_is_missing_stops_no_other() {
    let database = postgres::shared().database().await;
    let pairs = variables(&database);
    let pairs = borrowed(&pairs, &[]);
    let server = TestServer::start(&two_upstreams(), &pairs).await;
    let set = async |name: &str, value: &str| {
        program(&["tokens", "set", name, "--service", "two-upstreams"], &pairs, value).await;
    };
    let text = async |tool: &str| {
        let result = server.call(tool, json!({})).await;
        (result["isError"] == json!(true), result["content"][0]["text"].as_str().unwrap().to_owned())
    };
    set("FIRST_TOKEN", "of-the-first").await;
    postgres::eventually("the first token", async || text("FIRST_TOKEN").await == (false, "of-the-first".to_owned()))
        .await;
    let (failed, why) = text("SECOND_TOKEN").await;
    assert!(failed && why.contains("SECOND_TOKEN") && !why.contains("of-the-first"), "{why}");
    assert!(text("DATABASE_URL").await.0, "a name that is none of the server's tokens");
    set("SECOND_TOKEN", "of-the-second").await;
    postgres::eventually("the second token", async || text("SECOND_TOKEN").await.1 == "of-the-second").await;
    assert_eq!(text("FIRST_TOKEN").await, (false, "of-the-first".to_owned()));
}

/// Each call of a tool is a row, with who called and without what.
#[tokio::test]
async fn calls_of_tools_are_rows_of_a_table_and_the_audit_log_has_its_end_in_the_status() {
    let database = postgres::shared().database().await;
    let pairs = variables(&database);
    program(&["tokens", "set", "API_TOKEN"], &borrowed(&pairs, &[]), "first").await;
    let server = with(&borrowed(&pairs, &[("API_TOKEN", "")])).await;
    assert_eq!(shown(&server).await, "first");
    let rows = "SELECT count(*) FROM tool_calls JOIN services ON services.id = service_id
                WHERE caller = 'developer@localhost' AND kind = 'developer' AND tool = 'show_token' AND outcome = 'ok'
                    AND duration_ms >= 0 AND length(request_id) > 8 AND database_user = 'postgres'
                    AND \"timestamp\" BETWEEN now() - interval '1 minute' AND now()";
    postgres::eventually("the row of the call", async || database.number(rows).await == 1).await;
    postgres::eventually("the end of the audit log", async || {
        let end = status(&server).await["auditLog"].clone();
        end["rows"].as_u64().is_some_and(|rows| rows > 0)
            && end["lastHash"].as_str().is_some_and(|hash| hash.len() == 64)
    })
    .await;
    // Retention has both.
    database.run("UPDATE tool_calls SET \"timestamp\" = \"timestamp\" - interval '40 days'").await;
    let said = program(&["tokens", "audit", "expire", "--older-than", "30"], &borrowed(&pairs, &[]), "").await;
    assert_eq!(said, "1 rows older than 30 days were removed\n");
}

/// A key that comes from a file is nowhere in memory as it was written, and a core dump would have no memory.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_text_of_the_key_does_not_stay_in_memory() {
    use std::os::unix::fs::FileExt as _;
    use tokio::io::{AsyncBufReadExt as _, BufReader};
    const TEXT: &str = "Qk1nVTh3c1ZhYkpvZ3VYN0xwM3RZcjZldEhkOWZOejI="; // pragma: allowlist secret
    let database = postgres::shared().database().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, TEXT).unwrap();
    let url = database.url();
    let pairs = [
        ("PORT", "0"),
        ("MCP_DEV_BEARER_TOKEN", BEARER),
        ("TOKEN_STORE", "postgres"),
        ("DATABASE_URL", url.as_str()),
        ("MCP_AUTH_ENCRYPTION_KEY_FILE", file.to_str().unwrap()),
    ];
    let mut command = Command::new(support::program());
    command.env_clear().envs(pairs).kill_on_drop(true).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    while !log.next_line().await.unwrap().expect("the server starts").contains("listening on") {}
    let proc = format!("/proc/{}", child.id().unwrap());
    let dumped = std::fs::read_to_string(format!("{proc}/coredump_filter")).unwrap();
    assert_eq!(u32::from_str_radix(dumped.trim(), 16), Ok(0));
    let memory = std::fs::File::open(format!("{proc}/mem")).unwrap();
    let (mut searched, needle) = (0, TEXT.as_bytes());
    for line in std::fs::read_to_string(format!("{proc}/maps")).unwrap().lines() {
        let mut fields = line.split_whitespace();
        let (range, rights) = (fields.next().unwrap(), fields.next().unwrap());
        if !rights.starts_with("rw") {
            continue;
        }
        let (from, to) = range.split_once('-').unwrap();
        let from = u64::from_str_radix(from, 16).unwrap();
        let length = u64::from_str_radix(to, 16).unwrap() - from;
        let mut content = vec![0; usize::try_from(length).unwrap()];
        // Pages that nobody has touched may not be there.
        if memory.read_exact_at(&mut content, from).is_ok() {
            searched += content.len();
            assert!(!content.windows(needle.len()).any(|window| window == needle), "in {line}");
        }
    }
    assert!(searched > 100_000, "{searched} bytes were searched");
}
