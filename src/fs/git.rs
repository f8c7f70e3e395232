//! Every query that the program sends to git.

pub mod branch;
pub mod changes;
mod index_format;
mod objects;
pub mod revision;
pub mod stages;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::error::{Explain, UNFINISHED};
use rustc_hash::FxHashSet;

/// An error that git reports.
#[derive(Debug, thiserror::Error)]
#[error("git does not answer: {0}")]
pub struct GitError(String);

/// The number of newest commits to read. A history of 100,000 takes longer than the audit.
const LATEST: &str = "1000";

/// A part of git's message about a bare repository that nobody has named.
const BARE: &str = "cannot use bare repository";

/// Returns git's output, or `None` without git or a repository.
///
/// # Errors
/// When git fails for any other reason.
pub fn ask(root: &Path, arguments: &[&str]) -> Result<Option<String>, GitError> {
    let Ok(output) = command(root, arguments).output() else { return Ok(None) };
    if output.status.success() {
        return Ok(Some(String::from_utf8_lossy(&output.stdout).into_owned()));
    }
    let message = String::from_utf8_lossy(&output.stderr);
    let is_none = message.contains("not a git repository") || message.contains(BARE);
    if is_none { Ok(None) } else { Err(GitError(message.trim().to_owned())) }
}

fn command(root: &Path, arguments: &[&str]) -> Command {
    let mut git = Command::new("git");
    // A folder of a cloned repository can look like a bare one, and its configuration names programs that git would run.
    git.args(["-c", "safe.bareRepository=explicit", "-C"])
        .arg(root)
        .args(arguments)
        .env("LC_ALL", "C")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .stdin(Stdio::null());
    git
}

/// Returns the files below `root` in git's index and the folders around them, or `None` without git or a repository.
#[must_use]
pub fn tracked(root: &Path) -> Option<FxHashSet<Box<[u8]>>> {
    let output =
        command(root, &["ls-files", "--cached", "-z"]).output().ok().filter(|output| output.status.success())?;
    let mut tracked = FxHashSet::default();
    for file in output.stdout.split(|byte| *byte == 0).filter(|file| !file.is_empty()) {
        // When a folder is in the set, its parents are too.
        let folders = memchr::memrchr_iter(b'/', file).map(|end| &file[..end]);
        for folder in folders {
            if !tracked.insert(folder.into()) {
                break;
            }
        }
        tracked.insert(file.into());
    }
    Some(tracked)
}

/// Returns whether the checkout is sparse, so that it may lack tracked files.
#[must_use]
pub fn is_sparse(root: &Path) -> bool {
    root.join(".git/info/sparse-checkout").is_file()
}

/// A running `git log` of the latest commits. Git works while the program does other work, and waits while its output
/// is not read.
#[derive(Debug)]
pub struct History(Option<Child>);

impl History {
    /// Starts `git log` in the repository around `root`.
    #[must_use]
    pub fn ask(root: &Path) -> Self {
        let format = ["--format=format:%x01%cs%d", "--name-only", "--relative", "-z"];
        let arguments = [&["log", "--no-renames", "--max-count", LATEST][..], &format].concat();
        // A missing git or a repository without commits is not an error.
        Self(command(root, &arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok())
    }

    /// Returns for each of these documents below the root a sentence about its last change. Documents without a known
    /// change are left out.
    #[must_use]
    pub fn last_changes(mut self, paths: &[&str]) -> HashMap<String, String> {
        let Some(git) = self.0.take_if(|_| !paths.is_empty()) else { return HashMap::new() };
        let log = git.wait_with_output().ok().filter(|output| output.status.success());
        log.map_or_else(HashMap::new, |log| parse(&String::from_utf8_lossy(&log.stdout), paths))
    }
}

impl Drop for History {
    /// Stops git when its output is no longer needed.
    fn drop(&mut self) {
        if let Some(git) = &mut self.0 {
            // Git may have exited already.
            let _ = git.kill();
            let _ = git.wait();
        }
    }
}

/// Parses the log, newest commit first: `\x01DAY (DECORATIONS)\nPATH\0PATH\0`.
fn parse(log: &str, paths: &[&str]) -> HashMap<String, String> {
    let wanted: HashSet<&str> = paths.iter().copied().collect();
    let (mut reasons, mut commits) = (HashMap::new(), 0);
    for commit in log.split('\u{1}').skip(1) {
        commits += 1;
        let Some((head, files)) = commit.split_once('\n') else { continue };
        // The oldest commit of a shallow clone lists every file as its own.
        if head.contains("grafted") {
            continue;
        }
        let day = head.get(..10).unwrap_or_default();
        for file in files.split('\0').filter(|file| wanted.contains(file)) {
            reasons.entry(file.to_owned()).or_insert_with(|| format!("its last change in git is of {day}"));
        }
    }
    if commits.to_string() == LATEST {
        for path in paths {
            reasons
                .entry((*path).to_owned())
                .or_insert_with(|| format!("none of the last {LATEST} commits has changed it"));
        }
    }
    reasons
}

impl Explain for GitError {
    fn status(&self) -> u8 {
        UNFINISHED
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn the_newest_commit_counts() {
        let log =
            "\u{1}2026-01-02 (HEAD -> main)\na.md\0other.md\0\0\u{1}2025-01-02\nb c.md\0a.md\0\0\u{1}2024-01-01\0";
        let reasons = parse(log, &["a.md", "b c.md", "d.md"]);
        let reason = |path: &str| reasons.get(path).map(String::as_str);
        assert_eq!(reason("a.md"), Some("its last change in git is of 2026-01-02"));
        assert_eq!(reason("b c.md"), Some("its last change in git is of 2025-01-02"));
        assert_eq!((reason("d.md"), reasons.len()), (None, 2));
        assert!(parse("", &["a.md"]).is_empty());
        assert!(parse("\u{1}2026-01-02 (grafted, HEAD -> main)\na.md\0\0", &["a.md"]).is_empty());
        let long = "\u{1}2026-01-02\nb.md\0\0".repeat(1000);
        assert_eq!(
            parse(&long, &["a.md"]).get("a.md").map(String::as_str),
            Some("none of the last 1000 commits has changed it")
        );
    }
}
