//! A secret that the store logs in with: a text, or a file that is read when it is needed.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

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
                let read = one_at_a_time(path, read).await;
                read.map_err(|problem| format!("the file {}: {problem}", path.display()))
            }
        }
    }
}

/// Does this with a file, for one caller at a time. A file system that does not answer must hold nobody up; and each attempt
/// would leave a thread behind, until there are none for what else may block.
async fn one_at_a_time<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce(&Path) -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    type Locks = HashMap<PathBuf, Arc<tokio::sync::Mutex<()>>>;
    /// As many as the configuration names.
    static FILES: LazyLock<Mutex<Locks>> = LazyLock::new(Mutex::default);
    let path = path.to_owned();
    let file = Arc::clone(FILES.lock().unwrap_or_else(PoisonError::into_inner).entry(path.clone()).or_default());
    let held = file.lock_owned().await;
    let done = tokio::task::spawn_blocking(move || {
        let done = work(&path);
        drop(held);
        done
    });
    done.await.unwrap_or_else(|_| Err("it could not be read".to_owned()))
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
    let text = std::str::from_utf8(&content).map_err(|_| "it is not UTF-8".to_owned())?;
    // Editors write a byte order mark that nobody sees.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
    if text.is_empty() { Err("it is empty".to_owned()) } else { Ok(text.into()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use secrecy::ExposeSecret as _;

    use super::*;

    #[tokio::test]
    async fn a_file_that_hangs_holds_one_thread() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        static BEGUN: AtomicUsize = AtomicUsize::new(0);
        let (answer, hang) = std::sync::mpsc::channel::<()>();
        let hang = Arc::new(Mutex::new(hang));
        let begin = |name: &'static str| {
            let hang = Arc::clone(&hang);
            one_at_a_time(Path::new(name), move |path| {
                if path == Path::new("/hanging") {
                    BEGUN.fetch_add(1, Ordering::SeqCst);
                    hang.lock().unwrap().recv().map_err(|error| error.to_string())?;
                }
                Ok(path.to_owned())
            })
        };
        for _ in 0..5 {
            let read = tokio::time::timeout(std::time::Duration::from_millis(50), begin("/hanging")).await;
            assert!(read.is_err());
        }
        assert_eq!(BEGUN.load(Ordering::SeqCst), 1);
        assert_eq!(begin("/other").await, Ok("/other".into()));
        // The file system is back, for the one that hangs and for the next.
        answer.send(()).unwrap();
        answer.send(()).unwrap();
        assert_eq!(begin("/hanging").await, Ok("/hanging".into()));
    }

    #[tokio::test]
    async fn a_file_is_read_each_time_and_what_is_wrong_is_said_without_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let source = SecretSource::File(path.clone());
        let text = || async { source.read().await.map(|secret| secret.expose_secret().to_owned()) };
        assert!(text().await.unwrap_err().contains("No such file"));
        for (secret, mark) in [("one", ""), ("two", ""), ("three", "\u{feff}")] {
            std::fs::write(&path, format!("{mark} {secret}\n")).unwrap();
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
