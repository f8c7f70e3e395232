//! The command `doctor`, from outside: the program, with key servers, databases, upstreams and edges that the test makes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may say what they expect")]

#[path = "../../mcp-auth-middleware/tests/harness/postgres.rs"]
mod postgres;

use std::process::Stdio;
use std::sync::Arc;

use mcp_auth_middleware::testing::{
    AUDIENCE, INTROSPECTION_ID, INTROSPECTION_SECRET, ISSUER, RESOURCE, TestIssuer, TestTeam, now,
};
use mcp_auth_middleware::{PostgresTokenStore, ServerRole};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::process::Command;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"; // pragma: allowlist secret
const API_TOKEN: &str = "the-token-of-the-upstream-api"; // pragma: allowlist secret
const PASSWORD: &str = "the-password-of-the-database"; // pragma: allowlist secret
const BEARER: &str = "kei4ahGhee8eecu0quoh5Ohn"; // pragma: allowlist secret

/// What the program said.
struct Report {
    status: Option<i32>,
    checks: Vec<Value>,
    text: String,
}

impl Report {
    /// The lines of a check, as `level message`.
    fn of(&self, check: &str) -> Vec<String> {
        let lines = self.checks.iter().filter(|line| line["check"] == check);
        lines.map(|line| format!("{} {}", line["level"].as_str().unwrap(), line["message"].as_str().unwrap())).collect()
    }

    /// The one line of a check.
    fn one(&self, check: &str) -> String {
        let lines = self.of(check);
        assert_eq!(lines.len(), 1, "{check} in:\n{}", self.text);
        lines.into_iter().next().unwrap()
    }

    /// Fails unless this check has a line that begins so, that says what to do, and where to read on.
    #[track_caller]
    fn fails(&self, check: &str, begin: &str) {
        let line = self.checks.iter().find(|line| {
            line["check"] == check && line["level"] == "fail" && line["message"].as_str().unwrap().starts_with(begin)
        });
        let line = line.unwrap_or_else(|| panic!("no fail of {check:?} with {begin:?} in:\n{}", self.text));
        assert!(!line["advice"].as_str().unwrap().is_empty() && line["runbook"].as_str().unwrap().starts_with("docs/"));
        assert_eq!(self.status, Some(1), "{}", self.text);
    }

    /// Everything that is not ok, as `level check`.
    fn bad(&self) -> Vec<String> {
        let bad = self.checks.iter().filter(|line| line["level"] != "ok");
        bad.map(|line| format!("{} {}", line["level"].as_str().unwrap(), line["check"].as_str().unwrap())).collect()
    }
}

fn command(args: &[&str], pairs: &[(&str, &str)]) -> Command {
    let test = std::env::current_exe().unwrap();
    let program = test.parent().unwrap().with_file_name("examples").join("upstream");
    assert!(program.is_file(), "run `cargo build --example upstream` first");
    let mut command = Command::new(program);
    command.args(args).env_clear().envs(pairs.iter().copied()).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

async fn run(args: &[&str], pairs: &[(&str, &str)], input: &str) -> std::process::Output {
    let mut child = command(args, pairs).spawn().unwrap();
    // A program that wants nothing may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes()).await;
    child.wait_with_output().await.unwrap()
}

async fn doctor_with(args: &[&str], pairs: &[(&str, &str)], input: &str) -> Report {
    let output = run(&[&["doctor", "--format", "json"][..], args].concat(), pairs, input).await;
    let text = String::from_utf8(output.stdout).unwrap();
    let all = format!("{text}{}", String::from_utf8_lossy(&output.stderr));
    for secret in [KEY, API_TOKEN, PASSWORD, BEARER] {
        assert!(!all.contains(secret), "{all}");
    }
    let document: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {all}"));
    assert_eq!(document["ok"], json!(output.status.code() == Some(0)));
    Report { status: output.status.code(), checks: document["checks"].as_array().unwrap().clone(), text: all }
}

async fn doctor(pairs: &[(&str, &str)]) -> Report {
    doctor_with(&[], pairs, "").await
}

/// Answers each request on a free port by what its head says, over TLS where there is a certificate.
async fn stub(tls: Option<TlsAcceptor>, answer: impl Fn(&str, &str) -> String + Send + Sync + 'static) -> String {
    async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: impl Fn(&str) -> String) {
        let mut bytes = Vec::new();
        let head = loop {
            if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            match stream.read_buf(&mut bytes).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        };
        let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
        let length =
            text.to_lowercase().split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
        while bytes.len() < head + length.unwrap_or(0) {
            if matches!(stream.read_buf(&mut bytes).await, Ok(0) | Err(_)) {
                return;
            }
        }
        let _ = stream.write_all(answer(&text).as_bytes()).await;
        let _ = stream.shutdown().await;
    }
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let scheme = if tls.is_some() { "https" } else { "http" };
    let origin = format!("{scheme}://{}", listener.local_addr().unwrap());
    let (own, answer) = (origin.clone(), Arc::new(answer));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (tls, own, answer) = (tls.clone(), own.clone(), Arc::clone(&answer));
            tokio::spawn(async move {
                let answer = move |head: &str| answer(head, &own);
                match tls {
                    None => serve(stream, answer).await,
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            serve(stream, answer).await;
                        }
                    }
                }
            });
        }
    });
    origin
}

