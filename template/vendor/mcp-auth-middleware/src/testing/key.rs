//! A key pair of any algorithm, and what it signs.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512,
    RsaSignatureEncoding,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::Algorithm;

/// A key with its id.
pub struct TestKey {
    kid: String,
    algorithm: Algorithm,
    pair: Pair,
}

enum Pair {
    Rsa(KeyPair, &'static RsaSignatureEncoding),
    Ecdsa(EcdsaKeyPair, &'static str),
    Ed25519(Ed25519KeyPair),
}

impl TestKey {
    /// A fresh RSA key of 2048 bits that signs with RS256.
    ///
    /// # Panics
    /// Where the cryptographic library cannot make a key; this is test code.
    #[must_use]
    pub fn generate(kid: &str) -> Self {
        Self::for_algorithm(Algorithm::Rs256, kid)
    }

    /// A fresh key that signs with this algorithm.
    ///
    /// # Panics
    /// Where the cryptographic library cannot make a key; this is test code.
    #[must_use]
    #[allow(clippy::expect_used, reason = "test support: a key or nothing")]
    pub fn for_algorithm(algorithm: Algorithm, kid: &str) -> Self {
        let rsa = |encoding| Pair::Rsa(KeyPair::generate(KeySize::Rsa2048).expect("an RSA key"), encoding);
        let pair = match algorithm {
            Algorithm::Rs256 => rsa(&RSA_PKCS1_SHA256),
            Algorithm::Rs384 => rsa(&RSA_PKCS1_SHA384),
            Algorithm::Rs512 => rsa(&RSA_PKCS1_SHA512),
            Algorithm::Ps256 => rsa(&RSA_PSS_SHA256),
            Algorithm::Ps384 => rsa(&RSA_PSS_SHA384),
            Algorithm::Ps512 => rsa(&RSA_PSS_SHA512),
            Algorithm::Es256 => {
                Pair::Ecdsa(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key"), "P-256")
            }
            Algorithm::Es384 => {
                Pair::Ecdsa(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).expect("a key"), "P-384")
            }
            Algorithm::EdDsa => Pair::Ed25519(Ed25519KeyPair::generate().expect("a key")),
        };
        Self { kid: kid.to_owned(), algorithm, pair }
    }

    /// The key's id.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half as a JSON Web Key, as issuers publish it.
    #[must_use]
    pub fn jwk(&self) -> serde_json::Value {
        let mut jwk = serde_json::json!({"alg": self.algorithm.as_str(), "use": "sig", "kid": self.kid});
        let mut set = |name: &str, value: &str| jwk[name] = value.into();
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match &self.pair {
            Pair::Rsa(pair, _) => {
                let public = pair.public_key();
                set("kty", "RSA");
                set("n", &encode(public.modulus().big_endian_without_leading_zero()));
                set("e", &encode(public.exponent().big_endian_without_leading_zero()));
            }
            Pair::Ecdsa(pair, curve) => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                set("kty", "EC");
                set("crv", curve);
                set("x", &encode(x));
                set("y", &encode(y));
            }
            Pair::Ed25519(pair) => {
                set("kty", "OKP");
                set("crv", "Ed25519");
                set("x", &encode(pair.public_key().as_ref()));
            }
        }
        jwk
    }

    /// The RSA key of this one.
    ///
    /// # Panics
    /// Where it is a key of another kind.
    #[allow(clippy::panic, reason = "test support")]
    fn rsa(&self) -> &KeyPair {
        match &self.pair {
            Pair::Rsa(pair, _) => pair,
            _ => panic!("{} is no RSA key", self.kid),
        }
    }

    /// The public half in DER (`SubjectPublicKeyInfo`), for attacks that use it as a secret.
    ///
    /// # Panics
    /// Where the key cannot be encoded, or is no RSA key.
    #[must_use]
    #[allow(clippy::expect_used, reason = "test support")]
    pub fn public_der(&self) -> Vec<u8> {
        self.rsa().public_key().as_der().expect("DER").as_ref().to_vec()
    }

    /// A token with exactly these header and claims, signed with this key.
    #[must_use]
    pub fn sign(&self, header: &serde_json::Value, claims: &serde_json::Value) -> String {
        self.sign_raw(header.to_string().as_bytes(), claims.to_string().as_bytes())
    }

    /// As [`sign`](Self::sign), from bytes that need not be JSON.
    #[must_use]
    pub fn sign_raw(&self, header: &[u8], claims: &[u8]) -> String {
        self.sign_encoded(&format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims)))
    }

    /// As [`sign`](Self::sign), from text that need not be base64: `HEADER.CLAIMS` as it will stand in the token.
    ///
    /// # Panics
    /// Where the cryptographic library refuses.
    #[must_use]
    #[allow(clippy::expect_used, reason = "test support")]
    pub fn sign_encoded(&self, signed: &str) -> String {
        let input = signed.as_bytes();
        let signature = match &self.pair {
            Pair::Rsa(_, encoding) => self.sign_bytes(encoding, input),
            Pair::Ecdsa(pair, _) => pair.sign(&SystemRandom::new(), input).expect("a signature").as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.sign(input).as_ref().to_vec(),
        };
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The signature of these bytes in another padding or digest.
    ///
    /// # Panics
    /// Where the cryptographic library refuses, or this is no RSA key.
    #[must_use]
    #[allow(clippy::expect_used, reason = "test support")]
    pub fn sign_bytes(&self, encoding: &'static RsaSignatureEncoding, input: &[u8]) -> Vec<u8> {
        let pair = self.rsa();
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(encoding, &SystemRandom::new(), input, &mut signature).expect("a signature");
        signature
    }

    /// The header that Access and most issuers write.
    #[must_use]
    pub fn header(&self) -> serde_json::Value {
        serde_json::json!({"alg": self.algorithm.as_str(), "kid": self.kid, "typ": "JWT"})
    }
}
