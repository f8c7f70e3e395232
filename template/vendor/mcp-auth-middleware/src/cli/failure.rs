//! The message and the exit status of a failed command.

use std::io;

use crate::StoreError;

/// The command found something that is not as it should be.
pub(super) const FOUND: u8 = 1;
/// Wrong usage or unreadable input.
pub(super) const USAGE: u8 = 2;
/// It could not finish.
pub(super) const UNFINISHED: u8 = 3;

/// Why a command ended early. Its texts hold names, never values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) status: u8,
    /// Nothing where there is nobody left to read it.
    pub(super) what: Option<String>,
    /// The next step for the user.
    pub(super) hint: Option<String>,
}

impl Failure {
    pub(super) fn found(what: impl Into<String>) -> Self {
        Self { status: FOUND, what: Some(what.into()), hint: None }
    }

    pub(super) fn usage(what: impl Into<String>) -> Self {
        Self { status: USAGE, what: Some(what.into()), hint: None }
    }

    pub(super) fn unfinished(what: impl Into<String>) -> Self {
        Self { status: UNFINISHED, what: Some(what.into()), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Output that could not be written. A reader who has seen enough (`tokens audit | head`) is no failure.
    pub(super) fn output(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self { status: 0, what: None, hint: None };
        }
        Self::unfinished(format!("the output cannot be written: {}", error.kind()))
    }

    /// As it stands on the terminal.
    pub(super) fn text(&self) -> String {
        let what = self.what.iter().map(|what| format!("error: {what}\n"));
        what.chain(self.hint.iter().map(|hint| format!("  hint: {hint}\n"))).collect()
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let text = error.to_string();
        match error {
            StoreError::Invalid(_) | StoreError::ReadOnly(_) => Self::usage(text),
            StoreError::NotSetUp(_) => Self::unfinished(text).hint("`db init` sets the database up"),
            StoreError::Decrypt(_) => Self::unfinished(text).hint(
                "MCP_AUTH_ENCRYPTION_KEY must be the key that the token was stored with, or that key must stand in \
                 MCP_AUTH_PREVIOUS_KEYS",
            ),
            _ => Self::unfinished(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_who_has_seen_enough_is_no_failure() {
        let gone = Failure::output(&io::ErrorKind::BrokenPipe.into());
        assert_eq!((gone.status, gone.text().as_str()), (0, ""));
        let full = Failure::output(&io::ErrorKind::StorageFull.into());
        assert_eq!((full.status, full.text().as_str()), (3, "error: the output cannot be written: no storage space\n"));
    }

    #[test]
    fn each_kind_of_store_error_has_its_status() {
        let status = |error| Failure::from(error).status;
        assert_eq!(status(StoreError::Invalid("x".to_owned())), 2);
        assert_eq!(status(StoreError::ReadOnly("env")), 2);
        assert_eq!(status(StoreError::Unavailable("x".to_owned())), 3);
        assert_eq!(status(StoreError::Denied("x".to_owned())), 3);
        let not_set_up = Failure::from(StoreError::NotSetUp("no tables".to_owned()));
        assert_eq!(
            not_set_up.text(),
            "error: token store is not set up: no tables\n  hint: `db init` sets the database up\n"
        );
    }
}