fn http(status: u16, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

/// What an RFC 9110 date is of this many seconds from now.
fn date(seconds: i64) -> String {
    let time = chrono::Utc::now() + chrono::TimeDelta::seconds(seconds);
    format!("date: {}\r\n", time.format("%a, %d %b %Y %H:%M:%S GMT"))
}

/// A key server of this team with a clock that is off by so many seconds.
async fn key_server(team: &TestTeam, seconds: i64) -> String {
    let keys = json!({"keys": [team.key.jwk()]}).to_string();
    let origin = stub(None, move |_, _| http(200, &date(seconds), &keys)).await;
    format!("{origin}/cdn-cgi/access/certs")
}

async fn api() -> String {
    let answer = |head: &str, _: &str| {
        let good = head.contains(&format!("authorization: Bearer {API_TOKEN}\r\n"));
        http(if good { 200 } else { 401 }, "", "")
    };
    stub(None, answer).await
}

/// Settings of a server behind Access whose token is in the environment.
struct Place {
    team: TestTeam,
    certs: String,
    api: String,
}

impl Place {
    async fn new(clock: i64) -> Self {
        let team = TestTeam::start().await.unwrap();
        Self { certs: key_server(&team, clock).await, api: api().await, team }
    }

    /// The variables; later ones win.
    fn with<'a>(&'a self, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let mut all = vec![
            ("AUTH_MODE", "cloudflare"),
            ("CF_ACCESS_TEAM_DOMAIN", ISSUER),
            ("CF_ACCESS_AUD", AUDIENCE),
            ("CF_ACCESS_CERTS_URL", self.certs.as_str()),
            ("ALLOWED_HOSTS", "mcp.example.com"),
            ("API_BASE", self.api.as_str()),
            ("API_TOKEN", API_TOKEN),
        ];
        all.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
        all.extend_from_slice(more);
        all
    }
}

#[tokio::test]
async fn a_good_server_has_nothing_but_the_emulators_warning() {
    let place = Place::new(0).await;
    let report = doctor(&place.with(&[])).await;
    assert_eq!(report.bad(), ["warn issuer"], "{}", report.text);
    assert_eq!(report.status, Some(0));
    assert_eq!(report.one("key ids"), "ok 1 keys: \"key-1\"");
    assert!(report.one("clock").starts_with("ok this machine is"), "{}", report.text);
    assert_eq!(report.one("upstream"), "ok the API answers, and takes the token");

    let output = run(&["doctor"], &place.with(&[]), "").await;
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.ends_with(" ok, 1 warn, 0 fail\n") && text.contains("ok    upstream     the API answers"), "{text}");
    assert!(text.contains("      See docs/OAUTH_TROUBLESHOOTING.md#cloudflare-access-is-misconfigured\n"), "{text}");
}

#[tokio::test]
async fn it_works_where_the_server_could_not_start() {
    let place = Place::new(0).await;
    let report = doctor(&place.with(&[("PORT", "eighty"), ("API_TOKEN", "")])).await;
    report.fails("settings", "PORT \"eighty\" is not a port number");
    report.fails("settings", "API_TOKEN is missing");
    assert_eq!(report.one("key ids"), "ok 1 keys: \"key-1\"", "the rest is looked at all the same");
    let nothing = doctor(&[]).await;
    nothing.fails("settings", "AUTH_MODE is both, but neither method is configured");
}

#[tokio::test]
async fn a_wrong_clock() {
    let place = Place::new(-3600).await;
    let report = doctor(&place.with(&[])).await;
    report.fails("clock", "this machine is 36");
    assert!(report.one("clock").ends_with(" s ahead of the key server"), "{}", report.text);
    let place = Place::new(40).await;
    assert_eq!(doctor(&place.with(&[])).await.bad(), ["warn issuer", "warn clock"]);
}

