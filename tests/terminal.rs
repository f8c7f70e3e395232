//! Questions on a terminal, in a pseudo-terminal of `script` (util-linux).
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::fmt::Write as _;
use std::io::{BufReader, Read as _, Write as _};
use std::process::{Command, Output, Stdio};

use common::{Place, SMALL};
use mcp_kit::scaffold::template::{ScriptPolicy, Template, TemplateError};

/// Runs a command in a pseudo-terminal, with this typed.
fn on_a_terminal(place: &Place, command: &str, typed: &str) -> Output {
    let mut script = Command::new("script");
    script.args(["-qec", &format!("{} {command}", env!("CARGO_BIN_EXE_mcp-kit")), "/dev/null"]);
    script
        .current_dir(place.root())
        .env("TMPDIR", place.temporary())
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100")
        .env_remove("CI");
    let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("script, of util-linux");
    let mut stdin = child.stdin.take().unwrap();
    // In parts: `script` drops what comes before the terminal is there.
    std::thread::sleep(std::time::Duration::from_millis(300));
    let _ = stdin.write_all(typed.as_bytes());
    drop(stdin);
    child.wait_with_output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).replace('\r', "")
}

#[test]
fn new_asks_with_defaults_and_checks_and_shows_a_summary() {
    let place = Place::new();
    let output = on_a_terminal(&place, "new", "Bad Name\nmy-srv\n\nbaerer\nbearer\n\nblank\n\n\n\nyes\n");
    let text = text(&output);
    for expected in [
        "Name of the project",
        "\"Bad Name\"",
        "Who may call: through Cloudflare Access",
        "\"baerer\" must be one of cloudflare; ",
        "my-srv in my-srv",
        "Create it?",
        "Created my-srv",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let answers = place.read("my-srv/.mcp-kit/answers.toml");
    assert!(answers.contains("auth_mode = \"bearer\"") && answers.contains("example = \"blank\""), "{answers}");
}

/// Types an answer at each prompt. Returns what the terminal shows before the first, and from each answer to the next prompt.
fn typed_at_prompts(place: &Place, command: &str, answers: &[&str]) -> Vec<String> {
    let mut script = Command::new("script");
    script.args(["-qefc", &format!("{} {command}", env!("CARGO_BIN_EXE_mcp-kit")), "/dev/null"]);
    script.current_dir(place.root()).env("TMPDIR", place.temporary()).env("NO_COLOR", "1").env_remove("CI");
    let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("script, of util-linux");
    let (mut stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (mut shown, mut part) = (Vec::new(), Vec::new());
    let mut answers = answers.iter();
    for byte in BufReader::new(stdout).bytes() {
        part.push(byte.unwrap());
        if part.ends_with(b"\n> ") {
            let Some(answer) = answers.next() else { break };
            shown.push(String::from_utf8(std::mem::take(&mut part)).unwrap());
            stdin.write_all(format!("{answer}\n").as_bytes()).unwrap();
        }
    }
    shown.push(String::from_utf8(part).unwrap());
    assert!(child.wait().unwrap().success() && answers.next().is_none(), "{shown:?}");
    shown
}

/// The recording that docs/guide/new.md shows is what happens on a terminal (asciicast version 2). `UPDATE_RECORDING=1` makes it again.
#[test]
fn the_recording_of_new_is_true() {
    let place = Place::new();
    let answers = [
        "My Server",
        "my-server",
        "Notes of the team",
        "oauth",
        "oidc",
        "postgres",
        "blank",
        "mcp.corp.example",
        "",
        "",
        "yes",
    ];
    let shown = typed_at_prompts(&place, "new", &answers);
    // Typed at eight keys a second; read for a while. The times are made up, so that the recording is the same each time.
    let mut time = 500;
    let mut cast = String::from("{\"version\": 2, \"width\": 120, \"height\": 30, \"title\": \"mcp-kit new\"}\n");
    let mut event = |wait: u32, text: &str| {
        time += wait;
        let text = serde_json::to_string(text).unwrap();
        writeln!(cast, "[{}.{:03}, \"o\", {text}]", time / 1000, time % 1000).unwrap();
    };
    let type_in = |answer: &str, event: &mut dyn FnMut(u32, &str)| {
        for (number, key) in answer.chars().enumerate() {
            event(if number == 0 { 900 } else { 125 }, &key.to_string());
        }
        event(if answer.is_empty() { 900 } else { 300 }, "\r\n");
    };
    event(0, "$ ");
    type_in("mcp-kit new", &mut event);
    event(200, &shown[0]);
    for (answer, part) in answers.iter().zip(&shown[1..]) {
        let rest = part.strip_prefix(answer).and_then(|part| part.strip_prefix("\r\n")).unwrap();
        type_in(answer, &mut event);
        // The tree of files changes with the template, and is in the guide.
        let tree = rest.find('\u{251c}').unwrap_or(rest.len());
        event(100, &rest[..tree]);
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/guide/new.cast");
    if std::env::var_os("UPDATE_RECORDING").is_some() {
        std::fs::write(path, &cast).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), cast, "UPDATE_RECORDING=1 makes it again");
    assert!(cast.contains("must be one of cloudflare; ") && cast.contains("Created my-server in my-server"), "{cast}");
}

#[test]
fn what_is_answered_is_not_asked_and_no_creates_nothing() {
    let place = Place::new();
    let output = on_a_terminal(&place, "new x --set example=blank --auth-mode both", "\n\n\n\n\nno\n");
    let text = text(&output);
    assert!(!text.contains("Who may call") && !text.contains("Start from the Coda tools"), "{text}");
    assert!(text.contains("nothing was created") && !place.path("x").exists(), "{text}");
}

#[test]
fn defaults_json_quiet_and_ci_ask_nothing() {
    for flags in ["--defaults", "--format json", "-q"] {
        let place = Place::new();
        let output = on_a_terminal(&place, &format!("new x --template {SMALL} {flags}"), "");
        assert!(output.status.success() && place.path("x").exists(), "{flags}: {}", text(&output));
        assert!(!text(&output).contains("Create it?"), "{flags}: {}", text(&output));
    }
}

#[test]
fn an_end_of_input_is_no_answer() {
    let place = Place::new();
    let output = on_a_terminal(&place, "new x", "\n\u{4}");
    let text = text(&output);
    assert!(text.contains("the question was not answered") && text.contains("--defaults"), "{text}");
    assert!(!output.status.success() && !place.path("x").exists());
}

#[test]
fn init_asks_before_it_writes() {
    let place = Place::new();
    place.write("compose.yaml", "services:\n  notes-mcp: {image: x}\n");
    let output = on_a_terminal(&place, "init", "no\n");
    assert!(
        text(&output).contains("notes-mcp in compose.yaml") && !place.path("catalog.yaml").exists(),
        "{}",
        text(&output)
    );
    on_a_terminal(&place, "init", "yes\n");
    assert!(place.read("catalog.yaml").contains("notes-mcp"));
}

/// A template whose hooks write a file, by themselves and by a command.
fn template_with_hooks(place: &Place) {
    place.write("t/cargo-generate.toml", "[hooks]\npost = [\"hooks/after.rhai\"]\n");
    place.write(
        "t/hooks/after.rhai",
        "file::write(\"by-hook.txt\", \"made\");\nsystem::command(\"touch\", [\"by-command.txt\"]);\n",
    );
    place.write("t/a.txt", "a\n");
}

#[test]
fn hooks_are_shown_and_run_after_a_yes_alone() {
    let place = Place::new();
    template_with_hooks(&place);
    for answer in ["no\n", "\n"] {
        let output = on_a_terminal(&place, "new x --template t --no-git", answer);
        let said = text(&output);
        assert!(said.contains("t has 1 script, which can do on this machine whatever you can:"), "{said}");
        assert!(said.contains("  hooks/after.rhai:\n  | file::write(") && said.contains("Run it? [no]"), "{said}");
        assert!(said.contains("nothing was created") && !place.path("x").exists(), "{said}");
    }
    let output = on_a_terminal(&place, "new x --template t --no-git", "yes\nyes\n");
    assert!(output.status.success() && text(&output).contains("Created x"), "{}", text(&output));
    assert!(place.read("x/by-hook.txt") == "made" && place.path("x/by-command.txt").exists());
    // Where nobody is asked, they run with the flag alone.
    for flags in ["--defaults", "--format json", "-q"] {
        let output = on_a_terminal(&place, &format!("new y --template t {flags}"), "yes\nyes\n");
        assert!(!output.status.success() && text(&output).contains("--allow-hooks"), "{}", text(&output));
    }
    place.ok(&["new", "y", "--template", "t", "--no-git", "--allow-hooks"]);
    assert!(place.path("y/by-command.txt").exists());
    place.write("t/a.txt", "b\n");
    let refused = place.run(&["update", "y", "--allow-dirty"]);
    assert_eq!(refused.status.code(), Some(2));
    place.ok(&["update", "y", "--allow-dirty", "--allow-hooks"]);
    assert_eq!(place.read("y/a.txt"), "b\n");
}

/// What runs is what was shown: an address is cloned for the question and again for the project.
#[test]
fn hooks_that_changed_after_the_question_do_not_run() {
    let place = Place::new();
    template_with_hooks(&place);
    let path = place.path("t");
    let digest = Template::from_folder(&path, &ScriptPolicy::Allow).unwrap().digest();
    assert!(Template::from_folder(&path, &ScriptPolicy::Read(digest.clone())).unwrap().runs_scripts);
    place.write("t/hooks/after.rhai", "file::write(\"by-hook.txt\", \"other\");\n");
    let refused = Template::from_folder(&path, &ScriptPolicy::Read(digest));
    assert!(matches!(refused, Err(TemplateError::Hooks { .. })));
}
