//! SHA-256 (FIPS 180-4) of bytes, and as text.

use sha2::{Digest as _, Sha256};

/// The digest's 32 bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The first `length` bytes of the digest, of 32 at most, as twice as many hexadecimal digits in lower case.
#[must_use]
pub fn sha256_hex(bytes: &[u8], length: usize) -> String {
    sha256(bytes).iter().take(length).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of FIPS 180-4.
    #[test]
    fn digits_of_a_known_digest() {
        let whole = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; // pragma: allowlist secret
        assert_eq!(sha256_hex(b"abc", 32), whole);
        assert_eq!(sha256_hex(b"abc", 8), whole[..16]);
    }
}
