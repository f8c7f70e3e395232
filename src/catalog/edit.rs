//! Edits the text of a catalog: fields of entries change or come, and every other byte stays.

use std::ops::Range;

use super::Catalog;
use super::problem::Problem;
use super::service::Tool;
use super::source::CatalogSource;
use super::yaml::{Node, Value};

/// An edit: bytes, and the text in their place.
pub type CatalogEdit = (Range<usize>, String);

/// The reason that a text was not edited.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The entry is written in a way that cannot be edited.
    #[error("{0} is not written with a line for each field")]
    Place(String),
    /// The result is no valid catalog.
    #[error("the catalog has problems")]
    Problems(String, Vec<Problem>),
}

/// A field to insert.
#[derive(Clone, Copy, Debug)]
pub enum Insertion<'a> {
    /// A key and a text.
    Scalar(&'a str, &'a str),
    /// The list of tools.
    Tools(&'a [Tool]),
}

/// Returns the line end of a text.
#[must_use]
pub fn line_end(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// Returns the text after these edits. They do not overlap; several at one place stay in their order.
#[must_use]
pub fn apply(text: &str, mut edits: Vec<CatalogEdit>) -> String {
    edits.sort_by_key(|(span, _)| span.start);
    let (mut after, mut at) = (String::with_capacity(text.len() + 64), 0);
    for (span, new) in edits {
        after.push_str(&text[at..span.start.max(at)]);
        after.push_str(&new);
        at = span.end.max(at);
    }
    after.push_str(&text[at..]);
    after
}

/// Parses the new text and compares it with the expected catalog. This catches every error in quoting or indentation.
///
/// # Errors
/// When the text does not say what it should.
pub fn verified(text: String, expected: &Catalog) -> Result<String, EditError> {
    let parsed = Catalog::parse(text.as_bytes()).map_err(|(text, problems)| EditError::Problems(text, problems))?;
    if parsed == *expected { Ok(text) } else { Err(EditError::Place("an entry".to_owned())) }
}

/// Returns the edit that gives an entry another value of a field, or the field itself, after `after`.
///
/// # Errors
/// When the entry is written in a way that cannot be edited.
pub fn set(
    source: &CatalogSource,
    index: usize,
    key: &str,
    value: &str,
    after: &[&str],
) -> Result<CatalogEdit, EditError> {
    let node = entry(source, index)?;
    if let Some((_, old)) = node.field(key) {
        return match old.value {
            // An empty value has no place of its own.
            Value::Scalar(Some(_)) => Ok((old.span.clone(), scalar(value))),
            _ => Err(unwritable(node)),
        };
    }
    let after = after.iter().copied().rfind(|key| node.field(key).is_some()).unwrap_or("name");
    insertion(source, index, after, Insertion::Scalar(key, value))
}

/// Returns the edit that inserts a field after another one of an entry.
///
/// # Errors
/// When the entry is written in a way that cannot be edited.
pub fn insertion(
    source: &CatalogSource,
    index: usize,
    after: &str,
    field: Insertion<'_>,
) -> Result<CatalogEdit, EditError> {
    let text = &source.text;
    let node = entry(source, index)?;
    let (key, before) = node.field(after).ok_or_else(|| unwritable(node))?;
    if is_flow(text, node) {
        let at = last_byte(before);
        let field = match field {
            Insertion::Scalar(key, value) => format!(", {key}: {}", scalar(value)),
            Insertion::Tools(tools) => {
                format!(", tools: [{}]", tools.iter().map(tool).collect::<Vec<_>>().join(", "))
            }
        };
        return Ok((at..at, field));
    }
    let indent = column(text, key.start);
    let end = line_end(text);
    let at = line_after(text, last_byte(before));
    let open = if at > 0 && !text[..at].ends_with('\n') { end } else { "" };
    let pad = " ".repeat(indent);
    let lines = match field {
        Insertion::Scalar(key, value) => format!("{pad}{key}: {}{end}", scalar(value)),
        Insertion::Tools([]) => format!("{pad}tools: []{end}"),
        Insertion::Tools(tools) => {
            let lines = tools.iter().map(|one| format!("{pad}  - {}{end}", tool(one)));
            format!("{pad}tools:{end}{}", lines.collect::<String>())
        }
    };
    Ok((at..at, format!("{open}{lines}")))
}

/// Returns the edits that give an entry these tools. Entries of the list that stay keep their comments.
///
/// # Errors
/// When the entry is written in a way that cannot be edited.
pub fn set_tools(
    source: &CatalogSource,
    index: usize,
    tools: &[Tool],
    after: &[&str],
) -> Result<Vec<CatalogEdit>, EditError> {
    let text = &source.text;
    let node = entry(source, index)?;
    let Some((_, list)) = node.field("tools") else {
        let after = after.iter().copied().rfind(|key| node.field(key).is_some()).unwrap_or("name");
        return Ok(vec![insertion(source, index, after, Insertion::Tools(tools))?]);
    };
    let whole = || format!("[{}]", tools.iter().map(tool).collect::<Vec<_>>().join(", "));
    let items = list.items();
    if is_flow(text, list) || items.is_empty() {
        return match list.value {
            Value::List(_) => Ok(vec![(list.span.start..flow_end(text, list), whole())]),
            _ => Err(unwritable(node)),
        };
    }
    let known = &source.catalog.services[index].tools;
    let mut edits = Vec::new();
    for (item, old) in items.iter().zip(known) {
        match tools.iter().find(|new| new.name == old.name) {
            None => {
                let begin = text[..item.span.start].rfind('\n').map_or(0, |at| at + 1);
                if text[begin..item.span.start].trim() != "-" {
                    return Err(unwritable(node));
                }
                edits.push((begin..line_after(text, last_byte(item)), String::new()));
            }
            Some(new) if new != old => edits.push((item.span.start..flow_end(text, item), tool(new))),
            Some(_) => {}
        }
    }
    let added: Vec<&Tool> = tools.iter().filter(|new| known.iter().all(|old| old.name != new.name)).collect();
    if let (Some(last), false) = (items.last(), added.is_empty()) {
        let begin = text[..last.span.start].rfind('\n').map_or(0, |at| at + 1);
        let prefix = &text[begin..last.span.start];
        let at = line_after(text, last_byte(last));
        let open = if text[..at].ends_with('\n') { "" } else { line_end(text) };
        let lines = added.iter().map(|one| format!("{prefix}{}{}", tool(one), line_end(text)));
        edits.push((at..at, format!("{open}{}", lines.collect::<String>())));
    }
    Ok(edits)
}

/// Renders a tool: its name, or a table in one line.
fn tool(tool: &Tool) -> String {
    let hints = [("read_only", tool.read_only), ("destructive", tool.destructive)];
    let hints: String = hints.iter().filter_map(|(key, hint)| Some(format!(", {key}: {}", (*hint)?))).collect();
    if hints.is_empty() { flow_scalar(&tool.name) } else { format!("{{name: {}{hints}}}", flow_scalar(&tool.name)) }
}

fn entry(source: &CatalogSource, index: usize) -> Result<&Node, EditError> {
    source.service(index).ok_or_else(|| EditError::Place("the catalog".to_owned()))
}

fn unwritable(node: &Node) -> EditError {
    let name = node.field("name").and_then(|(_, name)| name.text());
    EditError::Place(name.unwrap_or("an entry").to_owned())
}

/// Returns whether a value is in brackets.
fn is_flow(text: &str, node: &Node) -> bool {
    text[node.span.start.min(text.len())..].starts_with(['{', '['])
}

/// Returns the end of a value in brackets with its last bracket, or of a scalar.
fn flow_end(text: &str, node: &Node) -> usize {
    if !is_flow(text, node) {
        return last_byte(node);
    }
    let whole = &text[node.span.start..node.span.end.min(text.len())];
    node.span.start + whole.rfind(['}', ']']).map_or(whole.len(), |at| at + 1)
}

/// Returns the column of a position, in characters.
fn column(text: &str, at: usize) -> usize {
    let begin = text[..at].rfind('\n').map_or(0, |at| at + 1);
    text[begin..at].trim_start_matches('\u{feff}').chars().count()
}

/// Returns the end of the last value in a tree. The span of a table itself extends to the next token.
#[must_use]
pub fn last_byte(node: &Node) -> usize {
    match &node.value {
        Value::Scalar(_) => node.span.end,
        Value::List(nodes) => nodes.iter().map(last_byte).max().unwrap_or(node.span.end),
        Value::Map(entries) => entries.iter().map(|(.., node)| last_byte(node)).max().unwrap_or(node.span.end),
    }
}

/// Returns the start of the line after a position.
#[must_use]
pub fn line_after(text: &str, at: usize) -> usize {
    if at > 0 && text[..at].ends_with('\n') {
        return at;
    }
    text[at..].find('\n').map_or(text.len(), |more| at + more + 1)
}

/// Renders a text as YAML: plain where it can only be read as itself, else in JSON double quotes, which YAML 1.2 reads
/// the same way.
#[must_use]
pub fn scalar(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" _./@+-".contains(&byte))
        && !text.ends_with(' ')
        || text.starts_with("https://") && !text.contains([' ', '#']) && text.is_ascii();
    let is_null = matches!(text, "null" | "Null" | "NULL");
    if plain && !is_null { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

/// The same for a place inside of brackets.
fn flow_scalar(text: &str) -> String {
    if text.contains([',', '[', ']', '{', '}']) { serde_json::Value::from(text).to_string() } else { scalar(text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn source(text: &str) -> CatalogSource {
        CatalogSource::parse(Path::new("catalog.yaml"), text.as_bytes()).unwrap()
    }

    fn named(name: &str, read_only: Option<bool>) -> Tool {
        Tool { name: name.to_owned(), read_only, destructive: None }
    }

    const ENTRY: &str = "services:\n  # ours\n  - name: A # the first\n    status: planned\n    location: local\n    auth_method: none\n    token_storage: none\n";

    #[test]
    fn a_field_changes_or_comes() {
        let text = format!("{ENTRY}    version: \"1.0\" # of May\n\n# end\n");
        let after = apply(&text, vec![set(&source(&text), 0, "version", "1.1.0", &[]).unwrap()]);
        assert_eq!(after, text.replace("\"1.0\"", "1.1.0"));
        let added =
            apply(&text, vec![set(&source(&text), 0, "last_verified", "2026-01-02", &["name", "version"]).unwrap()]);
        assert_eq!(added, text.replace("# of May\n", "# of May\n    last_verified: 2026-01-02\n"));
        let open = ENTRY.trim_end();
        let added = apply(open, vec![set(&source(open), 0, "version", "2", &["token_storage"]).unwrap()]);
        assert_eq!(added, format!("{ENTRY}    version: 2\n"));
        let flow =
            "services: [{name: A, status: planned, location: local, auth_method: none, token_storage: none}] # x\n";
        let added = apply(flow, vec![set(&source(flow), 0, "version", "2", &[]).unwrap()]);
        assert_eq!(added, flow.replace("name: A", "name: A, version: 2"));
    }

    #[test]
    fn tools_keep_the_comments_of_those_that_stay() {
        let text = format!(
            "{ENTRY}    tools:\n      - one # reviewed\n      - {{name: two, read_only: false}} # careful\n      - gone\n    notes: x\n"
        );
        let new = [named("one", None), named("two", Some(true)), named("new, er", None)];
        let after = apply(&text, set_tools(&source(&text), 0, &new, &[]).unwrap());
        assert_eq!(
            after,
            format!(
                "{ENTRY}    tools:\n      - one # reviewed\n      - {{name: two, read_only: true}} # careful\n      - \"new, er\"\n    notes: x\n"
            )
        );
        assert_eq!(source(&after).catalog.services[0].tools, new);
        let none = apply(ENTRY, set_tools(&source(ENTRY), 0, &new, &["name"]).unwrap());
        assert_eq!(source(&none).catalog.services[0].tools, new);
        let flow = format!("{ENTRY}    tools: [one, gone] # all\n");
        let after = apply(&flow, set_tools(&source(&flow), 0, &new, &[]).unwrap());
        assert_eq!(after, format!("{ENTRY}    tools: [one, {{name: two, read_only: true}}, \"new, er\"] # all\n"));
    }
}
