//! Encryption at rest from outside: the stored form, every way to break it, and another implementation to agree with.
#![cfg(feature = "encryption")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::ffi::OsStr;
use std::process::Command;

use mcp_auth_middleware::encryption::{Context, DecryptError, EncryptionKey, Keyring};
use proptest::prelude::*;

const PLACE: Context<'static> = Context { service: "my-server", name: "CODA_API_TOKEN" };

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn key(bytes: [u8; 32]) -> EncryptionKey {
    EncryptionKey::parse(&hex(&bytes)).unwrap()
}

/// A key that is not the same byte throughout.
fn any_key() -> impl Strategy<Value = [u8; 32]> {
    any::<[u8; 32]>().prop_filter("a placeholder", |bytes| bytes.iter().any(|byte| *byte != bytes[0]))
}

fn counting() -> [u8; 32] {
    std::array::from_fn(|at| at as u8)
}

/// What is stored today must open with every later version: this text never changes.
#[test]
fn the_stored_form_is_pinned() {
    let ring = Keyring::new(key(counting()));
    let sealed = ring.seal(PLACE, b"coda token").unwrap();
    assert_eq!(hex(&sealed), PINNED);
    assert_eq!(*ring.open(PLACE, &unhex(PINNED)).unwrap(), b"coda token");
    assert_eq!(sealed.len(), 1 + 8 + 12 + b"coda token".len() + 16);
}

const PINNED: &str = "01f70e0377aa202cd27331003bcee7b5653f521a9de05cc6996c8a106aec13f10b0bd5ebd2acfd0bf812b5fe0eaa80"; // pragma: allowlist secret

#[derive(serde::Deserialize)]
struct Case {
    key: Vec<u8>,
    service: Vec<u8>,
    name: Vec<u8>,
    plaintext: Vec<u8>,
    sealed: Vec<u8>,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("vectors/interop.json")).unwrap()
}

/// tests/interop.py has made these with Python's `cryptography`. Sealing is deterministic, so that both must give the
/// same bytes.
#[test]
fn another_implementation_seals_the_same() {
    let cases = cases();
    assert_eq!(cases.len(), 6);
    for case in cases {
        let ring = Keyring::new(EncryptionKey::parse(&hex(&case.key)).unwrap());
        let place = Context {
            service: std::str::from_utf8(&case.service).unwrap(),
            name: std::str::from_utf8(&case.name).unwrap(),
        };
        assert_eq!(ring.seal(place, &case.plaintext).unwrap(), case.sealed);
        assert_eq!(*ring.open(place, &case.sealed).unwrap(), case.plaintext);
    }
    // A Python that has `cryptography`, where there is one.
    if let Some(python) = std::env::var_os("MCP_AUTH_INTEROP_PYTHON") {
        open_with(&python);
    }
}

/// Opens with Python what is sealed here and now.
fn open_with(python: &OsStr) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sealed.json");
    let mut sealed = Vec::new();
    for number in 0..50_u8 {
        let mut bytes = counting();
        bytes[0] = number.wrapping_add(1);
        let (service, name, plaintext) = (format!("s{number}"), "n".repeat(number.into()), vec![number; number.into()]);
        let place = Context { service: &service, name: &name };
        let text = Keyring::new(key(bytes)).seal(place, &plaintext).unwrap();
        sealed.push(serde_json::json!({
            "key": hex(&bytes), "service": hex(service.as_bytes()), "name": hex(name.as_bytes()),
            "plaintext": hex(&plaintext), "sealed": hex(&text),
        }));
    }
    std::fs::write(&path, serde_json::to_string(&sealed).unwrap()).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop.py");
    let output = Command::new(python).arg(script).arg(&path).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "opened 50\n", "{output:?}");
}

#[test]
fn an_older_key_opens_and_does_not_seal() {
    let (old, new) = (counting(), [7, 8].repeat(16).try_into().unwrap());
    let before = Keyring::new(key(old));
    let after = Keyring::new(key(new)).with_previous(key(old));
    let sealed = before.seal(PLACE, b"token").unwrap();
    assert_eq!(*after.open(PLACE, &sealed).unwrap(), b"token");
    assert!(before.seals_with_active(&sealed) && !after.seals_with_active(&sealed));
    let again = after.seal(PLACE, b"token").unwrap();
    assert!(after.seals_with_active(&again));
    assert_eq!(after.ids(), [key(new).id(), key(old).id()]);
    assert_eq!(after.active_id(), key(new).id());
    // A replica that has the new key only, or the old key only, says which one it lacks.
    for (ring, text) in [(Keyring::new(key(new)), &sealed), (before, &again)] {
        let error = ring.open(PLACE, text).unwrap_err();
        assert!(matches!(&error, DecryptError::KeyMismatch { known, .. } if *known == ring.ids()), "{error:?}");
        assert!(error.to_string().starts_with("encryption key mismatch"), "{error}");
        assert!(error.to_string().contains(&ring.active_id().to_string()), "{error}");
    }
}

