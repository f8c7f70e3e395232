//! Schemas of a description → schemas that every client takes: no references, one `type` each, no `nullable`, no formats of OpenAPI,
//! no members beyond those that are described.
//!
//! Clients that choke on more: Gemini takes neither `$ref` nor lists of types, strict mode of OpenAI no open objects, Ajv no unknown
//! formats.

use serde_json::{Map, Value, json};

use super::OpenApiError;
use super::document::Description;

/// The number of schemas in the arguments of one tool. Beyond it, the deepest levels are left to the API: 250 are some 25 KB, which is
/// what a model reads for one tool.
const MOST: usize = 250;
/// The deepest level.
const DEEPEST: usize = 10;
/// Schemas within each other, references and parts of one level included. Ten levels are some thirty of them.
const MOST_NESTED: usize = 64;
/// Schemas of one argument when there is no level below it: its references, parts and alternatives.
const MOST_OF_ONE: usize = 64;
/// Alternatives that are still of use to a model.
const ALTERNATIVES: usize = 12;
/// The formats of JSON Schema that validators know (2020-12, Validation §7.3).
const FORMATS: [&str; 12] = [
    "date-time",
    "date",
    "time",
    "duration",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "uri",
    "uri-reference",
    "uuid",
    "regex",
];

type Schema = Map<String, Value>;

/// Converts schemas of one document.
struct Converter<'a> {
    document: &'a Description,
    deepest: usize,
    count: usize,
    most: usize,
    nested: usize,
    /// The references that lead here.
    within: Vec<&'a str>,
}

/// Why a schema was not converted.
enum Stop {
    TooLarge,
    Wrong(OpenApiError),
}

impl From<OpenApiError> for Stop {
    fn from(error: OpenApiError) -> Self {
        Self::Wrong(error)
    }
}

/// Converts several schemas that a tool has together, as deep as they fit.
///
/// # Errors
/// When a reference leads out of the file, or nowhere.
pub fn convert(document: &Description, schemas: &[&Value]) -> Result<Vec<Value>, OpenApiError> {
    for deepest in (0..=DEEPEST).rev() {
        // Without any level the arguments alone are what counts, and their number is not ours.
        let most = if deepest == 0 { MOST.max(schemas.len().saturating_mul(MOST_OF_ONE)) } else { MOST };
        let mut converter = Converter { document, deepest, count: 0, most, nested: 0, within: Vec::new() };
        let all: Result<Vec<Value>, Stop> =
            schemas.iter().map(|schema| converter.schema(schema, 0).map(Value::Object)).collect();
        match all {
            Ok(all) => return Ok(all),
            Err(Stop::Wrong(error)) => return Err(error),
            Err(Stop::TooLarge) => {}
        }
    }
    Ok(schemas.iter().map(|_| json!({})).collect())
}

impl<'a> Converter<'a> {
    fn schema(&mut self, schema: &'a Value, depth: usize) -> Result<Schema, Stop> {
        self.count += 1;
        // Parts and alternatives go down without a level, and a few lines of references can double them again and again.
        if self.count > self.most || self.nested >= MOST_NESTED {
            return Err(Stop::TooLarge);
        }
        self.nested += 1;
        let made = self.inner(schema, depth);
        self.nested -= 1;
        made
    }

