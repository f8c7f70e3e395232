//! Repositories of every kind around a project, and what their owners have not committed yet.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::common::{git, mcp_kit, outcome};
use super::{Project, action};

const TEN: &str = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n";

/// A project whose template has changed the file `a.txt`.
fn with_update() -> Project {
    let project = Project::new("", &[("a.txt", TEN), ("deep/b.txt", TEN)]);
    project.template("", &[("a.txt", &TEN.replace('9', "nine")), ("deep/b.txt", TEN)]);
    project
}

/// `git add` is no commit, and neither are `git rm` and `git mv`: loose objects, then packed ones, whose trees are deltas.
#[test]
fn what_is_staged_and_not_committed_is_refused() {
    for packed in [false, true] {
        let project = with_update();
        if packed {
            for number in 0..20 {
                project.write(&format!("deep/{number}.txt"), "x\n");
                project.commit();
            }
            project.git(&["gc", "--quiet"]);
            let packs = project.ask_git(&["verify-pack", "--verbose", &index_of_the_pack(&project)]);
            assert!(packs.contains("chain length = 1"), "no deltas: {packs}");
        }
        let refused = |staged: &[&str], path: &str| {
            project.git(staged);
            let said = project.ends(&[], 2);
            assert!(said.contains("uncommitted") && said.contains(path), "{packed}: {said}");
            project.git(&["reset", "--quiet", "--hard"]);
        };
        project.write("a.txt", &TEN.replace('2', "mine"));
        refused(&["add", "a.txt"], "a.txt");
        project.write("new.txt", "new");
        refused(&["add", "new.txt"], "new.txt");
        refused(&["rm", "--quiet", "deep/b.txt"], "deep/b.txt");
        refused(&["mv", "deep/b.txt", "deep/c.txt"], "deep/b.txt");
        refused(&["update-index", "--chmod=+x", "a.txt"], "a.txt");
        project.ends(&[], 0);
    }
}

fn index_of_the_pack(project: &Project) -> String {
    let mut packs = fs::read_dir(project.path(".git/objects/pack")).unwrap().map(|entry| entry.unwrap().path());
    packs.find(|path| path.extension().is_some_and(|ending| ending == "idx")).unwrap().display().to_string()
}

/// The commit is found from HEAD: on a branch in a file or in the list of packed refs, on none, in a clone that borrows objects, and in
/// one of SHA-256. Before the first commit, all is uncommitted.
#[test]
fn the_commit_is_found() {
    let project = with_update();
    let stage = || {
        project.write("a.txt", &TEN.replace('2', "mine"));
        project.git(&["add", "a.txt"]);
    };
    project.git(&["pack-refs", "--all"]);
    stage();
    assert!(project.ends(&[], 2).contains("a.txt"));
    project.git(&["checkout", "--quiet", "--detach"]);
    assert!(project.ends(&[], 2).contains("a.txt"));
    project.git(&["reset", "--quiet", "--hard"]);
    git(&project.place, &["clone", "--quiet", "--shared", "app", "borrows"]);
    assert!(fs::read_dir(project.place.path("borrows/.git/objects/pack")).unwrap().next().is_none());
    let update = |name: &str| project.place.run(&["update", name]);
    git(&project.place, &["-C", "borrows", "rm", "--quiet", "deep/b.txt"]);
    assert!(outcome(&update("borrows")).contains("uncommitted: deep/b.txt"));
    git(&project.place, &["-C", "borrows", "reset", "--quiet", "--hard"]);
    assert_eq!(update("borrows").status.code(), Some(0));

    let project = Project::without_git("", &[("a.txt", TEN)]);
    project.git(&["init", "--quiet", "--object-format=sha256"]);
    project.git(&["add", "--all"]);
    project.template("", &[("a.txt", &TEN.replace('9', "nine"))]);
    assert!(project.ends(&[], 2).contains("uncommitted"));
    project.commit();
    project.ends(&[], 0);
}

