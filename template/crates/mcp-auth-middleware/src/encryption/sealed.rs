//! The stored form of a token, and the ring of keys that makes and opens it.
//!
//! ```text
//! version 1 | key id 8 | nonce 12 | ciphertext | tag 16        (bytes)
//! ```
//!
//! Version, key id and context are authenticated: a ciphertext that is moved to another row does not open.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{Aad, NONCE_LEN, Nonce};
use aws_lc_rs::hmac;
use zeroize::{Zeroize as _, Zeroizing};

use super::key::{Derived, EncryptionKey, KeyId};

const VERSION: u8 = 1;
const TAG: usize = 16;
const HEAD: usize = 1 + KeyId::LENGTH + NONCE_LEN;

/// Where a token belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context<'a> {
    /// The service whose token it is.
    pub service: &'a str,
    /// The name under which the service keeps it.
    pub name: &'a str,
}

/// Why something stored does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecryptError {
    /// Too short to be what this crate writes.
    #[error("stored token malformed: it is too short")]
    Malformed,
    /// Written by a newer version of this crate, or by something else.
    #[error("stored token has the unknown version {0}")]
    UnknownVersion(u8),
    /// Sealed with a key that is not in the ring.
    #[error("encryption key mismatch: the token was sealed with key {stored}, and the keys here are {}", list(known))]
    KeyMismatch {
        /// The key that would open it.
        stored: KeyId,
        /// The keys of the ring.
        known: Vec<KeyId>,
    },
    /// The right key, but something has been changed since: a bit, the length, or the row.
    #[error("stored token corrupted: it was changed, or moved from another name or service")]
    Corrupted,
    /// The cryptographic library refuses: a token of more than 64 GiB, which nobody has.
    #[error("the token cannot be sealed")]
    Seal,
}