    fn inner(&mut self, schema: &'a Value, depth: usize) -> Result<Schema, Stop> {
        let Value::Object(given) = schema else { return Ok(Schema::new()) };
        if let Some(reference) = given.get("$ref").and_then(Value::as_str) {
            return self.reference(reference, given, depth);
        }
        let mut made = self.own(given, depth)?;
        for part in given.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            let part = self.schema(part, depth)?;
            merge(&mut made, part);
        }
        let alternatives = given.get("oneOf").or_else(|| given.get("anyOf")).and_then(Value::as_array);
        if let Some(alternatives) = alternatives {
            self.alternatives(&mut made, alternatives, depth)?;
        }
        if let Some(description) = given.get("description").and_then(Value::as_str) {
            let most = if depth < 2 { 400 } else { 200 };
            made.insert("description".to_owned(), sentence(description, most).into());
        }
        close(&mut made);
        Ok(made)
    }

    fn reference(&mut self, reference: &'a str, given: &'a Schema, depth: usize) -> Result<Schema, Stop> {
        let target = self.document.target(reference)?;
        let mut made = if self.within.contains(&reference) {
            // It contains itself: what it is, without its members.
            let mut made = Schema::new();
            kind(&mut made, self.document.resolve(target)?);
            if made.get("type").is_some_and(|kind| kind == "array") {
                made.insert("items".to_owned(), json!({"type": "object"}));
            }
            made.insert("description".to_owned(), "Again of this form.".into());
            made
        } else {
            self.within.push(reference);
            let made = self.schema(target, depth);
            self.within.pop();
            made?
        };
        // OpenAPI 3.1 allows a description beside a reference.
        if let Some(description) = given.get("description").and_then(Value::as_str) {
            made.insert("description".to_owned(), sentence(description, 400).into());
        }
        Ok(made)
    }

    /// Converts the schema's own keywords, without `allOf` and alternatives.
    fn own(&mut self, given: &'a Schema, depth: usize) -> Result<Schema, Stop> {
        let mut made = Schema::new();
        let types: Vec<&str> = match given.get("type") {
            Some(Value::String(kind)) => vec![kind],
            Some(Value::Array(kinds)) => {
                kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null").collect()
            }
            _ => Vec::new(),
        };
        if let [first, second, ..] = types.as_slice() {
            // `integer` is a `number`.
            if types.iter().all(|kind| matches!(*kind, "integer" | "number")) {
                made.insert("type".to_owned(), "number".into());
            } else {
                let _ = (first, second);
                let any = types.iter().map(|kind| match *kind {
                    "array" => json!({"type": "array", "items": {"type": "string"}}),
                    kind => json!({"type": kind}),
                });
                made.insert("anyOf".to_owned(), any.collect());
                return Ok(made);
            }
        } else {
            kind(&mut made, &Value::Object(head(given)));
        }
        self.values(&mut made, given);
        match made.get("type").and_then(Value::as_str) {
            Some("object") => self.members(&mut made, given, depth)?,
            Some("array") => {
                let items = match given.get("items") {
                    Some(items) if depth < self.deepest => self.schema(items, depth + 1)?,
                    Some(items) => {
                        let mut made = Schema::new();
                        kind(&mut made, self.document.resolve(items)?);
                        made
                    }
                    None => Schema::new(),
                };
                // Gemini wants to know what is in a list.
                let items =
                    if items.is_empty() { Schema::from_iter([("type".to_owned(), "string".into())]) } else { items };
                made.insert("items".to_owned(), Value::Object(items));
            }
            _ => {}
        }
        Ok(made)
    }

    fn members(&mut self, made: &mut Schema, given: &'a Schema, depth: usize) -> Result<(), Stop> {
        let Some(Value::Object(properties)) = given.get("properties") else {
            if let Some(values @ Value::Object(all)) = given.get("additionalProperties")
                && !all.is_empty()
                && depth < self.deepest
            {
                let values = self.schema(values, depth + 1)?;
                made.insert("additionalProperties".to_owned(), Value::Object(values));
            }
            return Ok(());
        };
        if depth >= self.deepest {
            return Ok(());
        }
        let mut all = Schema::new();
        for (name, property) in properties {
            let target = self.document.resolve(property)?;
            // What the API sets itself is not sent.
            if target.get("readOnly") == Some(&Value::Bool(true)) {
                continue;
            }
            all.insert(name.clone(), Value::Object(self.schema(property, depth + 1)?));
        }
        let required = given.get("required").and_then(Value::as_array).into_iter().flatten();
        let required: Vec<Value> =
            required.filter(|name| name.as_str().is_some_and(|name| all.contains_key(name))).cloned().collect();
        if !required.is_empty() {
            made.insert("required".to_owned(), Value::Array(required));
        }
        made.insert("properties".to_owned(), Value::Object(all));
        if let Some(more @ (Value::Object(_) | Value::Bool(true))) = given.get("additionalProperties") {
            let more = match more {
                Value::Object(all) if !all.is_empty() => Value::Object(self.schema(more, depth + 1)?),
                _ => Value::Bool(true),
            };
            made.insert("additionalProperties".to_owned(), more);
        }
        Ok(())
    }

    /// Keywords that say which values there are.
    fn values(&self, made: &mut Schema, given: &Schema) {
        let kind = made.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        let words = match (given.get("enum"), given.get("const")) {
            (Some(Value::Array(words)), _) => words.iter().filter(|word| !word.is_null()).cloned().collect(),
            (_, Some(word)) if !word.is_null() => vec![word.clone()],
            _ => Vec::new(),
        };
        if !words.is_empty() && words.iter().all(|word| fits(&kind, word)) {
            made.insert("enum".to_owned(), Value::Array(words));
        }
        if let Some(default) = given.get("default").filter(|default| is_scalar(default) && fits(&kind, default)) {
            made.insert("default".to_owned(), default.clone());
        }
        let copy = |made: &mut Schema, keywords: &[&str]| {
            for keyword in keywords {
                if let Some(number) = given.get(*keyword).filter(|number| number.is_number()) {
                    made.insert((*keyword).to_owned(), number.clone());
                }
            }
        };
        match kind.as_str() {
            "string" => {
                copy(made, &["minLength", "maxLength"]);
                if let Some(format) =
                    given.get("format").filter(|format| format.as_str().is_some_and(|format| FORMATS.contains(&format)))
                {
                    made.insert("format".to_owned(), format.clone());
                }
                let is_plain = |pattern: &&Value| pattern.as_str().is_some_and(is_common_pattern);
                if let Some(pattern) = given.get("pattern").filter(is_plain) {
                    made.insert("pattern".to_owned(), pattern.clone());
                }
            }
            "integer" | "number" => copy(made, &["minimum", "maximum"]),
            "array" => copy(made, &["minItems", "maxItems"]),
            _ => {}
        }
    }

    fn alternatives(&mut self, made: &mut Schema, given: &'a [Value], depth: usize) -> Result<(), Stop> {
        let mut all = Vec::new();
        for alternative in given {
            let target = self.document.resolve(alternative)?;
            let is_null =
                target.get("type").is_some_and(|kind| kind == "null") || target.get("enum") == Some(&json!([null]));
            if !is_null {
                all.push(self.schema(alternative, depth)?);
            }
        }
        // An object with variants: all their members, none of which is required.
        if made.get("type").is_some_and(|kind| kind == "object") || made.contains_key("properties") {
            for mut alternative in all {
                alternative.remove("required");
                alternative.remove("description");
                merge(made, alternative);
            }
            return Ok(());
        }
        all.dedup();
        unite(made, all);
        Ok(())
    }
}