/// What docs/guide/update.md shows: git hands the three versions to its merge tool, and takes the result for settled.
#[test]
fn mergetool_settles_a_conflict() {
    let project = Project::new("", &[("src/main.rs", TEN)]);
    project.write("src/main.rs", &TEN.replace('5', "mine"));
    project.commit();
    project.template("", &[("src/main.rs", &TEN.replace('5', "theirs"))]);
    project.ends(&[], 1);
    project.git(&["config", "merge.tool", "example"]);
    let tool = "echo base: $(sed -n 5p \"$1\")\necho yours: $(sed -n 5p \"$2\")\necho template: $(sed -n 5p \"$3\")\nsed -i '/^<<</,/^>>>/c both' \"$4\"\n";
    project.write(".git/tool.sh", tool);
    let command = "sh .git/tool.sh \"$BASE\" \"$LOCAL\" \"$REMOTE\" \"$MERGED\"";
    project.git(&["config", "mergetool.example.cmd", command]);
    project.git(&["config", "mergetool.keepBackup", "false"]);
    project.git(&["config", "mergetool.example.trustExitCode", "true"]);
    let said = project.ask_git(&["mergetool", "--no-prompt"]);
    let guide = include_str!("../../docs/guide/update.md");
    assert!(guide.contains(said.trim()), "the guide does not show this:\n{said}");
    assert!(said.contains("base: 5\nyours: mine\ntemplate: theirs"), "{said}");
    assert_eq!(project.read("src/main.rs"), TEN.replace('5', "both"));
    assert!(project.ask_git(&["status", "--short"]).contains("M  src/main.rs"));
}

/// Files that a sparse checkout leaves out look deleted; their update would be lost.
#[test]
fn what_is_not_checked_out_is_told() {
    let project = Project::new("", &[("a.txt", TEN), ("deep/b.txt", TEN)]);
    project.git(&["sparse-checkout", "set", "--cone", "--no-sparse-index", ".mcp-kit"]);
    assert!(!project.exists("deep") && project.exists("a.txt"));
    project.template("", &[("a.txt", &TEN.replace('9', "nine")), ("deep/b.txt", TEN)]);
    let report = project.json(&["--check"], 1);
    assert_eq!(report["drift"], serde_json::json!([]));
    project.template("", &[("a.txt", &TEN.replace('9', "nine")), ("deep/b.txt", &TEN.replace('9', "nine"))]);
    for flags in [&["--check"][..], &[], &["--allow-dirty"]] {
        let said = project.ends(flags, 2);
        assert!(said.contains("a file of the update is not checked out: deep/b.txt"), "{said}");
    }
    project.git(&["sparse-checkout", "disable"]);
    project.ends(&[], 0);
    assert!(project.read("deep/b.txt").contains("nine"));
}

/// An edit that git was asked to ignore is nowhere else.
#[test]
fn hidden_edits_are_not_written_over() {
    for flag in ["--skip-worktree", "--assume-unchanged"] {
        let project = with_update();
        project.git(&["update-index", flag, "a.txt", "deep/b.txt"]);
        project.write("deep/b.txt", "mine\n");
        project.ends(&["--dry-run"], 0);
        project.write("a.txt", &TEN.replace('2', "mine"));
        let said = project.ends(&[], 2);
        assert!(said.contains("a change is uncommitted: a.txt"), "{flag}: {said}");
        project.write("a.txt", TEN);
        project.ends(&[], 0);
        assert_eq!(project.read("deep/b.txt"), "mine\n");
    }
}

/// Conflicts without markers, of binary files and of libraries, are in git's index until their owner says which one it is.
#[test]
fn conflicts_without_markers_are_not_forgotten() {
    let project = Project::new("", &[("c.bin", "a\0b")]);
    project.write("c.bin", "a\0mine");
    project.commit();
    project.template("", &[("c.bin", "a\0theirs")]);
    project.ends(&[], 1);
    for flags in [&[][..], &["--check"]] {
        let said = project.ends(flags, 1);
        assert!(said.contains("has conflicts of an earlier update:\n  c.bin"), "{said}");
    }
    project.git(&["add", "c.bin"]);
    project.ends(&["--check"], 0);
}

/// The markers are in a file that the template does not know.
#[test]
fn markers_in_a_file_that_the_owner_renamed_are_not_forgotten() {
    let text: String = (0..40).map(|number| format!("a line with the number {number}\n")).collect();
    let project = Project::new("", &[("src/a.rs", &text)]);
    project.git(&["mv", "src/a.rs", "src/b.rs"]);
    project.write("src/b.rs", &text.replace("number 3\n", "number mine\n"));
    project.commit();
    project.template("", &[("src/a.rs", &text.replace("number 3\n", "number theirs\n"))]);
    project.ends(&[], 1);
    project.commit();
    for flags in [&[][..], &["--check"]] {
        let report = project.json(flags, 1);
        assert_eq!((&report["state"], &report["conflicts"][0]), (&"unsettled".into(), &"src/b.rs".into()));
    }
}

