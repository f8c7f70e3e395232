//! Text → a tree in which every value has a position.

use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle};

use super::problem::Problem;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The bytes of the text.
    pub span: Range<usize>,
    /// The contents of the value.
    pub value: Value,
}

/// The contents of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text, number, date or the like, or `None` when it is empty.
    Scalar(Option<String>),
    /// `- …`
    List(Vec<Node>),
    /// `key: value`, in order, with the positions of the keys. A key can occur twice.
    Map(Vec<(String, Range<usize>, Node)>),
}

impl Node {
    /// Returns the value as JSON. Scalars are texts, except `true` and `false`.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        match &self.value {
            Value::Scalar(None) => serde_json::Value::Null,
            Value::Scalar(Some(text)) if text == "true" || text == "false" => (text == "true").into(),
            Value::Scalar(Some(text)) => text.as_str().into(),
            Value::List(nodes) => nodes.iter().map(Self::json).collect(),
            Value::Map(entries) => entries.iter().map(|(key, _, node)| (key.clone(), node.json())).collect(),
        }
    }

    /// Returns a field of a table with the position of its key.
    #[must_use]
    pub fn field(&self, wanted: &str) -> Option<(&Range<usize>, &Self)> {
        let Value::Map(entries) = &self.value else { return None };
        entries.iter().find(|(key, ..)| key == wanted).map(|(_, span, node)| (span, node))
    }

    /// Returns the entries of a list, or nothing.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(nodes) => nodes,
            _ => &[],
        }
    }

    /// Returns a text without blanks around it.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(Some(text)) => Some(text.trim()),
            _ => None,
        }
    }
}

/// The maximum depth. A catalog nests a table in a list in a table. Deeper input is an accident or an attack on the
/// stack.
const DEEPEST: usize = 32;
/// The maximum number of values. Aliases can multiply a few lines into millions of values.
const MOST: usize = 1_000_000;

/// An unfinished list or map.
struct OpenCollection {
    start: usize,
    anchor: usize,
    list: Option<Vec<Node>>,
    map: Vec<(String, Range<usize>, Node)>,
    key: Option<(String, Range<usize>)>,
}

/// Parses one document. Returns `None` when there is none.
///
/// # Errors
/// The first syntax error, or the first construct that a catalog never needs.
pub fn parse(text: &str) -> Result<Option<Node>, Problem> {
    let mut open: Vec<OpenCollection> = Vec::new();
    let mut anchors: HashMap<usize, (Node, usize)> = HashMap::new();
    let mut root = None;
    let (mut documents, mut count) = (0, 0);
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let at = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
            Problem::new(at..at, error.info())
        })?;
        let span = span.byte_range().unwrap_or(0..0);
        let node = match event {
            Event::DocumentStart(..) => {
                documents += 1;
                if documents > 1 {
                    return Err(Problem::new(span, "a catalog is one YAML document, and here begins another"));
                }
                continue;
            }
            Event::Scalar(value, style, anchor, _) => {
                let empty = style == ScalarStyle::Plain && matches!(&*value, "" | "~" | "null" | "Null" | "NULL");
                let node = Node { span, value: Value::Scalar((!empty).then(|| value.into_owned())) };
                count += 1;
                remember(&mut anchors, anchor, &node, 1);
                node
            }
            Event::Alias(anchor) => {
                let Some((node, size)) = anchors.get(&anchor) else {
                    return Err(Problem::new(span, "this alias leads to itself"));
                };
                count += size;
                Node { span, value: node.value.clone() }
            }
            Event::SequenceStart(_, anchor, _) | Event::MappingStart(_, anchor, _) if open.len() >= DEEPEST => {
                let _ = anchor;
                return Err(Problem::new(span, format!("this is nested more than {DEEPEST} levels deep")));
            }
            Event::SequenceStart(_, anchor, _) => {
                open.push(OpenCollection {
                    start: span.start,
                    anchor,
                    list: Some(Vec::new()),
                    map: Vec::new(),
                    key: None,
                });
                continue;
            }
            Event::MappingStart(_, anchor, _) => {
                open.push(OpenCollection { start: span.start, anchor, list: None, map: Vec::new(), key: None });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(OpenCollection { start, anchor, list, map, .. }) = open.pop() else { continue };
                let value = list.map_or(Value::Map(map), Value::List);
                let node = Node { span: start..span.end.max(start), value };
                count += 1;
                let size = size(&node);
                remember(&mut anchors, anchor, &node, size);
                node
            }
            _ => continue,
        };
        if count > MOST {
            return Err(Problem::new(node.span, "the aliases up to here make more than a million values"));
        }
        place(node, &mut open, &mut root)?;
    }
    Ok(root)
}

