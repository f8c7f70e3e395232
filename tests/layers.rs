//! The rooms of `src/` import one way, and only `fs/` writes. CONTRIBUTING.md has the picture.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::sources;

/// From the ground up. A room imports itself and the rooms before it.
const ROOMS: &[&str] =
    &["error", "text", "fs", "markdown", "audit", "catalog", "scaffold", "docs", "verify", "cli", "commands", "main"];

/// What writes to the disk, as it is called in Rust. `tempfile` is there for what it makes.
const WRITES: &[&str] = &[
    "fs::write(",
    "fs::create_dir(",
    "fs::create_dir_all(",
    "fs::rename(",
    "fs::remove_file(",
    "fs::remove_dir(",
    "fs::remove_dir_all(",
    "fs::copy(",
    "fs::hard_link(",
    "fs::set_permissions(",
    "File::create",
    "OpenOptions",
    "tempfile::",
];

/// Each source file with its path below `src/` and the text before its tests.
fn files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    sources(&root, &mut found);
    found.sort();
    let file = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
        (name, without_tests(&text))
    };
    found.into_iter().map(file).collect()
}

/// The text without `#[cfg(test)] mod … { … }`, whose closing brace stands at the beginning of a line, with blank lines in its place.
fn without_tests(text: &str) -> String {
    if text.lines().any(|line| line == "#![cfg(test)]") {
        return String::new();
    }
    let (mut kept, mut lines) = (String::new(), text.lines().peekable());
    while let Some(line) = lines.next() {
        let is_test =
            line == "#[cfg(test)]" && lines.peek().is_some_and(|next| next.contains("mod ") && next.ends_with('{'));
        if is_test {
            for skipped in lines.by_ref() {
                kept.push('\n');
                if skipped == "}" {
                    break;
                }
            }
        } else {
            kept.push_str(line);
        }
        kept.push('\n');
    }
    kept
}

fn room_of(file: &str) -> &str {
    file.split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

/// The rooms that a text names, with the line: `crate::room::…` and `mcp_kit::room::…`, in `use` lines and paths alike; for
/// `crate::{one::…, other::…}` all of them.
fn named(text: &str) -> Vec<(usize, String)> {
    let mut named = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let code = line.split("//").next().unwrap_or_default();
        for root in ["crate::", "mcp_kit::"] {
            for (at, _) in code.match_indices(root) {
                let rest = &code[at + root.len()..];
                let parts: Vec<&str> = match rest.strip_prefix('{') {
                    Some(list) => list.split(',').collect(),
                    None => vec![rest],
                };
                let name = |part: &&str| {
                    part.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next().map(str::to_owned)
                };
                named.extend(
                    parts
                        .iter()
                        .filter_map(name)
                        .filter(|name| ROOMS.contains(&name.as_str()))
                        .map(|name| (number, name)),
                );
            }
        }
    }
    named
}

/// What is wrong in these files, a line each.
fn upward(files: &[(String, String)]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (file, text) in files.iter().filter(|(file, _)| file != "lib.rs") {
        let room = room_of(file);
        let Some(level) = ROOMS.iter().position(|other| *other == room) else {
            wrong.push(format!("src/{file}: {room} is no room; add it to ROOMS where it belongs"));
            continue;
        };
        for (line, other) in named(text) {
            if ROOMS.iter().position(|room| *room == other) > Some(level) {
                wrong.push(format!("src/{file}:{line}: {room} imports {other}, which stands above it"));
            }
        }
    }
    wrong
}

/// Writes outside of `fs/`, a line each.
fn writes(files: &[(String, String)]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (file, text) in files.iter().filter(|(file, _)| room_of(file) != "fs") {
        for (number, line) in (1..).zip(text.lines()) {
            let code = line.split("//").next().unwrap_or_default();
            if let Some(what) = WRITES.iter().find(|what| code.contains(**what)) {
                wrong.push(format!("src/{file}:{number}: {what} writes outside of fs/"));
            }
        }
    }
    wrong
}

#[test]
fn rooms_import_one_way() {
    let wrong = upward(&files());
    assert!(wrong.is_empty(), "imports that go up:\n{}", wrong.join("\n"));
}

#[test]
fn only_fs_writes() {
    let wrong = writes(&files());
    assert!(wrong.is_empty(), "writes outside of fs/:\n{}", wrong.join("\n"));
}

/// The tests above would not see anything if they read nothing.
#[test]
fn what_is_wrong_is_seen() {
    let file = |name: &str, text: &str| (name.to_owned(), without_tests(text));
    let bad = [
        file("text/a.rs", "use crate::audit::Settings;\n"),
        file("audit/b.rs", "use crate::{text, docs::build};\nfn f() { crate::commands::new::run() }\n"),
        file("attic/c.rs", ""),
        file(
            "docs/d.rs",
            "// crate::commands\nuse crate::audit::Scope;\n#[cfg(test)]\nmod tests {\n    use crate::commands::x;\n}\n",
        ),
    ];
    assert_eq!(
        upward(&bad),
        [
            "src/text/a.rs:1: text imports audit, which stands above it",
            "src/audit/b.rs:1: audit imports docs, which stands above it",
            "src/audit/b.rs:2: audit imports commands, which stands above it",
            "src/attic/c.rs: attic is no room; add it to ROOMS where it belongs",
        ]
    );
    let bad = [
        file("docs/d.rs", "fn f() {\n    std::fs::write(path, text)\n}\n"),
        file("fs/e.rs", "fn f() { fs::write(a, b) }\n"),
    ];
    assert_eq!(writes(&bad), ["src/docs/d.rs:2: fs::write( writes outside of fs/"]);
    assert!(files().len() > 100, "the sources of this crate are read");
}
