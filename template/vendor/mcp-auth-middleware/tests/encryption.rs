//! Sealing and opening from outside: the stored form, what is refused, key rings, and another implementation.

#![cfg(feature = "encryption")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "encryption/interop.rs"]
mod interop;
#[cfg(target_os = "linux")]
#[path = "encryption/memory.rs"]
mod memory;

use std::collections::HashSet;

use mcp_auth_middleware::encryption::{Context, DecryptError, EncryptionKey, KeyId, Keyring};
use proptest::prelude::*;
use proptest::sample::Index;

const PLACE: Context<'_> = Context { service: "my-server", name: "UPSTREAM_TOKEN" };
/// The bytes that are not the token's: version, key id, nonce and tag.
const OVERHEAD: usize = 1 + 8 + 12 + 16;

/// A key that is the same each time.
fn key(seed: u8) -> EncryptionKey {
    EncryptionKey::parse(&hex(&(0..32).map(|at: u8| at.wrapping_mul(7) ^ seed).collect::<Vec<_>>())).unwrap()
}

fn ring(seed: u8) -> Keyring {
    Keyring::new(key(seed))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn nonce(sealed: &[u8]) -> &[u8] {
    &sealed[9..21]
}

// The stored form.

/// What is stored must open in every later release. If this fails, the form has changed: give it another version.
#[test]
fn the_stored_form_is_pinned() {
    let key = EncryptionKey::parse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap(); // pragma: allowlist secret
    assert_eq!(key.id().to_string(), "f70e0377aa202cd2");
    let ring = Keyring::new(key);
    let sealed = ring.seal(PLACE, b"token").unwrap();
    let (version, key_id, nonce) = ("01", "f70e0377aa202cd2", "16e2ffe0eccc488d99161d0d"); // pragma: allowlist secret
    let (ciphertext, tag) = ("302f3ee681", "bc3d00fbf15944bd993af6577b894d86"); // pragma: allowlist secret
    assert_eq!(hex(&sealed), [version, key_id, nonce, ciphertext, tag].concat());
    assert_eq!(*ring.open(PLACE, &sealed).unwrap(), b"token");
}

#[test]
fn nothing_is_a_token_as_well() {
    let sealed = ring(1).seal(PLACE, b"").unwrap();
    assert_eq!(sealed.len(), OVERHEAD);
    assert_eq!(*ring(1).open(PLACE, &sealed).unwrap(), b"");
}

#[test]
fn a_large_token_is_sealed() {
    let token = vec![0x5a; 3 << 20];
    let sealed = ring(1).seal(PLACE, &token).unwrap();
    assert_eq!(*ring(1).open(PLACE, &sealed).unwrap(), token);
}

// What is refused: attacks.md 39 and 40.

/// Every single bit, with the very error for where it is.
#[test]
fn attack_39_a_flipped_bit_anywhere() {
    let sealed = ring(1).seal(PLACE, b"a token").unwrap();
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let error = ring(1).open(PLACE, &changed).unwrap_err();
        let expected = match bit / 8 {
            0 => matches!(error, DecryptError::UnknownVersion(version) if version == changed[0]),
            1..9 => matches!(&error, DecryptError::KeyMismatch { stored, known }
                if stored.to_string() == hex(&changed[1..9]) && known == &[key(1).id()]),
            _ => error == DecryptError::Corrupted,
        };
        assert!(expected, "bit {bit}: {error}");
    }
}

#[test]
fn attack_39_truncated_anywhere() {
    let sealed = ring(1).seal(PLACE, b"a token").unwrap();
    for length in 0..sealed.len() {
        let expected = if length < OVERHEAD { DecryptError::Malformed } else { DecryptError::Corrupted };
        assert_eq!(ring(1).open(PLACE, &sealed[..length]).unwrap_err(), expected, "{length} bytes");
    }
    assert_eq!(ring(1).open(PLACE, &[sealed, vec![0]].concat()).unwrap_err(), DecryptError::Corrupted);
}

