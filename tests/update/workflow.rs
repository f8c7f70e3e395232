//! The weekly workflow of generated projects: its steps as the runner runs them, with a repository beside it in the place of GitHub's.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use super::Project;
use super::common::{Place, git, outcome};

const WORKFLOW: &str = include_str!("../../template/.github/workflows/update.yml");
const TEN: &str = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n";
const TOKEN: &str = "not-a-real-token"; // pragma: allowlist secret

/// The script of a step.
fn step(name: &str) -> String {
    let (_, rest) = WORKFLOW.split_once(&format!("      - name: {name}\n")).unwrap();
    let (_, rest) = rest.split_once("        run: ").unwrap();
    let (first, rest) = rest.split_once('\n').unwrap();
    if first != "|" {
        return first.to_owned();
    }
    rest.lines().map_while(|line| line.strip_prefix("          ")).map(|line| format!("{line}\n")).collect()
}

/// What git prints.
fn ask_git(place: &Place, arguments: &[&str]) -> String {
    let output = Command::new("git").args(arguments).current_dir(place.root()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A runner: programs in the place of others, the files of the runner, and a folder for those of a job.
struct Runner {
    place: Place,
}

impl Runner {
    fn new() -> Self {
        let place = Place::new();
        for name in ["bin", "home", "temp"] {
            fs::create_dir(place.path(name)).unwrap();
        }
        Self { place }
    }

    fn program(&self, name: &str, text: &str) {
        let path = self.place.path("bin").join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Runs a step as the runner does, in this folder.
    fn run(&self, name: &str, folder: &Path, variables: &[(&str, &str)]) -> Output {
        let path = format!("{}:{}", self.place.path("bin").display(), std::env::var("PATH").unwrap());
        let file = |name: &str| self.place.path(name);
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-e", "-o", "pipefail", "-c", &step(name)]).current_dir(folder);
        command.env("PATH", path).env("HOME", file("home")).env("GIT_CONFIG_NOSYSTEM", "1");
        command.env("GITHUB_ENV", file("env")).env("GITHUB_OUTPUT", file("output"));
        command.env("GITHUB_STEP_SUMMARY", file("summary")).env("RUNNER_TEMP", file("temp"));
        command.env("BRANCH", "mcp-kit/update").envs(variables.iter().copied()).output().unwrap()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.place.path(name)).unwrap_or_default()
    }
}

/// Runs the step that finds the commit, with this repository at https://git.example/mcp-kit.git.
fn found(runner: &Runner, repository: &str, commit: &str) -> (Option<i32>, String) {
    let _ = fs::remove_file(runner.place.path("env"));
    let instead = format!("url.file://{}/.insteadOf", runner.place.root().display());
    let git =
        [("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", &instead), ("GIT_CONFIG_VALUE_0", "https://git.example/")];
    let variables = [&git[..], &[("MCP_KIT_REPOSITORY", repository), ("MCP_KIT_UPDATE_TO", commit)]].concat();
    let output = runner.run("Find the commit of mcp-kit", runner.place.root(), &variables);
    let said = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), runner.read("env") + said.lines().find(|line| line.starts_with("::")).unwrap_or_default())
}

