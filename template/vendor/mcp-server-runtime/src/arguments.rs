//! Arguments of tools: errors that name the argument, and schemas that every client takes.

use std::borrow::Cow;
use std::sync::Arc;

use rmcp::ErrorData;
use rmcp::handler::server::common::FromContextPart;
use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::tool::ToolCallContext;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value, json};

mod definitions;

/// The arguments of a call. rmcp finds the schema by the name of this type, so it has that of rmcp's own, which does not
/// say which argument is wrong.
#[derive(Debug)]
pub struct Parameters<P>(pub P);

/// The arguments of a tool that has none.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoArguments {}

impl<P: JsonSchema> JsonSchema for Parameters<P> {
    fn schema_name() -> Cow<'static, str> {
        P::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        P::json_schema(generator)
    }
}

impl<S, P: DeserializeOwned> FromContextPart<ToolCallContext<'_, S>> for Parameters<P> {
    fn from_context_part(context: &mut ToolCallContext<'_, S>) -> Result<Self, ErrorData> {
        let mut arguments = Value::Object(context.arguments.take().unwrap_or_default());
        whole_numbers(&mut arguments);
        serde_path_to_error::deserialize(arguments).map(Self).map_err(|error| {
            let path = error.path().to_string();
            let text = match path.as_str() {
                "." => error.into_inner().to_string(),
                argument => format!("{argument}: {}", error.inner()),
            };
            // These words make rmcp answer with a result that has `isError`, and not with an error of the protocol.
            ErrorData::invalid_params(format!("failed to deserialize parameters: {text}"), None)
        })
    }
}

/// `2.0` is an integer (JSON Schema 2020-12, Validation §6.1.1), and some clients write integers so.
pub(crate) fn whole_numbers(value: &mut Value) {
    match value {
        Value::Number(number) => {
            let whole = number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0);
            // Beyond 2^53 a float is no exact integer.
            if let Some(whole) = whole.filter(|whole| whole.abs() <= 9_007_199_254_740_992.0) {
                let whole = whole as i64;
                *number = Number::from(whole);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Object(members) => members.values_mut().for_each(whole_numbers),
        _ => {}
    }
}

/// Makes the schemas of all tools plain. Gemini takes neither lists of types nor the integer formats of Rust, strict
/// validators refuse formats that JSON Schema does not know, and some know no `$schema`, whose default is the right one
/// anyway (MCP, Tools). Many follow no `$ref`, and a schema that is `true`, as that of a `serde_json::Value` is, makes Claude
/// Code and opencode drop the tools of a server (GaloyMoney/drua#230, anomalyco/opencode#49464).
#[must_use]
pub fn plain_schemas<S: Send + Sync + 'static>(mut router: ToolRouter<S>) -> ToolRouter<S> {
    for route in router.map.values_mut() {
        let input = Arc::make_mut(&mut route.attr.input_schema);
        plain(input);
        input.entry("properties").or_insert_with(|| Map::new().into());
        input.entry("additionalProperties").or_insert(Value::Bool(false));
        if let Some(output) = &mut route.attr.output_schema {
            plain(Arc::make_mut(output));
        }
    }
    router
}

fn plain(schema: &mut Map<String, Value>) {
    simplify(schema);
    definitions::inline(schema);
}

/// The formats of JSON Schema 2020-12, Validation §7.3.
const FORMATS: [&str; 19] = [
    "date-time",
    "date",
    "time",
    "duration",
    "email",
    "idn-email",
    "hostname",
    "idn-hostname",
    "ipv4",
    "ipv6",
    "uri",
    "uri-reference",
    "iri",
    "iri-reference",
    "uuid",
    "uri-template",
    "json-pointer",
    "relative-json-pointer",
    "regex",
];

fn simplify(schema: &mut Map<String, Value>) {
    schema.remove("$schema");
    if schema.get("format").and_then(Value::as_str).is_some_and(|format| !FORMATS.contains(&format)) {
        schema.remove("format");
    }
    let required: Vec<Value> = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    for (keyword, value) in schema.iter_mut() {
        match (keyword.as_str(), value) {
            ("properties", Value::Object(properties)) => {
                for (name, property) in properties {
                    as_object(property);
                    let Value::Object(property) = property else { continue };
                    // A property that may be left out need not be null as well.
                    if !required.iter().any(|required| required == name) {
                        without_null(property);
                    }
                    simplify(property);
                }
            }
            ("$defs" | "patternProperties", Value::Object(schemas)) => schemas.values_mut().for_each(simplify_value),
            // `true` and `false` are rare as schemas elsewhere, and usual here.
            ("additionalProperties", Value::Bool(_)) => {}
            ("items" | "additionalProperties" | "not", schema) => simplify_value(schema),
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(schemas)) => {
                schemas.iter_mut().for_each(simplify_value);
            }
            _ => {}
        }
    }
    // VS Code takes no array without `items` (microsoft/vscode#246119).
    let is_array = schema.get("type").is_some_and(|kind| kind == "array");
    if is_array && !schema.contains_key("prefixItems") {
        schema.entry("items").or_insert_with(|| json!({}));
    }
}

