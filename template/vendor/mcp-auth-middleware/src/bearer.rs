//! Bearer tokens for development (RFC 6750), compared in constant time.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use http::HeaderValue;
use zeroize::Zeroize;

use crate::jwt::TokenDigest;
use crate::{AuthError, User};

/// Shorter tokens are refused at start: 16 characters of a random token are 95 bits.
const MINIMUM_LENGTH: usize = 16;

/// Values that people leave in from an example.
const PLACEHOLDERS: [&str; 8] =
    ["changeme", "change-me", "change_me", "replaceme", "your-token", "your_token", "password", "secret-token"];

/// The configured development token(s), kept as SHA-256 digests only. Clones share them.
#[derive(Clone)]
pub struct BearerTokens {
    digests: Arc<RwLock<Vec<TokenDigest>>>,
}

/// Why a configured Bearer token is refused at start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WeakToken {
    /// There is no token at all.
    #[error("is empty")]
    Empty,
    /// Shorter than 16 characters.
    #[error("has a token of {0} characters; at least {MINIMUM_LENGTH} are needed (try `openssl rand -hex 32`)")]
    TooShort(usize),
    /// A value left in from an example.
    #[error("still holds a placeholder; make a random one with `openssl rand -hex 32`")]
    Placeholder,
    /// A character that cannot be sent in a header (RFC 6750 §2.1 `b64token`).
    #[error("has a token with a character outside of RFC 6750's set (letters, digits, - . _ ~ + / =)")]
    IllegalCharacter,
}

impl BearerTokens {
    /// Reads one token, or several separated by commas (the old one and the new one while clients change over).
    ///
    /// # Errors
    /// [`WeakToken`] for the first token that is not fit for use. The error never holds the token.
    pub fn parse(list: &str) -> Result<Self, WeakToken> {
        let mut digests = Vec::new();
        for token in list.split(',').map(str::trim).filter(|t| !t.is_empty()) {
            let mut lower = token.to_ascii_lowercase();
            let placeholder = PLACEHOLDERS.iter().any(|p| lower.starts_with(p));
            let uniform = lower.bytes().all(|b| Some(b) == lower.bytes().next());
            lower.zeroize();
            if placeholder || uniform {
                return Err(WeakToken::Placeholder);
            }
            if token.len() < MINIMUM_LENGTH {
                return Err(WeakToken::TooShort(token.chars().count()));
            }
            if !token.bytes().all(is_b64token_byte) {
                return Err(WeakToken::IllegalCharacter);
            }
            digests.push(TokenDigest::new(token.as_bytes()));
        }
        if digests.is_empty() { Err(WeakToken::Empty) } else { Ok(Self { digests: Arc::new(RwLock::new(digests)) }) }
    }

    /// Takes these tokens in place of its own, in all clones: the file that they came from has changed. The former ones
    /// are refused from now on.
    pub fn replace(&self, tokens: &Self) {
        let new = tokens.read().clone();
        *self.digests.write().unwrap_or_else(PoisonError::into_inner) = new;
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Vec<TokenDigest>> {
        self.digests.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Digests are compared rather than tokens, so that neither content nor length of a token shows in the time
    /// taken; all configured tokens are looked at, so that the position of a match does not show either.
    pub(crate) fn hold(&self, candidate: &TokenDigest) -> bool {
        self.read()
            .iter()
            .fold(false, |found, known| found | verify_slices_are_equal(known.as_bytes(), candidate.as_bytes()).is_ok())
    }
}

impl fmt::Debug for BearerTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BearerTokens({} [REDACTED])", self.read().len())
    }
}

fn is_b64token_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
}

/// Checks the value of an `Authorization` header against the configured tokens.
///
/// # Errors
/// [`AuthError::BearerMalformed`] where the value is not `Bearer <token>` (the scheme's case does not matter, RFC 9110
/// §11.1), [`AuthError::BearerMismatch`] where the token is none of those configured.
pub fn validate_bearer_token(header: &HeaderValue, tokens: &BearerTokens) -> Result<User, AuthError> {
    if tokens.hold(&TokenDigest::new(credential(header)?)) {
        Ok(User::developer())
    } else {
        Err(AuthError::BearerMismatch)
    }
}

