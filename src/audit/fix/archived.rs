//! The documents that `--fix=documents` archives: plain data for the command, which adds them to the catalog.

/// A document that moves to the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archived {
    /// The old path, relative to the root.
    pub path: String,
    /// The new path.
    pub archived: String,
    /// The date, as `2025-11-08`.
    pub date: String,
    /// The reason.
    pub reason: String,
    /// The replacement.
    pub replacement: Option<String>,
}
