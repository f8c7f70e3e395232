//! One word for one thing: a type name stands for one thing in the whole program, and the words that CONTRIBUTING.md
//! replaces do not come back, in the program, in the libraries of the template and in its documents.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use common::sources;

/// Identifiers with a better word: the thing itself, or the standard's word for it.
const IDENTIFIERS: &[(&str, &str)] = &[
    ("told", "checksum, settings, expected, …"),
    ("heard", "has_answered, fresh, ignore_broken_pipe"),
    ("believed", "cache_ttl"),
    ("look", "inspect"),
    ("tell", "report"),
    ("say", "update, report"),
    ("Made", "Generated…, the name of the state"),
    ("Kept", "ReviewDecision"),
    ("Foreign", "NotGenerated"),
    ("Asker", "Client"),
    ("boxed_main", "sandboxed_main"),
];

/// Functions with a better word.
const FUNCTIONS: &[(&str, &str)] = &[
    ("fold", "casefold"),
    ("of", "new, from_…, for_…"),
    ("shown", "display_…"),
    ("wanted", "colour_allowed, is_allowed, …"),
    ("words", "slugify, messages, …"),
    ("seal", "checksum"),
];

/// Words that are the field's in the libraries: tokens are sealed with an authenticated cipher (RFC 5116), and a row of the
/// audit log is `Foreign` in an interface that is published.
const OF_LIBRARIES: &[&str] = &["seal", "Foreign"];

/// The sources of the libraries. `template/src` is its owners' to edit: a better word there is a conflict for each who has written
/// beside it.
const LIBRARIES: &[&str] = &["template/vendor/mcp-auth-middleware/src", "template/vendor/mcp-server-runtime/src"];

/// Parts of identifiers, and words of prose, with plain English for each.
const PROSE: &[(&str, &str)] = &[
    ("anew", "again, new"),
    ("whoever", "every reader, the user, …"),
    ("mend", "fix"),
    ("mends", "fixes"),
    ("mended", "fixed"),
    ("mending", "fixing"),
    ("nobodys", "no …"),
    ("somebodys", "another user's"),
    ("repair", "fix"),
    ("repairs", "fixes"),
    ("repaired", "fixed"),
];

/// Phrases of prose with plain English for each.
const PHRASES: &[(&str, &str)] =
    &[("way back", "rollback"), ("nobody's", "no …, without …"), ("somebody's", "another user's")];

/// Type names that stand for several things, with the reason. Empty, and best left so.
const SEVERAL: &[(&str, &str)] = &[];

/// The text of each file with this ending below these folders, by its path from the root of the repository.
fn texts(folders: &[&str], ending: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in folders {
        walk(&root.join(folder), ending, &mut found);
    }
    found.sort();
    found
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            (name, fs::read_to_string(path).unwrap())
        })
        .filter(|(name, _)| name != "tests/words.rs")
        .collect()
}

fn walk(path: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    if path.is_file() {
        found.push(path.to_owned());
    } else if ending == "rs" {
        sources(path, found);
    } else {
        for entry in fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() || path.extension().is_some_and(|other| other == ending) {
                walk(&path, ending, found);
            }
        }
    }
}

/// Rust without comments and the contents of strings, line by line.
fn code(text: &str) -> String {
    let (mut code, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(first) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(hashes) = raw_string(rest) {
            let end = format!("\"{}", "#".repeat(hashes));
            let begin = hashes + 2;
            rest[begin..].find(&end).map_or(rest.len(), |at| begin + at + end.len())
        } else if first == '"' {
            let mut escaped = false;
            let end = rest[1..].find(|c| {
                let ends = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            });
            end.map_or(rest.len(), |at| at + 2)
        } else if first == '\'' {
            // A character, or else a lifetime, of which only the apostrophe goes.
            let end = if rest[1..].starts_with('\\') {
                rest[2..].char_indices().skip(1).find(|(_, c)| *c == '\'').map(|(at, _)| at + 3)
            } else {
                rest[1..].char_indices().nth(1).filter(|(_, c)| *c == '\'').map(|(at, _)| at + 2)
            };
            end.unwrap_or(1)
        } else {
            0
        };
        if skipped == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            code.push(' ');
            code.extend(rest[..skipped].chars().filter(|c| *c == '\n'));
            rest = &rest[skipped..];
        }
    }
    code
}

/// The number of `#` of a raw string that begins here.
fn raw_string(text: &str) -> Option<usize> {
    let rest = text.strip_prefix('r')?;
    let hashes = rest.bytes().take_while(|byte| *byte == b'#').count();
    rest[hashes..].starts_with('"').then_some(hashes)
}

fn identifiers(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

fn better<'a>(list: &'a [(&str, &str)], word: &str) -> Option<&'a str> {
    list.iter().find(|(other, _)| *other == word).map(|(_, better)| *better)
}

/// The identifiers of a file that have a better word, a line each.
fn wrong_identifiers(file: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (number, line) in (1..).zip(code(text).lines()) {
        let mut before = "";
        for word in identifiers(line) {
            let parts = || word.split('_').find_map(|part| better(PROSE, part));
            let function = || better(FUNCTIONS, word).filter(|_| before == "fn");
            if let Some(better) = better(IDENTIFIERS, word).or_else(function).or_else(parts) {
                wrong.push(format!("{file}:{number}: {word}; rather {better}"));
            }
            before = word;
        }
    }
    wrong
}

