//! An operation of a description → an entry of a file of operations.

use serde_json::{Map, Value, json};

use super::OpenApiError;
use super::document::Description;
use super::schema::{convert, sentence};
use super::select::Operation;

/// Returns whether clients take the name for an argument (Anthropic's API).
fn is_argument(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
}

/// A parameter of an operation.
struct Parameter<'a> {
    name: &'a str,
    at: &'a str,
    description: Option<&'a str>,
    required: bool,
    schema: &'a Value,
    style: Option<&'static str>,
}

/// The headers that the server writes: those that OpenAPI says are ignored, and those that say where a request goes and ends.
const OURS: [&str; 6] = ["accept", "content-type", "host", "content-length", "transfer-encoding", "connection"];
/// The number of parameters: the largest public description has some 60 in one operation.
const MOST_PARAMETERS: usize = 500;

const ANYTHING: &Value = &Value::Null;

/// Returns the entry of an operation, as the tool of this name.
///
/// # Errors
/// When it cannot be a tool, or a reference of it leads nowhere.
pub fn entry(document: &Description, operation: &Operation<'_>, name: &str) -> Result<Value, OpenApiError> {
    let unsupported = |reason: String| OpenApiError::Unsupported { id: operation.id.clone(), reason };
    let servers = operation.value.get("servers").or_else(|| operation.item.get("servers"));
    if servers.is_some_and(|servers| !document.is_own_server(servers)) {
        return Err(unsupported("it is on a server of its own".to_owned()));
    }
    let parameters = parameters(document, operation)?;
    let body = body(document, operation)?;
    let mut schemas: Vec<&Value> = parameters.iter().map(|parameter| parameter.schema).collect();
    schemas.extend(body.as_ref().map(|body| body.schema));
    let mut schemas = convert(document, &schemas)?;
    let body_schema = body.as_ref().and_then(|_| schemas.pop());

    let (mut properties, mut required, mut places) = (Map::new(), Vec::new(), Map::new());
    for (parameter, mut schema) in parameters.iter().zip(schemas) {
        let argument = argument(parameter, &properties, body.is_some());
        if let (Some(text), Some(schema)) = (parameter.description, schema.as_object_mut()) {
            schema.insert("description".to_owned(), sentence(text, 400).into());
        }
        if let Some(schema) = schema.as_object_mut()
            && !schema.contains_key("type")
            && !schema.contains_key("anyOf")
        {
            schema.insert("type".to_owned(), "string".into());
        }
        if parameter.required {
            required.push(Value::String(argument.clone()));
        }
        let mut place = json!({"in": parameter.at});
        if argument != parameter.name {
            place["name"] = parameter.name.into();
        }
        if let Some(style) = parameter.style {
            place["style"] = style.into();
        }
        properties.insert(argument.clone(), schema);
        places.insert(argument, place);
    }
    if let (Some(body), Some(schema)) = (&body, body_schema) {
        properties.insert("body".to_owned(), schema);
        if body.required {
            required.push("body".into());
        }
    }
    let mut arguments = Map::new();
    arguments.insert("type".to_owned(), "object".into());
    arguments.insert("properties".to_owned(), properties.into());
    if !required.is_empty() {
        arguments.insert("required".to_owned(), required.into());
    }
    arguments.insert("additionalProperties".to_owned(), false.into());

    let mut entry = Map::new();
    let (title, description) = texts(operation, name);
    for (key, value) in [("name", name.to_owned()), ("title", title), ("description", description)] {
        entry.insert(key.to_owned(), value.into());
    }
    entry.insert("method".to_owned(), operation.method.to_uppercase().into());
    entry.insert("path".to_owned(), operation.path.into());
    if let Some(body) = &body {
        entry.insert("body".to_owned(), body.kind.into());
    }
    entry.insert("arguments".to_owned(), arguments.into());
    entry.insert("places".to_owned(), places.into());
    Ok(Value::Object(entry))
}