fn list(ids: &[KeyId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// One key that seals, and any number of older ones that only open. Clones share it.
#[derive(Clone)]
pub struct Keyring(Arc<Ring>);

struct Ring {
    active: Arc<Derived>,
    previous: Vec<Arc<Derived>>,
}

impl Keyring {
    /// A ring with one key, which seals.
    #[must_use]
    pub fn new(active: EncryptionKey) -> Self {
        Self(Arc::new(Ring { active: Arc::new(active.derive()), previous: Vec::new() }))
    }

    /// Adds a key that opens what it has sealed, and seals nothing any more.
    #[must_use]
    pub fn with_previous(self, key: EncryptionKey) -> Self {
        let mut previous = self.0.previous.clone();
        previous.push(Arc::new(key.derive()));
        Self(Arc::new(Ring { active: Arc::clone(&self.0.active), previous }))
    }

    /// The key that seals.
    #[must_use]
    pub fn active_id(&self) -> KeyId {
        self.0.active.id
    }

    /// All keys, the one that seals first.
    #[must_use]
    pub fn ids(&self) -> Vec<KeyId> {
        self.keys().map(|key| key.id).collect()
    }

    /// Seals a token for its place. The same token for the same place gives the same bytes.
    ///
    /// # Errors
    /// [`DecryptError::Seal`] beyond the limits of AES-GCM.
    pub fn seal(&self, context: Context<'_>, plaintext: &[u8]) -> Result<Vec<u8>, DecryptError> {
        let key = &self.0.active;
        let nonce = synthetic_nonce(key, context, plaintext);
        let mut sealed = Vec::with_capacity(HEAD + plaintext.len() + TAG);
        sealed.push(VERSION);
        sealed.extend_from_slice(key.id.as_bytes());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plaintext);
        let aad = Aad::from(associated(key.id, context));
        let nonce = Nonce::assume_unique_for_key(nonce);
        match key.encrypt.seal_in_place_separate_tag(nonce, aad, &mut sealed[HEAD..]) {
            Ok(tag) => {
                sealed.extend_from_slice(tag.as_ref());
                Ok(sealed)
            }
            Err(_) => {
                sealed.zeroize();
                Err(DecryptError::Seal)
            }
        }
    }

    /// Opens what was sealed for this place, with whichever key of the ring it was.
    ///
    /// # Errors
    /// [`DecryptError`]; never a wrong plaintext.
    pub fn open(&self, context: Context<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
        let (id, nonce, rest) = parts(sealed)?;
        let key = self
            .keys()
            .find(|key| key.id == id)
            .ok_or_else(|| DecryptError::KeyMismatch { stored: id, known: self.ids() })?;
        let mut text = Zeroizing::new(rest.to_vec());
        let aad = Aad::from(associated(id, context));
        let length = key
            .encrypt
            .open_in_place(Nonce::assume_unique_for_key(nonce), aad, &mut text)
            .map_err(|_| DecryptError::Corrupted)?
            .len();
        text.truncate(length);
        // A text that opens has the nonce that it would be given again, unless somebody with the key made it otherwise.
        // Compared without a branch on where they differ, though both are public.
        if aws_lc_rs::constant_time::verify_slices_are_equal(&synthetic_nonce(key, context, &text), &nonce).is_err() {
            return Err(DecryptError::Corrupted);
        }
        Ok(text)
    }

    /// Whether this was sealed with the key that seals now. Looks at the head only.
    #[must_use]
    pub fn seals_with_active(&self, sealed: &[u8]) -> bool {
        parts(sealed).is_ok_and(|(id, _, _)| id == self.active_id())
    }

    fn keys(&self) -> impl Iterator<Item = &Derived> {
        std::iter::once(&*self.0.active).chain(self.0.previous.iter().map(|key| &**key))
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({})", list(&self.ids()))
    }
}

/// Key id, nonce, and ciphertext with tag.
fn parts(sealed: &[u8]) -> Result<(KeyId, [u8; NONCE_LEN], &[u8]), DecryptError> {
    match sealed.first() {
        Some(&VERSION) => {}
        Some(&version) => return Err(DecryptError::UnknownVersion(version)),
        None => return Err(DecryptError::Malformed),
    }
    let (id, rest) = sealed[1..].split_first_chunk::<{ KeyId::LENGTH }>().ok_or(DecryptError::Malformed)?;
    let (nonce, rest) = rest.split_first_chunk::<NONCE_LEN>().ok_or(DecryptError::Malformed)?;
    if rest.len() < TAG {
        return Err(DecryptError::Malformed);
    }
    Ok((KeyId::new(*id), *nonce, rest))
}

/// Version, key id and context, each part with its length: no two contexts give the same bytes.
fn associated(id: KeyId, context: Context<'_>) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(id.as_bytes());
    for part in [context.service, context.name] {
        bytes.extend_from_slice(&length(part.len()));
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}

/// The first 96 bits of HMAC-SHA-256 (RFC 2104) over context and plaintext.
fn synthetic_nonce(key: &Derived, context: Context<'_>, plaintext: &[u8]) -> [u8; NONCE_LEN] {
    let mut mac = hmac::Context::with_key(&key.nonce);
    mac.update(&associated(key.id, context));
    mac.update(&length(plaintext.len()));
    mac.update(plaintext);
    let tag = mac.sign();
    let mut nonce = [0; NONCE_LEN];
    nonce.copy_from_slice(&tag.as_ref()[..NONCE_LEN]);
    nonce
}

/// A length in 8 bytes, most significant first.
fn length(bytes: usize) -> [u8; 8] {
    // usize has 64 bits or fewer on everything that Rust runs on.
    (bytes as u64).to_be_bytes()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::HashMap;

    use aws_lc_rs::aead::{AES_256_GCM, LessSafeKey, UnboundKey};

    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digit = |c| char::from(c).to_digit(16).unwrap() as u8;
        text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
    }

    /// Cases published by NIST, as numbers: digits in a file look like secrets to programs that search for those.
    fn cases(kind: &str) -> Vec<HashMap<String, Vec<u8>>> {
        let file = include_str!("../../tests/vectors/nist-aes-256-gcm.json");
        let file: serde_json::Value = serde_json::from_str(file).unwrap();
        serde_json::from_value(file[kind].clone()).unwrap()
    }

    fn key(case: &HashMap<String, Vec<u8>>) -> (LessSafeKey, Nonce) {
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &case["Key"]).unwrap());
        (key, Nonce::try_assume_unique_for_key(&case["IV"]).unwrap())
    }

    #[test]
    fn aes_gcm_as_published() {
        let cases = cases("good");
        assert!(cases.len() >= 50, "{}", cases.len());
        for case in cases {
            let sealed = [&case["CT"][..], &case["Tag"]].concat();
            let (cipher, nonce) = key(&case);
            let mut text = case["PT"].clone();
            cipher.seal_in_place_append_tag(nonce, Aad::from(&case["AAD"]), &mut text).unwrap();
            assert_eq!(text, sealed, "{case:?}");
            let (cipher, nonce) = key(&case);
            assert_eq!(cipher.open_in_place(nonce, Aad::from(&case["AAD"]), &mut text).unwrap(), case["PT"]);
        }
    }

    #[test]
    fn published_forgeries_are_refused() {
        let cases = cases("forged");
        assert!(cases.len() >= 20, "{}", cases.len());
        for case in cases {
            let (cipher, nonce) = key(&case);
            let mut sealed = [&case["CT"][..], &case["Tag"]].concat();
            assert!(cipher.open_in_place(nonce, Aad::from(&case["AAD"]), &mut sealed).is_err(), "{case:?}");
        }
    }

    /// RFC 4231, test case 2.
    #[test]
    fn hmac_as_published() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"Jefe");
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"; // pragma: allowlist secret
        assert_eq!(hmac::sign(&key, b"what do ya want for nothing?").as_ref(), hex(expected));
    }

    #[test]
    fn contexts_do_not_run_into_each_other() {
        let id = KeyId::new([0; KeyId::LENGTH]);
        let one = associated(id, Context { service: "ab", name: "c" });
        assert_ne!(one, associated(id, Context { service: "a", name: "bc" }));
        assert_ne!(one, associated(id, Context { service: "abc", name: "" }));
    }

    /// A text that opens but has another nonce than ours was made by somebody with the key, or by another program.
    #[test]
    fn another_nonce_is_refused() {
        let ring = Keyring::new(EncryptionKey::generate().unwrap());
        let context = Context { service: "s", name: "n" };
        let mut nonce = synthetic_nonce(&ring.0.active, context, b"token");
        nonce[0] ^= 1;
        let mut sealed = vec![VERSION];
        sealed.extend_from_slice(ring.active_id().as_bytes());
        sealed.extend_from_slice(&nonce);
        let mut body = b"token".to_vec();
        let aad = Aad::from(associated(ring.active_id(), context));
        ring.0.active.encrypt.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut body).unwrap();
        sealed.extend_from_slice(&body);
        assert_eq!(ring.open(context, &sealed).unwrap_err(), DecryptError::Corrupted);
    }
}
