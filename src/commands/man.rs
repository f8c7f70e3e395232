//! `mcp-kit man`.

use std::path::Path;

use clap::CommandFactory as _;

use crate::cli::Cli;
use crate::commands::console::{Console, Status};
use crate::error::{Failure, Message, UNFINISHED};

/// Prints the manual page, or writes one per command into a folder.
///
/// # Errors
/// When the folder or standard output cannot be written.
pub fn run(folder: Option<&Path>, console: &Console) -> Result<Status, Failure> {
    let failed = |error: std::io::Error| Failure::output(&error);
    match folder {
        Some(folder) => clap_mangen::generate_to(Cli::command(), folder).map_err(|error| no_pages(folder, &error))?,
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(failed)?;
            console.print(&page)?;
        }
    }
    Ok(Status::Clean)
}

/// Returns the failure to write the pages into a folder.
fn no_pages(folder: &Path, error: &std::io::Error) -> Failure {
    let what = format!("cannot write the manual pages to {}: {error}", folder.display());
    let hint = Some("give a folder that exists and that you may write to with --out".to_owned());
    Failure { messages: vec![Message { what, hint }], status: UNFINISHED }
}