#[test]
fn attack_39_of_another_row_or_service() {
    let sealed = ring(1).seal(Context { service: "ab", name: "c" }, b"token").unwrap();
    for (service, name) in [("a", "bc"), ("", "abc"), ("abc", ""), ("ab", "d"), ("ac", "c"), ("ab", "C"), ("c", "ab")] {
        let error = ring(1).open(Context { service, name }, &sealed).unwrap_err();
        assert_eq!(error, DecryptError::Corrupted, "{service}/{name}");
    }
}

/// Parts of two good texts do not make a third.
#[test]
fn attack_39_put_together_from_two() {
    let (one, other) = (ring(1).seal(PLACE, b"token one").unwrap(), ring(1).seal(PLACE, b"token two").unwrap());
    for cut in 10..one.len() {
        let mixed = [&one[..cut], &other[cut..]].concat();
        assert!(mixed != one && mixed != other);
        assert_eq!(ring(1).open(PLACE, &mixed).unwrap_err(), DecryptError::Corrupted, "cut at {cut}");
    }
}

#[test]
fn attack_40_a_wrong_key_is_told_with_the_key_ids() {
    let sealed = ring(1).seal(PLACE, b"token").unwrap();
    let error = ring(2).with_previous(key(3)).open(PLACE, &sealed).unwrap_err();
    let (stored, two, three) = (key(1).id(), key(2).id(), key(3).id());
    assert_eq!(error, DecryptError::KeyMismatch { stored, known: vec![two, three] });
    let text = format!("encryption key mismatch: stored with key {stored}, but the keys here are {two}, {three}");
    assert_eq!(error.to_string(), text);
    assert_eq!(stored.to_string().len(), 16);
}

#[test]
fn errors_have_a_text_each() {
    let stored = key(1).id();
    let errors = [
        DecryptError::Malformed,
        DecryptError::UnknownVersion(9),
        DecryptError::KeyMismatch { stored, known: vec![stored] },
        DecryptError::Corrupted,
        DecryptError::TooLong,
    ];
    assert_eq!(errors.iter().map(ToString::to_string).collect::<HashSet<_>>().len(), errors.len());
    assert_eq!(errors[1].to_string(), "stored token has the unknown version 9");
}

// Key rings.

#[test]
fn previous_keys_open_and_never_seal() {
    let old = ring(1).seal(PLACE, b"token").unwrap();
    let older = ring(2).seal(PLACE, b"token").unwrap();
    let both = ring(3).with_previous(key(2)).with_previous(key(1));
    let new = both.seal(PLACE, b"token").unwrap();
    assert_eq!(both.active_id(), key(3).id());
    assert_eq!(new, ring(3).seal(PLACE, b"token").unwrap());
    for (sealed, active) in [(&old, false), (&older, false), (&new, true)] {
        assert_eq!(*both.open(PLACE, sealed).unwrap(), b"token");
        assert_eq!(both.clone().seals_with_active(sealed), active);
    }
    // With the new key alone, the error says which one is missing.
    assert!(
        matches!(ring(3).open(PLACE, &old), Err(DecryptError::KeyMismatch { stored, .. }) if stored == key(1).id())
    );
}

/// As where the active key is listed among the previous ones, too.
#[test]
fn a_key_is_in_a_ring_once() {
    let many = ring(1).with_previous(key(2)).with_previous(key(1)).with_previous(key(2));
    let Err(DecryptError::KeyMismatch { known, .. }) = many.open(PLACE, &ring(3).seal(PLACE, b"").unwrap()) else {
        panic!("opened without its key");
    };
    assert_eq!(known, [key(1).id(), key(2).id()]);
}

#[test]
fn a_ring_takes_the_keys_of_another_and_seals_with_its_own() {
    let (first, second, third) = (ring(1), ring(2), ring(3));
    let sealed: Vec<_> = [&first, &second, &third].iter().map(|ring| ring.seal(PLACE, b"t").unwrap()).collect();
    // One key is in both of them.
    let all = ring(3).with_previous(key(1)).with_previous_ring(&ring(2).with_previous(key(1)).with_previous(key(3)));
    assert_eq!(all.ids(), [key(3).id(), key(1).id(), key(2).id()], "each once");
    for text in &sealed {
        assert_eq!(*all.open(PLACE, text).unwrap(), b"t");
    }
    assert!(all.seals_with_active(&sealed[2]) && !all.seals_with_active(&sealed[0]));
}

