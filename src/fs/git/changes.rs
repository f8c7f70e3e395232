//! A commit → what differs between it and the work tree, with the texts that the commit had. Three processes, whatever the size of the
//! repository: `git diff` for the paths, `git ls-files` for what is tracked, `git cat-file` for the texts.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::Stdio;
use std::thread;

use rustc_hash::FxHashSet;

use super::{GitError, command};

/// The kind of a path in git.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GitMode {
    /// A file.
    File,
    /// A symbolic link, whose text is where it leads.
    Link,
    /// A commit of another repository.
    Submodule,
}

/// A path on one side of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// Relative to the root.
    pub path: Box<[u8]>,
    /// The kind.
    pub mode: GitMode,
    /// The id of its text.
    id: String,
}

/// A path that differs. A file that was renamed has both sides, with two paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitChange {
    /// In the commit.
    pub before: Option<Side>,
    /// In the work tree.
    pub after: Option<Side>,
}

/// The entries of git's index below a root.
#[derive(Clone, Debug, Default)]
pub struct GitIndex {
    /// The files.
    pub files: FxHashSet<Box<[u8]>>,
    /// Those of them that are symbolic links.
    pub links: Vec<Box<[u8]>>,
    /// Those of them that are other repositories.
    pub submodules: Vec<Box<[u8]>>,
}

/// Returns the paths below `root` that differ between `commit` and the work tree, uncommitted changes included. Files that git does not
/// track are not among them.
///
/// # Errors
/// When git fails.
pub fn since(root: &Path, commit: &str) -> Result<Vec<GitChange>, GitError> {
    // The user's configuration of `git diff` must not change the answer.
    let options = ["--raw", "-z", "--no-abbrev", "--relative", "--find-renames", "--no-ext-diff", "--no-textconv"];
    let arguments = [&["diff"], &options[..], &["--ignore-submodules=dirty", commit, "--"]].concat();
    Ok(parse(&output(root, &arguments)?))
}

/// Returns what git's index has below `root`.
///
/// # Errors
/// When git fails.
pub fn index(root: &Path) -> Result<GitIndex, GitError> {
    let mut index = GitIndex::default();
    for line in output(root, &["ls-files", "--stage", "-z"])?.split(|byte| *byte == 0) {
        // `MODE ID STAGE\tPATH`
        let Some(tab) = memchr::memchr(b'\t', line) else { continue };
        let path = &line[tab + 1..];
        match mode(&line[..tab]) {
            Some(GitMode::Link) => index.links.push(path.into()),
            Some(GitMode::Submodule) => index.submodules.push(path.into()),
            _ => {}
        }
        index.files.insert(path.into());
    }
    Ok(index)
}

