//! `mcp-kit audit-docs` from outside: small trees in, whole outputs out.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use serde_json::Value;

use crate::common::{Place, codes, listing, mcp_kit, outcome, status, tree};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/audit");

/// A folder with a copy of a tree, so that it is no part of this repository.
fn copied(tree: &str) -> Place {
    let place = Place::new();
    let from = Path::new(FIXTURES).join(tree);
    for (path, (bytes, _)) in listing(&from) {
        place.write(&path, bytes);
    }
    place
}

#[test]
fn links_judged_by_hand() {
    let report = copied("github").report(&[]);
    let mut found: BTreeMap<(String, u64), Vec<(String, String)>> = BTreeMap::new();
    for finding in report["findings"].as_array().unwrap() {
        let place = (finding["path"].as_str().unwrap().to_owned(), finding["line"].as_u64().unwrap());
        let target = finding["target"].as_str().unwrap_or_default().to_owned();
        found.entry(place).or_default().push((target, finding["severity"].as_str().unwrap().to_owned()));
    }
    let table = fs::read_to_string(Path::new(FIXTURES).join("github.tsv")).unwrap();
    let mut wrong = Vec::new();
    let mut judged = 0;
    for row in table.lines().filter(|row| !row.starts_with('#')) {
        let [file, line, target, verdict, why] = row.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let here = found.get(&(file.to_owned(), line.parse().unwrap()));
        let severities: Vec<&str> =
            here.into_iter().flatten().filter(|(of, _)| of == target).map(|(_, severity)| severity.as_str()).collect();
        let good = match verdict {
            // `[text][label]` may be prose, so it is not more than a warning.
            "broken" => severities.contains(&"error") || severities.contains(&"warning"),
            "ok" => severities.is_empty(),
            "style" => severities == ["warning"],
            "unused" => severities == ["note"],
            other => panic!("{other}"),
        };
        judged += 1;
        if !good {
            wrong.push(format!("{file}:{line} {target} is {verdict} ({why}), reported as {severities:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {judged}:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(judged, 67, "rows of github.tsv");
}

#[test]
fn nothing_but_what_was_judged() {
    let report = copied("github").report(&[]);
    let table = fs::read_to_string(Path::new(FIXTURES).join("github.tsv")).unwrap();
    for finding in report["findings"].as_array().unwrap() {
        let start = format!("{}\t{}\t", finding["path"].as_str().unwrap(), finding["line"]);
        assert!(table.lines().any(|row| row.starts_with(&start)), "{finding}");
    }
}

#[test]
fn every_renderer_has_its_rules() {
    for renderer in ["mdbook", "mkdocs", "docusaurus", "mintlify", "docfx", "hugo"] {
        let place = copied(renderer);
        assert_snapshot!(format!("profile_{renderer}"), place.audit(&[]));
        place.clean();
    }
}

#[test]
fn a_renderer_can_be_asked_for() {
    let place = copied("mdbook");
    let report = place.report(&["--flavor", "github"]);
    assert!(codes(&report).contains(&"src/one.md:3 broken-link".to_owned()), "{report:#}");
    assert_eq!(report["profiles"][0], "GitHub's rules, because it was asked for");
}

#[test]
fn a_clean_tree_says_so() {
    let place = tree(&[("README.md", "# A\n\n[b](docs/b.md#b)\n"), ("docs/b.md", "# B\n")]);
    assert_snapshot!("clean", place.audit(&[]));
}

#[test]
fn errors_fail_and_warnings_only_with_strict() {
    let place = tree(&[("README.md", "# A\n"), ("b.md", "# B\n")]);
    assert_eq!(codes(&place.report(&[])), ["b.md:1 orphan"]);
    assert_eq!(status(&place.run(&["audit-docs"])), 0);
    assert_eq!(status(&place.run(&["audit-docs", "--strict"])), 1);
    place.write("README.md", "[b](b.md) [c](c.md)");
    assert_eq!(status(&place.run(&["audit-docs"])), 1);
}

#[test]
fn help() {
    assert_snapshot!("help", outcome(&Place::new().run(&["audit-docs", "--help"])));
}

#[test]
fn every_check_explains_itself() {
    let place = Place::new();
    let explained = |code: &str| place.run(&["audit-docs", "--explain", code]);
    let checks = mcp_kit::audit::checks::ALL;
    for check in checks {
        let output = explained(check.code.as_str());
        assert_eq!(status(&output), 0, "{}", outcome(&output));
    }
    assert_snapshot!("explain", outcome(&explained("broken-link")));
}

#[test]
fn what_ignore_files_hide_is_audited_when_it_is_named() {
    let place = tree(&[
        (".gitignore", "/made\n"),
        ("README.md", "# A\n"),
        ("made/docs/b.md", "[up](../../README.md) [gone](gone.md)\n"),
        ("made/docs/.ignore", "c.md\n"),
        ("made/docs/c.md", "[gone](gone.md)\n"),
    ]);
    fs::create_dir(place.path(".git")).unwrap();
    for (named, documents) in [(".", 1), ("made", 1), ("made/docs", 1), ("made/docs/c.md", 1), ("made/docs/.ignore", 0)]
    {
        let report = place.report(&[named]);
        let broken = usize::from(named.starts_with("made") && documents > 0);
        let findings = report["findings"].as_array().unwrap();
        let count = findings.iter().filter(|finding| finding["code"] == "broken-link").count();
        assert_eq!((report["documents"].as_u64(), count), (Some(documents), broken), "{named}: {report}");
    }
}

#[test]
fn a_part_of_a_repository_is_audited_within_all_of_it() {
    let files = [
        ("README.md", "[guide](docs/guide.md) [gone](gone.md)\n"),
        ("docs/guide.md", "[up](../README.md#x) [root](/README.md) [code](../src/main.rs)\n"),
        ("docs/lonely.md", ""),
        ("src/main.rs", ""),
    ];
    let place = tree(&files);
    fs::create_dir(place.path(".git")).unwrap();
    let report = place.report(&["docs"]);
    assert_eq!(codes(&report), ["docs/guide.md:1 broken-anchor", "docs/lonely.md:1 orphan"]);
    assert_eq!((&report["root"], &report["documents"]), (&Value::from("."), &Value::from(2)));
    assert_eq!(
        codes(&place.report(&["docs/guide.md", "README.md"])),
        ["README.md:1 broken-link", "docs/guide.md:1 broken-anchor"]
    );
    // The tree ends at the given root.
    let report = place.report(&["--root", "docs", "docs"]);
    assert_eq!(codes(&report), ["guide.md:1 broken-link", "guide.md:1 broken-link", "guide.md:1 broken-link"]);
}

#[test]
fn ignore_files_count_outside_of_a_repository_too() {
    let place = tree(&[
        (".gitignore", "build/\n"),
        ("README.md", "[made](build/made.md) [not made](build/other.md)\n"),
        ("build/made.md", "[gone](gone.md)\n"),
        ("node_modules/x/README.md", "[gone](gone.md)\n"),
        (".git/x.md", "[gone](gone.md)\n"),
        (".github/x.md", "[gone](gone.md)\n"),
    ]);
    assert_eq!(codes(&place.report(&[])), [".github/x.md:1 broken-link", "README.md:1 broken-link"]);
}

#[test]
fn known_findings_are_accepted() {
    let place = tree(&[("README.md", "[a](a.md)\n")]);
    let baseline = ["audit-docs", "--baseline", "audit-baseline.json"];
    let output = place.run(&[&baseline[..], &["--update-baseline"]].concat());
    assert_eq!(status(&output), 0, "{}", outcome(&output));
    assert_eq!(status(&place.run(&baseline)), 0);
    place.write("README.md", "[a](a.md)\n[b](b.md)\n");
    assert_eq!(status(&place.run(&baseline)), 1);
    place.write("README.md", "# Nothing\n");
    let gone = "note: 1 finding of the baseline is gone; --update-baseline forgets it\n";
    assert_eq!(String::from_utf8(place.run(&baseline).stderr).unwrap(), gone);
}

#[test]
fn the_same_tree_gives_the_same_report() {
    let place = copied("github");
    let report = |threads: &str| {
        let output = mcp_kit(&place).args(["audit-docs"]).env("RAYON_NUM_THREADS", threads).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().filter(|line| !line.contains(" documents, ")).collect::<Vec<_>>().join("\n")
    };
    let first = report("1");
    assert!(first.contains("broken-link"));
    for threads in ["1", "2", "7"] {
        assert_eq!(report(threads), first);
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    use std::process::Stdio;
    let place = tree(&[("README.md", &"[x](gone.md)\n\n".repeat(20_000))]);
    let mut child = mcp_kit(&place).args(["audit-docs"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(status(&output), 1, "{}", outcome(&output));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

/// No format shows a secret: not in the line of another finding, not in a target, not in a fix.
#[test]
fn secrets_are_shown_by_no_finding() {
    let secret = |n: u8| format!("ghp{}q7Rt2LwX9mBz4KcV8nJd3HsF6gPy1TaE5u{n}o", "_"); // pragma: allowlist secret
    let [one, two, three, four] = [1, 2, 3, 4].map(secret);
    let line =
        format!("{one} [gone](gone.md) {two} [x](Readme.md?key={three}#no) [y][http://e.org/{four}] [z](#T)\n\n# t\n");
    let place = tree(&[("README.md", &line)]);
    let report = place.report(&[]);
    let found =
        ["secret", "broken-link", "secret", "path-case", "secret", "undefined-reference", "secret", "anchor-case"];
    assert_eq!(codes(&report), found.map(|code| format!("README.md:1 {code}")));
    for format in ["human", "json", "sarif", "github", "gitlab", "junit", "markdown", "html"] {
        let output = outcome(&place.run(&["audit-docs", "--format", format]));
        for secret in [&one, &two, &three, &four] {
            assert!(!output.contains(secret.as_str()) && !output.contains(&secret[8..]), "{format}: {output}");
        }
    }
}

#[test]
fn unrelated_folders_are_not_audited_as_one_tree() {
    let (one, other) = (tree(&[("a.md", "")]), tree(&[("b.md", "")]));
    let paths = [one.root(), other.root()].map(|root| root.to_str().unwrap().to_owned());
    let output = one.run(&["audit-docs", &paths[0], &paths[1]]);
    assert_eq!(status(&output), 2, "{}", outcome(&output));
    assert!(outcome(&output).contains("nothing in common but"), "{}", outcome(&output));
    // Next to each other below the current folder, they are.
    let place = tree(&[("a/x.md", "[b](../b/y.md)\n"), ("b/y.md", ""), ("c/z.md", "[gone](gone.md)\n")]);
    assert_eq!(codes(&place.report(&["a", "b"])), Vec::<String>::new());
}
