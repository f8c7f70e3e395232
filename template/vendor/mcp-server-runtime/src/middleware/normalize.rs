//! What clients send that is not by the letter and can mean one thing only. rmcp refuses it, and their users cannot change it.

use std::ops::Range;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::value::RawValue;

pub(super) const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
/// Beyond it a float is no exact integer: 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Takes copies of the version that agree for one. Claude Code sends `2025-11-25, 2025-11-25`, as the Fetch standard joins
/// headers whose names differ in their case alone (lowdefy/lowdefy#2345). Two versions stay as they are, and are refused.
pub(super) fn headers(headers: &mut HeaderMap) {
    let Some(Ok(value)) = headers.get(PROTOCOL_VERSION).map(HeaderValue::to_str) else { return };
    let Some((first, others)) = value.split_once(',') else { return };
    if others.split(',').all(|other| other.trim() == first.trim())
        && let Ok(version) = HeaderValue::from_str(first.trim())
    {
        headers.insert(PROTOCOL_VERSION, version);
    }
}

/// A whole number that is written with a fraction: engines without integers write `1.0` (yurineko73/Godot-MCP-Native#16).
pub(super) fn whole_number(raw: &str) -> Option<i64> {
    let number = raw.parse::<f64>().ok().filter(|number| number.fract() == 0.0 && number.abs() <= EXACT)?;
    Some(number as i64)
}

/// The parts of a message that can be an empty array where MCP has an object: PHP writes an empty object so
/// (elgorro/aiquila#442, afrise/MCPSharp#6).
#[derive(Deserialize)]
struct Params<'a> {
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
    if !params.get().contains("[]") {
        return Vec::new();
    }
    let Ok(Params { arguments, capabilities, meta }) = serde_json::from_str::<Params<'a>>(params.get()) else {
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
