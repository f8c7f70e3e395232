//! The commands in a process of their own: its arguments, streams, environment and user.
//!
//! This program is both: called by itself, it is a server's command line, and else it runs the tests.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "cli_harness/mod.rs"]
mod harness;

use std::io::{Read as _, Write as _};
use std::process::{Command, ExitCode, Output, Stdio};

use clap::Parser as _;
use harness::{Memory, SECRET, Server};
use mcp_auth_middleware::cli;

/// Says that the program is a server, and into which file it writes what was asked of its store.
const AS_SERVER: &str = "MCP_TEST_AS_SERVER";

fn main() -> ExitCode {
    if let Some(calls) = std::env::var_os(AS_SERVER) {
        return server(&calls);
    }
    let tests: [(&str, fn()); 4] = [
        ("attack_48_a_value_in_argv_is_refused", attack_48_a_value_in_argv_is_refused),
        ("values_go_through_pipes", values_go_through_pipes),
        ("a_reader_that_has_seen_enough_is_no_failure", a_reader_that_has_seen_enough_is_no_failure),
        ("tokens_come_from_the_environment_and_the_user_from_the_system", environment_and_user),
    ];
    for (name, test) in tests {
        test();
        println!("test {name} ... ok");
    }
    println!("{} passed, 0 failed", tests.len());
    ExitCode::SUCCESS
}

fn server(calls: &std::ffi::OsStr) -> ExitCode {
    let harness::Command::Store(command) = Server::parse().command else { return ExitCode::FAILURE };
    let value = "s3cret".repeat(5_000);
    let names: Vec<_> = (0..10_000).map(|number| format!("NAME_{number}")).collect();
    let mut tokens: Vec<_> = names.iter().map(|name| (name.as_str(), SECRET)).collect();
    tokens.push(("API", &value));
    let store = Memory::with(&tokens);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let code = runtime.block_on(cli::main(command, "my-server", |_| Ok::<_, String>(&store)));
    std::fs::write(calls, store.calls().join("\n")).unwrap();
    code
}

/// Runs the server; gives what it printed and what was asked of its store.
fn run(args: &[&str], stdin: &str, variables: &[(&str, &str)]) -> (Output, String) {
    let folder = tempfile::tempdir().unwrap();
    let calls = folder.path().join("calls");
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(args).env_remove("CODA_API_TOKEN").env(AS_SERVER, &calls).envs(variables.iter().copied());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A program that refuses its arguments does not wait for its input.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let output = child.wait_with_output().unwrap();
    (output, std::fs::read_to_string(calls).unwrap_or_default())
}

fn attack_48_a_value_in_argv_is_refused() {
    for args in [&["tokens", "set", "API", "s3cret"][..], &["tokens", "set", "API=s3cret"]] {
        let (output, calls) = run(args, "s3cret", &[]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len(), calls.as_str()), (Some(2), 0, ""));
        assert!(error.starts_with("error: only the name of a token is taken") && !error.contains(SECRET), "{error}");
    }
}

fn values_go_through_pipes() {
    let (output, calls) = run(&["tokens", "set", "API", "--as", "bob"], "s3cret\n", &[]);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"API stored for my-server\n"[..]));
    assert!(output.stderr.is_empty());
    // The system's user and the machine stand beside it.
    assert!(calls.starts_with("set my-server API bob (") && calls.ends_with(')') && calls.contains('@'), "{calls}");
    let (output, _) = run(&["tokens", "get", "API"], "", &[]);
    assert_eq!((output.status.code(), output.stdout), (Some(0), "s3cret".repeat(5_000).into_bytes()));
    let (output, _) = run(&["tokens", "get", "MISSING"], "", &[]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
}

fn a_reader_that_has_seen_enough_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["tokens", "list"]).env(AS_SERVER, folder.path().join("calls"));
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // 10,000 lines do not fit into a pipe, so it is still writing when its reader goes.
    let mut beginning = [0; 4];
    child.stdout.take().unwrap().read_exact(&mut beginning).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((&beginning, output.status.code()), (b"NAME", Some(0)));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

fn environment_and_user() {
    let (output, calls) = run(&["migrate-env"], "", &[("CODA_API_TOKEN", "s3cret")]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(said.starts_with("CODA_API_TOKEN: stored\n1 tokens migrated\n") && !said.contains(SECRET), "{said}");
    let user = Command::new("id").arg("-un").output().unwrap();
    let user = String::from_utf8(user.stdout).unwrap();
    let user = format!(" {}@", user.trim());
    assert!(user.len() > 2 && calls.lines().all(|call| call.contains(&user)), "{calls}");
    let (output, _) = run(&["migrate-env"], "", &[]);
    assert_eq!(output.status.code(), Some(2));
}
