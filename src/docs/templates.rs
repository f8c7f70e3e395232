//! From a catalog to the text of each page. Pure: what lies on disk comes as arguments.

use std::collections::BTreeMap;
use std::io::Write;

use serde::Serialize;
use tera::{Context, Tera};

use super::example;
use super::page::{PAGES, Page, relative};
use super::reference;
use super::refusals::{OUTPUTS, REFUSALS};
use crate::catalog::{Catalog, Service};

/// What is wrong with a template, with file and line as Tera says it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the template of a page cannot be used: {0}")]
pub struct TemplateError(String);

/// The templates: those of the program, and the owner's in their place.
#[derive(Debug)]
pub struct Templates(Tera);

/// A service as the templates see it.
#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    service: &'a Service,
    /// Links from the page that is being made.
    sop_link: Option<String>,
    runbook_link: Option<String>,
}

#[derive(Serialize)]
struct Notice<'a> {
    path: &'a str,
    date: &'a str,
    reason: &'a str,
    archived: Option<Place<'a>>,
    replacement: Option<Place<'a>>,
}

/// A document, and the link to it from the page that is being made.
#[derive(Serialize)]
struct Place<'a> {
    path: &'a str,
    link: String,
}

impl Templates {
    /// With these texts in place of those of the program, by file name.
    ///
    /// # Errors
    /// For a text that is no Tera template.
    pub fn new(own: &BTreeMap<String, String>) -> Result<Self, TemplateError> {
        let mut tera = Tera::new();
        tera.autoescape_on([".md"]);
        tera.set_escape_fn(escape);
        let name = |page: &Page| format!("{}.md", page.name);
        let texts: BTreeMap<String, &str> = PAGES
            .iter()
            .map(|page| (name(page), page.template))
            .chain(own.iter().map(|(name, text)| (name.clone(), text.as_str())))
            .collect();
        tera.add_raw_templates(texts.iter().map(|(name, text)| (name.as_str(), *text)))
            .map_err(|error| TemplateError(error.to_string()))?;
        Ok(Self(tera))
    }

    /// The text of a page that lies at its place in `paths`, as of `date`.
    ///
    /// # Errors
    /// For a variable that there is not, and the like.
    pub fn render(
        &self,
        page: &Page,
        catalog: &Catalog,
        paths: &BTreeMap<&'static str, String>,
        date: &str,
    ) -> Result<String, TemplateError> {
        let here = paths.get(page.name).map_or(page.path, String::as_str);
        let link = |to: &str| relative(here, to);
        // Nothing, where there is no such page: then templates leave the link out.
        let to_page = |page: &Page| paths.get(page.name).map(|path| link(path)).unwrap_or_default();
        let links: BTreeMap<&str, String> = PAGES.iter().map(|page| (page.name, to_page(page))).collect();
        let services: Vec<Row<'_>> = catalog
            .services
            .iter()
            .map(|service| Row {
                service,
                sop_link: service.sop.as_deref().map(link),
                runbook_link: service.runbook.as_deref().map(link),
            })
            .collect();
        let place = |path| Place { path, link: link(path) };
        let notices: Vec<Notice<'_>> = catalog
            .deprecations
            .iter()
            .map(|deprecation| Notice {
                path: &deprecation.path,
                date: &deprecation.date,
                reason: &deprecation.reason,
                archived: deprecation.archived.as_deref().map(place),
                replacement: deprecation.replacement.as_deref().map(place),
            })
            .collect();
        let mut context = Context::new();
        context.insert("organisation", &catalog.organisation);
        context.insert("services", &services);
        context.insert("deprecations", &notices);
        context.insert("links", &links);
        context.insert("outputs", &outputs());
        context.insert("example", &example::parts());
        context.insert("refusals", REFUSALS);
        context.insert("settings", &reference::settings());
        context.insert("questions", &reference::questions());
        context.insert("version", env!("CARGO_PKG_VERSION"));
        context.insert("last_updated", date);
        let text = self.0.render(&format!("{}.md", page.name), &context);
        let text = text.map_err(|error| TemplateError(error.to_string()))?;
        Ok(text.trim().to_owned() + "\n")
    }
}

/// What came out when failures were provoked, without the line end of each file.
fn outputs() -> BTreeMap<&'static str, &'static str> {
    OUTPUTS.iter().map(|(name, text)| (*name, text.trim())).collect()
}

/// Text of the catalog in the middle of Markdown: what would mean something there is escaped, and a line stays a line.
fn escape(text: &str, out: &mut dyn Write) -> std::io::Result<()> {
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '&' | '~' | '#' | '$' | '!' => write!(out, "\\{c}")?,
            c if c.is_control() => write!(out, " ")?,
            c => write!(out, "{c}")?,
        }
    }
    Ok(())
}
