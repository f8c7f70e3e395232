//! A secret that the store logs in with: a text, or a file that is read when it is needed.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use zeroize::Zeroizing;

/// No token that a platform makes is longer.
const LIMIT: usize = 64 * 1024;

/// Where a secret comes from.
#[derive(Clone)]
#[non_exhaustive]
pub enum SecretSource {
    /// It is this one.
    Text(SecretString),
    /// It is what the file holds, without white space around it: read at each login, as platforms renew such files.
    File(PathBuf),
}

impl SecretSource {
    /// The secret as it is now.
    ///
    /// # Errors
    /// What is wrong with the file, without anything of its content.
    pub(super) async fn read(&self) -> Result<SecretString, String> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::File(path) => {
                let path = path.clone();
                // A file system that does not answer must hold nobody up.
                let read = tokio::task::spawn_blocking(move || {
                    read(&path).map_err(|problem| format!("the file {}: {problem}", path.display()))
                });
                read.await.unwrap_or_else(|_| Err("the file could not be read".to_owned()))
            }
        }
    }
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("[REDACTED]"),
            Self::File(path) => fmt::Debug::fmt(path, f),
        }
    }
}

fn read(path: &Path) -> Result<SecretString, String> {
    // To open a pipe can block for ever.
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("it is no regular file".to_owned());
    }
    let mut content = Zeroizing::new(Vec::with_capacity(LIMIT + 1));
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(LIMIT as u64 + 1).read_to_end(&mut content).map_err(|error| error.to_string())?;
    if content.len() > LIMIT {
        return Err(format!("it is larger than {LIMIT} bytes"));
    }
    let text = std::str::from_utf8(&content).map_err(|_| "it is not UTF-8".to_owned())?.trim();
    if text.is_empty() { Err("it is empty".to_owned()) } else { Ok(text.into()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use secrecy::ExposeSecret as _;

    use super::*;

    #[tokio::test]
    async fn a_file_is_read_each_time_and_what_is_wrong_is_said_without_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let source = SecretSource::File(path.clone());
        let text = || async { source.read().await.map(|secret| secret.expose_secret().to_owned()) };
        assert!(text().await.unwrap_err().contains("No such file"));
        for secret in ["one", "two"] {
            std::fs::write(&path, format!(" {secret}\n")).unwrap();
            assert_eq!(text().await.as_deref(), Ok(secret));
        }
        for (content, problem) in
            [(vec![b' '], "it is empty"), (vec![0xff, b's'], "it is not UTF-8"), (vec![b'x'; LIMIT + 1], "larger than")]
        {
            std::fs::write(&path, content).unwrap();
            assert!(text().await.unwrap_err().contains(problem));
        }
        let folder = SecretSource::File(folder.path().to_owned());
        assert!(folder.read().await.unwrap_err().contains("no regular file"));
        assert_eq!(format!("{:?}", SecretSource::Text("secret".into())), "[REDACTED]");
    }
}
