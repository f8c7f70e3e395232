//! Text from outside: answers that are not quite JSON, and errors of libraries.

use std::borrow::Cow;
use std::error::Error;

use serde::de::DeserializeOwned;
use serde_json::Value;

type Object = serde_json::Map<String, Value>;

/// An object of JSON, as tolerant of broken text as JavaScript is, by which most of it was written: a half of a surrogate
/// pair and bytes that are not UTF-8 become U+FFFD, and a byte order mark in front is skipped (RFC 8259 §8.1). A number beyond
/// what computers count with, such as `1e400`, is a string with its digits.
///
/// # Errors
/// Where it is no object for all that; the place is that in the text as it came.
pub fn parse(body: &[u8]) -> serde_json::Result<Object> {
    tolerant(body)
}

/// JSON of any kind, read as [`parse`] reads an object.
///
/// # Errors
/// Where it is none for all that; the place is that in the text as it came.
pub fn parse_value(body: &[u8]) -> serde_json::Result<Value> {
    tolerant(body)
}

fn tolerant<T: DeserializeOwned>(body: &[u8]) -> serde_json::Result<T> {
    match serde_json::from_slice(body) {
        Ok(value) => Ok(value),
        Err(error) => {
            let text = String::from_utf8_lossy(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body));
            let whole = without_lone_surrogates(&text);
            // The place in the error is that of the text as it came.
            serde_json::from_str(&with_numbers_in_range(&whole))
                .map_err(|second| if is_nested_too_deeply(&second) { second } else { error })
        }
    }
}

/// Why an answer could not be read, in words that go on after "cannot be read": without its text.
#[must_use]
pub fn problem(error: &serde_json::Error) -> &'static str {
    match is_nested_too_deeply(error) {
        true => "it is nested more than 127 levels deep",
        false => "it is not the expected JSON",
    }
}

/// Returns whether JSON was not read because it has more than 127 levels of lists and objects. That is the limit of serde_json, whose
/// error says it in its text alone.
#[must_use]
pub(crate) fn is_nested_too_deeply(error: &serde_json::Error) -> bool {
    error.to_string().starts_with("recursion limit exceeded")
}

/// The text with a string in place of each number that is larger than any float (RFC 8259 §6 sets no limit): a list is not lost
/// for one of them.
fn with_numbers_in_range(text: &str) -> Cow<'_, str> {
    let mut fixed = String::new();
    let (mut copied, mut at, mut in_string) = (0, 0, false);
    let bytes = text.as_bytes();
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' if in_string => at += 1,
            b'"' => in_string = !in_string,
            b'-' | b'0'..=b'9' if !in_string => {
                let length = bytes[at..].iter().take_while(|byte| is_of_number(**byte)).count();
                let number = &text[at..at + length];
                if number.parse::<f64>().is_ok_and(f64::is_infinite) {
                    fixed.push_str(&text[copied..at]);
                    fixed.extend(["\"", number, "\""]);
                    copied = at + length;
                }
                at += length;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    fixed.push_str(&text[copied..]);
    Cow::Owned(fixed)
}

fn is_of_number(byte: u8) -> bool {
    byte.is_ascii_digit() || b"+-.eE".contains(&byte)
}

/// The text with `\ufffd` in place of each `\ud800` to `\udfff` that is no pair (RFC 8259 §8.2).
pub(crate) fn without_lone_surrogates(text: &str) -> Cow<'_, str> {
    let mut fixed = String::new();
    let mut copied = 0;
    let mut at = 0;
    // Outside of a string a backslash is an error anyway.
    while let Some(next) = text[at..].find('\\') {
        at += next;
        match (unit(&text[at..]), text.get(at + 6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => at += 12,
            (Some(0xd800..=0xdfff), _) => {
                fixed.push_str(&text[copied..at]);
                fixed.push_str("\\ufffd");
                at += 6;
                copied = at;
            }
            (Some(_), _) => at += 6,
            // The character after the backslash is not the begin of an escape, but may be of several bytes.
            (None, _) => at += 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8),
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    fixed.push_str(&text[copied..]);
    Cow::Owned(fixed)
}

/// The value of `\uXXXX` at the beginning.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    // from_str_radix takes a sign as well.
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
}

/// Returns the root cause of an error: the operating system's or rustls' words, without an address.
#[must_use]
pub fn first_cause(error: &dyn Error) -> String {
    let mut first = error;
    while let Some(source) = first.source() {
        first = source;
    }
    // An error without a cause is reqwest's own, which may tell the address.
    if error.source().is_none() {
        return "no cause given".to_owned();
    }
    first.to_string().chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(body: &[u8]) -> Option<String> {
        parse(body).ok()?.get("a")?.as_str().map(str::to_owned)
    }

    #[derive(Debug, thiserror::Error)]
    #[error("error sending request for url (https://coda.example/?query=private)")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("invalid peer certificate: UnknownIssuer\n")]
    struct Inner;

    #[test]
    fn the_first_cause_tells_no_address() {
        assert_eq!(first_cause(&Outer(Inner)), "invalid peer certificate: UnknownIssuer");
        assert_eq!(first_cause(&Inner), "no cause given");
    }

    #[test]
    fn json_that_is_nested_too_deeply_is_told_apart() {
        let nested = |levels: usize, inside: &str| format!("{}{inside}{}", "[".repeat(levels), "]".repeat(levels));
        let result = |text: String| parse_value(text.as_bytes()).map_err(|error| is_nested_too_deeply(&error));
        assert!(result(nested(127, "1")).is_ok());
        assert_eq!(result(nested(128, "1")), Err(true));
        assert_eq!(result(nested(100_000, "1")), Err(true));
        // Other faults are fixed first.
        assert_eq!(result(format!(r#"["\ud83d", {}]"#, nested(128, "1"))), Err(true));
        assert_eq!(result(nested(100, "x")), Err(false));
    }

    #[test]
    fn broken_text_is_fixed_and_the_rest_stays_as_it_is() {
        for (body, expected) in [
            (&br#"{"a":"cut \ud83d"}"#[..], "cut \u{fffd}"),
            (
                br#"{"a":"\ud83d\ude00 \ude00 \ud83dx \uD83D\uD83D\uDE00"}"#,
                "\u{1f600} \u{fffd} \u{fffd}x \u{fffd}\u{1f600}",
            ),
            (br#"{"a":"\\ud83d \" \n \ud83d"}"#, "\\ud83d \" \n \u{fffd}"),
            (b"{\"a\":\"\xff \xc3\xbc\"}", "\u{fffd} \u{fc}"),
            (b"\xef\xbb\xbf{\"a\":\"mark\"}", "mark"),
        ] {
            assert_eq!(name(body).as_deref(), Some(expected), "{}", String::from_utf8_lossy(body));
        }
        let list = parse_value(b"[\"\\ud83d 1e400\",-1E+400,17,[1e308,{\"a\":1e999}]]").expect("a list");
        assert_eq!(list, serde_json::json!(["\u{fffd} 1e400", "-1E+400", 17, [1e308, {"a": "1e999"}]]));
        for bad in [&b"[1e400"[..], b"[--1e400]", b"1e400 1"] {
            assert!(parse_value(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
        for bad in [&b"{"[..], b"[]", b"{\"a\":\"\\ud83\"}", b"{\"a\":\"\\u+123\"}", b"{\"a\":\"\\", b"\\\xc3\xbc"] {
            assert!(parse(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
    }
}
