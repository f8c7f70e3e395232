//! `--since` and `--since-merge-base`: what a branch broke, in real repositories.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use insta::assert_snapshot;

use crate::common::{Place, committed, findings, git, mcp_kit, outcome, status, tree};

/// What is new since a commit, a line each, and how many findings are older.
fn new_since(place: &Place, arguments: &[&str]) -> (Vec<String>, u64) {
    let report = place.report(arguments);
    (findings(&report), report["since"]["older"].as_u64().unwrap())
}

fn commit(place: &Place) {
    git(place, &["add", "--all"]);
    git(place, &["commit", "--quiet", "--message", "change"]);
}

/// A tree with an old mistake in it.
fn repository() -> Place {
    committed(&[
        ("README.md", "# Us\n\n[guide](docs/guide.md#install) [old](gone.md)\n"),
        ("docs/guide.md", "# Guide\n\n## Install\n\n[up](../README.md) [old](gone.md)\n"),
    ])
}

#[test]
fn a_heading_that_is_renamed_here_breaks_a_link_over_there() {
    let place = repository();
    place.write("docs/guide.md", "# Guide\n\n## Set up\n\n[up](../README.md) [old](gone.md)\n");
    let output = place.audit(&["--since", "HEAD"]);
    let commit = String::from_utf8(
        Command::new("git").current_dir(place.root()).args(["rev-parse", "HEAD"]).output().unwrap().stdout,
    );
    assert_snapshot!("renamed_heading", output.replace(&commit.unwrap()[..10], "[COMMIT]"));
    // The same when it is committed.
    commit_and_compare(&place);
}

fn commit_and_compare(place: &Place) {
    commit(place);
    assert_eq!(
        new_since(place, &["--since", "HEAD~1"]),
        (vec!["README.md:3 broken-anchor docs/guide.md#install".to_owned()], 2)
    );
    assert_eq!(new_since(place, &["--since", "HEAD"]), (vec![], 3));
}

#[test]
fn without_a_change_nothing_is_new() {
    let place = repository();
    let output = place.run(&["audit-docs", "--since", "HEAD"]);
    assert_eq!(status(&output), 0, "{}", outcome(&output));
    assert!(
        outcome(&output).contains("no findings; 2 older findings are not shown, as HEAD ("),
        "{}",
        outcome(&output)
    );
}

#[test]
fn moved_lines_renamed_files_and_rewritten_links_are_older() {
    let place = repository();
    git(&place, &["mv", "docs/guide.md", "guide.md"]);
    let more = "words\n".repeat(9);
    place.write(
        "guide.md",
        format!("# Guide\n\nMore words.\n\n## Install\n\n[up](README.md) [old](docs/gone.md)\n{more}"),
    );
    place.write("README.md", "# Us\n\nBefore that:\n\n- [guide](guide.md#install), and [the old](gone.md)\n");
    commit(&place);
    // Without `git mv` of most of the text, it is another file.
    let (new, older) = new_since(&place, &["--since", "HEAD~1"]);
    assert_eq!((new, older), (vec!["guide.md:7 broken-link docs/gone.md".to_owned()], 1));
    let place = repository();
    let long = format!("# Guide\n\n## Install\n\n{}\n[old](gone.md)\n", "A line of text.\n".repeat(30));
    place.write("docs/guide.md", &long);
    commit(&place);
    git(&place, &["mv", "docs/guide.md", "guide.md"]);
    place.write(
        "guide.md",
        long.replace("(gone.md)", "(docs/gone.md)").replace("# Guide\n", "# Guide\n\nOne more line.\n"),
    );
    place.write("README.md", "# Us\n\n[guide](guide.md#install) [old](gone.md)\n");
    assert_eq!(new_since(&place, &["--since", "HEAD"]), (vec![], 2));
}

