//! Secrets that come from files (`NAME_FILE`) are read again when the file changes, without a restart: a changed content, a
//! file that is renamed into its place, the symbolic link that Kubernetes sets to another folder.
//!
//! An inspection costs one `stat` a file, twice a second. A changed file counts once two in a row find it the same: a writer in
//! between is not read half-way. Content that does not fit is reported once, and the secret from before goes on.

use std::fs::{File, Metadata};
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, SystemTime};

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};

/// Time between two looks.
const PERIOD: Duration = Duration::from_millis(500);
/// A file that changed so recently may change again without another time of change: file systems count in milliseconds.
const UNSETTLED: Duration = Duration::from_secs(2);
/// No secret is longer.
const LIMIT: u64 = 64 * 1024;

/// A file at the start has so long: a pipe into which a command writes may take seconds.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The secret in a file, without white space around it. A pipe that nobody writes to, or a file system that does not answer,
/// holds the start up for ten seconds, and not for ever.
///
/// # Errors
/// What is wrong with the file, without anything of its content.
pub fn read(path: &Path) -> Result<SecretString, String> {
    in_time(PATIENCE, path, read_now)?
}

/// The bytes of a file that is no secret, in the same time.
///
/// # Errors
/// What is wrong with the file.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>, String> {
    in_time(PATIENCE, path, |path| std::fs::read(path).map_err(|error| error.to_string()))?
}

/// Returns the result of the work on a file, if it comes in time. A thread that takes longer stays behind.
///
/// # Errors
/// That it took longer.
pub fn in_time<T: Send + 'static>(
    patience: Duration,
    path: &Path,
    work: impl FnOnce(&Path) -> T + Send + 'static,
) -> Result<T, String> {
    let (done, result) = mpsc::sync_channel(1);
    let owned = path.to_owned();
    // The receiver may have given up.
    let work = move || drop(done.send(work(&owned)));
    std::thread::Builder::new().spawn(work).map_err(|error| error.to_string())?;
    let seconds = patience.as_secs();
    result.recv_timeout(patience).map_err(|_| format!("its content did not come in {seconds} seconds"))
}

fn read_now(path: &Path) -> Result<SecretString, String> {
    let mut content = Zeroizing::new(Vec::new());
    File::open(path).and_then(|file| file.take(LIMIT + 1).read_to_end(&mut content)).map_err(|e| e.to_string())?;
    if content.len() as u64 > LIMIT {
        return Err(format!("it is larger than {LIMIT} bytes"));
    }
    let text = std::str::from_utf8(&content).map_err(|_| "it is not UTF-8".to_owned())?;
    // Editors write a byte order mark that nobody sees.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
    if text.is_empty() { Err("it is empty".to_owned()) } else { Ok(text.to_owned().into()) }
}

/// The state of a file without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stamp {
    File {
        modified: Option<SystemTime>,
        length: u64,
        /// Device, number and time of the last change of the file itself, which nobody can set back.
        #[cfg(unix)]
        identity: (u64, u64, i64, i64),
    },
    /// A folder, or a pipe, which blocks its reader.
    NoFile,
    Unreadable(ErrorKind),
}

impl Stamp {
    fn new(path: &Path) -> Self {
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => Self::File {
                modified: metadata.modified().ok(),
                length: metadata.len(),
                #[cfg(unix)]
                identity: identity(&metadata),
            },
            Ok(_) => Self::NoFile,
            Err(error) => Self::Unreadable(error.kind()),
        }
    }

    /// Returns whether a change of the content would have changed the stamp.
    fn is_settled(&self) -> bool {
        match self {
            Self::File { modified: Some(modified), .. } => modified.elapsed().is_ok_and(|age| age > UNSETTLED),
            Self::File { modified: None, .. } => false,
            Self::NoFile | Self::Unreadable(_) => true,
        }
    }
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> (u64, u64, i64, i64) {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.dev(), metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
}

/// Takes a new secret, or says why not.
pub type Take = Box<dyn FnMut(SecretString) -> Result<(), String> + Send>;

/// The files that secrets came from, and who takes new ones.
#[derive(Default)]
pub struct SecretFiles(Vec<Watched>);

struct Watched {
    variable: &'static str,
    path: PathBuf,
    take: Take,
    /// The secret that counts.
    current: SecretString,
    stamp: Option<Stamp>,
    settled: bool,
    /// Content that was refused, so that it is reported once.
    refused: Option<String>,
}

impl SecretFiles {
    /// Follows the file of this variable. `current` is the secret that was read from it at the start.
    pub fn watch(
        &mut self,
        variable: &'static str,
        path: &Path,
        current: SecretString,
        take: impl FnMut(SecretString) -> Result<(), String> + Send + 'static,
    ) {
        // A pipe has given what it had.
        if Stamp::new(path) == Stamp::NoFile {
            return;
        }
        let (path, take) = (path.to_owned(), Box::new(take));
        self.0.push(Watched { variable, path, take, current, stamp: None, settled: false, refused: None });
    }

