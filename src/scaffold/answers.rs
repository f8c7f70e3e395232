//! The answers to a template's questions. They come from flags, `--set`, a file and defaults, in that order of
//! precedence. Pure.
//!
//! It collects every problem before it reports any, each with the place where the user wrote the value.

use std::borrow::Cow;
use std::fmt;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::manifest::{Placeholder, PlaceholderKind, position};
use crate::error::Explain;
use crate::text::nearest::nearest;

/// One answer, of the type that the template's question needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// The answer to a bool placeholder.
    Bool(bool),
    /// The answer to every other placeholder.
    Text(String),
}

/// Answers in the order of the questions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers(pub Vec<(String, Answer)>);

impl Serialize for Answers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, answer) in &self.0 {
            map.serialize_entry(key, answer)?;
        }
        map.end()
    }
}

/// The place where a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerOrigin {
    /// A dedicated flag, such as `--auth-mode`.
    Flag(&'static str),
    /// `--set KEY=VALUE`.
    Set,
    /// A line of the file given with `--answers`.
    File {
        /// The file name as the user gave it.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
}

impl fmt::Display for AnswerOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => f.write_str(flag),
            Self::Set => f.write_str("--set"),
            Self::File { file, line, column } => write!(f, "{file}:{line}:{column}"),
        }
    }
}

/// A value that the user gave for a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenAnswer {
    /// The key of the question.
    pub key: String,
    /// The value as text.
    pub value: String,
    /// The place where it was written.
    pub origin: AnswerOrigin,
}

/// A problem with the answers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// `--set` without `=`.
    #[error("--set {0:?} has no `=`")]
    NotAPair(String),
    /// The answers file is not TOML, or contains a value that is no answer.
    #[error("{origin}: {message}")]
    File {
        /// The place in the file.
        origin: AnswerOrigin,
        /// The error message.
        message: String,
    },
    /// The template has no such question.
    #[error("{origin}: the template has no placeholder `{key}`")]
    Unknown {
        /// The place where it was written.
        origin: AnswerOrigin,
        /// The key as written.
        key: String,
        /// The nearest known key.
        nearest: Option<String>,
        /// All known keys.
        known: Vec<String>,
    },
    /// The question does not accept this answer.
    #[error("{origin}: `{key}` cannot be {value:?}: it {reason}")]
    Rejected {
        /// The place where it was written.
        origin: AnswerOrigin,
        /// The key of the question.
        key: String,
        /// The value as written.
        value: String,
        /// The rule that it breaks.
        reason: String,
        /// The nearest choice.
        nearest: Option<String>,
    },
    /// One place gives two different answers to a question.
    #[error("{origin}: `{key}` is given twice, as {first:?} and as {second:?}")]
    Disagree {
        /// The place.
        origin: AnswerOrigin,
        /// The key of the question.
        key: String,
        /// The first value.
        first: String,
        /// The second value.
        second: String,
    },
    /// A question without a default and without an answer.
    #[error("the template asks for `{key}` ({prompt}) and has no default for it")]
    Missing {
        /// The key of the question.
        key: String,
        /// The question in words.
        prompt: String,
    },
}

/// Splits `KEY=VALUE`. Returns `None` without `=`.
#[must_use]
pub fn parse_set(pair: &str) -> Option<GivenAnswer> {
    let (key, value) = pair.split_once('=')?;
    Some(GivenAnswer { key: key.trim().to_owned(), value: value.to_owned(), origin: AnswerOrigin::Set })
}

/// Reads a TOML file of `key = value`. The keys may be in a table `[answers]`, as in `.mcp-kit/answers.toml`.
///
/// Returns the answers in the order of the file, and a problem with its position for every other value.
#[must_use]
pub fn parse_file(file: &str, text: &str) -> (Vec<GivenAnswer>, Vec<AnswerError>) {
    let origin = |offset| {
        let (line, column) = position(text, offset);
        AnswerOrigin::File { file: file.to_owned(), line, column }
    };
    let document = match toml::de::DeTable::parse(text) {
        Ok(document) => document,
        Err(error) => {
            let origin = origin(error.span().map_or(0, |span| span.start));
            return (Vec::new(), vec![AnswerError::File { origin, message: error.message().to_owned() }]);
        }
    };
    let table = document.get_ref();
    let table = match table.get("answers").map(toml::Spanned::get_ref) {
        Some(toml::de::DeValue::Table(answers)) => answers,
        _ => table,
    };
    let (mut given, mut problems) = (Vec::new(), Vec::new());
    for (key, value) in table {
        let origin = origin(key.span().start);
        let text = match value.get_ref() {
            toml::de::DeValue::Array(items) => {
                let items: Option<Vec<String>> = items.iter().map(|item| scalar(item.get_ref())).collect();
                items.map(|items| items.join(","))
            }
            value => scalar(value),
        };
        match text {
            Some(value) => given.push(GivenAnswer { key: key.get_ref().to_string(), value, origin }),
            None => problems.push(AnswerError::File {
                origin,
                message: format!("`{}` must be a text, true or false, or a list of texts", key.get_ref()),
            }),
        }
    }
    // Restore the order of the file: the parser sorts its tables by key.
    given.sort_by_key(|given| match given.origin {
        AnswerOrigin::File { line, column, .. } => (line, column),
        AnswerOrigin::Flag(_) | AnswerOrigin::Set => (0, 0),
    });
    (given, problems)
}

