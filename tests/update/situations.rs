//! The situations in which template tools lose work, each with a public report: one test a number.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use serde_json::json;

use super::common::{git, is_executable, mcp_kit, outcome};
use super::{Project, action};

const TEN: &str = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n";

fn ten(line: &str, new: &str) -> String {
    TEN.replacen(&format!("{line}\n"), &format!("{new}\n"), 1)
}

/// Reported as epics-containers/epics-containers.github.io#232.
#[test]
fn situation_01_a_file_that_diverged_once_is_seen() {
    let project = Project::new("", &[("a.txt", TEN), ("b.txt", TEN), ("c.sh", TEN), ("d.txt", TEN)]);
    project.write("a.txt", "my own\n");
    fs::remove_file(project.path("b.txt")).unwrap();
    fs::set_permissions(project.path("c.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    project.commit();
    let report = project.json(&["--check"], 0);
    assert_eq!(report["state"], "up-to-date");
    assert_eq!(
        report["drift"],
        json!([
            { "path": "a.txt", "class": "owned", "state": "edited" },
            { "path": "b.txt", "class": "owned", "state": "deleted" },
            { "path": "c.sh", "class": "owned", "state": "mode" },
        ])
    );
    // Also while an update of another file waits.
    project.template("", &[("a.txt", TEN), ("b.txt", TEN), ("c.sh", TEN), ("d.txt", "new\n")]);
    let said = project.ends(&["--check"], 1);
    assert!(said.contains("is available") && said.contains("edited      a.txt"), "{said}");
    // What the update would change is not what its owner has changed.
    let report = project.json(&["--check"], 1);
    let drift: Vec<&str> =
        report["drift"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect();
    assert_eq!(drift, ["a.txt", "b.txt", "c.sh"]);
}

/// Reported as copier#1735, #1719, #1721.
#[test]
fn situation_02_a_deleted_file_stays_deleted_and_comes_back_on_request() {
    let project = Project::new("", &[("a.txt", TEN), ("b.txt", TEN)]);
    fs::remove_file(project.path("a.txt")).unwrap();
    fs::remove_file(project.path("b.txt")).unwrap();
    project.commit();
    project.template("", &[("a.txt", &ten("5", "five")), ("b.txt", TEN)]);
    let report = project.json(&[], 0);
    assert_eq!((action(&report, "a.txt"), action(&report, "b.txt")), ("deleted", ""));
    assert!(!project.exists("a.txt") && !project.exists("b.txt"));
    project.ends(&["--restore", "a.txt", "--restore", "b.txt"], 0);
    assert_eq!((project.read("a.txt"), project.read("b.txt")), (ten("5", "five"), TEN.to_owned()));
    project.ends(&["--restore", "c.txt"], 2);
    project.ends(&["--restore", "../template/a.txt"], 2);
}

/// Reported as copier#461, cruft#208.
#[test]
fn situation_03_a_file_that_the_template_removed_goes_unless_it_was_edited() {
    let project = Project::new("", &[("deep/a.txt", TEN), ("b.txt", TEN), ("c.txt", TEN)]);
    project.write("b.txt", &ten("5", "mine"));
    project.commit();
    project.template("", &[("c.txt", TEN)]);
    let report = project.json(&[], 1);
    assert_eq!((action(&report, "deep/a.txt"), action(&report, "b.txt")), ("removed", "removed-in-template"));
    assert!(!project.exists("deep"), "the empty folder goes, too");
    assert_eq!(project.read("b.txt"), ten("5", "mine"));
}

/// Reported as cruft#74, copier#288.
#[test]
fn situation_04_edits_move_along_with_a_renamed_file() {
    let project = Project::new("", &[("old.txt", TEN), ("folder/a.txt", TEN), ("folder/b.txt", TEN)]);
    project.write("old.txt", &ten("2", "mine"));
    project.write("folder/b.txt", &ten("9", "mine"));
    project.commit();
    let update = "[update.renames]\n'old.txt' = 'new.txt'\n'folder/' = 'moved/'\n";
    project.template(update, &[("new.txt", &ten("8", "eight")), ("moved/a.txt", TEN), ("moved/b.txt", TEN)]);
    let report = project.json(&[], 0);
    assert_eq!(action(&report, "new.txt"), "merged");
    assert_eq!(project.read("new.txt"), ten("2", "mine").replace("8\n", "eight\n"));
    assert_eq!((project.read("moved/a.txt"), project.read("moved/b.txt")), (TEN.to_owned(), ten("9", "mine")));
    assert!(!project.exists("old.txt") && !project.exists("folder"));
}

/// The other way round: the owner has renamed the file.
#[test]
fn situation_04_the_template_s_changes_find_a_file_that_the_owner_renamed() {
    let text: String = (0..40).map(|number| format!("a line with the number {number}\n")).collect();
    let project = Project::new("", &[("src/a.rs", &text)]);
    fs::remove_file(project.path("src/a.rs")).unwrap();
    project.write("src/deep/b.rs", &text.replace("number 3\n", "number three\n"));
    project.commit();
    project.template("", &[("src/a.rs", &text.replace("number 30\n", "number thirty\n"))]);
    let report = project.json(&[], 0);
    assert_eq!(action(&report, "src/deep/b.rs"), "merged");
    let both = text.replace("number 3\n", "number three\n").replace("number 30\n", "number thirty\n");
    assert_eq!(project.read("src/deep/b.rs"), both);
    assert!(!project.exists("src/a.rs"));
}

/// Reported as cruft#67.
#[test]
fn situation_05_a_new_file_is_added_and_two_new_ones_are_a_conflict() {
    let project = Project::new("", &[("a.txt", TEN)]);
    project.write("b.txt", "mine\n");
    project.write("same.txt", "same\n");
    project.commit();
    project.template("", &[("a.txt", TEN), ("b.txt", "theirs\n"), ("new/c.txt", "new\n"), ("same.txt", "same\n")]);
    let report = project.json(&[], 1);
    assert_eq!((action(&report, "b.txt"), action(&report, "new/c.txt")), ("both-added", "added"));
    assert_eq!(project.read("new/c.txt"), "new\n");
    assert_eq!(
        project.read("b.txt"),
        "<<<<<<< yours\nmine\n||||||| template (before)\n=======\ntheirs\n>>>>>>> template\n"
    );
    assert_eq!(stages(&project, "b.txt"), ["2", "3"]);
}

/// The stages of a path in git's index.
fn stages(project: &Project, path: &str) -> Vec<String> {
    let lines = project.ask_git(&["ls-files", "--stage", "--", path]);
    lines.lines().map(|line| line.split(['\t', ' ']).nth(2).unwrap().to_owned()).collect()
}

/// Reported as copier#1833, #1350, #1849.
#[test]
fn situation_06_conflicts_are_git_s_own_and_a_second_run_is_clean() {
    let project = Project::new("", &[("a.txt", TEN), ("deep/b.txt", TEN), ("z.txt", TEN)]);
    project.write("a.txt", &ten("5", "mine"));
    project.commit();
    project.template("", &[("a.txt", &ten("5", "theirs")), ("deep/b.txt", &ten("1", "one")), ("z.txt", TEN)]);
    let said = project.ends(&[], 1);
    assert!(said.contains("conflict   a.txt") && said.contains("1 place"), "{said}");
    let marked = ten("5", "<<<<<<< yours\nmine\n||||||| template (before)\n5\n=======\ntheirs\n>>>>>>> template");
    assert_eq!(project.read("a.txt"), marked);
    assert_eq!(stages(&project, "a.txt"), ["1", "2", "3"]);
    for (stage, text) in [(1, TEN.to_owned()), (2, ten("5", "mine")), (3, ten("5", "theirs"))] {
        assert_eq!(project.ask_git(&["show", &format!(":{stage}:a.txt")]), text);
    }
    assert!(project.ask_git(&["status", "--short"]).contains("UU a.txt"));
    project.git(&["fsck", "--strict"]);
    // Unsettled, it is not run over.
    let said = project.ends(&[], 1);
    assert!(said.contains("has conflicts of an earlier update"), "{said}");
    assert_eq!(project.read("a.txt"), marked);
    project.write("a.txt", &ten("5", "both"));
    project.commit();
    let said = project.ends(&[], 0);
    assert!(said.contains("is up to date"), "{said}");
    assert_eq!(project.ask_git(&["status", "--short"]), "");
}

/// Reported as OCA/maintainer-tools#645.
#[test]
fn situation_07_markers_never_end_with_exit_status_0() {
    let project = Project::new("", &[("a.txt", TEN)]);
    project.write("a.txt", &ten("5", "mine"));
    project.commit();
    project.template("", &[("a.txt", &ten("5", "theirs"))]);
    let report = project.json(&[], 1);
    assert_eq!((&report["state"], &report["conflicts"]), (&json!("conflicts"), &json!(["a.txt"])));
    assert_eq!(report["files"][0]["places"], 1);
    let report = project.json(&[], 1);
    assert_eq!((&report["state"], &report["conflicts"]), (&json!("unsettled"), &json!(["a.txt"])));
}

/// Reported as copier#2386.
#[test]
fn situation_08_there_is_one_form_of_conflict() {
    let project = Project::new("", &[("a.txt", TEN), (".gitignore", "*.txt\n")]);
    project.write("a.txt", &ten("5", "mine"));
    project.commit();
    project.template("", &[("a.txt", &ten("5", "theirs")), (".gitignore", "*.txt\n")]);
    project.ends(&[], 1);
    assert!(project.read("a.txt").contains("<<<<<<< yours"));
    let names: Vec<_> = fs::read_dir(project.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(
        names
            .iter()
            .all(|name| !name.to_string_lossy().ends_with(".rej") && !name.to_string_lossy().ends_with(".orig"))
    );
}

/// Reported as copier#2730, #2668.
#[test]
fn situation_09_git_s_ignore_rules_decide_nothing() {
    let files = |line: &str| [("secret/a.txt", ten("5", line)), (".gitignore", "secret/\n".to_owned())];
    let borrowed =
        |files: &[(&'static str, String)]| files.iter().map(|(path, text)| (*path, text.clone())).collect::<Vec<_>>();
    let template = |project: &Project, line: &str| {
        let files = borrowed(&files(line));
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        project.template("", &files);
    };
    let first = borrowed(&files("5"));
    let first: Vec<(&str, &str)> = first.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let project = Project::new("", &first);
    project.write("secret/a.txt", &ten("1", "mine"));
    project.commit();
    template(&project, "five");
    project.ends(&[], 0);
    assert_eq!(project.read("secret/a.txt"), ten("1", "mine").replace("5\n", "five\n"));
}

/// Reported as copier#1170, #498, #1082.
#[test]
fn situation_10_the_old_template_is_not_needed_and_its_copy_can_be_lost() {
    // The old version does not render any more: it is nowhere but in the project.
    let project = Project::new("", &[("a.txt", TEN), ("b.txt", TEN)]);
    project.write("a.txt", &ten("2", "mine"));
    project.commit();
    project.template("", &[("a.txt", &ten("9", "nine")), ("b.txt", TEN)]);
    project.ends(&[], 0);
    assert_eq!(project.read("a.txt"), ten("2", "mine").replace("9\n", "nine\n"));
    project.commit();
    // Damaged and lost records are reported, and made again.
    project.template("", &[("a.txt", &ten("9", "NINE")), ("b.txt", TEN)]);
    project.write(".mcp-kit/pristine.tar.gz", "no archive");
    project.commit();
    let said = project.ends(&[], 2);
    assert!(said.contains("pristine.tar.gz cannot be used") && said.contains("--adopt"), "{said}");
    fs::remove_file(project.path(".mcp-kit/pristine.tar.gz")).unwrap();
    project.ends(&["--check"], 2);
    let said = project.ends(&["--adopt"], 0);
    assert!(said.contains("1 of the template's 2 files"), "{said}");
    assert!(project.ends(&[], 0).contains("is up to date"));
    assert!(project.ends(&["--check"], 0).contains("edited      a.txt"));
    project.commit();
    project.template("", &[("a.txt", &ten("9", "NINE")), ("b.txt", &ten("1", "one"))]);
    project.ends(&[], 0);
    assert_eq!(project.read("b.txt"), ten("1", "one"));
    project.ends(&["--adopt"], 2);
}

/// Reported as copier#2505, #2369.
#[test]
fn situation_11_a_project_in_a_folder_of_a_repository() {
    let project = Project::without_git("", &[("a.txt", TEN), ("b.txt", TEN)]);
    project.write("a.txt", &ten("5", "mine"));
    git(&project.place, &["init", "--quiet"]);
    git(&project.place, &["add", "--all"]);
    git(&project.place, &["commit", "--quiet", "--message", "all"]);
    project.template("", &[("a.txt", &ten("5", "theirs")), ("b.txt", TEN)]);
    // The template's folder is dirty, and so is another one. Neither counts.
    project.place.write("elsewhere.txt", "new");
    project.write("b.txt", "dirty\n");
    let said = project.ends(&[], 2);
    assert!(said.contains("a change is uncommitted: b.txt") && said.contains("--allow-dirty"), "{said}");
    project.write("b.txt", TEN);
    project.ends(&[], 1);
    assert_eq!(stages(&project, "a.txt"), ["1", "2", "3"]);
    assert!(project.ask_git(&["status", "--short"]).contains("UU a.txt"));
}

/// A file that git does not have is not written over.
#[test]
fn situation_11_what_git_could_not_bring_back_is_refused() {
    let project = Project::without_git("", &[("a.txt", TEN)]);
    project.git(&["init", "--quiet"]);
    project.template("", &[("a.txt", &ten("5", "theirs"))]);
    let said = project.ends(&[], 2);
    assert!(said.contains("a.txt"), "{said}");
    assert_eq!(project.read("a.txt"), TEN);
    project.ends(&["--allow-dirty"], 0);
    assert_eq!(project.read("a.txt"), ten("5", "theirs"));
}

/// Reported as copier#2432.
#[test]
fn situation_12_no_hook_runs() {
    let project = Project::new("", &[("a.txt", TEN)]);
    project.write("a.txt", &ten("5", "mine"));
    project.commit();
    for hook in ["pre-commit", "post-index-change", "post-checkout", "post-merge", "fsmonitor-watchman"] {
        project.write(&format!(".git/hooks/{hook}"), "#!/bin/sh\ntouch \"$(git rev-parse --show-toplevel)/ran\"\n");
        fs::set_permissions(project.path(&format!(".git/hooks/{hook}")), fs::Permissions::from_mode(0o755)).unwrap();
    }
    project.git(&["config", "core.fsmonitor", ".git/hooks/fsmonitor-watchman"]);
    project.template("", &[("a.txt", &ten("5", "theirs"))]);
    project.ends(&[], 1);
    assert!(!project.exists("ran"));
}

/// Reported as copier#2759.
#[test]
fn situation_13_git_is_not_needed() {
    let project = Project::new("", &[("a.txt", TEN), ("b.txt", TEN)]);
    project.write("a.txt", &ten("5", "mine"));
    project.commit();
    project.template("", &[("a.txt", &ten("5", "theirs")), ("b.txt", TEN)]);
    project.write("b.txt", "dirty\n");
    let output = mcp_kit(&project.place).args(["update", "app"]).env("PATH", "/nowhere").output().unwrap();
    assert!(outcome(&output).contains("uncommitted: b.txt"), "{}", outcome(&output));
    project.write("b.txt", TEN);
    let output = mcp_kit(&project.place).args(["update", "app"]).env("PATH", "/nowhere").output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", outcome(&output));
    assert_eq!(stages(&project, "a.txt"), ["1", "2", "3"]);
}

/// Reported as copier#2426.
#[test]
fn situation_14_no_link_leads_out_of_the_project() {
    let project = Project::new("", &[("a.txt", TEN), ("folder/b.txt", TEN)]);
    project.place.write("outside/a.txt", TEN);
    project.place.write("outside/b.txt", TEN);
    fs::remove_file(project.path("a.txt")).unwrap();
    fs::remove_dir_all(project.path("folder")).unwrap();
    symlink("../outside/a.txt", project.path("a.txt")).unwrap();
    symlink("../outside", project.path("folder")).unwrap();
    project.commit();
    project.template("", &[("a.txt", "new\n"), ("folder/b.txt", "new\n"), ("folder/c.txt", "new\n")]);
    let report = project.json(&[], 1);
    assert_eq!(report["conflicts"], json!(["a.txt", "folder/b.txt", "folder/c.txt"]));
    assert_eq!(action(&report, "a.txt"), "in-the-way");
    assert_eq!(
        (project.place.read("outside/a.txt"), project.place.read("outside/b.txt")),
        (TEN.to_owned(), TEN.to_owned())
    );
    assert!(!project.place.path("outside/c.txt").exists());
    // A link in a template is refused when it is read.
    symlink("/etc/passwd", project.place.path("template/link")).unwrap();
    project.ends(&[], 2);
}

/// Reported for copier 9.15.0.
#[test]
fn situation_15_the_executable_bit_is_merged_by_itself() {
    let project = Project::new("", &[("a.sh", TEN), ("b.sh", TEN), ("c.sh", TEN)]);
    project.write("a.sh", &ten("2", "mine"));
    fs::set_permissions(project.path("b.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    project.commit();
    project.template("", &[("a.sh", TEN), ("b.sh", &ten("9", "nine")), ("c.sh", TEN)]);
    fs::set_permissions(project.place.path("template/a.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    project.ends(&[], 0);
    assert!(
        is_executable(&project.path("a.sh"))
            && is_executable(&project.path("b.sh"))
            && !is_executable(&project.path("c.sh"))
    );
    assert_eq!((project.read("a.sh"), project.read("b.sh")), (ten("2", "mine"), ten("9", "nine")));
    project.commit();
    // A file system that keeps no bits: what git has in its index counts.
    project.git(&["config", "core.fileMode", "false"]);
    fs::set_permissions(project.path("a.sh"), fs::Permissions::from_mode(0o644)).unwrap();
    project.template("", &[("a.sh", &ten("8", "eight")), ("b.sh", &ten("9", "nine")), ("c.sh", TEN)]);
    fs::set_permissions(project.place.path("template/a.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    project.ends(&[], 0);
    assert!(is_executable(&project.path("a.sh")));
}

const ASKS: &str = "[placeholders.colour]\ntype = 'string'\nprompt = '?'\ndefault = 'red'\n";

/// Reported as copier#1178, #2057, #2680.
#[test]
fn situation_16_only_new_questions_are_asked() {
    let project = Project { place: super::common::Place::new() };
    let old = "[placeholders.gone]\ntype = 'string'\nprompt = '?'\ndefault = 'x'\n";
    project.template(&format!("{ASKS}{old}"), &[("a.txt", "{{colour}}\n")]);
    project.place.ok(&["new", "app", "--template", "template", "--set", "colour=blue"]);
    project.commit();
    let new = "[placeholders.shape]\ntype = 'string'\nprompt = '?'\nchoices = ['round', 'square']\ndefault = 'round'\n";
    project.template(&format!("{}{new}", ASKS.replace("red", "green")), &[("a.txt", "{{colour}} {{shape}}\n")]);
    project.ends(&[], 0);
    assert_eq!(project.read("a.txt"), "blue round\n");
    assert!(!project.read(".mcp-kit/answers.toml").contains("gone"));
    project.commit();
    project.ends(&["--set", "shape=square"], 0);
    assert_eq!(project.read("a.txt"), "blue square\n");
    project.commit();
    // A recorded answer that is no choice any more has to be given again.
    project.template(&format!("{ASKS}{}", new.replace("square", "oval")), &[("a.txt", "{{colour}} {{shape}}\n")]);
    let said = project.ends(&[], 2);
    assert!(said.contains("must be one of round, oval"), "{said}");
    project.ends(&["--set", "shape=oval"], 0);
    assert_eq!(project.read("a.txt"), "blue oval\n");
    project.ends(&["--set", "shape=ovl"], 2);
    project.ends(&["--set", "shape"], 2);
}

/// Reported as fastmcp-server-template#302, #283.
#[test]
fn situation_17_generated_files_are_no_conflict() {
    let update = "[update.generated]\n'table.txt' = 'make table'\n'Cargo.lock' = ''\n";
    let lock = |name: &str, version: &str, more: &str| {
        format!(
            "version = 4\n\n[[package]]\nname = \"{name}\"\nversion = \"0.1.0\"\ndependencies = [\n \"serde\",\n]\n\n[[package]]\nname = \"serde\"\nversion = \"{version}\"\nsource = \"registry\"\n{more}"
        )
    };
    let project = Project::new(update, &[("table.txt", TEN), ("Cargo.lock", &lock("{{project-name}}", "1.0.1", ""))]);
    project.write("table.txt", &ten("5", "mine"));
    project.write("Cargo.lock", &lock("app", "1.0.9", ""));
    project.commit();
    project.template(
        update,
        &[("table.txt", &ten("5", "theirs")), ("Cargo.lock", &lock("{{project-name}}", "1.0.5", "checksum = \"0\"\n"))],
    );
    let report = project.json(&[], 0);
    assert_eq!(action(&report, "table.txt"), "regenerate");
    let table = report["files"].as_array().unwrap().iter().find(|file| file["path"] == "table.txt").unwrap();
    assert!(table["hint"].as_str().unwrap().ends_with("make table"));
    assert_eq!(project.read("table.txt"), ten("5", "theirs"));
    assert!(project.read("Cargo.lock").contains("version = \"1.0.9\""), "{}", project.read("Cargo.lock"));
}

/// Reported for the UPGRADING.md of fastmcp-server-template.
#[test]
fn situation_18_what_moved_on_in_seeded_files_is_listed_with_its_diff() {
    let update = "[update]\nseeded = ['tools.txt', 'untouched.txt']\n";
    let project = Project::new(update, &[("tools.txt", TEN), ("untouched.txt", TEN)]);
    project.write("tools.txt", "all mine\n");
    project.commit();
    project.template(update, &[("tools.txt", &ten("5", "better")), ("untouched.txt", &ten("5", "better"))]);
    let diff = project.ends(&["--diff"], 0);
    assert!(diff.contains("# tools.txt is yours and stays") && diff.contains("-5\n+better"), "{diff}");
    let report = project.json(&[], 0);
    assert_eq!((action(&report, "tools.txt"), action(&report, "untouched.txt")), ("seeded", "updated"));
    assert_eq!(project.read("tools.txt"), "all mine\n");
}

/// A seeded file that would no longer compile is merged by the one update that changes what it calls.
#[test]
fn situation_18_a_seeded_file_is_merged_where_the_template_says_so() {
    let update = |version: &str| {
        format!("[update]\nversion = '{version}'\nseeded = ['tools.txt']\nmerged = {{ '2.0.0' = ['tools.txt'] }}\n")
    };
    let project = Project::new(&update("1.0.0"), &[("tools.txt", TEN)]);
    project.write("tools.txt", &ten("1", "mine"));
    project.commit();
    project.template(&update("2.0.0"), &[("tools.txt", &ten("9", "nine"))]);
    project.ends(&[], 0);
    assert_eq!(project.read("tools.txt"), ten("1", "mine").replace("9\n", "nine\n"));
    project.commit();
    project.template(&update("2.1.0"), &[("tools.txt", &ten("9", "NINE"))]);
    assert_eq!(action(&project.json(&[], 0), "tools.txt"), "seeded");
}

/// Reported as rails#53729, #35950.
#[test]
fn situation_19_recorded_answers_count_and_not_today_s_defaults() {
    let project = Project::new(ASKS, &[("a.txt", "{{colour}}\n"), ("b.txt", TEN)]);
    project.template(&ASKS.replace("red", "green"), &[("a.txt", "{{colour}}\n"), ("b.txt", &ten("1", "one"))]);
    project.ends(&[], 0);
    assert_eq!((project.read("a.txt"), project.read("b.txt")), ("red\n".to_owned(), ten("1", "one")));
}

/// Reported as aws-samples/anthropic-on-aws#222.
#[test]
fn situation_20_a_raised_dependency_stays_raised_and_the_relation_can_end() {
    let manifest = |serde: &str, axum: &str| {
        format!(
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\n\n[dependencies]\naxum = {{ version = \"{axum}\", features = [\"json\"] }}\nserde = \"{serde}\"\n"
        )
    };
    let project = Project::new("", &[("Cargo.toml", &manifest("1.0.1", "0.7"))]);
    project.write("Cargo.toml", &manifest("1.0.9", "0.7.9"));
    project.commit();
    project.template("", &[("Cargo.toml", &manifest("1.0.5", "0.8"))]);
    project.ends(&[], 0);
    assert_eq!(project.read("Cargo.toml"), manifest("1.0.9", "0.8"));
    project.commit();
    let said = project.ends(&["--detach"], 0);
    assert!(said.contains("Detached app"), "{said}");
    assert!(!project.exists(".mcp-kit"));
    assert!(project.ends(&[], 2).contains("--adopt"));
    project.ends(&["--detach"], 2);
}

/// Reported as backstage#14416, #12985, #31361, renovate#25556.
#[test]
fn situation_21_provenance_and_the_notes_of_the_step_are_there_for_bots() {
    let update = |version: &str| format!("[template]\nignore = ['upgrade']\n[update]\nversion = '{version}'\n");
    let project = Project::new(&update("1.0.0"), &[("a.txt", TEN), ("upgrade/1.0.0.md", "## First\n")]);
    let record = project.read(".mcp-kit/answers.toml");
    assert!(record.contains("version = \"1.0.0\"") && record.contains("digest = \""), "{record}");
    project.template(
        &update("3.0.0"),
        &[
            ("a.txt", &ten("5", "five")),
            ("upgrade/1.0.0.md", "## First\n"),
            ("upgrade/3.0.0.md", "## Third\n\nDo this.\n"),
            ("upgrade/2.0.0.md", "## Second\n\nDo that.\n"),
        ],
    );
    let report = project.json(&["--check"], 1);
    let versions: Vec<_> = report["notes"].as_array().unwrap().iter().map(|note| note["version"].clone()).collect();
    assert_eq!(versions, ["2.0.0", "3.0.0"]);
    let pull_request = &report["pull_request"];
    assert_eq!(pull_request["title"], "Update app to template 3.0.0");
    let body = pull_request["body"].as_str().unwrap();
    assert!(body.find("## Second").unwrap() < body.find("## Third").unwrap(), "{body}");
    assert_eq!((&report["from"]["version"], &report["to"]["version"]), (&json!("1.0.0"), &json!("3.0.0")));
    assert!(!project.exists("upgrade"));
}
