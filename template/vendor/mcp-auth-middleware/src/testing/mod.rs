//! A Cloudflare Access team and an issuer of one's own, for tests: real keys, a key server on loopback, tokens on demand.
//!
//! Only with the feature `testing`; it has no place in a production build.

mod issuer;
mod key;
mod random;
mod server;
mod team;

use std::time::{SystemTime, UNIX_EPOCH};

pub use issuer::{INTROSPECTION, INTROSPECTION_ID, INTROSPECTION_SECRET, RESOURCE, TestIssuer};
pub use key::TestKey;
pub use random::{random_text, s256, sha256};
pub use server::KeyServer;
pub use team::{AUDIENCE, ISSUER, TestTeam};

/// Now, in seconds since 1970.
#[must_use]
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
