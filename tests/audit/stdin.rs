//! `--stdin --path PATH` and `--stdin-batch`: documents that are not saved, in the tree on the disk.

use std::io::Write as _;
use std::process::{Output, Stdio};

use insta::assert_snapshot;
use serde_json::json;

use crate::common::{Place, findings, mcp_kit, outcome, tree};

/// Runs the audit in a folder with a text on standard input.
fn given(place: &Place, arguments: &[&str], text: &[u8]) -> Output {
    let mut child = mcp_kit(place)
        .arg("audit-docs")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A run that refuses the flags does not read it.
    let _ = child.stdin.take().unwrap().write_all(text);
    child.wait_with_output().unwrap()
}

fn found(place: &Place, path: &str, text: &str) -> Vec<String> {
    let output = given(place, &["--format", "json", "--stdin", "--path", path], text.as_bytes());
    findings(&serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", outcome(&output))))
}

fn small() -> Place {
    let place = tree(&[
        ("README.md", "# Us\n\n[guide](docs/guide.md#install) [gone](gone.md)\n"),
        ("docs/guide.md", "# Guide\n\n## Install\n\n[gone](gone.md)\n"),
    ]);
    std::fs::create_dir(place.path(".git")).unwrap();
    place
}

#[test]
fn the_text_counts_in_place_of_the_file() {
    let place = small();
    let text = "# Guide\n\n[up](../README.md#us) [self](#guide) [not](#install) [wrong](../README.md#them)\n";
    let output = given(&place, &["--stdin", "--path", "docs/guide.md"], text.as_bytes());
    assert_snapshot!("stdin", place.normalized(&outcome(&output)));
    assert_eq!(place.read("docs/guide.md").lines().count(), 5, "the file is as it was");
    // What it breaks in others is not reported, as it is about this document.
    assert_eq!(found(&place, "docs/guide.md", "# Guide\n"), Vec::<String>::new());
}

#[test]
fn nothing_needs_to_be_at_the_path() {
    let place = small();
    let text = "# New\n\n[guide](guide.md#install) [sister](new/sister.md) [self](new.md#new)\n";
    let expected = ["docs/new.md:1 orphan", "docs/new.md:3 broken-link new/sister.md"];
    assert_eq!(found(&place, "docs/new.md", text), expected);
    // Nor the folders on the way.
    assert_eq!(
        found(&place, "docs/far/away/new.md", "[up](../../guide.md) [no](../guide.md)\n"),
        ["docs/far/away/new.md:1 orphan", "docs/far/away/new.md:1 broken-link ../guide.md"]
    );
    // From another folder, by an absolute path, and by one that goes up and down again.
    let absolute = place.path("docs/new.md");
    let absolute = absolute.to_str().unwrap();
    assert_eq!(found(&place, absolute, text), expected);
    assert_eq!(found(&place, "docs/none/../new.md", text), expected);
}

#[test]
fn any_bytes_are_audited() {
    let place = small();
    for text in [&b""[..], b"\xff\xfe", b"# Gr\xf6\xdfe\n[x](gone.md)", &b"[".repeat(100_000)] {
        let output = given(&place, &["--format", "json", "--stdin", "--path", "docs/guide.md"], text);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{}", outcome(&output));
    }
}

#[test]
fn what_is_no_document_is_refused() {
    let place = small();
    let mut said = String::new();
    for path in ["docs", "docs/guide.txt", "README.md/x.txt", ""] {
        said += &place.normalized(&outcome(&given(&place, &["--stdin", "--path", path], b"")));
    }
    said += &place.normalized(&outcome(&given(&place, &["--root", "docs", "--stdin", "--path", "README.md"], b"")));
    said += &outcome(&given(&place, &["--stdin"], b""));
    said += &outcome(&given(&place, &["--stdin", "--path", "a.md", "docs"], b""));
    assert_snapshot!("stdin_refused", said);
}

#[test]
fn several_documents_see_each_other() {
    let place = small();
    let documents = [
        ("docs/guide.md", "# Guide\n\n[new](far/new.md#second) [gone](gone.md)\n"),
        ("docs/far/new.md", "# New\n\n## Second\n\n[guide](../guide.md#guide) [not](../guide.md#install)\n"),
    ];
    let lines = documents.map(|(path, text)| json!({"path": path, "text": text}).to_string()).join("\n");
    let output = given(&place, &["--format", "json", "--stdin-batch"], lines.as_bytes());
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", outcome(&output)));
    assert_eq!(
        findings(&report),
        ["docs/far/new.md:5 broken-anchor ../guide.md#install", "docs/guide.md:3 broken-link gone.md"]
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(!place.path("docs/far").exists(), "nothing is written");
}
