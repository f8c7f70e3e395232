//! A change set: which files are to have which contents. It is planned without touching the disk, shown by [`diff`](super::diff) or
//! carried out by [`transaction`](super::transaction).

/// A file with new contents, or a new file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Relative to the root, `/` between the parts.
    pub path: String,
    /// As it is; nothing where there is none yet.
    pub before: Option<Vec<u8>>,
    /// As it is to be.
    pub after: Vec<u8>,
}
