//! Checks the names of tools, settings and upstreams. It never changes a name silently; the error has a valid one.

use std::borrow::Cow;

use super::super::name::KEYWORDS;
use crate::error::Explain;
use crate::text::marks::without_marks;

/// The longest name of a tool. Clients put the server's name in front, and the whole may have 64 characters.
pub const LONGEST: usize = 48;

/// The kind of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    /// A tool, which is a method.
    Tool,
    /// An upstream API, which is a module.
    Upstream,
    /// An argument of a tool, which is a field.
    Argument,
    /// A setting, which is an environment variable.
    Setting,
}

/// A name that is not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is no name for {}: it must {rule}", self.kind.as_str())]
pub struct BadIdentifier {
    kind: NameKind,
    name: String,
    rule: &'static str,
    valid: Option<String>,
}

impl NameKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Tool => "a tool",
            Self::Upstream => "an upstream",
            Self::Argument => "an argument",
            Self::Setting => "a setting",
        }
    }

    fn flaw(self, name: &str) -> Option<&'static str> {
        let upper = self == Self::Setting;
        let letter = |c: char| if upper { c.is_ascii_uppercase() } else { c.is_ascii_lowercase() };
        if !name.starts_with(letter) {
            return Some(if upper { "begin with a capital letter" } else { "begin with a small letter" });
        }
        if !name.chars().all(|c| letter(c) || c.is_ascii_digit() || c == '_')
            || name.contains("__")
            || name.ends_with('_')
        {
            return Some(if upper {
                "have capital letters, digits and single underscores only"
            } else {
                "have small letters, digits and single underscores only"
            });
        }
        if name.len() > LONGEST {
            return Some("have at most 48 characters");
        }
        // These are in every handler's file.
        let reserved = KEYWORDS.contains(&name) || matches!(name, "args" | "parts" | "tool_router" | "get_info");
        let taken =
            self == Self::Upstream && matches!(name, "config" | "handlers" | "middleware" | "server" | "main" | "lib");
        (reserved || taken).then_some("be none of the words that Rust or the project has already")
    }
}

/// Checks a name.
///
/// # Errors
/// The rule that it breaks, with a valid name where there is an obvious one.
pub fn check(kind: NameKind, name: &str) -> Result<(), BadIdentifier> {
    let Some(rule) = kind.flaw(name) else { return Ok(()) };
    let valid = Some(snake(&without_marks(name)))
        .map(|name| if kind == NameKind::Setting { name.to_uppercase() } else { name })
        .filter(|valid| kind.flaw(valid).is_none());
    Err(BadIdentifier { kind, name: name.to_owned(), rule, valid })
}

/// Writes any name with small letters, digits and single underscores: `listRows` and `repos/list-rows` become `list_rows` and
/// `repos_list_rows`.
#[must_use]
pub fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 8);
    let characters: Vec<char> = name.chars().collect();
    for (at, c) in characters.iter().enumerate() {
        if !c.is_ascii_alphanumeric() {
            if !snake.is_empty() && !snake.ends_with('_') {
                snake.push('_');
            }
            continue;
        }
        // `HTTPServer` is `http_server`: a capital begins a word after a small one, or before one.
        let before = at.checked_sub(1).map(|at| characters[at]);
        let begins = c.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_ascii_uppercase() && characters.get(at + 1).is_some_and(char::is_ascii_lowercase))
            });
        if begins && !snake.ends_with('_') {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake.truncate(snake.trim_end_matches('_').len());
    snake
}

/// Writes a name of small letters as a type: `list_rows` becomes `ListRows`.
#[must_use]
pub fn camel(name: &str) -> String {
    let word = |word: &str| {
        let mut characters = word.chars();
        characters.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(characters).collect::<String>()
    };
    name.split('_').map(word).collect()
}

/// Writes a name of small letters as a title: `list_rows` becomes `List rows`.
#[must_use]
pub fn title(name: &str) -> String {
    let text = name.replace('_', " ");
    let mut characters = text.chars();
    characters.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(characters).collect()
}

impl Explain for BadIdentifier {
    fn hint(&self) -> Option<Cow<'_, str>> {
        Some(match &self.valid {
            Some(valid) => format!("did you mean {valid}?").into(),
            None => "such as list_rows for a tool, weather for an upstream, CACHE_SECONDS for a setting".into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_every_form() {
        for (name, snaked) in [
            ("listRows", "list_rows"),
            ("repos/get-content", "repos_get_content"),
            ("HTTPServer", "http_server"),
            ("GetV2Items", "get_v2_items"),
            ("__x--y..z__", "x_y_z"),
            ("é", ""),
        ] {
            assert_eq!(snake(name), snaked);
        }
        assert_eq!((camel("list_rows2"), title("list_rows2")), ("ListRows2".to_owned(), "List rows2".to_owned()));
    }

    #[test]
    fn bad_names_have_a_rule_and_often_a_better_one() {
        let explained = |kind, name: &str| {
            let error = check(kind, name).unwrap_err();
            format!("{error}; {}", error.hint().unwrap_or_default())
        };
        for (kind, name, expected) in [
            (NameKind::Tool, "List-Rows", "must begin with a small letter; did you mean list_rows?"),
            (NameKind::Tool, "fn", "must be none of the words that Rust or the project has already; such as list_rows"),
            (NameKind::Tool, "", "\"\" is no name for a tool: it must begin with a small letter; such as"),
            (NameKind::Tool, &"x".repeat(49), "must have at most 48 characters; such as"),
            (NameKind::Upstream, "config", "must be none of the words"),
            (NameKind::Setting, "cacheSeconds", "must begin with a capital letter; did you mean CACHE_SECONDS?"),
            (NameKind::Tool, "föö", "digits and single underscores only; did you mean foo?"),
            (NameKind::Setting, "ÄRA", "must begin with a capital letter; did you mean ARA?"),
            (NameKind::Setting, "X\"; panic!()", "single underscores only; did you mean X_PANIC?"),
        ] {
            assert!(explained(kind, name).contains(expected), "{}", explained(kind, name));
        }
        assert!(check(NameKind::Tool, "list_rows").is_ok() && check(NameKind::Setting, "CACHE_SECONDS_2").is_ok());
    }
}
