//! The moments in Infisical's answers: `2026-01-31T12:34:56.789Z`, as JavaScript's `Date.prototype.toJSON` writes them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer};

/// For `#[serde(deserialize_with)]`.
pub(super) fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SystemTime, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).ok_or_else(|| serde::de::Error::custom("not a moment"))
}

/// RFC 3339 in UTC, from 1970 to 9999, with or without a fraction.
fn parse(text: &str) -> Option<SystemTime> {
    let text = text.strip_suffix('Z')?;
    let (text, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let (date, time) = text.split_once('T')?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let fits = year >= 1970
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60
        && (1..=9).contains(&fraction.len());
    if !fits {
        return None;
    }
    // Days since 0000-03-01, so that the leap day is the last of its year.
    let (from_march, year) = if month > 2 { (month - 3, year) } else { (month + 9, year - 1) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * from_march + 2) / 5 + day - 1 - 719_468;
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
    let nanoseconds = number(fraction)? * 10_u64.pow(9 - u32::try_from(fraction.len()).ok()?);
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds) + Duration::from_nanos(nanoseconds))
}

/// Three numbers of so many digits each.
fn numbers(text: &str, between: char, digits: [usize; 3]) -> Option<[u64; 3]> {
    let mut parts = text.split(between);
    let mut all = [0; 3];
    for (place, digits) in all.iter_mut().zip(digits) {
        let part = parts.next()?;
        if part.len() != digits {
            return None;
        }
        *place = number(part)?;
    }
    parts.next().is_none().then_some(all)
}

/// Digits and nothing else; `parse` alone takes a sign as well.
fn number(text: &str) -> Option<u64> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_date_from_coreutils_says() {
        // date --utc --date=TEXT +%s
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-28T23:59:59Z", 951_782_399),
            ("2000-02-29T00:00:00Z", 951_782_400),
            ("2000-03-01T00:00:00Z", 951_868_800),
            ("2024-12-31T23:59:59Z", 1_735_689_599),
            ("2025-11-25T04:34:56Z", 1_764_045_296),
            ("2100-02-28T23:59:59Z", 4_107_542_399),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
        ] {
            assert_eq!(parse(text), Some(UNIX_EPOCH + Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse("1970-01-01T00:00:01.5Z"), Some(UNIX_EPOCH + Duration::from_millis(1500)));
        assert_eq!(parse("1970-01-01T00:00:00.007Z"), Some(UNIX_EPOCH + Duration::from_millis(7)));
        assert_eq!(parse("1970-01-01T00:00:00.000000001Z"), Some(UNIX_EPOCH + Duration::from_nanos(1)));
    }

    #[test]
    fn what_is_no_moment() {
        for bad in [
            "",
            "Z",
            "2025-11-25",
            "2025-11-25T04:34:56",
            "2025-11-25 04:34:56Z",
            "2025-11-25T04:34:56+01:00",
            "2025-11-25T04:34:56.Z",
            "2025-11-25T04:34:56.0000000001Z",
            "2025-11-25T04:34Z",
            "2025-11-25T04:34:56:00Z",
            "2025-13-25T04:34:56Z",
            "2025-00-25T04:34:56Z",
            "2025-11-00T04:34:56Z",
            "2025-11-25T24:00:00Z",
            "1969-12-31T23:59:59Z",
            "+025-11-25T04:34:56Z",
            "20251-1-25T04:34:56Z",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
