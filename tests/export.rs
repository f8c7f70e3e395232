//! `mcp-kit catalog export`: each form against the published schema in `tests/fixtures/export-schemas`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};

use common::{Place, outcome, tree};
use insta::assert_snapshot;
use mcp_kit::catalog::yaml;
use serde_json::Value;

const SCHEMAS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/export-schemas");

const FLEET: &str = r##"catalog: 2
organisation: {name: Us, domain: example.com}
services:
  - name: Coda
    description: Documents, tables and rows of Coda
    status: deployed
    location: droplet
    auth_method: cloudflare-access
    token_storage: postgresql
    url: https://coda.example.com/mcp
    owner: platform
    version: 1.2.0
    repository: https://github.com/example/coda
    dashboards: {Requests: "https://grafana.example.com/d/coda"}
    tags: [Documents, "#internal"]
    tools: [list_docs]
  - name: 4 "Notes" ${x}
    description: "Notes of %{y}"
    status: deprecated
    location: workers
    auth_method: bearer
    token_storage: worker-secrets
    url: https://notes.example.com:8443/mcp
    owner: The Notes Team
    version: 0.1.0
  - name: Open
    description: Everybody may
    status: deployed
    location: kubernetes
    auth_method: none
    token_storage: none
    environments:
      - {name: staging, status: planned, url: "https://staging.example.com/mcp"}
      - {name: production, url: "https://open.example.com/mcp"}
    owner: user:jo
    version: 2.0.0
  - {name: Later, status: planned, location: local, auth_method: oauth, token_storage: kv, owner: platform}
  - {name: All, kind: portal, status: deployed, url: "https://mcp.example.com/mcp", owner: platform, description: All servers}
  - {name: Ours, kind: template, repository: template}
"##;

/// A compiled schema, with the others that it names.
struct Schema {
    schemas: boon::Schemas,
    index: boon::SchemaIndex,
}

impl Schema {
    fn new(file: &str) -> Self {
        let schema: Value = serde_json::from_str(&fs::read_to_string(format!("{SCHEMAS}/{file}")).unwrap()).unwrap();
        Self::compile(&[("mem:///it.json", schema)], "mem:///it.json")
    }

