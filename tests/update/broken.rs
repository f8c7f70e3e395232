//! Interrupted, twice at once, read-only, libraries edited, files of other kinds and line ends.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use super::common::{Place, listing, mcp_kit, outcome};
use super::{Project, action};

const TEN: &str = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n";

/// A project whose update adds, changes, removes and marks many files.
fn large() -> Project {
    let name = |kind: &str, number: usize| format!("{kind}/{number}.txt");
    let mut old: Vec<(String, String)> = (0..24).map(|number| (name("stays", number), TEN.to_owned())).collect();
    old.extend((0..8).map(|number| (name("goes", number), TEN.to_owned())));
    let mut new: Vec<(String, String)> =
        (0..24).map(|number| (name("stays", number), TEN.replace('5', "five"))).collect();
    new.extend((0..8).map(|number| (name("comes", number), TEN.to_owned())));
    fn borrowed(files: &[(String, String)]) -> Vec<(&str, &str)> {
        files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect()
    }
    let project = Project::new("", &borrowed(&old));
    project.write("stays/7.txt", &TEN.replace('5', "mine"));
    project.commit();
    project.template("", &borrowed(&new));
    project
}

/// Files by their paths, and whether they can be executed.
type Files = std::collections::BTreeMap<String, (Vec<u8>, bool)>;

/// All files but git's, whose index has times in it.
fn files(root: &Path) -> Files {
    let mut files = listing(root);
    files.retain(|path, _| !path.starts_with(".git/"));
    files
}

fn copy(from: &Path, to: &Path) {
    let done = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(done.success());
}

