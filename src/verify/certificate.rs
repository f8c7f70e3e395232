//! The end of a certificate: the second date of its validity (RFC 5280 §4.1.2.5), read from DER. Nothing else of it is
//! read; TLS decides whether it is valid.

use std::time::SystemTime;

use chrono::NaiveDateTime;

const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// `[0]`, the version, which every certificate of version 3 has.
const VERSION: u8 = 0xa0;

/// Returns the end of a certificate, or `None` for bytes that are none.
#[cfg_attr(not(feature = "online"), allow(dead_code, reason = "only requests have certificates"))]
pub(super) fn ends(der: &[u8]) -> Option<SystemTime> {
    let certificate = content(der, SEQUENCE)?;
    let mut fields = content(certificate, SEQUENCE)?;
    let (tag, _, rest) = element(fields)?;
    if tag == VERSION {
        fields = rest;
    }
    // Serial number, algorithm, issuer.
    for _ in 0..3 {
        fields = element(fields)?.2;
    }
    let validity = content(fields, SEQUENCE)?;
    let (_, _, second) = element(validity)?;
    let (tag, text, _) = element(second)?;
    day(tag, std::str::from_utf8(text).ok()?)
}

/// Returns the contents of the first element, if it has this tag.
fn content(der: &[u8], wanted: u8) -> Option<&[u8]> {
    element(der).filter(|(tag, ..)| *tag == wanted).map(|(_, content, _)| content)
}

/// Returns the tag and the contents of the first element, and the bytes after it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f)).filter(|(bytes, _)| bytes.len() <= 4)?;
        (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

fn day(tag: u8, text: &str) -> Option<SystemTime> {
    let text = match tag {
        // Years of two digits from 50 on are of the last century.
        UTC_TIME if text.get(..2)? >= "50" => format!("19{text}"),
        UTC_TIME => format!("20{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    Some(NaiveDateTime::parse_from_str(&text, "%Y%m%d%H%M%SZ").ok()?.and_utc().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The outline of a certificate: version, serial number, algorithm, issuer, validity.
    fn outline(tag: u8, not_after: &str) -> Vec<u8> {
        fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
            let length = u16::try_from(content.len()).unwrap();
            [&[tag, 0x82], &length.to_be_bytes()[..], content].concat()
        }
        let validity = [wrap(UTC_TIME, b"250101000000Z"), wrap(tag, not_after.as_bytes())].concat();
        let fields = [wrap(VERSION, &[2, 1, 2]), wrap(2, &[1]), wrap(SEQUENCE, &[]), wrap(SEQUENCE, &[])];
        wrap(SEQUENCE, &wrap(SEQUENCE, &[fields.concat(), wrap(SEQUENCE, &validity)].concat()))
    }

    #[test]
    fn the_end_is_found_and_nothing_else_brings_it_down() {
        let date = |text: &str| Some(SystemTime::from(chrono::DateTime::parse_from_rfc3339(text).unwrap()));
        assert_eq!(ends(&outline(UTC_TIME, "300102030405Z")), date("2030-01-02T03:04:05Z"));
        assert_eq!(ends(&outline(UTC_TIME, "991231235959Z")), date("1999-12-31T23:59:59Z"));
        let whole = outline(GENERALIZED_TIME, "20510102030405Z");
        assert_eq!(ends(&whole), date("2051-01-02T03:04:05Z"));
        for length in 0..whole.len() {
            assert_eq!(ends(&whole[..length]), None);
        }
        for bad in [&b"\x30\x84\xff\xff\xff\xff"[..], b"\x30\x80", b"\x30\x85\0\0\0\0\0", b"text"] {
            assert_eq!(ends(bad), None);
        }
    }
}
