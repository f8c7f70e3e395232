//! Runs a program of the user's machine and reads what it prints, for a few seconds at most.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A program that hangs (docker without its engine can) is ended after this time.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most that is read of an answer.
const MOST: u64 = 64 * 1024;

/// The end of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProgramOutcome {
    /// It is not installed.
    Missing,
    /// It failed, or did not answer in time.
    Failed,
    /// It printed this.
    Printed(String),
}

/// Runs a program, found by the `PATH`.
#[must_use]
pub fn run(program: &str, arguments: &[&str]) -> ProgramOutcome {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let Ok(mut child) = command.spawn() else { return ProgramOutcome::Missing };
    let Some(stdout) = child.stdout.take() else { return ProgramOutcome::Failed };
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        let _ = stdout.take(MOST).read_to_string(&mut text);
        text
    });
    let end = Instant::now() + PATIENCE;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Some(status),
            Ok(None) if Instant::now() < end => std::thread::sleep(Duration::from_millis(10)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
        }
    };
    match status {
        // A grandchild may still hold the pipe of a program that was ended.
        Some(status) if status.success() => reader.join().map_or(ProgramOutcome::Failed, ProgramOutcome::Printed),
        _ => ProgramOutcome::Failed,
    }
}

/// Returns whether a port of this machine can be listened on.
#[must_use]
pub fn is_free(port: u16) -> bool {
    std::net::TcpListener::bind(("127.0.0.1", port)).is_ok()
}
