//! Encryption of tokens at rest: AES-256-GCM with a synthetic nonce, bound to where the token belongs.
//!
//! The same token under the same name and key always gives the same ciphertext, so that a restart or a second replica
//! changes nothing that has not changed. A fixed nonce would give everything away on its second use, so the nonce is
//! derived, with a key of its own, from the name and the token: two different messages share one only by the birthday
//! bound of 96 bits (2^32 messages under one key: probability about 2^-33). What shows is whether two versions of one
//! token are equal, and no more.
//!
//! [`EncryptionKey`] is what the operator has, [`Keyring`] seals with one and opens with any of several, and
//! [`EncryptionKey::load_or_create`] keeps one in a file.

mod key;
mod key_file;
mod sealed;

pub use key::{EncryptionKey, EncryptionKeyError, KeyId};
pub use key_file::KeyFileError;
pub use sealed::{Context, DecryptError, Keyring};