/// Turns the schemas `true` and `false` into equal objects (JSON Schema 2020-12, Core §4.3.2).
fn as_object(schema: &mut Value) {
    match schema {
        Value::Bool(true) => *schema = json!({}),
        Value::Bool(false) => *schema = json!({"not": {}}),
        _ => {}
    }
}

fn simplify_value(schema: &mut Value) {
    as_object(schema);
    if let Value::Object(schema) = schema {
        simplify(schema);
    }
}

/// Takes `null` out of what a property may be.
fn without_null(property: &mut Map<String, Value>) {
    if property.get("default") == Some(&Value::Null) {
        property.remove("default");
    }
    if let Some(Value::Array(values)) = property.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if let Some(Value::Array(types)) = property.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_mut_slice() {
            let only = only.take();
            property.insert("type".to_owned(), only);
        }
    }
    for keyword in ["anyOf", "oneOf"] {
        let Some(Value::Array(schemas)) = property.get_mut(keyword) else { continue };
        schemas.retain(|schema| schema.get("type").is_none_or(|kind| kind != "null"));
        if let [Value::Object(only)] = schemas.as_mut_slice() {
            let only = std::mem::take(only);
            property.remove(keyword);
            // The property's own keywords count before those of its type.
            for (keyword, value) in only {
                property.entry(keyword).or_insert(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn optional_properties_have_one_type_and_formats_are_those_of_json_schema() {
        let mut schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "required": ["kept"],
            "properties": {
                "limit": {"type": ["integer", "null"], "format": "uint32", "minimum": 1, "default": null},
                "kept": {"type": ["string", "null"]},
                "at": {"type": ["string", "null"], "format": "date-time"},
                "how": {"anyOf": [{"$ref": "#/$defs/How"}, {"type": "null"}], "description": "How."},
                "ratios": {"type": "array", "items": {"type": "number", "format": "double"}},
            },
            "$defs": {"How": {"type": "object", "properties": {"n": {"type": ["integer", "null"], "format": "int8"}}}},
        });
        simplify_value(&mut schema);
        let expected = json!({
            "type": "object",
            "required": ["kept"],
            "properties": {
                "limit": {"type": "integer", "minimum": 1},
                "kept": {"type": ["string", "null"]},
                "at": {"type": "string", "format": "date-time"},
                "how": {"$ref": "#/$defs/How", "description": "How."},
                "ratios": {"type": "array", "items": {"type": "number"}},
            },
            "$defs": {"How": {"type": "object", "properties": {"n": {"type": "integer"}}}},
        });
        assert_eq!(schema, expected);
    }

    #[test]
    fn every_schema_is_an_object_and_every_array_has_items() {
        let mut schema = json!({
            "type": "object",
            "properties": {
                "any": true,
                "none": false,
                "list": {"type": "array", "items": true},
                "bare": {"type": ["array", "null"]},
                "pair": {"type": "array", "prefixItems": [true, {"type": "string"}]},
                "open": {"type": "object", "additionalProperties": true},
            },
            "additionalProperties": false,
        });
        simplify_value(&mut schema);
        let expected = json!({
            "type": "object",
            "properties": {
                "any": {},
                "none": {"not": {}},
                "list": {"type": "array", "items": {}},
                "bare": {"type": "array", "items": {}},
                "pair": {"type": "array", "prefixItems": [{}, {"type": "string"}]},
                "open": {"type": "object", "additionalProperties": true},
            },
            "additionalProperties": false,
        });
        assert_eq!(schema, expected);
    }

    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "for its schema")]
    struct Anything {
        what: Value,
        how: Option<How>,
    }

    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "for its schema")]
    enum How {
        Fast,
        Well,
    }

    #[test]
    fn what_schemars_makes_becomes_plain() {
        let mut schema = schemars::schema_for!(Anything).to_value();
        let Value::Object(schema) = &mut schema else { panic!("{schema}") };
        assert!(schema["properties"]["what"] == json!(true) && schema.contains_key("$defs"), "{schema:?}");
        plain(schema);
        let how = json!({"type": "string", "enum": ["Fast", "Well"]});
        assert_eq!(schema["properties"], json!({"what": {}, "how": how}));
        assert!(!schema.contains_key("$defs"));
    }

    #[test]
    fn whole_floats_are_integers() {
        let mut value = json!({"a": 2.0, "b": [-3.0, 1.5, 1e300], "c": "2.0", "d": 7});
        whole_numbers(&mut value);
        assert_eq!(value, json!({"a": 2, "b": [-3, 1.5, 1e300], "c": "2.0", "d": 7}));
    }
}
