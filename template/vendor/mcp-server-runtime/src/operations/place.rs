//! Where an argument goes in a request, and how it is written there (OpenAPI, Parameter Object, `style` and `explode`).

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::Value;

/// Where an argument goes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    #[serde(rename = "in")]
    pub(super) at: At,
    /// The API's name for it, where it is another.
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) style: Style,
}

/// The part of the request.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum At {
    Path,
    Query,
    Header,
}

/// How a list or an object is written in a query.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Style {
    /// `a=1&a=2`
    #[default]
    Repeat,
    /// `a=1,2`
    Comma,
    /// `a=1 2`
    Space,
    /// `a=1|2`
    Pipe,
    /// `a[b]=1`, `a[]=2`
    Deep,
    /// `a={"b":1}`
    Json,
}

impl Style {
    pub(super) fn add(self, name: &str, value: &Value, query: &mut Vec<(String, String)>) {
        let joined = |items: &[Value], by: &str| items.iter().map(text).collect::<Vec<_>>().join(by);
        match (self, value) {
            (Self::Deep, Value::Object(_) | Value::Array(_)) => deep(name, value, query),
            (Self::Repeat, Value::Array(items)) => query.extend(items.iter().map(|item| (name.to_owned(), text(item)))),
            (Self::Comma, Value::Array(items)) => query.push((name.to_owned(), joined(items, ","))),
            (Self::Space, Value::Array(items)) => query.push((name.to_owned(), joined(items, " "))),
            (Self::Pipe, Value::Array(items)) => query.push((name.to_owned(), joined(items, "|"))),
            // `style: form`, `explode: true` of an object: its members are parameters.
            (Self::Repeat, Value::Object(members)) => {
                query.extend(members.iter().map(|(member, value)| (member.clone(), text(value))));
            }
            (Self::Json, value) => query.push((name.to_owned(), value.to_string())),
            (_, value) => query.push((name.to_owned(), text(value))),
        }
    }
}

/// `a[b][]=1`, as PHP, Rails and Stripe read it.
fn deep(name: &str, value: &Value, pairs: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(member, value)| deep(&format!("{name}[{member}]"), value, pairs))
        }
        Value::Array(items) => items.iter().for_each(|item| deep(&format!("{name}[]"), item, pairs)),
        value => pairs.push((name.to_owned(), text(value))),
    }
}

/// A form of the members of an object.
pub(super) fn form(value: &Value) -> String {
    let mut pairs = Vec::new();
    for (name, value) in value.as_object().into_iter().flatten() {
        deep(name, value, &mut pairs);
    }
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// A value as it stands in an address: a text without quotation marks.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text_of_item).collect::<Vec<_>>().join(","),
        Value::Null => String::new(),
        value => value.to_string(),
    }
}

fn text_of_item(value: &Value) -> String {
    text(value)
}

/// Adds a header.
pub(super) fn header(argument: &str, name: &str, value: &Value, headers: &mut HeaderMap) -> Result<(), String> {
    let bad = || format!("{argument} cannot be sent in a header");
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
    headers.insert(name, HeaderValue::from_str(&text(value)).map_err(|_| bad())?);
    Ok(())
}
