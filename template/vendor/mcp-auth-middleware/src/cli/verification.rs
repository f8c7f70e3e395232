//! The verification hash of a set of tokens: equal for equal sets, and nothing to anybody without the encryption key.

use std::collections::BTreeMap;

use aws_lc_rs::hmac;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::StoreError;
use crate::encryption::{Context, Keyring};

/// No token can have this context: stores refuse an empty name of a service.
const CONTEXT: Context<'_> = Context { service: "", name: "mcp-auth-middleware v1 verification hash" };

/// 64 hex digits: HMAC-SHA-256 over names and values, each with its length before it, in the order of the names.
///
/// Its key is what the active encryption key makes of nothing in a context of its own: a synthetic nonce and a tag, both
/// of which are pseudorandom without the key. A hash without a key would let a weak token be guessed.
pub(super) fn verification_hash(
    keyring: &Keyring,
    tokens: &BTreeMap<&str, SecretString>,
) -> Result<String, StoreError> {
    let key = Zeroizing::new(keyring.seal(CONTEXT, b"")?);
    let mut hmac = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &key));
    for (name, value) in tokens {
        for part in [name.as_bytes(), value.expose_secret().as_bytes()] {
            hmac.update(&(part.len() as u64).to_be_bytes());
            hmac.update(part);
        }
    }
    Ok(hmac.sign().as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
}
