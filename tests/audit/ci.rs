//! What runs the audit in other people's pipelines takes mcp-kit from its repository, and calls the commands that this version has.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::common::Place;
use mcp_kit::scaffold::origin;

const ACTION: &str = include_str!("../../action.yml");
const WORKFLOW: &str = include_str!("../../template/.github/workflows/docs.yml");

/// The script of a step of the workflow.
fn step(name: &str) -> String {
    let (_, rest) = WORKFLOW.split_once(&format!("      - name: {name}\n        run: ")).unwrap();
    let (first, rest) = rest.split_once('\n').unwrap();
    if first != "|" {
        return first.to_owned();
    }
    rest.lines().map_while(|line| line.strip_prefix("          ")).map(|line| format!("{line}\n")).collect()
}

/// Runs the steps that lead to an installed mcp-kit, as the runner does, with a cargo that only prints its arguments.
fn installed(repository: &str, commit: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    stub(&folder.path().join("cargo"));
    let mut said = String::new();
    for name in ["Check that mcp-kit has an address", "Install mcp-kit"] {
        let output = Command::new("bash")
            .args(["-e", "-c", &step(name)])
            .env("PATH", format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap()))
            .envs([("MCP_KIT_REPOSITORY", repository), ("MCP_KIT_COMMIT", commit)])
            .output()
            .unwrap();
        said += &String::from_utf8(output.stdout).unwrap();
        if !output.status.success() {
            return (false, said);
        }
    }
    (true, said)
}

#[test]
fn generated_projects_build_mcp_kit_from_its_repository_at_a_full_commit() {
    let commit = "0123456789abcdef0123456789abcdef01234567"; // pragma: allowlist secret
    let (repository, package) = ("https://git.example/mcp-kit.git", env!("CARGO_PKG_NAME"));
    let arguments = format!("install\n--locked\n--git\n{repository}\n--rev\n{commit}\n{package}\n");
    assert_eq!(installed(repository, commit), (true, arguments));
}

#[test]
fn without_an_address_ci_says_what_to_fill_in_and_fetches_nothing() {
    let commit = "0123456789abcdef0123456789abcdef01234567"; // pragma: allowlist secret
    let repository = "https://git.example/mcp-kit.git";
    for (repository, commit) in [
        ("", ""),
        ("", commit),
        (repository, ""),
        (repository, "main"),
        (repository, "v0.1.0"),
        (repository, "0123456"),
        (repository, "0123456789abcdef0123456789abcdef012345678"), // pragma: allowlist secret
        ("http://git.example/mcp-kit.git", commit),
        ("https://", commit),
        ("https://git.example/x --config=y", commit),
        ("--config=y", commit),
    ] {
        let (done, said) = installed(repository, commit);
        assert!(!done, "{repository:?} {commit:?}");
        let start = "::error file=.github/workflows/docs.yml::Fill in MCP_KIT_REPOSITORY (";
        assert!(said.starts_with(start) && said.contains("MCP_KIT_COMMIT (") && said.lines().count() == 1, "{said}");
    }
}

#[test]
fn a_new_project_has_the_address_of_the_build_that_made_it() {
    let expected = origin::fill_in(WORKFLOW, origin::THIS_BUILD);
    let (repository, commit) = origin::THIS_BUILD;
    assert_eq!(repository, env!("CARGO_PKG_REPOSITORY"));
    assert_eq!(expected == WORKFLOW, repository.is_empty() || commit.is_empty(), "{repository:?} {commit:?}");
    // The place to fill is there, once for each.
    let filled = origin::fill_in(WORKFLOW, ("https://git.example/x", "0123456789abcdef0123456789abcdef01234567")); // pragma: allowlist secret
    assert_eq!(filled.matches("  MCP_KIT_REPOSITORY: \"https://git.example/x\"\n").count(), 1);
    assert_eq!(filled.matches("  MCP_KIT_COMMIT: \"0123456789abcdef0123456789abcdef01234567\"\n").count(), 1); // pragma: allowlist secret
    let place = Place::new();
    place.ok(&["new", "my-server", "--no-git"]);
    assert_eq!(place.read("my-server/.github/workflows/docs.yml"), expected);
}

