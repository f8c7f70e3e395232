//! Whether git could bring back what is about to change.

use std::collections::HashSet;
use std::path::Path;

use crate::fs::git::{GitError, ask};

/// What git would bring back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Nothing: there is no repository, or no git.
    None,
    /// All but these, which have changes that are not committed.
    Partly(Vec<String>),
    /// Everything.
    Full,
}

/// Asks git about these documents below `root`.
///
/// # Errors
/// When git fails.
pub fn look<'a>(root: &Path, paths: impl Iterator<Item = &'a str>) -> Result<Protection, GitError> {
    // Git names files from its repository on, and the root may be a folder of that.
    let Some(prefix) = ask(root, &["rev-parse", "--show-prefix"])? else { return Ok(Protection::None) };
    let prefix = prefix.trim_end_matches('\n');
    let options = ["status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--", "."];
    let said = ask(root, &options)?.unwrap_or_default();
    // `XY PATH`
    let changed: HashSet<&str> = said.split('\0').filter_map(|entry| entry.get(3..)?.strip_prefix(prefix)).collect();
    let of_ours: Vec<String> = paths.filter(|path| changed.contains(path)).map(str::to_owned).collect();
    Ok(if of_ours.is_empty() { Protection::Full } else { Protection::Partly(of_ours) })
}