#[tokio::test]
async fn a_key_server_that_is_down_or_none() {
    let place = Place::new(0).await;
    // Bound and never listening: nobody answers, and nobody else gets the port meanwhile.
    let closed = tokio::net::TcpSocket::new_v4().unwrap();
    closed.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let certs = format!("http://{}/certs", closed.local_addr().unwrap());
    let report = doctor(&place.with(&[("CF_ACCESS_CERTS_URL", &certs)])).await;
    report.fails("key server", "no connection to 127.0.0.1: ");
    let page = stub(None, |_, _| http(200, "content-type: text/html\r\n", "<html>")).await;
    let report = doctor(&place.with(&[("CF_ACCESS_CERTS_URL", &page)])).await;
    report.fails("key server", "127.0.0.1 answered no key set");
    let gone = stub(None, |_, _| http(404, "", "")).await;
    doctor(&place.with(&[("CF_ACCESS_CERTS_URL", &gone)])).await.fails("key server", "127.0.0.1 answered 404");
    let report = doctor(&place.with(&[("CF_ACCESS_CERTS_URL", "https://keys.invalid/certs")])).await;
    report.fails("name", "keys.invalid is not known here");
}

#[tokio::test]
async fn an_upstream_that_refuses_the_token() {
    let place = Place::new(0).await;
    let report = doctor(&place.with(&[("API_TOKEN", "another-token-0123456789")])).await;
    report.fails("upstream", "the API: the API refuses the token (401)");
    assert!(!report.text.contains("another-token-0123456789"));
}

mod tokens {
    use super::*;

    async fn taken_apart(place: &Place, token: &str) -> Report {
        let report = doctor_with(&["--token", "-"], &place.with(&[]), token).await;
        for part in token.trim().split('.').filter(|part| part.len() > 20) {
            assert!(!report.text.contains(part), "the token itself is in no line: {}", report.text);
        }
        report
    }

    #[tokio::test]
    async fn a_good_one() {
        let place = Place::new(0).await;
        let report = taken_apart(&place, &format!("Bearer {}\n", place.team.token("user@example.com"))).await;
        assert_eq!(report.status, Some(0), "{}", report.text);
        assert_eq!(report.of("token").last().unwrap(), "ok accepted: human \"user@example.com\"");
    }

    #[tokio::test]
    async fn each_check_says_what_it_wanted_and_what_it_got() {
        let place = Place::new(0).await;
        let other = mcp_auth_middleware::testing::TestKey::generate("key-2");
        let forged = mcp_auth_middleware::testing::TestKey::generate("key-1");
        let claims = place.team.claims("user@example.com");
        let with = |name: &str, value: Value| {
            let mut claims = claims.clone();
            claims[name] = value;
            place.team.sign(&claims)
        };
        let header = |alg: &str| place.team.key.sign(&json!({"alg": alg, "kid": "key-1"}), &claims);
        let aud = format!("aud: wanted one of \"{AUDIENCE}\", got \"the-wrong-tag\"");
        let iss = format!("iss: wanted \"{ISSUER}\", got \"https://other.cloudflareaccess.com\"");
        for (token, said, code) in [
            (with("aud", json!(["the-wrong-tag"])), aud.as_str(), "MCP-AUTH-013"),
            (with("iss", json!("https://other.cloudflareaccess.com")), &iss, "MCP-AUTH-012"),
            (with("exp", json!(1_700_000_000)), "exp: wanted a time to come, got 2023-11-14T22:13:20Z", "MCP-AUTH-010"),
            (with("nbf", json!(4_000_000_000_u64)), "nbf: wanted a time that has come, got 2096-", "MCP-AUTH-011"),
            (other.sign(&other.header(), &claims), "kid: wanted one of \"key-1\", got \"key-2\"", "MCP-AUTH-008"),
            (header("HS256"), "alg: wanted RS256, got \"HS256\"", "MCP-AUTH-007"),
            (forged.sign(&forged.header(), &claims), "refused: ", "MCP-AUTH-009"),
        ] {
            let report = taken_apart(&place, &token).await;
            report.fails("token", said);
            report.fails("token", &format!("refused: {code}"));
        }
    }

    #[tokio::test]
    async fn what_is_no_token() {
        let place = Place::new(0).await;
        for (text, said) in [
            ("", "there is nothing on standard input"),
            ("oauth:abcdefgh", "this is an opaque token of Managed OAuth"),
            ("one.two", "a JWT has 3 parts between dots (RFC 7515), and this has 2"),
            ("one.two.three", "its header is no JSON in base64url"),
        ] {
            taken_apart(&place, text).await.fails("token", said);
        }
        // On the command line everybody could read it.
        let output = run(&["doctor", "--token", "a-secret-token"], &place.with(&[]), "").await;
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(said.contains("--token -") && !said.contains("a-secret-token"), "{said}");
    }
}

mod database {
    use sqlx::Executor as _;

    use super::*;

    /// A database of its own with a role for the server, and the token there.
    struct Stored {
        place: Place,
        cluster: &'static postgres::Cluster,
        database: postgres::Database,
        port: String,
    }

    impl Stored {
        async fn new() -> Self {
            let cluster = postgres::own();
            let database = cluster.blank().await;
            let role = ServerRole::new("server").with_password(PASSWORD.to_owned().into());
            PostgresTokenStore::init(&database.config(), Some(&role)).await.unwrap();
            Self { place: Place::new(0).await, cluster, database, port: cluster.port().to_string() }
        }