#[test]
fn attack_39_what_is_no_sealed_token() {
    let ring = Keyring::new(key(counting()));
    let sealed = ring.seal(PLACE, b"").unwrap();
    assert_eq!(ring.open(PLACE, &[]).unwrap_err(), DecryptError::Malformed);
    for length in 1..sealed.len() {
        assert_eq!(ring.open(PLACE, &sealed[..length]).unwrap_err(), DecryptError::Malformed, "{length}");
        assert!(!ring.seals_with_active(&sealed[..length]));
    }
    let mut other = sealed.clone();
    other[0] = 2;
    assert_eq!(ring.open(PLACE, &other).unwrap_err(), DecryptError::UnknownVersion(2));
    assert!(!ring.seals_with_active(&other));
    assert_eq!(*ring.open(PLACE, &sealed).unwrap(), b"");
}

#[test]
fn nothing_shows_a_key() {
    let ring = Keyring::new(key(counting()));
    assert_eq!(format!("{ring:?}"), format!("Keyring({})", ring.active_id()));
}

proptest! {
    #[test]
    fn what_is_sealed_opens_and_is_the_same_every_time(
        bytes in any_key(), service in ".{0,40}", name in ".{0,40}", plaintext in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let place = Context { service: &service, name: &name };
        let sealed = Keyring::new(key(bytes)).seal(place, &plaintext).unwrap();
        let again = Keyring::new(key(bytes));
        prop_assert_eq!(again.seal(place, &plaintext).unwrap(), sealed.clone());
        prop_assert_eq!(again.open(place, &sealed).unwrap().to_vec(), plaintext);
    }

    #[test]
    fn attack_39_any_change_is_noticed(
        bytes in any_key(), plaintext in prop::collection::vec(any::<u8>(), 0..60), at in any::<prop::sample::Index>(),
        bit in 0..8_u32, more in prop::collection::vec(any::<u8>(), 1..20),
    ) {
        let ring = Keyring::new(key(bytes));
        let sealed = ring.seal(PLACE, &plaintext).unwrap();
        let mut flipped = sealed.clone();
        flipped[at.index(sealed.len())] ^= 1 << bit;
        prop_assert!(ring.open(PLACE, &flipped).is_err());
        prop_assert!(ring.open(PLACE, &sealed[..at.index(sealed.len())]).is_err());
        prop_assert!(ring.open(PLACE, &[sealed, more].concat()).is_err());
    }

    #[test]
    fn attack_39_it_opens_in_its_own_place_only(
        bytes in any_key(), service in "[a-c]{0,3}", name in "[a-c]{0,3}", other_service in "[a-c]{0,3}", other_name in "[a-c]{0,3}",
    ) {
        let ring = Keyring::new(key(bytes));
        let place = Context { service: &service, name: &name };
        let other = Context { service: &other_service, name: &other_name };
        let opened = ring.open(other, &ring.seal(place, b"token").unwrap());
        if place == other {
            prop_assert_eq!(opened.unwrap().to_vec(), b"token".to_vec());
        } else {
            prop_assert_eq!(opened.unwrap_err(), DecryptError::Corrupted);
        }
    }

    #[test]
    fn another_key_does_not_open_it(one in any_key(), other in any_key()) {
        prop_assume!(one != other);
        let sealed = Keyring::new(key(one)).seal(PLACE, b"token").unwrap();
        let error = Keyring::new(key(other)).open(PLACE, &sealed).unwrap_err();
        let mismatch = matches!(error, DecryptError::KeyMismatch { .. });
        prop_assert!(mismatch, "{:?}", error);
    }

    #[test]
    fn different_messages_have_different_nonces(bytes in any_key(), one in ".{0,20}", other in ".{0,20}") {
        prop_assume!(one != other);
        let ring = Keyring::new(key(bytes));
        let nonce = |place, text: &str| ring.seal(place, text.as_bytes()).unwrap()[9..21].to_vec();
        prop_assert_ne!(nonce(PLACE, &one), nonce(PLACE, &other));
        let elsewhere = Context { service: &one, name: &other };
        prop_assert_ne!(nonce(PLACE, &one), nonce(elsewhere, &one));
    }

    #[test]
    fn attack_39_noise_is_an_error(bytes in any_key(), noise in prop::collection::vec(any::<u8>(), 0..100)) {
        let ring = Keyring::new(key(bytes));
        prop_assert!(ring.open(PLACE, &noise).is_err());
        let version = [&[1][..], &noise].concat();
        prop_assert!(ring.open(PLACE, &version).is_err());
        let own = [&ring.seal(PLACE, b"").unwrap()[..9], &noise[..]].concat();
        prop_assert!(ring.open(PLACE, &own).is_err());
    }
}
