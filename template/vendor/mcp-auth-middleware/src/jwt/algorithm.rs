//! The signature algorithms of tokens: those with a public key, and no other (RFC 7518 §3.1, RFC 8037, RFC 8725 §3.1).

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RsaParameters, VerificationAlgorithm,
};

/// An algorithm that a token may be signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519.
    EdDsa,
}

/// A name that is none of an algorithm that can be accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseAlgorithmError {
    /// HMAC: who can check such a token can make one, and a public key taken for the secret opens the door.
    #[error("{0:?} is never accepted: with HMAC, everybody who can check a token can make one")]
    Hmac(String),
    /// `none`: no signature at all.
    #[error("{0:?} is never accepted: such a token has no signature")]
    Unsigned(String),
    /// Another name.
    #[error("{0:?} is none of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA")]
    Unknown(String),
}

impl Algorithm {
    /// All algorithms.
    pub const ALL: [Self; 9] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
    ];

    /// Those that an issuer's tokens may have where nothing else is configured.
    pub const DEFAULT: [Self; 3] = [Self::Rs256, Self::Es256, Self::EdDsa];

    /// The name of the registry "JSON Web Signature and Encryption Algorithms".
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The algorithm of this name in a token or a key; names are compared exactly (RFC 7515 §4.1.1).
    pub(super) fn from_header(name: &str) -> Option<Self> {
        // RFC 9864 has a name for the curve alone.
        let name = if name == "Ed25519" { "EdDSA" } else { name };
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }

    /// How RSA signatures of this kind are checked.
    pub(super) fn rsa(self) -> Option<&'static RsaParameters> {
        Some(match self {
            Self::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            Self::Rs384 => &RSA_PKCS1_2048_8192_SHA384,
            Self::Rs512 => &RSA_PKCS1_2048_8192_SHA512,
            Self::Ps256 => &RSA_PSS_2048_8192_SHA256,
            Self::Ps384 => &RSA_PSS_2048_8192_SHA384,
            Self::Ps512 => &RSA_PSS_2048_8192_SHA512,
            Self::Es256 | Self::Es384 | Self::EdDsa => return None,
        })
    }

    /// How signatures on this curve are checked, and how many bytes a coordinate has.
    pub(super) fn curve(self, name: &str) -> Option<(&'static dyn VerificationAlgorithm, usize)> {
        match (self, name) {
            (Self::Es256, "P-256") => Some((&ECDSA_P256_SHA256_FIXED, 32)),
            (Self::Es384, "P-384") => Some((&ECDSA_P384_SHA384_FIXED, 48)),
            (Self::EdDsa, "Ed25519") => Some((&ED25519, 32)),
            _ => None,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = ParseAlgorithmError;

    /// Reads a name from a configuration, in which the case of letters does not matter.
    fn from_str(name: &str) -> Result<Self, ParseAlgorithmError> {
        let name = name.trim();
        let upper = name.to_ascii_uppercase();
        match Self::ALL.into_iter().find(|algorithm| algorithm.as_str().eq_ignore_ascii_case(name)) {
            Some(algorithm) => Ok(algorithm),
            None if upper.starts_with("HS") => Err(ParseAlgorithmError::Hmac(name.to_owned())),
            None if upper == "NONE" => Err(ParseAlgorithmError::Unsigned(name.to_owned())),
            None => Err(ParseAlgorithmError::Unknown(name.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_configurations_and_of_tokens() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
            assert_eq!(algorithm.as_str().to_lowercase().parse(), Ok(algorithm));
            assert_eq!(Algorithm::from_header(algorithm.as_str()), Some(algorithm));
            assert_eq!(Algorithm::from_header(&algorithm.as_str().to_lowercase()), None);
        }
        assert_eq!(Algorithm::from_header("Ed25519"), Some(Algorithm::EdDsa));
    }

    #[test]
    fn attack_67_hmac_and_none_cannot_be_configured() {
        for name in ["HS256", "hs512", "none", "NONE", "", "ES512", "RSA1_5"] {
            let error = name.parse::<Algorithm>().map_err(|error| error.to_string());
            let expected = match name {
                "HS256" | "hs512" => "HMAC",
                "none" | "NONE" => "no signature",
                _ => "is none of",
            };
            assert!(error.as_ref().is_err_and(|text| text.contains(expected)), "{name}: {error:?}");
        }
    }
}