        fn variables<'a>(&'a self, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
            let mut all = vec![
                ("TOKEN_STORE", "postgres"),
                ("POSTGRES_HOST", "127.0.0.1"),
                ("POSTGRES_PORT", self.port.as_str()),
                ("POSTGRES_DB", self.database.name.as_str()),
                ("POSTGRES_USER", "server"),
                ("POSTGRES_PASSWORD", PASSWORD),
                ("MCP_AUTH_ENCRYPTION_KEY", KEY),
                ("API_TOKEN", ""),
            ];
            all.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
            all.extend_from_slice(more);
            self.place.with(&all)
        }

        async fn store_token(&self) {
            let output = run(&["tokens", "set", "API_TOKEN"], &self.variables(&[]), API_TOKEN).await;
            assert!(output.status.success(), "{output:?}");
        }

        async fn sql(&self, sql: &'static str) {
            let mut connection = self.cluster.connect(&self.database.name, "postgres").await;
            connection.execute(sql).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_good_one() {
        let stored = Stored::new().await;
        stored.store_token().await;
        let report = doctor(&stored.variables(&[])).await;
        assert_eq!(report.bad(), ["warn issuer"], "{}", report.text);
        assert_eq!(report.one("database"), "ok reachable as server");
        assert_eq!(report.one("role"), "ok server may do what the server needs, and no more");
        assert_eq!(report.one("schema"), "ok version 2");
        assert!(report.one("encryption key").starts_with("ok 1 stored tokens need keys that are here: "));
        assert_eq!(report.of("token"), ["ok API_TOKEN is stored for upstream-server"]);
        assert_eq!(report.one("upstream"), "ok the API answers, and takes the token");
    }

    #[tokio::test]
    async fn a_token_that_is_missing() {
        let stored = Stored::new().await;
        let report = doctor(&stored.variables(&[])).await;
        report.fails("token", "API_TOKEN is not stored for upstream-server");
        report.fails("upstream", "the API: there is no API_TOKEN");
    }

    #[tokio::test]
    async fn a_wrong_key() {
        let stored = Stored::new().await;
        stored.store_token().await;
        let other = KEY.replace("00", "01");
        let report = doctor(&stored.variables(&[("MCP_AUTH_ENCRYPTION_KEY", &other)])).await;
        report.fails("encryption key", "1 stored tokens need the key ");
        report.fails("upstream", "the API: API_TOKEN: encryption key mismatch");
        assert!(!report.text.contains(&other));
    }

    #[tokio::test]
    async fn a_wrong_role() {
        let stored = Stored::new().await;
        stored.store_token().await;
        stored.sql("REVOKE EXECUTE ON FUNCTION delete_token FROM server; REVOKE SELECT ON audit_log FROM server").await;
        let report = doctor(&stored.variables(&[])).await;
        report.fails("role", "server may not do what the server needs: SELECT on audit_log, EXECUTE on delete_token");
        stored.sql("GRANT ALL ON tokens, audit_log TO server; GRANT EXECUTE ON FUNCTION delete_token TO server").await;
        let report = doctor(&stored.variables(&[])).await;
        assert!(report.one("role").starts_with("warn server may do more than the server needs: "), "{}", report.text);
        assert!(report.one("role").contains("DELETE on audit_log"), "{}", report.text);
        stored.sql("ALTER ROLE server SUPERUSER").await;
        assert!(doctor(&stored.variables(&[])).await.one("role").starts_with("warn server is a superuser"));
    }

    /// A role that an older version has set up.
    #[tokio::test]
    async fn a_schema_of_another_version_or_none() {
        let stored = Stored::new().await;
        stored.sql("REVOKE ALL ON mcp_auth_migrations FROM server").await;
        assert_eq!(doctor(&stored.variables(&[])).await.one("schema"), "warn the role may not read its version");
        stored.sql("GRANT SELECT ON mcp_auth_migrations TO server; UPDATE mcp_auth_migrations SET version = 9 WHERE version = 2").await;
        doctor(&stored.variables(&[]))
            .await
            .fails("schema", "version 9, which this program is too old for: it knows 2");
        stored.sql("DROP TABLE tokens").await;
        doctor(&stored.variables(&[])).await.fails("database", "token store is not set up: ");
    }

    #[tokio::test]
    async fn one_that_is_down_and_one_that_refuses_the_password() {
        let stored = Stored::new().await;
        let report = doctor(&stored.variables(&[("POSTGRES_PASSWORD", "another password")])).await;
        report.fails("database", "token store denied access: the database refuses user or password");
        stored.cluster.stop("fast");
        let report = doctor(&stored.variables(&[])).await;
        report.fails("database", "token store unavailable: the database cannot be reached: connection refused");
    }

    #[tokio::test]
    async fn a_missing_key_file_is_told_and_not_made() {
        let stored = Stored::new().await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        let mut pairs = stored.variables(&[("MCP_AUTH_KEY_FILE", file.to_str().unwrap())]);
        pairs.retain(|(name, _)| *name != "MCP_AUTH_ENCRYPTION_KEY");
        doctor(&pairs).await.fails("encryption key", "there is no encryption key: ");
        assert!(!file.exists(), "it changes nothing");
    }
}

mod edge {
    use super::*;

