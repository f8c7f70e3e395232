//! The three streams of a command and its prompt: results go to standard output, everything else to standard error.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::failure::Failure;
use crate::printable::printable;

/// Bytes that are read for one value: more than any token may have, so that the store reports its own limit for all but
/// absurd lengths. Space for all of it is there from the start: a vector that grows leaves copies behind.
const MOST: usize = 2 * 1024 * 1024;

/// Where a command reads and writes.
pub struct Console<'a> {
    /// Standard input.
    pub stdin: &'a mut (dyn Read + Send),
    /// `true` when a person types there.
    pub stdin_is_terminal: bool,
    /// Standard output: the answer.
    pub stdout: &'a mut (dyn Write + Send),
    /// `true` when a person reads it.
    pub stdout_is_terminal: bool,
    /// Standard error: everything else.
    pub stderr: &'a mut (dyn Write + Send),
    /// Asks the person at the terminal for a line, which is not shown.
    pub prompt: &'a mut (dyn FnMut(&str) -> io::Result<SecretString> + Send),
}

impl Console<'_> {
    /// Prints a line of the answer.
    pub(super) fn print(&mut self, line: impl fmt::Display) -> Result<(), Failure> {
        writeln!(self.stdout, "{line}").map_err(|error| Failure::output(&error))
    }

    /// Prints a line beside the answer.
    pub(super) fn note(&mut self, line: impl fmt::Display) -> Result<(), Failure> {
        writeln!(self.stderr, "{line}").map_err(|error| Failure::output(&error))
    }

    /// Prints a secret as the whole answer: as it is into a pipe or file, with a line end for people.
    pub(super) fn reveal(&mut self, value: &str) -> Result<(), Failure> {
        let end = if self.stdout_is_terminal { "\n" } else { "" };
        let written = self.stdout.write_all(value.as_bytes()).and_then(|()| self.stdout.write_all(end.as_bytes()));
        written.map_err(|error| Failure::output(&error))
    }

    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        self.stdout.flush().map_err(|error| Failure::output(&error))
    }

    /// A secret from standard input, without one line end at its end, or from a prompt. `what` is asked for.
    pub(super) fn secret(&mut self, what: &str) -> Result<SecretString, Failure> {
        let value = if self.stdin_is_terminal {
            (self.prompt)(&format!("{what} (not shown): "))
                .map_err(|error| Failure::usage(format!("nothing could be read at the prompt: {}", error.kind())))?
        } else {
            read_secret(&mut self.stdin, "standard input")?
        };
        self.not_empty(value, "give it on standard input or at the prompt")
    }

    /// A secret from a file, likewise.
    pub(super) fn secret_file(&mut self, path: &Path) -> Result<SecretString, Failure> {
        let name = printable(&path.to_string_lossy()).into_owned();
        let mut file =
            File::open(path).map_err(|error| Failure::usage(format!("{name} cannot be read: {}", error.kind())))?;
        let value = read_secret(&mut file, &name)?;
        self.not_empty(value, &format!("write it into {name}"))
    }

    fn not_empty(&mut self, value: SecretString, hint: &str) -> Result<SecretString, Failure> {
        let text = value.expose_secret();
        if text.is_empty() {
            return Err(Failure::usage("the value is empty").hint(hint));
        }
        if text.trim().len() != text.len() {
            self.note("warning: the value begins or ends with white space, which is kept")?;
        }
        Ok(value)
    }
}

/// The whole of what can be read, without one line end at its end. `name` says in errors where it came from.
fn read_secret(from: &mut dyn Read, name: &str) -> Result<SecretString, Failure> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(MOST + 64));
    let most = u64::try_from(MOST).unwrap_or(u64::MAX);
    from.take(most)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::usage(format!("{name} cannot be read: {}", error.kind())))?;
    if bytes.len() == MOST {
        return Err(Failure::usage(format!("{name} is longer than any token")));
    }
    // The error of the conversion is dropped: it holds the bytes.
    let text = std::str::from_utf8(&bytes).map_err(|_| Failure::usage(format!("{name} is not UTF-8 text")))?;
    let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    Ok(boxed(text))
}

impl fmt::Debug for Console<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console")
            .field("stdin_is_terminal", &self.stdin_is_terminal)
            .field("stdout_is_terminal", &self.stdout_is_terminal)
            .finish_non_exhaustive()
    }
}

/// A secret in an allocation of its exact size: shrinking a string may leave a copy behind.
pub(super) fn boxed(text: &str) -> SecretString {
    SecretString::from(Box::<str>::from(text))
}
