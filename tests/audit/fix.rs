//! `mcp-kit audit-docs --fix` from outside: what it changes, what it refuses, and what is left when it is killed.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use proptest::prelude::*;

use crate::common::{self, Place, committed, git, listing, mcp_kit, outcome};

const TREE: &[(&str, &str)] = &[
    (
        "README.md",
        "# Us\r\n\r\n[guide](Docs/guide.md) and [faq](faq.md#why)\r\nlast line without an end, [setup](docs/guide.md#Setup)",
    ),
    ("docs/guide.md", "# Guide\n\n## Set-up\n\n## Setup\n\n[home][h] and [home again][h]\n\n[h]: ../readme.md\n"),
    ("docs/more/faq.md", "\u{feff}# FAQ\n\n## Why\n\n[gone](nowhere.md) [back](../guide.md#setup-)\n"),
];

/// All files but git's own.
fn documents(place: &Place) -> BTreeMap<String, Vec<u8>> {
    let files = listing(place.root()).into_iter().map(|(path, (bytes, _))| (path, bytes));
    files.filter(|(path, _)| !path.starts_with(".git/")).collect()
}

fn findings(place: &Place) -> Vec<String> {
    common::findings(&place.report(&[]))
}

#[test]
fn a_dry_run_is_a_diff_that_git_applies_and_changes_nothing() {
    let place = committed(TREE);
    let before = documents(&place);
    let output = place.run(&["audit-docs", "--fix", "--dry-run"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(documents(&place), before);
    let diff = String::from_utf8(output.stdout).unwrap();
    assert_snapshot!("links_dry_run", diff.replace("\r\n", "␍\n"));
    assert_snapshot!(String::from_utf8(output.stderr).unwrap(), @"note: would fix 5 findings, would change 2 files");

    fs::write(place.path("fix.diff"), diff).unwrap();
    git(&place, &["apply", "fix.diff"]);
    fs::remove_file(place.path("fix.diff")).unwrap();
    let by_git = documents(&place);
    git(&place, &["checkout", "--quiet", "--", "."]);
    place.run(&["audit-docs", "--fix"]);
    assert_eq!(documents(&place), by_git, "--fix does what the diff says");
}

#[test]
fn certain_fixes_are_made_and_the_rest_is_reported() {
    let place = committed(TREE);
    let output = place.run(&["audit-docs", "--fix"]);
    assert_eq!(output.status.code(), Some(1), "a broken link is left: {}", outcome(&output));
    assert_snapshot!("links", place.normalized(&outcome(&output)));
    let after = documents(&place);
    git(&place, &["commit", "--quiet", "--all", "--message", "fixed"]);
    let again = place.run(&["audit-docs", "--fix"]);
    assert!(String::from_utf8(again.stderr).unwrap().contains("nothing that --fix could fix"));
    assert_eq!(documents(&place), after, "a second run changes nothing");
}

const OLD: &[(&str, &str)] = &[
    (
        "README.md",
        "# Us\n\n[sop](docs/sop.md) [old](docs/old_setup.md) [its end](docs/old_setup.md#the-end) [b](docs/b.md)\n",
    ),
    ("docs/sop.md", "# How we do it now\n"),
    (
        "docs/old_setup.md",
        "# Old set-up\r\n\r\n[b](b.md#x) ![i](../img/i.png?raw=true) [r] [end](#the-end) [self](old_setup.md#the-end)\r\n\r\n## The end\r\n\r\n[r]: ../README.md 'title'",
    ),
    (
        "docs/b.md",
        "---\nreview: 2099-01-01\n---\n# B\n\nFirst do phase_1_mcp, see [old][].\n\n## x\n\n[old]: ./old_setup.md#the-end\n",
    ),
    ("img/i.png", ""),
];

#[test]
fn deprecated_documents_are_archived_and_others_get_a_header() {
    let place = committed(OLD);
    let fix = ["audit-docs", "--fix=documents", "--current", "docs/sop.md"];
    let (before, found) = (documents(&place), findings(&place));
    let run = |more: &[&str]| {
        mcp_kit(&place).args([&fix[..], more].concat()).env("SOURCE_DATE_EPOCH", "1762560000").output().unwrap()
    };
    let dry = run(&["--dry-run"]);
    assert_eq!(documents(&place), before);
    assert_snapshot!("documents_dry_run", String::from_utf8(dry.stdout).unwrap().replace("\r\n", "␍\n"));
    assert_snapshot!(String::from_utf8(dry.stderr).unwrap(), @"note: would fix 2 documents, would change 5 files");

    let output = run(&[]);
    assert_eq!(output.status.code(), Some(0), "{}", outcome(&output));
    assert_eq!(findings(&place), Vec::<String>::new(), "{found:#?} are gone, and nothing is new");
    let archived = place.read("archive/2025-11-08-old_setup.md");
    assert!(
        archived.contains("# Old set-up\r\n") && archived.ends_with("[r]: ../README.md 'title'"),
        "nothing of it is lost"
    );
    let after = documents(&place);
    git(&place, &["add", "--all"]);
    git(&place, &["commit", "--quiet", "--message", "archived"]);
    let again = run(&[]);
    assert!(String::from_utf8(again.stderr).unwrap().contains("nothing that --fix could fix"));
    assert_eq!(documents(&place), after, "a second run changes nothing");
}

/// The list that `docs build` makes is built again from the catalog; what it makes elsewhere is left alone, and said.
#[test]
fn what_is_archived_stands_in_the_catalog_afterwards() {
    const CATALOG: &str = "# Ours\nservices: []\ndocs:\n  pages: {current-state: CURRENT.md}\ndeprecations:\n  - {path: docs/gone.md, date: 2025-01-01, reason: Was wrong} # once\n";
    let place = committed(&[OLD, &[("catalog.yaml", CATALOG)]].concat());
    let run =
        |arguments: &[&str]| mcp_kit(&place).args(arguments).env("SOURCE_DATE_EPOCH", "1762560000").output().unwrap();
    assert!(run(&["docs", "build"]).status.success());
    let notices = place.read("docs/DEPRECATION_NOTICES.md");
    place.write("index.md", "[n](docs/infrastructure/mcp/README.md) [r](README.md)\n");
    // A hand that writes into a page: what the fix finds there is not its own to fix.
    let sop = place.read("docs/infrastructure/mcp/OAUTH_SOP.md").replace("(README.md)", "(Readme.md)");
    place.write("docs/infrastructure/mcp/OAUTH_SOP.md", &sop);
    let fix = run(&["audit-docs", "--fix", "--allow-dirty"]);
    let said = outcome(&fix);
    assert!(said.contains("docs/infrastructure/mcp/OAUTH_SOP.md is made by mcp-kit docs build"), "{said}");
    assert_eq!(place.read("docs/infrastructure/mcp/OAUTH_SOP.md"), sop);
    assert!(run(&["docs", "build", "--overwrite"]).status.success());

    let fix = run(&["audit-docs", "--fix=documents", "--allow-dirty", "--current", "docs/sop.md"]);
    assert!(fix.status.success(), "{}", outcome(&fix));
    let catalog = place.read("catalog.yaml");
    assert_eq!(
        catalog,
        format!(
            "{CATALOG}  - path: docs/old_setup.md\n    date: 2025-11-08\n    reason: Out of date\n    archived: archive/2025-11-08-old_setup.md\n    \
             replacement: docs/sop.md\n"
        )
    );
    let after = place.read("docs/DEPRECATION_NOTICES.md");
    assert!(
        after != notices && after.contains("| docs/old\\_setup.md | 2025-11-08 | [archive/2025-11-08-old\\_setup.md]("),
        "{after}"
    );
    assert_eq!(outcome(&run(&["docs", "build", "--check"])), "9 pages up to date\nexit 0\n");
    let audit = outcome(&run(&["audit-docs", "."]));
    assert!(audit.contains("no findings"), "{audit}");
}

/// A reviewed document is not proposed again until it changes.
#[test]
fn decisions_are_remembered_in_the_catalog() {
    let place = committed(OLD);
    let run =
        |arguments: &[&str]| mcp_kit(&place).args(arguments).env("SOURCE_DATE_EPOCH", "1762560000").output().unwrap();
    let proposed = |place: &Place| {
        let report: serde_json::Value =
            serde_json::from_slice(&place.run(&["audit-docs", "--format", "json"]).stdout).unwrap();
        let decisions = report["decisions"].as_array().unwrap().clone();
        decisions.iter().map(|decision| decision["path"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(proposed(&place), ["docs/b.md", "docs/old_setup.md"]);
    let kept = run(&["audit-docs", "--keep", "docs/old_setup.md"]);
    assert!(outcome(&kept).contains("note: recorded as good as it is: docs/old_setup.md"), "{}", outcome(&kept));
    let catalog = place.read("catalog.yaml");
    assert_snapshot!(catalog, @r"
    catalog: 2

    reviewed:
      - path: docs/old_setup.md
        decision: keep
        date: 2025-11-08
        sha256: c89c9c8330a01252
    ");
    assert_eq!(proposed(&place), ["docs/b.md"]);
    let fix = outcome(&run(&["audit-docs", "--fix=documents", "--dry-run", "--allow-dirty"]));
    assert!(!fix.contains("archive/"), "nor is it archived: {fix}");
    // Line ends are Git's business; a word is a change.
    place.write("docs/old_setup.md", place.read("docs/old_setup.md").replace("\r\n", "\n"));
    assert_eq!(proposed(&place), ["docs/b.md"]);
    place.write("docs/old_setup.md", place.read("docs/old_setup.md") + "\nMore.\n");
    assert_eq!(proposed(&place), ["docs/b.md", "docs/old_setup.md"]);
    run(&["audit-docs", "--keep", "docs/old_setup.md", "--keep", "docs/b.md"]);
    assert_eq!(proposed(&place), Vec::<String>::new());
    let twice = place.read("catalog.yaml");
    assert_eq!(twice.matches("- path: ").count(), 2, "{twice}");
    assert!(outcome(&place.run(&["catalog", "check"])).ends_with("exit 0\n"));

    for (arguments, said) in [
        (&["audit-docs", "--keep", "nowhere.md"][..], "cannot keep nowhere.md"),
        (&["audit-docs", "--keep", "/etc/hostname"], "it is not below"),
    ] {
        let text = outcome(&run(arguments));
        assert!(text.contains(said) && text.ends_with("exit 2\n"), "{text}");
    }
    assert_eq!(place.read("catalog.yaml"), twice);
}

/// When a document was last changed is a reason, where all of its history is there.
#[test]
fn decisions_know_the_last_change() {
    let place = committed(OLD);
    let commit = ["commit", "--quiet", "--amend", "--no-edit", "--date", "2020-02-03T04:05:06Z"];
    let amended = Command::new("git")
        .current_dir(place.root())
        .args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
        .args(commit)
        .env("GIT_COMMITTER_DATE", "2020-02-03T04:05:06Z")
        .status()
        .unwrap();
    assert!(amended.success());
    let reasons = |place: &Place, folder: &str| {
        let output = place.run(&["audit-docs", "--format", "json", folder]);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let decisions = report["decisions"].as_array().unwrap().clone();
        let of = decisions.into_iter().find(|decision| decision["path"] == "docs/old_setup.md").unwrap();
        of["reasons"].to_string()
    };
    assert!(reasons(&place, ".").contains("its last change in git is of 2020-02-03"), "{}", reasons(&place, "."));
    place.write("new.md", "# N\n");
    git(&place, &["add", "--all"]);
    git(&place, &["commit", "--quiet", "--message", "more"]);
    assert!(reasons(&place, ".").contains("its last change in git is of 2020-02-03"));
    let url = format!("file://{}", place.root().display());
    let clone = Place::new();
    git(&clone, &["clone", "--quiet", "--depth", "1", &url, "shallow"]);
    assert!(!reasons(&clone, "shallow").contains("last change"), "{}", reasons(&clone, "shallow"));
}

/// A catalog that takes no entry is left as it is, and a message says so.
#[test]
fn where_the_catalog_takes_no_entry_it_is_said() {
    let place = committed(
        &[OLD, &[("catalog.yaml", "deprecations: [{path: docs/gone.md, date: 2025-01-01, reason: Wrong}]\n")]].concat(),
    );
    assert!(place.run(&["docs", "build"]).status.success());
    let before = (place.read("catalog.yaml"), place.read("docs/DEPRECATION_NOTICES.md"));
    let said = outcome(&place.run(&["audit-docs", "--fix=documents", "--allow-dirty"]));
    assert!(
        said.contains(
            "enter docs/old_setup.md into `deprecations` of catalog.yaml: `deprecations` is not written as a list"
        ),
        "{said}"
    );
    assert_eq!((place.read("catalog.yaml"), place.read("docs/DEPRECATION_NOTICES.md")), before);
}

#[test]
fn an_archived_document_is_never_written_over() {
    let place = committed(&[OLD, &[("archive/2025-11-08-old_setup.md", "# From another time\n")]].concat());
    let output = mcp_kit(&place)
        .args(["audit-docs", "--fix=documents"])
        .env("SOURCE_DATE_EPOCH", "1762560000")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("docs/old_setup.md stays where it is: archive/2025-11-08-old_setup.md is taken"), "{said}");
    assert_eq!(place.read("archive/2025-11-08-old_setup.md"), "# From another time\n");
    assert_eq!(place.read("docs/old_setup.md"), OLD[2].1);
}

#[test]
fn what_git_could_not_bring_back_is_not_touched() {
    let place = committed(TREE);
    place.write("docs/guide.md", format!("{}\nmine\n", TREE[1].1));
    let before = documents(&place);
    let output = place.run(&["audit-docs", "--fix"]);
    assert_eq!(output.status.code(), Some(2));
    assert_snapshot!(String::from_utf8(output.stderr).unwrap(), @r"
    error: there are uncommitted changes in docs/guide.md
      hint: commit or stash them, or add --allow-dirty
    ");
    assert_eq!(documents(&place), before);
    // Only the documents that it would change count.
    git(&place, &["checkout", "--quiet", "--", "."]);
    place.write("notes.txt", "mine");
    place.write("docs/more/faq.md", format!("{}\nmine\n", TREE[2].1));
    assert_eq!(place.run(&["audit-docs", "--fix"]).status.code(), Some(1));

    fs::remove_dir_all(place.path(".git")).unwrap();
    place.write("docs/guide.md", TREE[1].1);
    let output = place.run(&["audit-docs", "--fix"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("is in no git repository"));
    assert_eq!(place.run(&["audit-docs", "--fix", "--allow-dirty"]).status.code(), Some(1));
    assert!(place.read("docs/guide.md").contains("[h]: ../README.md"));
}

#[test]
fn what_a_baseline_accepts_stays_as_it_is() {
    let place = committed(TREE);
    place.run(&["audit-docs", "--baseline", "known.json", "--update-baseline"]);
    let before = documents(&place);
    assert_eq!(place.run(&["audit-docs", "--baseline", "known.json", "--fix"]).status.code(), Some(0));
    assert_eq!(documents(&place), before);
}

#[cfg(unix)]
#[test]
fn symbolic_links_stay_links_and_lead_no_fix_out_of_the_tree() {
    let place = Place::new();
    let tree = [
        ("repo/README.md", "[a](a.md) [b](b.md)\n"),
        ("repo/real.md", "[x](Readme.md)\n"),
        ("outside.md", "[x](Readme.md)\n"),
    ];
    tree.iter().for_each(|(path, text)| place.write(path, text));
    std::os::unix::fs::symlink("real.md", place.path("repo/a.md")).unwrap();
    std::os::unix::fs::symlink("../outside.md", place.path("repo/b.md")).unwrap();
    place.run(&["audit-docs", "repo", "--root", "repo", "--fix", "--allow-dirty"]);
    assert_eq!(place.read("repo/real.md"), "[x](README.md)\n");
    assert_eq!(place.read("outside.md"), "[x](Readme.md)\n");
    assert!(place.path("repo/a.md").is_symlink() && place.path("repo/b.md").is_symlink());
}

#[cfg(unix)]
#[test]
fn a_read_only_folder_leaves_everything_as_it_was() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = committed(TREE);
    let before = documents(&place);
    let mode = |mode| fs::set_permissions(place.root(), fs::Permissions::from_mode(mode)).unwrap();
    mode(0o555);
    // Root may write all the same.
    let refused = fs::write(place.path("probe"), "").is_err();
    let output = place.run(&["audit-docs", "--fix", "--allow-dirty"]);
    mode(0o755);
    if refused {
        assert_eq!(output.status.code(), Some(3), "{}", outcome(&output));
        assert_eq!(documents(&place), before);
    }
}

/// Kills the process at many points and looks whether every document is whole: as it was or as it is to be, and after another run all
/// of them as they are to be. `MCP_KIT_FIX_KILLS` is the number of points.
#[test]
fn killed_at_any_point_nothing_is_lost_and_a_rerun_finishes() {
    let kills: u32 = std::env::var("MCP_KIT_FIX_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(60);
    let mut files: Vec<(String, String)> = vec![("README.md".into(), String::new())];
    for number in 0..40 {
        files[0].1 += &format!("[{number}](doc{number}.md)\n");
        files.push((format!("doc{number}.md"), format!("# {number}\n\n[home](readme.md)\n{}", "word ".repeat(4_000))));
    }
    let place = Place::new();
    let reset = || files.iter().for_each(|(path, text)| place.write(path, text));
    reset();
    let before = documents(&place);
    let began = Instant::now();
    place.run(&["audit-docs", "--fix", "--allow-dirty", "--quiet"]);
    let whole = began.elapsed();
    let after = documents(&place);
    assert_ne!(before, after);

    let (mut between, mut undone, mut done) = (0, 0, 0);
    for round in 0..kills {
        reset();
        let mut child = mcp_kit(&place)
            .args(["audit-docs", "--fix", "--allow-dirty", "--quiet"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Spread over the time of a whole run; waiting is the point here.
        std::thread::sleep(whole.mul_f64(f64::from(round) / f64::from(kills)).max(Duration::from_micros(1)));
        child.kill().unwrap();
        child.wait().unwrap();
        let mut changed = 0;
        for (path, bytes) in documents(&place).iter().filter(|(path, _)| path.ends_with(".md")) {
            assert!(bytes == &before[path] || bytes == &after[path], "{path} is neither as it was nor as it is to be");
            changed += usize::from(bytes != &before[path]);
        }
        match changed {
            0 => undone += 1,
            40 => done += 1,
            _ => between += 1,
        }
        place.run(&["audit-docs", "--fix", "--allow-dirty", "--quiet"]);
        assert_eq!(documents(&place), after, "another run finishes and leaves nothing behind");
    }
    println!("{kills} kills over {whole:?}: {undone} before any change, {between} in between, {done} after the last");
}

/// Documents and links that are often wrong in ways that can be fixed.
fn trees() -> impl Strategy<Value = Vec<(String, String)>> {
    let path = prop::sample::select(vec!["README.md", "docs/a.md", "docs/B.md", "docs/deep/c.md", "d.md"]);
    let link = prop::sample::select(vec![
        "[x](A.md)",
        "[x](docs/A.md#One)",
        "[x](c.md)",
        "[x](../README.md#one)",
        "[x](readme.md#two-)",
        "[x](b.md#One)",
        "![i](Docs/b.md)",
        "[x][r]",
        "[x][R] [x][]",
        "[r]: ../d.md",
        "[r]: docs/a.md#ONE",
        "[x]((https://x.org))",
        "[x](##one)",
        "[x](a@b.c)",
        "[x](#One)",
        "[x](www.x.org/y)",
        "[a](<c.md>)",
        "[a](d.md 'title')",
        "<a href=\"D.md\">x</a>",
        "`[x](A.md)`",
        "é 語 🎉",
        "\u{feff}",
    ]);
    let end = prop::sample::select(vec!["\n", "\r\n", "\n\n", " ", ""]);
    let text = prop::collection::vec((link, end), 0..8).prop_map(|parts| {
        let lines: String = parts.iter().map(|(link, end)| format!("{link}{end}")).collect();
        format!("# One\n\n## Two\n\n{lines}")
    });
    prop::collection::btree_map(path, text, 1..5)
        .prop_map(|tree| tree.into_iter().map(|(path, text)| (path.to_owned(), text)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fixing_makes_no_new_finding_and_fixing_again_changes_nothing(files in trees()) {
        let place = Place::new();
        files.iter().for_each(|(path, text)| place.write(path, text));
        let (before, found) = (documents(&place), findings(&place));
        let diff = place.run(&["audit-docs", "--fix", "--dry-run", "--quiet"]).stdout;
        place.run(&["audit-docs", "--fix", "--allow-dirty", "--quiet"]);
        let (after, left) = (documents(&place), findings(&place));
        prop_assert!(left.len() <= found.len(), "{found:#?} became {left:#?}");
        // Its target may differ now: with the wrong path, no check read the anchor.
        let kinds = |all: &[String]| {
            // Once the first document of an island is linked, the next one is reported.
            let of_links = all.iter().filter(|f| !f.contains("orphan"));
            let mut places: Vec<String> = of_links.map(|f| f.split(' ').next().unwrap().to_owned()).collect();
            places.dedup();
            places
        };
        for place_of_it in kinds(&left) {
            prop_assert!(kinds(&found).contains(&place_of_it), "{place_of_it} is new: {found:#?} became {left:#?}");
        }
        prop_assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
        let is_changed = before.iter().any(|(path, bytes)| after[path] != *bytes);
        prop_assert_eq!(is_changed, !diff.is_empty(), "the diff tells of every change");
        let again = place.run(&["audit-docs", "--fix", "--dry-run", "--quiet"]);
        prop_assert_eq!(String::from_utf8(again.stdout).unwrap(), "");
    }
}

#[test]
fn the_front_matter_names_the_replacement_of_an_archived_document() {
    let place = committed(&[
        ("README.md", "# Us\n\n[old](docs/old_setup.md) [new](docs/new.md) [sop](docs/sop.md)\n"),
        ("docs/sop.md", "# SOP\n"),
        ("docs/new.md", "# The new set-up\n"),
        ("docs/old_setup.md", "---\nstatus: deprecated\nsuperseded_by: new.md\n---\n# Old set-up\n\nText.\n"),
    ]);
    let report = place.report(&[]);
    let reasons = report["decisions"][0]["reasons"].to_string();
    assert!(reasons.contains("it sends its readers to new.md"), "{reasons}");
    let output = place.run(&["audit-docs", "--fix=documents", "--current", "docs/sop.md"]);
    let notice = place.read("docs/old_setup.md");
    assert!(notice.contains("> See [The new set-up](new.md) instead."), "{}{notice}", outcome(&output));
}
