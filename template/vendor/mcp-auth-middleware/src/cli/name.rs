//! The name of a token, as an argument.

use super::failure::Failure;
use super::surplus::value_in_argv;

/// A token's name. `NAME=VALUE` has a value on the command line (attacks.md 48), which would appear in errors and in
/// the audit log, so it is dropped unread and refused when the command is carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenName(Option<String>);

impl From<String> for TokenName {
    fn from(argument: String) -> Self {
        Self(Some(argument).filter(|argument| !argument.contains('=')))
    }
}

impl TokenName {
    pub(super) fn get(&self) -> Result<&str, Failure> {
        self.0.as_deref().ok_or_else(value_in_argv)
    }
}
