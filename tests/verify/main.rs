//! `mcp-kit catalog verify` against servers that are as the catalog says, and against those that are not: they hang, lie,
//! redirect in circles, send too much, have an expired certificate. tests/e2e/fleet does the same with generated servers.
#![cfg(all(feature = "online", unix))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use regex::Regex;

#[path = "../common/mod.rs"]
mod common;
mod stub;
mod tls;

use common::{Place, mcp_kit, outcome, tree};
use stub::{Reply, Stub, mcp_server};

/// An entry with this name and more fields.
fn entry(name: &str, auth: &str, url: &str, more: &str) -> String {
    format!(
        "  - name: {name}\n    status: deployed\n    location: droplet\n    auth_method: {auth}\n    token_storage: env\n    url: {url}\n{more}"
    )
}

fn catalog(entries: &[String]) -> Place {
    tree(&[("catalog.yaml", &format!("catalog: 2\nservices:\n{}", entries.concat()))])
}

/// 2026-03-01.
const DAY: &str = "1772323200";

fn verify(place: &Place, more: &[&str]) -> Output {
    let mut command = mcp_kit(place);
    command.env("SOURCE_DATE_EPOCH", DAY).args(["catalog", "verify", "--timeout", "20"]).args(more).output().unwrap()
}

/// All that a person sees, without ports and times.
fn see(place: &Place, more: &[&str]) -> String {
    let text = place.normalized(&outcome(&verify(place, more)));
    Regex::new(r"127\.0\.0\.1:\d+").unwrap().replace_all(&text, "[ADDRESS]").into_owned()
}

fn credentials(place: &Place, text: &str) {
    place.write("fleet.yaml", text);
    fs::set_permissions(place.path("fleet.yaml"), fs::Permissions::from_mode(0o600)).unwrap();
}

const TOKEN: &str = "Bearer open-sesame-0123456789"; // pragma: allowlist secret

#[test]
fn a_server_that_is_as_the_catalog_says() {
    let stub = Stub::start(mcp_server("bearer", "1.2.0"));
    let place = catalog(&[entry(
        "Notes",
        "bearer",
        &stub.url("/mcp"),
        "    version: 1.2.0\n    tools:\n      - {name: delete_note, destructive: true}\n      - {name: list_notes, read_only: true}\n",
    )]);
    credentials(&place, &format!("notes:\n  Authorization: {TOKEN}\n"));
    let said = see(&place, &["--credentials", "fleet.yaml"]);
    assert_eq!(said, "1 service, 1 address asked in [TIME]: no findings\nexit 0\n");
    let agents = stub.seen(|request| request.header("user-agent").to_owned());
    assert!(agents.contains(&"Claude-User".to_owned()) && agents.iter().any(|agent| agent.starts_with("mcp-kit/")));
}

/// The template is known to callers with credentials only, and is compared with the catalog and with this program's own.
#[test]
fn the_version_of_the_template() {
    let stub = Stub::start(mcp_server("bearer", "1.2.0"));
    let place = catalog(&[entry("Notes", "bearer", &stub.url("/mcp"), "    template: 0.2.0\n")]);
    let said = see(&place, &[]);
    assert!(!said.contains("template-drift"), "without a credential nothing is known: {said}");
    credentials(&place, &format!("notes:\n  Authorization: {TOKEN}\n"));
    let said = see(&place, &["--credentials", "fleet.yaml"]);
    let drift = "warning[template-drift]: Notes was made from template \"0.1.5\", and the catalog says \"0.2.0\"";
    assert!(said.contains(drift), "{said}");
    see(&place, &["--credentials", "fleet.yaml", "--write"]);
    assert!(place.read("catalog.yaml").contains("    template: 0.1.5\n"), "{}", place.read("catalog.yaml"));
    let said = see(&place, &["--credentials", "fleet.yaml"]);
    let older = "note[template-drift]: Notes was made from template \"0.1.5\", and this mcp-kit has \"0.2.0\"";
    assert!(!said.contains("warning[template-drift]") && said.contains(older), "{said}");
    // What was written with its digest is not torn apart.
    let text = place.read("catalog.yaml").replace("template: 0.1.5", "template: {version: 0.1.0, digest: abc}");
    place.write("catalog.yaml", text);
    see(&place, &["--credentials", "fleet.yaml", "--write"]);
    assert!(place.read("catalog.yaml").contains("template: {version: 0.1.0, digest: abc}"));
}

