//! Schemas without references. Clients hand a part of a schema on to their model, without the definitions beside it (Kiro,
//! opencode, VS Code: davideast/stitch-mcp#184, PrefectHQ/fastmcp#2808), and one reference that they cannot follow costs them all tools.

use serde_json::{Map, Value};

/// The most references that are replaced: each may bring others, and a schema goes into every prompt.
const MOST: usize = 200;
const DEFINITIONS: &str = "$defs";
const LOCAL: &str = "#/$defs/";

/// The keywords beside a reference that keep their meaning when both become one schema.
const ANNOTATIONS: [&str; 8] =
    ["title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment"];

/// Puts definitions into the places that refer to them. Definitions of recursive schemas stay.
pub(super) fn inline(schema: &mut Map<String, Value>) {
    let Some(Value::Object(definitions)) = schema.remove(DEFINITIONS) else { return };
    Inliner { definitions: &definitions, left: MOST, inside: Vec::new() }.schema(schema);
    let refers = schema.values().any(|value| value.to_string().contains(LOCAL));
    if refers {
        schema.insert(DEFINITIONS.to_owned(), definitions.into());
    }
}

struct Inliner<'a> {
    definitions: &'a Map<String, Value>,
    left: usize,
    /// The definitions around the current schema.
    inside: Vec<&'a str>,
}

impl<'a> Inliner<'a> {
    fn schema(&mut self, schema: &mut Map<String, Value>) {
        if let Some((name, definition)) = self.definition(schema) {
            self.left -= 1;
            let mut definition = definition.clone();
            self.inside.push(name);
            self.schema(&mut definition);
            self.inside.pop();
            schema.remove("$ref");
            // The place's own keywords count before the definition's.
            for (keyword, value) in definition {
                schema.entry(keyword).or_insert(value);
            }
            return;
        }
        for (keyword, value) in schema.iter_mut() {
            match (keyword.as_str(), value) {
                ("properties" | "patternProperties" | "dependentSchemas", Value::Object(schemas)) => {
                    schemas.values_mut().for_each(|schema| self.value(schema));
                }
                ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(schemas)) => {
                    schemas.iter_mut().for_each(|schema| self.value(schema));
                }
                (
                    "items" | "additionalProperties" | "not" | "contains" | "propertyNames" | "if" | "then" | "else",
                    schema,
                ) => self.value(schema),
                _ => {}
            }
        }
    }

    fn value(&mut self, schema: &mut Value) {
        if let Value::Object(schema) = schema {
            self.schema(schema);
        }
    }

    /// Returns the definition that replaces this schema.
    fn definition(&self, schema: &Map<String, Value>) -> Option<(&'a str, &'a Map<String, Value>)> {
        let name = schema.get("$ref")?.as_str()?.strip_prefix(LOCAL)?;
        let (name, definition) = self.definitions.get_key_value(name)?;
        let annotated = schema.keys().all(|keyword| keyword == "$ref" || ANNOTATIONS.contains(&keyword.as_str()));
        let fits = annotated && self.left > 0 && !self.inside.contains(&name.as_str());
        fits.then_some(name.as_str()).zip(definition.as_object())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn inlined(schema: Value) -> Value {
        let Value::Object(mut schema) = schema else { panic!("{schema}") };
        inline(&mut schema);
        schema.into()
    }

    #[test]
    fn definitions_are_put_where_they_are_meant() {
        let schema = json!({
            "type": "object",
            "properties": {
                // Also under a name that is a keyword elsewhere.
                "default": {"$ref": "#/$defs/How", "description": "How it is done."},
                "list": {"type": "array", "items": {"$ref": "#/$defs/Item"}},
                "either": {"anyOf": [{"$ref": "#/$defs/How"}, {"type": "integer"}]},
            },
            "$defs": {
                "How": {"type": "string", "enum": ["fast", "well"], "description": "A way."},
                "Item": {"type": "object", "properties": {"how": {"$ref": "#/$defs/How"}}},
                "Unused": {"type": "null"},
            },
        });
        let how = json!({"type": "string", "enum": ["fast", "well"], "description": "A way."});
        let expected = json!({
            "type": "object",
            "properties": {
                "default": {"type": "string", "enum": ["fast", "well"], "description": "How it is done."},
                "list": {"type": "array", "items": {"type": "object", "properties": {"how": how}}},
                "either": {"anyOf": [how, {"type": "integer"}]},
            },
        });
        assert_eq!(inlined(schema), expected);
    }

    #[test]
    fn what_has_no_end_keeps_its_definitions() {
        let tree =
            json!({"type": "object", "properties": {"parts": {"type": "array", "items": {"$ref": "#/$defs/Tree"}}}});
        let schema = json!({"properties": {"tree": {"$ref": "#/$defs/Tree"}}, "$defs": {"Tree": tree}});
        let expected = json!({"properties": {"tree": tree}, "$defs": {"Tree": tree}});
        assert_eq!(inlined(schema), expected);
        // Beside keywords other than annotations, a reference is one of two conditions.
        let both =
            json!({"properties": {"a": {"$ref": "#/$defs/A", "minLength": 2}}, "$defs": {"A": {"type": "string"}}});
        assert_eq!(inlined(both.clone()), both);
        // Thirty times twice as much.
        let mut definitions = Map::from_iter([("D0".to_owned(), json!({"type": "string"}))]);
        for level in 1..30 {
            let below = json!({"$ref": format!("#/$defs/D{}", level - 1)});
            definitions.insert(format!("D{level}"), json!({"properties": {"a": below, "b": below}}));
        }
        let large = inlined(json!({"properties": {"x": {"$ref": "#/$defs/D29"}}, "$defs": definitions}));
        assert!(large["$defs"].is_object() && large.to_string().len() < 20_000, "{}", large.to_string().len());
    }
}
