//! Terraform's language, as `terraform fmt` formats it.

use std::fmt::Write as _;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hcl {
    Text(String),
    /// A reference to another value of the configuration.
    Reference(String),
    Bool(bool),
    Number(u32),
    List(Vec<Hcl>),
    Map(Vec<(&'static str, Hcl)>),
    /// A block inside of a block, which has no sign.
    Inner(Vec<(&'static str, Hcl)>),
}

/// A block: its type, its labels, its attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) comment: &'static str,
    pub(super) kind: &'static str,
    pub(super) labels: Vec<String>,
    pub(super) attributes: Vec<(&'static str, Hcl)>,
}

impl Block {
    /// Creates a resource.
    pub(super) fn resource(kind: &str, name: &str, attributes: Vec<(&'static str, Hcl)>) -> Self {
        Self { comment: "", kind: "resource", labels: vec![kind.to_owned(), name.to_owned()], attributes }
    }

    /// Creates a variable of this type.
    pub(super) fn variable(name: &str, kind: &str, description: &str, more: Vec<(&'static str, Hcl)>) -> Self {
        let own = vec![("type", Hcl::Reference(kind.to_owned())), ("description", Hcl::Text(description.to_owned()))];
        Self { comment: "", kind: "variable", labels: vec![name.to_owned()], attributes: [own, more].concat() }
    }
}

impl From<&str> for Hcl {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// Returns an id as a name in Terraform: with underscores, and with a letter in front.
pub(super) fn name(id: &str) -> String {
    let name = id.replace('-', "_");
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("mcp_{name}") } else { name }
}

/// Renders blocks with a blank line between them.
pub(super) fn render(blocks: &[Block]) -> String {
    let mut text = String::new();
    for (at, block) in blocks.iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        for line in block.comment.lines() {
            let _ = writeln!(text, "# {line}");
        }
        let labels: String = block.labels.iter().map(|label| format!(" {}", quoted(label))).collect();
        let _ = writeln!(text, "{}{labels} {{", block.kind);
        attributes(&block.attributes, 1, &mut text);
        text.push_str("}\n");
    }
    text
}

/// Writes attributes. Signs of those in one line are aligned until one takes several lines.
fn attributes(all: &[(&'static str, Hcl)], depth: usize, text: &mut String) {
    let pad = "  ".repeat(depth);
    let is_long = |value: &Hcl| match value {
        Hcl::Map(members) => !members.is_empty(),
        Hcl::Inner(_) => true,
        Hcl::List(values) => {
            values.iter().any(|value| !matches!(value, Hcl::Text(_) | Hcl::Reference(_))) || values.len() > 2
        }
        _ => false,
    };
    for group in all.chunk_by(|(_, one), (_, other)| !is_long(one) && !is_long(other)) {
        let width = group.iter().map(|(key, _)| key.len()).max().unwrap_or_default();
        for (key, value) in group {
            let sign = if matches!(value, Hcl::Inner(_)) { "" } else { "= " };
            let _ = write!(text, "{pad}{key:<width$} {sign}");
            if is_long(value) {
                long(value, depth, text)
            } else {
                text.push_str(&short(value))
            }
            text.push('\n');
        }
    }
}

/// Writes a list or a map in several lines.
fn long(value: &Hcl, depth: usize, text: &mut String) {
    let pad = "  ".repeat(depth);
    match value {
        Hcl::Map(members) | Hcl::Inner(members) => {
            text.push_str("{\n");
            attributes(members, depth + 1, text);
            let _ = write!(text, "{pad}}}");
        }
        Hcl::List(values) => {
            text.push_str("[\n");
            for value in values {
                let _ = writeln!(text, "{pad}  {},", short(value));
            }
            let _ = write!(text, "{pad}]");
        }
        value => text.push_str(&short(value)),
    }
}

/// Returns a value in one line.
fn short(value: &Hcl) -> String {
    match value {
        Hcl::Text(text) => quoted(text),
        Hcl::Reference(name) => name.clone(),
        Hcl::Bool(value) => value.to_string(),
        Hcl::Number(value) => value.to_string(),
        Hcl::List(values) => format!("[{}]", values.iter().map(short).collect::<Vec<_>>().join(", ")),
        Hcl::Map(members) | Hcl::Inner(members) if members.is_empty() => "{}".to_owned(),
        Hcl::Map(members) | Hcl::Inner(members) => {
            let members = members.iter().map(|(key, value)| format!("{key} = {}", short(value)));
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Returns a text in quotation marks. `${` and `%{` would begin a template.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '$' | '%' if rest.peek() == Some(&'{') => quoted.extend([c, c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_no_template() {
        assert_eq!(quoted("a \"b\" ${c} $d %{e}\\\n\u{1b}"), r#""a \"b\" $${c} $d %%{e}\\\n\u001b""#);
        assert_eq!((name("a-b"), name("4-you")), ("a_b".to_owned(), "mcp_4_you".to_owned()));
    }

    #[test]
    fn signs_are_aligned_as_terraform_fmt_does() {
        let block = Block::resource(
            "kind",
            "name",
            vec![
                ("a", "x".into()),
                ("long_name", Hcl::Bool(true)),
                ("inner", Hcl::Map(vec![("b", Hcl::Number(1))])),
                ("c", Hcl::List(vec!["y".into()])),
            ],
        );
        assert_eq!(
            render(&[block]),
            "resource \"kind\" \"name\" {\n  a         = \"x\"\n  long_name = true\n  inner = {\n    b = 1\n  }\n  c = [\"y\"]\n}\n"
        );
    }
}
