//! Questions on the terminal. Nothing is asked where there is none: in a pipe, in CI.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use super::terminal::{Paint, Role};
use crate::error::Explain;

/// A terminal that can be asked. Questions go to standard error, so that results can still be piped.
#[derive(Debug)]
pub struct Prompt(());

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[error("the question was not answered")]
pub struct NoAnswer;

impl Explain for NoAnswer {
    fn hint(&self) -> Option<std::borrow::Cow<'_, str>> {
        Some("with --defaults nothing is asked".into())
    }
}

impl Prompt {
    /// Returns `None` where standard input or standard error is no terminal, or with `CI`.
    #[must_use]
    pub fn open() -> Option<Self> {
        let is_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
        (io::stdin().is_terminal() && io::stderr().is_terminal() && !is_ci).then_some(Self(()))
    }

    /// Asks until the answer passes `check`, which says why one does not. An empty answer is the default, where there is one.
    ///
    /// # Errors
    /// At the end of the input.
    pub fn ask(
        &self,
        question: &str,
        help: &str,
        default: Option<&str>,
        check: &dyn Fn(&str) -> Result<(), String>,
    ) -> Result<String, NoAnswer> {
        let paint = Paint::stderr();
        loop {
            let mut stderr = io::stderr().lock();
            let shown = default.map(|default| format!(" [{default}]")).unwrap_or_default();
            let help = if help.is_empty() { String::new() } else { format!("  {}\n", paint.paint(Role::Dim, help)) };
            let _ = write!(stderr, "{}{shown}\n{help}> ", paint.paint(Role::Strong, question));
            let _ = stderr.flush();
            drop(stderr);
            let answer = line()?;
            let answer = if answer.is_empty() { default.unwrap_or_default().to_owned() } else { answer };
            match check(&answer) {
                Ok(()) => return Ok(answer),
                Err(reason) => {
                    let _ = writeln!(io::stderr(), "{} {reason}", paint.paint(Role::Error, "error:"));
                }
            }
        }
    }

    /// Asks yes or no. An empty answer is the default.
    ///
    /// # Errors
    /// At the end of the input.
    pub fn confirm(&self, question: &str, default: bool) -> Result<bool, NoAnswer> {
        let shown = if default { "yes" } else { "no" };
        let is_word = |answer: &str| match answer.to_lowercase().as_str() {
            "y" | "yes" | "n" | "no" => Ok(()),
            _ => Err("answer yes or no".to_owned()),
        };
        Ok(self.ask(question, "", Some(shown), &is_word)?.to_lowercase().starts_with('y'))
    }
}

fn line() -> Result<String, NoAnswer> {
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line) {
        Ok(0) | Err(_) => Err(NoAnswer),
        Ok(_) => Ok(line.trim().to_owned()),
    }
}