#[test]
fn the_active_key_is_told_from_the_head_alone() {
    let sealed = ring(1).seal(PLACE, b"token").unwrap();
    assert!(ring(1).seals_with_active(&sealed));
    assert!(!ring(2).with_previous(key(1)).seals_with_active(&sealed));
    for length in 0..OVERHEAD {
        assert!(!ring(1).seals_with_active(&sealed[..length]));
    }
    let another_version = [&[2], &sealed[1..]].concat();
    assert!(!ring(1).seals_with_active(&another_version));
    let mut damaged = sealed;
    *damaged.last_mut().unwrap() ^= 1;
    assert!(ring(1).seals_with_active(&damaged), "nothing is opened for it");
}

#[test]
fn keys_are_equal_by_their_ids() {
    assert_eq!(key(1), key(1));
    assert_ne!(key(1), key(2));
    let (one, two) = (EncryptionKey::generate().unwrap(), EncryptionKey::generate().unwrap());
    assert_ne!(one, two);
    let ids: HashSet<KeyId> = (0..=u8::MAX).map(|seed| key(seed).id()).collect();
    assert_eq!(ids.len(), 256);
}

/// attacks.md 40 and 50.
#[test]
fn attack_50_errors_and_debug_hold_no_key() {
    // 31 bytes, and 33.
    for text in
        ["c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlYw==", "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3Jl", "hunter2"]
    {
        let error = EncryptionKey::parse(text).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains(&text[..4]) && shown.contains("openssl rand -base64 32"), "{shown}");
    }
    let (one, id) = (key(1), key(1).id());
    assert_eq!(format!("{one:?} {id:?}"), format!("EncryptionKey({id} [REDACTED]) {id}"));
    let ring = ring(1).with_previous(key(2));
    assert_eq!(format!("{ring:?}"), format!("Keyring({id}, {} [REDACTED])", key(2).id()));
    assert_eq!(format!("{PLACE:?}"), r#"Context { service: "my-server", name: "UPSTREAM_TOKEN" }"#);
}

// Properties.

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..200)
}

fn place() -> impl Strategy<Value = (String, String)> {
    // Few letters, so that places which are nearly equal come up.
    (prop_oneof!["[ab]{0,3}", any::<String>()], prop_oneof!["[ab]{0,3}", any::<String>()])
}

/// Texts of about the lengths that keys have, among others.
fn key_like() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[A-Za-z0-9+/_=-]{40,46}", "[0-9a-fA-F]{40,68}"]
}