#[test]
fn a_drifting_fleet() {
    let open = Stub::start(mcp_server("none", "0.9.0"));
    let notes = Stub::start(mcp_server("bearer", "2.0.0"));
    let edge = Stub::start(|request: &stub::Request| {
        if request.header("user-agent") == "Claude-User" {
            return Reply::new(403, "text/plain", "Your request was blocked.");
        }
        Reply::new(302, "text/html", "").with("location", "https://team.cloudflareaccess.com/cdn-cgi/access/login/x")
    });
    let tunnel = Stub::start(|_: &stub::Request| Reply::new(530, "text/html", "error code: 1033"));
    let place = catalog(&[
        entry("Open", "cloudflare-access", &open.url("/mcp"), ""),
        entry(
            "Notes",
            "bearer",
            &notes.url("/mcp"),
            "    version: 1.2.0 # of May\n    tools:\n      - list_notes # reviewed\n      - {name: delete_note, destructive: false}\n      - gone\n    template: 0.0.9\n",
        ),
        entry("Edge", "cloudflare-access", &edge.url("/mcp"), ""),
        entry("Tunnel", "cloudflare-access", &tunnel.url("/mcp"), ""),
        entry("Elsewhere", "oauth", &edge.url("/mcp"), "    environments: [{name: staging, status: planned, url: \"https://no.example\"}]\n"),
        "  - {name: Later, status: planned, location: local, auth_method: none, token_storage: none, url: \"https://later.invalid/mcp\"}\n".to_owned(),
        "  - {name: Template, kind: template}\n".to_owned(),
    ]);
    credentials(&place, &format!("notes:\n  Authorization: {TOKEN}\nnobody:\n  Authorization: {TOKEN}\n"));
    let before = place.read("catalog.yaml");
    assert_snapshot!("drifting_fleet", see(&place, &["--credentials", "fleet.yaml"]));
    assert_eq!(place.read("catalog.yaml"), before, "without --write nothing is written");
    let github = see(&place, &["--credentials", "fleet.yaml", "--format", "github"]);
    assert!(github.contains("::error file=catalog.yaml,line=") && github.contains("open-server"), "{github}");
    let dry = see(&place, &["--credentials", "fleet.yaml", "--write", "--dry-run"]);
    assert!(dry.contains("+    version: 2.0.0 # of May") && place.read("catalog.yaml") == before, "{dry}");
    let wrote = see(&place, &["--credentials", "fleet.yaml", "--write"]);
    assert!(wrote.contains("recorded 1 service of catalog.yaml"), "{wrote}");
    let after = before
        .replace("version: 1.2.0 # of May", "version: 2.0.0 # of May")
        .replace("{name: delete_note, destructive: false}", "{name: delete_note, destructive: true}")
        .replace("- list_notes # reviewed", "- {name: list_notes, read_only: true} # reviewed")
        .replace("      - gone\n", "")
        .replace("template: 0.0.9", "template: 0.1.5");
    let after = after
        .replace("destructive: true}\n    template", "destructive: true}\n    last_verified: 2026-03-01\n    template");
    assert_eq!(place.read("catalog.yaml"), after);
    for secret in [said_everywhere(&place), dry, wrote, github] {
        assert!(!secret.contains("sesame"), "{secret}");
    }
}

/// Every format and the verbose output.
fn said_everywhere(place: &Place) -> String {
    let formats = ["human", "json", "sarif", "gitlab", "junit", "markdown"];
    let all = formats.map(|format| see(place, &["--credentials", "fleet.yaml", "--format", format, "--verbose"]));
    all.concat()
}

