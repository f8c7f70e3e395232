//! `--fix`: findings → a plan of changes (pure) → a diff, or all of them on the disk.

pub mod archived;
pub mod documents;
pub mod plan;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::finding::Finding;
use crate::error::{Explain, UNFINISHED, USAGE};
use crate::fs::git::GitError;
use crate::fs::journal::{self, JournalError};
use crate::fs::uncommitted::{self, Protection};
use plan::FixPlan;

/// The reason that nothing was fixed.
#[derive(Debug, thiserror::Error)]
pub enum FixError {
    /// The tree is in no git repository, which could restore the files.
    #[error("{} is in no git repository, which could bring back what --fix changes", .0.display())]
    NoRepository(PathBuf),
    /// Files have uncommitted changes, which could not be separated from the fixes.
    #[error("there are uncommitted changes in {}", several(.0))]
    Uncommitted(Vec<String>),
    /// Git failed.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The files could not be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Returns the first paths and the number of the others.
fn several(paths: &[String]) -> String {
    match paths {
        [] | [_] | [_, _] | [_, _, _] => paths.join(", "),
        [one, two, rest @ ..] => format!("{one}, {two} and {} others", rest.len()),
    }
}

/// Returns the plan of all certain fixes of these findings, in documents below `root`.
#[must_use]
pub fn fixes(root: &Path, findings: &[Finding]) -> FixPlan {
    FixPlan::new(findings, &|path| real(root, path), &|path| std::fs::read(root.join(path)).ok())
}

/// Applies a plan: all of it, or nothing.
///
/// # Errors
/// When git would not bring back what changes, unless `dirty` allows that; or when the disk refuses.
pub fn carry_out(root: &Path, plan: &FixPlan, dirty: bool) -> Result<(), FixError> {
    if plan.changes.is_empty() {
        return Ok(());
    }
    if !dirty {
        match uncommitted::inspect(root, plan.changes.iter().map(|change| change.path.as_str()))? {
            Protection::None => return Err(FixError::NoRepository(root.to_owned())),
            Protection::Partly(paths) => return Err(FixError::Uncommitted(paths)),
            Protection::Full => {}
        }
    }
    Ok(journal::write_changes(root, &plan.changes)?)
}

/// Returns the real path of a document, so that a fix never replaces a symbolic link and never follows one out of the
/// tree.
fn real(root: &Path, path: &str) -> Option<String> {
    let real = root.join(path).canonicalize().ok()?;
    Some(real.strip_prefix(root).ok()?.to_str()?.to_owned())
}

impl Explain for FixError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::NoRepository(_) => {
                Some("--allow-dirty goes on without; --dry-run only shows what would change".into())
            }
            Self::Uncommitted(_) => Some("commit or stash them, or add --allow-dirty".into()),
            Self::Git(_) => Some("--allow-dirty goes on without git".into()),
            Self::Journal(error) => error.hint(),
        }
    }

    fn status(&self) -> u8 {
        match self {
            Self::NoRepository(_) | Self::Uncommitted(_) => USAGE,
            Self::Git(_) => UNFINISHED,
            Self::Journal(error) => error.status(),
        }
    }
}
