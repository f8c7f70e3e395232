//! The operator's key, as the keys that are made from it.

use std::fmt;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::key_text::decode;
use super::primitives::{Cipher, KEY, hkdf_sha256, hmac_sha256_key};

/// Different uses get different keys (RFC 5869 §3.2, "info").
const ENCRYPT_LABEL: &[u8] = b"mcp-auth-middleware v1 encrypt";
const NONCE_LABEL: &[u8] = b"mcp-auth-middleware v1 nonce";
const KEY_ID_LABEL: &[u8] = b"mcp-auth-middleware v1 key id";

/// A 256-bit key. Never shown, and wiped from memory when it is dropped.
///
/// The 32 bytes themselves are wiped as soon as the keys for the single uses are made from them (RFC 5869), so nothing
/// that is kept leads back to them.
pub struct EncryptionKey {
    id: KeyId,
    pub(super) encrypt: Cipher,
    pub(super) nonce: hmac::Key,
}

/// Why there is no key. No text of it holds any part of what was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncryptionKeyError {
    /// Nothing at all, or white space.
    #[error("the encryption key {}; {HOW_TO}", self.problem())]
    Empty,
    /// Neither base64 (RFC 4648 §4, §5) nor hexadecimal digits.
    #[error("the encryption key {}; {HOW_TO}", self.problem())]
    Encoding,
    /// Base64, but not of 32 bytes; has the number of bytes.
    #[error("the encryption key {}; {HOW_TO}", self.problem())]
    Length(usize),
    /// Hexadecimal, but not 64 digits; has the number of digits.
    #[error("the encryption key {}; {HOW_TO}", self.problem())]
    HexLength(usize),
    /// The same byte throughout, which is no random key.
    #[error("the encryption key {}; {HOW_TO}", self.problem())]
    Placeholder,
    /// The cryptographic library does not work, or has no random numbers.
    #[error("no encryption key can be made: the cryptographic library or its random number generator failed")]
    Library,
}

const HOW_TO: &str = "make one with `openssl rand -base64 32`";

impl EncryptionKeyError {
    /// Returns the problem without its hint: for a key that must not be replaced by a new one.
    pub(super) fn problem(self) -> String {
        match self {
            Self::Empty => "is empty".to_owned(),
            Self::Encoding => "is neither base64 nor hexadecimal digits".to_owned(),
            Self::Length(bytes) => format!("has {bytes} bytes where 32 are needed"),
            Self::HexLength(digits) => format!("has {digits} hexadecimal digits where 64 are needed"),
            Self::Placeholder => "is a placeholder (the same byte throughout)".to_owned(),
            Self::Library => "cannot be used".to_owned(),
        }
    }
}

impl EncryptionKey {
    /// 32 bytes in base64 (either alphabet, with or without padding) or in 64 hexadecimal digits; white space around
    /// them does not count.
    ///
    /// # Errors
    /// [`EncryptionKeyError`] for anything else, and for the same byte 32 times.
    pub fn parse(text: &str) -> Result<Self, EncryptionKeyError> {
        Self::derive(&decode(text)?)
    }

    /// Such a key, and its 32 bytes in base64, whichever way they were written: for callers that encrypt the key itself.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    #[cfg(feature = "vault")]
    pub(crate) fn parse_with_text(text: &str) -> Result<(Self, Zeroizing<String>), EncryptionKeyError> {
        let bytes = decode(text)?;
        Ok((Self::derive(&bytes)?, Zeroizing::new(STANDARD.encode(&*bytes))))
    }

    /// A new random key, which nobody can have again: for what need not outlive the process.
    ///
    /// # Errors
    /// [`EncryptionKeyError::Library`] where the system gives no random numbers.
    pub fn generate() -> Result<Self, EncryptionKeyError> {
        Self::generate_with_text().map(|(key, _)| key)
    }