fn texts(operation: &Operation<'_>, name: &str) -> (String, String) {
    let text =
        |key: &str| operation.value.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let title =
        text("summary").map_or_else(|| crate::scaffold::extend::identifier::title(name), |text| sentence(text, 80));
    let mut whole = match (text("summary"), text("description")) {
        (Some(summary), Some(more)) if !more.starts_with(summary) => {
            format!("{}. {more}", summary.trim_end_matches('.'))
        }
        (_, Some(more)) => more.to_owned(),
        (Some(summary), None) => format!("{}.", summary.trim_end_matches('.')),
        (None, None) => format!("{title}: {} {}.", operation.method.to_uppercase(), operation.path),
    };
    if operation.value.get("deprecated") == Some(&Value::Bool(true)) {
        whole = format!("Deprecated. {whole}");
    }
    // OpenAI's API takes 1,024 characters.
    (title.trim_end_matches('.').to_owned(), sentence(&whole, 1000))
}

/// The name of the argument: the API's own, where clients take that and it is free.
fn argument(parameter: &Parameter<'_>, taken: &Map<String, Value>, has_body: bool) -> String {
    let is_free = |name: &str| !(taken.contains_key(name) || has_body && name == "body");
    let clean: String =
        parameter.name.chars().map(|c| if is_argument(&c.to_string()) { c } else { '_' }).take(56).collect();
    let clean = clean.trim_matches('_').to_owned();
    let clean = if clean.is_empty() { parameter.at.to_owned() } else { clean };
    let first = if is_argument(parameter.name) { parameter.name.to_owned() } else { clean.clone() };
    let more = [first, format!("{clean}_{}", parameter.at)].into_iter();
    let mut candidates = more.chain((2..).map(|number| format!("{clean}_{number}")));
    candidates.find(|name| is_free(name)).unwrap_or(clean)
}

fn parameters<'a>(document: &'a Description, operation: &Operation<'a>) -> Result<Vec<Parameter<'a>>, OpenApiError> {
    let mut all: Vec<Parameter<'a>> = Vec::new();
    let unsupported = |reason: String| OpenApiError::Unsupported { id: operation.id.clone(), reason };
    for list in [operation.item.get("parameters"), operation.value.get("parameters")] {
        for given in list.and_then(Value::as_array).into_iter().flatten() {
            let given = document.resolve(given)?;
            let text = |key: &str| given.get(key).and_then(Value::as_str);
            let (Some(name), Some(at)) = (text("name"), text("in")) else {
                return Err(unsupported("a parameter has no name or no place".to_owned()));
            };
            let required = given.get("required") == Some(&Value::Bool(true));
            if at == "header" && (OURS.contains(&name.trim().to_lowercase().as_str()) || document.is_credential(name)) {
                continue;
            }
            match at {
                "path" | "query" | "header" => {}
                "cookie" if !required => continue,
                _ => return Err(unsupported(format!("it needs the {at} {name}"))),
            }
            let content = given.get("content").and_then(|content| content.as_object()?.values().next());
            let schema =
                content.map_or_else(|| given.get("schema"), |content| content.get("schema")).unwrap_or(ANYTHING);
            let style = if content.is_some() { Some("json") } else { style(document, given, at, schema)? };
            let parameter = Parameter {
                name,
                at,
                description: text("description"),
                required: required || at == "path",
                schema,
                style,
            };
            if all.len() >= MOST_PARAMETERS {
                return Err(unsupported(format!("it has more than {MOST_PARAMETERS} parameters")));
            }
            // Those of the operation count before those of the path.
            match all.iter_mut().find(|other| other.name == name && other.at == at) {
                Some(other) => *other = parameter,
                None => all.push(parameter),
            }
        }
    }
    all.retain(|parameter| parameter.at != "path" || operation.path.contains(&format!("{{{}}}", parameter.name)));
    for name in operation.path.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name)) {
        if !all.iter().any(|parameter| parameter.at == "path" && parameter.name == name) {
            let description = Some("A part of the address.");
            all.push(Parameter { name, at: "path", description, required: true, schema: ANYTHING, style: None });
        }
    }
    Ok(all)
}

/// How a list or an object is written (Parameter Object, `style` and `explode`).
fn style(
    document: &Description,
    given: &Value,
    at: &str,
    schema: &Value,
) -> Result<Option<&'static str>, OpenApiError> {
    if at != "query" {
        return Ok(None);
    }
    let explode = given.get("explode").and_then(Value::as_bool);
    Ok(match given.get("style").and_then(Value::as_str) {
        Some("deepObject") => Some("deep"),
        Some("spaceDelimited") if explode != Some(true) => Some("space"),
        Some("pipeDelimited") if explode != Some(true) => Some("pipe"),
        None | Some("form") if explode == Some(false) => {
            let kind = document.resolve(schema)?.get("type").and_then(Value::as_str);
            (kind != Some("string")).then_some("comma")
        }
        _ => None,
    })
}

