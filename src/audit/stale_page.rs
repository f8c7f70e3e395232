//! A stale generated page, a fact that the command passes to the audit.

/// A page or section that a build would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StalePage {
    /// The document, relative to the root.
    pub path: String,
    /// The byte position.
    pub at: usize,
    /// The reason, one sentence.
    pub message: String,
}
