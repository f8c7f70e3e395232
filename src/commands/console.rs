//! The output of every command: results go to standard output, everything else to standard error.

use std::io::{self, Write as _};

use crate::error::Failure;
use crate::fs::terminal::{Paint, Progress, Role};

/// The end of a command that did its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Exit status 0.
    Clean,
    /// Exit status 1: the command found problems.
    Found,
}

/// The output streams of a command.
#[derive(Debug)]
pub struct Console {
    quiet: bool,
    verbose: bool,
    progress: Progress,
}

impl Console {
    /// Creates a console for the flags `--quiet` and `--verbose`.
    #[must_use]
    pub fn new(quiet: bool, verbose: bool) -> Self {
        Self { quiet, verbose, progress: Progress::stderr() }
    }

    /// Returns whether the user wants only results and errors.
    #[must_use]
    pub const fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Writes a result.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn print(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        ignore_broken_pipe(stdout.write_all(bytes).and_then(|()| stdout.flush()))
            .map_err(|error| Failure::output(&error))
    }

    /// Writes a note, unless `--quiet` is given.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            self.progress.clear();
            let _ = writeln!(io::stderr(), "{} {text}", Paint::stderr().paint(Role::Hint, "note:"));
        }
    }

    /// Writes the next step, with `--verbose`.
    pub fn step(&self, text: &str) {
        if self.verbose {
            self.note(text);
        }
    }

    /// Writes an error that does not end the command.
    pub fn error(&self, failure: &Failure) {
        self.progress.clear();
        let _ = write!(io::stderr(), "{}", render(failure));
    }

    /// Runs `work`, which reports how many of all `what` are done. Shows the progress on a terminal when it takes long.
    pub fn during<T>(&self, what: &str, work: impl FnOnce(&(dyn Fn(usize, usize) + Sync)) -> T) -> T {
        let result = work(&|done, all| {
            if !self.quiet {
                self.progress.update(what, done, all);
            }
        });
        self.progress.clear();
        result
    }
}

/// Renders a failure for standard error.
#[must_use]
pub fn render(failure: &Failure) -> String {
    let paint = Paint::stderr();
    failure.text(&paint.paint(Role::Error, "error:"), &paint.paint(Role::Hint, "hint:"))
}

/// Ignores a closed pipe, because a reader that has seen enough (`| head`) is no failure.
///
/// # Errors
/// Every other error.
pub fn ignore_broken_pipe(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}
