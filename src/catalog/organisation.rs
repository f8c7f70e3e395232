//! The organisation that owns the servers.

use schemars::JsonSchema;
use serde::Serialize;

use super::read::Reader;
use super::yaml::Node;

/// The organisation that owns the servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Organisation {
    /// The name.
    pub name: String,
    /// Names and addresses, such as the team domain and contacts.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub links: Vec<(String, String)>,
}

impl Organisation {
    pub(super) fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let mut fields = reader.fields(node, "an organisation")?;
        let name = reader.required_text(&mut fields, "name");
        let links =
            reader.table(fields.take("links"), |key, _, node, reader| Some((key.to_owned(), reader.text(node)?)));
        reader.end(fields);
        Some(Self { name: name?, links })
    }
}
