//! Random texts and digests, for what plays an authorization server.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A random text of 256 bits, in base64url.
///
/// # Panics
/// Where the system has no randomness; this is test code.
#[must_use]
#[allow(clippy::expect_used, reason = "test support")]
pub fn random_text() -> String {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).expect("randomness");
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The SHA-256 of a text, in base64url: the challenge of a PKCE verifier (RFC 7636 §4.2, `S256`).
#[must_use]
pub fn s256(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(sha256(text))
}

/// The SHA-256 of a text.
#[must_use]
pub fn sha256(text: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    #[test]
    fn the_challenge_is_that_of_the_standard() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"; // pragma: allowlist secret
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"; // pragma: allowlist secret
        assert_eq!(s256(verifier), challenge);
        let (one, other) = (random_text(), random_text());
        assert!(one != other && one.len() == 43);
    }
}