struct Body<'a> {
    kind: &'static str,
    schema: &'a Value,
    required: bool,
}

fn body<'a>(document: &'a Description, operation: &Operation<'a>) -> Result<Option<Body<'a>>, OpenApiError> {
    let Some(given) = operation.value.get("requestBody") else { return Ok(None) };
    // RFC 9110 §9.3.1: the content of a GET has no meaning.
    if operation.reads() {
        return Ok(None);
    }
    let given = document.resolve(given)?;
    let Some(content) = given.get("content").and_then(Value::as_object) else { return Ok(None) };
    let plain = |kind: &str| kind.split(';').next().unwrap_or_default().trim().to_lowercase();
    let find =
        |wanted: &dyn Fn(&str) -> bool| content.iter().find(|(kind, _)| wanted(&plain(kind))).map(|(_, media)| media);
    let (kind, media) =
        if let Some(media) = find(&|kind| kind == "application/json" || kind == "*/*" || kind == "application/*") {
            ("application/json", media)
        } else if let Some(media) = find(&|kind| kind == "application/merge-patch+json") {
            ("application/merge-patch+json", media)
        } else if let Some(media) = find(&|kind| kind.ends_with("+json") && !kind.contains("json-patch")) {
            ("application/json", media)
        } else if let Some(media) = find(&|kind| kind == "application/x-www-form-urlencoded") {
            ("application/x-www-form-urlencoded", media)
        } else if content.is_empty() {
            return Ok(None);
        } else {
            let kinds = content.keys().map(|kind| sentence(kind, 60)).collect::<Vec<_>>().join(", ");
            return Err(OpenApiError::Unsupported { id: operation.id.clone(), reason: format!("its body is {kinds}") });
        };
    let required = given.get("required") == Some(&Value::Bool(true));
    let schema = media.get("schema").unwrap_or(ANYTHING);
    let target = document.resolve(schema)?;
    let is_empty = target.get("properties").and_then(Value::as_object).is_some_and(Map::is_empty);
    if is_empty && !required {
        return Ok(None);
    }
    Ok(Some(Body { kind, schema, required }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaffold::openapi::select::operations;

    fn arguments(parameters: &Value) -> Result<Vec<String>, String> {
        let text = json!({
            "openapi": "3.0.0",
            "components": {"securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "other": {"$ref": "#/other"},
                "query": {"type": "apiKey", "in": "query", "name": "q"},
                "login": {"type": "oauth2"},
            }},
            "other": {"type": "apiKey", "in": "header", "name": "X-Other"},
            "paths": {"/a": {"get": {"parameters": parameters}}},
        });
        let document = Description::parse("a", &text.to_string()).unwrap();
        let entry = entry(&document, &operations(&document).unwrap()[0], "a").map_err(|error| error.to_string())?;
        let mut names: Vec<String> = entry["arguments"]["properties"].as_object().unwrap().keys().cloned().collect();
        names.sort();
        Ok(names)
    }

    /// As arguments they would be sent beside the server's own, or in their place.
    #[test]
    fn no_credential_is_an_argument() {
        let header = |name: &str| json!({"in": "header", "name": name, "required": true, "schema": {"type": "string"}});
        let names = [
            "x-api-key",
            "X-API-KEY ",
            "x-OTHER",
            "Authorization",
            "proxy-Authorization",
            "Cookie",
            "Host",
            "Content-Length",
        ];
        let mut parameters: Vec<Value> = names.iter().map(|name| header(name)).collect();
        parameters.extend([
            header("X-Trace"),
            json!({"in": "query", "name": "X-API-Key"}),
            json!({"in": "query", "name": "q"}),
        ]);
        assert_eq!(arguments(&parameters.into()).unwrap(), ["X-API-Key", "X-Trace", "q"]);
    }

    #[test]
    fn parameters_have_an_end() {
        let parameters: Vec<Value> =
            (0..100_000).map(|number| json!({"in": "query", "name": format!("q{number}")})).collect();
        assert!(arguments(&parameters.into()).unwrap_err().contains("more than 500 parameters"));
    }
}
