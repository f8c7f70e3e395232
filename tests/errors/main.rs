//! Every error that a user can cause: message, hint and exit status as one named snapshot each, in `snapshots/`.
//!
//! A case says which variants of the errors it covers. [`NOT_FROM_OUTSIDE`] has all others, each with the reason; a variant that stands in
//! neither fails [`table::every_error_is_provoked_or_has_a_reason`].
//!
//! No case needs a folder without permission to write: to the superuser, as whom tests run in containers, there is none. What cannot be
//! written is below a file, in a folder that is not there, in `/proc`, in a read-only document, in `/dev/full`, or beyond a limit.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use regex::Regex;

#[path = "../common/mod.rs"]
mod common;

mod add;
mod audit_docs;
mod catalog;
mod docs;
mod flags;
mod fleet;
mod new;
mod output;
mod table;
mod update;

use common::{Place, SMALL, mcp_kit, outcome};

/// One error: how to get it, and what it is.
#[derive(Clone, Copy)]
struct Case {
    /// The name of its snapshot.
    name: &'static str,
    /// The variants, as `Enum::Variant`; the name alone for a struct.
    covers: &'static [&'static str],
    /// What is typed after `mcp-kit`. `[SMALL]` stands for the folder of a small template.
    arguments: &'static [&'static str],
    /// Makes the files that it needs.
    prepare: fn(&Place),
    /// Changes the environment of the command.
    environment: fn(&Place, &mut Command),
    /// What the shell does first, such as `ulimit`.
    shell: &'static str,
}

/// A case without files.
const fn case(name: &'static str, covers: &'static [&'static str], arguments: &'static [&'static str]) -> Case {
    Case { name, covers, arguments, prepare: |_| (), environment: |_, _| (), shell: "" }
}

impl Case {
    const fn with(self, prepare: fn(&Place)) -> Self {
        Self { prepare, ..self }
    }

    const fn environment(self, environment: fn(&Place, &mut Command)) -> Self {
        Self { environment, ..self }
    }

    const fn shell(self, shell: &'static str) -> Self {
        Self { shell, ..self }
    }

    /// Provokes it and compares what is said with the snapshot. Nothing may have changed.
    fn check(&self) {
        let place = Place::new();
        (self.prepare)(&place);
        let mut command = self.command(&place);
        (self.environment)(&place, &mut command);
        let before = everything(place.root());
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert!(everything(place.root()) == before, "{}: something was written: {}", self.name, outcome(&output));
        place.clean();
        compare(&place, self.name, self.arguments, &output);
    }

    fn command(&self, place: &Place) -> Command {
        let mut command = mcp_kit(place);
        if !self.shell.is_empty() {
            let mut shell = Command::new("bash");
            let script = format!("{}; exec \"$0\" \"$@\"", self.shell);
            shell.args(["-c", &script]).arg(command.get_program()).current_dir(place.root());
            for (variable, value) in command.get_envs() {
                match value {
                    Some(value) => shell.env(variable, value),
                    None => shell.env_remove(variable),
                };
            }
            command = shell;
        }
        command.args(self.arguments.iter().map(|argument| argument.replace("[SMALL]", SMALL)));
        command
    }
}

/// Compares the outcome of a command with the snapshot of this name.
fn compare(place: &Place, name: &str, arguments: &[&str], output: &Output) {
    let status = output.status.code().unwrap();
    assert!(matches!(status, 2 | 3 | 130), "{name}: {}", outcome(output));
    let said = normalized(place, &outcome(output));
    only_flags_that_it_has(name, arguments, &said);
    let snapshot = format!("$ mcp-kit {}\n{said}", arguments.join(" "));
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, snapshot);
    });
}

/// Without what differs from run to run and from machine to machine.
fn normalized(place: &Place, text: &str) -> String {
    let text = place.normalized(text).replace(SMALL, "[SMALL]");
    let text = text.replace(env!("CARGO_BIN_EXE_mcp-kit"), "mcp-kit");
    let replace =
        |text: String, pattern: &str, by: &str| Regex::new(pattern).unwrap().replace_all(&text, by).into_owned();
    let text = replace(text, r"127\.0\.0\.1:\d+", "[ADDRESS]");
    replace(text, r"mcp-kit-\w{6}\b", "mcp-kit-[RANDOM]")
}

/// A hint may tell of a flag only if the command has it. What stands behind the name of another command belongs to that.
fn only_flags_that_it_has(name: &str, arguments: &[&str], said: &str) {
    const COMMANDS: &[&str] = &[
        "add tool",
        "add upstream",
        "add setting",
        "init",
        "doctor",
        "audit-docs",
        "catalog add",
        "catalog check",
        "catalog export",
        "catalog migrate",
        "catalog verify",
        "catalog list",
        "docs build",
        "docs serve",
        "completions",
        "man",
        "fleet status",
        "fleet update",
        "new",
        "update",
    ];
    let typed =
        arguments.iter().filter(|argument| !argument.starts_with('-')).take(2).copied().collect::<Vec<_>>().join(" ");
    let Some(own) = COMMANDS.iter().find(|command| typed == **command || typed.starts_with(&format!("{command} ")))
    else {
        return;
    };
    let flag = Regex::new(&format!(r"(?:({}|git [a-z-]+) )?(--[a-z][a-z-]+)", COMMANDS.join("|"))).unwrap();
    // What was typed wrongly is repeated.
    let hints = said.lines().filter(|line| line.trim_start().starts_with("hint:"));
    for found in hints.flat_map(|line| flag.captures_iter(line)) {
        let command = found.get(1).map_or(*own, |command| command.as_str());
        if command.starts_with("git ") {
            continue;
        }
        let has =
            help(command).contains(&format!("{} ", &found[2])) || help(command).contains(&format!("{}\n", &found[2]));
        // Of another program.
        let foreign = &found[2] == "--no-default-features";
        assert!(has || foreign, "{name}: `{command}` has no {}: {said}", &found[2]);
    }
}

fn help(command: &str) -> String {
    let output = mcp_kit(&Place::new()).args(command.split(' ')).arg("--help").output().unwrap();
    String::from_utf8(output.stdout).unwrap().replace(['=', '[', ','], " ")
}

/// Every entry below a folder, with the contents of plain files. No link is followed and nothing else is opened.
fn everything(root: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                folders.push(entry.path());
            }
            // git's own files change when it is asked.
            if !entry.path().components().any(|part| part.as_os_str() == ".git") {
                found.insert(entry.path(), kind.is_file().then(|| fs::read(entry.path()).unwrap_or_default()));
            }
        }
    }
    found
}
