//! YAML as far as descriptions use it: JSON with other brackets. Aliases are copied, up to a number of values.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value};

/// The maximum depth, as for JSON.
const DEEPEST: usize = 128;
/// The maximum number of values: the largest public description has some 600,000. Aliases can multiply a few lines into millions.
const MOST: usize = 4_000_000;

/// A list or a map that has begun, with the number of its anchor or 0; a map with the key whose value is next.
enum OpenValue {
    List(usize, Vec<Value>),
    Map(usize, Map<String, Value>, Option<String>),
}

/// Parses the first document. An error has its place in bytes.
///
/// # Errors
/// The first syntax error, and what a description never needs.
pub fn parse(text: &str) -> Result<Value, (usize, String)> {
    let mut builder = Builder { open: Vec::new(), anchors: HashMap::new(), count: 0, root: None };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let at = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
            (at, error.info().to_string())
        })?;
        if matches!(event, Event::DocumentEnd) && builder.root.is_some() {
            break;
        }
        builder.take(event).map_err(|reason| (span.byte_range().map_or(0, |range| range.start), reason))?;
    }
    builder.root.ok_or((0, "there is nothing in it".to_owned()))
}

/// The values so far.
struct Builder {
    open: Vec<OpenValue>,
    /// The values with an anchor, and the size of each.
    anchors: HashMap<usize, (Value, usize)>,
    /// The number of values, with copies.
    count: usize,
    root: Option<Value>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        let Some((value, anchor)) = self.value(event)? else { return Ok(()) };
        self.limit("this has more than four million values")?;
        if anchor > 0 {
            // What is kept counts as well: anchors within each other keep the same values again.
            let size = size(&value);
            self.count = self.count.saturating_add(size);
            self.limit("the anchors up to here keep more than four million values")?;
            self.anchors.insert(anchor, (value.clone(), size));
        }
        self.add(value)
    }

    /// Returns the value that an event completes, and the number of its anchor or 0.
    fn value(&mut self, event: Event<'_>) -> Result<Option<(Value, usize)>, String> {
        match event {
            Event::Scalar(value, style, anchor, _) => {
                self.count += 1;
                // A key is a text, whatever it looks like: `200:`.
                let is_key = matches!(self.open.last(), Some(OpenValue::Map(_, _, None)));
                let value = if is_key || style != ScalarStyle::Plain {
                    Value::String(value.into_owned())
                } else {
                    plain(&value)
                };
                return Ok(Some((value, anchor)));
            }
            Event::Alias(anchor) => {
                let (value, size) = self.anchors.get(&anchor).ok_or("this alias leads to itself")?;
                self.count = self.count.saturating_add(*size);
                self.limit("the aliases up to here make more than four million values")?;
                return Ok(Some((value.clone(), 0)));
            }
            Event::SequenceStart(..) | Event::MappingStart(..) if self.open.len() >= DEEPEST => {
                return Err(format!("this is nested more than {DEEPEST} levels deep"));
            }
            Event::SequenceStart(_, anchor, _) => self.open.push(OpenValue::List(anchor, Vec::new())),
            Event::MappingStart(_, anchor, _) => self.open.push(OpenValue::Map(anchor, Map::new(), None)),
            Event::SequenceEnd | Event::MappingEnd => {
                self.count += 1;
                return Ok(self.open.pop().map(|open| match open {
                    OpenValue::List(anchor, items) => (Value::Array(items), anchor),
                    OpenValue::Map(anchor, members, _) => (Value::Object(members), anchor),
                }));
            }
            _ => {}
        }
        Ok(None)
    }

    fn limit(&self, problem: &str) -> Result<(), String> {
        if self.count > MOST { Err(problem.to_owned()) } else { Ok(()) }
    }

    /// Adds a value to what is open: an item, a key, or the value of the last key.
    fn add(&mut self, value: Value) -> Result<(), String> {
        match self.open.last_mut() {
            Some(OpenValue::List(_, items)) => items.push(value),
            Some(OpenValue::Map(_, members, key)) => match (key.take(), value) {
                // `<<: *defaults`, YAML 1.1's merge key: what is there counts before it.
                (Some(name), Value::Object(merged)) if name == "<<" => {
                    for (name, value) in merged {
                        members.entry(name).or_insert(value);
                    }
                }
                (Some(name), value) => {
                    members.insert(name, value);
                }
                (None, Value::String(name)) => *key = Some(name),
                (None, _) => return Err("a key must be a text".to_owned()),
            },
            None => self.root = Some(value),
        }
        Ok(())
    }
}

/// Returns the number of values to copy, with long texts as several.
fn size(value: &Value) -> usize {
    let text = |text: &str| text.len() / 64;
    match value {
        Value::Array(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Object(members) => 1 + members.iter().map(|(key, value)| text(key) + size(value)).sum::<usize>(),
        Value::String(value) => 1 + text(value),
        _ => 1,
    }
}

/// A plain scalar by the core schema (YAML 1.2 §10.3.2).
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    let digits = text.trim_start_matches(['-', '+']);
    if digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        if let Ok(number) = text.parse::<i64>() {
            return number.into();
        }
        if digits.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte))
            && let Some(number) = text.parse::<f64>().ok().and_then(serde_json::Number::from_f64)
        {
            return Value::Number(number);
        }
    }
    Value::String(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_those_of_json() {
        let text = "a: &x {n: 1, f: 1.5, t: true, s: '1', d: 2024-01-01, e: ~}\n200: *x\nl: [1, two]\nm:\n  <<: *x\n  n: 2\nv: 3.1.0\n";
        let x = json!({"n": 1, "f": 1.5, "t": true, "s": "1", "d": "2024-01-01", "e": null});
        let mut merged = x.clone();
        merged["n"] = json!(2);
        assert_eq!(parse(text).unwrap(), json!({"a": x, "200": x, "l": [1, "two"], "m": merged, "v": "3.1.0"}));
    }

    #[test]
    fn bombs_do_not_go_off() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..12 {
            let items = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb += &format!("a{level}: &a{level} [{items}]\n");
        }
        let started = std::time::Instant::now();
        let (_, reason) = parse(&bomb).unwrap_err();
        assert!(reason.contains("aliases"), "{reason}");
        assert!(started.elapsed().as_secs() < 20);
        // One value within a hundred anchors, and one long text many times.
        let nested = format!(
            "{}[{}]{}",
            (0..100).map(|level| format!("&a{level} [")).collect::<String>(),
            "x,".repeat(50_000),
            "]".repeat(100)
        );
        assert!(parse(&nested).unwrap_err().1.contains("anchors"));
        let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1_000_000), "*a,".repeat(1_000));
        assert!(parse(&long).unwrap_err().1.contains("aliases"));
        assert!(started.elapsed().as_secs() < 20);
        assert!(parse(&"[".repeat(100_000)).is_err());
        assert!(parse(&"- ".repeat(200)).unwrap_err().1.contains("128 levels"));
        assert!(
            parse("a: *b").is_err()
                && parse("a: &b [*b]").is_err()
                && parse("").is_err()
                && parse("? [a]\n: b").is_err()
        );
    }
}
