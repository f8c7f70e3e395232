//! The media types and codings that the head of a request names for its body and for the answer (RFC 9110 §8.3, §8.4, §12.5.1).

use axum::http::{HeaderMap, HeaderValue, header};

/// The `Accept` that rmcp requires.
pub(super) const BOTH: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");

/// The `Content-Type` that rmcp requires.
pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Returns whether a client takes JSON: the most specific range counts, and none at all means anything (RFC 9110 §12.5.1).
pub(super) fn accepts_json(headers: &HeaderMap) -> bool {
    let mut best = (0, true);
    for value in headers.get_all(header::ACCEPT) {
        // What is no text is no range.
        for range in value.to_str().unwrap_or_default().split(',').filter(|range| !range.trim().is_empty()) {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
            let specific = match kind.as_str() {
                "application/json" => 4,
                "application/*" => 3,
                "*/*" => 2,
                _ => 1,
            };
            let refused = parts.any(|parameter| {
                let quality = parameter.strip_prefix(['q', 'Q']).and_then(|rest| rest.trim_start().strip_prefix('='));
                quality.is_some_and(|quality| quality.trim().parse() == Ok(0.0_f32))
            });
            if specific > best.0 {
                best = (specific, specific > 1 && !refused);
            }
        }
    }
    best.1
}

/// Returns the coding of the body, if it has one. No client of MCP has to use one, and the server advertises none; nor does it ask an
/// API for one.
pub(crate) fn content_coding(headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut codings = headers.get_all(header::CONTENT_ENCODING).into_iter();
    // An empty list is none (RFC 9110 §5.6.1).
    let is_none = |coding: &str| coding.is_empty() || coding.eq_ignore_ascii_case("identity");
    codings.find(|value| !value.to_str().is_ok_and(|codings| codings.split(',').map(str::trim).all(is_none)))
}

/// Returns whether the body comes in chunks, or with its length: hyper reads `gzip, chunked` as if it were chunks of plain text, and
/// `chunked, chunked` as if it were one (RFC 9112 §6.1, §6.3).
pub(super) fn is_plainly_transferred(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::TRANSFER_ENCODING).iter();
    let mut codings = values.flat_map(|value| value.to_str().unwrap_or("?").split(',').map(str::trim));
    codings.next().is_none_or(|coding| coding.eq_ignore_ascii_case("chunked")) && codings.next().is_none()
}

/// Returns whether the body is JSON. Copies that agree are one: clients join a header of their own with one of their users whose name
/// has other capitals (lowdefy/lowdefy#2345).
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::CONTENT_TYPE).iter();
    let mut types = values.flat_map(|value| value.to_str().unwrap_or_default().split(','));
    let is_json = |kind: &str| {
        kind.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
    };
    types.next().is_some_and(is_json) && types.all(is_json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_of_the_body_has_to_be_json() {
        let json = |values: &[&str]| {
            let values = values.iter().map(|value| (header::CONTENT_TYPE, value.parse().expect("a value")));
            is_json(&values.collect())
        };
        for good in ["application/json", "Application/JSON;charset=utf-8", "application/json, application/json"] {
            assert!(json(&[good]) && json(&[good, good]), "{good}");
        }
        for bad in ["", "text/plain", "application/json, text/plain", "application/json,", "application/jsonx"] {
            assert!(!json(&[bad]) && !json(&["application/json", bad]), "{bad}");
        }
        assert!(!json(&[]));
    }

    #[test]
    fn a_body_that_is_not_coded_may_say_so() {
        let coded = |values: &[&str]| {
            let values = values.iter().map(|value| (header::CONTENT_ENCODING, value.parse().expect("a value")));
            content_coding(&values.collect()).is_some()
        };
        for plain in [&[][..], &["identity"], &["Identity"], &[""], &["identity, identity"], &["", "identity"]] {
            assert!(!coded(plain), "{plain:?}");
        }
        for bad in [&["gzip"][..], &["identity, gzip"], &["identity", "br"], &["identityx"]] {
            assert!(coded(bad), "{bad:?}");
        }
    }

    #[test]
    fn chunks_are_the_only_coding_on_the_way() {
        let plain = |values: &[&str]| {
            let values = values.iter().map(|value| (header::TRANSFER_ENCODING, value.parse().expect("a value")));
            is_plainly_transferred(&values.collect())
        };
        assert!(plain(&[]) && plain(&["chunked"]) && plain(&["Chunked"]));
        for bad in [&["chunked, chunked"][..], &["chunked", "chunked"], &["gzip, chunked"], &["gzip", "chunked"]] {
            assert!(!plain(bad), "{bad:?}");
        }
    }

    #[test]
    fn accept_is_read_as_http_has_it() {
        let accepts = |values: &[&str]| {
            let values = values.iter().map(|value| (header::ACCEPT, value.parse().expect("a value")));
            accepts_json(&values.collect())
        };
        for good in ["*/*", "application/json", "application/*;q=0.1", "", "text/html, */*;q=0.1", "APPLICATION/JSON"] {
            assert!(accepts(&[good]), "{good}");
        }
        for bad in ["text/html", "text/event-stream", "application/json;q=0, */*", "*/*; q=0.0", "application/jsonx"] {
            assert!(!accepts(&[bad]), "{bad}");
        }
        assert!(accepts(&[]) && accepts(&["text/html", "application/json"]));
    }
}
