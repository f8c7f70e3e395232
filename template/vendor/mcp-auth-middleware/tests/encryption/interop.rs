//! Another implementation: tests/interop.py, with Python's `cryptography`.

use std::ffi::OsStr;
use std::io::Write as _;
use std::process::{Command, Stdio};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};

use super::*;

/// Key, service, name, token, and the stored form that they make.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Case {
    key: Vec<u8>,
    service: String,
    name: String,
    plaintext: Vec<u8>,
    sealed: Vec<u8>,
}

impl Case {
    /// What this crate makes of a key, a place and a token.
    fn seal(key: Vec<u8>, service: &str, name: &str, plaintext: Vec<u8>) -> Self {
        let ring = Keyring::new(EncryptionKey::parse(&hex(&key)).unwrap());
        let sealed = ring.seal(Context { service, name }, &plaintext).unwrap();
        Self { key, service: service.to_owned(), name: name.to_owned(), plaintext, sealed }
    }

    /// Opens it, and seals the same again to the very same bytes.
    fn check(&self) {
        let Self { key, service, name, plaintext, sealed } = self;
        let ring = Keyring::new(EncryptionKey::parse(&hex(key)).unwrap());
        assert_eq!(*ring.open(Context { service, name }, sealed).unwrap(), *plaintext, "{self:?}");
        assert_eq!(&Self::seal(key.clone(), service, name, plaintext.clone()), self);
    }
}

/// What Python sealed when tests/vectors/interop.json was made; and what it seals now, where there is one.
#[test]
fn another_implementation_seals_and_opens_the_same() {
    let vectors = include_str!("../vectors/interop.json");
    let cases: Vec<Case> = serde_json::from_str(vectors).unwrap();
    assert_eq!(cases.len(), 25);
    cases.iter().for_each(Case::check);

    let Some(python) = std::env::var_os("MCP_AUTH_INTEROP_PYTHON") else { return };
    assert_eq!(interop(&python, "vectors", ""), vectors, "tests/interop.py prints something else by now");
    // Both directions, with new keys and tokens.
    let random = |length| {
        let mut bytes = vec![0; length];
        SystemRandom::new().fill(&mut bytes).unwrap();
        bytes
    };
    let sealed: Vec<_> = (0..200)
        .map(|length| Case::seal(random(32), &hex(&random(length % 7)), "ключ \u{1f511}", random(length)))
        .collect();
    let theirs = interop(&python, "exchange", &serde_json::to_string(&sealed).unwrap());
    let theirs: Vec<Case> = serde_json::from_str(&theirs).unwrap();
    assert_eq!(theirs, sealed);
    theirs.iter().for_each(Case::check);
    println!(
        "interop: {} tokens sealed by the crate and opened by Python, {} the other way round",
        theirs.len(),
        cases.len() + theirs.len()
    );
}

fn interop(python: &OsStr, what: &str, input: &str) -> String {
    let mut command = Command::new(python);
    command.args([concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop.py"), what]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{what}: {}", output.status);
    String::from_utf8(output.stdout).unwrap()
}
