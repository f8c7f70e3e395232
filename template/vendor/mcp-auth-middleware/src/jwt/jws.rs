//! The shape of a token: a JWS in compact form (RFC 7515 §7.1).
//!
//! Text in, decoded header and signature out. Nothing of the payload is decoded here: it means nothing before the
//! signature has been checked.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use super::Algorithm;
use crate::AuthError;

/// A real access token has about 1 KiB. Longer ones are refused before anything is computed.
pub(crate) const MAXIMUM_LENGTH: usize = 16 * 1024;

/// A token taken apart, its signature not yet checked.
pub(crate) struct Jws<'t> {
    /// How it is said to be signed.
    pub algorithm: Algorithm,
    /// Which key is said to have signed it.
    pub key_id: String,
    /// The media type of the whole token, such as `at+jwt`.
    pub media_type: Option<String>,
    /// The signed text: header and payload as they came.
    pub signed: &'t str,
    /// The payload, still encoded.
    pub payload: &'t str,
    /// The signature, decoded.
    pub signature: Vec<u8>,
}

/// The header's members that decide. `jku`, `jwk`, `x5u` and `x5c` are never looked at: keys come from the configured
/// address only (RFC 8725 §3.10).
#[derive(Deserialize)]
struct Header<'h> {
    #[serde(borrow)]
    alg: Cow<'h, str>,
    kid: Option<String>,
    typ: Option<String>,
    /// `true` when the header has it, `null` included, which is no list of extensions either.
    #[serde(default, deserialize_with = "present")]
    crit: bool,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

impl<'t> Jws<'t> {
    /// Takes a token apart that is signed by one of these algorithms.
    pub(crate) fn parse(token: &'t str, allowed: &[Algorithm]) -> Result<Self, AuthError> {
        if token.len() > MAXIMUM_LENGTH {
            return Err(AuthError::JwtMalformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(AuthError::JwtMalformed)?;
        let (header, payload) = signed.split_once('.').ok_or(AuthError::JwtMalformed)?;
        if payload.contains('.') {
            return Err(AuthError::JwtMalformed); // five parts are a JWE
        }
        let header = decode_text(header)?;
        let header: Header<'_> = parse_json(&header)?;
        // Pinned, never taken from the token (RFC 8725 §3.1).
        let algorithm = Algorithm::from_header(&header.alg).filter(|algorithm| allowed.contains(algorithm));
        let algorithm = algorithm.ok_or(AuthError::AlgorithmNotAllowed)?;
        // Extensions that must be understood; there is none that we do (RFC 7515 §4.1.11).
        if header.crit || payload.is_empty() || signature.is_empty() {
            return Err(AuthError::JwtMalformed);
        }
        let key_id = header.kid.filter(|kid| !kid.is_empty()).ok_or(AuthError::UnknownKeyId)?;
        let signature = decode(signature)?;
        Ok(Self { algorithm, key_id, media_type: header.typ, signed, payload, signature })
    }
}

/// base64url without padding, and with no bits left over in the last character: one value has one spelling.
pub(super) fn decode(part: &str) -> Result<Vec<u8>, AuthError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| AuthError::JwtMalformed)
}

/// The text of a part.
pub(crate) fn decode_text(part: &str) -> Result<String, AuthError> {
    String::from_utf8(decode(part)?).map_err(|_| AuthError::JwtMalformed)
}

/// A part that holds JSON. A member of `T` that occurs twice is an error (RFC 7515 §4, RFC 7519 §4).
pub(crate) fn parse_json<'j, T: Deserialize<'j>>(json: &'j str) -> Result<T, AuthError> {
    serde_json::from_str(json).map_err(|_| AuthError::JwtMalformed)
}