/// An update that is killed after a time: the files that it leaves, and whether it left a journal.
fn killed(place: &Place, project: &str, after: Duration) -> (Files, bool) {
    let mut update = mcp_kit(place);
    let mut child = update.args(["update", project]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    thread::sleep(after);
    let _ = child.kill();
    child.wait().unwrap();
    let mut now = files(&place.path(project));
    let is_committed = now.contains_key(".mcp-kit/journal");
    now.retain(|path, _| !path.starts_with(".mcp-kit/journal"));
    (now, is_committed)
}

/// Killed at any point, the project is as it was, or the next run finishes.
#[test]
fn killed_at_200_points() {
    let project = large();
    let before = files(&project.path(""));
    copy(&project.path(""), &project.place.path("whole"));
    let started = std::time::Instant::now();
    let output = project.place.run(&["update", "whole"]);
    let whole = started.elapsed();
    assert_eq!(output.status.code(), Some(1), "{}", outcome(&output));
    let after = files(&project.place.path("whole"));
    let (mut untouched, mut done) = (0, 0);
    for number in 0..200_u32 {
        let name = format!("run-{number}");
        let root = project.place.path(&name);
        copy(&project.path(""), &root);
        // Most of the points in the second half, where files are written.
        let (now, is_committed) = killed(&project.place, &name, whole * (50 + number * 60 / 200) / 100);
        if now == before {
            untouched += 1;
        } else {
            assert!(is_committed || now == after, "{number}: half an update without a journal");
            done += 1;
        }
        // With the markers of the one conflict, exit status 1 both times: just made, or of an earlier run.
        let output = project.place.run(&["update", &name, "--allow-dirty"]);
        assert_eq!(output.status.code(), Some(1), "{number}: {}", outcome(&output));
        assert!(files(&root) == after, "{number}: another result");
        let index = std::process::Command::new("git").arg("-C").arg(&root).args(["ls-files", "-u"]).output().unwrap();
        let index = String::from_utf8(index.stdout).unwrap();
        assert_eq!(index.lines().count(), 3, "{number}: {index}");
        fs::remove_dir_all(&root).unwrap();
    }
    eprintln!("{untouched} before the commit, {done} after it");
    assert!(untouched > 0, "none was killed before the commit");
}

/// The same with a whole project and the largest step that there is, which moves, writes and removes most of its files.
/// `MCP_KIT_UPDATE_KILLS` is the number of points, which are other ones in each run.
#[test]
fn a_whole_project_killed_at_random_points() {
    let kills: u32 = std::env::var("MCP_KIT_UPDATE_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(12);
    let place = Place::new();
    let Some(()) = super::history::old(&place, "6d3fb1a") else { return };
    let before = files(&place.path("my-server"));
    copy(&place.path("my-server"), &place.path("whole"));
    let started = std::time::Instant::now();
    place.ok(&["update", "whole"]);
    let whole = started.elapsed();
    let after = files(&place.path("whole"));
    let changed = before.keys().chain(after.keys()).filter(|path| before.get(*path) != after.get(*path)).count();
    assert!(changed > 300, "{changed} files are no large step");
    let mut random = std::hash::BuildHasher::hash_one(&std::collections::hash_map::RandomState::new(), 0);
    let (mut untouched, mut between, mut done) = (0, 0, 0);
    for number in 0..kills {
        let root = place.path("app");
        copy(&place.path("my-server"), &root);
        // A linear congruential generator (Knuth's MMIX); half of the points in the last third, where files are written.
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let point = u32::try_from(random >> 54).unwrap();
        let from = if number % 2 == 0 { 0 } else { 680 };
        let (now, is_committed) = killed(&place, "app", whole * (from + point * (1060 - from) / 1024) / 1000);
        if now == before {
            untouched += 1;
        } else if now == after {
            done += 1;
        } else {
            assert!(is_committed, "{number}: half an update without a journal");
            for (path, file) in &now {
                let is_whole = before.get(path) == Some(file) || after.get(path) == Some(file);
                assert!(is_whole, "{number}: {path} is neither as it was nor as it is to be");
            }
            between += 1;
        }
        place.ok(&["update", "app", "--allow-dirty"]);
        assert!(files(&root) == after, "{number}: another result");
        fs::remove_dir_all(&root).unwrap();
    }
    println!(
        "{kills} kills over {whole:?}: {untouched} before the commit, {between} in between, {done} after the last file"
    );
}

#[test]
fn two_at_once_do_not_meet() {
    let project = large();
    let spawn = || {
        mcp_kit(&project.place).args(["update", "app"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let outputs: Vec<_> =
        [spawn(), spawn(), spawn()].into_iter().map(|child| child.wait_with_output().unwrap()).collect();
    for output in &outputs {
        let said = outcome(output);
        let busy = said.contains("another mcp-kit is at work") && output.status.code() == Some(3);
        assert!(busy || output.status.code() == Some(1), "{said}");
    }
    assert!(outputs.iter().any(|output| output.status.code() == Some(1)));
    assert!(project.read("stays/1.txt").contains("five") && project.exists("comes/1.txt") && !project.exists("goes"));
}

#[test]
fn a_journal_of_others_leads_nowhere() {
    let project = Project::new("", &[("a.txt", TEN)]);
    for path in ["../outside.txt", "/tmp/outside.txt", "a/../../outside.txt", ".git/config", ""] {
        let head = format!(
            "{{\"schema\":\"mcp-kit/journal/1\",\"steps\":[{{\"path\":{path:?},\"before\":null,\"after\":[0,false]}}],\"conflicts\":[],\"contents\":[1]}}\nx"
        );
        project.write(".mcp-kit/journal", &head);
        let said = project.ends(&[], 2);
        assert!(said.contains("is no journal"), "{path}: {said}");
        assert!(!project.place.path("outside.txt").exists());
    }
    for text in [
        "",
        "{}\n",
        "{\"schema\":\"other\",\"steps\":[],\"conflicts\":[],\"contents\":[]}\n",
        "{\"schema\":\"mcp-kit/journal/1\",\"steps\":[],\"conflicts\":[],\"contents\":[9]}\nx",
    ] {
        project.write(".mcp-kit/journal", text);
        project.ends(&[], 2);
    }
    // Reading commands do not finish another run's work.
    let said = project.ends(&["--check"], 2);
    assert!(said.contains("was interrupted"), "{said}");
}

#[test]
fn records_of_others_are_refused() {
    let project = Project::new("", &[("a.txt", TEN)]);
    let record = project.read(".mcp-kit/answers.toml");
    for text in ["", "schema = 2\n", "][", "schema = 1\nname = 3\n", &record.replace("[answers]", "[other]")] {
        project.write(".mcp-kit/answers.toml", text);
        let said = project.ends(&[], 2);
        assert!(said.contains("answers.toml cannot be used"), "{text}: {said}");
    }
    fs::remove_file(project.path(".mcp-kit/answers.toml")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", project.path(".mcp-kit/answers.toml")).unwrap();
    project.ends(&[], 2);
}

#[test]
fn what_cannot_be_written_changes_nothing() {
    let project = large();
    let before = files(&project.path(""));
    // The limit of file size: as a full disk, the journal does not fit.
    let binary = env!("CARGO_BIN_EXE_mcp-kit");
    let mut command = mcp_kit(&project.place);
    let environment: Vec<_> =
        command.get_envs().map(|(key, value)| (key.to_owned(), value.map(ToOwned::to_owned))).collect();
    command = std::process::Command::new("bash");
    command
        .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" update app"])
        .arg(binary)
        .current_dir(project.place.root());
    for (key, value) in environment {
        match value {
            Some(value) => command.env(key, value),
            None => command.env_remove(key),
        };
    }
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", outcome(&output));
    assert!(files(&project.path("")) == before);
}

#[test]
fn nothing_is_written_where_nothing_should_be() {
    let project = large();
    let before = listing(&project.path(""));
    for flags in [&["--check"][..], &["--diff"], &["--dry-run"], &["--check", "--format", "json"]] {
        let output = project.update(flags);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{}", outcome(&output));
        assert!(listing(&project.path("")) == before, "{flags:?}");
    }
}

#[test]
fn an_edited_library_is_replaced_and_told_first() {
    let update = "[update]\nvendored = ['vendor/**']\n";
    let project = Project::new(update, &[("vendor/x/lib.rs", TEN), ("vendor/x/other.rs", TEN)]);
    project.write("vendor/x/lib.rs", &TEN.replace('2', "mine"));
    project.commit();
    project.template(update, &[("vendor/x/lib.rs", &TEN.replace('9', "nine")), ("vendor/x/other.rs", TEN)]);
    let report = project.json(&[], 1);
    assert_eq!(action(&report, "vendor/x/lib.rs"), "vendored-edited");
    assert_eq!(project.read("vendor/x/lib.rs"), TEN.replace('9', "nine"));
    assert_eq!(project.ask_git(&["show", ":2:vendor/x/lib.rs"]), TEN.replace('2', "mine"));
    // Without git nothing else has the edit.
    let project = Project::without_git(update, &[("vendor/x/lib.rs", TEN)]);
    project.write("vendor/x/lib.rs", "mine\n");
    project.template(update, &[("vendor/x/lib.rs", &TEN.replace('9', "nine"))]);
    let said = project.ends(&[], 2);
    assert!(said.contains("your edits of a library would be replaced"), "{said}");
    assert_eq!(project.read("vendor/x/lib.rs"), "mine\n");
}

#[test]
fn crlf_stays_and_binary_files_are_never_merged() {
    let project = Project::new("", &[("a.txt", TEN), ("b.txt", TEN), ("c.bin", "a\0b")]);
    let crlf = |text: &str| text.replace('\n', "\r\n");
    project.write("a.txt", &crlf(&TEN.replace('2', "mine")));
    project.write("b.txt", &crlf(TEN));
    project.write("c.bin", "a\0mine");
    project.commit();
    let new = TEN.replace('9', "nine");
    project.template("", &[("a.txt", &new), ("b.txt", &new), ("c.bin", "a\0theirs")]);
    let report = project.json(&[], 1);
    assert_eq!(project.read("a.txt"), crlf(&new.replace('2', "mine")));
    assert_eq!(project.read("b.txt"), crlf(&new));
    assert_eq!((action(&report, "c.bin"), project.read("c.bin").as_str()), ("binary", "a\0mine"));
    assert_eq!(report["conflicts"].as_array().unwrap().len(), 1);
}

/// Index files of every version, in work trees, and what cannot be written.
#[test]
fn the_index_of_git_in_its_forms() {
    for version in ["2", "4"] {
        let project = Project::new("", &[("a.txt", TEN), ("b/c.txt", TEN), ("b/d.txt", TEN)]);
        project.write("a.txt", &TEN.replace('5', "mine"));
        project.write("b/d.txt", &TEN.replace('5', "mine"));
        project.write("intended.txt", "x");
        project.commit();
        project.git(&["update-index", "--index-version", version]);
        let theirs = TEN.replace('5', "theirs");
        project.template("", &[("a.txt", &theirs), ("b/c.txt", TEN), ("b/d.txt", &theirs)]);
        project.ends(&[], 1);
        let status = project.ask_git(&["status", "--short"]);
        assert!(
            status.contains("UU a.txt\n") && status.contains("UU b/d.txt\n") && !status.contains("b/c.txt"),
            "{status}"
        );
        project.git(&["checkout", "--ours", "a.txt"]);
        assert_eq!(project.read("a.txt"), TEN.replace('5', "mine"));
    }
    // Another git is at work: the files are complete, and a remark says so.
    let project = Project::new("", &[("a.txt", TEN)]);
    project.write("a.txt", &TEN.replace('5', "mine"));
    project.commit();
    project.write(".git/index.lock", "");
    project.template("", &[("a.txt", &TEN.replace('5', "theirs"))]);
    let said = project.ends(&[], 1);
    assert!(said.contains("not in git's index") && project.read("a.txt").contains("<<<<<<<"), "{said}");
}

#[test]
fn a_project_in_a_work_tree_of_git() {
    let project = Project::new("", &[("a.txt", TEN)]);
    project.write("a.txt", &TEN.replace('5', "mine"));
    project.commit();
    project.git(&["worktree", "add", "--quiet", "../linked"]);
    project.template("", &[("a.txt", &TEN.replace('5', "theirs"))]);
    let output = project.place.run(&["update", "linked"]);
    assert_eq!(output.status.code(), Some(1), "{}", outcome(&output));
    let linked = project.place.path("linked");
    let status = std::process::Command::new("git").arg("-C").arg(linked).args(["status", "--short"]).output().unwrap();
    assert!(String::from_utf8(status.stdout).unwrap().contains("UU a.txt"));
    assert_eq!(project.ask_git(&["status", "--short"]), "");
}

/// The records of a cloned project say what is rendered, and where.
#[test]
fn records_of_others_lead_nowhere() {
    let project = Project::new("", &[("a.txt", "1\n")]);
    let record = project.read(".mcp-kit/answers.toml");
    let elsewhere = project.place.path("elsewhere").display().to_string();
    project.template("", &[("a.txt", "2\n")]);
    for name in ["../../../elsewhere", &elsewhere, "..", ".", "", "a/b", "a\\\\b", "a\\u0000b"] {
        let text = record.replace("name = \"app\"", &format!("name = \"{name}\""));
        assert_ne!(text, record);
        project.write(".mcp-kit/answers.toml", &text);
        let said = project.ends(&["--allow-dirty"], 2);
        assert!(said.contains("cannot be the name of a project"), "{name}: {said}");
        assert!(!project.place.path("elsewhere").exists() && project.read("a.txt") == "1\n", "{name}");
    }
    // A folder of the user's that is no template.
    project.place.write("keys/id", "secret");
    let keys = project.place.path("keys").display().to_string();
    let text = record
        .lines()
        .map(|line| if line == "name = \"template\"" { format!("name = \"{keys}\"\n") } else { format!("{line}\n") });
    let text: String = text.collect();
    assert_ne!(text, record);
    project.write(".mcp-kit/answers.toml", &text);
    let said = project.ends(&["--allow-dirty"], 2);
    assert!(said.contains("and there is none") && !project.exists("id"), "{said}");
}

/// A project that cargo-generate made by itself: its answers are found in its files.
#[test]
fn a_project_without_records_is_adopted_with_its_answers() {
    let place = Place::new();
    let answers = ["auth_mode=bearer", "token_store=postgres", "public_host=mcp.corp.example", "description=Ours"];
    let set: Vec<&str> = answers.iter().flat_map(|answer| ["--set", answer]).collect();
    place.ok(&[&["new", "app", "--no-git"][..], &set].concat());
    let record = place.read("app/.mcp-kit/answers.toml");
    fs::remove_dir_all(place.path("app/.mcp-kit")).unwrap();
    let output = place.ok(&["update", "app", "--adopt"]);
    assert_eq!(place.read("app/.mcp-kit/answers.toml"), record, "{}", outcome(&output));
    assert!(outcome(&place.ok(&["update", "app", "--check"])).contains("no file differs"));
}

#[test]
fn a_signal_before_the_commit_changes_nothing() {
    let project = Project::new("", &[("a.txt", TEN)]);
    let endless = "{% for a in (1..100000) %}{% for b in (1..100000) %}{% for c in (1..100000) %}{% endfor %}{% endfor %}{% endfor %}";
    project.template("", &[("a.txt", endless)]);
    let before = listing(&project.path(""));
    let mut child =
        mcp_kit(&project.place).args(["update", "app"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    thread::sleep(Duration::from_millis(400));
    let _ = std::process::Command::new("kill").args(["-TERM".to_owned(), child.id().to_string()]).output();
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert!(listing(&project.path("")) == before);
    project.place.clean();
}

#[test]
fn an_update_does_not_take_long() {
    let project = large();
    project.template("", &[("stays/1.txt", "new\n")]);
    let started = std::time::Instant::now();
    project.update(&["--dry-run"]);
    // Generous: other tests run beside it, in a debug build.
    assert!(started.elapsed() < Duration::from_secs(10));
}
