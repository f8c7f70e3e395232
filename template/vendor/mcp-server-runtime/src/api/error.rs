//! Why an API did not give what was asked for, in words that the caller (a model) can act upon.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;

use crate::text;

/// Why the API did not give what was asked for, in words that the caller (a model) can act upon.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// An argument that cannot be part of an address.
    #[error(
        "{0} is not a valid id or name: it must not be empty, \".\", \"..\", longer than 1000 characters or hold control characters"
    )]
    BadSegment(String),
    /// There is no token, or the request did not come through the authentication.
    #[error("{0}")]
    NoToken(String),
    /// 401.
    #[error(
        "{0} refused the server's token (401). This is a matter for the operator of this server, not for you: the token must be replaced"
    )]
    Unauthorized(&'static str),
    /// 403.
    #[error("The server's account at {0} may not do this (403){1}")]
    Forbidden(&'static str, Detail),
    /// 404.
    #[error("{0} has nothing under this id or name (404). Get valid ones from a tool that lists them{1}")]
    NotFound(&'static str, Detail),
    /// 400 and the like.
    #[error("{0} refused the request ({1}){2}")]
    Refused(&'static str, u16, Detail),
    /// 429 beyond the deadline.
    #[error("The rate limit of {0} is used up. Try again in {1} seconds")]
    RateLimited(&'static str, u64),
    /// The answers of other calls take all the memory that there is for answers.
    #[error("The server is busy with large answers for others. Try again in a few seconds, or ask for less")]
    Busy,
    /// The caller is gone, so nothing more was asked.
    #[error("the caller is gone")]
    Gone,
    /// 5xx after all attempts.
    #[error("{0} is failing at the moment ({1}). Try again in a minute")]
    Failing(&'static str, u16),
    /// A redirect: it is not followed, as the token must not travel to wherever it points.
    #[error("{0} answered with a redirect ({1}), which is not followed. Tell the operator of this server")]
    Redirect(&'static str, u16),
    /// No answer.
    #[error("{0} could not be reached: {1}. Try again in a minute")]
    Unreachable(&'static str, &'static str),
    /// An answer that cannot be understood.
    #[error("The answer of {0} cannot be read: {1}. Try again; if it persists, tell the operator of this server")]
    BadAnswer(&'static str, Cow<'static, str>),
    /// An answer that is too large.
    #[error("The answer of {0} is larger than 2 MiB. Ask for less, such as fewer items or a narrower search")]
    TooLarge(&'static str),
}

/// The API's own words about a refusal, if it has any.
#[derive(Debug, Default)]
pub struct Detail(Option<String>);

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(text) => write!(f, ". It says: {text}"),
            None => Ok(()),
        }
    }
}

impl ApiError {
    /// The kind, for log lines and counters: one of a few words, without anything of the request or the answer.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::BadSegment(_) => "bad_id",
            Self::NoToken(_) => "no_token",
            Self::Unauthorized(_) => "unauthorized",
            Self::Forbidden(..) => "forbidden",
            Self::NotFound(..) => "not_found",
            Self::Refused(..) => "refused",
            Self::RateLimited(..) => "rate_limited",
            Self::Busy => "busy",
            Self::Gone => "gone",
            Self::Failing(..) => "failing",
            Self::Redirect(..) => "redirect",
            Self::Unreachable(..) => "unreachable",
            Self::BadAnswer(..) => "bad_answer",
            Self::TooLarge(_) => "too_large",
        }
    }

    pub(super) const fn is_for_the_operator(&self) -> bool {
        !matches!(
            self,
            Self::BadSegment(_)
                | Self::Forbidden(..)
                | Self::NotFound(..)
                | Self::Refused(..)
                | Self::Busy
                | Self::Gone
        )
    }
}

impl Detail {
    /// The message of an error in JSON, by the names that APIs give it (RFC 9457 `detail` and `title` among them).
    pub(super) fn from_body(body: &[u8]) -> Self {
        let object = text::parse(body).unwrap_or_default();
        let inner = object.get("error").and_then(Value::as_object).unwrap_or(&object);
        let names = ["message", "detail", "title", "error_description", "error", "id"];
        let message = names.iter().find_map(|name| inner.get(*name)?.as_str());
        Self(message.map(|message| message.chars().filter(|c| !c.is_control()).take(300).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_apis_own_words_are_found_and_bounded() {
        let detail = |body: &str| Detail::from_body(body.as_bytes()).to_string();
        assert_eq!(detail(r#"{"message":"no\u0007 such thing"}"#), ". It says: no such thing");
        assert_eq!(detail(r#"{"error":{"message":"nested"}}"#), ". It says: nested");
        assert_eq!(detail(r#"{"title":"RFC 9457"}"#), ". It says: RFC 9457");
        assert_eq!(detail("<html>"), "");
        assert_eq!(detail(&format!(r#"{{"detail":"{}"}}"#, "x".repeat(999))).len(), 300 + ". It says: ".len());
    }
}