fn at((service, name): &(String, String)) -> Context<'_> {
    Context { service, name }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_sealed_opens_and_is_the_same_each_time(seed: u8, place in place(), token in bytes()) {
        let sealed = ring(seed).seal(at(&place), &token).unwrap();
        prop_assert_eq!(sealed.len(), token.len() + OVERHEAD);
        prop_assert_eq!(&sealed, &ring(seed).seal(at(&place), &token).unwrap());
        let opened = ring(seed).open(at(&place), &sealed).unwrap();
        prop_assert_eq!(&*opened, &token);
    }

    #[test]
    fn a_change_anywhere_is_refused(place in place(), token in bytes(), byte: Index, mask in 1..=u8::MAX) {
        let mut sealed = ring(1).seal(at(&place), &token).unwrap();
        *byte.get_mut(&mut sealed) ^= mask;
        prop_assert!(ring(1).open(at(&place), &sealed).is_err());
    }

    #[test]
    fn another_length_is_refused(place in place(), token in bytes(), length: Index, more in bytes()) {
        prop_assume!(!more.is_empty());
        let sealed = ring(1).seal(at(&place), &token).unwrap();
        prop_assert!(ring(1).open(at(&place), &sealed[..length.index(sealed.len())]).is_err());
        prop_assert!(ring(1).open(at(&place), &[&sealed[..], &more].concat()).is_err());
        prop_assert!(ring(1).open(at(&place), &[&more[..], &sealed].concat()).is_err());
    }

    #[test]
    fn another_place_is_refused_and_has_another_nonce(one in place(), other in place(), token in bytes()) {
        prop_assume!(one != other);
        let sealed = ring(1).seal(at(&one), &token).unwrap();
        prop_assert_eq!(ring(1).open(at(&other), &sealed).unwrap_err(), DecryptError::Corrupted);
        let elsewhere = ring(1).seal(at(&other), &token).unwrap();
        prop_assert_ne!(nonce(&sealed), nonce(&elsewhere));
        prop_assert_ne!(&sealed[21..], &elsewhere[21..]);
    }

    /// All places at which one text can be cut into service and name.
    #[test]
    fn the_boundary_of_service_and_name_counts(text in "[a-z]{1,12}", one: Index, other: Index) {
        let (one, other) = (one.index(text.len() + 1), other.index(text.len() + 1));
        prop_assume!(one != other);
        let cut = |at: usize| Context { service: &text[..at], name: &text[at..] };
        let sealed = ring(1).seal(cut(one), b"token").unwrap();
        prop_assert_eq!(ring(1).open(cut(other), &sealed).unwrap_err(), DecryptError::Corrupted);
    }

    /// What moves from the name to the token's beginning makes another message, too.
    #[test]
    fn the_boundary_of_name_and_token_counts(text in "[a-z]{1,12}", one: Index, other: Index) {
        let (one, other) = (one.index(text.len() + 1), other.index(text.len() + 1));
        prop_assume!(one != other);
        let cut = |at: usize| {
            ring(1).seal(Context { service: "s", name: &text[..at] }, &text.as_bytes()[at..]).unwrap()
        };
        let (one, other) = (cut(one), cut(other));
        prop_assert_ne!(nonce(&one), nonce(&other));
    }

    #[test]
    fn different_tokens_have_different_nonces(place in place(), one in bytes(), other in bytes()) {
        prop_assume!(one != other);
        let (one, other) = (ring(1).seal(at(&place), &one).unwrap(), ring(1).seal(at(&place), &other).unwrap());
        prop_assert_ne!(nonce(&one), nonce(&other));
    }

    #[test]
    fn different_keys_have_different_nonces(one: u8, other: u8, place in place(), token in bytes()) {
        prop_assume!(one != other);
        let (one, other) = (ring(one).seal(at(&place), &token).unwrap(), ring(other).seal(at(&place), &token).unwrap());
        prop_assert_ne!(nonce(&one), nonce(&other));
    }

    #[test]
    fn another_key_is_refused(one: u8, other: u8, place in place(), token in bytes()) {
        prop_assume!(one != other);
        let sealed = ring(one).seal(at(&place), &token).unwrap();
        let mismatch = DecryptError::KeyMismatch { stored: key(one).id(), known: vec![key(other).id()] };
        prop_assert_eq!(ring(other).open(at(&place), &sealed).unwrap_err(), mismatch);
        // Relabelled, it is the other key that refuses it.
        let relabelled = [&ring(other).seal(at(&place), &token).unwrap()[..9], &sealed[9..]].concat();
        prop_assert_eq!(ring(other).open(at(&place), &relabelled).unwrap_err(), DecryptError::Corrupted);
    }

    /// With as much of a good head as to come further, too.
    #[test]
    fn whatever_is_stored_is_refused(place in place(), stored in bytes(), head in 0..=21_usize) {
        let good = ring(1).seal(at(&place), b"token").unwrap();
        for stored in [&stored, &[&good[..head], &stored].concat()] {
            prop_assert!(ring(1).open(at(&place), stored).is_err());
            let labelled = stored.len() >= OVERHEAD && stored[..9] == good[..9];
            prop_assert_eq!(ring(1).seals_with_active(stored), labelled);
        }
    }

    #[test]
    fn whatever_is_given_as_a_key_is_a_key_or_an_error(text in key_like()) {
        if let Err(error) = EncryptionKey::parse(&text) {
            let shown = format!("{error} {error:?}");
            prop_assert!(text.len() < 12 || !shown.contains(&text), "{}", shown);
        }
    }

    #[test]
    fn a_key_is_the_same_in_hex_and_base64(bytes: [u8; 32]) {
        use base64::Engine as _;
        prop_assume!(bytes != [bytes[0]; 32]);
        let text = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
        prop_assert_eq!(EncryptionKey::parse(&hex(&bytes)).unwrap(), EncryptionKey::parse(&text).unwrap());
    }
}
