//! `mcp-kit fleet`: a hundred projects in one go.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::fs;
use std::process::Command;

use common::{Place, git, outcome};
use serde_json::Value;

const TEN: &str = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n";

/// Makes projects with five kinds of edits, in turn: none, one beside the template's change, one in its place, a deleted file,
/// and a dirty work tree.
fn fleet(count: usize) -> Place {
    let place = Place::new();
    let template = |text: &str, version: &str| {
        place.write(
            "template/cargo-generate.toml",
            format!("[template]\nignore = ['upgrade']\n[update]\nversion = '{version}'\n"),
        );
        place.write("template/a.txt", text);
        place.write("template/b.txt", text);
        place.write("template/upgrade/2.0.0.md", "## Two\n\nSecurity: take it.\n");
    };
    template(TEN, "1.0.0");
    place.ok(&["new", "app", "--template", "template"]);
    git(&place, &["-C", "app", "add", "--all"]);
    git(&place, &["-C", "app", "commit", "--quiet", "--message", "all"]);
    let mut list = String::from("# the fleet\n\n");
    for number in 0..count {
        let name = format!("app-{number}");
        let copied = Command::new("cp").arg("-a").arg(place.path("app")).arg(place.path(&name)).status().unwrap();
        assert!(copied.success());
        match number % 5 {
            1 => place.write(&format!("{name}/a.txt"), TEN.replacen("1\n", "mine\n", 1)),
            2 => place.write(&format!("{name}/a.txt"), TEN.replacen("9\n", "mine\n", 1)),
            3 => fs::remove_file(place.path(&name).join("a.txt")).unwrap(),
            _ => {}
        }
        if number % 5 != 0 && number % 5 != 4 {
            git(&place, &["-C", &name, "commit", "--quiet", "--all", "--message", "edits"]);
        }
        if number % 5 == 4 {
            place.write(&format!("{name}/b.txt"), "dirty\n");
        }
        git(&place, &["-C", &name, "config", "user.name", "t"]);
        git(&place, &["-C", &name, "config", "user.email", "t@example.com"]);
        list.push_str(&format!("{name}\n"));
    }
    place.write("list.txt", list);
    template(&TEN.replacen("9\n", "nine\n", 1), "2.0.0");
    place
}

fn states(report: &Value) -> Vec<&str> {
    report["projects"].as_array().unwrap().iter().map(|row| row["state"].as_str().unwrap()).collect()
}

