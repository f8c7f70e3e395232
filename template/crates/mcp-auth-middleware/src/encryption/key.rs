//! The operator's key, and the three that are made from it.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// Bytes of a key.
const LENGTH: usize = 32;

/// Different uses get different keys (RFC 5869 §3.2, "info").
const ENCRYPT: &[u8] = b"mcp-auth-middleware v1 encrypt";
const NONCE: &[u8] = b"mcp-auth-middleware v1 nonce";
const KEY_ID: &[u8] = b"mcp-auth-middleware v1 key id";

/// A 256-bit master key. Wiped from memory when it is dropped; never shown.
pub struct EncryptionKey {
    bytes: Zeroizing<[u8; LENGTH]>,
}

/// Why a text is no key. It does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncryptionKeyError {
    /// Neither base64 (RFC 4648 §4, §5) nor hexadecimal digits.
    #[error(
        "an encryption key is 32 bytes in base64 or hex, and this is neither; make one with `openssl rand -base64 32`"
    )]
    Encoding,
    /// Well encoded, but not 32 bytes.
    #[error("an encryption key has 32 bytes, and this has {0}; make one with `openssl rand -base64 32`")]
    Length(usize),
    /// The same byte throughout.
    #[error("an encryption key is random, and this is a placeholder; make one with `openssl rand -base64 32`")]
    Placeholder,
    /// The system has no random numbers.
    #[error("the system's random number generator does not work")]
    Random,
}

impl EncryptionKey {
    /// 32 bytes in base64 (either alphabet, with or without padding) or in 64 hexadecimal digits; white space around
    /// them does not count.
    ///
    /// # Errors
    /// [`EncryptionKeyError`] for anything else.
    pub fn parse(text: &str) -> Result<Self, EncryptionKeyError> {
        let text = text.trim();
        // 64 hexadecimal digits are base64 of 48 bytes as well: they are what they look like.
        let bytes = match from_hex(text).filter(|_| text.len() == 2 * LENGTH) {
            Some(bytes) => bytes,
            None => from_base64(text).or_else(|| from_hex(text)).ok_or(EncryptionKeyError::Encoding)?,
        };
        Self::from_bytes(&bytes)
    }

    /// A new random key.
    ///
    /// # Errors
    /// [`EncryptionKeyError::Random`] where the system gives no random numbers.
    pub fn generate() -> Result<Self, EncryptionKeyError> {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        SystemRandom::new().fill(bytes.as_mut_slice()).map_err(|_| EncryptionKeyError::Random)?;
        Ok(Self { bytes })
    }

    /// What tells keys apart in ciphertexts and errors; it says nothing about the key.
    #[must_use]
    pub fn id(&self) -> KeyId {
        let mut id = [0; KeyId::LENGTH];
        expand(&self.prk(), KEY_ID, &mut id);
        KeyId(id)
    }

    /// The key in base64, for the file that keeps it.
    pub(super) fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.bytes.as_slice()))
    }

    /// The keys that do the work.
    pub(super) fn derive(&self) -> Derived {
        let prk = self.prk();
        let mut nonce = Zeroizing::new([0; LENGTH]);
        expand(&prk, NONCE, nonce.as_mut_slice());
        Derived { id: self.id(), encrypt: encrypting(&prk), nonce: hmac::Key::new(hmac::HMAC_SHA256, nonce.as_slice()) }
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, EncryptionKeyError> {
        let bytes: [u8; LENGTH] = bytes.try_into().map_err(|_| EncryptionKeyError::Length(bytes.len()))?;
        let bytes = Zeroizing::new(bytes);
        if bytes.iter().all(|byte| *byte == bytes[0]) {
            return Err(EncryptionKeyError::Placeholder);
        }
        Ok(Self { bytes })
    }

    /// RFC 5869 §2.2. The key is uniformly random already, so no salt is needed (§3.1).
    fn prk(&self) -> Prk {
        Salt::new(HKDF_SHA256, &[]).extract(self.bytes.as_slice())
    }
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncryptionKey({})", self.id())
    }
}

/// Says which key sealed a token: 8 bytes, shown as 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
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

/// What a master key becomes.
pub(super) struct Derived {
    pub(super) id: KeyId,
    pub(super) encrypt: LessSafeKey,
    pub(super) nonce: hmac::Key,
}

/// How many bytes are wanted of HKDF.
struct Bytes(usize);

