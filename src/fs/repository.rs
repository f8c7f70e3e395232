//! Where a repository begins and has its configuration; and `git init` in a new project, when it is not inside a repository already (as
//! `cargo new` does).

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

use serde::Serialize;

/// Set while git runs a hook or an alias; they would point at another repository (`git rev-parse --local-env-vars`).
const ELSEWHERE: &[&str] = &[
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
];

/// What became of the git repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Repository {
    /// A new, empty one is in the project.
    Initialized,
    /// The project is inside one already.
    Surrounding,
    /// `--no-git`.
    Skipped,
    /// There is no git on this machine.
    Unavailable,
}

/// Why there is no repository.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// git could not be run.
    #[error("cannot run git: {0}")]
    Run(#[source] io::Error),
    /// git said no.
    #[error("git init failed: {0}")]
    Failed(String),
}

/// The root of the repository that a folder is or lies in. In a work tree or submodule, `.git` is a file.
#[must_use]
pub fn root_around(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|folder| folder.join(".git").exists())
}

/// The configuration file of the repository whose root is `root`; in a work tree, `.git` is a file that names its folder.
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

/// Whether `folder`, which need not exist, would be inside a repository.
#[must_use]
pub fn is_inside_repository(folder: &Path) -> bool {
    // Where the path leads, not how it is written: `repository/../project` is not inside of `repository`.
    let Some(real) = folder.ancestors().find_map(|folder| folder.canonicalize().ok()) else { return false };
    root_around(&real).is_some()
}

/// What `mcp-kit new` will do about git for a project below `parent`.
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

/// Makes an empty repository in `folder`.
///
/// # Errors
/// When git is there and fails. Without git, it says so in its answer and the project is simply not a repository.
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
