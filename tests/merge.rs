//! The merge of `mcp-kit update` against `git merge-file --diff3`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fs;
use std::process::Command;

use mcp_kit::scaffold::update::merge::{MarkerLabels, Merged, merge};
use proptest::prelude::*;

fn labels() -> MarkerLabels {
    MarkerLabels { ours: "yours".to_owned(), base: "before".to_owned(), theirs: "template".to_owned() }
}

/// What git makes of the three texts.
fn by_git(base: &[u8], ours: &[u8], theirs: &[u8]) -> Merged {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("base", base), ("ours", ours), ("theirs", theirs)] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let output = Command::new("git")
        .args([
            "merge-file",
            "-p",
            "--diff3",
            "-L",
            "yours",
            "-L",
            "before",
            "-L",
            "template",
            "ours",
            "base",
            "theirs",
        ])
        .current_dir(folder.path())
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    let conflicts = usize::try_from(output.status.code().unwrap()).unwrap();
    assert!(conflicts < 128, "{output:?}");
    Merged { bytes: output.stdout, conflicts }
}

fn check(base: &[u8], ours: &[u8], theirs: &[u8]) -> Result<(), TestCaseError> {
    let (mine, git) = (merge(base, ours, theirs, &labels()), by_git(base, ours, theirs));
    prop_assert_eq!(String::from_utf8_lossy(&mine.bytes), String::from_utf8_lossy(&git.bytes));
    prop_assert_eq!(mine.conflicts, git.conflicts);
    Ok(())
}

#[test]
fn texts_with_known_ends() {
    let long: String = (0..3000).map(|n| format!("line {n}\n")).collect();
    let cases: &[(&str, &str, &str)] = &[
        ("", "", ""),
        ("", "a\n", "b\n"),
        ("", "a\n", "a\n"),
        ("", "a", "a\n"),
        ("a\n", "", "b\n"),
        ("a\n", "", ""),
        ("a\nb\nc\n", "a\nb\nc", "a\nb\nC\n"),
        ("a\nb\nc", "A\nb\nc", "a\nb\nc\n"),
        ("a\r\nb\r\nc\r\n", "a\r\nX\r\nc\r\n", "a\r\nY\r\nc\r\n"),
        ("a\nb\nc\n", "a\r\nb\r\nc\r\n", "a\nb\nY\n"),
        ("a\r\nb", "a\r\nc", "a\r\nd"),
        ("a", "b", "c"),
        ("a\nb\n", "a\nx\nb\n", "a\ny\nb\n"),
        ("1\n2\n3\n4\n5\n", "1\nx\n3\n4\n5\n", "1\n2\ny\n4\n5\n"),
        ("1\n2\n3\n4\n5\n", "1\nx\n3\n4\n5\n", "1\n2\n3\ny\n5\n"),
        (&long, &long.replace("line 7\n", "seven\n"), &long.replace("line 2990\n", "end\n")),
    ];
    for (base, ours, theirs) in cases {
        check(base.as_bytes(), ours.as_bytes(), theirs.as_bytes()).unwrap();
    }
}

/// A line: of a small alphabet, so that lines repeat, or nearly always of its own, as in sources.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => Just("}".to_owned()),
        1 => Just(String::new()),
        6 => (0..4000_u32).prop_map(|n| format!("    let value_{n} = {n};")),
    ]
}

/// An edit: where, how many lines go, and which come.
fn edits() -> impl Strategy<Value = Vec<(prop::sample::Index, usize, Vec<String>)>> {
    prop::collection::vec((any::<prop::sample::Index>(), 0..4_usize, prop::collection::vec(line(), 0..4)), 0..5)
}

fn edited(base: &[String], edits: &[(prop::sample::Index, usize, Vec<String>)]) -> Vec<String> {
    let mut lines = base.to_vec();
    for (at, gone, new) in edits {
        let at = at.index(lines.len() + 1);
        let end = (at + gone).min(lines.len());
        lines.splice(at..end, new.iter().cloned());
    }
    lines
}

fn text(lines: &[String], end: &str, last: bool) -> Vec<u8> {
    let mut text = lines.join(end);
    if last && !lines.is_empty() {
        text.push_str(end);
    }
    text.into_bytes()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_edits_of_any_text(
        base in prop::collection::vec(line(), 0..60),
        ours in edits(),
        theirs in edits(),
        ends in prop::array::uniform3(any::<bool>()),
        crlf in prop::array::uniform3(prop::bool::weighted(0.2)),
    ) {
        let end = |crlf: bool| if crlf { "\r\n" } else { "\n" };
        let (our, their) = (edited(&base, &ours), edited(&base, &theirs));
        check(&text(&base, end(crlf[0]), ends[0]), &text(&our, end(crlf[1]), ends[1]), &text(&their, end(crlf[2]), ends[2]))?;
    }
}
