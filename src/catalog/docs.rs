//! The settings of `mcp-kit docs`.

use std::ops::Range;

use rustc_hash::FxHashMap;
use schemars::JsonSchema;
use serde::Serialize;

use super::problem::Problem;
use super::read::Reader;
use super::yaml::{Node, Value};
use crate::catalog::pages::{ID, PAGES, SERVICE, built_in};
use crate::text::nearest::nearest;

/// Settings of `mcp-kit docs`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Docs {
    /// A folder of Tera templates, each named after its page. They replace built-in templates or make custom pages.
    pub templates: Option<String>,
    /// The paths of pages with another path than the default, and of custom pages.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, PagePlaceSchema>")]
    pub pages: Vec<(String, PagePlace)>,
    /// Further documents of the site by the title of their part: files, or folders with Markdown files. The site opens on
    /// the first one, and the pages come after them.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, Vec<String>>")]
    pub site: Vec<(String, Vec<String>)>,
}

/// The target of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum PagePlace {
    /// `false`: the page is turned off.
    Nowhere,
    /// A path: the page is this file.
    At(String),
    /// `section` and a path: the page is a section of that file.
    SectionOf(String),
}

/// The same, as the catalog has it.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is of use")]
enum PagePlaceSchema {
    /// The path of the page.
    At(String),
    /// A section of a hand-written file.
    SectionOf(SectionSchema),
    /// `false`: the page is turned off.
    Nowhere(#[schemars(extend("const" = false))] bool),
}

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is of use")]
struct SectionSchema {
    /// The file.
    section: String,
}

impl Docs {
    pub(super) fn read(node: &Node, reader: &mut Reader) -> Self {
        let Some(mut fields) = reader.fields(node, "the setting of the documents") else { return Self::default() };
        let templates = fields.take("templates").and_then(|node| reader.path(node));
        let mut taken: FxHashMap<String, String> = FxHashMap::default();
        let pages = reader.table(fields.take("pages"), |name, span, node, reader| {
            if built_in(name).is_none() {
                own_name(name, span, templates.is_some(), reader)?;
            }
            let (path, is_section) = match &node.value {
                Value::Scalar(Some(text)) if text == "false" => return Some((name.to_owned(), PagePlace::Nowhere)),
                Value::Map(_) => {
                    let mut fields = reader.fields(node, "the place of a page")?;
                    let file = reader.required(&mut fields, "section");
                    reader.end(fields);
                    (reader.path(file?)?, true)
                }
                _ => (reader.path(node)?, false),
            };
            let usual = PAGES.iter().find(|page| page.path == path && page.name != name).map(|page| page.name);
            if name == SERVICE && (is_section || !path.contains(ID)) {
                let problem =
                    Problem::new(node.span.clone(), format!("{path} is one place, and each service has a page"));
                reader.problem(problem.with_hint("write a path with {id} in it, such as docs/services/{id}.md"));
                return None;
            }
            // A usual place is free when its page goes elsewhere, but using it for another page would confuse the
            // reader.
            if let Some(other) = taken.get(&path).map(String::as_str).or(usual) {
                let problem = Problem::new(node.span.clone(), format!("{path} is where the page `{other}` goes"));
                reader.problem(problem.with_hint("give each page a path of its own"));
                return None;
            }
            taken.insert(path.clone(), name.to_owned());
            Some((name.to_owned(), if is_section { PagePlace::SectionOf(path) } else { PagePlace::At(path) }))
        });
        let site = reader.table(fields.take("site"), |title, _, node, reader| {
            Some((title.to_owned(), reader.list(Some(node), |node, reader| reader.path(node))))
        });
        reader.end(fields);
        Self { templates, pages, site }
    }
}

/// Checks that a custom page has a folder of templates and a name that fits into a marker.
fn own_name(name: &str, span: &Range<usize>, has_templates: bool, reader: &mut Reader) -> Option<()> {
    let names: Vec<String> = PAGES.iter().map(|page| page.name.to_owned()).collect();
    let problem = if !has_templates {
        let hint = match nearest(name, &names) {
            Some(nearest) => format!("did you mean {nearest}?"),
            None => format!("it is one of {}; pages of your own need `templates`", names.join(", ")),
        };
        Problem::new(span.clone(), format!("there is no page `{name}`")).with_hint(hint)
    } else if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        Problem::new(span.clone(), format!("`{name}` is no name of a page"))
            .with_hint("make it of lower-case letters, digits and hyphens")
    } else {
        return Some(());
    };
    reader.problem(problem);
    None
}
