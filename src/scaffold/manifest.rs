//! A template's cargo-generate.toml: its questions, and the version of it that the library reads.
//!
//! mcp-kit reads it before the library does. The library would ask on the terminal, take answers from the user's own
//! configuration, and report a bad value without listing the valid ones.

use regex::Regex;
use toml::{Table, Value};

use super::update::rules::Rules;

/// The file name, at the root of a template.
pub const FILE: &str = "cargo-generate.toml";

/// Not a script but the library's own rustfmt step, which mcp-kit omits.
const BUILT_IN_HOOK: &str = "fmt";

/// The type of answer that a question takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceholderKind {
    /// Any text (`string`, `text`, `editor`).
    Text,
    /// `true` or `false`.
    Bool,
    /// Several of the choices, separated by commas (`array`).
    List,
}

/// One question of a template.
#[derive(Clone, Debug)]
pub struct Placeholder {
    /// The name in the template's files.
    pub key: String,
    /// The type of its answers.
    pub kind: PlaceholderKind,
    /// The question in words.
    pub prompt: String,
    /// The only valid answers, or empty when any answer is valid.
    pub choices: Vec<String>,
    /// The pattern that an answer must match.
    pub regex: Option<Regex>,
    /// The default answer.
    pub default: Option<String>,
    /// `true` for a question that depends on a condition. The library evaluates it, and mcp-kit neither fills in nor
    /// requires an answer.
    pub conditional: bool,
}

/// The reason that a template's manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The text is not TOML.
    #[error("{FILE}:{line}:{column}: {message}")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// The parser's message.
        message: String,
    },
    /// cargo-generate would not accept the placeholder.
    #[error("{FILE}: placeholder `{key}`: {message}")]
    Placeholder {
        /// The key of the placeholder.
        key: String,
        /// The error message.
        message: String,
    },
    /// The table `[update]` has a mistake.
    #[error("{FILE}: [update] {key}: {message}")]
    Update {
        /// The key in the table.
        key: String,
        /// The error message.
        message: String,
    },
    /// The folder contains several templates.
    #[error("{FILE}: the folder holds several templates ({})", .0.join(", "))]
    SubTemplates(Vec<String>),
}

/// A parsed and checked manifest.
#[derive(Clone, Debug, Default)]
pub struct Manifest {
    /// The questions in the template's order.
    pub placeholders: Vec<Placeholder>,
    /// The scripts that it has run before and after rendering.
    pub hooks: Vec<String>,
    /// The rules of `mcp-kit update`.
    pub rules: Rules,
    pub(super) table: Table,
}

impl Manifest {
    /// Parses a manifest.
    ///
    /// # Errors
    /// When the text is not a manifest, or has sub-templates, which mcp-kit does not render.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| {
            let (line, column) = position(text, error.span().map_or(0, |span| span.start));
            ManifestError::Syntax { line, column, message: error.message().to_owned() }
        })?;
        let subs = strings(table.get("template").and_then(|template| template.get("sub_templates")));
        if !subs.is_empty() {
            return Err(ManifestError::SubTemplates(subs));
        }
        let mut placeholders = Vec::new();
        for (key, value) in entries(table.get("placeholders")) {
            placeholders.push(placeholder(key, value, false)?);
        }
        for (_, block) in entries(table.get("conditional")) {
            for (key, value) in entries(block.get("placeholders")) {
                let extra = placeholder(key, value, true)?;
                // One key under several conditions usually has different choices. Accept any of them.
                match placeholders.iter_mut().find(|known| known.key == *key) {
                    Some(known) if known.conditional => known.choices.extend(extra.choices),
                    Some(_) => {}
                    None => placeholders.push(extra),
                }
            }
        }
        let rules = match table.get("update") {
            None => Rules::default(),
            Some(Value::Table(update)) => {
                Rules::parse(update).map_err(|(key, message)| ManifestError::Update { key, message })?
            }
            Some(_) => {
                let message = "it should be a table".to_owned();
                return Err(ManifestError::Update { key: String::new(), message });
            }
        };
        let hooks = entries(table.get("hooks")).flat_map(|(_, scripts)| strings(Some(scripts)));
        let hooks = hooks.filter(|script| script != BUILT_IN_HOOK).collect();
        Ok(Self { placeholders, hooks, rules, table })
    }

    /// Returns the manifest for the library. The library copies `verbatim` files without rendering, regardless of the
    /// manifest's lists. The manifest cannot turn on what mcp-kit turns off (`init`, `vcs`, `fmt`).
    #[must_use]
    pub fn for_library(&self, verbatim: &[&str]) -> String {
        let mut table = self.table.clone();
        if let Some(Value::Table(phases)) = table.get_mut("hooks") {
            for scripts in phases.iter_mut().filter_map(|(_, scripts)| scripts.as_array_mut()) {
                scripts.retain(|script| script.as_str() != Some(BUILT_IN_HOOK));
            }
        }
        table.remove("update");
        let template = table.entry("template").or_insert_with(|| Value::Table(Table::new()));
        if let Value::Table(template) = template {
            for key in ["init", "vcs", "fmt"] {
                template.remove(key);
            }
            if !verbatim.is_empty() {
                // Both lists are .gitignore patterns. In `include`, `!` excludes a file again (gitignore(5)).
                let (list, sign) = if template.contains_key("include") { ("include", "!/") } else { ("exclude", "/") };
                let patterns = verbatim.iter().map(|path| Value::String(format!("{sign}{}", escape_pattern(path))));
                if let Value::Array(list) = template.entry(list).or_insert_with(|| Value::Array(Vec::new())) {
                    list.extend(patterns);
                }
            }
        }
        table.to_string()
    }

    /// Returns a manifest with the same questions that copies every file, renders file names only, and runs no hook.
    #[must_use]
    pub fn copying(&self) -> String {
        let mut copying = self.clone();
        let mut template = Table::new();
        template.insert("exclude".to_owned(), Value::Array(vec![Value::String("*".to_owned())]));
        copying.table.insert("template".to_owned(), Value::Table(template));
        copying.table.remove("hooks");
        copying.for_library(&[])
    }
}

