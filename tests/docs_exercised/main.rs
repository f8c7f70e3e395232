//! The runbook's commands are run as they stand in the page of a rendered project, each section with its own failure: what
//! they print is what the page shows, the fix works, and the confirmation holds.
//!
//! There is no engine and no cluster here: `shims.sh` stands in for docker, kubectl and ssh, and runs the server as a process
//! with the variables of the project's `docker-compose.yml`. The database and the team's key server are real.
//! `tests/e2e/deploy` has a real engine. `UPDATE_EXERCISED=1 cargo test --test docs_exercised` writes what came out, and the
//! day, into `src/docs`; run it twice, as the page itself has those texts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "../common/mod.rs"]
mod common;
mod host;
#[allow(unreachable_pub, reason = "it is the harness of another package")]
#[path = "../../template/vendor/mcp-auth-middleware/tests/harness/postgres.rs"]
mod postgres;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use common::Place;
use host::Host;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// Two keys, made for this test.
const KEYS: [&str; 2] =
    ["AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="]; // pragma: allowlist secret

/// The text that a page takes from here, by its name in `src/docs/outputs`.
fn captured(name: &str, printed: &str) {
    let path = Path::new(ROOT).join(format!("src/docs/outputs/{name}.txt"));
    let text = host::masked(printed.trim()) + "\n";
    if std::env::var_os("UPDATE_EXERCISED").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        text,
        "{name}: the page shows something else; see the head of this test"
    );
}

/// The lines of a report of `doctor` for one check that failed, with what to do.
fn failed(report: &str, check: &str) -> String {
    let mut lines = report.lines().skip_while(|line| !line.starts_with(&format!("fail  {check}")));
    let first = lines.next().unwrap_or_else(|| panic!("no fail of {check} in:\n{report}"));
    let more = lines.take_while(|line| line.starts_with(' '));
    [first].into_iter().chain(more).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_section_does_what_it_says() {
    let mut host = Host::start().await;
    let mut done = BTreeSet::new();
    let mut section = |name: &'static str| {
        done.insert(name);
        name
    };

    // Nothing is wrong but that no token is stored.
    let at = section("token-not-found-in-postgres");
    let (status, body) = host.call();
    assert!(status == 503 && body.contains("MCP-AUTH-018"), "{status} {body}");
    host.shows(at, 0, "");
    host.runs(at, 1, "");
    host.shows(at, 3, "the-token-of-the-api\n");
    // No restart is needed.
    host.eventually_answers(200);
    let listed = host.runs(at, 0, "");
    assert!(listed.contains("CODA_API_TOKEN"), "{listed}");
    let audit = host.runs(at, 2, "");
    assert!(audit.contains("CODA_API_TOKEN") && audit.contains("not_found"), "{audit}");
    host.shows(at, 5, "");
    host.eventually_answers(503);
    host.runs(at, 4, "the-token-of-the-api\n");
    host.eventually_answers(200);

    let at = section("ask-for-the-status");
    let ready = host.runs(at, 0, "");
    assert!(ready.contains("\"name\":\"tokenStore\",\"status\":\"ok\""), "{ready}");

    // The audience of another application.
    let at = section("jwt-validation-fails");
    host.set("CF_ACCESS_AUD", &"0123abcd".repeat(8));
    host.restart();
    let (status, body) = host.call();
    assert!(status == 401 && body.contains("MCP-AUTH-013"), "{status} {body}");
    let line = host.logged("JWT validation failed: audience mismatch");
    assert!(host.page_has(&line), "the page shows another line of the log than {line}");
    // Without a token there is nothing to compare, as the page says.
    for block in [0, 1] {
        let report = host.runs(at, block, "");
        assert!(report.contains("ok    audience") && report.contains("0 fail"), "{report}");
    }
    let report = host.runs_whatever(at, 2, "");
    captured("doctor_audience", &failed(&report, "token"));
    host.keep_token();
    host.shows_whatever(at, 3, "");
    host.reset("CF_ACCESS_AUD");
    host.restart();
    assert_eq!(host.call().0, 200, "the fix");
    host.logged("Cloudflare Access JWT validated for: user@example.com");

    // Another key, by accident; then on purpose.
    let at = section("encryption-key-mismatch");
    host.secret("mcp_auth_encryption_key", KEYS[1]);
    host.restart();
    let (status, body) = host.call();
    assert!(status == 503 && body.contains("MCP-AUTH-020"), "{status} {body}");
    let report = host.runs(at, 0, "");
    captured("doctor_key", &failed(&report, "encryption key"));
    host.shows(at, 0, "");
    host.runs_failing(at, 1, "");
    host.runs(at, 2, KEYS[0]);
    host.previous_keys(true);
    host.restart();
    assert_eq!(host.call().0, 200, "both keys");
    host.shows(at, 3, "");
    host.previous_keys(false);
    host.restart();
    assert_eq!(host.call().0, 200, "the fix");
    assert_eq!(host.runs(at, 3, ""), "0 tokens rotated\n", "the confirmation");

    // The key is gone for good.
    let at = section("a-lost-or-leaked-encryption-key");
    host.secret("mcp_auth_encryption_key", KEYS[0]);
    host.restart();
    assert_eq!(host.call().0, 503);
    let listed = host.runs(at, 1, "");
    assert!(listed.contains("CODA_API_TOKEN"), "{listed}");
    let stored = host.runs(at, 2, "a-new-token-of-the-api\n");
    assert!(stored.contains("CODA_API_TOKEN stored for notes"), "{stored}");
    host.eventually_answers(200);
    let report = host.doctor();
    assert!(report.contains("ok    encryption key"), "{report}");

    let at = section("a-leaked-token");
    host.runs(at, 0, "another-new-token\n");
    host.runs(at, 1, "yet-another-token\n");
    let verified = host.runs(at, 2, "");
    assert!(verified.contains("audit rows are intact"), "{verified}");
    host.eventually_answers(200);

    // The database stops, and comes back.
    let at = section("the-token-store-is-unreachable");
    host.database.stop("fast");
    let said = host.runs_whatever(at, 0, "");
    assert!(said.contains("connection refused") && said.contains("no response"), "{said}");
    assert_eq!(host.call().0, 200, "cached tokens work");
    host.restart();
    let (status, body) = host.call();
    assert!(status == 503 && body.contains("MCP-AUTH-019"), "{status} {body}");
    host.runs_whatever(at, 1, "");
    host.database.start_again();
    let said = host.runs(at, 0, "");
    assert!(said.contains("CODA_API_TOKEN") && said.matches("accepting connections").count() == 2, "{said}");
    host.eventually_answers(200);

    // No name ends in .invalid (RFC 6761, section 6.4).
    let at = section("docker-network-issues");
    host.set("CF_ACCESS_CERTS_URL", "https://team.invalid/cdn-cgi/access/certs");
    host.restart();
    let (status, body) = host.call();
    assert!(status == 503 && body.contains("MCP-AUTH-017"), "{status} {body}");
    let report = host.runs(at, 0, "");
    captured("doctor_network", &failed(&report, "name"));
    host.shows(at, 0, "");
    host.reset("CF_ACCESS_CERTS_URL");
    host.restart();
    assert_eq!(host.call().0, 200, "the fix");

    // A setting that the server cannot use.
    let at = section("the-server-restarts");
    host.set("CF_ACCESS_AUD", "");
    host.restart_failing();
    captured("cannot_start", &host.log());
    let said = host.runs_whatever(at, 0, "");
    assert!(said.contains("cannot start") && said.contains("fail  settings"), "{said}");
    host.runs(at, 1, "");
    host.reset("CF_ACCESS_AUD");
    host.restart();
    assert_eq!(host.call().0, 200, "the fix");

    record(&done);
}

