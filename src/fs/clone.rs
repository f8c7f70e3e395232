//! Clones a git repository for the moment.

use std::borrow::Cow;
use std::process::{Command, Stdio};

use super::repository::ELSEWHERE;
use super::scratch::Scratch;
use crate::error::{Explain, UNFINISHED};

/// The reason that there is no clone.
#[derive(Debug, thiserror::Error)]
pub enum CloneError {
    /// git is not installed.
    #[error("git is not installed, and {0} is a git address")]
    NoGit(String),
    /// git does not get it.
    #[error("git cannot clone {address}: {reason}")]
    Refused {
        /// The address, without secrets.
        address: String,
        /// The line of git, or of ssh, that says why.
        reason: String,
    },
    /// There is no place for it.
    #[error("cannot make a folder for the clone: {0}")]
    Folder(std::io::Error),
}

/// Returns whether the text is an address of git over a channel that proves who answers: https, ssh, or this machine.
#[must_use]
pub fn is_address(text: &str) -> bool {
    let by_scheme = ["https://", "ssh://", "file://"].iter().any(|scheme| text.starts_with(scheme));
    // git@host:owner/name
    let by_ssh = text.split_once(':').is_some_and(|(host, path)| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._@".contains(c);
        host.contains('@')
            && host.chars().all(plain)
            && host.starts_with(|c: char| c.is_ascii_alphanumeric())
            && !path.starts_with('/')
    });
    (by_scheme || by_ssh) && !text.chars().any(char::is_control)
}

/// Returns the address as it may be printed and recorded: without a password, and without the name of https, which can be a token.
#[must_use]
pub fn without_secrets(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let Some((name, host)) = authority.rsplit_once('@') else { return address.to_owned() };
    let name = match name.split(':').next() {
        Some(name) if scheme == "ssh" && !name.is_empty() => format!("{name}@"),
        _ => String::new(),
    };
    format!("{scheme}://{name}{host}{path}")
}

/// Clones the newest commit of an address; `#` in it names a branch or a tag. No hook runs, no submodule is fetched, and git asks
/// for no password.
///
/// # Errors
/// When git does not get it.
pub fn shallow(address: &str) -> Result<Scratch, CloneError> {
    let scratch = Scratch::new().map_err(CloneError::Folder)?;
    let (url, reference) = address.split_once('#').map_or((address, None), |(url, reference)| (url, Some(reference)));
    let mut git = Command::new("git");
    git.args(["-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never", "-c", "core.symlinks=true"]);
    git.args(["clone", "--quiet", "--depth", "1", "--no-recurse-submodules", "--single-branch"]);
    if let Some(reference) = reference {
        git.arg(format!("--branch={reference}"));
    }
    git.arg("--").arg(url).arg(scratch.path());
    git.env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C").env("GIT_LFS_SKIP_SMUDGE", "1").stdin(Stdio::null());
    for variable in ELSEWHERE {
        git.env_remove(variable);
    }
    let output = git.output().map_err(|_| CloneError::NoGit(without_secrets(address)))?;
    if output.status.success() {
        return Ok(scratch);
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let reason = crate::text::escape::escape_control(reason(&text)).into_owned();
    Err(CloneError::Refused { address: without_secrets(address), reason })
}

/// Returns the line of git's messages that has the reason. Where the connection is ssh's, ssh gives it in the line before git's own.
fn reason(text: &str) -> &str {
    let mut before = None;
    for line in text.lines().map(str::trim) {
        match (line.strip_prefix("fatal: "), before) {
            (Some("Could not read from remote repository."), Some(ssh)) => return ssh,
            (Some(reason), _) => return reason,
            (None, _) => before = Some(line),
        }
    }
    "it says no more"
}

impl Explain for CloneError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        let hint = match self {
            Self::NoGit(_) => "install git, or give a folder",
            Self::Refused { .. } => {
                "check the address, the branch behind #, and that git may read it without asking for a password"
            }
            Self::Folder(_) => "TMPDIR names a folder that you may write to",
        };
        Some(hint.into())
    }

    fn status(&self) -> u8 {
        UNFINISHED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_of_an_address_is_printed_or_recorded() {
        for (address, plain) in [
            ("https://a.example/x.git#v1", "https://a.example/x.git#v1"),
            ("https://me:hush@a.example/x.git#v1", "https://a.example/x.git#v1"), // pragma: allowlist secret
            ("https://hush@a.example/x.git", "https://a.example/x.git"),
            ("https://me:hu@sh@a.example", "https://a.example"), // pragma: allowlist secret
            ("file://me:hush@localhost/srv/x", "file://localhost/srv/x"), // pragma: allowlist secret
            ("ssh://git:hush@a.example/x", "ssh://git@a.example/x"), // pragma: allowlist secret
            ("git@a.example:o/x.git", "git@a.example:o/x.git"),
            ("../x", "../x"),
        ] {
            assert_eq!(without_secrets(address), plain);
        }
    }

    #[test]
    fn the_reason_is_the_line_that_has_it() {
        let ssh = "ssh: Could not resolve hostname a.example: Name or service not known\nfatal: Could not read from remote repository.\n\nPlease make sure\n";
        assert_eq!(reason(ssh), "ssh: Could not resolve hostname a.example: Name or service not known");
        assert_eq!(reason("fatal: Could not read from remote repository.\n"), "Could not read from remote repository.");
        assert_eq!(reason("warning: x\nfatal: repository 'y' not found\n"), "repository 'y' not found");
        assert_eq!(reason(""), "it says no more");
    }

    #[test]
    fn addresses_of_git() {
        for good in ["https://a.example/x.git", "ssh://git@a.example/x", "git@a.example:o/x.git", "file:///srv/x#v1"] {
            assert!(is_address(good), "{good}");
        }
        for bad in
            ["http://a.example/x", "git://a.example/x", "ext::sh -c x", "gh:o/x", "../x", "C:/x", "-u@x:y", "a@b:/x\n"]
        {
            assert!(!is_address(bad), "{bad}");
        }
    }
}