/// An older program knows nothing of what a newer one has brought, and would take it back.
#[test]
fn a_project_of_a_newer_template_is_left_alone() {
    let update = |version: &str| format!("[update]\nversion = '{version}'\n");
    let project = Project::new(&update("2.0.0"), &[("a.txt", TEN)]);
    project.template(&update("1.9.0"), &[("a.txt", "old\n")]);
    for flags in [&[][..], &["--check"], &["--diff"], &["--allow-dirty"], &["--set", "a=b"]] {
        let said = project.ends(flags, 2);
        assert!(said.contains("the project is of template 2.0.0, which is newer than 1.9.0"), "{said}");
    }
    assert_eq!(project.read("a.txt"), TEN);
    project.place.write("list", "app\n");
    let output = project.place.run(&["fleet", "status", "--repos", "list", "--template", "template"]);
    assert!(outcome(&output).contains("newer than 1.9.0") && output.status.code() == Some(1), "{}", outcome(&output));
}

#[test]
fn a_file_becomes_a_folder_and_a_folder_a_file() {
    let project = Project::new("", &[("a", TEN), ("b/c.txt", TEN), ("b/d/e.txt", TEN), ("z", "z")]);
    project.template("", &[("a/new.txt", TEN), ("b", "new\n"), ("z", "z")]);
    project.ends(&[], 0);
    assert_eq!((project.read("a/new.txt").as_str(), project.read("b").as_str()), (TEN, "new\n"));
    assert!(project.ends(&["--check"], 0).contains("no file differs"));
    project.commit();
    // With a file of the owner in the folder, or an edit in the file, nothing makes room.
    project.template("", &[("a", TEN), ("b/c.txt", TEN), ("z", "z")]);
    project.write("a/own.txt", "own\n");
    project.write("b", "mine\n");
    project.commit();
    let report = project.json(&[], 1);
    assert_eq!((action(&report, "a"), action(&report, "b")), ("in-the-way", "removed-in-template"));
    assert_eq!((action(&report, "b/c.txt"), action(&report, "a/new.txt")), ("in-the-way", "removed"));
    assert_eq!((project.read("a/own.txt").as_str(), project.read("b").as_str()), ("own\n", "mine\n"));
}

