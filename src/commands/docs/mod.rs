//! `mcp-kit docs`.

pub mod build;
pub mod serve;

use crate::cli::DocsCommand;
use crate::commands::console::{Console, Status};
use crate::error::Failure;

/// Runs the command.
///
/// # Errors
/// When there are no pages to show.
pub fn run(command: &DocsCommand, console: &Console) -> Result<Status, Failure> {
    match command {
        DocsCommand::Build(command) => build::run(command, console),
        DocsCommand::Serve(command) => serve::run(command, console),
    }
}
