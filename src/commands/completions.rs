//! `mcp-kit completions`.

use clap::CommandFactory as _;

use crate::cli::Cli;
use crate::commands::console::{Console, Status};
use crate::error::Failure;

/// Prints the completion script of a shell.
///
/// # Errors
/// When standard output cannot be written.
pub fn run(shell: clap_complete::Shell, console: &Console) -> Result<Status, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "mcp-kit", &mut script);
    console.print(&script)?;
    Ok(Status::Clean)
}
