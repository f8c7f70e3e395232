//! Colour, and when not to use it: never with `NO_COLOR` or `CI`, never into a file or a pipe, never on a dumb terminal.

use std::env;
use std::io::{self, IsTerminal, Write as _};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};

/// How strongly something stands out.
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
    /// What one may skip.
    Dim,
}

/// Writes text in colour or without, decided once per stream.
#[derive(Clone, Copy, Debug)]
pub struct Paint(bool);

impl Paint {
    /// For standard output.
    #[must_use]
    pub fn stdout() -> Self {
        Self(io::stdout().is_terminal() && wanted())
    }

    /// For standard error.
    #[must_use]
    pub fn stderr() -> Self {
        Self(io::stderr().is_terminal() && wanted())
    }

    /// No colour at all.
    #[must_use]
    pub const fn plain() -> Self {
        Self(false)
    }

    /// `text` as its role wants it.
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

/// What takes less than this needs no word.
const SHORT: Duration = Duration::from_secs(1);
/// A line that changes more often cannot be read.
const STEADY: Duration = Duration::from_millis(100);

/// A line on the terminal that says how far something long has come. It shows after a second, and goes when it is cleared or dropped.
#[derive(Debug)]
pub struct Progress(Option<Mutex<Shown>>);

#[derive(Debug)]
struct Shown {
    next: Instant,
    visible: bool,
}

impl Progress {
    /// On standard error, if somebody looks.
    #[must_use]
    pub fn stderr() -> Self {
        let looks = io::stderr().is_terminal() && wanted();
        Self(looks.then(|| Mutex::new(Shown { next: Instant::now() + SHORT, visible: false })))
    }

    /// `done` of `all` of what is counted.
    pub fn say(&self, what: &str, done: usize, all: usize) {
        self.write(|shown| {
            let now = Instant::now();
            if now < shown.next {
                return None;
            }
            (shown.next, shown.visible) = (now + STEADY, true);
            Some(format!("\r{done} of {all} {what}\x1b[K"))
        });
    }

    /// Makes room for other lines.
    pub fn clear(&self) {
        self.write(|shown| std::mem::take(&mut shown.visible).then(|| "\r\x1b[K".to_owned()));
    }

    fn write(&self, text: impl FnOnce(&mut Shown) -> Option<String>) {
        let Some(mut shown) = self.0.as_ref().and_then(|shown| shown.lock().ok()) else { return };
        if let Some(text) = text(&mut shown) {
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

/// What the environment says about colour, for clap as well.
#[must_use]
pub fn wanted() -> bool {
    let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    !set("NO_COLOR") && !set("CI") && env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// How many columns there are to write on: the terminal's, `COLUMNS`, or what one reads easily.
#[must_use]
pub fn width() -> usize {
    let told = || env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)).or_else(told).unwrap_or(100)
}

/// A path that a shell takes as one word.
#[must_use]
pub fn shell_word(text: &str) -> String {
    let plain =
        |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '~' | '+' | ',' | '@' | '%' | ':' | '=');
    if !text.is_empty() && text.chars().all(plain) && !text.starts_with(['-', '~']) {
        return text.to_owned();
    }
    // `--` would be needed as well for a leading hyphen; `./` does the same and is what people write.
    let text = if text.starts_with('-') { format!("./{text}") } else { text.to_owned() };
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