fn scalar(value: &toml::de::DeValue<'_>) -> Option<String> {
    match value {
        toml::de::DeValue::String(text) => Some(text.to_string()),
        toml::de::DeValue::Boolean(flag) => Some(flag.to_string()),
        toml::de::DeValue::Integer(number) => Some(number.as_str().to_owned()),
        toml::de::DeValue::Float(number) => Some(number.as_str().to_owned()),
        _ => None,
    }
}

/// Answers every question of a template with the first of `layers` (flags, `--set`, file) that has a value, or with the
/// default.
///
/// # Errors
/// All problems of all layers, including values that a higher layer overrides.
pub fn resolve(placeholders: &[Placeholder], layers: &[Vec<GivenAnswer>]) -> Result<Answers, Vec<AnswerError>> {
    let mut problems = Vec::new();
    for layer in layers {
        for (index, given) in layer.iter().enumerate() {
            problems.extend(check(placeholders, given));
            let earlier = layer[..index].iter().find(|other| other.key == given.key && other.value != given.value);
            problems.extend(earlier.map(|earlier| AnswerError::Disagree {
                origin: given.origin.clone(),
                key: given.key.clone(),
                first: earlier.value.clone(),
                second: given.value.clone(),
            }));
        }
    }
    let mut answers = Vec::new();
    for placeholder in placeholders {
        let given = layers.iter().flatten().find(|given| given.key == placeholder.key).map(|given| given.value.clone());
        match given.or_else(|| placeholder.default.clone().filter(|_| !placeholder.conditional)) {
            Some(value) => answers.push((placeholder.key.clone(), answer(placeholder, value))),
            None if placeholder.conditional => {}
            None => {
                problems.push(AnswerError::Missing { key: placeholder.key.clone(), prompt: placeholder.prompt.clone() })
            }
        }
    }
    if problems.is_empty() { Ok(Answers(answers)) } else { Err(problems) }
}

fn answer(placeholder: &Placeholder, value: String) -> Answer {
    match placeholder.kind {
        PlaceholderKind::Bool => Answer::Bool(value == "true"),
        PlaceholderKind::Text | PlaceholderKind::List => Answer::Text(value),
    }
}

fn check(placeholders: &[Placeholder], given: &GivenAnswer) -> Option<AnswerError> {
    let Some(placeholder) = placeholders.iter().find(|placeholder| placeholder.key == given.key) else {
        let known: Vec<String> = placeholders.iter().map(|placeholder| placeholder.key.clone()).collect();
        let nearest = nearest(&given.key, &known);
        return Some(AnswerError::Unknown { origin: given.origin.clone(), key: given.key.clone(), nearest, known });
    };
    let reason = placeholder.accepts(&given.value).err()?;
    let nearest = match placeholder.kind {
        PlaceholderKind::Bool => nearest(&given.value, &["true".to_owned(), "false".to_owned()]),
        PlaceholderKind::Text | PlaceholderKind::List => nearest(&given.value, &placeholder.choices),
    };
    Some(AnswerError::Rejected {
        origin: given.origin.clone(),
        key: given.key.clone(),
        value: given.value.clone(),
        reason,
        nearest,
    })
}

impl Explain for AnswerError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            Self::NotAPair(_) => "write --set KEY=VALUE".into(),
            Self::File { .. } => return None,
            Self::Unknown { nearest: Some(nearest), .. } | Self::Rejected { nearest: Some(nearest), .. } => {
                format!("did you mean {nearest}?").into()
            }
            Self::Unknown { known, .. } if known.is_empty() => "it has none at all".into(),
            Self::Unknown { known, .. } => format!("it has {}", known.join(", ")).into(),
            Self::Rejected { .. } => return None,
            Self::Disagree { .. } => "leave one of them out".into(),
            Self::Missing { key, .. } => format!("add --set {key}=…").into(),
        })
    }
}
/// Returns the JSON Schema of answers files for these questions, for editors that check TOML by one.
#[must_use]
pub fn schema(placeholders: &[Placeholder]) -> String {
    let property = |placeholder: &Placeholder| {
        let mut property = serde_json::Map::new();
        let kind = if placeholder.kind == PlaceholderKind::Bool { "boolean" } else { "string" };
        property.insert("type".to_owned(), kind.into());
        if !placeholder.prompt.is_empty() {
            property.insert("description".to_owned(), placeholder.prompt.as_str().into());
        }
        if placeholder.kind == PlaceholderKind::Text && !placeholder.choices.is_empty() {
            property.insert("enum".to_owned(), placeholder.choices.clone().into());
        }
        if let Some(regex) = &placeholder.regex {
            property.insert("pattern".to_owned(), regex.as_str().into());
        }
        if let Some(default) = &placeholder.default {
            let is_bool = placeholder.kind == PlaceholderKind::Bool;
            let value = if is_bool { (default == "true").into() } else { default.as_str().into() };
            property.insert("default".to_owned(), value);
        }
        (placeholder.key.clone(), serde_json::Value::Object(property))
    };
    let properties: serde_json::Map<String, serde_json::Value> = placeholders.iter().map(property).collect();
    let schema = serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Answers for mcp-kit new",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    format!("{schema:#}\n")
}
