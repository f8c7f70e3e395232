//! The stored form of a token, and the ring of keys that makes and opens it.
//!
//! ```text
//! version 1 | key id 8 | nonce 12 | ciphertext | tag 16        (bytes; the version is 0x01)
//!
//! associated data = version | key id | length of service | service | length of name | name
//! nonce           = the first 96 bits of HMAC-SHA-256(nonce key, associated data | plaintext)
//! ```
//!
//! Lengths are 4 bytes, most significant first. All that precedes the ciphertext is authenticated, and so is the
//! context: a ciphertext that is moved to another row does not open.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use zeroize::Zeroizing;

use super::key::{EncryptionKey, KeyId};
use super::primitives::{NONCE, TAG, hmac_sha256};

const VERSION: u8 = 1;

/// Where a token belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context<'a> {
    /// The service whose token it is.
    pub service: &'a str,
    /// The name under which the service keeps it.
    pub name: &'a str,
}

/// Why something stored does not open, or something else is not sealed. No text of it holds a secret.
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
    #[error("encryption key mismatch: stored with key {stored}, but the keys here are {}", list(known))]
    KeyMismatch {
        /// The key that would open it.
        stored: KeyId,
        /// The keys of the ring, the one that seals first.
        known: Vec<KeyId>,
    },
    /// The right key, but something has been changed since: a bit, the length, or the row.
    #[error("stored token corrupted: it was changed, or moved from another name or service")]
    Corrupted,
    /// A service or a name of 4 GiB, or a token of 64 GiB: beyond what the format and AES-GCM have room for.
    #[error("the token, its name or its service is too long for encryption")]
    TooLong,
}