impl KeyType for Bytes {
    fn len(&self) -> usize {
        self.0
    }
}

/// RFC 5869 §2.3.
fn expand(prk: &Prk, label: &[u8], out: &mut [u8]) {
    let filled = prk.expand(&[label], Bytes(out.len())).and_then(|okm| okm.fill(out));
    // All callers want two blocks at the most of the 255 that there are.
    assert!(filled.is_ok(), "HKDF-SHA-256 gives {} bytes", out.len());
}

fn encrypting(prk: &Prk) -> LessSafeKey {
    match prk.expand(&[ENCRYPT], &AES_256_GCM) {
        Ok(okm) => LessSafeKey::new(UnboundKey::from(okm)),
        // 32 bytes are one block of the 255 that there are.
        Err(_) => unreachable!("HKDF-SHA-256 gives 32 bytes"),
    }
}

fn from_base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
        .iter()
        .find_map(|alphabet| alphabet.decode(text).ok())
        .filter(|bytes| !bytes.is_empty())
        .map(Zeroizing::new)
}

fn from_hex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let digits = text.as_bytes();
    if digits.is_empty() || !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let digit = |c: u8| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let bytes = digits.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?));
    bytes.collect::<Option<Vec<u8>>>().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        from_hex(text).unwrap().to_vec()
    }

    /// RFC 5869, appendix A.1.
    #[test]
    fn hkdf_as_published() {
        let prk = Salt::new(HKDF_SHA256, &hex("000102030405060708090a0b0c")).extract(&[0x0b; 22]);
        let mut okm = [0; 42];
        expand(&prk, &hex("f0f1f2f3f4f5f6f7f8f9"), &mut okm);
        let expected = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"; // pragma: allowlist secret
        assert_eq!(okm.to_vec(), hex(expected));
    }

    /// RFC 5869, appendix A.3: without salt and info.
    #[test]
    fn hkdf_without_salt_as_published() {
        let prk = Salt::new(HKDF_SHA256, &[]).extract(&[0x0b; 22]);
        let mut okm = [0; 42];
        expand(&prk, &[], &mut okm);
        let expected = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"; // pragma: allowlist secret
        assert_eq!(okm.to_vec(), hex(expected));
    }

    #[test]
    fn a_key_in_every_spelling() {
        let bytes: Vec<u8> = (0..32).map(|n| n * 8 + 7).collect();
        let as_hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        let spellings = [
            STANDARD.encode(&bytes),
            STANDARD_NO_PAD.encode(&bytes),
            URL_SAFE.encode(&bytes),
            URL_SAFE_NO_PAD.encode(&bytes),
            as_hex.to_uppercase(),
            format!(" {as_hex}\n"),
        ];
        for text in &spellings {
            assert_eq!(EncryptionKey::parse(text).unwrap().bytes.as_slice(), bytes, "{text}");
        }
        assert_eq!(*EncryptionKey::parse(&spellings[0]).unwrap().to_base64(), spellings[0]);
    }

    /// attacks.md 40.
    #[test]
    fn attack_40_what_is_no_key() {
        use EncryptionKeyError::{Encoding, Length, Placeholder};
        for (text, error) in [
            (String::new(), Encoding),
            ("correct horse battery staple".to_owned(), Encoding),
            ("ü".repeat(22), Encoding),
            (STANDARD.encode([1; 31]), Length(31)),
            (STANDARD.encode([1; 33]), Length(33)),
            ("ab".repeat(31), Length(31)),
            ("ab".repeat(33), Length(33)),
            (STANDARD.encode([0; 32]), Placeholder),
            ("ff".repeat(32), Placeholder),
        ] {
            let found = EncryptionKey::parse(&text).unwrap_err();
            assert_eq!(found, error, "{text}");
            assert!(text.is_empty() || !found.to_string().contains(&text));
            assert!(found.to_string().contains("openssl rand"), "{found}");
        }
    }

    #[test]
    fn generated_keys_differ_and_debug_shows_the_id_only() {
        let (one, two) = (EncryptionKey::generate().unwrap(), EncryptionKey::generate().unwrap());
        assert_ne!(one.bytes, two.bytes);
        assert_ne!(one.id(), two.id());
        assert_eq!(format!("{one:?}"), format!("EncryptionKey({})", one.id()));
        assert_eq!(format!("{:?}", one.id()), one.id().to_string());
        assert_eq!(one.id().to_string().len(), 16);
    }
}
