//! Tree → files. In: a root folder. Out: every path below it, so that no link needs to ask the file system. Ignore files are
//! respected; version control is never entered; symbolic links are not followed but known by where they lead.

mod collect;
mod past;
mod tree;

pub use past::{Past, Was};
pub use tree::Tree;

use crate::text::path::file_name;

/// What a path is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A folder.
    Folder,
    /// A file that is no document.
    File,
    /// A Markdown file.
    Document,
    /// A symbolic link to this path of the tree.
    Alias(Box<[u8]>),
    /// A symbolic link out of the tree. What is there is not looked at.
    Outside,
}

/// Something in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Relative to the root, `/` between the parts. Bytes, as file names are.
    pub path: Box<[u8]>,
    /// What it is.
    pub kind: Kind,
}

/// A place that could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unreadable {
    /// Relative to the root, or what the system said about it.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// Endings of Markdown files, as GitHub knows them, and MDX.
const MARKDOWN: &[&[u8]] = &[b"md", b"mdx", b"markdown", b"mdown", b"mkdn", b"mkd"];

/// Whether the name ends as a Markdown file's does.
#[must_use]
pub fn is_markdown(path: &[u8]) -> bool {
    let name = file_name(path);
    memchr::memrchr(b'.', name)
        .is_some_and(|dot| MARKDOWN.iter().any(|ending| name[dot + 1..].eq_ignore_ascii_case(ending)))
}
