//! The commands. Only they connect the other modules.

pub mod add;
pub mod ask;
pub mod audit_docs;
pub mod catalog;
pub mod completions;
pub mod console;
pub mod docs;
pub mod doctor;
pub mod first_pages;
pub mod fleet;
pub mod init;
pub mod man;
pub mod new;
pub mod update;

use crate::cli::{Cli, Command};
use crate::error::Failure;
use console::{Console, Status};

/// Runs the command.
///
/// # Errors
/// When the command could not do its work.
pub fn run(cli: Cli) -> Result<Status, Failure> {
    let console = &Console::new(cli.quiet, cli.verbose);
    match cli.command {
        Command::New(command) => new::run(command, console),
        Command::Add(command) => add::run(&command, console),
        Command::Update(command) => update::run(command, console),
        Command::Fleet(command) => fleet::run(&command, console),
        Command::AuditDocs(command) => audit_docs::run(&command, console),
        Command::Catalog(command) => catalog::run(&command, console),
        Command::Docs(command) => docs::run(&command, console),
        Command::Init(command) => init::run(&command, console),
        Command::Doctor(command) => doctor::run(&command, console),
        Command::Completions { shell } => completions::run(shell, console),
        Command::Man { out } => man::run(out.as_deref(), console),
    }
}
