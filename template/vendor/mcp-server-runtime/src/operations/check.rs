//! Checks arguments against their schema: the keywords that files of operations have (JSON Schema 2020-12, Validation §6).

use serde_json::{Map, Value};

/// Checks the arguments of a call.
///
/// # Errors
/// A sentence for the model, which names the argument.
pub(super) fn check(schema: &Map<String, Value>, arguments: &Value) -> Result<(), String> {
    value(schema, arguments, "").map_err(|(path, problem)| match path.as_str() {
        "" => problem,
        path => format!("{path}: {problem}"),
    })
}

type Problem = (String, String);

fn value(schema: &Map<String, Value>, given: &Value, path: &str) -> Result<(), Problem> {
    let wrong = |problem: String| Err((path.to_owned(), problem));
    if let Some(kind) = schema.get("type").and_then(Value::as_str)
        && !is(kind, given)
    {
        return wrong(format!("must be {kind}"));
    }
    if let Some(Value::Array(words)) = schema.get("enum")
        && !words.contains(given)
    {
        let words: Vec<_> = words.iter().take(30).map(Value::to_string).collect();
        return wrong(format!("must be one of {}", words.join(", ")));
    }
    if let Some(Value::Array(schemas)) = schema.get("anyOf") {
        let fits = |schema: &Value| schema.as_object().is_none_or(|schema| value(schema, given, path).is_ok());
        if !schemas.iter().any(fits) {
            return wrong("is none of what it may be; see its schema".to_owned());
        }
    }
    bounds(schema, given).or_else(wrong)?;
    match given {
        Value::Object(members) => object(schema, members, path),
        Value::Array(items) => {
            let Some(schema) = schema.get("items").and_then(Value::as_object) else { return Ok(()) };
            (0..).zip(items).try_for_each(|(at, item): (usize, _)| value(schema, item, &format!("{path}[{at}]")))
        }
        _ => Ok(()),
    }
}

fn object(schema: &Map<String, Value>, members: &Map<String, Value>, path: &str) -> Result<(), Problem> {
    let inner = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    for name in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        if !members.contains_key(name) {
            return Err((path.to_owned(), format!("missing field `{name}`")));
        }
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, member) in members {
        match (properties.and_then(|all| all.get(name)), schema.get("additionalProperties")) {
            (Some(Value::Object(schema)), _) | (None, Some(Value::Object(schema))) => {
                value(schema, member, &inner(name))?
            }
            (None, Some(Value::Bool(false))) => return Err((path.to_owned(), format!("unknown field `{name}`"))),
            _ => {}
        }
    }
    Ok(())
}

fn bounds(schema: &Map<String, Value>, given: &Value) -> Result<(), String> {
    let size = match given {
        Value::String(text) => Some(("minLength", "maxLength", text.chars().count(), "characters")),
        Value::Array(items) => Some(("minItems", "maxItems", items.len(), "items")),
        _ => None,
    };
    let count = |keyword: &str| schema.get(keyword).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    if let Some((least, most, size, unit)) = size {
        if let Some(least) = count(least).filter(|least| size < *least) {
            return Err(format!("must have at least {least} {unit}"));
        }
        if let Some(most) = count(most).filter(|most| size > *most) {
            return Err(format!("must have at most {most} {unit}"));
        }
    }
    if let Some(number) = given.as_f64() {
        let bound = |keyword: &str| schema.get(keyword).and_then(Value::as_f64);
        if let Some(least) = bound("minimum").filter(|least| number < *least) {
            return Err(format!("must be at least {least}"));
        }
        if let Some(most) = bound("maximum").filter(|most| number > *most) {
            return Err(format!("must be at most {most}"));
        }
    }
    Ok(())
}

fn is(kind: &str, given: &Value) -> bool {
    match kind {
        "string" => given.is_string(),
        "integer" => given.is_i64() || given.is_u64(),
        "number" => given.is_number(),
        "boolean" => given.is_boolean(),
        "array" => given.is_array(),
        "object" => given.is_object(),
        "null" => given.is_null(),
        _ => true,
    }
}
