//! The reference of `catalog.yaml`, from its schema: `docs/reference/catalog.md`.

use serde_json::Value;

/// Returns the reference, in Markdown.
#[must_use]
pub fn reference() -> String {
    let schema: Value = serde_json::from_str(&super::schema()).unwrap_or_default();
    let mut page = "# Fields of catalog.yaml\n\n\
        <!-- Generated from src/catalog/; run UPDATE_REFERENCE=1 cargo test --test reference -->\n\n\
        `mcp-kit catalog schema` prints the JSON Schema for editors. Every table also takes fields that begin with `x-`: they are \
        yours, and templates of your own pages get those of an entry.\n"
        .to_owned();
    page += &table("catalog.yaml", &schema);
    for (title, name) in [
        ("An entry of services", "Service"),
        ("An entry of environments", "Environment"),
        ("An entry of tools", "Tool"),
        ("An entry of upstreams", "Upstream"),
        ("template", "TemplateUse"),
        ("check", "CheckConfig"),
        ("organisation", "Organisation"),
        ("An entry of deprecations", "Deprecation"),
        ("An entry of reviewed", "Reviewed"),
        ("docs", "Docs"),
        ("audit", "AuditConfig"),
        ("audit.site", "SiteSettings"),
        ("audit.online", "Online"),
    ] {
        page += &table(title, &schema["$defs"][name]);
    }
    page += "\n## Words\n";
    for (title, name) in [
        ("kind", "ServiceKind"),
        ("status", "ServiceStatus"),
        ("location", "Location"),
        ("auth_method", "AuthMethod"),
        ("token_storage", "TokenStorage"),
        ("transport", "Transport"),
    ] {
        page += &format!("\n**{title}**\n\n");
        for word in schema["$defs"][name]["oneOf"].as_array().into_iter().flatten() {
            let text = |key: &str| word[key].as_str().unwrap_or_default().to_owned();
            page += &format!("- `{}`: {}\n", text("const"), text("description"));
        }
    }
    page
}

fn table(title: &str, schema: &Value) -> String {
    let mut text = format!("\n## {title}\n\n{}\n\n| Field | Value | Meaning |\n|---|---|---|\n", line(schema));
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let of_servers: Vec<&str> =
        schema["else"]["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let needed = match name.as_str() {
            name if required.contains(&name) => " Required.",
            name if of_servers.contains(&name) => " Required of servers.",
            _ => "",
        };
        text += &format!("| `{name}` | {} | {}{needed} |\n", kind(field), line(field));
    }
    text
}

fn line(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

/// Returns the form of a value in a few words.
fn kind(field: &Value) -> String {
    let named = |reference: &str| match reference.rsplit('/').next().unwrap_or_default() {
        "ServiceKind" | "ServiceStatus" | "Location" | "AuthMethod" | "TokenStorage" | "Transport" => "word",
        "ReviewDecision" => "`keep`",
        "ToolSchema" => "name or table",
        _ => "table",
    };
    if let Some(reference) = field["$ref"].as_str() {
        return named(reference).to_owned();
    }
    if let Some(any) = field["anyOf"].as_array() {
        return any.iter().find(|one| one["type"] != "null").map(kind).unwrap_or_default();
    }
    let types = match &field["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    match (types.iter().find(|one| **one != "null"), field["format"].as_str()) {
        (Some(&"string"), Some("date")) => "day".to_owned(),
        (Some(&"string"), Some("uri")) => "address".to_owned(),
        (Some(&"string"), _) => "text".to_owned(),
        (Some(&"boolean"), _) => "`true` or `false`".to_owned(),
        (Some(&"integer"), _) => "number".to_owned(),
        (Some(&"array"), _) => format!("list of {}", plural(&kind(&field["items"]))),
        (Some(&"object"), _) => "table".to_owned(),
        _ => "value".to_owned(),
    }
}

fn plural(kind: &str) -> String {
    match kind {
        "name or table" => "names or tables".to_owned(),
        "address" => "addresses".to_owned(),
        "table" | "text" | "word" | "day" => format!("{kind}s"),
        other => other.to_owned(),
    }
}
