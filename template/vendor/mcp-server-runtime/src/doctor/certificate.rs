//! When a certificate ends: the second date of its validity (RFC 5280 §4.1.2.5), read from DER. Nothing else of it is
//! looked at; whether it counts is for TLS.

use std::time::{Duration, SystemTime};

use chrono::NaiveDateTime;

use super::report::Report;

const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// `[0]`, the version, which is there in every certificate of today.
const VERSION: u8 = 0xa0;

/// Certificates of today are renewed a month or more before they end.
const SOON: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// The end of this certificate.
pub(super) fn ends(der: &[u8]) -> Option<SystemTime> {
    let (_, certificate, _) = element(der).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let (_, mut fields, _) = element(certificate)?;
    if let (VERSION, _, rest) = element(fields)? {
        fields = rest;
    }
    // Serial number, algorithm, issuer.
    for _ in 0..3 {
        fields = element(fields)?.2;
    }
    let (_, validity, _) = element(fields)?;
    let (tag, text, _) = element(element(validity)?.2)?;
    time(tag, std::str::from_utf8(text).ok()?)
}

/// Tag, content and what follows of the first element.
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

fn time(tag: u8, text: &str) -> Option<SystemTime> {
    let text = match tag {
        // Years of two digits from 50 on are of the last century.
        UTC_TIME if text.get(..2)? >= "50" => format!("19{text}"),
        UTC_TIME => format!("20{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    Some(NaiveDateTime::parse_from_str(&text, "%Y%m%d%H%M%SZ").ok()?.and_utc().into())
}

/// Says when it ends.
pub(super) fn check(report: &mut Report, check: &'static str, ends: SystemTime, runbook: &'static str) {
    let date = chrono::DateTime::<chrono::Utc>::from(ends).format("%Y-%m-%d");
    match ends.duration_since(SystemTime::now()) {
        Ok(left) if left > SOON => report.ok(check, format!("the certificate counts until {date}")),
        Ok(left) => {
            let days = left.as_secs() / (24 * 60 * 60);
            let text = format!("the certificate ends on {date}, in {days} days");
            report.warn(check, text, "Find out why it was not renewed.", runbook);
        }
        Err(_) => report.fail(check, format!("the certificate ended on {date}"), "Renew it.", runbook),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate's outline: version, serial number, algorithm, issuer, validity.
    fn outline(not_after: (u8, &str)) -> Vec<u8> {
        fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
            let length = u16::try_from(content.len()).unwrap();
            [&[tag, 0x82], &length.to_be_bytes()[..], content].concat()
        }
        let begin = wrap(UTC_TIME, b"250101000000Z");
        let validity = wrap(SEQUENCE, &[begin, wrap(not_after.0, not_after.1.as_bytes())].concat());
        let fields = [wrap(VERSION, &[2, 1, 2]), wrap(2, &[1]), wrap(SEQUENCE, &[]), wrap(SEQUENCE, &[]), validity];
        wrap(SEQUENCE, &wrap(SEQUENCE, &fields.concat()))
    }

    #[test]
    fn the_end_is_found_in_both_forms() {
        let day = |text: &str| SystemTime::from(chrono::DateTime::parse_from_rfc3339(text).unwrap());
        assert_eq!(ends(&outline((UTC_TIME, "300102030405Z"))), Some(day("2030-01-02T03:04:05Z")));
        assert_eq!(ends(&outline((GENERALIZED_TIME, "20510102030405Z"))), Some(day("2051-01-02T03:04:05Z")));
        assert_eq!(ends(&outline((UTC_TIME, "991231235959Z"))), Some(day("1999-12-31T23:59:59Z")));
    }

    #[test]
    fn what_is_no_certificate_has_no_end() {
        let whole = outline((UTC_TIME, "300102030405Z"));
        for length in 0..whole.len() {
            assert_eq!(ends(&whole[..length]), None);
        }
        for bad in [&b"\x30\x84\xff\xff\xff\xff"[..], b"\x30\x80", b"\x30\x85\0\0\0\0\0", b"text"] {
            assert_eq!(ends(bad), None);
        }
    }
}