#[test]
fn a_file_that_goes_breaks_links_to_it_and_one_more_of_the_same_is_new() {
    let place = repository();
    fs::remove_file(place.path("docs/guide.md")).unwrap();
    place.write("README.md", "# Us\n\n[guide](docs/guide.md#install) [old](gone.md)\n\n[again](gone.md)\n");
    assert_eq!(
        new_since(&place, &["--since", "HEAD"]),
        (
            vec![
                "README.md:3 broken-link docs/guide.md#install".to_owned(),
                "README.md:5 broken-link gone.md".to_owned()
            ],
            1
        )
    );
}

#[test]
fn untracked_files_are_new_and_orphans_count() {
    let place = repository();
    place.write("docs/new.md", "# New\n\n[old](gone.md)\n");
    assert_eq!(
        new_since(&place, &["--since", "HEAD"]),
        (vec!["docs/new.md:1 orphan".to_owned(), "docs/new.md:3 broken-link gone.md".to_owned()], 2)
    );
    // A document that loses the only link to it, in a file that did not change.
    fs::remove_file(place.path("docs/new.md")).unwrap();
    place.write("README.md", "# Us\n\n[old](gone.md)\n");
    assert_eq!(new_since(&place, &["--since", "HEAD"]), (vec!["docs/guide.md:1 orphan".to_owned()], 2));
}

#[test]
fn the_merge_base_is_where_the_branch_began() {
    let place = repository();
    git(&place, &["branch", "--move", "main"]);
    git(&place, &["checkout", "--quiet", "-b", "work"]);
    place.write("docs/work.md", "# Work\n\n[broken here](nothing.md) [up](../README.md)\n");
    place.write("README.md", "# Us\n\n[guide](docs/guide.md#install) [old](gone.md) [w](docs/work.md)\n");
    commit(&place);
    // Meanwhile, main fixes what was broken and breaks something else.
    git(&place, &["checkout", "--quiet", "main"]);
    place.write("docs/guide.md", "# Guide\n\n## Install\n\n[up](../README.md)\n");
    commit(&place);
    git(&place, &["checkout", "--quiet", "work"]);
    let expected = (vec!["docs/work.md:3 broken-link nothing.md".to_owned()], 2);
    assert_eq!(new_since(&place, &["--since-merge-base", "main"]), expected);
    // Compared with the tip, what main has fixed is new.
    assert_eq!(new_since(&place, &["--since", "main"]).0.len(), 2);
    // A pull request's merge commit: the base has all that is not the branch's.
    git(&place, &["merge", "--quiet", "--no-edit", "main"]);
    assert_eq!(new_since(&place, &["--since-merge-base", "main"]), (expected.0.clone(), 1));
    // A clone knows the branch by the remote's name.
    let clone = Place::new();
    git(&clone, &["clone", "--quiet", "--branch", "work", place.root().to_str().unwrap(), "c"]);
    let report = clone.report(&["c", "--since-merge-base", "main"]);
    assert_eq!((findings(&report), &report["since"]["name"]), (expected.0, &"main".into()));
}