/// Returns the line and column of a byte offset, from 1.
#[must_use]
pub fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset.min(text.len())).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

fn placeholder(key: &str, value: &Value, conditional: bool) -> Result<Placeholder, ManifestError> {
    let wrong = |message: String| ManifestError::Placeholder { key: key.to_owned(), message };
    let Value::Table(table) = value else { return Err(wrong("it should be a table".to_owned())) };
    let kind = match table.get("type").map(|kind| kind.as_str().unwrap_or("")) {
        None | Some("string" | "text" | "editor") => PlaceholderKind::Text,
        Some("bool") => PlaceholderKind::Bool,
        Some("array") => PlaceholderKind::List,
        Some(other) => {
            return Err(wrong(format!("{other:?} is not a type; there are string, bool, text, editor and array")));
        }
    };
    let regex = match table.get("regex").and_then(Value::as_str) {
        Some(pattern) => {
            Some(Regex::new(pattern).map_err(|error| wrong(format!("its regex does not compile: {error}")))?)
        }
        None => None,
    };
    let choice = |choice: &Value| choice.as_str().or_else(|| choice.get("value")?.as_str()).map(str::to_owned);
    let choices = table.get("choices").and_then(Value::as_array);
    let choices: Vec<String> = choices.into_iter().flatten().filter_map(choice).collect();
    let default = match table.get("default") {
        Some(Value::Array(list)) => Some(list.iter().filter_map(plain).collect::<Vec<_>>().join(",")),
        Some(value) => plain(value),
        None => None,
    };
    let prompt = table.get("prompt").and_then(Value::as_str).unwrap_or_default().to_owned();
    let placeholder = Placeholder { key: key.to_owned(), kind, prompt, choices, regex, default, conditional };
    match placeholder.default.as_deref().map(|default| placeholder.accepts(default)) {
        Some(Err(reason)) => Err(wrong(format!("its default {reason}"))),
        _ => Ok(placeholder),
    }
}

impl Placeholder {
    /// Checks a value.
    ///
    /// # Errors
    /// The rule that `value` breaks, as the end of a sentence.
    pub fn accepts(&self, value: &str) -> Result<(), String> {
        match self.kind {
            PlaceholderKind::Bool if value != "true" && value != "false" => {
                return Err("must be true or false".to_owned());
            }
            PlaceholderKind::List => {
                let known = |item: &&str| self.choices.iter().any(|choice| choice == item);
                if let Some(unknown) = value.split(',').filter(|item| !item.is_empty()).find(|item| !known(item)) {
                    return Err(format!("has {unknown:?} in it, which is not one of {}", self.choices.join(", ")));
                }
            }
            PlaceholderKind::Text if !self.choices.is_empty() && !self.choices.iter().any(|choice| choice == value) => {
                // A choice may have commas of its own.
                let with_commas = self.choices.iter().any(|choice| choice.contains(','));
                return Err(format!("must be one of {}", self.choices.join(if with_commas { "; " } else { ", " })));
            }
            _ => {}
        }
        match &self.regex {
            Some(regex) if self.kind == PlaceholderKind::Text && !regex.is_match(value) => {
                Err(format!("must match {regex}"))
            }
            _ => Ok(()),
        }
    }
}

fn entries(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_table).into_iter().flatten()
}

fn strings(value: Option<&Value>) -> Vec<String> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(plain).collect()
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Boolean(flag) => Some(flag.to_string()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        _ => None,
    }
}

fn escape_pattern(path: &str) -> String {
    let mut escaped = String::with_capacity(path.len());
    for character in path.chars() {
        if matches!(character, '*' | '?' | '[' | ']' | '\\' | ' ' | '{' | '}') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_hook_is_no_script_and_a_copy_runs_none() {
        let manifest = Manifest::parse("[hooks]\npre = [\"a.rhai\"]\npost = [\"fmt\", \"b.rhai\"]").expect("valid");
        let given: Table = manifest.for_library(&[]).parse().expect("valid");
        let scripts = |phase: &str| strings(given.get("hooks").and_then(|phases| phases.get(phase)));
        assert_eq!(
            (manifest.hooks.len(), scripts("pre"), scripts("post")),
            (2, vec!["a.rhai".into()], vec!["b.rhai".into()])
        );
        assert!(!manifest.copying().contains("rhai"));
    }

    #[test]
    fn a_syntax_error_has_its_place() {
        let error = Manifest::parse("[template]\ninclude = [").expect_err("is not closed");
        assert!(error.to_string().starts_with("cargo-generate.toml:2:"), "{error}");
    }

    #[test]
    fn files_are_taken_out_of_either_list() {
        let include = Manifest::parse("[template]\ninclude = [\"*.md\"]\nvcs = \"Git\"").expect("valid");
        insta::assert_snapshot!(include.for_library(&["a b.md"]), @r#"
        [template]
        include = ["*.md", '!/a\ b.md']
        "#);
        insta::assert_snapshot!(Manifest::default().for_library(&["x.png"]), @r#"
        [template]
        exclude = ["/x.png"]
        "#);
    }

    #[test]
    fn a_default_that_breaks_its_own_rules_is_an_error_of_the_template() {
        let error = Manifest::parse("[placeholders]\na = { prompt = \"?\", choices = [\"x\"], default = \"y\" }")
            .expect_err("y");
        assert_eq!(error.to_string(), "cargo-generate.toml: placeholder `a`: its default must be one of x");
    }
}
