//! A branch with one commit, for an update that somebody reviews. No hook runs.

use std::path::Path;

use super::command;

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

/// Commits everything in the folder, ignored files among these paths included.
///
/// # Errors
/// Git's message.
pub fn commit(root: &Path, paths: &[String], message: &str) -> Result<(), String> {
    // In pieces: a command line has an end.
    for piece in paths.chunks(200) {
        let mut arguments = vec!["add", "--all", "--force", "--"];
        arguments.extend(piece.iter().map(String::as_str));
        run(root, &arguments)?;
    }
    run(root, &["commit", "--quiet", "--no-verify", "--message", message]).map(|_| ())
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
    let hooks = ["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"];
    let output = command(root, &[&hooks, arguments].concat())
        .env("GIT_TERMINAL_PROMPT", "0")
        .output()
        .map_err(|error| format!("cannot run git: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(format!("git {}: {said}", arguments.first().unwrap_or(&"")))
}
