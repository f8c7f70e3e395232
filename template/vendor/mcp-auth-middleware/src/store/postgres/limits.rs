//! The names and values that the store takes. The tables' constraints have the same limits; here they have messages.

use std::borrow::Cow;

use crate::StoreError;
use crate::printable::printable;

/// Bytes of a service's or token's name.
const NAME: usize = 255;

/// Bytes of a token's value.
const VALUE: usize = 64 * 1024;

/// Bytes of an actor's name: RFC 5321 §4.5.3.1 has 64 for the local part and 255 for the domain.
const ACTOR: usize = 320;

/// Bytes of the reason in an audit row.
const DETAIL: usize = 2000;

/// A name of 1 to 255 bytes without control characters; `what` is "service" or "token".
pub(super) fn check_name(what: &str, name: &str) -> Result<(), StoreError> {
    if name.is_empty() {
        Err(StoreError::Invalid(format!("the name of a {what} is empty")))
    } else if name.len() > NAME {
        let length = name.len();
        Err(StoreError::Invalid(format!("the name of a {what} has {length} bytes; at most {NAME} are possible")))
    } else if name.contains(char::is_control) {
        Err(StoreError::Invalid(format!("the name of a {what} holds a control character: {}", printable(name))))
    } else {
        Ok(())
    }
}

/// A value of 1 byte to 64 KiB without NUL, which no header or environment variable could carry. No text holds it.
pub(super) fn check_value(value: &str) -> Result<(), StoreError> {
    if value.is_empty() {
        Err(StoreError::Invalid("the value of a token is empty".to_owned()))
    } else if value.len() > VALUE {
        let length = value.len();
        Err(StoreError::Invalid(format!("the value of a token has {length} bytes; at most {VALUE} are possible")))
    } else if value.contains('\0') {
        Err(StoreError::Invalid("the value of a token holds a NUL byte".to_owned()))
    } else {
        Ok(())
    }
}

/// The actor, as the audit log shows it. An odd name must not stop an operation or forge a line, so it is escaped
/// and shortened instead of refused.
pub(super) fn actor(name: &str) -> Cow<'_, str> {
    if name.is_empty() { Cow::Borrowed("unknown") } else { shortened(printable(name), ACTOR) }
}

/// A reason that fits into an audit row.
pub(super) fn detail(text: &str) -> Cow<'_, str> {
    shortened(printable(text), DETAIL)
}

fn shortened(text: Cow<'_, str>, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return text;
    }
    let end = text.floor_char_boundary(most);
    Cow::Owned(text[..end].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// attacks.md 44.
    #[test]
    fn attack_44_names_and_values_are_bounded() {
        for good in ["A", "quote'\"`; DROP TABLE tokens; --", "100%_\\", "söö token", &"x".repeat(255)] {
            assert_eq!(check_name("token", good), Ok(()), "{good}");
        }
        let text = |name: &str| check_name("token", name).unwrap_err().to_string();
        assert_eq!(text(""), "the name of a token is empty");
        assert_eq!(text(&"x".repeat(10_240)), "the name of a token has 10240 bytes; at most 255 are possible");
        assert_eq!(text("a\0b"), "the name of a token holds a control character: a\\u{0}b");
        assert_eq!(text("a\nb"), "the name of a token holds a control character: a\\u{a}b");

        let text = |value: &str| check_value(value).unwrap_err().to_string();
        assert_eq!(check_value(&"v".repeat(65_536)), Ok(()));
        assert_eq!(text(""), "the value of a token is empty");
        assert_eq!(text(&"v".repeat(1 << 20)), "the value of a token has 1048576 bytes; at most 65536 are possible");
        assert_eq!(text("a\0b"), "the value of a token holds a NUL byte");
    }

    #[test]
    fn an_odd_actor_is_escaped_and_shortened() {
        assert_eq!(actor(""), "unknown");
        assert_eq!(actor("a@b.c\n"), "a@b.c\\u{a}");
        assert_eq!(actor(&"ö".repeat(400)), "ö".repeat(160));
        assert_eq!(detail(&"d".repeat(3000)).len(), 2000);
    }
}