    /// A kind of entity of Backstage. The names of its schemas are relative to nothing.
    fn backstage(kind: &str) -> Self {
        let files = ["Entity", "EntityMeta", "common", kind];
        let read = |file: &str| {
            let text = fs::read_to_string(format!("{SCHEMAS}/backstage/{file}.schema.json")).unwrap();
            let mut schema: Value = serde_json::from_str(&text).unwrap();
            schema.as_object_mut().unwrap().remove("$id");
            // `common#relation` is a definition in draft 7's old way.
            let text = schema.to_string().replace("\"$id\":\"#", "\"x-id\":\"#");
            let names = regex::Regex::new(r##""\$ref":"(common)?#(\w+)""##).unwrap();
            serde_json::from_str(&names.replace_all(&text, r##""$$ref":"$1#/definitions/$2""##)).unwrap()
        };
        let all: Vec<(String, Value)> = files.iter().map(|file| (format!("mem:///{file}"), read(file))).collect();
        let all: Vec<(&str, Value)> = all.iter().map(|(name, schema)| (name.as_str(), schema.clone())).collect();
        Self::compile(&all, &format!("mem:///{kind}"))
    }

    fn compile(all: &[(&str, Value)], name: &str) -> Self {
        let (mut compiler, mut schemas) = (boon::Compiler::new(), boon::Schemas::new());
        compiler.enable_format_assertions();
        for (name, schema) in all {
            compiler.add_resource(name, schema.clone()).unwrap();
        }
        let index = compiler.compile(name, &mut schemas).unwrap();
        Self { schemas, index }
    }

    fn holds(&self, value: &Value) {
        if let Err(error) = self.schemas.validate(value, self.index) {
            panic!("{error}\n{value:#}");
        }
    }

    fn refuses(&self, value: &Value) {
        assert!(self.schemas.validate(value, self.index).is_err(), "{value:#}");
    }
}

fn fleet() -> Place {
    tree(&[("catalog.yaml", FLEET)])
}

fn export(place: &Place, target: &str) -> String {
    String::from_utf8(place.ok(&["catalog", "export", "--to", target]).stdout).unwrap()
}

#[test]
fn server_json_is_that_of_the_registry() {
    let place = fleet();
    let said = outcome(&place.ok(&["catalog", "export", "--to", "server-json", "--out", "registry"]));
    assert_eq!(
        said,
        "wrote registry/coda/server.json\nwrote registry/4-notes-x/server.json\nwrote registry/open/server.json\nexit 0\n"
    );
    let schema = Schema::new("server.schema.json");
    for path in ["coda", "4-notes-x", "open"] {
        let value: Value = serde_json::from_str(&place.read(&format!("registry/{path}/server.json"))).unwrap();
        schema.holds(&value);
        let mut bad = value.clone();
        bad["name"] = "no slash".into();
        schema.refuses(&bad);
    }
    assert_snapshot!("server_json", place.read("registry/coda/server.json"));
    let one =
        String::from_utf8(place.ok(&["catalog", "export", "--to", "server-json", "--service", "Coda"]).stdout).unwrap();
    assert_eq!(one, place.read("registry/coda/server.json"));
    let open: Value = serde_json::from_str(&place.read("registry/open/server.json")).unwrap();
    assert_eq!(open["remotes"][0]["url"], "https://open.example.com/mcp", "production, though it is second");
}

#[test]
fn an_ai_catalog_has_a_server_card_for_each_server() {
    let value: Value = serde_json::from_str(&export(&fleet(), "ai-catalog")).unwrap();
    assert_eq!(value["specVersion"], "1.0");
    let schema = Schema::new("server-card.schema.json");
    let text = fs::read_to_string(format!("{SCHEMAS}/server-card.schema.json")).unwrap();
    let mut definitions: Value = serde_json::from_str(&text).unwrap();
    // The file holds definitions only; a card is one of them.
    definitions["$ref"] = "#/$defs/ServerCard".into();
    let card = Schema::compile(&[("mem:///card.json", definitions)], "mem:///card.json");
    let entries = value["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 3);
    for entry in entries {
        assert_eq!(entry["type"], "application/mcp-server-card+json");
        assert!(entry["identifier"].as_str().unwrap().starts_with("urn:air:example.com:mcp:"), "{entry}");
        assert!(entry.get("url").is_none(), "url or data, not both");
        schema.holds(&entry["data"]);
        card.holds(&entry["data"]);
        let mut bad = entry["data"].clone();
        bad.as_object_mut().unwrap().remove("version");
        card.refuses(&bad);
        bad = entry["data"].clone();
        bad["$schema"] = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json".into();
        card.refuses(&bad);
    }
    assert_snapshot!("ai_catalog", export(&fleet(), "ai-catalog"));
}

#[test]
fn backstage_takes_every_entity() {
    let text = export(&fleet(), "backstage");
    let kinds: BTreeMap<&str, Schema> = [
        ("Component", Schema::backstage("Component.v1alpha1")),
        ("API", Schema::backstage("API.v1alpha1.mcp-server")),
        ("Resource", Schema::backstage("Resource.v1alpha1")),
    ]
    .into();
    let mut seen = Vec::new();
    for document in text.split("---\n").filter(|document| !document.is_empty()) {
        let value = yaml::parse(document).unwrap().unwrap().json();
        let kind = value["kind"].as_str().unwrap();
        kinds[kind].holds(&value);
        // Names of entities: `KubernetesValidatorFunctions.isValidObjectName`.
        let name = value["metadata"]["name"].as_str().unwrap();
        assert!(name.len() <= 63 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)));
        let mut bad = value.clone();
        bad["spec"].as_object_mut().unwrap().remove("owner");
        kinds[kind].refuses(&bad);
        seen.push(format!("{kind}:{name}"));
    }
    assert_eq!(
        seen,
        [
            "Component:coda",
            "API:coda",
            "Resource:coda-tokens",
            "Component:4-notes-x",
            "API:4-notes-x",
            "Component:open",
            "API:open",
            "Component:later",
            "Resource:later-tokens",
            "Component:all",
            "API:all",
        ]
    );
    assert_snapshot!("backstage", text);
}

/// The attributes of a block and the blocks in it, as paths. `=` and `{` are at the ends of lines, as we write them.
fn attributes(text: &str) -> Vec<(String, Vec<String>)> {
    let (mut resources, mut path): (Vec<(String, Vec<String>)>, Vec<String>) = (Vec::new(), Vec::new());
    for line in text.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("resource \"") {
            resources.push((rest.split('"').next().unwrap().to_owned(), Vec::new()));
            path = vec![String::new()];
        } else if line.starts_with("variable") || line.starts_with("terraform") || line.starts_with("output") {
            path.clear();
        } else if let (Some((key, value)), false) = (line.split_once(" = "), path.is_empty()) {
            let key = key.trim().trim_start_matches(['{', ' ']);
            let full = path
                .iter()
                .filter(|part| !part.is_empty())
                .map(String::as_str)
                .chain([key])
                .collect::<Vec<_>>()
                .join(".");
            resources.last_mut().unwrap().1.push(full);
            if value == "{" || value == "[" {
                path.push(key.to_owned());
            }
        } else if matches!(line, "}" | "]" | "},") && path.len() > 1 {
            path.pop();
        }
    }
    resources
}

#[test]
fn terraform_has_the_names_of_the_provider() {
    let known: Value =
        serde_json::from_str(&fs::read_to_string(format!("{SCHEMAS}/cloudflare-attributes.json")).unwrap()).unwrap();
    for (target, least) in [("cloudflare-portal", 4), ("terraform-access", 7)] {
        let text = export(&fleet(), target);
        let resources = attributes(&text);
        assert!(resources.len() >= least, "{target}: {}", resources.len());
        for (kind, attributes) in &resources {
            let names = |key: &str| -> Vec<String> {
                known[kind][key]
                    .as_array()
                    .unwrap_or_else(|| panic!("{kind}"))
                    .iter()
                    .map(|name| name.as_str().unwrap().to_owned())
                    .collect()
            };
            for attribute in attributes {
                assert!(names("all").contains(attribute), "{target}: {kind} has no {attribute}\n{text}");
            }
            for needed in names("required").iter().filter(|name| !name.contains('.')) {
                assert!(attributes.contains(needed), "{target}: {kind} lacks {needed}");
            }
        }
        assert_snapshot!(target.replace('-', "_"), text);
        is_formatted(target, &text);
    }
    let text = export(&fleet(), "cloudflare-portal");
    assert!(text.contains(r#""4 \"Notes\" $${x}""#) && text.contains(r#""Notes of %%{y}""#), "{text}");
    assert!(text.contains("\"mcp_4_notes_x\""), "a name begins with a letter");
    assert!(text.contains("variable \"mcp_4_notes_x_credentials\""), "a credential is never in the file");
}

/// `terraform fmt` would change nothing, where there is Terraform.
fn is_formatted(target: &str, text: &str) {
    let Ok(mut child) = Command::new("terraform")
        .args(["fmt", "-check", "-diff", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
    else {
        println!("SKIPPED terraform fmt: terraform is not installed");
        return;
    };
    std::io::Write::write_all(child.stdin.as_mut().unwrap(), text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{target}: {}", outcome(&output));
}

#[test]
fn what_is_missing_is_listed_with_its_line() {
    let place = tree(&[(
        "catalog.yaml",
        "services:\n  - name: One\n    status: deployed\n    location: local\n    auth_method: mtls\n    token_storage: none\n    owner: us\n  - name: Two\n    description: \
         a text of more than a hundred characters, which is more than the registry takes for the description of a server\n    status: deployed\n    location: \
         workers\n    auth_method: cloudflare-access\n    token_storage: kv\n    url: https://two.example.com\n    version: 1.0.0\n",
    )]);
    let mut said = String::new();
    for target in ["backstage", "server-json", "ai-catalog", "cloudflare-portal", "terraform-access"] {
        let output = place.run(&["catalog", "export", "--to", target, "--out", "out"]);
        said += &format!("$ --to {target}\n{}\n", outcome(&output));
    }
    place.write(
        "catalog.yaml",
        format!("organisation: {{name: Us, domain: example.com}}\n{}", place.read("catalog.yaml")),
    );
    said += &format!(
        "$ with a domain: --to server-json\n{}",
        outcome(&place.run(&["catalog", "export", "--to", "server-json"]))
    );
    assert_snapshot!("missing", said);
}
