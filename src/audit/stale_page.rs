//! A fact that is given to the audit: a generated page that is stale.

/// A page or section that a build would write otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StalePage {
    /// The document, relative to the root.
    pub path: String,
    /// Where in it: a byte.
    pub at: usize,
    /// Why, in one sentence.
    pub message: String,
}
