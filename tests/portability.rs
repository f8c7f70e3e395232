//! A generated project on machines that are set up in another way than its author's: `CDPATH`, line ends of Windows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use common::{Place, listing, outcome};

const SCRIPTS: [&str; 5] =
    ["deploy-to-droplet.sh", "init-mcp-auth-db.sh", "local-dev.sh", "migrate-env-to-postgres.sh", "test.sh"];

fn project() -> Place {
    let place = Place::new();
    place.ok(&["new", "my-server", "--quiet"]);
    place
}

fn git(folder: &Path, arguments: &[&str]) -> Output {
    let output = Command::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", "-c", "core.hooksPath=/dev/null"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", outcome(&output));
    output
}

#[test]
fn scripts_stay_in_their_project_when_cdpath_is_set() {
    let place = project();
    // What CDPATH finds: a folder `scripts` in another project.
    fs::create_dir_all(place.path("other/scripts")).unwrap();
    fs::create_dir(place.path("bin")).unwrap();
    let cargo = place.path("bin/cargo");
    fs::write(&cargo, "#!/bin/sh\npwd >>\"$CALLED_IN\"\n").unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    let run = |script: &str, argument: &str| {
        let path = format!("{}:{}", place.path("bin").display(), std::env::var("PATH").unwrap());
        Command::new(format!("scripts/{script}"))
            .arg(argument)
            .current_dir(place.path("my-server"))
            .env("CDPATH", place.path("other"))
            .env("PATH", path)
            .env("CALLED_IN", place.path("called-in"))
            .output()
            .unwrap()
    };
    for script in SCRIPTS {
        let output = run(script, "--help");
        assert!(output.status.success() && output.stderr.is_empty(), "{script}: {}", outcome(&output));
        assert!(output.stdout.starts_with(b"usage: "), "{script}: {}", outcome(&output));
    }
    assert!(run("test.sh", "fmt").status.success());
    let called_in = fs::canonicalize(place.read("called-in").trim_end()).unwrap();
    assert_eq!(called_in, fs::canonicalize(place.path("my-server")).unwrap());
}

#[test]
fn no_script_of_this_repository_or_of_the_template_obeys_cdpath() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut checked = 0;
    for folder in ["scripts", "template/scripts", "tests/e2e", ".ci"] {
        for (path, (bytes, _)) in listing(&root.join(folder)) {
            let Ok(text) = String::from_utf8(bytes) else { continue };
            let shell = text.starts_with("#!/usr/bin/env bash") || text.starts_with("# shellcheck shell=bash");
            let Some(cd) = text.find("cd \"").filter(|_| shell) else { continue };
            // What is sourced first has done it already.
            let before = &text[..cd];
            let safe = before.contains("\nunset CDPATH\n") || before.contains("/support.sh\"\n");
            assert!(safe, "{folder}/{path}: `cd` before `unset CDPATH`");
            checked += 1;
        }
    }
    assert!(checked > 15, "{checked} scripts");
}

#[test]
fn a_check_out_with_autocrlf_is_byte_for_byte_what_was_committed() {
    let place = project();
    let made = place.path("my-server");
    git(&made, &["add", "--all"]);
    git(&made, &["commit", "--quiet", "--message", "First"]);
    // What Git for Windows sets by default.
    git(place.root(), &["-c", "core.autocrlf=true", "clone", "--quiet", "my-server", "clone"]);
    let without_git = |folder: &Path| {
        let mut files = listing(folder);
        files.retain(|path, _| !path.starts_with(".git/"));
        files
    };
    let (made, cloned) = (without_git(&made), without_git(&place.path("clone")));
    assert_eq!(made.keys().collect::<Vec<_>>(), cloned.keys().collect::<Vec<_>>());
    for (path, file) in &made {
        assert!(*file == cloned[path], "{path} differs after a check-out with core.autocrlf");
    }
    assert!(made.contains_key(".gitattributes"));
}

#[test]
fn this_repository_pins_its_line_ends_as_well() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if !root.join(".git").exists() {
        eprintln!("skipped: no git repository here");
        return;
    }
    let paths = ["scripts/test", "build.rs", "template/scripts/test.sh", "tests/snapshots/new__help__help.snap"];
    let said = git(root, &[&["check-attr", "eol", "--"], &paths[..]].concat()).stdout;
    let said = String::from_utf8(said).unwrap();
    assert_eq!(said.matches(": eol: lf\n").count(), paths.len(), "{said}");
    let corpus = git(root, &["check-attr", "text", "--", "fuzz/corpus/claims/seed-0"]).stdout;
    assert!(corpus.ends_with(b": text: unset\n"), "{}", String::from_utf8_lossy(&corpus));
}