#[test]
fn shallow_clones_say_what_to_fetch() {
    let place = repository();
    git(&place, &["branch", "--move", "main"]);
    for text in ["one", "two", "three"] {
        place.write("docs/more.md", format!("[{text}](../README.md)\n"));
        commit(&place);
    }
    let address = format!("file://{}", place.root().display());
    let clone = Place::new();
    git(&clone, &["clone", "--quiet", "--depth", "1", &address, "c"]);
    let unknown = clone.audit(&["c", "--since", "HEAD~2"]);
    // Both ends are there, and not what they have in common.
    git(&place, &["checkout", "--quiet", "-b", "other", "HEAD~2"]);
    place.write("docs/other.md", "[x](../README.md)\n");
    commit(&place);
    let fetch = ["-C", "c", "fetch", "--quiet", "--depth", "1", "origin", "other:refs/remotes/origin/other"];
    git(&clone, &fetch);
    let apart = clone.audit(&["c", "--since-merge-base", "other"]);
    assert_snapshot!("shallow", format!("{unknown}\n{apart}"));
    // And that is enough.
    git(&clone, &["-C", "c", "fetch", "--quiet", "--unshallow", "origin"]);
    clone.report(&["c", "--since", "HEAD~2"]);
    clone.report(&["c", "--since-merge-base", "other"]);
    // A branch that is only at the remote is found there, by either option.
    assert_eq!(clone.report(&["c", "--since", "other"])["since"]["name"], "other");
    // A clone of one commit fetches one branch alone, unless it is asked as the hint says.
    git(&clone, &["clone", "--quiet", "--depth", "1", &address, "d"]);
    assert!(unknown.contains("git fetch --unshallow origin '+refs/heads/*:refs/remotes/origin/*'"), "{unknown}");
    git(&clone, &["-C", "d", "fetch", "--quiet", "--unshallow", "origin", "+refs/heads/*:refs/remotes/origin/*"]);
    clone.report(&["d", "--since-merge-base", "other"]);
}

#[test]
fn repositories_that_have_nothing_to_compare_with() {
    let files = [("README.md", "# Us\n\n[old](gone.md)\n")];
    let place = tree(&files);
    let mut said = place.audit(&["--since", "main"]);
    git(&place, &["init", "--quiet"]);
    said += &place.audit(&["--since", "HEAD"]);
    said += &place.audit(&["--since-merge-base", "main"]);
    commit(&place);
    for name in ["nothing", "--help", "-x", "", "HEAD:README.md", "HEAD^{tree}"] {
        said += &place.audit(&[&format!("--since={name}")]);
    }
    git(&place, &["tag", "first"]);
    git(&place, &["checkout", "--quiet", "--orphan", "apart"]);
    // With another message: the same would be the same commit.
    git(&place, &["commit", "--quiet", "--message", "apart"]);
    said += &place.audit(&["--since-merge-base", "first"]);
    assert_snapshot!("nothing_to_compare_with", said);
}

#[test]
fn a_bare_repository_has_no_documents() {
    let place = repository();
    let bare = Place::new();
    git(&bare, &["clone", "--quiet", "--bare", place.root().to_str().unwrap(), "b.git"]);
    assert_snapshot!("bare", bare.audit(&["b.git", "--since", "HEAD"]));
}

#[test]
fn replaced_commits_count_as_git_shows_them() {
    let place = repository();
    place.write("docs/guide.md", "# Guide\n\n## Other\n");
    commit(&place);
    assert_eq!(new_since(&place, &["--since", "HEAD~1"]).0.len(), 1);
    // Somebody puts the present in place of the past.
    git(&place, &["replace", "HEAD~1", "HEAD"]);
    assert_eq!(new_since(&place, &["--since", "HEAD~1"]).0, Vec::<String>::new());
}

#[test]
fn a_root_below_the_repository_is_compared_with_the_same_folder() {
    let place = repository();
    place.write("docs/guide.md", "# Guide\n\n## Install\n\n[up](../README.md) [old](gone.md) [new](new.md)\n");
    commit(&place);
    let report = place.report(&["--root", "docs", "docs", "--since", "HEAD~1"]);
    // The link out of the root is older, too.
    assert_eq!(
        (findings(&report), report["since"]["older"].as_u64()),
        (vec!["guide.md:5 broken-link new.md".to_owned()], Some(2))
    );
    // Only a part of the tree is audited, and what is broken elsewhere does not count.
    assert_eq!(new_since(&place, &["README.md", "--since", "HEAD~1"]), (vec![], 1));
    // The part that is audited had another name.
    git(&place, &["mv", "docs", "manual"]);
    let orphan = "manual/guide.md:1 orphan".to_owned();
    assert_eq!(new_since(&place, &["manual", "--since", "HEAD"]), (vec![orphan], 2));
}