/// The first two steps of the way from `env` to `postgres`: the compose file of the other store, and keys that the server can
/// read and that are not written over.
#[test]
fn the_migration_guide_begins_as_it_says() {
    let place = Place::new();
    place.ok(&["new", "notes", "--token-store", "env", "--auth-mode", "cloudflare"]);
    let page = place.read("notes/docs/OAUTH_SOP.md");
    let steps = host::blocks(&page, "migration-guide");
    let run = |number: usize| {
        let mut command = Command::new("bash");
        let program = Path::new(env!("CARGO_BIN_EXE_mcp-kit")).parent().unwrap().display().to_string();
        let path = format!("{program}:{}", std::env::var("PATH").unwrap());
        command.args(["-c", &steps[number].script]).current_dir(place.path("notes")).env("PATH", path);
        command.output().unwrap()
    };
    // What the page has people put into the new file stands in the old one.
    let compose = place.read("notes/docker-compose.yml");
    for line in ["CODA_API_TOKEN_FILE: /run/secrets/coda_api_token", "file: ${SECRETS_DIR:-./secrets}/coda_api_token"] {
        assert!(compose.contains(line) && page.contains(line), "{line}");
    }
    let output = run(0);
    assert!(output.status.success(), "{}", common::outcome(&output));
    let compose = place.read("notes/docker-compose.yml");
    assert!(compose.contains("\n  postgres:\n") && compose.contains("\n  db-init:\n"), "{compose}");
    let output = run(1);
    assert!(output.status.success(), "{}", common::outcome(&output));
    for name in ["postgres_owner_password", "postgres_password", "mcp_auth_encryption_key"] {
        let mode = fs::metadata(place.path(&format!("notes/secrets/{name}"))).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o444, "{name}");
    }
    assert_eq!(fs::metadata(place.path("notes/secrets")).unwrap().permissions().mode() & 0o777, 0o700);
    let key = place.read("notes/secrets/mcp_auth_encryption_key");
    assert_eq!(key.len(), 45);
    assert!(
        !run(1).status.success() && place.read("notes/secrets/mcp_auth_encryption_key") == key,
        "a key is written over"
    );
}

/// The table of the last runs. Nothing else writes it.
fn record(done: &BTreeSet<&str>) {
    let path = Path::new(ROOT).join("src/docs/exercised.txt");
    if std::env::var_os("UPDATE_EXERCISED").is_some() {
        let today = Command::new("date").args(["-u", "+%F"]).output().unwrap();
        let today = String::from_utf8(today.stdout).unwrap();
        let line = |section: &&str| format!("{section} {} {}\n", today.trim(), env!("CARGO_PKG_VERSION"));
        fs::write(&path, done.iter().map(line).collect::<String>()).unwrap();
    }
    let table = fs::read_to_string(&path).unwrap();
    let recorded: BTreeSet<&str> = table.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(&recorded, done, "a section is said to be exercised and is not, or the other way round");
}

#[test]
fn only_times_ports_and_ids_of_requests_are_masked() {
    let masked = host::masked("key 5bfa2f0fe7641b51 of 2026-01-02T03:04:05.123Z, 127.0.0.1:4711, 0badcafe-00000f");
    assert_eq!(masked, "key 5bfa2f0fe7641b51 of 2026-01-31T12:00:00Z, 127.0.0.1:5432, 4d130ebb-000001");
    assert_eq!(host::masked(&"0123abcd".repeat(8)), "0123abcd…", "tags are as long as secrets");
}
