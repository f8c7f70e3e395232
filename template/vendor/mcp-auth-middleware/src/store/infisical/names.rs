//! The names and values that Infisical takes. Problems are reported here, before anything is sent.
//!
//! Source: the schemas of its server, `SecretNameSchema` and `isValidFolderName`, and what the routes of `/api/v4/secrets`
//! do to a value. Older versions take less; what they refuse comes back as [`StoreError::Invalid`] as well.

use crate::StoreError;
use crate::printable::printable;

/// Bytes of a name: what the other stores take.
const NAME: usize = 255;

/// Bytes of a token's value: likewise.
const VALUE: usize = 64 * 1024;

/// Returns whether a folder may have this name.
pub(super) fn is_folder(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// A service, which is a folder: letters, digits, `-` and `_`.
pub(super) fn check_service(name: &str) -> Result<(), StoreError> {
    check_length("service", name)?;
    if is_folder(name) {
        return Ok(());
    }
    let shown = printable(name);
    Err(StoreError::Invalid(format!(
        "the name of a service is a folder in Infisical, made of letters, digits, - and _: {shown}"
    )))
}

/// A token, which is a secret: no control character, `:` or `/`, no white space around it.
pub(super) fn check_key(name: &str) -> Result<(), StoreError> {
    check_length("token", name)?;
    let refused = |what: &str| Err(StoreError::Invalid(format!("the name of a token {what}: {}", printable(name))));
    if name.contains(char::is_control) {
        refused("holds a control character")
    } else if name.contains([':', '/']) {
        refused("holds : or /, which Infisical does not take")
    } else if is_cut(name) {
        refused("begins or ends with white space, which Infisical cuts off")
    } else if matches!(name, "." | "..") {
        // The segment of a URL that means another one (RFC 3986 §5.2.4).
        refused("is none")
    } else {
        Ok(())
    }
}

/// A value of 1 byte to 64 KiB that Infisical hands out as it came in. No text holds it.
pub(super) fn check_value(value: &str) -> Result<(), StoreError> {
    let refused = |what: String| Err(StoreError::Invalid(format!("the value of a token {what}")));
    if value.is_empty() {
        refused("is empty".to_owned())
    } else if value.len() > VALUE {
        refused(format!("has {} bytes; at most {VALUE} are possible", value.len()))
    } else if value.contains('\0') {
        refused("holds a NUL byte".to_owned())
    } else if is_cut(value) {
        refused("begins or ends with white space, which Infisical cuts off".to_owned())
    } else {
        Ok(())
    }
}

/// Returns whether JavaScript's `trim` would take something off, as it does on the way in. It counts the byte order mark as white space, Rust does not.
fn is_cut(text: &str) -> bool {
    let cut = |c: char| c.is_whitespace() || c == '\u{feff}';
    text.starts_with(cut) || text.ends_with(cut)
}

fn check_length(what: &str, name: &str) -> Result<(), StoreError> {
    if name.is_empty() {
        Err(StoreError::Invalid(format!("the name of a {what} is empty")))
    } else if name.len() > NAME {
        let length = name.len();
        Err(StoreError::Invalid(format!("the name of a {what} has {length} bytes; at most {NAME} are possible")))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(result: Result<(), StoreError>) -> String {
        result.err().map(|error| error.to_string()).unwrap_or_default()
    }

    /// attacks.md 44.
    #[test]
    fn attack_44_names() {
        for good in ["CODA_API_TOKEN", "quote'\"`; DROP", "100%_\\?#&=", "söö token", "...", &"x".repeat(255)] {
            assert_eq!(check_key(good), Ok(()), "{good}");
        }
        assert_eq!(text(check_key("")), "the name of a token is empty");
        assert_eq!(
            text(check_key(&"x".repeat(10_240))),
            "the name of a token has 10240 bytes; at most 255 are possible"
        );
        assert_eq!(text(check_key("a\0b")), "the name of a token holds a control character: a\\u{0}b");
        assert_eq!(text(check_key("a\r\nb")), "the name of a token holds a control character: a\\u{d}\\u{a}b");
        for bad in ["a:b", "../x", "/", "x/"] {
            assert!(text(check_key(bad)).contains("holds : or /"), "{bad}");
        }
        for bad in [" a", "a ", "\u{a0}a", "a\u{feff}"] {
            assert!(text(check_key(bad)).contains("white space"), "{bad}");
        }
        assert_eq!(text(check_key("..")), "the name of a token is none: ..");

        assert_eq!(check_service("my-server_2"), Ok(()));
        for bad in ["a b", "a/b", "..", "ä", "a\n"] {
            assert!(text(check_service(bad)).contains("is a folder in Infisical"), "{bad}");
        }
        assert_eq!(text(check_service("")), "the name of a service is empty");
        assert_eq!(
            text(check_service(&"x".repeat(256))),
            "the name of a service has 256 bytes; at most 255 are possible"
        );
    }

    /// attacks.md 44.
    #[test]
    fn attack_44_values() {
        assert_eq!(check_value(&"v".repeat(65_536)), Ok(()));
        assert_eq!(check_value("two\nlines"), Ok(()));
        assert_eq!(text(check_value("")), "the value of a token is empty");
        assert_eq!(
            text(check_value(&"v".repeat(1 << 20))),
            "the value of a token has 1048576 bytes; at most 65536 are possible"
        );
        assert_eq!(text(check_value("a\0b")), "the value of a token holds a NUL byte");
        for bad in ["secret\n", " secret", "secret\t"] {
            let text = text(check_value(bad));
            assert!(text.contains("white space") && !text.contains("secret"), "{text}");
        }
    }
}