/// Adds a finished value to its parent.
fn place(node: Node, open: &mut [OpenCollection], root: &mut Option<Node>) -> Result<(), Problem> {
    let Some(parent) = open.last_mut() else {
        *root = Some(node);
        return Ok(());
    };
    if let Some(list) = &mut parent.list {
        list.push(node);
    } else if let Some((key, span)) = parent.key.take() {
        parent.map.push((key, span, node));
    } else {
        match node.value {
            Value::Scalar(key) => parent.key = Some((key.unwrap_or_default(), node.span)),
            _ => return Err(Problem::new(node.span, "a key is a word, not a list or a table")),
        }
    }
    Ok(())
}

fn remember(anchors: &mut HashMap<usize, (Node, usize)>, anchor: usize, node: &Node, size: usize) {
    if anchor != 0 {
        anchors.insert(anchor, (node.clone(), size));
    }
}

/// Returns the number of values in a node. The recursion is limited by [`DEEPEST`] and the depth of aliases.
fn size(node: &Node) -> usize {
    match &node.value {
        Value::Scalar(_) => 1,
        Value::List(nodes) => 1 + nodes.iter().map(size).sum::<usize>(),
        Value::Map(entries) => 1 + entries.iter().map(|(.., node)| size(node)).sum::<usize>(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_know_their_places() {
        let text = "a: é\nb:\n  - 'x'\n  - ~\n";
        let root = parse(text).unwrap().unwrap();
        let Value::Map(entries) = &root.value else { unreachable!("{root:?}") };
        assert_eq!(
            entries.iter().map(|(key, span, _)| (key.as_str(), &text[span.clone()])).collect::<Vec<_>>(),
            [("a", "a"), ("b", "b")]
        );
        assert_eq!(&text[entries[0].2.span.clone()], "é");
        let Value::List(list) = &entries[1].2.value else { unreachable!("{entries:?}") };
        assert_eq!((&text[list[0].span.clone()], &list[1].value), ("'x'", &Value::Scalar(None)));
    }

    #[test]
    fn aliases_are_followed_and_cannot_explode() {
        assert_eq!(parse("a: &x [1]\nb: *x\n").unwrap().map(|node| size(&node)), Some(5));
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let before = format!("*a{}, ", level - 1).repeat(10);
            bomb += &format!("a{level}: &a{level} [{}]\n", before.trim_end_matches(", "));
        }
        assert!(parse(&bomb).unwrap_err().message.contains("more than a million"));
        assert!(parse(&"[".repeat(10_000)).is_err());
        assert!(parse(&"- ".repeat(10_000)).unwrap_err().message.contains("levels deep"));
    }

    #[test]
    fn what_is_no_yaml_has_its_place() {
        let error = parse("a:\n\tb: 2\n").unwrap_err();
        assert!(error.span.start >= 2 && !error.message.is_empty(), "{error:?}");
        assert!(parse("a: 1\n---\nb: 2\n").unwrap_err().message.contains("here begins another"));
        assert_eq!(parse("# nothing\n").unwrap(), None);
    }
}
