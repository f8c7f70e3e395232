//! Calendar days, as `chrono` represents them. Dates are UTC.

use chrono::{DateTime, NaiveDate, Utc};

/// Parses a day in the form `2025-11-08` and no other. Returns `None` for a day that the calendar does not have.
#[must_use]
pub fn parse_day(text: &str) -> Option<NaiveDate> {
    // chrono also accepts `2025-1-8`, signs and years with more digits.
    let is_iso = text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() });
    is_iso.then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()).flatten()
}

/// Returns today in UTC. `SOURCE_DATE_EPOCH` overrides it for reproducible builds
/// (<https://reproducible-builds.org/specs/source-date-epoch/>).
#[must_use]
pub fn today() -> NaiveDate {
    let epoch = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.parse::<i64>().ok());
    let fixed = epoch.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    fixed.unwrap_or_else(Utc::now).date_naive()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_the_calendar() {
        for (text, is) in [
            ("2025-11-08", true),
            ("2024-02-29", true),
            ("2025-02-29", false),
            ("2025-02-31", false),
            ("2000-02-29", true),
            ("1900-02-29", false),
            ("2025-13-01", false),
            ("2025-04-31", false),
            ("2025-1-1", false),
            ("2025/11/08", false),
            ("2025-11-08T", false),
            ("+025-11-08", false),
            ("２０２５-11-08", false),
            ("", false),
        ] {
            assert_eq!(parse_day(text).is_some(), is, "{text}");
        }
    }
}
