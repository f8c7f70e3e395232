//! The hash of an audit row that somebody wrote down outside of the database.

use std::fmt;
use std::str::FromStr;

use super::chain::HASH;

/// The end of an audit log as it once was: [`AuditReport::last_hash`](super::AuditReport::last_hash).
///
/// The chain needs no key, so that everybody can verify it and a rotation leaves it alone. The owner of the database
/// could therefore rewrite the whole of it, and it would be in order. A hash that is kept where the owner cannot reach
/// prevents that: as long as its row is in the chain, nothing up to that row was touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditHash([u8; HASH]);

/// Not the 64 hexadecimal digits of a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a hash of the audit log has 64 hexadecimal digits")]
pub struct ParseAuditHashError;

impl AuditHash {
    /// Returns whether it is this hash.
    pub(super) fn is(&self, hash: &[u8]) -> bool {
        self.0 == hash
    }
}

impl FromStr for AuditHash {
    type Err = ParseAuditHashError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut hash = [0; HASH];
        // Digits first: `from_str_radix` takes a sign as well.
        if text.len() != 2 * HASH || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(ParseAuditHashError);
        }
        for (at, byte) in hash.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).or(Err(ParseAuditHashError))?;
        }
        Ok(Self(hash))
    }
}

impl fmt::Display for AuditHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_hash_is_64_digits_and_nothing_else() {
        let text = "0123456789abcdef".repeat(4);
        assert_eq!(text.parse::<AuditHash>().unwrap().to_string(), text);
        assert_eq!(text.to_uppercase().parse::<AuditHash>().unwrap().to_string(), text);
        for other in ["", &text[1..], &format!("{text}0"), &text.replace("01", "+1"), &"ü".repeat(32)] {
            assert_eq!(other.parse::<AuditHash>(), Err(ParseAuditHashError), "{other}");
        }
    }
}
