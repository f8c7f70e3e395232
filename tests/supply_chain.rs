//! Attack 66: a name that is somebody else's. Every command in this repository that fetches a program, and every image, action and hook,
//! in generated projects, documents, scripts and messages alike, stands in a table with the owner whom we mean.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use regex::Regex;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// This file has examples of what it looks for.
const THIS_FILE: &str = "tests/supply_chain.rs";

/// Packages of this repository: no registry has them, so they are installed from a folder or from a commit of a git repository.
const OURS: &[&str] = &[env!("CARGO_PKG_NAME"), "mcp-auth-middleware"];

const THIS_REPOSITORY: &str = "this repository";
const DEBIAN: &str = "Debian";
const HOMEBREW: &str = "Homebrew";

/// Where it comes from, its name there, and who owns it. A new line says that somebody has looked.
const OWNERS: &[(&str, &str, &str)] = &[
];

/// What is in one place of the repository: where it comes from, and its name there.
type Item = (String, String);

fn item(from: &str, name: &str) -> Item {
    (from.to_owned(), name.to_owned())
}

/// A program that fetches others: its name, the words of which one follows, and where it takes them from.
const COMMANDS: &[(&str, &[&str], &str)] = &[
    ("cargo", &["install", "binstall", "add"], "cargo"),
    ("npm", &["install", "i", "add", "exec", "x"], "npm"),
    ("pnpm", &["install", "i", "add", "dlx", "exec"], "npm"),
    ("yarn", &["add", "dlx"], "npm"),
    ("bun", &["add", "x"], "npm"),
    ("npx", &[], "npm"),
    ("bunx", &[], "npm"),
    ("pnpx", &[], "npm"),
    ("pip", &["install", "download"], "pip"),
    ("pip3", &["install", "download"], "pip"),
    ("pipx", &["install", "run"], "pip"),
    ("uvx", &[], "pip"),
    ("uv", &["add"], "pip"),
    ("tool", &["install", "run"], "pip"), // uv tool
    ("apt", &["install"], "apt"),
    ("apt-get", &["install"], "apt"),
    ("brew", &["install", "tap"], "brew"),
    ("apk", &["add"], "apk"),
    ("dnf", &["install"], "dnf"),
    ("yum", &["install"], "dnf"),
    ("gem", &["install"], "gem"),
    ("go", &["install", "get"], "go"),
    ("helm", &["install", "pull"], "helm"),
    ("git", &["clone"], "git"),
    ("toolchain", &["install"], "rustup"), // rustup toolchain
    ("component", &["add"], "rustup"),
    ("target", &["add"], "rustup"),
    ("docker", &["run", "pull", "create"], "image"),
    ("podman", &["run", "pull", "create"], "image"),
    // Functions of tests/e2e/support.sh, which pass on what they are given.
    ("npm_install", &[], "npm"),
    ("pip_install", &[], "pip"),
];

/// Options with a value of its own, which is no package.
const WITH_VALUE: &[&str] = &[
    "--root", "--path", "--git", "--rev", "--tag", "--branch", "--features", "--version", "--profile", "--target-dir", "--bin", "--prefix",
];

/// Options of `docker run` without a value.
const FLAGS: &[&str] = &["--rm", "--read-only", "--detach", "-d", "--interactive", "-i", "--tty", "-t", "-it", "--init", "--quiet", "-q"];

/// Everything that the text has installed, with the line.
fn scan(path: &str, text: &str) -> Vec<(usize, Item)> {
    let mut found = Vec::new();
    for (number, line) in logical_lines(text) {
        let mut add = |item: Item| found.push((number, item));
        for command in line.split([';', '`', '|', '&', '(', ')', '\n']) {
            commands(command, text, &mut add);
        }
        keys(path, &line, text, &mut add);
        if piped_into_a_shell(&line) {
            add(item("a script from the web", line.trim()));
        }
    }
    found
}

/// Lines of the text, with those that continue them: after a `\`, and the deeper ones after YAML's `>`.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut lines: Vec<(usize, String)> = Vec::new();
    let (mut open, mut folded) = (false, None);
    for (number, line) in text.lines().enumerate() {
        let deeper = folded.is_some_and(|key| line.trim().is_empty() || indent(line) > key);
        let body = line.trim_end();
        let body = body.strip_suffix('\\').unwrap_or(body);
        match lines.last_mut() {
            Some((_, last)) if open || deeper => {
                last.push(' ');
                last.push_str(body.trim_start());
            }
            _ => {
                let header = body.trim_end().ends_with(": >-") || body.trim_end().ends_with(": >");
                folded = header.then(|| indent(line));
                lines.push((number + 1, body.to_owned()));
            }
        }
        open = line.trim_end().ends_with('\\');
    }
    lines
}

