//! The places in a project that list its tools: the test that holds their names, and the table of the README.

use super::ExtendError;
use super::files::ProjectFiles;
use super::rust::{closing, masked};

const TESTS: &str = "tests/mcp.rs";
const README: &str = "README.md";

/// Adds tools to the list of names that the test `every_tool_is_described` holds. A test that its owner has rewritten is left
/// alone.
///
/// # Errors
/// When a file cannot be read.
pub fn list_in_test(files: &mut ProjectFiles, names: &[String]) -> Result<(), ExtendError> {
    let Some(text) = files.find(TESTS)? else { return Ok(()) };
    let Some(start) = text.find("assert_eq!(").and_then(|_| list_start(&text)) else { return Ok(()) };
    let mask = masked(&text);
    let Some(end) = closing(&mask, start) else { return Ok(()) };
    let mut all: Vec<String> = text[start + 1..end]
        .split(',')
        .map(|name| name.trim().trim_matches('"').to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    let before = all.len();
    all.extend(names.iter().filter(|name| !text[start..end].contains(&format!("\"{name}\""))).cloned());
    if all.len() == before {
        return Ok(());
    }
    all.sort();
    let list = all.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    files.set(TESTS, format!("{}[{list}]{}", &text[..start], &text[end + 1..]), "its name in the list of tools");
    Ok(())
}

/// Returns the place of the bracket of `assert_eq!(names, […])`, however it is broken into lines.
fn list_start(text: &str) -> Option<usize> {
    text.match_indices("assert_eq!(").find_map(|(at, head)| {
        let rest = &text[at + head.len()..];
        let list = rest.trim_start().strip_prefix("names,")?.trim_start();
        list.starts_with('[').then(|| text.len() - list.len())
    })
}

/// Adds rows to the table of tools in the README. One that its owner has rewritten is left alone.
///
/// # Errors
/// When the file cannot be read.
pub fn list_in_readme(files: &mut ProjectFiles, rows: &[(String, String)]) -> Result<(), ExtendError> {
    let Some(text) = files.find(README)? else { return Ok(()) };
    let Some((before, table)) = text.split_once("| tool | does |\n|---|---|\n") else { return Ok(()) };
    let end = text.len() - table.len()
        + table.split_inclusive('\n').take_while(|line| line.starts_with('|')).map(str::len).sum::<usize>();
    let (table, behind) = (&text[before.len()..end], &text[end..]);
    let row = |(name, does): &(String, String)| format!("| `{name}` | {} |\n", cell(does));
    let new: String = rows.iter().filter(|(name, _)| !table.contains(&format!("| `{name}` |"))).map(row).collect();
    if !new.is_empty() {
        files.set(README, format!("{before}{table}{new}{behind}"), "a row in the table of tools");
    }
    Ok(())
}

/// Returns the first sentence of a text as a cell of a table.
fn cell(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let end = line.find(". ").map_or(line.len(), |end| end + 1);
    line[..end].trim_end_matches('.').replace('|', "\\|").replace('<', "&lt;")
}
