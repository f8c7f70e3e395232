//! YAML → [`SettingValue`], by the parser that reads the catalog. Tags (`!ENV`, `!!python/name:…`) are passed over; of several documents the first
//! counts. Depth and the number of values are bounded, so that aliases cannot explode.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle};

use super::value::SettingValue;

/// Settings nest navigation in navigation; deeper input is an accident or an attack on the stack.
const DEEPEST: usize = 64;
/// More values than any site's navigation has. Aliases count as what they stand for.
const MOST: usize = 200_000;

/// The key under which a table has its tag.
pub(in crate::audit::site) const TAG: &str = "!";

/// An unfinished list or table.
struct OpenNode {
    anchor: usize,
    count: usize,
    list: Option<Vec<SettingValue>>,
    table: Vec<(String, SettingValue)>,
    key: Option<String>,
}

/// Returns the first document, or nothing where it does not parse or is too large.
pub(super) fn parse(text: &str) -> Option<SettingValue> {
    let mut open: Vec<OpenNode> = Vec::new();
    let mut anchors: HashMap<usize, (SettingValue, usize)> = HashMap::new();
    let mut count = 0;
    for event in Parser::new_from_str(text) {
        let (event, _) = event.ok()?;
        let (value, size) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = match tag {
                    // A function by its name alone: `!!python/name:x.y`.
                    Some(tag) if text.is_empty() => SettingValue::Text(tag.suffix().to_owned()),
                    Some(_) => SettingValue::Text(text.into_owned()),
                    None => scalar(&text, style == ScalarStyle::Plain),
                };
                if anchor != 0 {
                    anchors.insert(anchor, (value.clone(), 1));
                }
                (value, 1)
            }
            Event::Alias(anchor) => {
                let (value, size) = anchors.get(&anchor)?;
                // Counted before anything is copied.
                if count + size > MOST {
                    return None;
                }
                (value.clone(), *size)
            }
            Event::SequenceStart(..) | Event::MappingStart(..) if open.len() >= DEEPEST => return None,
            Event::SequenceStart(_, anchor, _) => {
                open.push(OpenNode { anchor, count, list: Some(Vec::new()), table: Vec::new(), key: None });
                continue;
            }
            Event::MappingStart(_, anchor, tag) => {
                let tag = tag.map(|tag| (TAG.to_owned(), SettingValue::Text(tag.suffix().to_owned())));
                open.push(OpenNode { anchor, count, list: None, table: tag.into_iter().collect(), key: None });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let OpenNode { anchor, count: before, list, table, .. } = open.pop()?;
                let value = list.map_or(SettingValue::Table(table), SettingValue::List);
                let size = count - before + 1;
                if anchor != 0 {
                    anchors.insert(anchor, (value.clone(), size));
                }
                (value, 1)
            }
            Event::DocumentEnd => return Some(SettingValue::Null),
            _ => continue,
        };
        count += size;
        if count > MOST {
            return None;
        }
        let Some(parent) = open.last_mut() else { return Some(value) };
        if let Some(list) = &mut parent.list {
            list.push(value);
        } else if let Some(key) = parent.key.take() {
            add(&mut parent.table, key, value);
        } else {
            parent.key = Some(match value {
                SettingValue::Text(key) => key,
                SettingValue::Bool(is) => is.to_string(),
                _ => String::new(),
            });
        }
    }
    Some(SettingValue::Null)
}

/// Adds an entry; `<<` brings those of another table.
fn add(table: &mut Vec<(String, SettingValue)>, key: String, value: SettingValue) {
    match (key.as_str(), value) {
        ("<<", SettingValue::Table(entries)) => {
            for (key, value) in entries {
                if !table.iter().any(|(name, _)| *name == key) {
                    table.push((key, value));
                }
            }
        }
        (_, value) => table.push((key, value)),
    }
}

fn scalar(text: &str, is_plain: bool) -> SettingValue {
    match text {
        "" | "~" | "null" | "Null" | "NULL" if is_plain => SettingValue::Null,
        "true" | "True" | "TRUE" | "yes" | "on" if is_plain => SettingValue::Bool(true),
        "false" | "False" | "FALSE" | "no" | "off" if is_plain => SettingValue::Bool(false),
        _ => SettingValue::Text(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_others_are_passed_over() {
        let text = "a: !ENV [X, docs]\nb: !!python/name:pymdownx.x\nc: !relative\nd: &d {e: 1}\nf: {<<: *d, g: yes}\n---\nz: 1\n";
        let value = parse(text).unwrap();
        assert_eq!(value.get("a").names(), ["X", "docs"]);
        assert_eq!(value.at(&["f", "e"]).text(), Some("1"));
        assert_eq!(value.at(&["f", "g"]), &SettingValue::Bool(true));
        assert!(!value.get("z").is_set());
        assert_eq!(parse("# nothing\n"), Some(SettingValue::Null));
        assert_eq!(parse("a: [\n"), None);
    }

    #[test]
    fn aliases_cannot_explode() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let before = format!("*a{}, ", level - 1).repeat(10);
            bomb += &format!("a{level}: &a{level} [{}]\n", before.trim_end_matches(", "));
        }
        assert_eq!(parse(&bomb), None);
        assert_eq!(parse(&"[".repeat(100_000)), None);
        assert_eq!(parse(&"- ".repeat(10_000)), None);
    }
}
