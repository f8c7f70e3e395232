//! The errors of a journal.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Explain, UNFINISHED, USAGE};

/// The reason that the steps were not made.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The system refused an operation.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The verb: read, write, …
        action: &'static str,
        /// The path of the file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Another run works in the folder.
    #[error("another mcp-kit is at work in {}", .0.display())]
    Busy(PathBuf),
    /// A new file would replace an existing one.
    #[error("{0} is there already")]
    InTheWay(String),
    /// A file has changed since the plan.
    #[error("{0} has changed meanwhile")]
    Changed(String),
    /// The journal has contents that this program never writes.
    #[error("{} is no journal of an interrupted mcp-kit: {reason}", path.display())]
    Damaged {
        /// The path of the journal.
        path: PathBuf,
        /// The fault in it.
        reason: String,
    },
}

impl JournalError {
    /// Returns a closure that adds the action and the path to a system error.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

impl Explain for JournalError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        let hint = match self {
            Self::Busy(_) => "wait for it",
            Self::InTheWay(_) => "move it away and run it again; nothing has changed",
            Self::Changed(_) => {
                "run it again; if an earlier run was interrupted, bring the file back (git restore), or remove .mcp-kit/journal to give that run up"
            }
            Self::Damaged { .. } => "remove it, if it is not yours",
            Self::Io { .. } => "no file is half written; run it again once the disk allows it",
        };
        Some(hint.into())
    }

    fn status(&self) -> u8 {
        if matches!(self, Self::Damaged { .. }) { USAGE } else { UNFINISHED }
    }
}