#[test]
fn it_builds_the_newest_version_at_a_full_commit_or_says_what_to_fill_in() {
    let runner = Runner::new();
    let place = &runner.place;
    let address = "https://git.example/mcp-kit.git";
    git(place, &["init", "--quiet", "mcp-kit.git"]);
    let commit = |message: &str| {
        git(place, &["-C", "mcp-kit.git", "commit", "--quiet", "--allow-empty", "--message", message]);
        ask_git(place, &["-C", "mcp-kit.git", "rev-parse", "HEAD"]).trim().to_owned()
    };
    let first = commit("one");
    let missing = "has no version tag (v1.2.3): fill in MCP_KIT_UPDATE_TO (the full commit to build, 40 hex digits)";
    let (status, said) = found(&runner, address, "");
    assert!(status == Some(1) && said.contains(missing), "{said}");
    for (tag, more) in
        [("v0.9.0", None), ("v0.10.0", Some("--message=with a message")), ("v0.11.0-rc1", None), ("vx", None)]
    {
        let arguments = ["-C", "mcp-kit.git", "tag"];
        git(place, &[&arguments[..], &more.map(|more| vec!["--annotate", more]).unwrap_or_default(), &[tag]].concat());
        commit("later");
    }
    git(place, &["-C", "mcp-kit.git", "tag", "--force", "v0.9.0"]);
    // 0.10.0 and not 0.9.0, which is younger; the commit of a tag with a message, not the tag; no candidate of a release.
    let tagged = ask_git(place, &["-C", "mcp-kit.git", "rev-parse", "v0.10.0^{}"]);
    assert_eq!(found(&runner, address, ""), (Some(0), format!("MCP_KIT_COMMIT={tagged}")));
    assert_eq!(found(&runner, address, &first), (Some(0), format!("MCP_KIT_COMMIT={first}\n")));
    for (address, commit) in
        [("", ""), ("http://git.example/mcp-kit.git", ""), ("--upload-pack=x", &first), ("https://", &first)]
    {
        let (status, said) = found(&runner, address, commit);
        let start = "::error file=.github/workflows/update.yml::Fill in MCP_KIT_REPOSITORY (";
        assert!(status == Some(1) && said.starts_with(start), "{address:?}: {said}");
    }
    for commit in ["main", "v0.10.0", "0123456"] {
        let (status, said) = found(&runner, address, commit);
        assert!(status == Some(1) && said.contains("fill in MCP_KIT_UPDATE_TO ("), "{commit}: {said}");
    }
    runner.program("cargo", "#!/bin/sh\nprintf '%s\\n' \"$@\"\n");
    let variables = [("MCP_KIT_REPOSITORY", address), ("MCP_KIT_COMMIT", &*first)];
    let output = runner.run("Install mcp-kit", place.root(), &variables);
    let package = env!("CARGO_PKG_NAME");
    let expected = format!("install\n--locked\n--git\n{address}\n--rev\n{first}\n{package}\n");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}

/// A project that the runner has checked out, with its repository beside it.
fn checked_out(runner: &Runner, project: &Project) {
    let from = project.path("").display().to_string();
    git(&runner.place, &["clone", "--quiet", "--bare", &from, "origin.git"]);
    git(&runner.place, &["clone", "--quiet", "origin.git", "work"]);
    let (binary, template) = (env!("CARGO_BIN_EXE_mcp-kit"), project.place.path("template").display().to_string());
    let stand_in = format!("#!/bin/sh\nshift\nexec {binary} update --template {template} \"$@\"\n");
    runner.program("mcp-kit", &stand_in);
    // It keeps what it is asked. A fork has an open pull request from a branch of the same name, and we have one once it was created.
    let calls = runner.place.path("calls").display().to_string();
    let gh = format!(
        r#"#!/bin/sh
echo "$*" >>{calls}
[ -n "$GH_TOKEN" ] || exit 4
[ "$1 $2" = "pr list" ] || exit 0
own=
! grep -q '^pr create' {calls} || own=',{{"number":7,"isCrossRepository":false}}'
while [ $# -gt 0 ]; do
	case $1 in --json) fields=$2 ;; --jq) filter=$2 ;; esac
	shift
done
echo "[{{\"number\":5,\"isCrossRepository\":true}}$own]" | jq "[.[] | {{$fields}}]" | jq -r "$filter"
"#
    );
    runner.program("gh", &gh);
}

fn propose(runner: &Runner, has_secret: &str) -> Output {
    let _ = fs::remove_dir_all(runner.place.path("again"));
    git(&runner.place, &["clone", "--quiet", "origin.git", "again"]);
    let variables = [("GH_TOKEN", TOKEN), ("HAS_TOKEN", has_secret)];
    runner.run("Commit, push and open the pull request", &runner.place.path("again"), &variables)
}

