//! Pages under `docs/reference/` that are made from the code. `UPDATE_REFERENCE=1 cargo test --test reference` writes them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use clap::{Arg, Command, CommandFactory as _};

fn holds(page: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference").join(page);
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        fs::write(&path, text).unwrap();
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    assert!(there == text, "{} is stale: UPDATE_REFERENCE=1 cargo test --test reference writes it", path.display());
}

#[test]
fn pages_of_the_code() {
    holds("catalog.md", &mcp_kit::catalog::reference::reference());
    holds("fleet.md", &mcp_kit::audit::fleet::reference());
    holds("checks.md", &mcp_kit::audit::checks::reference());
}

/// A cell of a table, on one line.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|").replace('<', "\\<")
}

/// How an argument is written, and what it takes.
fn spelled(argument: &Arg) -> String {
    let values = argument.get_value_names().unwrap_or_default();
    let values = values.iter().map(|name| format!(" {name}")).collect::<String>();
    let takes = argument.get_action().takes_values();
    match (argument.get_short(), argument.get_long()) {
        (Some(short), Some(long)) => format!("`-{short}`, `--{long}{}`", if takes { &values } else { "" }),
        (None, Some(long)) => format!("`--{long}{}`", if takes { &values } else { "" }),
        (Some(short), None) => format!("`-{short}`"),
        (None, None) => format!("`{}`", values.trim()),
    }
}

fn meaning(argument: &Arg) -> String {
    let mut text =
        argument.get_long_help().or_else(|| argument.get_help()).map(ToString::to_string).unwrap_or_default();
    let choices = argument.get_possible_values();
    if argument.get_action().takes_values() && !choices.is_empty() {
        let names: Vec<_> = choices.iter().filter(|choice| !choice.is_hide_set()).map(|c| c.get_name()).collect();
        write!(text, ". One of {}", names.join(", ")).unwrap();
    }
    let defaults = argument.get_default_values();
    if argument.get_action().takes_values() && !defaults.is_empty() {
        let defaults: Vec<_> = defaults.iter().map(|value| value.to_string_lossy()).collect();
        write!(text, ". Default: {}", defaults.join(", ")).unwrap();
    }
    cell(&text)
}

/// The command and those below it, each with what it takes and its examples.
fn describe(command: &mut Command, path: &str, page: &mut String) {
    let about = command.get_long_about().or_else(|| command.get_about()).map(ToString::to_string).unwrap_or_default();
    let usage = command.clone().bin_name(path).render_usage().to_string();
    write!(page, "\n## {path}\n\n{}\n\n```text\n{}\n```\n", about.replace('<', "\\<"), usage.trim()).unwrap();
    let arguments: Vec<_> = command
        .get_arguments()
        .filter(|argument| !argument.is_hide_set() && !["help", "version"].contains(&argument.get_id().as_str()))
        .collect();
    if !arguments.is_empty() {
        page.push_str("\n| Argument | Meaning |\n|---|---|\n");
        for argument in arguments {
            writeln!(page, "| {} | {} |", spelled(argument), meaning(argument)).unwrap();
        }
    }
    if let Some(after) = command.get_after_help().map(ToString::to_string) {
        write!(page, "\n```text\n{}\n```\n", after.trim_end()).unwrap();
    }
    for child in command.get_subcommands_mut().filter(|child| !child.is_hide_set() && child.get_name() != "help") {
        let path = format!("{path} {}", child.get_name());
        describe(child, &path, page);
    }
}

fn commands_of(mut command: Command, name: &str, title: &str, intro: &str) -> String {
    let mut page = format!(
        "# {title}\n\n<!-- Generated from the command line; run UPDATE_REFERENCE=1 cargo test --test reference -->\n\n{intro}\n"
    );
    command.build();
    describe(&mut command, name, &mut page);
    page
}

#[test]
fn commands() {
    let intro = "Every command takes `--help`, which prints the same.";
    holds("commands.md", &commands_of(mcp_kit::cli::Cli::command(), "mcp-kit", "Commands of mcp-kit", intro));
}

#[test]
fn server_commands() {
    let intro = "The program of a project has these commands besides serving. In the image it is `/usr/local/bin/NAME`; `my-server` stands for the name.\n\
                 Settings come from the environment: [configuration reference](../infrastructure/mcp/TEMPLATE_GUIDE.md#configuration-reference).";
    let mut command = mcp_server_runtime::command_line("my-server", "1.0.0");
    // Built for tests with all features; no image has it.
    if command.find_subcommand("access-emulator").is_some() {
        command = command.mut_subcommand("access-emulator", |emulator| emulator.hide(true));
    }
    holds("server-commands.md", &commands_of(command, "my-server", "Commands of a generated server", intro));
}
