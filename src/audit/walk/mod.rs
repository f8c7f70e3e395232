//! Tree → files. In: a root folder. Out: every path below it, so that no link needs a query to the file system. The
//! walk respects ignore files, never enters version control, and does not follow symbolic links but records their
//! targets.

mod collect;
mod past;
mod tree;

pub use past::{Past, Was};
pub use tree::Tree;

use crate::text::path::file_name;

/// The kind of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A folder.
    Folder,
    /// Another file.
    File,
    /// A Markdown file.
    Document,
    /// A symbolic link to this path of the tree.
    Alias(Box<[u8]>),
    /// A symbolic link out of the tree. Its target is not read.
    Outside,
}

/// A path of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The path relative to the root, with `/` between the parts. Bytes, because file names are bytes.
    pub path: Box<[u8]>,
    /// The kind.
    pub kind: Kind,
}

/// A path that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unreadable {
    /// The path relative to the root, or the system's text about it.
    pub path: String,
    /// The reason.
    pub reason: String,
}

/// The endings of Markdown files on GitHub, and MDX.
const MARKDOWN: &[&[u8]] = &[b"md", b"mdx", b"markdown", b"mdown", b"mkdn", b"mkd"];

/// Returns whether the name has the ending of a Markdown file.
#[must_use]
pub fn is_markdown(path: &[u8]) -> bool {
    let name = file_name(path);
    memchr::memrchr(b'.', name)
        .is_some_and(|dot| MARKDOWN.iter().any(|ending| name[dot + 1..].eq_ignore_ascii_case(ending)))
}
