//! A change set: the files to write and their new contents. Planning it does not touch the disk. [`diff`](super::diff)
//! shows it and [`journal`](super::journal) applies it.

/// A new file, or a file with new contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The path relative to the root, with `/` between the parts.
    pub path: String,
    /// The current contents, or `None` for a new file.
    pub before: Option<Vec<u8>>,
    /// The new contents.
    pub after: Vec<u8>,
}
