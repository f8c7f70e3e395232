//! `mcp-kit catalog` from outside, and `audit:` as `audit-docs` takes it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::fs;

use common::{Place, outcome};
use insta::assert_snapshot;
use mcp_kit::catalog::yaml::{self, Node, Value};
use mcp_kit::catalog::{Catalog, schema};
use proptest::prelude::*;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn with(catalog: impl AsRef<[u8]>) -> Place {
    let place = Place::new();
    fs::write(place.path("catalog.yaml"), catalog).unwrap();
    place
}

fn check(catalog: impl AsRef<[u8]>) -> String {
    outcome(&with(catalog).run(&["catalog", "check"]))
}

#[test]
fn the_catalog_of_this_repository_is_good_and_lists_its_servers() {
    let place = with(fs::read(format!("{ROOT}/catalog.yaml")).unwrap());
    assert_snapshot!("check_own", place.see(&["catalog", "check"]));
    assert_snapshot!("list_own", outcome(&place.run(&["catalog", "list"])));
    let list = place.json(&["catalog", "list", "--format", "json"]);
    assert_eq!(
        (&list["schema"], &list["services"][1]["token_storage"]),
        (&"mcp-kit/catalog-list/1".into(), &"kv".into())
    );
}

#[test]
fn everything_that_is_wrong_is_said_at_once_and_where() {
    let said = check(
        r#"organisation: {nmae: Us}
services:
  - name: One
    status: deploied
    location: droplet
    auth_method: oauth
    token_storage: none
    url: http://one.example
    last_verified: 2025-02-30
    sop: ../../etc/passwd
  - name: one
    status: deployed
    status: planned
    location: the moon
    auth_method: none
  - just a name
deprecations:
  - path: docs/old.md
    date: yesterday
    reason: ""
audit:
  severities:
    broken-lnik: error
    orphan: fatal
  deprecated: "phase_(1"
  exclude: docs/**
servces: []
"#,
    );
    assert_snapshot!("check_problems", said);
}

#[test]
fn what_cannot_be_read_at_all() {
    assert_snapshot!("check_open_string", check("services:\n  - name: \"x\n"));
    assert_snapshot!("check_tab", check("services:\n\t- name: x\n"));
    assert_snapshot!("check_not_utf8", check(b"organisation:\n  name: \xff\n"));
    assert_snapshot!("check_two_documents", check("a: 1\n---\nb: 2\n"));
    assert_snapshot!("check_list", check("- a list\n"));
    assert_snapshot!("check_escape", check("x: \u{1b}[31mred\u{1b}[0m\n"));
    assert_snapshot!("check_missing", outcome(&Place::new().run(&["catalog", "check"])));
}

#[test]
fn a_service_is_added_and_nothing_else_is_touched() {
    let own = fs::read_to_string(format!("{ROOT}/catalog.yaml")).unwrap();
    let place = with(&own);
    let add = |more: &[&str]| {
        let given =
            ["--status", "planned", "--location", "kubernetes", "--auth-method", "oauth", "--token-storage", "kv"];
        place.run(&[&["catalog", "add"], &given[..], more].concat())
    };
    assert_snapshot!("add_dry_run", outcome(&add(&["Notes: #1", "--url", "https://notes.example", "--dry-run"])));
    assert_eq!(place.read("catalog.yaml"), own, "a dry run writes nothing");
    assert_snapshot!("add", outcome(&add(&["Notes: #1", "--url", "https://notes.example"])));
    assert!(place.read("catalog.yaml").starts_with(&own));
    assert_eq!(place.json(&["catalog", "list", "--format", "json"])["services"][5]["name"], "Notes: #1");
    let all = place.read("catalog.yaml");
    assert_snapshot!("add_taken", outcome(&add(&["notes: #1"])));
    assert_snapshot!("add_wrong_url", outcome(&add(&["Other", "--url", "ftp://x"])));
    assert_eq!(place.read("catalog.yaml"), all);
}

/// What a newcomer is given needs no migration.
#[test]
fn a_new_catalog_is_of_the_newest_form() {
    let given =
        ["Notes", "--status", "planned", "--location", "local", "--auth-method", "none", "--token-storage", "none"];
    for begin in [&[&["catalog", "add"], &given[..]].concat()[..], &["init", "--defaults", "--no-pages", "--no-ci"]] {
        let place = Place::new();
        place.ok(begin);
        let text = place.read("catalog.yaml");
        assert!(text.contains("catalog: 2\n"), "{text}");
        let checked = outcome(&place.run(&["catalog", "check"]));
        assert!(checked.ends_with("no problems\nexit 0\n"), "{checked}");
    }
}

#[test]
fn an_empty_catalog_is_one() {
    assert_snapshot!("check_empty", check("# nothing yet\n"));
}

#[test]
fn audit_docs_takes_its_settings_from_the_catalog() {
    let place = with(
        "audit:\n  exclude: [old/**]\n  severities: {orphan: error, broken-link: off}\n  orphans_allowed: [notes/**]\n",
    );
    for (path, text) in
        [("README.md", "[x](gone.md)\n"), ("old/a.md", "[x](#gone)\n"), ("notes/b.md", ""), ("c.md", "")]
    {
        fs::create_dir_all(place.path(path).parent().unwrap()).unwrap();
        fs::write(place.path(path), text).unwrap();
    }
    let said = |arguments: &[&str]| {
        let output = place.run(&[&["audit-docs", "--format", "json"], arguments].concat());
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let codes = report["findings"].as_array().cloned().unwrap_or_default();
        codes.iter().map(|f| format!("{} {} {}", f["severity"], f["code"], f["path"])).collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!("audit_settings", said(&[]));
    fs::write(place.path("other.yaml"), "{}").unwrap();
    assert!(said(&["--catalog", "other.yaml"]).contains("broken-link"), "another file, other settings");
    fs::write(place.path("catalog.yaml"), "audit: {flavor: gitbuh}\n").unwrap();
    let output = place.run(&["audit-docs"]);
    assert_eq!(output.status.code(), Some(2));
    assert_snapshot!("audit_settings_wrong", outcome(&output));
}

/// The schema that editors use is the one of the types. `UPDATE_SCHEMA=1 cargo test --test catalog` writes it.
#[test]
fn the_published_schema_is_that_of_the_types() {
    let path = format!("{ROOT}/schemas/catalog-2.schema.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&path, schema()).unwrap();
    }
    assert_eq!(fs::read_to_string(path).unwrap(), schema());
    let place = Place::new();
    assert_eq!(String::from_utf8(place.ok(&["catalog", "schema"]).stdout).unwrap(), schema());
}

fn json(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Scalar(Some(text)) if text == "true" || text == "false" => (text == "true").into(),
        Value::Scalar(Some(text)) => text.parse::<u32>().map_or_else(|_| text.clone().into(), Into::into),
        Value::Scalar(None) => serde_json::Value::Null,
        Value::List(nodes) => nodes.iter().map(json).collect(),
        Value::Map(entries) => entries.iter().map(|(key, _, node)| (key.clone(), json(node))).collect(),
    }
}

/// What the schema says of a catalog.
fn is_valid(text: &str) -> bool {
    let schema: serde_json::Value = serde_json::from_str(&schema()).unwrap();
    let (mut compiler, mut schemas) = (boon::Compiler::new(), boon::Schemas::new());
    compiler.add_resource("mem:///catalog.json", schema).unwrap();
    let schema = compiler.compile("mem:///catalog.json", &mut schemas).unwrap();
    schemas.validate(&json(&yaml::parse(text).unwrap().unwrap()), schema).is_ok()
}

#[test]
fn the_schema_agrees_with_the_reader() {
    let service = "{name: a, status: deployed, location: droplet, auth_method: none, token_storage: none";
    for (text, good) in [
        (fs::read_to_string(format!("{ROOT}/catalog.yaml")).unwrap(), true),
        (format!("services: [{service}, url: https://x.example}}]"), true),
        (format!("services: [{service}, colour: red}}]"), false),
        ("services: [{name: a}]".to_owned(), false),
        (format!("services: [{}}}]", service.replace("droplet", "moon")), false),
        ("audit: {severities: {orphan: error}, exclude: [a]}".to_owned(), true),
        ("audit: {online: {cache_days: 7}}".to_owned(), true),
        ("audit: {online: {believed_days: 7}}".to_owned(), true),
        ("audit: {online: {believed_days: 400}}".to_owned(), false),
        ("nonsense: 1".to_owned(), false),
        ("x-nonsense: {a: [1]}".to_owned(), true),
        (format!("services: [{service}, x-cost: {{a: 1}}, id: a-b, tags: [x]}}]"), true),
        (format!("services: [{service}, id: A b}}]"), false),
        ("services: [{name: T, kind: template}]".to_owned(), true),
        ("services: [{name: T, kind: portal, servers: [T]}]".to_owned(), true),
        ("services: [{name: T, kind: server}]".to_owned(), false),
        (
            format!(
                "services: [{service}, tools: [a, {{name: b, read_only: true}}], environments: [{{name: p, folder: /opt}}]}}]"
            ),
            true,
        ),
        (format!("services: [{service}, tools: [{{read_only: true}}]}}]"), false),
        (
            format!(
                "services: [{service}, upstreams: [{{name: x, rotate_by: 2026-01-01}}], template: {{version: 0.1.0}}}}]"
            ),
            true,
        ),
        ("catalog: 2".to_owned(), true),
        ("catalog: 3".to_owned(), false),
        ("check: {verified_days: 30, severities: {missing-owner: error}}".to_owned(), true),
        ("organisation: {name: x, domain: example.com}".to_owned(), true),
    ] {
        assert_eq!((is_valid(&text), Catalog::parse(text.as_bytes()).is_ok()), (good, good), "{text}");
    }
}

#[test]
fn the_earlier_name_of_a_setting_is_read() {
    let days = |text: &str| Catalog::parse(text.as_bytes()).map(|catalog| catalog.audit.online.cache_days).ok();
    assert_eq!(days("audit: {online: {cache_days: 7}}"), Some(Some(7)));
    assert_eq!(days("audit: {online: {believed_days: 7}}"), Some(Some(7)));
    assert_eq!(days("audit: {online: {cache_days: 7, believed_days: 7}}"), None);
}

proptest! {
    #[test]
    fn no_text_brings_it_down(text in "[-a-z:&*\\[\\]{}\"'#|> \\n\\t\u{e9}\u{1b}!%@,?~0-9]{0,200}") {
        let problems = Catalog::parse(text.as_bytes()).err();
        for problem in problems.iter().flat_map(|(_, problems)| problems) {
            prop_assert!(problem.span.start <= text.len() + 1);
        }
        let _ = check_shown(&text);
    }

    #[test]
    fn no_bytes_bring_it_down(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = Catalog::parse(&bytes);
    }
}

/// Problems can be shown, wherever they are.
fn check_shown(text: &str) -> Option<String> {
    let (text, problems) = Catalog::parse(text.as_bytes()).err()?;
    Some(mcp_kit::catalog::problem::Problems { path: "catalog.yaml".into(), text, problems }.to_string())
}

/// What version 1 could hold, with comments, an old key, a template that is none yet, and names that make one id.
const OLD: &str = "# The servers of Us.\r\n\r\norganisation: {name: Us} # that is we\r\nservices:\r\n  # the first\r\n  - name: Notes # ours\r\n    status: planned # soon\r\n    location: local\r\n    auth_method: none\r\n    token_storage: none\r\n  - {name: notes!, status: planned, location: local, auth_method: none, token_storage: none} # in one line\r\n  - name: New MCP Template\r\n    status: planned\r\n    location: droplet\r\n    auth_method: bearer\r\n    token_storage: env\r\n\r\naudit:\r\n  online: {believed_days: 7} # a week\r\n";

#[test]
fn an_old_catalog_loads_and_is_migrated_with_its_comments() {
    let place = with(OLD);
    assert_snapshot!("check_old", place.see(&["catalog", "check"]));
    let dry = outcome(&place.run(&["catalog", "migrate", "--dry-run"]));
    assert!(dry.starts_with("--- a/catalog.yaml") && place.read("catalog.yaml") == OLD, "{dry}");
    assert_eq!(outcome(&place.run(&["catalog", "migrate"])), "catalog.yaml: 4 changes made\nexit 0\n");
    let new = OLD
        .replace("organisation:", "catalog: 2\r\norganisation:")
        .replace("{name: notes!,", "{name: notes!, id: notes-2,")
        .replace("Template\r\n", "Template\r\n    kind: template\r\n")
        .replace("believed_days", "cache_days");
    assert_eq!(place.read("catalog.yaml"), new);
    assert_eq!(
        outcome(&place.run(&["catalog", "check"])),
        "catalog.yaml: 3 services and 0 deprecations, no problems\nexit 0\n"
    );
    assert_eq!(outcome(&place.run(&["catalog", "migrate"])), "catalog.yaml: nothing to migrate\nexit 0\n");
    assert_eq!(place.read("catalog.yaml"), new);
}

#[test]
fn a_deployed_server_without_owner_url_or_verification_is_a_warning_that_can_be_an_error() {
    let text = "catalog: 2\nservices:\n  - name: Notes\n    status: deployed\n    location: local\n    auth_method: none\n    token_storage: none\n  - name: Fresh\n    status: deployed\n    location: local\n    auth_method: none\n    token_storage: none\n    owner: us\n    environments: [{name: production, url: https://fresh.example.com/mcp}]\n    last_verified: 2025-12-01\n";
    let place = with(text);
    let check = |place: &Place, more: &[&str]| {
        let mut command = common::mcp_kit(place);
        let output =
            command.env("SOURCE_DATE_EPOCH", "1772323200").args(["catalog", "check"]).args(more).output().unwrap();
        place.normalized(&outcome(&output))
    };
    assert_snapshot!("check_incomplete", check(&place, &[]));
    assert!(check(&place, &["--strict"]).ends_with("exit 1\n"));
    let sarif = check(&place, &["--format", "sarif"]);
    assert!(sarif.contains("\"ruleId\": \"missing-owner\"") && sarif.contains("mcp-kit catalog check"), "{sarif}");
    place.write(
        "catalog.yaml",
        format!("{text}check:\n  verified_days: 120\n  severities: {{missing-owner: error, missing-url: off}}\n"),
    );
    let said = check(&place, &[]);
    assert!(
        said.contains("error[missing-owner]") && !said.contains("missing-url") && said.ends_with("exit 1\n"),
        "{said}"
    );
    assert!(said.contains("never verified") && !said.contains("Fresh was last"), "{said}");
    assert!(outcome(&place.run(&["catalog", "explain", "missing-owner"])).contains("nobody knows whom to call"));
}

#[test]
fn rules_between_fields_are_said_with_their_place() {
    assert_snapshot!(
        "check_rules",
        check(
            "catalog: 3\norganisation: {name: Us, domain: not a domain}\nservices:\n  - {name: A, id: same, status: deprecated, location: vm, auth_method: mtls, token_storage: vault, replaced_by: Bb}\n  - {name: Bbb, id: same, status: retired, location: lambda, auth_method: oidc, token_storage: worker-secrets, tools: [{name: x, read_only: true, destructive: true}]}\n  - {name: P, kind: portal, servers: [A, nobody]}\n  - {name: T, kind: template, status: deployed}\ncheck:\n  severities: {mising-owner: error, missing-url: loud}\ndocs:\n  pages: {service: docs/one.md}\n"
        )
    );
}

/// A large fleet is checked, exported and built in seconds.
#[test]
fn five_thousand_services() {
    let mut text = "catalog: 2\norganisation: {name: Us, domain: example.com}\nservices:\n".to_owned();
    for number in 0..5000 {
        text += &format!(
            "  - name: Server {number}\n    description: The server of number {number}\n    status: deployed\n    location: workers\n    auth_method: oauth\n    token_storage: kv\n    url: https://s{number}.example.com/mcp\n    owner: team-{}\n    version: 1.0.{number}\n    last_verified: 2026-01-01\n",
            number % 7
        );
    }
    let place = with(&text);
    let start = std::time::Instant::now();
    let check = place.run(&["catalog", "check", "--format", "json"]);
    assert_eq!(check.status.code(), Some(0));
    let catalog = place.json(&["catalog", "export", "--to", "ai-catalog"]);
    assert_eq!(catalog["entries"].as_array().map(Vec::len), Some(5000));
    let backstage = place.ok(&["catalog", "export", "--to", "backstage"]);
    assert_eq!(String::from_utf8(backstage.stdout).unwrap().matches("kind: \"Component\"").count(), 5000);
    // Written, it is as many files as the disk can sync.
    let built = place.ok(&["docs", "build", "--dry-run"]);
    assert!(String::from_utf8(built.stdout).unwrap().contains("mcp/services/server-4999.md"));
    assert!(start.elapsed() < std::time::Duration::from_secs(300), "{:?}", start.elapsed());
}