/// What the command installs, if it is one that does.
fn commands(command: &str, file: &str, add: &mut dyn FnMut(Item)) {
    let words: Vec<&str> = command.split_whitespace().collect();
    for (at, word) in words.iter().enumerate() {
        let program = bare(word).rsplit('/').next().unwrap_or_default();
        let Some((_, verbs, from)) = COMMANDS.iter().find(|(name, _, _)| *name == program) else { continue };
        let mut rest = words[at + 1..].iter().skip_while(|word| word.starts_with(['-', '+'])).copied().peekable();
        let after: Vec<&str> = if verbs.is_empty() {
            words[at + 1..].to_vec()
        } else {
            let Some(verb) = rest.next() else { continue };
            if !verbs.contains(&bare(verb)) {
                continue;
            }
            rest.collect()
        };
        operands(from, &after, file, add);
    }
}

/// A word without the quotation marks and brackets around it.
fn bare(word: &str) -> &str {
    word.trim_matches(['"', '\'', '[', ']', ',', '.', ':'])
}

fn operands(from: &str, words: &[&str], file: &str, add: &mut dyn FnMut(Item)) {
    // Up to a redirection or a comment; variables that the file sets are their values.
    let end = words.iter().position(|word| word.trim_start_matches(char::is_numeric).starts_with(['>', '<']) || word.starts_with('#'));
    let words: Vec<String> = words[..end.unwrap_or(words.len())].iter().flat_map(|word| expanded(word, file)).collect();
    if words.is_empty() {
        // The command is spoken of, or takes what a file of ours says.
        return;
    }
    let (mut names, mut options) = (Vec::new(), BTreeMap::new());
    let mut at = 0;
    while let Some(word) = words.get(at) {
        at += 1;
        let word = bare(word);
        let Some((option, value)) = word.starts_with('-').then(|| word.split_once('=').unwrap_or((word, ""))) else {
            names.push(word);
            continue;
        };
        let takes_one = if from == "image" { !FLAGS.contains(&option) } else { WITH_VALUE.contains(&option) };
        let value = if takes_one && !word.contains('=') {
            at += 1;
            words.get(at - 1).map_or("", |word| bare(word))
        } else {
            value
        };
        options.insert(option, value);
    }
    for option in ["--index-url", "--extra-index-url", "--registry", "--index", "--config", "-i"] {
        if from != "image" && options.contains_key(option) {
            add(item("another registry", &words.join(" ")));
        }
    }
    match from {
        "rustup" => add(item("rustup", "Rust")),
        "image" => names.first().into_iter().for_each(|name| add(item(from, name))),
        "cargo" if options.contains_key("--path") => {}
        "cargo" if options.contains_key("--git") => {
            let pinned = if options.contains_key("--rev") { "git" } else { "git without --rev" };
            add(item(pinned, options["--git"]));
        }
        // Passes on what a call of it says: those are looked at.
        _ if names == ["$@"] || names.is_empty() && from == "apt" => add(item("arguments", from)),
        _ if names.is_empty() => add(item(from, "")),
        _ => names.iter().for_each(|name| add(item(from, package(from, name)))),
    }
}

/// The name without its version.
fn package<'a>(from: &str, word: &'a str) -> &'a str {
    let end = match from {
        "pip" => word.find(['=', '<', '>', '!', '~', '[', ';']),
        "npm" | "cargo" | "go" => word.char_indices().skip(1).find(|(_, c)| *c == '@').map(|(at, _)| at),
        _ => None,
    };
    &word[..end.unwrap_or(word.len())]
}

