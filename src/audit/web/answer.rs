//! What became of an address.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

/// What became of an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum UrlAnswer {
    /// There is a page, with the anchor if one was named.
    Fine,
    /// It has another address, for good (RFC 9110 §15.4.2, §15.4.9).
    Moved {
        /// That address.
        to: String,
        /// Whether it is the same page, as far as one can tell.
        same: bool,
    },
    /// Nobody gets there.
    Broken {
        /// Why, as the end of a sentence.
        why: String,
    },
    /// The page is there, and what the anchor names was not in it when it came.
    NoAnchor,
    /// It cannot be told now, or not from here.
    Undecided {
        /// Why, as the end of a sentence.
        why: String,
    },
}

impl UrlAnswer {
    /// Whether it will still be so tomorrow.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        matches!(self, Self::Fine | Self::Moved { .. })
    }
}

/// Answers by the address as documents write it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UrlAnswers(FxHashMap<String, UrlAnswer>);

impl UrlAnswers {
    /// Keeps an answer.
    pub fn insert(&mut self, destination: &str, answer: UrlAnswer) {
        self.0.insert(destination.to_owned(), answer);
    }

    /// The answer to an address; none to what was not asked.
    #[must_use]
    pub fn get(&self, destination: &str) -> Option<&UrlAnswer> {
        self.0.get(destination.trim())
    }
}
