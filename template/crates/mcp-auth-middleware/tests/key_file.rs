//! The file that keeps the encryption key (attacks.md 41 and 42).
#![cfg(all(unix, feature = "encryption"))]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Barrier;

use mcp_auth_middleware::encryption::{EncryptionKey, KeyFileError};
use tempfile::TempDir;

const CHILD: &str = "MCP_AUTH_TEST_KEY_FILE";

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    (folder, path)
}

fn write(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn refusal(path: &Path) -> String {
    let error = EncryptionKey::load_or_create(path).expect_err("refused").to_string();
    assert!(error.starts_with(&path.display().to_string()), "{error}");
    error
}

#[test]
fn a_key_is_made_once_and_read_from_then_on() {
    let (folder, path) = place();
    let made = EncryptionKey::load_or_create(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(EncryptionKey::load_or_create(&path).unwrap().id(), made.id());
    assert_eq!(EncryptionKey::parse(&text).unwrap().id(), made.id());
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
}

#[test]
fn attack_41_files_that_are_no_key_are_refused_and_left_alone() {
    let (_folder, path) = place();
    let half = "q83vASNFZ4mrze8BI0VniavN7wEjRW"; // pragma: allowlist secret
    for text in ["", "\n", half, "not a key", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="] {
        write(&path, text, 0o600);
        let error = refusal(&path);
        assert!(error.contains("left as it is"), "{error}");
        assert!(text.trim().is_empty() || !error.contains(text), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn attack_41_what_others_can_read_is_refused() {
    let (_folder, path) = place();
    EncryptionKey::load_or_create(&path).unwrap();
    for mode in [0o644, 0o640, 0o604, 0o620, 0o601] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = refusal(&path);
        assert!(error.contains(&format!("{mode:04o}")) && error.contains("chmod 600"), "{error}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    assert!(EncryptionKey::load_or_create(&path).is_ok());
}

#[test]
fn attack_41_links_folders_and_devices_are_refused() {
    let (folder, path) = place();
    let other = folder.path().join("other");
    EncryptionKey::load_or_create(&other).unwrap();
    symlink(&other, &path).unwrap();
    assert!(refusal(&path).contains("a symbolic link"));
    fs::remove_file(&path).unwrap();
    symlink(folder.path().join("nowhere"), &path).unwrap();
    assert!(refusal(&path).contains("a symbolic link"));
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(refusal(&path).contains("a folder"));
    assert!(refusal(Path::new("/dev/null")).contains("a device"));
}

#[test]
fn attack_41_a_folder_that_cannot_be_written_to() {
    let (folder, _) = place();
    // Not by permissions, which do not stop root.
    let error = refusal(&folder.path().join("missing/key"));
    assert!(error.contains("cannot be made"), "{error}");
    fs::write(folder.path().join("file"), "").unwrap();
    assert!(matches!(
        EncryptionKey::load_or_create(&folder.path().join("file/key")),
        Err(KeyFileError::Io { what: "read", .. })
    ));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn attack_42_threads_that_start_at_once_have_one_key() {
    for _ in 0..1000 {
        let (folder, path) = place();
        let start = Barrier::new(4);
        let ids: HashSet<_> = std::thread::scope(|scope| {
            let make = || {
                start.wait();
                EncryptionKey::load_or_create(&path).unwrap().id()
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(make)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(ids.len(), 1);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
    }
}

/// Not a test of its own: what the processes of the next test do.
#[test]
fn child_makes_a_key() {
    if let Some(path) = std::env::var_os(CHILD) {
        println!("key {}", EncryptionKey::load_or_create(Path::new(&path)).unwrap().id());
    }
}

#[test]
fn attack_42_processes_that_start_at_once_have_one_key() {
    for _ in 0..20 {
        let (folder, path) = place();
        let child = || {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "child_makes_a_key", "--nocapture"])
                .env(CHILD, &path)
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap()
        };
        let children: Vec<_> = (0..3).map(|_| child()).collect();
        let ids: Vec<String> = children
            .into_iter()
            .map(|child| String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap())
            .map(|output| output.split("key ").nth(1).expect("a key id")[..16].to_owned())
            .collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        assert_eq!(EncryptionKey::load_or_create(&path).unwrap().id().to_string(), ids[0]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
