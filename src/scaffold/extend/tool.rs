//! A tool: types, method, test, and its place in the lists. What it does is its owner's part; until then it answers with its own
//! arguments, or with what the API answers.

use super::files::ProjectFiles;
use super::identifier::{self, NameKind, camel};
use super::rust::{block, insert, item_start, masked, with_import};
use super::{ExtendError, places, upstream};

const TOOLS: &str = "src/handlers/tools.rs";
const TESTS: &str = "tests/mcp.rs";

/// A tool to add.
#[derive(Clone, Debug, Default)]
pub struct NewTool {
    /// The name.
    pub name: String,
    /// The title that people see.
    pub title: Option<String>,
    /// The description that the model reads.
    pub description: Option<String>,
    /// The arguments.
    pub arguments: Vec<Argument>,
    /// The upstream API that it calls.
    pub upstream: Option<String>,
}

/// An argument of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    name: String,
    kind: &'static str,
    is_optional: bool,
}

impl Argument {
    /// Parses `NAME:TYPE`, or `NAME?:TYPE` for an optional one.
    ///
    /// # Errors
    /// When it is neither, or the name is not valid.
    pub fn parse(text: &str) -> Result<Self, ExtendError> {
        let wrong = || ExtendError::Argument(text.to_owned());
        let (name, kind) = text.split_once(':').ok_or_else(wrong)?;
        let (name, is_optional) = name.strip_suffix('?').map_or((name, false), |name| (name, true));
        let kind = match kind {
            "string" => "String",
            "integer" => "i64",
            "number" => "f64",
            "boolean" => "bool",
            _ => return Err(wrong()),
        };
        identifier::check(NameKind::Argument, name)?;
        Ok(Self { name: name.to_owned(), kind, is_optional })
    }

    fn field(&self) -> String {
        let Self { name, kind, is_optional } = self;
        let words = name.replace('_', " ");
        let kind = if *is_optional { format!("Option<{kind}>") } else { (*kind).to_owned() };
        format!("    /// The {words}. Say here what the model should give.\n    pub {name}: {kind},\n")
    }

    fn example(&self) -> &'static str {
        match self.kind {
            "String" => "\"example\"",
            "i64" => "1",
            "f64" => "1.5",
            _ => "true",
        }
    }
}

/// Adds the tool. Returns `false` where it was there already.
///
/// # Errors
/// When a name is not valid or taken, or a place is gone.
pub fn add(files: &mut ProjectFiles, tool: &NewTool) -> Result<bool, ExtendError> {
    let name = tool.name.as_str();
    identifier::check(NameKind::Tool, name)?;
    for (what, text) in [("--title", &tool.title), ("--description", &tool.description)] {
        if let Some(text) = text.as_ref().filter(|text| text.trim().is_empty() || text.chars().any(char::is_control)) {
            return Err(ExtendError::Value { what, value: text.clone(), reason: "must be one line" });
        }
    }
    if let Some(upstream) = &tool.upstream {
        upstream::find(files, upstream)?;
    }
    if let Some(file) = super::operations::file_with(files, name)? {
        return Err(ExtendError::Taken { name: name.to_owned(), by: format!("{file} has a tool of this name") });
    }
    let title = tool.title.clone().unwrap_or_else(|| identifier::title(name));
    let description =
        tool.description.clone().unwrap_or_else(|| format!("{title}. Say here what it does, and when to call it."));
    if is_of_the_owner(&files.read(TOOLS)?, name) {
        return Ok(false);
    }
    let before = files.added().len();
    source(files, tool, &title, &description)?;
    places::list_in_test(files, &[name.to_owned()])?;
    places::list_in_readme(files, &[(name.to_owned(), description)])?;
    test(files, tool)?;
    Ok(files.added().len() > before)
}

/// Returns whether there is a tool of this name that this command has not made: it has not the types, and the test would not fit it.
fn is_of_the_owner(text: &str, name: &str) -> bool {
    let mask = masked(text);
    mask.contains(&format!("fn {name}(")) && !mask.contains(&format!("struct {}Result ", camel(name)))
}

fn source(files: &mut ProjectFiles, tool: &NewTool, title: &str, description: &str) -> Result<(), ExtendError> {
    let text = files.read(TOOLS)?;
    let mask = masked(&text);
    if mask.contains(&format!("fn {}(", tool.name)) {
        return Ok(());
    }
    let none = |anchor| ExtendError::NoPlace { path: TOOLS.to_owned(), anchor };
    let router = mask.find("#[tool_router").ok_or_else(|| none("`#[tool_router] impl Tools { … }`"))?;
    let body = block(&mask[router..], "impl").ok_or_else(|| none("`#[tool_router] impl Tools { … }`"))?;
    let (arguments, result) = (camel(&tool.name), format!("{}Result", camel(&tool.name)));
    for name in [&arguments, &result] {
        if mask.contains(&format!("struct {name} ")) || mask.contains(&format!("enum {name} ")) {
            let by = format!("{TOOLS} has a type {name}");
            return Err(ExtendError::Taken { name: tool.name.clone(), by });
        }
    }
    let text = insert(&text, router + body.end - 1, &method(tool, title, description));
    let start = item_start(&text, router);
    let mut text = insert(&text, start, &types(tool));
    for (prefix, name, needed) in [
        ("axum::http::request", "Parts", tool.upstream.is_some()),
        ("mcp_server_runtime::arguments", "Parameters", true),
        ("rmcp::handler::server::tool", "Extension", tool.upstream.is_some()),
        ("rmcp::handler::server::wrapper", "Json", true),
        ("schemars", "JsonSchema", true),
        ("serde", "Deserialize", true),
        ("serde", "Serialize", true),
    ] {
        if needed {
            text = with_import(&text, prefix, name);
        }
    }
    files.set(TOOLS, text, "its types and its method");
    Ok(())
}

