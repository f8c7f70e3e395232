//! Normalises requests that break the letter of MCP and can mean one thing only. rmcp refuses them, and users cannot change
//! their clients.

use std::borrow::Cow;
use std::ops::Range;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::text;

pub(super) const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
/// Beyond it a float is no exact integer: 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Takes copies of the version that agree for one. Claude Code sends `2025-11-25, 2025-11-25`, as the Fetch standard joins
/// headers whose names differ in their case alone (lowdefy/lowdefy#2345). Two versions are refused, in two headers as well.
pub(super) fn headers(headers: &mut HeaderMap) {
    let mut values = headers.get_all(PROTOCOL_VERSION).iter();
    match (values.next(), values.next()) {
        (None, _) => return,
        // As if it were not there: what a client has agreed on is not known to it yet.
        (Some(one), None) if one.is_empty() => {
            headers.remove(PROTOCOL_VERSION);
            return;
        }
        (Some(one), None) if !one.as_bytes().contains(&b',') => return,
        _ => {}
    }
    let values: Vec<_> = headers.get_all(PROTOCOL_VERSION).iter().filter_map(|value| value.to_str().ok()).collect();
    let all = values.join(",");
    let mut versions = all.split(',').map(str::trim);
    let first = versions.next().unwrap_or_default();
    let meant = if versions.all(|other| other == first) { first } else { all.as_str() };
    if let Ok(meant) = HeaderValue::from_str(meant) {
        headers.insert(PROTOCOL_VERSION, meant);
    }
}

/// Names the method of a notification in the header where rmcp looks for it: MCP asks that of requests alone (2026-07-28,
/// Transports), and a notification never gets an error (JSON-RPC 2.0 §4.1).
pub(super) fn notification(headers: &mut HeaderMap, method: String) {
    if let (false, Ok(method)) = (headers.contains_key(METHOD), HeaderValue::try_from(method)) {
        headers.insert(METHOD, method);
    }
}

/// The body with U+FFFD in place of halves of characters: programs that cut a text between the two halves of an emoji write one
/// (inkeep/open-knowledge#472), and rmcp reads none. Nothing where there are none.
pub(super) fn whole_characters(body: &[u8]) -> Option<String> {
    let is_half = |part: &[u8]| part.starts_with(b"\\u") && part[2].eq_ignore_ascii_case(&b'd');
    if !body.windows(3).any(is_half) {
        return None;
    }
    match text::without_lone_surrogates(std::str::from_utf8(body).ok()?) {
        Cow::Owned(whole) => Some(whole),
        Cow::Borrowed(_) => None,
    }
}

/// The body without a byte order mark in front, which editors and Windows PowerShell write (Badgerati/Pode#1604). RFC 8259 §8.1
/// lets a reader overlook it.
pub(super) fn without_mark(body: Bytes) -> Bytes {
    if body.starts_with("\u{feff}".as_bytes()) { body.slice("\u{feff}".len()..) } else { body }
}

/// A whole number that is written with a fraction: engines without integers write `1.0` (yurineko73/Godot-MCP-Native#16).
pub(super) fn whole_number(raw: &str) -> Option<i64> {
    let number = raw.parse::<f64>().ok().filter(|number| number.fract() == 0.0 && number.abs() <= EXACT)?;
    Some(number as i64)
}

/// The parts of a message that can be an empty array where MCP has an object: PHP writes an empty object so
/// (elgorro/aiquila#442, afrise/MCPSharp#6).
#[derive(Deserialize)]
struct ObjectParams<'a> {
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
    #[serde(borrow, default)]
    capabilities: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "_meta")]
    meta: Option<&'a RawValue>,
}

/// The places of empty arrays in the parameters of a message that have to be objects.
pub(super) fn empty_arrays<'a>(params: &'a RawValue) -> Vec<&'a RawValue> {
    let is_empty = |raw: &&RawValue| raw.get().strip_prefix('[').is_some_and(|rest| rest.trim_start() == "]");
    if is_empty(&params) {
        return vec![params];
    }
    // Most have none, and are not read here. What writes them so writes no blank into them.
    if !params.get().as_bytes().windows(2).any(|pair| pair == b"[]") {
        return Vec::new();
    }
    let Ok(ObjectParams { arguments, capabilities, meta }) = serde_json::from_str::<ObjectParams<'a>>(params.get())
    else {
        return Vec::new();
    };
    [arguments, capabilities, meta].into_iter().flatten().filter(is_empty).collect()
}

/// The body with other text in place of these parts of it, which are in their order.
pub(super) fn replaced(body: &str, parts: &[(&RawValue, &str)]) -> String {
    let mut text = String::with_capacity(body.len());
    let mut copied = 0;
    for (part, instead) in parts {
        let Range { start, end } = place(body, part.get());
        text.push_str(&body[copied..start]);
        text.push_str(instead);
        copied = end;
    }
    text.push_str(&body[copied..]);
    text
}

/// Where a part is in the text that it is a part of.
fn place(text: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr() as usize - text.as_ptr() as usize;
    start..start + part.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_characters_are_replaced() {
        let whole = |text: &str| whole_characters(text.as_bytes());
        assert_eq!(whole(r#"{"x":"cut \ud83d"}"#).as_deref(), Some(r#"{"x":"cut \ufffd"}"#));
        for text in [r#"{"x":"\ud83d\ude00"}"#, r#"{"x":"\\ud83d"}"#, r#"{"x":"\u00e4"}"#, "{}"] {
            assert_eq!(whole(text), None, "{text}");
        }
    }

    #[test]
    fn copies_of_a_version_are_one() {
        for (value, meant) in [
            ("2025-11-25, 2025-11-25", "2025-11-25"),
            ("2025-06-18,2025-06-18 ,2025-06-18", "2025-06-18"),
            ("2025-11-25, 2026-07-28", "2025-11-25, 2026-07-28"),
            ("2025-11-25", "2025-11-25"),
        ] {
            let mut headers = HeaderMap::from_iter([(PROTOCOL_VERSION, value.parse().expect("a value"))]);
            super::headers(&mut headers);
            assert_eq!(headers[PROTOCOL_VERSION], meant);
        }
    }
}