    async fn through(place: &Place, address: &str, more: &[(&str, &str)]) -> Report {
        doctor_with(&["--url", address], &place.with(more), "").await
    }

    async fn answered(answer: impl Fn(&str, &str) -> String + Send + Sync + 'static) -> Report {
        let origin = stub(None, answer).await;
        through(&Place::new(0).await, &format!("{origin}/mcp"), &[]).await
    }

    /// The challenge of Managed OAuth with its documents, at paths that nobody would guess.
    fn managed(head: &str, origin: &str) -> String {
        let json = |document: Value| http(200, "content-type: application/json\r\n", &document.to_string());
        match head.split(' ').nth(1).unwrap() {
            "/.well-known/cloudflare-access-protected-resource/mcp" => {
                json(json!({"resource": format!("{origin}/mcp"), "authorization_servers": [format!("{origin}/team")]}))
            }
            "/.well-known/oauth-authorization-server/team" => json(json!({
                "issuer": format!("{origin}/team"), "authorization_endpoint": format!("{origin}/login"),
                "token_endpoint": format!("{origin}/token"), "registration_endpoint": format!("{origin}/register"),
                "code_challenge_methods_supported": ["S256"],
            })),
            "/mcp" => {
                let path = "/.well-known/cloudflare-access-protected-resource/mcp";
                http(401, &format!("www-authenticate: Bearer resource_metadata=\"{origin}{path}\"\r\n"), "")
            }
            _ => http(404, "", ""),
        }
    }

    #[tokio::test]
    async fn the_edges_own_challenge_is_followed() {
        let report = answered(managed).await;
        assert_eq!(report.bad(), ["warn issuer"], "{}", report.text);
        assert!(report.one("edge").starts_with("ok 401 of the proxy before the server"), "{}", report.text);
        assert!(report.one("metadata").contains("/.well-known/cloudflare-access-protected-resource/mcp names"));
        assert!(report.one("login").ends_with("lets clients register and log in"), "{}", report.text);

        // About another address, behind a login, and not there at all.
        let report = answered(|head, origin| match head.contains("protected-resource") {
            true => http(
                200,
                "",
                r#"{"resource":"https://other.example/mcp","authorization_servers":["https://x.example"]}"#,
            ),
            false => managed(head, origin),
        })
        .await;
        assert!(
            report.one("metadata").contains(" is about \"https://other.example/mcp\", not about "),
            "{}",
            report.text
        );
        report.fails("metadata", "http://127.0.0.1");
        let report = answered(|head, origin| {
            if head.starts_with("POST") { managed(head, origin) } else { http(302, "location: /login\r\n", "") }
        })
        .await;
        report.fails("metadata", "http://127.0.0.1");
        assert!(report.one("metadata").ends_with(" answered 302"), "{}", report.text);
        answered(|_, _| http(401, "", "")).await.fails("metadata", "the 401 names no resource_metadata");
    }

    #[tokio::test]
    async fn a_login_page() {
        let to = "location: https://team.cloudflareaccess.com/cdn-cgi/access/login/mcp.example.com\r\n";
        answered(move |_, _| http(302, to, "")).await.fails("edge", "302 of a login page");
        let page = |_: &str, _: &str| http(200, "content-type: text/html\r\n", "<form>Log in</form>");
        answered(page).await.fails("edge", "200 of a login page");
    }

    #[tokio::test]
    async fn a_block_by_user_agent() {
        let report = answered(|head, origin| match head.contains("Claude-User") {
            true => http(403, "content-type: text/plain\r\n", "Your request was blocked."),
            false => managed(head, origin),
        })
        .await;
        report.fails("user agent", "403 for Claude-User alone: a block of AI bots: \"Your request was blocked.\"");
        assert!(report.one("edge").starts_with("ok "), "{}", report.text);
        let report = answered(|_, _| http(403, "", "Sorry")).await;
        report.fails("edge", "403 that is not of this server: \"Sorry\"");
        assert!(report.one("user agent").starts_with("ok "), "everybody is blocked: {}", report.text);
    }

    #[tokio::test]
    async fn a_dead_tunnel() {
        let report = answered(|_, _| http(530, "server: cloudflare\r\n", "error code: 1033")).await;
        report.fails("edge", "530 of Cloudflare: no tunnel to the server is connected (1033)");
        for status in [502, 504] {
            let report = answered(move |_, _| http(status, "server: cloudflare\r\n", "")).await;
            report
                .fails("edge", &format!("{status} of a proxy (server: \"cloudflare\") that does not reach the server"));
        }
    }

