//! Operations of an API as tools: entries of `src/NAME.tools.json`, which the runtime reads, and the few lines that use the file.

use serde_json::{Map, Value};

use super::files::ProjectFiles;
use super::identifier::camel;
use super::rust::{block, closing, insert, masked, with_import};
use super::{ExtendError, places, upstream};

const LIB: &str = "src/lib.rs";
const TOOLS: &str = "src/handlers/tools.rs";
const TESTS: &str = "tests/mcp.rs";

/// Returns the path of the file of operations of an upstream.
#[must_use]
pub fn path(upstream: &str) -> String {
    format!("src/{upstream}.tools.json")
}

/// Returns the file of operations that has a tool of this name.
///
/// # Errors
/// When a file cannot be read.
pub fn file_with(files: &mut ProjectFiles, name: &str) -> Result<Option<String>, ExtendError> {
    for upstream in super::rows::names_with(files, "_API_BASE")? {
        let path = path(&upstream);
        if files.find(&path)?.is_some_and(|text| text.contains(&format!("\"name\": \"{name}\","))) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Adds entries to the file of an upstream; one of the same name is replaced. `source` says where they come from. Returns `false`
/// where all of it was there already.
///
/// # Errors
/// When a name is taken by another tool, or a place is gone.
pub fn add(files: &mut ProjectFiles, upstream: &str, source: &str, entries: Vec<Value>) -> Result<bool, ExtendError> {
    let before = files.added().len();
    let path = path(upstream);
    let text = files.find(&path)?;
    let mut all = match &text {
        Some(text) => tools_of(&path, text)?,
        None => Vec::new(),
    };
    let written = masked(&files.read(TOOLS)?);
    let mut rows = Vec::new();
    for entry in entries {
        let name = string(&entry, "name");
        if written.contains(&format!("fn {name}(")) {
            return Err(ExtendError::Taken {
                name,
                by: format!("{TOOLS} has a tool of this name; --prefix {upstream}_ makes another"),
            });
        }
        if let Some(file) = file_with(files, &name)?.filter(|file| *file != path) {
            return Err(ExtendError::Taken {
                name,
                by: format!("{file} has a tool of this name; --prefix {upstream}_ makes another"),
            });
        }
        rows.push((name.clone(), string(&entry, "description")));
        match all.iter_mut().find(|other| string(other, "name") == name) {
            Some(other) => *other = entry,
            None => all.push(entry),
        }
    }
    all.sort_by_key(|entry| string(entry, "name"));
    let new = render(source, &all);
    if text.as_ref() != Some(&new) {
        files.set(&path, new, format!("{} of the API", crate::text::plural::plural(rows.len(), "operation")));
    }
    wire(files, upstream)?;
    let names: Vec<String> = rows.iter().map(|(name, _)| name.clone()).collect();
    places::list_in_test(files, &names)?;
    places::list_in_readme(files, &rows)?;
    // The project's test says that all tools only read, as those that it begins with do.
    if all.iter().any(|entry| !matches!(string(entry, "method").as_str(), "GET" | "HEAD")) {
        relax_test(files)?;
    }
    Ok(files.added().len() > before)
}

fn string(entry: &Value, key: &str) -> String {
    entry.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn tools_of(path: &str, text: &str) -> Result<Vec<Value>, ExtendError> {
    let wrong = |reason: String| ExtendError::OperationsFile { path: path.to_owned(), reason };
    let mut file: Map<String, Value> = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    match file.remove("tools") {
        Some(Value::Array(tools)) => Ok(tools),
        _ => Err(wrong("it has no list `tools`".to_owned())),
    }
}

/// Writes the file so that a diff shows what has changed: a line for each member, and for each argument.
fn render(source: &str, tools: &[Value]) -> String {
    let compact = |value: &Value| value.to_string();
    let mut text = format!("{{\n  \"source\": {},\n  \"tools\": [", compact(&source.into()));
    for (number, tool) in tools.iter().enumerate() {
        text += if number == 0 { "\n    {" } else { ",\n    {" };
        let mut first = true;
        for key in ["name", "title", "description", "method", "path", "body", "arguments", "places"] {
            let Some(value) = tool.get(key) else { continue };
            text += if first { "\n" } else { ",\n" };
            first = false;
            text += &match (key, value) {
                ("arguments", Value::Object(schema)) => format!("      \"arguments\": {}", arguments(schema)),
                ("places", Value::Object(places)) => format!("      \"places\": {}", lines(places, 8)),
                _ => format!("      \"{key}\": {}", compact(value)),
            };
        }
        text += "\n    }";
    }
    text + "\n  ]\n}\n"
}

fn arguments(schema: &Map<String, Value>) -> String {
    let member = |(key, value): (&String, &Value)| match (key.as_str(), value) {
        ("properties", Value::Object(properties)) => format!("        \"properties\": {}", lines(properties, 10)),
        _ => format!("        {}: {value}", Value::from(key.as_str())),
    };
    format!("{{\n{}\n      }}", schema.iter().map(member).collect::<Vec<_>>().join(",\n"))
}

fn lines(members: &Map<String, Value>, indent: usize) -> String {
    if members.is_empty() {
        return "{}".to_owned();
    }
    let line =
        |(key, value): (&String, &Value)| format!("{}{}: {value}", " ".repeat(indent), Value::from(key.as_str()));
    format!("{{\n{}\n{}}}", members.iter().map(line).collect::<Vec<_>>().join(",\n"), " ".repeat(indent - 2))
}

/// The lines that use the file: a function of the client, the method `Tools::with`, and its call.
fn wire(files: &mut ProjectFiles, name: &str) -> Result<(), ExtendError> {
    let client = upstream::path(name);
    let mut text = files.read(&client)?;
    if !masked(&text).contains("pub fn tools<") {
        let file = format!("{name}.tools.json");
        text += &format!(
            "\n/// The operations of the API that are tools, as `{file}` describes them.\n///\n\
             /// # Errors\n/// Where that file is not valid: the server does not start then.\n\
             pub fn tools<S: Send + Sync + 'static>() -> Result<ToolRouter<S>, OperationsError> {{\n    \
             let operations = Operations::parse(include_str!(\"{file}\"))?;\n    \
             Ok(operations.tools(|parts| upstream::<{}>(parts).map({0}::api)))\n}}\n",
            camel(name)
        );
        text = with_import(&text, "mcp_server_runtime::operations", "Operations");
        text = with_import(&text, "mcp_server_runtime::operations", "OperationsError");
        text = with_import(&text, "mcp_server_runtime", "upstream");
        text = with_import(&text, "rmcp::handler::server::router::tool", "ToolRouter");
        files.set(&client, text, "the tools of its file of operations");
    }

    let mut text = files.read(TOOLS)?;
    let none = |path: &str, anchor| ExtendError::NoPlace { path: path.to_owned(), anchor };
    if !masked(&text).contains("pub fn with(") {
        let default =
            block(&masked(&text), "impl Default for Tools").ok_or_else(|| none(TOOLS, "`impl Default for Tools`"))?;
        let method = "\n\nimpl Tools {\n    /// Adds tools to those that are written here.\n    #[must_use]\n    \
                      pub fn with(self, more: ToolRouter<Self>) -> Self {\n        \
                      let all = (*self.tool_router).clone() + more;\n        \
                      Self { tool_router: std::sync::Arc::new(plain_schemas(all)) }\n    }\n}";
        text = insert(&text, default.end, method);
        text = with_import(&text, "mcp_server_runtime::arguments", "plain_schemas");
        text = with_import(&text, "rmcp::handler::server::router::tool", "ToolRouter");
        files.set(TOOLS, text, "the method `Tools::with`");
    }

    let mut text = files.read(LIB)?;
    if !masked(&text).contains(&format!("{name}::tools()?")) {
        let mask = masked(&text);
        let handlers = mask.find("Handlers::new(").ok_or_else(|| none(LIB, "`Handlers::new(…)`"))?;
        let open = handlers + "Handlers::new(".len() - 1;
        let close = closing(&mask, open).ok_or_else(|| none(LIB, "`Handlers::new(…)`"))?;
        text = insert(&text, close, &format!(".with({name}::tools()?)"));
        files.set(LIB, text, "its tools");
    }
    Ok(())
}

fn relax_test(files: &mut ProjectFiles) -> Result<(), ExtendError> {
    let Some(text) = files.find(TESTS)? else { return Ok(()) };
    let mut relaxed = text.clone();
    for hint in ["readOnlyHint", "idempotentHint"] {
        relaxed = relaxed.replace(
            &format!("assert_eq!(tool[\"annotations\"][\"{hint}\"], true, \"{{tool}}\");"),
            &format!("assert!(tool[\"annotations\"][\"{hint}\"].is_boolean(), \"{{tool}}\");"),
        );
    }
    if relaxed != text {
        files.set(TESTS, relaxed, "tools may change something");
    }
    Ok(())
}