/// The edge challenges clients without a credential, and what is behind it shows to a client with one: whose answer it is decides where the
/// person on call looks.
#[test]
fn behind_the_edge_only_a_credential_tells() {
    /// Behind Cloudflare Access, with this answer to a client that it lets pass.
    fn behind(reply: impl Fn() -> Reply + Send + Sync + 'static) -> Stub {
        Stub::start(move |request: &stub::Request| {
            let host = request.header("host").to_owned();
            match request.path.as_str() {
                "/.well-known/cloudflare-access-protected-resource/mcp" => Reply::json(&format!(
                    r#"{{"resource":"http://{host}/mcp","authorization_servers":["http://{host}"]}}"#
                )),
                "/.well-known/oauth-authorization-server" => Reply::json(&format!(
                    r#"{{"issuer":"http://{host}","authorization_endpoint":"https://x","token_endpoint":"https://x","code_challenge_methods_supported":["S256"]}}"#
                )),
                _ if request.header("cf-access-client-secret").is_empty() => Reply::new(401, "text/plain", "").with(
                    "www-authenticate",
                    &format!(
                        "Bearer resource_metadata=\"http://{host}/.well-known/cloudflare-access-protected-resource/mcp\""
                    ),
                ),
                "/health" if !matches!(reply(), Reply::Answer { status: 530, .. }) => Reply::json(r#"{"status":"ok"}"#),
                _ => reply(),
            }
        })
    }
    const REFUSED: &str =
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"expired"},"code":"MCP-AUTH-010"}"#;
    const KEYS: &str = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32603,"message":"keys"},"code":"MCP-AUTH-017"}"#;
    const BUSY: &str =
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32603,"message":"too many requests at once; try again"}}"#;
    const WRONG: &str = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"no"}}"#;
    let servers: Vec<(&str, Stub)> = vec![
        ("Tunnel", behind(|| Reply::new(530, "text/html", "error code: 1033"))),
        ("Expired", behind(|| Reply::new(401, "application/json", REFUSED))),
        ("Keys", behind(|| Reply::new(503, "application/json", KEYS))),
        ("Busy", behind(|| Reply::new(503, "application/json", BUSY))),
        ("Policy", behind(|| Reply::new(403, "text/html", "<h1>Forbidden"))),
        ("Host", behind(|| Reply::new(403, "text/plain", "Forbidden: Host not allowed"))),
        ("Page", behind(|| Reply::new(200, "text/html", "<p>Welcome"))),
        ("Wrong", behind(|| Reply::new(200, "application/json", WRONG))),
        ("Unasked", behind(|| Reply::new(500, "text/plain", ""))),
    ];
    let entries: Vec<String> =
        servers.iter().map(|(name, stub)| entry(name, "cloudflare-access", &stub.url("/mcp"), "")).collect();
    let place = catalog(&entries);
    let known = servers.iter().filter(|(name, _)| *name != "Unasked");
    let headers = known.map(|(name, _)| format!("{}:\n  CF-Access-Client-Secret: abc\n", name.to_lowercase()));
    credentials(&place, &headers.collect::<String>());
    assert_snapshot!("behind_the_edge", see(&place, &["--credentials", "fleet.yaml", "--write"]));
}

