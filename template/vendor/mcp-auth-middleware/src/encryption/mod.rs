//! Encryption of tokens at rest: AES-256-GCM with a synthetic nonce, bound to where the token belongs.
//!
//! The same token under the same name and key always gives the same ciphertext, so that a restart or a second replica
//! changes nothing that has not changed. A fixed nonce would give everything away on its second use, so the nonce is
//! derived, with a key of its own, from the name and the token: two different messages share one only by the birthday
//! bound of 96 bits (2^32 messages under one key: probability about 2^-33). What shows is whether two versions of one
//! token are equal, and how long a token is; no more.
//!
//! [`EncryptionKey`] is what the operator has, [`Keyring`] seals with one and opens with any of several, and
//! [`EncryptionKey::load_or_create`] keeps one in a file.
//!
//! ```
//! use mcp_auth_middleware::encryption::{Context, EncryptionKey, Keyring};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let old = EncryptionKey::generate()?;
//! let place = Context { service: "my-server", name: "UPSTREAM_TOKEN" };
//! let sealed = Keyring::new(old).seal(place, b"the token")?;
//!
//! // Later, with a new key and without the old one:
//! let error = Keyring::new(EncryptionKey::generate()?).open(place, &sealed).unwrap_err();
//! assert!(error.to_string().starts_with("encryption key mismatch: stored with key "));
//! # Ok(())
//! # }
//! ```

mod key;
mod key_file;
mod key_text;
mod primitives;
mod sealed;

pub use key::{EncryptionKey, EncryptionKeyError, KeyId};
pub use key_file::KeyFileError;
#[cfg(feature = "postgres")]
pub(crate) use sealed::sealed_with;
pub use sealed::{Context, DecryptError, Keyring};