#[test]
fn symbolic_links_lead_where_they_led() {
    let place = repository();
    symlink("docs/guide.md", place.path("start.md")).unwrap();
    symlink("../docs", place.path("docs/self")).unwrap();
    symlink("/etc/hostname", place.path("outside.md")).unwrap();
    place.write(
        "README.md",
        "# Us\n\n[s](start.md#install) [d](docs/self/guide.md) [old](gone.md) [guide](docs/guide.md)\n",
    );
    commit(&place);
    let before = new_since(&place, &["--since", "HEAD"]);
    assert_eq!(before, (vec![], 2));
    // The link now dangles.
    fs::remove_file(place.path("docs/guide.md")).unwrap();
    let (new, older) = new_since(&place, &["--since", "HEAD"]);
    assert_eq!(older, 1);
    assert_eq!(new.len(), 3, "{new:?}");
    // It is turned around.
    git(&place, &["checkout", "--quiet", "."]);
    fs::remove_file(place.path("start.md")).unwrap();
    symlink("README.md", place.path("start.md")).unwrap();
    assert_eq!(
        new_since(&place, &["--since", "HEAD"]),
        (vec!["README.md:3 broken-anchor start.md#install".to_owned()], 2)
    );
    // A file in place of a link.
    fs::remove_file(place.path("start.md")).unwrap();
    place.write("start.md", "# Start\n");
    assert_eq!(new_since(&place, &["--since", "HEAD"]).0, ["README.md:3 broken-anchor start.md#install"]);
}

#[test]
fn submodules_and_sparse_checkouts() {
    let module = committed(&[("README.md", "# Module\n")]);
    let place = repository();
    let add =
        ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", module.root().to_str().unwrap(), "lib"];
    git(&place, &add);
    place.write("README.md", "# Us\n\n[lib](lib/README.md) [l](lib) [guide](docs/guide.md) [old](gone.md)\n");
    commit(&place);
    assert_eq!(new_since(&place, &["--since", "HEAD"]), (vec![], 2));
    assert_eq!(new_since(&place, &["--since", "HEAD~1"]), (vec![], 2));
    place.write("docs/guide.md", "# Guide\n\n[lib](../lib/README.md) [old](gone.md) [more](more.md)\n");
    assert_eq!(new_since(&place, &["--since", "HEAD"]), (vec!["docs/guide.md:3 broken-link more.md".to_owned()], 2));
    git(&place, &["checkout", "--quiet", "."]);
    git(&place, &["rm", "--quiet", "--force", "lib"]);
    assert_eq!(
        new_since(&place, &["--since", "HEAD"]).0,
        ["README.md:3 broken-link lib/README.md", "README.md:3 broken-link lib"]
    );

    let place = repository();
    place.write("far/a.md", "# A\n");
    place.write("far/b.md", "# B\n");
    place.write("README.md", "# Us\n\n[a](far/a.md) [b](far/b.md) [guide](docs/guide.md) [old](gone.md)\n");
    commit(&place);
    git(&place, &["sparse-checkout", "set", "docs"]);
    assert!(!place.path("far").exists());
    assert_eq!(new_since(&place, &["--since", "HEAD"]), (vec![], 2));
    git(&place, &["rm", "--quiet", "--cached", "--sparse", "far/b.md"]);
    assert_eq!(new_since(&place, &["--since", "HEAD"]).0, ["README.md:3 broken-link far/b.md"]);
}

#[test]
fn the_configuration_of_git_changes_nothing() {
    let place = repository();
    git(&place, &["mv", "docs/guide.md", "docs/manual.md"]);
    place.write("README.md", "# Us\n\n[guide](docs/manual.md#install) [old](gone.md)\n");
    let plain = new_since(&place, &["--since", "HEAD"]);
    assert_eq!(plain, (vec![], 2));
    for (name, value) in [
        ("diff.renames", "false"),
        ("diff.noprefix", "true"),
        ("diff.external", "false"),
        ("diff.relative", "false"),
        ("diff.orderFile", "gone"),
        ("core.quotePath", "true"),
        ("color.ui", "always"),
        ("status.showUntrackedFiles", "no"),
    ] {
        if name != "diff.orderFile" {
            git(&place, &["config", name, value]);
        }
    }
    assert_eq!(new_since(&place, &["--since", "HEAD"]), plain);
}