/// The token in the value of an `Authorization` header (RFC 6750 §2.1).
pub(crate) fn credential(header: &HeaderValue) -> Result<&[u8], AuthError> {
    let (scheme, token) = header.as_bytes().split_at_checked(7).ok_or(AuthError::BearerMalformed)?;
    if !scheme.eq_ignore_ascii_case(b"bearer ") {
        return Err(AuthError::BearerMalformed);
    }
    let token = token.trim_ascii();
    if token.is_empty() || !token.iter().copied().all(is_b64token_byte) {
        return Err(AuthError::BearerMalformed);
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "kei4ahGhee8eecu0quoh5Ohn";

    fn check(value: &[u8]) -> Result<User, AuthError> {
        let tokens = BearerTokens::parse(&format!("{TOKEN}, second-token-0123456789")).expect("good tokens");
        validate_bearer_token(&HeaderValue::from_bytes(value).expect("a header value"), &tokens)
    }

    #[test]
    fn each_configured_token_passes() {
        assert_eq!(check(format!("Bearer {TOKEN}").as_bytes()), Ok(User::developer()));
        assert_eq!(check(b"bearer second-token-0123456789"), Ok(User::developer()));
        assert_eq!(check(format!("BEARER   {TOKEN} ").as_bytes()), Ok(User::developer()));
    }

    #[test]
    fn replaced_tokens_count_in_every_clone() {
        let tokens = BearerTokens::parse(TOKEN).expect("good tokens");
        let clone = tokens.clone();
        tokens.replace(&BearerTokens::parse("second-token-0123456789").expect("good tokens"));
        let check = |token: &str| {
            let header = HeaderValue::try_from(format!("Bearer {token}")).expect("a header value");
            validate_bearer_token(&header, &clone)
        };
        assert_eq!(check(TOKEN), Err(AuthError::BearerMismatch));
        assert_eq!(check("second-token-0123456789"), Ok(User::developer()));
    }

    /// attacks.md 24.
    #[test]
    fn attack_24_near_misses_are_refused() {
        for wrong in
            [format!("{TOKEN}x"), TOKEN[..TOKEN.len() - 1].to_owned(), TOKEN[..8].to_owned(), TOKEN.to_uppercase()]
        {
            assert_eq!(check(format!("Bearer {wrong}").as_bytes()), Err(AuthError::BearerMismatch), "{wrong}");
        }
        assert_eq!(
            check(format!("Bearer {TOKEN},second-token-0123456789").as_bytes()),
            Err(AuthError::BearerMalformed)
        );
    }

    /// attacks.md 25.
    #[test]
    fn attack_25_malformed_headers_are_refused() {
        for bad in ["", "Bearer", "Bearer ", "Bearer   ", "Basic abcdefgh", TOKEN, "Bearer a b", "Bearer\u{e4}\u{e4}"] {
            assert_eq!(check(bad.as_bytes()), Err(AuthError::BearerMalformed), "{bad:?}");
        }
        assert_eq!(check(b"Bearer \xff\xfe"), Err(AuthError::BearerMalformed));
    }

    /// attacks.md 28.
    #[test]
    fn attack_28_weak_tokens_are_refused_at_start() {
        let parse = |s: &str| BearerTokens::parse(s).map(|_| ());
        assert_eq!(parse(""), Err(WeakToken::Empty));
        assert_eq!(parse(" , "), Err(WeakToken::Empty));
        assert_eq!(parse("changeme"), Err(WeakToken::Placeholder));
        assert_eq!(parse("ChangeMe-please-now-0000"), Err(WeakToken::Placeholder));
        assert_eq!(parse("xxxxxxxxxxxxxxxxxxxxxxxx"), Err(WeakToken::Placeholder));
        assert_eq!(parse("fifteen-chars-1"), Err(WeakToken::TooShort(15)));
        assert_eq!(parse("good-token-0123456789,short"), Err(WeakToken::TooShort(5)));
        assert_eq!(parse("sixteen chars+12"), Err(WeakToken::IllegalCharacter));
        let shown = format!("{:?}", BearerTokens::parse(TOKEN).expect("good"));
        assert!(!shown.contains(TOKEN), "{shown}");
    }
}
