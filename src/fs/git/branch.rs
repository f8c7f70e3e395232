//! A branch with one commit, for an update that somebody reviews. No hook runs.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::command;
use crate::fs::repository::ELSEWHERE;

/// The paths come by the input, each with a NUL behind it.
const FROM_INPUT: &str = "--pathspec-from-file=-";
const NUL: &str = "--pathspec-file-nul";

/// Returns the branch that is checked out, or `None` without a repository or on no branch.
#[must_use]
pub fn current(root: &Path) -> Option<String> {
    run(root, &["symbolic-ref", "--short", "--quiet", "HEAD"]).ok().map(|name| name.trim().to_owned())
}

/// Returns whether there is a branch of this name.
#[must_use]
pub fn exists(root: &Path, name: &str) -> bool {
    run(root, &["show-ref", "--verify", "--quiet", &format!("refs/heads/{name}")]).is_ok()
}

/// Makes a branch and checks it out.
///
/// # Errors
/// Git's message.
pub fn create(root: &Path, name: &str) -> Result<(), String> {
    run(root, &["switch", "--quiet", "--create", name]).map(|_| ())
}

/// Checks a branch out.
///
/// # Errors
/// Git's message.
pub fn switch(root: &Path, name: &str) -> Result<(), String> {
    run(root, &["switch", "--quiet", name]).map(|_| ())
}

/// Removes a branch.
///
/// # Errors
/// Git's message.
pub fn remove(root: &Path, name: &str) -> Result<(), String> {
    run(root, &["branch", "--quiet", "--delete", "--force", name]).map(|_| ())
}

/// Commits these paths, ignored ones included, and nothing else that is staged.
///
/// # Errors
/// Git's message.
pub fn commit(root: &Path, paths: &[String], message: &str) -> Result<(), String> {
    // Relative to where git runs: `-C` has moved it to the root.
    run_with(root, &["add", "--all", "--force", FROM_INPUT, NUL], paths)?;
    run_with(root, &["commit", "--quiet", "--no-verify", "--only", FROM_INPUT, NUL, "--message", message], paths)
}

/// Brings these paths back as the newest commit has them.
///
/// # Errors
/// Git's message.
pub fn take_back(root: &Path, paths: &[String]) -> Result<(), String> {
    // New files have to be in the index to be removed. It refuses paths that are in it no longer, which are then brought back.
    let _ = run_with(root, &["add", "--all", "--force", FROM_INPUT, NUL], paths);
    run_with(root, &["restore", "--quiet", "--source=HEAD", "--staged", "--worktree", FROM_INPUT, NUL], paths)
}

/// Clones a repository.
///
/// # Errors
/// Git's message.
pub fn clone(address: &str, folder: &Path) -> Result<(), String> {
    let parent = folder.parent().unwrap_or(folder);
    run(parent, &["clone", "--quiet", "--", address, &folder.to_string_lossy()]).map(|_| ())
}

fn run(root: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = quiet(root, arguments).output().map_err(|error| format!("cannot run git: {error}"))?;
    answer(&output, arguments)
}

/// Runs git with these paths as its input: a command line has an end.
fn run_with(root: &Path, arguments: &[&str], paths: &[String]) -> Result<(), String> {
    let failed = |error: io::Error| format!("cannot run git: {error}");
    let mut git = quiet(root, arguments);
    git.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = git.spawn().map_err(failed)?;
    let list: String = paths.iter().map(|path| format!("{path}\0")).collect();
    // Git reads all of it before it answers. When it ends early, its message says why.
    let written = child.stdin.take().map_or(Ok(()), |mut input| input.write_all(list.as_bytes()));
    let output = child.wait_with_output().map_err(failed)?;
    answer(&output, arguments)?;
    written.map_err(failed)
}

fn quiet(root: &Path, arguments: &[&str]) -> Command {
    let settings = [
        ["-c", "core.hooksPath=/dev/null"],
        ["-c", "core.fsmonitor=false"],
        ["-c", "protocol.ext.allow=never"],
        // Its owner's git cleans a repository up, not a visitor's one commit.
        ["-c", "maintenance.auto=false"],
        ["-c", "gc.auto=0"],
    ];
    let mut git = command(root, &[settings.as_flattened(), arguments].concat());
    git.env("GIT_TERMINAL_PROMPT", "0").env("GIT_LITERAL_PATHSPECS", "1");
    // The repository is the one at the root, also when git itself has started this program.
    for variable in ELSEWHERE {
        git.env_remove(variable);
    }
    git
}

fn answer(output: &Output, arguments: &[&str]) -> Result<String, String> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(format!("git {}: {said}", arguments.first().unwrap_or(&"")))
}
