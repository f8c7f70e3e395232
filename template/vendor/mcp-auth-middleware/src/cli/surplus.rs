//! Arguments too many: taken, so that the parser does not repeat them in its error, and dropped unread.
//!
//! An error that quoted the surplus argument of `tokens set NAME VALUE` would put the value on the terminal once more,
//! and into the logs of the program that ran the command. The same goes for keys given to `rotate-key` and a connection URL given to `db init`.

use std::ffi::OsStr;

use clap::builder::{TypedValueParser, ValueParserFactory};

use super::failure::Failure;

/// The arguments beyond those of a command. Records only that there were any.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
pub struct Surplus {
    /// Nothing more is taken
    #[arg(hide = true, num_args = 0.., allow_hyphen_values = true, value_name = "NOTHING")]
    surplus: Vec<Discarded>,
}

impl Surplus {
    /// Refuses what is too many; `taken` says what the command takes.
    pub(super) fn refuse(&self, taken: &str) -> Result<(), Failure> {
        if self.surplus.is_empty() {
            return Ok(());
        }
        let hint = "see --help; what was given is not repeated here, for it may be a secret";
        Err(Failure::usage(format!("{taken}, and no other argument or option")).hint(hint))
    }

    /// As [`refuse`](Self::refuse), where what is too many is most likely a token's value.
    pub(super) fn refuse_value(&self) -> Result<(), Failure> {
        if self.surplus.is_empty() { Ok(()) } else { Err(value_in_argv()) }
    }
}

/// attacks.md 48.
pub(super) fn value_in_argv() -> Failure {
    Failure::usage(
        "only the name of a token is taken from the command line, never its value: other users of the machine see the \
         arguments of a process, and the shell keeps them in its history",
    )
    .hint(
        "give the value on standard input (`tokens set NAME < FILE`) or at the prompt (`tokens set NAME`); if one was \
         typed just now, it has been seen: have its issuer replace it",
    )
}

/// An argument that nobody looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Discarded;

impl ValueParserFactory for Discarded {
    type Parser = DiscardingParser;

    fn value_parser() -> Self::Parser {
        DiscardingParser
    }
}

/// Never fails: clap's errors quote what does not parse.
#[derive(Debug, Clone)]
struct DiscardingParser;

impl TypedValueParser for DiscardingParser {
    type Value = Discarded;

    fn parse_ref(&self, _: &clap::Command, _: Option<&clap::Arg>, _: &OsStr) -> Result<Self::Value, clap::Error> {
        Ok(Discarded)
    }
}