#[test]
fn a_hundred_projects_with_five_kinds_of_edits() {
    let place = fleet(100);
    let output = place.run(&["fleet", "status", "--repos", "list.txt", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1), "{}", outcome(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let five = ["available", "available", "conflicts", "available", "conflicts"];
    let expected: Vec<&str> = five.iter().copied().cycle().take(100).collect();
    assert_eq!(states(&report), expected);
    let first = &report["projects"][0];
    assert_eq!(
        (first["from"].as_str(), first["to"].as_str(), first["security"].as_bool()),
        (Some("1.0.0"), Some("2.0.0"), Some(true))
    );

    let output =
        place.run(&["fleet", "update", "--repos", "list.txt", "--format", "json", "--test", "grep -q nine b.txt"]);
    assert_eq!(output.status.code(), Some(1), "{}", outcome(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let five = ["updated", "updated", "conflicts", "updated", "conflicts"];
    let expected: Vec<&str> = five.iter().copied().cycle().take(100).collect();
    assert_eq!(states(&report), expected, "{}", outcome(&output));
    // The work trees are as they were; the branches have the update.
    for (number, kind) in [(0, "as it was"), (1, "edited"), (3, "deleted")] {
        let ask = |arguments: &[&str]| {
            let output = Command::new("git")
                .arg("-C")
                .arg(place.path(&format!("app-{number}")))
                .args(arguments)
                .output()
                .unwrap();
            assert!(output.status.success(), "{kind}: {output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        assert_eq!(ask(&["status", "--short"]), "", "{kind}");
        assert_eq!(place.read(&format!("app-{number}/b.txt")), TEN, "{kind}");
        assert!(ask(&["show", "mcp-kit/update-2.0.0:b.txt"]).contains("nine"), "{kind}");
        assert_eq!(
            ask(&["log", "-1", "--format=%s", "mcp-kit/update-2.0.0"]),
            "Update app to template 2.0.0\n",
            "{kind}"
        );
        // With its records: who has merged it is up to date.
        ask(&["switch", "--quiet", "mcp-kit/update-2.0.0"]);
        let output = place.run(&["update", &format!("app-{number}"), "--dry-run", "--format", "json"]);
        let merged: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(merged["state"], "up-to-date", "{kind}: {}", outcome(&output));
    }
    assert_eq!(place.read("app-4/b.txt"), "dirty\n");
}

#[test]
fn the_table_for_people_and_as_a_page() {
    let place = fleet(5);
    place.write("list.txt", "app-0\napp-2\nnowhere\nhttps://git.example/x.git\n");
    let said = place.see(&["fleet", "status", "--repos", "list.txt"]);
    insta::assert_snapshot!(said, @r"
    repository                 project  template       state                       detail
    app-0                      app      1.0.0 → 2.0.0  update available, security
    app-2                      app      1.0.0 → 2.0.0  conflicts, security         a.txt
    nowhere                                            failed                      nowhere: No such file or directory (os error 2)
    https://git.example/x.git                          failed                      an address needs --clones, the folder for clones

    4 projects: 1 update available, 1 conflicts, 2 failed
    next: mcp-kit fleet update, which makes each update on a branch of its own
          mcp-kit update in each project with conflicts, which marks the places to settle
    exit 1
    ");
    let page = place.see(&["fleet", "status", "--repos", "list.txt", "--format", "html"]);
    assert!(page.starts_with("<!doctype html>") && page.contains("<td>conflicts, security</td>"), "{page}");
}

/// A branch that nobody has merged is no riddle of git, and each state has a next step.
#[test]
fn a_branch_of_an_earlier_run_and_the_next_steps() {
    let place = fleet(3);
    place.write("list.txt", "app-0\napp-2\n");
    insta::assert_snapshot!(place.see(&["fleet", "update", "--repos", "list.txt"]), @r"
    repository  project  template       state                detail
    app-0       app      1.0.0 → 2.0.0  updated, security    mcp-kit/update-2.0.0
    app-2       app      1.0.0 → 2.0.0  conflicts, security  a.txt

    2 projects: 1 updated, 1 conflicts
    next: look at each branch, and merge it
          mcp-kit update in each project with conflicts, which marks the places to settle
    exit 1
    ");
    insta::assert_snapshot!(place.see(&["fleet", "update", "--repos", "list.txt"]), @r"
    repository  project  template       state                detail
    app-0       app      1.0.0 → 2.0.0  failed, security     an earlier run has left the branch mcp-kit/update-2.0.0: merge it, or remove it (git branch -D mcp-kit/update-2.0.0)
    app-2       app      1.0.0 → 2.0.0  conflicts, security  a.txt

    2 projects: 1 conflicts, 1 failed
    next: mcp-kit update in each project with conflicts, which marks the places to settle
    exit 1
    ");
    place.write("list.txt", "https://me:hush@git.example/x.git\n"); // pragma: allowlist secret
    for format in ["human", "json"] {
        let said = place.see(&["fleet", "status", "--repos", "list.txt", "--format", format]);
        assert!(!said.contains("hush"), "{said}");
    }
}

#[test]
fn failing_tests_and_a_catalog_with_clones() {
    let place = fleet(1);
    place.write("catalog.yaml", "services:\n  - {name: One, status: planned, location: local, auth_method: none, token_storage: env, repository: app-0}\n");
    let said = place.see(&["fleet", "update", "--catalog", "catalog.yaml", "--test", "echo no >&2; false"]);
    assert!(said.contains("tests fail") && said.contains("exit 1"), "{said}");
    let address = format!("file://{}", place.path("app").display());
    place.write("list.txt", &address);
    fs::create_dir(place.path("clones")).unwrap();
    let said = place.see(&["fleet", "status", "--repos", "list.txt", "--clones", "clones"]);
    assert!(said.contains("1.0.0 → 2.0.0") && place.path("clones/app/a.txt").exists(), "{said}");
}
