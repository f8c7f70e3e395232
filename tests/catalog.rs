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
    assert_snapshot!("check_own", outcome(&place.run(&["catalog", "check"])));
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
    let path = format!("{ROOT}/schemas/catalog-1.schema.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&path, schema()).unwrap();
    }
    assert_eq!(fs::read_to_string(path).unwrap(), schema());
    let place = Place::new();
    assert_eq!(String::from_utf8(place.ok(&["catalog", "schema"]).stdout).unwrap(), schema());
}

fn json(node: &Node) -> serde_json::Value {
    match &node.value {
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
