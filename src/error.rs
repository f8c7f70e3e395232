//! What a failed command says, and with which status it ends. Each room's errors know their own hint and status: they implement
//! [`Explain`] beside the enum. Here they only become a [`Failure`].

use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use std::io;

/// Exit status: the command found problems.
pub const FOUND: u8 = 1;
/// Exit status: wrong usage or unreadable input.
pub const USAGE: u8 = 2;
/// Exit status: it could not finish.
pub const UNFINISHED: u8 = 3;

/// One sentence on what is wrong and where, and one on what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What is wrong, and where.
    pub what: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// How a command failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The messages, in order.
    pub messages: Vec<Message>,
    /// The exit status.
    pub status: u8,
}

/// An error that can be told to a user.
pub trait Explain: Display {
    /// Returns what to do about it, in words that hold for every command that can meet this error.
    fn hint(&self) -> Option<Cow<'_, str>> {
        None
    }

    /// Returns the exit status.
    fn status(&self) -> u8 {
        USAGE
    }

    /// Returns everything there is to say; one message, unless the error is a list.
    fn messages(&self) -> Vec<Message> {
        vec![Message { what: self.to_string(), hint: self.hint().map(Cow::into_owned) }]
    }
}

impl<E: Explain> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { messages: error.messages(), status: error.status() }
    }
}

impl Failure {
    /// Returns the failure to write a stream or file of the command itself.
    #[must_use]
    pub fn output(error: &io::Error) -> Self {
        Self {
            messages: vec![Message { what: format!("cannot write the output: {error}"), hint: None }],
            status: UNFINISHED,
        }
    }

    /// Renders the messages as a terminal shows them; `error` and `hint` are the labels, with their colours if there are any.
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