    #[tokio::test]
    async fn whoever_asks_nobody_who_they_are() {
        let report = answered(|_, _| http(200, "", r#"{"jsonrpc":"2.0","id":1,"result":{}}"#)).await;
        report.fails("edge", "200 without credentials");
    }

    #[tokio::test]
    async fn this_server_itself() {
        let place = Place::new(0).await;
        let pairs = place.with(&[("PORT", "0"), ("AUTH_MODE", "bearer"), ("MCP_DEV_BEARER_TOKEN", BEARER)]);
        let mut server = command(&[], &pairs).spawn().unwrap();
        let mut log = tokio::io::BufReader::new(server.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("listening on ") {
            line.clear();
            assert!(tokio::io::AsyncBufReadExt::read_line(&mut log, &mut line).await.unwrap() > 0);
        }
        let address = line.split("listening on ").nth(1).unwrap().split(',').next().unwrap();
        let more = [("AUTH_MODE", "bearer"), ("MCP_DEV_BEARER_TOKEN", BEARER)];
        let report = through(&place, address, &more).await;
        assert_eq!(report.one("edge"), "ok 401 MCP-AUTH-001: this server answers, and refuses strangers");
    }

    /// A certificate for 127.0.0.1 that ends in this year, and the file of its authority.
    fn certificate(ends: i32, folder: &std::path::Path) -> (TlsAcceptor, String) {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let file = folder.join("authority.pem");
        std::fs::write(&file, params.self_signed(&key).unwrap().pem()).unwrap();
        let issuer = Issuer::new(params, key);
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.not_after = date_time_ymd(ends, 1, 1);
        let certificate = params.signed_by(&key, &issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
        (TlsAcceptor::from(Arc::new(config)), file.to_str().unwrap().to_owned())
    }

    #[tokio::test]
    async fn a_certificate_that_has_ended_or_is_of_strangers() {
        let place = Place::new(0).await;
        let folder = tempfile::tempdir().unwrap();
        let (tls, authority) = certificate(2024, folder.path());
        let origin = stub(Some(tls), managed).await;
        let report = through(&place, &format!("{origin}/mcp"), &[("SSL_CERT_FILE", &authority)]).await;
        report.fails("edge TLS", "the certificate of 127.0.0.1 does not count: ");
        assert!(report.one("edge TLS").to_lowercase().contains("expired"), "{}", report.text);

        let (tls, authority) = certificate(2095, folder.path());
        let origin = stub(Some(tls), managed).await;
        let report = through(&place, &format!("{origin}/mcp"), &[("SSL_CERT_FILE", &authority)]).await;
        assert_eq!(report.one("edge TLS"), "ok the certificate counts until 2095-01-01", "{}", report.text);
        assert_eq!(report.bad(), ["warn issuer"], "{}", report.text);

        let strange = tempfile::tempdir().unwrap();
        let (_, strange) = certificate(2095, strange.path());
        let report = through(&place, &format!("{origin}/mcp"), &[("SSL_CERT_FILE", &strange)]).await;
        report.fails("edge TLS", "the certificate of 127.0.0.1 does not count: ");
    }

    #[tokio::test]
    async fn an_address_that_is_none_of_a_server() {
        let place = Place::new(0).await;
        let report = through(&place, "https://user:hunter2@mcp.example.com/mcp", &[]).await;
        report.fails("edge", "the address of --url has a user or a password in it");
        assert!(!report.text.contains("hunter2"));
        through(&place, "http://mcp.example.com/mcp", &[]).await.fails("edge", "the address of --url is not https");
        through(&place, "https://mcp.invalid/mcp", &[]).await.fails("edge", "mcp.invalid is not known here");
    }
}

mod issuers {
    use super::*;

    /// The variables of a server that accepts tokens of this issuer; later ones win.
    fn variables<'a>(issuer: &'a str, api: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let mut all = vec![
            ("AUTH_MODE", "oidc"),
            ("OIDC_ISSUER", issuer),
            ("PUBLIC_URL", RESOURCE),
            ("API_BASE", api),
            ("API_TOKEN", API_TOKEN),
        ];
        all.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
        all.extend_from_slice(more);
        all
    }

    /// An issuer whose clock is off by so many seconds, and whose metadata has these members.
    async fn issuer_with(seconds: i64, changes: Value) -> (TestIssuer, String) {
        let real = TestIssuer::start().await.unwrap();
        let keys = json!({"keys": [real.key.jwk()]}).to_string();
        let origin = stub(None, move |head, own| {
            if head.starts_with("GET /keys ") {
                return http(200, &date(seconds), &keys);
            }
            if !head.starts_with("GET /.well-known/openid-configuration ") {
                return http(404, &date(seconds), "");
            }
            let mut document = json!({"issuer": own, "jwks_uri": format!("{own}/keys")});
            for (name, value) in changes.as_object().unwrap() {
                document[name] = json!(value.as_str().map(|text| text.replace("OWN", own)));
            }
            http(200, &date(seconds), &document.to_string())
        })
        .await;
        (real, origin)
    }

    #[tokio::test]
    async fn a_good_one() {
        let (_, origin) = issuer_with(0, json!({})).await;
        let report = doctor(&variables(&origin, &api().await, &[])).await;
        assert_eq!(
            report.one("issuer"),
            format!("ok {origin} has its metadata at {origin}/.well-known/openid-configuration")
        );
        assert_eq!(report.one("key ids"), format!("ok 1 keys of {origin}: \"key-1\""));
        assert_eq!(report.one("audience"), format!("ok tokens of {origin} are for \"{RESOURCE}\""));
        assert!(report.one("clock").starts_with("ok this machine is 0 s"), "{}", report.text);
        assert_eq!((report.bad(), report.status), (Vec::<String>::new(), Some(0)), "{}", report.text);
    }

    #[tokio::test]
    async fn metadata_of_another_issuer_or_none() {
        let api = api().await;
        let (_, origin) = issuer_with(0, json!({"issuer": "OWN/"})).await;
        let report = doctor(&variables(&origin, &api, &[])).await;
        let at = format!("{origin}/.well-known/openid-configuration");
        report.fails("issuer", &format!("issuer: wanted \"{origin}\", and {at} is of \"{origin}/\""));
        // Entra's address of all tenants.
        let (_, origin) = issuer_with(0, json!({"issuer": "OWN/{tenantid}/v2.0"})).await;
        let report = doctor(&variables(&origin, &api, &[])).await;
        assert!(report.text.contains("each is an issuer of its own"), "{}", report.text);
        let nothing = stub(None, |_, _| http(404, "", "")).await;
        doctor(&variables(&nothing, &api, &[])).await.fails("issuer", &format!("{nothing} has no metadata: 404 at "));
        let gone = "http://127.0.0.1:9";
        doctor(&variables(gone, &api, &[])).await.fails("issuer", "no connection to 127.0.0.1: ");
        let unknown = "https://issuer.invalid";
        doctor(&variables(unknown, &api, &[])).await.fails("name", "issuer.invalid is not known here: ");
    }

    #[tokio::test]
    async fn keys_that_are_none() {
        let api = api().await;
        let (_, origin) = issuer_with(0, json!({"jwks_uri": "http://keys.example/keys"})).await;
        let report = doctor(&variables(&origin, &api, &[])).await;
        report.fails("issuer", &format!("the keys of {origin} are at \"http://keys.example/keys\", no https address"));
        let (_, origin) = issuer_with(0, json!({"jwks_uri": "OWN/elsewhere"})).await;
        let report = doctor(&variables(&origin, &api, &[])).await;
        report.fails("issuer", &format!("{origin}/elsewhere answered 404 with 0 keys, "));
        // Keys of another kind than the algorithms that are accepted.
        let (_, origin) = issuer_with(0, json!({})).await;
        let report = doctor(&variables(&origin, &api, &[("OIDC_ALGORITHMS", "ES256,EdDSA")])).await;
        let said = format!("{origin}/keys answered 200 with 1 keys, none of which has an id and is for ES256, EdDSA");
        report.fails("issuer", &said);
    }

    #[tokio::test]
    async fn a_clock_that_is_off() {
        let (_, origin) = issuer_with(600, json!({})).await;
        let report = doctor(&variables(&origin, &api().await, &[])).await;
        let line = report.one("clock");
        assert!(line.starts_with("fail this machine is ") && line.ends_with(" s behind the issuer"), "{line}");
    }

    #[tokio::test]
    async fn introspection() {
        let (issuer, api) = (TestIssuer::start().await.unwrap(), api().await);
        let with = |secret: &'static str| {
            let id = ("OIDC_INTROSPECTION_CLIENT_ID", INTROSPECTION_ID);
            variables(issuer.issuer(), &api, &[id, ("OIDC_INTROSPECTION_CLIENT_SECRET", secret)])
        };
        let report = doctor(&with(INTROSPECTION_SECRET)).await;
        assert_eq!(report.one("introspection"), format!("ok {} answers questions about tokens", issuer.issuer()));
        assert!(!report.text.contains(INTROSPECTION_SECRET));
        let report = doctor(&with("another-secret")).await;
        report.fails("introspection", &format!("{}: status 401", issuer.issuer()));
        // A token that is no JWT is asked about.
        let token = issuer.opaque_token("user@example.com");
        let report = doctor_with(&["--token", "-"], &with(INTROSPECTION_SECRET), &token).await;
        assert_eq!(report.of("token").last().unwrap(), "ok accepted: human \"user@example.com\"");
        assert!(!report.text.contains(&token));
        issuer.revoke(&token);
        let report = doctor_with(&["--token", "-"], &with(INTROSPECTION_SECRET), &token).await;
        report.fails("token", "refused: MCP-AUTH-025 token not active");
    }

    #[tokio::test]
    async fn a_token_is_taken_apart() {
        let (issuer, api) = (TestIssuer::start().await.unwrap(), api().await);
        let variables = variables(issuer.issuer(), &api, &[]);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let path = file.display().to_string();
        let apart = async |token: &str| {
            std::fs::write(&file, token).unwrap();
            let report = doctor_with(&["--token-file", &path], &variables, "").await;
            for part in token.split('.').filter(|part| part.len() > 20) {
                assert!(!report.text.contains(part), "{}", report.text);
            }
            report
        };
        let report = apart(&format!("Bearer {}\n", issuer.token("user@example.com"))).await;
        assert_eq!(report.of("token").last().unwrap(), "ok accepted: human \"user@example.com\"");
        let changed = |changes: Value| {
            let mut claims = issuer.claims("user@example.com");
            claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            issuer.sign(&claims)
        };
        for (token, said, code) in [
            (
                changed(json!({"aud": "https://other.example/mcp"})),
                "aud: wanted one of ",
                "MCP-AUTH-013 audience mismatch",
            ),
            (changed(json!({"iss": format!("{}/", issuer.issuer())})), "iss: wanted ", "MCP-AUTH-012 issuer mismatch"),
            (changed(json!({"exp": now() - 3600})), "exp: wanted a time to come", "MCP-AUTH-010 jwt expired"),
            (
                changed(json!({"iat": now() + 3600})),
                "iat: wanted a time that has come",
                "MCP-AUTH-011 jwt not yet valid",
            ),
        ] {
            let report = apart(&token).await;
            report.fails("token", said);
            report.fails("token", &format!("refused: {code}"));
        }
        // A token for nobody in particular, as some providers give them, and what to do at which.
        for audience in [Value::Null, json!("account")] {
            let report = apart(&changed(json!({"aud": audience}))).await;
            report.fails("token", "aud: wanted one of ");
            assert!(report.text.contains("in Keycloak an audience mapper"), "{}", report.text);
            assert!(report.text.contains("OIDC_AUDIENCE_CLAIM=client_id"), "{}", report.text);
        }
        let report = apart("eyJhbGciOiJkaXIifQ..aaaa.bbbb.cccc").await;
        report.fails("token", "a JWT has 3 parts between dots");
        assert!(report.text.contains("encrypted for the issuer itself"), "{}", report.text);
        apart("this-is-an-opaque-token").await.fails("token", "a JWT has 3 parts between dots");
        apart("").await.fails("token", &format!("{path}: it is empty"));
        let id_token = {
            let mut claims = issuer.claims("user@example.com");
            claims["aud"] = json!([RESOURCE]);
            let mut header = issuer.key.header();
            header["typ"] = "id_token+jwt".into();
            issuer.key.sign(&header, &claims)
        };
        apart(&id_token).await.fails("token", "refused: MCP-AUTH-021 not an access token");
    }

    /// With the address of a server, the token is shown there, too.
    #[tokio::test]
    async fn a_token_at_the_door() {
        let (issuer, api) = (TestIssuer::start().await.unwrap(), api().await);
        let token = issuer.token("user@example.com");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, &token).unwrap();
        let path = file.display().to_string();
        for (status, body, said) in [
            (200, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, "ok 200 with the token: it is let in"),
            (
                401,
                r#"{"code":"MCP-AUTH-013","message":"audience mismatch"}"#,
                "fail 401 MCP-AUTH-013 with the token: \"audience mismatch\"",
            ),
            (
                403,
                r#"{"code":"MCP-AUTH-023","missing_scopes":"mcp"}"#,
                "fail 403 MCP-AUTH-023: the token lacks the scopes \"mcp\"",
            ),
            (403, "Forbidden", "fail 403 with the token, and not by this server"),
        ] {
            let bearer = format!("authorization: Bearer {token}\r\n");
            let server = stub(None, move |head, _| {
                if head.contains(&bearer) {
                    http(status, "", body)
                } else {
                    http(401, "", r#"{"code":"MCP-AUTH-001"}"#)
                }
            })
            .await;
            let url = format!("{server}/mcp");
            let report =
                doctor_with(&["--url", &url, "--token-file", &path], &variables(issuer.issuer(), &api, &[]), "").await;
            assert_eq!(report.one("entry"), said);
            assert!(!report.text.contains(&token));
        }
        let output = run(&["doctor", "--token", "-", "--token-file", &path], &[], "").await;
        assert_eq!(output.status.code(), Some(2));
    }
}
