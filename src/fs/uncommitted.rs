//! Checks whether git could restore the files that are about to change.

use std::collections::HashSet;
use std::path::Path;

use crate::fs::git::{GitError, ask};

/// The files that git could restore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protection {
    /// None: there is no repository, or no git.
    None,
    /// All but these, which have uncommitted changes.
    Partly(Vec<String>),
    /// All of them.
    Full,
}

/// Asks git about these documents below `root`.
///
/// # Errors
/// When git fails.
pub fn inspect<'a>(root: &Path, paths: impl Iterator<Item = &'a str>) -> Result<Protection, GitError> {
    // Git prints paths relative to the repository, and the root may be a folder inside it.
    let Some(prefix) = ask(root, &["rev-parse", "--show-prefix"])? else { return Ok(Protection::None) };
    let prefix = prefix.trim_end_matches('\n');
    let options = ["status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--", "."];
    let status = ask(root, &options)?.unwrap_or_default();
    // `XY PATH`
    let changed: HashSet<&str> = status.split('\0').filter_map(|entry| entry.get(3..)?.strip_prefix(prefix)).collect();
    let of_ours: Vec<String> = paths.filter(|path| changed.contains(path)).map(str::to_owned).collect();
    Ok(if of_ours.is_empty() { Protection::Full } else { Protection::Partly(of_ours) })
}