/// The words and phrases of a text that have a better one, a line each.
fn wrong_prose(file: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (number, line) in (1..).zip(text.to_lowercase().lines()) {
        let words = identifiers(line).filter_map(|word| Some((word, better(PROSE, word)?)));
        let phrases = PHRASES.iter().copied().filter(|(phrase, _)| line.contains(phrase));
        wrong.extend(words.chain(phrases).map(|(word, better)| format!("{file}:{number}: {word}; rather {better}")));
    }
    wrong
}

/// The documentation comments that begin with a question word, a line each.
fn wrong_beginnings(file: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut inside = false;
    for (number, line) in (1..).zip(text.lines()) {
        let comment = line.trim_start();
        let comment = comment.strip_prefix("///").or_else(|| comment.strip_prefix("//!"));
        let begins = |comment: &str| ["What ", "Whether "].iter().any(|word| comment.trim_start().starts_with(word));
        if !inside && comment.is_some_and(begins) {
            wrong.push(format!("{file}:{number}: rustdoc begins with \"Returns …\" or \"The …\": {}", line.trim()));
        }
        inside = comment.is_some();
    }
    wrong
}

/// The types that a text declares.
fn types(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in code(text).lines() {
        let words: Vec<&str> = identifiers(line).collect();
        let begin = words.iter().position(|word| *word != "pub" && *word != "crate" && *word != "super");
        if let Some([kind, name, ..]) = begin.map(|at| &words[at..])
            && matches!(*kind, "struct" | "enum" | "trait" | "union" | "type")
            && line.trim_start().starts_with(|c: char| c.is_alphabetic())
            && name.starts_with(|c: char| c.is_uppercase())
        {
            found.push((*name).to_owned());
        }
    }
    found
}

#[test]
fn a_type_name_stands_for_one_thing() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (file, text) in texts(&["src"], "rs") {
        for name in types(&text) {
            places.entry(name).or_default().push(file.clone());
        }
    }
    // `type Value = …` and its like in an `impl` are the trait's names.
    places.remove("Value").filter(|files| files.len() <= 2).expect("the values of yaml and of clap's parsers");
    assert!(places.len() > 200, "the sources of this crate are read: {}", places.len());
    let several: Vec<_> =
        places.iter().filter(|(name, files)| files.len() > 1 && better(SEVERAL, name).is_none()).collect();
    assert!(several.is_empty(), "names of several types: {several:#?}");
}

#[test]
fn identifiers_are_the_words_of_the_field() {
    let folders = ["src", "tests/audit", "tests/checks", "tests/errors", "tests/common", "fuzz/checks"];
    let mut files = texts(&folders, "rs");
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_some_and(|ending| ending == "rs") && name != "words.rs" {
            files.push((format!("tests/{name}"), fs::read_to_string(path).unwrap()));
        }
    }
    let mut wrong: Vec<_> = files.iter().flat_map(|(file, text)| wrong_identifiers(file, text)).collect();
    let is_known = |line: &String| OF_LIBRARIES.iter().any(|word| line.contains(&format!(": {word}; rather")));
    for (file, text) in texts(LIBRARIES, "rs") {
        wrong.extend(wrong_identifiers(&file, &text).into_iter().filter(|line| !is_known(line)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn prose_is_plain() {
    let mut files = texts(&["src"], "rs");
    files.extend(texts(LIBRARIES, "rs"));
    files.extend(texts(&["README.md", "CONTRIBUTING.md", "docs/guide", "docs/reference", "template/docs"], "md"));
    let wrong: Vec<_> = files.iter().flat_map(|(file, text)| wrong_prose(file, text)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn documentation_says_what_a_thing_is() {
    let mut files = texts(&["src"], "rs");
    files.extend(texts(LIBRARIES, "rs"));
    let wrong: Vec<_> = files.iter().flat_map(|(file, text)| wrong_beginnings(file, text)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The tests above would not see anything if they read nothing.
#[test]
fn what_is_wrong_is_seen() {
    let text = "/// Whether it is so.\n/// What follows is inside.\nfn of(told: &'a str) -> char { 'x' }\n\
        let a = \"told \\\" look\"; // told\nlet b = r#\"look \" told\"#; fn a_mended_page() {}\n\
        pub(crate) enum Made { A }\nlist.fold('\\'', look)\n    type Item = u8;\n";
    assert_eq!(
        wrong_identifiers("a.rs", text),
        [
            "a.rs:3: of; rather new, from_…, for_…",
            "a.rs:3: told; rather checksum, settings, expected, …",
            "a.rs:5: a_mended_page; rather fixed",
            "a.rs:6: Made; rather Generated…, the name of the state",
            "a.rs:7: look; rather inspect",
        ]
    );
    assert_eq!(
        wrong_beginnings("a.rs", text),
        ["a.rs:1: rustdoc begins with \"Returns …\" or \"The …\": /// Whether it is so."]
    );
    assert_eq!(
        wrong_prose("a.md", "It is made anew.\nAmend it: there is no Way back.\n"),
        ["a.md:1: anew; rather again, new", "a.md:2: way back; rather rollback"]
    );
    assert_eq!(types(text), ["Made", "Item"]);
    assert_eq!(types("pub struct A<T>(T);\nstruct B {\n    kind: u8,\n}\ntype C = B;\n// enum D\n"), ["A", "B", "C"]);
}
