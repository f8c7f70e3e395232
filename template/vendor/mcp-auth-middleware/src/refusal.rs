//! An [`AuthError`] with what there is to say besides: to the log what was wanted and what came, to the client which scopes
//! are missing.

use crate::AuthError;
use crate::printable::printable;

/// The most characters of a value from a token in a log line.
const SHOWN: usize = 200;

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) error: AuthError,
    pub(crate) detail: Option<Box<Detail>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Detail {
    /// For the log alone, escaped.
    Got(String),
    /// The scopes that are needed, and those that the token lacks.
    MissingScopes { required: Vec<String>, missing: Vec<String> },
}

impl Refusal {
    /// A claim with another value than was wanted. Both are public.
    pub(crate) fn got(error: AuthError, wanted: &str, got: &str) -> Self {
        let got: String = got.chars().take(SHOWN).collect();
        let text = format!("wanted {}, got \"{}\"", printable(wanted), printable(&got));
        Self { error, detail: Some(Box::new(Detail::Got(text))) }
    }

    /// A token that lacks scopes.
    pub(crate) fn missing_scopes(required: Vec<String>, missing: Vec<String>) -> Self {
        let detail = Detail::MissingScopes { required, missing };
        Self { error: AuthError::InsufficientScope, detail: Some(Box::new(detail)) }
    }

    /// The reason for a log line: the message, and what there is to say besides.
    pub(crate) fn reason(&self) -> String {
        match self.detail.as_deref() {
            None => self.error.to_string(),
            Some(Detail::Got(text)) => format!("{}: {text}", self.error),
            Some(Detail::MissingScopes { missing, .. }) => format!("{}: needs {}", self.error, missing.join(" ")),
        }
    }
}

impl From<AuthError> for Refusal {
    fn from(error: AuthError) -> Self {
        Self { error, detail: None }
    }
}
