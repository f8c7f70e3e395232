//! Finds where a repository begins and has its configuration. Runs `git init` in a new project, unless a repository already contains it
//! (as `cargo new` does).

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

use serde::Serialize;

/// Variables that git sets while it runs a hook or an alias. They would select another repository (`git rev-parse
/// --local-env-vars`).
pub const ELSEWHERE: &[&str] = &[
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
];

/// The state of the project's git repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Repository {
    /// `git init` created an empty repository in the project.
    Initialized,
    /// An existing repository contains the project.
    Surrounding,
    /// The user passed `--no-git`.
    Skipped,
    /// Git is not installed.
    Unavailable,
}

/// The reason that there is no repository.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// Git could not be started.
    #[error("cannot run git: {0}")]
    Run(#[source] io::Error),
    /// Git reported an error.
    #[error("git init failed: {0}")]
    Failed(String),
}

/// Returns the root of the repository that contains `folder`, or is it. In a work tree or submodule, `.git` is a file.
#[must_use]
pub fn root_around(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|folder| folder.join(".git").exists())
}

/// Returns the configuration file of the repository whose root is `root`; in a work tree, `.git` is a file that names its folder.
#[must_use]
pub fn config_file(root: &Path) -> Option<PathBuf> {
    let git = root.join(".git");
    if git.is_dir() {
        return Some(git.join("config"));
    }
    let text = fs::read_to_string(&git).ok()?;
    let folder = root.join(text.strip_prefix("gitdir:")?.trim());
    // A submodule's has a configuration of its own, a work tree's is two folders up.
    [folder.join("config"), folder.join("../../config")].into_iter().find(|config| config.is_file())
}

/// Returns whether a repository contains `folder`, which need not exist.
#[must_use]
pub fn is_inside_repository(folder: &Path) -> bool {
    // Use the real path: `repository/../project` is not inside `repository`.
    let Some(real) = folder.ancestors().find_map(|folder| folder.canonicalize().ok()) else { return false };
    root_around(&real).is_some()
}

/// Returns the git step that `mcp-kit new` will take for a project below `parent`.
#[must_use]
pub fn plan(parent: &Path, wanted: bool) -> Repository {
    if !wanted {
        Repository::Skipped
    } else if is_inside_repository(parent) {
        Repository::Surrounding
    } else {
        Repository::Initialized
    }
}

/// Creates an empty repository in `folder`. Without git it returns [`Repository::Unavailable`].
///
/// # Errors
/// When git is installed and fails.
pub fn init(folder: &Path) -> Result<Repository, InitError> {
    let mut command = Command::new("git");
    command.args(["init", "--quiet"]).current_dir(folder).stdin(Stdio::null());
    for variable in ELSEWHERE {
        command.env_remove(variable);
    }
    match command.output() {
        Ok(output) if output.status.success() => Ok(Repository::Initialized),
        Ok(output) => Err(InitError::Failed(String::from_utf8_lossy(&output.stderr).trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Repository::Unavailable),
        Err(error) => Err(InitError::Run(error)),
    }
}
