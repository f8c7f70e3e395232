use super::*;

fn converted(schema: &Value) -> Value {
    converted_with(schema, Map::new())
}

fn converted_with(schema: &Value, more: Map<String, Value>) -> Value {
    let mut document = json!({
        "openapi": "3.0.0",
        "schema": schema,
        "components": {"schemas": {
            "Node": {"type": "object", "properties": {"name": {"type": "string"}, "next": {"$ref": "#/components/schemas/Node"}}},
            "Tree": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
            "Named": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "maxLength": 9}}},
        }},
    });
    document["components"]["schemas"].as_object_mut().unwrap().extend(more);
    let document = Description::parse("a", &document.to_string()).unwrap();
    convert(&document, &[document.get("schema").unwrap()]).unwrap().remove(0)
}

#[test]
fn what_clients_choke_on_is_gone() {
    for (given, expected) in [
        (json!({"type": "integer", "format": "int32", "nullable": true, "example": 1}), json!({"type": "integer"})),
        (json!({"type": ["string", "null"], "format": "date-time"}), json!({"type": "string", "format": "date-time"})),
        (json!({"type": ["integer", "number"], "minimum": 1}), json!({"type": "number", "minimum": 1})),
        (json!({"type": ["string", "integer"]}), json!({"anyOf": [{"type": "string"}, {"type": "integer"}]})),
        (json!({"enum": ["a", null, "b"]}), json!({"type": "string", "enum": ["a", "b"]})),
        (json!({"const": 3}), json!({"type": "integer", "enum": [3]})),
        (json!({"type": "string", "pattern": "^(?=a)", "default": 1}), json!({"type": "string"})),
        (json!({"type": "array"}), json!({"type": "array", "items": {"type": "string"}})),
        (
            json!({"type": "object", "additionalProperties": {"type": "integer"}}),
            json!({"type": "object", "additionalProperties": {"type": "integer"}}),
        ),
        (json!({"type": "file"}), json!({})),
        (json!(true), json!({})),
    ] {
        assert_eq!(converted(&given), expected, "{given}");
    }
}

#[test]
fn objects_are_closed_and_lose_what_the_api_sets_itself() {
    let given = json!({
        "type": "object",
        "required": ["a", "id", "gone"],
        "properties": {"id": {"type": "string", "readOnly": true}, "a": {"type": "string", "description": " One\n two. "}},
    });
    let expected = json!({
        "type": "object",
        "required": ["a"],
        "properties": {"a": {"type": "string", "description": "One two."}},
        "additionalProperties": false,
    });
    assert_eq!(converted(&given), expected);
}

#[test]
fn parts_are_put_together() {
    let named = "#/components/schemas/Named";
    let expected = json!({
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"type": "string", "maxLength": 9}, "b": {"type": "boolean"}},
        "additionalProperties": false,
    });
    assert_eq!(converted(&json!({"allOf": [{"$ref": named}, {"properties": {"b": {"type": "boolean"}}}]})), expected);
    let variants = json!({"type": "object", "properties": {"b": {"type": "boolean"}}, "oneOf": [{"$ref": named}, {"required": ["b"]}]});
    let mut open = expected;
    open.as_object_mut().unwrap().remove("required");
    assert_eq!(converted(&variants), open);
    assert_eq!(converted(&json!({"anyOf": [{"$ref": named}, {"type": "null"}]}))["required"], json!(["name"]));
    assert_eq!(
        converted(&json!({"oneOf": [{"type": "string", "enum": ["a"]}, {"enum": ["b", "a"]}]})),
        json!({"type": "string", "enum": ["a", "b"]})
    );
}

#[test]
fn what_contains_itself_ends() {
    let node = converted(&json!({"$ref": "#/components/schemas/Node"}));
    assert_eq!(node["properties"]["next"], json!({"type": "object", "description": "Again of this form."}));
    let tree = converted(&json!({"$ref": "#/components/schemas/Tree"}));
    assert_eq!(tree["items"]["type"], "array");
}

#[test]
fn a_large_schema_keeps_its_upper_levels() {
    let mut schema = json!({"type": "string"});
    for level in 0..9 {
        let members: Map<String, Value> = (0..3).map(|number| (format!("m{level}_{number}"), schema.clone())).collect();
        schema = json!({"type": "object", "properties": members});
    }
    let made = converted(&schema);
    let text = made.to_string();
    assert!(text.len() < 40_000, "{}", text.len());
    assert_eq!(made["properties"]["m8_0"]["properties"]["m7_2"]["type"], "object");
}

#[test]
fn sentences_end_where_they_fit() {
    assert_eq!(sentence("One.  Two\nthree.", 100), "One. Two three.");
    assert_eq!(sentence("First one. Second one is longer.", 15), "First one.");
    assert_eq!(sentence("words without any end at all", 12), "words …");
}

/// Parts and alternatives take no level, so a limit of levels does not end them.
#[test]
fn parts_of_parts_end() {
    let reference = |number: usize| json!({"$ref": format!("#/components/schemas/A{number}")});
    let started = std::time::Instant::now();
    for keyword in ["allOf", "oneOf", "anyOf"] {
        for (count, copies) in [(40, 2), (20_000, 1), (1, 100_000)] {
            let schema =
                |number: usize| (format!("A{number}"), json!({ (keyword): vec![reference(number + 1); copies] }));
            let mut chain: Map<String, Value> = (0..count).map(schema).collect();
            chain.insert(format!("A{count}"), json!({"type": "string"}));
            let made = converted_with(&reference(0), chain);
            assert!(made.to_string().len() < 40_000, "{keyword} {count}");
        }
    }
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    // Not so deep that a real description would lose anything.
    let chain = (0..12).map(|number| (format!("A{number}"), json!({"allOf": [reference(number + 1)]})));
    let chain = chain.chain([("A12".to_owned(), json!({"type": "string", "maxLength": 3}))]).collect();
    assert_eq!(converted_with(&reference(0), chain)["maxLength"], 3);
}