/// Adds alternatives to a schema: the only one, one list of texts, `anyOf`, or else the type that they share.
fn unite(made: &mut Schema, mut all: Vec<Schema>) {
    let is_list = |one: &Schema| one.get("type").is_some_and(|kind| kind == "string") && one.contains_key("enum");
    match all.len() {
        0 => {}
        1 => merge(made, all.remove(0)),
        _ if all.iter().all(is_list) => {
            let mut texts: Vec<Value> = Vec::new();
            for text in all.iter().filter_map(|one| one.get("enum")?.as_array()).flatten() {
                if !texts.contains(text) {
                    texts.push(text.clone());
                }
            }
            made.insert("type".to_owned(), "string".into());
            made.insert("enum".to_owned(), Value::Array(texts));
        }
        2..=ALTERNATIVES => {
            made.remove("type");
            made.insert("anyOf".to_owned(), all.into_iter().flat_map(flat).collect());
        }
        _ => {
            let shared = all[0].get("type").filter(|kind| all.iter().all(|one| one.get("type") == Some(kind)));
            if let Some(shared) = shared {
                made.insert("type".to_owned(), shared.clone());
            }
        }
    }
}

/// Returns an alternative, or its own alternatives where it is nothing else.
fn flat(mut one: Schema) -> Vec<Value> {
    match one.remove("anyOf") {
        Some(Value::Array(inner)) if one.keys().all(|key| key == "description") => inner,
        Some(inner) => {
            one.insert("anyOf".to_owned(), inner);
            vec![Value::Object(one)]
        }
        None => vec![Value::Object(one)],
    }
}

