//! The message and the exit status of a failed command. Each area's errors implement [`Explain`] beside the enum, which
//! gives their hint and status. This module turns them into a [`Failure`].

use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use std::io;

/// Exit status: the command found problems.
pub const FOUND: u8 = 1;
/// Exit status: wrong usage or unreadable input.
pub const USAGE: u8 = 2;
/// Exit status: the command could not finish.
pub const UNFINISHED: u8 = 3;

/// A message: one sentence on what is wrong and where, and one on the fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The fault and its place.
    pub what: String,
    /// The fix.
    pub hint: Option<String>,
}

/// A failed command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The messages, in order.
    pub messages: Vec<Message>,
    /// The exit status.
    pub status: u8,
}

/// An error that a user can see.
pub trait Explain: Display {
    /// Returns the hint, in words that fit every command that can meet this error.
    fn hint(&self) -> Option<Cow<'_, str>> {
        None
    }

    /// Returns the exit status.
    fn status(&self) -> u8 {
        USAGE
    }

    /// Returns all messages: one, unless the error is a list.
    fn messages(&self) -> Vec<Message> {
        vec![self.message()]
    }

    /// Returns the error's own sentence and hint.
    fn message(&self) -> Message {
        Message { what: self.to_string(), hint: self.hint().map(Cow::into_owned) }
    }
}

impl<E: Explain> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { messages: error.messages(), status: error.status() }
    }
}

impl Failure {
    /// Returns the failure to write an output stream or file of the command.
    #[must_use]
    pub fn output(error: &io::Error) -> Self {
        Self {
            messages: vec![Message { what: format!("cannot write the output: {error}"), hint: None }],
            status: UNFINISHED,
        }
    }

    /// Renders the messages for a terminal. `error` and `hint` are the labels, with colour codes if there are any.
    #[must_use]
    pub fn text(&self, error: &str, hint: &str) -> String {
        let mut text = String::new();
        for message in &self.messages {
            let _ = writeln!(text, "{error} {}", message.what);
            if let Some(advice) = &message.hint {
                let _ = writeln!(text, "  {hint} {advice}");
            }
        }
        text
    }
}
