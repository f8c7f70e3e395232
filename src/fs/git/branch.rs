//! A branch with one commit, for an update that somebody reviews. It is made beside the work tree and the index, which stay as they
//! are. No hook runs.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::command;
use crate::fs::files::{FileTree, FilesError, write_tree};
use crate::fs::journal::FileStep;
use crate::fs::repository::ELSEWHERE;
use crate::fs::scratch::Scratch;

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

/// Checks a branch out.
///
/// # Errors
/// Git's message.
pub fn switch(root: &Path, name: &str) -> Result<(), String> {
    run(root, &["switch", "--quiet", name]).map(|_| ())
}

/// A commit to build on, and where its project lies in the repository.
#[derive(Debug)]
pub struct BranchBase {
    /// The folder of git.
    folder: String,
    /// The path of the project below the top, with `/` at its end; empty at the top.
    prefix: String,
    head: String,
}

/// Returns what is checked out at this moment.
///
/// # Errors
/// Git's message, as where there is no commit yet.
pub fn base(root: &Path) -> Result<BranchBase, String> {
    // The path below the top, in a line that is empty at the top. Only the folder of the repository can have line ends in it.
    let found = run(root, &["rev-parse", "--absolute-git-dir", "--show-prefix", "--verify", "HEAD"])
        .map_err(|reason| format!("it is no git repository with a commit: {reason}"))?;
    let mut lines = found.trim_end_matches('\n').rsplitn(3, '\n').map(str::to_owned);
    match (lines.next(), lines.next(), lines.next()) {
        (Some(head), Some(prefix), Some(folder)) => Ok(BranchBase { folder, prefix, head }),
        _ => Err("git rev-parse: it says less than it was asked".to_owned()),
    }
}

/// Makes a branch with one commit on top of `base`: these steps of a project, files that git ignores included.
///
/// Git itself adds the files, from a folder that has only them and with an index of its own. So line endings and filters of
/// `.gitattributes` hold, and what is staged or changed in the work tree has no part in it.
///
/// # Errors
/// Git's message, as when the branch exists, or that of the system. There is no branch then.
pub fn commit(base: &BranchBase, name: &str, steps: &[FileStep], message: &str) -> Result<(), String> {
    let BranchBase { folder, prefix, head } = base;
    let below = |step: &FileStep| format!("{prefix}{}", step.path);
    let files: FileTree = steps.iter().filter_map(|step| Some((below(step), step.after.clone()?))).collect();
    let bytes = files.values().map(|file| file.bytes.len()).sum();
    let scratch = Scratch::for_bytes(bytes).map_err(|error| format!("cannot create a temporary folder: {error}"))?;
    let top = scratch.path().join("tree");
    scratch.folder("tree").map_err(|error| format!("cannot create a temporary folder: {error}"))?;
    write_tree(&top, &files, || Ok(())).map_err(|error: FilesError| error.to_string())?;
    let index = scratch.path().join("index");
    let git = |arguments: &[&str], input: &str| {
        let mut git = quiet(&top, arguments);
        git.env("GIT_DIR", folder).env("GIT_WORK_TREE", &top).env("GIT_INDEX_FILE", &index);
        with_input(git, arguments, input).map(|output| output.trim().to_owned())
    };
    git(&["read-tree", head], "")?;
    // A command line has an end, so the paths come by the input.
    let paths: String = steps.iter().map(|step| below(step) + "\0").collect();
    git(&["add", "--all", "--force", "--pathspec-from-file=-", "--pathspec-file-nul"], &paths)?;
    let tree = git(&["write-tree"], "")?;
    // `git commit` would sign it where its owner says so; `commit-tree` has to be told.
    let is_signed = git(&["config", "--type=bool", "--get", "commit.gpgSign"], "").is_ok_and(|answer| answer == "true");
    let sign: &[&str] = if is_signed { &["--gpg-sign"] } else { &[] };
    let commit = git(&[&["commit-tree", &tree, "-p", head][..], sign].concat(), &format!("{message}\n"))?;
    git(&["branch", "--no-track", name, &commit], "").map(|_| ())
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

/// Runs git with this input, and returns what it prints.
fn with_input(mut git: Command, arguments: &[&str], input: &str) -> Result<String, String> {
    let failed = |error: io::Error| format!("cannot run git: {error}");
    git.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = git.spawn().map_err(failed)?;
    // Git reads all of it before it answers. When it ends early, its message says why.
    let written = child.stdin.take().map_or(Ok(()), |mut pipe| pipe.write_all(input.as_bytes()));
    let output = child.wait_with_output().map_err(failed)?;
    let said = answer(&output, arguments)?;
    written.map_err(failed)?;
    Ok(said)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::files::File;

    #[test]
    fn a_commit_that_is_made_meanwhile_is_not_the_base() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let git = |arguments: &[&str]| run(root, arguments).unwrap();
        git(&["init", "--quiet"]);
        git(&["config", "user.name", "a"]);
        git(&["config", "user.email", "a@example.com"]);
        git(&["commit", "--quiet", "--allow-empty", "--message", "seen"]);
        let base = base(root).unwrap();
        std::fs::write(root.join("late"), "x").unwrap();
        git(&["add", "late"]);
        git(&["commit", "--quiet", "--message", "not seen"]);
        let file = File { bytes: b"y".to_vec().into(), executable: false };
        let step = FileStep { path: "new".to_owned(), before: None, after: Some(file) };
        commit(&base, "update", &[step], "update").unwrap();
        assert_eq!(git(&["log", "--format=%s", "update"]), "update\nseen\n");
        assert_eq!(git(&["ls-tree", "--name-only", "update"]), "new\n");
    }
}
