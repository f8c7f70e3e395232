//! The organisation that owns the servers.

use schemars::JsonSchema;
use serde::Serialize;

use super::problem::Problem;
use super::read::Reader;
use super::yaml::Node;

/// The organisation that owns the servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Organisation {
    /// The name.
    pub name: String,
    /// The domain name, such as `example.com`. Exports make names of it, such as `com.example/notes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Names and addresses, such as the team domain and contacts.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub links: Vec<(String, String)>,
}

impl Organisation {
    pub(super) fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let mut fields = reader.fields(node, "an organisation")?;
        let name = reader.required_text(&mut fields, "name");
        let domain = fields.take("domain").and_then(|node| domain(node, reader));
        let links =
            reader.table(fields.take("links"), |key, _, node, reader| Some((key.to_owned(), reader.text(node)?)));
        reader.end(fields);
        Some(Self { name: name?, domain, links })
    }
}

/// Reads a domain name.
fn domain(node: &Node, reader: &mut Reader) -> Option<String> {
    let text = reader.text(node)?;
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if text.contains('.') && text.len() <= 150 && text.split('.').all(is_label) {
        return Some(text.to_ascii_lowercase());
    }
    let problem = Problem::new(node.span.clone(), format!("{text:?} is no domain name"));
    reader.problem(problem.with_hint("write it as example.com"));
    None
}
