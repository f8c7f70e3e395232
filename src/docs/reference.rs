//! The template's questions and the server's settings, read from the template's own definitions when a page is made:
//! `cargo-generate.toml`, the table of the runtime and the rows of the project.

use serde::Serialize;

use crate::scaffold::manifest::{Manifest, Placeholder};
use crate::scaffold::template::Template;

/// The table of every server.
const TABLE: &str = "vendor/mcp-server-runtime/src/config/settings.rs";
/// The rows that a project begins with.
const ROWS: &str = "src/config.rs";
const LOGGING: &str = "vendor/mcp-server-runtime/src/logging.rs";
const MANIFEST: &str = include_str!("../../template/cargo-generate.toml");

/// An environment variable of a generated server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// The heading that it stands under.
    pub group: String,
    /// The default value.
    pub default: Option<String>,
    /// `true` for a secret, which also has a `_FILE` form.
    pub secret: bool,
    /// The meaning, in one sentence.
    pub meaning: String,
    /// The example that the variable belongs to, if it is not in every project.
    pub example: Option<&'static str>,
}

/// The settings under one heading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SettingGroup {
    name: String,
    settings: Vec<Setting>,
}

/// A question of the template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Question {
    key: String,
    prompt: String,
    choices: Vec<String>,
    default: Option<String>,
}

/// Returns all settings, in the order of the two tables.
#[must_use]
pub fn settings() -> Vec<Setting> {
    let (table, own) = (file(TABLE), file(ROWS));
    let mut settings: Vec<_> = rows(&table).filter_map(|row| setting(&table, row, None)).collect();
    settings.extend(rows(&own).filter_map(|row| setting(&own, row, Some("coda"))));
    settings
}

/// Returns the settings by heading, in their order. A page with a heading for each lets a search find the place.
#[must_use]
pub fn setting_groups() -> Vec<SettingGroup> {
    let mut groups: Vec<SettingGroup> = Vec::new();
    for setting in settings() {
        match groups.last_mut() {
            Some(group) if group.name == setting.group => group.settings.push(setting),
            _ => groups.push(SettingGroup { name: setting.group.clone(), settings: vec![setting] }),
        }
    }
    groups
}

/// The text of a file of the embedded template.
fn file(path: &str) -> String {
    let template = Template::embedded().ok();
    let file = template.as_ref().and_then(|template| template.files.get(path));
    file.map(|file| String::from_utf8_lossy(&file.bytes).into_owned()).unwrap_or_default()
}

/// Returns what stands behind each `Setting::` of the tables of a source.
fn rows(source: &str) -> impl Iterator<Item = &str> {
    let (_, table) = source.split_once("SETTINGS: &[Setting] = &[").unwrap_or_default();
    let (table, _) = table.split_once("\n];").unwrap_or_default();
    table.split("Setting::").skip(1)
}

/// Parses `KIND("NAME", …, GROUP, "meaning")` of a source. The kind says where the default is; the group is a text or a
/// constant of that source.
fn setting(source: &str, row: &str, example: Option<&'static str>) -> Option<Setting> {
    let (kind, rest) = row.split_once('(')?;
    let arguments = arguments(rest);
    let default = match kind {
        "text" | "url" | "switch" => arguments.get(1)?,
        "choice" | "number" | "seconds" => arguments.get(2)?,
        _ => "None",
    };
    let inner = default.strip_prefix("Some(").and_then(|default| default.strip_suffix(')')).unwrap_or(default);
    let default = match inner {
        "None" => None,
        "DEFAULT_FILTER" => Some(default_filter()?),
        text => Some(literal(text)?),
    };
    let help = literal(arguments.last()?)?;
    let meaning = help.lines().next()?.to_owned();
    let group = *arguments.get(arguments.len().checked_sub(2)?)?;
    Some(Setting {
        name: literal(arguments.first()?)?,
        group: literal(group).or_else(|| constant(source, group))?,
        default,
        secret: matches!(kind, "secret" | "token"),
        meaning,
        example,
    })
}

/// Splits a call's arguments at the commas that are in no string and in no brackets, up to its closing parenthesis.
fn arguments(text: &str) -> Vec<&str> {
    let (mut arguments, mut start, mut depth, mut quoted, mut escaped) = (Vec::new(), 0, 0_usize, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' => depth += 1,
            ')' | ']' if depth > 0 => depth -= 1,
            ',' | ')' if depth == 0 => {
                arguments.push(text[start..at].trim());
                start = at + 1;
                if c == ')' {
                    break;
                }
            }
            _ => {}
        }
    }
    arguments.retain(|argument| !argument.is_empty());
    arguments
}

/// Returns the value of a string literal whose only escapes are quotation marks.
fn literal(text: &str) -> Option<String> {
    let value = text.strip_prefix('"')?.strip_suffix('"')?.replace("\\\"", "\"");
    (!value.contains('\\')).then_some(value)
}

fn default_filter() -> Option<String> {
    constant(&file(LOGGING), "DEFAULT_FILTER")
}

/// Returns the value of a constant of a source.
fn constant(source: &str, name: &str) -> Option<String> {
    let (_, value) = source.split_once(&format!("const {name}: &str ="))?;
    let (value, _) = value.split_once(';')?;
    literal(value.trim())
}

/// Returns all questions, in the template's order.
#[must_use]
pub fn questions() -> Vec<Question> {
    let manifest = Manifest::parse(MANIFEST).unwrap_or_default();
    let question = |Placeholder { key, prompt, choices, default, .. }| Question { key, prompt, choices, default };
    manifest.placeholders.into_iter().map(question).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks that the parser skips no definition because of its form.
    #[test]
    fn every_definition_is_understood() {
        let defined: usize = [TABLE, ROWS].iter().map(|path| rows(&file(path)).count()).sum();
        let settings = settings();
        assert!(defined >= 40, "{defined}");
        assert_eq!(settings.len(), defined);
        let find = |name: &str| settings.iter().find(|setting| setting.name == name);
        assert_eq!(find("PORT").and_then(|setting| setting.default.as_deref()), Some("8080"));
        assert!(
            find("RUST_LOG")
                .and_then(|setting| setting.default.as_deref())
                .is_some_and(|filter| filter.starts_with("info,"))
        );
        assert!(find("DATABASE_URL").is_some_and(|setting| setting.secret && setting.example.is_none()));
        assert_eq!(find("MAX_BODY_BYTES").and_then(|setting| setting.default.as_deref()), Some("1048576"));
        assert!(find("LEGACY_PROXY").is_some_and(|setting| setting.meaning.contains("{\"method\":")));
        assert_eq!(find("CODA_API_TOKEN").and_then(|setting| setting.example), Some("coda"));
    }

    #[test]
    fn every_question_is_there() {
        let questions = questions();
        assert_eq!(questions.len(), MANIFEST.matches("\n[placeholders.").count());
        assert!(questions.iter().all(|question| !question.prompt.is_empty()));
    }
}
