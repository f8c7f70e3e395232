//! A verifier of JSON Web Tokens that somebody else issues (RFC 7515, RFC 7517, RFC 7519).
//!
//! The parts that are the same for every issuer: the shape of a token, its algorithm, its issuer's keys, the registered claims, and the
//! memory of tokens that have passed. Two presets build on it: [`cloudflare`](crate::cloudflare) and [`oidc`](crate::oidc).

mod algorithm;
mod claims;
mod fetch;
mod jws;
mod key_set;
mod keys;
mod object;
mod source;
mod verified;
mod verifier;

pub use algorithm::{Algorithm, ParseAlgorithmError};
pub(crate) use claims::{RegisteredClaims, check_audience};
pub(crate) use fetch::{Client, FetchError};
pub(crate) use jws::{Jws, MAXIMUM_LENGTH, decode_text, parse_json};
pub use keys::{KeyPolicy, KeyStatus};
pub(crate) use object::Claims;
pub(crate) use source::{KeySource, metadata};
pub(crate) use verified::TokenDigest;
pub(crate) use verifier::{Verifier, seconds_since_1970};

/// https, or http to this very machine (an emulator in development).
pub(crate) fn is_secure(url: &reqwest::Url) -> bool {
    match url.scheme() {
        "https" => url.host_str().is_some(),
        "http" => matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")),
        _ => false,
    }
}
