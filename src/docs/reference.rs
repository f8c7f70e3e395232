//! The template's questions and the server's settings, read from the template's own definitions when a page is made:
//! `cargo-generate.toml` and `src/config/variables.rs`.

use serde::Serialize;

use crate::scaffold::manifest::{Manifest, Placeholder};

const VARIABLES: &str = include_str!("../../template/src/config/variables.rs");
const LOGGING: &str = include_str!("../../template/src/logging.rs");
const MANIFEST: &str = include_str!("../../template/cargo-generate.toml");

/// An environment variable of a generated server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// The default value.
    pub default: Option<&'static str>,
    /// `true` for a secret, which also has a `_FILE` form.
    pub secret: bool,
    /// The meaning, in one sentence.
    pub meaning: &'static str,
    /// The example that the variable belongs to, if it is not in every project.
    pub example: Option<&'static str>,
}

/// A question of the template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Question {
    key: String,
    prompt: String,
    choices: Vec<String>,
    default: Option<String>,
}

/// Returns all settings, in the template's order.
#[must_use]
pub fn settings() -> Vec<Setting> {
    let mut example = None;
    let mut settings = Vec::new();
    for line in VARIABLES.lines().map(str::trim) {
        if let Some(condition) = line.strip_prefix("{%- if example == \"") {
            example = condition.split('"').next();
        } else if line.starts_with("{%- endif") {
            example = None;
        }
        settings.extend(setting(line, example));
    }
    settings
}

/// Parses `plain("NAME", None | Some("…") | Some(CONSTANT), "meaning"),` or `secret("NAME", "meaning"),`.
fn setting(line: &'static str, example: Option<&'static str>) -> Option<Setting> {
    let call = line.strip_suffix("),")?;
    let (secret, arguments) = match call.strip_prefix("secret(") {
        Some(arguments) => (true, arguments),
        None => (false, call.strip_prefix("plain(")?),
    };
    let (name, rest) = literal(arguments)?;
    let rest = rest.strip_prefix(", ")?;
    let (default, rest) = if secret {
        (None, rest)
    } else if let Some(rest) = rest.strip_prefix("None, ") {
        (None, rest)
    } else if let Some(rest) = rest.strip_prefix("Some(DEFAULT_FILTER), ") {
        (Some(default_filter()?), rest)
    } else {
        let (default, rest) = literal(rest.strip_prefix("Some(")?)?;
        (Some(default), rest.strip_prefix("), ")?)
    };
    let (meaning, "") = literal(rest)? else { return None };
    Some(Setting { name, default, secret, meaning, example })
}

/// Splits a string literal without escapes from the start of a text.
fn literal(text: &'static str) -> Option<(&'static str, &'static str)> {
    let (value, rest) = text.strip_prefix('"')?.split_once('"')?;
    (!value.contains('\\')).then_some((value, rest))
}

fn default_filter() -> Option<&'static str> {
    let (_, value) = LOGGING.split_once("pub const DEFAULT_FILTER: &str = ")?;
    literal(value).map(|(value, _)| value)
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
        let (_, list) = VARIABLES.split_once("pub const VARIABLES").unwrap_or_default();
        let defined = list.matches("plain(").count() + list.matches("secret(").count();
        let settings = settings();
        assert!(defined >= 40, "{defined}");
        assert_eq!(settings.len(), defined);
        let find = |name: &str| settings.iter().find(|setting| setting.name == name);
        assert_eq!(find("PORT").and_then(|setting| setting.default), Some("8080"));
        assert!(find("RUST_LOG").and_then(|setting| setting.default).is_some_and(|filter| filter.starts_with("info,")));
        assert!(find("DATABASE_URL").is_some_and(|setting| setting.secret && setting.example.is_none()));
        assert_eq!(find("CODA_API_TOKEN").and_then(|setting| setting.example), Some("coda"));
    }

    #[test]
    fn every_question_is_there() {
        let questions = questions();
        assert_eq!(questions.len(), MANIFEST.matches("\n[placeholders.").count());
        assert!(questions.iter().all(|question| !question.prompt.is_empty()));
    }
}