/// The action builds what its user pinned, and takes nothing by a name.
#[test]
fn the_action_builds_its_own_commit() {
    let installs: Vec<&str> = ACTION.lines().map(str::trim).filter(|line| line.starts_with("cargo ")).collect();
    assert_eq!(installs, ["cargo install --locked \"${features[@]}\" --path ."]);
    assert!(ACTION.contains("cd \"$GITHUB_ACTION_PATH\"\n") && !ACTION.contains("inputs.version"));
}

/// A program that prints its arguments, one a line.
fn stub(path: &Path) {
    std::fs::write(path, "#!/bin/sh\nprintf '%s\\n' \"$@\"\n").unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// The script of the action's last step.
fn script() -> String {
    let block = ACTION.rsplit_once("      run: |\n").unwrap().1;
    block.lines().map(|line| format!("{}\n", line.strip_prefix("        ").unwrap_or(line))).collect()
}

/// A git whose repository is shallow, and that prints what it is asked to fetch.
const GIT: &str = "#!/bin/sh\nif [ \"$1\" = rev-parse ]; then echo \"$SHALLOW\"; else printf 'git:%s\\n' \"$@\"; [ -z \"$OFFLINE\" ]; fi\n";

/// What the action would call with these inputs: one argument a line.
fn called(inputs: [(&str, &str); 8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    stub(&folder.path().join("mcp-kit"));
    // A checkout of one commit; its name is the first line of what is fetched.
    std::fs::write(folder.path().join("git"), GIT).unwrap();
    std::fs::set_permissions(folder.path().join("git"), std::fs::Permissions::from_mode(0o755)).unwrap();
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
    format!("{}{written}", String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_action_passes_its_inputs_on_as_they_are() {
    let plain = [
        ("PATHS", "."),
        ("FORMAT", "github"),
        ("OUTPUT", ""),
        ("BASELINE", ""),
        ("SINCE_MERGE_BASE", ""),
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
        ("SINCE_MERGE_BASE", ""),
        ("STRICT", "true"),
        ("ONLINE", "true"),
        ("RUNNER_TEMP", "/t t"),
    ];
    assert_eq!(
        called(everything),
        "audit-docs\n--format=sarif\n--baseline=known findings.json\n--strict\n--online\n--web-cache=/t t/mcp-kit-web.json\n--\ndocs of $(touch x)\n-rf; `id`\n"
    );
}

/// A pull request is compared with the branch that it goes to; a checkout without history gets it, or the log says what to set.
#[test]
fn the_action_compares_pull_requests_with_their_base() {
    assert!(ACTION.contains("    default: ${{ github.base_ref }}\n"));
    let inputs = |shallow, offline| {
        [
            ("PATHS", "."),
            ("FORMAT", "github"),
            ("OUTPUT", ""),
            ("BASELINE", ""),
            ("SINCE_MERGE_BASE", "release/1 $(x)"),
            ("STRICT", "false"),
            ("SHALLOW", shallow),
            ("OFFLINE", offline),
        ]
    };
    let call = "audit-docs\n--format=github\n--since-merge-base=origin/release/1 $(x)\n--\n.\n";
    assert_eq!(called(inputs("false", "")), call);
    insta::assert_snapshot!(
        "action_of_a_shallow_checkout",
        format!("{}\n{}", called(inputs("true", "")), called(inputs("true", "1")))
    );
}

/// The generated workflow does the same, with the history that it needs.
#[test]
fn the_workflow_compares_pull_requests_with_their_base() {
    assert!(WORKFLOW.contains("          fetch-depth: 0\n"));
    let (_, rest) = WORKFLOW.split_once("          BASE: ${{ github.base_ref }}\n        run: ").unwrap();
    let run = |base: &str| {
        let folder = tempfile::tempdir().unwrap();
        stub(&folder.path().join("mcp-kit"));
        let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
        let script = rest.lines().next().unwrap();
        let output =
            Command::new("bash").args(["-e", "-c", script]).env("PATH", path).env("BASE", base).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(run(""), "audit-docs\n--format\ngithub\n");
    assert_eq!(run("a b"), "audit-docs\n--format\ngithub\n--since-merge-base=origin/a b\n");
}