    /// A new random key, and the text that [`parse`](Self::parse) makes it from: 44 characters of base64.
    pub(crate) fn generate_with_text() -> Result<(Self, Zeroizing<String>), EncryptionKeyError> {
        let mut bytes = Zeroizing::new([0; KEY]);
        SystemRandom::new().fill(bytes.as_mut_slice()).or(Err(EncryptionKeyError::Library))?;
        Ok((Self::derive(bytes.as_slice())?, Zeroizing::new(STANDARD.encode(bytes.as_slice()))))
    }

    /// Returns the id that names the key in ciphertexts and errors. It says nothing about the key.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// RFC 5869 without a salt: the bytes are uniformly random already (§3.1).
    fn derive(bytes: &[u8]) -> Result<Self, EncryptionKeyError> {
        let expand = |label, out: &mut [u8]| hkdf_sha256(&[], bytes, label, out).or(Err(EncryptionKeyError::Library));
        let mut id = [0; KeyId::LENGTH];
        expand(KEY_ID_LABEL, &mut id)?;
        let mut key = Zeroizing::new([0; KEY]);
        expand(ENCRYPT_LABEL, key.as_mut_slice())?;
        let encrypt = Cipher::new(&key).or(Err(EncryptionKeyError::Library))?;
        expand(NONCE_LABEL, key.as_mut_slice())?;
        Ok(Self { id: KeyId(id), encrypt, nonce: hmac_sha256_key(key.as_slice()) })
    }
}

/// By the ids, which are public: two keys share one with a probability of 2^-64.
impl PartialEq for EncryptionKey {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for EncryptionKey {}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncryptionKey({} [REDACTED])", self.id)
    }
}

/// Says which key sealed a token: 8 bytes, shown as 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; Self::LENGTH]);

impl KeyId {
    /// Bytes of an id.
    pub(super) const LENGTH: usize = 8;

    pub(super) const fn new(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    pub(super) const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::EncryptionKeyError::{Empty, Encoding, HexLength, Length, Library, Placeholder};
    use super::*;

    #[test]
    fn errors_say_what_is_wrong_and_how_to_make_a_key() {
        for (error, problem) in [
            (Empty, "is empty"),
            (Encoding, "is neither base64 nor hexadecimal digits"),
            (Length(31), "has 31 bytes where 32 are needed"),
            (HexLength(62), "has 62 hexadecimal digits where 64 are needed"),
            (Placeholder, "is a placeholder (the same byte throughout)"),
        ] {
            let text = format!("the encryption key {problem}; make one with `openssl rand -base64 32`");
            assert_eq!(error.to_string(), text);
            assert_eq!(error.problem(), problem);
        }
        assert!(Library.to_string().contains("random number generator"), "{Library}");
        assert_eq!(Library.problem(), "cannot be used");
    }

    #[cfg(feature = "vault")]
    #[test]
    fn a_key_in_digits_is_written_in_base64() {
        let digits = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"; // pragma: allowlist secret
        let (key, text) = EncryptionKey::parse_with_text(digits).unwrap();
        assert_eq!(*text, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="); // pragma: allowlist secret
        assert_eq!((&key, &EncryptionKey::parse(digits).unwrap()), (&EncryptionKey::parse(&text).unwrap(), &key));
        assert_eq!(EncryptionKey::parse_with_text("").err(), Some(Empty));
    }

    #[test]
    fn a_generated_key_is_what_its_text_is_parsed_to() {
        let (key, text) = EncryptionKey::generate_with_text().unwrap();
        assert_eq!(text.len(), 44);
        let again = EncryptionKey::parse(&text).unwrap();
        assert_eq!(key.id(), again.id());
        let seal = |key: &EncryptionKey| key.encrypt.seal([0; 12], b"aad", b"text").unwrap();
        assert_eq!(seal(&key), seal(&again));
        let mac = |key: &EncryptionKey| aws_lc_rs::hmac::sign(&key.nonce, b"text").as_ref().to_vec();
        assert_eq!(mac(&key), mac(&again));
    }
}