/// Returns the texts of these sides, in their order.
///
/// # Errors
/// When git fails or lacks one of them.
pub fn texts(root: &Path, sides: &[&Side]) -> Result<Vec<Vec<u8>>, GitError> {
    if sides.is_empty() {
        return Ok(Vec::new());
    }
    let mut git = command(root, &["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed(&error))?;
    let (stdin, stdout) = (git.stdin.take(), git.stdout.take());
    let (Some(mut stdin), Some(stdout)) = (stdin, stdout) else { return Err(GitError("no pipe".to_owned())) };
    let mut out = BufReader::with_capacity(1 << 16, stdout);
    let read = thread::scope(|scope| {
        // Git answers while it is asked: neither waits until the other's pipe is full.
        scope.spawn(move || {
            let request: String = sides.iter().flat_map(|side| [side.id.as_str(), "\n"]).collect();
            let _ = stdin.write_all(request.as_bytes());
        });
        sides.iter().map(|side| text(&mut out, side)).collect::<Result<Vec<_>, _>>()
    });
    drop(out);
    if read.is_err() {
        let _ = git.kill();
    }
    let _ = git.wait();
    read
}

/// Reads one answer: `ID TYPE SIZE\nTEXT\n`, or `ID missing\n`.
fn text(out: &mut impl io::BufRead, side: &Side) -> Result<Vec<u8>, GitError> {
    let mut head = Vec::new();
    out.take(256).read_until(b'\n', &mut head).map_err(|error| failed(&error))?;
    let head = String::from_utf8_lossy(&head);
    let size = match head.trim_end().rsplit_once(' ') {
        Some((kind, size)) if kind.ends_with(" blob") => size.parse::<u64>().ok(),
        _ => None,
    };
    let Some(size) = size else {
        let path = crate::text::path::display_path(&side.path);
        return Err(GitError(format!("it lacks the text that {path} had ({})", side.id)));
    };
    let mut text = Vec::new();
    out.take(size).read_to_end(&mut text).map_err(|error| failed(&error))?;
    let mut end = [0];
    out.read_exact(&mut end).map_err(|error| failed(&error))?;
    Ok(text)
}

fn output(root: &Path, arguments: &[&str]) -> Result<Vec<u8>, GitError> {
    let output = command(root, arguments).output().map_err(|error| failed(&error))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(GitError(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}

fn failed(error: &io::Error) -> GitError {
    GitError(error.to_string())
}

/// The mode that a record begins with.
fn mode(record: &[u8]) -> Option<GitMode> {
    match record.get(..6)? {
        b"120000" => Some(GitMode::Link),
        b"160000" => Some(GitMode::Submodule),
        mode if mode.starts_with(b"100") => Some(GitMode::File),
        _ => None,
    }
}

/// Parses `:OLD-MODE NEW-MODE OLD-ID NEW-ID STATUS\0PATH\0`, with a second path for renames and copies.
fn parse(raw: &[u8]) -> Vec<GitChange> {
    let mut changes = Vec::new();
    let mut parts = raw.split(|byte| *byte == 0);
    while let Some(head) = parts.next().and_then(|part| part.strip_prefix(b":")) {
        let Some(path) = parts.next() else { break };
        let fields: Vec<&[u8]> = head.split(|byte| *byte == b' ').collect();
        let [old_mode, new_mode, old_id, new_id, status] = fields[..] else { break };
        let renamed = match status.first() {
            Some(b'R' | b'C') => parts.next(),
            _ => None,
        };
        let side = |field: &[u8], path: &[u8], id: &[u8]| {
            let id = String::from_utf8_lossy(id).into_owned();
            mode(field).map(|mode| Side { path: path.into(), mode, id })
        };
        // A file that is in conflict stands there twice, once without sides.
        let copied = status.first() == Some(&b'C');
        let before = if copied { None } else { side(old_mode, path, old_id) };
        let change = GitChange { before, after: side(new_mode, renamed.unwrap_or(path), new_id) };
        if change.before.is_some() || change.after.is_some() {
            changes.push(change);
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_every_kind() {
        let id = |c: &str| c.repeat(40);
        let (a, b, none) = (id("a"), id("b"), id("0"));
        let raw = [
            format!(":100644 100755 {a} {none} M\0a b\tc.md\0"),
            format!(":000000 100644 {none} {b} A\0new.md\0"),
            format!(":120000 000000 {a} {none} D\0link\0"),
            format!(":100644 100644 {a} {b} R086\0old.md\0docs/moved.md\0"),
            format!(":100644 100644 {a} {b} C100\0from.md\0copy.md\0"),
            format!(":160000 160000 {a} {none} M\0module\0"),
            format!(":000000 000000 {none} {none} U\0conflict.md\0"),
            format!(":100644 120000 {a} {b} T\0typed\0"),
        ];
        let lines: Vec<String> = parse(raw.concat().as_bytes())
            .iter()
            .map(|change| {
                let side = |side: &Option<Side>| {
                    side.as_ref().map(|side| (String::from_utf8_lossy(&side.path).into_owned(), side.mode))
                };
                format!("{:?} {:?}", side(&change.before), side(&change.after))
            })
            .collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        Some(("a b\tc.md", File)) Some(("a b\tc.md", File))
        None Some(("new.md", File))
        Some(("link", Link)) None
        Some(("old.md", File)) Some(("docs/moved.md", File))
        None Some(("copy.md", File))
        Some(("module", Submodule)) Some(("module", Submodule))
        Some(("typed", File)) Some(("typed", Link))
        "#);
        assert_eq!(parse(b""), []);
        assert_eq!(parse(b":100644"), []);
    }
}