/// Returns the keywords that say which type a schema has.
fn head(schema: &Schema) -> Schema {
    let mut head = Schema::new();
    for keyword in ["type", "enum", "const"] {
        if let Some(value) = schema.get(keyword) {
            head.insert(keyword.to_owned(), value.clone());
        }
    }
    for keyword in ["properties", "items"] {
        if schema.contains_key(keyword) {
            head.insert(keyword.to_owned(), Value::Null);
        }
    }
    head
}

/// Sets the type: the one that is given, or the one that the other keywords tell.
fn kind(made: &mut Schema, given: &Value) {
    let known = |kind: &str| matches!(kind, "string" | "integer" | "number" | "boolean" | "array" | "object");
    let named = match given.get("type") {
        Some(Value::String(kind)) => Some(kind.as_str()),
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
        _ => None,
    };
    let word = given.get("const").or_else(|| given.get("enum")?.as_array()?.iter().find(|word| !word.is_null()));
    let implied = || match word {
        _ if given.get("properties").is_some() || given.get("allOf").is_some() => Some("object"),
        _ if given.get("items").is_some() => Some("array"),
        Some(Value::String(_)) => Some("string"),
        Some(Value::Bool(_)) => Some("boolean"),
        Some(Value::Number(number)) => Some(if number.is_f64() { "number" } else { "integer" }),
        _ => None,
    };
    if let Some(kind) = named.filter(|kind| known(kind)).or_else(implied) {
        made.insert("type".to_owned(), kind.into());
    }
}

/// Adds what another schema demands as well.
fn merge(made: &mut Schema, more: Schema) {
    for (keyword, value) in more {
        match (made.get_mut(&keyword), value) {
            (Some(Value::Object(all)), Value::Object(more)) if keyword == "properties" => {
                for (name, property) in more {
                    all.entry(name).or_insert(property);
                }
            }
            (Some(Value::Array(all)), Value::Array(more)) if keyword == "required" => {
                let new: Vec<Value> = more.into_iter().filter(|name| !all.contains(name)).collect();
                all.extend(new);
            }
            // Closed by itself, and open together.
            (Some(there @ Value::Bool(false)), value) if keyword == "additionalProperties" => *there = value,
            (Some(_), _) => {}
            (None, value) => {
                made.insert(keyword, value);
            }
        }
    }
}

/// Closes an object with described members, where the description does not open it.
fn close(made: &mut Schema) {
    let described = made.get("properties").and_then(Value::as_object).is_some_and(|properties| !properties.is_empty());
    if described {
        made.entry("type").or_insert_with(|| "object".into());
        if made.get("type").is_some_and(|kind| kind == "object") {
            made.entry("additionalProperties").or_insert(Value::Bool(false));
        }
    }
}

fn fits(kind: &str, value: &Value) -> bool {
    match kind {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "" => true,
        _ => false,
    }
}

/// Returns whether every engine of regular expressions takes the pattern, that of ECMAScript with the flag `u` among them: it refuses
/// escapes of characters that mean nothing.
fn is_common_pattern(pattern: &str) -> bool {
    let mut escaped = false;
    let escapes_are_common = pattern.chars().all(|c| {
        let is_common = !escaped || r"^$\.*+?()[]{}|/dDsSwWbBnrtfv".contains(c);
        escaped = c == '\\' && !escaped;
        is_common
    });
    pattern.len() < 200 && escapes_are_common && !pattern.contains("(?") && regex::Regex::new(pattern).is_ok()
}

fn is_scalar(value: &Value) -> bool {
    value.is_string() || value.is_number() || value.is_boolean()
}

/// Returns a text in one line, up to the last sentence that fits.
#[must_use]
pub fn sentence(text: &str, most: usize) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= most {
        return line;
    }
    let cut: String = line.chars().take(most).collect();
    match cut.rfind(". ") {
        Some(end) if end > most / 3 => cut[..=end].to_owned(),
        _ => format!("{} …", cut.rsplit_once(' ').map_or(cut.as_str(), |(head, _)| head)),
    }
}

#[cfg(test)]
mod tests;
