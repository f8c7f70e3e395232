//! `mcp-kit add` in generated projects. That they compile and pass their tests afterwards, `tests/e2e/add` shows.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::process::Command;

use common::{Place, listing, outcome, status};
use serde_json::Value;

const NOTES: &str = r##"openapi: 3.1.0
info: {title: Notes, version: "2"}
servers: [{url: https://notes.example/v1/}]
paths:
  /notebooks/{book-id}/notes:
    parameters: [{name: book-id, in: path, required: true, schema: {type: string, format: uuid}}]
    get:
      operationId: listNotes
      tags: [notes]
      summary: List notes.
      description: Lists the notes of a book.
      parameters:
        - {name: "filter[tag]", in: query, description: One tag., schema: {type: [string, "null"]}}
        - {name: limit, in: query, schema: {type: integer, format: int32, maximum: 100}}
        - {name: cursor, in: query, schema: {type: string}}
        - {name: X-Trace, in: header, schema: {type: string}}
        - {name: Authorization, in: header, required: true, schema: {type: string}}
    post:
      operationId: addNote
      tags: [notes]
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: "#/components/schemas/Note"}}}
  /a/very/long/way/to/the/end/{x}:
    get: {operationId: getAVeryLongNameOfAnOperationThatNoClientWouldTakeAsItIs, tags: [long]}
  /n/{x}: {get: {operationId: get-n, tags: [long]}}
  /m/{x}: {get: {operationId: get_n, tags: [long]}}
components:
  schemas:
    Note:
      type: object
      required: [text, id]
      properties:
        id: {type: string, readOnly: true}
        text: {type: string, minLength: 1}
        parent: {$ref: "#/components/schemas/Note"}
"##;

fn project(example: &str) -> Place {
    let place = Place::new();
    place.ok(&["new", "my-server", "--path", "p", "--example", example, "--no-git", "-q", "--defaults"]);
    place
}

fn add(place: &Place, arguments: &[&str]) -> Value {
    place.json(&[&["add"], arguments, &["--dir", "p", "--format", "json"]].concat())
}

/// A second run changes nothing, and rustfmt would not either.
fn holds(place: &Place, arguments: &[&str]) {
    let before = listing(&place.path("p"));
    assert_eq!(add(place, arguments)["files"], serde_json::json!([]), "{arguments:?}");
    assert!(listing(&place.path("p")) == before);
    let mut rustfmt = Command::new("rustfmt");
    rustfmt
        .args(["--edition", "2024", "--check", "src/lib.rs", "src/main.rs", "tests/mcp.rs"])
        .current_dir(place.path("p"));
    let output = rustfmt.output().unwrap();
    assert!(output.status.success(), "{}", outcome(&output));
}

