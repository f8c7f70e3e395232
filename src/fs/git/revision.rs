//! A name that a user gives → the commit that git takes it for, or a sentence on why there is none and what to fetch.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::process::Output;

use super::{BARE, command};
use crate::error::{Explain, UNFINISHED, USAGE};

/// A commit that somebody names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revision {
    /// A branch, tag or commit.
    Commit(String),
    /// Where the current branch left this one.
    MergeBase(String),
}

impl Revision {
    /// Returns the name as it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        let (Self::Commit(name) | Self::MergeBase(name)) = self;
        name
    }
}

/// The reason that git has no such commit.
#[derive(Debug, thiserror::Error)]
pub enum RevisionError {
    /// Git cannot be started.
    #[error("cannot run git: {0}")]
    Run(std::io::Error),
    /// No repository contains the tree.
    #[error("{} is in no git repository, so there is no older state to compare with", .0.display())]
    NoRepository(PathBuf),
    /// The repository has no files.
    #[error("{} is in a repository without a work tree (a bare one), so it has no documents", .0.display())]
    NoWorkTree(PathBuf),
    /// Nothing was ever committed.
    #[error("the repository has no commit yet, so there is no older state to compare with")]
    NoCommits,
    /// Git does not know the name.
    #[error("git knows no commit {0:?}")]
    Unknown(String),
    /// Git does not know the name, and the clone lacks most of the history.
    #[error("git knows no commit {0:?}: this clone is shallow, it has only the latest commits")]
    UnknownInShallow(String),
    /// The histories have nothing in common.
    #[error("HEAD and {0:?} have no commit in common")]
    Unrelated(String),
    /// The clone ends before the commit in common.
    #[error("this clone is shallow: it ends before the commit at which HEAD left {0:?}")]
    Shallow(String),
    /// Git fails for another reason.
    #[error("git does not answer: {0}")]
    Git(String),
}

/// Returns the full id of the commit that `revision` names in the repository around `root`.
///
/// # Errors
/// When there is no such commit, or no repository.
pub fn resolve(root: &Path, revision: &Revision) -> Result<String, RevisionError> {
    let answer = run(root, &["rev-parse", "--is-inside-work-tree", "--is-shallow-repository"])?;
    if !answer.status.success() {
        return Err(match message(&answer) {
            error if error.contains("not a git repository") => RevisionError::NoRepository(root.to_owned()),
            error if error.contains(BARE) => RevisionError::NoWorkTree(root.to_owned()),
            error => RevisionError::Git(error),
        });
    }
    let lines = text(&answer);
    let (inside, shallow) = lines.split_once('\n').unwrap_or((&lines, "false"));
    if inside != "true" {
        return Err(RevisionError::NoWorkTree(root.to_owned()));
    }
    let shallow = shallow == "true";
    let name = revision.name();
    // A clone has the branches of others under the name of the remote only.
    let tip = match commit(root, name)? {
        Some(tip) => tip,
        None => commit(root, &format!("origin/{name}"))?.ok_or_else(|| unknown(root, name, shallow))?,
    };
    match revision {
        Revision::Commit(_) => Ok(tip),
        Revision::MergeBase(name) => merge_base(root, name, &tip, shallow),
    }
}

fn merge_base(root: &Path, name: &str, tip: &str, shallow: bool) -> Result<String, RevisionError> {
    if commit(root, "HEAD")?.is_none() {
        return Err(RevisionError::NoCommits);
    }
    let found = run(root, &["merge-base", "HEAD", tip])?;
    match found.status.code() {
        Some(0) => Ok(text(&found)),
        Some(1) if shallow => Err(RevisionError::Shallow(name.to_owned())),
        Some(1) => Err(RevisionError::Unrelated(name.to_owned())),
        _ => Err(RevisionError::Git(message(&found))),
    }
}

/// Returns the commit of a name, or `None` when there is none.
fn commit(root: &Path, name: &str) -> Result<Option<String>, RevisionError> {
    // No ref begins so (git-check-ref-format), and older versions of git would read an option.
    if name.is_empty() || name.starts_with('-') {
        return Ok(None);
    }
    let found = run(root, &["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{name}^{{commit}}")])?;
    Ok(found.status.success().then(|| text(&found)))
}

fn unknown(root: &Path, name: &str, shallow: bool) -> RevisionError {
    match commit(root, "HEAD") {
        Ok(None) => RevisionError::NoCommits,
        Err(error) => error,
        Ok(Some(_)) if shallow => RevisionError::UnknownInShallow(name.to_owned()),
        Ok(Some(_)) => RevisionError::Unknown(name.to_owned()),
    }
}

fn run(root: &Path, arguments: &[&str]) -> Result<Output, RevisionError> {
    command(root, arguments).output().map_err(RevisionError::Run)
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

fn message(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}

impl Explain for RevisionError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        let hint = match self {
            Self::Run(_) => "install git, or accept what is known with --baseline",
            Self::NoRepository(_) => "audit a tree in a repository, or accept what is known with --baseline",
            Self::NoWorkTree(_) => "audit a clone of it, or a work tree (`git worktree add`)",
            Self::NoCommits => "leave the option out: everything is new",
            Self::Unknown(_) => "name a branch, a tag or a commit; `git branch --all` lists the branches",
            // A clone of one commit has one branch, and would go on with that alone.
            Self::UnknownInShallow(_) => {
                "fetch what is missing with `git fetch --unshallow origin '+refs/heads/*:refs/remotes/origin/*'`; for actions/checkout, set `fetch-depth: 0`"
            }
            Self::Shallow(_) => {
                "fetch what is missing with `git fetch --unshallow origin`, or a part of it with `git fetch --deepen=100 origin`; for actions/checkout, set `fetch-depth: 0`"
            }
            Self::Unrelated(_) => "name the branch that yours began from, or a commit with --since",
            Self::Git(_) => return None,
        };
        Some(hint.into())
    }

    fn status(&self) -> u8 {
        if matches!(self, Self::Run(_) | Self::Git(_)) { UNFINISHED } else { USAGE }
    }
}
