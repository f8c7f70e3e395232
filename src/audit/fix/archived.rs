//! What `--fix=documents` has archived: plain data that the command enters into the catalog.

/// A document that moves to the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archived {
    /// Its path until now, relative to the root.
    pub path: String,
    /// Its new path.
    pub archived: String,
    /// The day, as `2025-11-08`.
    pub date: String,
    /// Why.
    pub reason: String,
    /// What to read instead.
    pub replacement: Option<String>,
}