#[test]
fn an_update_becomes_a_pull_request_with_its_conflicts() {
    let rules = |version: &str| format!("[update]\nversion = \"{version}\"\n");
    let mut files = vec![("a.txt", TEN.to_owned()), ("b.txt", TEN.to_owned())];
    fn borrowed<'a>(files: &'a [(&'a str, String)]) -> Vec<(&'a str, &'a str)> {
        files.iter().map(|(path, text)| (*path, text.as_str())).collect()
    }
    let project = Project::new(&rules("0.1.0"), &borrowed(&files));
    let runner = Runner::new();
    checked_out(&runner, &project);
    let update = || runner.run("Update", &runner.place.path("work"), &[]);

    // Nothing to do.
    let output = update();
    assert!(output.status.success(), "{}", outcome(&output));
    assert_eq!(runner.read("output"), "state=up-to-date\n");

    // One file of the template alone, one that both have changed, and a new one.
    runner.place.write("work/b.txt", TEN.replace('5', "mine"));
    git(&runner.place, &["-C", "work", "commit", "--quiet", "--all", "--message", "mine"]);
    git(&runner.place, &["-C", "work", "push", "--quiet"]);
    files[0].1 = TEN.replace('5', "five");
    files[1].1 = TEN.replace('5', "five");
    files.push(("c.txt", TEN.to_owned()));
    project.template(&rules("0.2.0"), &borrowed(&files));
    fs::remove_file(runner.place.path("output")).unwrap();
    let output = update();
    assert!(output.status.success(), "{}", outcome(&output));
    assert_eq!(runner.read("output"), "state=conflicts\n");
    assert_eq!(runner.read("temp/update/title"), "Update app to template 0.2.0\n");
    assert!(
        runner.read("summary").contains("## Conflicts to settle\n\n- `b.txt`: 1 place\n"),
        "{}",
        runner.read("summary")
    );

    for _ in 0..2 {
        let output = propose(&runner, "false");
        assert!(output.status.success(), "{}", outcome(&output));
    }
    let show = |what: &str| ask_git(&runner.place, &["-C", "origin.git", "show", what]);
    assert!(show("mcp-kit/update:a.txt").contains("five") && show("mcp-kit/update:c.txt") == TEN);
    assert!(show("mcp-kit/update:b.txt").contains("<<<<<<< yours\nmine\n"), "{}", show("mcp-kit/update:b.txt"));
    assert!(show("mcp-kit/update:.mcp-kit/answers.toml").contains("version = \"0.2.0\""));
    let calls = runner.read("calls");
    let kinds: Vec<String> = calls.lines().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(kinds, ["auth setup-git", "pr list", "pr create", "auth setup-git", "pr list", "pr edit"]);
    assert!(calls.contains("pr edit 7 --title "), "{calls}");
    assert!(calls.contains("--title Update app to template 0.2.0 --body-file ") && !calls.contains(TOKEN), "{calls}");
}

/// GitHub refuses it with a sentence about permissions that no workflow can have.
#[test]
fn an_update_of_workflows_needs_a_token_that_may() {
    let project = Project::new("", &[(".github/workflows/ci.yml", "on: push\n")]);
    let runner = Runner::new();
    checked_out(&runner, &project);
    project.template("", &[(".github/workflows/ci.yml", "on: pull_request\n")]);
    assert!(runner.run("Update", &runner.place.path("work"), &[]).status.success());
    let output = propose(&runner, "false");
    assert!(output.status.code() == Some(1) && outcome(&output).contains("Add the secret MCP_KIT_UPDATE_TOKEN"));
    assert!(!runner.read("calls").contains("pr create"));
    let output = propose(&runner, "true");
    assert!(output.status.success() && runner.read("calls").contains("pr create"), "{}", outcome(&output));
}

/// An update that is not made is no pull request.
#[test]
fn an_error_ends_the_workflow() {
    let project = Project::new("", &[("a.txt", TEN)]);
    let runner = Runner::new();
    checked_out(&runner, &project);
    fs::remove_file(runner.place.path("work/.mcp-kit/answers.toml")).unwrap();
    let output = runner.run("Update", &runner.place.path("work"), &[]);
    assert!(
        output.status.code() == Some(1) && outcome(&output).contains("::error::mcp-kit update ended with status 2")
    );
    assert_eq!(runner.read("output"), "");
}
