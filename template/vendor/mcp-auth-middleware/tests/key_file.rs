//! The key in a file: made once, refused where it is not safe or not whole, and one only however many start at once.

#![cfg(all(feature = "encryption", unix))]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::HashSet;
use std::fs::{self, File, Permissions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Barrier, Mutex};

use mcp_auth_middleware::encryption::{EncryptionKey, KeyFileError};
use tempfile::TempDir;
use tracing::field::Field;
use tracing::span;

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="; // pragma: allowlist secret
/// Nobody in particular.
const ANOTHER_USER: u32 = 65_533;

/// A folder that goes when the test ends.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A file as an operator may have put it there.
    fn file(&self, name: &str, content: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn load(path: &Path) -> Result<EncryptionKey, KeyFileError> {
    EncryptionKey::load_or_create(path)
}

fn we_are_root() -> bool {
    tempfile::tempfile().unwrap().metadata().unwrap().uid() == 0
}

/// The error for this path, after which everything is as it was.
fn refused(path: &Path) -> KeyFileError {
    let state =
        || (fs::symlink_metadata(path).ok().map(|m| (m.ino(), m.mode(), m.uid(), m.len())), fs::read(path).ok());
    let before = state();
    let error = load(path).unwrap_err();
    assert_eq!(state(), before, "{error}");
    let text = error.to_string();
    assert!(text.starts_with(&format!("encryption key file {}: ", path.display())), "{text}");
    error
}

// What works.

#[test]
fn the_first_start_makes_a_key_and_the_second_reads_it() {
    let folder = Folder::new();
    let path = folder.path("key");
    let first = load(&path).unwrap();
    let (content, metadata) = (fs::read_to_string(&path).unwrap(), fs::symlink_metadata(&path).unwrap());
    assert!(metadata.is_file());
    assert_eq!(metadata.mode() & 0o7777, 0o600);
    assert_eq!(metadata.nlink(), 1, "no second name is left");
    assert_eq!((content.len(), content.lines().count(), content.ends_with("=\n")), (45, 1, true));
    assert_eq!(EncryptionKey::parse(&content).unwrap(), first);

    assert_eq!(load(&path).unwrap(), first);
    assert_eq!(fs::read_to_string(&path).unwrap(), content);
    assert_eq!(fs::symlink_metadata(&path).unwrap().ino(), metadata.ino());
    assert_eq!(folder.names(), ["key"]);

    assert_ne!(load(&folder.path("another")).unwrap(), first);
}

#[test]
fn a_key_that_somebody_brought_is_taken() {
    let folder = Folder::new();
    let expected = EncryptionKey::parse(KEY).unwrap();
    let hex: String = (0..32).map(|byte| format!("{byte:02x}")).collect();
    let url_safe = KEY.trim_end_matches('=');
    for content in [format!("{KEY}\n"), KEY.to_owned(), format!("{KEY}\r\n"), format!(" {url_safe}\n\n"), hex] {
        for mode in [0o600, 0o400, 0o700] {
            let path = folder.file(&format!("{mode:o}"), &content, mode);
            assert_eq!(load(&path).unwrap(), expected, "{content:?} {mode:o}");
            fs::remove_file(path).unwrap();
        }
    }
}

// attacks.md 41: refused with the reason, and never overwritten.

#[test]
fn attack_41_empty() {
    let folder = Folder::new();
    let error = refused(&folder.file("key", "", 0o600));
    assert!(matches!(error, KeyFileError::Empty { .. }));
    assert!(error.to_string().contains("it is empty") && error.to_string().contains("restore it"), "{error}");
}

/// At every length at which a crash can cut the line off.
#[test]
fn attack_41_half_written() {
    let folder = Folder::new();
    for length in 1..KEY.len() - 1 {
        let error = refused(&folder.file("key", &KEY[..length], 0o600));
        assert!(matches!(error, KeyFileError::Content { .. }), "{length}: {error}");
        assert!(error.to_string().contains("half-written or damaged"), "{error}");
        assert!(!error.to_string().contains("openssl"), "a new key would make tokens unreadable: {error}");
    }
    let hex = "0123456789abcdef".repeat(4);
    for length in 1..hex.len() {
        let error = refused(&folder.file("key", &hex[..length], 0o600));
        assert!(error.to_string().contains(&format!("has {length} hexadecimal digits where 64 are needed")), "{error}");
    }
    // As a file system leaves a file whose size was written and whose content was not.
    assert!(refused(&folder.file("key", [0; 45], 0o600)).to_string().contains("neither base64 nor"));
}

#[test]
fn attack_41_something_else_in_it() {
    let folder = Folder::new();
    let two = format!("{KEY}\n{KEY}\n");
    let comment = format!("# the key\n{KEY}\n");
    let setting = format!("MCP_AUTH_ENCRYPTION_KEY={KEY}\n");
    for (content, problem) in [
        ("not a key\n".as_bytes(), "is neither base64 nor hexadecimal digits"),
        (b"\n", "is empty"),
        (&[0xff, 0xfe, 0x00], "is neither base64 nor hexadecimal digits"),
        (two.as_bytes(), "is neither base64 nor hexadecimal digits"),
        (comment.as_bytes(), "is neither base64 nor hexadecimal digits"),
        (setting.as_bytes(), "is neither base64 nor hexadecimal digits"),
        (b"c2hvcnQ=", "has 5 bytes where 32 are needed"),
        (b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "is a placeholder"),
    ] {
        let error = refused(&folder.file("key", content, 0o600));
        assert!(matches!(error, KeyFileError::Content { .. }), "{error}");
        assert!(error.to_string().contains(problem), "{error}");
        assert!(std::error::Error::source(&error).is_some());
    }
}

/// A key with a gigabyte behind it is not read to its end, nor taken for the key.
#[test]
fn attack_41_a_large_file() {
    let folder = Folder::new();
    let path = folder.file("key", format!("{KEY}{}", "\n".repeat(2000)), 0o600);
    assert!(matches!(refused(&path), KeyFileError::Content { .. }));
    let file = File::options().write(true).open(&path).unwrap();
    file.set_len(1 << 30).unwrap();
    assert!(matches!(load(&path), Err(KeyFileError::Content { .. })));
}

#[test]
fn attack_41_others_have_access() {
    let folder = Folder::new();
    for mode in [0o644, 0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o666, 0o777, 0o440] {
        let path = folder.file("key", KEY, mode);
        let error = refused(&path);
        assert!(matches!(error, KeyFileError::Mode { mode: found, .. } if found == mode), "{error}");
        let text = error.to_string();
        assert!(text.contains(&format!("(mode {mode:04o})")), "{text}");
        assert!(text.contains(&format!("`chmod 600 {}`", path.display())), "{text}");
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn attack_41_a_symbolic_link() {
    let folder = Folder::new();
    let target = folder.file("target", KEY, 0o600);
    let link = folder.path("key");
    for to in [target, folder.path("missing"), PathBuf::from("/dev/null"), link.clone()] {
        symlink(&to, &link).unwrap();
        let error = refused(&link);
        assert!(matches!(error, KeyFileError::NotAFile { kind: "a symbolic link", .. }), "{error}");
        fs::remove_file(&link).unwrap();
    }
    assert_eq!(folder.names(), ["target"], "nothing was made where a link led to");
}

#[test]
fn attack_41_no_file() {
    let folder = Folder::new();
    let socket = folder.path("socket");
    let _listener = UnixListener::bind(&socket).unwrap();
    for (path, what) in [
        (folder.0.path(), "a folder"),
        (Path::new("/"), "a folder"),
        (Path::new("/dev/null"), "a device, pipe or socket"),
        (&socket, "a device, pipe or socket"),
    ] {
        let error = load(path).unwrap_err();
        assert!(matches!(error, KeyFileError::NotAFile { kind, .. } if kind == what), "{error}");
        assert!(error.to_string().contains(what), "{error}");
    }
    assert_eq!(folder.names(), ["socket"]);
}

#[test]
fn attack_41_no_place_for_a_file() {
    let folder = Folder::new();
    let file = folder.file("file", "", 0o600);
    let missing = folder.path("missing/key");
    let unnamed = folder.path("key/");
    let long = folder.path(&"k".repeat(300));
    for (path, created) in
        [(&missing, true), (&unnamed, true), (&file.join("key"), false), (&long, false), (&PathBuf::new(), true)]
    {
        let error = refused(path);
        assert_eq!(matches!(error, KeyFileError::Create { .. }), created, "{error}");
        assert_eq!(matches!(error, KeyFileError::Read { .. }), !created, "{error}");
        assert!(std::error::Error::source(&error).is_some_and(|source| source.is::<io::Error>()));
        assert_eq!(error.to_string().contains("its folder must exist, be readable and writable"), created, "{error}");
        assert_eq!(folder.names(), ["file"], "{error}");
    }
}

/// As an unprivileged user, since nothing is unwritable to root.
#[test]
fn attack_41_an_unwritable_folder_and_an_unreadable_file() {
    let folder = Folder::new();
    fs::set_permissions(folder.0.path(), Permissions::from_mode(0o755)).unwrap();
    let file = folder.file("file", KEY, if we_are_root() { 0o600 } else { 0o000 });
    let mine = folder.file("mine", KEY, 0o600);
    if we_are_root() {
        chown(&mine, Some(ANOTHER_USER), None).unwrap();
    }
    fs::set_permissions(folder.0.path(), Permissions::from_mode(0o555)).unwrap();
    let mut server = Server::start(we_are_root().then_some(ANOTHER_USER), folder.0.path());
    let created = server.ask(&folder.path("key"));
    let read = server.ask(&file);
    let own = server.ask(&mine);
    fs::set_permissions(folder.0.path(), Permissions::from_mode(0o755)).unwrap();
    // A folder whose names cannot be made durable, as it cannot be opened.
    let closed = folder.path("closed");
    fs::create_dir(&closed).unwrap();
    if we_are_root() {
        chown(&closed, Some(ANOTHER_USER), None).unwrap();
    }
    fs::set_permissions(&closed, Permissions::from_mode(0o300)).unwrap();
    let unopened = server.ask(&closed.join("key"));
    fs::set_permissions(&closed, Permissions::from_mode(0o700)).unwrap();
    assert!(unopened.contains("/key: cannot be created: Permission denied"), "{unopened}");
    assert_eq!(fs::read_dir(&closed).unwrap().count(), 0);
    assert!(created.contains("/key: cannot be created: Permission denied"), "{created}");
    assert!(read.contains("/file: cannot be read: Permission denied"), "{read}");
    assert_eq!(own, EncryptionKey::parse(KEY).unwrap().id().to_string());
    assert_eq!(folder.names(), ["closed", "file", "mine"]);
}

/// Only root can give a file away, and only root can read it then; for other users the unit tests have the rule.
#[test]
fn attack_41_of_another_user() {
    let folder = Folder::new();
    let path = folder.file("key", KEY, 0o600);
    if !we_are_root() {
        assert!(load(&path).is_ok());
        return;
    }
    chown(&path, Some(ANOTHER_USER), None).unwrap();
    let error = refused(&path);
    assert!(matches!(error, KeyFileError::Owner { owner: ANOTHER_USER, .. }), "{error}");
    assert!(error.to_string().contains("belongs to user 65533"), "{error}");
    chown(&path, Some(0), None).unwrap();
    assert!(load(&path).is_ok());
}

/// `MCP_AUTH_KEY_FILE=key`.
#[test]
fn a_path_without_a_folder_is_in_the_current_one() {
    let folder = Folder::new();
    let mut server = Server::start(None, folder.0.path());
    let id = server.ask(Path::new("key"));
    assert_eq!(id, load(&folder.path("key")).unwrap().id().to_string());
    assert_eq!(folder.names(), ["key"]);
}

/// attacks.md 50: a new key is reported once, by its id.
#[test]
fn attack_50_the_log_names_a_new_key_and_does_not_hold_it() {
    let folder = Folder::new();
    let path = folder.path("key");
    let log = Log::default();
    let (first, second) = tracing::subscriber::with_default(log.clone(), || (load(&path).unwrap(), load(&path)));
    assert_eq!(second.unwrap(), first);
    let (said, content) = (log.0.lock().unwrap().clone(), fs::read_to_string(&path).unwrap());
    assert_eq!(said, [format!("message=encryption key made key_id={} file={} ", first.id(), path.display())]);
    assert!(!said[0].contains(content.trim_end()));
}

/// Takes down what is said, at every level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Log {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = String::new();
        event.record(&mut |field: &Field, value: &dyn std::fmt::Debug| {
            line.push_str(&format!("{}={value:?} ", field.name()));
        });
        self.0.lock().unwrap().push(line);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

// attacks.md 42: however many start at once, there is one key.

#[test]
fn attack_42_processes_that_start_at_once_have_one_key() {
    const ROUNDS: usize = 1_000;
    let folder = Folder::new();
    let mut servers: Vec<_> = (0..4).map(|_| Server::start(None, folder.0.path())).collect();
    let mut keys = HashSet::new();
    for round in 0..ROUNDS {
        let path = folder.path("key");
        // One after the other gets the word first, so that not always the same one is ahead.
        servers.rotate_left(1);
        servers.iter_mut().for_each(|server| server.tell(&path));
        let answers: HashSet<_> = servers.iter_mut().map(Server::answer).collect();
        assert_eq!(answers.len(), 1, "round {round}: {answers:?}");
        assert_eq!(folder.names(), ["key"], "round {round}");
        assert_eq!(answers, HashSet::from([load(&path).unwrap().id().to_string()]), "round {round}");
        keys.extend(answers);
        fs::remove_file(path).unwrap();
    }
    assert_eq!(keys.len(), ROUNDS, "each round made a key of its own");
}

#[test]
fn attack_42_threads_that_start_at_once_have_one_key() {
    const ROUNDS: usize = 200;
    const THREADS: usize = 8;
    let folder = Folder::new();
    let barrier = Barrier::new(THREADS);
    let ids: Vec<Vec<_>> = std::thread::scope(|scope| {
        let start = |_| {
            scope.spawn(|| {
                let round = |round: usize| {
                    barrier.wait();
                    load(&folder.path(&round.to_string())).map(|key| key.id()).map_err(|error| error.to_string())
                };
                (0..ROUNDS).map(round).collect::<Vec<_>>()
            })
        };
        let threads: Vec<_> = (0..THREADS).map(start).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for round in 0..ROUNDS {
        let id = load(&folder.path(&round.to_string())).unwrap().id();
        assert!(ids.iter().all(|of_thread| of_thread[round] == Ok(id)), "round {round}");
    }
    assert_eq!(folder.names().len(), ROUNDS, "no temporary file is left");
}

// Another process that asks for its key: this program again, in the test that follows.

const AS_SERVER: &str = "MCP_TEST_KEY_FILE_SERVER";
/// Tells the answers from what the test runner prints.
const MARK: &str = "key file: ";

/// In the process of a [`Server`]: reads paths, and answers with the id of the key or with the error.
#[test]
fn a_server_answers_with_the_id_of_its_key() {
    if std::env::var_os(AS_SERVER).is_none() {
        let folder = Folder::new();
        let mut server = Server::start(None, folder.0.path());
        let path = folder.path("key");
        assert_eq!(server.ask(&path), load(&path).unwrap().id().to_string());
        return;
    }
    let mut out = io::stdout();
    writeln!(out, "\n{MARK}ready").unwrap();
    for line in io::stdin().lines() {
        let answer = load(Path::new(&line.unwrap())).map_or_else(|error| error.to_string(), |key| key.id().to_string());
        writeln!(out, "{MARK}{answer}").unwrap();
    }
}

struct Server {
    process: Child,
    paths: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Server {
    fn start(user: Option<u32>, folder: &Path) -> Self {
        // By this name rather than by its path, to which another user may have no access.
        let program =
            if cfg!(target_os = "linux") { "/proc/self/exe".into() } else { std::env::current_exe().unwrap() };
        let mut command = Command::new(program);
        command.args(["--exact", "a_server_answers_with_the_id_of_its_key", "--nocapture"]);
        command.env(AS_SERVER, "1").current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(user) = user {
            command.uid(user).gid(user);
        }
        let mut process = command.spawn().unwrap();
        let (paths, answers) = (process.stdin.take(), BufReader::new(process.stdout.take().unwrap()));
        let mut server = Self { process, paths, answers };
        assert_eq!(server.answer(), "ready");
        server
    }

    fn ask(&mut self, path: &Path) -> String {
        self.tell(path);
        self.answer()
    }

    fn tell(&mut self, path: &Path) {
        writeln!(self.paths.as_mut().unwrap(), "{}", path.display()).unwrap();
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert_ne!(self.answers.read_line(&mut line).unwrap(), 0, "the process has ended");
            if let Some(answer) = line.strip_prefix(MARK) {
                return answer.trim_end().to_owned();
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The end of its input is the end of its work.
        drop(self.paths.take());
        let _ = self.process.wait();
    }
}
