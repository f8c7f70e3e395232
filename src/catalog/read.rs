//! Fields of a tree → values of the model. A value that does not fit becomes a problem, and reading goes on.

use std::ops::Range;

use rustc_hash::FxHashSet;

use super::problem::Problem;
use super::yaml::{Node, Value};
use crate::text::date::parse_day;
use crate::text::nearest::nearest;

/// Collects problems.
#[derive(Debug, Default)]
pub struct Reader {
    problems: Vec<Problem>,
}

/// The fields of one table that are not read yet.
#[derive(Debug)]
pub struct Fields<'a> {
    what: &'static str,
    span: Range<usize>,
    known: Vec<&'static str>,
    left: Vec<(&'a str, &'a Range<usize>, &'a Node)>,
}

impl<'a> Fields<'a> {
    /// Takes the value of a field. Returns `None` when the field is missing or empty.
    pub fn take(&mut self, name: &'static str) -> Option<&'a Node> {
        self.known.push(name);
        let at = self.left.iter().position(|(key, ..)| *key == name)?;
        let (.., node) = self.left.remove(at);
        (node.value != Value::Scalar(None)).then_some(node)
    }

    /// Takes the value of a field that had another name in an earlier version.
    pub fn take_renamed(&mut self, name: &'static str, earlier: &str) -> Option<&'a Node> {
        let node = self.take(name);
        if node.is_some() {
            return node;
        }
        let at = self.left.iter().position(|(key, ..)| *key == earlier)?;
        let (.., node) = self.left.remove(at);
        (node.value != Value::Scalar(None)).then_some(node)
    }

    /// Returns the fields of the organisation that are left, which begin with `x-`.
    pub fn extensions(&self) -> impl Iterator<Item = (&'a str, &'a Node)> {
        self.left.iter().filter(|(key, ..)| is_extension(key)).map(|(key, _, node)| (*key, *node))
    }
}

/// Returns whether a field is one of the organisation.
fn is_extension(key: &str) -> bool {
    key.len() > 2 && key.starts_with("x-")
}

impl Reader {
    /// Records a problem.
    pub fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Returns all problems, in the order of the file.
    #[must_use]
    pub fn finish(mut self) -> Vec<Problem> {
        self.problems.sort_by_key(|problem| problem.span.start);
        self.problems
    }

    /// Returns the fields of a table. Each may occur once.
    pub fn fields<'a>(&mut self, node: &'a Node, what: &'static str) -> Option<Fields<'a>> {
        let Value::Map(entries) = &node.value else {
            self.problem(Problem::new(node.span.clone(), format!("{what} is a table of `key: value`")));
            return None;
        };
        let mut left: Vec<(&str, &Range<usize>, &Node)> = Vec::with_capacity(entries.len());
        let mut seen = FxHashSet::default();
        for (key, span, value) in entries {
            if !seen.insert(key.as_str()) {
                self.problem(
                    Problem::new(span.clone(), format!("`{key}` is here a second time"))
                        .with_hint("leave one of them out"),
                );
                continue;
            }
            left.push((key, span, value));
        }
        Some(Fields { what, span: node.span.clone(), known: Vec::new(), left })
    }

    /// Reports unknown fields. Fields that begin with `x-` belong to the organisation.
    pub fn end(&mut self, fields: Fields<'_>) {
        let known: Vec<String> = fields.known.iter().map(|name| (*name).to_owned()).collect();
        for (key, span, _) in fields.left.into_iter().filter(|(key, ..)| !is_extension(key)) {
            let hint = match nearest(key, &known) {
                Some(nearest) => format!("did you mean {nearest}?"),
                None => format!("it has {}", known.join(", ")),
            };
            self.problem(Problem::new(span.clone(), format!("{} has no `{key}`", fields.what)).with_hint(hint));
        }
    }

    /// Takes a field that is required.
    pub fn required<'a>(&mut self, fields: &mut Fields<'a>, name: &'static str) -> Option<&'a Node> {
        let node = fields.take(name);
        if node.is_none() {
            let start = fields.span.start;
            self.problem(Problem::new(start..start + 1, format!("{} needs `{name}`", fields.what)));
        }
        node
    }

    /// Reads a text.
    pub fn text(&mut self, node: &Node) -> Option<String> {
        match &node.value {
            Value::Scalar(Some(text)) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            Value::Scalar(_) => {
                self.problem(Problem::new(node.span.clone(), "there is nothing in here"));
                None
            }
            _ => {
                self.problem(Problem::new(node.span.clone(), "a text belongs here, not a list or a table"));
                None
            }
        }
    }

    /// Takes a text that is required.
    pub fn required_text(&mut self, fields: &mut Fields<'_>, name: &'static str) -> Option<String> {
        self.required(fields, name).and_then(|node| self.text(node))
    }

    /// Takes a text that is optional.
    pub fn optional_text(&mut self, fields: &mut Fields<'_>, name: &'static str) -> Option<String> {
        fields.take(name).and_then(|node| self.text(node))
    }

    /// Reads one of these words.
    pub fn choice<T: Copy>(&mut self, node: &Node, what: &str, all: &[(&str, T)]) -> Option<T> {
        let text = self.text(node)?;
        if let Some((_, value)) = all.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let known: Vec<String> = all.iter().map(|(word, _)| (*word).to_owned()).collect();
        let hint = match nearest(&text, &known) {
            Some(nearest) => format!("did you mean {nearest}?"),
            None => format!("it is one of {}", known.join(", ")),
        };
        self.problem(Problem::new(node.span.clone(), format!("{text:?} is no {what}")).with_hint(hint));
        None
    }

    /// Reads the entries of a list. A missing list is empty.
    pub fn list<T>(&mut self, node: Option<&Node>, read: impl Fn(&Node, &mut Self) -> Option<T>) -> Vec<T> {
        let Some(node) = node else { return Vec::new() };
        let Value::List(nodes) = &node.value else {
            self.problem(Problem::new(node.span.clone(), "a list belongs here, each entry after a hyphen"));
            return Vec::new();
        };
        nodes.iter().filter_map(|node| read(node, self)).collect()
    }

    /// Reads the entries of a table with free keys.
    pub fn table<T>(
        &mut self,
        node: Option<&Node>,
        mut read: impl FnMut(&str, &Range<usize>, &Node, &mut Self) -> Option<T>,
    ) -> Vec<T> {
        let Some(fields) = node.and_then(|node| self.fields(node, "this")) else { return Vec::new() };
        fields.left.into_iter().filter_map(|(key, span, node)| read(key, span, node, self)).collect()
    }

    /// Reads a day, as `2025-11-08`.
    pub fn date(&mut self, node: &Node) -> Option<String> {
        let text = self.text(node)?;
        if parse_day(&text).is_some() {
            return Some(text);
        }
        self.problem(
            Problem::new(node.span.clone(), format!("{text:?} is no day"))
                .with_hint("write year-month-day, as 2025-11-08"),
        );
        None
    }

    /// Reads a path below the repository, with `/` between the parts.
    pub fn path(&mut self, node: &Node) -> Option<String> {
        let text = self.text(node)?;
        let plain = text.strip_prefix('/').unwrap_or(&text);
        let leaves = plain.split('/').any(|part| part == "..") || plain.contains(['\\', '\0']) || plain.is_empty();
        if leaves {
            let problem = Problem::new(node.span.clone(), format!("{text:?} is no path within the repository"));
            self.problem(problem.with_hint("write it as seen from the folder of the catalog, with /"));
            return None;
        }
        Some(plain.to_owned())
    }
}