/// What does not answer is not said to lack what nobody could read.
#[test]
fn an_issuer_that_does_not_answer() {
    let issuer = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let stub = Stub::start(move |request: &stub::Request| {
        let host = request.header("host").to_owned();
        if request.path == "/metadata" {
            return Reply::json(&format!(r#"{{"resource":"http://{host}/mcp","authorization_servers":["{issuer}"]}}"#));
        }
        let challenge = format!("Bearer resource_metadata=\"http://{host}/metadata\"");
        Reply::new(401, "application/json", "{}").with("www-authenticate", &challenge)
    });
    let place = catalog(&[entry("Notes", "oidc", &stub.url("/mcp"), "")]);
    let said = see(&place, &[]);
    let silent = "Notes leads no client to a login: the authorization server http://[ADDRESS]/ cannot be reached: ";
    assert!(said.contains(silent), "{said}");
    assert!(said.contains("note: without a credential, version and tools were not compared: notes\n"), "{said}");
}

#[test]
fn servers_that_misbehave() {
    let html = Stub::start(|_: &stub::Request| Reply::new(200, "text/html", "<p>Welcome"));
    let large = Stub::start(|_: &stub::Request| Reply::large(100 * 1024 * 1024));
    let circle = Stub::start(|request: &stub::Request| {
        let to = if request.path == "/mcp" { "/mcp/" } else { "/mcp" };
        Reply::new(307, "text/plain", "").with("location", to)
    });
    let broken = Stub::start(|_: &stub::Request| Reply::Break);
    let garbage = Stub::start(|_: &stub::Request| Reply::Raw(b"\x16\x03 nothing of HTTP\r\n\r\n".to_vec()));
    let forbidden = Stub::start(|_: &stub::Request| Reply::new(403, "text/html", "<h1>Sorry, you have been blocked"));
    let host = Stub::start(|_: &stub::Request| Reply::new(403, "text/plain", "Forbidden: Host not allowed"));
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/mcp", listener.local_addr().unwrap())
    };
    let place = catalog(&[
        entry("Html", "none", &html.url("/mcp"), ""),
        entry("Large", "none", &large.url("/mcp"), ""),
        entry("Circle", "none", &circle.url("/mcp"), ""),
        entry("Broken", "none", &broken.url("/mcp"), ""),
        entry("Garbage", "none", &garbage.url("/mcp"), ""),
        entry("Forbidden", "none", &forbidden.url("/mcp"), ""),
        entry("Host", "none", &host.url("/mcp"), ""),
        entry("Closed", "none", &closed, ""),
        entry("Nameless", "none", "https://no-such-host.invalid/mcp", ""),
    ]);
    let start = Instant::now();
    let said = see(&place, &[]);
    // Resolvers word it differently.
    let said = Regex::new(r"(without an address: ).*").unwrap().replace_all(&said, "$1[REASON]").into_owned();
    assert_snapshot!("misbehaving", said);
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    assert!(large.sent() < 40 * 1024 * 1024, "not all of a large answer is taken: {}", large.sent());
}

#[test]
fn a_lying_server() {
    let lying = Stub::start(|request: &stub::Request| {
        if request.path == "/health" {
            let health =
                r#"{"status":"degraded","version":"1.0.0","auth":{"mode":"cloudflare","tokenStorage":"postgres"}}"#;
            return Reply::new(200, "application/json", health);
        }
        match request.method().as_str() {
            "initialize" => Reply::json(
                r#"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"x","version":"9.9.9\u001b[31m"}}}"#,
            ),
            "tools/list" => Reply::json(r#"{"jsonrpc":"2.0","id":2,"result":{"tools":[{"name":"a"},{"name":"a"}]}}"#),
            _ => Reply::new(202, "text/plain", ""),
        }
    });
    let endless = Stub::start(|request: &stub::Request| match request.method().as_str() {
        "tools/list" => Reply::json(&format!(
            r#"{{"jsonrpc":"2.0","id":2,"result":{{"tools":[{{"name":"t{}"}}],"nextCursor":"more"}}}}"#,
            request.number
        )),
        "initialize" => Reply::json(
            r#"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}}}}"#,
        ),
        _ => Reply::new(202, "text/plain", ""),
    });
    let metadata = Stub::start(|request: &stub::Request| {
        let host = request.header("host").to_owned();
        match request.path.as_str() {
            "/mcp" => Reply::new(401, "application/json", "{}").with(
                "www-authenticate",
                &format!("Bearer resource_metadata=\"http://{host}/.well-known/oauth-protected-resource/mcp\""),
            ),
            "/.well-known/oauth-protected-resource/mcp" => {
                Reply::json(&format!(r#"{{"resource":"http://{host}/mcp","authorization_servers":["http://{host}"]}}"#))
            }
            "/.well-known/oauth-authorization-server" => {
                Reply::json(&format!(r#"{{"issuer":"http://{host}","authorization_endpoint":"https://x"}}"#))
            }
            _ => Reply::new(404, "text/plain", ""),
        }
    });
    let place = catalog(&[
        entry("Lying", "none", &lying.url("/mcp"), ""),
        entry("Endless", "none", &endless.url("/mcp"), ""),
        entry("Metadata", "oidc", &metadata.url("/mcp"), ""),
    ]);
    let said = see(&place, &[]);
    assert!(!said.contains('\u{1b}'), "{said}");
    assert_snapshot!("lying", said);
}

#[test]
fn a_server_of_the_newest_revision_and_one_with_streams() {
    let modern = Stub::start(|request: &stub::Request| {
        match (request.method().as_str(), request.header("mcp-method")) {
            ("initialize", _) => Reply::new(
                404,
                "application/json",
                r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}"#,
            ),
            ("server/discover", "server/discover") => Reply::json(
                r#"{"jsonrpc":"2.0","id":2,"result":{"supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"serverInfo":{"name":"m","version":"3.0.0"}}}"#,
            ),
            ("tools/list", "tools/list") => {
                Reply::json(r#"{"jsonrpc":"2.0","id":2,"result":{"tools":[{"name":"one"}]}}"#)
            }
            _ => Reply::new(400, "text/plain", ""),
        }
    });
    // Answers in streams that stay open, and wants its session.
    let stream = Stub::start(|request: &stub::Request| {
        match request.method().as_str() {
        "initialize" => Reply::Stream(r#"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"4.0.0"}}}"#.to_owned()),
        "tools/list" if request.header("mcp-session-id") == "s1" && request.header("mcp-protocol-version") == "2025-06-18" => {
            Reply::Stream(r#"{"jsonrpc":"2.0","id":2,"result":{"tools":[{"name":"two"}]}}"#.to_owned())
        }
        _ => Reply::new(202, "text/plain", ""),
    }
    });
    let place =
        catalog(&[entry("Modern", "none", &modern.url("/mcp"), ""), entry("Stream", "none", &stream.url("/mcp"), "")]);
    let said = see(&place, &["--service", "stream", "--write"]);
    assert!(said.contains("no findings"), "{said}");
    let text = place.read("catalog.yaml");
    assert!(text.contains("version: 4.0.0") && text.contains("      - two") && !text.contains("- one"), "{text}");
    let said = see(&place, &["--service", "Modern", "--write"]);
    let text = place.read("catalog.yaml");
    assert!(text.contains("version: 3.0.0") && text.contains("      - one"), "{said}{text}");
}

/// The time is that of the slowest round, and not of all servers.
#[test]
fn two_hundred_servers_that_hang() {
    let hang = Stub::start(|_: &stub::Request| Reply::Hang);
    let entries: Vec<String> =
        (0..200).map(|number| entry(&format!("S{number}"), "none", &hang.url(&format!("/{number}/mcp")), "")).collect();
    let place = catalog(&entries);
    let start = Instant::now();
    let mut command = mcp_kit(&place);
    let output = command
        .args(["catalog", "verify", "--timeout", "2", "--concurrency", "100", "--format", "json"])
        .output()
        .unwrap();
    let elapsed = start.elapsed();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let late = report["findings"].as_array().unwrap();
    assert_eq!((late.len(), output.status.code()), (200, Some(1)));
    assert!(
        late.iter().all(|finding| finding["message"].as_str().unwrap().ends_with("did not answer in 2 s")),
        "{late:?}"
    );
    assert_eq!(report["fleet"]["asked"], 200);
    // Two rounds of two seconds; one after the other they would need 400.
    assert!(elapsed < Duration::from_secs(40), "{elapsed:?}");
    // A connection is open for a moment longer than its request.
    assert!(hang.most() < 150, "{}", hang.most());
}

#[test]
fn certificates() {
    let (expired, soon, good) = (tls::Server::start(-1), tls::Server::start(5), tls::Server::start(400));
    let place = catalog(&[
        entry("Expired", "none", &expired.url(), ""),
        entry("Soon", "none", &soon.url(), ""),
        entry("Good", "none", &good.url(), ""),
    ]);
    place.write("roots.pem", [expired.pem.as_str(), &soon.pem, &good.pem].concat());
    let mut command = mcp_kit(&place);
    command.env("SSL_CERT_FILE", place.path("roots.pem")).env_remove("SSL_CERT_DIR");
    let said = outcome(&command.args(["catalog", "verify", "--timeout", "20"]).output().unwrap());
    assert!(
        said.contains("error[certificate-ends]: Expired has no valid certificate: ") && said.contains("xpired"),
        "{said}"
    );
    assert!(
        said.contains("warning[certificate-ends]: Soon has a certificate that ends on ") && said.contains(" days"),
        "{said}"
    );
    assert!(!said.contains("certificate-ends]: Good"), "{said}");
    let untrusted = outcome(&verify(&place, &["--service", "Good"]));
    assert!(untrusted.contains("certificate-ends]: Good has no valid certificate"), "{untrusted}");
}