fn list(ids: &[KeyId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// One key that seals, and any number of older ones that only open. Clones share them.
#[derive(Clone)]
pub struct Keyring {
    active: Arc<EncryptionKey>,
    previous: Arc<[Arc<EncryptionKey>]>,
}

impl Keyring {
    /// A ring with one key, which seals.
    #[must_use]
    pub fn new(active: EncryptionKey) -> Self {
        Self { active: Arc::new(active), previous: Arc::default() }
    }

    /// Adds a key that opens what it has sealed, and seals nothing any more. A key that is there already adds nothing.
    #[must_use]
    pub fn with_previous(self, key: EncryptionKey) -> Self {
        if self.find(key.id()).is_some() {
            return self;
        }
        let previous = self.previous.iter().cloned().chain([Arc::new(key)]).collect();
        Self { active: self.active, previous }
    }

    /// Adds all keys of another ring, which seal nothing any more.
    #[must_use]
    pub fn with_previous_ring(self, ring: &Self) -> Self {
        let mut previous: Vec<_> = self.previous.to_vec();
        for key in [&ring.active].into_iter().chain(ring.previous.iter()) {
            if self.active.id() != key.id() && !previous.iter().any(|known| known.id() == key.id()) {
                previous.push(Arc::clone(key));
            }
        }
        Self { active: self.active, previous: previous.into() }
    }

    /// The key that seals.
    #[must_use]
    pub fn active_id(&self) -> KeyId {
        self.active.id()
    }

    /// Seals a token for its place. The same token for the same place gives the same bytes, 37 more than the token has.
    ///
    /// # Errors
    /// [`DecryptError::TooLong`], and no other.
    pub fn seal(&self, context: Context<'_>, plaintext: &[u8]) -> Result<Vec<u8>, DecryptError> {
        let key = &self.active;
        let associated = associated(key.id(), context)?;
        let nonce = synthetic_nonce(key, &associated, plaintext);
        let text = key.encrypt.seal(nonce, &associated, plaintext).or(Err(DecryptError::TooLong))?;
        Ok([&[VERSION], &key.id().as_bytes()[..], &nonce, &text].concat())
    }

    /// Opens what was sealed for this place, with whichever key of the ring it was.
    ///
    /// # Errors
    /// [`DecryptError`]; never a wrong plaintext.
    pub fn open(&self, context: Context<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
        let Parts { id, nonce, text } = Parts::parse(sealed)?;
        let Some(key) = self.find(id) else {
            return Err(DecryptError::KeyMismatch { stored: id, known: self.ids() });
        };
        let associated = associated(id, context)?;
        let plaintext = key.encrypt.open(nonce, &associated, text).or(Err(DecryptError::Corrupted))?;
        // A second look, with another key and another algorithm: what opens must have the nonce that we would give it,
        // so that a token has one stored form for each key and place.
        verify_slices_are_equal(&synthetic_nonce(key, &associated, &plaintext), &nonce)
            .or(Err(DecryptError::Corrupted))?;
        Ok(plaintext)
    }

    /// Returns whether this was sealed with the key that seals now. Looks at the head only.
    #[must_use]
    pub fn seals_with_active(&self, sealed: &[u8]) -> bool {
        Parts::parse(sealed).is_ok_and(|parts| parts.id == self.active_id())
    }

    fn find(&self, id: KeyId) -> Option<&EncryptionKey> {
        self.keys().find(|key| key.id() == id)
    }

    /// The keys of the ring, the one that seals first.
    #[must_use]
    pub fn ids(&self) -> Vec<KeyId> {
        self.keys().map(EncryptionKey::id).collect()
    }

    fn keys(&self) -> impl Iterator<Item = &EncryptionKey> {
        std::iter::once(&self.active).chain(self.previous.iter()).map(|key| &**key)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({} [REDACTED])", list(&self.ids()))
    }
}

/// The key that sealed what begins like this; 9 bytes are enough. Nothing for what another version has written.
#[cfg(feature = "postgres")]
pub(crate) fn sealed_with(head: &[u8]) -> Option<KeyId> {
    let (version, rest) = head.split_first()?;
    let (id, _) = rest.split_first_chunk()?;
    (*version == VERSION).then(|| KeyId::new(*id))
}

/// The stored form, taken apart.
struct Parts<'a> {
    id: KeyId,
    nonce: [u8; NONCE],
    /// Ciphertext and tag.
    text: &'a [u8],
}

impl<'a> Parts<'a> {
    fn parse(sealed: &'a [u8]) -> Result<Self, DecryptError> {
        let (version, rest) = sealed.split_first().ok_or(DecryptError::Malformed)?;
        // First of all: the length is that of version 1.
        if *version != VERSION {
            return Err(DecryptError::UnknownVersion(*version));
        }
        let (id, rest) = rest.split_first_chunk().ok_or(DecryptError::Malformed)?;
        let (nonce, text) = rest.split_first_chunk().ok_or(DecryptError::Malformed)?;
        if text.len() < TAG {
            return Err(DecryptError::Malformed);
        }
        Ok(Self { id: KeyId::new(*id), nonce: *nonce, text })
    }
}

/// Version, key id and context; no two contexts give the same bytes, and none gives the beginning of another's.
fn associated(id: KeyId, context: Context<'_>) -> Result<Vec<u8>, DecryptError> {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(id.as_bytes());
    for part in [context.service, context.name] {
        bytes.extend_from_slice(&length(part.len())?);
        bytes.extend_from_slice(part.as_bytes());
    }
    Ok(bytes)
}

fn length(bytes: usize) -> Result<[u8; 4], DecryptError> {
    u32::try_from(bytes).map(u32::to_be_bytes).or(Err(DecryptError::TooLong))
}

/// Depends on all that the ciphertext depends on, so that two different ones do not share it.
fn synthetic_nonce(key: &EncryptionKey, associated: &[u8], plaintext: &[u8]) -> [u8; NONCE] {
    let tag = hmac_sha256(&key.nonce, &[associated, plaintext]);
    std::array::from_fn(|at| tag.as_ref()[at])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const CONTEXT: Context<'_> = Context { service: "service", name: "NAME" };

    #[test]
    fn associated_data_is_as_documented() {
        let bytes = associated(KeyId::new(*b"-key id-"), Context { service: "ab", name: "\u{e9}" }).unwrap();
        assert_eq!(bytes, b"\x01-key id-\0\0\0\x02ab\0\0\0\x02\xc3\xa9");
    }

    #[test]
    fn lengths_fit_or_are_refused() {
        assert_eq!(length(0).unwrap(), [0, 0, 0, 0]);
        assert_eq!(length(0x0102_0304).unwrap(), [1, 2, 3, 4]);
        assert_eq!(length(u32::MAX as usize).unwrap(), [0xff; 4]);
        #[cfg(target_pointer_width = "64")]
        assert_eq!(length(u32::MAX as usize + 1).unwrap_err(), DecryptError::TooLong);
    }

    /// A text with a good tag but another nonce than ours was made by another program that has the key.
    #[test]
    fn a_good_tag_under_another_nonce_is_refused() {
        let ring = Keyring::new(EncryptionKey::generate().unwrap());
        let good = ring.seal(CONTEXT, b"token").unwrap();
        let Parts { id, mut nonce, text } = Parts::parse(&good).unwrap();
        let associated = associated(id, CONTEXT).unwrap();
        let remade = |nonce| {
            let text = ring.active.encrypt.seal(nonce, &associated, b"token").unwrap();
            [&[VERSION], &id.as_bytes()[..], &nonce, &text].concat()
        };
        assert_eq!(remade(nonce), good);
        nonce[11] ^= 1;
        let other = remade(nonce);
        assert!(ring.active.encrypt.open(nonce, &associated, Parts::parse(&other).unwrap().text).is_ok());
        assert_ne!(Parts::parse(&other).unwrap().text, text);
        assert_eq!(ring.open(CONTEXT, &other).unwrap_err(), DecryptError::Corrupted);
    }

    /// A version that this release does not know may have another head, so its length is not judged.
    #[test]
    fn versions_are_told_before_lengths() {
        assert_eq!(Parts::parse(&[]).err(), Some(DecryptError::Malformed));
        for version in (0..=u8::MAX).filter(|version| *version != VERSION) {
            assert_eq!(Parts::parse(&[version]).err(), Some(DecryptError::UnknownVersion(version)));
        }
    }
}