#[test]
fn names_of_any_bytes_and_conflicts() {
    use std::os::unix::ffi::OsStrExt as _;
    let place = repository();
    let name = std::ffi::OsStr::from_bytes(b"a\xff\tb\n\"c.md");
    fs::write(place.root().join(name), "[old](gone.md)\n").unwrap();
    commit(&place);
    fs::write(place.root().join(name), "[old](gone.md) [new](new.md)\n").unwrap();
    let (new, _) = new_since(&place, &["--since", "HEAD"]);
    assert_eq!(new.len(), 1, "{new:?}");
    git(&place, &["checkout", "--quiet", "."]);
    // Both sides of a merge have changed a line.
    git(&place, &["branch", "--move", "main"]);
    git(&place, &["checkout", "--quiet", "-b", "work"]);
    place.write("docs/guide.md", "# Guide\n\n## Install\n\n[up](../README.md) [mine](mine.md)\n");
    commit(&place);
    git(&place, &["checkout", "--quiet", "main"]);
    place.write("docs/guide.md", "# Guide\n\n## Install\n\n[up](../README.md) [yours](yours.md)\n");
    commit(&place);
    let merge = Command::new("git").current_dir(place.root()).args(["merge", "--quiet", "work"]).output().unwrap();
    assert!(!merge.status.success());
    let (new, _) = new_since(&place, &["--since", "HEAD"]);
    assert_eq!(new, ["docs/guide.md:8 broken-link mine.md"]);
}

#[test]
fn a_baseline_counts_in_both_states() {
    let place = repository();
    place.ok(&["audit-docs", "--baseline", "known.json", "--update-baseline"]);
    commit(&place);
    place.write("README.md", "# Us\n\n[guide](docs/guide.md#install) [old](gone.md)\n\n[again](gone.md)\n");
    let report = place.report(&["--since", "HEAD", "--baseline", "known.json"]);
    assert_eq!(findings(&report).len(), 1, "{report:#}");
    assert_eq!((&report["hidden"], &report["since"]["older"]), (&2.into(), &0.into()));
}

#[test]
fn generated_pages_that_were_stale_before_are_older() {
    let place = Place::new();
    place.ok(&["new", "my-server", "--no-git"]);
    let run =
        |arguments: &[&str]| mcp_kit(&place).current_dir(place.path("my-server")).args(arguments).output().unwrap();
    let page = place.path("my-server/docs/OAUTH_SOP.md");
    let text = fs::read_to_string(&page).unwrap();
    fs::write(&page, format!("{text}\nBy hand.\n")).unwrap();
    for arguments in [&["init", "--quiet"][..], &["add", "--all"], &["commit", "--quiet", "--message", "all"]] {
        git(&place, &[&["-C", "my-server"], arguments].concat());
    }
    let stale = |arguments: &[&str]| {
        let output = run(&[&["audit-docs", "--format", "json"], arguments].concat());
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        findings(&report).into_iter().filter(|line| line.contains("stale-page")).collect::<Vec<_>>()
    };
    assert_eq!(stale(&[]).len(), 1);
    let readme = place.read("my-server/README.md");
    place.write("my-server/README.md", format!("{readme}\nA word.\n"));
    assert_eq!(stale(&["--since", "HEAD"]), Vec::<String>::new());
    // Another page becomes stale.
    let catalog = place.read("my-server/catalog.yaml");
    place.write("my-server/catalog.yaml", catalog.replacen("description: ", "description: Now ", 1));
    assert!(!stale(&[]).is_empty());
}