    /// Follows the files for as long as it is polled.
    pub async fn follow(self) {
        let mut files = self.0;
        while !files.is_empty() {
            tokio::time::sleep(PERIOD).await;
            // A file system that hangs must not hold up a thread that answers requests.
            let inspection = tokio::task::spawn_blocking(move || {
                files.iter_mut().for_each(Watched::inspect);
                files
            });
            match inspection.await {
                Ok(same) => files = same,
                Err(_) => return,
            }
        }
    }
}

impl Watched {
    fn inspect(&mut self) {
        let stamp = Stamp::new(&self.path);
        if self.stamp.as_ref() != Some(&stamp) {
            (self.stamp, self.settled) = (Some(stamp), false);
            return;
        }
        if self.settled {
            return;
        }
        self.settled = stamp.is_settled();
        let secret =
            if stamp == Stamp::NoFile { Err("it is no file any more".to_owned()) } else { read_now(&self.path) };
        let problem = match secret {
            Ok(secret) if secret.expose_secret() == self.current.expose_secret() => {
                self.refused = None;
                return;
            }
            Ok(secret) => match (self.take)(secret.clone()) {
                Ok(()) => {
                    tracing::info!("{}_FILE has changed: the new value counts from now on", self.variable);
                    (self.current, self.refused) = (secret, None);
                    return;
                }
                Err(problem) => problem,
            },
            Err(problem) => problem,
        };
        if self.refused.as_ref() != Some(&problem) {
            let path = self.path.display();
            tracing::warn!(
                "{}_FILE has changed, and the value from before goes on: the new content of {path} does not fit: {problem}",
                self.variable
            );
            self.refused = Some(problem);
        }
    }
}

impl std::fmt::Debug for SecretFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|file| (file.variable, &file.path))).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A file that is followed, and what was taken from it.
    fn followed(content: &str) -> (tempfile::TempDir, PathBuf, Watched, Arc<Mutex<Vec<String>>>) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
        std::fs::write(&path, content).expect("written");
        let taken = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&taken);
        let mut files = SecretFiles::default();
        files.watch("X", &path, read(&path).expect("a secret"), move |secret| match secret.expose_secret() {
            "bad" => Err("it is bad".to_owned()),
            good => {
                sink.lock().expect("not poisoned").push(good.to_owned());
                Ok(())
            }
        });
        (folder, path, files.0.pop().expect("followed"), taken)
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_secret() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
        std::fs::write(&path, "\u{feff}one\r\n").expect("written");
        assert_eq!(read(&path).expect("a secret").expose_secret(), "one");
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_that_nobody_writes_to_is_given_up_and_a_slow_one_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = |name: &str| {
            let path = folder.path().join(name);
            let made = std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo");
            assert!(made.success());
            path
        };
        let problem = in_time(Duration::from_secs(1), &pipe("silent"), read_now).map(drop).expect_err("nobody writes");
        assert_eq!(problem, "its content did not come in 1 seconds");
        let slow = pipe("slow");
        let writer = slow.clone();
        let writing = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(300));
            std::fs::write(writer, "one\n")
        });
        assert_eq!(read(&slow).expect("a secret").expose_secret(), "one");
        writing.join().expect("joined").expect("written");
    }

    #[test]
    fn what_changes_is_taken_once_and_only_what_fits() {
        let (_folder, path, mut watched, taken) = followed("one\n");
        let mut write = |content: &[u8]| {
            std::fs::write(&path, content).expect("written");
            (0..3).for_each(|_| watched.inspect());
            let refused = watched.refused.clone();
            (taken.lock().expect("not poisoned").clone(), refused)
        };
        assert_eq!(write(b"one"), (vec![], None), "the same secret");
        assert_eq!(write(b"two\n"), (vec!["two".to_owned()], None));
        for (bad, why) in [
            (&b" \n"[..], "it is empty"),
            (b"bad", "it is bad"),
            (b"\xff", "it is not UTF-8"),
            (&[b'x'; 65 * 1024], "it is larger than 65536 bytes"),
        ] {
            assert_eq!(write(bad), (vec!["two".to_owned()], Some(why.to_owned())));
        }
        assert_eq!(write(b"three").0, ["two", "three"]);
    }

    #[test]
    fn a_change_of_the_same_length_at_the_same_time_is_seen() {
        let (_folder, path, mut watched, taken) = followed("one");
        for content in ["aaa", "bbb", "ccc"] {
            std::fs::write(&path, content).expect("written");
            let file = File::options().write(true).open(&path).expect("opened");
            file.set_modified(SystemTime::now()).expect("set");
            (0..3).for_each(|_| watched.inspect());
            assert_eq!(taken.lock().expect("not poisoned").last().map(String::as_str), Some(content));
        }
    }

    #[test]
    fn a_file_that_is_gone_for_a_while_changes_nothing() {
        let (_folder, path, mut watched, taken) = followed("one");
        std::fs::remove_file(&path).expect("removed");
        (0..3).for_each(|_| watched.inspect());
        assert!(watched.refused.is_some() && taken.lock().expect("not poisoned").is_empty());
        std::fs::write(&path, "two").expect("written");
        (0..3).for_each(|_| watched.inspect());
        assert_eq!(*taken.lock().expect("not poisoned"), ["two"]);
    }
}
