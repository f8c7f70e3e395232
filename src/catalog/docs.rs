//! Settings of `mcp-kit docs`.

use schemars::JsonSchema;
use serde::Serialize;

use super::problem::Problem;
use super::read::Reader;
use super::yaml::{Node, Value};
use crate::docs::page::PAGES;
use crate::scaffold::answers::nearest;

/// Settings of `mcp-kit docs`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Docs {
    /// A folder with Tera templates that take the place of those of the program; each is named after its page.
    pub templates: Option<String>,
    /// Where pages go that do not go to their usual places: the page's name and the path, or `false` for a page that is not
    /// wanted.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, PagePlace>")]
    pub pages: Vec<(String, Option<String>)>,
}

/// The value of an entry of `pages`, for the schema.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is of use")]
enum PagePlace {
    /// Where the page goes.
    Path(String),
    /// `false`: nowhere.
    LeftOut(#[schemars(extend("const" = false))] bool),
}

impl Docs {
    pub(super) fn read(node: &Node, reader: &mut Reader) -> Self {
        let Some(mut fields) = reader.fields(node, "the setting of the documents") else { return Self::default() };
        let templates = fields.take("templates").and_then(|node| reader.path(node));
        let mut taken: Vec<(&str, String)> = Vec::new();
        let pages = reader.table(fields.take("pages"), |name, span, node, reader| {
            let Some(page) = PAGES.iter().find(|page| page.name == name) else {
                let names: Vec<String> = PAGES.iter().map(|page| page.name.to_owned()).collect();
                let hint = match nearest(name, &names) {
                    Some(nearest) => format!("did you mean {nearest}?"),
                    None => format!("it is one of {}", names.join(", ")),
                };
                reader.problem(Problem::new(span.clone(), format!("there is no page `{name}`")).with_hint(hint));
                return None;
            };
            if node.value == Value::Scalar(Some("false".to_owned())) {
                return Some((name.to_owned(), None));
            }
            let path = reader.path(node)?;
            let usual = |other: &str| PAGES.iter().find(|page| page.path == other && page.name != name);
            let other = taken.iter().find(|(_, other)| *other == path).map(|(name, _)| *name);
            // A usual place is free where its page goes elsewhere, but nobody would find out why.
            if let Some(other) = other.or_else(|| usual(&path).map(|page| page.name)) {
                let problem = Problem::new(node.span.clone(), format!("{path} is where the page `{other}` goes"));
                reader.problem(problem.with_hint("give each page a path of its own"));
                return None;
            }
            taken.push((page.name, path.clone()));
            Some((name.to_owned(), Some(path)))
        });
        reader.end(fields);
        Self { templates, pages }
    }
}
