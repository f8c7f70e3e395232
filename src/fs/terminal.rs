//! Colour on the terminal. Output is plain with `NO_COLOR` or `CI`, in a file or a pipe, and on a dumb terminal.
//!
//! This rule is not that of `anstream`, which clap uses: there `CI` turns colour on, and `CLICOLOR_FORCE` colours files and
//! pipes. With an explicit choice `anstream` only removes escape sequences from output that has none, so it is not used.

use std::env;
use std::io::{self, IsTerminal, Write as _};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};

/// The role of a text, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The word `error:`.
    Error,
    /// The word `warning`.
    Warning,
    /// The words `hint:` and `note:`.
    Hint,
    /// Folders in a tree, commands to copy.
    Strong,
    /// Secondary text.
    Dim,
}

/// Paints text with or without colour, decided once per stream.
#[derive(Clone, Copy, Debug)]
pub struct Paint(bool);

impl Paint {
    /// Decides for standard output.
    #[must_use]
    pub fn stdout() -> Self {
        Self(io::stdout().is_terminal() && colour_allowed())
    }

    /// Decides for standard error.
    #[must_use]
    pub fn stderr() -> Self {
        Self(io::stderr().is_terminal() && colour_allowed())
    }

    /// Never uses colour.
    #[must_use]
    pub const fn plain() -> Self {
        Self(false)
    }

    /// Returns `text` in the colour of its role.
    #[must_use]
    pub fn paint(self, role: Role, text: &str) -> String {
        if !self.0 {
            return text.to_owned();
        }
        let style = match role {
            Role::Error => AnsiColor::Red.on_default().bold(),
            Role::Warning => AnsiColor::Yellow.on_default().bold(),
            Role::Hint => AnsiColor::Cyan.on_default().bold(),
            Role::Strong => Style::new().bold(),
            Role::Dim => Style::new().dimmed(),
        };
        format!("{style}{text}{style:#}")
    }
}

/// Work shorter than this shows no progress.
const SHORT: Duration = Duration::from_secs(1);
/// The least time between two updates. A line that changes faster is unreadable.
const STEADY: Duration = Duration::from_millis(100);

/// A progress line on the terminal. It appears after one second and disappears when it is cleared or dropped.
#[derive(Debug)]
pub struct Progress(Option<Mutex<ProgressLine>>);

#[derive(Debug)]
struct ProgressLine {
    next: Instant,
    is_drawn: bool,
}

impl Progress {
    /// Writes to standard error if that is a terminal.
    #[must_use]
    pub fn stderr() -> Self {
        let has_terminal = io::stderr().is_terminal() && colour_allowed();
        Self(has_terminal.then(|| Mutex::new(ProgressLine { next: Instant::now() + SHORT, is_drawn: false })))
    }

    /// Shows that `done` of `all` items are finished.
    pub fn update(&self, what: &str, done: usize, all: usize) {
        self.write(|line| {
            let now = Instant::now();
            if now < line.next {
                return None;
            }
            (line.next, line.is_drawn) = (now + STEADY, true);
            Some(format!("\r{done} of {all} {what}\x1b[K"))
        });
    }

    /// Removes the line, so that other lines can be printed.
    pub fn clear(&self) {
        self.write(|line| std::mem::take(&mut line.is_drawn).then(|| "\r\x1b[K".to_owned()));
    }

    fn write(&self, text: impl FnOnce(&mut ProgressLine) -> Option<String>) {
        let Some(mut line) = self.0.as_ref().and_then(|line| line.lock().ok()) else { return };
        if let Some(text) = text(&mut line) {
            let mut stderr = io::stderr().lock();
            let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Returns whether the environment allows colour. clap uses it, too.
#[must_use]
pub fn colour_allowed() -> bool {
    let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    !set("NO_COLOR") && !set("CI") && env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Returns the number of columns: of the terminal, from `COLUMNS`, or a readable default.
#[must_use]
pub fn width() -> usize {
    let from_environment = || env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)).or_else(from_environment).unwrap_or(100)
}

/// Returns a path quoted so that a shell reads it as one word.
#[must_use]
pub fn shell_word(text: &str) -> String {
    let plain =
        |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '~' | '+' | ',' | '@' | '%' | ':' | '=');
    if !text.is_empty() && text.chars().all(plain) && !text.starts_with(['-', '~']) {
        return text.to_owned();
    }
    // A leading hyphen would otherwise need `--`. `./` does the same and is what people write.
    let text = if text.starts_with('-') { format!("./{text}") } else { text.to_owned() };
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