#[test]
fn a_tool_has_its_types_method_test_and_rows() {
    for example in ["blank", "coda"] {
        let place = project(example);
        let dry = place.ok(&["add", "tool", "count_words", "--dir", "p", "--dry-run"]);
        let before = listing(&place.path("p"));
        let files: Vec<String> = add(&place, &["tool", "count_words"])["files"]
            .as_array()
            .unwrap()
            .iter()
            .map(|file| file["path"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(files, ["README.md", "src/handlers/tools.rs", "tests/mcp.rs"]);
        let diff = String::from_utf8(dry.stdout).unwrap();
        assert!(files.iter().all(|file| diff.contains(&format!("+++ b/{file}\n"))), "{diff}");
        assert_eq!(
            before.keys().collect::<Vec<_>>(),
            listing(&place.path("p")).keys().collect::<Vec<_>>(),
            "nothing is left behind"
        );
        assert!(place.read("p/tests/mcp.rs").contains("\"count_words\", "));
        assert!(place.read("p/README.md").contains("| `count_words` | Count words |\n"));
        holds(&place, &["tool", "count_words"]);
    }
}

/// A tool that its owner has written has other types and another answer: the test of a new one would fail.
#[test]
fn a_tool_of_the_owner_is_left_alone() {
    let place = project("blank");
    let before = listing(&place.path("p"));
    let said = place.see(&["add", "tool", "get_whoami", "--dir", "p"]);
    assert_eq!(said, "tool get_whoami is there already\nexit 0\n");
    assert!(listing(&place.path("p")) == before);
}

#[test]
fn settings_of_every_server_are_taken() {
    let place = project("blank");
    let before = listing(&place.path("p"));
    for name in ["PORT", "DATABASE_URL", "DATABASE_URL_FILE"] {
        let said = place.see(&["add", "setting", name, "--dir", "p"]);
        assert!(said.contains(&format!("{name} is taken: every server has a setting")), "{said}");
    }
    assert!(listing(&place.path("p")) == before);
    // With the libraries from the registry, there is no table in the project.
    place.ok(&["new", "my-server", "--path", "r", "--set", "libraries=registry", "--no-git", "-q", "--defaults"]);
    assert_eq!(status(&place.run(&["add", "setting", "PORT", "--dir", "r"])), 2);
}

#[test]
fn the_steps_after_an_upstream_name_what_only_a_person_knows() {
    let place = project("blank");
    let said = place.see(&["add", "upstream", "big", "--dir", "p"]);
    insta::assert_snapshot!(said.split_once("next: ").unwrap().1, @r"
    put its address in place of the example: BIG_API_BASE in src/config.rs
          put the token into .env, which scripts/local-dev.sh makes: BIG_TOKEN=…
          mcp-kit add tool NAME --upstream big
    exit 0
    ");
    let said = place.see(&["add", "upstream", "small", "--base", "https://small.example", "--dir", "p"]);
    assert!(!said.contains("in place of the example") && said.contains("SMALL_TOKEN=…"), "{said}");
}

#[test]
fn names_and_texts_of_every_length_are_formatted() {
    let place = project("blank");
    for length in [3, 12, 19, 24, 31, 40, 48] {
        let name = format!("t{}", "x".repeat(length - 1));
        let text = "A \"quoted\" text with a \\ and | in it. ".repeat(length / 12 + 1);
        let arguments =
            ["tool", &name, "--description", &text, "--argument", "city:string", "--argument", "days?:integer"];
        add(&place, &arguments);
        holds(&place, &arguments);
    }
}

#[test]
fn settings_stand_where_the_project_would_print_them() {
    let place = project("coda");
    add(
        &place,
        &[
            "setting",
            "CACHE_SECONDS",
            "--kind",
            "seconds",
            "--default",
            "60",
            "--group",
            "The Coda API",
            "--meaning",
            "How long.",
        ],
    );
    add(&place, &["setting", "GREETING", "--default", "hello"]);
    let example = place.read("p/.env.example");
    let coda = example.find("# --- The Coda API").unwrap();
    let cache = example.find("# How long.\nCACHE_SECONDS=60\n").unwrap();
    let end = coda + example[coda + 1..].find("\n# --- ").unwrap();
    assert!(coda < cache && cache < end, "{example}");
    assert!(example.contains("# --- This server ---"), "{example}");
    assert!(place.read("p/docs/SETTINGS.md").contains("| `CACHE_SECONDS` | `60` | How long. |\n"));
    holds(&place, &["setting", "GREETING", "--default", "hello"]);
}

#[test]
fn an_upstream_is_wired_in_once_and_tools_find_it() {
    for example in ["blank", "coda"] {
        let place = project(example);
        let weather = ["upstream", "weather", "--base", "https://weather.example/v1", "--probe", "/me", "--access"];
        add(&place, &weather);
        holds(&place, &weather);
        let lib = place.read("p/src/lib.rs");
        for (part, times) in [
            ("pub mod weather;", 1),
            ("weather::Weather::new(settings)?", 1),
            (".with_upstream(weather)", 1),
            ("|_settings|", 0),
        ] {
            assert_eq!(lib.matches(part).count(), times, "{part}: {lib}");
        }
        add(&place, &["tool", "get_weather", "--upstream", "weather", "--argument", "city:string"]);
        holds(&place, &["tool", "get_weather", "--upstream", "weather", "--argument", "city:string"]);
    }
}

#[test]
fn operations_become_entries_and_a_few_lines() {
    let place = project("blank");
    place.write("api.yaml", NOTES);
    let arguments =
        ["tool", "--from-openapi", "api.yaml", "--upstream", "notes", "--tag", "notes", "--tag", "long", "--write"];
    add(&place, &arguments);
    holds(&place, &arguments);
    let text = place.read("p/src/notes.tools.json");
    let file: Value = serde_json::from_str(&text).unwrap();
    let names: Vec<&str> =
        file["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert!(names.iter().all(|name| name.len() <= 48), "{names:?}");
    assert_eq!(names[0], "add_note");
    assert!(names.iter().any(|name| name.starts_with("get_a_very_long_name_of_an_operation_th_")), "{names:?}");
    assert_eq!(
        names.iter().filter(|name| name.starts_with("get_n_")).count(),
        2,
        "names that collide differ: {names:?}"
    );
    insta::assert_snapshot!("operations", text);
    // One more operation: nothing else changes its name.
    assert!(place.read("p/src/config.rs").contains("\"https://notes.example/v1\""));
    assert!(place.read("p/tests/mcp.rs").contains("is_boolean()"), "not all tools only read");
}

#[test]
fn only_what_reads_is_taken_from_a_tag_and_what_cannot_be_is_said() {
    let place = project("blank");
    place.write("api.yaml", NOTES);
    let json =
        add(&place, &["tool", "--from-openapi", "api.yaml", "--upstream", "notes", "--tag", "notes", "--access"]);
    assert_eq!(json["added"], "1 tool of notes");
    assert!(place.read("p/src/notes.rs").contains("with_access"));
    let text = place.read("p/src/notes.tools.json");
    assert!(text.contains("\"list_notes\"") && !text.contains("POST"), "{text}");
    assert!(place.read("p/tests/mcp.rs").contains("[\"readOnlyHint\"], true"));
}

#[test]
fn a_moved_place_is_an_error_and_nothing_is_written() {
    let place = project("blank");
    let lib = place.read("p/src/lib.rs").replace("Handlers::new(", "handlers(");
    place.write("p/src/lib.rs", lib);
    let before = listing(&place.path("p"));
    let output = place.run(&["add", "upstream", "weather", "--dir", "p"]);
    assert_eq!(status(&output), 2, "{}", outcome(&output));
    assert!(listing(&place.path("p")) == before);
}

#[test]
fn doctor_says_what_is_missing() {
    let place = Place::new();
    let fake = |name: &str, text: &str| {
        place.write(&format!("bin/{name}"), format!("#!/bin/sh\necho '{text}'\n"));
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(place.path(&format!("bin/{name}")), mode).unwrap();
    };
    for (name, text) in [("rustc", "rustc 1.93.0"), ("cargo", "cargo 1.99.0"), ("cc", "cc 12"), ("curl", "curl 8.0.0")]
    {
        fake(name, text);
    }
    let run =
        |arguments: &[&str]| common::mcp_kit(&place).args(arguments).env("PATH", place.path("bin")).output().unwrap();
    let output = run(&["doctor", "--port", "0", "--format", "json"]);
    assert_eq!(status(&output), 1, "{}", outcome(&output));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let of = |name: &str| {
        json["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap()["status"].clone()
    };
    assert_eq!(
        (of("rustc"), of("cargo"), of("git"), of("port")),
        ("fail".into(), "ok".into(), "warn".into(), "ok".into())
    );
    fake("rustc", "rustc 1.94.0 (x)");
    assert_eq!(status(&run(&["doctor", "--port", "0"])), 0);
}

#[test]
fn init_finds_servers_and_copies_no_credential() {
    let place = project("blank");
    place.write(
        "w/wrangler.jsonc",
        "{// a worker\n\"name\": \"linear\", \"routes\": [{\"pattern\": \"l.example/*\"}], \"kv_namespaces\": []}",
    );
    place.write("compose.yaml", "services: {notes-mcp: {image: x}, db: {image: postgres}}\n");
    place.write(
        ".mcp.json",
        "{\"mcpServers\": {\"Linear\": {}, \"gh\": {\"url\": \"https://u:hush@gh.example/mcp?token=hush\", \"headers\": {\"Authorization\": \"Bearer hush\"}}}}", // pragma: allowlist secret
    );
    let json = place.json(&["init", "--format", "json"]);
    let names: Vec<&str> =
        json["servers"].as_array().unwrap().iter().map(|server| server["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Linear", "gh", "notes-mcp", "my-server"]);
    let catalog = place.read("catalog.yaml");
    assert!(catalog.contains("url: \"https://gh.example/mcp\"") && !catalog.contains("hush"), "{catalog}");
    place.ok(&["catalog", "check"]);
    place.ok(&["docs", "build", "--check"]);
    assert!(place.path(".github/workflows/docs.yml").exists());
    assert_eq!(status(&place.run(&["init"])), 2, "nothing is written over");
}

/// The documents of a new catalog need servers, and its workflow an address, which this build does not have.
#[test]
fn init_says_what_is_left_to_do() {
    let place = Place::new();
    let said = place.see(&["init"]);
    let next = said.split_once("next: ").unwrap().1;
    insta::assert_snapshot!(next, @r"
    mcp-kit catalog add, which adds a server (--help says with what), then mcp-kit docs build
          fill in MCP_KIT_REPOSITORY and MCP_KIT_COMMIT in .github/workflows/docs.yml: where CI gets mcp-kit from
    exit 0
    ");
    assert!(!place.see(&["init", "--no-ci", "--dry-run"]).contains("MCP_KIT_REPOSITORY"));
}

/// The record of a project is committed.
#[test]
fn no_secret_of_a_templates_address_is_recorded() {
    let place = Place::new();
    place.copy_small("t");
    for arguments in [&["init", "--quiet"][..], &["add", "--all"], &["commit", "--quiet", "--message", "all"]] {
        common::git(&place, &[&["-C", "t"], arguments].concat());
    }
    let address = format!("file://me:hush@localhost{}", place.path("t").display()); // pragma: allowlist secret
    let output = place.ok(&["new", "my-server", "--template", &address, "-v"]);
    let record = place.read("my-server/.mcp-kit/answers.toml");
    assert!(record.contains("file://localhost/") && !record.contains("hush"), "{record}");
    assert!(!outcome(&output).contains("hush"), "{}", outcome(&output));
    let output = place.run(&["new", "other", "--template", "https://me:hush@127.0.0.1:1/x.git"]); // pragma: allowlist secret
    assert!(!outcome(&output).contains("hush") && status(&output) == 3, "{}", outcome(&output));
}

#[test]
fn a_template_comes_from_git_and_its_questions_have_a_schema() {
    let place = Place::new();
    place.copy_small("t");
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"];
        let output = Command::new("git").current_dir(place.path("t")).args(identity).args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    git(&["init", "--quiet"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "all"]);
    git(&["tag", "v1"]);
    let address = format!("file://{}#v1", place.path("t").display());
    place.ok(&["new", "my-server", "--template", &address, "--no-git", "-q"]);
    assert!(place.path("my-server").exists());
    place.clean();
    let schema = place.json(&["new", "--answers-schema"]);
    let compiled = {
        let mut schemas = boon::Schemas::new();
        let mut compiler = boon::Compiler::new();
        compiler.add_resource("answers.json", schema.clone()).unwrap();
        let index = compiler.compile("answers.json", &mut schemas).unwrap();
        move |value: &Value| schemas.validate(value, index).is_ok()
    };
    assert!(compiled(&serde_json::json!({"example": "blank", "public_host": "a.example"})));
    for wrong in
        [serde_json::json!({"example": "none"}), serde_json::json!({"public_host": "-"}), serde_json::json!({"x": "y"})]
    {
        assert!(!compiled(&wrong), "{wrong}");
    }
}