/// An owner who renames a file can give it another ending, or have had none; and two files that became one get one file's update.
#[test]
fn files_that_the_owner_renamed_are_found_by_their_lines() {
    let text = |word: &str| -> String { (0..40).map(|number| format!("a line of {word} number {number}\n")).collect() };
    let old = [("Dockerfile", text("docker")), ("b/one.txt", text("one")), ("b/two.txt", text("one"))];
    let files = |new: &[(&'static str, String)]| new.to_vec();
    let borrowed = |files: &[(&'static str, String)]| -> Vec<(&'static str, &'static str)> {
        files.iter().map(|(path, text)| (*path, &*text.clone().leak())).collect()
    };
    let project = Project::new("", &borrowed(&files(&old)));
    project.git(&["mv", "Dockerfile", "Containerfile"]);
    project.git(&["mv", "b/one.txt", "b/both.txt"]);
    project.git(&["rm", "--quiet", "b/two.txt"]);
    project.commit();
    let mut new = files(&old);
    for (_, text) in &mut new {
        *text = text.replace("number 30\n", "number thirty\n");
    }
    project.template("", &borrowed(&new));
    let report = project.json(&[], 0);
    assert_eq!((action(&report, "Containerfile"), action(&report, "b/both.txt")), ("merged", "merged"));
    assert_eq!(action(&report, "b/two.txt"), "deleted");
    assert!(project.read("Containerfile").contains("thirty") && project.read("b/both.txt").contains("thirty"));
    project.commit();
    // The template renames a file that the owner has renamed, too.
    let renames = "[update.renames]\n'Dockerfile' = 'deploy/Dockerfile'\n";
    new[0] = ("deploy/Dockerfile", new[0].1.replace("number 20\n", "number twenty\n"));
    project.template(renames, &borrowed(&new));
    let report = project.json(&[], 0);
    assert_eq!(action(&report, "Containerfile"), "merged");
    assert!(project.read("Containerfile").contains("twenty") && !project.exists("deploy"));
}

/// Line ends are merged by themselves, as executable bits are.
#[test]
fn line_ends_are_a_value_of_their_own() {
    let crlf = |text: &str| text.replace('\n', "\r\n");
    let (mine, theirs) = (TEN.replace('2', "mine"), TEN.replace('9', "nine"));
    let both = mine.replace('9', "nine");
    for (base, ours, new, merged) in [
        // The template's have changed.
        (TEN.to_owned(), mine.clone(), crlf(&theirs), crlf(&both)),
        (crlf(TEN), crlf(&mine), theirs.clone(), both.clone()),
        // The owner's have.
        (crlf(TEN), mine.clone(), crlf(&theirs), both.clone()),
        (TEN.to_owned(), crlf(&mine), theirs.clone(), crlf(&both)),
        // Both have, in the same way.
        (TEN.to_owned(), crlf(&mine), crlf(&theirs), crlf(&both)),
    ] {
        let project = Project::new("", &[("a.txt", &base)]);
        project.write("a.txt", &ours);
        project.commit();
        project.template("", &[("a.txt", &new)]);
        project.ends(&[], 0);
        assert_eq!(project.read("a.txt"), merged, "{base:?} {ours:?} {new:?}");
    }
}

/// A repository with two projects, whose owner has staged something else: each project has its own commit on its own branch.
#[test]
fn projects_of_one_repository_have_a_branch_each() {
    let project = Project::without_git("", &[("a.txt", TEN)]);
    project.place.ok(&["new", "two", "--path", "services/two", "--template", "template", "--no-git"]);
    project.place.write("other/x", "1\n");
    git(&project.place, &["init", "--quiet"]);
    git(&project.place, &["add", "--all"]);
    git(&project.place, &["commit", "--quiet", "--message", "all"]);
    project.place.write("other/x", "2\n");
    git(&project.place, &["add", "other/x"]);
    project.template("", &[("a.txt", &TEN.replace('9', "nine"))]);
    project.place.write("list", "services/two\napp\n");
    let arguments = ["fleet", "update", "--repos", "list", "--template", "template"];
    let output = project.place.run(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", outcome(&output));
    for (branch, folder) in
        [("mcp-kit/update-template-app", "app"), ("mcp-kit/update-template-services-two", "services/two")]
    {
        let changed = project.ask_git(&["diff", "--name-only", "HEAD", branch]);
        let expected = [".mcp-kit/answers.toml", ".mcp-kit/pristine.tar.gz", "a.txt"];
        let expected: String = expected.iter().map(|path| format!("{folder}/{path}\n")).collect();
        assert_eq!(changed, expected, "{branch}");
    }
    let status = project.ask_git(&["status", "--short"]);
    assert!(status.contains("M  ../other/x"), "{status}");
}

/// Git sets these variables for its hooks and aliases. They name another repository than the project's.
#[test]
fn variables_of_git_lead_nowhere_else() {
    let (project, other) = (with_update(), with_update());
    let git_folder = other.path(".git");
    project.place.write("list", "app\n");
    let update =
        ["fleet", "update", "--repos", "list", "--template", "template", "--test", "git status --short >>a.txt"];
    let output = mcp_kit(&project.place)
        .args(update)
        .env("GIT_DIR", &git_folder)
        .env("GIT_WORK_TREE", other.path(""))
        .env("GIT_INDEX_FILE", git_folder.join("index"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", outcome(&output));
    assert!(project.ask_git(&["show", "mcp-kit/update-template:a.txt"]).contains("nine"));
    assert_eq!(other.ask_git(&["branch", "--list", "mcp-kit/*"]), "");
    assert_eq!(other.ask_git(&["status", "--short"]), "");
}

/// The branch is made beside what is checked out, and git itself stores the files: line ends are as `.gitattributes` says, a file that
/// git ignores is in it, and one that is gone is not.
#[test]
fn a_fleet_leaves_the_work_tree_alone() {
    let project =
        Project::new("", &[("a.txt", TEN), ("goes.txt", "gone\n"), (".gitattributes", "*.txt text eol=crlf\n")]);
    project.write("a.txt", &TEN.replace('\n', "\r\n"));
    project.write(".gitignore", "*.log\n");
    project.commit();
    // Where the files are added from there is no `.gitignore`. What the repository itself ignores holds there, too.
    project.write(".git/info/exclude", "*.log\n");
    let template =
        [("a.txt", &*TEN.replace('9', "nine")), (".gitattributes", "*.txt text eol=crlf\n"), ("new/b.log", "new\n")];
    project.template("", &template);
    project.place.write("list", "app\n");
    let files = || {
        let paths = ["a.txt", "goes.txt", ".git/index", ".git/HEAD", ".mcp-kit/answers.toml"];
        paths.map(|path| {
            let metadata = fs::metadata(project.path(path)).unwrap();
            (fs::read(project.path(path)).unwrap(), metadata.modified().unwrap())
        })
    };
    let before = files();
    let output = project.place.run(&["fleet", "update", "--repos", "list", "--template", "template"]);
    assert_eq!(output.status.code(), Some(0), "{}", outcome(&output));
    assert!(files() == before && !project.exists("new"), "{}", outcome(&output));
    let changed = project.ask_git(&["diff", "--name-status", "HEAD", "mcp-kit/update-template"]);
    let expected = "M\t.mcp-kit/answers.toml\nM\t.mcp-kit/pristine.tar.gz\nM\ta.txt\nD\tgoes.txt\nA\tnew/b.log\n";
    assert_eq!(changed, expected);
    assert_eq!(project.ask_git(&["show", "mcp-kit/update-template:a.txt"]), TEN.replace('9', "nine"));
    project.git(&["switch", "--quiet", "mcp-kit/update-template"]);
    assert_eq!(project.ask_git(&["status", "--short"]), "");
    assert_eq!(project.read("a.txt"), TEN.replace('9', "nine").replace('\n', "\r\n"));
    // Nothing else was left: no lock, and no other branch.
    assert_eq!(project.ask_git(&["for-each-ref", "--format=%(refname:short)"]).lines().count(), 2);
    assert!(!project.path(".git/index.lock").exists());
}

/// Signing fails, say: the work tree is as it was, and the next run does not take the project for updated.
#[test]
fn nothing_is_left_of_an_update_that_cannot_be_committed() {
    let project = Project::new("", &[("a.txt", TEN), ("goes.txt", TEN)]);
    project.template("", &[("a.txt", &TEN.replace('9', "nine")), ("new/b.txt", "new\n")]);
    project.git(&["config", "commit.gpgsign", "true"]);
    project.git(&["config", "gpg.program", "/bin/false"]);
    project.place.write("list", "app\n");
    let arguments = ["fleet", "update", "--repos", "list", "--template", "template"];
    let output = project.place.run(&arguments);
    assert!(outcome(&output).contains("failed") && output.status.code() == Some(1), "{}", outcome(&output));
    assert_eq!(project.ask_git(&["status", "--short"]), "");
    assert_eq!(project.ask_git(&["branch", "--list", "mcp-kit/*"]), "");
    assert!(project.exists("goes.txt") && !project.exists("new"));
    project.git(&["config", "commit.gpgsign", "false"]);
    assert_eq!(project.place.run(&arguments).status.code(), Some(0));
}

/// Names with blanks and letters of other languages, in a folder with such a name, in the locale of Turkey.
#[test]
fn names_of_every_language() {
    let (one, two) = ("dir with blanks/naïve ü.txt", "日本語/[é].txt");
    let project = Project::new("", &[(one, TEN), (two, TEN)]);
    project.write(one, &TEN.replace('5', "mine"));
    project.commit();
    let folder = project.place.path("Ağaç ö");
    fs::rename(project.path(""), &folder).unwrap();
    let theirs = TEN.replace('5', "theirs");
    project.template("", &[(one, &theirs), (two, &theirs)]);
    let output = mcp_kit(&project.place).args(["update", "Ağaç ö"]).env("LC_ALL", "tr_TR.UTF-8").output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", outcome(&output));
    let status =
        std::process::Command::new("git").arg("-C").arg(&folder).args(["status", "--short", "-z"]).output().unwrap();
    let status = String::from_utf8(status.stdout).unwrap();
    assert!(status.contains(&format!("UU {one}\0")) && status.contains(&format!(" M {two}\0")), "{status}");
    assert_eq!(fs::metadata(folder.join(two)).unwrap().permissions().mode() & 0o777, 0o644);
}
