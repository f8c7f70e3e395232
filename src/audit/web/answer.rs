//! The result of a request.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

/// The result of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum UrlAnswer {
    /// The page exists, and so does the anchor if there is one.
    Fine,
    /// The page has moved permanently (RFC 9110 §15.4.2, §15.4.9).
    Moved {
        /// The new address.
        to: String,
        /// `true` when it is probably the same page.
        same: bool,
    },
    /// The address is broken.
    Broken {
        /// The reason, as the end of a sentence.
        why: String,
    },
    /// The page exists, but its HTML lacks the anchor.
    NoAnchor,
    /// The request could not decide it.
    Undecided {
        /// The reason, as the end of a sentence.
        why: String,
    },
}

impl UrlAnswer {
    /// Returns whether the answer may be cached.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        matches!(self, Self::Fine | Self::Moved { .. })
    }
}

/// The answers, by the address as written in documents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UrlAnswers(FxHashMap<String, UrlAnswer>);

impl UrlAnswers {
    /// Stores an answer.
    pub fn insert(&mut self, destination: &str, answer: UrlAnswer) {
        self.0.insert(destination.to_owned(), answer);
    }

    /// Returns the answer for an address, or `None` when it was not requested.
    #[must_use]
    pub fn get(&self, destination: &str) -> Option<&UrlAnswer> {
        self.0.get(destination.trim())
    }
}