fn default_argument() -> Argument {
    Argument { name: "text".to_owned(), kind: "String", is_optional: false }
}

fn arguments(tool: &NewTool) -> Vec<Argument> {
    if tool.arguments.is_empty() { vec![default_argument()] } else { tool.arguments.clone() }
}

fn types(tool: &NewTool) -> String {
    let NewTool { name, .. } = tool;
    let (arguments_type, fields) = (camel(name), arguments(tool).iter().map(Argument::field).collect::<String>());
    let (kind, member) = match tool.upstream {
        Some(_) => (
            "serde_json::Value",
            "    /// What the API answered. Say here what the model gets, and pick that.\n    pub answer",
        ),
        None => ("String", "    /// The answer. Say here what the model gets.\n    pub answer"),
    };
    format!(
        "/// Arguments of `{name}`.\n\
         #[derive(Debug, Deserialize, JsonSchema)]\n\
         #[serde(deny_unknown_fields)]\n\
         pub struct {arguments_type} {{\n{fields}}}\n\n\
         /// Result of `{name}`.\n\
         #[derive(Debug, Serialize, JsonSchema)]\n\
         pub struct {arguments_type}Result {{\n{member}: {kind},\n}}\n\n"
    )
}

fn method(tool: &NewTool, title: &str, description: &str) -> String {
    let name = &tool.name;
    let arguments_type = camel(name);
    let text = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let head = format!(
        "\n    #[tool(\n        title = \"{}\",\n        description = \"{}\",\n        annotations(read_only_hint = true, \
         idempotent_hint = true, open_world_hint = {})\n    )]\n",
        text(title),
        text(description),
        tool.upstream.is_some()
    );
    let result = format!("Result<Json<{arguments_type}Result>, ToolError>");
    let Some(upstream) = &tool.upstream else {
        let line =
            format!("    async fn {name}(&self, Parameters(args): Parameters<{arguments_type}>) -> {result} {{\n");
        let line = if line.trim_end().chars().count() <= 120 {
            line
        } else {
            format!(
                "    async fn {name}(\n        &self,\n        Parameters(args): Parameters<{arguments_type}>,\n    ) -> {result} {{\n"
            )
        };
        return format!(
            "{head}{line}        Ok(Json({arguments_type}Result {{ answer: format!(\"{{args:?}}\") }}))\n    }}\n"
        );
    };
    let first = arguments(tool).into_iter().find(|argument| argument.kind == "String" && !argument.is_optional);
    let segments =
        first.map_or_else(|| format!("&[\"{name}\"]"), |argument| format!("&[\"{name}\", &args.{}]", argument.name));
    let unused = if segments.contains("args") { "args" } else { "_args" };
    format!(
        "{head}    async fn {name}(\n        &self,\n        Extension(parts): Extension<Parts>,\n        \
         Parameters({unused}): Parameters<{arguments_type}>,\n    ) -> {result} {{\n        \
         let api = mcp_server_runtime::upstream::<crate::{upstream}::{}>(&parts)?.api();\n        \
         // The path behind the address of the API, a part of it each: what comes from outside cannot leave its place.\n        \
         let answer = api.get(&parts, {segments}, &[]).await?;\n        \
         Ok(Json({arguments_type}Result {{ answer: answer.value }}))\n    }}\n",
        camel(upstream)
    )
}

fn test(files: &mut ProjectFiles, tool: &NewTool) -> Result<(), ExtendError> {
    let Some(text) = files.find(TESTS)? else { return Ok(()) };
    let name = &tool.name;
    if masked(&text).contains(&format!("fn {name}_")) {
        return Ok(());
    }
    let all = arguments(tool);
    let given = |arguments: &[&Argument]| {
        let pairs = arguments.iter().map(|argument| format!("\"{}\": {}", argument.name, argument.example()));
        format!("json!({{{}}})", pairs.collect::<Vec<_>>().join(", "))
    };
    let good = given(&all.iter().collect::<Vec<_>>());
    let mut body = "    let server = start().await;\n".to_owned();
    if tool.upstream.is_none() {
        body += &format!(
            "    let result = server.call(\"{name}\", {good}).await;\n    \
             assert!(result[\"structuredContent\"][\"answer\"].is_string(), \"{{result}}\");\n"
        );
    }
    body += &format!(
        "    let text = server.call_failing(\"{name}\", json!({{\"surprise\": 1}})).await;\n    \
         assert!(text.contains(\"`surprise`\"), \"{{text}}\");\n"
    );
    let what = if tool.upstream.is_none() { "answers_and_names_a_wrong_argument" } else { "names_a_wrong_argument" };
    let test = format!("\n#[tokio::test]\nasync fn {name}_{what}() {{\n{body}}}\n");
    files.set(TESTS, format!("{}{test}", text.trim_end_matches('\n').to_owned() + "\n"), "a test of it");
    Ok(())
}
