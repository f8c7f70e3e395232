//! Parse, run, exit.

use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};
use mcp_kit::cli::Cli;
use mcp_kit::commands;
use mcp_kit::commands::console::{self, Status};
use mcp_kit::error::FOUND;
use mcp_kit::fs::terminal;
use mcp_kit::scaffold::render;

fn main() -> ExitCode {
    // Before clap, so that no help, completion or error message shows it.
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().as_deref() == Some(OsStr::new(render::SANDBOXED_COMMAND)) {
        let name = arguments.next().unwrap_or_default();
        let with_commands = arguments.next().as_deref() == Some(OsStr::new(render::WITH_COMMANDS));
        let is_done = render::sandboxed_main(&name.to_string_lossy(), with_commands);
        return if is_done { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let colour = if terminal::colour_allowed() { clap::ColorChoice::Auto } else { clap::ColorChoice::Never };
    let matches = Cli::command().color(colour).get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match commands::run(cli) {
        Ok(Status::Clean) => ExitCode::SUCCESS,
        Ok(Status::Found) => ExitCode::from(FOUND),
        Err(failure) => {
            let _ = write!(io::stderr(), "{}", console::render(&failure));
            ExitCode::from(failure.status)
        }
    }
}
