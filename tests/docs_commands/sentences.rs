//! Code in the sentences of a page names what there is, as the blocks of shell do.

use std::fmt::Write as _;
use std::sync::LazyLock;

use clap::CommandFactory as _;

use crate::projects::{self, OWN_PAGES, PAGES, Project, STORES, fleets, projects};
use crate::shell::commands;
use crate::wrong::{mistake, server, wrong};

/// Names of variables that are not settings of the server.
const OTHER_VARIABLES: &[&str] =
    &["CF_ACCESS_CLIENT_ID", "CF_ACCESS_CLIENT_SECRET", "SECRETS_DIR", "SSL_CERT_FILE", "RUST_LOG"];

/// The settings, read from the template once.
static SETTINGS: LazyLock<Vec<mcp_kit::docs::reference::Setting>> = LazyLock::new(mcp_kit::docs::reference::settings);

/// What is wrong with code in a sentence: a variable, a secret, a path, a script or a command that the project does not have.
fn wrong_inline(code: &str, name: &str, project: &Project) -> Option<String> {
    for word in code.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')) {
        let upper = word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        let variable =
            upper && word.contains('_') && word.starts_with(|c: char| c.is_ascii_uppercase()) && !code.contains(".md");
        let known = |word: &str| SETTINGS.iter().any(|setting| setting.name == word);
        let begins = |word: &str| SETTINGS.iter().any(|setting| setting.name.starts_with(word));
        let accepted = known(word)
            || word.strip_suffix("_FILE").is_some_and(known)
            || (word.ends_with('_') && begins(word))
            || OTHER_VARIABLES.contains(&word)
            || word.starts_with("NAME_");
        if variable && !accepted {
            return Some(format!("there is no variable {word}"));
        }
    }
    let first = code.split([' ', '#']).next().unwrap_or_default();
    if let Some(secret) = first.strip_prefix("secrets/").filter(|secret| !secret.is_empty())
        && !STORES.iter().any(|store| projects::project(store).compose().contains(secret))
    {
        return Some(format!("no compose file has the secret {secret}"));
    }
    if let Some(what) = no_such_path(first, project) {
        return Some(what);
    }
    let words: Vec<String> = code.split_whitespace().map(str::to_owned).collect();
    let complete = !code.contains('…') && words.len() > 1;
    match first {
        "docker" | "kubectl" if complete => wrong(&commands(code)[0], name, project),
        _ if first.starts_with("scripts/") && complete => wrong(&commands(code)[0], name, project),
        "mcp-kit" if complete => mistake_in_a_sentence(mcp_kit::cli::Cli::command(), &words[1..]),
        "tokens" | "db" | "migrate-env" | "doctor" if complete => mistake_in_a_sentence(server(), &words),
        _ => None,
    }
}

/// That a path of the project leads nowhere, if it is one.
fn no_such_path(path: &str, project: &Project) -> Option<String> {
    let folder = ["deploy/", "docs/", "scripts/", "src/", "tests/"].iter().any(|folder| path.starts_with(folder));
    let there = project.files.keys().any(|file| file == path || file.starts_with(path));
    (folder && !there).then(|| format!("the project has no {path}"))
}

/// The same as [`mistake`] for a command that a sentence names without all that it takes.
fn mistake_in_a_sentence(command: clap::Command, words: &[String]) -> Option<String> {
    use clap::error::{ContextKind, ErrorKind};
    let parsed = command.clone().no_binary_name(true).try_get_matches_from(words).err();
    match parsed {
        Some(error) if matches!(error.kind(), ErrorKind::MissingRequiredArgument | ErrorKind::MissingSubcommand) => {
            None
        }
        // A flag without its value.
        Some(error)
            if error.kind() == ErrorKind::InvalidValue
                && error.get(ContextKind::InvalidValue).is_some_and(|value| value.to_string().is_empty()) =>
        {
            None
        }
        _ => mistake(command, words),
    }
}

/// The code in the sentences of a page, with the line it is in.
fn inline(text: &str) -> Vec<(usize, &str)> {
    let (mut found, mut fenced) = (Vec::new(), false);
    for (at, line) in text.lines().enumerate() {
        fenced ^= line.starts_with("```");
        if !fenced && !line.starts_with("```") {
            found.extend(line.split('`').skip(1).step_by(2).map(|code| (at + 1, code)));
        }
    }
    found
}

#[test]
fn code_in_sentences_names_what_there_is() {
    let (mut problems, mut checked) = (String::new(), 0);
    let pages =
        projects().iter().flat_map(|project| project.documents().map(move |(path, text)| (project, path, text)));
    for (project, path, text) in pages.filter(|(_, path, _)| PAGES.contains(path)) {
        for (line, code) in inline(text) {
            checked += 1;
            // A page tells the one store how it becomes the other.
            let project = if path.ends_with("SOP.md") { projects::project("postgres") } else { project };
            if let Some(what) = wrong_inline(code, "notes", project) {
                let _ = writeln!(problems, "{path}:{line} ({}): `{code}`: {what}", project.store);
            }
        }
    }
    for (path, text) in fleets() {
        for (line, code) in inline(text) {
            if let Some(what) = wrong_inline(code, "my-server", projects::project("postgres")) {
                let _ = writeln!(problems, "{path}:{line}: `{code}`: {what}");
            }
        }
    }
    // Pages that its owner edits speak of much that is not there yet, and of no other place of a file.
    for project in projects() {
        for (path, text) in project.documents().filter(|(path, _)| OWN_PAGES.contains(path)) {
            for (line, code) in inline(text) {
                checked += 1;
                if let Some(what) = no_such_path(code.split([' ', '#']).next().unwrap_or_default(), project) {
                    let _ = writeln!(problems, "{path}:{line} ({}): `{code}`: {what}", project.store);
                }
            }
        }
    }
    assert!(problems.is_empty(), "{problems}");
    assert!(checked > 1000, "{checked}");
    for code in [
        "MCP_TOKEN_STORE",
        "secrets/coda_token",
        "scripts/rollback.sh",
        "docs/RUNBOOK.md",
        "tokens remove X",
        "docker compose restart web",
    ] {
        assert!(wrong_inline(code, "notes", projects::project("postgres")).is_some(), "{code}");
    }
}
