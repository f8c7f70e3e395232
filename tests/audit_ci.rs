//! What runs the audit in other people's pipelines names this version, and the commands that this version has.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

const ACTION: &str = include_str!("../action.yml");
const WORKFLOW: &str = include_str!("../template/.github/workflows/docs.yml");

#[test]
fn generated_projects_install_the_version_that_made_them() {
    let install = format!("run: cargo install --locked mcp-kit@{}\n", env!("CARGO_PKG_VERSION"));
    assert!(WORKFLOW.contains(&install), "template/.github/workflows/docs.yml must have: {install}");
}

/// The script of the action's last step.
fn script() -> String {
    let block = ACTION.rsplit_once("      run: |\n").unwrap().1;
    block.lines().map(|line| format!("{}\n", line.strip_prefix("        ").unwrap_or(line))).collect()
}

/// What the action would call with these inputs: one argument a line.
fn called(inputs: [(&str, &str); 7]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let stub = folder.path().join("mcp-kit");
    std::fs::write(&stub, "#!/bin/sh\nprintf '%s\\n' \"$@\"\n").unwrap();
    std::fs::set_permissions(&stub, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    // As the runner starts `shell: bash`.
    let output = Command::new("bash")
        .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", &script()])
        .current_dir(folder.path())
        .env("PATH", path)
        .envs(inputs)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let written = std::fs::read_to_string(folder.path().join("report")).unwrap_or_default();
    String::from_utf8(output.stdout).unwrap() + &written
}

#[test]
fn the_action_passes_its_inputs_on_as_they_are() {
    let plain = [
        ("PATHS", "."),
        ("FORMAT", "github"),
        ("OUTPUT", ""),
        ("BASELINE", ""),
        ("STRICT", "false"),
        ("ONLINE", "false"),
        ("RUNNER_TEMP", "/t"),
    ];
    assert_eq!(called(plain), "audit-docs\n--format=github\n--\n.\n");
    let everything = [
        ("PATHS", "docs of $(touch x)\n\n-rf; `id`\n"),
        ("FORMAT", "sarif"),
        ("OUTPUT", "report"),
        ("BASELINE", "known findings.json"),
        ("STRICT", "true"),
        ("ONLINE", "true"),
        ("RUNNER_TEMP", "/t t"),
    ];
    assert_eq!(
        called(everything),
        "audit-docs\n--format=sarif\n--baseline=known findings.json\n--strict\n--online\n--web-cache=/t t/mcp-kit-web.json\n--\ndocs of $(touch x)\n-rf; `id`\n"
    );
}