/// The word, or where it is a variable that the file sets, the words of all its values.
fn expanded(word: &str, file: &str) -> Vec<String> {
    let variable = Regex::new(r#"^["']?\$\{?(\w+)(\[@\])?\}?["']?$"#).unwrap();
    let Some(name) = variable.captures(word).map(|found| found[1].to_owned()) else { return vec![word.to_owned()] };
    let set = Regex::new(&format!(r"(?m)\b{name}=(?:\(([^)]*)\)|([^\s()$;]+))|\bfor {name} in ([^;\n$]+)")).unwrap();
    let mut values = set.captures_iter(file).peekable();
    if values.peek().is_none() {
        return vec![word.to_owned()];
    }
    values
        .flat_map(|value| {
            let value = value.get(1).or(value.get(2)).or(value.get(3)).map_or("", |value| value.as_str());
            value.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

/// Images, actions and hooks.
fn keys(path: &str, line: &str, file: &str, add: &mut dyn FnMut(Item)) {
    let name = path.rsplit('/').next().unwrap_or_default();
    let word = |key: &str| {
        let rest = line.trim_start().trim_start_matches("- ").trim_start().strip_prefix(key)?;
        rest.split_whitespace().find(|word| !word.starts_with("--")).map(bare)
    };
    if name.contains("Dockerfile") || name.contains("Containerfile") {
        let stage = |image: &str| Regex::new(&format!(r"(?mi)^FROM .* AS {}\s*$", regex::escape(image))).unwrap().is_match(file);
        let copied = line.split_whitespace().find_map(|word| word.strip_prefix("--from="));
        for image in [word("FROM "), copied].into_iter().flatten().filter(|image| !stage(image)) {
            add(item("image", image));
        }
    }
    if [".yml", ".yaml", ".md", ".tera", ".liquid"].iter().any(|ending| name.ends_with(ending)) {
        for key in ["image:", "newName:", "container:"] {
            word(key).into_iter().for_each(|image| add(item("image", image)));
        }
        if let Some(action) = word("uses:") {
            let (name, version) = action.split_once('@').unwrap_or((action, ""));
            let pinned = version.len() == 40 && version.chars().all(|c| c.is_ascii_hexdigit());
            add(item(if pinned { "action" } else { "action without a commit" }, name));
        }
        word("repo:").into_iter().for_each(|repository| add(item("hook", repository)));
        word("additional_dependencies:").into_iter().for_each(|_| add(item("hook", line.trim())));
    }
}

fn piped_into_a_shell(line: &str) -> bool {
    let pipe = r"\b(curl|wget|iwr|irm)\b[^|]*\|\s*(sudo\s+)?(\S*/)?(sh|bash|zsh|dash|python3?|perl|ruby|node|iex)\b";
    let substitution = r#"\b(sh|bash|zsh|eval|source)\b[^;|]*(\$\(|<\(|`)\s*(curl|wget)\b"#;
    Regex::new(pipe).unwrap().is_match(line) || Regex::new(substitution).unwrap().is_match(line)
}

/// The texts of the repository by path: what git would take, without lock files, whose sources cargo-deny checks, and collected bytes.
fn texts() -> BTreeMap<String, String> {
    let root = Path::new(ROOT);
    let mut texts = BTreeMap::new();
    let walk = ignore::WalkBuilder::new(root)
        .hidden(false)
        .require_git(false)
        .filter_entry(|entry| ![".git", "target"].iter().any(|name| entry.file_name() == *name))
        .build();
    for entry in walk {
        let entry = entry.unwrap();
        let path = entry.path().strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let passed_over = path.ends_with(".lock") || path.ends_with("Cargo.lock.liquid") || path.starts_with("fuzz/corpus/") || path == THIS_FILE;
        if entry.file_type().is_some_and(|kind| kind.is_file()) && !passed_over {
            if let Ok(text) = String::from_utf8(fs::read(entry.path()).unwrap()) {
                texts.insert(path, text);
            }
        }
    }
    texts
}

#[test]
fn attack_66_everything_that_is_installed_has_an_owner_whom_we_mean() {
    let owners: BTreeMap<Item, &str> = OWNERS.iter().map(|(from, name, owner)| (item(from, name), *owner)).collect();
    assert_eq!(owners.len(), OWNERS.len(), "a name stands in the table twice");
    let (mut unknown, mut seen) = (Vec::new(), BTreeSet::new());
    for (path, text) in texts() {
        for (line, (from, name)) in scan(&path, &text) {
            if from == "arguments" {
                continue;
            }
            if !owners.contains_key(&item(&from, &name)) {
                unknown.push(format!("{path}:{line}: {from}: {name:?}"));
            }
            seen.insert((from, name));
        }
    }
    assert!(
        unknown.is_empty(),
        "not in the table of tests/supply_chain.rs; find out who owns it, and enter it there:\n{}",
        unknown.join("\n")
    );
    let gone: Vec<_> = owners.keys().filter(|item| !seen.contains(*item)).collect();
    assert!(gone.is_empty(), "in the table of tests/supply_chain.rs, and nowhere else: {gone:?}");
}
